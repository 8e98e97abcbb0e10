"""What pages are made of. Every function returns `Html`; `pages.markup.place` puts it on a page.

Live (drawn in the browser from the one `/live` socket; no NiceGUI element, binding or timer):

    tag_value(path, label="", age=False)       number, unit; hatched with the reason if not good
    analog_bar(path, label="", setpoint=None, vertical=False)
                                               range, normal band, limits, ten minutes' trail
    spark_tile(path, label="")                 value and the last 15 minutes
    spark_grid(tags)                           tiles of `Tag`s
    trend_chart(paths, labels=(), window_s=900, height_px=280, marks=(), compare_s=0, plain=False)
                                               several pens, zoom, pan, limits, alarm marks
    alarm_count(path)                          worst symbol and number of alarms below a path

From the server, once:

    card(title, *body, more=None, anchor=""), empty_state(title, *lines), skeleton(lines)
    priority_symbol(priority), status_line(status, now, name_of, more=None), finding_why(finding)
    alarm_line(alarm, zone)
    unit_link(path, words), area_link(path, words), tag_link(path, words), alarm_link(alarm)
    with_unit_links(text, name_of)
    number(value, decimals), unit_words(ucum), age_words(seconds), clock_words(time, zone),
    capitalised(text)
"""

from app.core.units import unit_words
from pages.icons import icon, priority_symbol
from pages.widgets.alarm_line import alarm_line, alarm_link
from pages.widgets.cards import card, empty_state, skeleton, status_line
from pages.widgets.links import (
    area_link,
    area_words,
    tag_link,
    unit_link,
    with_unit_links,
)
from pages.widgets.live import (
    Mark,
    alarm_count,
    analog_bar,
    spark_grid,
    spark_tile,
    tag_value,
    trend_chart,
)
from pages.widgets.why import finding_why
from pages.widgets.words import age_words, capitalised, clock_words, nameplate_words, number

__all__ = [
    "Mark",
    "age_words",
    "alarm_count",
    "alarm_line",
    "alarm_link",
    "analog_bar",
    "area_link",
    "area_words",
    "capitalised",
    "card",
    "clock_words",
    "empty_state",
    "finding_why",
    "icon",
    "nameplate_words",
    "number",
    "priority_symbol",
    "skeleton",
    "spark_grid",
    "spark_tile",
    "status_line",
    "tag_link",
    "tag_value",
    "trend_chart",
    "unit_link",
    "unit_words",
    "with_unit_links",
]
