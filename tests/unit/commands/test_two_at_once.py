"""A person decides about a command that another orchestrator sends at the same moment."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import msgspec
import pytest

from app.clock import ManualClock
from app.core.command import Command, CommandState
from app.core.errors import ConflictError
from app.settings import Settings
from tests.unit.commands.rig import ANN, BOB, CHIEF, TWO, Rig, offline

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
S = CommandState


@pytest.fixture
async def rig(settings: Settings) -> AsyncGenerator[Rig]:
    async with offline(settings, ManualClock(NOW)) as made:
        yield made


def overtaken(rig: Rig, **fields: object) -> None:
    """Change the row of a command that waits for approval right after it was read."""
    store = rig.gateway._rows._store  # pyright: ignore[reportPrivateUsage]  changes rows between
    read = store.get

    def get(command_id: str) -> Command | None:
        found = read(command_id)
        if found and found.state is S.AWAITING_APPROVAL and not found.approved_by:
            assert store.change(found, msgspec.structs.replace(found, **fields), "eve")
        return found

    store.get = get


async def test_an_approval_that_comes_second_leaves_what_was_sent(rig: Rig):
    command = await rig.ask(TWO, 900.0, ANN)
    overtaken(rig, state=S.DISPATCHED, approved_by="eve", sent_at=NOW)

    with pytest.raises(ConflictError, match="faster: it is dispatched, approved by eve"):
        await rig.gateway.approve(command.id, BOB)

    assert (await rig.gateway.get(command.id)).state is S.DISPATCHED
    assert rig.actions()[-1] == ("approve command", "bob", "refused")


async def test_an_approval_that_another_gave_meanwhile_is_not_taken_for_ones_own(rig: Rig):
    command = await rig.ask(TWO, 900.0, ANN)
    overtaken(rig, approved_by="eve")

    with pytest.raises(ConflictError, match="awaiting_approval, approved by eve"):
        await rig.gateway.approve(command.id, BOB)

    assert (await rig.gateway.get(command.id)).approved_by == "eve"


async def test_a_rejection_of_what_was_sent_meanwhile_is_refused(rig: Rig):
    command = await rig.ask(TWO, 900.0, ANN)
    overtaken(rig, state=S.DISPATCHED, approved_by="eve", sent_at=NOW)

    with pytest.raises(ConflictError, match="faster: it is dispatched"):
        await rig.gateway.reject(command.id, CHIEF)

    assert (await rig.gateway.get(command.id)).state is S.DISPATCHED
    assert rig.actions()[-1] == ("reject command", "eve", "refused")
