"""Taking steps back: each round and each element by what it gave itself."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from app.core.actor import Actor
from app.core.errors import BusError, InputError, StoreError
from app.core.run import RunState, StepRun, WorkflowRun
from app.core.workflow import ActionKind, Jump, Step, Undo, Workflow
from app.store.database import Database
from app.workflow.actions import RefusedError
from app.workflow.change import Change, change_of, gives_back
from app.workflow.context import Doing, PlantSilentError
from tests.unit.workflow.engine_rig import Fails, FakeDoer, Gate, Rig, life, step

BACK = Undo(ActionKind.TASK, {"back": "${steps.slow.output.before}"})
EACH_BACK = Undo(
    ActionKind.TASK, {"item": "${item}", "at": "${index}", "was": "${steps.slow.output.before}"}
)


class Slower:
    """Lowers a speed by ten, and tells what it was before."""

    def __init__(self) -> None:
        self.speed = 105

    async def __call__(self, fields: dict[str, Any], doing: Doing) -> object:
        """Lower it."""
        before, self.speed = self.speed, self.speed - 10
        return {"before": before, "given": fields}


def note(fields: list[dict[str, Any]]) -> Callable[[dict[str, Any], Doing], Any]:
    async def act(given: dict[str, Any], doing: Doing) -> object:
        fields.append(given)
        return given

    return act


def flow(*steps: Step) -> Workflow:
    return Workflow("demo", steps)


def each(**fields: Any) -> Step:
    return step("slow", for_each="${['a', 'b', 'c']}", compensate=EACH_BACK, **fields)


def of(run: WorkflowRun, name: str) -> StepRun:
    return next(found for found in run.steps if found.step == name)


async def test_each_round_of_a_loop_is_taken_back_to_what_it_found(rig: Rig) -> None:
    rig.doer.acts |= {"slow": Slower(), "bad": Fails()}
    backs: list[dict[str, Any]] = []
    for name in ("slow.undo", "slow.2.undo", "slow.3.undo"):
        rig.doer.acts[name] = note(backs)
    again = step("again", "slow", goto=Jump("slow", when="steps.slow.round < 3", max=5))
    await rig.ended(
        await rig.begin(flow(step("slow", compensate=BACK), again, step("bad", "again")))
    )

    assert backs == [{"back": 85}, {"back": 95}, {"back": 105}]


async def test_elements_are_taken_back_one_by_one_the_last_first(rig: Rig) -> None:
    rig.doer.acts |= {"slow": Slower(), "bad": Fails()}
    backs: list[dict[str, Any]] = []
    for index in range(3):
        rig.doer.acts[f"slow.{index}.undo"] = note(backs)
    run = await rig.ended(await rig.begin(flow(each(), step("bad", "slow"))))

    assert backs == [
        {"item": "c", "at": 2, "was": 85},
        {"item": "b", "at": 1, "was": 95},
        {"item": "a", "at": 0, "was": 105},
    ]
    assert of(run, "slow").compensation == "done"


async def test_of_a_list_that_failed_in_the_middle_what_was_done_is_taken_back(rig: Rig) -> None:
    refused = Fails(error=RefusedError("too low"))
    rig.doer.acts |= {"slow": Slower(), "slow.1": refused}
    run = await rig.ended(await rig.begin(flow(each(parallel=1))))

    assert [name for name in rig.doer.asked if name.endswith("undo")] == ["slow.0.undo"]
    slow = of(run, "slow")
    assert (run.state, slow.compensation, slow.may_have_acted) == (RunState.FAILED, "done", True)
    assert slow.output == [{"before": 105, "given": {}}, None, None]
    assert [line.text for line in slow.log] == [
        "Element 1 of 3 is done by fake/1",
        "Element 2 of 3 failed: too low",
    ]


async def test_a_list_that_did_nothing_is_not_taken_back(rig: Rig) -> None:
    rig.doer.acts["slow"] = Fails(error=RefusedError("too low"))
    run = await rig.ended(await rig.begin(flow(each(parallel=1))))

    assert rig.doer.asked == ["slow.0"]
    assert of(run, "slow").compensation == ""


async def test_an_element_that_may_have_acted_is_taken_back_too(rig: Rig) -> None:
    undo = Undo(ActionKind.TASK, {"item": "${item}"})
    rig.doer.acts |= {"slow": Slower(), "slow.1": Fails(error=BusError("no answer"))}
    listed = step("slow", for_each="${['a', 'b']}", parallel=1, compensate=undo)
    await rig.ended(await rig.begin(flow(listed)))

    assert [name for name in rig.doer.asked if name.endswith("undo")] == [
        "slow.1.undo",
        "slow.0.undo",
    ]


async def test_an_element_that_cannot_be_taken_back_is_named(rig: Rig) -> None:
    stuck = Fails(error=RefusedError("stuck"))
    rig.doer.acts |= {"slow": Slower(), "bad": Fails(), "slow.1.undo": stuck}
    run = await rig.ended(await rig.begin(flow(each(), step("bad", "slow"))))

    assert of(run, "slow").compensation == "element 2: not taken back: stuck"
    assert run.reason.endswith("Not taken back: slow")


async def test_after_a_death_of_the_app_elements_are_taken_back_all_the_same(
    place: Database, doer: FakeDoer
) -> None:
    gate = Gate()
    doer.acts |= {"slow": Slower(), "bad": gate}
    async with life(place, doer) as rig:
        name = await rig.begin(flow(each(), step("bad", "slow")))
        await gate.is_reached.wait()
    doer.acts["bad"] = Fails()
    async with life(place, doer) as rig:
        run = await rig.ended(name)

    undone = [name for name in doer.asked if name.endswith("undo")]
    assert undone == ["slow.2.undo", "slow.1.undo", "slow.0.undo"]
    assert of(run, "slow").compensation == "done"


async def test_what_cannot_be_known_of_a_list_the_app_died_in_is_said(
    place: Database, doer: FakeDoer
) -> None:
    gate = Gate()
    doer.acts |= {"slow": Slower(), "slow.1": gate}
    async with life(place, doer) as rig:
        name = await rig.begin(flow(each(parallel=1)))
        await gate.is_reached.wait()
        await rig.store.ask_cancel(name, "enough")
    async with life(place, doer) as rig:
        run = await rig.ended(name)

    assert [name for name in doer.asked if name.endswith("undo")] == ["slow.0.undo"]
    assert of(run, "slow").compensation == "nobody can say which further elements had begun"
    assert (run.state, run.reason) == (RunState.CANCELLED, "enough. Not taken back: slow")


async def test_what_a_step_had_asked_of_people_before_a_death_is_withdrawn(
    place: Database, doer: FakeDoer
) -> None:
    gate = doer.acts["one"] = Gate()
    asks = Step("one", ActionKind.COMMAND)
    async with life(place, doer) as rig:
        name = await rig.begin(flow(asks, step("two", "one")))
        await gate.is_reached.wait()
        await rig.store.ask_cancel(name, "enough")
    async with life(place, doer) as rig:
        await rig.ended(name)

    assert doer.withdrawn == ["one", "two"]


async def test_a_run_that_fails_in_one_life_withdraws_nothing(rig: Rig) -> None:
    rig.doer.acts["bad"] = Fails()
    await rig.ended(await rig.begin(flow(step("bad"), step("two", "bad"))))

    assert rig.doer.withdrawn == []


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({"tag": "a/b", "value": 60}, {"tag": "a/b", "before": 61.0}),
        ({"tag": "a/c", "value": 61}, {"tag": "a/b", "before": 61.0}),
        ({"tag": "a/b", "value": "much"}, {"tag": "a/b", "before": 61.0}),
        ({"tag": "a/b"}, {"tag": "a/b", "before": 61.0}),
        ({"tag": "a/b", "value": 61}, {"tag": "a/b", "before": None}),
    ],
)
def test_what_is_no_giving_back(fields: dict[str, object], output: dict[str, object]) -> None:
    change = change_of({**output, "value": 40})
    assert change
    assert not gives_back(fields, change)


@pytest.mark.parametrize("output", [{"topic": "a/b", "bytes": 3}, {"tag": "a/b"}, "a/b", None])
def test_what_is_no_change_of_a_tag(output: object) -> None:
    assert change_of(output) is None


@pytest.mark.parametrize("value", [61, 61.0, "61"])
def test_what_is_a_giving_back(value: object) -> None:
    assert gives_back({"tag": "a/b", "value": value}, Change("a/b", 40, 61.0))


@pytest.mark.parametrize("shown", [40, 40.0, 61.0, 40.2])
def test_a_tag_stands_as_a_step_left_it(shown: float) -> None:
    assert Change("a/b", 40, 61.0, 40.2).is_shown(shown)


@pytest.mark.parametrize("shown", [41, 40.1, None, "40"])
def test_a_tag_that_shows_something_else_was_changed_since(shown: object) -> None:
    assert not Change("a/b", 40, None, 40.2).is_shown(shown)


async def test_a_run_within_a_run_that_was_cancelled_while_the_app_was_down_is_cancelled(
    place: Database, doer: FakeDoer
) -> None:
    gate = doer.acts["call"] = Gate()
    async with life(place, doer) as rig:
        name = await rig.begin(flow(Step("call", ActionKind.WORKFLOW)))
        await gate.is_reached.wait()
        await rig.store.ask_cancel(name, "enough")
    async with life(place, doer) as rig:
        await rig.ended(name)

    assert doer.withdrawn == ["call"]


SETS = Step(
    "slow",
    ActionKind.COMMAND,
    needs=("ask",),
    compensate=Undo(ActionKind.COMMAND, {"tag": "a/b", "value": "${steps.slow.output.before}"}),
)
WAS_SET: dict[str, Any] = {"tag": "a/b", "value": 40.0, "before": 61.0, "after": 40.2}


class Asked:
    """An undo that notes who has agreed to it."""

    def __init__(self) -> None:
        self.approver: Actor | None = None

    async def __call__(self, fields: dict[str, Any], doing: Doing) -> object:
        self.approver = doing.approver
        return fields


async def agreed(rig: Rig, slow: Step, shown: object) -> str:
    """Return whose word the undo of a step goes by when its tag shows something, "" if nobody's."""

    async def decided(fields: dict[str, Any], doing: Doing) -> object:
        return {"approved": True, "decided_by": "bob", "decided_role": "operator"}

    async def done(fields: dict[str, Any], doing: Doing) -> object:
        return WAS_SET

    def shows(_: str) -> object:
        return shown

    undo = Asked()
    rig.functions["tag"] = shown if callable(shown) else shows
    rig.doer.acts |= {"ask": decided, "slow": done, "slow.undo": undo, "bad": Fails()}
    asks = Step("ask", ActionKind.APPROVE)
    run = await rig.ended(await rig.begin(flow(asks, slow, step("bad", "slow"))))
    assert of(run, "slow").compensation == "done"
    return undo.approver.name if undo.approver else ""


