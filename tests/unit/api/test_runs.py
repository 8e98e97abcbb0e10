"""Runs over HTTP: lists, steps, repair, decisions, and many at once."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from app.plant import Plant
from app.settings import Settings
from tests.unit.api.flows import FAIL, QUICK, asking, begin, ended, working_plant

PATH = "/api/runs"
BOB = {"X-Actor": "bob"}
GUEST = {"X-Actor": "guest"}
WHY = {"why": "the valve was shut"}
NOBODY = "0000000000000000"


@pytest.fixture
async def plant(settings: Settings) -> AsyncGenerator[Plant]:
    async with working_plant(settings) as made:
        yield made


async def failed(client: httpx.AsyncClient, plant: Plant) -> str:
    run_id = await begin(client, "fail")
    await ended(plant, run_id)
    return run_id


async def waiting(
    client: httpx.AsyncClient, plant: Plant, name: str = "ask", count: int = 1
) -> str:
    run_id = await begin(client, name)
    await asking(plant, run_id, count)
    return run_id


def ids(answer: httpx.Response) -> list[str]:
    return [each["id"] for each in answer.json()]


async def test_a_run_has_every_field_and_its_steps(client: httpx.AsyncClient, plant: Plant):
    run = (await client.get(f"{PATH}/{await waiting(client, plant)}")).json()

    assert (run["state"], run["ended_at"]) == ("waiting", None)
    (step,) = run["steps"]
    assert (step["step"], step["state"], step["round"]) == ("first", "waiting", 1)
    assert step["input"]["question"] == "Go on at 5?"


async def test_a_run_that_failed_says_where_and_why(client: httpx.AsyncClient, plant: Plant):
    run = (await client.get(f"{PATH}/{await failed(client, plant)}")).json()

    assert (run["state"], [each["state"] for each in run["steps"]]) == (
        "failed",
        ["done", "failed"],
    )
    assert run["reason"].startswith("broken: ")
    assert run["ended_at"] > run["started_at"]


async def test_the_definition_of_a_run_is_that_of_its_start(
    client: httpx.AsyncClient, plant: Plant
):
    run_id = await begin(client, "quick")
    text = QUICK.replace('id = "rest"', 'id = "pause"')
    await client.put("/api/workflows/quick", json={"text": text})
    found = (await client.get(f"{PATH}/{run_id}/definition")).json()

    assert [each["id"] for each in found["steps"]] == ["rest"]


async def test_the_list_is_newest_first_and_goes_on_before_an_id(client: httpx.AsyncClient):
    made = [await begin(client, "ask", input={"speed": speed}) for speed in range(3)]
    first = await client.get(f"{PATH}?limit=2")
    rest = await client.get(f"{PATH}?limit=2&before={ids(first)[-1]}")

    assert sorted([*ids(first), *ids(rest)]) == sorted(made)
    assert ids(first) == sorted(ids(first), reverse=True)


async def test_the_list_is_of_a_workflow_of_states_and_of_a_text(
    client: httpx.AsyncClient, plant: Plant
):
    bad = await failed(client, plant)
    asks = await waiting(client, plant)

    assert ids(await client.get(f"{PATH}?workflow=ask")) == [asks]
    assert ids(await client.get(f"{PATH}?state=failed&state=completed")) == [bad]
    assert ids(await client.get(f"{PATH}?state=waiting")) == [asks]
    assert ids(await client.get(f"{PATH}?text=operator&workflow=fail")) == [bad]
    assert ids(await client.get(f"{PATH}?key=nothing")) == []


@pytest.mark.parametrize("path", [f"{PATH}?dead=true", "/api/dead-letters/runs"])
async def test_dead_letters_are_what_failed_and_nobody_has_seen_to(
    client: httpx.AsyncClient, plant: Plant, path: str
):
    bad, seen = await failed(client, plant), await failed(client, plant)
    await client.post(f"{PATH}/{seen}/review", json=WHY)

    assert ids(await client.get(path)) == [bad]


@pytest.mark.parametrize(
    "query",
    [
        "state=sleeping",
        "limit=0",
        "limit=1001",
        "limit=x",
        "dead=true&workflow=ask",
        "dead=true&state=failed",
        "dead=perhaps",
        f"text={'x' * 201}",
    ],
)
async def test_a_list_that_cannot_be_is_422(client: httpx.AsyncClient, query: str):
    assert (await client.get(f"{PATH}?{query}")).status_code == 422


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("retry", WHY),
        ("cancel", WHY),
        ("review", WHY),
        ("approve", {}),
        ("reject", {"note": "no"}),
    ],
)
async def test_what_is_not_there_is_404(
    client: httpx.AsyncClient, verb: str, body: dict[str, object]
):
    assert (await client.post(f"{PATH}/{NOBODY}/{verb}", json=body)).status_code == 404


@pytest.mark.parametrize("path", ["", "/definition"])
async def test_a_run_that_is_not_there_is_404(client: httpx.AsyncClient, path: str):
    assert (await client.get(f"{PATH}/{NOBODY}{path}")).status_code == 404


@pytest.mark.parametrize(
    ("verb", "body", "named"),
    [
        ("retry", {}, "why"),
        ("retry", {"why": " "}, "why"),
        ("retry", {**WHY, "definition": "new"}, "definition"),
        ("retry", {**WHY, "from": "sure"}, "from"),
        ("cancel", {}, "why"),
        ("cancel", {"why": ""}, "why"),
        ("review", {"why": "x" * 1001}, "why"),
        ("review", [], "object"),
        ("reject", {}, "note"),
        ("approve", {"why": "x"}, "why"),
    ],
)
async def test_a_body_that_is_wrong_is_422_and_names_the_field(
    client: httpx.AsyncClient, plant: Plant, verb: str, body: object, named: str
):
    answer = await client.post(f"{PATH}/{await failed(client, plant)}/{verb}", json=body)

    assert (answer.status_code, named in answer.json()["message"]) == (422, True)


async def test_a_retry_is_a_new_run_that_names_the_old(client: httpx.AsyncClient, plant: Plant):
    bad = await failed(client, plant)
    answer = await client.post(f"{PATH}/{bad}/retry", json=WHY, headers=BOB)
    again = answer.json()

    assert (answer.status_code, again["retry_of"]) == (201, bad)
    assert again["started_by"]["name"] == "bob"
    assert (await client.get(f"{PATH}/{bad}")).json()["retried_by"] == again["id"]


async def test_a_retry_from_a_step_takes_over_what_was_done_before_it(
    client: httpx.AsyncClient, plant: Plant
):
    bad = await failed(client, plant)
    again = (await client.post(f"{PATH}/{bad}/retry", json={**WHY, "step": "broken"})).json()
    await ended(plant, again["id"])
    steps = (await client.get(f"{PATH}/{again['id']}")).json()["steps"]

    assert [(each["step"], each["carried"]) for each in steps] == [
        ("sure", True),
        ("broken", False),
    ]


async def test_a_retry_goes_by_the_current_definition_if_asked(
    client: httpx.AsyncClient, plant: Plant
):
    bad = await failed(client, plant)
    mended = QUICK.replace('name = "quick"', 'name = "fail"')
    await client.put("/api/workflows/fail", json={"text": mended})
    again = await client.post(f"{PATH}/{bad}/retry", json={**WHY, "definition": "current"})

    assert await ended(plant, again.json()["id"]) == "completed"


async def test_a_retry_from_a_step_that_is_not_there_is_404(
    client: httpx.AsyncClient, plant: Plant
):
    bad = await failed(client, plant)
    answer = await client.post(f"{PATH}/{bad}/retry", json={**WHY, "step": "nothing"})

    assert (answer.status_code, "nothing" in answer.json()["message"]) == (404, True)


async def test_a_retry_stands_in_the_audit_with_who_whence_and_why(
    client: httpx.AsyncClient, plant: Plant
):
    bad = await failed(client, plant)
    body = {**WHY, "step": "broken", "definition": "current"}
    await client.post(f"{PATH}/{bad}/retry", json=body, headers=BOB)
    (row,) = (await client.get("/api/audit?action=retry+run")).json()["items"]

    assert (row["actor"], row["why"], row["outcome"]) == ("bob", WHY["why"], "done")
    assert row["target"] == f"{bad} from broken, current definition"


async def test_a_retry_that_is_refused_stands_in_the_audit_with_the_step_that_is_gone(
    client: httpx.AsyncClient, plant: Plant
):
    bad = await failed(client, plant)
    renamed = FAIL.replace('"sure"', '"certain"')
    await client.put("/api/workflows/fail", json={"text": renamed})
    body = {**WHY, "step": "broken", "definition": "current"}
    answer = await client.post(f"{PATH}/{bad}/retry", json=body)
    (row,) = (await client.get("/api/audit?action=retry+run")).json()["items"]

    assert (answer.status_code, '"sure"' in answer.json()["message"]) == (409, True)
    assert (row["outcome"], '"sure"' in row["reason"]) == ("refused", True)


async def test_a_run_under_way_is_neither_repeated_nor_seen_to(
    client: httpx.AsyncClient, plant: Plant
):
    run_id = await waiting(client, plant)
    codes = [
        (await client.post(f"{PATH}/{run_id}/{verb}", json=WHY)).status_code
        for verb in ("retry", "review")
    ]

    assert codes == [409, 409]


async def test_a_run_is_cancelled_with_who_and_why(client: httpx.AsyncClient, plant: Plant):
    run_id = await waiting(client, plant)
    answer = await client.post(f"{PATH}/{run_id}/cancel", json=WHY, headers=BOB)
    await ended(plant, run_id)
    run = (await client.get(f"{PATH}/{run_id}")).json()

    assert (answer.status_code, run["state"]) == (202, "cancelled")
    assert run["reason"] == "Cancelled by bob: the valve was shut"


async def test_a_run_that_is_over_cannot_be_cancelled(client: httpx.AsyncClient, plant: Plant):
    bad = await failed(client, plant)

    assert (await client.post(f"{PATH}/{bad}/cancel", json=WHY)).status_code == 409


async def test_a_viewer_may_do_nothing_about_a_run(client: httpx.AsyncClient, plant: Plant):
    run_id = await waiting(client, plant)
    bodies: dict[str, dict[str, str]] = {"cancel": WHY, "approve": {}, "reject": {"note": "no"}}
    codes = [
        (await client.post(f"{PATH}/{run_id}/{verb}", json=body, headers=GUEST)).status_code
        for verb, body in bodies.items()
    ]

    assert codes == [403, 403, 403]


async def test_the_one_question_of_a_run_is_approved_without_naming_it(
    client: httpx.AsyncClient, plant: Plant
):
    run_id = await waiting(client, plant)
    answer = await client.post(f"{PATH}/{run_id}/approve", headers=BOB)

    assert (answer.status_code, answer.json()["state"]) == (200, "approved")
    assert answer.json()["decided_by"] == "bob"
    assert await ended(plant, run_id) == "completed"


async def test_a_rejection_has_its_reason(client: httpx.AsyncClient, plant: Plant):
    run_id = await waiting(client, plant)
    answer = await client.post(f"{PATH}/{run_id}/reject", json={"note": "too fast"})

    assert (answer.json()["state"], answer.json()["note"]) == ("rejected", "too fast")


async def test_a_rejection_without_a_reason_is_422(client: httpx.AsyncClient, plant: Plant):
    run_id = await waiting(client, plant)

    answer = await client.post(f"{PATH}/{run_id}/reject", json={"note": " "})
    assert answer.status_code == 422
    assert len((await client.get("/api/approvals")).json()) == 1


async def test_of_several_questions_none_is_taken_unless_named(
    client: httpx.AsyncClient, plant: Plant
):
    run_id = await waiting(client, plant, "ask_twice", 2)
    unnamed = await client.post(f"{PATH}/{run_id}/approve")
    named = await client.post(f"{PATH}/{run_id}/approve", json={"step": "first"})

    assert (unnamed.status_code, unnamed.json()["hint"]) == (409, "Name one as step: first, second")
    assert (named.status_code, named.json()["step"]) == (200, "first")


async def test_a_question_above_ones_role_is_403(client: httpx.AsyncClient, plant: Plant):
    run_id = await waiting(client, plant, "ask_twice", 2)
    body = {"step": "second"}
    below = await client.post(f"{PATH}/{run_id}/approve", json=body)
    above = await client.post(f"{PATH}/{run_id}/approve", json=body, headers=BOB)

    assert (below.status_code, "supervisor" in below.json()["message"]) == (403, True)
    assert above.status_code == 200


async def test_a_step_that_asks_nothing_is_409_and_says_which_does(
    client: httpx.AsyncClient, plant: Plant
):
    run_id = await waiting(client, plant)
    answer = await client.post(f"{PATH}/{run_id}/approve", json={"step": "other"})

    assert (answer.status_code, answer.json()["hint"]) == (409, "It waits at: first")


async def test_a_run_that_is_over_waits_for_nothing(client: httpx.AsyncClient, plant: Plant):
    bad = await failed(client, plant)
    answer = await client.post(f"{PATH}/{bad}/approve")

    assert (answer.status_code, answer.json()["hint"]) == (409, "It is failed")


async def test_approvals_are_listed_open_and_decided(client: httpx.AsyncClient, plant: Plant):
    run_id = await waiting(client, plant, "ask_twice", 2)
    await client.post(f"{PATH}/{run_id}/approve", json={"step": "first", "note": "fine"})
    still = (await client.get("/api/approvals?open=true")).json()
    decided = (await client.get("/api/approvals?open=false")).json()

    assert [(each["step"], each["decided_by"]) for each in still] == [("second", "")]
    assert [(each["step"], each["note"]) for each in decided] == [("first", "fine")]


async def test_many_are_repeated_and_each_has_its_outcome(client: httpx.AsyncClient, plant: Plant):
    bad, asks = await failed(client, plant), await waiting(client, plant)
    body = {"ids": [bad, asks, NOBODY, bad], "action": "retry", **WHY}
    outcomes = (await client.post(f"{PATH}/bulk", json=body)).json()

    assert [(each["id"], each["ok"]) for each in outcomes] == [
        (bad, True),
        (asks, False),
        (NOBODY, False),
    ]
    assert (await client.get(f"{PATH}/{outcomes[0]['run']}")).json()["retry_of"] == bad
    assert "not over" in outcomes[1]["message"]


@pytest.mark.parametrize(("action", "state"), [("cancel", "cancelled"), ("review", "failed")])
async def test_many_are_cancelled_or_seen_to(
    client: httpx.AsyncClient, plant: Plant, action: str, state: str
):
    runs = [await failed(client, plant), await waiting(client, plant)]
    body = {"ids": runs, "action": action, **WHY}
    outcomes = (await client.post(f"{PATH}/bulk", json=body)).json()
    (done,) = [each["id"] for each in outcomes if each["ok"]]

    assert await ended(plant, done) == state


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"ids": [], "action": "retry", **WHY}, "ids"),
        ({"ids": ["x"] * 501, "action": "retry", **WHY}, "ids"),
        ({"ids": ["x"], "action": "delete", **WHY}, "action"),
        ({"ids": ["x"], "action": "retry"}, "why"),
        ({"ids": ["x"], "action": "retry", "why": " "}, "why"),
        ({"ids": "x", "action": "retry", **WHY}, "ids"),
    ],
)
async def test_many_that_cannot_be_asked_for_are_422(
    client: httpx.AsyncClient, body: dict[str, object], named: str
):
    answer = await client.post(f"{PATH}/bulk", json=body)

    assert (answer.status_code, named in answer.json()["message"]) == (422, True)


async def test_without_its_store_it_is_503(client: httpx.AsyncClient, plant: Plant):
    await plant.workflows.stop()
    paths = [PATH, f"{PATH}/{NOBODY}", "/api/approvals", "/api/dead-letters/runs"]

    assert [(await client.get(path)).status_code for path in paths] == [503] * 4
