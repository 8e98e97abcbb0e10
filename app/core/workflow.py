"""What a workflow is: inputs, triggers and steps, as its TOML file says.

The file is read by app/workflow/definition.py, judged by app/core/workflow_check.py and carried
out by app/workflow/interpreter.py. Texts may hold `${…}` expressions, see app/core/expression.py:
`input`, `steps.<id>.output`, `run`, `trigger`, and `item` and `index` within a for-each.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec


class InputKind(StrEnum):
    """What a person may type into one field of the form."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    EQUIPMENT = "equipment"
    TAG = "tag"
    TIME = "time"
    OBJECT = "object"


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One typed input; the form is made from it, and every trigger is checked by it.

    Attributes:
        kind: What it is.
        title: Its label; empty takes the name.
        description: What to write there.
        required: A run cannot start without it.
        default: Taken where nothing is given.
        low: Least number.
        high: Greatest number.
        choices: What a choice offers.
        unit: UCUM unit of a number.
    """

    kind: InputKind = InputKind.TEXT
    title: str = ""
    description: str = ""
    required: bool = False
    default: Any = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""


class TriggerKind(StrEnum):
    """What starts a run by itself."""

    MQTT = "mqtt"
    FINDING = "finding"
    ALARM = "alarm"
    SCHEDULE = "schedule"
    WORKFLOW = "workflow"


class Trigger(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that starts a run.

    Attributes:
        on: What it listens to.
        topic: MQTT topic filter; its message is `event.payload`, its topic `event.topic`, and
            `event.at` is when it came, UTC.
        agent: Agent of a finding or alarm, `*` and `?` allowed; empty for any.
        condition: Condition of a finding or alarm, `*` and `?` allowed; empty for any.
        equipment: Path of the unit, `*` and `?` allowed; empty for any.
        priority: Least urgent priority that counts, 1 to 4.
        cron: Minute, hour, day, month, weekday, in plant time.
        shift: "start" or "end": at the shifts' changes (06:00, 14:00 and 22:00 plant time).
        workflow: Workflow whose end starts a run.
        states: Ends of that workflow that count.
        when: Further condition on `event`.
        input: Inputs of the run, with `${event…}`.
        key: What debounce and cooldown count by, with `${event…}`; empty is the unit.
        debounce_s: The event must be quiet this long; the last one counts, s.
        cooldown_s: No second run of one key within this time, s.
    """

    on: TriggerKind
    topic: str = ""
    agent: str = ""
    condition: str = ""
    equipment: str = ""
    priority: int = 4
    cron: str = ""
    shift: str = ""
    workflow: str = ""
    states: tuple[str, ...] = ("completed",)
    when: str = ""
    input: dict[str, Any] = {}
    key: str = ""
    debounce_s: float = 0.0
    cooldown_s: float = 0.0


class ActionKind(StrEnum):
    """What a step does."""

    TASK = "task"
    PUBLISH = "publish"
    NOTIFY = "notify"
    HTTP = "http"
    WAIT = "wait"
    APPROVE = "approve"
    COMMAND = "command"
    WORKFLOW = "workflow"


class Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How often a step that failed is tried again.

    Attributes:
        attempts: Tries in all.
        wait_s: Wait before the second try, s.
        factor: What each further wait is multiplied by.
        max_wait_s: Longest wait, s.
    """

    attempts: int = 1
    wait_s: float = 1.0
    factor: float = 2.0
    max_wait_s: float = 60.0

    def wait(self, attempt: int) -> float:
        """Return the wait after try number `attempt`, s."""
        return min(self.max_wait_s, self.wait_s * self.factor ** (attempt - 1))


class Jump(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A loop: after the step, go back to an earlier one.

    Attributes:
        step: Where to; the step itself or one that it needs, directly or not.
        when: Condition; empty is always.
        max: Times it may be done in one run; then the step fails.
    """

    step: str
    when: str = ""
    max: int = 10


class Undo(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"with_": "with"},
):
    """What takes a finished step back when the run fails or is cancelled.

    Attributes:
        do: What it does; no approval and no wait.
        with_: Its own fields, as of a step.
        timeout_s: Seconds it may take.
    """

    do: ActionKind
    with_: dict[str, Any] = {}
    timeout_s: float = 60.0


class Step(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"with_": "with"},
):
    """One node of a workflow.

    Attributes:
        id: `[a-z][a-z0-9_]*`, unique in the workflow.
        do: What it does.
        title: What an operator reads; empty takes the id.
        needs: Steps that must have ended before; one that was skipped does not count, and if all
            of them were, so is this one.
        when: Condition; if it does not hold, the step is skipped.
        with_: Fields of the action, see `ACTION_FIELDS`.
        for_each: List; the action is done for each element, as `item` and `index`.
        parallel: Elements done at once.
        timeout_s: Seconds one try may take; 0 takes that of the action.
        retry: How often it is tried.
        on_error: "fail", "continue" or "goto:STEP".
        goto: Loop back.
        compensate: What takes it back.
    """

    id: str
    do: ActionKind
    title: str = ""
    needs: tuple[str, ...] = ()
    when: str = ""
    with_: dict[str, Any] = {}
    for_each: str = ""
    parallel: int = 1
    timeout_s: float = 0.0
    retry: Retry = Retry()
    on_error: str = "fail"
    goto: Jump | None = None
    compensate: Undo | None = None

    @property
    def handler(self) -> str:
        """The step that an error leads to, empty if none."""
        return self.on_error.removeprefix("goto:") if self.on_error.startswith("goto:") else ""


