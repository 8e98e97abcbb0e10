"""The plate that shows write rules a unit declares and that do not count, for an engineer."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from nicegui import ui

from app.core.rule_words import differences
from app.live.rules import HeldRules
from app.plant import Plant
from pages.frame import actor, guarded
from pages.markup import Html, place, tag
from pages.widgets.reason import reason_for
from pages.widgets.workflow.words import count_words

LOOK_AGAIN_S = 2.0
_CSS = Path(__file__).parent / "upkeep" / "upkeep.css"
_HEADINGS = ("Tag", "What", "In force", "Declared")
_ACCEPT = "Commands are judged by the declared rules from then on."
_NO_ENGINEER = (
    "Nobody is named engineer, so nobody can accept or refuse them. Name one in settings.toml, "
    "start the app again, and choose that name at the top right:"
)
_EXAMPLE = """[people]
roles = { "your name" = "engineer" }"""
_KEEP = "The former rules stay in force, the alarm ends, and these are not asked about again."


class HeldRulesPlate:
    """The plate, placed where it is made; seen only while the unit has held rules."""

    def __init__(self, plant: Plant, unit: str) -> None:
        self._plant = plant
        self._unit = unit
        self._shown: tuple[HeldRules, int] | None = None
        ui.add_css(_CSS)
        with ui.element("section").classes("mw-card") as self._plate:
            self._text = place(tag("div"))
            with ui.element("div").classes("mw-row"):
                self._button("Accept", self._accept)
                self._button("Keep the former", self._refuse)
                self._all = self._button("", self._accept_all)
        self._paint()
        ui.timer(LOOK_AGAIN_S, self._paint)

    @staticmethod
    def _button(words: str, act: Callable[[], Awaitable[None]]) -> ui.button:
        made = ui.button(words, on_click=act, color=None)
        return made.classes("mw-button").props("flat")

    def _paint(self) -> None:
        held, waiting = self._plant.write_rules.held(self._unit), self._plant.write_rules.waiting()
        if self._shown == (held, len(waiting)):
            return
        self._shown = held, len(waiting)
        self._plate.set_visibility(bool(held.held))
        self._text.set_content(_plate(held, self._plant.write_rules.engineers))
        self._all.set_visibility(len(waiting) > 1)
        self._all.set_text(f"Accept for all {len(waiting)} units")

    async def _accept(self) -> None:
        held = self._seen()
        why = await reason_for(_question("Accept", held), _ACCEPT, "Accept")
        if why is not None:
            await guarded(self._plant.write_rules.accept(self._unit, held.version, actor(), why))
            self._paint()

    async def _refuse(self) -> None:
        held = self._seen()
        why = await reason_for(_question("Refuse", held), _KEEP, "Keep the former")
        if why is not None:
            await guarded(self._plant.write_rules.refuse(self._unit, held.version, actor(), why))
            self._paint()

    async def _accept_all(self) -> None:
        waiting = self._plant.write_rules.waiting()
        units = ", ".join(self._plant.tags.unit_name(each.unit) for each in waiting)
        question = f"Accept the declared rules of {count_words(len(waiting), 'unit')}?"
        why = await reason_for(question, f"{_ACCEPT} The units: {units}.", "Accept all")
        if why is not None:
            versions = {each.unit: each.version for each in waiting}
            await guarded(self._plant.write_rules.accept_all(versions, actor(), why))
            self._paint()

    def _seen(self) -> HeldRules:
        return self._shown[0] if self._shown else self._plant.write_rules.held(self._unit)


def _question(verb: str, held: HeldRules) -> str:
    return f"{verb} the rules that this unit declares for {count_words(len(held.held), 'tag')}?"


def _plate(held: HeldRules, engineers: list[str]) -> Html:
    count = count_words(len(held.held), "tag")
    refused = all(each.is_refused for each in held.held)
    told = "They were refused before." if refused else "An engineer accepts or refuses them."
    rows = [
        tag(
            "tr",
            tag("td", each.tag.rpartition("/")[2]),
            [tag("td", words) for words in difference],
        )
        for each in held.held
        for difference in differences(each.counts, each.declared)
    ]
    head = tag("tr", [tag("th", words) for words in _HEADINGS])
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="mw-table mw-still")
    return tag(
        "div",
        tag("h2", f"This unit declares other rules for {count}", class_="mw-card-title"),
        tag("p", f"The rules in force stay what they were. {told}", class_="mw-hint"),
        "" if engineers else tag("p", _NO_ENGINEER, class_="mw-away", role="status"),
        "" if engineers else tag("pre", _EXAMPLE, class_="mw-example"),
        tag("div", table, class_="mw-scroll"),
    )
