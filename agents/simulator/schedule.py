"""What an area should make and use in a shift, and what it has: the demo plant's MES.

ISA-95 part 3 calls the one production schedule and the other production performance. The rates are
those of the healthy plant over two simulated weeks, straight lines over the load of the shift.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec

from agents.simulator.calendar import Calendar, Shift
from agents.simulator.declare import state
from agents.simulator.sensors import Sample
from app.core.equipment import Equipment, EquipmentKind, Tag
from app.core.reading import Quality, Reason

_SHIFTS = ("night", "early", "late")
_SHIFT_H = 8
_ROOM = 1.25  # of the range over the best shift there can be


class Maker(Protocol):
    """A unit that finishes goods."""

    @property
    def made(self) -> float:
        """Goods finished so far; only its growth counts."""
        ...


class Consumer(Protocol):
    """A unit that draws electric power, such as a meter for all behind it."""

    @property
    def load(self) -> tuple[float, float]:
        """Electric power, kW, and power factor."""
        ...


@dataclass(frozen=True, slots=True)
class Rate:
    """What is planned an hour: `base + slope * load`, and a share of it while the crew rests."""

    base: float
    slope: float
    resting: float = 0.0

    def at(self, shift: Shift) -> float:
        """Return the amount planned an hour at a moment of a shift."""
        working = self.base + self.slope * shift.load
        return working if shift.is_working else self.resting * working

    def over(self, minutes: Iterable[Shift]) -> float:
        """Return the amount planned over minutes."""
        return sum(self.at(minute) for minute in minutes) / 60


@dataclass(frozen=True, slots=True)
class Rates:
    """What an area is planned for.

    Attributes:
        energy: Electric energy, kWh an hour.
        goods: What it makes, plural; empty if it makes nothing that is counted.
        production: Goods an hour.
    """

    energy: Rate
    goods: str = ""
    production: Rate = Rate(0.0, 0.0)


class Tally(msgspec.Struct, forbid_unknown_fields=True):
    """One shift so far; `began` is when the shift did, None before the first step."""

    began: datetime | None = None
    production: float = 0.0
    production_plan: float = 0.0
    production_target: float = 0.0
    energy: float = 0.0
    energy_plan: float = 0.0
    energy_target: float = 0.0


class Schedule:
    """The plan of one area and what came of it; counts from the start of the shift or of the model.

    Attributes:
        equipment: The declaration of the plan as a unit.
        tally: The shift so far; kept over a restart by whoever runs the plant.
    """

    def __init__(
        self, area: str, rates: Rates, makers: Sequence[Maker], meter: Consumer, calendar: Calendar
    ) -> None:
        self.equipment = _declare(area, rates)
        self.tally = Tally()
        self._rates = rates
        self._makers = makers
        self._meter = meter
        self._calendar = calendar
        self._made = self._total()
        # one digit more than the screen shows, as sensors have it
        self._shown = [(tag.path, tag.name, tag.decimals + 1) for tag in self.equipment.tags]

    def resume(self, tally: Tally, now: datetime) -> None:
        """Go on with an earlier count of the running shift; that of another shift is dropped.

        While nothing ran nothing was planned either: the target is what was planned so far and
        what is planned from now on.
        """
        if tally.began == self._calendar.shift_began(now):
            self.tally = tally
            self._aim(now)

    def step(self, now: datetime, dt_s: float) -> list[Sample]:
        """Count one step that ends now, and return what an MES would say."""
        began = self._calendar.shift_began(now)
        if began != self.tally.began:
            self.tally = Tally(began)
            self._aim(now)
        shift, _ = self._calendar.at(now)
        hours, made, tally = dt_s / 3600, self._total(), self.tally
        tally.production += made - self._made
        tally.production_plan += self._rates.production.at(shift) * hours
        tally.energy += self._meter.load[0] * hours
        tally.energy_plan += self._rates.energy.at(shift) * hours
        self._made = made
        return self._samples(_SHIFTS.index(shift.name))

    def _aim(self, now: datetime) -> None:
        rest = list(self._calendar.rest_of_shift(now))
        tally = self.tally
        tally.production_target = tally.production_plan + self._rates.production.over(rest)
        tally.energy_target = tally.energy_plan + self._rates.energy.over(rest)

    def _total(self) -> float:
        return sum(maker.made for maker in self._makers)

    def _samples(self, shift: int) -> list[Sample]:
        figures: dict[str, float] = msgspec.structs.asdict(self.tally)
        figures["shift"] = shift
        figures["production"] = int(figures["production"])  # what is not finished is not made
        return [
            (path, float(round(figures[name], digits)), Quality.GOOD, Reason.NONE)
            for path, name, digits in self._shown
        ]


def _declare(area: str, rates: Rates) -> Equipment:
    path = f"riverside/{area}/plan/schedule-{area}"
    full = Shift("early", 1.0, False, False, False, True)
    tags = [state("shift", "Shift", dict(enumerate(_SHIFTS))).tag]
    nameplate = {"counts": "from the start of the shift or of the simulator"}
    goods = rates.goods
    if goods:
        hourly = rates.production.at(full)
        nameplate[f"{goods}_per_hour_at_full_load"] = f"{hourly:.3g}"
        tags += _figures("production", goods.capitalize(), f"{{{goods}}}", hourly, 0)
    nameplate["power_at_full_load_kw"] = f"{rates.energy.at(full):.3g}"
    tags += _figures("energy", "Energy", "kW.h", rates.energy.at(full), 1)
    placed = tuple(msgspec.structs.replace(tag, path=f"{path}/{tag.path}") for tag in tags)
    return Equipment(path, f"Plan for {area}", EquipmentKind.SCHEDULE, placed, nameplate)


def _figures(name: str, what: str, unit: str, hourly: float, decimals: int) -> list[Tag]:
    top = float(f"{hourly * _SHIFT_H * _ROOM:.2g}")
    plan, target = f"{name}_plan", f"{name}_target"
    words = {
        name: f"{what} this shift",
        plan: f"{what} planned by now",
        target: f"{what} planned for the shift",
    }
    tags = [
        Tag(path, text, unit, low=0.0, high=top, decimals=decimals) for path, text in words.items()
    ]
    return [msgspec.structs.replace(tags[0], plan=plan, target=target), *tags[1:]]
