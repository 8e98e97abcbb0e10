"""What an operator is told to do when a tag passes a limit or gives no good value."""

from app.core.equipment import Tag
from app.core.reading import Reason
from app.core.response import SUPERSEDES, LimitName
from app.core.units import unit_words

_SENSOR = "Check the sensor, its plug and its cable"
_FIRST_CHECK = {
    Reason.COMM_LOST: "Check power, cable and switch of the source",
    Reason.OUT_OF_RANGE: "Check the sensor for a broken wire or a short",
    Reason.CONFIG: "Check channel, unit, scale and clock in the set-up of the source",
    Reason.FORCED: "Ask who forced this value by hand, and have it released",
}


def limit_response(tag: Tag, limit: LimitName, edge: float) -> str:
    """Return what to do about a passed limit: the source's words, or general ones."""
    declared = tag.responses.to(limit).text.strip()
    if declared:
        return declared
    back = "below" if limit.startswith("high") else "above"
    stop = f"; be ready to stop {_unit(tag)}" if limit in SUPERSEDES else ""
    return (
        f"Find the cause and bring {tag_words(tag)} of {_unit(tag)} "
        f"back {back} {_figure(tag, edge)}{_measure(tag)}{stop}"
    )


def sensor_response(tag: Tag, reason: Reason) -> str:
    """Return what to do about a tag without a good value, by the reason its source gives."""
    check = f"{_FIRST_CHECK.get(reason, _SENSOR)}: {tag_words(tag)} of {_unit(tag)}."
    watched = [
        f"{name.replace('_', ' ')} {_figure(tag, getattr(tag.limits, name))}"
        for name in tag.limits.names()
    ]
    if not watched:
        return f"{check} It has no alarm limits, so by the end of the shift is soon enough."
    return (
        f"{check} Its limits ({', '.join(watched)}{_measure(tag)}) are not watched meanwhile, "
        "so read it at the machine every hour."
    )


def tag_words(tag: Tag) -> str:
    """Return what an operator calls a tag."""
    return tag.description or tag.name.replace("_", " ")


def _unit(tag: Tag) -> str:
    return tag.equipment.rpartition("/")[2]


def _figure(tag: Tag, value: float) -> str:
    return f"{value:.{tag.decimals}f}"


def _measure(tag: Tag) -> str:
    return f" {unit_words(tag.unit)}".rstrip()
