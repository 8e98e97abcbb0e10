"""Asks whose definition counts when two persons have changed the same one."""

from collections.abc import Callable
from enum import StrEnum

from nicegui import ui

from pages.widgets.reason import close


class Whose(StrEnum):
    """Whose text the person chose."""

    MINE = "mine"
    THEIRS = "theirs"


async def ask_whose(name: str) -> Whose | None:
    """Ask; None if the person wants to look first."""
    with ui.dialog() as dialog, ui.card().classes("mw-ask"):
        ui.label(f'Somebody else has saved "{name}" meanwhile').classes("mw-ask-title")
        ui.label(
            "Yours is not saved. Take theirs, and Undo brings your text back; or save yours over "
            "it, and their change is lost."
        )
        with ui.row().classes("mw-row"):
            for whose, words in ((Whose.THEIRS, "Take theirs"), (Whose.MINE, "Save mine over it")):
                button = ui.button(words, on_click=_submitting(dialog, whose), color=None)
                button.classes("mw-button").props("flat").mark(f"whose-{whose}")
            ui.button("Back", on_click=lambda: dialog.submit(None), color=None).props("flat")
    answer = await dialog
    close(dialog)
    return answer if isinstance(answer, Whose) else None


def _submitting(dialog: ui.dialog, whose: Whose) -> Callable[[], None]:
    return lambda: dialog.submit(whose)
