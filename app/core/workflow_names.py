"""How workflows, steps and inputs may be called."""

import re

LENGTH = 60
RULE = "Begin with a letter a-z, then a-z, 0-9 and _, at most 60 characters"

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


def is_name(text: str) -> bool:
    """Tell whether a workflow, step, input or capability may be called so."""
    return _NAME.fullmatch(text) is not None
