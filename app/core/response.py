"""What a passed limit asks of the operator: words and priority, as the tag's source declares them.

ISA-18.2 (clause 9, rationalisation) wants for every alarm what it means, what to do about it and
how soon. Whoever knows the machine writes that; where nobody did, `app.core.limit_words` speaks.
"""

from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from app.core.alarm import Priority
from app.core.errors import InputError

LimitName = Literal["low_low", "low", "high", "high_high"]
LIMIT_NAMES: tuple[LimitName, ...] = ("low_low", "low", "high", "high_high")

SUPERSEDES: Mapping[str, LimitName] = {"high_high": "high", "low_low": "low"}
"""A limit to the lesser one that it suppresses by design while it is passed."""

TEXT_LIMIT = 300
"""Characters of a response; two sentences fit, and a person with an alarm reads no more."""

_USUAL: dict[LimitName, Priority] = {
    # Critical is declared by who knows of danger to people or the loss of a machine.
    "high_high": Priority.HIGH,
    "low_low": Priority.HIGH,
    "high": Priority.MEDIUM,
    "low": Priority.MEDIUM,
}


class Response(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one passed limit asks of the operator (ISA-18.2, rationalisation).

    Attributes:
        text: What to check, what to do and by when, one line of at most 300 characters; the first
            sentence stands in the alarm's row. Empty takes a general text.
        priority: 1 critical to 4 low; null takes high for `low_low` and `high_high`, else medium.
    """

    text: str = ""
    priority: Priority | None = None


_GENERAL = Response()


class Responses(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The response to each limit of one tag; one without a limit has no effect.

    Attributes:
        low_low: To `limits.low_low`.
        low: To `limits.low`; its priority is no worse than that of `low_low`, which hides it.
        high: To `limits.high`; its priority is no worse than that of `high_high`.
        high_high: To `limits.high_high`.
    """

    low_low: Response = _GENERAL
    low: Response = _GENERAL
    high: Response = _GENERAL
    high_high: Response = _GENERAL

    def to(self, limit: LimitName) -> Response:
        """Return the response to one limit."""
        response: Response = getattr(self, limit)
        return response

    def priority(self, limit: LimitName) -> Priority:
        """Return the priority of the alarm of one limit."""
        return self.to(limit).priority or _USUAL[limit]


def check_responses(responses: Responses, limits: Collection[LimitName]) -> None:
    """Check what a source declares for a tag that has these limits.

    Raises:
        InputError: Names the field, what is wrong with it and what is allowed.
    """
    for name in LIMIT_NAMES:
        _check_text(name, responses.to(name).text)
        lesser = SUPERSEDES.get(name)
        if lesser is not None and {name, lesser} <= set(limits):
            _check_order(responses, name, lesser)


def _check_text(name: LimitName, text: str) -> None:
    if len(text) > TEXT_LIMIT:
        raise InputError(f"responses.{name}.text: {len(text)} characters; at most {TEXT_LIMIT}")
    if len(text.splitlines()) > 1:
        raise InputError(f"responses.{name}.text: has a line break; write one line")


def _check_order(responses: Responses, worse: LimitName, lesser: LimitName) -> None:
    hiding, hidden = responses.priority(worse), responses.priority(lesser)
    if hiding > hidden:
        raise InputError(
            f"responses.{worse}.priority: {hiding} is milder than {hidden} of {lesser}, "
            f"which {worse} hides while it is passed; make it {hidden} or worse"
        )
