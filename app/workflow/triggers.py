"""Starts runs by themselves: at alarms, findings, MQTT messages, times and ends of other runs."""

import logging
import math
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from app.bus.client import Bus, Received
from app.bus.codec import decode
from app.core.alarm import Alarm
from app.core.clock import Clock
from app.core.errors import ConflictError, MillwrightError, StoreError
from app.core.run import OVER, StartedBy, WorkflowRun
from app.core.topic_filter import overlap
from app.core.trigger_rules import (
    HELD,
    HELD_BYTES,
    MISSED,
    RUNS_A_MINUTE,
    Event,
    Pace,
    Quiet,
    alarm_event,
    asks_plant,
    event_run_id,
    event_time,
    fits_alarm,
    fits_run,
    holds,
    inputs,
    key_of,
    last_time,
    mark_of,
    missed_time,
    mqtt_filters,
    run_event,
    schedule_event,
)
from app.core.workflow import Trigger, TriggerKind, Workflow
from app.store.held_events import HeldEvent, HeldPlace
from app.workflow.context import PlantSilentError
from app.workflow.cooldowns import Begun, Cooldowns
from app.workflow.held import Held, HeldStore
from app.workflow.refusals import Refusals
from app.workflow.trigger_bus import TriggerBus

logger = logging.getLogger(__name__)

NESTED = 8
"""Runs that may follow from each other's ends; more is taken for a circle."""

HANDOVER_S = 10.0
"""Events that a leader heard so shortly before its death are heeded by the next, s."""

Start = Callable[[str, dict[str, Any], StartedBy, str], Awaitable[WorkflowRun]]


class _Place(NamedTuple):
    """A trigger by its workflow and its place in it."""

    workflow: str
    number: int


