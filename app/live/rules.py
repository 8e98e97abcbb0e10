"""Which write rules count: what was heard first, what is held, and what people decided."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from app.core.alarm import Finding
from app.core.equipment import Equipment
from app.core.errors import ConflictError
from app.core.rule_hold import (
    HeldRule,
    Judged,
    TagRules,
    UnitRules,
    accepted,
    judge_rules,
    refused,
    terms_of,
    version_of,
)
from app.core.rule_watch import HeldWatch, Note, RuleNotes

NAMED = 8
ROOM = 2
"""Tags that are kept in mind, in multiples of those that are shown: half may be gone ones."""


class HeldRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of a unit that do not count, side by side with those that do.

    Attributes:
        unit: Path of the unit.
        version: Names exactly these; a decision must carry it.
        held: One a tag, by path.
    """

    unit: str
    version: str
    held: tuple[HeldRule, ...] = ()


class RuleBook:
    """Knows the rules of every unit; a person's decision changes them, a declaration does not.

    Until `load` nothing is known of former runs, so first rules are held as well; likewise once
    as many tags are kept in mind as there is room for.
    """

    def __init__(self, max_tags: int) -> None:
        self._max_tags = max_tags
        self._kept: dict[str, UnitRules] = {}
        self._heard: dict[str, Equipment] = {}
        self._held: dict[str, dict[str, HeldRule]] = {}
        self._decided: set[str] = set()
        self._watch, self._notes = HeldWatch(), RuleNotes()
        self._is_loaded = False
        self._count = 0

    def load(
        self, units: Iterable[Equipment], kept: Mapping[str, UnitRules]
    ) -> list[tuple[Equipment, Equipment | None]]:
        """Take over what is stored; return each unit heard before, with how it was stored.

        Rules of stored units that a former version of the app kept no note of count as heard.
        """
        stored = {unit.path: unit for unit in units}
        self._is_loaded = True
        for path, rules in kept.items():
            self._keep(path, dict(rules))
        for unit in stored.values():
            ruled = {tag.path: TagRules(terms_of(tag)) for tag in unit.tags if tag.write}
            self._keep(unit.path, ruled | self._kept.get(unit.path, {}))
        return [(unit, stored.get(path)) for path, unit in self._heard.items()]

    def judge(self, declared: Equipment, known: Equipment | None) -> Judged:
        """Return what becomes of a declaration; nothing changes until `take`."""
        kept = self._kept.get(declared.path, {})
        tags = {tag.path for tag in (*declared.tags, *(known.tags if known else ()))}
        has_room = self._count + len(tags - kept.keys()) <= ROOM * self._max_tags
        takes_first = self._is_loaded and has_room
        judged = judge_rules(declared, known, kept, takes_first=takes_first)
        if has_room:
            return judged
        # what is not kept is no loss: from now on first rules are held
        return judged._replace(rules={path: judged.rules[path] for path in kept})

    def take(self, declared: Equipment, judged: Judged) -> bool:
        """Make a judgement stand, once the unit is known as it says; tell if that is news."""
        unit = declared.path
        before, is_new = self._held.get(unit, {}), self.kept(unit) != judged.rules
        self._keep(unit, judged.rules)
        self._heard[unit] = declared
        if judged.held:
            self._held[unit] = judged.held
        else:
            self._held.pop(unit, None)
        if self._is_loaded:
            self._note_all(judged, before)
        return is_new

    def heard(self, unit: str) -> Equipment | None:
        """Return the last declaration of a unit as it came, None if none did."""
        return self._heard.get(unit)

    def kept(self, unit: str) -> UnitRules:
        """Return what is to be stored of a unit."""
        return self._kept.get(unit, {})

    def held(self, unit: str) -> HeldRules:
        """Return the rules of a unit that do not count, those refused before included."""
        held = self._held.get(unit, {}) if self._is_loaded else {}
        return HeldRules(unit, version_of(held), tuple(held[path] for path in sorted(held)))

    def waiting(self) -> list[HeldRules]:
        """Return the units whose held rules wait for a person, by path."""
        return [self.held(unit) for unit in sorted(self._held) if self._waiting(unit)]

    def accept(self, unit: str, version: str) -> None:
        """Have the held rules of a unit count from its next judgement on.

        Raises:
            ConflictError: There are none, or others than those of `version`.
        """
        self._decide(unit, version)
        self._keep(unit, accepted(self.kept(unit), self._held.pop(unit)))

    def refuse(self, unit: str, version: str) -> None:
        """Note that the held rules of a unit are refused; they are not asked about again.

        Raises:
            ConflictError: There are none, or others than those of `version`.
        """
        self._decide(unit, version)
        self._keep(unit, refused(self.kept(unit), self._held.pop(unit)))

    def forget(self, unit: str) -> None:
        """Forget a unit with its rules: the next one of its path is a first one."""
        self._keep(unit, {})
        self._heard.pop(unit, None)
        self._held.pop(unit, None)

    def changes(self, now: datetime) -> list[Finding]:
        """Return what is to be stated of held rules; call about once a second."""
        if not self._is_loaded:
            return []
        waiting = {unit: self._waiting(unit) for unit in self._heard}
        decided, self._decided = self._decided, set()
        return list(self._watch.changes(waiting, decided, now))

    def notes(self, now: datetime) -> list[Note]:
        """Return what is to be noted in the audit now."""
        return self._notes.due(now)

    def note_again(self, note: Note) -> None:
        """Take back what could not be noted."""
        self._notes.retry(note)

    def _decide(self, unit: str, version: str) -> None:
        held = self.held(unit)
        if not held.held:
            raise ConflictError(f'Unit "{unit[:120]}" declares no other rules than those in force')
        if version != held.version:
            raise ConflictError(
                f'Unit "{unit}" declares other rules by now than those you have seen',
                "Look at them again and decide anew",
            )
        self._decided.add(unit)

    def _waiting(self, unit: str) -> int:
        return sum(not each.is_refused for each in self._held.get(unit, {}).values())

    def _keep(self, unit: str, rules: UnitRules) -> None:
        self._count += len(rules) - len(self._kept.pop(unit, {}))
        if rules:
            self._kept[unit] = rules

    def _note_all(self, judged: Judged, before: Mapping[str, HeldRule]) -> None:
        unit = judged.equipment.path
        changed = [path for path, each in judged.held.items() if before.get(path) != each]
        taken_back = [path for path in before if path not in judged.held]
        self._note("first write rules", unit, judged.first)
        self._note("write rules withdrawn", unit, judged.withdrawn)
        self._note("write rules held", unit, changed)
        self._note("held write rules taken back", unit, taken_back)

    def _note(self, action: str, unit: str, paths: Iterable[str]) -> None:
        names = [path.rpartition("/")[2] for path in paths]
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            self._notes.add(action, unit, f"{', '.join(names[:NAMED])}{more}")
