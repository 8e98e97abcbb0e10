"""docs/topics.md from the topic table and the message types."""

import re
from typing import Any

import msgspec

from app.cli.markdown import code, table
from app.core.agent import AgentStatus, Beat
from app.core.alarm import Alarm, Finding
from app.core.command import CommandAck, CommandOrder, CommandRequest
from app.core.equipment import Equipment
from app.core.plan import ActionPlan
from app.core.reading import ReadingMessage
from app.core.shift import ShiftSummary
from app.core.task import Task, TaskResult
from app.core.topics import TOPICS, TopicSpec
from app.core.truth import Truth

MESSAGES = (
    ReadingMessage, Equipment, AgentStatus, Beat, Task, TaskResult, Finding, Alarm, Truth,
    CommandRequest, CommandOrder, CommandAck, ActionPlan, ShiftSummary,
)  # fmt: skip
_SHAPES = "#/shapes/{name}"
_HEAD = """# MQTT topics

This page is made from `app/core/topics.py` and the message types by `millwright docs`.

MQTT 3.1.1 is enough.
The embedded broker listens on 127.0.0.1:1883 (`broker.port`); `broker.url` names another one.
A path segment is made of letters, digits, `_` and `-`.
The embedded broker disconnects a publisher that uses a space in a topic.
Payloads are JSON in UTF-8, at most 256 KiB (`bus.message_limit_bytes`).
Times are UTC, ISO 8601 with `Z`.
A message that does not decode is kept in the dead-letter list with the reason.
The list stands on the Health page and at `GET /api/deadletters`.
"""
_SEEDS = """`SeedFinding` has `agent_id`, `timestamp`, `machine_id`, `prediction`, `probability`,
`level`, `message`, `response` and `evidence`.
A message on `sensors/factory/data` is one flat JSON object of at most 1,000 fields.
Its `Machine_ID` and `Timestamp` are found in upper or lower case and may be absent.
Other topics and shapes become tags by `[[ingest]]`, see [ingest.md](ingest.md).
"""
_COLUMNS = ("Topic", "Payload", "QoS", "Retained")
_IS_SEED = re.compile(r"sensors/|data/|predictions/|alerts/|events/|backlog/")


def topics_page() -> str:
    """Return the page."""
    own = [spec for spec in TOPICS if not _IS_SEED.match(spec.topic)]
    seeds = [spec for spec in TOPICS if _IS_SEED.match(spec.topic)]
    return "\n".join(
        [
            _HEAD,
            "## Read by the app\n",
            _table(own, "in"),
            "## Written by the app\n",
            _table(own, "out"),
            "## Kept from earlier systems, read\n",
            _table(seeds, "in"),
            "## Kept from earlier systems, written\n",
            _table(seeds, "out"),
            _SEEDS,
            "## Messages\n",
            *_messages(),
        ]
    )


def _table(specs: list[TopicSpec], direction: str) -> str:
    rows = [
        (code(spec.topic), spec.payload, str(spec.qos), spec.retained)
        for spec in specs
        if spec.direction == direction
    ]
    return table(_COLUMNS, rows)


def _messages() -> list[str]:
    _, shapes = msgspec.json.schema_components(MESSAGES, ref_template=_SHAPES, schema_hook=_any)
    return [_message(name, shapes[name]) for name in sorted(shapes)]


def _any(type_: type) -> dict[str, Any]:
    del type_  # `object`: any JSON value
    return {"title": "any value"}


def _message(name: str, shape: dict[str, Any]) -> str:
    about, _, attributes = shape.get("description", "").partition("Attributes:")
    title = f"### {name}\n\n{' '.join(about.split())}\n"
    if "properties" not in shape:
        return f"{title}\nOne of {_words(shape)}.\n"
    meanings = _meanings(attributes)
    required = set(shape.get("required", ()))
    rows = [
        (code(key), _words(each), "yes" if key in required else "", meanings.get(key, ""))
        for key, each in shape["properties"].items()
    ]
    return f"{title}\n{table(('Field', 'Type', 'Needed', 'Meaning'), rows)}"


def _meanings(attributes: str) -> dict[str, str]:
    found = re.findall(r"^\s*(\w+): (.+(?:\n(?!\s*\w+: ).+)*)", attributes, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def _words(shape: dict[str, Any]) -> str:
    if "$ref" in shape:
        name = shape["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in shape:
        return " or ".join(_words(each) for each in shape["anyOf"])
    if "enum" in shape:
        return ", ".join(code(str(each)) for each in shape["enum"])
    if shape.get("type") == "array":
        return f"list of {_words(shape.get('items', {}))}"
    if shape.get("additionalProperties"):
        return f"object of {_words(shape['additionalProperties'])}"
    return str(shape.get("format") or shape.get("type") or shape.get("title") or "any value")
