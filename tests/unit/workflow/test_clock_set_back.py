"""A clock that is set back while a run goes on: the order of its steps stays what it was."""

from datetime import timedelta
from typing import Any

from app.core.actor import Actor
from app.core.workflow import ActionKind, Step, Undo, Workflow
from app.store.database import Database
from app.workflow.context import Doing
from tests.unit.workflow.engine_rig import Act, Fails, FakeDoer, Gate, HastyClock, life, step

BACK = Undo(ActionKind.TASK, {})
HOUR = timedelta(hours=1)


class SettableClock(HastyClock):
    """Somebody sets it, as a time server does."""

    def set_back(self, by: timedelta = HOUR) -> None:
        """Set it back."""
        self._now -= by

    def act(self, output: object = None) -> Act:
        """Return the doing of a step during which it is set back."""

        async def do(fields: dict[str, Any], doing: Doing) -> object:
            self.set_back()
            return output

        return do


def chain(*names: str) -> Workflow:
    """Return steps that are taken back, one behind the other, and a last one that fails."""
    steps = [
        step(name, *names[max(0, place - 1) : place], compensate=BACK)
        for place, name in enumerate(names)
    ]
    return Workflow("demo", (*steps, step("bad", names[-1])))


def undone(doer: FakeDoer) -> list[str]:
    return [name for name in doer.asked if name.endswith(".undo")]


async def test_steps_are_taken_back_the_last_first(place: Database, doer: FakeDoer) -> None:
    clock = SettableClock()
    doer.acts |= {"second": clock.act(), "bad": Fails()}
    async with life(place, doer, clock=clock) as rig:
        await rig.ended(await rig.begin(chain("first", "second", "third")))

    assert undone(doer) == ["third.undo", "second.undo", "first.undo"]


async def test_steps_are_taken_back_the_last_first_by_the_next_life_too(
    place: Database, doer: FakeDoer
) -> None:
    clock, gate = SettableClock(), Gate()
    doer.acts |= {"second": gate, "bad": Fails()}
    async with life(place, doer, clock=clock) as rig:
        run_id = await rig.begin(chain("first", "second"))
        await gate.is_reached.wait()
    clock.set_back()
    del doer.acts["second"]
    async with life(place, doer, clock=clock) as rig:
        await rig.ended(run_id)

    assert undone(doer) == ["second.undo", "first.undo"]


async def test_a_no_to_the_last_question_takes_an_earlier_yes_back(
    place: Database, doer: FakeDoer
) -> None:
    clock, heard = SettableClock(), list[Actor | None]()

    def answer(*, approved: bool) -> dict[str, object]:
        who = {"decided_by": "ann", "decided_role": "operator", "note": ""}
        return {"approved": approved, **who}

    async def note(fields: dict[str, Any], doing: Doing) -> object:
        heard.append(doing.approver)
        return fields

    async def no(fields: dict[str, Any], doing: Doing) -> object:
        clock.set_back()
        return answer(approved=False)

    async def yes(fields: dict[str, Any], doing: Doing) -> object:
        return answer(approved=True)

    doer.acts |= {"first": yes, "last": no, "set": note}
    asks = (
        Step("first", ActionKind.APPROVE),
        Step("last", ActionKind.APPROVE, needs=("first",)),
    )
    async with life(place, doer, clock=clock) as rig:
        await rig.ended(await rig.begin(Workflow("demo", (*asks, step("set", "last")))))

    assert heard == [None]


async def test_a_step_that_ends_at_the_same_moment_as_another_ends_after_it(
    place: Database, doer: FakeDoer
) -> None:
    clock = SettableClock()
    doer.acts |= {"second": clock.act(), "third": clock.act()}
    async with life(place, doer, clock=clock) as rig:
        run = await rig.ended(await rig.begin(chain("first", "second", "third")))

    ends = {each.step: each.ended_at for each in run.steps}
    assert ends["first"] < ends["second"] < ends["third"]  # type: ignore[operator]  # pyright: ignore[reportOptionalOperand]  all have ended
