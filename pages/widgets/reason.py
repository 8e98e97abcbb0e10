"""Asks for a reason before something that needs one is done."""

from nicegui import ui

REASON_LIMIT = 500


async def reason_for(
    question: str, consequence: str, verb: str, *, is_required: bool = True, label: str = "Reason"
) -> str | None:
    """Ask a question, say the consequence, and return the reason; None if the person went back.

    Args:
        question: Short, with the thing in it: "Cancel 3 runs?".
        consequence: What happens then, a full sentence.
        verb: Word on the button that goes on.
        is_required: Without a reason the button does nothing.
        label: What is to be written.
    """
    with ui.dialog() as dialog, ui.card().classes("mw-ask"):
        ui.label(question).classes("mw-ask-title")
        ui.label(consequence)
        hint = label if is_required else f"{label} (may be empty)"
        text = ui.input(hint).props(f"outlined dense autofocus maxlength={REASON_LIMIT}")
        text.classes("mw-wide").mark("reason")

        def go_on() -> None:
            said = str(text.value or "").strip()
            if said or not is_required:
                dialog.submit(said)
            else:
                text.props("error").props('error-message="Say why; it stands in the journal"')
                text.run_method("focus")

        text.on_value_change(lambda: text.props(remove="error"))
        text.on("keydown.enter", go_on)
        with ui.row().classes("mw-row"):
            button = ui.button(verb, on_click=go_on, color=None)
            button.classes("mw-button").props("flat").mark("go-on")
            ui.button("Back", on_click=lambda: dialog.submit(None), color=None).props("flat")
    answer = await dialog
    close(dialog)
    return answer if isinstance(answer, str) else None


def close(dialog: ui.dialog) -> None:
    """Take a dialog off the page, unless the page is gone with it."""
    if not dialog.is_deleted:
        dialog.delete()
