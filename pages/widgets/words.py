"""Numbers and times as operators read them; the same rules stand in static/widgets.js."""

from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.clock import in_zone
from app.supervisor.restart import agent_title

NONE = "\u2013"
"""Stands where there is no value."""

_THIN_SPACE = "\u2009"
_MINUS = "\u2212"
_GROUPED_FROM = 10_000

_NAMEPLATE_UNITS = {  # the longer ending first
    "_m3_min": "m³/min",
    "_m3_h": "m³/h",
    "_m3": "m³",
    "_kw": "kW",
    "_rpm": "rpm",
    "_mm": "mm",
    "_ms": "ms",
    "_m": "m",
    "_v": "V",
    "_a": "A",
}

_NO_AGENTS = {  # the same stands in static/widgets.js
    "limits": "Alarm limits",
    "external": "Another system",
    "system": "Millwright",
}

_CAPITALS = {"iso": "ISO", "npsh": "NPSH", "id": "ID", "plc": "PLC"}


def number(value: float | None, decimals: int = 1) -> str:
    """Return a number with fixed decimals and thin spaces between thousands; a dash for none."""
    if value is None:
        return NONE
    text = f"{value:,.{decimals}f}" if abs(value) >= _GROUPED_FROM else f"{value:.{decimals}f}"
    return text.replace(",", _THIN_SPACE).replace("-", _MINUS)


def age_words(seconds: float) -> str:
    """Return a duration in its largest sensible unit: "45 s", "12 min", "3 h", "5 d"."""
    for size, word, until in ((1, "s", 90), (60, "min", 5_400), (3_600, "h", 129_600)):
        if seconds < until:
            return f"{seconds / size:.0f} {word}"
    return f"{seconds / 86_400:.0f} d"


def clock_words(time: datetime, zone: str) -> str:
    """Return a time of day in the plant's zone."""
    return in_zone(time, ZoneInfo(zone)).strftime("%H:%M:%S")


def stated_by(agent: str) -> str:
    """Return who states a finding, as operators say it: "Vibration agent"."""
    return _NO_AGENTS.get(agent) or agent_title(agent)


def is_agent(name: str) -> bool:
    """Tell whether what states a finding has a row on the agents page."""
    return name not in _NO_AGENTS


def alarm_words(unit: str, message: str) -> str:
    """Return an alarm's message with its unit in front, unless it names the unit itself."""
    if not unit or unit in message:
        return message
    is_word = message[:1].isupper() and message[1:2].islower()  # "NPSH" keeps its capitals
    return f"{unit}: {message[0].lower()}{message[1:]}" if is_word else f"{unit}: {message}"


def capitalised(text: str) -> str:
    """Return a sentence that begins with a capital; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def nameplate_words(entry: tuple[str, str]) -> tuple[str, str, str]:
    """Return words, value and unit of a nameplate's line: rated_power_kw is "Rated power", "kW"."""
    name, value = entry
    for ending, unit in _NAMEPLATE_UNITS.items():
        if name.endswith(ending):
            return _sentence(name.removesuffix(ending)), value, unit
    return _sentence(name), value, ""


def _sentence(name: str) -> str:
    return capitalised(" ".join(_CAPITALS.get(word, word) for word in name.split("_")))
