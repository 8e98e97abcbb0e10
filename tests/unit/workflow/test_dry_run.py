"""A dry run fails where the run would surely fail, and says `?` where nobody can know yet."""

from datetime import UTC, datetime

import msgspec
import pytest

from app.core.actor import Role
from app.core.command_check import Seen
from app.core.equipment import Tag
from app.core.errors import InputError, NotFoundError
from app.core.reading import Quality, Reading, Reason
from app.core.run import RunState, StartedBy, StepState, WorkflowRun
from app.core.workflow import Workflow
from app.core.workflow_check import checked_input
from app.core.write_rule import CommandSource, Interlock, WriteRule
from app.workflow.definition import read_definition
from app.workflow.dry_checks import Around
from app.workflow.dry_run import dry_run
from tests.unit.workflow.engine_rig import HastyClock
from tests.unit.workflow.test_shipped import FUNCTIONS, GIVEN, NAMES, workflow_of

UNIT = "riverside/utilities/cooling/pump-101"
SPEED, HEAT, MODE, LOCKED = (f"{UNIT}/{name}" for name in ("speed", "heat", "mode", "locked"))
RULE = WriteRule(max_step=10, min_interval_s=60, interlocks=(Interlock("heat", ">", 900),))
SENIOR = WriteRule(role=Role.ENGINEER)
UI_ONLY = WriteRule(sources=(CommandSource.UI,))
TAGS = [
    Tag(path=SPEED, unit="%", low=40, high=105, write=RULE),
    Tag(path=HEAT, unit="Cel", low=0, high=100),
    Tag(path=MODE, unit="1", low=0, high=3, write=SENIOR),
    Tag(path=LOCKED, unit="1", low=0, high=3, write=UI_ONLY),
]
CHILD = """
name = "child"
[inputs.level]
kind = "number"
required = true
high = 5
[[steps]]
id = "one"
do = "wait"
with = { seconds = 1 }
"""
TEN_MB = ", ".join(["\"${'x' * 50000}\""] * 200)
HEAD = """
name = "demo"
[inputs.n]
kind = "integer"
default = 0
"""


class Plant:
    """Some tags and one child workflow; `heat` is bad."""

    def __init__(self) -> None:
        at = datetime.now(UTC)
        self.readings = {
            tag.path: Reading(tag.path, 100.0, Quality.GOOD, at, at, Reason.NONE) for tag in TAGS
        }
        self.readings[HEAT] = Reading(HEAT, 20.0, Quality.BAD, at, at, Reason.NONE)
        self.clock = HastyClock()
        self.clock._now = at  # pyright: ignore[reportPrivateUsage]  readings are of now

    def look(self, path: str) -> Seen:
        tag = next((each for each in TAGS if each.path == path), None)
        return Seen(tag, self.readings[path]) if tag else Seen()

    def tag(self, path: str) -> float | None:
        reading = self.readings.get(path)
        if reading is None or reading.quality is not Quality.GOOD:
            raise InputError(f'Tag "{path}" has no good value')
        return reading.value

    def definition(self, name: str) -> Workflow:
        if name != "child":
            raise NotFoundError(f'There is no workflow "{name}"')
        return parsed(CHILD)

    def offers(self, capability: str, agent: str) -> bool:
        return capability == "lookup" and agent in {"", "knowledge"}


def parsed(text: str) -> Workflow:
    read = read_definition(text)
    assert read.workflow is not None, read.problems
    return read.workflow


async def tried(steps: str, role: Role = Role.OPERATOR, **given: object) -> WorkflowRun:
    plant, workflow = Plant(), parsed(HEAD + steps)
    return await dry_run(
        workflow,
        "v1",
        checked_input(workflow, given),
        key="",
        by=StartedBy("dry run", "ann"),
        role=role,
        functions={"tag": plant.tag},
        around=Around(plant.look, plant.definition, plant.offers, ("plant.local",)),
        clock=plant.clock,
    )


def one(do: str, fields: str, more: str = "") -> str:
    return f'[[steps]]\nid = "a"\ndo = "{do}"\n{more}\nwith = {{ {fields} }}\n'


def notes(run: WorkflowRun, step: int = 0) -> str:
    return "; ".join(line.text for line in run.steps[step].log)


