"""Alarms over HTTP."""

from datetime import timedelta

import httpx
import pytest

from app.core.alarm import Finding, Priority
from app.plant import Plant
from app.settings import AlarmSettings
from tests.unit.api.conftest import NOW, PRESSURE


@pytest.fixture
async def alarm_id(plant: Plant) -> str:
    """An alarm that nobody has acknowledged."""
    finding = Finding(
        agent="limits",
        condition="high",
        equipment=PRESSURE,
        found_at=NOW,
        priority=Priority.HIGH,
        message="Discharge pressure 8.4 bar above 8.0",
        value=8.4,
        limit=8.0,
        unit="bar",
    )
    await plant.alarms.handle([finding])
    return plant.alarms.alarms()[0].id


async def post(
    client: httpx.AsyncClient, alarm_id: str, action: str, body: dict[str, object] | None = None
) -> httpx.Response:
    return await client.post(f"/api/alarms/{alarm_id}/{action}", json=body)


async def test_the_list_has_what_stands(client: httpx.AsyncClient, alarm_id: str) -> None:
    (row,) = (await client.get("/api/alarms")).json()
    assert (row["id"], row["state"], row["active"]) == (alarm_id, "unack", True)
    assert row["finding"]["message"] == "Discharge pressure 8.4 bar above 8.0"


@pytest.mark.parametrize(("state", "count"), [("unack", 1), ("ack,rtn_unack", 0), ("", 1)])
async def test_the_list_is_narrowed_by_state(
    client: httpx.AsyncClient, alarm_id: str, state: str, count: int
) -> None:
    rows = (await client.get("/api/alarms", params={"state": state})).json()
    assert [row["id"] for row in rows] == [alarm_id] * count


async def test_a_word_that_is_no_state_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/alarms", params={"state": "loud"})
    assert answer.status_code == 422
    assert "rtn_unack" in answer.json()["hint"]


async def test_acknowledging_leaves_name_and_note(client: httpx.AsyncClient, alarm_id: str) -> None:
    answer = await post(client, alarm_id, "acknowledge", {"note": "seen"})
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["acknowledged_by"]) == ("ack", "operator")
    (line, *_) = (await client.get("/api/alarms/journal")).json()["entries"]
    assert (line["event"], line["actor"], line["source"], line["why"]) == (
        "acknowledge", "operator", "http", "seen",
    )  # fmt: skip


async def test_acknowledging_needs_no_body(client: httpx.AsyncClient, alarm_id: str) -> None:
    assert (await post(client, alarm_id, "acknowledge")).status_code == 200


async def test_acknowledging_twice_conflicts(client: httpx.AsyncClient, alarm_id: str) -> None:
    await post(client, alarm_id, "acknowledge")
    answer = await post(client, alarm_id, "acknowledge")
    assert answer.status_code == 409
    assert "shelve" in answer.json()["hint"]


@pytest.mark.parametrize(
    "action",
    ["acknowledge", "unshelve", "unsuppress", "return", "reset"],
)
async def test_an_unknown_alarm_is_404(client: httpx.AsyncClient, action: str) -> None:
    assert (await post(client, "nothing", action, {"note": "x"})).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"note": "x", "minutes": 0},
        {"note": "x", "minutes": 100_000},
        {"note": "x", "minutes": "ten"},
        {"note": "", "minutes": 10},
        {"note": "x" * 501, "minutes": 10},
        {"note": "x", "minutes": 10, "forever": True},
    ],
)
async def test_shelving_wrongly_is_refused(
    client: httpx.AsyncClient, alarm_id: str, body: dict[str, object]
) -> None:
    answer = await post(client, alarm_id, "shelve", body)
    assert answer.status_code == 422
    assert answer.json()["message"]


@pytest.mark.parametrize(
    ("longest", "until"), [(480, "2026-11-21T12:20:00Z"), (15, "2026-11-21T12:15:00Z")]
)
async def test_shelving_without_minutes_takes_those_of_the_settings(
    plant: Plant, client: httpx.AsyncClient, alarm_id: str, longest: int, until: str
) -> None:
    alarms = AlarmSettings(default_shelve_minutes=20, max_shelve_minutes=longest)
    plant.settings = plant.settings.model_copy(update={"alarms": alarms})
    answer = await post(client, alarm_id, "shelve", {"note": "x"})
    assert (answer.status_code, answer.json()["shelved_until"]) == (200, until)


