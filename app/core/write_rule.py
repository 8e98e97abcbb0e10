"""Whether and how a tag may be changed: declared by its source, checked by the command gateway.

A tag without a rule cannot be written (IEC 62443-3-3, FR 2: least privilege).
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Literal

import msgspec

from app.core.actor import Role
from app.core.errors import InputError

Operator = Literal["==", "!=", "<", "<=", ">", ">="]
OPERATORS: tuple[Operator, ...] = ("==", "!=", "<", "<=", ">", ">=")


class Confirm(StrEnum):
    """Who must agree before a command is sent.

    NONE: nobody. SELF: one person, who may be the one that asked. TWO_PERSONS: a person other
    than the one who asked.
    """

    NONE = "none"
    SELF = "self"
    TWO_PERSONS = "two_persons"


class CommandSource(StrEnum):
    """Where a command may come from."""

    UI = "ui"
    HTTP = "http"
    CLI = "cli"
    WORKFLOW = "workflow"
    MQTT = "mqtt"
    SCADA = "scada"
    MCP = "mcp"


PEOPLE = (CommandSource.UI, CommandSource.HTTP, CommandSource.CLI, CommandSource.WORKFLOW)


class Interlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """A condition that must hold of a good and fresh tag: `[tag, op, value]`.

    Attributes:
        tag: Path of the tag, or its name if it is of the same unit.
        op: Comparison.
        value: What the tag's value is compared with.
    """

    tag: str
    op: Operator
    value: float


class WriteRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a tag may be changed.

    Attributes:
        role: The least role that may ask.
        sources: Where a command may come from.
        low: Least value, in the tag's unit; None takes the tag's range.
        high: Greatest value; None takes the tag's range.
        max_step: Greatest change from the present value, in the tag's unit; None for any.
        min_interval_s: Least time between two commands to the tag, s.
        confirm: Who must agree.
        interlocks: All must hold when the command is asked for and again when it is sent.
        verify_tag: Name of the tag of the same unit that shows the effect; empty is the tag itself.
        tolerance: How near `verify_tag` must come to the value, in the tag's unit.
        verify_s: Time the plant has to show it, s.
    """

    role: Role = Role.OPERATOR
    sources: tuple[CommandSource, ...] = PEOPLE
    low: float | None = None
    high: float | None = None
    max_step: float | None = None
    min_interval_s: float = 0.0
    confirm: Confirm = Confirm.SELF
    interlocks: tuple[Interlock, ...] = ()
    verify_tag: str = ""
    tolerance: float = 0.0
    verify_s: float = 10.0


def check_write_rule(rule: WriteRule, names: Collection[str]) -> None:
    """Check the rule of a tag of a unit with tags `names`.

    Raises:
        InputError: Names the field, what is wrong with it and what is allowed.
    """
    if rule.low is not None and rule.high is not None and rule.low > rule.high:
        raise InputError(f"write.low: {rule.low:g} is above write.high {rule.high:g}")
    for name in ("max_step", "min_interval_s", "tolerance"):
        value = getattr(rule, name)
        if value is not None and value < 0:
            raise InputError(f"write.{name}: {value:g} is below 0")
    if not 0 < rule.verify_s <= 3600:
        raise InputError(f"write.verify_s: {rule.verify_s:g} is not above 0 and at most 3600 s")
    if not rule.sources:
        raise InputError("write.sources: is empty; leave `write` out for a tag nobody may change")
    if rule.verify_tag and rule.verify_tag not in names:
        raise InputError(f'write.verify_tag: "{rule.verify_tag[:120]}" is no tag of its unit')
    for interlock in rule.interlocks:
        if "/" not in interlock.tag and interlock.tag not in names:
            raise InputError(f'write.interlocks: "{interlock.tag[:120]}" is no tag of its unit')