@pytest.mark.parametrize(
    ("do", "fields", "why"),
    [
        ("publish", 'topic = "a/b", payload = "${1 / input.n}"', "payload: .*by zero"),
        ("publish", 'topic = "a/b", payload = { x = ["${input.n + \'y\'}"] }', "unsupported"),
        ("publish", 'topic = "a/b", payload = "${tag(\'a/b/c/d/e\')}"', "a/b/c/d/e.* not known"),
        ("publish", "topic = \"${'data/' + str(input.n)}\", payload = 1", "one of the app"),
        ("publish", "topic = \"${'a b'}\", payload = 1", "holds a blank"),
        ("publish", "topic = \"${'rooms/hall\\\\n'}\", payload = 1", "holds a line break"),
        ("publish", "topic = \"${''}\", payload = 1", "is empty"),
        ("publish", f'topic = "a/b", payload = [{TEN_MB}]', "bytes .*is too large"),
        ("workflow", 'name = "nobody", input = {}', "no workflow"),
        ("workflow", 'name = "child", input = { level = 1, wrong = 1 }', "wrong is no input"),
        ("workflow", 'name = "child", input = {}', "level is required"),
        ("workflow", 'name = "child", input = { level = 9 }', "level must be at most 5"),
        ("workflow", 'name = "child", input = { level = "${input.n + 6}" }', "at most 5"),
        ("http", 'url = "http://example.com/"', "not allowed"),
        ("http", 'url = "http://plant.local/", method = "${\'LOOK\'}"', "none of GET"),
        ("http", "url = \"${'http://plant.local/\\\\n'}\"", "url: .*control character"),
        ("http", 'url = "http://plant.local/", headers = { X-A = "${\'ü\'}" }', '"X-A" holds "ü"'),
        ("command", f'tag = "{UNIT}/none", value = 1', "not known"),
        ("command", f'tag = "{SPEED}", value = 9999', "between 40 and 105"),
        ("command", f'tag = "{SPEED}", value = 80', "At most 10 from the present 100"),
        ("command", f'tag = "{SPEED}", value = "${{str(input.n) + \'x\'}}"', "is no number"),
        ("command", f'tag = "{HEAT}", value = 5', "no write rule"),
        ("command", f'tag = "{MODE}", value = 1', "Needs the role engineer"),
        ("command", f'tag = "{LOCKED}", value = 1', "May come from ui; comes from workflow"),
        ("wait", 'seconds = "${input.n + 50}"', "50 is not between 0 and 5"),
        ("wait", 'until = "1 / input.n > 0"', "by zero"),
        ("wait", "until = \"'tomorrow'\"", "neither a condition nor a time"),
        ("approve", 'question = "Go on?", role = "${\'boss\'}"', "none of"),
        ("task", 'capability = "lookup", input = "${input.n}"', "input: is int and no object"),
    ],
)
async def test_what_must_fail_fails(do: str, fields: str, why: str):
    run = await tried(one(do, fields, "timeout_s = 5"))

    assert (run.state, run.steps[0].state) == (RunState.FAILED, StepState.FAILED)
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(run.steps[0].error)
    assert run.reason == f"a: {run.steps[0].error}"


@pytest.mark.parametrize(
    ("do", "fields"),
    [
        ("publish", 'topic = "a/b", payload = "${1 / (input.n + 1)}"'),
        ("workflow", 'name = "child", input = { level = 5 }'),
        ("http", 'url = "http://plant.local/x"'),
        ("command", f'tag = "{SPEED}", value = 91'),
        ("wait", "seconds = 5"),
        ("wait", f"until = \"tag('{HEAT}') > 3\""),
        ("wait", 'until = "2026-01-01T00:00:00Z"'),
        ("approve", 'question = "Go on?", role = "engineer"'),
        ("task", 'capability = "lookup", agent = "knowledge"'),
        ("task", 'capability = "nobody_does"'),
    ],
)
async def test_what_may_go_well_does(do: str, fields: str):
    run = await tried(one(do, fields, "timeout_s = 5"))

    assert (run.state, run.reason, run.steps[0].error) == (RunState.COMPLETED, "", "")


FIRST = '[[steps]]\nid = "first"\ndo = "task"\nwith = { capability = "lookup" }\n'


