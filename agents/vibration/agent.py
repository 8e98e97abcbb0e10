"""The vibration agent: zones from the features on the bus, diagnoses from waveforms it asks for."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from statistics import median
from typing import ClassVar

import msgspec
from typing_extensions import override

from agents.base.agent import BaseAgent
from agents.base.logic import Window
from agents.vibration.bearings import BearingFault, bearing_orders
from agents.vibration.features import Features, vibration_features
from agents.vibration.monitor import (
    INTERVAL_S,
    LEAST_RPM,
    STANDING_S,
    UnitState,
    decide,
    decide_zone,
    pause_s,
    watch_velocity,
    watch_waveform,
)
from agents.vibration.trend import Trend, follow, slope_per_hour
from agents.vibration.waveform import parse_waveform
from agents.vibration.zones import load_zones
from app.core.agent import AgentSpec
from app.core.alarm import Finding
from app.core.clock import Clock
from app.core.equipment import Equipment
from app.core.errors import BusError, InputError, NotFoundError
from app.settings import Settings

CAPTURE = "capture_waveform"
VELOCITY, KURTOSIS, SPEED = "vibration_velocity", "vibration_kurtosis", "speed"
_TICK_S = 0.5
_PATIENCE_S = 15.0  # after the start, until every tag has spoken
_TIMEOUT_S = 10.0
_RISE = 1.5  # of the last seconds over the last minute that asks for a waveform at once
_RECENT_S = 5.0
_LEAST_GAP_S = 10.0


class VibrationAgent(BaseAgent):
    """Judges rotating machines by their vibration."""

    spec: ClassVar[AgentSpec] = AgentSpec(
        name="vibration",
        purpose="Finds bearing and rotor faults, cavitation and severe vibration",
        inputs=(VELOCITY, KURTOSIS, SPEED),
    )
    uses: ClassVar[tuple[str, ...]] = (CAPTURE,)

    def __init__(self, settings: Settings, clock: Clock, instance: str = "1") -> None:
        """Read the zone table.

        Raises:
            SettingsError: The table or the option `interval_s` is wrong.
        """
        super().__init__(settings, clock, instance)
        self._zones = load_zones()
        self._interval_s = max(float(self.options.get("interval_s", INTERVAL_S)), _LEAST_GAP_S)
        # When to ask for which unit's next waveform and when the last came: gone with the process
        # on purpose, a new one begins with fresh waveforms.
        self._due: dict[str, float] = {}
        self._taken: dict[str, float] = {}
        self._blind: dict[str, str] = {}
        self._analysed = 0
        self._began = clock.monotonic()

    @override
    def wants(self, unit: Equipment, window: Window) -> bool:
        """Judge every unit whose vibration velocity is good and fresh."""
        return window.latest(VELOCITY) is not None

    @override
    def decide(self, unit: Equipment, window: Window, at: datetime) -> Iterable[Finding]:
        """State the zones of one unit from its RMS velocity."""
        velocity = window.latest(VELOCITY)
        limits = self._zones.limits_of(unit)
        if velocity is None or limits is None:
            return
        if self._has_risen(window):
            self._hurry(unit.path)
        trend = follow(self.states.get(unit.path, Trend), velocity, at)
        self.states.put(unit.path, trend)
        state = self.states.get(unit.path, UnitState)
        zone = watch_velocity(state.zone, velocity, limits, at)
        self.states.put(unit.path, msgspec.structs.replace(state, zone=zone))
        yield from decide_zone(
            unit,
            zone.zone,
            limits,
            velocity_rms_mm_s=velocity,
            trend_mm_s_per_h=slope_per_hour(trend),
            at=at,
        )

    @override
    async def run(self) -> None:
        """Ask for waveforms, one at a time, each unit in its turn."""
        while True:
            await self.clock.sleep(_TICK_S)
            for unit in self._rotating():
                now = self.clock.monotonic()
                if self._due.setdefault(unit.path, now) <= now:
                    self._due[unit.path] = now + self._interval_s
                    self._due[unit.path] = self.clock.monotonic() + await self.measure(unit)
            self.degraded(self._blindness() if len(self._blind) == len(self._due) else "")

    @override
    def note(self) -> str:
        """Say how many waveforms were judged, and who cannot be."""
        blind = self._blindness()
        return f"{self._analysed} waveforms of {len(self._due)} units judged" + (
            f"; {blind}" if blind else ""
        )

    async def measure(self, unit: Equipment) -> float:
        """Judge one fresh waveform of a unit; return the seconds until the next is due."""
        speed = self._windows.window(unit, self.clock.now()).latest(SPEED)
        if speed is None:
            if self.clock.monotonic() - self._began > _PATIENCE_S:
                self._blind[unit.path] = "speed is not known"
            return STANDING_S
        if speed < LEAST_RPM:
            self._blind.pop(unit.path, None)
            return STANDING_S
        try:
            features = await self._features(unit)
        except (InputError, BusError, NotFoundError) as error:
            self._blind[unit.path] = str(error)
            return STANDING_S if unit.path not in self._taken else self._interval_s
        self._blind.pop(unit.path, None)
        self._taken[unit.path] = self.clock.monotonic()
        self._analysed += 1
        self.work_done()
        return self._judge(unit, features)

    def _judge(self, unit: Equipment, features: Features) -> float:
        old = self.states.get(unit.path, UnitState)
        state, diagnoses = watch_waveform(old, unit, features, self._zones.limits_of(unit))
        self.states.put(unit.path, state)
        self.report(decide(unit, state.votes, diagnoses, self.clock.now()))
        return pause_s(state, self._interval_s)

    async def _features(self, unit: Equipment) -> Features:
        result = await self.ask(CAPTURE, {"equipment": unit.path}, _TIMEOUT_S)
        if result.output is None:
            raise InputError(result.error)
        orders = bearing_orders(unit.nameplate)
        return await asyncio.to_thread(_analyse, result.output, orders)

    def _rotating(self) -> list[Equipment]:
        return [
            unit
            for unit in list(self.units.values())
            if any(tag.name == VELOCITY for tag in unit.tags)
        ]

    def _has_risen(self, window: Window) -> bool:
        for tag in (VELOCITY, KURTOSIS):
            usual, recent = window.values(tag), window.values(tag, _RECENT_S)
            if recent and median(recent) > _RISE * median(usual):
                return True
        return False

    def _hurry(self, path: str) -> None:
        now = self.clock.monotonic()
        if now - self._taken.get(path, now) >= _LEAST_GAP_S:
            self._due[path] = now

    def _blindness(self) -> str:
        if not self._blind:
            return ""
        path, reason = next(iter(self._blind.items()))
        others = f" and {len(self._blind) - 1} more" if len(self._blind) > 1 else ""
        return f"no diagnosis of {path}{others}: {reason}"


def _analyse(output: dict[str, object], orders: dict[BearingFault, float]) -> Features:
    return vibration_features(parse_waveform(output), orders)