@pytest.mark.parametrize("shown", [40.0, 40.2, 61.0])
async def test_an_undo_agrees_to_itself_where_the_tag_is_as_the_step_left_it(
    rig: Rig, shown: float
) -> None:
    assert await agreed(rig, SETS, shown) == "compensation"


def silent(path: str) -> object:
    raise InputError(f"{path} is stale")


@pytest.mark.parametrize("shown", [90.0, None, silent])
async def test_what_others_have_set_since_is_undone_by_nobodys_word(
    rig: Rig, shown: object
) -> None:
    assert await agreed(rig, SETS, shown) == ""


async def test_right_after_a_start_an_undo_waits_until_its_tag_is_heard(rig: Rig) -> None:
    left = [PlantSilentError("not heard"), PlantSilentError("not heard")]

    def tag(path: str) -> object:
        if left:
            raise left.pop()
        return 40.0

    assert await agreed(rig, SETS, tag) == "compensation"


async def test_what_no_command_says_of_a_tag_lets_no_undo_agree_to_itself(rig: Rig) -> None:
    task = msgspec.structs.replace(SETS, do=ActionKind.TASK)

    assert await agreed(rig, task, 40.0) == "bob"


@pytest.mark.parametrize("given", [{"value": 100}, {"tag": "a/c"}])
async def test_an_undo_that_gives_nothing_back_goes_by_who_agreed_before_its_step(
    rig: Rig, given: dict[str, Any]
) -> None:
    undo = Undo(ActionKind.COMMAND, {"tag": "a/b", "value": 61, **given})

    assert await agreed(rig, msgspec.structs.replace(SETS, compensate=undo), 40.0) == "bob"


