"""Serves the pages on a plant without broker and agents, fed by lines on standard input.

Browser tests need values that change, stop and turn bad at their word; a process of its own can be
killed and started again. One JSON object a line: {"path": value, …}; null is a bad value. The key
"alarm" raises an alarm with that message; an empty one ends and acknowledges it.
"""

import asyncio
import json
import sys
from pathlib import Path

from nicegui import app, ui

from app.api.mount import mount
from app.clock import SystemClock
from app.core.alarm import AlarmState, Finding, Priority
from app.core.equipment import Equipment, EquipmentKind, Limits, Tag, TagKind
from app.core.reading import Quality, Reading, Reason
from app.plant import Plant
from app.settings import BrokerSettings, DataSettings, ServerSettings, Settings
from pages import alarm_kpi, alarms, area, frame, not_found, overview, trends, unit, workflow_editor

UNIT = "riverside/utilities/cooling/pump-101"
PUMP = Equipment(
    UNIT,
    "Cooling pump P-101",
    EquipmentKind.MOTOR_PUMP,
    (
        Tag(f"{UNIT}/flow", "Flow", "m3/h", low=0, high=80, normal_low=40, normal_high=60,
            limits=Limits(low=30, high=70), stale_after_s=2.0),
        Tag(f"{UNIT}/running", "Pump running", kind=TagKind.BINARY, low=0, high=1,
            states={0: "stopped", 1: "running"}, stale_after_s=600),
        Tag(f"{UNIT}/volume", "Water this shift", "m3", decimals=0, stale_after_s=600,
            plan="volume_plan", target="volume_target"),
        Tag(f"{UNIT}/volume_plan", "Water planned by now", "m3", decimals=0, stale_after_s=600),
        Tag(f"{UNIT}/volume_target", "Water planned", "m3", decimals=0, stale_after_s=600),
    ),
    {"rated_power_kw": "7.5"},
)  # fmt: skip

RESPONSE = "Check the grease at 2.5 bar now. Plan the change of the bearing within the week."


class Feed:
    """A plant whose sources are this process's standard input."""

    def __init__(self, data: Path) -> None:
        settings = Settings(
            data=DataSettings(dir=data),
            broker=BrokerSettings(url="mqtt://127.0.0.1:9"),
            server=ServerSettings(changes_per_s=1000),  # tests make hundreds of alarms at once
        )
        self.plant = Plant(settings, SystemClock())
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open what pages need, and nothing that leaves this process."""
        plant = self.plant
        plant.settings.data.dir.mkdir(parents=True, exist_ok=True)
        for store in (plant.audit, plant.journal):
            store.open()
        plant.tags.on_change(plant.hub.notify)
        plant.alarms.on_change(lambda rows: plant.hub.alarms(plant.alarms.summary(), rows))
        await plant.alarms.start()
        await plant.historian.start()
        plant.tags.declare(PUMP)
        self._tasks = [
            asyncio.create_task(plant.hub.run()),
            asyncio.create_task(self._sweep()),
            asyncio.create_task(self._listen()),
        ]

    async def stop(self) -> None:
        """End the tasks and close the alarm service."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.plant.alarms.stop()
        await self.plant.historian.stop()

    async def _sweep(self) -> None:
        while True:
            await self.plant.clock.sleep(0.5)
            self.plant.tags.sweep()

    async def _listen(self) -> None:
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
        )
        while line := await lines.readline():
            command = json.loads(line)
            message = command.pop("alarm", None)
            if message is not None:
                await self._state(message)
            readings = [self._reading(path, command[path]) for path in command]
            self.plant.tags.apply(readings)
            self.plant.historian.add(readings)

    def _reading(self, path: str, value: float | None) -> Reading:
        now = self.plant.clock.now()
        if value is None:
            return Reading(path, None, Quality.BAD, now, now, Reason.SENSOR_FAULT)
        return Reading(path, value, Quality.GOOD, now, now)

    async def _state(self, message: str) -> None:
        now = self.plant.clock.now()
        priority = Priority.HIGH if message else None
        finding = Finding(
            "vibration", "bearing", UNIT, now, priority, message=message, response=RESPONSE
        )
        await self.plant.alarms.handle([finding])
        self.plant.findings.add([finding])
        for alarm in self.plant.alarms.alarms():
            if not message and alarm.state is AlarmState.RTN_UNACK:
                await self.plant.acknowledge(alarm.id, frame.ACTOR)


def main() -> None:
    """Serve on the port of the first argument with data in the second."""
    feed = Feed(Path(sys.argv[2]))
    app.on_startup(feed.start)
    app.on_shutdown(feed.stop)
    mount(app, feed.plant)
    frame.install(feed.plant)
    for page in (overview, area, unit, alarms, alarm_kpi, trends, workflow_editor, not_found):
        page.create(feed.plant)
    ui.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        reload=False,
        show=False,
        show_welcome_message=False,
        tailwind=False,
        timeout_graceful_shutdown=1,
    )


main()
