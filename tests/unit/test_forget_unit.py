"""A unit that is gone can be forgotten, everywhere and for good."""

from pathlib import Path

import httpx
import pytest

from app.api.mount import api
from app.core.actor import Actor
from app.core.alarm import AlarmState
from app.core.equipment import Equipment, Limits, Tag
from app.core.errors import ConflictError, NotFoundError
from app.core.reading import ReadingMessage
from app.core.topics import equipment_topic, reading_topic
from app.plant import Plant
from tests.processes import eventually
from tests.simulated_plant import plant_at

ANNA = Actor("anna", "ui")
UNIT = "site/area/line/oven"
HEAT = f"{UNIT}/heat"
OVEN = Equipment(
    UNIT,
    "Oven 7",
    tags=(Tag(HEAT, high=100.0, limits=Limits(high=80.0), stale_after_s=0.5),),
)


async def hot_oven(plant: Plant) -> None:
    await plant.bus.publish_confirmed(equipment_topic(UNIT), OVEN, retain=True)
    await eventually(lambda: plant.tags.unit(UNIT))
    await plant.bus.publish_confirmed(reading_topic(HEAT), ReadingMessage(v=90.0), retain=True)
    await eventually(lambda: active(plant))


def active(plant: Plant) -> list[str]:
    return [alarm.finding.condition for alarm in plant.alarms.alarms() if alarm.active]


async def silent(plant: Plant) -> None:
    await eventually(lambda: not plant.tags.is_sending(UNIT))


async def test_a_forgotten_unit_is_gone_with_its_tags_alarms_and_what_the_broker_kept(
    tmp_path: Path, broker_url: str
):
    async with plant_at(tmp_path, broker_url) as plant:
        await hot_oven(plant)
        await silent(plant)
        await plant.intake.save_declared()
        assert await plant.forget_unit(UNIT, ANNA) == OVEN
        assert plant.tags.unit(UNIT) is None
        assert not plant.tags.has(HEAT)
        assert plant.assets.load() == []
        await eventually(lambda: not active(plant))
        (alarm,) = plant.alarms.alarms()  # nobody has acknowledged it
        assert alarm.state is AlarmState.RTN_UNACK
        rows = plant.audit_rows(10)
        assert {(row.actor, row.action, row.target) for row in rows} == {
            ("anna", "forget unit", UNIT)
        }
        assert plant.dead_letters.list() == []
    async with plant_at(tmp_path, broker_url) as plant:
        await plant.bus.publish_confirmed("plant/a/b/c/d/e", ReadingMessage(v=1.0))
        await eventually(lambda: plant.tags.has("a/b/c/d/e"))
        assert plant.tags.unit(UNIT) is None


async def test_a_unit_that_sends_is_not_forgotten(tmp_path: Path, broker_url: str):
    async with plant_at(tmp_path, broker_url) as plant:
        await hot_oven(plant)
        await plant.bus.publish_confirmed(f"plant/{UNIT}/power", ReadingMessage(v=1.0))
        await eventually(lambda: plant.tags.has(f"{UNIT}/power"))
        with pytest.raises(ConflictError, match="Oven 7 still sends"):
            await plant.forget_unit(UNIT, ANNA)
        assert plant.tags.unit(UNIT)
        await clear(plant)


async def clear(plant: Plant) -> None:
    for topic in (equipment_topic(UNIT), reading_topic(HEAT)):
        await plant.bus.publish_confirmed(topic, b"", retain=True)


async def test_a_unit_nobody_knows_is_not_found(tmp_path: Path, broker_url: str):
    async with plant_at(tmp_path, broker_url) as plant:
        with pytest.raises(NotFoundError, match="no unit"):
            await plant.forget_unit("a/b/c/d", ANNA)


async def test_a_forgotten_unit_of_rows_is_declared_anew_when_it_sends_again(
    tmp_path: Path, broker_url: str
):
    path = "factory/floor/line/A"

    async def sent(plant: Plant) -> Equipment:
        row = b'{"Machine_ID": "A", "Torque [Nm]": 4}'
        await plant.bus.publish_confirmed("sensors/factory/data", row)
        await eventually(lambda: plant.tags.value(f"{path}/Torque_Nm"))
        unit = plant.tags.unit(path)
        assert unit
        return unit

    async with plant_at(tmp_path, broker_url) as plant:
        first = await sent(plant)
        plant.intake.forget(first, "")
        plant.ingest.forget(path)
        assert plant.tags.unit(path) is None
        assert await sent(plant) == first


async def test_over_http_a_unit_is_forgotten_or_the_reason_told(tmp_path: Path, broker_url: str):
    async with plant_at(tmp_path, broker_url) as plant:
        transport = httpx.ASGITransport(api(plant))
        async with httpx.AsyncClient(transport=transport, base_url="http://plant") as client:
            assert (await client.delete("/api/equipment/a/b/c/d")).status_code == 404
            await hot_oven(plant)
            await plant.bus.publish_confirmed(f"plant/{UNIT}/power", ReadingMessage(v=1.0))
            await eventually(lambda: plant.tags.has(f"{UNIT}/power"))
            refused = await client.delete(f"/api/equipment/{UNIT}")
            assert refused.status_code == 409
            assert "still sends" in refused.json()["message"]
            plant.tags.forget(UNIT)
            plant.tags.declare(OVEN)
            answer = await client.delete(f"/api/equipment/{UNIT}")
            assert (answer.status_code, answer.json()["name"]) == (200, "Oven 7")
            assert plant.units() == []
