"""Responses to limits: declared, bounded, and never milder where they hide another."""

from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bus.codec import decode, encode
from app.core.alarm import Priority
from app.core.equipment import Equipment, Limits, Tag, check_equipment
from app.core.errors import CodecError, InputError
from app.core.response import LIMIT_NAMES, TEXT_LIMIT, LimitName, Response, Responses

UNIT = "site/area/line/P-102"
PATH = f"{UNIT}/temperature"
ALL = Limits(low_low=1, low=2, high=8, high_high=9)
LIMIT = 65_536

lines = st.text(max_size=TEXT_LIMIT).filter(lambda text: len(text.splitlines()) <= 1)
priorities = st.none() | st.sampled_from(Priority)
responses = st.builds(
    Responses,
    **{name: st.builds(Response, text=lines, priority=priorities) for name in LIMIT_NAMES},
)


def unit(declared: Responses, limits: Limits = ALL) -> Equipment:
    return Equipment(UNIT, "Pump", tags=(Tag(PATH, limits=limits, responses=declared),))


def one(name: LimitName, response: Response) -> Responses:
    return Responses(**{name: response})


@given(responses)
def test_what_is_declared_crosses_the_bus_unchanged(declared: Responses) -> None:
    sent = unit(declared)
    assert decode(Equipment, encode(sent), LIMIT) == sent


@given(responses)
def test_what_would_hide_an_alarm_behind_a_milder_one_is_refused_and_nothing_else(
    declared: Responses,
) -> None:
    orders = [
        declared.priority("high_high") <= declared.priority("high"),
        declared.priority("low_low") <= declared.priority("low"),
    ]
    expected = {True: nullcontext(), False: pytest.raises(InputError, match="is milder than")}
    with expected[all(orders)]:
        check_equipment(unit(declared))


def test_a_declaration_of_before_still_decodes() -> None:
    old = b'{"path":"a/b/c/d","name":"D","tags":[{"path":"a/b/c/d/e","limits":{"high":8}}]}'
    decoded = decode(Equipment, old, LIMIT)
    assert decoded.tags[0].responses == Responses()
    assert b"responses" not in encode(decoded)


@pytest.mark.parametrize(
    ("limit", "usual"),
    [
        ("low_low", Priority.HIGH),
        ("low", Priority.MEDIUM),
        ("high", Priority.MEDIUM),
        ("high_high", Priority.HIGH),
    ],
)
def test_a_limit_has_its_usual_priority_unless_one_is_declared(
    limit: LimitName, usual: Priority
) -> None:
    assert Responses().priority(limit) is usual
    assert one(limit, Response(priority=Priority.CRITICAL)).priority(limit) is Priority.CRITICAL


@pytest.mark.parametrize("limit", LIMIT_NAMES)
def test_a_text_as_long_as_allowed_passes(limit: LimitName) -> None:
    check_equipment(unit(one(limit, Response("x" * TEXT_LIMIT))))


@pytest.mark.parametrize("limit", LIMIT_NAMES)
def test_a_text_too_long_is_refused_with_its_tag_and_field_named(limit: LimitName) -> None:
    with pytest.raises(InputError, match=f"{PATH}.*responses.{limit}.text: 301 characters"):
        check_equipment(unit(one(limit, Response("x" * (TEXT_LIMIT + 1)))))


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\u2028", "\x0b"])
def test_a_text_of_several_lines_is_refused_with_its_field_named(break_: str) -> None:
    with pytest.raises(InputError, match=r"responses\.high\.text: has a line break"):
        check_equipment(unit(one("high", Response(f"Look.{break_}Act."))))


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (Responses(high=Response(priority=Priority.CRITICAL)), "responses.high_high.priority: 2"),
        (Responses(low=Response(priority=Priority.CRITICAL)), "responses.low_low.priority: 2"),
        (Responses(high_high=Response(priority=Priority.LOW)), "milder than 3 of high,"),
    ],
)
def test_a_limit_milder_than_the_one_it_hides_is_refused(declared: Responses, words: str) -> None:
    with pytest.raises(InputError, match=words):
        check_equipment(unit(declared))


def test_a_limit_that_hides_none_may_have_any_priority() -> None:
    low_priority = Responses(high_high=Response(priority=Priority.LOW))
    check_equipment(unit(low_priority, Limits(high_high=9)))


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ('{"high":{"text":7}}', "responses.high.text"),
        ('{"high":{"priority":5}}', "responses.high.priority"),
        ('{"high":{"priority":"high"}}', "responses.high.priority"),
        ('{"high":{"words":"Look"}}', "words"),
        ('{"hihg":{"text":"Look"}}', "hihg"),
        ('{"high":null}', "responses.high"),
    ],
)
def test_a_declaration_of_another_shape_is_refused_with_its_field_named(
    declared: str, words: str
) -> None:
    sent = f'{{"path":"{UNIT}","name":"P","tags":[{{"path":"{PATH}","responses":{declared}}}]}}'
    with pytest.raises(CodecError, match=words):
        decode(Equipment, sent.encode(), LIMIT)
