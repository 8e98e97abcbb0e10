"""Runs over a real store: order, errors, tries, loops, elements and what takes steps back."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.core.actor import Role
from app.core.errors import AgentError, ConflictError, InputError
from app.core.run import RunState, StepState
from app.core.workflow import ActionKind, Jump, Retry, Step, Undo
from app.workflow.actions import RefusedError
from app.workflow.context import Doing
from tests.processes import eventually
from tests.unit.workflow.engine_rig import BY, Fails, Gate, Rig, database, flow, life, outputs, step

S = StepState


def undo(name: str) -> Undo:
    return Undo(do=ActionKind.TASK, with_={"back": name})


async def test_steps_are_done_in_order_and_see_what_came_before(rig: Rig):
    given = {"n": "${steps.one.output.n + 1}"}
    run = await rig.ended(
        await rig.begin(flow(step("two", "one", with_=given), step("one", with_={"n": 1})))
    )

    assert (run.state, rig.doer.asked) == (RunState.COMPLETED, ["one", "two"])
    assert outputs(run) == {"one": {"n": 1}, "two": {"n": 2}}
    assert run.output == {"n": 2}


async def test_parallel_branches_run_beside_each_other_and_join(rig: Rig):
    left, right = Gate("l"), Gate("r")
    rig.doer.acts |= {"left": left, "right": right}
    name = await rig.begin(flow(step("left"), step("right"), step("join", "left", "right")))
    await asyncio.gather(left.is_reached.wait(), right.is_reached.wait())
    right.may_go.set()
    left.may_go.set()

    assert (await rig.ended(name)).state is RunState.COMPLETED
    assert rig.doer.asked[-1] == "join"


async def test_a_step_whose_condition_does_not_hold_is_skipped_and_so_is_what_needs_it(rig: Rig):
    name = await rig.begin(flow(step("one", when="input.n > 1"), step("two", "one")), n=1)

    assert (await rig.ended(name)).state is RunState.COMPLETED
    assert await rig.states(name) == {"one": S.SKIPPED, "two": S.SKIPPED}
    assert rig.doer.asked == []


async def test_nothing_begins_after_a_failure_and_what_runs_may_end(rig: Rig):
    slow, bad = Gate(), Gate()
    rig.doer.acts |= {"slow": slow, "bad": Fails()}
    name = await rig.begin(flow(step("slow"), step("bad"), step("after", "slow"), step("x", "bad")))
    await slow.is_reached.wait()
    await eventually(lambda: "bad" in rig.doer.asked)
    slow.may_go.set()
    bad.may_go.set()
    run = await rig.ended(name)

    assert (run.state, run.reason) == (RunState.FAILED, "bad: It did not work")
    assert await rig.states(name) == {
        "slow": S.DONE,
        "bad": S.FAILED,
        "after": S.CANCELLED,
        "x": S.CANCELLED,
    }


async def test_a_failed_step_is_tried_again_with_growing_waits(tmp_path: Path):
    async with life(database(tmp_path)) as rig:
        rig.doer.acts["one"] = Fails(3)
        retry = Retry(attempts=4, wait_s=2, factor=3, max_wait_s=10)
        run = await rig.ended(await rig.begin(flow(step("one", retry=retry))))
        waits: list[float] = rig.clock.slept  # type: ignore[attr-defined]  # pyright: ignore

    assert waits == [2, 6, 10]
    assert (run.state, run.steps[0].attempts) == (RunState.COMPLETED, 4)
    assert run.steps[0].log[0].text == "Try 1 failed: It did not work"


async def test_tries_end_and_the_last_error_stands(rig: Rig):
    rig.doer.acts["one"] = Fails()
    run = await rig.ended(await rig.begin(flow(step("one", retry=Retry(attempts=3)))))

    assert (run.state, rig.doer.times["one"]) == (RunState.FAILED, 3)


@pytest.mark.parametrize("error", [InputError("wrong"), RefusedError("no")])
async def test_what_would_fail_again_is_not_tried_again(rig: Rig, error: Exception):
    rig.doer.acts["one"] = Fails(error=error)
    run = await rig.ended(await rig.begin(flow(step("one", retry=Retry(attempts=5)))))

    assert (run.state, rig.doer.times["one"]) == (RunState.FAILED, 1)


async def test_a_fault_of_an_action_fails_that_run_and_no_other(rig: Rig):
    rig.doer.acts["bad"] = Fails(error=ZeroDivisionError("a bug"))
    bad = await rig.ended(await rig.begin(flow(step("bad"), name="broken")))
    good = await rig.ended(await rig.begin(flow(step("one"))))

    assert (bad.state, good.state) == (RunState.FAILED, RunState.COMPLETED)
    assert "a bug" in bad.reason


async def test_an_expression_that_cannot_be_computed_fails_the_step(rig: Rig):
    name = await rig.begin(flow(step("one", with_={"n": "${input.gone}"})))

    assert '"gone" is not there' in (await rig.ended(name)).reason
    assert rig.doer.asked == []


async def test_an_error_may_be_passed_over(rig: Rig):
    rig.doer.acts["one"] = Fails()
    given = {"said": "${steps.one.error}"}
    run = await rig.ended(
        await rig.begin(flow(step("one", on_error="continue"), step("two", "one", with_=given)))
    )

    assert run.state is RunState.COMPLETED
    assert outputs(run)["two"] == {"said": "It did not work"}


async def test_an_error_leads_forward_to_its_handler(rig: Rig):
    rig.doer.acts["one"] = Fails()
    name = await rig.begin(
        flow(step("one", on_error="goto:help"), step("two", "one"), step("help"))
    )

    assert (await rig.ended(name)).state is RunState.COMPLETED
    assert await rig.states(name) == {"one": S.FAILED, "two": S.SKIPPED, "help": S.DONE}


async def test_a_handler_is_skipped_where_nothing_failed(rig: Rig):
    name = await rig.begin(flow(step("one", on_error="goto:help"), step("help")))

    assert (await rig.ended(name)).state is RunState.COMPLETED
    assert rig.doer.asked == ["one"]


async def test_an_error_leads_back_until_the_step_succeeds(rig: Rig):
    rig.doer.acts["two"] = Fails(2)
    run = await rig.ended(
        await rig.begin(flow(step("one"), step("two", "one", on_error="goto:one")))
    )

    assert run.state is RunState.COMPLETED
    assert rig.doer.asked == ["one", "two", "one.2", "two.2", "one.3", "two.3"]


async def test_an_error_does_not_lead_back_for_ever(rig: Rig):
    rig.doer.acts["two"] = Fails()
    run = await rig.ended(
        await rig.begin(flow(step("one"), step("two", "one", on_error="goto:one")))
    )

    assert run.state is RunState.FAILED
    assert len(rig.doer.asked) == 22


async def test_a_loop_goes_back_while_its_condition_holds(rig: Rig):
    loop = Jump(step="one", when="steps.two.round < 3")
    run = await rig.ended(await rig.begin(flow(step("one"), step("two", "one", goto=loop))))

    assert run.state is RunState.COMPLETED
    assert rig.doer.asked == ["one", "two", "one.2", "two.2", "one.3", "two.3"]


async def test_a_loop_that_reaches_its_bound_fails(rig: Rig):
    run = await rig.ended(await rig.begin(flow(step("one", goto=Jump(step="one", max=2)))))

    assert run.reason == "one: It has led back to one 2 times, which is the bound of its loop"
    assert rig.doer.asked == ["one", "one.2", "one.3"]


async def test_a_list_is_done_element_by_element_within_its_bound(rig: Rig):
    most, now = [0], [0]

    async def act(fields: dict[str, Any], doing: Doing) -> object:
        now[0] += 1
        most[0] = max(most[0], now[0])
        await eventually(lambda: most[0] >= 3)
        await asyncio.sleep(0.01)  # what would be too many begins meanwhile
        now[0] -= 1
        return fields["n"] * 2

    rig.doer.acts["each"] = act
    each = step("each", for_each="input.all", parallel=3, with_={"n": "${item + index}"})
    run = await rig.ended(await rig.begin(flow(each), all=[1, 2, 3, 4, 5, 6]))

    assert outputs(run)["each"] == [2, 6, 10, 14, 18, 22]
    assert most[0] == 3


async def test_an_empty_list_is_done_at_once(rig: Rig):
    run = await rig.ended(await rig.begin(flow(step("each", for_each="input.all")), all=[]))

    assert (run.state, outputs(run)["each"]) == (RunState.COMPLETED, [])


async def test_what_is_no_list_fails(rig: Rig):
    run = await rig.ended(await rig.begin(flow(step("each", for_each="input.all")), all=5))

    assert run.reason == "each: for_each: gives int and no list"


@pytest.mark.parametrize("given", ["\ud800", {"deep": ["\udfff"]}, object()])
async def test_what_cannot_be_written_down_fails_the_step_and_the_rest_is_taken_back(
    rig: Rig, given: object
):
    async def act(fields: dict[str, Any], doing: Doing) -> object:
        return given

    rig.doer.acts["two"] = act
    steps = step("one", compensate=undo("one")), step("two", "one"), step("three", "two")
    run = await rig.ended(await rig.begin(flow(*steps)))

    assert run.state is RunState.FAILED
    assert "two: What it gave cannot be kept" in run.reason
    assert [each.compensation for each in run.steps] == ["done", "", ""]


async def test_others_have_their_turn_between_the_elements_of_a_list(rig: Rig):
    turns, seen = 0, list[int]()

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def act(fields: dict[str, Any], doing: Doing) -> object:
        seen.append(turns)
        return fields

    rig.doer.acts |= {f"each.{index}": act for index in range(20)}
    each = step("each", for_each="input.all", parallel=20, with_={"n": "${item + index}"})
    counting = asyncio.create_task(count())
    run = await rig.ended(await rig.begin(flow(each), all=list(range(20))))
    counting.cancel()

    assert run.state is RunState.COMPLETED
    assert len(set(seen)) == 20


async def test_a_failed_list_is_tried_again_without_what_is_done(rig: Rig):
    rig.doer.acts["each.1"] = Fails(2)
    each = step("each", for_each="[1, 2, 3]", retry=Retry(attempts=3))
    run = await rig.ended(await rig.begin(flow(each)))

    assert run.state is RunState.COMPLETED
    assert (rig.doer.times["each.0"], rig.doer.times["each.1"], rig.doer.times["each.2"]) == (
        1,
        3,
        1,
    )


async def test_finished_steps_are_taken_back_the_last_first(rig: Rig):
    steps = [
        step("one", compensate=undo("one")),
        step("two", "one", compensate=undo("two")),
        step("plain", "two"),
        step("bad", "plain"),
    ]
    rig.doer.acts["bad"] = Fails()
    run = await rig.ended(await rig.begin(flow(*steps)))

    assert rig.doer.asked[-2:] == ["two.undo", "one.undo"]
    assert {each.step: each.compensation for each in run.steps} == {
        "one": "done",
        "two": "done",
        "plain": "",
        "bad": "",
    }


async def test_a_step_that_cannot_be_taken_back_does_not_hold_up_the_others(rig: Rig):
    steps = [
        step("one", compensate=undo("one")),
        step("two", "one", compensate=undo("two")),
        step("bad", "two"),
    ]
    rig.doer.acts |= {"bad": Fails(), "two.undo": Fails(error=AgentError("stuck"))}
    run = await rig.ended(await rig.begin(flow(*steps)))

    assert run.reason == "bad: It did not work. Not taken back: two"
    assert [each.compensation for each in run.steps][:2] == ["done", "not taken back: stuck"]


async def test_nothing_is_taken_back_of_a_run_that_completes(rig: Rig):
    await rig.ended(await rig.begin(flow(step("one", compensate=undo("one")))))

    assert rig.doer.asked == ["one"]


async def test_a_cancelled_run_stops_and_takes_back(rig: Rig):
    gate = Gate()
    rig.doer.acts["two"] = gate
    steps = [step("one", compensate=undo("one")), step("two", "one"), step("three", "two")]
    name = await rig.begin(flow(*steps))
    await gate.is_reached.wait()
    await rig.engine.cancel(name, "ann: no longer needed")
    run = await rig.ended(name)

    assert (run.state, run.reason) == (RunState.CANCELLED, "ann: no longer needed")
    assert await rig.states(name) == {"one": S.DONE, "two": S.CANCELLED, "three": S.CANCELLED}
    assert rig.doer.asked == ["one", "two", "one.undo"]


async def test_a_run_cancelled_before_its_first_step_began_ends(rig: Rig):
    name = await rig.begin(flow(step("one"), step("two", "one")))
    await rig.engine.cancel(name, "too early")
    run = await rig.ended(name)

    assert run.state in {RunState.CANCELLED, RunState.COMPLETED}


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8])
async def test_a_run_cancelled_while_an_outcome_is_kept_ends(rig: Rig, turns: int):
    async def act(fields: dict[str, Any], doing: Doing) -> object:
        asyncio.get_running_loop().create_task(cancel_later(doing.run.id))
        return "done"

    async def cancel_later(run_id: str) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        runner = rig.engine.live(run_id)
        assert runner
        runner.cancel("now")

    rig.doer.acts |= {"one": act, "two": Gate()}
    run = await rig.ended(await rig.begin(flow(step("one"), step("two", "one"))))

    assert (run.state, run.reason) == (RunState.CANCELLED, "now")
    assert {each.state for each in run.steps} <= {S.DONE, S.CANCELLED}


async def test_a_run_that_is_over_cannot_be_cancelled(rig: Rig):
    name = await rig.begin(flow(step("one")))
    await rig.ended(name)

    with pytest.raises(ConflictError, match="over already"):
        await rig.engine.cancel(name, "late")


async def test_the_same_id_begins_one_run(rig: Rig):
    again = [await rig.begin(flow(step("one")), run_id="event1") for _ in range(3)]
    await rig.ended("event1")

    assert again == ["event1"] * 3
    assert rig.doer.asked == ["one"]


async def test_an_id_of_another_workflow_is_refused(rig: Rig):
    await rig.begin(flow(step("one")), run_id="event1")

    with pytest.raises(ConflictError, match="is one of demo"):
        await rig.begin(flow(step("one"), name="other"), run_id="event1")


def calls(name: str, **given: object) -> Step:
    return step("call", do=ActionKind.WORKFLOW, with_={"name": name, "input": given})


async def child(rig: Rig, fields: dict[str, Any], doing: Doing) -> dict[str, str]:
    run = await rig.children.run(fields["name"], fields["input"], doing.path, doing)
    return {"run": run.id, "state": run.state.value}


async def test_a_run_within_a_run_has_an_id_that_follows_from_it(rig: Rig):
    rig.library["inner"] = flow(step("one"), name="inner")
    rig.doer.acts["call"] = lambda fields, doing: child(rig, fields, doing)
    name = await rig.begin(flow(calls("inner")))
    run = await rig.ended(name)

    assert outputs(run)["call"] == {"run": f"{name}-call", "state": "completed"}
    assert (await rig.find(f"{name}-call")).parent == f"{name}:call"


@pytest.mark.parametrize(
    ("starter", "author", "expected"),
    [
        (Role.ENGINEER, Role.OPERATOR, Role.OPERATOR),
        (Role.OPERATOR, Role.ENGINEER, Role.OPERATOR),
        (Role.ENGINEER, Role.ENGINEER, Role.ENGINEER),
    ],
)
async def test_a_run_within_a_run_may_do_what_both_may(
    rig: Rig, starter: Role, author: Role, expected: Role
):
    rig.library["inner"], rig.authors["inner"] = flow(step("one"), name="inner"), author
    rig.doer.acts["call"] = lambda fields, doing: child(rig, fields, doing)
    run = (await rig.engine.begin(flow(calls("inner")), "v1", {}, "", BY, role=starter.value)).run
    await rig.ended(run.id)

    assert (await rig.find(f"{run.id}-call")).role == expected.value


async def test_who_may_not_start_a_workflow_does_not_by_a_run_of_another(rig: Rig):
    rig.library["inner"] = flow(step("one"), name="inner", role="engineer")
    rig.doer.acts["call"] = lambda fields, doing: child(rig, fields, doing)
    run = await rig.ended(await rig.begin(flow(calls("inner"))))

    assert run.state is RunState.FAILED
    assert "inner may be started by engineer only" in run.reason
    assert rig.doer.asked == ["call"]


async def test_cancelling_a_run_cancels_the_run_within_it(rig: Rig):
    gate = Gate()
    rig.library["inner"] = flow(step("wait"), name="inner")
    rig.doer.acts |= {"call": lambda fields, doing: child(rig, fields, doing), "wait": gate}
    name = await rig.begin(flow(calls("inner")))
    await gate.is_reached.wait()
    await rig.engine.cancel(name, "stop")
    await rig.ended(name)
    inner = await rig.ended(f"{name}-call")

    assert inner.state is RunState.CANCELLED


async def test_a_workflow_that_calls_itself_ends(rig: Rig):
    async def act(fields: dict[str, Any], doing: Doing) -> object:
        found = await child(rig, fields, doing)
        if found["state"] != "completed":
            raise RefusedError("the run within failed")
        return found

    rig.doer.acts["call"] = act
    run = await rig.ended(await rig.begin(flow(calls("demo"))))

    assert run.state is RunState.FAILED
    assert len(await rig.store.index.runs()) == 10


async def test_a_fault_of_the_app_fails_the_step_and_takes_others_back(rig: Rig):
    steps = [step("one", compensate=undo("one")), step("bad", "one", compensate=undo("bad"))]
    rig.doer.acts |= {"bad": Fails(1, ZeroDivisionError("boom"))}
    run = await rig.ended(await rig.begin(flow(*steps)))
    assert run.reason == "bad: Fault of the app: ZeroDivisionError('boom')"
    assert rig.doer.finished == ["one", "bad.undo", "one.undo"]
