"""Finds the message for which a broker closes the connection again and again, and takes it out.

Paho sends what is not acknowledged again at each reconnect, in the order it was first sent. After a
brief connection it sends one message at a time, each once the one before is acknowledged, for the
acknowledgements of many are lost with the connection: so the first one left is the one that closed
it. After three times it is held back, and dropped only if the connection lasts without it. A broker
that closes all the same has other reasons, and gets everything again.
"""

import threading

from paho.mqtt.client import Client, MQTTMessage, mqtt_ms_queued

BRIEF_S = 2.0
"""A connection that lasted this long was not closed for what it began with, s."""

_CLOSES = 3
_MOST = 10
_TRUST_S = 60.0


class Suspects:
    """Messages held back; told on paho's thread, judged in the event loop."""

    def __init__(self, client: Client, in_flight: int) -> None:
        """Take the client, and how many messages it may have on their way at once."""
        self._client = client
        self._in_flight = in_flight
        self._lock = threading.Lock()
        self._first = 0
        self._closes = 0
        self._held: list[MQTTMessage] = []
        self._trusted_until_s = 0.0
        self._ended: tuple[float, float] | None = None

    @property
    def is_careful(self) -> bool:
        """Whether messages are sent one at a time, or held back."""
        return bool(self._held) or self._client.max_inflight_messages == 1

    def closed(self, now_s: float, lived_s: float) -> None:
        """Note that the broker closed a connection; nothing is moved while paho may walk over it.

        Args:
            now_s: Monotonic time, s.
            lived_s: How long the connection lasted, s.
        """
        self._ended = (now_s, lived_s)

    def before_connect(self) -> None:
        """Choose what the next connection sends; called by paho just before it."""
        if self._ended is None:
            return
        (now_s, lived_s), self._ended = self._ended, None
        with self._lock:
            if lived_s >= BRIEF_S or now_s < self._trusted_until_s:
                self._trust()
                return
            first = self._first_left()
            if self._held:
                self._not_alone(first, now_s)
            elif first:
                self._closes = self._closes + 1 if first == self._first else 1
                self._first = first
                if self._closes == _CLOSES:
                    self._hold(first)
            if self._trusted_until_s <= now_s:
                self._send_singly()

    def convict(self) -> MQTTMessage | None:
        """Take out the last one held, as the connection lasts without it; None if none is held.

        Others stay held until this connection is closed, and are sent again with the next.
        """
        with self._lock:
            self._allow(self._in_flight)
            return self._held.pop() if self._held else None

    def _not_alone(self, first: int, now_s: float) -> None:
        """Hold back one more, or all are innocent: the connection broke without any of them."""
        if first and len(self._held) < _MOST:
            self._hold(first)
        else:
            self._trust()
            self._trusted_until_s = now_s + _TRUST_S

    def _trust(self) -> None:
        self._closes = 0
        self._give_back()
        self._allow(self._in_flight)

    # Private in paho 2.2: the public ways take out all messages, cannot put one back, and change
    # nothing while there is a connection.

    def _first_left(self) -> int:
        with self._client._out_message_mutex:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
            return next(iter(self._client._out_messages), 0)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    def _send_singly(self) -> None:
        self._allow(1)
        with self._client._out_message_mutex:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
            for message in list(self._client._out_messages.values())[1:]:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
                message.state = mqtt_ms_queued

    def _allow(self, in_flight: int) -> None:
        self._client._max_inflight_messages = in_flight  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    def _hold(self, mid: int) -> None:
        self._closes = 0
        with self._client._out_message_mutex:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
            self._held.append(self._client._out_messages.pop(mid))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    def _give_back(self) -> None:
        with self._client._out_message_mutex:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
            waiting = self._client._out_messages  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
            for message in reversed(self._held):
                waiting[message.mid] = message
                waiting.move_to_end(message.mid, last=False)
        self._held.clear()
