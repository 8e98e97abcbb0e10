"""The plan of an area: what is counted, against what, over shifts and restarts."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from agents.simulator.calendar import Calendar, Shift
from agents.simulator.plant import PlantModel
from agents.simulator.schedule import Rate, Rates, Schedule, Tally
from app.core.equipment import EquipmentKind, check_equipment

ZONE = "Europe/Berlin"
MONDAY_EARLY = datetime(2026, 2, 2, 5, 0, tzinfo=UTC)  # 06:00 in the plant
FULL = Shift("early", 1.0, False, False, False, True)
BREAK = Shift("early", 1.0, True, False, False, True)


class Machine:
    """Makes and draws what it is told to."""

    def __init__(self) -> None:
        self.made = 0.0
        self.load = (0.0, 1.0)


def schedule(machine: Machine, rates: Rates) -> Schedule:
    return Schedule("hall", rates, [machine], machine, Calendar(ZONE))


def values(plan: Schedule, now: datetime, dt_s: float = 1.0) -> dict[str, float | None]:
    return {path.rpartition("/")[2]: value for path, value, _, _ in plan.step(now, dt_s)}


def test_a_rate_grows_with_the_load_and_rests_with_the_crew() -> None:
    rate = Rate(10.0, 20.0, 0.1)
    assert rate.at(FULL) == pytest.approx(30.0)
    assert rate.at(BREAK) == pytest.approx(3.0)


def test_goods_and_energy_of_a_step_are_counted_against_its_plan() -> None:
    machine = Machine()
    plan = schedule(machine, Rates(Rate(36.0, 0.0, 1.0), "parts", Rate(60.0, 0.0, 1.0)))
    values(plan, MONDAY_EARLY + timedelta(hours=1))
    machine.made, machine.load = 5.4, (72.0, 0.9)
    seen = values(plan, MONDAY_EARLY + timedelta(hours=1, seconds=100), 100.0)
    assert seen["production"] == 5
    assert seen["production_plan"] == pytest.approx(60 * 101 / 3600, abs=0.1)
    assert seen["energy"] == pytest.approx(2.0)
    assert seen["energy_plan"] == pytest.approx(36 * 101 / 3600, abs=0.01)


def test_the_target_of_a_whole_shift_is_its_plan() -> None:
    plan = schedule(Machine(), Rates(Rate(1.0, 0.0), "parts", Rate(60.0, 0.0)))
    # 480 min less 10 min of handing over and 30 min of break
    assert values(plan, MONDAY_EARLY)["production_target"] == pytest.approx(440)


def test_a_count_that_begins_in_the_shift_aims_at_its_rest() -> None:
    plan = schedule(Machine(), Rates(Rate(1.0, 0.0), "parts", Rate(60.0, 0.0)))
    late = MONDAY_EARLY + timedelta(hours=7, minutes=30)
    assert values(plan, late)["production_target"] == pytest.approx(30)


@pytest.mark.parametrize("hour", [5, 13, 21])
def test_every_shift_begins_at_zero(hour: int) -> None:
    machine = Machine()
    plan = schedule(machine, Rates(Rate(60.0, 0.0), "parts", Rate(60.0, 0.0)))
    change = datetime(2026, 2, 2, hour, 0, tzinfo=UTC)
    values(plan, change - timedelta(seconds=2))
    machine.made = 7.0
    before = values(plan, change - timedelta(seconds=1))
    after = values(plan, change)
    assert before["production"] == 7
    assert after["production"] == 0
    assert after["shift"] != before["shift"]


def test_midnight_does_not_end_the_night_shift() -> None:
    machine = Machine()
    plan = schedule(machine, Rates(Rate(1.0, 0.0), "parts", Rate(1.0, 0.0)))
    midnight = datetime(2026, 2, 2, 23, 0, tzinfo=UTC)
    values(plan, midnight - timedelta(seconds=1))
    machine.made = 3.0
    assert values(plan, midnight)["production"] == 3


def test_a_restart_within_the_shift_counts_on() -> None:
    machine = Machine()
    rates = Rates(Rate(1.0, 0.0), "parts", Rate(60.0, 0.0))
    first = schedule(machine, rates)
    values(first, MONDAY_EARLY)
    machine.made = 9.0
    values(first, MONDAY_EARLY + timedelta(hours=1), 3600.0)
    again = schedule(Machine(), rates)
    again.resume(first.tally, MONDAY_EARLY + timedelta(hours=2))
    seen = values(again, MONDAY_EARLY + timedelta(hours=2))
    assert seen["production"] == 9
    # the hour in which nothing ran is not planned
    assert seen["production_target"] == pytest.approx(60 + 6 * 60 - 30, abs=1)


def test_a_restart_in_another_shift_begins_anew() -> None:
    plan = schedule(Machine(), Rates(Rate(1.0, 0.0), "parts", Rate(60.0, 0.0)))
    plan.resume(Tally(MONDAY_EARLY - timedelta(hours=8), production=99), MONDAY_EARLY)
    assert values(plan, MONDAY_EARLY)["production"] == 0


def test_an_area_that_makes_nothing_has_a_plan_for_energy_only() -> None:
    unit = schedule(Machine(), Rates(Rate(1.0, 0.0))).equipment
    assert [tag.name for tag in unit.tags] == ["shift", "energy", "energy_plan", "energy_target"]


def test_every_area_with_a_meter_declares_its_plan(plant: PlantModel) -> None:
    plans = [unit for unit in plant.equipment() if unit.kind is EquipmentKind.SCHEDULE]
    meters = [unit for unit in plant.equipment() if unit.kind is EquipmentKind.ENERGY_METER]
    assert {unit.area for unit in plans} == {unit.area for unit in meters}
    for unit in plans:
        check_equipment(unit)
        energy = next(tag for tag in unit.tags if tag.name == "energy")
        assert (energy.plan, energy.target) == ("energy_plan", "energy_target")


def test_a_healthy_shift_comes_near_its_plan() -> None:
    plant = PlantModel(3, MONDAY_EARLY)
    plant_hours = [plant.step(5.0) for _ in range(4 * 720)]
    seen = {path: value or 0.0 for path, value, _, _ in plant_hours[-1]}
    plans = {path: value for path, value in seen.items() if path.endswith("_plan")}
    assert len(plans) == 7
    for path, planned in plans.items():
        done = seen[path.removesuffix("_plan")]
        # spindles are the least even: which product comes next is drawn by lot
        assert done == pytest.approx(planned, rel=0.3), path


def test_no_count_falls_within_a_shift() -> None:
    plant = PlantModel(3, MONDAY_EARLY + timedelta(hours=1))
    path = "riverside/packaging/plan/schedule-packaging/production"
    steps = [{sample[0]: sample[1] for sample in plant.step(5.0)} for _ in range(120)]
    counts = [step[path] or 0.0 for step in steps]
    assert all(before <= after for before, after in pairwise(counts))
    assert counts[-1] > 100
