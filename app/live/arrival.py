"""Makes a reading of a message on the bus: its path checked, its clock doubted."""

from datetime import UTC, datetime, timedelta

from app.bus.route import Received
from app.core import topics
from app.core.equipment import split_path
from app.core.errors import InputError
from app.core.reading import Quality, Reading, ReadingMessage, Reason

FUTURE = timedelta(seconds=5)
ABSURD_FUTURE = timedelta(days=1)
"""Beyond it, and before EARLIEST, a source's clock is no clock: as in app/ingest/times.py."""
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


def reading_of(received: Received[ReadingMessage], *, is_known: bool) -> Reading:
    """Return what a message says of its tag; the path of a known tag is not checked again.

    An absurd source time is replaced by the time of receipt, and the value doubted.

    Raises:
        TopicError: The path is malformed.
        InputError: The source time has no zone.
    """
    message, path = received.message, topics.tag_of(received.topic)
    if not is_known:  # the path of a known tag was checked, at 22 % of our CPU
        split_path(path)
    quality, reason, at = message.q, message.r, message.t or received.received_time
    if at.tzinfo is None:
        raise InputError(f'source time "{at}" has no zone; end it with Z')
    if not EARLIEST <= at <= received.received_time + ABSURD_FUTURE:
        quality, reason, at = Quality.UNCERTAIN, Reason.CONFIG, received.received_time
    elif at > received.received_time + FUTURE:
        quality, reason = Quality.UNCERTAIN, Reason.CONFIG
    return Reading(
        tag=path,
        value=None if message.v is None else float(message.v),
        quality=quality,
        source_time=at,
        # a value the broker had kept is as old as its source time, however late it comes
        received_time=min(at, received.received_time)
        if received.retained
        else received.received_time,
        reason=reason,
    )
