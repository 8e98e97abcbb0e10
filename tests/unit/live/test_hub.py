"""The hub: shared frames, conflation of slow browsers, heartbeats, alarms at once."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from app.clock import ManualClock
from app.core.alarm import Alarm, AlarmState, AlarmSummary, Finding, Priority
from app.core.equipment import Equipment, Tag
from app.core.reading import Quality, Reading
from app.live.hub import LiveHub
from app.live.tags import TagTable
from app.live.view import Subscriber
from app.settings import LiveSettings

START = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
UNIT = "riverside/utilities/cooling/pump-101"
FLOW, PRESSURE = f"{UNIT}/flow", f"{UNIT}/pressure"


class Scene:
    """A hub with two tags on a clock that the test turns."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.tags = TagTable(self.clock, 100)
        self.hub = LiveHub(self.tags, LiveSettings(), self.clock)
        self.tags.on_change(self.hub.notify)
        self.tags.declare(Equipment(UNIT, "P-101", tags=(Tag(FLOW), Tag(PRESSURE))))

    def change(self, tag: str, value: float) -> None:
        now = self.clock.now()
        self.tags.apply([Reading(tag, value, Quality.GOOD, now, now)])

    async def looking(self, *tags: str) -> Subscriber:
        """Return a tab that is up to date."""
        subscriber = self.hub.join()
        self.hub.look(subscriber, tags)
        await self.received(subscriber)
        return subscriber

    async def received(self, subscriber: Subscriber) -> list[dict[str, Any]]:
        async with asyncio.timeout(20):
            return [json.loads(text) for text in await self.hub.messages(subscriber)]

    async def turn(self, seconds: float) -> None:
        for _ in range(3):  # let the hub's tasks reach their wait
            await asyncio.sleep(0)
        await self.clock.advance(seconds)
        await asyncio.sleep(0)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    running = asyncio.create_task(made.hub.run())
    yield made
    running.cancel()
    await asyncio.wait([running])


async def has_nothing(scene: Scene, subscriber: Subscriber) -> bool:
    waiting = asyncio.ensure_future(scene.hub.messages(subscriber))
    for _ in range(5):
        await asyncio.sleep(0)
    is_quiet = not waiting.done()
    waiting.cancel()
    return is_quiet


async def test_a_tab_first_gets_description_and_all_values(scene: Scene):
    scene.change(FLOW, 50)
    subscriber = scene.hub.join()
    scene.hub.look(subscriber, [PRESSURE, FLOW])
    hello, full = await scene.received(subscriber)
    assert [tag["path"] for tag in hello["tags"]] == [FLOW, PRESSURE]
    assert full["v"] == [[0, 50], [1, None, "b", 0, "no_value"]]


async def test_a_tab_that_looks_at_nothing_learns_which_server_it_speaks_to(scene: Scene):
    (hello,) = await scene.received(scene.hub.join())
    assert hello["boot"] == scene.hub.boot
    assert hello["tags"] == []


async def test_values_of_one_burst_join_one_frame(scene: Scene):
    subscriber = await scene.looking(FLOW, PRESSURE)
    scene.change(FLOW, 50)
    scene.change(PRESSURE, 3)
    await scene.turn(0.021)
    (frame,) = await scene.received(subscriber)
    assert frame["v"] == [[0, 50], [1, 3]]


async def test_only_changed_tags_stand_in_a_frame(scene: Scene):
    subscriber = await scene.looking(FLOW, PRESSURE)
    scene.change(PRESSURE, 3)
    await scene.turn(0.021)
    (frame,) = await scene.received(subscriber)
    assert frame["v"] == [[1, 3]]


async def test_a_tag_changed_twice_is_told_once_with_its_last_value(scene: Scene):
    subscriber = await scene.looking(FLOW)
    scene.change(FLOW, 50)
    scene.change(FLOW, 51)
    await scene.turn(0.021)
    (frame,) = await scene.received(subscriber)
    assert frame["v"] == [[0, 51]]


async def test_tabs_with_the_same_tags_share_one_text(scene: Scene):
    first, second = await scene.looking(FLOW, PRESSURE), await scene.looking(PRESSURE, FLOW)
    assert scene.hub.views == 1
    scene.change(FLOW, 50)
    await scene.turn(0.021)
    (one,), (other,) = await scene.hub.messages(first), await scene.hub.messages(second)
    assert one is other


async def test_a_tab_gets_nothing_of_tags_it_does_not_show(scene: Scene):
    subscriber = await scene.looking(FLOW)
    scene.change(PRESSURE, 3)
    await scene.turn(0.021)
    assert await has_nothing(scene, subscriber)


