"""Finds the line of each value in a TOML text, so that a problem can name it."""

import re
from collections.abc import Mapping

_SPACE = re.compile(r"[ \t]*")
_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]+")
_STRINGS = (
    re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}', re.DOTALL),
    re.compile(r"'''.*?'{3,5}", re.DOTALL),
    re.compile(r'"(?:[^"\\\n]|\\.)*"'),
    re.compile(r"'[^'\n]*'"),
)


def line_index(text: str) -> dict[str, int]:
    """Return the line, from 1, of every table, element and key by its path.

    Paths are as `steps[2].with.capability`. The text must be TOML that tomllib reads; of any
    other the index ends where it is not understood.
    """
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.scan()
    return scanner.lines


def line_of(where: str, lines: Mapping[str, int]) -> int:
    """Return the line of a path or of the nearest thing around it; 0 if there is none."""
    while where:
        if where in lines:
            return lines[where]
        cut = max(where.rfind("."), where.rfind("["))
        where = where[:cut] if cut > 0 else ""
    return 0


class _Scanner:
    """Walks once over the text and notes where each path begins."""

    def __init__(self, text: str) -> None:
        self.lines: dict[str, int] = {}
        self._text = text
        self._at = 0
        self._line = 1
        self._counts: dict[str, int] = {}
        self._table = ""

    def scan(self) -> None:
        while True:
            self._skip(_BLANK)
            begin = self._at
            if self._at >= len(self._text):
                return
            if self._text[self._at] == "[":
                self._header()
            else:
                self._pair(self._table)
            if self._at == begin:
                return

    def _header(self) -> None:
        line, is_array = self._line, self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        path = ""
        keys = self._keys()
        for index, key in enumerate(keys):
            path = _join(path, key)
            self.lines.setdefault(path, line)
            if is_array and index == len(keys) - 1:
                self._counts[path] = self._counts.get(path, 0) + 1
            if path in self._counts:
                path = f"{path}[{self._counts[path] - 1}]"
                self.lines.setdefault(path, line)
        self._table = path
        self._at += 2 if is_array else 1

    def _pair(self, table: str) -> None:
        line, path = self._line, table
        for key in self._keys():
            path = _join(path, key)
            self.lines.setdefault(path, line)
        if self._text.startswith("=", self._at):
            self._at += 1
            self._skip(_SPACE)
            self._value(path)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_SPACE)
            found = next(
                (
                    hit
                    for each in (_BARE_KEY, *_STRINGS[2:])
                    if (hit := each.match(self._text, self._at))
                ),
                None,
            )
            if found is None:
                return keys
            self._at = found.end()
            keys.append(found[0].strip("\"'"))
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return keys
            self._at += 1

    def _value(self, path: str) -> None:
        match self._text[self._at : self._at + 1]:
            case "[":
                self._list(path)
            case "{":
                self._inline(path)
            case '"' | "'":
                for each in _STRINGS:
                    if self._skip(each):
                        return
            case _:
                self._skip(_SCALAR)

    def _list(self, path: str) -> None:
        self._at += 1
        index = 0
        self._skip(_BLANK)
        while self._at < len(self._text) and self._text[self._at] != "]":
            begin = self._at
            self.lines.setdefault(f"{path}[{index}]", self._line)
            self._value(f"{path}[{index}]")
            index += 1
            self._comma()
            if self._at == begin:
                return
        self._at += 1

    def _inline(self, path: str) -> None:
        self._at += 1
        self._skip(_BLANK)
        while self._at < len(self._text) and self._text[self._at] != "}":
            begin = self._at
            self._pair(path)
            self._comma()
            if self._at == begin:
                return
        self._at += 1

    def _comma(self) -> None:
        self._skip(_BLANK)
        if self._text.startswith(",", self._at):
            self._at += 1
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self._text, self._at)
        if found is None:
            return False
        self._line += found[0].count("\n")
        self._at = found.end()
        return True


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
