"""Whether a command may be sent: each check by a table, and what holds for any value."""

import math
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.actor import Role
from app.core.command import CommandState, may_become
from app.core.command_check import Check, Seen, Wanted, check_command, failed, in_words, is_near
from app.core.equipment import Tag, TagKind
from app.core.reading import Quality, Reading, Reason
from app.core.write_rule import CommandSource, Interlock, Operator, WriteRule

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNIT = "riverside/utilities/cooling/pump-101"
SPEED = f"{UNIT}/speed_setpoint"
VALVE = f"{UNIT}/valve"
TAG = Tag(path=SPEED, unit="1/min", low=0, high=1500, write=WriteRule())
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


class Board:
    """What is known of some tags."""

    def __init__(self, *tags: Tag) -> None:
        self.seen = {tag.path: Seen(tag, reading(tag.path, 1000.0)) for tag in tags}

    def look(self, path: str) -> Seen:
        return self.seen.get(path, Seen())


def reading(
    path: str, value: float | None, quality: Quality = Quality.GOOD, age_s: float = 0.0
) -> Reading:
    at = NOW - timedelta(seconds=age_s)
    return Reading(path, value, quality, at, at, Reason.NONE)


def ruled(rule: WriteRule | None, kind: TagKind = TagKind.ANALOG) -> Tag:
    return msgspec.structs.replace(TAG, write=rule, kind=kind)


def checks(
    tag: Tag,
    value: float = 900.0,
    source: str = "ui",
    role: Role = Role.OPERATOR,
    last_sent: datetime | None = None,
) -> list[Check]:
    return check_command(Wanted(tag.path, value, source, role), Board(tag).look, last_sent, NOW)


def names_failed(found: list[Check]) -> list[str]:
    return [check.name for check in failed(found)]


def test_a_command_within_its_rule_passes_every_check():
    found = checks(TAG)

    assert [check.name for check in found] == [
        "tag", "writable", "role", "source", "type", "range", "step", "rate",
    ]  # fmt: skip
    assert failed(found) == []


def test_an_unknown_tag_fails():
    found = check_command(Wanted("a/b/c/d/e", 1, "ui", Role.ENGINEER), Board().look, None, NOW)

    assert names_failed(found) == ["tag"]


def test_a_tag_without_a_rule_may_not_be_written_by_anyone():
    found = checks(ruled(None), role=Role.ENGINEER)

    assert names_failed(found) == ["writable"]


@pytest.mark.parametrize(
    ("role", "is_allowed"),
    [
        (Role.VIEWER, False),
        (Role.OPERATOR, False),
        (Role.SUPERVISOR, True),
        (Role.ENGINEER, True),
    ],
)
def test_a_lesser_role_is_refused(role: Role, is_allowed: bool):
    found = checks(ruled(WriteRule(role=Role.SUPERVISOR)), role=role)

    assert (names_failed(found) == []) is is_allowed


@pytest.mark.parametrize("source", ["mqtt", "scada", "mcp", "system", "", "UI"])
def test_a_source_the_rule_does_not_name_is_refused(source: str):
    assert names_failed(checks(TAG, source=source)) == ["source"]


def test_a_source_the_rule_names_is_allowed():
    assert failed(checks(ruled(WriteRule(sources=(CommandSource.MQTT,))), source="mqtt")) == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_fails_type_and_range(value: float):
    assert names_failed(checks(TAG, value)) == ["type", "range"]


@pytest.mark.parametrize("kind", [TagKind.STATE, TagKind.BINARY])
def test_a_state_must_be_a_whole_number(kind: TagKind):
    assert names_failed(checks(ruled(WriteRule(), kind), 0.5)) == ["type"]


def test_a_state_must_be_one_of_its_words():
    tag = msgspec.structs.replace(TAG, kind=TagKind.STATE, states={0: "off", 2: "auto"})

    assert names_failed(checks(tag, 1)) == ["type"]
    assert failed(checks(tag, 2)) == []


def test_a_binary_tag_takes_0_and_1_only():
    assert names_failed(checks(ruled(WriteRule(), TagKind.BINARY), 2)) == ["type"]


@pytest.mark.parametrize(
    ("rule", "value", "is_allowed"),
    [
        (WriteRule(), 1500, True),
        (WriteRule(), 1500.1, False),
        (WriteRule(), -0.1, False),
        (WriteRule(low=500), 499, False),
        (WriteRule(high=1200), 1201, False),
        (WriteRule(low=500, high=1200), 800, True),
    ],
)
def test_the_rule_narrows_the_range_of_the_tag(rule: WriteRule, value: float, is_allowed: bool):
    assert (names_failed(checks(ruled(rule), value)) == []) is is_allowed


def test_a_tag_whose_range_nobody_knows_is_refused():
    tag = msgspec.structs.replace(TAG, low=0.0, high=0.0)

    assert names_failed(checks(tag, 0)) == ["range"]


@pytest.mark.parametrize(
    ("value", "is_allowed"), [(1100, True), (900, True), (1100.5, False), (899, False)]
)
def test_a_step_is_counted_from_the_present_value(value: float, is_allowed: bool):
    assert (names_failed(checks(ruled(WriteRule(max_step=100)), value)) == []) is is_allowed


BAD_READINGS = [
    (None, "has no value"),
    (reading(SPEED, None, Quality.BAD), "has no value"),
    (reading(SPEED, 900, Quality.UNCERTAIN), "is 900, of uncertain quality"),
    (reading(SPEED, 900, Quality.BAD), "is 900, of bad quality"),
    (reading(SPEED, 900, age_s=6), "is 900, 6 s old"),
]


