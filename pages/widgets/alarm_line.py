"""One alarm in a card, drawn from the server; the alarm page has its own table."""

from app.core.alarm import Alarm, AlarmState, Priority
from pages.icons import priority_symbol
from pages.markup import Html, tag
from pages.widgets.words import clock_words

_WORDS = {
    AlarmState.NORMAL: "normal",
    AlarmState.UNACK: "not acknowledged",
    AlarmState.ACK: "acknowledged",
    AlarmState.RTN_UNACK: "gone, not acknowledged",
    AlarmState.LATCHED: "latched, needs a reset",
    AlarmState.SHELVED: "shelved",
    AlarmState.SUPPRESSED_BY_DESIGN: "suppressed by design",
    AlarmState.OUT_OF_SERVICE: "out of service",
}
_OPEN = frozenset({AlarmState.UNACK, AlarmState.RTN_UNACK})


def alarm_link(alarm: Alarm) -> Html:
    """Return a link to an alarm in the alarm list."""
    return tag("a", alarm.finding.message, href=f"/alarms#{alarm.id}", class_="mw-link")


def state_words(state: AlarmState) -> str:
    """Return an alarm's state as operators say it."""
    return _WORDS[state]


def alarm_line(alarm: Alarm, zone: str) -> Html:
    """Return symbol, text, time and state of an alarm."""
    priority = alarm.finding.priority or Priority.LOW
    return tag(
        "div",
        priority_symbol(priority, blinking=alarm.state in _OPEN),
        tag("b", alarm_link(alarm)),
        tag("time", clock_words(alarm.raised_at, zone), class_="mw-hint"),
        tag("span"),
        tag("span", state_words(alarm.state), class_="mw-hint"),
        _acknowledge(alarm) if alarm.state in _OPEN else None,
        class_="mw-alarm",
        tabindex=0,
        data_alarm_id=alarm.id,
    )


def _acknowledge(alarm: Alarm) -> Html:
    return tag(
        "button",
        "Ack",
        type="button",
        class_="mw-button mw-small",
        title="Acknowledge this alarm",
        data_acknowledge=alarm.id,
    )
