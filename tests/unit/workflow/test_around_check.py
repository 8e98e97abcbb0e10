"""What a definition asks of agents, other workflows and hosts is looked for while it is written."""

from collections.abc import AsyncGenerator

import pytest

from app.core.command_check import Seen
from app.core.errors import ConflictError, NotFoundError
from app.core.workflow import Input, InputKind, Workflow
from app.core.workflow_entry import Severity
from app.plant import Plant
from app.settings import Settings, WorkflowSettings
from app.workflow.around_check import check_around
from app.workflow.definition import read_definition
from app.workflow.dry_checks import Around
from tests.unit.api.flows import client_of, working_plant

CHILD = Workflow(
    "child", (), inputs={"unit": Input(required=True), "level": Input(InputKind.NUMBER, high=10)}
)


def definition(name: str) -> Workflow:
    if name == "broken":
        raise ConflictError('Workflow "broken" has an error')
    if name != "child":
        raise NotFoundError(f'There is no workflow "{name}"')
    return CHILD


AROUND = Around(
    look=lambda _: Seen(),
    definition=definition,
    offers=lambda capability, agent: capability == "plan" and agent in {"", "planner"},
    http_hosts=("erp.local", "10.0.0.*:8080"),
)


def told(step: str) -> list[str]:
    read = read_definition(f'name = "demo"\n[inputs.x]\n[[steps]]\nid = "one"\n{step}\n')
    assert read.workflow is not None, read.problems
    problems = list(check_around(read.workflow, AROUND))
    assert {each.severity for each in problems} <= {Severity.WARNING}
    return [f"{each.where}: {each.message}" for each in problems]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            'do = "task"\nwith = { capability = "fly" }',
            'steps[0].with.capability: No live agent offers "fly" now',
        ),
        (
            'do = "task"\nwith = { capability = "plan", agent = "pilot" }',
            'steps[0].with.capability: Agent "pilot" is not alive or does not offer "plan" now',
        ),
        (
            'do = "notify"\nwith = { title = "a", message = "b" }',
            'steps[0].with: No live agent offers "notify" now',
        ),
        (
            'do = "http"\nwith = { url = "http://elsewhere.example/a" }',
            'steps[0].with.url: host "elsewhere.example" is not allowed',
        ),
        (
            'do = "http"\nwith = { url = "http://elsewhere.example/${input.x}" }',
            'steps[0].with.url: host "elsewhere.example" is not allowed',
        ),
        (
            'do = "http"\nwith = { url = "http://10.0.0.1:81/a" }',
            'steps[0].with.url: host "10.0.0.1" is not allowed',
        ),
        (
            'do = "workflow"\nwith = { name = "ghost" }',
            'steps[0].with.name: There is no workflow "ghost"',
        ),
        (
            'do = "workflow"\nwith = { name = "broken" }',
            'steps[0].with.name: Workflow "broken" has an error',
        ),
        (
            'do = "workflow"\nwith = { name = "child" }',
            'steps[0].with.input: The step does not give the required input "unit"',
        ),
        (
            'do = "workflow"\nwith = { name = "child", input = { unit = "a", ghost = 1 } }',
            'steps[0].with.input.ghost: There is no input "ghost"',
        ),
        (
            'do = "workflow"\nwith = { name = "child", input = { unit = "a", level = 11 } }',
            'steps[0].with.input.level: Input "level" must be at most 10',
        ),
        (
            'do = "publish"\nwith = { topic = "a", payload = 1 }\n[steps.compensate]\n'
            'do = "task"\nwith = { capability = "fly" }',
            'steps[0].compensate.with.capability: No live agent offers "fly" now',
        ),
        (
            'do = "publish"\nwith = { topic = "a", payload = 1 }\n'
            '[[triggers]]\non = "workflow"\nworkflow = "ghost"',
            'triggers[0].workflow: There is no workflow "ghost"',
        ),
    ],
)
def test_what_is_not_there_is_a_warning(step: str, message: str):
    (found,) = told(step)

    assert found.startswith(message)


@pytest.mark.parametrize(
    "step",
    [
        'do = "task"\nwith = { capability = "plan" }',
        'do = "task"\nwith = { capability = "plan", agent = "planner" }',
        'do = "task"\nwith = { capability = "${input.x}" }',
        'do = "task"\nwith = { capability = "plan", agent = "${input.x}" }',
        'do = "http"\nwith = { url = "http://erp.local/a" }',
        'do = "http"\nwith = { url = "http://10.0.0.1:8080/${input.x}" }',
        'do = "http"\nwith = { url = "http://${input.x}/a" }',
        'do = "http"\nwith = { url = "${input.x}" }',
        'do = "workflow"\nwith = { name = "child", input = { unit = "a", level = 3 } }',
        'do = "workflow"\nwith = { name = "child", input = { unit = "${input.x}" } }',
        'do = "workflow"\nwith = { name = "child", input = "${input.x}" }',
        'do = "workflow"\nwith = { name = "${input.x}" }',
        'do = "workflow"\nwhen = "input.x"\nwith = { name = "demo" }',
    ],
)
def test_what_is_there_or_not_known_yet_is_no_problem(step: str):
    assert told(step) == []


@pytest.fixture
async def plant(settings: Settings) -> AsyncGenerator[Plant]:
    own = WorkflowSettings(http_hosts=("erp.local",))
    async with working_plant(settings.model_copy(update={"workflow": own})) as made:
        yield made


async def test_the_app_warns_by_line_and_the_text_can_be_saved_all_the_same(plant: Plant):
    text = """
name = "far"
[[steps]]
id = "call"
do = "http"
with = { url = "http://elsewhere.example/" }
[[steps]]
id = "fly"
do = "task"
with = { capability = "fly" }
[[steps]]
id = "rest"
do = "workflow"
retry = { attempts = 2 }
with = { name = "ghost" }
"""
    async with client_of(plant) as client:
        found = (await client.post("/api/workflows/lint", json={"text": text})).json()
        saved = await client.put("/api/workflows/far", json={"text": text})

    assert found["ok"]
    lines = [(each["line"], each["severity"]) for each in found["problems"]]
    assert lines == [(6, "warning"), (10, "warning"), (14, "warning"), (15, "warning")]
    assert saved.status_code == 201


async def test_a_text_with_errors_is_told_its_errors_alone(plant: Plant):
    text = 'name = "far"\n[[steps]]\nid = "a"\ndo = "task"\nwith = { capability = "Fly!" }\n'
    async with client_of(plant) as client:
        found = (await client.post("/api/workflows/lint", json={"text": text})).json()

    assert not found["ok"]
    assert [each["line"] for each in found["problems"]] == [5]
