"""What arrives on the bus goes where it belongs: tags, history, registry, alarms."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec.structs

from app.alarms.limits import LimitWatcher
from app.alarms.room import SYSTEM_AGENT
from app.alarms.service import AlarmService
from app.alarms.silence import SilenceWatch, unit_silences
from app.alarms.system import ComponentWatch
from app.bus.client import Bus, Received
from app.core import topics
from app.core.agent import AgentStatus, Beat
from app.core.alarm import Finding
from app.core.clock import Clock
from app.core.command_follow import AGENT as COMMANDS
from app.core.equipment import Equipment, check_equipment, unit_of
from app.core.errors import InputError, MillwrightError, StoreError
from app.core.external import AGENT as EXTERNAL
from app.core.health import ComponentStatus
from app.core.limit_watch import AGENT as LIMITS
from app.core.limit_watch import BAD_QUALITY
from app.core.reading import Reading, ReadingMessage
from app.core.rule_hold import Judged, UnitRules
from app.core.truth import Truth
from app.core.unit_names import with_unit_names
from app.live.arrival import reading_of
from app.live.findings import FindingBoard
from app.live.rules import RuleBook
from app.live.tags import TOO_MANY, TagTable
from app.store.assets import Assets
from app.store.history import Historian
from app.supervisor.registry import Registry

logger = logging.getLogger(__name__)

PENDING_LIMIT = 10_000
TRUTHS = 5000
"""Units whose truth is kept; a simulated plant has some tens."""
UNIT_OR_TAG = (4, 5)
"""Segments of a path that a finding may speak of."""
OWN_AGENTS = frozenset({LIMITS, SYSTEM_AGENT, EXTERNAL, COMMANDS})
"""Findings that the app itself makes; nobody may state them over the bus."""


class Intake:
    """Subscribes to everything the app listens to and hands it on.

    Readings travel on `live` (QoS 0, the oldest is dropped when the app falls behind);
    findings on `durable` (acknowledged after the alarm journal is on disk).
    """

    def __init__(
        self,
        *,
        clock: Clock,
        tags: TagTable,
        historian: Historian,
        limits: LimitWatcher,
        alarms: AlarmService,
        findings: FindingBoard,
        registry: Registry,
        assets: Assets,
        refuse: Callable[[str, bytes, str], object],
        rules: RuleBook,
        silent_after_s: float,
    ) -> None:
        self._clock = clock
        self._tags = tags
        self._historian = historian
        self._limits = limits
        self._alarms = alarms
        self._findings = findings
        self._registry = registry
        self._assets = assets
        self._refuse = refuse
        self._rules = rules
        self._components = ComponentWatch()
        self._silence = SilenceWatch(silent_after_s)
        self._wake = asyncio.Event()
        self._pending: list[Finding] = []
        self._unsaved: set[str] = set()
        self._saving = asyncio.Lock()
        tags.on_declare(self._note_unsaved)
        self._is_save_failing = False
        self.truths: dict[str, Truth] = {}

    def subscribe(self, live: Bus, durable: Bus) -> None:
        """Subscribe on both connections; call before they start."""
        live.subscribe(topics.PLANT, ReadingMessage, self._take_readings)
        live.subscribe_state(topics.EQUIPMENT, Equipment, self._take_equipment)
        live.subscribe_state(topics.BIRTHS, AgentStatus, self._take_births)
        live.subscribe(topics.BEATS, Beat, self._take_beats)
        live.subscribe(topics.TRUTHS, Truth, self._take_truths)
        durable.subscribe_durable(topics.FINDINGS, Finding, self._take_findings)

    def accept(self, readings: Sequence[Reading]) -> None:
        """Put readings that are already stored or need no storing on screens and limits."""
        self._tags.apply(readings)
        for reading in readings:
            if self._tags.has(reading.tag):
                self._state_limits(self._limits.apply(self._tags.tag(reading.tag), reading))

    def _state_limits(self, findings: Sequence[Finding]) -> None:
        """State what limits found; values lost with their whole unit are told once, by silence."""
        self.state([each for each in findings if not self._is_lost_with_unit(each)])

    def _is_lost_with_unit(self, finding: Finding) -> bool:
        is_bad = finding.condition == BAD_QUALITY and finding.priority is not None
        return is_bad and self._silence.is_silent(unit_of(finding.equipment))

    def state(self, findings: Sequence[Finding]) -> None:
        """Take findings of the app itself; they become alarms as those of agents do."""
        if findings:
            self._pending += findings
            self._wake.set()

    async def judge(self) -> None:
        """Hand the app's own findings (limits, components) to the alarms; runs for ever.

        A failing journal is retried each second; the findings wait, and its state is on screen.
        """
        is_waiting = False
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._pending = self._pending, []
            try:
                await self._alarms.handle(batch)
            except StoreError as error:
                if not is_waiting:
                    logger.warning("findings wait for the alarm journal: %s", error)
                is_waiting = True
                self._pending = (batch + self._pending)[-PENDING_LIMIT:]
                await self._clock.sleep(1.0)
                self._wake.set()
            else:
                if is_waiting:
                    logger.info("findings reach the alarm journal again")
                is_waiting = False
                self._findings.add(batch)

    def tick(self, components: Iterable[ComponentStatus]) -> None:
        """Look once a second at what only time can tell: staleness, delays, components."""
        now = self._clock.now()
        self._tags.sweep()
        self._state_limits(self._limits.tick(now))
        named = [
            msgspec.structs.replace(each, reason=with_unit_names(each.reason, self._tags.unit_name))
            for each in components
        ]
        self.state(list(self._components.changes(named, now)))
        silences = unit_silences(self._tags.equipment(), self._tags.value)
        self.state(list(self._silence.changes(silences, now)))
        self.state(self._rules.changes(now))

    def _take_readings(self, batch: Sequence[Received[ReadingMessage]]) -> None:
        readings = [self._reading(each) for each in batch]
        known = [reading for reading in readings if reading is not None]
        self._historian.add(
            [
                reading
                for reading, each in zip(readings, batch, strict=True)
                if reading is not None and not each.retained
            ]
        )
        refused = self._tags.refused
        self.accept(known)
        if self._tags.refused > refused:
            self._refuse_unknown(batch)
        for received in batch:
            if received.message.u:
                self._tags.note_unit(topics.tag_of(received.topic), received.message.u)

    def _refuse_unknown(self, batch: Sequence[Received[ReadingMessage]]) -> None:
        for received in batch:
            if not self._tags.has(topics.tag_of(received.topic)):
                self._refuse(received.topic, b"", TOO_MANY)

    def _reading(self, received: Received[ReadingMessage]) -> Reading | None:
        is_known = self._tags.has(topics.tag_of(received.topic))
        try:
            return reading_of(received, is_known=is_known)
        except InputError as error:
            self._refuse(received.topic, b"", str(error))
            return None

    def declare(self, equipment: Equipment) -> None:
        """Make a unit and its tags known; those it had and has no more are forgotten.

        The first write rule of a tag counts; another one is held until a person accepts it.

        Raises:
            TopicError: A path of it is malformed, or a tag stands under another unit.
        """
        check_equipment(equipment)
        self._stand(equipment, self._rules.judge(equipment, self._tags.declared(equipment.path)))

    def judge_again(self, unit: str) -> None:
        """Judge the last declaration of a unit anew, after a person's decision on its rules."""
        heard = self._rules.heard(unit)
        if heard:
            self._stand(heard, self._rules.judge(heard, self._tags.declared(unit)))

    def restore(self, units: Sequence[Equipment], rules: Mapping[str, UnitRules]) -> None:
        """Take over stored units and rules; of units, what the bus has said meanwhile stays."""
        for equipment in units:
            try:
                self.extend(equipment)
            except MillwrightError as error:
                logger.warning("stored unit %s is left out: %s", equipment.path, error)
        for heard, stored in self._rules.load(units, rules):
            self._stand(heard, self._rules.judge(heard, stored))

    def _stand(self, heard: Equipment, judged: Judged) -> None:
        self._take_over(judged.equipment)
        if self._rules.take(heard, judged):
            self._unsaved.add(heard.path)

    def _take_over(self, equipment: Equipment) -> None:
        before = self._tags.unit(equipment.path)
        if before == equipment:
            return
        self._tags.declare(equipment)
        if before:
            self._forget_gone(before)

    def extend(self, equipment: Equipment) -> None:
        """Add tags to a unit; what is already known of the unit and its tags stays.

        Raises:
            TopicError: A path of it is malformed, or a tag stands under another unit.
        """
        known = self._tags.unit(equipment.path)
        if known is None:
            check_equipment(equipment)
            self._take_over(equipment)
            return
        described = {tag.path for tag in known.tags}
        added = tuple(tag for tag in equipment.tags if tag.path not in described)
        if added:
            self._take_over(msgspec.structs.replace(known, tags=known.tags + added))

    def forget(self, unit: Equipment, why: str) -> None:
        """Take a unit from tags and limits, and say that its alarms' conditions are absent.

        The next `save_declared` takes it from the store.
        """
        now, held = self._clock.now(), self._tags.unit(unit.path)
        self._tags.forget(unit.path)
        self._rules.forget(unit.path)
        self.truths.pop(unit.path, None)
        self.state(
            [
                _absent(alarm.finding, now, why)
                for alarm in self._alarms.alarms()
                if alarm.active and unit_of(alarm.finding.equipment) == unit.path
            ]
        )
        self._forget_gone(held or unit)

    def _forget_gone(self, before: Equipment) -> None:
        """Take the tags that a unit had and has no more from limits, and end their alarms."""
        gone = [tag.path for tag in before.tags if not self._tags.has(tag.path)]
        self.state(self._limits.forget(gone, self._clock.now()))

    async def save_declared(self) -> None:
        """Save units that got tags since the last call and delete those forgotten.

        What fails is tried again by the next call; one at a time reaches the store.
        """
        async with self._saving:
            await self._save_declared()

    async def _save_declared(self) -> None:
        unsaved, self._unsaved = self._unsaved, set()
        for path in sorted(unsaved):
            equipment = self._tags.unit(path)
            try:
                if equipment is None:
                    await asyncio.to_thread(self._assets.delete, path)
                else:
                    rules = self._rules.kept(path)
                    await asyncio.to_thread(self._assets.save, equipment, rules)
            except StoreError as error:
                if not self._is_save_failing:
                    logger.warning("units are not saved, trying again: %s", error)
                self._is_save_failing = True
                self._unsaved |= unsaved
                return
            self._is_save_failing = False

    def _note_unsaved(self, paths: Sequence[str]) -> None:
        self._unsaved.update(path.rpartition("/")[0] for path in paths)

    def _take_equipment(self, batch: Sequence[Received[Equipment]]) -> None:
        for received in batch:
            equipment = received.message
            if topics.equipment_topic(equipment.path) != received.topic:
                self._refuse(received.topic, b"", f'unit "{equipment.path}" has another topic')
                continue
            try:
                self.declare(equipment)
            except MillwrightError as error:
                self._refuse(received.topic, b"", str(error))

    def _take_births(self, batch: Sequence[Received[AgentStatus]]) -> None:
        for received in batch:
            status = received.message
            if topics.birth_topic(status.spec.name, status.instance) != received.topic:
                named = f"{status.spec.name}/{status.instance}"
                self._refuse(received.topic, b"", f'agent "{named}" has another topic')
                continue
            try:
                self._registry.birth(status)
            except InputError as error:
                self._refuse(received.topic, b"", str(error))

    def _take_beats(self, batch: Sequence[Received[Beat]]) -> None:
        for received in batch:
            _, _, name, instance, _ = received.topic.split("/")
            self._registry.beat(name, instance, received.message)

    def _take_truths(self, batch: Sequence[Received[Truth]]) -> None:
        for received in batch:
            equipment = received.topic.removeprefix("millwright/truth/")
            if equipment in self.truths or len(self.truths) < TRUTHS:
                self.truths[equipment] = received.message
            else:
                self._refuse(received.topic, b"", f"{TRUTHS} units with a truth are the limit")

    async def _take_findings(self, batch: Sequence[Received[Finding]]) -> None:
        findings = [each.message for each in batch if self._is_fit(each)]
        await self._alarms.handle(findings)
        self._findings.add(findings)

    def _is_fit(self, received: Received[Finding]) -> bool:
        """Tell whether a finding is its sender's and speaks of a unit; refuse it if not."""
        finding = received.message
        is_own = finding.agent in OWN_AGENTS
        if is_own or topics.findings_topic(finding.agent) != received.topic:
            self._refuse(received.topic, b"", f'finding of agent "{finding.agent}" is not its own')
            return False
        parts = finding.equipment.split("/")
        if len(parts) not in UNIT_OR_TAG or not all(topics.is_segment(part) for part in parts):
            reason = f'equipment "{finding.equipment[:120]}" is no path of a unit or tag'
            self._refuse(received.topic, b"", reason)
            return False
        return True


def _absent(finding: Finding, now: datetime, why: str) -> Finding:
    return Finding(finding.agent, finding.condition, finding.equipment, now, message=why)
