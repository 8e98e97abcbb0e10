"""What starts runs by itself: alarms, times, ends of runs and messages on a real broker."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from app.bus.address import broker_address
from app.bus.client import Bus
from app.clock import ManualClock, SystemClock
from app.core.alarm import Alarm, AlarmState, Finding, Priority
from app.core.errors import ConflictError, StoreError
from app.core.run import RunState, StartedBy, WorkflowRun
from app.core.workflow import ActionKind, Step, Trigger, TriggerKind, Workflow
from app.settings import Settings
from app.workflow.triggers import NESTED, Triggers
from tests.mqtt_peer import peer
from tests.processes import eventually

NOW = datetime(2026, 6, 1, 11, 58, 30, tzinfo=UTC)
UNIT = "site/area/line/pump"


class Rig:
    """Triggers without an engine: what they start is noted by its id."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.clock = ManualClock(NOW)
        self.started: dict[str, tuple[str, dict[str, Any], StartedBy]] = {}
        self.trouble: list[Exception] = []
        self.is_leader = True
        self.kept: list[WorkflowRun] = []
        self.store_trouble: list[Exception] = []
        self.buses: list[Bus] = []
        self.session = uuid4().hex[:8]
        self._settings = settings
        self.triggers = Triggers(
            clock=self.clock if settings is None else SystemClock(),
            zone="UTC",
            make_bus=self._make_bus,
            functions={},
            start=self._start,
            begun=self._begun,
            is_leader=lambda: self.is_leader,
        )

    def _make_bus(self, name: str) -> Bus:
        assert self._settings
        own = f"{name}-{self.session}"
        self.buses.append(Bus(self._settings, own, SystemClock(), persistent=True))
        return self.buses[-1]

    async def _start(
        self, name: str, given: dict[str, Any], by: StartedBy, run_id: str
    ) -> WorkflowRun:
        if self.trouble:
            raise self.trouble.pop()
        self.started[run_id] = (name, given, by)
        return run("started")

    async def _begun(self, _name: str, since: datetime) -> list[WorkflowRun]:
        if self.store_trouble:
            raise self.store_trouble.pop()
        return [each for each in self.kept if each.started_at >= since]

    def keep(self, before: "Rig") -> None:
        """Take over what the store has of an earlier life."""
        self.kept = [
            WorkflowRun(run_id, name, "v", RunState.RUNNING, NOW, given, by)
            for run_id, (name, given, by) in before.started.items()
        ]

    async def use(self, *triggers: Trigger, name: str = "demo") -> None:
        steps = (Step("one", ActionKind.WAIT),)
        await self.triggers.use([Workflow(name, steps, triggers=triggers)])

    async def tick(self, seconds: float = 1.0) -> int:
        await self.clock.advance(seconds)
        await self.triggers.tick()
        return len(self.started)


def alarm(condition: str = "overheated", **fields: Any) -> Alarm:
    finding = Finding("watch", condition, UNIT, NOW, Priority.HIGH, message="Hot")
    made = Alarm(condition, finding, AlarmState.UNACK, True, NOW, NOW)
    return msgspec.structs.replace(made, **fields)


def run(name: str, **fields: Any) -> WorkflowRun:
    made = WorkflowRun(name, "first", "v", RunState.COMPLETED, NOW, {}, StartedBy("click", "ann"))
    return msgspec.structs.replace(made, ended_at=NOW, **fields)


ON_ALARM = Trigger(TriggerKind.ALARM, input={"unit": "${event.equipment}"})
COOLED = msgspec.structs.replace(ON_ALARM, cooldown_s=600)
ON_END = Trigger(TriggerKind.WORKFLOW, workflow="first")
ON_MESSAGE = Trigger(TriggerKind.MQTT, topic="line/+/done", input={"n": "${event.payload.n}"})
NEVER = Trigger(TriggerKind.SCHEDULE, cron="0 0 31 2 *")
NOON = Trigger(TriggerKind.SCHEDULE, cron="0 12 * * *")


