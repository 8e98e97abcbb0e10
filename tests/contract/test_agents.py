"""What every agent must stand: two units at once, bad data, a restart in the middle."""

from pathlib import Path

import pytest

from agents.runner import agent_names, find_agent
from agents.simulator.plant import PlantModel
from app.core.alarm import Finding
from app.core.reading import Quality
from tests.contract.rig import MORNING, Rig, aged, with_quality

LONG_S = 420  # the slowest agent warms up for 300 s
LISTENERS = [name for name in agent_names() if find_agent(name).spec.inputs]
FAULTY, HEALTHY = "riverside/utilities/cooling/pump-101", "riverside/utilities/cooling/pump-102"


def faulty_plant() -> PlantModel:
    plant = PlantModel(1, MORNING)
    plant.start_scenario(FAULTY, "overheating", 1.0)
    plant.start_scenario(FAULTY, "imbalance", 1.0)
    return plant


async def rig(name: str, home: Path, only: str = "") -> Rig:
    made = Rig(name, home, faulty_plant(), only)
    await made.start()
    return made


def about(findings: list[Finding], unit: str) -> list[Finding]:
    return [finding for finding in findings if finding.equipment == unit]


@pytest.mark.parametrize("name", agent_names())
def test_its_name_and_purpose_can_be_shown(name: str):
    spec = find_agent(name).spec

    assert spec.name == name
    assert spec.purpose
    assert len(set(spec.capabilities)) == len(spec.capabilities)


@pytest.mark.slow
@pytest.mark.parametrize("name", LISTENERS)
async def test_two_units_at_once_do_not_mix(name: str, tmp_path: Path):
    both, alone = await rig(name, tmp_path / "both"), await rig(name, tmp_path / "alone", HEALTHY)

    await both.run(LONG_S)
    await alone.run(LONG_S)

    assert about(both.findings, HEALTHY) == alone.findings
    assert both.findings


@pytest.mark.parametrize("name", LISTENERS)
@pytest.mark.parametrize("quality", [Quality.BAD, Quality.UNCERTAIN])
async def test_a_reading_that_is_not_good_never_leads_to_a_finding(
    name: str, quality: Quality, tmp_path: Path
):
    listening = await rig(name, tmp_path)

    await listening.run(60, with_quality(quality))

    assert listening.findings == []


@pytest.mark.parametrize("name", LISTENERS)
@pytest.mark.parametrize("age_s", [30.0, 3600.0, -3600.0])
async def test_a_stale_reading_never_leads_to_a_finding(name: str, age_s: float, tmp_path: Path):
    listening = await rig(name, tmp_path)

    await listening.run(60, aged(age_s))

    assert listening.findings == []


@pytest.mark.slow
@pytest.mark.parametrize("name", LISTENERS)
async def test_a_restart_in_the_middle_changes_nothing(name: str, tmp_path: Path):
    through = await rig(name, tmp_path / "through")
    await through.run(LONG_S)
    first = await rig(name, tmp_path / "restarted")
    await first.run(LONG_S // 2)
    await first.agent.save()

    second = Rig(name, tmp_path / "restarted", first.plant)
    await second.clock.advance(first.clock.monotonic())
    await second.start()
    await second.run(LONG_S // 2)

    assert {**first.stated(), **second.stated()} == through.stated()


@pytest.mark.parametrize("name", agent_names())
async def test_a_damaged_checkpoint_does_not_keep_it_from_starting(name: str, tmp_path: Path):
    folder = tmp_path / "checkpoints" / name
    folder.mkdir(parents=True)
    (folder / "1.json").write_bytes(b'{"version": 1, "stated"')

    started = await rig(name, tmp_path)
    await started.run(10)

    assert (folder / "1.damaged").is_file()
