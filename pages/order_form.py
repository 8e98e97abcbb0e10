"""Asks for a new maintenance order."""

from nicegui import ui

from app.core.errors import FieldsError, MillwrightError
from app.plant import Plant
from pages.frame import actor
from pages.icons import PRIORITY_WORDS
from pages.widgets.reason import close

TITLE_LIMIT = 300
DETAILS_LIMIT = 20_000
DUE_LIMIT_HOURS = 8760


async def ask_order(plant: Plant) -> bool:
    """Show the form until an order was made or the person went back; tell whether one was."""
    with ui.dialog() as dialog, ui.card().classes("mw-form"):
        form = _OrderForm(plant)

        async def go_on() -> None:
            if not button.enabled:
                return
            button.disable()  # a second click would make a second order
            try:
                if await form.send():
                    dialog.submit(True)
            finally:
                button.enable()

        with ui.element("div").classes("mw-form-buttons"):
            button = ui.button("Make the order", on_click=go_on, color=None).props("unelevated")
            button.classes("mw-button mw-primary").mark("go-on")
            ui.button("Back", on_click=lambda: dialog.submit(False), color=None).props("flat")
    answer = await dialog
    close(dialog)
    return bool(answer)


class _OrderForm:
    """What is wrong stands at its field."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        ui.label("New maintenance order").classes("mw-ask-title")
        units = {unit.path: unit.name for unit in plant.units()}
        self._unit = ui.select(units, label="Unit", with_input=True).mark("unit")
        self._unit.props("outlined dense options-dense")
        self._title = ui.input("What is to be done").props(f"maxlength={TITLE_LIMIT}")
        self._title.props("outlined dense").mark("title")
        self._details = ui.textarea("Details (may be empty)").mark("details")
        self._details.props(f"outlined dense autogrow maxlength={DETAILS_LIMIT}")
        levels = {number: f"{number} {words}" for number, words in PRIORITY_WORDS.items()}
        self._priority = ui.select(levels, label="Priority", value=3)
        self._priority.props("outlined dense options-dense").mark("priority")
        self._due = ui.number("Due in hours (may be empty)", min=0, max=DUE_LIMIT_HOURS)
        self._due.props("outlined dense").mark("due")
        self._fields = {
            "equipment": self._unit,
            "title": self._title,
            "details": self._details,
            "priority": self._priority,
            "due_hours": self._due,
        }

    async def send(self) -> bool:
        """Make the order; a refusal is shown."""
        for field in self._fields.values():
            field.error = None
        title = str(self._title.value or "").strip()
        if not self._unit.value or not title:
            self._unit.error = None if self._unit.value else "Choose the unit"
            self._title.error = None if title else "Say what is to be done"
            return False
        try:
            await self._plant.upkeep.create_order(
                str(self._unit.value),
                title,
                actor(),
                details=str(self._details.value or "").strip(),
                priority=int(self._priority.value or 3),
                due_hours=self._due.value,
            )
        except FieldsError as error:
            self._show(error.details)
        except MillwrightError as error:
            ui.notify(f"{error}. {error.hint}".rstrip(". "), type="warning")
        else:
            return True
        return False

    def _show(self, wrong: dict[str, str]) -> None:
        for name, why in wrong.items():
            if name in self._fields:
                self._fields[name].error = why
            else:
                ui.notify(f"{name} {why}", type="warning")
