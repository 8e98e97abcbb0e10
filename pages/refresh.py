"""Pieces of a page that the server draws again once a second while someone looks at them."""

from collections.abc import Callable

from nicegui import events, ui

from pages.markup import Html, place

REFRESH_S = 1.0

_TELL_VISIBILITY = (
    "<script>document.addEventListener('visibilitychange',"
    "()=>emitEvent('mw_visible',{visible:!document.hidden}))</script>"
)


class Painted:
    """One HTML element that is sent again only when it looks different."""

    def __init__(self, draw: Callable[[], Html]) -> None:
        self._draw = draw
        self._shown = draw()
        self.element = place(self._shown)

    def paint(self) -> None:
        """Draw it again and send it if it changed."""
        fresh = self._draw()
        if fresh != self._shown:
            self._shown = fresh
            self.element.set_content(fresh)


def while_visible(paint: Callable[[], None]) -> None:
    """Call `paint` once a second as long as the page's tab is in front."""
    timer = ui.timer(REFRESH_S, paint)

    def changed(event: events.GenericEventArguments) -> None:
        match event.args:
            case {"visible": bool() as is_visible}:
                timer.active = is_visible
            case _:
                timer.active = True

    ui.on("mw_visible", changed)
    ui.add_body_html(_TELL_VISIBILITY)
