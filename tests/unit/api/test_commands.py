"""Commands over HTTP: what is asked, what is answered, and who may do what."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from app.api import commands, errors
from app.clock import ManualClock
from app.core.actor import Role
from app.settings import PeopleSettings, Settings
from tests.unit.commands.rig import FREE, LOCKED, MEASURED, SPEED, TWO, Rig, offline

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PATH = "/api/commands"


class Beside:
    """What the routes need of a plant."""

    def __init__(self, rig: Rig) -> None:
        roles = PeopleSettings(roles={"guest": Role.VIEWER})
        self.commands = rig.gateway
        self.settings = rig.settings.model_copy(update={"people": roles})


@pytest.fixture
async def rig(settings: Settings) -> AsyncGenerator[Rig]:
    async with offline(settings, ManualClock(NOW)) as made:
        yield made


@pytest.fixture
async def client(rig: Rig) -> AsyncGenerator[httpx.AsyncClient]:
    api = FastAPI()
    errors.install(api)
    api.include_router(commands.router(Beside(rig)))
    transport = httpx.ASGITransport(api, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as made:
        yield made


async def asked(client: httpx.AsyncClient, tag: str = FREE, **more: object) -> httpx.Response:
    return await client.post(PATH, json={"tag": tag, "value": 1, "why": "too hot", **more})


async def test_a_command_under_way_is_202(client: httpx.AsyncClient):
    answer = await asked(client)

    assert (answer.status_code, answer.json()["state"]) == (202, "requested")
    assert answer.json()["requested_by"] == "operator"


async def test_the_same_id_again_is_the_same_command(client: httpx.AsyncClient):
    first, second = await asked(client, id="c1"), await asked(client, id="c1")

    assert first.json() == second.json()


async def test_one_that_fails_a_check_is_409_with_reason_and_id(client: httpx.AsyncClient):
    answer = await asked(client, MEASURED)
    body = answer.json()
    kept = await client.get(f"{PATH}/{body['fields']['command']}")

    assert (answer.status_code, body["error"]) == (409, "rejected")
    assert "nobody may change it" in body["message"]
    assert kept.json()["state"] == "rejected"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "tag"),
        ({"tag": FREE}, "value"),
        ({"tag": FREE, "value": "fast"}, "value"),
        ({"tag": FREE, "value": 1, "vlaue": 2}, "vlaue"),
        ({"tag": FREE, "value": 1, "id": "a b"}, "id"),
        ({"tag": FREE, "value": 1, "expires_s": 0}, "expires_s"),
        ({"tag": "x" * 301, "value": 1}, "tag"),
    ],
)
async def test_a_body_that_is_wrong_is_422_and_names_the_field(
    client: httpx.AsyncClient, body: dict[str, object], words: str
):
    answer = await client.post(PATH, json=body)

    assert (answer.status_code, words in answer.json()["message"]) == (422, True)


async def test_nan_is_422(client: httpx.AsyncClient):
    answer = await client.post(PATH, content=b'{"tag": "a/b/c/d/e", "value": NaN}')

    assert answer.status_code == 422


async def test_a_name_has_the_role_of_the_settings(client: httpx.AsyncClient):
    headers = {"X-Actor": "guest"}
    answer = await client.post(PATH, json={"tag": FREE, "value": 1, "why": "x"}, headers=headers)

    assert (answer.status_code, "Needs the role operator" in answer.json()["message"]) == (
        409,
        True,
    )


async def test_an_unknown_source_is_422(client: httpx.AsyncClient):
    headers = {"X-Actor-Source": "system"}

    assert (
        await client.post(PATH, json={"tag": FREE, "value": 1, "why": "x"}, headers=headers)
    ).status_code == 422


async def test_two_persons_approve_by_two_names(client: httpx.AsyncClient):
    made = (await asked(client, TWO)).json()
    path = f"{PATH}/{made['id']}/approve"
    same = await client.post(path)
    other = await client.post(path, json={"note": "agreed"}, headers={"X-Actor": "bob"})

    assert (same.status_code, "another person" in same.json()["message"]) == (409, True)
    assert (other.status_code, other.json()["approved_by"]) == (202, "bob")


async def test_a_command_that_waits_can_be_rejected(client: httpx.AsyncClient):
    made = (await asked(client, SPEED)).json()
    answer = await client.post(f"{PATH}/{made['id']}/reject", json={"note": "not now"})
    again = await client.post(f"{PATH}/{made['id']}/reject")

    assert (answer.status_code, answer.json()["state"]) == (200, "rejected")
    assert again.status_code == 409


async def test_what_is_not_there_is_404(client: httpx.AsyncClient):
    paths = [f"{PATH}/nothing", f"{PATH}/nothing/changes"]

    assert [(await client.get(path)).status_code for path in paths] == [404, 404]
    assert (await client.post(f"{PATH}/nothing/approve")).status_code == 404


async def test_the_list_is_of_states_and_a_tag(client: httpx.AsyncClient):
    await asked(client)
    await asked(client, SPEED)
    await asked(client, MEASURED)

    waiting = await client.get(f"{PATH}?state=requested,awaiting_approval")
    of_tag = await client.get(f"{PATH}?tag={SPEED}&limit=1")
    assert {each["tag"] for each in waiting.json()} == {FREE, SPEED}
    assert [each["state"] for each in of_tag.json()] == ["awaiting_approval"]


@pytest.mark.parametrize("query", ["state=nonsense", "limit=0", "limit=1001"])
async def test_a_list_that_cannot_be_is_422(client: httpx.AsyncClient, query: str):
    assert (await client.get(f"{PATH}?{query}")).status_code == 422


async def test_the_changes_tell_who_when_and_why(client: httpx.AsyncClient):
    made = (await asked(client, SPEED)).json()
    lines = (await client.get(f"{PATH}/{made['id']}/changes")).json()

    assert [each["new"] for each in lines] == ["requested", "awaiting_approval"]


async def test_a_trial_tells_every_check_and_keeps_nothing(client: httpx.AsyncClient, rig: Rig):
    rig.plant.show(LOCKED, 1.0)

    answer = (await client.post(f"{PATH}/check", json={"tag": SPEED, "value": 2000})).json()

    wrong = {each["name"] for each in answer["checks"] if not each["ok"]}
    assert (answer["ok"], wrong) == (False, {"range", "interlock"})
    assert (await client.get(PATH)).json() == []


async def test_without_its_store_it_is_503(client: httpx.AsyncClient, rig: Rig):
    await rig.gateway.stop()

    assert (await asked(client)).status_code == 503