async def test_an_alarm_starts_a_run_once():
    rig = Rig()
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm()])
    await rig.tick()
    rig.triggers.alarms([alarm(note="seen")])

    assert await rig.tick() == 1
    assert [given for _, given, _ in rig.started.values()] == [{"unit": UNIT}]


async def test_an_alarm_that_comes_again_starts_another_run():
    rig = Rig()
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm()])
    await rig.tick()
    rig.triggers.alarms([alarm(active=False)])
    rig.triggers.alarms([alarm(raised_at=NOW + timedelta(minutes=1))])

    assert await rig.tick() == 2


async def test_an_alarm_heard_again_after_a_restart_has_the_same_id():
    before, after = Rig(), Rig()
    for rig in (before, after):
        await rig.use(ON_ALARM)
        rig.triggers.alarms([alarm()])
        await rig.tick()

    assert before.started.keys() == after.started.keys()


async def test_an_alarm_that_ends_before_its_debounce_starts_nothing():
    rig = Rig()
    await rig.use(msgspec.structs.replace(ON_ALARM, debounce_s=5))
    rig.triggers.alarms([alarm()])
    await rig.tick(3)
    rig.triggers.alarms([alarm(active=False)])

    assert await rig.tick(10) == 0


@pytest.mark.parametrize("state", [AlarmState.SHELVED, AlarmState.OUT_OF_SERVICE])
async def test_an_alarm_that_operators_do_not_see_starts_nothing(state: AlarmState):
    rig = Rig()
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm(state=state)])

    assert await rig.tick() == 0


async def test_two_alarms_of_a_unit_at_once_start_two_runs():
    rig = Rig()
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm("overheated"), alarm("imbalance")])

    assert await rig.tick() == 2


async def test_an_event_that_met_a_full_disk_starts_its_run_later():
    rig = Rig()
    rig.trouble = [StoreError("full"), StoreError("full")]
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm()])

    assert [await rig.tick() for _ in range(3)] == [0, 0, 1]


@pytest.mark.parametrize("trouble", [ConflictError("it runs already"), StoreError("disk full")])
async def test_events_that_start_nothing_do_not_fill_the_log(
    trouble: Exception, caplog: pytest.LogCaptureFixture
):
    rig = Rig()
    await rig.use(ON_ALARM)
    for number in range(50):
        rig.trouble = [trouble]
        rig.triggers.alarms([alarm(f"hot-{number}")])
        await rig.tick()
    assert len(caplog.messages) == 1

    rig.trouble = [trouble]
    rig.triggers.alarms([alarm("hot-last")])
    await rig.tick(60)
    assert len(caplog.messages) == 2
    assert caplog.messages[-1].startswith("50 events")


async def test_a_refused_run_is_told_and_not_tried_again():
    rig = Rig()
    rig.trouble = [ConflictError("it runs already")]
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm()])
    await rig.tick()

    assert await rig.tick() == 0
    assert [refusal.why for refusal in rig.triggers.refusals.of("demo")] == ["it runs already"]


async def test_a_condition_that_does_not_hold_starts_nothing():
    rig = Rig()
    await rig.use(msgspec.structs.replace(ON_ALARM, when="event.priority < 1"))
    rig.triggers.alarms([alarm()])

    assert await rig.tick() == 0


async def test_an_expression_that_cannot_be_computed_is_told():
    rig = Rig()
    await rig.use(msgspec.structs.replace(ON_ALARM, when="event.gone"))
    rig.triggers.alarms([alarm()])

    assert await rig.tick() == 0
    assert "is not there" in rig.triggers.refusals.of("demo")[0].why


async def test_the_ends_of_several_runs_at_once_start_a_run_each():
    rig = Rig()
    await rig.use(ON_END)
    for name in ("a", "b", "c"):
        rig.triggers.run_ended(run(name))

    assert await rig.tick() == 3


