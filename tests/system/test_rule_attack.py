"""A client of the broker replaces a unit's write rule by a looser one; the plant does not obey."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.core.command import CommandOrder
from app.core.topics import COMMAND_REQUESTS, ack_topic, command_topic, equipment_topic
from tests.mqtt_peer import peer
from tests.processes import eventually
from tests.running_app import RunningApp, start_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

UNIT = "riverside/utilities/cooling/pump-101"
LIMIT = f"{UNIT}/speed_limit"
LOOSE = {"sources": ["mqtt"], "confirm": "none"}
LONG_S = 90.0


@pytest.fixture
def app(tmp_path: Path) -> Iterator[RunningApp]:
    running = start_app(tmp_path / "data", 0, 0, "--demo")
    yield running
    running.kill_everything()


def declared(app: RunningApp) -> dict[str, Any]:
    found = app.get(f"/api/equipment?prefix={UNIT}")
    return found[0] if found and any(tag["path"] == LIMIT for tag in found[0]["tags"]) else {}


def limit_of(unit: dict[str, Any]) -> dict[str, Any]:
    return next(tag for tag in unit["tags"] if tag["path"] == LIMIT)


def alarms(app: RunningApp) -> list[str]:
    return [each["finding"]["condition"] for each in app.get("/api/alarms")]


async def test_a_forged_declaration_opens_no_tag_to_commands(app: RunningApp):
    app.wait_until(lambda: declared(app).get("tags"), within_s=LONG_S)
    unit = declared(app)
    rule = limit_of(unit)["write"]
    limit_of(unit)["write"] = LOOSE
    unit["name"] = "Forged"
    forged = {
        "id": "forged",
        "tag": LIMIT,
        "value": 70,
        "requested_by": "attacker",
        "expires_at": (datetime.now(UTC) + timedelta(seconds=60)).isoformat(),
    }
    with peer(app.broker_port, "attacker") as attacker:
        await attacker.connected()
        await attacker.subscribe(ack_topic("forged"))
        await attacker.publish(equipment_topic(UNIT), msgspec.json.encode(unit), retain=True)
        app.wait_until(lambda: declared(app).get("name") == "Forged", within_s=LONG_S)
        await attacker.publish(COMMAND_REQUESTS, msgspec.json.encode(forged))
        await eventually(lambda: attacker.received, LONG_S)
    assert app.get("/api/commands/forged")["state"] == "rejected"
    assert limit_of(declared(app))["write"] == rule
    app.wait_until(lambda: "rule_changed" in alarms(app), within_s=LONG_S)
    assert [msgspec.json.decode(body)["state"] for _, body in attacker.received] == ["refused"]


async def test_a_forged_order_changes_nothing_and_raises_an_alarm(app: RunningApp):
    app.wait_until(lambda: declared(app).get("tags"), within_s=LONG_S)
    app.wait_until(lambda: app.agent("actuator").get("state") == "running", within_s=LONG_S)
    expires_at = datetime.now(UTC) + timedelta(seconds=60)
    order = CommandOrder("forged", LIMIT, 61.0, "actuator/1", expires_at, "0" * 64)
    with peer(app.broker_port, "attacker") as attacker:
        await attacker.connected()
        await attacker.subscribe(ack_topic("forged"))
        await attacker.publish(command_topic(LIMIT), msgspec.json.encode(order))
        app.wait_until(lambda: "order_not_believed" in alarms(app), within_s=LONG_S)
    (found,) = [
        each["finding"]
        for each in app.get("/api/alarms")
        if each["finding"]["condition"] == "order_not_believed"
    ]
    assert (found["agent"], found["equipment"]) == ("actuator", UNIT)
    assert "no right signature" in found["message"]
    assert attacker.received == []
    app.wait_until(lambda: "1 refused" in app.agent("actuator").get("note", ""), within_s=LONG_S)


def test_the_demo_plant_starts_without_held_rules(app: RunningApp):
    app.wait_until(lambda: declared(app).get("tags"), within_s=LONG_S)
    app.wait_until(lambda: app.good_tags() >= 150, within_s=LONG_S)
    assert app.get("/api/equipment/write-rules") == []
    assert "rule_changed" not in alarms(app)
