"""The open alarms, as the app publishes them: retained, and an empty message when one is over."""

from collections.abc import Callable, Sequence

from app.bus.client import Bus, Received
from app.bus.codec import decode
from app.core.alarm import Alarm
from app.core.errors import CodecError
from app.core.topics import ALARMS

MOST = 20_000
"""Alarms kept; twice what the app keeps by default (`alarms.max_alarms`)."""


class OpenAlarms:
    """Follows the alarms that are not normal.

    Attributes:
        by_id: The alarms as last told.
    """

    def __init__(
        self, bus: Bus, limit_bytes: int, on_change: Callable[[str, Alarm | None], None]
    ) -> None:
        """Subscribe; call before the bus starts.

        Args:
            bus: The agent's connection.
            limit_bytes: Largest message taken.
            on_change: Called with an alarm's id, and the alarm or None when it is over.
        """
        self._bus = bus
        self._limit_bytes = limit_bytes
        self._on_change = on_change
        self.by_id: dict[str, Alarm] = {}
        bus.subscribe(ALARMS, bytes, self.take, qos=1)

    def take(self, batch: Sequence[Received[bytes]]) -> None:
        """Take over what the app says."""
        for received in batch:
            self._take_one(received)

    def _take_one(self, received: Received[bytes]) -> None:
        alarm_id = received.topic.rpartition("/")[2]
        if not received.message:
            self.by_id.pop(alarm_id, None)
            self._on_change(alarm_id, None)
            return
        try:
            alarm = decode(Alarm, received.message, self._limit_bytes)
        except CodecError as error:
            self._bus.refuse(
                received.topic, received.message, str(error), retained=received.retained
            )
            return
        known = self.by_id.get(alarm_id)
        # After a reconnect a retained message may come before older ones that waited for us.
        is_old = known is not None and alarm.changed_at < known.changed_at
        if not is_old and (known or len(self.by_id) < MOST):
            self.by_id[alarm_id] = alarm
            self._on_change(alarm_id, alarm)
