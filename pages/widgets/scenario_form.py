"""The form that starts a fault in the simulated plant: unit, fault, sensor, severity."""

from collections.abc import Callable, Mapping

from nicegui import ui

from app.core.truth import SimulatedUnit
from app.plant import Plant
from pages.choose import counter_tags, key_tags, state_tags
from pages.frame import actor, guarded
from pages.markup import Html, place, tag
from pages.refresh import Painted
from pages.widgets.words import number

_SEVERITY_PERCENT = 70
_SENSOR = "sensor_"
_WHOLE_UNIT = "sensor_dropout"
_ALL = {"": "All sensors of the unit"}
_MAIN = {"": "Main sensor of the unit"}


class ScenarioForm:
    """Choose a unit, a fault, for a sensor fault the sensor, and how bad it is; start it."""

    def __init__(
        self, plant: Plant, units: tuple[SimulatedUnit, ...], changed: Callable[[], None]
    ) -> None:
        self._plant = plant
        self._changed = changed
        self._units = {unit.path: unit for unit in units}
        place(tag("h2", "Start a fault"))
        first = units[0]
        self._unit = _select({unit.path: unit.name for unit in units}, "Unit", self._unit_changed)
        self._unit.mark("unit")
        self._scenario = _select(_titles(first), "Fault", self._draw).mark("fault")
        self._sensor = _select(_MAIN, "Sensor").mark("sensor")
        self._effect = Painted(self._effect_words)
        with ui.element("div").classes("mw-severity"):
            ui.label("Severity").classes("mw-label")
            self._severity = ui.slider(
                min=5, max=100, step=5, value=_SEVERITY_PERCENT, on_change=self._draw_percent
            )
            self._severity.mark("severity").props('aria-label="Severity in percent"')
            self._percent = Painted(lambda: tag("span", self._percent_words(), class_="mw-num"))
        start = ui.button("Start", on_click=self._start, color=None).props("unelevated")
        start.classes("mw-button mw-primary").mark("start")
        self._draw()

    def choose(self, unit: str, scenario: str) -> None:
        """Fill the form in; nothing is started by it."""
        known = self._units.get(unit)
        if known and scenario in _titles(known):
            self._unit.value = unit
            self._scenario.value = scenario

    def _unit_changed(self) -> None:
        titles = _titles(self._units[self._unit.value])
        kept = self._scenario.value if self._scenario.value in titles else next(iter(titles))
        self._scenario.set_options(titles, value=kept)
        self._draw()

    def _draw(self) -> None:
        self._effect.paint()
        choices = self._sensors()
        kept = self._sensor.value if self._sensor.value in choices else next(iter(choices))
        self._sensor.set_options(dict(choices), value=kept)
        self._sensor.set_visibility(self._is_of_sensor)

    def _draw_percent(self) -> None:
        self._percent.paint()

    @property
    def _is_of_sensor(self) -> bool:
        return str(self._scenario.value).startswith(_SENSOR)

    def _sensors(self) -> Mapping[str, str]:
        """Return what the fault can spoil: path of a tag and its words, the main one first."""
        if not self._is_of_sensor:
            return _MAIN
        path = self._unit.value
        unit = next((unit for unit in self._plant.units() if unit.path == path), None)
        tags = (
            [*key_tags(unit, len(unit.tags)), *counter_tags(unit), *state_tags(unit)]
            if unit
            else []
        )
        # What is commanded has no sensor to break.
        named = {each.path: each.description or each.name for each in tags if not each.write}
        if self._scenario.value == _WHOLE_UNIT:
            return _ALL | named
        return named or _MAIN

    def _effect_words(self) -> Html:
        choices = self._units[self._unit.value].scenarios
        effect = next((one.effect for one in choices if one.name == self._scenario.value), "")
        return tag("p", effect, class_="mw-hint mw-effect")

    def _percent_words(self) -> str:
        return f"{number(self._severity.value, 0)} %"

    async def _start(self) -> None:
        severity = float(self._severity.value or 0) / 100
        spoiled = str(self._sensor.value or "") if self._is_of_sensor else ""
        action = self._plant.start_scenario(
            self._unit.value, self._scenario.value, severity, actor(), tag=spoiled
        )
        if await guarded(action):
            self._changed()


def _select(
    options: Mapping[str, str], label: str, changed: Callable[[], None] | None = None
) -> ui.select:
    first = next(iter(options))
    made = ui.select(dict(options), value=first, label=label, on_change=changed)
    return made.props("outlined dense options-dense")


def _titles(unit: SimulatedUnit) -> dict[str, str]:
    return {one.name: one.title for one in unit.scenarios}
