"""The health page as a person uses it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest
from nicegui.testing import User

from app.bus.client import Counters
from app.bus.dead_letters import DeadLetters
from app.clock import ManualClock, SystemClock
from app.core.health import ComponentStatus, Health
from app.core.quarantined import Quarantined
from app.plant import Plant
from app.settings import Settings
from app.store.history import HistoryStats
from pages import health
from pages.quarantine import quarantine_card

pytestmark = pytest.mark.usefixtures("no_blocking")

NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
async def plant(settings: Settings, user: User) -> AsyncIterator[Plant]:
    """A plant that was not started, and the page over it."""
    settings.data.dir.mkdir(parents=True)
    plant = await asyncio.to_thread(Plant, settings, SystemClock())
    await asyncio.to_thread(plant.audit.open)
    health.create(plant)
    yield plant
    await asyncio.to_thread(plant.audit.close)


async def test_every_component_is_named(plant: Plant, user: User):
    await user.open("/health")
    for name in (status.name for status in plant.health()):
        await user.should_see(name)


async def test_an_empty_list_says_what_would_be_there(plant: Plant, user: User):
    await user.open("/health")
    await user.should_see("No message is listed here")
    await user.should_not_see("Clear the list")


async def test_a_refused_message_is_shown_with_its_reason(plant: Plant, user: User):
    plant.dead_letters.add("data/line1", b'{"v": NaN}', "NaN is no number")
    await user.open("/health")
    await user.should_see("data/line1")
    await user.should_see("NaN is no number")
    await user.should_see("{&quot;v&quot;: NaN}")
    await user.should_see("1 since the start")


async def test_a_message_refused_later_appears(plant: Plant, user: User):
    await user.open("/health")
    plant.dead_letters.add("data/late", b"x", "not JSON")
    await user.should_see("data/late")
    await user.should_see("Clear the list")


async def test_a_message_cannot_become_markup(plant: Plant, user: User):
    plant.dead_letters.add("data/<b>x", b"<img src=x onerror=alert(1)>", "not <i>JSON")
    await user.open("/health")
    await user.should_see("&lt;img src=x onerror=alert(1)&gt;")
    await user.should_not_see("<img src=x")
    await user.should_not_see("<i>JSON")


async def test_clearing_asks_first_and_keeps_the_count(plant: Plant, user: User):
    plant.dead_letters.add("data/line1", b"x", "not JSON")
    await user.open("/health")
    user.find("Clear the list").click()
    await user.should_see("One message will be forgotten")
    user.find(marker="go-on").click()
    await user.should_see("No message is listed here")
    await user.should_see("1 since the start")
    (row,) = await asyncio.to_thread(plant.audit_rows, 10)
    assert row.action == "clear dead letters"


async def test_cancel_clears_nothing(plant: Plant, user: User):
    plant.dead_letters.add("data/line1", b"x", "not JSON")
    await user.open("/health")
    user.find("Clear the list").click()
    await user.should_see("One message will be forgotten")
    user.find("Back").click()
    await user.should_see("data/line1")
    assert len(plant.dead_letters.list()) == 1


async def test_the_brokers_output_opens(plant: Plant, user: User):
    await user.open("/health")
    await user.should_see("Output of the broker")
    user.find("Log").click()
    await user.should_see("It has not written anything yet")


async def test_what_is_in_trouble_stands_first(plant: Plant):
    statuses = [
        ComponentStatus("Bus", Health.OK, NOON),
        ComponentStatus("Alarms", Health.DEGRADED, NOON, "Journal is slow"),
        ComponentStatus("Broker", Health.FAILED, NOON, "Port 1883 is used", "Set broker.port"),
        ComponentStatus("Simulator agent", Health.STOPPED, NOON),
    ]
    html = health.components_card(statuses, plant)
    assert html.index("Broker") < html.index("Alarms") < html.index("Bus")
    assert "Port 1883 is used. Set broker.port" in html
    assert "1 of 3 are well, 1 stopped" in html


def test_a_long_list_is_cut_and_says_so():
    letters = DeadLetters(200, ManualClock(NOON))
    for number in range(120):
        letters.add(f"data/{number}", b"x", "not JSON")
    html = health.letters_card(letters.list(), letters.total, "UTC")
    assert html.count("<tr>") == health.LETTERS_SHOWN + 1
    assert "120 since the start, the newest 50 shown" in html
    assert "data/119" in html
    assert "data/0" not in html


def test_traffic_names_each_connection():
    counters = Counters(published=12, received=34_567, dropped=8, dead=9, failed=1)
    html = health.traffic_card([("Live values", counters)])
    assert "Live values" in html
    assert "34\u2009567" in html


def test_history_without_a_day_has_a_dash():
    stats = HistoryStats(rows=0, bytes=0, tags=0, days=0, oldest=None, waiting=0, dropped=0)
    assert "<dd>\u2013</dd>" in health.history_table(stats)


def test_history_tells_its_size():
    stats = HistoryStats(
        rows=12_000,
        bytes=3_400_000,
        tags=200,
        days=2,
        oldest=date(2026, 5, 1),
        waiting=5,
        dropped=0,
    )
    html = health.history_table(stats)
    assert "3.4 MB" in html
    assert "2026-05-01" in html


def moved_aside(count: int, reason: str = "file is <b>no database") -> list[Quarantined]:
    return [
        Quarantined(
            "alarms.sqlite", f"/data/alarms.sqlite.quarantined-{each}", 2_500_000, NOON, reason
        )
        for each in range(count)
    ]


def test_what_was_moved_aside_is_told_with_size_reason_and_what_to_do():
    html = quarantine_card(moved_aside(2), "UTC")
    assert "2 kept, 5.0 MB" in html
    assert "2026-05-04 12:00" in html
    assert "/data/alarms.sqlite.quarantined-1" in html
    assert "file is &lt;b&gt;no database" in html
    assert "delete the folder by hand" in html


def test_nothing_moved_aside_takes_no_room():
    assert "Damaged" not in quarantine_card([], "UTC")


def test_a_reason_that_was_not_noted_and_a_long_list_say_so():
    html = quarantine_card(moved_aside(60, ""), "UTC")
    assert "the newest 50 shown" in html
    assert html.count("not noted") == 50


async def test_a_damaged_store_stands_on_the_page(plant: Plant, user: User):
    folder = plant.settings.data.dir / "audit.sqlite.quarantined-1"
    await asyncio.to_thread(folder.mkdir)
    await user.open("/health")
    await user.should_see("Damaged and moved aside")
    await user.should_see("audit.sqlite.quarantined-1")
