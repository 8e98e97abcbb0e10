"""When a trigger starts a run: matching events, waiting for quiet, and times of schedules."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec
from croniter import croniter

from app.core.alarm import Alarm, AlarmState
from app.core.expression import PLANT_FUNCTIONS, bare, called, fill, is_true
from app.core.run import WorkflowRun
from app.core.topic_filter import overlap
from app.core.workflow import Trigger, TriggerKind

SHIFT_CRON = "0 6,14,22 * * *"
"""Shifts change at these hours of the plant's zone."""

RUNS_A_MINUTE = 60
"""Runs of one workflow that events may begin in a minute; a person reads no more than a few."""
MINUTE_S = 60.0

MISSED = timedelta(minutes=10)
"""A time that passed while the app was down is made up for within this."""

HELD = 10_000
"""Events of one trigger that wait at most."""

HELD_BYTES = 33_554_432
"""Bytes that they have together as JSON; in memory it is up to four times as much."""

_HIDDEN = frozenset(
    {AlarmState.SHELVED, AlarmState.SUPPRESSED_BY_DESIGN, AlarmState.OUT_OF_SERVICE}
)
Event = dict[str, Any]


def alarm_event(alarm: Alarm) -> Event:
    """Return what expressions see of an alarm or of the finding behind it."""
    finding = alarm.finding
    return {
        "alarm": alarm.id,
        "state": alarm.state.value,
        "agent": finding.agent,
        "condition": finding.condition,
        "equipment": finding.equipment,
        "priority": int(finding.priority) if finding.priority else None,
        "probability": finding.probability,
        "message": finding.message,
        "response": finding.response,
        "evidence": dict(finding.evidence),
        "value": finding.value,
        "limit": finding.limit,
        "unit": finding.unit,
        "raised_at": alarm.raised_at.isoformat(),
    }


def run_event(run: WorkflowRun) -> Event:
    """Return what expressions see of a run that ended."""
    return {
        "run": run.id,
        "workflow": run.workflow,
        "state": run.state.value,
        "reason": run.reason,
        "input": run.input,
        "output": run.output,
        "at": run.ended_at.isoformat() if run.ended_at else None,
    }


def fits_alarm(trigger: Trigger, alarm: Alarm) -> bool:
    """Tell whether an alarm, or the finding behind it, is one the trigger waits for.

    A finding counts while its condition is present; an alarm only while operators see it.
    """
    finding = alarm.finding
    if trigger.on is TriggerKind.ALARM and alarm.state in _HIDDEN:
        return False
    return (
        alarm.active
        and finding.priority is not None
        and finding.priority <= trigger.priority
        and _fits(trigger.agent, finding.agent)
        and _fits(trigger.condition, finding.condition)
        and (
            _fits(trigger.equipment, finding.equipment)
            or _fits(trigger.equipment, "/".join(finding.equipment.split("/")[:4]))
        )
    )


def fits_run(trigger: Trigger, run: WorkflowRun) -> bool:
    """Tell whether the end of a run is one the trigger waits for."""
    return (
        trigger.on is TriggerKind.WORKFLOW
        and trigger.workflow == run.workflow
        and run.state.value in trigger.states
    )


def holds(trigger: Trigger, event: Event, functions: Mapping[str, Callable[..., object]]) -> bool:
    """Tell whether the trigger's own condition holds.

    Raises:
        InputError: It cannot be computed.
    """
    return is_true(trigger.when, {"event": event}, functions)


def inputs(
    trigger: Trigger, event: Event, functions: Mapping[str, Callable[..., object]]
) -> dict[str, Any]:
    """Return the inputs of the run that an event starts.

    Raises:
        InputError: An expression cannot be computed.
    """
    filled: dict[str, Any] = fill(trigger.input, {"event": event}, functions)
    return filled


def key_of(trigger: Trigger, event: Event, functions: Mapping[str, Callable[..., object]]) -> str:
    """Return what debounce and cooldown count by.

    Raises:
        InputError: The expression cannot be computed.
    """
    if trigger.key:
        return str(fill(trigger.key, {"event": event}, functions))
    return str(event.get("equipment") or event.get("topic") or "")


def event_run_id(workflow: str, number: int, mark: str, at: datetime) -> str:
    """Return the id of the run that one event starts, always the same for the same event.

    It sorts by the event's time like every other id; an event that is heard again after a restart
    starts nothing new.

    Args:
        workflow: Name of the workflow.
        number: Place of the trigger in it.
        mark: What tells events of one moment apart.
        at: When it happened.
    """
    digest = hashlib.sha256(f"{workflow}\n{number}\n{mark}".encode()).hexdigest()
    return f"{int(at.timestamp() * 1000):011x}{digest[:9]}"


