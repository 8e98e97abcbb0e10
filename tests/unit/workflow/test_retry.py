"""A run that is over is repeated: from where, by which definition, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from app.core.actor import Actor, Role
from app.core.errors import ConflictError, FieldsError, InputError, NotFoundError, RoleError
from app.core.run import RunState, StepState, WorkflowRun
from app.workflow.library import Library
from app.workflow.repair import Repair, key_of
from tests.unit.workflow.engine_rig import BY, Fails, FakeDoer, Gate, Rig, database, life, outputs

ANN = Actor("ann", "ui", Role.OPERATOR)
WHY = "the valve was shut"
MIX = """
[[steps]]
id = "mix"
do = "task"
with = { capability = "mix" }
"""
TEXT = f"""
name = "bake"

[inputs.heat]
kind = "number"
default = 5
{MIX}
[[steps]]
id = "oven"
do = "task"
needs = ["mix"]
with = {{ capability = "oven", input = {{ heat = "${{input.heat}}" }} }}

[[steps]]
id = "pack"
do = "task"
needs = ["oven"]
with = {{ capability = "pack" }}
"""


class Bakery:
    """A library of one workflow, runs of it, and who repeats them."""

    def __init__(self, rig: Rig, folder: Path) -> None:
        self.rig = rig
        self.library = Library(folder / "shipped", folder / "own")
        self.repair = Repair(
            store=rig.store,
            library=self.library,
            engine=rig.engine,
            clock=rig.clock,
            functions={},
            changed=lambda run: None,
            decided=lambda: None,
        )
        self.write(TEXT)

    def write(self, text: str) -> None:
        """Save the definition as it is from now on."""
        self.library.save("bake", text)

    def change(self, old: str, new: str) -> None:
        """Change the first definition in one place, which must be there."""
        assert old in TEXT
        self.write(TEXT.replace(old, new))

    async def run(self, *failing: str, **given: object) -> str:
        """Return the id of a run that has ended, the steps named having failed once."""
        self.rig.doer.acts |= {name: Fails(1) for name in failing}
        workflow, entry = self.library.definition("bake"), self.library.entry("bake")
        checked = {"heat": 5, **given}
        key = key_of(workflow, checked)
        begun = (await self.rig.engine.begin(workflow, entry.version, checked, key, BY)).run
        await self.rig.ended(begun.id)
        self.rig.doer.asked.clear()
        return begun.id

    async def retry(
        self, run_id: str, *, step: str = "", definition: str = "old", who: Actor = ANN
    ) -> WorkflowRun:
        """Repeat a run and return the new one once it is over."""
        again = await self.repair.retry(run_id, who, WHY, step=step, definition=definition)
        return await self.rig.ended(again.id)


@pytest.fixture
async def bakery(tmp_path: Path) -> AsyncIterator[Bakery]:
    async with life(database(tmp_path)) as rig:
        (tmp_path / "shipped").mkdir()
        (tmp_path / "own").mkdir()
        yield Bakery(rig, tmp_path)


async def test_from_the_start_every_step_is_done_again_and_nothing_is_taken_over(bakery: Bakery):
    again = await bakery.retry(await bakery.run("oven"))

    assert (again.state, bakery.rig.doer.asked) == (RunState.COMPLETED, ["mix", "oven", "pack"])
    assert not any(each.carried for each in again.steps)


async def test_from_a_step_what_came_before_is_taken_over_with_what_it_gave(bakery: Bakery):
    bad = await bakery.run("oven")
    again = await bakery.retry(bad, step="oven")

    assert bakery.rig.doer.asked == ["oven", "pack"]
    assert [each.carried for each in again.steps] == [True, False, False]
    assert outputs(again)["mix"] == outputs(await bakery.rig.find(bad))["mix"]
    assert outputs(again)["mix"] == {"capability": "mix"}


async def test_from_a_step_that_the_run_never_reached_the_failed_one_is_done_first(bakery: Bakery):
    again = await bakery.retry(await bakery.run("oven"), step="pack")

    assert bakery.rig.doer.asked == ["oven", "pack"]
    assert again.state is RunState.COMPLETED


async def test_who_repeated_it_and_why_stand_in_the_new_run_and_its_id_in_the_old(bakery: Bakery):
    bad = await bakery.run("oven")
    again = await bakery.retry(bad, step="oven")

    assert (again.started_by.kind, again.started_by.name, again.started_by.why) == (
        "retry", "ann", WHY,
    )  # fmt: skip
    assert again.started_by.event == {"run": bad, "step": "oven"}
    assert (again.retry_of, (await bakery.rig.find(bad)).retried_by) == (bad, again.id)


async def test_the_old_definition_is_that_of_the_run_whatever_the_file_says(bakery: Bakery):
    bad = await bakery.run("oven")
    bakery.change('capability = "oven"', 'capability = "grill"')
    again = await bakery.retry(bad)

    assert outputs(again)["oven"] == "at last"
    assert again.version == (await bakery.rig.find(bad)).version
    assert (await bakery.rig.store.find(again.id)).snapshot.step("oven").with_["capability"] == (
        "oven"
    )


async def test_the_current_definition_is_that_of_the_file_now(bakery: Bakery):
    bad = await bakery.run("oven")
    bakery.change('capability = "pack"', 'capability = "wrap"')
    again = await bakery.retry(bad, definition="current")

    assert outputs(again)["pack"] == {"capability": "wrap"}
    assert again.version == bakery.library.entry("bake").version


async def test_a_step_that_is_new_is_done_in_a_retry_from_a_step_before_it(bakery: Bakery):
    bad = await bakery.run("oven")
    bakery.write(TEXT + '\n[[steps]]\nid = "ship"\ndo = "task"\nneeds = ["pack"]\n'
                        'with = { capability = "ship" }\n')  # fmt: skip
    again = await bakery.retry(bad, step="oven", definition="current")

    assert bakery.rig.doer.asked == ["oven", "pack", "ship"]
    assert again.state is RunState.COMPLETED


@pytest.mark.parametrize("definition", ["old", "current"])
async def test_a_step_that_never_was_is_refused_by_its_name(bakery: Bakery, definition: str):
    bad = await bakery.run("oven")

    with pytest.raises(NotFoundError, match='"bake" has no step "cool"'):
        await bakery.retry(bad, step="cool", definition=definition)
    await assert_untouched(bakery, bad)


async def test_a_step_that_is_called_otherwise_now_is_refused_by_its_name(bakery: Bakery):
    bad = await bakery.run("oven")
    bakery.write(TEXT.replace('"oven"', '"grill"'))

    with pytest.raises(NotFoundError, match='"bake" has no step "oven"'):
        await bakery.retry(bad, step="oven", definition="current")
    await assert_untouched(bakery, bad)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TEXT.replace('"mix"', '"stir"'), id="renamed"),
        pytest.param(
            TEXT.replace('needs = ["mix"]\n', "").replace(MIX, ""),
            id="removed",
        ),
    ],
)
async def test_a_done_step_that_is_gone_is_not_done_again_under_another_name(
    bakery: Bakery, text: str
):
    bad = await bakery.run("oven")
    bakery.write(text)

    with pytest.raises(ConflictError, match=r'"mix" gave.*is not in "bake" any more'):
        await bakery.retry(bad, step="oven", definition="current")
    await assert_untouched(bakery, bad)


async def test_from_the_start_a_step_that_is_gone_hinders_nothing(bakery: Bakery):
    bad = await bakery.run("oven")
    bakery.write(TEXT.replace('"mix"', '"stir"'))
    again = await bakery.retry(bad, definition="current")

    assert bakery.rig.doer.asked == ["stir", "oven", "pack"]
    assert again.state is RunState.COMPLETED


async def test_an_input_that_is_called_otherwise_now_is_refused_by_its_name(bakery: Bakery):
    bad = await bakery.run("oven")
    bakery.write(TEXT.replace("inputs.heat", "inputs.warmth").replace("input.heat", "input.warmth"))

    with pytest.raises(FieldsError, match="heat is no input of this workflow"):
        await bakery.retry(bad, definition="current")
    await assert_untouched(bakery, bad)


async def test_a_definition_that_is_gone_is_refused_and_the_old_one_still_serves(bakery: Bakery):
    bad = await bakery.run("oven")
    bakery.library.delete("bake")

    with pytest.raises(NotFoundError, match="bake"):
        await bakery.retry(bad, definition="current")
    assert (await bakery.retry(bad)).state is RunState.COMPLETED


async def test_an_unknown_word_for_the_definition_is_refused(bakery: Bakery):
    bad = await bakery.run("oven")

    with pytest.raises(InputError, match='"new" is neither old nor current'):
        await bakery.retry(bad, definition="new")


async def test_a_run_is_repeated_once(bakery: Bakery):
    bad = await bakery.run("oven")
    again = await bakery.retry(bad)

    with pytest.raises(ConflictError, match=f"already, by run {again.id}"):
        await bakery.retry(bad)


async def test_of_two_persons_who_repeat_a_run_at_once_one_is_refused(bakery: Bakery):
    bad = await bakery.run("oven")
    both = await asyncio.gather(bakery.retry(bad), bakery.retry(bad), return_exceptions=True)

    assert {type(each) for each in both} == {WorkflowRun, ConflictError}
    assert len(await bakery.rig.store.index.runs()) == 2


async def test_a_run_under_way_is_not_repeated(bakery: Bakery):
    gate = bakery.rig.doer.acts["oven"] = Gate()
    workflow = bakery.library.definition("bake")
    begun = (await bakery.rig.engine.begin(workflow, "v1", {"heat": 5}, "", BY)).run
    await gate.is_reached.wait()

    with pytest.raises(ConflictError, match="is not over; cancel it first"):
        await bakery.repair.retry(begun.id, ANN, WHY)
    gate.may_go.set()
    await bakery.rig.ended(begun.id)


@pytest.mark.parametrize("definition", ["old", "current"])
async def test_what_only_supervisors_may_start_operators_may_not_repeat(
    bakery: Bakery, definition: str
):
    bakery.change('name = "bake"', 'name = "bake"\nrole = "supervisor"')
    bad = await bakery.run("oven")

    with pytest.raises(RoleError, match="supervisor"):
        await bakery.retry(bad, definition=definition)
    await assert_untouched(bakery, bad)
    chief = msgspec.structs.replace(ANN, role=Role.SUPERVISOR)
    assert (await bakery.retry(bad, who=chief)).role == "supervisor"


async def test_a_retry_is_counted_among_the_runs_of_its_key(bakery: Bakery):
    one_at_a_time = '\n[runs]\nmode = "single"\nkey = "${input.heat}"\n\n[inputs.heat]'
    bakery.change("\n[inputs.heat]", one_at_a_time)
    bad = await bakery.run("oven")
    gate = bakery.rig.doer.acts["mix"] = Gate()
    workflow = bakery.library.definition("bake")
    other = (await bakery.rig.engine.begin(workflow, "v1", {"heat": 5}, "5", BY)).run
    await gate.is_reached.wait()

    with pytest.raises(ConflictError, match=f'runs already for "5": {other.id}'):
        await bakery.repair.retry(bad, ANN, WHY)
    assert (await bakery.rig.find(bad)).retried_by == ""
    gate.may_go.set()
    await bakery.rig.ended(other.id)


async def test_what_was_taken_back_is_done_again(bakery: Bakery):
    bakery.change(
        'with = { capability = "mix" }',
        'with = { capability = "mix" }\n'
        'compensate = { do = "task", with = { capability = "tip" } }',
    )
    bad = await bakery.run("oven")
    again = await bakery.retry(bad, step="oven")

    assert bakery.rig.doer.asked == ["mix", "oven", "pack"]
    assert {each.step: each.state for each in again.steps} == dict.fromkeys(
        ("mix", "oven", "pack"), StepState.DONE
    )


TIPS = 'compensate = { do = "task", with = { capability = "tip" } }'


async def test_what_could_not_be_taken_back_is_not_done_a_second_time(bakery: Bakery):
    bakery.change('with = { capability = "mix" }', f'with = {{ capability = "mix" }}\n{TIPS}')
    bad = await bakery.run("oven", "mix.undo")
    again = await bakery.retry(bad, step="oven")

    assert bakery.rig.doer.asked == ["oven", "pack"]
    assert (await bakery.rig.find(bad)).steps[0].compensation.startswith("not taken back")
    mix = again.steps[0]
    assert (again.state, mix.carried, mix.compensation) == (RunState.COMPLETED, True, "")


async def test_what_was_taken_back_in_part_is_not_taken_over_as_done(bakery: Bakery):
    listed = f'with = {{ capability = "mix" }}\nfor_each = "[1, 2]"\n{TIPS}'
    bakery.change('with = { capability = "mix" }', listed)
    bad = await bakery.run("oven", "mix.1.undo")

    with pytest.raises(ConflictError, match='"mix" did was not taken back as a whole: element 2'):
        await bakery.retry(bad, step="oven")
    await assert_untouched(bakery, bad)
    again = await bakery.retry(bad, step="mix")
    assert bakery.rig.doer.asked == ["mix.0", "mix.1", "oven", "pack"]
    assert again.state is RunState.COMPLETED


async def test_a_failure_that_the_run_went_past_is_taken_over_like_any_outcome(bakery: Bakery):
    bakery.change('id = "mix"', 'id = "mix"\non_error = "continue"')
    again = await bakery.retry(await bakery.run("mix", "oven"), step="oven")

    assert bakery.rig.doer.asked == ["oven", "pack"]
    mix = again.steps[0]
    assert (mix.state, mix.error, mix.carried) == (StepState.FAILED, "It did not work", True)


async def test_a_failure_that_ends_runs_by_the_definition_of_now_is_not_taken_over(bakery: Bakery):
    bakery.change('id = "mix"', 'id = "mix"\non_error = "continue"')
    bad = await bakery.run("mix", "oven")
    bakery.write(TEXT)
    again = await bakery.retry(bad, step="oven", definition="current")

    assert (again.state, bakery.rig.doer.asked) == (RunState.COMPLETED, ["mix", "oven", "pack"])


async def test_what_a_loop_was_to_do_again_is_not_taken_over_as_done(bakery: Bakery):
    bakery.change(
        'with = { capability = "pack" }',
        'with = { capability = "pack" }\n'
        'goto = { step = "mix", when = "steps.pack.round < 2", max = 3 }\n'
        '[[steps]]\nid = "ship"\ndo = "task"\nneeds = ["pack"]\nwith = { capability = "ship" }',
    )
    again = await bakery.retry(await bakery.run("oven.2"), step="ship")

    assert bakery.rig.doer.asked == ["oven", "pack", "mix.2", "oven.2", "pack.2", "ship.2"]
    assert again.state is RunState.COMPLETED


async def test_what_is_taken_over_waits_with_the_run_for_its_turn(bakery: Bakery):
    bakery.change("\n[inputs.heat]", '\n[runs]\nmode = "queued"\n\n[inputs.heat]')
    bad = await bakery.run("oven")
    gate = bakery.rig.doer.acts["mix"] = Gate()
    workflow = bakery.library.definition("bake")
    first = (await bakery.rig.engine.begin(workflow, "v1", {"heat": 5}, "", BY)).run
    await gate.is_reached.wait()
    again = await bakery.repair.retry(bad, ANN, WHY, step="oven")
    gate.may_go.set()
    await bakery.rig.ended(first.id)
    run = await bakery.rig.ended(again.id)

    assert again.state is RunState.WAITING
    assert bakery.rig.doer.asked == ["mix", "oven", "pack", "oven", "pack"]
    assert [each.carried for each in run.steps] == [True, False, False]


async def test_what_is_taken_over_survives_a_restart(tmp_path: Path):
    place, doer = database(tmp_path), FakeDoer()
    for name in ("shipped", "own"):
        (tmp_path / name).mkdir()
    async with life(place, doer) as rig:
        bakery = Bakery(rig, tmp_path)
        bad = await bakery.run("oven")
        gate = doer.acts["oven"] = Gate()
        again = await bakery.repair.retry(bad, ANN, WHY, step="oven")
        await gate.is_reached.wait()
    gate.may_go.set()
    async with life(place, doer) as rig:
        run = await rig.ended(again.id)

    assert doer.asked == ["oven", "oven", "pack"]
    assert [each.carried for each in run.steps] == [True, False, False]


async def test_while_the_file_is_broken_the_current_definition_is_its_last_good_one(
    bakery: Bakery, tmp_path: Path
):
    bad = await bakery.run("oven")
    bakery.change('capability = "pack"', 'capability = "wrap"')
    good = bakery.library.entry("bake").version
    (tmp_path / "own" / "bake.toml").write_text("name =", encoding="utf-8")
    bakery.library.refresh()
    again = await bakery.retry(bad, definition="current")

    assert outputs(again)["pack"] == {"capability": "wrap"}
    assert again.version == good


async def assert_untouched(bakery: Bakery, run_id: str) -> None:
    """Nothing was begun, and the old run may still be repeated."""
    assert bakery.rig.doer.asked == []
    assert (await bakery.rig.find(run_id)).retried_by == ""
    assert [run.id for run in await bakery.rig.store.index.runs()] == [run_id]
