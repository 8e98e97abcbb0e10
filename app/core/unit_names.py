"""Sentences in which units stand by their path, told with their names."""

import re
from collections.abc import Callable

UNIT_PATH = re.compile(r"((?:[\w.-]+/){3}[\w.-]*\w)")
"""What looks like the path of a unit; whether it is one, only the plant knows."""


def with_unit_names(text: str, name_of: Callable[[str], str]) -> str:
    """Return a sentence in which each unit's path is its name.

    Args:
        text: What an agent or a part of the app says.
        name_of: The name of a unit by its path, empty for none.
    """
    return UNIT_PATH.sub(lambda found: name_of(found[0]) or found[0], text)