def mark_of(kind: TriggerKind, event: Event) -> str:
    """Return what tells events of one moment apart."""
    match kind:
        case TriggerKind.ALARM | TriggerKind.FINDING:
            return f"{event['alarm']} {event['raised_at']}"
        case TriggerKind.SCHEDULE:
            return str(event["at"])
        case TriggerKind.WORKFLOW:
            return str(event["run"])
        case TriggerKind.MQTT:
            return f"{event['topic']} {event['at']}"


def event_time(event: Event) -> datetime | None:
    """Return when an event happened; None if it does not say so."""
    at = event.get("raised_at") or event.get("at")
    return datetime.fromisoformat(at) if isinstance(at, str) else None


def was_begun_by(trigger: Trigger, number: int, run: WorkflowRun) -> bool:
    """Tell whether a run of the workflow was begun by its trigger at place `number`.

    Of triggers on messages, each whose filter fits the topic counts as the one.
    """
    by = run.started_by
    if by.kind != trigger.on.value or not isinstance(by.event, dict):
        return False
    event = cast("Event", by.event)  # a JSON object
    if trigger.on is TriggerKind.MQTT:
        return overlap(trigger.topic, str(event.get("topic", "")))
    at = event_time(event)
    mark = mark_of(trigger.on, event)
    return at is not None and run.id == event_run_id(run.workflow, number, mark, at)


