"""The simulator agent: runs the demo plant in real time, takes scenarios and values by task."""

import asyncio
import base64
import logging
from datetime import timedelta
from typing import ClassVar

import msgspec
from typing_extensions import override

from agents.base.agent import BaseAgent
from agents.base.requests import parse
from agents.simulator.faults import Scenario, specs_for
from agents.simulator.feed import Feed
from agents.simulator.orders import Obeyed, check_order, in_life, with_order
from agents.simulator.plant import PlantModel
from agents.simulator.requests import (
    MAX_SENT_SAMPLES,
    Capture,
    Held,
    Nothing,
    Read,
    Start,
    Stop,
    Write,
)
from agents.simulator.schedule import Tally
from app.bus.client import BusState
from app.command_key import read_key
from app.core.agent import AgentSpec
from app.core.clock import Clock
from app.core.command import CommandOrder
from app.core.errors import ConflictError, InputError, NotFoundError, StoreError
from app.core.health import ComponentStatus
from app.core.topics import tasks_topic
from app.core.truth import (
    ScenarioChoice,
    ScenarioListing,
    SimulatedUnit,
    StoppedScenarios,
    Truth,
)
from app.settings import Settings

logger = logging.getLogger(__name__)

TICK_S = 1.0


class Running(msgspec.Struct):
    """Checkpoint: the scenarios that run."""

    truths: list[Truth] = []


class Shifts(msgspec.Struct):
    """Checkpoint: the shift so far, by the path of each area's plan."""

    tallies: dict[str, Tally] = {}


class Commanded(msgspec.Struct):
    """Checkpoint: the values of set tags that differ from the usual, by path."""

    values: dict[str, float] = {}


