"""Names under which what is certain of a run is kept."""

from collections.abc import Container


def slot(step: str, round_: int, part: str = "") -> str:
    """Return the name under which something certain of a step is kept."""
    return f"{step}.{round_}.{part}" if part else f"{step}.{round_}"


def has_begun(slots: Container[str], step: str, round_: int) -> bool:
    """Tell whether a step noted that it begins, as those do that plan or can be taken back."""
    return slot(step, round_, "plan") in slots


def is_outcome(key: str) -> bool:
    """Tell whether a slot holds what became of a step."""
    return key.count(".") == 1
