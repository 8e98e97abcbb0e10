"""Agents over HTTP: the list, the seeds' paths and what is refused."""

import httpx
import pytest

from app.core.alarm import Finding
from app.plant import Plant
from tests.unit.api.conftest import NOW, UNIT


def finding(condition: str) -> Finding:
    return Finding("maintenance", condition, UNIT, NOW, message="Bearing wears")


async def test_an_agent_that_was_heard_is_listed(client: httpx.AsyncClient) -> None:
    (row,) = (await client.get("/api/agents")).json()
    assert (row["name"], row["state"], row["connected"]) == ("maintenance", "running", True)


@pytest.mark.parametrize("name", ["maintenance", "pm"])
async def test_health_answers_by_name_and_by_seed_name(
    client: httpx.AsyncClient, name: str
) -> None:
    assert (await client.get(f"/api/{name}/health")).json() == {
        "status": "healthy",
        "agent_id": "pm_agent",
        "mqtt_connected": True,
    }


@pytest.mark.parametrize("name", ["maintenance", "pm"])
async def test_status_tells_the_id_of_the_mqtt_topics(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/api/{name}/status")).json()["agent_id"] == "pm_agent"


async def test_status_of_an_agent_without_findings_has_no_prediction(
    client: httpx.AsyncClient,
) -> None:
    found = (await client.get("/api/pm/status")).json()
    assert found["last_prediction"] is None
    assert found["metrics"]["restarts"] == 0


async def test_history_is_newest_first_and_counts_all(
    plant: Plant, client: httpx.AsyncClient
) -> None:
    plant.findings.add([finding("first"), finding("second"), finding("third")])
    found = (await client.get("/api/pm/history", params={"limit": 2})).json()
    assert [each["condition"] for each in found["history"]] == ["third", "second"]
    assert found["total"] == 3


@pytest.mark.parametrize("path", ["health", "status", "history"])
async def test_an_unknown_agent_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/api/nobody/{path}")
    assert answer.status_code == 404
    assert "nobody" in answer.json()["message"]


@pytest.mark.parametrize("limit", ["0", "-1", "100000", "x"])
async def test_a_wrong_limit_is_refused(client: httpx.AsyncClient, limit: str) -> None:
    answer = await client.get("/api/pm/history", params={"limit": limit})
    assert answer.status_code == 422
    assert "limit" in answer.json()["fields"]


@pytest.mark.parametrize("action", ["start", "stop", "restart"])
async def test_an_agent_that_is_not_ours_cannot_be_steered(
    client: httpx.AsyncClient, action: str
) -> None:
    answer = await client.post(f"/api/agents/nobody/{action}")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_a_refused_action_is_no_decision_that_was_done(client: httpx.AsyncClient) -> None:
    await client.post("/api/agents/nobody/start")
    state = (await client.get("/api/orchestrator/system-state")).json()
    (decision,) = state["decisions"]
    assert (decision["action"], decision["target"]) == ("start agent", "nobody")
    assert decision["outcome"] == "refused"
    assert "nobody" in decision["reason"]


async def test_an_agent_is_not_started_by_a_link(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/agents/pm/start")).status_code == 405


async def test_a_prediction_of_an_unknown_agent_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/nobody/predict", json={"torque": 1})).status_code == 404


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1]", b'{"torque": NaN}', b'"text"', b"\xff", b"[" * 100_000, b'{"a": 1e999}'],
)
async def test_features_that_are_no_json_object_are_refused(
    client: httpx.AsyncClient, body: bytes
) -> None:
    answer = await client.post("/api/pm/predict", content=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "input")


async def test_a_prediction_without_a_broker_is_told_as_such(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/pm/predict", json={"torque": 1})
    assert (answer.status_code, answer.json()["error"]) == (503, "bus")
