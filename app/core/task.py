"""Work handed to one agent instance, and its answer."""

from enum import StrEnum

import msgspec

from app.core.clock import AwareTime


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A request to one agent instance.

    Attributes:
        id: `run:step`, the same over re-sends and tries; the agent answers a duplicate from its
            cache.
        capability: One of the agent's capabilities.
        input: JSON object; the capability's own input.
        reply_to: Topic the result goes to.
        expires_at: After this the agent refuses it, UTC.
        attempt: 1 for the first try, and one more for each that follows an answer without output;
            what is merely sent again has the same. The agent does a task that failed once more for
            a new try only, and one that it has done never.
        trace: Id that joins log lines of one cause; may be empty.
    """

    id: str
    capability: str
    input: dict[str, object]
    reply_to: str
    expires_at: AwareTime
    attempt: int = 1
    trace: str = ""


class TaskFailure(StrEnum):
    """Why a task has no output.

    INPUT, NOT_FOUND, CONFLICT: what was asked is wrong, names nothing, or is not possible now.
    UNABLE: the agent lacks what it needs, such as its model. EXPIRED: there was not time enough.
    FAULT: the agent failed at it; the same task may be sent again.
    """

    NONE = ""
    INPUT = "input"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    UNABLE = "unable"
    EXPIRED = "expired"
    FAULT = "fault"


class TaskResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The answer to a task: an output or an error, never both.

    Attributes:
        id: The task's id.
        agent: `name/instance` that answered.
        seconds: Time it took, s.
        output: JSON object if it succeeded.
        error: What failed and what to do, if it failed.
        details: Per-field errors ("torque": "missing"), if the input was wrong.
        failure: Why there is no output, in one word.
        attempt: The try of the task that it answers.
    """

    id: str
    agent: str
    seconds: float
    output: dict[str, object] | None = None
    error: str = ""
    details: dict[str, str] = {}
    failure: TaskFailure = TaskFailure.NONE
    attempt: int = 1
