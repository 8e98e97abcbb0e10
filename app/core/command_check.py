"""Whether a command may be sent: every check with its verdict, so that a form can show them all."""

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from app.core.actor import Role
from app.core.equipment import Tag, TagKind
from app.core.reading import Quality, Reading
from app.core.units import unit_words
from app.core.write_rule import Interlock, Operator, WriteRule

_HOLDS: Mapping[Operator, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ROUNDING = 1e-9
"""Share of a value that binary fractions may lose: 0.3 - 0.2 is a step of 0.1."""


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One check of a command.

    Attributes:
        name: "tag", "writable", "role", "source", "type", "range", "step", "rate", "interlock",
            "order".
        ok: It holds.
        text: What was found and what is allowed, for the operator.
    """

    name: str
    ok: bool
    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        tag: Path of the tag.
        value: New value, in the tag's unit.
        source: Where it comes from, see `CommandSource`.
        role: Of who asks.
    """

    tag: str
    value: float
    source: str
    role: Role


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a tag: its declaration and newest reading, None where there is none."""

    tag: Tag | None = None
    reading: Reading | None = None


Look = Callable[[str], Seen]
FOR_GOOD = frozenset({"writable", "role", "source", "type", "range"})
"""Checks that go by the tag's rule alone: what they refuse now they refuse at any time."""


def check_command(
    wanted: Wanted,
    look: Look,
    last_sent: datetime | None,
    now: datetime,
    *,
    unshown: float | None = None,
) -> list[Check]:
    """Return every check of a command; it may be sent if all hold.

    Args:
        wanted: What is asked for.
        look: Returns what is known of a tag by its path.
        last_sent: When a command was last sent to the tag, UTC; None for never.
        now: UTC.
        unshown: What the last command set the tag to, if the plant has not shown it yet.
    """
    seen = look(wanted.tag)
    tag = seen.tag
    if tag is None:
        return [Check("tag", False, f'Tag "{wanted.tag[:120]}" is not known')]
    known = Check("tag", True, f"{tag.description or tag.name} is known")
    rule = tag.write
    if rule is None:
        text = f"{tag.path} has no write rule: nobody may change it"
        return [known, Check("writable", False, text)]
    return [
        known,
        Check("writable", True, "It has a write rule"),
        _role(wanted, rule),
        _source(wanted, rule),
        _type(wanted.value, tag),
        _range(wanted.value, tag, rule),
        _step(wanted.value, seen, rule, now, unshown),
        _rate(rule, last_sent, now),
        *(_interlock(each, tag, look, now) for each in rule.interlocks),
    ]


def failed(checks: list[Check]) -> list[Check]:
    """Return the checks that do not hold."""
    return [check for check in checks if not check.ok]


def in_words(checks: list[Check]) -> str:
    """Return what does not hold, "" if all holds."""
    return "; ".join(check.text for check in failed(checks))


def why_untrusted(seen: Seen, now: datetime) -> str:
    """Return why the present value cannot be built upon, "" if it is good and fresh."""
    reading = seen.reading
    if seen.tag is None:
        return "is not known"
    if reading is None or reading.value is None:
        return "has no value"
    if reading.quality is not Quality.GOOD:
        why = f" ({reading.reason.value})" if reading.reason else ""
        return f"is {reading.value:g}, of {reading.quality.value} quality{why}"
    age_s = (now - reading.received_time).total_seconds()
    if age_s > seen.tag.stale_after_s:
        return f"is {reading.value:g}, {age_s:.0f} s old"
    return ""


def is_near(value: float, shown: float, tolerance: float) -> bool:
    """Tell whether the plant shows `value`, within `tolerance` and the loss of rounding."""
    return abs(value - shown) <= tolerance + _ROUNDING * max(1.0, abs(value))


def bounds(tag: Tag, rule: WriteRule) -> tuple[float, float] | None:
    """Return least and greatest value that may be set, None if the tag's range is not known."""
    is_known = tag.low < tag.high
    low = rule.low if rule.low is not None else tag.low if is_known else None
    high = rule.high if rule.high is not None else tag.high if is_known else None
    return None if low is None or high is None else (low, high)


def interlock_path(interlock: Interlock, tag: Tag) -> str:
    """Return the path of the tag an interlock of `tag` looks at."""
    return interlock.tag if "/" in interlock.tag else f"{tag.equipment}/{interlock.tag}"


def needed(tag: Tag) -> list[str]:
    """Return the tags whose values the checks of a command to `tag` look at."""
    if tag.write is None:
        return []
    own = [] if tag.write.max_step is None else [tag.path]
    return own + [interlock_path(each, tag) for each in tag.write.interlocks]


def _role(wanted: Wanted, rule: WriteRule) -> Check:
    text = f"Needs the role {rule.role.value}; asked for as {wanted.role.value}"
    return Check("role", wanted.role.covers(rule.role), text)


def _source(wanted: Wanted, rule: WriteRule) -> Check:
    allowed = [str(source) for source in rule.sources]
    text = f"May come from {', '.join(allowed)}; comes from {wanted.source[:30]}"
    return Check("source", wanted.source in allowed, text)


def _type(value: float, tag: Tag) -> Check:
    if not math.isfinite(value):
        return Check("type", False, "The value must be a finite number")
    if tag.kind not in {TagKind.STATE, TagKind.BINARY}:
        return Check("type", True, "Any number")
    states = tag.states or ({0: "0", 1: "1"} if tag.kind is TagKind.BINARY else {})
    if not states:
        return Check("type", value.is_integer(), "The value must be a whole number")
    words = ", ".join(f"{number} ({word})" for number, word in sorted(states.items()))
    return Check("type", value in states, f"The value must be one of {words}")


def _range(value: float, tag: Tag, rule: WriteRule) -> Check:
    allowed = bounds(tag, rule)
    if allowed is None:
        text = "The range is not known: the tag's source must declare it, or write.low and high"
        return Check("range", False, text)
    low, high = allowed
    unit = unit_words(tag.unit)
    text = f"Must be between {low:g} and {high:g}{' ' if unit else ''}{unit}; is {value:g}"
    return Check("range", low <= value <= high, text)


def _step(value: float, seen: Seen, rule: WriteRule, now: datetime, unshown: float | None) -> Check:
    """Judge the step from what the tag shows, and from what it is about to show."""
    if rule.max_step is None:
        return Check("step", True, "Any step")
    untrusted = why_untrusted(seen, now)
    if untrusted or seen.reading is None or seen.reading.value is None:
        return Check("step", False, f"The step cannot be judged: the present value {untrusted}")
    present = seen.reading.value
    step, what = abs(value - present), f"the present {present:g}"
    if unshown is not None and abs(value - unshown) > step:
        step, what = abs(value - unshown), f"{unshown:g}, which it was just set to"
    text = f"At most {rule.max_step:g} from {what}; is {step:g}"
    return Check("step", is_near(step, min(step, rule.max_step), 0.0), text)


def _rate(rule: WriteRule, last_sent: datetime | None, now: datetime) -> Check:
    if not rule.min_interval_s:
        return Check("rate", True, "At any time")
    if last_sent is None:
        return Check("rate", True, f"Every {rule.min_interval_s:g} s; none was sent yet")
    waited = now - last_sent
    text = (
        f"{rule.min_interval_s:g} s must lie between two commands; "
        f"the last was {waited.total_seconds():.1f} s ago"
    )
    return Check("rate", waited >= timedelta(seconds=rule.min_interval_s), text)


def _interlock(interlock: Interlock, tag: Tag, look: Look, now: datetime) -> Check:
    path = interlock_path(interlock, tag)
    seen = look(path)
    needed = f"{interlock.tag} must be {interlock.op} {interlock.value:g}"
    untrusted = why_untrusted(seen, now)
    if untrusted or seen.reading is None or seen.reading.value is None:
        return Check("interlock", False, f"{needed}, which nobody can tell: it {untrusted}")
    value = seen.reading.value
    holds = _HOLDS[interlock.op](value, interlock.value)
    return Check("interlock", holds, f"{needed}; is {value:g}")