class SimulatorAgent(BaseAgent):
    """Steps the plant once a second and publishes what its sensors say."""

    spec: ClassVar[AgentSpec] = AgentSpec(
        name="simulator",
        purpose="Simulates the demo plant, with faults on request",
        capabilities=(
            "start_scenario",
            "stop_scenario",
            "list_scenarios",
            "capture_waveform",
            "write_tag",
            "read_tag",
        ),
    )

    def __init__(self, settings: Settings, clock: Clock, instance: str = "1") -> None:
        super().__init__(settings, clock, instance)
        self.plant = PlantModel(settings.demo.seed, clock.now(), settings.site.timezone)
        self._feed = Feed(self.bus, self.plant.equipment())
        self._skipped = 0
        self._is_restored = False
        self._writing = asyncio.Lock()
        self.bus.on_state(self._introduce)

    @override
    async def prepare(self) -> None:
        """Read the checkpoint and go on from it before the first task can come."""
        await super().prepare()
        self._feed.declare()
        self._restore()

    @override
    async def run(self) -> None:
        due = self.clock.monotonic()
        while True:
            self._tick()
            due += TICK_S
            late_s = self.clock.monotonic() - due
            if late_s > 0:
                # What was missed is not made up for: a burst would carry wrong times.
                missed = int(late_s / TICK_S) + 1
                self._skipped += missed
                due += missed * TICK_S
            await self.clock.sleep(due - self.clock.monotonic())

    @override
    async def handle_task(self, capability: str, input: dict[str, object]) -> dict[str, object]:
        match capability:
            case "start_scenario":
                return await self._start(parse(Start, input))
            case "stop_scenario":
                return await self._stop(parse(Stop, input))
            case "list_scenarios":
                parse(Nothing, input)
                return _output(self._listing())
            case "capture_waveform":
                return await self._capture(parse(Capture, input))
            case "write_tag":
                return await self._obey(parse(Write, input).order)
            case "read_tag":
                tag = parse(Read, input).tag
                return _output(Held(tag, self.plant.read(tag)))
            case _:
                raise NotFoundError(f'The simulator has no capability "{capability}"')

    @override
    def note(self) -> str:
        running = len(self.plant.truth())
        scenarios = "1 scenario runs" if running == 1 else f"{running} scenarios run"
        skipped = f", {self._skipped} ticks skipped" if self._skipped else ""
        total = self.bus.dead_letters.total
        refused = f", messages refused: {total}" if total else ""
        return f"{scenarios}{skipped}{refused}"

    def _tick(self) -> None:
        now = self.clock.now()
        self.plant.skip_to(now - timedelta(seconds=TICK_S))
        self._feed.readings(self.plant.step(TICK_S), now)
        self.states.put("plant", Shifts(self.plant.tallies()))
        # A recipe ends what was commanded before it.
        self.states.put("plant", Commanded(self.plant.commanded()))
        self.work_done()

    def _introduce(self, _: ComponentStatus) -> None:
        """Tell a broker that was just reached what there is; its store may be new."""
        if self.bus.state is not BusState.CONNECTED or not self._is_restored:
            return
        self._feed.all_truths(self.plant.truth(), self.clock.now())

    def _restore(self) -> None:
        for truth in self.states.get("plant", Running).truths:
            try:
                self.plant.restore([truth])
            except InputError as error:
                logger.warning("Scenario is not taken up again: %s", error)
        self.plant.skip_to(self.clock.now())
        for problem in self.plant.take_up(self.states.get("plant", Commanded).values):
            logger.warning("Command is not taken up again: %s", problem)
        self.plant.resume(self.states.get("plant", Shifts).tallies)
        self._is_restored = True
        self._introduce(self.bus.status)

    async def _start(self, wanted: Start) -> dict[str, object]:
        truth = self.plant.start_scenario(
            wanted.equipment, wanted.scenario, wanted.severity, wanted.tag
        )
        await self._changed([truth])
        return _output(truth)

    async def _stop(self, wanted: Stop) -> dict[str, object]:
        stopped = self.plant.stop_scenario(wanted.equipment, wanted.scenario)
        await self._changed(stopped)
        return _output(StoppedScenarios(tuple(stopped)))

    async def _obey(self, order: CommandOrder) -> dict[str, object]:
        """Follow an order of the app once; one that was followed is answered with what is held."""
        key = await self._key()
        async with self._writing:
            now = self.clock.now()
            try:
                check_order(order, now, key)
            except InputError as error:
                topic = tasks_topic(self.spec.name, self.instance)
                self.bus.refuse(topic, order.tag.encode(errors="replace")[:200], str(error))
                raise
            obeyed = in_life(self.states.get("plant", Obeyed), now)
            if order.id not in obeyed.until:
                await self._write(order, obeyed)
            return _output(Held(order.tag, self.plant.read(order.tag)))

    async def _write(self, order: CommandOrder, obeyed: Obeyed) -> None:
        """Tell a set tag its value; it is on disk before the task is answered.

        A unit whose sensors are cut off takes it too: a controller obeys behind a dead sensor bus.
        """
        before = self.plant.read(order.tag)
        after = with_order(obeyed, order)
        self._hold(order.tag, order.value, after)
        try:
            await self.states.save()
        except OSError as error:
            self._hold(order.tag, before, obeyed)
            raise ConflictError(
                f"value: cannot be kept over a restart, so it stays {before:g}: {error}",
                "Free disk space or mend the rights of the data folder",
            ) from error
        except asyncio.CancelledError:  # the task expired meanwhile
            self._hold(order.tag, before, obeyed)
            raise
        logger.info("%s is told %g by order %s", order.tag, order.value, order.id)

    def _hold(self, tag: str, value: float, obeyed: Obeyed) -> None:
        self.plant.write(tag, value)
        self.states.put("plant", Commanded(self.plant.commanded()))
        self.states.put("plant", obeyed)

    async def _key(self) -> bytes:
        try:
            return await asyncio.to_thread(read_key, self.settings)
        except StoreError as error:
            raise ConflictError(f"order: cannot be checked: {error}", error.hint) from error

    async def _changed(self, truths: list[Truth]) -> None:
        for truth in truths:
            logger.info(
                "%s %s on %s", truth.scenario, "runs" if truth.active else "ends", truth.equipment
            )
            self._feed.truth(truth)
        self.states.put("plant", Running(self.plant.truth()))
        await self.states.save()

    def _listing(self) -> ScenarioListing:
        units = [
            SimulatedUnit(
                path=unit.path,
                name=unit.name,
                kind=unit.kind,
                scenarios=tuple(
                    ScenarioChoice(str(spec.name), spec.title, spec.effect)
                    for spec in specs_for(unit.kind)
                ),
            )
            for unit in self.plant.equipment()
            if specs_for(unit.kind)  # nothing can befall a plan
        ]
        return ScenarioListing(tuple(units), tuple(self.plant.truth()))

    async def _capture(self, wanted: Capture) -> dict[str, object]:
        if wanted.samples > MAX_SENT_SAMPLES:
            raise InputError(f"samples: {wanted.samples} is above {MAX_SENT_SAMPLES}")
        speed_rpm = self.plant.speed_rpm(wanted.equipment)
        if self._is_cut_off(wanted.equipment):
            raise ConflictError(f'The sensors of "{wanted.equipment}" have lost their connection')
        wave = await asyncio.to_thread(
            self.plant.capture, wanted.equipment, wanted.samples, wanted.sample_rate_hz
        )
        return {
            "equipment": wanted.equipment,
            "captured_at": msgspec.to_builtins(self.clock.now()),
            "sample_rate_hz": wanted.sample_rate_hz,
            "speed_rpm": speed_rpm,
            "unit": "m/s2",
            "samples": base64.b64encode(wave.astype("<f4").tobytes()).decode(),
        }

    def _is_cut_off(self, equipment: str) -> bool:
        return any(
            truth.equipment == equipment
            and truth.scenario == Scenario.SENSOR_DROPOUT
            and not truth.tag
            for truth in self.plant.truth()
        )


def _output(message: msgspec.Struct) -> dict[str, object]:
    output: dict[str, object] = msgspec.to_builtins(message)
    return output
