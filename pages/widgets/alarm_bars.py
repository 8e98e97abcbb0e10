"""The pictures of the alarm rate page, drawn as SVG and HTML in the tokens' colours.

Drawn here and not by a chart library: both themes and a phone come free, and a page is 20 kB.
"""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from app.alarms.kpi import RATE_GOAL, AlarmKpi, Bar
from app.alarms.kpi_tally import TEN_MINUTES
from pages.icons import PRIORITY_WORDS, priority_symbol
from pages.markup import Html, join, tag
from pages.widgets.words import number

_HEIGHT = 160.0
_WIDTH = 1000.0
_LABELS = 6
_LEAST_TOP = 4.0
"""The scale never ends below this many alarms, or one alarm would look like a flood."""


def rate_bars(kpi: AlarmKpi, zone: ZoneInfo) -> Html:
    """Return alarms over time, stacked by priority, with the goal as a line."""
    if not kpi.bars:
        return tag("p", "The range is empty.", class_="mw-hint")
    goal = RATE_GOAL * kpi.bar_s / TEN_MINUTES.total_seconds()
    top = max(_LEAST_TOP, goal * 1.2, *(sum(bar.counts) for bar in kpi.bars))
    step = _WIDTH / len(kpi.bars)
    bars = join(_bar(bar, index * step, step, top, zone) for index, bar in enumerate(kpi.bars))
    line = _HEIGHT * (1 - goal / top)
    every = max(1, len(kpi.bars) // _LABELS)
    form = "%H:%M" if kpi.bar_s * len(kpi.bars) <= 2 * 86_400 else "%d %b"
    labels = [
        tag("span", f"{bar.start.astimezone(zone):{form}}") for bar in kpi.bars[::every][:_LABELS]
    ]
    minutes = kpi.bar_s / 60
    width = f"{minutes:g} min" if minutes < 120 else f"{minutes / 60:g} h"
    return tag(
        "figure",
        tag(
            "div",
            tag("span", number(top, 0)),
            tag("span", "0"),
            class_="mw-rate-scale",
            aria_hidden="true",
        ),
        Html(
            f'<svg class="mw-rate" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none" '
            f'role="img" aria-label="Alarms in steps of {width}">{bars}'
            f'<path class="mw-rate-goal" d="M0 {line:.1f}H{_WIDTH:g}"/></svg>'
        ),
        tag("div", labels, class_="mw-rate-times"),
        tag(
            "figcaption",
            f"Announced alarms in steps of {width}; the dashed line is the goal, ",
            f"{number(goal, 0)} a step.",
            class_="mw-hint",
        ),
        class_="mw-rate-box",
    )


def _bar(bar: Bar, left: float, step: float, top: float, zone: ZoneInfo) -> Html:
    if not sum(bar.counts):
        return Html("")
    gap = min(1.0, step * 0.15)
    pieces, foot = list[str](), _HEIGHT
    for priority, count in reversed(list(enumerate(bar.counts, 1))):
        height = _HEIGHT * count / top
        foot -= height
        if count:
            pieces.append(
                f'<rect class="mw-p{priority}" x="{left + gap:.2f}" y="{foot:.2f}" '
                f'width="{step - 2 * gap:.2f}" height="{height:.2f}"/>'
            )
    words = ", ".join(
        f"{count} {PRIORITY_WORDS[priority]}"
        for priority, count in enumerate(bar.counts, 1)
        if count
    )
    title = tag("title", f"{bar.start.astimezone(zone):%d %b %H:%M}: {words}")
    return Html(f"<g>{title}{''.join(pieces)}</g>")


_PARETO_HEAD = tag(
    "li",
    tag("span"),
    tag("span", "Alarm"),
    tag("span", "Times"),
    tag("span", "Share"),
    tag("span", "So far"),
    class_="mw-pareto-head",
    aria_hidden="true",
)


def top_bars(kpi: AlarmKpi, words: Callable[[str, str], str]) -> Html:
    """Return the most frequent alarms as a Pareto: bar, count, share, and share so far.

    Args:
        kpi: The figures.
        words: Says an alarm, from its equipment and its message.
    """
    if not kpi.top:
        return tag("p", "No alarm was announced in this range.", class_="mw-hint")
    most, so_far, rows = kpi.top[0].count, 0.0, [_PARETO_HEAD]
    for each in kpi.top:
        so_far += each.share
        href = f"/alarms#{each.alarm_id}"
        link = tag("a", words(each.equipment, each.message), href=href, class_="mw-link")
        rows.append(
            tag(
                "li",
                priority_symbol(each.priority),
                tag("span", link, class_="mw-pareto-words", title=each.equipment),
                tag("b", number(each.count, 0), class_="mw-num"),
                tag("span", _percent(each.share), class_="mw-hint"),
                tag("span", _percent(so_far), class_="mw-hint"),
                tag(
                    "span",
                    tag("i", style=f"width:{100 * each.count / most:.1f}%"),
                    class_="mw-share",
                ),
            )
        )
    note = f"These {len(kpi.top)} make {_percent(so_far)} of {number(kpi.announced, 0)} alarms."
    return tag("div", tag("ol", rows, class_="mw-pareto"), tag("p", note, class_="mw-hint"))


def priority_bars(kpi: AlarmKpi) -> Html:
    """Return the share of each priority beside the share it should have."""
    rows = [
        tag(
            "li",
            priority_symbol(level.priority),
            tag("span", PRIORITY_WORDS[level.priority]),
            tag(
                "span",
                tag(
                    "i", style=f"width:{100 * level.share:.1f}%", class_=f"mw-p{level.priority}"
                ),
                tag("u", style=f"left:{100 * level.goal:.1f}%"),
                class_="mw-share",
            ),
            tag("b", _percent(level.share), class_="mw-num"),
            tag(
                "span", f"goal {'<' if level.priority == 1 else ''}{100 * level.goal:.0f} %",
                class_="mw-hint",
            ),
        )
        for level in kpi.levels
    ]  # fmt: skip
    note = (
        "The standard's goal for three levels is 5, 15 and 80 %; "
        "critical is the fourth and takes less than 1 %."
    )
    return tag("div", tag("ol", rows, class_="mw-levels"), tag("p", note, class_="mw-hint"))


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.1f} %" if 0 < percent < 9.95 else f"{percent:.0f} %"
