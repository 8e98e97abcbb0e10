"""Which declared write rules count and which wait for a person; pure.

Units declare themselves on the bus, and so can any client of the broker. So the first rule that
is heard of a tag counts, and another one is held until an engineer accepts it. A rule that goes
counts at once, because it forbids; one that comes back is another rule.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

import msgspec

from app.core.command_check import bounds
from app.core.equipment import Equipment, Tag, TagKind
from app.core.errors import InputError
from app.core.write_rule import WriteRule, check_write_rule


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a command to a tag is judged by: its write rule and what the rule takes from the tag.

    Attributes:
        write: The rule; None for a tag that nobody may change.
        low: Lower end of the tag's range, which bounds a value where the rule does not.
        high: Upper end of it.
        unit: What a value is measured in, UCUM.
        kind: What the number means.
        states: Words for numbers.
    """

    write: WriteRule | None = None
    low: float = 0.0
    high: float = 0.0
    unit: str = "1"
    kind: TagKind = TagKind.ANALOG
    states: dict[int, str] = {}


NOBODY = Terms()
"""Of a tag that nobody may change."""


class TagRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is kept of one tag.

    Attributes:
        counts: The terms in force, also while the unit declares others.
        refused: Other terms that a person refused; they are held without asking again.
    """

    counts: Terms
    refused: Terms | None = None


UnitRules = dict[str, TagRules]
"""What is kept of a unit, by the path of the tag."""


class HeldRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A declared rule that does not count.

    Attributes:
        tag: Path of the tag.
        counts: The terms in force.
        declared: The terms that the unit declares.
        is_refused: A person has refused them.
    """

    tag: str
    counts: Terms
    declared: Terms
    is_refused: bool = False


class Judged(NamedTuple):
    """What becomes of a declaration.

    Attributes:
        equipment: The unit with the rules that count.
        rules: What is to be kept of it from now on.
        held: Rules that do not count, by the path of the tag.
        first: Tags whose first rule counts from now on.
        withdrawn: Tags whose rule is gone.
    """

    equipment: Equipment
    rules: UnitRules
    held: dict[str, HeldRule]
    first: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


def terms_of(tag: Tag) -> Terms:
    """Return what a command to a tag is judged by."""
    if tag.write is None:
        return NOBODY
    return Terms(tag.write, tag.low, tag.high, tag.unit, tag.kind, tag.states)


def judge_rules(
    declared: Equipment,
    known: Equipment | None,
    kept: Mapping[str, TagRules],
    *,
    takes_first: bool = True,
) -> Judged:
    """Return what becomes of a declaration.

    Args:
        declared: As heard; checked by `check_equipment`.
        known: The unit as it was declared before, None for a new one.
        kept: What is kept of its tags.
        takes_first: False holds first rules too: what was known before is not known.
    """
    former = _former(known, kept)
    wanted = {tag.path: terms_of(tag) for tag in declared.tags}
    first = tuple(path for path in wanted if wanted[path].write and path not in former)
    trusted = set(first) if takes_first else set[str]()
    held = _held(former, {path: wanted[path] for path in wanted.keys() - trusted}, kept)
    rules = dict(kept)
    for path in (former.keys() | wanted.keys()) - held.keys():
        _keep(rules, path, wanted.get(path))
    names = {tag.name for tag in declared.tags}
    tags = tuple(
        _with_terms(tag, held[tag.path].counts, names) if tag.path in held else tag
        for tag in declared.tags
    )
    withdrawn = (path for path in sorted(former) if former[path].write and not _wants(wanted, path))
    return Judged(
        msgspec.structs.replace(declared, tags=tags) if held else declared,
        rules,
        held,
        first if takes_first else (),
        tuple(withdrawn),
    )


def accepted(kept: Mapping[str, TagRules], held: Mapping[str, HeldRule]) -> UnitRules:
    """Return what is to be kept when held rules are accepted."""
    return {**kept, **{path: TagRules(each.declared) for path, each in held.items()}}


def refused(kept: Mapping[str, TagRules], held: Mapping[str, HeldRule]) -> UnitRules:
    """Return what is to be kept when held rules are refused."""
    said = {path: TagRules(each.counts, each.declared) for path, each in held.items()}
    return {**kept, **said}


def version_of(held: Mapping[str, HeldRule]) -> str:
    """Return what names these held rules: a decision counts for what the person has seen."""
    shown = [(path, held[path].counts, held[path].declared) for path in sorted(held)]
    return sha256(msgspec.json.encode(shown)).hexdigest()[:16]


def is_same(one: Terms, other: Terms) -> bool:
    """Tell whether two terms allow the same; a range counts only where the rule has no bounds."""
    return _effect(one) == _effect(other)


def _effect(terms: Terms) -> object:
    if terms.write is None:
        return None
    tag = Tag("", low=terms.low, high=terms.high)
    return terms.write, bounds(tag, terms.write), terms.unit, terms.kind, terms.states


def _wants(wanted: Mapping[str, Terms], path: str) -> bool:
    return path in wanted and wanted[path].write is not None


def _held(
    former: Mapping[str, Terms], wanted: Mapping[str, Terms], kept: Mapping[str, TagRules]
) -> dict[str, HeldRule]:
    """Return the rules that are wanted and are not those that counted."""
    held: dict[str, HeldRule] = {}
    for path, terms in wanted.items():
        counts = former.get(path, NOBODY)
        if terms.write and not is_same(counts, terms):
            is_refused = path in kept and kept[path].refused == terms
            held[path] = HeldRule(path, counts, terms, is_refused)
    return held


def _former(known: Equipment | None, kept: Mapping[str, TagRules]) -> dict[str, Terms]:
    declared = {tag.path: terms_of(tag) for tag in known.tags} if known else {}
    return declared | {path: each.counts for path, each in kept.items()}


def _keep(rules: UnitRules, path: str, wanted: Terms | None) -> None:
    """Keep the terms of a tag that has or had a rule, or that its unit has left out."""
    if wanted is None or wanted.write or path in rules:
        before = rules.get(path)
        rules[path] = TagRules(wanted or NOBODY, before.refused if before else None)


def _with_terms(tag: Tag, counts: Terms, names: set[str]) -> Tag:
    """Return a tag under other terms than it declares; under none if they do not fit its unit."""
    if counts.write is None:
        return msgspec.structs.replace(tag, write=None)
    try:
        check_write_rule(counts.write, names)
    except InputError:  # it names a tag that the unit no longer has
        return msgspec.structs.replace(tag, write=None)
    return msgspec.structs.replace(
        tag,
        write=counts.write,
        low=counts.low,
        high=counts.high,
        unit=counts.unit,
        kind=counts.kind,
        states=counts.states,
    )