async def test_shelving_says_until_when(client: httpx.AsyncClient, alarm_id: str) -> None:
    shelved = (await post(client, alarm_id, "shelve", {"note": "x", "minutes": 10})).json()
    assert (shelved["state"], shelved["shelved_until"]) == ("shelved", "2026-11-21T12:10:00Z")
    assert (await post(client, alarm_id, "unshelve")).json()["state"] == "unack"


@pytest.mark.parametrize(
    ("hide", "state", "leave"),
    [
        ("suppress", "suppressed_by_design", "unsuppress"),
        ("out-of-service", "out_of_service", "return"),
    ],
)
async def test_an_alarm_is_hidden_and_comes_back(
    client: httpx.AsyncClient, alarm_id: str, hide: str, state: str, leave: str
) -> None:
    assert (await post(client, alarm_id, hide, {"note": "x"})).json()["state"] == state
    assert (await post(client, alarm_id, leave)).json()["state"] == "unack"


async def test_what_is_not_latched_is_not_reset(client: httpx.AsyncClient, alarm_id: str) -> None:
    assert (await post(client, alarm_id, "reset")).status_code == 409


async def test_the_summary_names_the_worst(client: httpx.AsyncClient, alarm_id: str) -> None:
    summary = (await client.get("/api/alarms/summary")).json()
    assert summary["counts"] == [0, 1, 0, 0]
    assert summary["worst"]["id"] == alarm_id


async def test_the_journal_is_paged(client: httpx.AsyncClient, alarm_id: str) -> None:
    await post(client, alarm_id, "acknowledge")
    first = (await client.get("/api/alarms/journal", params={"limit": 1})).json()
    rest = {"limit": 5, "before": first["next"]}
    second = (await client.get("/api/alarms/journal", params=rest)).json()
    assert [line["event"] for line in first["entries"] + second["entries"]] == [
        "acknowledge", "raise",
    ]  # fmt: skip
    assert second["next"] is None


async def test_the_history_is_filtered(client: httpx.AsyncClient, alarm_id: str) -> None:
    found = {"text": "DISCHARGE", "priority": "2", "equipment": "riverside/utilities"}
    assert (await client.get("/api/alarms/history", params=found)).json()["total"] == 1
    other = {"equipment": "riverside/util"}
    assert (await client.get("/api/alarms/history", params=other)).json()["total"] == 0


async def test_key_figures_count_the_range_asked_for(
    client: httpx.AsyncClient, alarm_id: str
) -> None:
    later = (NOW + timedelta(minutes=1)).isoformat()
    kpi = (await client.get("/api/alarms/kpi", params={"end": later})).json()
    assert (kpi["announced"], kpi["standing"]) == (1, 1)
    assert {figure["name"] for figure in kpi["figures"]} >= {"rate", "flood", "chattering"}


@pytest.mark.parametrize("query", [{"start": "yesterday"}, {"end": "2026-11-21T12:00:00"}])
async def test_a_malformed_time_is_refused(
    client: httpx.AsyncClient, query: dict[str, str]
) -> None:
    assert (await client.get("/api/alarms/kpi", params=query)).status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        "kpi?start=0001-01-01T00:00:00Z",
        f"journal?before={10**22}",
        f"history?offset={10**22}",
        f"history?priority={10**22}",
        "history?priority=5",
    ],
)
async def test_a_number_or_time_out_of_range_is_the_callers_mistake(
    client: httpx.AsyncClient, query: str
) -> None:
    answer = await client.get(f"/api/alarms/{query}")
    assert answer.status_code == 422


async def test_history_is_narrowed_by_priority(client: httpx.AsyncClient, alarm_id: str) -> None:
    rows = (await client.get("/api/alarms/history?priority=2&priority=1")).json()["history"]
    assert [row["alarm"]["id"] for row in rows] == [alarm_id]
