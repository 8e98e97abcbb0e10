"""The alarm state machine of ISA-18.2 as a table and a pure function.

An alarm is four facts and a hiding place. The facts (is the condition present, is an
acknowledgement owed, is the latch set) decide which of the five visible states it is in;
shelving, suppression by design and out of service lie over them and hide it. The facts go on
being kept while it is hidden, so that leaving gives the state that is right by then.
The table says which state may follow which event, docs/alarms.md prints it, a test compares.

Two rules go beyond the standard's figure. A condition that came and went wholly while hidden
leaves no acknowledgement behind (the journal has both lines), unless it latches. An
acknowledgement owed before hiding stays owed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never

from app.core.alarm import AlarmState
from app.core.errors import ConflictError


class AlarmEvent(StrEnum):
    """What can happen to an alarm; the first three come from the process."""

    RAISE = "raise"
    ESCALATE = "escalate"
    RETURN = "return"
    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    EXPIRE = "expire"
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    OUT_OF_SERVICE = "out_of_service"
    RETURN_TO_SERVICE = "return_to_service"
    RESET = "reset"


PROCESS_EVENTS = frozenset({AlarmEvent.RAISE, AlarmEvent.ESCALATE, AlarmEvent.RETURN})
HIDDEN_STATES = frozenset(
    {AlarmState.SHELVED, AlarmState.SUPPRESSED_BY_DESIGN, AlarmState.OUT_OF_SERVICE}
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All the machine knows of one alarm.

    Attributes:
        state: ISA-18.2 state.
        active: The condition is present.
        owes: An acknowledgement is owed.
        latched: The latch is set; a person must reset it.
        raised_hidden: The acknowledgement is owed only for something that happened while hidden.
        latching: This alarm sets its latch when it is raised.
    """

    state: AlarmState = AlarmState.NORMAL
    active: bool = False
    owes: bool = False
    latched: bool = False
    raised_hidden: bool = False
    latching: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """One line for the journal.

    Attributes:
        event: What happened.
        old: State before.
        new: State after; the same as `old` for a condition that comes or goes while hidden.
        announces: The operator's attention is due: sound, blink, flood count.
    """

    event: AlarmEvent
    old: AlarmState
    new: AlarmState
    announces: bool


_S, _E = AlarmState, AlarmEvent
_VISIBLE = (_S.NORMAL, _S.UNACK, _S.ACK, _S.RTN_UNACK, _S.LATCHED)
_HIDE = {
    _E.SHELVE: (_S.SHELVED,),
    _E.SUPPRESS: (_S.SUPPRESSED_BY_DESIGN,),
    _E.OUT_OF_SERVICE: (_S.OUT_OF_SERVICE,),
}
_ALARM = {_E.RAISE: (_S.UNACK,), _E.ESCALATE: (_S.UNACK,)}

Row = Mapping[AlarmEvent, tuple[AlarmState, ...]]
TABLE: Mapping[AlarmState, Row] = MappingProxyType(
    {
        _S.NORMAL: {**_ALARM, _E.RETURN: (_S.NORMAL,), **_HIDE},
        _S.UNACK: {
            **_ALARM,
            _E.RETURN: (_S.RTN_UNACK, _S.LATCHED),
            _E.ACKNOWLEDGE: (_S.ACK,),
            **_HIDE,
        },
        _S.ACK: {
            _E.RAISE: (_S.ACK,),
            _E.ESCALATE: (_S.UNACK,),
            _E.RETURN: (_S.NORMAL, _S.LATCHED),
            **_HIDE,
        },
        _S.RTN_UNACK: {
            **_ALARM,
            _E.RETURN: (_S.RTN_UNACK,),
            _E.ACKNOWLEDGE: (_S.NORMAL,),
            **_HIDE,
        },
        _S.LATCHED: {
            **_ALARM,
            _E.RETURN: (_S.LATCHED,),
            _E.ACKNOWLEDGE: (_S.LATCHED,),
            _E.RESET: (_S.NORMAL,),
            **_HIDE,
        },
        _S.SHELVED: {
            **dict.fromkeys(PROCESS_EVENTS, (_S.SHELVED,)),
            _E.UNSHELVE: _VISIBLE,
            _E.EXPIRE: _VISIBLE,
            _E.SUPPRESS: (_S.SUPPRESSED_BY_DESIGN,),
            _E.OUT_OF_SERVICE: (_S.OUT_OF_SERVICE,),
        },
        _S.SUPPRESSED_BY_DESIGN: {
            **dict.fromkeys(PROCESS_EVENTS, (_S.SUPPRESSED_BY_DESIGN,)),
            _E.UNSUPPRESS: _VISIBLE,
            _E.OUT_OF_SERVICE: (_S.OUT_OF_SERVICE,),
        },
        _S.OUT_OF_SERVICE: {
            **dict.fromkeys(PROCESS_EVENTS, (_S.OUT_OF_SERVICE,)),
            _E.RETURN_TO_SERVICE: _VISIBLE,
        },
    }
)
"""State and event to the states that may follow; what is absent is refused."""


