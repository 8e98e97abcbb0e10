"""A command: the one way a tag of the plant is changed (IEC 62443-3-3, FR 2)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

from app.core.actor import Role
from app.core.clock import AwareTime


class CommandState(StrEnum):
    """Life of a command.

    REQUESTED: on disk, being checked. AWAITING_APPROVAL: a person must agree. DISPATCHED: sent to
    the actuator. ACKNOWLEDGED: the actuator has done it. VERIFIED: the plant shows the value.
    REJECTED: refused by a check, a person or the plant; nothing was changed. EXPIRED: its time ran
    out before it was acted on; nothing was changed. UNKNOWN: nobody can say whether it was done.
    """

    REQUESTED = "requested"
    AWAITING_APPROVAL = "awaiting_approval"
    DISPATCHED = "dispatched"
    ACKNOWLEDGED = "acknowledged"
    VERIFIED = "verified"
    REJECTED = "rejected"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


ENDED = frozenset(
    {
        CommandState.VERIFIED,
        CommandState.REJECTED,
        CommandState.EXPIRED,
        CommandState.UNKNOWN,
    }
)

_AHEAD: Mapping[CommandState, frozenset[CommandState]] = {
    CommandState.REQUESTED: frozenset(
        {
            CommandState.AWAITING_APPROVAL,
            CommandState.DISPATCHED,
            CommandState.REJECTED,
            CommandState.EXPIRED,
        }
    ),
    CommandState.AWAITING_APPROVAL: frozenset(
        {CommandState.DISPATCHED, CommandState.REJECTED, CommandState.EXPIRED}
    ),
    CommandState.DISPATCHED: frozenset(
        {
            CommandState.ACKNOWLEDGED,
            CommandState.REJECTED,
            CommandState.EXPIRED,
            CommandState.UNKNOWN,
        }
    ),
    CommandState.ACKNOWLEDGED: frozenset({CommandState.VERIFIED, CommandState.UNKNOWN}),
    # evidence that comes late settles it; a command is never sent a second time
    CommandState.UNKNOWN: frozenset(
        {
            CommandState.ACKNOWLEDGED,
            CommandState.VERIFIED,
            CommandState.REJECTED,
            CommandState.EXPIRED,
        }
    ),
    CommandState.VERIFIED: frozenset(),
    CommandState.REJECTED: frozenset(),
    CommandState.EXPIRED: frozenset(),
}


def may_become(old: CommandState, new: CommandState) -> bool:
    """Tell whether a command in state `old` may go to `new`."""
    return new in _AHEAD[old]


class Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One change of one tag, asked for.

    Attributes:
        id: Path segment; the same request sent again has the same id and is the same command.
        tag: Path of the tag.
        value: New value, in the tag's unit; always absolute.
        requested_by: Name of the person or peer.
        source: Where it came from, see `CommandSource`.
        requested_at: UTC.
        expires_at: Nobody acts on it after this, UTC.
        state: Where it stands.
        changed_at: When the state last changed, UTC.
        approved_by: Who agreed; empty if nobody had to or nobody has.
        why: What the requester said.
        reason: Why it was rejected, expired or is unknown.
        before: The tag's value when it was sent; until then, when it was asked for.
        after: The value the plant showed at the end.
        run: `run:step` that asked, empty for none.
        actuator: `name/instance` it was sent to; no other acts on it.
        unit: UCUM unit of the values.
        role: Of who asked, when they asked.
        sent_at: When it was sent to the actuator, UTC; None if it was not.
        acknowledged_at: When it was known that the actuator did it, UTC.
    """

    id: str
    tag: str
    value: float
    requested_by: str
    source: str
    requested_at: AwareTime
    expires_at: AwareTime
    state: CommandState
    changed_at: AwareTime
    approved_by: str = ""
    why: str = ""
    reason: str = ""
    before: float | None = None
    after: float | None = None
    run: str = ""
    actuator: str = ""
    unit: str = ""
    role: Role = Role.VIEWER
    sent_at: AwareTime | None = None
    acknowledged_at: AwareTime | None = None


class CommandOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an actuator receives on `millwright/commands/{tag}`; never retained.

    Attributes:
        id: The command's id.
        tag: Path of the tag; the topic names the same.
        value: New value, in the tag's unit.
        actuator: `name/instance` that shall act; others leave it alone.
        expires_at: Refused after this, UTC.
        signature: HMAC-SHA256 of the fields above, hex; an order without a right one is refused.
    """

    id: str
    tag: str
    value: float
    actuator: str
    expires_at: AwareTime
    signature: str = ""


class AckState(StrEnum):
    """What an actuator says of an order.

    DONE: the plant took it. REFUSED: nothing was changed. UNKNOWN: it was begun, and neither the
    journal nor a read-back tells how it ended. Only in answer to `command_state`: STARTED: it is
    in hand or being done. ABSENT: neither in hand nor in the journal, so nothing was changed.
    """

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    STARTED = "started"
    ABSENT = "absent"


class CommandAck(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An actuator's answer on `millwright/acks/{command}`.

    Attributes:
        id: The command's id.
        state: What became of it.
        actuator: `name/instance` that answers.
        at: When that was known, UTC.
        reason: Why it is refused or unknown, or how it is known (“read back”).
        value: What the plant shows, if it was read.
        signature: HMAC-SHA256 of the fields above, hex; one without a right one is not believed.
    """

    id: str
    state: AckState
    actuator: str
    at: AwareTime
    reason: str = ""
    value: float | None = None
    signature: str = ""


class CommandRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A command asked for on `millwright/commands/request`; answered on `millwright/acks/{id}`.

    Attributes:
        id: Path segment chosen by the sender; the same id sent again is the same command.
        tag: Path of the tag.
        value: New value, in the tag's unit.
        expires_at: Refused after this, UTC; the broker may hold a request while the app is away.
        why: Reason, for the journal.
        requested_by: Who asks; a claim, nothing proves it.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    tag: Annotated[str, msgspec.Meta(max_length=300)]
    value: float
    expires_at: AwareTime
    why: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    requested_by: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] = "mqtt"


class CommandChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One change of a command's state: who, when, old, new, why.

    Attributes:
        number: Grows by one a change.
        id: The command.
        at: UTC.
        actor: A person's name, an actuator, or "system".
        old: State before; None for the first.
        new: State after.
        why: What the person said, or the reason the machine gives.
    """

    number: int
    id: str
    at: AwareTime
    actor: str
    old: CommandState | None
    new: CommandState
    why: str = ""
