"""What is really wrong with a simulated unit; a label for tests, never an input of agents."""

from datetime import datetime

import msgspec


class Truth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The latest change of a unit's scenarios, retained on `millwright/truth/{unit path}`.

    Attributes:
        equipment: Path of the unit.
        scenario: Name of the scenario started or stopped; empty if none ever ran.
        severity: 0 to 1, as it was asked for.
        started_at: When it was started, UTC.
        active: It is running.
        tag: Path of the tag a sensor scenario spoils, else empty.
        running: Severity of every scenario now running on the unit, by name.
    """

    equipment: str
    scenario: str
    severity: float
    started_at: datetime
    active: bool
    tag: str = ""
    running: dict[str, float] = {}
