"""The rules of MQTT topic filters (MQTT 3.1.1, section 4.7)."""

from app.core.errors import TopicError
from app.core.topic_name import LEVELS, punished_sign

_MOST_BYTES = 65_535  # section 4.7.3


def check_filter(text: str) -> None:
    """Tell what is wrong with a topic filter.

    Raises:
        TopicError: It is empty or too long, or has a wild card or a character out of place.
    """
    if not text:
        raise TopicError('it is empty; write a topic, as "plant2/+/temperature"')
    if len(text.encode("utf-8", "replace")) > _MOST_BYTES:
        raise TopicError(f"it is longer than {_MOST_BYTES} bytes; a topic cannot be")
    if sign := punished_sign(text):
        raise TopicError(f"it has the character {sign}, for which brokers close the connection")
    levels = text.split("/")
    if len(levels) > LEVELS:
        raise TopicError(
            f"it has more than {LEVELS} levels, for which brokers close the connection"
        )
    if any("#" in level for level in levels[:-1]) or ("#" in levels[-1] and levels[-1] != "#"):
        raise TopicError('"#" must be the last level, alone; write + for one level in the middle')
    if any("+" in level and level != "+" for level in levels):
        raise TopicError('"+" must stand alone between slashes; it stands for one whole level')


def overlap(one: str, other: str) -> bool:
    """Tell whether there is a topic that both filters match."""
    return _meet(one.split("/"), other.split("/"), is_first=True)


def _meet(one: list[str], other: list[str], *, is_first: bool = False) -> bool:
    if one[:1] == ["#"] or other[:1] == ["#"]:
        # A wild card at the beginning matches no topic that begins with $ (4.7.2).
        rest = other if one[:1] == ["#"] else one
        return not (is_first and rest[:1] and rest[0].startswith("$"))
    if not one or not other:
        return not one and not other
    if "+" not in {one[0], other[0]} and one[0] != other[0]:
        return False
    if is_first and one[0] != other[0] and any(head[0].startswith("$") for head in (one, other)):
        return False
    return _meet(one[1:], other[1:])
