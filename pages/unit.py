"""L3, the faceplate of a unit: state and bars, trend of chosen tags, and why."""

import json
from functools import partial

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from nicegui import ui

from app.core.alarm import Alarm, AlarmState
from app.core.equipment import Equipment
from app.plant import Plant
from pages.choose import counter_tags, key_tags, kind_words, plan_tags, state_tags
from pages.forget_unit import ForgetButton
from pages.frame import frame
from pages.markup import Html, place, tag
from pages.not_found import not_found
from pages.refresh import Painted
from pages.widgets import (
    alarm_count,
    alarm_line,
    analog_bar,
    area_words,
    card,
    finding_why,
    nameplate_words,
    spark_grid,
)
from pages.widgets.held_rules import HeldRulesPlate
from pages.widgets.plan import plan_bars
from pages.widgets.workflow.assets import add_files, serve_files
from pages.widgets.workflow.command_form import CommandForm, writable_tags

PENS = 3
CHOICES = 24
LOOK_AGAIN_S = 2.0


def create(plant: Plant) -> None:
    """Register the page."""
    base = serve_files()

    @ui.page("/units/{site}/{area}/{line}/{unit_name}")
    def unit(request: Request, site: str, area: str, line: str, unit_name: str) -> Response | None:
        path = f"{site}/{area}/{line}/{unit_name}"
        equipment = plant.tags.unit(path)
        if equipment is None and (stated := _stated(plant, path)):
            # the banner's "Open" on an alarm of something that is no unit: another system, a part
            return RedirectResponse(f"/alarms#{stated[0].id}")
        if equipment is None:
            return not_found(plant, request, f'There is no unit "{path}"')
        above = f"{site}/{area}"
        add_files(base)
        crumbs = [("Overview", "/"), (area_words(above), f"/areas/{above}")]
        with (
            frame(plant, equipment.name, active="/", crumbs=crumbs),
            ui.element("div").classes("mw-columns"),
        ):
            forget = _now(plant, equipment)
            place(_trend(equipment))
            _why(plant, equipment, forget)
        return None


def _now(plant: Plant, unit: Equipment) -> ForgetButton:
    with ui.element("div").classes("mw-stack mw-now"):
        place(_plate(unit))
        return ForgetButton(plant, unit)


def _plate(unit: Equipment) -> Html:
    words = [*state_tags(unit), *counter_tags(unit)]
    lines = [
        tag("mw-value", path=each.path, label=each.description or each.name, class_="mw-line")
        for each in words
    ]
    bars = [
        analog_bar(each.path, each.description or each.name) for each in key_tags(unit, CHOICES)
    ]
    plans = plan_bars([unit])
    nameplate = [
        [
            tag("dt", words),
            tag("dd", value, tag("span", measure, class_="mw-unit") if measure else None),
        ]
        for words, value, measure in map(nameplate_words, unit.nameplate.items())
    ]
    return tag(
        "div",
        card(
            "Now",
            tag("div", lines, class_="mw-lines") if lines else None,
            tag("div", bars, class_="mw-bars"),
            tag("div", plans, class_="mw-plans") if plans else None,
            more=alarm_count(unit.path),
        ),
        card("Nameplate", tag("dl", nameplate, class_="mw-nameplate"))
        if nameplate
        else tag("span", kind_words(unit.kind), class_="mw-hint"),
        class_="mw-stack",
    )


def _trend(unit: Equipment) -> Html:
    choices = [*key_tags(unit, CHOICES), *plan_tags(unit)]
    pens = choices[:PENS]
    told = [[each.path, each.description or each.name] for each in choices]
    chart = tag(
        "mw-trend",
        paths=json.dumps([each.path for each in pens]),
        labels=json.dumps([each.description or each.name for each in pens]),
        choices=json.dumps(told),
        height=360,
    )
    return tag(
        "div",
        card("Trend", chart),
        card("Last 15 minutes", spark_grid(choices[:12])),
        class_="mw-stack mw-past",
    )


def _stated(plant: Plant, path: str) -> list[Alarm]:
    return [
        alarm
        for alarm in plant.alarms.alarms()
        if alarm.state is not AlarmState.NORMAL
        and f"{alarm.finding.equipment}/".startswith(f"{path}/")
    ]


def _why(plant: Plant, unit: Equipment, forget: ForgetButton) -> None:
    path = unit.path
    with ui.element("div").classes("mw-stack mw-reasons"):
        # apart, so that figures which change do not take the focus from a selected alarm
        pieces = [Painted(partial(draw, plant, path)) for draw in (_findings, _alarms)]
        HeldRulesPlate(plant, path)
        if writable_tags(unit):
            CommandForm(plant, unit)

    def paint() -> None:
        for piece in pieces:
            piece.paint()
        forget.paint()

    # findings change a few times an hour: looking now and then costs less than a push of each
    ui.timer(LOOK_AGAIN_S, paint)


def _findings(plant: Plant, path: str) -> Html:
    why = [finding_why(finding) for finding in plant.findings.present(path)]
    nothing = tag("p", "No agent finds anything wrong with this unit.", class_="mw-hint")
    return card("Why", why or nothing)


def _alarms(plant: Plant, path: str) -> Html:
    zone = plant.settings.site.timezone
    open_ones = [alarm_line(alarm, zone) for alarm in _stated(plant, path)]
    quiet = tag("p", "No alarm of this unit is open.", class_="mw-hint")
    return card("Alarms", open_ones or quiet)
