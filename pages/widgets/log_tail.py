"""The last lines of a process's output, behind a button."""

from collections.abc import Callable, Sequence

from nicegui import ui

from pages.markup import Html, tag
from pages.refresh import Painted


class LogTail:
    """A button "Log" and, once it was pressed, the lines; nothing is sent while it is shut.

    Attributes:
        button: The button, made where the object is made.
    """

    def __init__(self, lines: Callable[[], Sequence[str]]) -> None:
        self._lines = lines
        self._painted: Painted | None = None
        self._place: ui.element | None = None
        self.button = ui.button("Log", on_click=self._toggle, color=None).props("flat")

    def put(self) -> None:
        """Say where on the page the lines stand: here."""
        self._place = ui.element("div").classes("mw-log-place")

    def paint(self) -> None:
        """Show new lines if it is open."""
        if self._painted:
            self._painted.paint()

    def _toggle(self) -> None:
        if self._place is None:
            return
        if self._painted:
            self._painted = None
            self._place.clear()
        else:
            with self._place:
                self._painted = Painted(self._draw)

    def _draw(self) -> Html:
        lines = self._lines()
        if not lines:
            return tag("p", "It has not written anything yet.", class_="mw-hint")
        return tag("pre", "\n".join(reversed(lines)), class_="mw-log", tabindex="0")
