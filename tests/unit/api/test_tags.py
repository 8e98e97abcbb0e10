"""Tags, their history and their export over HTTP."""

import asyncio
import csv
import io
from datetime import timedelta

import httpx
import pytest

from app.core.reading import Quality, Reading
from app.store.history import Historian
from tests.unit.api.conftest import IDLE, NOW, PRESSURE, UNIT, reading


async def test_the_list_has_value_quality_time_and_unit(client: httpx.AsyncClient) -> None:
    rows = (await client.get("/api/tags")).json()
    assert rows == [
        {
            "path": IDLE,
            "value": None,
            "quality": "bad",
            "source_time": None,
            "unit": "1",
            "reason": "no_value",
        },
        {
            "path": PRESSURE,
            "value": 4.2,
            "quality": "good",
            "source_time": "2026-11-21T12:00:00Z",
            "unit": "bar",
            "reason": "",
        },
    ]


async def test_a_tag_without_a_value_since_the_start_says_so(client: httpx.AsyncClient) -> None:
    found = (await client.get(f"/api/tags/{IDLE}")).json()
    assert (found["quality"], found["reason"]) == ("bad", "no_value")


async def test_a_prefix_narrows_the_list(client: httpx.AsyncClient) -> None:
    rows = (await client.get("/api/tags", params={"prefix": f"{UNIT}/p"})).json()
    assert [row["path"] for row in rows] == [PRESSURE]


async def test_one_tag_tells_its_range_limits_and_description(client: httpx.AsyncClient) -> None:
    found = (await client.get(f"/api/tags/{PRESSURE}")).json()
    assert (found["high"], found["limits"], found["description"]) == (
        10.0,
        {"high": 8.0},
        "Discharge pressure",
    )


@pytest.mark.parametrize(
    "path", ["/api/tags/a/b/c/d/e", "/api/tags/a/b/c/d/e/history", "/api/tags/a/b", "/api/tags/a"]
)
@pytest.mark.usefixtures("history")
async def test_an_unknown_tag_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_the_history_gives_what_was_stored(
    history: Historian, client: httpx.AsyncClient
) -> None:
    before = NOW - timedelta(minutes=2)
    history.add([reading(1.0, before), reading(2.0, before + timedelta(seconds=1))])
    found = (await client.get(f"/api/tags/{PRESSURE}/history")).json()
    assert found["unit"] == "bar"
    assert found["points"] == [
        {"t": "2026-11-21T11:58:00Z", "v": 1.0, "q": "good", "min": 1.0, "max": 1.0},
        {"t": "2026-11-21T11:58:01Z", "v": 2.0, "q": "good", "min": 2.0, "max": 2.0},
    ]


async def test_a_tag_nobody_declared_keeps_its_history_over_a_restart(
    history: Historian, client: httpx.AsyncClient
) -> None:
    path = "factory/floor/line/M1/power"
    stored = Reading(path, 7.0, Quality.GOOD, NOW - timedelta(minutes=5), NOW)
    history.add([stored])
    (point,) = (await client.get(f"/api/tags/{path}/history")).json()["points"]
    exported = await client.get("/api/export", params={"tags": path})
    assert point["v"] == 7.0
    assert len(exported.text.splitlines()) == 2


async def test_a_silence_is_a_gap_and_no_bad_reading(
    history: Historian, client: httpx.AsyncClient
) -> None:
    before = NOW - timedelta(minutes=5)
    history.add([reading(1.0, before + timedelta(seconds=s)) for s in (0, 1, 2, 120, 121)])
    points = (await client.get(f"/api/tags/{PRESSURE}/history")).json()["points"]
    assert [point["q"] for point in points] == ["good"] * 3 + [None] + ["good"] * 2
    gap = {"t": "2026-11-21T11:55:03Z", "v": None, "q": None, "min": None, "max": None}
    assert points[3] == {**gap, "gap": True}


async def test_a_bad_reading_has_no_value_in_the_history(
    history: Historian, client: httpx.AsyncClient
) -> None:
    history.add([reading(None, NOW - timedelta(minutes=2), Quality.BAD)])
    (point,) = (await client.get(f"/api/tags/{PRESSURE}/history")).json()["points"]
    assert (point["v"], point["q"], point["min"]) == (None, "bad", None)