async def test_the_end_of_a_run_told_again_after_a_restart_has_the_same_id():
    before, after = Rig(), Rig()
    for rig in (before, after):
        await rig.use(ON_END)
        rig.triggers.run_ended(run("a"))
        await rig.tick()
        await rig.tick()

    assert before.started.keys() == after.started.keys()


@pytest.mark.parametrize(
    "ended",
    [run("a", state=RunState.FAILED), run("a", workflow="other"), run("a", is_dry=True)],
)
async def test_other_ends_of_runs_start_nothing(ended: WorkflowRun):
    rig = Rig()
    await rig.use(ON_END)
    rig.triggers.run_ended(ended)

    assert await rig.tick() == 0


async def test_runs_that_follow_from_each_other_in_a_circle_end():
    rig = Rig()
    await rig.use(ON_END)
    rig.triggers.run_ended(run("a", started_by=StartedBy("workflow", "system", {"depth": NESTED})))

    assert await rig.tick() == 0
    assert "followed from each other" in rig.triggers.refusals.of("demo")[0].why


async def after_a_restart(trigger: Trigger = COOLED, *, changed: int = 0) -> Rig:
    """Return triggers that began a run of `trigger` in an earlier life, and live again."""
    before, after = Rig(), Rig()
    await before.use(trigger)
    before.triggers.alarms([alarm()])
    assert await before.tick() == 1
    after.keep(before)
    await after.use(*[NOON] * changed, trigger)
    return after


def later(rig: Rig, **fields: Any) -> Alarm:
    return alarm(raised_at=rig.clock.now(), **fields)


async def test_a_cooldown_outlives_a_restart():
    rig = await after_a_restart()
    await rig.tick(69)
    rig.triggers.alarms([later(rig)])
    assert await rig.tick() == 0

    await rig.tick(540)
    rig.triggers.alarms([alarm(active=False)])
    rig.triggers.alarms([later(rig)])
    assert await rig.tick() == 1


async def test_another_key_is_not_cooled_by_a_run_of_an_earlier_life():
    rig = await after_a_restart()
    finding = Finding(
        "watch", "overheated", "site/area/line/fan", NOW, Priority.HIGH, message="Hot"
    )
    rig.triggers.alarms([later(rig, finding=finding)])

    assert await rig.tick() == 1


async def test_a_run_that_a_person_or_another_trigger_began_cools_nothing():
    rig = await after_a_restart(changed=1)
    rig.kept.append(msgspec.structs.replace(run("demo"), started_at=NOW))
    rig.triggers.alarms([later(rig)])

    assert await rig.tick() == 1


async def test_an_event_waits_while_the_store_cannot_tell_its_cooldown():
    rig = await after_a_restart()
    rig.store_trouble = [StoreError("the disk is away") for _ in range(2)]
    rig.kept = []
    rig.triggers.alarms([later(rig)])

    assert [await rig.tick() for _ in range(3)] == [0, 0, 1]


async def test_a_cooldown_goes_over_to_the_next_leader():
    first, second = Rig(), Rig()
    for rig in (first, second):
        rig.is_leader = rig is first
        await rig.use(COOLED)
        rig.triggers.alarms([alarm()])
        await rig.tick()
    second.keep(first)
    second.is_leader = True
    second.triggers.alarms([later(second, finding=alarm().finding)])

    assert await second.tick() == 0


async def test_a_key_that_an_older_event_does_not_have_cools_nothing():
    rig = await after_a_restart()
    rig.kept[0].started_by.event.pop("equipment")
    await rig.use(msgspec.structs.replace(COOLED, key="${event.equipment}"))
    rig.triggers.alarms([later(rig)])

    assert await rig.tick() == 1


async def test_a_schedule_starts_a_run_at_its_time_once():
    rig = Rig()
    await rig.use(NOON)
    counts = [await rig.tick(30) for _ in range(6)]

    assert counts == [0, 0, 0, 1, 1, 1]