def transition(snapshot: Snapshot, event: AlarmEvent) -> tuple[Snapshot, tuple[Effect, ...]]:
    """Let `event` happen; return the alarm after it and what the journal must say.

    An event of the process that changes nothing (a finding stated again) has no effect.

    Raises:
        ConflictError: A person's event is not allowed in this state.
    """
    refusal = why_refused(snapshot, event)
    if refusal:
        raise ConflictError(refusal, hint=_possible(snapshot))
    facts = _facts_after(snapshot, event)
    after = replace(facts, state=_state_after(facts, event))
    if after.state not in TABLE[snapshot.state][event]:
        raise AssertionError(f"{snapshot.state} --{event}--> {after.state} is not in the table")
    if after.state not in HIDDEN_STATES:
        after = replace(after, raised_hidden=False)
    if after == snapshot and event in {AlarmEvent.RAISE, AlarmEvent.RETURN}:
        return snapshot, ()
    announces = after.state is AlarmState.UNACK and (
        snapshot.state is not AlarmState.UNACK or event is AlarmEvent.ESCALATE
    )
    return after, (Effect(event, snapshot.state, after.state, announces),)


def why_refused(snapshot: Snapshot, event: AlarmEvent) -> str:
    """Say why a person's `event` is not allowed now; empty when it is."""
    if event not in TABLE[snapshot.state]:
        return f'An alarm that is {words(snapshot.state)} cannot take "{words(event)}"'
    if event is AlarmEvent.ACKNOWLEDGE and not snapshot.owes:
        return "The alarm is already acknowledged; reset it when its cause is removed"
    if event is AlarmEvent.RESET and snapshot.owes:
        return "A latched alarm is reset after it is acknowledged; acknowledge it first"
    return ""


def words(term: AlarmState | AlarmEvent) -> str:
    """Return a state or an event as an operator reads it."""
    # Two tables, because members of different StrEnums with the same text are the same key.
    if isinstance(term, AlarmState):
        return _STATE_WORDS.get(term, term.value.replace("_", " "))
    return _EVENT_WORDS.get(term, term.value.replace("_", " "))


_STATE_WORDS = {
    _S.UNACK: "unacknowledged",
    _S.ACK: "acknowledged",
    _S.RTN_UNACK: "returned, unacknowledged",
}
_EVENT_WORDS = {
    _E.OUT_OF_SERVICE: "take out of service",
    _E.EXPIRE: "end of shelving time",
}


def _possible(snapshot: Snapshot) -> str:
    events = [
        words(event)
        for event in TABLE[snapshot.state]
        if event not in PROCESS_EVENTS
        and event is not AlarmEvent.EXPIRE
        and not why_refused(snapshot, event)
    ]
    return f"Possible now: {', '.join(events)}"


def _facts_after(was: Snapshot, event: AlarmEvent) -> Snapshot:
    match event:
        case AlarmEvent.RAISE | AlarmEvent.ESCALATE:
            return _come(was, again=event is AlarmEvent.ESCALATE)
        case AlarmEvent.RETURN:
            return _go(was)
        case AlarmEvent.ACKNOWLEDGE:
            return replace(was, owes=False)
        case AlarmEvent.RESET:
            return replace(was, latched=False)
        case (
            AlarmEvent.SHELVE
            | AlarmEvent.UNSHELVE
            | AlarmEvent.EXPIRE
            | AlarmEvent.SUPPRESS
            | AlarmEvent.UNSUPPRESS
            | AlarmEvent.OUT_OF_SERVICE
            | AlarmEvent.RETURN_TO_SERVICE
        ):
            return was
        case _:
            assert_never(event)


def _come(was: Snapshot, *, again: bool) -> Snapshot:
    if was.active and not again:
        return was
    hidden = was.state in HIDDEN_STATES
    return replace(
        was,
        active=True,
        owes=True,
        latched=was.latched or was.latching,
        raised_hidden=was.raised_hidden or (hidden and not was.owes),
    )


def _go(was: Snapshot) -> Snapshot:
    if was.raised_hidden and not was.latched:
        return replace(was, active=False, owes=False, raised_hidden=False)
    return replace(was, active=False)


def _state_after(facts: Snapshot, event: AlarmEvent) -> AlarmState:
    match event:
        case AlarmEvent.SHELVE:
            return AlarmState.SHELVED
        case AlarmEvent.SUPPRESS:
            return AlarmState.SUPPRESSED_BY_DESIGN
        case AlarmEvent.OUT_OF_SERVICE:
            return AlarmState.OUT_OF_SERVICE
        case _ if facts.state in HIDDEN_STATES and event in PROCESS_EVENTS:
            return facts.state
        case _:
            return _visible_state(facts)


def _visible_state(facts: Snapshot) -> AlarmState:
    if facts.active:
        return AlarmState.UNACK if facts.owes else AlarmState.ACK
    if facts.latched:
        return AlarmState.LATCHED
    return AlarmState.RTN_UNACK if facts.owes else AlarmState.NORMAL
