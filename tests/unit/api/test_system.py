"""Liveness, components, alerts, refused messages, metrics and what unknown paths get."""

from datetime import timedelta

import httpx
import pytest

from app.api.mount import api
from app.clock import ManualClock
from app.core.actor import Actor
from app.plant import Plant
from tests.unit.api.conftest import NOW, PRESSURE, reading


async def test_it_is_alive(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}


async def test_health_tells_the_worst_state_and_why(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/health")).json()
    assert found["status"] != "ok"
    assert {"Bus", "Historian"} <= {part["name"] for part in found["components"]}


async def test_an_alert_becomes_an_alarm_of_the_system_state(client: httpx.AsyncClient) -> None:
    alert = {"level": "warning", "type": "door open", "source": "gate 4", "details": {"row": 3}}
    answer = await client.post("/api/orchestrator/alert", json=alert)
    assert answer.status_code == 201
    state = (await client.get("/api/orchestrator/system-state")).json()
    assert "door_open" in [alarm["finding"]["condition"] for alarm in state["alerts"]]
    assert state["decisions"][0]["action"] == "raise alert"
    assert state["tags"] == 2


@pytest.mark.parametrize("level", ["normal", "cleared", " Normal "])
async def test_an_alert_whose_condition_is_absent_returns_its_alarm(
    plant: Plant, client: httpx.AsyncClient, level: str
) -> None:
    alert = {"type": "door open", "source": "gate 4"}
    await client.post("/api/orchestrator/alert", json={**alert, "level": "high"})
    answer = await client.post("/api/orchestrator/alert", json={**alert, "level": level})
    assert (answer.status_code, answer.json().get("priority")) == (201, None)
    (alarm,) = plant.alarms.alarms()
    assert (alarm.state, alarm.active) == ("rtn_unack", False)


async def test_a_normal_alarm_that_still_chatters_is_no_alert_of_the_system_state(
    plant: Plant, client: httpx.AsyncClient
) -> None:
    alert = {"type": "door open", "source": "gate 4"}
    for level in ("high", "normal") * 2:
        await client.post("/api/orchestrator/alert", json={**alert, "level": level})
    (alarm,) = plant.alarms.alarms()
    await plant.acknowledge(alarm.id, Actor("anna", "ui"))
    (alarm,) = plant.alarms.alarms()
    assert (alarm.state, alarm.chattering) == ("normal", True)
    assert (await client.get("/api/orchestrator/system-state")).json()["alerts"] == []


async def test_last_update_is_the_time_of_the_newest_thing_in_the_state(
    plant: Plant, client: httpx.AsyncClient, clock: ManualClock
) -> None:
    await clock.advance(60)
    plant.tags.apply([reading(4.3, NOW + timedelta(seconds=20))])
    state = (await client.get("/api/orchestrator/system-state")).json()
    assert state["last_update"] == "2026-11-21T12:00:20Z"
    alert = {"level": "high", "type": "door open", "source": "gate 4"}
    await client.post("/api/orchestrator/alert", json=alert)
    state = (await client.get("/api/orchestrator/system-state")).json()
    assert state["last_update"] == "2026-11-21T12:01:00Z"


async def test_an_alert_is_no_finding_of_the_agent_it_names(
    plant: Plant, client: httpx.AsyncClient
) -> None:
    alert = {"level": "high", "type": "spoof", "source": "maintenance"}
    answer = await client.post("/api/orchestrator/alert", json=alert)
    found = answer.json()
    assert (found["agent"], found["equipment"]) == ("external", "external/alerts/http/maintenance")
    assert (await client.get("/api/maintenance/status")).json()["last_prediction"] is None
    assert (await client.get("/api/maintenance/history")).json()["total"] == 0


@pytest.mark.parametrize(
    ("alert", "named"),
    [
        ({"level": "loud", "type": "x", "source": "y"}, "loud"),
        ({"level": "high", "type": "x"}, "source"),
        ({"level": "high", "type": "x", "source": "y", "colour": "red"}, "colour"),
        ({"level": 3, "type": "x", "source": "y"}, "level"),
        ({"level": "high", "type": "!!!", "source": "y"}, "!!!"),
        ({"level": "high", "type": "x" * 101, "source": "y"}, "type"),
        ({"level": "high", "type": "x", "source": "y", "details": "x" * 2001}, "details"),
        ([], "object"),
    ],
)
async def test_a_wrong_alert_is_refused_by_name(
    client: httpx.AsyncClient, alert: object, named: str
) -> None:
    answer = await client.post("/api/orchestrator/alert", json=alert)
    assert answer.status_code == 422
    assert named in answer.json()["message"]


async def test_refused_messages_are_listed_with_their_reason(
    plant: Plant, client: httpx.AsyncClient
) -> None:
    plant.dead_letters.add("sensors/factory/data", b"\xff", "text is not UTF-8")
    found = (await client.get("/api/deadletters")).json()
    assert (found["total"], found["items"][0]["reason"]) == (1, "text is not UTF-8")


async def test_what_was_moved_aside_is_listed(plant: Plant, client: httpx.AsyncClient) -> None:
    folder = plant.settings.data.dir / "audit.sqlite.quarantined-1"
    folder.mkdir()
    (folder / "reason.txt").write_text("Audit is damaged: file is not a database\n")
    (found,) = (await client.get("/api/quarantine")).json()
    assert (found["name"], found["size_bytes"]) == ("audit.sqlite", 41)
    assert found["reason"] == "Audit is damaged: file is not a database"


async def test_metrics_tell_tags_components_alarms_and_agents(client: httpx.AsyncClient) -> None:
    text = (await client.get("/metrics")).text
    assert "\nmillwright_tags 2\n" in text
    assert 'millwright_agent_up{agent="maintenance",instance="1"} 1' in text
    assert 'millwright_alarms_active{priority="1"} 0' in text
    assert 'millwright_messages_received_total{connection="live"} 0' in text


async def test_metrics_are_refused_to_another_machine(plant: Plant) -> None:
    transport = httpx.ASGITransport(api(plant), client=("10.1.2.3", 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        assert (await client.get("/metrics")).status_code == 403


@pytest.mark.parametrize("path", ["/api/nothing", "/api/a/b/c/d/e/f/g/h", "/api/tags/"])
async def test_an_unknown_path_is_told_in_json(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_a_wrong_method_is_told_in_json(client: httpx.AsyncClient) -> None:
    answer = await client.delete(f"/api/tags/{PRESSURE}")
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")


async def test_a_closed_store_is_503_and_names_the_store(
    plant: Plant, client: httpx.AsyncClient
) -> None:
    plant.audit.close()
    alert = {"level": "high", "type": "x", "source": "y"}
    answer = await client.post("/api/orchestrator/alert", json=alert)
    assert (answer.status_code, answer.json()["error"]) == (503, "store")


async def test_the_state_is_told_while_the_audit_is_closed(
    plant: Plant, client: httpx.AsyncClient
) -> None:
    plant.audit.close()
    answer = await client.get("/api/orchestrator/system-state")
    assert (answer.status_code, answer.json()["decisions"]) == (200, [])
