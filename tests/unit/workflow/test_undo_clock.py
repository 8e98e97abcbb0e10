"""The clock is set while a step is taken back: that lasts as long as it says, no more, no less."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from typing_extensions import override

from app.core.errors import StoreError
from app.core.workflow import ActionKind, Undo, Workflow
from app.store.database import Database
from app.workflow.context import Doing
from tests.unit.workflow.engine_rig import Fails, FakeDoer, HastyClock, life, step

HOUR = timedelta(hours=1)


class SetClock(HastyClock):
    """A clock that somebody sets; its seconds go on."""

    set_by = timedelta(0)

    @override
    def now(self) -> datetime:
        return super().now() + self.set_by

    @override
    def monotonic(self) -> float:
        return super().now().timestamp()


@pytest.mark.parametrize("set_by", [-HOUR, HOUR])
async def test_an_undo_is_tried_for_its_time(
    place: Database, doer: FakeDoer, set_by: timedelta
) -> None:
    clock = SetClock()

    async def away(fields: dict[str, Any], doing: Doing) -> object:
        clock.set_by = set_by
        raise StoreError("database is locked")

    doer.acts |= {"bad": Fails(), "slow.undo": away}
    slow = step("slow", compensate=Undo(ActionKind.TASK, {}, timeout_s=60))
    async with life(place, doer, clock=clock) as rig:
        run = await rig.ended(await rig.begin(Workflow("demo", (slow, step("bad", "slow")))))

    assert run.steps[0].compensation == "not taken back: the store: database is locked"
    assert 15 < doer.times["slow.undo"] < 25
