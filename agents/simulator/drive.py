"""A motor with the shaft it turns: electric power, winding, bearing, vibration."""

from dataclasses import dataclass, replace

from agents.simulator.declare import Design, analog, motor_tags, vibration_tags
from agents.simulator.dynamics import Lag, Noise, Surroundings
from agents.simulator.faults import Faults
from agents.simulator.motor import Motor, MotorDesign
from agents.simulator.responses import Words
from agents.simulator.vibration import Rotor, Signature, features, signature
from app.core.equipment import Limits

_BEARING_TAU_S = 900.0


@dataclass(frozen=True, slots=True)
class DriveDesign:
    """What drives a unit.

    Attributes:
        motor: Nameplate of the motor.
        rotor: What shakes.
        current: Rated current, A.
        bearing_rise: Bearing temperature over ambient at rated speed and load, K.
        top: Fastest ordinary speed over rated speed.
    """

    motor: MotorDesign
    rotor: Rotor
    current: float
    bearing_rise: float = 28.0
    top: float = 1.08

    def tags(self, words: Words) -> list[Design]:
        """Declare what is measured at the drive, with the responses to its limits."""
        speed, torque = self.motor.speed_rpm, self.motor.torque
        return [
            analog("speed", "Shaft speed", "{rev}/min", (0, speed * (self.top + 0.2)),
                   (0, speed * self.top), decimals=0, noise=speed * 0.0004),
            analog("torque", "Shaft torque", "N.m", (0, torque * 2.5), (0, torque * 1.15),
                   decimals=2 if torque < 100 else 1, noise=torque * 0.004),
            *motor_tags(self.motor.power_kw, self.current, words),
            analog("bearing_temperature", "Drive-end bearing temperature", "Cel", (0, 150),
                   (10, 75), limits=Limits(high=85, high_high=100), noise=0.12,
                   responses=words["bearing_temperature"]),
            *vibration_tags(words),
        ]  # fmt: skip


class Drive:
    """The state of one drive.

    Attributes:
        motor: Its motor.
        shaking: What shakes at the moment.
    """

    __slots__ = ("_bearing", "_design", "_noise", "motor", "shaking")

    def __init__(self, design: DriveDesign, noise: Noise) -> None:
        # No two machines of a kind are alike: each has its own balance, seat and friction.
        own = noise.events.uniform
        rotor = replace(
            design.rotor,
            residual=design.rotor.residual * own(0.75, 1.3),
            noise=design.rotor.noise * own(0.85, 1.2),
        )
        self._design = replace(
            design, rotor=rotor, bearing_rise=design.bearing_rise * own(0.9, 1.1)
        )
        self._noise = noise
        self._bearing = Lag(22.0, _BEARING_TAU_S)
        self.motor = Motor(design.motor)
        self.shaking = Signature(0.0, (), (), 1e-8, 3000.0, 0.03)

    def step(
        self,
        torque: float,
        speed_rpm: float,
        around: Surroundings,
        faults: Faults,
        *,
        hiss: float = 0.0,
        passing_share: float = 1.0,
    ) -> dict[str, float]:
        """Advance one step and return the values of all tags of `DriveDesign.tags`.

        Args:
            torque: Shaft torque, N.m.
            speed_rpm: Shaft speed, 1/min.
            around: The step.
            faults: What is wrong.
            hiss: Further broadband noise, m/s2.
            passing_share: Share of the passing line that is there (teeth in the cut).
        """
        load = torque / self._design.motor.torque
        ratio = speed_rpm / self._design.motor.speed_rpm
        self.motor.step(torque, speed_rpm, around, faults.overheating)
        self._heat_bearing(ratio, load, around, faults)
        rotor = self._design.rotor
        if passing_share != 1.0:
            rotor = replace(rotor, passing_velocity=rotor.passing_velocity * passing_share)
        self.shaking = signature(rotor, speed_rpm / 60, load, faults, hiss)
        seen = features(self.shaking)
        normal = self._noise.normal
        # One second holds about 20,000 samples: RMS scatters by 1 %, the fourth power more.
        excess = abs(seen.kurtosis - 3)
        return {
            "speed": speed_rpm,
            "torque": torque,
            "power": self.motor.power_kw,
            "current": self.motor.current,
            "winding_temperature": self.motor.winding,
            "bearing_temperature": self._bearing.value,
            "vibration_velocity": seen.velocity * (1 + 0.015 * normal()),
            "vibration_acceleration": seen.acceleration * (1 + 0.01 * normal()),
            "vibration_kurtosis": max(1.0, seen.kurtosis + (0.05 + 0.06 * excess) * normal()),
            "vibration_crest": max(1.0, seen.crest * (1 + 0.05 * normal())),
        }

    def _heat_bearing(
        self, ratio: float, load: float, around: Surroundings, faults: Faults
    ) -> None:
        friction = 0.55 * ratio + 0.45 * ratio * load
        worse = (
            1
            + 0.5 * max(faults.bearing_outer_race, faults.bearing_inner_race)
            + 0.55 * faults.misalignment
            + 0.15 * faults.imbalance
            + 0.35 * faults.overheating
        )
        rise = self._design.bearing_rise * friction * worse
        self._bearing.step(around.air + rise, around.thermal_dt_s)
