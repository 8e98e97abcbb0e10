"""The embedded broker's log lines: the last ones kept, the worst one known, ours not flooded."""

import logging
from collections import deque

from app.bus.broker_engine import Sign, read_line
from app.core.clock import Clock

logger = logging.getLogger(__name__)

_KEPT = 200
_PASSED_ON = 20  # lines to our own log a minute; a bad client makes one a second for ever
_WINDOW_S = 60.0
_RANK = list(Sign)


class BrokerLog:
    """Takes the broker's lines.

    Attributes:
        worst: The worst sign since `begin`.
        worst_text: The first line that gave it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: deque[str] = deque(maxlen=_KEPT)
        self._window_s = clock.monotonic()
        self._passed = 0
        self.worst = Sign.NOTHING
        self.worst_text = ""

    def begin(self) -> None:
        """Forget the signs of the last run; its lines stay."""
        self.worst, self.worst_text = Sign.NOTHING, ""

    def lines(self) -> list[str]:
        """Return the last lines, oldest first."""
        return list(self._lines)

    def add(self, line: str) -> None:
        """Take one line."""
        sign, text = read_line(line)
        self._lines.append(text)
        if _RANK.index(sign) > _RANK.index(self.worst):
            self.worst, self.worst_text = sign, text
        if sign is not Sign.NOTHING and self._may_pass():
            logger.log(_level(sign), "%s", text)

    def _may_pass(self) -> bool:
        now_s = self._clock.monotonic()
        if now_s - self._window_s >= _WINDOW_S:
            if self._passed > _PASSED_ON:
                logger.warning("%d more lines of the broker", self._passed - _PASSED_ON)
            self._window_s, self._passed = now_s, 0
        self._passed += 1
        return self._passed <= _PASSED_ON


def _level(sign: Sign) -> int:
    return logging.WARNING if sign in {Sign.WARNING, Sign.LOSS} else logging.ERROR
