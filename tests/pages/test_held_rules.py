"""Held write rules on the unit's page: side by side, accepted or kept with a reason."""

from collections.abc import AsyncIterator

import pytest
from nicegui import ui
from nicegui.testing import User

from app.core.actor import Role
from app.core.equipment import Equipment, Tag
from app.core.write_rule import CommandSource, Confirm, WriteRule
from app.plant import Plant
from app.settings import PeopleSettings, Settings
from pages import unit
from tests.processes import eventually
from tests.simulated_plant import bare_plant

UNIT = "riverside/utilities/cooling/pump-101"
SPEED = f"{UNIT}/speed_limit"
STRICT = WriteRule(confirm=Confirm.TWO_PERSONS)
LOOSE = WriteRule(sources=(CommandSource.MQTT,), confirm=Confirm.NONE)
PLATE = "This unit declares other rules for 1 tag"


def pump(rule: WriteRule) -> Equipment:
    return Equipment(UNIT, "Cooling pump P-101", tags=(Tag(SPEED, "Speed limit", write=rule),))


@pytest.fixture
def role() -> Role:
    return Role.ENGINEER


@pytest.fixture
async def plant(connected_settings: Settings, role: Role, user: User) -> AsyncIterator[Plant]:
    del user
    people = PeopleSettings(roles={"operator": role})
    settings = connected_settings.model_copy(update={"people": people})
    async with bare_plant(settings) as plant:
        plant.intake.declare(pump(STRICT))
        unit.create(plant)
        yield plant


async def ask(user: User, words: str, why: str) -> None:
    user.find(words).click()
    await user.should_see(marker="reason")
    (field,) = user.find(marker="reason").elements
    assert isinstance(field, ui.input)
    with user:
        field.value = why
    user.find(marker="go-on").click()


async def test_a_unit_whose_rules_count_shows_no_plate(plant: Plant, user: User):
    await user.open(f"/units/{UNIT}")
    await user.should_not_see("This unit declares other rules")


async def test_old_and_new_stand_side_by_side_in_words(plant: Plant, user: User):
    plant.intake.declare(pump(LOOSE))
    await user.open(f"/units/{UNIT}")
    await user.should_see(PLATE)
    for words in ("two persons", "nobody", "ui, http, cli, workflow"):
        await user.should_see(words)


async def test_accepting_asks_for_a_reason_and_the_rules_count(plant: Plant, user: User):
    plant.intake.declare(pump(LOOSE))
    await user.open(f"/units/{UNIT}")
    await ask(user, "Accept", "update of May")
    await eventually(lambda: plant.tags.tag(SPEED).write == LOOSE)
    await user.should_not_see(PLATE)


async def test_keeping_the_former_leaves_the_rules(plant: Plant, user: User):
    plant.intake.declare(pump(LOOSE))
    await user.open(f"/units/{UNIT}")
    await ask(user, "Keep the former", "not ours")
    await eventually(lambda: not plant.write_rules.waiting())
    assert plant.tags.tag(SPEED).write == STRICT
    await user.should_see("They were refused before")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SUPERVISOR])
async def test_who_is_no_engineer_is_told_so(plant: Plant, user: User):
    plant.intake.declare(pump(LOOSE))
    await user.open(f"/units/{UNIT}")
    await user.should_see("nobody can accept or refuse them")
    await user.should_see("your name&quot; = &quot;engineer")
    await ask(user, "Accept", "because")
    await user.should_see("engineer may, but nobody is named engineer")


async def test_while_there_is_an_engineer_the_plate_does_not_ask_for_one(plant: Plant, user: User):
    plant.intake.declare(pump(LOOSE))
    await user.open(f"/units/{UNIT}")
    await user.should_see(PLATE)
    await user.should_not_see("Nobody is named engineer")
    assert plant.tags.tag(SPEED).write == STRICT
