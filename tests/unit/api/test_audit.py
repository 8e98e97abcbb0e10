"""The audit over HTTP: search, check and export."""

import asyncio
import csv
import io
import threading
from typing import Any

import httpx
import msgspec
import pytest

from app.core.actor import Actor
from app.core.audit_chain import Link, link_hash
from app.plant import Plant
from app.store.audit import Outcome
from tests.unit.api.conftest import NOW
from tests.unit.store.audit_rig import spoil


@pytest.fixture
async def rows(plant: Plant) -> None:
    """Three actions: one done, one refused, one of unknown outcome."""
    for name, outcome in (("energy", Outcome.DONE), ("safety", Outcome.REFUSED), ("ppe", None)):
        number = await asyncio.to_thread(
            plant.audit.append, NOW, Actor("anna", "ui"), "start agent", name, 'why, "so"\n'
        )
        if outcome:
            await asyncio.to_thread(plant.audit.conclude, number, NOW, outcome, "because")


async def settled(client: httpx.AsyncClient) -> dict[str, Any]:
    """Return the state of the check once it has ended."""
    for thread in threading.enumerate():
        if thread.name == "audit check":
            await asyncio.to_thread(thread.join, 10)
    return (await client.get("/api/audit/verify")).json()


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("query", "targets"),
    [
        ("", ["ppe", "safety", "energy"]),
        ("text=saf", ["safety"]),
        ("actor=bert", []),
        ("source=ui&outcome=done", ["energy"]),
        ("action=start+agent&outcome=unknown", ["ppe"]),
        ("start=2026-11-21T12:00:01Z", []),
        ("end=2026-11-21T12:00:01Z&before=3", ["energy"]),
    ],
)
async def test_actions_are_found(client: httpx.AsyncClient, query: str, targets: list[str]):
    found = (await client.get(f"/api/audit?{query}")).json()
    assert [row["target"] for row in found["items"]] == targets
    assert found["next_before"] is None


@pytest.mark.usefixtures("rows")
async def test_pages_follow_each_other(client: httpx.AsyncClient):
    first = (await client.get("/api/audit?limit=2")).json()
    rest = (await client.get(f"/api/audit?limit=2&before={first['next_before']}")).json()
    assert [row["target"] for row in rest["items"]] == ["energy"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("outcome=good", "outcome"),
        ("start=noon", "start"),
        ("end=2026-11-21T12:00:00", "end"),
        ("before=0", "before"),
        ("limit=1001", "limit"),
        (f"text={'x' * 201}", "text"),
    ],
)
async def test_a_wrong_question_is_refused_by_name(
    client: httpx.AsyncClient, query: str, named: str
):
    answer = await client.get(f"/api/audit?{query}")
    assert answer.status_code == 422
    assert named in answer.json()["message"]


@pytest.mark.usefixtures("rows")
async def test_a_check_tells_what_it_found(client: httpx.AsyncClient):
    begun = await client.post("/api/audit/verify")
    assert begun.status_code == 202
    told = await settled(client)
    assert (told["head"], told["check"]) == (begun.json()["head"], told["check"])
    verdict = told["check"]["verdict"]
    assert (verdict["rows"], verdict["flaw"]) == (5, None)


@pytest.mark.usefixtures("rows")
async def test_a_broken_chain_is_told_with_row_and_remedy(plant: Plant, client: httpx.AsyncClient):
    await asyncio.to_thread(spoil, plant.audit.path, "UPDATE chain SET why = '' WHERE number = 3")
    await client.post("/api/audit/verify")
    verdict = (await settled(client))["check"]["verdict"]
    assert verdict["flaw"]["number"] == 3
    assert "Copy the data folder" in verdict["remedy"]


async def test_a_check_that_does_not_run_can_be_cancelled(client: httpx.AsyncClient):
    answer = await client.delete("/api/audit/verify")
    assert (answer.status_code, answer.json()["check"]["running"]) == (200, False)


@pytest.mark.usefixtures("rows")
async def test_an_export_can_be_checked_by_its_hashes(client: httpx.AsyncClient):
    answer = await client.get("/api/audit/export")
    links = [
        msgspec.convert(row, Link, strict=False)
        for row in csv.DictReader(io.StringIO(answer.text, newline=""))
    ]
    assert [link_hash(link) for link in links] == [link.hash for link in links]
    assert answer.headers["x-audit-head"] == f"5 {links[-1].hash}"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/verify"), ("POST", "/verify"), ("GET", "/export")],
)
async def test_a_closed_audit_is_503(
    plant: Plant, client: httpx.AsyncClient, method: str, path: str
):
    await asyncio.to_thread(plant.audit.close)
    answer = await client.request(method, f"/api/audit{path}")
    assert (answer.status_code, answer.json()["error"]) == (503, "store")