class Triggers:
    """Offers each event to the triggers of the enabled workflows; one orchestrator of several."""

    def __init__(
        self,
        *,
        clock: Clock,
        zone: str,
        make_bus: Callable[[str], Bus],
        functions: Mapping[str, Callable[..., object]],
        start: Start,
        begun: Begun,
        held: HeldStore,
        is_leader: Callable[[], bool],
        is_shared: bool,
    ) -> None:
        self._clock = clock
        self._zone = ZoneInfo(zone)
        self._functions = functions
        self._start = start
        self._is_leader = is_leader
        self._workflows: dict[str, Workflow] = {}
        self._quiet: dict[_Place, Quiet] = {}
        self._offered: dict[_Place, set[tuple[str, datetime]]] = {}
        self._paces: dict[str, Pace] = {}
        self._is_used = False
        self._looked_at: datetime | None = None
        self._looked_before: datetime | None = None
        self._bus = TriggerBus(make_bus, is_leader, self._take)
        self._taken: dict[str, dict[int, Received[bytes]]] = {}
        self._troubles: dict[_Place, str] = {}
        self._cooldowns = Cooldowns(clock, begun, functions, is_shared=is_shared)
        self._held = Held(held, clock)
        self.refusals = Refusals(clock)

    async def start(self) -> None:
        """Begin to listen on MQTT whenever we are the leader."""
        await self._bus.start()

    async def stop(self) -> None:
        """Listen no more."""
        await self._bus.stop()

    async def lead(self) -> None:
        """Connect or leave, as we are the leader or not; called once a second."""
        await self._bus.tick()

    async def use(self, workflows: Sequence[Workflow]) -> None:
        """Take the enabled workflows; what waits in triggers that still hear it goes on waiting."""
        heard = {place: _hears(trigger) for place, trigger in self._places()}
        known, self._workflows = self._workflows, {each.name: each for each in workflows}
        self._begin_schedules(known)
        now = {place: _hears(trigger) for place, trigger in self._places()}
        places = set(now)
        for place in [each for each in self._quiet if now.get(each) != heard.get(each)]:
            self._held.counted(_held_by(place, self._quiet.pop(place)))
        self._offered = {place: seen for place, seen in self._offered.items() if place in places}
        self.refusals.keep(self._workflows)
        self._troubles = {place: why for place, why in self._troubles.items() if place in places}
        for topic in sorted(mqtt_filters(trigger for _, trigger in self._places())):
            await self._bus.listen(topic)

    def _begin_schedules(self, known: Mapping[str, Workflow]) -> None:
        """Have schedules that are new while the app runs count from now on."""
        if self._is_used:
            for place, trigger in self._places(TriggerKind.SCHEDULE):
                before = known.get(place.workflow)
                if before is None or trigger not in before.triggers:
                    with self._alone(place):
                        self._begin_schedule(place, trigger)
        self._is_used = True

    def _begin_schedule(self, place: _Place, trigger: Trigger) -> None:
        at = last_time(trigger, self._clock.now(), self._zone)
        if at is not None:
            self._offered[place] = {("", at)}

    def alarms(self, alarms: Sequence[Alarm]) -> None:
        """Offer alarms that changed, or at the start all that stand."""
        for place, trigger in self._places(TriggerKind.ALARM, TriggerKind.FINDING):
            with self._alone(place):
                for alarm in alarms:
                    self._offer_alarm(place, trigger, alarm)

    def run_ended(self, run: WorkflowRun) -> None:
        """Offer the end of a run."""
        if run.state not in OVER or run.is_dry:
            return
        depth = _depth(run.started_by)
        for place, trigger in self._places(TriggerKind.WORKFLOW):
            if not fits_run(trigger, run):
                continue
            if depth >= NESTED:
                self.refusals.note(
                    place.workflow, f"{NESTED} runs have followed from each other's ends"
                )
                continue
            with self._alone(place):
                self._offer(place, trigger, {**run_event(run), "depth": depth + 1})

    async def tick(self) -> None:
        """Start what has come: schedules, and events that have been quiet long enough.

        Only the leader heeds what all orchestrators hear; the end of a run is heard by one alone.
        """
        now_s, is_leader = self._clock.monotonic(), self._is_leader()
        self._looked_before = self._looked_at
        self._looked_at = self._clock.now() if is_leader else None
        if is_leader:
            await self._recall()
        else:
            self._cooldowns.forget()
            self._held.leave()
        for place, trigger in self._places():
            with self._alone(place):
                await self._tick(place, trigger, now_s, is_leader=is_leader)
        if is_leader:
            await self._tidy()

    async def _tick(
        self, place: _Place, trigger: Trigger, now_s: float, *, is_leader: bool
    ) -> None:
        if is_leader and trigger.on is TriggerKind.SCHEDULE:
            self._offer_time(place, trigger)
        if is_leader or trigger.on is TriggerKind.WORKFLOW:
            await self._fire_due(place, trigger, now_s)
        elif place in self._quiet:
            is_kept = trigger.on is TriggerKind.MQTT  # on disk, for the leader
            self._quiet[place].drop(math.inf if is_kept else now_s - HANDOVER_S)

    @contextmanager
    def _alone(self, place: _Place) -> Generator[None]:
        """Keep what goes wrong with one trigger from all others: it is told, and tried again."""
        try:
            yield
        except Exception as error:  # a trigger must not stop those of other workflows
            why = f"trigger {place.number + 1}: {type(error).__name__}: {error}"
            if self._troubles.get(place) != why:
                self._troubles[place] = why
                logger.warning("%s fails, %s", place.workflow, why, exc_info=error)
        else:
            self._troubles.pop(place, None)

    @property
    def troubles(self) -> dict[str, str]:
        """Why triggers fail at each look, by workflow."""
        return {place.workflow: why for place, why in self._troubles.items()}

    def _offer_time(self, place: _Place, trigger: Trigger) -> None:
        now = self._clock.now()
        at = last_time(trigger, now, self._zone)
        self._note_missed(place, trigger, now)
        seen = self._offered.setdefault(place, set())
        if at is not None and ("", at) not in seen:
            self._offered[place] = {("", at)}
            self._offer(place, trigger, schedule_event(trigger, at, self._zone))

    def _note_missed(self, place: _Place, trigger: Trigger, now: datetime) -> None:
        """Tell a time that fell into a gap between two looks, and is past for too long."""
        since = self._looked_before
        if since is None or now - since <= MISSED:
            return
        if missed := missed_time(trigger, since, now, self._zone):
            self.refusals.note(
                place.workflow,
                f"Its time {missed:%Y-%m-%d %H:%M} UTC was missed: from {since:%H:%M} to "
                f"{now:%H:%M} UTC the computer slept, its clock was set, or the store was silent",
            )

    async def _fire_due(self, place: _Place, trigger: Trigger, now_s: float) -> None:
        quiet = self._quiet.get(place)
        if quiet is None or not quiet.waiting:
            return
        try:
            await self._cooldowns.recall(place.workflow, place.number, trigger, quiet)
        except (StoreError, PlantSilentError) as error:  # what waits goes on waiting
            self.refusals.log("wait to start a run", place.workflow, str(error))
            return
        is_kept = trigger.on is TriggerKind.MQTT
        waited = _held_by(place, quiet) if is_kept else set[HeldPlace]()
        for key, event in quiet.due(trigger, now_s):
            await self._fire(place, trigger, key, event)
        if waited:
            self._held.counted(waited - _held_by(place, quiet))

    def _offer_alarm(self, place: _Place, trigger: Trigger, alarm: Alarm) -> None:
        seen = self._offered.setdefault(place, set())
        mark = (alarm.id, alarm.raised_at)
        if not fits_alarm(trigger, alarm):
            if not alarm.active:
                seen.difference_update({each for each in seen if each[0] == alarm.id})
                self._withdraw(place, alarm.id)
            return
        if mark not in seen:
            seen.add(mark)
            self._offer(place, trigger, alarm_event(alarm))

    def _withdraw(self, place: _Place, alarm_id: str) -> None:
        if quiet := self._quiet.get(place):
            quiet.withdraw(alarm_id)

    def _offer(self, place: _Place, trigger: Trigger, event: Event) -> None:
        try:
            if not asks_plant(trigger) and not holds(trigger, event, self._functions):
                return
            key = key_of(trigger, event, self._functions)
        except MillwrightError as error:
            self.refusals.note(place.workflow, str(error))
        else:
            self._wait(place, trigger, key, event)

    def _wait(self, place: _Place, trigger: Trigger, key: str, event: Event) -> None:
        quiet = self._quiet.setdefault(place, Quiet())
        forgotten = quiet.offer(trigger, key, event, self._clock.monotonic())
        if trigger.on is TriggerKind.MQTT and trigger.debounce_s:
            due_at = self._clock.now() + timedelta(seconds=trigger.debounce_s)
            self._held.offer(HeldPlace(*place, key), HeldEvent(due_at, event))
        if forgotten:
            self._held.counted([HeldPlace(*place, each) for each in forgotten])
            most = f"{HELD} events, or {HELD_BYTES // 1_048_576} MiB of them, wait already"
            self.refusals.note(place.workflow, f"{most}; the oldest are forgotten")

    async def _fire(self, place: _Place, trigger: Trigger, key: str, event: Event) -> None:
        """Start a run if the trigger's own condition holds now; what cannot be told yet waits."""
        quiet, now_s = self._quiet.setdefault(place, Quiet()), self._clock.monotonic()
        pace = self._paces.setdefault(place.workflow, Pace())
        if not pace.allows(now_s):
            self._brake(place, trigger, key, event)
            return
        try:
            if not holds(trigger, event, self._functions):
                return
            given = inputs(trigger, event, self._functions)
            run_id, by = self._run_of(place, trigger, event)
            await self._start(place.workflow, given, by, run_id)
        except (StoreError, PlantSilentError) as error:
            self._wait(place, trigger, key, event)
            self.refusals.log("wait to start a run", place.workflow, str(error))
        except ConflictError as error:  # it runs already: as good as begun
            quiet.begun(key, now_s)
            self.refusals.note(place.workflow, str(error))
        except MillwrightError as error:
            self.refusals.note(place.workflow, str(error))
        except Exception as error:  # noqa: BLE001  the events behind it, and of others, go on
            self.refusals.note(place.workflow, f"{type(error).__name__}: {error}", error)
        else:
            quiet.begun(key, now_s)
            pace.note(now_s)

    def _brake(self, place: _Place, trigger: Trigger, key: str, event: Event) -> None:
        """Hold an event back: one that is never said again waits, a message is dropped."""
        if trigger.on is TriggerKind.MQTT:
            self.refusals.note(place.workflow, f"{RUNS_A_MINUTE} runs have begun within a minute")
        else:
            self._wait(place, trigger, key, event)

    @property
    def braked(self) -> list[str]:
        """Workflows that events started too fast within the last minute."""
        now_s = self._clock.monotonic()
        return sorted(name for name, pace in self._paces.items() if pace.is_braked(now_s))

    def _run_of(self, place: _Place, trigger: Trigger, event: Event) -> tuple[str, StartedBy]:
        at = event_time(event) or self._clock.now()
        run_id = event_run_id(place.workflow, place.number, mark_of(trigger.on, event), at)
        return run_id, StartedBy(trigger.on.value, "system", event)

    async def _take(self, topic: str, batch: Sequence[Received[bytes]]) -> None:
        """Offer messages; on return each has begun its runs, or waits for quiet on disk.

        Raises:
            StoreError: One could not begin a run yet; the same batch is to come again.
        """
        await self._held.recall(self._quiet_of)
        wanted = [
            (place, trigger)
            for place, trigger in self._places(TriggerKind.MQTT)
            if trigger.topic == topic
        ]
        taken = self._taken.setdefault(topic, {})
        for received, at in zip(batch, _moments(batch), strict=True):
            if received.retained or id(received) in taken:
                continue  # said before anybody listened, so it is no event; or dealt with before
            await self._offer_message(wanted, received, at)
            taken[id(received)] = received
        await self._held.keep()
        taken.clear()

    async def _offer_message(
        self, wanted: Sequence[tuple[_Place, Trigger]], received: Received[bytes], at: datetime
    ) -> None:
        payload = _payload(received.message)
        event = {"topic": received.topic, "payload": payload, "at": at.isoformat()}
        for place, trigger in wanted:
            with self._alone(place):
                self._offer(place, trigger, event)
                if not trigger.debounce_s:
                    await self._fire_due(place, trigger, self._clock.monotonic())
        for place, trigger in wanted:
            quiet = self._quiet.get(place)
            if quiet and not trigger.debounce_s and quiet.give_up():
                raise StoreError(f"A message waits to start a run of {place.workflow}")

    async def _recall(self) -> None:
        try:
            await self._held.recall(self._quiet_of)
        except StoreError as error:  # it is tried again, and Health tells of the store
            logger.debug("What waited is not known yet: %s", error)

    async def _tidy(self) -> None:
        try:
            await self._held.tidy()
        except StoreError as error:  # it is tried again, and Health tells of the store
            logger.debug("What waited is not forgotten yet: %s", error)

    def _quiet_of(self, held: HeldPlace, event: Event) -> tuple[Quiet, float] | None:
        place = _Place(held.workflow, held.number)
        trigger = dict(self._places(TriggerKind.MQTT)).get(place)
        if trigger is None or not overlap(trigger.topic, str(event.get("topic", ""))):
            return None
        return self._quiet.setdefault(place, Quiet()), trigger.debounce_s

    def _places(self, *kinds: TriggerKind) -> list[tuple[_Place, Trigger]]:
        return [
            (_Place(name, number), trigger)
            for name, workflow in self._workflows.items()
            for number, trigger in enumerate(workflow.triggers)
            if not kinds or trigger.on in kinds
        ]


def _hears(trigger: Trigger) -> tuple[str, ...]:
    """Return what a trigger hears: another one in its place does not take over what waits."""
    return trigger.on, trigger.topic, trigger.workflow


def _held_by(place: _Place, quiet: Quiet) -> set[HeldPlace]:
    return {HeldPlace(*place, key) for key in quiet.keys}


def _moments(batch: Sequence[Received[bytes]]) -> Iterator[datetime]:
    """Give each message a moment of its own: the runs it begins are named by it."""
    last: datetime | None = None
    for received in batch:
        at = received.received_time
        last = at if last is None or at > last else last + timedelta(microseconds=1)
        yield last


def _payload(message: bytes) -> object:
    """Return a message as JSON, or as the text it is."""
    try:
        found: object = decode(object, message, len(message))
    except MillwrightError:
        return message.decode("utf-8", "replace")
    return msgspec.to_builtins(found)


def _depth(by: StartedBy) -> int:
    match by.event:
        case {"depth": int() as depth}:
            return depth
        case _:
            return 0
