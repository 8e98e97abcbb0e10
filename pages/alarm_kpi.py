"""L2, alarm rate: how the alarm system itself does, against the goals of ISA-18.2 and EEMUA 191."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from nicegui import ui

from app.alarms.kpi import AlarmKpi, Figure
from app.core.alarm import Alarm
from app.core.equipment import unit_of
from app.plant import Plant
from pages.frame import frame
from pages.icons import PRIORITY_WORDS, priority_symbol
from pages.markup import Html, place, tag
from pages.widgets import age_words, card, empty_state, number
from pages.widgets.alarm_bars import priority_bars, rate_bars, top_bars
from pages.widgets.alarm_table import add_style, serve_files
from pages.widgets.words import NONE, alarm_words

_Words = Callable[[str, str], str]
LOOK_AGAIN_S = 30.0


class Range(NamedTuple):
    """A choice of how far to look back."""

    name: str
    words: str
    span: timedelta


RANGES = (
    Range("1h", "1 h", timedelta(hours=1)),
    Range("8h", "8 h", timedelta(hours=8)),
    Range("24h", "24 h", timedelta(hours=24)),
    Range("7d", "7 days", timedelta(days=7)),
    Range("30d", "30 days", timedelta(days=30)),
)
_DEFAULT = RANGES[2]


def create(plant: Plant) -> None:
    """Register the page."""
    base = serve_files()

    @ui.page("/alarms/kpi")
    async def alarm_kpi(span: str = _DEFAULT.name) -> None:
        chosen = next((each for each in RANGES if each.name == span), _DEFAULT)
        add_style(base)
        with frame(plant, "Alarm rate", active="/alarms/kpi", crumbs=[("Alarms", "/alarms")]):
            place(_choices(chosen))
            shown = place(await _figures(plant, chosen))

        async def look_again() -> None:
            shown.set_content(await _figures(plant, chosen))

        ui.timer(LOOK_AGAIN_S, look_again, immediate=False)


def _choices(chosen: Range) -> Html:
    links = [
        tag(
            "a",
            each.words,
            href=f"/alarms/kpi?span={each.name}",
            class_="mw-chip",
            aria_pressed="true" if each is chosen else "false",
        )
        for each in RANGES
    ]
    return tag("div", links, class_="mw-row", aria_label="Range of time")


async def _figures(plant: Plant, chosen: Range) -> Html:
    now = plant.clock.now()
    kpi = await plant.alarms.kpi(now - chosen.span, now)
    zone = ZoneInfo(plant.settings.site.timezone)
    words = partial(_words, plant)
    stale_hours = plant.settings.alarms.stale_hours
    if not kpi.announced and not kpi.standing and not kpi.hidden:
        return empty_state(
            f"No alarm came in the last {chosen.words}",
            "Here you see how often alarms come, whether they come in floods, and which alarms "
            "come too often to be useful.",
            "Choose a longer range, or wait for the first alarm.",
        )
    return tag(
        "div",
        tag("div", [_figure(each) for each in kpi.figures], class_="mw-kpi-figures"),
        _load(kpi),
        card("Alarms over time", rate_bars(kpi, zone)),
        tag(
            "div",
            card("Most frequent", top_bars(kpi, words)),
            card("Priorities against the goal", priority_bars(kpi)),
            class_="mw-kpi-pair",
        ),
        tag(
            "div",
            card("Chattering", _chattering(kpi, zone, words)),
            card(f"Stale: active for more than {stale_hours:g} h", _stale(kpi, now, words)),
            class_="mw-kpi-pair",
        ),
        class_="mw-stack",
    )


def _words(plant: Plant, equipment: str, message: str) -> str:
    return alarm_words(plant.tags.unit_name(unit_of(equipment)), message) or equipment


def _figure(figure: Figure) -> Html:
    decimals = 0 if figure.unit == "alarms" or figure.name == "peak" else 1
    verdict = "goal met" if figure.is_met else "goal missed"
    return tag(
        "section",
        tag("h2", figure.title),
        tag(
            "p",
            tag("b", number(figure.value, decimals), class_="mw-num mw-big"),
            tag("span", figure.unit, class_="mw-unit"),
        ),
        tag(
            "p",
            None if figure.is_met else tag("span", "▲ ", class_="mw-missed", aria_hidden="true"),
            tag("span", verdict, class_=None if figure.is_met else "mw-missed"),
        ),
        tag("p", f"Goal: {figure.goal}", class_="mw-hint"),
        class_="mw-card mw-kpi-figure",
    )


def _load(kpi: AlarmKpi) -> Html:
    facts = (
        ("Announced", number(kpi.announced, 0)),
        ("Per hour and operator", number(kpi.per_hour, 1)),
        ("Floods", number(kpi.floods, 0)),
        ("Acknowledged after, median", _seconds(kpi.acknowledge_median_s)),
        ("95 % within", _seconds(kpi.acknowledge_p95_s)),
        ("Oldest not acknowledged", _seconds(kpi.unacknowledged_for_s)),
        ("Active now", number(kpi.standing, 0)),
        ("Shelved now", number(kpi.shelved, 0)),
        ("Hidden otherwise", number(kpi.hidden - kpi.shelved, 0)),
    )
    items = [tag("div", tag("dt", name), tag("dd", value)) for name, value in facts]
    return tag("dl", items, class_="mw-card mw-kpi-facts")


def _seconds(seconds: float | None) -> str:
    return age_words(seconds) if seconds is not None else NONE


def _chattering(kpi: AlarmKpi, zone: ZoneInfo, words: _Words) -> Html:
    if not kpi.chattering:
        return tag("p", "No alarm came and went three times within a minute.", class_="mw-hint")
    rows = [
        tag(
            "tr",
            tag("td", _link(each.alarm_id, words(each.equipment, each.message))),
            tag("td", f"{each.transitions} changes in a minute", class_="mw-right"),
            tag("td", f"{each.at.astimezone(zone):%d %b %H:%M}", class_="mw-right mw-hint"),
        )
        for each in kpi.chattering
    ]
    return tag("table", rows, class_="mw-table")


def _stale(kpi: AlarmKpi, now: datetime, words: _Words) -> Html:
    if not kpi.stale:
        return tag("p", "No alarm has been active for so long.", class_="mw-hint")
    return tag("table", [_stale_row(alarm, now, words) for alarm in kpi.stale], class_="mw-table")


def _stale_row(alarm: Alarm, now: datetime, words: _Words) -> Html:
    finding = alarm.finding
    priority = int(finding.priority or 4)
    return tag(
        "tr",
        tag("td", priority_symbol(priority), title=PRIORITY_WORDS[priority]),
        tag("td", _link(alarm.id, words(finding.equipment, finding.message or finding.condition))),
        tag("td", age_words((now - alarm.raised_at).total_seconds()), class_="mw-right"),
    )


def _link(alarm_id: str, words: str) -> Html:
    return tag("a", words, href=f"/alarms#{alarm_id}", class_="mw-link")