async def test_a_schedule_that_is_new_does_not_make_up_for_what_was_before():
    rig = Rig()
    await rig.use()
    await rig.clock.advance(300)
    await rig.use(NOON)

    assert await rig.tick() == 0


async def test_a_trigger_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture):
    rig = Rig()
    steps = (Step("one", ActionKind.WAIT),)
    good = Workflow("good", steps, triggers=(NOON, ON_ALARM, ON_END))
    await rig.triggers.use([Workflow("bad", steps, triggers=(NEVER,)), good])
    await rig.triggers.use([Workflow("bad", steps, triggers=(NEVER, NEVER)), good])
    rig.triggers.alarms([alarm()])
    rig.triggers.run_ended(run("a"))
    await rig.tick(120)
    await rig.tick()

    kinds = sorted(by.kind for _, _, by in rig.started.values())
    assert kinds == ["alarm", "schedule", "workflow"]
    assert list(rig.triggers.troubles) == ["bad"]
    assert "CroniterBadDateError" in rig.triggers.troubles["bad"]
    assert len(caplog.messages) == 2  # one for each of its triggers, whatever often it is looked at


async def test_a_trigger_that_was_mended_or_is_gone_fails_no_more():
    rig = Rig()
    await rig.use(NEVER)
    await rig.tick()
    assert rig.triggers.troubles
    await rig.use(NOON)
    await rig.tick()
    assert not rig.triggers.troubles

    await rig.use(NEVER)
    await rig.tick()
    await rig.triggers.use([])
    assert not rig.triggers.troubles


async def test_a_fault_of_the_app_with_one_event_does_not_lose_those_behind_it():
    rig = Rig()
    rig.trouble = [ZeroDivisionError("a fault")]
    await rig.use(ON_ALARM)
    rig.triggers.alarms([alarm("first"), alarm("second"), alarm("third")])

    assert await rig.tick() == 2
    assert [each.why for each in rig.triggers.refusals.of("demo")] == ["ZeroDivisionError: a fault"]


async def test_a_time_missed_while_the_app_was_down_is_made_up_for():
    rig = Rig()
    await rig.clock.advance(300)
    await rig.use(NOON)

    assert await rig.tick() == 1


async def test_of_several_orchestrators_only_the_leader_heeds_alarms_and_times():
    rig = Rig()
    rig.is_leader = False
    await rig.use(ON_ALARM, NOON)
    rig.triggers.alarms([alarm()])
    waited = [await rig.tick(30) for _ in range(5)]
    rig.is_leader = True

    assert waited == [0] * 5
    assert await rig.tick() == 1
    assert [by.kind for _, _, by in rig.started.values()] == ["schedule"]


async def test_the_end_of_a_run_is_heeded_by_who_carried_it_out():
    rig = Rig()
    rig.is_leader = False
    await rig.use(ON_END)
    rig.triggers.run_ended(run("a"))

    assert await rig.tick() == 1


@pytest.fixture
async def online(connected_settings: Settings) -> AsyncIterator[Rig]:
    rig = Rig(connected_settings)
    await rig.use(ON_MESSAGE, Trigger(TriggerKind.MQTT, topic="line/#", when="event.payload.n > 1"))
    await rig.triggers.start()
    for bus in rig.buses:
        await bus.wait_connected(10)
    yield rig
    await rig.triggers.stop()


async def test_a_message_starts_a_run_of_each_trigger_it_fits(
    online: Rig, connected_settings: Settings
):
    with peer(broker_address(connected_settings.broker).port, "line") as outside:
        await outside.connected()
        await outside.publish("line/1/done", b'{"n": 1}')
        await outside.publish("line/1/done", b'{"n": 2}')
        await outside.publish("line/1/done", b"no json")
        await eventually(
            lambda: len(online.started) == 3 and len(online.triggers.refusals.of("demo")) == 2
        )

    assert sorted(str(given) for _, given, _ in online.started.values()) == [
        "{'n': 1}",
        "{'n': 2}",
        "{}",
    ]


