"""Every MQTT topic in one place: builders, parsers, and the table docs are made from."""

import re
import unicodedata
from typing import NamedTuple

from app.core.errors import TopicError

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
# Letters that have no accent to lose; "μ" stands before a unit far more often than for mu.
_LATIN = {
    "ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "μ": "u",
}  # fmt: skip

PLANT = "plant/+/+/+/+/+"
EQUIPMENT = "millwright/equipment/+/+/+/+"
BIRTHS = "millwright/agents/+/+/birth"
BEATS = "millwright/agents/+/+/beat"
FINDINGS = "millwright/findings/+"
TRUTHS = "millwright/truth/+/+/+/+"
COMMANDS = "millwright/commands/+/+/+/+/+"
COMMAND_REQUESTS = "millwright/commands/request"
ACKS = "millwright/acks/+"
ALARMS = "millwright/alarms/+"
PLAN = "millwright/plan"
SHIFT_SUMMARY = "backlog/shift_summary"
TRIGGERS = "millwright/workflows/trigger"
SEED_TRIGGERS = "orchestrator/workflow/trigger"
SEED_DATA = "sensors/factory/data"
DATA_TREES = ("data/#", "/data/#")


class TopicSpec(NamedTuple):
    """One row of docs/topics.md."""

    topic: str
    payload: str
    qos: int
    retained: str
    direction: str


TOPICS = (
    TopicSpec(
        "plant/{site}/{area}/{line}/{unit}/{tag}",
        "ReadingMessage",
        0,
        "once a minute a tag and when quality changes",
        "in",
    ),
    TopicSpec("millwright/equipment/{site}/{area}/{line}/{unit}", "Equipment", 1, "yes", "in"),
    TopicSpec(
        "millwright/agents/{name}/{instance}/birth",
        "AgentStatus",
        1,
        "yes; the will sets it offline",
        "in",
    ),
    TopicSpec("millwright/agents/{name}/{instance}/beat", "Beat", 0, "no", "in"),
    TopicSpec("millwright/agents/{name}/{instance}/tasks", "Task", 1, "no", "out"),
    TopicSpec("millwright/results/{receiver}", "TaskResult", 1, "no", "in"),
    TopicSpec("millwright/findings/{agent}", "Finding", 1, "no", "in"),
    TopicSpec("millwright/alarms/{id}", "Alarm", 1, "while not normal", "out"),
    TopicSpec(PLAN, "ActionPlan of the planner agent", 1, "yes", "out"),
    TopicSpec(
        "millwright/truth/{site}/{area}/{line}/{unit}", "Truth", 0, "yes; simulator only", "in"
    ),
    TopicSpec(
        "millwright/commands/request",
        "CommandRequest; the answer comes on millwright/acks/{command}",
        1,
        "never",
        "in",
    ),
    TopicSpec(
        "millwright/commands/{site}/{area}/{line}/{unit}/{tag}",
        "CommandOrder, signed; refused after its time",
        1,
        "never",
        "out",
    ),
    TopicSpec("millwright/acks/{command}", "CommandAck", 1, "no", "in"),
    TopicSpec("millwright/workflows/trigger", "WorkflowTrigger", 1, "no", "in"),
    TopicSpec("millwright/runs/{run}", "RunChange: run and step states", 1, "no", "out"),
    TopicSpec(
        "orchestrator/workflow/trigger",
        '{"workflow_name": …, "parameters": {…}}',
        1,
        "no",
        "in",
    ),
    TopicSpec("sensors/factory/data", "flat JSON object", 1, "no", "in"),
    TopicSpec("data/# and /data/#", "number or JSON object", 1, "no", "in"),
    TopicSpec("predictions/{name}_agent", "SeedFinding", 0, "no", "out"),
    TopicSpec("alerts/{name}_agent", "SeedFinding, priority set", 0, "no", "out"),
    TopicSpec(SHIFT_SUMMARY, "ShiftSummary of the backlog agent", 1, "no", "out"),
    TopicSpec(
        "events/anomaly",
        "SeedFinding of the vibration agent: what is present, and once `normal` when it ends",
        0,
        "no",
        "out",
    ),
)


def is_segment(text: str) -> bool:
    """Tell whether `text` may stand between two slashes of a path."""
    return _SEGMENT.fullmatch(text) is not None


def as_segment(text: str) -> str:
    """Make a path segment of any text: "Air temperature [K]" becomes "Air_temperature_K".

    Letters lose their accents ("Öl" becomes "Ol") and Greek ones are spelt out ("ΔT", "DeltaT").

    Raises:
        TopicError: It has letters of another script, which would be lost, or nothing usable.
    """
    latin = text if text.isascii() else _as_latin(text)
    cleaned = _UNSAFE.sub("_", latin).strip("_")
    if not cleaned:
        raise TopicError(f'"{text[:60]}" has no letter or digit to make a path segment of')
    return cleaned


def _as_latin(text: str) -> str:
    signs: list[str] = []
    for sign in unicodedata.normalize("NFKD", text):
        known = sign if sign.isascii() else _LATIN.get(sign)
        if known is None and sign.isalnum():
            known = _greek(sign)
            if known is None:
                raise TopicError(
                    f'"{text[:60]}" has the letter "{sign}", which no path can hold; '
                    "name it with A-Z, a-z, 0-9, _ and -"
                )
        if known is None and not unicodedata.combining(sign):
            known = " "
        signs.append(known or "")
    return "".join(signs)


def _greek(sign: str) -> str | None:
    script, _, name = unicodedata.name(sign, "").partition(" ")
    word = name.removeprefix("SMALL LETTER ").removeprefix("CAPITAL LETTER ")
    if script != "GREEK" or not word.isalpha():
        return None
    return word.capitalize() if sign.isupper() else word.lower()


def reading_topic(tag: str) -> str:
    """Return the topic a tag's readings stand on."""
    return f"plant/{tag}"


def tag_of(topic: str) -> str:
    """Return the tag path of a reading's topic."""
    return topic.removeprefix("plant/")


def equipment_topic(path: str) -> str:
    """Return the topic of a unit's declaration."""
    return f"millwright/equipment/{path}"


def truth_topic(path: str) -> str:
    """Return the topic of the simulator's true fault state of a unit."""
    return f"millwright/truth/{path}"


def birth_topic(name: str, instance: str) -> str:
    """Return the topic of an agent instance's birth."""
    return f"millwright/agents/{name}/{instance}/birth"


def beat_topic(name: str, instance: str) -> str:
    """Return the topic of an agent instance's beats."""
    return f"millwright/agents/{name}/{instance}/beat"


def tasks_topic(name: str, instance: str) -> str:
    """Return the topic on which an agent instance receives tasks."""
    return f"millwright/agents/{name}/{instance}/tasks"


def results_topic(receiver: str) -> str:
    """Return the topic on which a sender of tasks receives results."""
    return f"millwright/results/{receiver}"


def findings_topic(agent: str) -> str:
    """Return the topic of an agent's findings."""
    return f"millwright/findings/{agent}"


def command_topic(tag: str) -> str:
    """Return the topic on which an actuator receives orders for a tag."""
    return f"millwright/commands/{tag}"


def ack_topic(command: str) -> str:
    """Return the topic of what became of a command."""
    return f"millwright/acks/{command}"


def run_topic(run: str) -> str:
    """Return the topic of a workflow run's states."""
    return f"millwright/runs/{run}"


def alarm_topic(alarm_id: str) -> str:
    """Return the topic of an alarm."""
    return f"millwright/alarms/{alarm_id}"
