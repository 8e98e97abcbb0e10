"""One value of one tag at one moment, with its quality (OPC UA DataValue)."""

from datetime import datetime
from enum import StrEnum

import msgspec

from app.core.clock import AwareTime


class Quality(StrEnum):
    """How far a value may be trusted (OPC UA Part 8 status severity)."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


class Reason(StrEnum):
    """Why a value is not good."""

    NONE = ""
    STALE = "stale"
    COMM_LOST = "comm_lost"
    CONFIG = "config"
    OUT_OF_RANGE = "out_of_range"
    FORCED = "forced"
    SENSOR_FAULT = "sensor_fault"
    NO_VALUE = "no_value"


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value with its quality and its two times.

    Attributes:
        tag: Path `site/area/line/unit/tag`.
        value: In the tag's unit; booleans as 0 and 1; None when there is none.
        quality: Trust in the value.
        source_time: When it was true at the source, UTC.
        received_time: When this process took it in, UTC.
        reason: Why the quality is not good.
    """

    tag: str
    value: float | None
    quality: Quality
    source_time: datetime
    received_time: datetime
    reason: Reason = Reason.NONE


class ReadingMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A reading as it stands on its tag's topic.

    Attributes:
        v: Value; null with bad quality.
        q: Quality.
        t: Source time, UTC; absent means the time of arrival.
        u: Unit, UCUM; informative, the tag's own unit rules.
        r: Reason when the quality is not good.
    """

    v: float | bool | None
    q: Quality = Quality.GOOD
    t: AwareTime | None = None
    u: str | None = None
    r: Reason = Reason.NONE
