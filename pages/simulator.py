"""The simulator: faults the demo plant has, those it can have, and the means to start them."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from nicegui import background_tasks, events, ui

from app.core.errors import CodecError, MillwrightError
from app.core.truth import ScenarioChoice, ScenarioListing, SimulatedUnit, Truth
from app.plant import Plant
from pages.choose import kind_words
from pages.frame import actor, frame, guarded
from pages.markup import Html, place, tag
from pages.refresh import Painted, while_visible
from pages.widgets import (
    age_words,
    area_words,
    card,
    clock_words,
    empty_state,
    number,
    skeleton,
    tag_link,
    unit_link,
)
from pages.widgets.scenario_form import ScenarioForm

_TRUTH = "Ground truth · simulator only"
_ASSETS = Path(__file__).parent / "widgets" / "simulator"


def create(plant: Plant) -> None:
    """Register the page."""
    script = (_ASSETS / "simulator.js").read_text(encoding="utf-8")

    @ui.page("/simulator")
    def simulator() -> None:
        ui.add_css(_ASSETS / "simulator.css")
        ui.add_body_html(f"<script>{script}</script>")
        with frame(plant, "Simulator", active="/simulator"):
            board = _Board(plant)
            while_visible(board.paint)


class _Board:
    """What the simulator says of itself, asked once a second while the page is looked at."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._is_asking = False
        self._shown: tuple[SimulatedUnit, ...] | str | None = None
        self._body = ui.element("div")
        with self._body:
            place(card("Simulator", skeleton(6)))
        ui.on("mw_scenario", self._chosen)

    def paint(self) -> None:
        """Ask the simulator, unless it still owes an answer."""
        if not self._is_asking:
            self._is_asking = True
            background_tasks.create(self._refresh(), name="ask the simulator")

    async def _refresh(self) -> None:
        try:
            listing = _read(await self._plant.scenarios())
        except MillwrightError as error:
            self._show_absent(error)
        else:
            self._show(listing)
        finally:
            self._is_asking = False

    def _show(self, listing: ScenarioListing) -> None:
        if self._shown != listing.units:
            self._shown = listing.units
            self._build(listing.units)
        self._faults.paint(listing.running)

    def _build(self, units: tuple[SimulatedUnit, ...]) -> None:
        self._body.clear()
        with self._body, ui.element("div").classes("mw-sim"):
            with ui.element("div").classes("mw-stack"):
                self._faults = _Faults(self._plant, units, self.paint)
                place(_choices(units))
            with ui.element("section").classes("mw-card mw-sim-start"):
                self._form = ScenarioForm(self._plant, units, self.paint)

    def _show_absent(self, error: MillwrightError) -> None:
        if self._shown == str(error):
            return
        self._shown = str(error)
        self._body.clear()
        with self._body:
            place(_absent(error))

    def _chosen(self, event: events.GenericEventArguments) -> None:
        match event.args:
            case {"unit": str() as unit, "scenario": str() as scenario} if isinstance(
                self._shown, tuple
            ):
                self._form.choose(unit, scenario)
            case _:
                return


