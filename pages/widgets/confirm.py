"""Asks before something that hurts is done."""

from nicegui import ui

from pages.widgets.reason import close


async def confirmed(question: str, consequence: str, verb: str) -> bool:
    """Ask a question, say the consequence, and return whether the person went on.

    Args:
        question: Short, with the thing in it: "Stop the vibration agent?".
        consequence: What happens then, a full sentence.
        verb: Word on the button that goes on.
    """
    with ui.dialog() as dialog, ui.card().classes("mw-ask"):
        ui.label(question).classes("mw-ask-title")
        ui.label(consequence)
        with ui.row().classes("mw-row"):
            go_on = ui.button(verb, on_click=lambda: dialog.submit(True), color=None)
            go_on.classes("mw-button").props("flat").mark("go-on")
            back = ui.button("Back", on_click=lambda: dialog.submit(False), color=None)
            back.props("flat autofocus")
    answer = await dialog
    close(dialog)
    return bool(answer)
