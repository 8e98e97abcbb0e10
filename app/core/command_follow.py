"""What is to be done with a command next, and what an answer makes of it; pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, assert_never

import msgspec

from app.core.alarm import Finding, Priority
from app.core.command import AckState, Command, CommandAck, CommandState
from app.core.command_check import Seen, is_near, why_untrusted
from app.core.equipment import unit_of
from app.core.units import unit_words
from app.core.write_rule import WriteRule

AGENT = "commands"
CONDITION = "command_unknown"
AHEAD = timedelta(seconds=10)
"""What lies further in the future was written before the clock was set back; clocks of several
orchestrators agree to within a second or so."""
_NO_RULE = WriteRule()


class NextStep(StrEnum):
    """What is to be done with a command now.

    WAIT: nothing. SEND: check it and send it. EXPIRE: its time has run out before it was sent.
    ASK: ask its actuator what became of it. VERIFY: look whether the plant shows it.
    """

    WAIT = "wait"
    SEND = "send"
    EXPIRE = "expire"
    ASK = "ask"
    VERIFY = "verify"


class Settled(NamedTuple):
    """What an answer makes of a command: its new state, and why."""

    state: CommandState
    reason: str = ""


def dated_anew(command: Command, now: datetime) -> Command | None:
    """Return a command as of now if the clock was set back since it changed, None if it was not.

    Its state began at a moment that is still to come, so that nothing of it would end before. It
    gets the time that the state had at its beginning.
    """
    if command.changed_at <= now + AHEAD:
        return None
    left = max(command.expires_at - command.changed_at, timedelta(0))
    return msgspec.structs.replace(
        command,
        changed_at=now,
        expires_at=now + left,
        sent_at=min(command.sent_at, now) if command.sent_at else None,
    )


def next_step(command: Command, now: datetime, grace_s: float) -> NextStep:
    """Return what is to be done with a command."""
    is_over = now >= command.expires_at
    step = NextStep.WAIT
    match command.state:
        case CommandState.REQUESTED:
            step = NextStep.EXPIRE if is_over else NextStep.SEND
        case CommandState.AWAITING_APPROVAL:
            agreed = NextStep.SEND if command.approved_by else NextStep.WAIT
            step = NextStep.EXPIRE if is_over else agreed
        case CommandState.DISPATCHED:
            is_silent = now >= command.expires_at + timedelta(seconds=grace_s)
            step = NextStep.ASK if is_silent else NextStep.WAIT
        case CommandState.ACKNOWLEDGED:
            step = NextStep.VERIFY
        case CommandState.UNKNOWN:
            # once the actuator has said "done", only the plant can tell more
            step = NextStep.VERIFY if command.acknowledged_at else NextStep.ASK
        case CommandState.VERIFIED | CommandState.REJECTED | CommandState.EXPIRED:
            pass
        case _:
            assert_never(command.state)
    return step


def settle(command: Command, ack: CommandAck, now: datetime) -> Settled | None:
    """Return what an actuator's answer makes of a command, None if it changes nothing.

    An answer of another actuator than the one it was sent to counts for nothing, nor does one to
    a command whose end is known or whose doing is.
    """
    is_waiting = command.state in {CommandState.DISPATCHED, CommandState.UNKNOWN}
    if ack.actuator != command.actuator or not is_waiting or command.acknowledged_at:
        return None
    is_late = ack.at >= command.expires_at
    settled = None
    match ack.state:
        case AckState.DONE:
            settled = Settled(CommandState.ACKNOWLEDGED)
        case AckState.REFUSED:
            state = CommandState.EXPIRED if is_late else CommandState.REJECTED
            settled = Settled(state, f"The actuator refused it: {ack.reason}")
        case AckState.UNKNOWN:
            settled = Settled(CommandState.UNKNOWN, ack.reason)
        case AckState.STARTED:
            pass
        case AckState.ABSENT:
            # before that it may still be under way to the actuator
            if now >= command.expires_at:
                settled = Settled(CommandState.EXPIRED, "The actuator never began it")
        case _:
            assert_never(ack.state)
    return None if settled and settled.state is command.state else settled


def verify(
    command: Command,
    rule: WriteRule | None,
    seen: Seen,
    now: datetime,
    *,
    since: datetime,
    is_last: bool,
) -> Settled | None:
    """Return what the plant's present value makes of a command that was done; None to wait.

    Args:
        command: Acknowledged, or unknown.
        rule: Of its tag; None if it is no longer declared.
        seen: The tag that shows the effect.
        now: UTC.
        since: When the app began to hear the plant; it cannot have seen what was before.
        is_last: No other command was sent to the tag since.
    """
    rule = rule or _NO_RULE
    untrusted = why_untrusted(seen, now)
    value = seen.reading.value if seen.reading else None
    is_new = seen.reading is not None and seen.reading.received_time > command.changed_at
    is_shown = value is not None and is_near(command.value, value, rule.tolerance)
    if not untrusted and is_new and is_shown and is_last:
        return Settled(CommandState.VERIFIED)
    waited = now - max(command.changed_at, since)
    is_unknown = command.state is CommandState.UNKNOWN
    if is_unknown or (is_last and waited < timedelta(seconds=rule.verify_s)):
        return None
    if not is_last:
        return Settled(CommandState.UNKNOWN, "Another command was sent to the tag meanwhile")
    name = rule.verify_tag or command.tag.rpartition("/")[2]
    found = untrusted or f"is {value:g}"
    return Settled(CommandState.UNKNOWN, f"After {rule.verify_s:g} s {name} {found}")


def verify_path(command: Command, rule: WriteRule | None) -> str:
    """Return the path of the tag that shows the effect of a command."""
    if rule is None or not rule.verify_tag:
        return command.tag
    return f"{unit_of(command.tag)}/{rule.verify_tag}"


def unknown_finding(equipment: str, unsettled: list[Command], now: datetime) -> Finding:
    """Return the finding that a unit has commands of unknown end, or that it has none."""
    if not unsettled:
        return Finding(AGENT, CONDITION, equipment, now, latching=True)
    worst = unsettled[-1]
    name = worst.tag.rpartition("/")[2]
    value = f"{worst.value:g} {unit_words(worst.unit)}".rstrip()
    more = f", and {len(unsettled) - 1} more" if len(unsettled) > 1 else ""
    return Finding(
        AGENT,
        CONDITION,
        equipment,
        now,
        priority=Priority.HIGH,
        message=f"Nobody knows whether {name} was set to {value}{more}",
        response="Look at the unit itself; then set the tag anew. Nothing is sent again by itself",
        value=worst.value,
        unit=worst.unit,
        latching=True,
    )
