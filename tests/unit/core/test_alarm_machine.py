"""The alarm state machine: its table, and what must hold for any history of events."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.core.alarm import AlarmState
from app.core.alarm_machine import (
    HIDDEN_STATES,
    PROCESS_EVENTS,
    TABLE,
    AlarmEvent,
    Snapshot,
    transition,
    why_refused,
    words,
)
from app.core.errors import ConflictError

DOCS = Path(__file__).parents[3] / "docs" / "alarms.md"
LEAVES = (
    AlarmEvent.UNSHELVE,
    AlarmEvent.EXPIRE,
    AlarmEvent.UNSUPPRESS,
    AlarmEvent.RETURN_TO_SERVICE,
)


def after(snapshot: Snapshot, *events: AlarmEvent) -> Snapshot:
    for event in events:
        snapshot, _ = transition(snapshot, event)
    return snapshot


NORMAL = Snapshot()
UNACK = after(NORMAL, AlarmEvent.RAISE)
LATCHING = Snapshot(latching=True)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((AlarmEvent.RAISE,), AlarmState.UNACK),
        ((AlarmEvent.RAISE, AlarmEvent.ACKNOWLEDGE), AlarmState.ACK),
        ((AlarmEvent.RAISE, AlarmEvent.RETURN), AlarmState.RTN_UNACK),
        ((AlarmEvent.RAISE, AlarmEvent.RETURN, AlarmEvent.ACKNOWLEDGE), AlarmState.NORMAL),
        ((AlarmEvent.RAISE, AlarmEvent.ACKNOWLEDGE, AlarmEvent.RETURN), AlarmState.NORMAL),
        ((AlarmEvent.RAISE, AlarmEvent.RETURN, AlarmEvent.RAISE), AlarmState.UNACK),
        ((AlarmEvent.RAISE, AlarmEvent.ACKNOWLEDGE, AlarmEvent.ESCALATE), AlarmState.UNACK),
        ((AlarmEvent.RAISE, AlarmEvent.ACKNOWLEDGE, AlarmEvent.RAISE), AlarmState.ACK),
        ((AlarmEvent.RETURN,), AlarmState.NORMAL),
    ],
)
def test_process_and_acknowledgement_lead_to_the_state_of_the_standard(
    events: tuple[AlarmEvent, ...], state: AlarmState
) -> None:
    assert after(NORMAL, *events).state is state


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((AlarmEvent.RAISE, AlarmEvent.RETURN), AlarmState.LATCHED),
        ((AlarmEvent.RAISE, AlarmEvent.ACKNOWLEDGE, AlarmEvent.RETURN), AlarmState.LATCHED),
        (
            (AlarmEvent.RAISE, AlarmEvent.RETURN, AlarmEvent.ACKNOWLEDGE, AlarmEvent.RESET),
            AlarmState.NORMAL,
        ),
        ((AlarmEvent.RAISE, AlarmEvent.RETURN, AlarmEvent.RAISE), AlarmState.UNACK),
    ],
)
def test_a_latching_alarm_stays_until_it_is_reset(
    events: tuple[AlarmEvent, ...], state: AlarmState
) -> None:
    assert after(LATCHING, *events).state is state


def test_a_latched_alarm_is_not_reset_before_it_is_acknowledged() -> None:
    latched = after(LATCHING, AlarmEvent.RAISE, AlarmEvent.RETURN)
    with pytest.raises(ConflictError, match="acknowledge it first"):
        transition(latched, AlarmEvent.RESET)


def test_a_latched_alarm_is_acknowledged_once() -> None:
    latched = after(LATCHING, AlarmEvent.RAISE, AlarmEvent.RETURN, AlarmEvent.ACKNOWLEDGE)
    with pytest.raises(ConflictError, match="already acknowledged"):
        transition(latched, AlarmEvent.ACKNOWLEDGE)


@pytest.mark.parametrize(
    ("hide", "leave"),
    [
        (AlarmEvent.SHELVE, AlarmEvent.UNSHELVE),
        (AlarmEvent.SHELVE, AlarmEvent.EXPIRE),
        (AlarmEvent.SUPPRESS, AlarmEvent.UNSUPPRESS),
        (AlarmEvent.OUT_OF_SERVICE, AlarmEvent.RETURN_TO_SERVICE),
    ],
)
@pytest.mark.parametrize(
    ("before", "meanwhile", "state"),
    [
        ((), (), AlarmState.NORMAL),
        ((), (AlarmEvent.RAISE,), AlarmState.UNACK),
        ((), (AlarmEvent.RAISE, AlarmEvent.RETURN), AlarmState.NORMAL),
        ((AlarmEvent.RAISE,), (), AlarmState.UNACK),
        ((AlarmEvent.RAISE,), (AlarmEvent.RETURN,), AlarmState.RTN_UNACK),
        (
            (AlarmEvent.RAISE,),
            (AlarmEvent.RETURN, AlarmEvent.RAISE, AlarmEvent.RETURN),
            AlarmState.RTN_UNACK,
        ),
        ((AlarmEvent.RAISE, AlarmEvent.ACKNOWLEDGE), (), AlarmState.ACK),
        ((AlarmEvent.RAISE, AlarmEvent.ACKNOWLEDGE), (AlarmEvent.RETURN,), AlarmState.NORMAL),
        (
            (AlarmEvent.RAISE, AlarmEvent.ACKNOWLEDGE),
            (AlarmEvent.RETURN, AlarmEvent.RAISE),
            AlarmState.UNACK,
        ),
        ((AlarmEvent.RAISE, AlarmEvent.ACKNOWLEDGE), (AlarmEvent.ESCALATE,), AlarmState.UNACK),
    ],
)
def test_leaving_a_hidden_state_shows_what_is_true_by_then(
    hide: AlarmEvent,
    leave: AlarmEvent,
    before: tuple[AlarmEvent, ...],
    meanwhile: tuple[AlarmEvent, ...],
    state: AlarmState,
) -> None:
    assert after(NORMAL, *before, hide, *meanwhile, leave).state is state


def test_a_latching_alarm_that_came_and_went_while_hidden_is_latched() -> None:
    hidden = after(LATCHING, AlarmEvent.SHELVE, AlarmEvent.RAISE, AlarmEvent.RETURN)
    assert after(hidden, AlarmEvent.EXPIRE).state is AlarmState.LATCHED


def test_a_condition_that_comes_while_hidden_is_journalled_and_not_announced() -> None:
    shelved = after(NORMAL, AlarmEvent.SHELVE)
    _, effects = transition(shelved, AlarmEvent.RAISE)
    assert [(effect.old, effect.new, effect.announces) for effect in effects] == [
        (AlarmState.SHELVED, AlarmState.SHELVED, False)
    ]


@pytest.mark.parametrize("event", [AlarmEvent.RAISE, AlarmEvent.RETURN])
def test_a_finding_stated_again_has_no_effect(event: AlarmEvent) -> None:
    snapshot = after(NORMAL, AlarmEvent.RAISE, event)
    assert transition(snapshot, event) == (snapshot, ())


def test_a_rise_in_priority_is_announced_again_even_while_unacknowledged() -> None:
    _, effects = transition(UNACK, AlarmEvent.ESCALATE)
    assert effects[0].announces


def test_a_refusal_says_what_may_be_done_instead() -> None:
    with pytest.raises(ConflictError, match="normal") as caught:
        transition(NORMAL, AlarmEvent.ACKNOWLEDGE)
    assert "shelve" in caught.value.hint
    assert "acknowledge" not in caught.value.hint


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (state, event)
        for state, event in itertools.product(AlarmState, AlarmEvent)
        if event not in TABLE[state]
    ],
)
def test_what_the_table_lacks_is_refused(state: AlarmState, event: AlarmEvent) -> None:
    with pytest.raises(ConflictError):
        transition(Snapshot(state=state), event)


def test_events_of_the_process_are_never_refused() -> None:
    assert all(TABLE[state].keys() >= PROCESS_EVENTS for state in AlarmState)


def test_the_table_in_the_docs_is_the_table_in_the_code() -> None:
    printed = {line for line in DOCS.read_text().splitlines() if line.startswith("| **")}
    assert printed == set(_table_lines())


def _table_lines() -> list[str]:
    """Print the table as docs/alarms.md has it; paste from here after a change."""
    return [
        f"| **{words(state)}** | "
        + " | ".join(_cell(TABLE[state].get(event, ())) for event in AlarmEvent)
        + " |"
        for state in AlarmState
    ]


def _cell(states: tuple[AlarmState, ...]) -> str:
    visible = set(AlarmState) - HIDDEN_STATES
    named = " or ".join(words(state) for state in states) or "refused"
    return "by the facts" if set(states) == visible else named


class Histories(RuleBasedStateMachine):
    """Any order of events, against a plain model of what is known."""

    def __init__(self) -> None:
        super().__init__()
        self.now = Snapshot()
        self.present = False
        self.must_be_acknowledged = False
        self.seen: list[AlarmEvent] = []

    @rule(latching=st.booleans())
    @precondition(lambda self: not self.present)
    def latching_changes(self, latching: bool) -> None:
        self.now = replace(self.now, latching=latching)

    @rule(event=st.sampled_from(AlarmEvent))
    def happens(self, event: AlarmEvent) -> None:
        refusal = why_refused(self.now, event)
        if refusal:
            with pytest.raises(ConflictError):
                transition(self.now, event)
            return
        before, (self.now, effects) = self.now, transition(self.now, event)
        assert self.now.state in TABLE[before.state][event]
        assert bool(effects) or self.now == before
        assert all((each.old, each.new) == (before.state, self.now.state) for each in effects)
        self._remember(before, event)

    def _remember(self, before: Snapshot, event: AlarmEvent) -> None:
        self.seen.append(event)
        comes = event in {AlarmEvent.RAISE, AlarmEvent.ESCALATE}
        self.present = comes or (self.present and event is not AlarmEvent.RETURN)
        visible = before.state not in HIDDEN_STATES
        if visible and comes and self.now.state is AlarmState.UNACK:
            self.must_be_acknowledged = True
        if self.now.state is AlarmState.UNACK:
            self.must_be_acknowledged = True
        if event is AlarmEvent.ACKNOWLEDGE:
            self.must_be_acknowledged = False

    @invariant()
    def the_condition_is_known_in_every_state(self) -> None:
        assert self.now.active == self.present

    @invariant()
    def what_was_shown_unacknowledged_never_becomes_normal_unseen(self) -> None:
        assert not (self.must_be_acknowledged and self.now.state is AlarmState.NORMAL)

    @invariant()
    def what_is_present_and_not_hidden_is_shown(self) -> None:
        shown = self.now.state in {AlarmState.UNACK, AlarmState.ACK}
        assert shown == (self.present and self.now.state not in HIDDEN_STATES)

    @invariant()
    def a_hidden_alarm_can_be_left(self) -> None:
        ways = [event for event in LEAVES if not why_refused(self.now, event)]
        assert bool(ways) == (self.now.state in HIDDEN_STATES)
        assert all(transition(self.now, way)[0].state not in HIDDEN_STATES for way in ways)


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
