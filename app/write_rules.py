"""Write rules that units declare and that wait for an engineer: shown, accepted, refused, noted."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime

import msgspec

from app.core.actor import SYSTEM, Actor, Role
from app.core.clock import Clock
from app.core.equipment import Equipment
from app.core.errors import InputError, NotFoundError, RoleError, StoreError
from app.core.health import ComponentStatus, Health
from app.core.rule_hold import HeldRule, Terms, terms_of
from app.core.write_rule import CommandSource
from app.intake import Intake
from app.live.rules import HeldRules, RuleBook
from app.live.tags import TagTable
from app.settings_people import PeopleSettings, how_to_name
from app.store.audit import AuditLog, Outcome
from app.store.audited import audited

logger = logging.getLogger(__name__)

HEARD = Actor(SYSTEM.name, CommandSource.MQTT)
"""Who has a rule noted that came over the bus; nobody knows who sent it."""
NOBODY = "nobody is named engineer"


class RulesView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The write rules of a unit.

    Attributes:
        unit: Path of the unit.
        version: Names the held rules; a decision on them must carry it.
        in_force: What commands are judged by, by the path of the tag; a tag without is read only.
        held: What the unit declares and does not count, beside what counts.
    """

    unit: str
    version: str
    in_force: dict[str, Terms]
    held: tuple[HeldRule, ...]


class WriteRules:
    """What people may ask of and do with declared write rules."""

    def __init__(
        self,
        book: RuleBook,
        intake: Intake,
        *,
        tags: TagTable,
        audit: AuditLog,
        clock: Clock,
        people: PeopleSettings,
    ) -> None:
        self._book = book
        self._intake = intake
        self._tags = tags
        self._audit = audit
        self._clock = clock
        self._people = people
        self._stuck_since: datetime | None = None
        self._is_note_failing = False

    @property
    def engineers(self) -> list[str]:
        """Who may accept held rules, by name."""
        return self._people.named(Role.ENGINEER)

    @property
    def status(self) -> ComponentStatus | None:
        """State for Health while rules wait that nobody may accept; else None."""
        waiting = self.waiting()
        if self.engineers or not waiting:
            self._stuck_since = None
            return None
        self._stuck_since = self._stuck_since or self._clock.now()
        units = "1 unit waits" if len(waiting) == 1 else f"{len(waiting)} units wait"
        reason = f"{units} for an engineer to accept write rules, and {NOBODY}"
        remedy = how_to_name(Role.ENGINEER)
        return ComponentStatus("Write rules", Health.DEGRADED, self._stuck_since, reason, remedy)

    def view(self, unit: str) -> RulesView:
        """Return the rules of a unit, in force and held.

        Raises:
            NotFoundError: There is no such unit.
        """
        held = self._book.held(unit)
        tags = self._known(unit).tags
        in_force = {tag.path: terms_of(tag) for tag in tags if tag.write}
        return RulesView(unit, held.version, in_force, held.held)

    def held(self, unit: str) -> HeldRules:
        """Return the held rules of a unit."""
        return self._book.held(unit)

    def waiting(self) -> list[HeldRules]:
        """Return the units whose held rules wait for a person, by path."""
        return self._book.waiting()

    async def accept(self, unit: str, version: str, actor: Actor, why: str) -> RulesView:
        """Have the rules that a unit declares count from now on.

        Args:
            unit: Path of the unit.
            version: Of the held rules that the person has seen.
            actor: An engineer.
            why: Reason, for the audit.

        Raises:
            NotFoundError: There is no such unit.
            InputError: `why` is empty.
            RoleError: The actor is no engineer.
            ConflictError: Nothing is held, or others than those seen are.
            StoreError: It cannot be noted; nothing was changed.
        """
        self._known(unit)
        said = _reason(why)
        async with audited(self._audit, self._clock, actor, "accept write rules", unit, why=said):
            self._need(actor)
            self._book.accept(unit, version)
            self._intake.judge_again(unit)
            await self._intake.save_declared()
        return self.view(unit)

    async def refuse(self, unit: str, version: str, actor: Actor, why: str) -> RulesView:
        """Keep the former rules of a unit and ask no more about those it declares.

        Args and errors are those of `accept`.
        """
        self._known(unit)
        said = _reason(why)
        async with audited(self._audit, self._clock, actor, "refuse write rules", unit, why=said):
            self._need(actor)
            self._book.refuse(unit, version)
            self._intake.judge_again(unit)
            await self._intake.save_declared()
        return self.view(unit)

    async def accept_all(
        self, versions: Mapping[str, str], actor: Actor, why: str
    ) -> list[RulesView]:
        """Accept the rules of several units at once, as after an update of what declares them.

        Args:
            versions: What the person has seen, by the path of the unit.
            actor: An engineer.
            why: Reason, for the audit.

        Raises:
            InputError: No unit is named, or `why` is empty.
            NotFoundError: There is no such unit.
            RoleError: The actor is no engineer.
            ConflictError: As of `accept`, of one unit; those before it are accepted.
            StoreError: It cannot be noted.
        """
        if not versions:
            raise InputError("versions: names no unit; GET /api/equipment/write-rules lists them")
        return [await self.accept(unit, versions[unit], actor, why) for unit in sorted(versions)]

    async def note(self) -> None:
        """Note in the audit what was heard of rules; what fails is tried again by the next call."""
        now = self._clock.now()
        for note in self._book.notes(now):
            given = (now, HEARD, note.action, note.unit, note.why)
            try:
                number = await asyncio.to_thread(self._audit.append, *given)
                await asyncio.to_thread(self._audit.conclude, number, now, Outcome.DONE)
            except StoreError as error:
                self._book.note_again(note)
                if not self._is_note_failing:
                    logger.warning("what was heard of write rules is not noted: %s", error)
                self._is_note_failing = True
            else:
                self._is_note_failing = False

    def _need(self, actor: Actor) -> None:
        if actor.role.covers(Role.ENGINEER):
            return
        names = ", ".join(self.engineers)
        known = f"[people] in settings.toml names as engineer: {names}"
        raise RoleError(
            f"{actor.name} is {actor.role.value} and may not decide on write rules; engineer may"
            + ("" if names else f", but {NOBODY}"),
            known if names else how_to_name(Role.ENGINEER),
        )

    def _known(self, unit: str) -> Equipment:
        known = self._tags.unit(unit)
        if known is None:
            raise NotFoundError(f'There is no unit "{unit[:120]}"', "GET /api/equipment lists all")
        return known


def _reason(why: str) -> str:
    said = why.strip()
    if not said:
        raise InputError("why: is empty; say why, it stands in the audit")
    return said
