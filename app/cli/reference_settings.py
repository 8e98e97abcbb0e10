"""docs/settings.md from the settings model."""

import json
from typing import Any

from app.cli.markdown import code, table
from app.settings import SEED_MAPPINGS, AgentSettings, IngestSettings, Section, Settings
from app.settings_notify import RouteSettings

_HEAD = """# Settings

This page is made from `app/settings.py` by `millwright docs`.

Values come from four places; the first that has one wins:

1. the command line (`--host`, `--port`, `--data`, `--demo`, `--broker`);
2. the environment, `MILLWRIGHT_<SECTION>__<KEY>`, for example `MILLWRIGHT_SERVER__PORT=9000`;
3. the file named by `--settings` or `MILLWRIGHT_SETTINGS`, else `settings.toml` in the data folder;
4. the defaults shipped in `settings.toml`.

A key that is not on this page is refused, with its name; so is a variable of no section.
Secrets come by environment only and are never shown or logged; a file that holds one is refused.
`millwright config check` tells whether the settings are valid.
`millwright config show` prints those in force.
"""
_INGEST = """The first mapping whose topic matches takes a message.
Your own go before those of the seeds' topics, which stand below and need no table.
`[ingest_seeds] enabled = false` switches those off.
[ingest.md](ingest.md) tells how a message becomes tags.
"""
_COLUMNS = ("Key", "Default", "Allowed", "Meaning")


def settings_page() -> str:
    """Return the page."""
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            parts.append(_section(f"[{name}]", field.annotation, f"MILLWRIGHT_{name.upper()}__"))
    parts.append(_section("[agents.NAME]", AgentSettings, ""))
    parts.append(_section("[[notify.routes]]", RouteSettings, ""))
    parts.append(_section("[[ingest]]", IngestSettings, ""))
    parts.append(_INGEST)
    seeds = [(code(each.topic), code(each.path), code(each.time)) for each in SEED_MAPPINGS]
    parts.append(table(("Topic", "Path", "Time"), seeds))
    return "\n".join(parts)


def _section(title: str, section: type[Section], prefix: str) -> str:
    schema = section.model_json_schema()
    about = (section.__doc__ or "").partition(": ")[2]
    environment = f"Environment: `{prefix}<KEY>`.\n" if prefix else ""
    rows = [
        (
            code(key),
            _default(key, described, schema),
            allowed_words(described),
            described["description"],
        )
        for key, described in schema["properties"].items()
    ]
    return f"## `{title}`\n\n{about[:1].upper()}{about[1:]}\n{environment}\n{table(_COLUMNS, rows)}"


def _default(key: str, described: dict[str, Any], schema: dict[str, Any]) -> str:
    if key in schema.get("required", ()):
        return "needed"
    default = described.get("default")
    if described.get("format") == "password" or default in (None, "", [], {}):
        return ""
    return code(json.dumps(default).strip('"'))


def allowed_words(described: dict[str, Any]) -> str:
    """Return the values a key may have, from its JSON schema: "1 to 65535"."""
    if "anyOf" in described:
        return " or ".join(
            allowed_words(each) for each in described["anyOf"] if each["type"] != "null"
        )
    if "enum" in described:
        return ", ".join(code(each) for each in described["enum"])
    low, high = described.get("minimum"), described.get("maximum")
    if low is not None or high is not None:
        return f"{_number(low)} to {_number(high)}"
    words = {"boolean": "`true`, `false`", "array": "list", "object": "table", "string": "text"}
    return words.get(described.get("type", ""), "")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}" if value < 1_000_000 else f"{value:.0f}"
