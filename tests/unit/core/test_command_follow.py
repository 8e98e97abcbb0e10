"""What is to be done with a command next, and what an answer makes of it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.alarm import Priority
from app.core.command import ENDED, AckState, Command, CommandAck, CommandState, may_become
from app.core.command_check import Seen
from app.core.command_follow import (
    NextStep,
    Settled,
    dated_anew,
    next_step,
    settle,
    unknown_finding,
    verify,
    verify_path,
)
from app.core.equipment import Tag
from app.core.reading import Quality, Reading
from app.core.write_rule import WriteRule

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNIT = "riverside/utilities/cooling/pump-101"
SPEED = f"{UNIT}/speed_setpoint"
GRACE_S = 5.0
S = CommandState


def command(state: CommandState = S.DISPATCHED, left_s: float = 60.0) -> Command:
    return Command(
        "c1", SPEED, 900.0, "ann", "ui", NOW, NOW + timedelta(seconds=left_s), state,
        changed_at=NOW, actuator="actuator/1",
    )  # fmt: skip


def ack(state: AckState, actuator: str = "actuator/1", at: datetime = NOW) -> CommandAck:
    return CommandAck("c1", state, actuator, at, "because")


@pytest.mark.parametrize(
    ("state", "left_s", "step"),
    [
        (S.REQUESTED, 1, NextStep.SEND),
        (S.REQUESTED, 0, NextStep.EXPIRE),
        (S.AWAITING_APPROVAL, 1, NextStep.WAIT),
        (S.AWAITING_APPROVAL, 0, NextStep.EXPIRE),
        (S.DISPATCHED, 1, NextStep.WAIT),
        (S.DISPATCHED, 0, NextStep.WAIT),
        (S.DISPATCHED, -4.9, NextStep.WAIT),
        (S.DISPATCHED, -5, NextStep.ASK),
        (S.ACKNOWLEDGED, 1, NextStep.VERIFY),
        (S.UNKNOWN, -60, NextStep.ASK),
        (S.VERIFIED, -60, NextStep.WAIT),
        (S.REJECTED, -60, NextStep.WAIT),
        (S.EXPIRED, -60, NextStep.WAIT),
    ],
)
def test_each_state_has_its_next_step(state: CommandState, left_s: float, step: NextStep):
    assert next_step(command(state, left_s), NOW, GRACE_S) is step


@pytest.mark.parametrize("ahead_s", [-3600.0, 0.0, 10.0])
def test_a_clock_that_was_not_set_back_dates_nothing_anew(ahead_s: float):
    assert dated_anew(command(), NOW - timedelta(seconds=ahead_s)) is None


@pytest.mark.parametrize("left_s", [60.0, -5.0])
def test_after_a_clock_was_set_back_a_state_lasts_no_longer_than_from_its_beginning(left_s: float):
    sent = msgspec.structs.replace(command(left_s=left_s), sent_at=NOW)
    now = NOW - timedelta(hours=1)

    anew = dated_anew(sent, now)

    assert anew is not None
    assert (anew.changed_at, anew.sent_at) == (now, now)
    assert anew.expires_at == now + timedelta(seconds=max(left_s, 0.0))


def test_what_was_approved_is_sent():
    approved = msgspec.structs.replace(command(S.AWAITING_APPROVAL), approved_by="bob")

    assert next_step(approved, NOW, GRACE_S) is NextStep.SEND


def test_of_what_the_actuator_did_only_the_plant_can_tell_more():
    done = msgspec.structs.replace(command(S.UNKNOWN), acknowledged_at=NOW)

    assert next_step(done, NOW, GRACE_S) is NextStep.VERIFY


@given(state=st.sampled_from(list(S)), left_s=st.floats(-1e6, 1e6), approved=st.booleans())
def test_what_was_sent_is_never_sent_again(state: CommandState, left_s: float, approved: bool):
    wanted = msgspec.structs.replace(command(state, left_s), approved_by="bob" * approved)
    is_new = state in {S.REQUESTED, S.AWAITING_APPROVAL}

    assert next_step(wanted, NOW, GRACE_S) is not NextStep.SEND or (is_new and left_s > 0)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (AckState.DONE, S.ACKNOWLEDGED),
        (AckState.REFUSED, S.REJECTED),
        (AckState.UNKNOWN, S.UNKNOWN),
    ],
)
def test_an_answer_settles_what_was_sent(answer: AckState, state: CommandState):
    settled = settle(command(), ack(answer), NOW)

    assert settled
    assert settled.state is state


def test_what_the_actuator_refused_after_its_time_has_expired():
    settled = settle(command(left_s=1), ack(AckState.REFUSED, at=NOW + timedelta(seconds=1)), NOW)

    assert settled
    assert settled.state is S.EXPIRED


def test_what_is_being_done_waits():
    assert settle(command(), ack(AckState.STARTED), NOW) is None


@pytest.mark.parametrize(("left_s", "expires"), [(1, False), (0, True), (-60, True)])
def test_what_the_actuator_never_had_expires_with_its_time(left_s: float, expires: bool):
    settled = settle(command(left_s=left_s), ack(AckState.ABSENT), NOW)

    assert (settled is not None and settled.state is S.EXPIRED) is expires


@pytest.mark.parametrize("answer", list(AckState))
def test_the_answer_of_another_actuator_counts_for_nothing(answer: AckState):
    assert settle(command(left_s=-9), ack(answer, "actuator/2"), NOW) is None


@pytest.mark.parametrize("state", sorted((ENDED - {S.UNKNOWN}) | {S.REQUESTED, S.ACKNOWLEDGED}))
@pytest.mark.parametrize("answer", list(AckState))
def test_an_answer_to_what_does_not_wait_for_one_counts_for_nothing(
    state: CommandState, answer: AckState
):
    assert settle(command(state, -9), ack(answer), NOW) is None


@given(
    state=st.sampled_from(list(S)),
    answer=st.sampled_from(list(AckState)),
    left_s=st.floats(-1e6, 1e6),
)
def test_every_settlement_is_a_step_the_life_of_a_command_has(
    state: CommandState, answer: AckState, left_s: float
):
    settled = settle(command(state, left_s), ack(answer), NOW)

    assert settled is None or may_become(state, settled.state)


RULE = WriteRule(tolerance=5.0, verify_s=10.0)
TAG = Tag(path=SPEED, high=1500, write=RULE)


def seen(value: float | None, after_s: float, quality: Quality = Quality.GOOD) -> Seen:
    at = NOW + timedelta(seconds=after_s)
    return Seen(TAG, Reading(SPEED, value, quality, at, at))


def verified(
    shown: Seen,
    now_s: float,
    state: CommandState = S.ACKNOWLEDGED,
    *,
    heard_s: float = 0.0,
    is_last: bool = True,
) -> Settled | None:
    now, since = NOW + timedelta(seconds=now_s), NOW + timedelta(seconds=heard_s)
    return verify(command(state), RULE, shown, now, since=since, is_last=is_last)


@pytest.mark.parametrize("state", [S.ACKNOWLEDGED, S.UNKNOWN])
@pytest.mark.parametrize("value", [895, 900, 905])
def test_a_value_within_tolerance_after_the_ack_verifies(value: float, state: CommandState):
    assert verified(seen(value, 1), 1, state) == Settled(S.VERIFIED)


NOT_SHOWN = [
    seen(894.9, 1),
    seen(905.1, 1),
    seen(900, 0),
    seen(900, -1),
    seen(900, 1, Quality.UNCERTAIN),
    seen(900, 1, Quality.BAD),
    seen(None, 1, Quality.BAD),
    Seen(TAG, None),
    Seen(),
]


@pytest.mark.parametrize("shown", NOT_SHOWN)
def test_anything_else_waits(shown: Seen):
    assert verified(shown, 2) is None


@pytest.mark.parametrize("shown", NOT_SHOWN)
def test_and_is_unknown_when_the_time_of_the_rule_is_over(shown: Seen):
    settled = verified(shown, 10)

    assert settled
    assert settled.state is S.UNKNOWN
    assert "speed_setpoint" in settled.reason


@pytest.mark.parametrize(("now_s", "waits"), [(3609, True), (3610, False)])
def test_after_a_restart_the_plant_has_its_time_again(now_s: float, waits: bool):
    assert (verified(Seen(TAG), now_s, heard_s=3600) is None) is waits


@pytest.mark.parametrize("shown", NOT_SHOWN)
def test_and_stays_unknown_without_a_further_step(shown: Seen):
    assert verified(shown, 10_000, S.UNKNOWN) is None


def test_a_value_that_a_later_command_may_have_set_verifies_nothing():
    settled = verified(seen(900, 1), 1, is_last=False)

    assert settled
    assert settled.state is S.UNKNOWN


def test_the_tag_that_shows_the_effect_is_of_the_same_unit():
    assert verify_path(command(), WriteRule(verify_tag="speed")) == f"{UNIT}/speed"
    assert verify_path(command(), WriteRule()) == SPEED
    assert verify_path(command(), None) == SPEED


def test_the_finding_names_tag_and_value_and_latches():
    finding = unknown_finding(UNIT, [command(S.UNKNOWN)], NOW)

    assert (finding.priority, finding.latching) == (Priority.HIGH, True)
    assert "speed_setpoint" in finding.message
    assert "900" in finding.message


@pytest.mark.parametrize(
    ("unit", "words"), [("Cel", "900 °C"), ("1", "900"), ("{rev}/min", "900 rpm")]
)
def test_the_finding_writes_the_unit_as_instruments_do(unit: str, words: str):
    asked = msgspec.structs.replace(command(S.UNKNOWN), unit=unit)
    assert unknown_finding(UNIT, [asked], NOW).message.endswith(f"was set to {words}")


def test_without_an_unknown_command_the_condition_is_absent():
    finding = unknown_finding(UNIT, [], NOW)

    assert finding.priority is None
    assert finding.key == unknown_finding(UNIT, [command(S.UNKNOWN)], NOW).key