@pytest.mark.parametrize(("seen", "words"), BAD_READINGS)
def test_a_step_from_a_value_that_cannot_be_trusted_is_refused(seen: Reading | None, words: str):
    board = Board(ruled(WriteRule(max_step=100)))
    board.seen[SPEED] = Seen(board.seen[SPEED].tag, seen)

    found = check_command(Wanted(SPEED, 900, "ui", Role.OPERATOR), board.look, None, NOW)

    assert names_failed(found) == ["step"]
    assert words in in_words(found)


@pytest.mark.parametrize(
    ("value", "is_allowed"), [(1000, True), (1100, True), (1050, True), (999, False), (1101, False)]
)
def test_a_step_is_counted_from_what_was_just_set_as_well(value: float, is_allowed: bool):
    board = Board(ruled(WriteRule(max_step=100)))
    wanted = Wanted(SPEED, value, "ui", Role.OPERATOR)

    found = check_command(wanted, board.look, None, NOW, unshown=1100.0)

    assert (names_failed(found) == []) is is_allowed


@pytest.mark.parametrize(("ago_s", "is_allowed"), [(9.9, False), (10, True), (60, True)])
def test_a_command_too_soon_after_the_last_is_refused(ago_s: float, is_allowed: bool):
    tag = ruled(WriteRule(min_interval_s=10))

    found = checks(tag, last_sent=NOW - timedelta(seconds=ago_s))

    assert (names_failed(found) == []) is is_allowed


def with_interlock(op: Operator, limit: float, seen: Reading | None) -> list[Check]:
    rule = WriteRule(interlocks=(Interlock("valve", op, limit),))
    board = Board(ruled(rule))
    board.seen[VALVE] = Seen(Tag(path=VALVE), seen)
    return check_command(Wanted(SPEED, 900, "ui", Role.OPERATOR), board.look, None, NOW)


@pytest.mark.parametrize(
    ("op", "holds_below", "holds_at", "holds_above"),
    [
        ("==", False, True, False),
        ("!=", True, False, True),
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
    ],
)
def test_each_comparison_of_an_interlock(
    op: Operator, holds_below: bool, holds_at: bool, holds_above: bool
):
    held = [failed(with_interlock(op, 1, reading(VALVE, value))) == [] for value in (0, 1, 2)]

    assert held == [holds_below, holds_at, holds_above]


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (None, "nobody can tell: it has no value"),
        (reading(VALVE, None, Quality.BAD), "nobody can tell: it has no value"),
        (reading(VALVE, 1, Quality.UNCERTAIN), "nobody can tell: it is 1, of uncertain quality"),
        (reading(VALVE, 1, Quality.BAD), "nobody can tell: it is 1, of bad quality"),
        (reading(VALVE, 1, age_s=60), "nobody can tell: it is 1, 60 s old"),
    ],
)
def test_an_interlock_on_a_value_that_cannot_be_trusted_does_not_hold(
    seen: Reading | None, words: str
):
    found = with_interlock("==", 1, seen)

    assert names_failed(found) == ["interlock"]
    assert words in in_words(found)


def test_an_interlock_on_a_tag_nobody_knows_does_not_hold():
    rule = WriteRule(interlocks=(Interlock("riverside/a/b/c/d", "==", 1),))

    found = checks(ruled(rule))

    assert names_failed(found) == ["interlock"]
    assert "riverside/a/b/c/d must be == 1, which nobody can tell: it is not known" in in_words(
        found
    )


def test_every_check_that_fails_is_told():
    rule = WriteRule(role=Role.ENGINEER, sources=(CommandSource.CLI,), high=1200, max_step=10)

    found = checks(ruled(rule), 1300)

    assert names_failed(found) == ["role", "source", "range", "step"]


@given(value=NUMBERS)
def test_no_value_outside_the_range_ever_passes(value: float):
    is_inside = 0 <= value <= 1500

    assert (failed(checks(TAG, value)) == []) is is_inside


@given(value=st.floats(0, 1500), step=st.floats(0, 2000))
def test_no_step_above_the_greatest_ever_passes(value: float, step: float):
    passes = failed(checks(ruled(WriteRule(max_step=step)), value)) == []

    assert not passes or abs(value - 1000.0) <= step + 1e-5


@given(value=NUMBERS, quality=st.sampled_from([Quality.UNCERTAIN, Quality.BAD]))
def test_no_interlock_ever_holds_on_a_value_that_is_not_good(value: float, quality: Quality):
    assert failed(with_interlock("!=", -1.5, reading(VALVE, value, quality)))


@given(value=st.floats(-1e9, 1e9), tolerance=st.floats(0, 1e6))
def test_a_value_shows_itself(value: float, tolerance: float):
    assert is_near(value, value, tolerance)


@pytest.mark.parametrize(
    "state", [CommandState.VERIFIED, CommandState.REJECTED, CommandState.EXPIRED]
)
@pytest.mark.parametrize("new", list(CommandState))
def test_what_has_ended_for_certain_never_changes(state: CommandState, new: CommandState):
    assert not may_become(state, new)


@pytest.mark.parametrize("old", list(CommandState))
def test_nothing_ever_goes_back_before_it_was_sent(old: CommandState):
    assert not may_become(old, CommandState.REQUESTED)


@pytest.mark.parametrize(
    "old", [CommandState.DISPATCHED, CommandState.ACKNOWLEDGED, CommandState.UNKNOWN]
)
def test_what_was_sent_is_never_sent_again(old: CommandState):
    assert not may_become(old, CommandState.DISPATCHED)
