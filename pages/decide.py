"""Approves or rejects, with a note, after a question that says what follows."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from nicegui import events

from app.core.actor import Actor
from app.core.command import CommandState
from app.core.errors import MillwrightError
from app.core.unit_names import with_unit_names
from app.plant import Plant
from pages.away import is_away
from pages.frame import actor, guarded
from pages.markup import Html
from pages.sight import sight_of
from pages.widgets.reason import reason_for
from pages.widgets.workflow.command_decision import COMMAND_PREFIX, command_decision
from pages.widgets.workflow.command_row import command_words
from pages.widgets.workflow.decision import Setting

Waiting = tuple[datetime, Html]
"""Since when something waits, and what is shown of it."""

Decide = Callable[[str, bool, Actor, str], Awaitable[object]]


async def decide_on(event: events.GenericEventArguments, plant: Plant) -> bool:
    """Ask for a note and decide what the browser names; return whether it was decided."""
    match event.args:
        case {"do": "approve", "id": str() as identity}:
            note = await reason_for(
                f"Approve: {await _asked(plant, identity)}",
                f"{_what_follows(plant)} Your name stands behind it in the journal.",
                "Approve",
                is_required=False,
                label="Note",
            )
            is_approved = True
        case {"do": "reject", "id": str() as identity}:
            note = await reason_for(
                f"Reject: {await _asked(plant, identity)}",
                "What was asked for is not done. Who asked is told your name and reason.",
                "Reject",
            )
            is_approved = False
        case _:
            return False
    decide = decider(plant)
    return note is not None and await guarded(decide(identity, is_approved, actor(), note))


def _what_follows(plant: Plant) -> str:
    if is_away(plant):
        return (
            "The broker is away: a command that follows now is refused, and a run that needs it "
            "fails. Better decide when the broker is back, if there is time."
        )
    return "What was asked for is done at once."


async def _asked(plant: Plant, identity: str) -> str:
    """Return what is to be decided, in the words of its plate."""
    command = identity.removeprefix(COMMAND_PREFIX)
    try:
        if command != identity:
            return command_words(await plant.commands.get(command), sight_of(plant))
        run = identity.partition(":")[0]
        found = await plant.workflows.approvals(is_open=True, run=run)
    except MillwrightError:
        return "?"  # the decision itself says what is wrong
    said = next((each.question for each in found if each.id == identity), "?")
    return with_unit_names(said, plant.tags.unit_name)


def decider(plant: Plant) -> Decide:
    """Return what decides on approvals of runs and on commands that wait for one."""

    async def decide(identity: str, is_approved: bool, who: Actor, note: str) -> object:
        command = identity.removeprefix(COMMAND_PREFIX)
        if command == identity:
            return await plant.decide(identity, is_approved, who, note)
        act = plant.commands.approve if is_approved else plant.commands.reject
        return await act(command, who, note)

    return decide


async def waiting_commands(plant: Plant, setting: Setting, run: str = "") -> list[Waiting]:
    """Return the commands that wait for an approval, of one run or of all.

    Raises:
        StoreError: They cannot be read.
    """
    sight = sight_of(plant)
    found = await plant.commands.find((CommandState.AWAITING_APPROVAL,))
    mine = [each for each in found if not run or each.run.partition(":")[0] == run]
    plates: list[Waiting] = []
    for command in mine:
        declared = sight.tag_of(command.tag)
        rule = declared.write if declared else None
        plates.append((command.requested_at, command_decision(command, rule, setting, sight)))
    return plates
