"""Who may ask for, agree to and refuse a command."""

import math
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.core.actor import Actor, Role
from app.core.command import Command, CommandState
from app.core.command_approval import (
    check_request,
    confirmed_by,
    is_approved,
    why_another,
    why_not_approved,
    why_not_rejected,
)
from app.core.errors import InputError
from app.core.write_rule import Confirm, WriteRule

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TWO, SELF, NONE = (WriteRule(confirm=each) for each in reversed(Confirm))
WAITING = Command(
    "c1", "a/b/c/d/e", 900.0, "ann", "ui", NOW, NOW + timedelta(seconds=60),
    CommandState.AWAITING_APPROVAL, NOW,
)  # fmt: skip


def approved(name: str) -> Command:
    return msgspec.structs.replace(WAITING, approved_by=name)


@pytest.mark.parametrize(
    ("name", "value", "expires_s", "named"),
    [
        ("a b", 1, 60, "id"),
        ("a/b", 1, 60, "id"),
        ("x" * 121, 1, 60, "id"),
        ("a", math.nan, 60, "value"),
        ("a", math.inf, 60, "value"),
        ("a", 1, 0, "expires_s"),
        ("a", 1, -1, "expires_s"),
        ("a", 1, 86_401, "expires_s"),
        ("a", 1, math.nan, "expires_s"),
    ],
)
def test_a_request_that_cannot_be_kept_is_refused_by_field(
    name: str, value: float, expires_s: float, named: str
):
    with pytest.raises(InputError, match=f"^{named}:"):
        check_request(name, value, expires_s)


def test_a_request_without_an_id_is_given_one():
    check_request("", 1, 60)


@pytest.mark.parametrize(
    ("rule", "source", "confirmed", "who"),
    [
        (SELF, "ui", True, "ann"),
        (SELF, "workflow", True, "ann"),
        (SELF, "ui", False, ""),
        (SELF, "mqtt", True, ""),
        (SELF, "mcp", True, ""),
        (SELF, "scada", True, ""),
        (TWO, "ui", True, ""),
        (NONE, "ui", True, ""),
        (None, "ui", True, ""),
    ],
)
def test_one_persons_word_counts_where_one_is_enough(
    rule: WriteRule | None, source: str, confirmed: bool, who: str
):
    assert confirmed_by(rule, Actor("ann", source), confirmed=confirmed) == who


@pytest.mark.parametrize(
    ("rule", "name", "is_enough"),
    [
        (NONE, "", True),
        (SELF, "", False),
        (SELF, "ann", True),
        (SELF, "bob", True),
        (TWO, "", False),
        (TWO, "ann", False),
        (TWO, " Ann ", False),
        (TWO, "bob", True),
    ],
)
def test_those_have_agreed_who_must(rule: WriteRule, name: str, is_enough: bool):
    assert is_approved(rule, approved(name)) is is_enough


@pytest.mark.parametrize("rule", [SELF, TWO])
def test_another_person_may_approve(rule: WriteRule):
    assert why_not_approved(WAITING, rule, Actor("bob", "ui"), NOW) == ""


def test_the_one_who_asked_may_approve_where_one_person_is_enough():
    assert why_not_approved(WAITING, SELF, Actor("ann", "ui"), NOW) == ""


@pytest.mark.parametrize("name", ["ann", "ANN", " ann"])
def test_the_one_who_asked_may_not_be_the_second(name: str):
    assert "another person" in why_not_approved(WAITING, TWO, Actor(name, "ui"), NOW)


@pytest.mark.parametrize("source", ["workflow", "mqtt", "mcp", "scada", "system"])
def test_no_program_may_approve(source: str):
    assert "person" in why_not_approved(WAITING, SELF, Actor("bob", source), NOW)


def test_a_lesser_role_may_not_approve():
    rule = WriteRule(role=Role.SUPERVISOR)

    assert "supervisor" in why_not_approved(WAITING, rule, Actor("bob", "ui"), NOW)


def test_what_is_late_may_not_be_approved():
    assert "time" in why_not_approved(WAITING, SELF, Actor("bob", "ui"), WAITING.expires_at)


def test_what_lost_its_rule_may_not_be_approved():
    assert "written" in why_not_approved(WAITING, None, Actor("bob", "ui"), NOW)


@pytest.mark.parametrize("state", sorted(set(CommandState) - {CommandState.AWAITING_APPROVAL}))
def test_what_does_not_wait_may_not_be_approved(state: CommandState):
    command = msgspec.structs.replace(WAITING, state=state)

    assert state.value in why_not_approved(command, SELF, Actor("bob", "ui"), NOW)


def test_who_asked_may_take_it_back_whatever_their_role():
    assert why_not_rejected(WAITING, TWO, Actor("ann", "ui", Role.VIEWER)) == ""


def test_another_needs_the_role_to_reject():
    assert "operator" in why_not_rejected(WAITING, None, Actor("bob", "ui", Role.VIEWER))


@pytest.mark.parametrize(
    "state", [CommandState.DISPATCHED, CommandState.VERIFIED, CommandState.UNKNOWN]
)
def test_what_was_sent_can_no_longer_be_rejected(state: CommandState):
    command = msgspec.structs.replace(WAITING, state=state)

    assert state.value in why_not_rejected(command, SELF, Actor("bob", "ui"))


@pytest.mark.parametrize(("tag", "value"), [("a/b/c/d/f", 900.0), ("a/b/c/d/e", 901.0)])
def test_the_same_id_with_something_else_is_another_command(tag: str, value: float):
    assert "900" in why_another(WAITING, tag, value, "")


@pytest.mark.parametrize(
    ("kept", "asks", "words"),
    [
        ("", "T2:set", "that no run asked for"),
        ("T2:set", "", "the command of T2:set"),
        ("T2:set", "T2-set:a", "the command of T2:set"),
        ("T2:set", "T2:set.2", "the command of T2:set"),
    ],
)
def test_the_same_id_of_another_run_is_another_command(kept: str, asks: str, words: str):
    command = msgspec.structs.replace(WAITING, run=kept)

    assert words in why_another(command, WAITING.tag, WAITING.value, asks)


@pytest.mark.parametrize("run", ["", "T2:set"])
def test_the_same_id_with_the_same_is_the_same_command(run: str):
    command = msgspec.structs.replace(WAITING, run=run)

    assert why_another(command, "a/b/c/d/e", 900, run) == ""


@pytest.mark.parametrize("name", ["Ann", " ann", "ANN "])
def test_case_and_blanks_make_no_second_person(name: str):
    assert "another person" in why_not_approved(WAITING, TWO, Actor(name, "ui"), NOW)
