"""Work handed to one agent instance, and its answer."""

import msgspec

from app.core.clock import AwareTime


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A request to one agent instance.

    Attributes:
        id: `run:step`, the same over re-sends; the agent answers a duplicate from its cache.
        capability: One of the agent's capabilities.
        input: JSON object; the capability's own input.
        reply_to: Topic the result goes to.
        expires_at: After this the agent refuses it, UTC.
        attempt: 1 for the first sending.
        trace: Id that joins log lines of one cause; may be empty.
    """

    id: str
    capability: str
    input: dict[str, object]
    reply_to: str
    expires_at: AwareTime
    attempt: int = 1
    trace: str = ""


class TaskResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The answer to a task: an output or an error, never both.

    Attributes:
        id: The task's id.
        agent: `name/instance` that answered.
        seconds: Time it took, s.
        output: JSON object if it succeeded.
        error: What failed and what to do, if it failed.
        details: Per-field errors ("torque": "missing"), if the input was wrong.
    """

    id: str
    agent: str
    seconds: float
    output: dict[str, object] | None = None
    error: str = ""
    details: dict[str, str] = {}
