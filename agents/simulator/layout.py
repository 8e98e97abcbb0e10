"""The demo plant: which units stand where, and what they were built for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agents.simulator.bearing import SKF_6205
from agents.simulator.calendar import Calendar
from agents.simulator.compressor import Compressor, CompressorDesign
from agents.simulator.conveyor import Conveyor, ConveyorDesign
from agents.simulator.drive import DriveDesign
from agents.simulator.dynamics import Noise
from agents.simulator.hvac import Hvac, HvacDesign
from agents.simulator.meter import Meter
from agents.simulator.motor import MotorDesign
from agents.simulator.network import Network
from agents.simulator.oven import Oven, OvenDesign
from agents.simulator.pump import Pump, PumpDesign
from agents.simulator.responses import FEED_PUMP
from agents.simulator.schedule import Maker, Rate, Rates, Schedule
from agents.simulator.spindle import Spindle, SpindleDesign
from agents.simulator.unit import Unit
from agents.simulator.vibration import Rotor
from app.core.write_rule import Confirm


@dataclass(frozen=True, slots=True)
class Place:
    """One unit with its place and its name."""

    path: str
    name: str
    unit: Unit


def _drive(
    power_kw: float, speed_rpm: float, current: float, passing: int, **shake: float
) -> DriveDesign:
    rotor = Rotor(SKF_6205, speed_rpm / 60, passing=passing, **shake)
    return DriveDesign(MotorDesign(power_kw, speed_rpm), rotor, current)


_COOLING = PumpDesign(_drive(7.5, 1460, 15.2, 6), flow=62, head=24, static_head=7)
_FEED = PumpDesign(
    _drive(11, 2930, 20.5, 5, residual=0.9, noise=0.9),
    flow=28, head=68, static_head=28, suction=2.1, water=90, npsh_required=3.6, words=FEED_PUMP,
    slowest=75, stop=Confirm.TWO_PERSONS,
)  # fmt: skip
_AIR = CompressorDesign(
    _drive(45, 2960, 80, 5, residual=1.0, passing_velocity=0.8, noise=1.1, damping=0.05), 6.4, 3.0
)
_MILLING = SpindleDesign(
    replace(
        _drive(
            9,
            6000,
            18,
            4,
            residual=0.8,
            passing_velocity=0.45,
            noise=1.0,
            resonance_hz=4100,
            damping=0.05,
        ),
        top=1.22,
    )
)
_CURING = OvenDesign(zone_kw=18, set_points=(185.0, 195.0, 205.0))
_DRYING = OvenDesign(zone_kw=12, set_points=(120.0, 130.0), heat_kj_k=52, loss_w_k=32)
_INFEED = ConveyorDesign(
    _drive(1.5, 1430, 3.4, 17, residual=0.8, passing_velocity=0.12, noise=0.4),
    belt_kg=320, goods_kg=380, speed=0.6, pulley_m=0.1, pieces_per_min=42,
)  # fmt: skip
_OUTFEED = ConveyorDesign(
    _drive(2.2, 1440, 4.8, 17, residual=0.8, passing_velocity=0.12, noise=0.4),
    belt_kg=420, goods_kg=560, speed=0.6, pulley_m=0.1, pieces_per_min=42,
)  # fmt: skip

_UTILITIES: tuple[tuple[str, str, Callable[[Noise], Unit]], ...] = (
    ("cooling/pump-101", "Cooling pump P-101", lambda noise: Pump(_COOLING, noise)),
    ("cooling/pump-102", "Cooling pump P-102", lambda noise: Pump(_COOLING, noise)),
    ("boiler/pump-201", "Boiler feed pump P-201", lambda noise: Pump(_FEED, noise)),
    ("air/compressor-301", "Air compressor C-301", lambda noise: Compressor(_AIR, noise)),
    ("air/compressor-302", "Air compressor C-302", lambda noise: Compressor(_AIR, noise)),
)
_MACHINING: tuple[tuple[str, str, Callable[[Noise], Unit]], ...] = (
    ("milling/spindle-401", "Milling spindle M-401", lambda noise: Spindle(_MILLING, noise)),
    ("milling/spindle-402", "Milling spindle M-402", lambda noise: Spindle(_MILLING, noise)),
)
_HEAT: tuple[tuple[str, str, Callable[[Noise], Unit]], ...] = (
    ("ovens/oven-501", "Curing oven O-501", lambda noise: Oven(_CURING, noise)),
    ("ovens/oven-502", "Drying oven O-502", lambda noise: Oven(_DRYING, noise)),
)
_PACKAGING: tuple[tuple[str, str, Callable[[Noise], Unit]], ...] = (
    ("belts/conveyor-601", "Infeed conveyor B-601", lambda noise: Conveyor(_INFEED, noise)),
    ("belts/conveyor-602", "Outfeed conveyor B-602", lambda noise: Conveyor(_OUTFEED, noise)),
)
# Area, its units, and the power at which its meter's normal band ends, kW.
_AREAS = (
    ("utilities", _UTILITIES, 120.0),
    ("machining", _MACHINING, 24.0),
    ("heat", _HEAT, 98.0),
    ("packaging", _PACKAGING, 5.0),
)

# What each area is planned to use and to make; of a line the last machine counts.
_PLANS = {
    "utilities": Rates(Rate(48.3, 42.4, 0.91)),
    "machining": Rates(Rate(4.0, 3.75, 0.05), "parts", Rate(27.8, 22.8, 0.08)),
    "heat": Rates(Rate(36.4, 3.7, 0.92), "charges", Rate(1.0, 4.3)),
    "packaging": Rates(Rate(0.94, 1.87), "pieces", Rate(-247.0, 2257.0)),
}
_COUNTED = ("spindle-401", "spindle-402", "oven-501", "oven-502", "conveyor-602")


def build(seed: int) -> list[Place]:
    """Return all units of the plant; each meter comes after the units it sums."""
    places: list[Place] = []
    for area, units, rated_kw in _AREAS:
        behind: list[Unit] = []
        for tail, name, make in units:
            path = f"riverside/{area}/{tail}"
            unit = make(Noise(seed, path))
            behind.append(unit)
            places.append(Place(path, name, unit))
        path = f"riverside/{area}/energy/meter-{area}"
        meter = Meter(behind, rated_kw, Noise(seed, path))
        places.append(Place(path, f"Energy meter {area}", meter))
    path = "riverside/control/network/tap-701"
    places.append(Place(path, "Control network tap N-701", Network(Noise(seed, path))))
    path = "riverside/building/hall/hvac-801"
    places.append(Place(path, "Hall air conditioning H-801", Hvac(HvacDesign(), Noise(seed, path))))
    return places


def schedules(places: Sequence[Place], calendar: Calendar) -> list[Schedule]:
    """Return the plan of each area; they are stepped after all units."""
    units = {place.path.rpartition("/")[2]: place for place in places}
    makers: dict[str, list[Maker]] = {area: [] for area in _PLANS}
    for name in _COUNTED:
        place = units[name]
        if isinstance(place.unit, Spindle | Oven | Conveyor):
            makers[place.path.split("/")[1]].append(place.unit)
    return [
        Schedule(area, rates, makers[area], units[f"meter-{area}"].unit, calendar)
        for area, rates in _PLANS.items()
    ]
