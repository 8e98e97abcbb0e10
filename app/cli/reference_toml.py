"""settings.toml, the shipped file: every key with its default, unit and range, from the model."""

import json
from typing import Any

from app.cli.reference_settings import allowed_words
from app.settings import SECRETS, AgentSettings, Section, Settings

_HEAD = """# Every setting of Millwright with its default, unit and range.
# Made from app/settings.py by `millwright docs`. Put your own values into data/settings.toml (or
# --settings FILE); there, and here, a line counts without the # before it. The environment wins
# over both: MILLWRIGHT_SERVER__PORT=9000. `millwright config check` tells what is wrong.

"""
_AGENTS = {
    "simulator": "the demo plant; not started when demo.enabled is false",
    "actuator": "changes tags on signed orders, and no other agent does",
    "vibration": "bearings and severity of rotating machines",
    "maintenance": "failure modes from process values",
    "knowledge": "searches the shipped procedures by words",
    "advisor": "quotes the first steps of procedures",
    "backlog": "maintenance orders and shift reports",
    "planner": "what to do first about the open alarms",
    "notifier": "tells people of alarms by mail, SMS and 100 other ways",
}
_INGEST = """
# Outside messages become tags, one table a topic; docs/ingest.md tells more.
# [[ingest]]
# topic = "plant2/+/climate"        # MQTT topic filter, + and # allowed
# path = "site2/hall/line/{2}/{field}"   # {2} a topic level, {name} a JSON field, {field} the key
# time = "at"                       # JSON field of the source time; without it the time of arrival
# fields = { T = "temperature" }    # JSON field to tag name; without it every numeric field
# units = { temperature = "Cel" }   # tag name to UCUM unit
"""
_NOTIFY = """
# Ways to reach people of alarms, one table each; docs/notify.md tells more.
# [[notify.routes]]
# name = "shift"                    # its name
# url_env = "SHIFT_MAIL_URL"        # variable that holds an Apprise URL; without a secret url = "…"
# priorities = [1, 2]               # what it takes, 1 critical to 4 low
# quiet_hours = "22:00-06:00"       # plant time at which it stays silent, but for critical ones
# escalate_after_s = 600            # an alarm nobody acknowledged by then …
# escalate_to = "sms"               # … goes there
"""
_COLUMN = 34


def shipped_settings() -> str:
    """Return the file."""
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            about = (field.annotation.__doc__ or "").partition(": ")[2]
            parts.append(f"# {about[:1].upper()}{about[1:]}\n[{name}]\n")
            parts += [*_keys(name, field.annotation), ""]
    parts.append("# Agents that the app starts, one table each; options are the agent's own.\n")
    for name, does in _AGENTS.items():
        parts.append(_line(f"[agents.{name}]", does))
        parts += _keys("agents", AgentSettings)
    return "\n".join(part.removesuffix("\n") for part in parts) + f"\n{_NOTIFY}{_INGEST}"


def _keys(section: str, model: type[Section]) -> list[str]:
    properties: dict[str, dict[str, Any]] = model.model_json_schema()["properties"]
    return [
        _key(section, key, described)
        for key, described in properties.items()
        if "$ref" not in described.get("items", {})  # tables of their own, at the end of the file
    ]


def _key(section: str, key: str, described: dict[str, Any]) -> str:
    if key in SECRETS:
        return f"# {key}: by environment only, MILLWRIGHT_{section.upper()}__{key.upper()}"
    default = described.get("default")
    is_number = "minimum" in described or "enum" in described
    said = described["description"] + (f"; {_plain(described)}" if is_number else "")
    return _line(f"# {key} = {json.dumps(True if default is None else default)}", said)


def _plain(described: dict[str, Any]) -> str:
    return allowed_words(described).replace("`", "")


def _line(setting: str, said: str) -> str:
    return f"{setting:{_COLUMN}}  # {said}"
