"""Who may ask for, agree to and refuse a command; pure.

Names are claims until there is a login: nothing here can tell one person with two names from two.
"""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from app.core.actor import Actor, Role, folded_name
from app.core.command import Command, CommandState
from app.core.errors import InputError
from app.core.topics import is_segment
from app.core.write_rule import PEOPLE, CommandSource, Confirm, WriteRule

LONGEST_ID = 120
LONGEST_S = 86_400.0
_FACE_TO_FACE = (CommandSource.UI, CommandSource.HTTP, CommandSource.CLI)
_WAITING = frozenset({CommandState.REQUESTED, CommandState.AWAITING_APPROVAL})


def check_request(command_id: str, value: float, expires_s: float) -> None:
    """Check what a request says of itself, before it is kept.

    Raises:
        InputError: Names the field and what is allowed.
    """
    if command_id and (not is_segment(command_id) or len(command_id) > LONGEST_ID):
        raise InputError(
            f'id: "{command_id[:LONGEST_ID]}" is no path segment; use at most {LONGEST_ID} '
            "letters, digits, _ and -"
        )
    if not math.isfinite(value):
        raise InputError("value: must be a finite number")
    if not 0 < expires_s <= LONGEST_S:
        raise InputError(f"expires_s: {expires_s:g} is not above 0 and at most {LONGEST_S:g}")


def check_reason(why: str, source: str) -> None:
    """Check that a person says why; a program's wish may stand without, its name says enough.

    Raises:
        InputError: The reason is empty.
    """
    if source in _FACE_TO_FACE and not why.strip():
        raise InputError("why: is empty; say why, it stands in the audit")


def confirmed_by(
    rule: WriteRule | None, actor: Actor, *, confirmed: bool, approver: Actor | None = None
) -> str:
    """Return who has agreed to a command by asking for it, "" if nobody.

    Only where one person's word is enough, and only from a person or a workflow's approval: a
    program that says "confirmed" has asked nobody. Who agreed in a workflow must have the role
    that the tag asks for.
    """
    if rule is None or rule.confirm is not Confirm.SELF:
        return ""
    if approver is not None:
        return approver.name if approver.role.covers(rule.role) else ""
    if not confirmed:
        return ""
    return actor.name if actor.source in PEOPLE else ""


def is_approved(rule: WriteRule, command: Command) -> bool:
    """Tell whether those have agreed to a command who must."""
    match rule.confirm:
        case Confirm.NONE:
            return True
        case Confirm.SELF:
            return bool(command.approved_by)
        case Confirm.TWO_PERSONS:
            return bool(command.approved_by) and not _is_same(
                command.approved_by, command.requested_by
            )
        case _:
            assert_never(rule.confirm)


def why_not_approved(command: Command, rule: WriteRule | None, actor: Actor, now: datetime) -> str:
    """Return why `actor` may not approve a command now, "" if they may."""
    if command.state is not CommandState.AWAITING_APPROVAL:
        return f"It is {command.state.value} and waits for no approval"
    if rule is None:
        return "Its tag may no longer be written"
    is_own = _is_same(actor.name, command.requested_by)
    hindrances = {
        "Its time has run out": now >= command.expires_at,
        f"Only a person may approve it, not {actor.source}": actor.source not in _FACE_TO_FACE,
        f"Needs the role {rule.role.value}; {actor.name} is {actor.role.value}": (
            not actor.role.covers(rule.role)
        ),
        f"{command.requested_by} asked for it; another person must approve it": (
            rule.confirm is Confirm.TWO_PERSONS and is_own
        ),
    }
    return "; ".join(reason for reason, holds in hindrances.items() if holds)


def why_not_rejected(command: Command, rule: WriteRule | None, actor: Actor) -> str:
    """Return why `actor` may not reject a command, "" if they may; who asked always may."""
    if command.state not in _WAITING:
        return f"It is {command.state.value} and can no longer be rejected"
    needed = rule.role if rule else Role.OPERATOR
    if actor.role.covers(needed) or _is_same(actor.name, command.requested_by):
        return ""
    return f"Needs the role {needed.value}; {actor.name} is {actor.role.value}"


def why_another(kept: Command, tag: str, value: float, run: str) -> str:
    """Return why a request under a known id is not the same command, "" if it is.

    What a person asked for is no doing of a step, nor is that of another step.

    Args:
        kept: The command of that id.
        tag: Path of the tag that is asked for.
        value: Value that is asked for.
        run: `run:step` that asks, empty for none.
    """
    if (kept.tag, kept.value, kept.run) == (tag, value, run):
        return ""
    whose = f"the command of {kept.run}" if kept.run else "a command that no run asked for"
    if kept.run == run:
        whose = "another command"
    return (
        f'The id "{kept.id}" stands for {whose}: {kept.tag} = {kept.value:g}; choose another id'
        + (" for the run" if run else "")
    )


def why_waiting(wanted: Command, waiting: Iterable[Command]) -> str:
    """Return which command that waits for its approval already wants the same, "" if none does."""
    for each in waiting:
        if (each.tag, each.value) == (
            wanted.tag,
            wanted.value,
        ) and each.expires_at > wanted.requested_at:
            return (
                f"The same change waits for approval already: command {each.id}, "
                f"asked for by {each.requested_by}"
            )
    return ""


def _is_same(one: str, other: str) -> bool:
    return folded_name(one) == folded_name(other)
