"""The agent with waveforms of the simulated plant, or with none."""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.simulator.plant import PlantModel
from agents.vibration.agent import VibrationAgent
from agents.vibration.monitor import UnitState
from app.bus.client import Received
from app.clock import ManualClock
from app.core.equipment import Equipment
from app.core.errors import BusError, NotFoundError
from app.core.reading import Quality, ReadingMessage
from app.core.task import TaskResult
from app.core.topics import equipment_topic, reading_topic
from app.settings import DataSettings, Settings

START = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)
PUMP = "riverside/utilities/cooling/pump-101"


class AgentAtPlant(VibrationAgent):
    """Asks a plant model instead of a simulator agent."""

    plant: PlantModel
    failure: BusError | NotFoundError | None = None
    changes: dict[str, object]

    async def ask(self, capability: str, input: dict[str, object], timeout_s: float) -> TaskResult:
        del capability, timeout_s
        if self.failure is not None:
            raise self.failure
        path = str(input["equipment"])
        samples = self.plant.capture(path).astype("<f4").tobytes()
        output: dict[str, object] = {
            "sample_rate_hz": 20_480.0,
            "unit": "m/s2",
            "samples": base64.b64encode(samples).decode(),
            "speed_rpm": self.plant.speed_rpm(path),
            **self.changes,
        }
        return TaskResult("id", "simulator/1", 0.01, output)


class Bench:
    """An agent that hears one pump."""

    def __init__(self, home: Path) -> None:
        self.clock = ManualClock(START)
        self.plant = PlantModel(1, START)
        self.agent = AgentAtPlant(Settings(data=DataSettings(dir=home)), self.clock)
        self.agent.plant = self.plant
        self.agent.changes = {}
        self.unit: Equipment = next(u for u in self.plant.equipment() if u.path == PUMP)
        topic = equipment_topic(PUMP)
        self.agent.take_equipment([Received(topic, self.unit, START, True)])

    async def hear(self, quality: Quality = Quality.GOOD) -> None:
        """Let one second pass."""
        await self.clock.advance(1.0)
        now = self.clock.now()
        self.agent.take(
            [
                Received(reading_topic(path), ReadingMessage(value, quality, now), now, False)
                for path, value, _, _ in self.plant.step(1.0)
                if path.startswith(PUMP)
            ]
        )

    async def measure(self, times: int) -> None:
        """Judge some waveforms, one a second."""
        for _ in range(times):
            await self.hear()
            await self.agent.measure(self.unit)

    def active(self) -> list[str]:
        """Return the conditions the agent believes in."""
        votes = self.agent.states.get(PUMP, UnitState).votes
        return [name for name, vote in votes.items() if vote.is_active]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_a_healthy_pump_has_no_condition(bench: Bench) -> None:
    await bench.measure(30)
    assert bench.active() == []
    assert bench.agent.states.get(PUMP, UnitState).baseline.is_learned


@pytest.mark.parametrize(
    "scenario", ["bearing_outer_race", "bearing_inner_race", "imbalance", "misalignment"]
)
async def test_a_fault_is_named_within_three_waveforms(bench: Bench, scenario: str) -> None:
    await bench.measure(10)
    bench.plant.start_scenario(PUMP, scenario, 1.0)
    await bench.measure(3)
    assert bench.active() == [scenario]


async def test_the_baseline_outlives_a_restart(bench: Bench, tmp_path: Path) -> None:
    await bench.measure(10)
    await bench.agent.states.save()
    reborn = Bench(tmp_path)
    reborn.agent.states.load()
    learned = bench.agent.states.get(PUMP, UnitState).baseline
    assert reborn.agent.states.get(PUMP, UnitState).baseline == learned


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"speed_rpm": None}, "no speed"),
        ({"quality": "bad"}, "bad quality"),
        ({"samples": ""}, "0 samples"),
        ({"unit": "furlong"}, "furlong"),
    ],
)
async def test_a_waveform_that_is_not_usable_is_told_not_judged(
    bench: Bench, changes: dict[str, Any], reason: str
) -> None:
    bench.agent.changes = changes
    bench.plant.start_scenario(PUMP, "bearing_outer_race", 1.0)
    await bench.measure(4)
    assert bench.active() == []
    assert reason in bench.agent.note()


@pytest.mark.parametrize(
    "failure", [NotFoundError("No live agent offers it"), BusError("did not answer")]
)
async def test_without_an_answer_nothing_is_judged(
    bench: Bench, failure: BusError | NotFoundError
) -> None:
    bench.agent.failure = failure
    await bench.measure(3)
    assert bench.active() == []
    assert str(failure) in bench.agent.note()


async def test_an_unknown_speed_is_told_and_no_waveform_asked_for(bench: Bench) -> None:
    for _ in range(20):
        await bench.hear(Quality.BAD)
    await bench.agent.measure(bench.unit)
    assert "speed is not known" in bench.agent.note()
    assert bench.agent.states.get(PUMP, UnitState) == UnitState()


async def test_the_note_is_clear_again_when_the_sensor_is_back(bench: Bench) -> None:
    bench.agent.changes = {"speed_rpm": None}
    await bench.measure(1)
    bench.agent.changes = {}
    await bench.measure(1)
    assert "no diagnosis" not in bench.agent.note()
