"""A piece of raw vibration as an instance that offers `capture_waveform` sends it."""

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from app.core.errors import InputError

MIN_SAMPLES = 1024
MAX_SAMPLES = 65_536
STANDARD_GRAVITY = 9.80665  # m/s2 per g (ISO 80000-3)
_SCALE = {"m/s2": 1.0, "m/s²": 1.0, "g": STANDARD_GRAVITY, "[g]": STANDARD_GRAVITY}


@dataclass(frozen=True, slots=True)
class Waveform:
    """Acceleration on the bearing housing.

    Attributes:
        samples: (n,) float64, m/s2, evenly spaced.
        sample_rate_hz: Samples a second.
        speed_rpm: Mean speed of the shaft while it was taken.
    """

    samples: npt.NDArray[np.float64]
    sample_rate_hz: float
    speed_rpm: float

    @property
    def shaft_hz(self) -> float:
        """Turns a second."""
        return self.speed_rpm / 60


class WaveformOutput(msgspec.Struct, frozen=True):
    """Output of a `capture_waveform` task; other keys are the sender's own business.

    Attributes:
        sample_rate_hz: Samples a second.
        unit: "m/s2" or "g".
        samples: Base64 of float32, little endian.
        speed_rpm: Mean speed of the shaft, None if not known.
        quality: "good" or the reading's quality.
    """

    sample_rate_hz: float
    unit: str
    samples: str
    speed_rpm: float | None = None
    quality: str = "good"


def parse_waveform(output: Mapping[str, Any]) -> Waveform:
    """Make a waveform of a task's output.

    Raises:
        InputError: A field is missing, the speed is not known, the quality is not good, or the
            samples are too few, too many or not finite.
    """
    try:
        message = msgspec.convert(dict(output), WaveformOutput)
    except msgspec.ValidationError as error:
        raise InputError(f"Waveform is wrong: {error}") from error
    if message.quality != "good":
        raise InputError(f"Waveform is of {message.quality} quality; check the vibration sensor")
    speed = message.speed_rpm
    if speed is None or not math.isfinite(speed) or speed <= 0:
        raise InputError("Waveform has no speed; check the speed tag of the unit")
    if not 100 <= message.sample_rate_hz <= 1e6:
        raise InputError(f"Waveform sample rate {message.sample_rate_hz} Hz is not 100 Hz to 1 MHz")
    samples = _samples(message.samples) * _scale(message.unit)
    return Waveform(samples, message.sample_rate_hz, speed)


def _scale(unit: str) -> float:
    scale = _SCALE.get(unit)
    if scale is None:
        raise InputError(f'Waveform unit "{unit[:20]}" is not known; send "m/s2" or "g"')
    return scale


def _samples(text: str) -> npt.NDArray[np.float64]:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"Waveform samples are not base64: {error}") from error
    if len(raw) % 4 or not MIN_SAMPLES <= len(raw) // 4 <= MAX_SAMPLES:
        raise InputError(
            f"Waveform has {len(raw) / 4:g} samples of float32; send {MIN_SAMPLES} to {MAX_SAMPLES}"
        )
    samples = np.frombuffer(raw, "<f4").astype(np.float64)
    if not np.isfinite(samples).all():
        raise InputError("Waveform holds values that are not finite; check the vibration sensor")
    return samples
