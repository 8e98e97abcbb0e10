"""Finds tags and units by what an operator types."""

from collections.abc import Iterable

import msgspec

from app.core.equipment import Equipment

_WHOLE_START, _WORD_START, _INSIDE = 0, 1, 2


class Hit(msgspec.Struct, frozen=True):
    """One thing found.

    Attributes:
        kind: "area", "unit" or "tag".
        path: Its path.
        label: What an operator calls it.
    """

    kind: str
    path: str
    label: str


def search(equipment: Iterable[Equipment], text: str, limit: int) -> list[Hit]:
    """Return up to `limit` areas, units and tags in which every word of `text` occurs.

    Things whose name begins with the text come first, areas before units before tags.
    """
    words = text.lower().split()
    if not words:
        return []
    found: list[tuple[int, int, str, Hit]] = []
    areas: dict[str, Hit] = {}
    for unit in equipment:
        areas.setdefault(unit.area, Hit("area", unit.area, unit.area.rpartition("/")[2]))
        candidates = [(1, Hit("unit", unit.path, unit.name), unit.kind.value)]
        candidates += [
            (2, Hit("tag", tag.path, f"{tag.description or tag.name} · {unit.name}"), "")
            for tag in unit.tags
        ]
        found += [ranked for each in candidates if (ranked := _rank(*each, words))]
    found += [ranked for hit in areas.values() if (ranked := _rank(0, hit, "", words))]
    found.sort(key=lambda item: item[:3])
    return [hit for *_, hit in found[:limit]]


def _rank(level: int, hit: Hit, more: str, words: list[str]) -> tuple[int, int, str, Hit] | None:
    name = hit.label.lower()
    heap = f"{name} {hit.path.lower()} {more}"
    if not all(word in heap for word in words):
        return None
    first = words[0]
    if name.startswith(first):
        return (_WHOLE_START, level, hit.path, hit)
    return (_WORD_START if f" {first}" in name else _INSIDE, level, hit.path, hit)
