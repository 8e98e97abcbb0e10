"""MQTT topic filters that contain others."""

from collections.abc import Sequence


def covers(wide: str, narrow: str) -> bool:
    """Tell whether every topic that `narrow` matches is matched by `wide` (MQTT 3.1.1, 4.7)."""
    wide_levels, narrow_levels = wide.split("/"), narrow.split("/")
    for place, level in enumerate(wide_levels):
        if level == "#":
            return place > 0 or not narrow_levels[0].startswith("$")
        if place >= len(narrow_levels):
            return False
        other = narrow_levels[place]
        if other == "#" or (level not in {"+", other}):
            return False
    return len(wide_levels) == len(narrow_levels)


def covering(filters: Sequence[str]) -> list[str]:
    """Return the fewest of `filters` that match all that they match together, in their order.

    A broker may send a message once for each subscription that matches it, so one that another
    contains is left out. Filters that overlap in part stay, and such messages come twice.
    """
    kept: list[str] = []
    for place, each in enumerate(filters):
        others = [other for other in filters if other != each]
        if each in filters[:place] or any(covers(other, each) for other in others):
            continue
        kept.append(each)
    return kept
