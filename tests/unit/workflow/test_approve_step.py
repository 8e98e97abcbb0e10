"""A step that asks a person, in the engine itself: decided, refused, too late, twice, restarted."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typing_extensions import override

from app.clock import SystemClock
from app.core.errors import ConflictError, NotFoundError, RoleError
from app.core.run import Approval, ApprovalState, RunState, StepState, WorkflowRun
from app.core.workflow import ActionKind, Jump, Retry, Step, Workflow
from app.store.approvals import ApprovalStore
from app.store.database import Database
from app.store.runs import RunStore
from tests.processes import eventually
from tests.unit.workflow.approval_room import ANN, BOB, Room, life

LONG_S, SHORT_S = 3600.0, 0.2
BESIDE_S = 1.5  # long enough for what is done beside it on a busy machine
QUESTION = "Go on at 5?"
A, S = ApprovalState, StepState


class Ahead(SystemClock):
    """The clock of an app that was down for two hours."""

    @override
    def now(self) -> datetime:
        return super().now() + timedelta(hours=2)


class Lagging(ApprovalStore):
    """Approvals whose reading takes as long as the test wants."""

    is_slow = False

    def prepare(self) -> None:
        self.has_read, self.may_return = asyncio.Event(), asyncio.Event()
        self.is_slow = True

    @override
    async def find(self, approval_id: str) -> Approval | None:
        found = await super().find(approval_id)
        if self.is_slow:
            self.is_slow = False
            self.has_read.set()
            await self.may_return.wait()
        return found


class LaggingStore(RunStore):
    """Runs beside such approvals."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.lagging = self.approvals = Lagging(database, self._commits)


@pytest.fixture
async def room(tmp_path: Path) -> AsyncGenerator[Room]:
    async with life(tmp_path) as made:
        yield made


def asks(timeout_s: float = LONG_S, **fields: Any) -> Step:
    given = {"question": QUESTION}
    return msgspec.structs.replace(
        Step("ask", ActionKind.APPROVE, with_=given, timeout_s=timeout_s), **fields
    )


def rests(name: str, *needs: str, when: str = "") -> Step:
    return Step(name, ActionKind.WAIT, needs=needs, when=when, with_={"seconds": 0})


GO = rests("go", "ask", when="steps.ask.state == 'done' and steps.ask.output.approved")


def flow(*steps: Step) -> Workflow:
    return Workflow("demo", steps)


def states(run: WorkflowRun) -> dict[str, StepState]:
    return {each.step: each.state for each in run.steps}


async def test_an_approval_lets_the_run_go_on_and_says_whose_it_is(room: Room):
    run_id = await room.asked(flow(asks(), GO))
    await room.decide(f"{run_id}:ask", who=BOB)
    run = await room.ended(run_id)

    assert (run.state, states(run)) == (RunState.COMPLETED, {"ask": S.DONE, "go": S.DONE})
    assert run.steps[0].output == {
        "approved": True, "decided_by": "bob", "decided_role": "supervisor", "note": "because",
    }  # fmt: skip
    assert (run.steps[0].agent, run.steps[0].waiting_for) == ("bob", "")


@pytest.mark.parametrize("on_error", ["fail", "continue", "goto:help"])
async def test_a_rejection_is_an_answer_so_what_stands_for_errors_does_not_count(
    room: Room, on_error: str
):
    run_id = await room.asked(flow(asks(on_error=on_error), GO, rests("help")))
    await room.decide(f"{run_id}:ask", False)
    run = await room.ended(run_id)

    assert (run.state, run.steps[0].error) == (RunState.COMPLETED, "")
    assert (states(run)["ask"], states(run)["go"]) == (S.DONE, S.SKIPPED)
    assert states(run)["help"] is (S.SKIPPED if on_error == "goto:help" else S.DONE)
    assert (await room.approval(f"{run_id}:ask")).state is A.REJECTED


@pytest.mark.parametrize(
    ("on_error", "state", "become"),
    [
        ("fail", RunState.FAILED, {"ask": S.FAILED, "go": S.CANCELLED, "help": S.DONE}),
        ("continue", RunState.COMPLETED, {"ask": S.FAILED, "go": S.SKIPPED, "help": S.DONE}),
        ("goto:help", RunState.COMPLETED, {"ask": S.FAILED, "go": S.SKIPPED, "help": S.DONE}),
    ],
)
async def test_what_nobody_decides_in_time_expires_and_is_an_error(
    room: Room, on_error: str, state: RunState, become: dict[str, StepState]
):
    workflow = flow(asks(BESIDE_S, on_error=on_error), GO, rests("help"))
    run_id = await room.begin(workflow)
    run = await room.ended(run_id)
    approval = await room.approval(f"{run_id}:ask")

    assert (run.state, states(run)) == (state, become)
    assert run.steps[0].error == f'Nobody decided "{QUESTION}" in time'
    assert (approval.state, approval.decided_by) == (A.EXPIRED, "")
    assert approval.decided_at is not None
    assert approval.decided_at >= approval.expires_at


