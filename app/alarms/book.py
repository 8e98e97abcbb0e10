"""The present alarms in memory, and drafts of what is to become of them.

A draft takes findings and operator actions, applies the state machine and collects journal
lines; nothing is visible to anyone until the journal has them and the book takes the draft.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec.structs import replace

from app.alarms.room import room_for
from app.alarms.summary import Tally
from app.core.actor import SYSTEM, Actor
from app.core.alarm import Alarm, AlarmState, AlarmSummary, Finding, JournalEntry
from app.core.alarm_machine import HIDDEN_STATES, AlarmEvent, transition
from app.core.alarm_rates import Chatter, FloodMeter
from app.core.alarm_record import AlarmRecord, Change, alarm_id, first_record
from app.core.errors import NotFoundError
from app.core.limit_watch import AGENT as LIMITS
from app.core.response import SUPERSEDES
from app.settings import AlarmSettings

REFRESH = timedelta(seconds=5)
"""How often the value and text of a standing alarm follow its finding; never journalled."""

_TRANSITIONS = frozenset({AlarmEvent.RAISE, AlarmEvent.ESCALATE, AlarmEvent.RETURN})


class AlarmBook:
    """Every alarm that is not normal, and the normal ones last seen, by id."""

    def __init__(self, settings: AlarmSettings) -> None:
        self.settings = settings
        self.records: dict[str, AlarmRecord] = {}
        self.flood = FloodMeter(
            settings.flood_count, settings.flood_end_count, settings.flood_window_s
        )
        self.standing: set[str] = set()
        self.shelved: dict[str, datetime] = {}
        self.chattering: set[str] = set()
        self.chatters: dict[str, Chatter] = {}
        self._tally = Tally()

    def put(self, record: AlarmRecord) -> None:
        """Take one record as it now is."""
        alarm = record.alarm
        self._tally.change(self.records.get(alarm.id), record)
        self.records[alarm.id] = record
        _mark(self.standing, alarm.id, wanted=is_standing(alarm))
        _mark(self.chattering, alarm.id, wanted=alarm.chattering)
        if alarm.state is AlarmState.SHELVED and alarm.shelved_until is not None:
            self.shelved[alarm.id] = alarm.shelved_until
        else:
            self.shelved.pop(alarm.id, None)

    def summary(self, *, flood: bool, refused: int) -> AlarmSummary:
        """Return the counts and the worst unacknowledged alarm."""
        worst = self._tally.worst()
        record = self.records[worst] if worst is not None else None
        return self._tally.summary(record, flood=flood, refused=refused)

    def prune(self) -> None:
        """Forget normal alarms when there are as many again as may stand; the journal has them."""
        surplus = len(self.records) - 2 * self.settings.max_alarms
        if surplus <= 0:
            return
        normal = [key for key in self.records if key not in self.standing]
        for key in normal[: surplus + self.settings.max_alarms // 2]:
            del self.records[key]
            self.chatters.pop(key, None)

    def chatter(self, key: str) -> Chatter:
        """Return the transition counter of an alarm."""
        if key not in self.chatters:
            self.chatters[key] = Chatter(
                self.settings.chattering_count, self.settings.chattering_window_s
            )
        return self.chatters[key]

    def due(self, now: datetime) -> list[str]:
        """Return the shelved alarms whose time is over."""
        return [key for key, until in self.shelved.items() if until <= now]

    def settled(self, now: datetime) -> list[str]:
        """Return the alarms that chatter no more."""
        return [key for key in self.chattering if not self.chatter(key).is_chattering(now)]


@dataclass(slots=True)
class Draft:
    """Changes on their way into the journal.

    Attributes:
        book: What they start from; read, not written.
        now: The moment all of them happen at.
        found: Alarms the book has forgotten and the journal remembers.
        changes: Journal lines with the alarms after them, in order.
        announced: Number of new announcements that count for a flood.
        refused: Number of findings without room.
    """

    book: AlarmBook
    now: datetime
    found: dict[str, AlarmRecord] = field(default_factory=dict[str, AlarmRecord])
    changes: list[Change] = field(default_factory=list[Change])
    announced: int = 0
    refused: int = 0
    _records: dict[str, AlarmRecord] = field(default_factory=dict[str, AlarmRecord])
    _grown: int = 0

    def records(self) -> Iterable[AlarmRecord]:
        """Return every changed alarm as it is after all changes."""
        return self._records.values()

    def state(self, finding: Finding) -> None:
        """Take a finding: raise, escalate, ease, return, or nothing new."""
        key = alarm_id(finding)
        record = self._find(key)
        if finding.priority is None:
            if (
                record is not None
                and record.alarm.active
                and not _is_old(finding, record, self.now)
            ):
                why = finding.message or "condition is absent"
                stated = replace(record, stated_at=min(finding.found_at, self.now))
                self._happen(stated, AlarmEvent.RETURN, SYSTEM, why)
            return
        if record is None:
            record = first_record(finding, self.now)
        if _is_old(finding, record, self.now):
            return
        if not is_standing(record.alarm) and not self._has_room(finding):
            self.refused += 1
            return
        self._state_present(record, finding)

    def act(
        self,
        key: str,
        event: AlarmEvent,
        actor: Actor,
        note: str = "",
        shelve_for: timedelta | None = None,
    ) -> Alarm:
        """Let a person (or a timer) do something with an alarm; return it after that.

        Raises:
            NotFoundError: There is no such alarm.
            ConflictError: Not in this state.
        """
        record = self._find(key)
        if record is None:
            raise NotFoundError(f'No alarm "{key[:60]}"', hint="GET /api/alarms lists them")
        until = None if shelve_for is None else self.now + shelve_for
        return self._happen(record, event, actor, note, until).alarm

    def expire(self, key: str) -> None:
        """End shelving whose time is over, if it still goes on."""
        record = self._find(key)
        until = record.alarm.shelved_until if record is not None else None
        if record is not None and until is not None and until <= self.now:
            self._happen(record, AlarmEvent.EXPIRE, SYSTEM, "shelving time is over")

    def settle(self, key: str) -> None:
        """Note that an alarm chatters no more."""
        record = self._find(key)
        if record is not None and record.alarm.chattering:
            calm = replace(record, alarm=replace(record.alarm, chattering=False))
            state = calm.alarm.state
            self._write(calm, "settle", (state, state), SYSTEM, "chatters no more")

    def _state_present(self, record: AlarmRecord, finding: Finding) -> None:
        alarm, worse = record.alarm, _rank(finding) - _rank(record.alarm.finding)
        if alarm.active and finding.latching != alarm.finding.latching:
            finding = replace(finding, latching=alarm.finding.latching or finding.latching)
        stated = replace(
            record,
            alarm=replace(alarm, finding=finding),
            latched=record.latched or (alarm.active and finding.latching),
            stated_at=min(finding.found_at, self.now),
        )
        if not alarm.active:
            self._happen(stated, AlarmEvent.RAISE, SYSTEM, "")
        elif worse < 0:
            self._happen(stated, AlarmEvent.ESCALATE, SYSTEM, "priority rose")
        elif worse > 0:
            self._write(stated, "ease", (alarm.state, alarm.state), SYSTEM, "priority fell")
        elif finding.found_at - alarm.finding.found_at >= REFRESH:
            self._keep(replace(stated, stated_at=record.stated_at))

    def _happen(
        self,
        record: AlarmRecord,
        event: AlarmEvent,
        actor: Actor,
        why: str,
        until: datetime | None = None,
    ) -> AlarmRecord:
        snapshot, effects = transition(record.snapshot, event)
        alarm = record.alarm
        after = record
        for effect in effects:
            chattering = alarm.chattering or self._chatters(alarm.id, event)
            changed = replace(
                _dated(alarm, event, actor, self.now),
                state=effect.new,
                active=snapshot.active,
                changed_at=self.now,
                shelved_until=until if effect.new is AlarmState.SHELVED else None,
                note=why if actor is not SYSTEM and why else alarm.note,
                chattering=chattering,
            )
            if effect.old is AlarmState.SHELVED and effect.new is AlarmState.SHELVED:
                changed = replace(changed, shelved_until=alarm.shelved_until)
            after = replace(
                record,
                alarm=changed,
                owes=snapshot.owes,
                latched=snapshot.latched,
                raised_hidden=snapshot.raised_hidden,
                superseded=record.superseded and effect.new is AlarmState.SUPPRESSED_BY_DESIGN,
            )
            self.announced += effect.announces and not chattering
            if chattering and not alarm.chattering:
                why = f"{why}; chattering begins".removeprefix("; ")
            self._write(after, event.value, (effect.old, effect.new), actor, why)
            self._supersede(after)
        return after

    def _chatters(self, key: str, event: AlarmEvent) -> bool:
        if event not in _TRANSITIONS:
            return False
        chatter = self.book.chatter(key)
        chatter.add(self.now)
        return chatter.is_chattering(self.now)

    def _supersede(self, worse: AlarmRecord) -> None:
        """Suppress the lesser limit's alarm while the worse one shows; bring it back after."""
        finding = worse.alarm.finding
        lesser = SUPERSEDES.get(finding.condition) if finding.agent == LIMITS else None
        if lesser is None:
            return
        record = self._find(alarm_id(replace(finding, condition=lesser)))
        if record is None:
            return
        covers = worse.alarm.active and worse.alarm.state not in HIDDEN_STATES
        state = record.alarm.state
        if covers and state not in HIDDEN_STATES and is_standing(record.alarm):
            why = f"{finding.condition.replace('_', ' ')} limit is passed"
            marked = replace(record, superseded=True)
            self._happen(marked, AlarmEvent.SUPPRESS, SYSTEM, why)
        elif record.superseded and not covers:
            why = f"{finding.condition.replace('_', ' ')} alarm no longer covers it"
            self._happen(record, AlarmEvent.UNSUPPRESS, SYSTEM, why)

    def _write(
        self,
        record: AlarmRecord,
        event: str,
        move: tuple[AlarmState, AlarmState],
        actor: Actor,
        why: str,
    ) -> None:
        alarm = record.alarm
        entry = JournalEntry(
            number=0,
            at=self.now,
            alarm_id=alarm.id,
            actor=actor.name,
            source=actor.source,
            event=event,
            old=move[0],
            new=move[1],
            why=why,
            priority=_rank(alarm.finding),
            equipment=alarm.finding.equipment,
            message=alarm.finding.message,
            value=alarm.finding.value,
        )
        self.changes.append(Change(entry, record))
        self._keep(record)

    def _keep(self, record: AlarmRecord) -> None:
        before = self._find(record.alarm.id)
        was = before is not None and is_standing(before.alarm)
        self._grown += is_standing(record.alarm) - was
        self._records[record.alarm.id] = record

    def _find(self, key: str) -> AlarmRecord | None:
        return self._records.get(key) or self.book.records.get(key) or self.found.get(key)

    def _has_room(self, finding: Finding) -> bool:
        standing = len(self.book.standing) + self._grown
        return standing < room_for(finding, self.book.settings.max_alarms)


