"""The output of one agent: its last lines in memory, all of it in a file that is turned over."""

import os
from collections import deque
from pathlib import Path

from app.core.clock import Clock

FILE_LIMIT_BYTES = 1_000_000  # two files an agent: a week of a quiet one, 20 min of a flood
_WAITING = 2000  # lines not yet written; ten seconds of the most a child may say


class AgentLog:
    """Takes lines in the event loop; `write` puts them on disk from a thread."""

    def __init__(self, path: Path, lines: int, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._tail: deque[str] = deque(maxlen=lines)
        self._waiting: deque[str] = deque(maxlen=_WAITING)

    def add(self, line: str) -> None:
        """Take one line."""
        stamped = f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ} {line}"
        self._tail.append(stamped)
        self._waiting.append(stamped)

    def lines(self) -> list[str]:
        """Return the last lines, oldest first, each with its time, UTC."""
        return list(self._tail)

    @property
    def last_words(self) -> str:
        """The last line without its time, empty if there is none."""
        return self._tail[-1].partition(" ")[2] if self._tail else ""

    def write(self) -> None:
        """Append the waiting lines to the file; a full file becomes `<name>.log.1`.

        Raises:
            OSError: The file cannot be written; the lines are gone, the last ones stay in memory.
        """
        lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not lines:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and self._path.stat().st_size > FILE_LIMIT_BYTES:
            os.replace(self._path, self._path.with_suffix(".log.1"))  # noqa: PTH105  atomic
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
