"""Workflows over HTTP: the catalogue, texts, starts and trials."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from app.core.run import RunState
from app.plant import Plant
from app.settings import Settings
from tests.unit.api.flows import ASK, QUICK, begin, ended, working_plant

PATH = "/api/workflows"
BOB = {"X-Actor": "bob"}
GUEST = {"X-Actor": "guest"}


@pytest.fixture
async def plant(settings: Settings) -> AsyncGenerator[Plant]:
    async with working_plant(settings) as made:
        yield made


def renamed(text: str, old: str, new: str) -> str:
    return text.replace(f'name = "{old}"', f'name = "{new}"')


def of_mode(name: str, mode: str) -> str:
    """Return a workflow that asks a person, so that its runs last."""
    return f'{renamed(ASK, "ask", name)}\n[runs]\nmode = "{mode}"\n'


async def test_the_catalogue_has_shipped_and_own_ones_with_every_field(client: httpx.AsyncClient):
    found = {each["name"]: each for each in (await client.get(PATH)).json()}

    assert found["smart_home_automation"]["origin"] == "shipped"
    own = found["quick"]
    assert (own["origin"], own["enabled"], own["active"], own["last"]) == ("own", True, 0, None)


async def test_the_catalogue_tells_the_last_run(client: httpx.AsyncClient, plant: Plant):
    run_id = await begin(client, "quick")
    await ended(plant, run_id)

    found = {each["name"]: each for each in (await client.get(PATH)).json()}
    assert (found["quick"]["last"]["id"], found["quick"]["last"]["state"]) == (run_id, "completed")


async def test_one_workflow_comes_with_its_text_and_its_inputs(client: httpx.AsyncClient):
    found = (await client.get(f"{PATH}/ask")).json()

    assert found["text"] == ASK
    assert found["inputs"]["unit"]["kind"] == "text"
    assert found["inputs"]["speed"]["high"] == 100


async def test_a_broken_one_is_shown_with_its_problems_and_no_inputs(client: httpx.AsyncClient):
    found = (await client.get(f"{PATH}/broken")).json()

    assert (found["workflow"], found["inputs"]) == (None, {})
    assert found["problems"][0]["line"] == 4


async def test_a_run_is_201_with_its_inputs_and_its_starter(client: httpx.AsyncClient):
    body = {"input": {"count": 3}, "why": "to see"}
    answer = await client.post(f"{PATH}/quick/runs", json=body, headers=BOB)
    run = answer.json()

    assert answer.status_code == 201
    assert run["input"] == {"count": 3, "hurry": False}
    assert run["started_by"] == {"kind": "http", "name": "bob", "why": "to see"}
    assert set(run) >= {"id", "workflow", "version", "state", "started_at", "ended_at", "steps"}


async def test_a_run_without_a_body_takes_the_defaults(client: httpx.AsyncClient):
    answer = await client.post(f"{PATH}/quick/runs")

    assert (answer.status_code, answer.json()["input"]["count"]) == (201, 1)


async def test_the_command_line_is_told_from_http(client: httpx.AsyncClient):
    answer = await client.post(f"{PATH}/quick/runs", headers={"X-Actor-Source": "cli"})

    assert answer.json()["started_by"]["kind"] == "cli"


async def test_the_same_id_again_is_the_same_run_and_200(client: httpx.AsyncClient):
    first = await client.post(f"{PATH}/ask/runs", json={"id": "r1", "input": {"speed": 1}})
    again = await client.post(f"{PATH}/ask/runs", json={"id": "r1", "input": {"speed": 2}})

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["input"]["speed"] == 1


@pytest.mark.parametrize("mode", ["single", "queued", "restart", "parallel"])
async def test_of_many_that_start_one_id_at_once_only_the_one_that_made_it_is_told_201(
    client: httpx.AsyncClient, mode: str
):
    await client.put(f"{PATH}/once", json={"text": of_mode("once", mode)})
    starts = (client.post(f"{PATH}/once/runs", json={"id": "r1"}) for _ in range(12))
    told = await asyncio.gather(*starts)

    assert sorted(each.status_code for each in told) == [*[200] * 11, 201]
    assert {each.json()["id"] for each in told} == {"r1"}


async def test_a_queued_run_that_was_just_made_is_201_and_again_200(client: httpx.AsyncClient):
    await client.put(f"{PATH}/queue", json={"text": of_mode("queue", "queued")})
    await begin(client, "queue")
    told = [await client.post(f"{PATH}/queue/runs", json={"id": "r2"}) for _ in range(2)]

    assert [each.status_code for each in told] == [201, 200]
    assert told[1].json()["state"] == "waiting"


async def test_of_two_workflows_that_take_one_id_at_once_one_has_it(client: httpx.AsyncClient):
    names = ["quick", "ask"] * 5
    told = await asyncio.gather(
        *(client.post(f"{PATH}/{name}/runs", json={"id": "r1"}) for name in names)
    )

    assert sorted(each.status_code for each in told) == [*[200] * 4, 201, *[409] * 5]


async def test_the_id_of_a_run_of_another_workflow_is_409(client: httpx.AsyncClient):
    await begin(client, "ask", id="r1")
    answer = await client.post(f"{PATH}/quick/runs", json={"id": "r1"})

    assert (answer.status_code, "ask" in answer.json()["message"]) == (409, True)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"input": {"count": "many"}}, "count"),
        ({"input": {"cuont": 1}}, "cuont"),
        ({"input": []}, "input"),
        ({"id": "a/b"}, "id"),
        ({"id": "../x"}, "id"),
        ({"id": "x" * 61}, "id"),
        ({"why": "x" * 1001}, "why"),
        ({"inputs": {}}, "inputs"),
        ([], "object"),
    ],
)
async def test_a_start_that_is_wrong_is_422_and_names_the_field(
    client: httpx.AsyncClient, body: object, named: str
):
    answer = await client.post(f"{PATH}/quick/runs", json=body)

    assert (answer.status_code, named in answer.json()["message"]) == (422, True)


async def test_wrong_inputs_are_named_each_by_itself(client: httpx.AsyncClient):
    body = {"input": {"count": 1.5, "hurry": "yes"}}
    answer = await client.post(f"{PATH}/quick/runs", json=body)

    assert set(answer.json()["fields"]) == {"count", "hurry"}


async def test_a_role_that_may_not_start_it_is_403(client: httpx.AsyncClient):
    refused = await client.post(f"{PATH}/chief/runs")
    taken = await client.post(f"{PATH}/chief/runs", headers=BOB)

    assert (refused.status_code, "supervisor" in refused.json()["message"]) == (403, True)
    assert taken.status_code == 201


async def test_a_broken_one_cannot_be_started(client: httpx.AsyncClient):
    answer = await client.post(f"{PATH}/broken/runs")

    assert (answer.status_code, "line 4" in answer.json()["message"]) == (409, True)


@pytest.mark.parametrize("name", ["nothing", "..%2F..%2Fsettings", "%2e%2e", "a.b", "Ask"])
async def test_what_is_not_there_is_404(client: httpx.AsyncClient, name: str):
    shown = await client.get(f"{PATH}/{name}")
    started = await client.post(f"{PATH}/{name}/runs")
    gone = await client.delete(f"{PATH}/{name}")
    switched = await client.post(f"{PATH}/{name}/enable")

    codes = [shown.status_code, started.status_code, switched.status_code, gone.status_code]
    assert codes[:3] == [404, 404, 404]
    assert gone.status_code in {404, 405}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
async def test_who_starts_is_named_as_the_client_wrote_it(client: httpx.AsyncClient, encoding: str):
    headers = {b"X-Actor": "Jürgen Weiß".encode(encoding)}
    answer = await client.post(f"{PATH}/quick/runs", headers=headers)

    assert answer.json()["started_by"]["name"] == "Jürgen Weiß"


async def test_a_name_of_forty_letters_may_be_of_any(client: httpx.AsyncClient):
    wanted = f"{PATH}/quick/runs"
    told = [
        await client.post(wanted, headers={b"X-Actor": ("Ł" * length).encode()})
        for length in (40, 41)
    ]

    assert [each.status_code for each in told] == [201, 422]


@pytest.mark.parametrize("headers", [{"X-Actor-Source": "system"}, {"X-Actor": "x" * 41}])
async def test_headers_that_are_wrong_are_422(client: httpx.AsyncClient, headers: dict[str, str]):
    assert (await client.post(f"{PATH}/quick/runs", headers=headers)).status_code == 422


async def test_without_its_store_a_start_is_503(client: httpx.AsyncClient, plant: Plant):
    await plant.workflows.stop()

    assert (await client.post(f"{PATH}/quick/runs")).status_code == 503


async def test_a_good_text_has_no_problem(client: httpx.AsyncClient):
    answer = await client.post(f"{PATH}/lint", json={"text": QUICK})

    assert answer.json() == {"ok": True, "problems": []}


async def test_problems_have_their_lines(client: httpx.AsyncClient):
    text = 'name = "x"\n[[steps]]\nid = "a"\ndo = "task"\nneeds = ["b"]\n'
    found = (await client.post(f"{PATH}/lint", json={"text": text})).json()

    assert found["ok"] is False
    assert 5 in [each["line"] for each in found["problems"]]


async def test_a_text_of_another_name_than_its_file_is_told(client: httpx.AsyncClient):
    found = (await client.post(f"{PATH}/lint", json={"text": QUICK, "name": "other"})).json()

    assert (found["ok"], found["problems"][0]["where"]) == (False, "name")


@pytest.mark.parametrize("body", [{}, {"text": 1}, {"text": "", "nmae": "x"}])
async def test_a_lint_of_nothing_is_422(client: httpx.AsyncClient, body: dict[str, object]):
    assert (await client.post(f"{PATH}/lint", json=body)).status_code == 422


async def test_a_trial_tells_what_would_be_done_and_keeps_nothing(client: httpx.AsyncClient):
    body = {"name": "ask", "input": {"speed": 7}}
    run = (await client.post(f"{PATH}/dry-run", json=body)).json()

    assert (run["is_dry"], run["steps"][0]["input"]["question"]) == (True, "Go on at 7?")
    assert (await client.get("/api/runs")).json() == []


async def test_a_text_is_tried_without_being_kept(client: httpx.AsyncClient):
    run = (await client.post(f"{PATH}/dry-run", json={"text": renamed(QUICK, "quick", "z")})).json()

    assert (run["workflow"], run["input"]["count"]) == ("z", 1)
    assert (await client.get(f"{PATH}/z")).status_code == 404


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ({}, 422, "text, name"),
        ({"text": QUICK, "name": "quick"}, 422, "text, name"),
        ({"name": "nothing"}, 404, "nothing"),
        ({"name": "quick", "input": {"count": "x"}}, 422, "count"),
        ({"text": "name = 3"}, 422, "line 1"),
        ({"name": "broken"}, 422, "line 4"),
    ],
)
async def test_a_trial_that_cannot_be_is_told(
    client: httpx.AsyncClient, body: dict[str, object], code: int, named: str
):
    answer = await client.post(f"{PATH}/dry-run", json=body)

    assert (answer.status_code, named in answer.json()["message"]) == (code, True)


async def test_a_trial_of_a_text_that_is_wrong_as_a_whole_names_the_field(
    client: httpx.AsyncClient,
):
    answer = await client.post(f"{PATH}/dry-run", json={"text": 'title = "x"'})

    assert answer.json()["fields"] == {"text": '"name" is missing'}


async def test_a_new_text_is_201_and_runs(client: httpx.AsyncClient):
    text = renamed(QUICK, "quick", "fresh")
    answer = await client.put(f"{PATH}/fresh", json={"text": text})

    assert (answer.status_code, answer.json()["name"]) == (201, "fresh")
    assert (await client.post(f"{PATH}/fresh/runs")).status_code == 201


async def test_a_text_over_an_earlier_one_is_200_with_another_version(client: httpx.AsyncClient):
    before = (await client.get(f"{PATH}/quick")).json()["version"]
    text = QUICK.replace("default = 1", "default = 2")
    answer = await client.put(f"{PATH}/quick", json={"text": text, "base_version": before})

    assert answer.status_code == 200
    assert answer.json()["version"] != before


async def test_a_text_made_from_an_older_version_is_409_and_not_kept(client: httpx.AsyncClient):
    answer = await client.put(f"{PATH}/quick", json={"text": QUICK, "base_version": "0000"})

    assert (answer.status_code, "0000" in answer.json()["message"]) == (409, True)


async def test_a_text_with_errors_is_422_and_names_them_by_line(client: httpx.AsyncClient):
    text = 'name = "quick"\n[[steps]]\nid = "a"\ndo = "dance"\n'
    answer = await client.put(f"{PATH}/quick", json={"text": text})
    kept = await client.get(f"{PATH}/quick")

    assert (answer.status_code, "line 4" in answer.json()["message"]) == (422, True)
    assert kept.json()["text"] == QUICK


@pytest.mark.parametrize("name", ["%2e%2e", "A", "a-b", "x" * 61, "con%00"])
async def test_a_name_that_is_none_reaches_no_file(
    client: httpx.AsyncClient, plant: Plant, name: str
):
    folder = plant.settings.data.dir
    before = sorted(folder.rglob("*.toml"))
    answer = await client.put(f"{PATH}/{name}", json={"text": QUICK})

    assert answer.status_code in {404, 405, 422}
    assert sorted(folder.rglob("*.toml")) == before


async def test_an_own_one_is_deleted_and_answered_as_it_was(client: httpx.AsyncClient):
    answer = await client.delete(f"{PATH}/quick")

    assert (answer.status_code, answer.json()["name"]) == (200, "quick")
    assert (await client.get(f"{PATH}/quick")).status_code == 404


async def test_a_shipped_one_cannot_be_deleted(client: httpx.AsyncClient):
    assert (await client.delete(f"{PATH}/shift_handover")).status_code == 409


async def test_a_shipped_one_comes_back_when_the_own_is_deleted(client: httpx.AsyncClient):
    text = renamed(QUICK, "quick", "shift_handover")
    hidden = (await client.put(f"{PATH}/shift_handover", json={"text": text})).json()
    await client.delete(f"{PATH}/shift_handover")

    assert hidden["hides_shipped"] is True
    assert (await client.get(f"{PATH}/shift_handover")).json()["origin"] == "shipped"


async def test_triggers_are_switched_off_and_on(client: httpx.AsyncClient):
    off = (await client.post(f"{PATH}/quick/disable")).json()
    on = (await client.post(f"{PATH}/quick/enable")).json()

    assert (off["enabled"], on["enabled"]) == (False, True)


async def test_a_viewer_changes_nothing(client: httpx.AsyncClient):
    body = {"text": QUICK}
    answers = [
        await client.put(f"{PATH}/quick", json=body, headers=GUEST),
        await client.delete(f"{PATH}/quick", headers=GUEST),
        await client.post(f"{PATH}/quick/disable", headers=GUEST),
        await client.post(f"{PATH}/quick/runs", headers=GUEST),
    ]

    assert [each.status_code for each in answers] == [403] * 4
    assert (await client.get(f"{PATH}/quick")).json()["enabled"] is True


async def test_what_is_done_is_in_the_audit_with_who_and_why(
    client: httpx.AsyncClient, plant: Plant
):
    await client.post(f"{PATH}/quick/runs", json={"why": "to see"}, headers=BOB)
    (row,) = plant.audit_rows(1)

    assert (row.actor, row.source, row.action, row.why) == (
        "bob",
        "http",
        "start workflow",
        "to see",
    )


async def test_the_system_state_counts_runs_that_are_not_over(
    client: httpx.AsyncClient, plant: Plant
):
    await ended(plant, await begin(client, "quick"))
    await begin(client, "ask")

    state = (await client.get("/api/orchestrator/system-state")).json()
    assert state["runs"] == 1
    assert state["decisions"][0]["action"] == "start workflow"


async def test_metrics_count_runs_and_commands_by_state(client: httpx.AsyncClient, plant: Plant):
    await ended(plant, await begin(client, "quick"))
    text = (await client.get("/metrics")).text

    assert f'millwright_runs{{state="{RunState.COMPLETED.value}"}} 1' in text
    assert 'millwright_commands{state="verified"} 0' in text
    assert "\nmillwright_approvals_open 0\n" in text


async def test_metrics_leave_out_what_cannot_be_counted(client: httpx.AsyncClient, plant: Plant):
    await plant.workflows.stop()
    answer = await client.get("/metrics")

    assert (answer.status_code, "millwright_runs" in answer.text) == (200, False)
