"""Turns the path template of a mapping into tag paths of five segments."""

import re
from collections.abc import Callable, Sequence

from app.core.errors import SettingsError, TopicError
from app.core.topics import as_segment, is_segment

SEGMENTS = 5
DEFAULT_UNIT = "machine"
DEFAULT_LINE = "line"
FIELD = "{field}"
_SLOT = re.compile(r"\{([^{}]*)\}")
_ELASTIC = "{path}"


class Template:
    """A checked path template.

    Slots: {1} is the first level of the topic, {path} the levels that a trailing # matched,
    {field} the key of the value, any other name a field of the message. A segment that is {path}
    alone becomes as many segments as are missing to five: surplus levels are joined by "_" in the
    first of them, missing ones are "line" and "machine".

    Attributes:
        names: Fields of the message that the path is made of.
        names_tags: The last segment is the key of the value, no more and no less.
        has_levels: The topic filter ends in #, so that the topic names the value.
    """

    def __init__(self, text: str, topic_filter: str) -> None:
        """Check the template.

        Raises:
            SettingsError: It cannot give five segments for what the filter matches.
        """
        self._parts = text.split("/")
        elastic = self._parts.count(_ELASTIC)
        fixed = len(self._parts) - elastic
        if elastic > 1 or (not elastic and fixed != SEGMENTS) or (elastic and fixed >= SEGMENTS):
            raise SettingsError(
                f'"{text}" does not make site/area/line/unit/tag; '
                "write five segments, or fewer with one {path}"
            )
        self._elastic_segments = SEGMENTS - fixed
        slots = [slot for part in self._parts for slot in _SLOT.findall(part)]
        self.names = frozenset(
            slot for slot in slots if slot not in {"path", "field"} and not slot.isdecimal()
        )
        self._skipped = topic_filter.split("/").index("#") if topic_filter.endswith("#") else None
        self.has_levels = self._skipped is not None
        self.names_tags = self._parts[-1] == FIELD
        _check_parts(self._parts)
        _check_slots(slots, topic_filter)

    def path(self, topic: str, field: str, value_of: Callable[[str], str]) -> str:
        """Return the tag path of one value.

        Args:
            topic: Topic of the message.
            field: Key of the value; empty for a bare number, whose name is its last topic level.
            value_of: Gives the text of a field named in the template, empty if it is absent.

        Raises:
            TopicError: A level or a key has nothing to make a segment of.
        """
        levels = topic.split("/")
        matched = (
            [] if self._skipped is None else [part for part in levels[self._skipped :] if part]
        )
        if not field:
            source = matched if matched else [part for part in levels if part]
            field = source[-1] if source else ""
            matched = matched[:-1]

        def slot(found: re.Match[str]) -> str:
            name = found[1]
            if name == "field":
                return as_segment(field)
            if name == "path":
                return as_segment("_".join(matched) or DEFAULT_UNIT)
            if name.isdecimal():
                return as_segment(_level(levels, int(name)))
            text = value_of(name)
            return as_segment(text) if text else DEFAULT_UNIT

        segments: list[str] = []
        for part in self._parts:
            if part == _ELASTIC:
                segments += _elastic(matched, self._elastic_segments)
            else:
                segments.append(_SLOT.sub(slot, part))
        return "/".join(segments)


def _check_parts(parts: Sequence[str]) -> None:
    for part in parts:
        if not is_segment(_SLOT.sub("x", part)):
            raise SettingsError(f'"{part}" may hold letters, digits, _, - and {{slots}} only')


def _check_slots(slots: Sequence[str], topic_filter: str) -> None:
    levels = topic_filter.split("/")
    if "field" not in slots and "path" not in slots:
        raise SettingsError(
            "without {field} all values of a message would be one tag; "
            "let the last segment be {field}"
        )
    if "path" in slots and levels[-1] != "#":
        raise SettingsError(
            f'{{path}} stands for what a # matches, and topic "{topic_filter}" does not end in #; '
            "write {1} for its first level, or end it in /#"
        )
    for slot in slots:
        if not slot.strip():
            raise SettingsError("{} is empty; name a level, as {2}, or a field of the message")
        if slot.isdecimal():
            _check_level(int(slot), levels)


def _check_level(number: int, levels: Sequence[str]) -> None:
    is_open = levels[-1] == "#"
    if number < 1 or (number > len(levels) and not is_open):
        raise SettingsError(
            f'topic "{"/".join(levels)}" has no level {number}; '
            f"its levels are {{1}} to {{{len(levels)}}}"
        )
    level = levels[number - 1] if number <= len(levels) else "#"
    if level not in {"+", "#"} and not _has_segment(level):
        raise SettingsError(
            f'level {number} of topic "{"/".join(levels)}" is "{level}", which has no letter or '
            "digit to make a segment of; take another level or write the name itself"
        )


def _has_segment(level: str) -> bool:
    try:
        as_segment(level)
    except TopicError:
        return False
    return True


def _level(levels: Sequence[str], number: int) -> str:
    if not 1 <= number <= len(levels):
        raise TopicError(f"The topic has no level {number}")
    return levels[number - 1]


def _elastic(levels: Sequence[str], count: int) -> list[str]:
    names = [as_segment(level) for level in levels]
    if len(names) > count:
        first = len(names) - count + 1
        return ["_".join(names[:first]), *names[first:]]
    fill = [DEFAULT_LINE] * (count - len(names))
    if fill and not names:
        fill[-1] = DEFAULT_UNIT
    return fill + names