class RunMode(StrEnum):
    """What a start means while runs of the same key are under way.

    SINGLE: it is refused. RESTART: those are cancelled. QUEUED: it waits its turn. PARALLEL: it
    runs beside them, up to `max`, and waits beyond.
    """

    SINGLE = "single"
    RESTART = "restart"
    QUEUED = "queued"
    PARALLEL = "parallel"


class Concurrency(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How runs of one workflow live beside each other.

    Attributes:
        mode: What a further start means.
        max: Runs of one key at once in mode parallel.
        queue: Runs of one key that may wait; more are refused.
        key: What they are counted by, such as `${input.equipment}`; empty is one for all.
    """

    mode: RunMode = RunMode.PARALLEL
    max: int = 50
    queue: int = 1000
    key: str = ""


class Workflow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A definition.

    Attributes:
        name: `[a-z][a-z0-9_]*`; the file is called so.
        title: What an operator reads.
        description: What it is for.
        role: Least role that may start it by hand.
        enabled: Its triggers work; by hand it can be started all the same.
        inputs: By name.
        runs: How runs live beside each other.
        triggers: What starts it by itself.
        steps: In any order; `needs` orders them.
    """

    name: str
    steps: tuple[Step, ...]
    title: str = ""
    description: str = ""
    role: str = "operator"
    enabled: bool = True
    inputs: dict[str, Input] = {}
    runs: Concurrency = Concurrency()
    triggers: tuple[Trigger, ...] = ()

    def step(self, name: str) -> Step:
        """Return a step by its id, which must be there."""
        return next(step for step in self.steps if step.id == name)


class Field(msgspec.Struct, frozen=True):
    """One field of an action.

    Attributes:
        type: Type of a value without `${…}`.
        required: It must be there.
        about: What it says, for the editor.
    """

    type: type
    required: bool
    about: str


ACTION_FIELDS: Mapping[ActionKind, Mapping[str, Field]] = {
    ActionKind.TASK: {
        "capability": Field(str, True, "What an agent must offer"),
        "input": Field(dict, False, "Input of the task"),
        "agent": Field(str, False, "Only this agent; empty takes any that offers it"),
    },
    ActionKind.PUBLISH: {
        "topic": Field(str, True, "MQTT topic"),
        "payload": Field(object, True, "Message; an object becomes JSON"),
        "qos": Field(int, False, "0 or 1"),
        "retain": Field(bool, False, "Kept by the broker"),
    },
    ActionKind.NOTIFY: {
        "title": Field(str, True, "First line"),
        "message": Field(str, True, "What it says"),
        "priority": Field(int, False, "1 critical to 4 low"),
        "route": Field(str, False, "Only this route; empty takes those of the priority"),
        "equipment": Field(str, False, "Unit it is about"),
    },
    ActionKind.HTTP: {
        "url": Field(str, True, "http or https address"),
        "method": Field(str, False, "GET, POST, PUT, PATCH or DELETE"),
        "body": Field(object, False, "Sent as JSON"),
        "headers": Field(dict, False, "Further headers"),
    },
    ActionKind.WAIT: {
        "seconds": Field(float, False, "How long"),
        "until": Field(str, False, "Condition looked at each second, or a UTC time"),
    },
    ActionKind.APPROVE: {
        "question": Field(str, True, "What a person decides"),
        "role": Field(str, False, "Least role that may decide"),
        "details": Field(object, False, "Figures the person should see"),
    },
    ActionKind.COMMAND: {
        "tag": Field(str, True, "Path of the tag"),
        "value": Field(float, True, "New value, in the tag's unit"),
        "why": Field(str, False, "Reason in the audit"),
    },
    ActionKind.WORKFLOW: {
        "name": Field(str, True, "Workflow that is run"),
        "input": Field(dict, False, "Its inputs"),
    },
}
"""Fields of `with` by action."""

TIMEOUT_S: Mapping[ActionKind, float] = {
    ActionKind.TASK: 60.0,
    ActionKind.PUBLISH: 30.0,
    ActionKind.NOTIFY: 60.0,
    ActionKind.HTTP: 30.0,
    ActionKind.WAIT: 366 * 86_400.0,
    ActionKind.APPROVE: 8 * 3600.0,
    ActionKind.COMMAND: 300.0,
    ActionKind.WORKFLOW: 86_400.0,
}
"""Seconds a step may take that names no time of its own."""

EVERY = 1000
"""Elements of a for-each at most."""


def timeout_of(step: Step) -> float:
    """Return the seconds that one try of a step may take."""
    return step.timeout_s or TIMEOUT_S[step.do]