class _Faults:
    """The scenarios that run, each with a button that ends it."""

    def __init__(
        self, plant: Plant, units: tuple[SimulatedUnit, ...], changed: Callable[[], None]
    ) -> None:
        self._plant = plant
        self._changed = changed
        self._names = {unit.path: unit.name for unit in units}
        self._titles = {one.name: one.title for unit in units for one in unit.scenarios}
        self._running: tuple[Truth, ...] | None = None
        self._rows: list[Painted] = []
        with ui.element("section").classes("mw-card mw-truth"):
            place(
                tag(
                    "div",
                    tag("h2", "Running faults"),
                    tag("span", _TRUTH, class_="mw-pill"),
                    class_="mw-card-title",
                ),
                tag(
                    "p",
                    "What is really wrong in the demo plant. Agents never see this list; they "
                    "have to find it out from the readings.",
                    class_="mw-hint",
                ),
            )
            self._list = ui.element("div").classes("mw-faults")

    def paint(self, running: tuple[Truth, ...]) -> None:
        if self._running != running:
            self._running = running
            self._list.clear()
            with self._list:
                self._rows = [self._row(truth) for truth in running]
                if not running:
                    place(tag("p", "No fault runs: the demo plant is healthy.", class_="mw-hint"))
        for row in self._rows:
            row.paint()

    def _row(self, truth: Truth) -> Painted:
        async def stop() -> None:
            action = self._plant.stop_scenario(truth.equipment, truth.scenario, actor())
            if await guarded(action):
                self._changed()

        with ui.element("div").classes("mw-fault"):
            row = Painted(lambda: self._draw(truth))
            button = ui.button("Stop", on_click=stop, color=None).props("flat")
            button.mark(f"stop {truth.scenario}")
        return row

    def _draw(self, truth: Truth) -> Html:
        name = self._names.get(truth.equipment, truth.equipment)
        zone = self._plant.settings.site.timezone
        age_s = (self._plant.clock.now() - truth.started_at).total_seconds()
        spoiled = [": ", tag_link(truth.tag, self._tag_words(truth.tag))] if truth.tag else None
        return tag(
            "div",
            tag(
                "div",
                tag("b", self._titles.get(truth.scenario, truth.scenario), spoiled),
                tag("div", unit_link(truth.equipment, name)),
            ),
            tag("div", _severity_words(truth.severity)),
            tag(
                "div",
                f"since {clock_words(truth.started_at, zone)} · {age_words(max(0.0, age_s))}",
                class_="mw-hint mw-since",
            ),
            class_="mw-fault-words",
        )

    def _tag_words(self, path: str) -> str:
        above, _, name = path.rpartition("/")
        unit = self._plant.tags.unit(above)
        said = {each.path: each.description for each in unit.tags} if unit else {}
        return said.get(path) or name.replace("_", " ")


def _choices(units: tuple[SimulatedUnit, ...]) -> Html:
    rows = [
        tag(
            "tr",
            tag(
                "td",
                unit_link(unit.path, unit.name),
                tag("span", f"{_area(unit)} · {kind_words(unit.kind)}", class_="mw-sub"),
                class_="mw-unit-cell",
            ),
            tag("td", tag("div", [_chip(unit, one) for one in unit.scenarios], class_="mw-chips")),
        )
        for unit in units
    ]
    head = tag("tr", tag("th", "Unit"), tag("th", "Faults it can have"))
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="mw-table")
    return card("Units", table)


def _chip(unit: SimulatedUnit, choice: ScenarioChoice) -> Html:
    return tag(
        "button",
        choice.title,
        type="button",
        class_="mw-chip",
        title=choice.effect,
        data_unit=unit.path,
        data_scenario=choice.name,
    )


def _absent(error: MillwrightError) -> Html:
    return empty_state(
        "The simulator does not run",
        "It is the demo plant: machines with readings once a second, and faults to start here.",
        ["Start it on the ", tag("a", "Agents page", href="/agents", class_="mw-link"), "."],
        ["Is it not listed there? Switch it on: ", tag("code", "uv run millwright --demo")],
        ["Or run it on any computer: ", tag("code", "millwright agent simulator --broker URL")],
        tag("span", f"{error}", class_="mw-hint"),
    )


def _read(output: dict[str, object]) -> ScenarioListing:
    try:
        return msgspec.convert(output, ScenarioListing)
    except msgspec.ValidationError as error:
        raise CodecError(f"The simulator answered something else: {error}") from error


def _area(unit: SimulatedUnit) -> str:
    return area_words("/".join(unit.path.split("/")[:2]))


def _severity_words(severity: float) -> Html:
    bar = tag("i", style=f"width:{100 * severity:.0f}%")
    return tag(
        "div",
        tag("div", bar, class_="mw-share mw-severity-bar"),
        tag("span", f"{number(100 * severity, 0)} %", class_="mw-num"),
        class_="mw-row",
    )
