"""An alarm service with its journal, its clock and what it published."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.alarms.service import AlarmService
from app.clock import ManualClock
from app.core.actor import Actor
from app.core.alarm import Alarm, Finding, Priority
from app.settings import AlarmSettings
from app.store.journal import AlarmJournal

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANNA = Actor("anna", "ui")


class Desk:
    """A service with its journal, its clock and what it published."""

    def __init__(self, folder: Path, clock: ManualClock, settings: AlarmSettings) -> None:
        self.clock = clock
        self.path = folder / "alarms.sqlite"
        self.journal = AlarmJournal(self.path)
        self.journal.open()
        self.published: list[Alarm] = []
        self.service = AlarmService(settings, self.journal, clock, self.published.append)

    def finding(
        self,
        condition: str = "hot",
        priority: Priority | None = Priority.HIGH,
        *,
        latching: bool = False,
        agent: str = "vibration",
        age_s: float = 0.0,
    ) -> Finding:
        return Finding(
            agent=agent,
            condition=condition,
            equipment="site/area/line/P-102",
            found_at=self.clock.now() - timedelta(seconds=age_s),
            priority=priority,
            message=f"Pump is {condition}",
            latching=latching,
        )

    async def state(
        self,
        condition: str = "hot",
        priority: Priority | None = Priority.HIGH,
        *,
        latching: bool = False,
        agent: str = "vibration",
    ) -> Alarm:
        finding = self.finding(condition, priority, latching=latching, agent=agent)
        await self.service.handle([finding])
        return next(alarm for alarm in self.published[::-1] if alarm.finding.condition == condition)

    def events(self) -> list[str]:
        return [entry.event for entry in self.journal.entries()][::-1]


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 40 s"
        await asyncio.sleep(0.005)