@pytest.mark.parametrize(
    ("do", "fields", "shown"),
    [
        ("publish", 'topic = "a/b", payload = "${1 / steps.first.output.n}"', ("payload", "?")),
        ("publish", 'topic = "a/b", payload = "${len(steps.first.output)}"', ("payload", "?")),
        ("publish", 'topic = "a/b", payload = "${len(steps)}"', ("payload", "?")),
        ("publish", 'topic = "a/b", payload = "At ${steps.first.error} of ${input.n}"',
         ("payload", "At ? of 0")),
        ("publish", 'topic = "a/b", payload = "${input.n == 0 or steps.first.output}"',
         ("payload", True)),
        ("publish", f'topic = "a/b", payload = "${{tag(\'{HEAT}\')}}"', ("payload", "?")),
        ("publish", 'topic = "a/b", payload = "all steps of ${input.n}"',
         ("payload", "all steps of 0")),
        ("publish", 'topic = "${steps.first.output.topic}", payload = 1', ("topic", "?")),
        ("http", 'url = "${steps.first.output}"', ("url", "?")),
        ("wait", 'seconds = "${steps.first.output}"', ("seconds", "?")),
        ("workflow", 'name = "${steps.first.output}"', ("name", "?")),
        ("workflow", 'name = "child", input = { level = "${steps.first.output}" }',
         ("input", {"level": "?"})),
        ("workflow", 'name = "child", input = "${steps.first.output}"', ("input", "?")),
        ("command", 'tag = "${steps.first.output}", value = 1', ("tag", "?")),
        ("command", f'tag = "{SPEED}", value = "${{steps.first.output}}"', ("value", "?")),
        ("task", 'capability = "${steps.first.output}"', ("capability", "?")),
    ],
)  # fmt: skip
async def test_what_depends_on_a_result_is_a_question_mark(
    do: str, fields: str, shown: tuple[str, object]
):
    run = await tried(FIRST + one(do, fields, 'needs = ["first"]'))

    assert (run.state, run.steps[1].error) == (RunState.COMPLETED, "")
    assert type(run.steps[1].input[shown[0]]) is type(shown[1])
    assert run.steps[1].input[shown[0]] == shown[1]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ("topic = \"${'data'}/${steps.first.output}\", payload = 1", "one of the app"),
        ('topic = "a/${steps.first.output}", payload = "${1 / input.n}"', "by zero"),
        ('topic = "${1 / input.n + steps.first.output}", payload = 1', "by zero"),
    ],
)
async def test_what_must_fail_whatever_the_result_is_fails(fields: str, why: str):
    run = await tried(FIRST + one("publish", fields, 'needs = ["first"]'))

    assert run.state is RunState.FAILED
    assert why in run.steps[1].error


async def test_an_unknown_input_of_a_child_fails_though_its_value_is_not_known():
    fields = 'name = "child", input = { level = 1, wrong = "${steps.first.output}" }'
    run = await tried(FIRST + one("workflow", fields, 'needs = ["first"]'))

    assert "wrong is no input" in run.steps[1].error


async def test_each_element_is_looked_at_and_shown():
    fields = 'topic = "a/${item}", payload = "${item * 10 + index}"'
    run = await tried(one("publish", fields, 'for_each = "[1, 2]"'))

    assert run.steps[0].input == [
        {"topic": "a/1", "payload": 10},
        {"topic": "a/2", "payload": 21},
    ]


async def test_an_element_that_must_fail_is_named():
    fields = 'topic = "a/b", payload = "${1 / item}"'
    run = await tried(one("publish", fields, 'for_each = "[1, 0]"'))

    assert run.steps[0].error.startswith("Element 1: payload: ")
    assert run.steps[0].input == [{"topic": "a/b", "payload": 1.0}]


async def test_elements_that_nobody_knows_yet_are_question_marks():
    more = 'needs = ["first"]\nfor_each = "steps.first.output.items"'
    fields = 'topic = "a/${item.id}", payload = "${item * 10}"'
    run = await tried(FIRST + one("publish", fields, more))

    assert run.steps[1].input == [{"topic": "a/?", "payload": "?"}]
    assert "For each of steps.first.output.items" in notes(run, 1)


@pytest.mark.parametrize(
    ("each", "why"), [("input.n", "gives int and no list"), ("[1] * 1001", "1001 elements")]
)
async def test_a_for_each_over_what_is_no_list_fails(each: str, why: str):
    run = await tried(one("publish", 'topic = "a", payload = 1', f'for_each = "{each}"'))

    assert why in run.steps[0].error


async def test_of_many_elements_the_first_are_looked_at_and_the_step_says_so():
    run = await tried(one("publish", 'topic = "a", payload = 1', 'for_each = "[1] * 1000"'))

    assert len(run.steps[0].input) == 20
    assert "For each of 1000 elements; the first 20 are looked at" in notes(run)


async def test_a_capability_that_nobody_offers_is_said():
    run = await tried(one("task", 'capability = "nobody_does"'))
    away = await tried(one("task", 'capability = "lookup", agent = "planner"'))

    assert 'No live agent offers "nobody_does" now; it would wait for that, at most 60 s' in notes(
        run
    )
    assert 'Agent planner is not alive or does not offer "lookup"' in notes(away)


async def test_interlocks_and_rates_are_left_to_the_run():
    run = await tried(one("command", f'tag = "{SPEED}", value = 95'))

    assert run.state is RunState.COMPLETED
    assert "interlocks are looked at when it runs" in notes(run)
    assert "As of now: heat must be > 900" in notes(run)


