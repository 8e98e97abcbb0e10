"""L1, the plant at a glance: one tile an area, each unit by its leading value."""

from collections.abc import Sequence

from nicegui import ui

from app.core.equipment import Equipment
from app.plant import Plant
from pages.choose import energy_tag, key_tags
from pages.frame import frame
from pages.markup import Html, join, place, tag
from pages.widgets import alarm_count, analog_bar, area_words, card, empty_state, trend_chart
from pages.widgets.plan import is_schedule, plan_bars

UNITS_SHOWN = 12
BARS_WANTED = 4
"""An area of few units shows more of each, so that tiles are of like height."""


def create(plant: Plant) -> None:
    """Register the page."""

    @ui.page("/")
    def overview() -> None:
        with frame(plant, "Overview", active="/"):
            place(tag("mw-agents", class_="mw-strip"))
            units = plant.units()
            if units:
                tiles = [_area(path, inside) for path, inside in by_area(units)]
                every = tag("a", "All alarms", href="/alarms", class_="mw-hint mw-more")
                worst = card("Worst alarms", tag("mw-worst", count=8), more=every)
                place(tag("div", tiles, worst, class_="mw-grid mw-areas"))
                place(_power(units))
            else:
                place(nothing_connected(plant))


def by_area(units: Sequence[Equipment]) -> list[tuple[str, list[Equipment]]]:
    """Return the units of each area, areas in order of path."""
    areas: dict[str, list[Equipment]] = {}
    for unit in units:
        areas.setdefault(unit.area, []).append(unit)
    return sorted(areas.items())


def _area(path: str, units: Sequence[Equipment]) -> Html:
    machines = [unit for unit in units if not energy_tag(unit) and not is_schedule(unit)]
    shown = machines or list(units)
    bars = max(1, BARS_WANTED // len(shown))
    hidden = len(shown) - UNITS_SHOWN
    return tag(
        "section",
        tag(
            "div",
            tag("a", area_words(path), href=f"/areas/{path}"),
            alarm_count(path),
            class_="mw-tile-head",
        ),
        tag("div", [_unit(unit, bars) for unit in shown[:UNITS_SHOWN]], class_="mw-bars"),
        tag("a", f"{hidden} more units", href=f"/areas/{path}", class_="mw-link")
        if hidden > 0
        else None,
        _performance(units),
        class_="mw-tile",
    )


def _performance(units: Sequence[Equipment]) -> Html | None:
    meters = [meter for unit in units if (meter := energy_tag(unit))]
    rows = plan_bars(units)
    rows += [tag("mw-value", path=meter.path, label="Power") for meter in meters]
    return tag("div", rows, class_="mw-plans") if rows else None


def _unit(unit: Equipment, bars: int) -> Html:
    href = f"/units/{unit.path}"
    leading = key_tags(unit, bars)
    if not leading:
        return tag("a", unit.name, href=href, class_="mw-label")
    first, *more = leading
    return join(
        [
            tag(
                "mw-bar",
                path=first.path,
                label=unit.name,
                sub=first.description or first.name.replace("_", " "),
                href=href,
                watch=unit.path,
            ),
            [analog_bar(each.path, each.description or each.name) for each in more],
        ]
    )


def _power(units: Sequence[Equipment]) -> Html | None:
    meters = [(unit, meter) for unit in units if (meter := energy_tag(unit))]
    if not meters:
        return None
    chart = trend_chart(
        [meter.path for _, meter in meters],
        [area_words(unit.area) for unit, _ in meters],
        height_px=220,
    )
    return card("Power by area", chart)


def nothing_connected(plant: Plant) -> Html:
    """Return what stands here while no source has sent anything."""
    broker = plant.settings.broker
    address = broker.url or f"mqtt://127.0.0.1:{broker.port}"
    demo = (
        "The demo plant is starting; its units appear here within seconds."
        if plant.settings.demo_enabled
        else ["Run the demo plant: ", tag("code", "millwright run --demo")]
    )
    return empty_state(
        "No unit has sent a value yet",
        "Each area of the plant will have a tile here: its units, their leading values, alarms "
        "and power.",
        demo,
        ["Replay a data file: ", tag("code", "millwright publish FILE.csv")],
        [
            "Publish to ",
            tag("code", "plant/site/area/line/unit/tag"),
            " on ",
            tag("code", address),
            ", for example ",
            tag("code", '{"v": 12.3}'),
        ],
        ["Use the plant's own broker: ", tag("code", "broker.url"), " in settings.toml"],
    )
