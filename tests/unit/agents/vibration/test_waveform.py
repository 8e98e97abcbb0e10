"""What a captured waveform may look like, and what is refused by name."""

import base64
from typing import Any

import numpy as np
import pytest

from agents.vibration.waveform import parse_waveform
from app.core.errors import InputError


def _output(**changes: object) -> dict[str, Any]:
    samples = np.ones(1024, "<f4")
    good: dict[str, Any] = {
        "sample_rate_hz": 12_800.0,
        "unit": "m/s2",
        "samples": base64.b64encode(samples.tobytes()).decode(),
        "speed_rpm": 1480.0,
    }
    return {**good, **changes}


def _encoded(values: list[float]) -> str:
    return base64.b64encode(np.array(values, "<f4").tobytes()).decode()


def test_samples_come_out_in_metres_per_second_squared() -> None:
    assert parse_waveform(_output(unit="g")).samples[0] == pytest.approx(9.80665)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"speed_rpm": None}, "speed"),
        ({"speed_rpm": 0.0}, "speed"),
        ({"speed_rpm": float("nan")}, "speed"),
        ({"quality": "bad"}, "bad quality"),
        ({"quality": "uncertain"}, "uncertain quality"),
        ({"sample_rate_hz": 0.0}, "sample rate"),
        ({"sample_rate_hz": 1e9}, "sample rate"),
        ({"sample_rate_hz": "fast"}, "sample_rate_hz"),
        ({"unit": "furlong"}, "furlong"),
        ({"samples": "***"}, "base64"),
        ({"samples": ""}, "0 samples"),
        ({"samples": _encoded([1.0] * 1023)}, "1023 samples"),
        ({"samples": base64.b64encode(b"x" * 4097).decode()}, "1024.25 samples"),
        ({"samples": _encoded([1.0] * 1023 + [float("nan")])}, "not finite"),
        ({"samples": _encoded([1.0] * 1023 + [float("inf")])}, "not finite"),
    ],
)
def test_a_wrong_waveform_is_refused_by_name(changes: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        parse_waveform(_output(**changes))


@pytest.mark.parametrize("missing", ["sample_rate_hz", "unit", "samples"])
def test_a_missing_field_is_named(missing: str) -> None:
    output = _output()
    del output[missing]
    with pytest.raises(InputError, match=missing):
        parse_waveform(output)


def test_a_waveform_too_long_for_a_message_is_refused() -> None:
    with pytest.raises(InputError, match="65537 samples"):
        parse_waveform(_output(samples=_encoded([0.0] * 65_537)))
