"""What the app believes of what peers say on the bus."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from app.bus.client import Bus
from app.clock import SystemClock
from app.core import topics
from app.core.agent import AgentSpec, AgentState, AgentStatus
from app.core.alarm import Finding, Priority
from app.core.equipment import Equipment, Limits, Tag
from app.core.reading import Quality, Reading, ReadingMessage, Reason
from app.core.truth import Truth
from app.intake import TRUTHS
from app.plant import Plant
from app.settings import Settings
from tests.processes import eventually

UNIT = "site/area/line/P-102"
NOW = datetime.now(UTC)


@pytest.fixture
async def plant(tmp_path: Path, broker_url: str) -> AsyncIterator[Plant]:
    settings = Settings.model_validate(
        {
            "data": {"dir": tmp_path},
            "broker": {"url": broker_url},
            "demo": {"enabled": False},
            "agents": {},
            "alarms": {"bad_quality_s": 1},
        }
    )
    made = Plant(settings, SystemClock())
    await made.start()
    await made.bus.wait_connected(10)
    await made.durable_bus.wait_connected(10)
    yield made
    await made.stop()


@pytest.fixture
async def peer(broker_url: str) -> AsyncIterator[Bus]:
    settings = Settings.model_validate({"broker": {"url": broker_url}})
    bus = Bus(settings, "peer", SystemClock())
    await bus.start()
    await bus.wait_connected(10)
    yield bus
    await bus.stop()


def finding(agent: str = "vibration", equipment: str = UNIT) -> Finding:
    return Finding(agent, "hot", equipment, NOW, Priority.HIGH)


def refused(plant: Plant, words: str) -> Callable[[], bool]:
    return lambda: any(words in letter.reason for letter in plant.dead_letters.list())


@pytest.mark.parametrize(
    ("topic", "stated", "words"),
    [
        ("millwright/findings/other", finding(), "not its own"),
        ("millwright/findings/limits", finding("limits"), "not its own"),
        ("millwright/findings/system", finding("system"), "not its own"),
        ("millwright/findings/external", finding("external"), "not its own"),
        ("millwright/findings/vibration", finding(equipment="site/area"), "no path"),
        ("millwright/findings/vibration", finding(equipment="site/a b/l/u"), "no path"),
    ],
)
async def test_a_finding_that_is_not_the_senders_or_of_no_unit_raises_no_alarm(
    plant: Plant, peer: Bus, topic: str, stated: Finding, words: str
):
    await peer.publish_confirmed(topic, stated)
    await eventually(refused(plant, words))
    assert plant.alarms.alarms() == []


async def test_a_birth_on_another_agents_topic_is_refused(plant: Plant, peer: Bus):
    status = AgentStatus(AgentSpec("vibration", "x"), "1", AgentState.RUNNING, NOW, 1, "host")
    await peer.publish_confirmed(topics.birth_topic("fake", "9"), status)
    await eventually(refused(plant, "another topic"))
    assert plant.registry.instances() == []


async def test_truths_beyond_the_limit_are_refused(plant: Plant, peer: Bus):
    truth = Truth(UNIT, "leak", 0.5, NOW, active=True)
    for number in range(TRUTHS):
        plant.intake.truths[f"a/b/c/{number}"] = truth
    await peer.publish_confirmed(f"millwright/truth/{UNIT}", truth)
    await eventually(refused(plant, "5000 units with a truth are the limit"))
    assert len(plant.intake.truths) == TRUTHS


@pytest.mark.parametrize(
    "at",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
        NOW + timedelta(days=2),
    ],
)
async def test_an_absurd_source_time_is_replaced_and_the_value_doubted(
    plant: Plant, peer: Bus, at: datetime
):
    path = f"{UNIT}/flow"
    await peer.publish_confirmed(topics.reading_topic(path), ReadingMessage(v=1.0, t=at))
    await eventually(lambda: plant.tags.value(path) is not None)
    held = plant.tags.value(path)
    assert held is not None
    assert (held.quality, held.reason) == (Quality.UNCERTAIN, Reason.CONFIG)
    assert held.source_time == held.received_time


async def test_a_time_beyond_the_calendar_leaves_the_history_at_work(plant: Plant, peer: Bus):
    path = f"{UNIT}/flow"
    late = b'{"v":1,"t":"9999-12-31T23:59:59-14:00"}'
    await peer.publish_confirmed(topics.reading_topic(path), late)
    await peer.publish_confirmed(topics.reading_topic(path), ReadingMessage(v=2.0))
    await eventually(lambda: plant.historian.stats.waiting >= 2)
    await plant.historian.roll()
    assert await plant.historian.count(path) == 2


async def test_a_finding_of_an_agent_itself_raises_its_alarm(plant: Plant, peer: Bus):
    await peer.publish_confirmed("millwright/findings/vibration", finding())
    await eventually(lambda: len(plant.alarms.alarms()) == 1)
    assert msgspec.structs.replace(plant.alarms.alarms()[0].finding, found_at=NOW) == finding()


def lose(plant: Plant, unit: str, lost: int) -> None:
    """Declare a unit of three tags of which some have lost their connection."""
    tags = tuple(Tag(f"{unit}/t{number}", stale_after_s=600) for number in range(3))
    plant.intake.declare(Equipment(unit, "Pump", tags=tags))
    now = plant.clock.now()
    gone = [Reading(t.path, None, Quality.BAD, now, now, Reason.COMM_LOST) for t in tags[:lost]]
    well = [Reading(tag.path, 1.0, Quality.GOOD, now, now) for tag in tags[lost:]]
    plant.intake.accept(gone + well)


def active_alarms(plant: Plant) -> set[tuple[str, str]]:
    active = [alarm.finding for alarm in plant.alarms.alarms() if alarm.active]
    return {(finding.equipment, finding.condition) for finding in active}


async def test_a_unit_that_lost_every_value_is_one_alarm(plant: Plant):
    other = "site/area/line/P-103"
    lose(plant, UNIT, 3)
    lose(plant, other, 1)
    lose(plant, "site/area/line/P-104", 0)
    # an alarm of a tag comes as late as those that must not come
    await eventually(lambda: len(active_alarms(plant)) >= 2)
    assert active_alarms(plant) == {(UNIT, "no_values"), (f"{other}/t0", "bad_quality")}


async def test_a_tag_taken_out_of_its_unit_takes_its_alarms_along(plant: Plant):
    idle = "site/area/line/P-105"  # as many tags without values as others have alarms
    plant.intake.declare(Equipment(idle, "Idle", tags=tuple(Tag(f"{idle}/{n}") for n in "abc")))
    lose(plant, UNIT, 1)
    heat = Tag(f"{UNIT}/heat", limits=Limits(high=80.0), stale_after_s=600)
    plant.intake.extend(Equipment(UNIT, "Pump", tags=(heat,)))
    now = plant.clock.now()
    plant.intake.accept([Reading(heat.path, 90.0, Quality.GOOD, now, now)])
    both = {(f"{UNIT}/t0", "bad_quality"), (heat.path, "high")}
    await eventually(lambda: active_alarms(plant) == both)
    kept = tuple(Tag(f"{UNIT}/t{number}", stale_after_s=600) for number in (1, 2))
    plant.intake.declare(Equipment(UNIT, "Pump", tags=kept))
    await eventually(lambda: not active_alarms(plant))
