"""What the simulator's tasks may say, checked field by field."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from agents.simulator.waveform import SAMPLE_RATE_HZ, SAMPLES
from app.core.errors import FieldsError

T = TypeVar("T", bound=msgspec.Struct)

MAX_SENT_SAMPLES = 32_768
"""Samples that fit into one message of 256 KiB as base64 of float32."""


class Start(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `start_scenario`.

    Attributes:
        equipment: Path of the unit.
        scenario: Name of the scenario.
        severity: Above 0, at most 1.
        tag: Tag that a sensor scenario spoils; empty takes the unit's main tag.
    """

    equipment: str
    scenario: str
    severity: float = 0.7
    tag: str = ""


class Stop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `stop_scenario`.

    Attributes:
        equipment: Path of the unit.
        scenario: Name of the scenario; empty stops all of the unit.
    """

    equipment: str
    scenario: str = ""


class Capture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `capture_waveform`.

    Attributes:
        equipment: Path of the unit.
        samples: Number of samples.
        sample_rate_hz: Samples a second.
    """

    equipment: str
    samples: int = SAMPLES
    sample_rate_hz: float = SAMPLE_RATE_HZ


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `list_scenarios`."""


def parse(type_: type[T], given: Mapping[str, object]) -> T:
    """Return a task's input as its type.

    Raises:
        FieldsError: Names the fields that are missing, unknown or of another type.
    """
    fields = {field.name: field for field in msgspec.structs.fields(type_)}
    wrong = {name: "unknown" for name in given if name not in fields}
    wrong |= {
        name: "missing" for name, field in fields.items() if name not in given and field.required
    }
    for name in given.keys() & fields.keys():
        try:
            msgspec.convert(given[name], fields[name].type)
        except msgspec.ValidationError as error:
            wrong[name] = str(error)
    if wrong:
        named = "; ".join(f"{name}: {problem}" for name, problem in sorted(wrong.items()))
        raise FieldsError(named, wrong)
    return msgspec.convert(dict(given), type_)