async def test_what_expired_is_not_asked_again_by_a_retry_of_the_step(room: Room):
    tries = asks(SHORT_S, retry=Retry(attempts=3, wait_s=0.01))
    run = await room.ended(await room.begin(flow(tries)))

    assert (run.state, run.steps[0].attempts) == (RunState.FAILED, 1)


async def test_a_decision_that_comes_too_late_is_refused(room: Room):
    run_id = await room.begin(flow(asks(SHORT_S)))
    await room.ended(run_id)

    with pytest.raises(ConflictError, match="is expired already"):
        await room.decide(f"{run_id}:ask")
    assert (await room.approval(f"{run_id}:ask")).state is A.EXPIRED


async def test_a_decision_after_the_time_is_refused_though_nobody_has_noticed_yet(tmp_path: Path):
    async with life(tmp_path) as room:
        run_id = await room.asked(flow(asks(LONG_S)))
        await room.engine.stop()
        late = Room(room.store, Ahead(), tmp_path)
        with pytest.raises(ConflictError, match=r"The time for .* is over"):
            await late.decide(f"{run_id}:ask")
        assert (await room.approval(f"{run_id}:ask")).state is A.OPEN


@pytest.mark.parametrize("second", [True, False])
async def test_the_second_decision_is_refused_and_names_who_made_the_first(
    room: Room, second: bool
):
    run_id = await room.asked(flow(asks(), GO, asks(id="more")), 2)
    first = await room.decide(f"{run_id}:ask")

    with pytest.raises(ConflictError, match="is approved already by ann"):
        await room.decide(f"{run_id}:ask", second, BOB)
    assert await room.approval(f"{run_id}:ask") == first


async def test_of_two_decisions_at_once_one_counts_and_the_run_goes_by_it(room: Room):
    run_id = await room.asked(flow(asks(), GO))
    both = await asyncio.gather(
        room.decide(f"{run_id}:ask", True, ANN),
        room.decide(f"{run_id}:ask", False, BOB),
        return_exceptions=True,
    )
    (counts,) = [each for each in both if isinstance(each, Approval)]
    run = await room.ended(run_id)

    assert [type(each) for each in both if each is not counts] == [ConflictError]
    assert run.steps[0].output["decided_by"] == counts.decided_by
    assert (states(run)["go"] is S.DONE) == (counts.state is A.APPROVED)


async def test_a_role_below_the_one_asked_decides_nothing(room: Room):
    given = {"question": QUESTION, "role": "supervisor"}
    run_id = await room.asked(flow(asks(with_=given)))

    with pytest.raises(RoleError, match="to be decided by supervisor"):
        await room.decide(f"{run_id}:ask", who=ANN)
    assert (await room.approval(f"{run_id}:ask")).state is A.OPEN
    await room.decide(f"{run_id}:ask", who=BOB)
    assert (await room.ended(run_id)).state is RunState.COMPLETED


async def test_what_nobody_asked_cannot_be_decided(room: Room):
    with pytest.raises(NotFoundError, match="no approval"):
        await room.decide("1a2b:ask")


async def test_an_unknown_role_is_the_fault_of_the_definition_and_asks_nobody(room: Room):
    run = await room.ended(
        await room.begin(flow(asks(with_={"question": QUESTION, "role": "${'boss'}"})))
    )

    assert run.state is RunState.FAILED
    assert "boss" in run.reason
    assert await room.store.approvals.listed(is_open=True, limit=9) == []


async def test_a_question_of_a_cancelled_run_is_withdrawn_and_takes_no_decision(room: Room):
    run_id = await room.asked(flow(asks(), GO))
    await room.engine.cancel(run_id, "no longer needed")
    run = await room.ended(run_id)

    assert (run.state, states(run)) == (RunState.CANCELLED, {"ask": S.CANCELLED, "go": S.CANCELLED})
    with pytest.raises(ConflictError, match="is withdrawn already"):
        await room.decide(f"{run_id}:ask")
    assert await room.store.approvals.listed(is_open=True, limit=9) == []


async def test_a_question_is_withdrawn_when_another_step_fails_the_run(room: Room):
    bad = Step("bad", ActionKind.WAIT, with_={"seconds": "${input.gone}"})
    steps = (asks(SHORT_S), bad, asks(needs=("ask",), id="next"))
    run_id = await room.begin(flow(*steps))
    run = await room.ended(run_id)

    assert (run.state, states(run)["next"]) == (RunState.FAILED, S.CANCELLED)
    assert await room.store.approvals.listed(is_open=True, limit=9) == []


