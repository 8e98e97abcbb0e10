"""The button by which a person forgets a unit that is gone; there only while the unit is silent."""

from functools import partial

from nicegui import ui

from app.core.equipment import Equipment
from app.plant import Plant
from pages.frame import actor, guarded
from pages.widgets.confirm import confirmed


class ForgetButton:
    """The button, placed where it is made; call `paint` now and then."""

    def __init__(self, plant: Plant, unit: Equipment) -> None:
        self._plant = plant
        self._path = unit.path
        self._button = ui.button(
            "Forget this unit", on_click=partial(_forget, plant, unit), color=None
        )
        self._button.props("flat").classes("mw-forget")
        self.paint()

    def paint(self) -> None:
        """Show the button while nothing fresh comes from the unit."""
        self._button.set_visibility(not self._plant.tags.is_sending(self._path))


async def _forget(plant: Plant, unit: Equipment) -> None:
    consequence = (
        "Its values and limits go from all screens, and its alarms count as "
        "over. History and journals stay. It is back as soon as it sends again."
    )
    if not await confirmed(f"Forget {unit.name}?", consequence, "Forget it"):
        return
    if await guarded(plant.forget_unit(unit.path, actor())):
        ui.navigate.to("/")
