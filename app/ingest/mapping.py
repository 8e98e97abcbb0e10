"""Turns any topic and JSON message into readings, as [[ingest]] in settings.toml says. Pure."""

from collections.abc import Collection
from collections.abc import Mapping as Fields
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import cast

import msgspec
from paho.mqtt.client import topic_matches_sub

from app.core.errors import InputError, TopicError
from app.core.path_template import Template
from app.core.reading import Quality, Reading, Reason
from app.core.topics import as_segment
from app.ingest.fields import flatten, number
from app.ingest.times import source_time
from app.settings import IngestSettings

MOST_ROWS = 10_000
# Tag paths remembered by the shape of the message; beyond it they are worked out each time.
_MOST_LAYOUTS = 10_000
_BARE = ""
_VALUE_KEYS = ("value", "Value", "v")
_DECODER = msgspec.json.Decoder()


@dataclass(slots=True)
class Mapped:
    """What one message became.

    Attributes:
        readings: One a good value.
        problems: What could not be used, each with the field's name.
        names: Tag path to the key it came from, for the tag's description.
        has_own_times: Every reading's time came from the message, not from its arrival.
        rows: Objects or numbers in the message.
    """

    readings: list[Reading] = field(default_factory=list[Reading])
    problems: list[str] = field(default_factory=list[str])
    names: dict[str, str] = field(default_factory=dict[str, str])
    has_own_times: bool = True
    rows: int = 1


class Mapping:
    """One [[ingest]] table at work."""

    def __init__(self, settings: IngestSettings, zone: tzinfo) -> None:
        self.settings = settings
        self._zone = zone
        self._template = Template(settings.path, settings.topic)
        self._slot_names = sorted(self._template.names)
        self._layouts: dict[tuple[str, ...], dict[str, str]] = {}

    def matches(self, topic: str) -> bool:
        """Tell whether the mapping is meant for a topic."""
        return topic_matches_sub(self.settings.topic, topic)

    def forget(self) -> None:
        """Work out each path anew, so that its name is told again."""
        self._layouts.clear()

    def map(self, topic: str, payload: bytes, received: datetime) -> Mapped:
        """Return the readings of a message; what is wrong in it is in `problems`.

        Raises:
            InputError: The payload is no JSON, or holds neither a number nor an object.
        """
        message = _decode(payload)
        mapped = Mapped()
        rows = cast("list[object]", message) if isinstance(message, list) else [message]
        if len(rows) > MOST_ROWS:
            raise InputError(f"The message has more than {MOST_ROWS} rows")
        mapped.rows = len(rows)
        for place, row in enumerate(rows):
            # Rows of one message that carry no time keep their order.
            self._row(topic, row, received + timedelta(microseconds=place), mapped)
        if not mapped.readings and not mapped.problems:
            raise InputError("The message holds no number")
        return mapped

    def _row(self, topic: str, row: object, received: datetime, mapped: Mapped) -> None:
        is_object = isinstance(row, dict)  # JSON objects have text keys
        fields = flatten(cast("dict[str, object]", row)) if is_object else {_BARE: row}
        at, quality, reason = received, Quality.GOOD, Reason.NONE
        time_key = self._time_key(fields)
        if time_key is None:
            mapped.has_own_times = False
        else:
            try:
                at = source_time(fields[time_key], self._zone, received)
            except InputError as error:
                mapped.problems.append(f"{time_key}: {error}")
                quality, reason = Quality.UNCERTAIN, Reason.CONFIG
                mapped.has_own_times = False
        slots = self._slots(fields)
        if slots and not is_object:
            _note_bare(next(iter(slots)), mapped)
            return
        values = self._values(fields, {time_key, *slots.values()}, mapped)
        parts = {name: _text(fields.get(key)) for name, key in slots.items()}
        for key, path in self._paths(topic, parts, values, mapped).items():
            mapped.readings.append(Reading(path, values[key], quality, at, received, reason))

    def _time_key(self, fields: Fields[str, object]) -> str | None:
        return _key_of(self.settings.time, fields) if self.settings.time else None

    def _slots(self, fields: Fields[str, object]) -> dict[str, str]:
        """Return the message's own spelling of the fields that the path is made of."""
        return {name: _key_of(name, fields) or name for name in self._slot_names}

    def _values(
        self, fields: Fields[str, object], taken: Collection[str | None], mapped: Mapped
    ) -> dict[str, float]:
        chosen = self.settings.fields
        values: dict[str, float] = {}
        for key, raw in fields.items():
            if key in taken or (chosen and key not in chosen):
                continue
            try:
                value = number(raw)
            except InputError as error:
                mapped.problems.append(f"{key or 'message'}: {error}")
                continue
            if value is not None:
                values[key] = value
            elif chosen or key == _BARE:
                mapped.problems.append(f'{key or "message"}: "{str(raw)[:60]}" is no number')
        return values

    def _paths(
        self, topic: str, parts: Fields[str, str], values: Fields[str, float], mapped: Mapped
    ) -> dict[str, str]:
        layout = (topic, *parts.values(), "\0", *values)
        known = self._layouts.get(layout)
        if known is not None:
            return known
        if any(_is_unusable(name, text, mapped) for name, text in parts.items()):
            return {}
        paths = self._work_out(topic, parts, values, mapped)
        if len(self._layouts) < _MOST_LAYOUTS and len(paths) == len(values):
            self._layouts[layout] = paths
        return paths

    def _work_out(
        self, topic: str, parts: Fields[str, str], values: Fields[str, float], mapped: Mapped
    ) -> dict[str, str]:
        paths: dict[str, str] = {}
        taken: set[str] = set()
        for key in sorted(values):
            # {"value": 3} on data/pump/flow is the flow of the pump, like a bare 3.
            is_bare = self._template.has_levels and len(values) == 1 and key in _VALUE_KEYS
            name = _BARE if is_bare else key
            try:
                path = self._template.path(
                    topic, self.settings.fields.get(key, name), parts.__getitem__
                )
            except TopicError as error:
                mapped.problems.append(f"{key or 'message'}: {error}")
                continue
            paths[key] = free = _free(path, taken)
            taken.add(free)
            mapped.names[free] = key or topic
        return {key: paths[key] for key in values if key in paths}


