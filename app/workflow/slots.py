"""Names under which what is certain of a run is kept."""


def slot(step: str, round_: int, part: str = "") -> str:
    """Return the name under which something certain of a step is kept."""
    return f"{step}.{round_}.{part}" if part else f"{step}.{round_}"


def is_outcome(key: str) -> bool:
    """Tell whether a slot holds what became of a step."""
    return key.count(".") == 1
