"""The whole demo plant as one pure model: no broker, no clock, as fast as it is stepped.

The same seed, start and calls give the same numbers, bit for bit.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
import numpy as np
import numpy.typing as npt

from agents.simulator import waveform
from agents.simulator.calendar import Calendar
from agents.simulator.commands import Commands, check_value
from agents.simulator.declare import Design, Stream
from agents.simulator.dynamics import Surroundings
from agents.simulator.layout import Place, build, schedules
from agents.simulator.scenarios import ScenarioBoard
from agents.simulator.schedule import Schedule, Tally
from agents.simulator.sensors import Sample, Sensors
from agents.simulator.vibration import Signature
from app.core.equipment import Equipment, Tag
from app.core.errors import InputError
from app.core.truth import Truth

_SETTLE_STEPS = 150
_SETTLE_THERMAL_S = 30.0
_MAX_STEP_S = 5.0


class PlantModel:
    """Eleven machines, four energy meters, a network tap, a hall and the plans, stepped together.

    Attributes:
        now: The model's time, UTC.
    """

    def __init__(self, seed: int, start: datetime, timezone: str = "Europe/Berlin") -> None:
        """Build the plant, warm and at work, at a moment.

        Args:
            seed: Seed of all noise, wear and events.
            start: First moment, aware.
            timezone: IANA name of the zone the shift calendar lives in.
        """
        self.now = start
        self._seed = seed
        self._calendar = Calendar(timezone)
        self._places = build(seed)
        designs = [(place, place.unit.tags()) for place in self._places]
        self._equipment = [_declare(place, tags) for place, tags in designs]
        self._names = [[tag.tag.path for tag in tags] for _, tags in designs]
        self._sensors = Sensors(
            seed,
            [tag for unit in self._equipment for tag in unit.tags],
            [tag.noise for _, tags in designs for tag in tags],
            [tag.stream for _, tags in designs for tag in tags],
        )
        self._board = ScenarioBoard(
            seed,
            self._equipment,
            {place.path: place.unit.main_tag for place in self._places},
            _echoes(designs),
        )
        self._waves = np.random.default_rng([seed, 0xACCE])
        self._values: list[dict[str, float]] = []
        self._schedules = self._settled()

    def equipment(self) -> list[Equipment]:
        """Return the declarations of all units with their tags."""
        return [*self._equipment, *(schedule.equipment for schedule in self._schedules)]

    def step(self, dt_s: float = 1.0) -> list[Sample]:
        """Advance the plant and return one sample a tag that reports.

        Raises:
            InputError: The step is not above 0 and at most 5 s; controls need short steps.
        """
        if not 0 < dt_s <= _MAX_STEP_S:
            raise InputError(f"dt_s: {dt_s:g} is not above 0 and at most {_MAX_STEP_S:g} s")
        self.now += timedelta(seconds=dt_s)
        self._advance(dt_s, dt_s)
        true = (
            values[name]
            for values, names in zip(self._values, self._names, strict=True)
            for name in names
        )
        measured = self._sensors.measure(true, self._board.sensor_faults(self.now))
        for schedule in self._schedules:
            measured += schedule.step(self.now, dt_s)
        return measured

    def skip_to(self, moment: datetime) -> None:
        """Set the model's time without simulating what lies between."""
        self.now = moment

    def true_values(self, equipment: str) -> dict[str, float]:
        """Return the true values of a unit's tags by name, before any sensor.

        Raises:
            InputError: There is no such unit.
        """
        return dict(self._values[self._position(equipment)])

    def capture(
        self,
        equipment: str,
        samples: int = waveform.SAMPLES,
        sample_rate_hz: float = waveform.SAMPLE_RATE_HZ,
    ) -> npt.NDArray[np.float64]:
        """Return an acceleration waveform of a unit as it shakes now, (samples,), m/s2.

        Raises:
            InputError: The unit does not exist or has no shaft, or a figure is out of bounds.
        """
        return waveform.capture(self._shaking(equipment), self._waves, samples, sample_rate_hz)

    def speed_rpm(self, equipment: str) -> float:
        """Return the shaft speed of a unit, 1/min.

        Raises:
            InputError: The unit does not exist or has no shaft.
        """
        return self._shaking(equipment).speed_hz * 60

    def start_scenario(
        self, equipment: str, scenario: str, severity: float = 0.7, tag: str = ""
    ) -> Truth:
        """Start a scenario, or give a running one another severity.

        Args:
            equipment: Path of the unit.
            scenario: Name of the scenario.
            severity: Above 0, at most 1.
            tag: Tag that a sensor scenario spoils; empty takes the unit's main tag.

        Raises:
            InputError: Names the field that is wrong and the valid choices.
        """
        return self._board.start(equipment, scenario, severity, self.now, tag)

    def stop_scenario(self, equipment: str, scenario: str = "") -> list[Truth]:
        """Stop one scenario, or with no name all of the unit; return what was stopped.

        Raises:
            InputError: The unit or the scenario does not exist.
            NotFoundError: It is not running.
        """
        return self._board.stop(equipment, scenario)

    def restore(self, truths: Iterable[Truth]) -> None:
        """Take running scenarios up again after a restart.

        Raises:
            InputError: One of them does not fit this plant.
        """
        self._board.restore(truths)

    def write(self, tag: str, value: float) -> float:
        """Tell a set tag its value; the unit follows from the next step on.

        Raises:
            InputError: Names the field that is wrong and what is allowed.
        """
        commands, declared = self._set_tag(tag)
        check_value(declared, value)
        commands.give(declared.name, float(value))
        return self.read(tag)

    def read(self, tag: str) -> float:
        """Return what a set tag is told now.

        Raises:
            InputError: It is no set tag; names the field and the choices.
        """
        commands, declared = self._set_tag(tag)
        return commands[declared.name]

    def commanded(self) -> dict[str, float]:
        """Return the values of all set tags that differ from the usual, by path."""
        return {
            f"{place.path}/{name}": value
            for place in self._places
            for name, value in place.unit.commands.given.items()
        }

    def take_up(self, commanded: Mapping[str, float]) -> list[str]:
        """Go on with set tags after a restart, as if they had held for long; before `resume`.

        Returns:
            Why each that does not fit this plant was left out.
        """
        problems: list[str] = []
        for tag, value in commanded.items():
            try:
                self.write(tag, value)
            except InputError as error:
                problems.append(f"{tag}: {error}")
        if self.commanded():
            self._schedules = self._settled()
        return problems

    def tallies(self) -> dict[str, Tally]:
        """Return what each area has made and used this shift, by the path of its plan."""
        return {schedule.equipment.path: schedule.tally for schedule in self._schedules}

    def resume(self, tallies: Mapping[str, Tally]) -> None:
        """Go on with the counts of the running shift after a restart."""
        for schedule in self._schedules:
            if tally := tallies.get(schedule.equipment.path):
                schedule.resume(tally, self.now)

    def truth(self) -> list[Truth]:
        """Return every scenario now running."""
        return self._board.active()

    def _settled(self) -> list[Schedule]:
        """Let all units come to rest at what they are told, and return plans that begin there."""
        for _ in range(_SETTLE_STEPS):
            self._advance(1.0, _SETTLE_THERMAL_S)
        return schedules(self._places, self._calendar)

    def _set_tag(self, tag: str) -> tuple[Commands, Tag]:
        unit, _, name = tag.rpartition("/")
        position = next((at for at, one in enumerate(self._places) if one.path == unit), None)
        if position is None:
            raise InputError(
                f'tag: "{tag[:120]}" is no tag of the demo plant; give the path of a set tag'
            )
        found = {one.name: one for one in self._equipment[position].tags if one.write}
        if name not in found:
            choices = ", ".join(found) or "none, it has no set tags"
            raise InputError(
                f'tag: "{tag[:120]}" is no set tag of its unit; choose one of {choices}'
            )
        return self._places[position].unit.commands, found[name]

    def _advance(self, dt_s: float, thermal_dt_s: float) -> None:
        shift, air = self._calendar.at(self.now)
        around = Surroundings(dt_s, thermal_dt_s, shift, air)
        self._values = [
            place.unit.step(around, self._board.faults(place.path, self.now))
            for place in self._places
        ]

    def _position(self, equipment: str) -> int:
        for index, place in enumerate(self._places):
            if place.path == equipment:
                return index
        raise InputError(
            f'equipment: "{equipment[:120]}" is no unit of the demo plant; '
            f"choose one of {', '.join(place.path for place in self._places)}"
        )

    def _shaking(self, equipment: str) -> Signature:
        shaking = self._places[self._position(equipment)].unit.shaking
        if shaking is None:
            choices = ", ".join(place.path for place in self._places if place.unit.shaking)
            raise InputError(
                f'equipment: "{equipment}" has no accelerometer; choose one of {choices}'
            )
        return shaking


def _declare(place: Place, designs: Iterable[Design]) -> Equipment:
    return Equipment(
        path=place.path,
        name=place.name,
        kind=place.unit.kind,
        tags=tuple(
            msgspec.structs.replace(design.tag, path=f"{place.path}/{design.tag.path}")
            for design in designs
        ),
        nameplate=place.unit.nameplate(),
    )


def _echoes(designs: Iterable[tuple[Place, list[Design]]]) -> set[str]:
    return {
        f"{place.path}/{design.tag.path}"
        for place, tags in designs
        for design in tags
        if design.stream is Stream.ECHO
    }
