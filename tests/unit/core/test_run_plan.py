"""What a run does next, over drawn workflows, outcomes and orders of completion."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.core.run import SETTLED, RunState, StepRun, StepState
from app.core.run_plan import ERROR_ROUNDS, RunPlan, stopped_at
from app.core.workflow import ActionKind, Step, Workflow
from tests.unit.core.plan_player import Player, fates, is_sound, workflows

TABLES = st.lists(st.integers(0, 14), min_size=1, max_size=40)
PICKS = st.lists(st.integers(0, 7), min_size=1, max_size=30)
SOUND = workflows().filter(is_sound)


def played(workflow: Workflow, table: list[int], picks: list[int]) -> Player:
    player = Player(RunPlan(workflow), fates(table))
    player.play(picks)
    return player


def last(plan: RunPlan) -> dict[str, StepRun | None]:
    return {step.id: plan.current(step.id) for step in plan.workflow.steps}


@given(SOUND, TABLES, PICKS)
def test_every_step_settles_and_the_run_ends(
    workflow: Workflow, table: list[int], picks: list[int]
):
    player = played(workflow, table, picks)

    states = [run.state if run else None for run in last(player.plan).values()]
    assert set(states) <= SETTLED
    assert player.plan.is_over


@given(SOUND, TABLES, PICKS)
def test_no_step_begins_before_what_it_needs_has_ended(
    workflow: Workflow, table: list[int], picks: list[int]
):
    player = played(workflow, table, picks)

    assert all(state in SETTLED for _, _, needs in player.begun for state in needs)


@given(SOUND, TABLES, PICKS)
def test_nothing_is_done_after_a_failure(workflow: Workflow, table: list[int], picks: list[int]):
    player = played(workflow, table, picks)

    assert not any(is_after_failure for _, is_after_failure, _ in player.begun)


@given(SOUND, TABLES, PICKS)
def test_no_step_is_done_twice_in_a_round(workflow: Workflow, table: list[int], picks: list[int]):
    player = played(workflow, table, picks)

    marks = [(run.step, run.round) for run in player.settled]
    assert len(marks) == len(set(marks))


@given(SOUND, TABLES, PICKS)
def test_loops_are_bounded(workflow: Workflow, table: list[int], picks: list[int]):
    player = played(workflow, table, picks)

    bounds = {
        step.id: (step.goto.max if step.goto else 0) + ERROR_ROUNDS for step in workflow.steps
    }
    assert all(player.plan.loops_of(name) <= most for name, most in bounds.items())


@given(SOUND, TABLES, PICKS, PICKS)
def test_the_order_in_which_parallel_steps_end_changes_nothing(
    workflow: Workflow, table: list[int], picks: list[int], others: list[int]
):
    first, second = played(workflow, table, picks), played(workflow, table, others)

    assert first.plan.state is second.plan.state
    assume(first.plan.state is RunState.COMPLETED)
    assert last(first.plan) == last(second.plan)
    assert first.plan.values() == second.plan.values()


@given(SOUND, TABLES, PICKS, PICKS, st.integers(0, 60))
def test_a_run_taken_up_again_goes_the_same_way(
    workflow: Workflow, table: list[int], picks: list[int], others: list[int], known: int
):
    whole = played(workflow, table, picks)
    plan = RunPlan(workflow)
    plan.restore(whole.settled[:known])
    again = Player(plan, fates(table))
    again.play(others)

    assert again.plan.state is whole.plan.state
    done = {(run.step, run.round) for run in whole.settled[:known]}
    assert not done & {(run.step, run.round) for run in again.settled}
    assume(whole.plan.state is RunState.COMPLETED)
    assert last(again.plan) == last(whole.plan)
    assert again.plan.values() == whole.plan.values()


@given(SOUND, TABLES, PICKS, st.integers(0, 60))
def test_a_cancelled_run_ends_and_does_nothing_more(
    workflow: Workflow, table: list[int], picks: list[int], known: int
):
    whole = played(workflow, table, picks)
    plan = RunPlan(workflow)
    plan.restore(whole.settled[:known])
    plan.is_cancelled = True
    again = Player(plan, fates(table))
    again.play(picks)

    assert again.plan.state is RunState.CANCELLED
    assert {run.state for run in again.settled} <= {StepState.CANCELLED}


def test_a_step_to_which_errors_lead_back_begins_without_one():
    steps = (
        Step("one", ActionKind.TASK),
        Step("two", ActionKind.TASK, needs=("one",), on_error="goto:one"),
    )

    assert [step.id for step in RunPlan(Workflow("demo", steps)).ready()] == ["one"]


def test_of_two_loops_at_once_the_first_in_the_order_of_needs_goes_back():
    needs = {"a": (), "b": (), "c": ("a", "b")}
    steps = tuple(Step(name, ActionKind.TASK, needs=those) for name, those in needs.items())
    plan = RunPlan(Workflow("demo", steps))
    plan.settle(StepRun("b", state=StepState.DONE, jumps=True))
    plan.settle(StepRun("a", state=StepState.DONE, jumps=True))

    assert plan.jump()
    assert (plan.round_of("a"), plan.round_of("b"), plan.round_of("c")) == (2, 1, 2)


@pytest.mark.parametrize("state", [StepState.SKIPPED, StepState.FAILED])
def test_a_join_is_done_if_one_branch_is_usable(state: StepState):
    steps = (
        Step("a", ActionKind.TASK, on_error="continue"),
        Step("b", ActionKind.TASK),
        Step("join", ActionKind.TASK, needs=("a", "b")),
    )
    plan = RunPlan(Workflow("demo", steps))
    plan.settle(StepRun("a", state=state))
    plan.settle(StepRun("b", state=StepState.DONE))
    (join,) = plan.ready()

    assert plan.verdict(join) is None


def test_what_was_carried_over_is_not_taken_back():
    plan = RunPlan(Workflow("demo", (Step("a", ActionKind.TASK),)))
    plan.restore([StepRun("a", state=StepState.DONE, carried=True)])

    assert plan.to_take_back() == []


@given(SOUND, TABLES, PICKS)
def test_a_run_stopped_at_the_step_that_ended_it_and_one_that_completed_at_none(
    workflow: Workflow, table: list[int], picks: list[int]
):
    player = played(workflow, table, picks)
    failed = player.plan.failed

    assert stopped_at(workflow, player.settled) == (failed.step if failed else "")


@pytest.mark.parametrize(
    ("states", "step"),
    [
        ((), ""),
        ((StepState.DONE, StepState.DONE), ""),
        ((StepState.DONE, StepState.RUNNING), ""),
        ((StepState.DONE, StepState.CANCELLED), "two"),
        ((StepState.CANCELLED, StepState.CANCELLED), "one"),
        ((StepState.FAILED, StepState.CANCELLED), "one"),
    ],
)
def test_a_cancelled_run_stopped_at_the_first_step_that_was_not_done(
    states: tuple[StepState, ...], step: str
):
    one, two = Step("one", ActionKind.TASK), Step("two", ActionKind.TASK, needs=("one",))
    runs = [StepRun(name, state=state) for name, state in zip(("one", "two"), states, strict=False)]

    assert stopped_at(Workflow("demo", (two, one)), runs) == step


def test_a_failure_that_the_run_went_past_is_not_where_it_stopped():
    one = Step("one", ActionKind.TASK, on_error="continue")
    two = Step("two", ActionKind.TASK, needs=("one",))
    runs = [StepRun(name, state=StepState.FAILED) for name in ("one", "two")]

    assert stopped_at(Workflow("demo", (one, two)), runs) == "two"