def is_standing(alarm: Alarm) -> bool:
    """Tell whether an alarm stands in the list: not normal, or still chattering."""
    return alarm.state is not AlarmState.NORMAL or alarm.chattering


def _dated(alarm: Alarm, event: AlarmEvent, actor: Actor, now: datetime) -> Alarm:
    match event:
        case AlarmEvent.RAISE:
            return replace(
                alarm,
                raised_at=now,
                returned_at=None,
                acknowledged_by="",
                acknowledged_at=None,
                count=alarm.count + 1,
            )
        case AlarmEvent.ESCALATE:
            return replace(alarm, acknowledged_by="", acknowledged_at=None)
        case AlarmEvent.RETURN:
            return replace(alarm, returned_at=now)
        case AlarmEvent.ACKNOWLEDGE:
            return replace(alarm, acknowledged_by=actor.name, acknowledged_at=now)
        case _:
            return alarm


def _is_old(finding: Finding, record: AlarmRecord, now: datetime) -> bool:
    """Tell a late or repeated delivery: it was found before what was last taken.

    What was taken in the future tells nothing: this computer's clock was set back since.
    """
    return record.stated_at is not None and finding.found_at < record.stated_at <= now


def _rank(finding: Finding) -> int:
    return int(finding.priority) if finding.priority is not None else 4


def _mark(marked: set[str], key: str, *, wanted: bool) -> None:
    if wanted:
        marked.add(key)
    else:
        marked.discard(key)
