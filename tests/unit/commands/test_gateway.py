"""The gateway with no broker at hand: what it keeps, refuses, lets wait, and lets expire."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import msgspec
import pytest

from app.clock import ManualClock
from app.core.actor import Actor, Role
from app.core.command import CommandState
from app.core.errors import ConflictError, InputError, NotFoundError, StoreError
from app.core.reading import Quality
from app.settings import Settings
from tests.unit.commands.rig import (
    ANN,
    BOB,
    FREE,
    LOCKED,
    MEASURED,
    SPEED,
    TWO,
    UNIT,
    Rig,
    offline,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
S = CommandState


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
async def rig(settings: Settings, clock: ManualClock) -> AsyncGenerator[Rig]:
    async with offline(settings, clock) as made:
        yield made


async def test_without_an_actuator_a_command_waits_and_says_for_whom(rig: Rig):
    command = await rig.ask()

    assert command.state is S.REQUESTED
    assert "broker is away" in command.reason


async def test_it_is_on_disk_and_in_the_audit_before_anything_is_sent(rig: Rig):
    command = await rig.ask()

    assert await rig.gateway.get(command.id) == command
    assert rig.actions() == [("command", "ann", "done")]


async def test_it_remembers_what_the_tag_showed_and_who_asked(rig: Rig):
    command = await rig.ask(SPEED, 900.0, Actor("ann", "ui", Role.SUPERVISOR))

    assert (command.before, command.unit, command.why) == (1000.0, "1/min", "too hot")
    assert (command.requested_by, command.role) == ("ann", Role.SUPERVISOR)


async def test_when_its_time_is_over_it_expires_and_was_never_sent(rig: Rig, clock: ManualClock):
    command = await rig.ask(expires_s=5)
    await clock.advance(5)
    await rig.gateway.step()

    ended = await rig.gateway.get(command.id)
    assert (ended.state, ended.sent_at) == (S.EXPIRED, None)
    assert "broker is away" in ended.reason


async def test_it_expires_when_nobody_approves(rig: Rig, clock: ManualClock):
    command = await rig.ask(TWO)
    await clock.advance(600)
    await rig.gateway.step()

    ended = await rig.gateway.get(command.id)
    assert (ended.state, ended.reason) == (S.EXPIRED, "Nobody approved it in time")


@pytest.mark.parametrize(
    ("tag", "value", "actor", "words"),
    [
        ("a/b/c/d/e", 1.0, ANN, "is not known"),
        (MEASURED, 1.0, ANN, "nobody may change it"),
        (SPEED, 1501.0, ANN, "Must be between 0 and 1500"),
        (SPEED, 900.0, Actor("guest", "ui", Role.VIEWER), "Needs the role operator"),
        (TWO, 900.0, Actor("ann", "mqtt"), "May come from"),
    ],
)
async def test_what_fails_a_check_is_rejected_with_the_reason(
    rig: Rig, tag: str, value: float, actor: Actor, words: str
):
    command = await rig.ask(tag, value, actor)

    assert command.state is S.REJECTED
    assert words in command.reason
    assert rig.actions() == [("command", actor.name, "refused")]


@pytest.mark.parametrize(
    ("value", "quality"), [(1.0, Quality.GOOD), (0.0, Quality.UNCERTAIN), (0.0, Quality.BAD)]
)
async def test_an_interlock_that_does_not_hold_rejects(rig: Rig, value: float, quality: Quality):
    rig.plant.show(LOCKED, value, quality)

    command = await rig.ask(SPEED, 900.0)

    assert command.state is S.REJECTED
    assert "local must be == 0" in command.reason


async def test_every_check_is_told_before_anything_is_asked(rig: Rig):
    rig.plant.show(LOCKED, 1.0)

    checks = await rig.gateway.checks(SPEED, 2000.0, ANN)

    assert {check.name for check in checks if not check.ok} == {"range", "interlock"}
    assert await rig.gateway.find() == []


async def test_the_same_id_again_is_the_same_command(rig: Rig):
    first = await rig.ask(id="c1")
    second = await rig.ask(id="c1")

    assert first == second
    assert len(await rig.gateway.find()) == 1


@pytest.mark.parametrize(("tag", "value"), [(FREE, 2.0), (SPEED, 1.0)])
async def test_the_same_id_with_something_else_is_refused(rig: Rig, tag: str, value: float):
    await rig.ask(id="c1")

    with pytest.raises(ConflictError, match="choose another id"):
        await rig.ask(tag, value, id="c1")


@pytest.mark.parametrize("name", ["a/b", "a b", "x" * 121])
async def test_an_id_that_is_no_segment_is_refused(rig: Rig, name: str):
    with pytest.raises(InputError, match="id:"):
        await rig.ask(id=name)


async def test_if_the_intent_cannot_be_noted_the_command_is_refused(rig: Rig):
    rig.audit.close()

    command = await rig.ask()

    assert command.state is S.REJECTED
    assert "Not audited" in command.reason
    rig.audit.open()


async def test_if_the_row_cannot_be_kept_nothing_is_noted_and_the_caller_told(rig: Rig):
    await rig.gateway.stop()

    with pytest.raises(StoreError):
        await rig.ask()
    assert rig.actions() == []


async def test_a_tag_that_one_must_confirm_waits_without_a_word(rig: Rig):
    assert (await rig.ask(SPEED, 900.0)).state is S.AWAITING_APPROVAL


async def test_and_does_not_wait_with_the_word_of_the_one_who_asks(rig: Rig):
    command = await rig.ask(SPEED, 900.0, confirmed=True)

    assert (command.state, command.approved_by) == (S.REQUESTED, "ann")


async def test_the_word_of_a_program_is_no_confirmation(rig: Rig):
    command = await rig.ask(SPEED, 900.0, Actor("script", "mqtt"), confirmed=True)

    assert command.state is S.AWAITING_APPROVAL


async def test_two_persons_are_two(rig: Rig):
    command = await rig.ask(TWO, confirmed=True)

    with pytest.raises(ConflictError, match="another person"):
        await rig.gateway.approve(command.id, ANN)
    approved = await rig.gateway.approve(command.id, BOB, "agreed")

    assert (approved.approved_by, approved.state) == ("bob", S.AWAITING_APPROVAL)
    assert ("approve command", "ann", "refused") in rig.actions()
    assert ("approve command", "bob", "done") in rig.actions()


async def test_what_no_longer_passes_when_it_is_approved_is_rejected(rig: Rig):
    command = await rig.ask(SPEED, 900.0)
    rig.plant.show(LOCKED, 1.0)

    approved = await rig.gateway.approve(command.id, BOB)

    assert (approved.state, "local" in approved.reason) == (S.REJECTED, True)


async def test_what_no_longer_passes_while_it_waits_for_an_actuator_is_rejected(rig: Rig):
    command = await rig.ask(SPEED, 900.0, confirmed=True)
    rig.plant.show(LOCKED, 1.0)
    await rig.gateway.step()

    assert (await rig.gateway.get(command.id)).state is S.REJECTED


async def test_an_approval_that_cannot_be_noted_is_none(rig: Rig):
    command = await rig.ask(TWO)
    rig.audit.close()

    with pytest.raises(StoreError):
        await rig.gateway.approve(command.id, BOB)

    assert (await rig.gateway.get(command.id)).approved_by == ""
    rig.audit.open()


async def test_a_person_may_reject_with_a_note(rig: Rig):
    command = await rig.ask(TWO)

    rejected = await rig.gateway.reject(command.id, BOB, "not now")

    assert (rejected.state, rejected.reason) == (S.REJECTED, "bob rejected it: not now")
    with pytest.raises(ConflictError):
        await rig.gateway.approve(command.id, BOB)


async def test_what_is_not_there_is_not_found(rig: Rig):
    with pytest.raises(NotFoundError):
        await rig.gateway.get("nothing")
    with pytest.raises(NotFoundError):
        await rig.gateway.approve("nothing", BOB)
    with pytest.raises(NotFoundError):
        await rig.gateway.changes("nothing")


async def test_every_change_is_told_and_kept(rig: Rig, clock: ManualClock):
    command = await rig.ask(TWO, expires_s=60)
    await clock.advance(60)
    await rig.gateway.step()

    states = [S.REQUESTED, S.AWAITING_APPROVAL, S.EXPIRED]
    assert [each.state for each in rig.told] == states
    assert [each.new for each in await rig.gateway.changes(command.id)] == states


async def test_after_a_restart_open_commands_are_taken_up_again(
    settings: Settings, clock: ManualClock
):
    async with offline(settings, clock) as first:
        waiting = await first.ask()
        approval = await first.ask(TWO, expires_s=60)
    async with offline(settings, clock) as second:
        second.plant.show(LOCKED, 0.0)
        await second.gateway.step()
        states = [(await second.gateway.get(each.id)).state for each in (waiting, approval)]
        await clock.advance(60)
        await second.gateway.step()
        ended = [(await second.gateway.get(each.id)).state for each in (waiting, approval)]

    assert states == [S.REQUESTED, S.AWAITING_APPROVAL]
    assert ended == [S.EXPIRED, S.EXPIRED]


async def test_what_a_crash_left_without_an_intent_is_noted_before_it_is_sent(
    rig: Rig, settings: Settings, clock: ManualClock
):
    await rig.ask(id="c1")
    async with offline(settings.model_copy(), clock) as second:
        second.audit.close()
        await second.gateway.step()
        found = await second.gateway.get("c1")

    assert (found.state, "Not audited" in found.reason) == (S.REJECTED, True)


async def test_after_a_restart_nothing_is_judged_before_the_plant_was_heard(
    settings: Settings, clock: ManualClock
):
    async with offline(settings, clock) as first:
        waiting = await first.ask(SPEED, 900.0, confirmed=True)
    await clock.advance(1)
    async with offline(settings, clock, settle_s=20) as second:
        second.plant.show(LOCKED, 0.0, Quality.UNCERTAIN)
        await second.gateway.step()
        early = await second.gateway.get(waiting.id)
        await clock.advance(20)
        await second.gateway.step()
        late = await second.gateway.get(waiting.id)

    assert (early.state, late.state) == (S.REQUESTED, S.REJECTED)


async def test_at_the_start_recent_units_are_stated_without_a_condition(
    settings: Settings, clock: ManualClock
):
    async with offline(settings, clock) as first:
        await first.ask()
    async with offline(settings, clock) as second:
        stated = [(each.equipment, each.priority) for each in second.findings]

    assert stated == [(UNIT, None)]


async def test_a_command_survives_the_way_to_a_reader(rig: Rig):
    command = await rig.ask(SPEED, 900.0)

    assert msgspec.json.decode(msgspec.json.encode(command), type=type(command)) == command
