"""Findings of agents, and the alarms the alarm service makes of them (ISA-18.2)."""

from datetime import datetime
from enum import IntEnum, StrEnum

import msgspec

from app.core.clock import AwareTime


class Priority(IntEnum):
    """Alarm priority; a smaller number is worse (ISA-18.2, four levels)."""

    CRITICAL = 1
    HIGH = 2
    MEDIUM = 3
    LOW = 4


class AlarmState(StrEnum):
    """State of an alarm (ANSI/ISA-18.2-2016, figure 3)."""

    NORMAL = "normal"
    UNACK = "unack"
    ACK = "ack"
    RTN_UNACK = "rtn_unack"
    LATCHED = "latched"
    SHELVED = "shelved"
    SUPPRESSED_BY_DESIGN = "suppressed_by_design"
    OUT_OF_SERVICE = "out_of_service"


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an agent states about one condition of one unit; never a conclusion to act on.

    Attributes:
        agent: Name of the agent, or "limits" or "system" for the app's own.
        condition: Path segment that names the condition ("bearing_outer_race").
        equipment: Path of the unit, or of a tag for a limit.
        found_at: When the agent decided, UTC.
        priority: None says that the condition is absent.
        probability: 0 to 1, or None where the agent has none.
        message: What an operator reads, one short sentence.
        response: What to do, first sentence of the procedure.
        evidence: Figures behind it by name, in the unit the name carries.
        value: The deciding value, if there is one.
        limit: The limit it is compared with, if there is one.
        unit: UCUM unit of `value` and `limit`.
        latching: The alarm stays until a person resets it.
    """

    agent: str
    condition: str
    equipment: str
    found_at: AwareTime
    priority: Priority | None = None
    probability: float | None = None
    message: str = ""
    response: str = ""
    evidence: dict[str, float] = {}
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    latching: bool = False

    @property
    def key(self) -> str:
        """What makes two findings speak of the same alarm."""
        return f"{self.agent}:{self.equipment}:{self.condition}"


class Alarm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An alarm as operators, HTTP and MQTT see it.

    Attributes:
        id: Path segment, the same for the same (agent, equipment, condition) for ever.
        finding: The latest finding behind it.
        state: ISA-18.2 state.
        active: The condition is present at the moment.
        raised_at: When the condition last became present, UTC.
        changed_at: When the state last changed, UTC.
        acknowledged_by: Who acknowledged it, if anyone did.
        acknowledged_at: When, UTC.
        returned_at: When the condition last became absent, UTC.
        shelved_until: When shelving ends, UTC.
        note: The last note a person left.
        count: How often it was raised since the journal began.
        chattering: Three or more transitions within 60 s.
    """

    id: str
    finding: Finding
    state: AlarmState
    active: bool
    raised_at: datetime
    changed_at: datetime
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    returned_at: datetime | None = None
    shelved_until: datetime | None = None
    note: str = ""
    count: int = 1
    chattering: bool = False


class JournalEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of the append-only alarm journal: who, when, old, new, why.

    Attributes:
        number: Grows by one a line, without gaps; 0 until the journal has given it.
        at: UTC.
        alarm_id: The alarm.
        actor: A person's name, or "system".
        event: What happened ("raise", "acknowledge", "shelve" …).
        old: State before.
        new: State after.
        why: Note, or the reason the machine gives.
        priority: Of the alarm at that moment.
        equipment: Path of the unit or tag.
        message: Of the alarm at that moment.
        value: The deciding value at that moment.
        source: Where the action came from ("ui", "http", "system" …).
    """

    number: int
    at: datetime
    alarm_id: str
    actor: str
    event: str
    old: AlarmState
    new: AlarmState
    why: str = ""
    priority: int = 4
    equipment: str = ""
    message: str = ""
    value: float | None = None
    source: str = ""


class AlarmSummary(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the banner of every page shows.

    Attributes:
        counts: Active alarms that are not hidden, by priority, critical first.
        unacknowledged: Alarms that wait for an acknowledgement, by priority, critical first.
        worst: The unacknowledged alarm of the worst priority, the newest among equals.
        flood: More new alarms than a person can take in (ISA-18.2: ten in ten minutes).
        hidden: Alarms that are shelved, suppressed by design or out of service.
        refused: Findings that found no room in the alarm list since start.
    """

    counts: tuple[int, int, int, int] = (0, 0, 0, 0)
    unacknowledged: tuple[int, int, int, int] = (0, 0, 0, 0)
    worst: Alarm | None = None
    flood: bool = False
    hidden: int = 0
    refused: int = 0
