"""Cut a child's output into lines: bounded in length, bounded in lines a second."""

from collections.abc import Iterator

LINE_LIMIT_BYTES = 2000  # a log line longer than this is cut, a traceback line never is


class LineCutter:
    """Turns chunks of bytes into lines; keeps at most one unfinished line.

    Attributes:
        is_flooded: The present second has used up its lines; further ones are only counted.
    """

    def __init__(self, lines_per_s: int) -> None:
        self._lines_per_s = lines_per_s
        self._rest = b""
        self._second = -1
        self._used = 0
        self._dropped = 0
        self._is_cut = False

    @property
    def is_flooded(self) -> bool:
        """No further line is passed on in the present second."""
        return self._used >= self._lines_per_s

    def feed(self, chunk: bytes, at_s: float) -> Iterator[str]:
        """Yield the lines that `chunk`, read at `at_s` on a steady clock, completes."""
        if int(at_s) != self._second:
            self._second, self._used = int(at_s), 0
            yield from self._told()
        if self.is_flooded:
            self._skip(chunk)
            return
        *lines, rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            yield from self._line(line)
        self._rest = rest
        if len(rest) > LINE_LIMIT_BYTES and not self._is_cut:
            yield from self._line(rest)
            self._is_cut = True
        if self._is_cut:
            self._rest = b""

    def finish(self) -> Iterator[str]:
        """Yield what is left when the output ends."""
        yield from self._told()
        if self._rest:
            self._used = 0
            yield from self._line(self._rest)
            self._rest = b""

    def _line(self, line: bytes) -> Iterator[str]:
        if self._is_cut:  # the head of this line was passed on already
            self._is_cut = False
            return
        if self.is_flooded:
            self._dropped += 1
            return
        self._used += 1
        text = line[:LINE_LIMIT_BYTES].decode(errors="replace").rstrip()
        if text:
            yield "".join(sign if sign.isprintable() or sign == "\t" else "?" for sign in text)

    def _skip(self, chunk: bytes) -> None:
        ended = chunk.count(b"\n")
        self._dropped += ended
        if ended:
            self._is_cut = False
            self._rest = chunk.rpartition(b"\n")[2][:LINE_LIMIT_BYTES]

    def _told(self) -> Iterator[str]:
        if self._dropped:
            yield f"… {self._dropped} lines dropped: more than {self._lines_per_s} a second"
            self._dropped = 0
