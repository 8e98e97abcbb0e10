"""Write rules in words: what differs between the one that counts and the one that is declared."""

from typing import NamedTuple

from app.core.command_check import bounds
from app.core.equipment import Tag
from app.core.rule_hold import Terms
from app.core.units import unit_words
from app.core.write_rule import Confirm

_AGREES = {
    Confirm.NONE: "nobody",
    Confirm.SELF: "one person",
    Confirm.TWO_PERSONS: "two persons",
}


class Difference(NamedTuple):
    """One thing that would change: what, as it counts, as it is declared."""

    what: str
    counts: str
    declared: str


def differences(counts: Terms, declared: Terms) -> list[Difference]:
    """Return what would change if the declared terms counted."""
    former, wanted = _words(counts), _words(declared)
    names = dict.fromkeys([*wanted, *former])
    return [
        Difference(name, former.get(name, "-"), wanted.get(name, "-"))
        for name in names
        if former.get(name) != wanted.get(name)
    ]


def _words(terms: Terms) -> dict[str, str]:
    rule, unit = terms.write, unit_words(terms.unit)
    if rule is None:
        return {"May be changed": "no"}
    allowed = bounds(Tag("", low=terms.low, high=terms.high), rule)
    interlocks = [f"{each.tag} {each.op} {each.value:g}" for each in rule.interlocks]
    states = [f"{number} {word}" for number, word in sorted(terms.states.items())]
    return {
        "May be changed": "yes",
        "Least role": rule.role.value,
        "May come from": ", ".join(rule.sources),
        "Must agree": _AGREES[rule.confirm],
        "Range": _figure(*allowed, unit) if allowed else "not known",
        "Greatest step": "any" if rule.max_step is None else f"{rule.max_step:g} {unit}".rstrip(),
        "Least time between": f"{rule.min_interval_s:g} s",
        "Only while": " and ".join(interlocks) or "always",
        "Shown by": f"{rule.verify_tag or 'the tag itself'} within {rule.verify_s:g} s, "
        f"to {rule.tolerance:g} {unit}".rstrip(),
        "Measured in": f"{unit or 'a pure number'}, {terms.kind.value}",
        "Words": ", ".join(states) or "none",
    }


def _figure(low: float, high: float, unit: str) -> str:
    return f"{low:g} to {high:g} {unit}".rstrip()
