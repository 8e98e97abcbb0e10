"""The shipped models were trained on this plant: what it does by itself must not change."""

import hashlib
import sys
from datetime import UTC, datetime

import pytest

from agents.simulator.declare import Design, Stream
from agents.simulator.layout import build
from agents.simulator.plant import PlantModel
from app.core.equipment import EquipmentKind

MORNING = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)
STEPS = 3000
FIRST_TAGS = 252
"""Tags of the plant when the models were trained: machines, meters, network and plans."""
DIGESTS = {
    1: "eee822528b61f1e2fc62564ac9f97cb4d815d5d91644028e7f9361124b21beb0",
    7: "a0a289a48f89cc383bf56a6671ca1530cc921a3f1f193ff3891c631d81846bb5",
}
"""SHA-256 by seed of `path=value` a line, recorded before anything could be commanded."""


def added() -> set[str]:
    """Return the paths of the tags that came later."""
    return {
        f"{place.path}/{design.tag.path}"
        for place in build(1)
        for design in place.unit.tags()
        if design.stream is not Stream.FIRST
    }


@pytest.mark.skipif(sys.platform != "linux", reason="recorded with the C library of Linux")
@pytest.mark.parametrize("seed", sorted(DIGESTS))
def test_the_first_tags_give_the_bits_the_models_were_trained_on(seed: int) -> None:
    plant, later, digest = PlantModel(seed, MORNING), added(), hashlib.sha256()
    seen: set[str] = set()
    for _ in range(STEPS):
        kept = [sample for sample in plant.step(1.0) if sample[0] not in later]
        digest.update("".join(f"{path}={value!r}\n" for path, value, *_ in kept).encode())
        seen.update(path for path, *_ in kept)
    assert len(seen) == FIRST_TAGS
    assert digest.hexdigest() == DIGESTS[seed]


def test_commands_of_one_unit_leave_the_others_alone() -> None:
    plain, told = PlantModel(1, MORNING), PlantModel(1, MORNING)
    told.write("riverside/utilities/cooling/pump-101/run_command", 0)
    told.write("riverside/building/hall/hvac-801/mode", 0)
    mine = ("/pump-101/", "/hvac-801/", "utilities/energy", "utilities/plan")
    for _ in range(39):
        plain.step()
        told.step()
    expected, got = plain.step(), told.step()
    others = [sample for sample in got if not any(part in sample[0] for part in mine)]
    assert others == [s for s in expected if not any(part in s[0] for part in mine)]
    assert len(others) > 200


def test_a_value_given_back_leaves_nothing_behind() -> None:
    tag = "riverside/utilities/cooling/pump-101/speed_limit"
    plain, told = PlantModel(1, MORNING), PlantModel(1, MORNING)
    told.write(tag, 70)
    told.write(tag, 105)
    assert told.commanded() == {}
    assert [told.step() for _ in range(20)] == [plain.step() for _ in range(20)]


def test_only_set_tags_are_echoes() -> None:
    designs: list[Design] = [design for place in build(1) for design in place.unit.tags()]
    echoes = [design for design in designs if design.stream is Stream.ECHO]
    assert echoes
    assert all(design.tag.write and design.noise == 0 for design in echoes)


def test_a_hall_draws_no_noise_of_the_first_sensors() -> None:
    halls = [place.unit for place in build(1) if place.unit.kind is EquipmentKind.HVAC]
    assert halls
    assert all(design.stream is not Stream.FIRST for unit in halls for design in unit.tags())