async def test_a_slow_tab_misses_steps_but_never_the_latest_value(scene: Scene):
    subscriber = await scene.looking(FLOW, PRESSURE)
    scene.change(PRESSURE, 3)
    for value in range(10):
        scene.change(FLOW, value)
        await scene.turn(0.5)
    hello, full = await scene.received(subscriber)
    assert hello["k"] == "hello"
    assert [value[:2] for value in full["v"]] == [[0, 9], [1, 3]]
    assert subscriber.dropped > 0


async def test_a_slow_tab_holds_at_most_its_queue(scene: Scene):
    subscriber = await scene.looking(FLOW)
    for value in range(100):
        scene.change(FLOW, value)
        await scene.turn(0.5)
    assert len(await scene.received(subscriber)) <= 2


async def test_a_full_frame_tells_the_true_age(scene: Scene):
    scene.change(FLOW, 50)
    await scene.turn(3)
    subscriber = scene.hub.join()
    scene.hub.look(subscriber, [FLOW])
    _, full = await scene.received(subscriber)
    assert full["v"] == [[0, 50, "g", 3]]


async def test_a_stale_tag_is_pushed_as_such(scene: Scene):
    scene.change(FLOW, 50)
    await scene.turn(6)
    subscriber = await scene.looking(FLOW)
    scene.tags.sweep()
    await scene.turn(0.021)
    (frame,) = await scene.received(subscriber)
    assert frame["v"] == [[0, 50, "u", 6, "stale"]]


async def test_a_tag_declared_later_is_described_then(scene: Scene):
    later = f"{UNIT}/speed"
    subscriber = await scene.looking(later)
    scene.change(later, 1480)
    hello, full = await scene.received(subscriber)
    assert "missing" not in hello["tags"][0]
    assert full["v"] == [[0, 1480]]


async def test_a_quiet_tab_gets_a_heartbeat(scene: Scene):
    subscriber = await scene.looking(FLOW)
    await scene.turn(1.01)
    (beat,) = await scene.received(subscriber)
    assert beat["k"] == "h"


async def test_alarms_do_not_wait_for_a_frame(scene: Scene):
    subscriber = await scene.looking(FLOW)
    scene.hub.watch_alarms(subscriber, wanted=True)
    await scene.received(subscriber)
    scene.hub.alarms(AlarmSummary(counts=(0, 1, 0, 0)), [alarm("a1")])
    (message,) = await scene.received(subscriber)
    assert message["counts"] == [0, 1, 0, 0]
    assert message["rows"][0]["id"] == "a1"


async def test_a_tab_that_comes_later_gets_all_alarms_worst_first(scene: Scene):
    scene.hub.alarms(AlarmSummary(), [alarm("low", Priority.LOW), alarm("high")])
    scene.hub.alarms(AlarmSummary(), [alarm("low", Priority.LOW, AlarmState.NORMAL)])
    scene.hub.alarms(AlarmSummary(), [alarm("critical", Priority.CRITICAL)])
    subscriber = scene.hub.join()
    scene.hub.watch_alarms(subscriber, wanted=True)
    _, message = await scene.received(subscriber)
    assert message["reset"] is True
    assert [row["id"] for row in message["rows"]] == ["critical", "high"]


async def test_alarms_stay_away_from_tabs_that_do_not_want_them(scene: Scene):
    subscriber = await scene.looking(FLOW)
    scene.hub.alarms(AlarmSummary(), [alarm("a1")])
    assert await has_nothing(scene, subscriber)


async def test_a_changed_status_is_told_once(scene: Scene):
    subscriber = await scene.looking(FLOW)
    scene.hub.watch_status(lambda: {"broker": "ok"})
    await scene.turn(1.01)
    kinds = [message["k"] for message in await scene.received(subscriber)]
    await scene.turn(1.01)
    kinds += [message["k"] for message in await scene.received(subscriber)]
    assert kinds.count("s") == 1


async def test_a_tab_that_left_costs_nothing(scene: Scene):
    subscriber = await scene.looking(FLOW)
    scene.hub.leave(subscriber)
    scene.hub.leave(subscriber)
    assert (scene.hub.views, scene.hub.subscribers) == (0, 0)


async def test_looking_elsewhere_ends_the_old_view(scene: Scene):
    subscriber = await scene.looking(FLOW)
    scene.hub.look(subscriber, [PRESSURE])
    assert scene.hub.views == 1


def alarm(
    name: str, priority: Priority = Priority.HIGH, state: AlarmState = AlarmState.UNACK
) -> Alarm:
    finding = Finding("limits", name, UNIT, START, priority, message="Too high")
    return Alarm(name, finding, state, True, START, START)