def _key_of(wanted: str, fields: Fields[str, object]) -> str | None:
    """Return the key that is `wanted`, or else is so but for upper and lower case."""
    if wanted in fields:
        return wanted
    lower = wanted.lower()
    return next((key for key in fields if key.lower() == lower), None)


def _is_unusable(name: str, text: str, mapped: Mapped) -> bool:
    """Tell whether a field cannot stand in a path, and why in the problems."""
    try:
        return bool(text) and not as_segment(text)
    except TopicError as error:
        mapped.problems.append(f"{name}: {error}")
        return True


def _note_bare(name: str, mapped: Mapped) -> None:
    problem = f'A row is no JSON object; send one with fields, as {{"{name}": "M7", "torque": 4.2}}'
    if problem not in mapped.problems:
        mapped.problems.append(problem)


def _decode(payload: bytes) -> object:
    try:
        return _DECODER.decode(payload)
    except msgspec.DecodeError as error:
        raise InputError(f"The message is no JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise InputError("The message is not UTF-8") from error
    except RecursionError as error:
        raise InputError("The message is nested too deep") from error


def _text(value: object) -> str:
    """Return the text of a field that stands in a path; 7.0 is "7"."""
    if value is None or isinstance(value, list):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _free(path: str, taken: set[str]) -> str:
    """Return the path, or with _2, _3 … if another key of the message has it."""
    count, free = 2, path
    while free in taken:
        free, count = f"{path}_{count}", count + 1
    return free
