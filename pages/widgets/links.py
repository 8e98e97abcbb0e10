"""Every thing named anywhere is a link to its page."""

from collections.abc import Callable

from app.core.topics import as_segment
from app.core.unit_names import UNIT_PATH
from pages.markup import Html, join, tag
from pages.widgets.live import tag_href


def unit_link(path: str, words: str) -> Html:
    """Return a link to a unit's faceplate."""
    return tag("a", words, href=f"/units/{path}", class_="mw-link")


def area_link(path: str, words: str = "") -> Html:
    """Return a link to an area."""
    return tag("a", words or area_words(path), href=f"/areas/{path}", class_="mw-link")


def tag_link(path: str, words: str = "") -> Html:
    """Return a link to a tag's trend."""
    return tag("a", words or path.rpartition("/")[2], href=tag_href(path), class_="mw-link")


def area_words(path: str) -> str:
    """Return an area's name from its path: "riverside/cooling_water" is "Cooling water"."""
    words = as_segment(path.rpartition("/")[2]).replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]


def with_unit_links(text: str, name_of: Callable[[str], str]) -> Html:
    """Return a sentence in which each unit's path is its name, linked to its page.

    Args:
        text: What an agent or a part of the app says.
        name_of: The name of a unit by its path, empty for none.
    """
    pieces = UNIT_PATH.split(text)
    names = [name_of(piece) for piece in pieces]
    pairs = zip(pieces, names, strict=True)
    return join(unit_link(piece, name) if name else piece for piece, name in pairs)
