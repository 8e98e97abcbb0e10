"""Rolling-bearing geometry and the defect frequencies that follow from it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bearing:
    """A deep-groove ball bearing with a still outer ring.

    Attributes:
        name: Designation on the nameplate.
        balls: Number of balls.
        ball_mm: Ball diameter, mm.
        pitch_mm: Pitch diameter, mm.
    """

    name: str
    balls: int
    ball_mm: float
    pitch_mm: float

    @property
    def outer_order(self) -> float:
        """Ball passes over a point of the outer race a turn (BPFO)."""
        return self.balls / 2 * (1 - self.ball_mm / self.pitch_mm)

    @property
    def inner_order(self) -> float:
        """Ball passes over a point of the inner race a turn (BPFI)."""
        return self.balls / 2 * (1 + self.ball_mm / self.pitch_mm)

    @property
    def ball_order(self) -> float:
        """Turns of a ball a turn of the shaft (BSF)."""
        return self.pitch_mm / (2 * self.ball_mm) * (1 - math.pow(self.ball_mm / self.pitch_mm, 2))

    @property
    def cage_order(self) -> float:
        """Turns of the cage a turn of the shaft (FTF)."""
        return (1 - self.ball_mm / self.pitch_mm) / 2


# SKF 6205-2RS: 9 balls of 7.94 mm on a 39.04 mm pitch circle, the geometry published with the
# Case Western Reserve bearing data; gives BPFO 3.585, BPFI 5.415, BSF 2.357, FTF 0.398 orders.
SKF_6205 = Bearing("6205", balls=9, ball_mm=7.94, pitch_mm=39.04)
