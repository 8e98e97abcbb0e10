"""Fault orders of rolling bearings: how often a defect is struck per turn of the shaft."""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class BearingFault(StrEnum):
    """Part of a rolling bearing that a defect sits on."""

    OUTER_RACE = "bpfo"
    INNER_RACE = "bpfi"
    BALL = "bsf"
    CAGE = "ftf"


@dataclass(frozen=True, slots=True)
class Bearing:
    """Geometry of a rolling bearing with a turning inner ring.

    Attributes:
        balls: Number of rolling elements.
        ball_mm: Their diameter, mm.
        pitch_mm: Pitch diameter, mm.
        contact_degrees: Contact angle.
    """

    balls: int
    ball_mm: float
    pitch_mm: float
    contact_degrees: float = 0.0

    def order(self, fault: BearingFault) -> float:
        """Return the strikes per turn without slip (Randall & Antoni 2011, eq. 1-4)."""
        ratio = self.ball_mm / self.pitch_mm * math.cos(math.radians(self.contact_degrees))
        match fault:
            case BearingFault.OUTER_RACE:
                return self.balls / 2 * (1 - ratio)
            case BearingFault.INNER_RACE:
                return self.balls / 2 * (1 + ratio)
            case BearingFault.BALL:
                return self.pitch_mm / (2 * self.ball_mm) * (1 - ratio**2)
            case BearingFault.CAGE:
                return (1 - ratio) / 2


# 6205: Case Western Reserve University, bearing data page (7.94 mm, 39.04 mm). The others: nominal
# geometry of the 62/63/72 series, pitch = mean of bore and outer diameter; verify with the maker.
BEARINGS = {
    "6203": Bearing(8, 6.75, 28.5),
    "6204": Bearing(8, 7.94, 33.5),
    "6205": Bearing(9, 7.94, 39.04),
    "6206": Bearing(9, 9.525, 46.0),
    "6207": Bearing(9, 11.112, 53.5),
    "6208": Bearing(9, 12.0, 60.0),
    "6209": Bearing(10, 12.0, 65.0),
    "6210": Bearing(10, 12.7, 70.0),
    "6306": Bearing(8, 12.0, 51.0),
    "6308": Bearing(8, 15.081, 65.0),
    "6310": Bearing(8, 19.05, 80.0),
    "6312": Bearing(8, 22.225, 95.0),
    "6314": Bearing(8, 25.4, 110.0),
    "7208": Bearing(13, 11.5, 60.0, 25.0),
    "7210": Bearing(14, 12.7, 70.0, 25.0),
}


def bearing_orders(nameplate: Mapping[str, str]) -> dict[BearingFault, float]:
    """Return the fault orders of the bearing on a nameplate, empty if it is not known.

    `bpfo`, `bpfi`, `bsf` and `ftf` on the nameplate are the maker's own orders and win over the
    geometry of `bearing`, whose suffixes are ignored: "6205-2RS C3" is a 6205.
    """
    digits = nameplate.get("bearing", "").upper().removeprefix("SKF").strip()[:4]
    bearing = BEARINGS.get(digits)
    orders = {} if bearing is None else {fault: bearing.order(fault) for fault in BearingFault}
    for fault in BearingFault:
        with contextlib.suppress(ValueError):
            given = float(nameplate.get(fault, ""))
            if math.isfinite(given) and given > 0:
                orders[fault] = given
    return orders
