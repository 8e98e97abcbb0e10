"""Approves or rejects, with a note, after a question that says what follows."""

from collections.abc import Awaitable, Callable

from nicegui import events

from app.core.actor import Actor
from app.plant import Plant
from pages.frame import actor, guarded
from pages.widgets.reason import reason_for

Decide = Callable[[str, bool, Actor, str], Awaitable[object]]


async def decide_on(event: events.GenericEventArguments, decide: Decide) -> bool:
    """Ask for a note and decide what the browser names; return whether it was decided."""
    match event.args:
        case {"do": "approve", "id": str() as identity}:
            note = await reason_for(
                "Approve it?",
                "What was asked for is done at once. Your name stands behind it in the journal.",
                "Approve",
                is_required=False,
                label="Note",
            )
            is_approved = True
        case {"do": "reject", "id": str() as identity}:
            note = await reason_for(
                "Reject it?",
                "What was asked for is not done. Who asked is told your name and reason.",
                "Reject",
            )
            is_approved = False
        case _:
            return False
    return note is not None and await guarded(decide(identity, is_approved, actor(), note))


def runs_decide(plant: Plant) -> Decide:
    """Return what decides on approvals of runs."""

    async def decide(identity: str, is_approved: bool, who: Actor, note: str) -> object:
        return await plant.decide(identity, is_approved, who, note)

    return decide