async def test_a_decision_beside_a_cancel_leaves_nothing_open(room: Room):
    run_id = await room.asked(flow(asks(), GO))
    await asyncio.gather(
        room.decide(f"{run_id}:ask"), room.engine.cancel(run_id, "stop"), return_exceptions=True
    )
    run = await room.ended(run_id)

    assert run.state is RunState.CANCELLED
    assert (await room.approval(f"{run_id}:ask")).state in {A.APPROVED, A.WITHDRAWN}


@pytest.mark.parametrize(("verdict", "become"), [(True, S.DONE), (False, S.SKIPPED)])
async def test_a_decision_survives_a_restart_before_the_step_has_its_outcome(
    tmp_path: Path, verdict: bool, become: StepState
):
    async with life(tmp_path) as room:
        run_id = await room.asked(flow(asks(), GO))
        await room.engine.stop()  # the decision comes in, and nobody takes it over any more
        await room.decide(f"{run_id}:ask", verdict)
    async with life(tmp_path) as room:
        run = await room.ended(run_id)

    assert (run.state, states(run)["go"]) == (RunState.COMPLETED, become)
    assert run.steps[0].output["decided_by"] == "ann"


async def test_a_decision_in_time_counts_though_the_app_was_down_until_after_it(tmp_path: Path):
    async with life(tmp_path) as room:
        run_id = await room.asked(flow(asks(), GO))
        await room.engine.stop()
        await room.decide(f"{run_id}:ask")
    async with life(tmp_path, Ahead()) as room:
        run = await room.ended(run_id)

    assert states(run) == {"ask": S.DONE, "go": S.DONE}


async def test_what_nobody_had_decided_expires_at_the_start_if_its_time_is_over(tmp_path: Path):
    async with life(tmp_path) as room:
        run_id = await room.asked(flow(asks(), GO))
    async with life(tmp_path, Ahead()) as room:
        run = await room.ended(run_id)
        approval = await room.approval(f"{run_id}:ask")

    assert (run.state, approval.state) == (RunState.FAILED, A.EXPIRED)


async def test_after_a_restart_it_is_the_same_question_with_the_same_deadline(tmp_path: Path):
    async with life(tmp_path) as room:
        run_id = await room.asked(flow(asks(), GO))
        before = await room.approval(f"{run_id}:ask")
    async with life(tmp_path) as room:
        await room.waits(run_id)
        found = await room.store.approvals.listed(is_open=True, limit=9)
        await room.decide(f"{run_id}:ask")
        run = await room.ended(run_id)

    assert found == [before]
    assert run.state is RunState.COMPLETED


async def test_a_loop_asks_anew_and_an_earlier_answer_does_not_count(room: Room):
    loop = Jump(step="ask", when="steps.ask.output.approved", max=3)
    run_id = await room.asked(flow(asks(goto=loop)))
    await room.decide(f"{run_id}:ask")
    await eventually(lambda: _round(room, run_id) == (2, S.WAITING))
    await room.decide(f"{run_id}:ask.2", False)
    run = await room.ended(run_id)

    assert [each.output["approved"] for each in run.steps] == [True, False]


def _round(room: Room, run_id: str) -> tuple[int, StepState]:
    runner = room.engine.live(run_id)
    assert runner
    return runner.steps[-1].round, runner.steps[-1].state


async def test_each_element_of_a_list_is_a_question_of_its_own(room: Room):
    given = {"question": "Stop ${item}?"}
    each = asks(for_each="['P-101', 'P-102']", parallel=2, with_=given)
    run_id = await room.asked(flow(each))
    async with asyncio.timeout(40):
        while len(await room.store.approvals.listed(is_open=True, limit=9)) < 2:
            await SystemClock().sleep(0.01)
    await room.decide(f"{run_id}:ask.1", False)
    await room.decide(f"{run_id}:ask.0", True, BOB)
    run = await room.ended(run_id)

    assert [(each["approved"], each["decided_by"]) for each in run.steps[0].output] == [
        (True, "bob"),
        (False, "ann"),
    ]
    assert (await room.approval(f"{run_id}:ask.1")).question == "Stop P-102?"


async def test_a_decision_while_the_engine_looks_is_not_overlooked(tmp_path: Path):
    async with life(tmp_path, kind=LaggingStore) as room:
        run_id = await room.asked(flow(asks(), GO))
        assert isinstance(room.store, LaggingStore)
        lagging = room.store.lagging
        lagging.prepare()
        room.actions.note_decision()  # another question was decided, so the engine looks
        await asyncio.wait_for(lagging.has_read.wait(), 40)
        await room.decide(f"{run_id}:ask")
        lagging.may_return.set()
        run = await room.ended(run_id)

    assert states(run) == {"ask": S.DONE, "go": S.DONE}
