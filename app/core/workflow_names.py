"""How workflows, steps and inputs may be called."""

import re

LENGTH = 60
RULE = "Begin with a letter a-z, then a-z, 0-9 and _, at most 60 characters"

FILE_RULE = "Definitions are files, and Windows keeps this name for a device; take a longer one"

_DEVICES = frozenset(
    {"con", "nul", "prn", "aux"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}
)
"""https://learn.microsoft.com/windows/win32/fileio/naming-a-file; taken with any ending, too."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")


def is_name(text: str) -> bool:
    """Tell whether a workflow, step, input or capability may be called so."""
    return _NAME.fullmatch(text) is not None


def is_device(name: str) -> bool:
    """Tell whether Windows takes a file of this name for a device, whatever its ending."""
    return name.lower() in _DEVICES
