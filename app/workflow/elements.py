"""What is certain of the elements of a for-each: which were done, and of which nobody knows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from app.workflow.slots import slot


class Plan(msgspec.Struct, frozen=True):
    """What a step decided before it began, where a restart must not decide it again."""

    deadline: datetime
    items: list[Any] | None = None
    fields: list[dict[str, Any]] | None = None
    began_at: datetime | None = None


class Kept(msgspec.Struct, frozen=True):
    """What one element gave, and who did it."""

    output: Any = None
    agent: str = "app"


class Unsure(msgspec.Struct, frozen=True):
    """Elements that had begun when the step ended and may have acted, and what is known of each."""

    unsure: list[int] = []
    known: dict[int, Any] = {}


class Elements:
    """Read from what is certain of a step in a round.

    Attributes:
        items: The elements.
        outputs: What those gave that were done, by their place.
        unsure: What is known of those that may have acted, by their place.
        is_all_known: It was noted which may have acted, or all were done.
    """

    def __init__(self, slots: Mapping[str, bytes], step: str, round_: int) -> None:
        plan = slots.get(slot(step, round_, "plan"))
        items = msgspec.json.decode(plan, type=Plan).items if plan else None
        self.items: list[Any] = items or []
        self.outputs: dict[int, object] = {}
        for index in range(len(self.items)):
            kept = slots.get(slot(step, round_, str(index)))
            if kept is not None:
                self.outputs[index] = msgspec.json.decode(kept, type=Kept).output
        unsure = slots.get(slot(step, round_, "unsure"))
        found = msgspec.json.decode(unsure, type=Unsure) if unsure else Unsure()
        left = set(found.unsure) - self.outputs.keys()
        self.unsure: dict[int, object] = {index: found.known.get(index) for index in left}
        self.is_all_known = unsure is not None or len(self.outputs) == len(self.items)


def element_names(names: Mapping[str, object], index: int, item: object) -> dict[str, object]:
    """Return what expressions of one element see."""
    return {**names, "item": item, "index": index}
