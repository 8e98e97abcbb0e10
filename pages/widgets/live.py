"""Components that the browser draws from `/live`; see static/widgets.js, spark.js and trend.js."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from app.core.equipment import Tag
from pages.markup import Html, tag


class Mark(NamedTuple):
    """A moment marked in a chart; `priority` 0 is grey (a run, a note)."""

    at: datetime
    label: str
    priority: int = 0


def tag_href(path: str) -> str:
    """Return the address of a tag's trend."""
    return f"/trends?tags={path}"


def tag_value(path: str, label: str = "", *, age: bool = False) -> Html:
    """Return a number with unit; `age` shows its age always, else only when it is old."""
    return tag("mw-value", path=path, label=label or None, age=age)


def analog_bar(
    path: str, label: str = "", *, setpoint: float | None = None, vertical: bool = False
) -> Html:
    """Return a bar over the tag's range with normal band, limits and the last ten minutes."""
    return tag(
        "mw-bar",
        path=path,
        label=label or None,
        href=tag_href(path),
        setpoint=setpoint,
        vertical=vertical,
    )


def spark_tile(path: str, label: str = "") -> Html:
    """Return a value with the line of its last 15 minutes."""
    return tag("mw-spark", path=path, label=label or None, href=tag_href(path))


def spark_grid(tags: Iterable[Tag]) -> Html:
    """Return a grid of tiles."""
    tiles = [spark_tile(each.path, each.description or each.name) for each in tags]
    return tag("div", tiles, class_="mw-sparks")


def trend_chart(
    paths: Sequence[str],
    labels: Sequence[str] = (),
    *,
    window_s: float = 900,
    height_px: int = 280,
    marks: Iterable[Mark] = (),
    compare_s: float = 0,
    plain: bool = False,
) -> Html:
    """Return a chart with one pen a tag; alarms of those tags are marked by themselves.

    Args:
        paths: Tags, best at most six.
        labels: Words of the pens; the tag's last segment where there is none.
        window_s: What it shows at first, s.
        height_px: Height of the drawing.
        marks: Further moments to mark.
        compare_s: Draw the pens again as they were so many seconds earlier, dashed; 0 for none.
        plain: Without the buttons that choose the window.
    """
    told = [
        {"t": mark.at.timestamp() * 1000, "label": mark.label, "priority": mark.priority}
        for mark in marks
    ]
    return tag(
        "mw-trend",
        paths=json.dumps(list(paths)),
        labels=json.dumps(list(labels)),
        window=window_s,
        height=height_px,
        marks=json.dumps(told),
        compare=compare_s or None,
        plain=plain,
    )


def alarm_count(path: str) -> Html:
    """Return the worst symbol and the number of alarms at or below a path."""
    return tag("mw-alarms", path=path)
