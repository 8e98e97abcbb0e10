"""L2, one area: a tile a unit with its state and the bars of its leading values."""

from fastapi import Request, Response
from nicegui import ui

from app.core.equipment import Equipment
from app.plant import Plant
from pages.choose import energy_tag, key_tags, kind_words, state_tags
from pages.frame import frame
from pages.markup import Html, place, tag
from pages.not_found import not_found
from pages.widgets import alarm_count, analog_bar, area_words, card, trend_chart
from pages.widgets.plan import is_schedule, plan_bars

BARS_SHOWN = 6
UNITS_SHOWN = 200


def create(plant: Plant) -> None:
    """Register the page."""

    @ui.page("/areas/{site}/{area_name}")
    def area(request: Request, site: str, area_name: str) -> Response | None:
        path = f"{site}/{area_name}"
        units = [unit for unit in plant.units() if unit.area == path]
        if not units:
            return not_found(plant, request, f'There is no area "{path}"')
        with frame(plant, area_words(path), active="/", crumbs=[("Overview", "/")]):
            machines = [unit for unit in units if not energy_tag(unit)]
            tiles = [_tile(unit) for unit in machines[:UNITS_SHOWN]]
            place(tag("div", tiles, class_="mw-grid"))
            if len(machines) > UNITS_SHOWN:
                rest = len(machines) - UNITS_SHOWN
                place(tag("p", f"{rest} more units; press / and type a name", class_="mw-hint"))
            for meter in filter(None, map(energy_tag, units)):
                place(card("Power", trend_chart([meter.path], ["Power"], height_px=180)))
        return None


def _tile(unit: Equipment) -> Html:
    states = [tag("mw-value", path=each.path, class_="mw-word") for each in state_tags(unit)[:1]]
    leading = [] if is_schedule(unit) else key_tags(unit, BARS_SHOWN)
    bars = [analog_bar(each.path, each.description or each.name) for each in leading]
    bars += plan_bars([unit])
    return tag(
        "section",
        tag(
            "div",
            tag("a", unit.name, href=f"/units/{unit.path}"),
            alarm_count(unit.path),
            class_="mw-tile-head",
        ),
        tag("div", tag("span", kind_words(unit.kind), class_="mw-kind"), states, class_="mw-row"),
        tag("div", bars, class_="mw-bars"),
        class_="mw-tile",
    )
