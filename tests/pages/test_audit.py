"""The audit page as a person uses it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from nicegui.testing import User

from app.clock import SystemClock
from app.core.actor import Actor
from app.core.audit_row import AuditRow
from app.plant import Plant
from app.settings import Settings
from app.store.audit import Outcome
from pages import audit
from pages.widgets.audit_filter import Asked
from pages.widgets.audit_table import audit_table
from tests.unit.api.conftest import UNIT, pump
from tests.unit.store.audit_rig import spoil

pytestmark = pytest.mark.usefixtures("no_blocking")

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
async def plant(settings: Settings, user: User) -> AsyncIterator[Plant]:
    """A plant that was not started, with an open audit, and the page over it."""
    settings.data.dir.mkdir(parents=True)
    plant = await asyncio.to_thread(Plant, settings, SystemClock())
    await asyncio.to_thread(plant.audit.open)
    plant.tags.declare(pump())
    audit.create(plant)
    yield plant
    await ended()
    await asyncio.to_thread(plant.audit.close)


async def note(
    plant: Plant, action: str, target: str, outcome: Outcome = Outcome.DONE, reason: str = ""
) -> None:
    """Note an action and what came of it."""

    def write() -> None:
        number = plant.audit.append(NOON, Actor("anna", "http"), action, target, "shift <b>")
        plant.audit.conclude(number, NOON + timedelta(seconds=1), outcome, reason)

    await asyncio.to_thread(write)


async def ended() -> None:
    """Wait until a check is over."""
    for thread in threading.enumerate():
        if thread.name == "audit check":
            await asyncio.to_thread(thread.join, 10)


async def test_an_empty_audit_says_what_would_be_there(plant: Plant, user: User):
    await user.open("/audit")
    await user.should_see("Nobody has done anything yet")
    await user.should_see("has not been checked")


async def test_a_command_that_was_taken_is_not_said_to_be_done(plant: Plant, user: User):
    await note(plant, "command", f"{UNIT}/speed = 40 % [{'a' * 32}]")
    await note(plant, "reject command", f"{UNIT}/speed = 40 % [{'b' * 32}]")
    await user.open("/audit")
    await user.should_see("Accepted")
    await user.should_see("Done")


def test_a_long_name_breaks_behind_its_underscores():
    actor = Actor("workflow smart_<b>_automation", "workflow")
    row = AuditRow(1, NOON, actor.name, actor.source, "command", "x", "", Outcome.DONE, "")
    shown = audit_table([row], NOON, "UTC", lambda _: "")
    assert "workflow smart_<wbr>&lt;b&gt;_<wbr>automation</td>" in shown


async def test_an_action_tells_who_did_what_from_where_and_what_came_of_it(
    plant: Plant, user: User
):
    await note(plant, "forget unit", UNIT, Outcome.REFUSED, f"{UNIT} still sends values")
    await user.open("/audit")
    for words in ("anna", "HTTP", "Forget unit", "Cooling pump P-102", "Refused", "still sends"):
        await user.should_see(words)
    await user.should_see(f'href="/units/{UNIT}"')
    await user.should_see("shift &lt;b&gt;")


RUN = "1a201dd21ab33b80"
COMMAND = "4d3412b2d4bf4e8d999a857f4b6054a0"


@pytest.mark.parametrize(
    ("action", "target", "shown"),
    [
        ("start workflow", "a & b", 'href="/workflows?find=a+%26+b"'),
        ("cancel run", RUN, f'href="/runs/{RUN}"'),
        ("approve", f"{RUN}:choose:1", f'href="/runs/{RUN}"'),
        ("command", f"{UNIT}/speed = 40 Cel [{COMMAND}]", "/speed = 40 °C "),
        ("command", f"{UNIT}/speed = 40  [{COMMAND}]", f'href="/commands/{COMMAND}"'),
        ("command", f"{UNIT}/speed = 40 Cel [{RUN}-set_point]", "/speed = 40 °C "),
        ("command", f"{UNIT}/speed = 40  [{RUN}-set.2]", f'href="/commands/{RUN}-set.2"'),
        ("start scenario", f"{UNIT} <b>imbalance</b> 0.9", "&lt;b&gt;imbalance"),
    ],
)
async def test_what_was_done_leads_to_its_page(
    plant: Plant, user: User, action: str, target: str, shown: str
):
    await note(plant, action, target)
    await user.open("/audit")
    await user.should_see(shown)


async def test_what_is_asked_for_in_the_address_is_shown_alone(plant: Plant, user: User):
    await note(plant, "start agent", "energy")
    await note(plant, "stop agent", "safety", Outcome.FAILED, "no answer")
    await user.open("/audit?text=safe&outcome=failed&source=http")
    await user.should_see("Stop agent")
    await user.should_not_see("Start agent")


async def test_nothing_that_fits_is_said_with_a_way_back(plant: Plant, user: User):
    await note(plant, "start agent", "energy")
    await user.open("/audit?actor=nobody")
    await user.should_see("No action fits")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("start=noon", "From: &quot;noon&quot; is no time"),
        ("end=9999-12-31T00:00", "Until: the year"),
        ("outcome=good", "Outcome: &quot;good&quot;"),
    ],
)
async def test_a_field_that_makes_no_sense_is_named(
    plant: Plant, user: User, query: str, words: str
):
    await user.open(f"/audit?{query}")
    await user.should_see(words)


async def test_older_actions_are_loaded_below(plant: Plant, user: User):
    await note(plant, "start agent", "oldest")
    for _ in range(audit.ROWS_AT_ONCE):
        await note(plant, "stop agent", "energy")
    await user.open("/audit")
    await user.should_not_see("oldest")
    user.find("Load older").click()
    await user.should_see("oldest")
    await user.should_not_see("Load older")


async def test_what_is_noted_meanwhile_comes_by_itself_and_once(
    plant: Plant, user: User, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(audit, "LOOK_AGAIN_S", 0.05)
    await user.open("/audit")
    await user.should_see("Nobody has done anything yet")
    await note(plant, "stop agent", "energy")
    await user.should_see("1 action, all that fit")
    await note(plant, "stop agent", "safety", Outcome.FAILED, "no answer")
    await user.should_see("2 actions, all that fit")
    await user.should_see("no answer")


async def test_older_actions_stay_when_a_newer_one_comes(
    plant: Plant, user: User, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(audit, "LOOK_AGAIN_S", 0.05)
    await note(plant, "start agent", "oldest")
    for _ in range(audit.ROWS_AT_ONCE):
        await note(plant, "stop agent", "energy")
    await user.open("/audit")
    user.find("Load older").click()
    await user.should_see("oldest")
    await note(plant, "stop agent", "newest")
    await user.should_see("newest")
    await user.should_see(f"{audit.ROWS_AT_ONCE + 2} actions, all that fit")
    await user.should_see("oldest")


async def test_so_many_new_actions_that_some_may_lie_between_are_read_from_the_newest(
    plant: Plant,
):
    await note(plant, "start agent", "oldest")
    listing = audit.Listing(plant, Asked())
    await listing.load()
    for _ in range(audit.ROWS_AT_ONCE):
        await note(plant, "stop agent", "energy")
    await listing.look()
    assert [row.target for row in listing.rows] == ["energy"] * audit.ROWS_AT_ONCE
    await listing.load()
    assert listing.rows[-1].target == "oldest"


async def test_what_does_not_fit_does_not_come(
    plant: Plant, user: User, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(audit, "LOOK_AGAIN_S", 0.05)
    await user.open("/audit?actor=bruno")
    await note(plant, "stop agent", "energy")
    await asyncio.to_thread(
        plant.audit.append, NOON, Actor("bruno", "http"), "stop agent", "safety"
    )
    await user.should_see("1 action, all that fit")
    await user.should_not_see("energy")


async def test_a_check_tells_that_the_chain_is_whole(plant: Plant, user: User):
    await note(plant, "start agent", "energy")
    await user.open("/audit")
    user.find("Verify").click()
    await ended()
    await user.should_see("The chain of 2 rows is whole")


async def test_a_broken_chain_is_named_with_what_to_do(
    plant: Plant, user: User, caplog: pytest.LogCaptureFixture
):
    await note(plant, "start agent", "energy")
    await asyncio.to_thread(spoil, plant.audit.path, "UPDATE chain SET actor = 'eve'")
    plant.stores.audit_check.start()
    await ended()
    assert "audit chain is broken" in caplog.text
    caplog.clear()  # an error in the log would fail the test
    await user.open("/audit")
    await user.should_see("The chain is broken at row 1")
    await user.should_see("Copy the data folder")


async def test_an_audit_that_cannot_be_read_says_so(plant: Plant, user: User):
    await asyncio.to_thread(plant.audit.close)
    await user.open("/audit")
    await user.should_see("The audit cannot be read")
    await user.should_see("The audit is not open")