async def test_a_message_that_was_kept_before_starts_nothing(connected_settings: Settings):
    rig = Rig(connected_settings)
    await rig.use(Trigger(TriggerKind.MQTT, topic="line/2/kept", input={}))
    with peer(broker_address(connected_settings.broker).port, "line") as outside:
        await outside.connected()
        await outside.publish("line/2/kept", b'{"n": 5}', retain=True)
        await rig.triggers.start()
        await rig.buses[0].wait_connected(10)
        await outside.publish("line/2/kept", b'{"n": 0}')
        await eventually(lambda: rig.started)
        await rig.triggers.stop()
        await outside.publish("line/2/kept", b"", retain=True)

    (started,) = rig.started.values()
    assert started[2].event == {"topic": "line/2/kept", "payload": {"n": 0}}


@pytest.fixture
async def pair(connected_settings: Settings) -> AsyncIterator[tuple[Rig, Rig]]:
    """Two orchestrators of one database, of which the first is the leader."""
    first, second = Rig(connected_settings), Rig(connected_settings)
    second.session = first.session
    second.is_leader = False
    for rig in (first, second):
        await rig.use(ON_MESSAGE)
        await rig.triggers.start()
    await first.buses[-1].wait_connected(10)
    yield first, second
    for rig in (first, second):
        await rig.triggers.stop()


def numbers(*rigs: Rig) -> list[int]:
    """Return what was started by each, in order of the number."""
    return sorted(given["n"] for rig in rigs for _, given, _ in rig.started.values())


async def lead(rig: Rig, *, is_leader: bool) -> None:
    """Make an orchestrator the leader, or let it be one no more."""
    rig.is_leader = is_leader
    await rig.triggers.lead()
    if is_leader:
        await rig.buses[-1].wait_connected(10)


async def test_what_comes_while_nobody_leads_is_taken_by_the_next_leader(
    pair: tuple[Rig, Rig], connected_settings: Settings
):
    first, second = pair
    with peer(broker_address(connected_settings.broker).port, "between") as outside:
        await outside.connected()
        await outside.publish("line/1/done", b'{"n": 1}')
        await eventually(lambda: first.started)
        await lead(first, is_leader=False)
        for number in (2, 3, 4):
            await outside.publish("line/1/done", b'{"n": %d}' % number)
        await lead(second, is_leader=True)
        await outside.publish("line/1/done", b'{"n": 5}')
        await eventually(lambda: len(second.started) == 4)

    assert (numbers(first), numbers(second)) == ([1], [2, 3, 4, 5])


async def test_what_a_leader_had_in_hand_when_it_lost_the_lead_goes_to_the_next(
    pair: tuple[Rig, Rig], connected_settings: Settings
):
    first, second = pair
    first.is_leader = False  # it does not know yet, so it is connected all the same
    with peer(broker_address(connected_settings.broker).port, "between") as outside:
        await outside.connected()
        await outside.publish("line/1/done", b'{"n": 1}')
        await lead(second, is_leader=True)
        await lead(first, is_leader=False)
        await outside.publish("line/1/done", b'{"n": 2}')
        await eventually(lambda: len(second.started) >= 2, 60)

    assert (numbers(first), numbers(second)) == ([], [1, 2])


async def test_a_leader_that_comes_back_is_heard_once(
    pair: tuple[Rig, Rig], connected_settings: Settings
):
    first, second = pair
    with peer(broker_address(connected_settings.broker).port, "between") as outside:
        await outside.connected()
        for number in range(6):
            winner, loser = (first, second) if number % 2 else (second, first)
            await lead(loser, is_leader=False)
            await outside.publish("line/1/done", b'{"n": %d}' % number)
            await lead(winner, is_leader=True)
        await eventually(lambda: len(numbers(first, second)) >= 6, 60)

    assert numbers(first, second) == [0, 1, 2, 3, 4, 5]
