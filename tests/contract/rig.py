"""An agent fed by the simulated plant on a manual clock, without a broker."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agents.base.agent import BaseAgent
from agents.runner import find_agent
from agents.simulator.plant import PlantModel
from app.bus.client import Received
from app.clock import ManualClock
from app.core.alarm import Finding
from app.core.reading import Quality, ReadingMessage
from app.core.topics import equipment_topic, reading_topic
from app.settings import DataSettings, Settings

MORNING = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)  # 09:00 at the plant, the early shift works

Hear = Callable[[ReadingMessage], ReadingMessage]


def unchanged(message: ReadingMessage) -> ReadingMessage:
    """Hear what was said."""
    return message


class Rig:
    """One agent in a data folder, hearing some units of a plant."""

    def __init__(self, name: str, home: Path, plant: PlantModel, only: str = "") -> None:
        self.clock = ManualClock(MORNING)
        settings = Settings(data=DataSettings(dir=home))
        self.agent: BaseAgent = find_agent(name)(settings, self.clock)
        self.findings: list[Finding] = []
        self.plant = plant
        self._only = only
        self._decided_at = 0.0

    async def run(self, seconds: int, hear: Hear = unchanged) -> None:
        """Let the plant and the agent live for some seconds."""
        for _ in range(seconds):
            await self.clock.advance(1.0)
            self._hear(hear)
            if self.clock.monotonic() - self._decided_at >= self.agent.period_s:
                self._decided_at = self.clock.monotonic()
                self.findings += self.agent.decide_all()

    async def start(self) -> None:
        """Read checkpoint and model, and learn what units there are."""
        await self.agent.prepare()
        units = [unit for unit in self.plant.equipment() if self._hears(unit.path)]
        now = self.clock.now()
        self.agent.take_equipment(
            [Received(equipment_topic(unit.path), unit, now, True) for unit in units]
        )

    def stated(self) -> dict[str, int | None]:
        """Return the last stated priority of each condition."""
        return {finding.key: finding.priority for finding in self.findings}

    def _hears(self, unit: str) -> bool:
        return not self._only or unit == self._only

    def _hear(self, hear: Hear) -> None:
        now = self.clock.now()
        self.agent.take(
            [
                Received(reading_topic(path), hear(ReadingMessage(value, quality, now)), now, False)
                for path, value, quality, _ in self.plant.step(1.0)
                if self._hears(path.rpartition("/")[0])
            ]
        )


def with_quality(quality: Quality) -> Hear:
    """Hear every reading with another quality."""
    return lambda message: ReadingMessage(message.v, quality, message.t)


def aged(seconds: float) -> Hear:
    """Hear every reading with an older source time."""
    return lambda message: ReadingMessage(
        message.v, message.q, message.t - timedelta(seconds=seconds) if message.t else None
    )
