"""What the simulator's tasks may say."""

import msgspec

from agents.simulator.waveform import SAMPLE_RATE_HZ, SAMPLES
from app.core.command import CommandOrder

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


class Write(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `write_tag`.

    Attributes:
        order: Signed by the app; it names the set tag and its new value.
    """

    order: CommandOrder


class Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Output of `write_tag` and `read_tag`: what is commanded now.

    Attributes:
        tag: Path of a set tag.
        value: What it holds, in the tag's unit.
    """

    tag: str
    value: float


class Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `read_tag`.

    Attributes:
        tag: Path of a set tag.
    """

    tag: str


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `list_scenarios`."""