def last_time(trigger: Trigger, now: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the latest time of a schedule that is past and not too long ago, in UTC.

    A time of day that comes twice, when summer time ends, counts the first time.
    """
    line = trigger.cron or SHIFT_CRON
    last: datetime = croniter(line, now.astimezone(zone)).get_prev(datetime)
    at = last.astimezone(now.tzinfo)
    return at if now - at <= MISSED and not _is_again(line, at, zone) else None


def missed_time(
    trigger: Trigger, since: datetime, now: datetime, zone: ZoneInfo
) -> datetime | None:
    """Return the latest time of a schedule after `since` that is past for too long, in UTC."""
    line = trigger.cron or SHIFT_CRON
    last: datetime = croniter(line, (now - MISSED).astimezone(zone)).get_prev(datetime)
    at = last.astimezone(now.tzinfo)
    return at if at > since and not _is_again(line, at, zone) else None


def schedule_event(trigger: Trigger, at: datetime, zone: ZoneInfo) -> Event:
    """Return what expressions see of a time: `at`, and `start` and `end` of the shift, in UTC.

    At the end of a shift that is the one that ends, at the start the one that begins.
    """
    event: Event = {"at": at.isoformat()}
    if trigger.shift:
        changes = croniter(SHIFT_CRON, at.astimezone(zone))
        other: datetime = (
            changes.get_prev(datetime) if trigger.shift == "end" else changes.get_next(datetime)
        )
        start, end = sorted((at, other.astimezone(at.tzinfo)))
        event |= {"start": start.isoformat(), "end": end.isoformat()}
    return event


def _is_again(line: str, at: datetime, zone: ZoneInfo) -> bool:
    """Tell whether a schedule of named hours had this time of day an hour before already."""
    return not line.split()[1].startswith("*") and at.astimezone(zone).fold == 1


@dataclass(slots=True)
class Quiet:
    """Events that wait for quiet, and when each key may start a run again.

    Attributes:
        waiting: Events with their key and the moment they count from, s of the clock.
        started: When each key started its last run, s of the clock.
    """

    waiting: dict[tuple[str, int], tuple[float, Event]] = field(
        default_factory=dict[tuple[str, int], tuple[float, Event]]
    )
    started: dict[str, float] = field(default_factory=dict[str, float])
    _count: int = 0
    _bytes: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    _total: int = 0

    def offer(self, trigger: Trigger, key: str, event: Event, now_s: float) -> list[str]:
        """Take an event; return the keys of those that are forgotten for it.

        Where the trigger waits for quiet, a later event of the same key takes its place. Of more
        than HELD, or HELD_BYTES, the oldest are forgotten.
        """
        self._count += 1
        place = (key, 0 if trigger.debounce_s else self._count)
        self._put(place, now_s + trigger.debounce_s, event)
        forgotten: list[str] = []
        while len(self.waiting) > HELD or (self._total > HELD_BYTES and len(self.waiting) > 1):
            oldest = next(each for each in self.waiting if each != place)
            self._take(oldest)
            forgotten.append(oldest[0])
        return forgotten

    def restore(self, key: str, event: Event, due_s: float) -> None:
        """Have an event of an earlier life wait, unless a later one of its key does."""
        if (key, 0) not in self.waiting:
            self._put((key, 0), due_s, event)

    @property
    def keys(self) -> set[str]:
        """Keys of what waits for quiet."""
        return {key for key, number in self.waiting if not number}

    def give_up(self) -> bool:
        """Forget what waits for no quiet, and tell whether there was any."""
        return self._forget_all(place for place in self.waiting if place[1])

    def withdraw(self, alarm_id: str) -> None:
        """Forget the events of an alarm that is gone before they counted."""
        self._forget_all(
            place for place, (_, event) in self.waiting.items() if event.get("alarm") == alarm_id
        )

    def drop(self, before_s: float) -> None:
        """Forget what counted before a moment: another orchestrator has heeded it."""
        self._forget_all(place for place, (at_s, _) in self.waiting.items() if at_s < before_s)

    def due(self, trigger: Trigger, now_s: float) -> list[tuple[str, Event]]:
        """Return the events that count now, those within a cooldown left out."""
        ripe = [place for place, (at_s, _) in self.waiting.items() if at_s <= now_s]
        found: list[tuple[str, Event]] = []
        keys: set[str] = set()
        for place in ripe:
            key = place[0]
            if trigger.cooldown_s and key in keys:
                continue  # it counts only if the one before it starts no run
            event = self._take(place)
            last_s = self.started.get(key)
            if last_s is None or now_s - last_s >= trigger.cooldown_s:
                keys.add(key)
                found.append((key, event))
        self._forget(trigger, now_s)
        return found

    def begun(self, key: str, now_s: float) -> None:
        """Note that a key has started a run: its cooldown begins, unless a later one has begun."""
        self.started[key] = max(now_s, self.started.get(key, now_s))

    def _put(self, place: tuple[str, int], at_s: float, event: Event) -> None:
        self.waiting[place] = (at_s, event)
        self._total -= self._bytes.get(place, 0)
        self._bytes[place] = _size(event)
        self._total += self._bytes[place]

    def _take(self, place: tuple[str, int]) -> Event:
        _, event = self.waiting.pop(place)
        self._total -= self._bytes.pop(place)
        return event

    def _forget_all(self, places: Iterable[tuple[str, int]]) -> bool:
        found = list(places)
        for place in found:
            self._take(place)
        return bool(found)

    def _forget(self, trigger: Trigger, now_s: float) -> None:
        old = [key for key, at_s in self.started.items() if now_s - at_s > trigger.cooldown_s]
        for key in old:
            del self.started[key]


def _size(event: Event) -> int:
    """Return the bytes of an event as JSON; 0 for one that is none, which starts no run."""
    try:
        return len(msgspec.json.encode(event))
    except (ValueError, TypeError, RecursionError):
        return 0


def _fits(pattern: str, word: str) -> bool:
    return not pattern or fnmatchcase(word, pattern)


def asks_plant(trigger: Trigger) -> bool:
    """Tell whether the trigger's condition looks at the plant, so that it counts when it fires."""
    when = bare(trigger.when)
    return bool(when) and bool(called(when) & set(PLANT_FUNCTIONS))


@dataclass(slots=True)
class Pace:
    """How fast events start runs of one workflow: a brake for one that starts itself.

    Attributes:
        begun: When its latest runs were begun, s of the clock.
        braked_s: When it was last held back, s of the clock; None if it never was.
    """

    begun: deque[float] = field(default_factory=lambda: deque[float](maxlen=RUNS_A_MINUTE))
    braked_s: float | None = None

    def allows(self, now_s: float) -> bool:
        """Tell whether one more may begin now."""
        is_fast = len(self.begun) == RUNS_A_MINUTE and now_s - self.begun[0] < MINUTE_S
        if is_fast:
            self.braked_s = now_s
        return not is_fast

    def note(self, now_s: float) -> None:
        """Note that one has begun."""
        self.begun.append(now_s)

    def is_braked(self, now_s: float) -> bool:
        """Tell whether it was held back within the last minute."""
        return self.braked_s is not None and now_s - self.braked_s < MINUTE_S


def mqtt_filters(triggers: Iterable[Trigger]) -> set[str]:
    """Return the topic filters that MQTT triggers listen to."""
    return {trigger.topic for trigger in triggers if trigger.on is TriggerKind.MQTT}
