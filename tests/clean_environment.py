"""The environment of apps and agents that tests start: a few names, and nothing that reaches out.

The developer's accounts and proxies (TWILIO_*, AWS_*, *_PROXY), own settings (MILLWRIGHT_*) and
what tells NiceGUI that it runs inside a test (PYTEST_*, NICEGUI_*) stay behind.
"""

import os
from collections.abc import Mapping

KEPT = frozenset(
    {
        "HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TEMP", "TERM", "TMP", "TMPDIR", "TZ", "USER",
        "LD_LIBRARY_PATH", "VIRTUAL_ENV",
        "APPDATA", "COMSPEC", "LOCALAPPDATA", "PATHEXT", "SYSTEMROOT", "USERPROFILE", "WINDIR",
    }
)  # fmt: skip
"""What a program needs to find itself, its libraries and its folders, on Windows too."""
_KEPT_HEADS = ("LC_", "PYTHON")


def clean_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that a program started by a test may have."""
    return {
        name: value
        for name, value in environment.items()
        if name.upper() in KEPT or name.upper().startswith(_KEPT_HEADS)
    }
