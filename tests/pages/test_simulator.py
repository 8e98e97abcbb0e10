"""The simulator page as a person uses it, over a real broker and the real simulator."""

from collections.abc import AsyncIterator
from typing import cast

import pytest
from nicegui import ui
from nicegui.testing import User

from app.core.actor import Actor
from app.plant import Plant
from app.settings import Settings
from pages import simulator
from tests.processes import eventually
from tests.simulated_plant import PUMP, bare_plant, simulating

NIGHT = Actor(name="night shift", source="ui")


@pytest.fixture
async def plant(connected_settings: Settings, user: User) -> AsyncIterator[Plant]:
    """A plant without agents of its own, and the page over it."""
    async with bare_plant(connected_settings) as made:
        simulator.create(made)
        yield made


async def test_without_a_simulator_it_says_how_to_get_one(plant: Plant, user: User):
    await user.open("/simulator")
    await user.should_see("The simulator does not run")
    await user.should_see("uv run millwright --demo")
    await user.should_see("millwright agent simulator")
    await user.should_not_see("Start a fault")


async def test_every_unit_stands_there_with_its_faults(plant: Plant, user: User):
    async with simulating(plant):
        await user.open("/simulator")
        await user.should_see("Cooling pump P-101")
        await user.should_see("Curing oven O-501")
        await user.should_see("Heating element loss")
        await user.should_see("Network scan")
        await user.should_see("No fault runs")


async def test_the_list_is_marked_as_ground_truth(plant: Plant, user: User):
    async with simulating(plant):
        await user.open("/simulator")
        await user.should_see("Ground truth · simulator only")
        await user.should_see("Agents never see this list")


async def test_a_fault_is_started_and_stopped(plant: Plant, user: User):
    async with simulating(plant) as agent:
        await user.open("/simulator")
        await user.should_see(marker="start")
        user.find(marker="start").click()
        await eventually(lambda: len(agent.plant.truth()) == 1)
        (truth,) = agent.plant.truth()
        assert (truth.equipment, truth.scenario, truth.severity) == (
            PUMP,
            "bearing_outer_race",
            0.7,
        )
        await user.should_see(marker="stop bearing_outer_race")
        await user.should_see("since ")
        user.find(marker="stop bearing_outer_race").click()
        await eventually(lambda: not agent.plant.truth())
        await user.should_see("No fault runs")


async def choose(user: User, field: str, words: str):
    await user.should_see(marker=field)
    (select,) = user.find(kind=ui.select, marker=field).elements
    options = cast("dict[str, str]", select.options)  # NiceGUI has no type for it
    with user:
        select.value = next(key for key, said in options.items() if said == words)


async def test_a_sensor_fault_spoils_the_sensor_that_was_chosen(plant: Plant, user: User):
    async with simulating(plant) as agent:
        await eventually(lambda: any(unit.path == PUMP for unit in plant.units()))
        await user.open("/simulator")
        await choose(user, "fault", "Sensor bias")
        await choose(user, "sensor", "Winding temperature")
        user.find(marker="start").click()
        await eventually(lambda: len(agent.plant.truth()) == 1)
        (truth,) = agent.plant.truth()
        assert truth.tag == f"{PUMP}/winding_temperature"
        await user.should_see(marker="stop sensor_bias")


async def test_a_dropout_takes_all_sensors_unless_one_is_chosen(plant: Plant, user: User):
    async with simulating(plant) as agent:
        await eventually(lambda: any(unit.path == PUMP for unit in plant.units()))
        await user.open("/simulator")
        await choose(user, "fault", "Sensor dropout")
        user.find(marker="start").click()
        await eventually(lambda: len(agent.plant.truth()) == 1)
        assert agent.plant.truth()[0].tag == ""
        await user.should_see(marker="stop sensor_dropout")


async def test_a_fault_of_the_machine_asks_for_no_sensor(plant: Plant, user: User):
    async with simulating(plant):
        await user.open("/simulator")
        await user.should_see(marker="fault")
        await user.should_not_see(marker="sensor")


async def test_who_started_a_fault_is_on_record(plant: Plant, user: User):
    async with simulating(plant):
        await user.open("/simulator")
        await user.should_see(marker="start")
        user.find(marker="start").click()
        await user.should_see(marker="stop bearing_outer_race")
    (row,) = plant.audit_rows(10)
    assert (row.actor, row.action) == ("operator", "start scenario")
    assert row.target == f"{PUMP} bearing_outer_race 0.7"


async def test_the_faults_on_offer_follow_the_unit(plant: Plant, user: User):
    async with simulating(plant):
        await user.open("/simulator")
        await user.should_see(marker="fault")
        user.find(marker="unit").click()
        user.find("Curing oven O-501").click()
        await user.should_see("Cooling is blocked")


async def test_a_fault_someone_else_started_appears(plant: Plant, user: User):
    async with simulating(plant):
        await user.open("/simulator")
        await user.should_see("No fault runs")
        await plant.start_scenario(PUMP, "imbalance", 0.35, NIGHT)
        await user.should_see(marker="stop imbalance")
        await user.should_see("35 %")


async def test_a_fault_stopped_by_someone_else_is_a_sentence_and_no_traceback(
    plant: Plant, user: User
):
    async with simulating(plant):
        await plant.start_scenario(PUMP, "imbalance", 0.35, NIGHT)
        await user.open("/simulator")
        await user.should_see(marker="stop imbalance")
        await plant.stop_scenario(PUMP, "imbalance", NIGHT)
        user.find(marker="stop imbalance").click()
        await user.should_see('"imbalance" is not running')


async def test_a_simulator_that_comes_later_fills_the_page(plant: Plant, user: User):
    await user.open("/simulator")
    await user.should_see("The simulator does not run")
    async with simulating(plant):
        await user.should_see("Cooling pump P-101")
    await user.should_see("The simulator does not run")
