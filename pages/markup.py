"""Builds HTML as escaped text.

A page of two hundred values is a few NiceGUI elements with one text each; the server then builds
and keeps no element a value (docs/decisions/0007; what a page costs: docs/benchmarks.md).
"""

from collections.abc import Iterable
from html import escape

from nicegui import ui

_VOID = frozenset({"br", "hr", "img", "input", "wbr"})
_VOID_SVG = frozenset({"path", "rect", "circle", "line", "polygon"})


class Html(str):
    """Text that is HTML already and needs no escaping."""

    __slots__ = ()


def tag(name: str, *children: object, **attributes: object) -> Html:
    """Return an element; text is escaped, `Html` is not, lists are joined, None is left out.

    Attribute names: `class_` for class, `data_tag` for data-tag. True gives a bare attribute,
    False and None give none.
    """
    text = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{text}>")
    if name in _VOID_SVG:
        return Html(f"<{name}{text}/>")
    return Html(f"<{name}{text}>{join(children)}</{name}>")


def join(children: Iterable[object]) -> Html:
    """Return several pieces as one."""
    return Html("".join(_piece(child) for child in children))


def _piece(child: object) -> str:
    match child:
        case None | False:
            return ""
        case Html():
            return child
        case str() | int() | float():
            return escape(str(child))
        case Iterable():
            return join(child)  # pyright: ignore[reportUnknownArgumentType]  elements of any type
        case _:
            return escape(str(child))


def _attribute(key: str, value: object) -> str:
    name = key.rstrip("_").replace("_", "-")
    match value:
        case None | False:
            return ""
        case True:
            return f" {name}"
        case _:
            return f' {name}="{escape(str(value))}"'


def place(*pieces: object) -> ui.html:
    """Put pieces on the page being built, as one NiceGUI element.

    Set its content to draw it again: nodes that are as before stay (static/redraw.js).
    """
    # every text went through `tag`, which escapes; NiceGUI's sanitizer would drop our components
    return ui.html(join(pieces), sanitize=False, tag="mw-piece").classes("mw-piece")