async def test_the_history_is_thinned_to_the_points_asked_for(
    history: Historian, client: httpx.AsyncClient
) -> None:
    start = NOW - timedelta(minutes=50)
    history.add([reading(i % 7, start + timedelta(seconds=i)) for i in range(2000)])
    answer = await client.get(f"/api/tags/{PRESSURE}/history", params={"points": 100})
    points = answer.json()["points"]
    assert len(points) <= 110
    assert (min(p["min"] for p in points), max(p["max"] for p in points)) == (0.0, 6.0)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"points": "0"}, "points"),
        ({"points": "many"}, "points"),
        ({"points": "100000"}, "points"),
        ({"start": "yesterday"}, "start"),
        ({"end": "2026-11-21T10:00:00"}, "end"),
        ({"start": "2026-11-21T13:00:00Z"}, "start"),
    ],
)
async def test_a_wrong_range_is_refused_by_name(
    client: httpx.AsyncClient, parameters: dict[str, str], named: str
) -> None:
    answer = await client.get(f"/api/tags/{PRESSURE}/history", params=parameters)
    assert answer.status_code == 422
    assert named in answer.json()["message"]


async def test_units_come_with_their_tags(client: httpx.AsyncClient) -> None:
    (unit,) = (await client.get("/api/equipment", params={"prefix": "riverside/"})).json()
    assert (unit["name"], len(unit["tags"])) == ("Cooling pump P-102", 2)


async def test_the_export_holds_every_reading_of_every_tag(
    history: Historian, client: httpx.AsyncClient
) -> None:
    start = NOW - timedelta(hours=20)  # crosses the pieces an export is made of
    history.add([reading(i, start + timedelta(hours=i)) for i in range(20)])
    parameters = {"tags": f"{PRESSURE},{IDLE}", "start": "2026-11-20T12:00:00Z"}
    answer = await client.get("/api/export", params=parameters)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [float(row["value"]) for row in rows] == [float(i) for i in range(20)]
    assert rows[0]["source_time"] == "2026-11-20T16:00:00.000Z"
    assert rows[0]["time in Europe/Berlin"] == "2026-11-20T17:00:00.000+01:00"
    assert "attachment" in answer.headers["content-disposition"]


async def test_the_export_can_be_parquet(history: Historian, client: httpx.AsyncClient) -> None:
    history.add([reading(1.0, NOW - timedelta(minutes=2))])
    answer = await client.get("/api/export", params={"tags": PRESSURE, "format": "parquet"})
    assert answer.status_code == 200
    assert answer.content.startswith(b"PAR1")
    assert answer.content.endswith(b"PAR1")


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({}, 422),
        ({"tags": ""}, 422),
        ({"tags": "a/b/c/d/e"}, 404),
        ({"tags": ",".join(f"a/b/c/d/t{i}" for i in range(51))}, 422),
        ({"tags": PRESSURE, "format": "xlsx"}, 422),
        ({"tags": PRESSURE, "start": "2020-01-01T00:00:00Z"}, 422),
        ({"tags": "a/b/c/d/e' OR '1'='1"}, 422),
    ],
)
@pytest.mark.usefixtures("history")
async def test_a_wrong_export_is_refused_before_the_file_begins(
    client: httpx.AsyncClient, parameters: dict[str, str], status: int
) -> None:
    answer = await client.get("/api/export", params=parameters)
    assert answer.status_code == status
    assert sorted(answer.json())[-1] == "message"


@pytest.mark.usefixtures("plant")
async def test_a_history_that_is_still_opened_is_refused_soon_and_says_when_to_ask_again(
    client: httpx.AsyncClient,
) -> None:
    asked = (f"/api/tags/{PRESSURE}/history", f"/api/export?tags={PRESSURE}", "/api/export?tags=a")
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*(client.get(address) for address in asked))
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert {answer.headers["Retry-After"] for answer in answers} == {"2"}
    assert {answer.json()["error"] for answer in answers} == {"store"}
