"""The plant starts whatever became of its files, and says what is wrong."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.clock import SystemClock
from app.core.actor import Actor
from app.core.equipment import Equipment, Tag
from app.core.health import ComponentStatus, Health
from app.core.reading import Quality, Reading, ReadingMessage
from app.plant import Plant
from app.settings import Settings
from tests.processes import eventually

UNIT = "factory/floor/line/P-102"


class HurriedClock(SystemClock):
    """A clock on which the ten seconds to the next try pass in half a second."""

    def monotonic(self) -> float:
        return 20 * super().monotonic()


@asynccontextmanager
async def running(
    data: Path, broker_url: str, clock: SystemClock | None = None
) -> AsyncGenerator[Plant]:
    values = {
        "data": {"dir": data},
        "broker": {"url": broker_url},
        "demo": {"enabled": False},
        "agents": {},
        "live": {"max_tags": 100},
        "ingest": [{"topic": "rows", "path": "factory/floor/line/{Machine_ID}/{field}"}],
    }
    plant = Plant(Settings.model_validate(values), clock or SystemClock())
    await plant.start()
    try:
        yield plant
    finally:
        await plant.stop()


def status_of(plant: Plant, name: str) -> ComponentStatus:
    (status,) = (each for each in plant.health() if each.name == name)
    return status


def active_agents(plant: Plant) -> list[str]:
    return [alarm.finding.agent for alarm in plant.alarms.alarms() if alarm.active]


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("assets.sqlite", "Equipment store"),
        ("audit.sqlite", "Audit"),
        ("alarms.sqlite", "Alarm journal"),
    ],
)
async def test_a_damaged_file_is_set_aside_and_told(
    tmp_path: Path, broker_url: str, file: str, name: str
):
    (tmp_path / file).write_bytes(b"garbage" * 1000)
    async with running(tmp_path, broker_url) as plant:
        status = status_of(plant, name)
        assert status.state is Health.DEGRADED
        assert file in status.reason
        assert status.remedy
        await plant.clear_dead_letters(Actor("anna", "ui"))
        assert [row.actor for row in plant.audit_rows(10)] == ["anna"]


async def test_what_could_not_open_at_the_start_opens_when_it_can(tmp_path: Path, broker_url: str):
    unit = Equipment(UNIT, "Cooling pump", tags=(Tag(f"{UNIT}/flow"),))
    async with running(tmp_path, broker_url) as plant:
        plant.assets.save(unit)
    files = [tmp_path / f"{name}.sqlite" for name in ("assets", "audit", "alarms")]
    for file in files:
        file.rename(file.with_suffix(".away"))
        file.mkdir()
    async with running(tmp_path, broker_url, HurriedClock()) as plant:
        names = ("Equipment store", "Audit", "Alarm journal", "Alarms")
        assert {status_of(plant, name).state for name in names} == {Health.FAILED}
        for file in files:
            file.rmdir()
            file.with_suffix(".away").rename(file)
        await eventually(lambda: {status_of(plant, name).state for name in names} == {Health.OK})
        assert plant.tags.unit(UNIT) == unit
        await plant.raise_alert("high", "leak", "guard", "", Actor("anna", "ui"))
        assert [row.actor for row in plant.audit_rows(10)] == ["anna"]
        await eventually(lambda: active_agents(plant) == ["external"])


async def test_findings_that_wait_for_the_journal_do_not_flood_the_log(
    tmp_path: Path, broker_url: str, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "alarms.sqlite").mkdir()
    with caplog.at_level(logging.WARNING, "app.intake"):
        async with running(tmp_path, broker_url) as plant:
            began = plant.clock.monotonic()
            await eventually(lambda: plant.clock.monotonic() - began > 3.5)
            assert status_of(plant, "Alarm journal").state is Health.FAILED
    assert [each.name for each in caplog.records].count("app.intake") == 1


async def test_rows_for_a_declared_unit_leave_its_tags_as_they_are(tmp_path: Path, broker_url: str):
    async with running(tmp_path, broker_url) as plant:
        flow = Tag(f"{UNIT}/flow", unit="m3/h", high=80.0)
        plant.intake.declare(Equipment(UNIT, "Cooling pump", tags=(flow,)))
        await plant.durable_bus.wait_connected(10)
        row = b'{"Machine_ID": "P-102", "Torque [Nm]": 4}'
        await plant.bus.publish_confirmed("rows", row)
        await eventually(lambda: len(plant.tags) == 2)
        assert plant.tags.tag(flow.path) == flow


async def test_trouble_of_the_durable_connection_is_on_the_health_page(
    tmp_path: Path, broker_url: str
):
    async with running(tmp_path, broker_url) as plant:
        await plant.durable_bus.wait_connected(10)
        await plant.bus.wait_connected(10)
        plant.durable_bus.failing("millwright/findings/+", "disk full")
        status = status_of(plant, "Bus")
        assert (status.state, "disk full" in status.reason) == (Health.DEGRADED, True)
        assert status.remedy


async def test_tags_beyond_the_limit_are_told(tmp_path: Path, broker_url: str):
    async with running(tmp_path, broker_url) as plant:
        now = plant.clock.now()
        for number in range(101):
            plant.tags.apply([Reading(f"{UNIT}/t{number}", 1.0, Quality.GOOD, now, now)])
        assert status_of(plant, "Tags").state is Health.DEGRADED
        assert "100" in status_of(plant, "Tags").reason


async def test_rows_beyond_the_limit_of_tags_are_told_and_hold_up_no_others(
    tmp_path: Path, broker_url: str
):
    async with running(tmp_path, broker_url) as plant:
        await plant.durable_bus.wait_connected(10)
        many = ", ".join(f'"t{number}": 1' for number in range(99))
        await plant.bus.publish_confirmed("rows", b'{"Machine_ID": "A", %s}' % many.encode())
        await plant.bus.publish_confirmed("rows", b'{"Machine_ID": "B", "x": 1, "y": 2}')
        await plant.bus.publish_confirmed("rows", b'{"Machine_ID": "A", "t0": 7}')
        first = "factory/floor/line/A/t0"
        await eventually(lambda: (seen := plant.tags.value(first)) and seen.value == 7)
        assert len(plant.tags) == 100
        (letter,) = plant.dead_letters.list()
        assert "live.max_tags" in letter.reason
        assert '"B"' in letter.payload_head
        assert status_of(plant, "Tags").state is Health.DEGRADED
        assert "live.max_tags" in status_of(plant, "Tags").remedy


async def test_live_readings_beyond_the_limit_of_tags_are_dead_letters(
    tmp_path: Path, broker_url: str
):
    async with running(tmp_path, broker_url) as plant:
        await plant.bus.wait_connected(10)
        for number in range(101):
            plant.bus.publish(f"plant/{UNIT}/t{number}", ReadingMessage(v=1.0))
        await eventually(lambda: plant.dead_letters.total)
        (letter,) = plant.dead_letters.list()
        assert (letter.topic, "live.max_tags" in letter.reason) == (f"plant/{UNIT}/t100", True)


async def test_of_an_external_broker_log_and_health_say_what_to_check(
    tmp_path: Path, broker_url: str, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, "app.plant"):
        async with running(tmp_path, broker_url) as plant:
            await plant.bus.wait_connected(10)
            await plant.durable_bus.wait_connected(10)
            note = status_of(plant, "External broker")
            assert note.state is Health.OK
            assert "max_queued_messages 0" in note.remedy
    said = [each.message for each in caplog.records if "external broker" in each.message]
    assert len(said) == 1
    assert broker_url in said[0]


def test_of_the_broker_that_the_app_runs_nothing_is_to_check(settings: Settings):
    names = [status.name for status in Plant(settings, SystemClock()).health()]
    assert "Broker" in names
    assert "External broker" not in names