async def test_a_step_from_a_value_that_an_earlier_step_sets_is_left_to_the_run():
    second = one("command", f'tag = "{SPEED}", value = 81', 'needs = ["b"]')
    first = one("command", f'tag = "{SPEED}", value = 91').replace('"a"', '"b"')
    run = await tried(first + second)

    assert run.state is RunState.COMPLETED


async def test_the_role_of_who_tries_it_counts():
    run = await tried(one("command", f'tag = "{MODE}", value = 1'), Role.ENGINEER)

    assert run.state is RunState.COMPLETED


def follows(more: str) -> str:
    steps = one("publish", 'topic = "a", payload = "${1 / input.n}"', more)
    return steps + (
        '[[steps]]\nid = "next"\ndo = "wait"\nneeds = ["a"]\nwith = { seconds = 1 }\n'
        '[[steps]]\nid = "beside"\ndo = "publish"\n'
        'with = { topic = "b", payload = "${2 / input.n}" }\n'
        '[[steps]]\nid = "rescue"\ndo = "wait"\nwith = { seconds = 1 }\n'
    )


def ways(run: WorkflowRun) -> dict[str, str]:
    return {each.step: each.state.value for each in run.steps}


@pytest.mark.parametrize("name", NAMES)
async def test_a_shipped_workflow_tried_with_its_own_inputs_would_go_well(name: str):
    plant, workflow = Plant(), workflow_of(name)

    def look(path: str) -> Seen:
        tag = Tag(path=path, unit="%", low=0, high=200, write=WriteRule())
        return Seen(tag, msgspec.structs.replace(plant.readings[SPEED], tag=path))

    run = await dry_run(
        workflow,
        "v1",
        checked_input(workflow, GIVEN[name]),
        key="",
        by=StartedBy("dry run", "ann"),
        role=Role.ENGINEER,
        functions=FUNCTIONS,
        around=Around(look, plant.definition, plant.offers, ()),
        clock=plant.clock,
    )

    assert (run.state, run.reason) == (RunState.COMPLETED, "")


async def test_what_comes_after_a_failure_is_not_reached_and_what_is_beside_it_is_looked_at():
    run = await tried(follows(""))

    assert ways(run) == {
        "a": "failed",
        "next": "cancelled",
        "beside": "failed",
        "rescue": "done",
    }
    assert run.steps[1].error == "a failed"


async def test_a_failure_that_is_gone_past_does_not_fail_the_run():
    run = await tried(follows('on_error = "continue"'), n=0)
    steps = ways(run)

    assert (steps["a"], steps["next"]) == ("failed", "done")
    assert run.reason.startswith("beside: ")


async def test_an_error_goes_its_way():
    run = await tried(follows('on_error = "goto:rescue"'))
    good = await tried(follows('on_error = "goto:rescue"'), n=1)

    assert (ways(run)["a"], ways(run)["next"], ways(run)["rescue"]) == ("failed", "skipped", "done")
    assert (ways(good)["rescue"], good.state) == ("skipped", RunState.COMPLETED)
    assert "Only after an error of a" in notes(good, 3)


async def test_an_error_that_leads_back_ends_the_run_at_last():
    more = 'needs = ["first"]\non_error = "goto:first"'
    run = await tried(FIRST + one("publish", 'topic = "a", payload = "${1 / input.n}"', more))

    assert (run.state, ways(run)["a"]) == (RunState.FAILED, "failed")


@pytest.mark.parametrize(
    ("when", "state"),
    [
        ("input.n == 1", StepState.SKIPPED),
        ("input.n == 0", StepState.DONE),
        ("steps.first.output.ok", StepState.DONE),
        ("input.n == 1 and steps.first.output.ok", StepState.SKIPPED),
        ("1 / input.n > 0", StepState.FAILED),
        ("'steps' == 'x'", StepState.SKIPPED),
    ],
)
async def test_a_condition_is_computed_where_it_can_be(when: str, state: StepState):
    fields = 'topic = "a", payload = 1'
    run = await tried(FIRST + one("publish", fields, f'needs = ["first"]\nwhen = "{when}"'))

    assert run.steps[1].state is state


async def test_a_condition_of_a_loop_that_cannot_be_computed_fails():
    more = 'goto = { step = "a", when = "1 / input.n > 0" }'
    run = await tried(one("publish", 'topic = "a", payload = 1', more))

    assert run.steps[0].error.startswith("goto.when: ")


async def test_a_workflow_that_calls_itself_is_judged_by_the_text_that_is_tried():
    when = 'when = "input.n == 0"'
    good = await tried(one("workflow", 'name = "demo", input = { n = 1 }', when))
    bad = await tried(one("workflow", 'name = "demo", input = { m = 1 }', when))

    assert good.state is RunState.COMPLETED
    assert "m is no input" in bad.steps[0].error