class AwayFor:
    """An undo whose store is away so many times."""

    def __init__(self, times: int) -> None:
        self._left = times

    async def __call__(self, fields: dict[str, Any], doing: Doing) -> object:
        self._left -= 1
        if self._left >= 0:
            raise StoreError("database is locked")
        return fields


async def undone(rig: Rig, act: Any, **fields: Any) -> str:
    """Return how the taking back of a step ended that does `act`."""
    rig.doer.acts |= {"bad": Fails(), "slow.undo": act}
    slow = step("slow", compensate=Undo(ActionKind.TASK, {}, **fields))
    run = await rig.ended(await rig.begin(flow(slow, step("bad", "slow"))))
    return of(run, "slow").compensation


async def test_an_undo_is_asked_for_again_while_the_store_is_away(rig: Rig) -> None:
    assert await undone(rig, AwayFor(8), timeout_s=60) == "done"
    assert rig.doer.asked[-9:] == ["slow.undo"] * 9


async def test_an_undo_whose_store_stays_away_ends_at_its_time(rig: Rig) -> None:
    said = await undone(rig, AwayFor(1000), timeout_s=60)

    assert said == "not taken back: the store: database is locked"
    assert 15 < rig.doer.times["slow.undo"] < 25


async def test_an_undo_that_takes_too_long_says_so_and_what_it_waited_for(rig: Rig) -> None:
    async def wait(fields: dict[str, Any], doing: Doing) -> object:
        doing.waiting("a person: a/b = 61")
        return await asyncio.Event().wait()

    said = await undone(rig, wait, timeout_s=0.05)

    assert said == ("not taken back: it took longer than 0.05 s; it waited for a person: a/b = 61")
