"""The form that changes tags, and approvals of commands, over a real plant without actuators."""

from collections.abc import AsyncIterator

import pytest
from nicegui import ui
from nicegui.testing import User

from app.core.actor import Actor
from app.core.command import CommandState
from app.core.equipment import Equipment, Tag, TagKind
from app.core.reading import Quality, Reading
from app.core.write_rule import Confirm, WriteRule
from app.plant import Plant
from app.settings import Settings
from pages import unit, work
from tests.pages.work_pages import emit
from tests.processes import eventually
from tests.simulated_plant import bare_plant

UNIT = "riverside/utilities/cooling/pump-101"
LIMIT = f"{UNIT}/speed_limit"
GATE = f"{UNIT}/gate"
PUMP = Equipment(
    UNIT,
    "Cooling pump P-101",
    tags=(
        Tag(LIMIT, "Speed limit", "%", low=0, high=105, stale_after_s=600, write=WriteRule(low=65)),
        Tag(
            GATE,
            "Bypass gate",
            kind=TagKind.BINARY,
            high=1,
            stale_after_s=600,
            states={0: "shut", 1: "open"},
            write=WriteRule(confirm=Confirm.TWO_PERSONS),
        ),
        Tag(f"{UNIT}/flow", "Flow", "m3/h"),
    ),
)


@pytest.fixture
async def plant(connected_settings: Settings, user: User) -> AsyncIterator[Plant]:
    del user
    async with bare_plant(connected_settings) as plant:
        plant.tags.declare(PUMP)
        unit.create(plant)
        work.create(plant)
        yield plant


def show(plant: Plant, quality: Quality = Quality.GOOD) -> None:
    """Have the plant show values."""
    now = plant.clock.now()
    plant.tags.apply(
        [Reading(path, 0.0 if path == GATE else 100.0, quality, now, now) for path in (LIMIT, GATE)]
    )


async def write(user: User, name: str, value: float) -> None:
    """Give a new value to a field of the form."""
    await user.should_see(marker=f"value {name}")
    (field,) = user.find(marker=f"value {name}").elements
    assert isinstance(field, ui.number | ui.select)
    with user:
        field.value = value


async def test_only_tags_that_may_be_written_are_offered(plant: Plant, user: User):
    show(plant)
    await user.open(f"/units/{UNIT}")
    await user.should_see("2 tags to set")
    await user.should_not_see(marker="value flow")


async def test_a_value_beyond_its_bounds_is_named_and_cannot_be_sent(plant: Plant, user: User):
    show(plant)
    await user.open(f"/units/{UNIT}")
    await write(user, "speed_limit", 150)
    await user.should_see("Must be between 65 and 105 %; is 150")
    user.find(marker="send speed_limit").click()
    assert await plant.commands.find() == []


@pytest.mark.parametrize("quality", [Quality.BAD, Quality.UNCERTAIN])
async def test_a_value_that_cannot_be_trusted_cannot_be_commanded(
    plant: Plant, user: User, quality: Quality
):
    show(plant, quality)
    await user.open(f"/units/{UNIT}")
    await write(user, "speed_limit", 80)
    await user.should_see("what a change would mean cannot be judged")
    user.find(marker="send speed_limit").click()
    assert await plant.commands.find() == []


async def test_a_tag_without_any_value_cannot_be_commanded(plant: Plant, user: User):
    await user.open(f"/units/{UNIT}")
    await write(user, "speed_limit", 80)
    await user.should_see("The present value has no value")
    assert await plant.commands.find() == []


async def test_sending_asks_with_the_whole_sentence_first(plant: Plant, user: User):
    show(plant)
    await user.open(f"/units/{UNIT}")
    await write(user, "speed_limit", 80)
    await user.should_see("checks hold")
    user.find(marker="send speed_limit").click()
    await user.should_see("Cooling pump P-101: speed limit: 100.0 % → 80.0 %")
    await user.should_see("It acts at once.")
    assert await plant.commands.find() == []


async def test_a_command_for_two_persons_waits_and_its_asker_may_not_approve(
    plant: Plant, user: User
):
    show(plant)
    await user.open(f"/units/{UNIT}")
    await write(user, "gate", 1.0)
    await user.should_see("checks hold")
    user.find(marker="send gate").click()
    await user.should_see("It acts when another person approves it")
    user.find(marker="go-on").click()
    await user.should_see(marker="reason")  # it says why first
    user.find(marker="reason").type("bypass for cleaning")
    user.find(marker="go-on").click()
    await user.should_see("awaiting approval")
    await user.open("/approvals")
    await user.should_see("another person must approve it")
    await user.should_see("shut → open")


async def test_another_person_rejects_a_command_with_a_reason(plant: Plant, user: User):
    show(plant)
    bert = Actor("bert", "ui")
    command = await plant.commands.request(GATE, 1.0, bert, "flush it", expires_s=600)
    await user.open("/approvals")
    await user.should_see("flush it")
    await user.should_see("bert asked, so another person must approve it")
    emit(user, "mw_act", {"do": "reject", "id": f"command {command.id}"})
    await user.should_see(marker="reason")
    user.find(marker="reason").type("not now")
    user.find(marker="go-on").click()
    states: list[CommandState] = []
    plant.commands.on_change(lambda each: states.append(each.state))
    await eventually(lambda: CommandState.REJECTED in states)
    assert "operator rejected it: not now" in (await plant.commands.get(command.id)).reason


async def test_a_command_has_a_page_with_what_happened(plant: Plant, user: User):
    show(plant)
    bert = Actor("bert", "ui")
    command = await plant.commands.request(GATE, 1.0, bert, "flush it", expires_s=600)
    await plant.commands.reject(command.id, Actor("anna", "ui"), "not now")
    await user.open(f"/commands/{command.id}")
    await user.should_see("anna rejected it: not now")
    await user.should_see("awaiting approval")


async def test_a_command_that_comes_later_appears_in_the_list(plant: Plant, user: User):
    show(plant)
    await user.open("/commands")
    await user.should_see("Nothing was commanded yet")
    await plant.commands.request(GATE, 1.0, Actor("bert", "ui"), "flush it", expires_s=600)
    await user.should_see("flush it")
