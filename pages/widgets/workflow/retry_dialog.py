"""Asks from where and by which definition a run is started again, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

from nicegui import ui

from pages.widgets.reason import REASON_LIMIT, close

START = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """What a person chose.

    Attributes:
        step: Where to begin; empty is the start.
        definition: "old" or "current".
        why: The reason.
    """

    step: str
    definition: str
    why: str


async def ask_retry(steps: Mapping[str, str], step: str, *, has_changed: bool) -> Retry | None:
    """Ask; None if the person went back.

    Args:
        steps: Titles of the steps that may be begun from, by id.
        step: The one that is proposed; empty for the start.
        has_changed: The definition is another now than the run had.
    """
    with ui.dialog() as dialog, ui.card().classes("mw-form"):
        ui.label("Retry this run?").classes("mw-ask-title")
        ui.label(
            "A new run begins there; what steps before it gave is taken over and they are not "
            "done again. This run stays in the list."
        )
        titles = {START: "The start"} | {each: f"Step: {title}" for each, title in steps.items()}
        place = ui.select(titles, value=step if step in titles else START, label="From")
        place.props("outlined dense options-dense").mark("retry-from")
        words = {"old": "As this run had it"} | ({"current": "As it is now"} if has_changed else {})
        which = ui.select(words, value="old", label="Definition")
        which.props("outlined dense options-dense").mark("retry-definition")
        which.set_visibility(has_changed)
        why = ui.input("Reason").props(f"outlined dense autofocus maxlength={REASON_LIMIT}")
        why.mark("reason")

        def go_on() -> None:
            said = str(why.value or "").strip()
            if said:
                dialog.submit(Retry(str(place.value or START), str(which.value), said))
            else:
                why.props("error").props('error-message="Say why; it stands in the journal"')
                why.run_method("focus")

        why.on_value_change(lambda: why.props(remove="error"))
        why.on("keydown.enter", go_on)
        with ui.element("div").classes("mw-form-buttons"):
            ui.button("Retry", on_click=go_on, color=None).classes("mw-button mw-primary").props(
                "unelevated"
            ).mark("go-on")
            ui.button("Back", on_click=lambda: dialog.submit(None), color=None).props("flat")
    answer = await dialog
    close(dialog)
    return answer if isinstance(answer, Retry) else None
