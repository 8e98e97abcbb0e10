"""Which declared write rules count, and which wait for a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.core.equipment import Equipment, Tag, TagKind
from app.core.rule_hold import (
    NOBODY,
    UnitRules,
    accepted,
    judge_rules,
    refused,
    terms_of,
    version_of,
)
from app.core.write_rule import CommandSource, Confirm, Interlock, WriteRule

UNIT = "site/area/line/pump"
SPEED = f"{UNIT}/speed"
RUNNING = Tag(f"{UNIT}/running", kind=TagKind.BINARY)
STRICT = WriteRule(interlocks=(Interlock("running", "==", 1),), confirm=Confirm.TWO_PERSONS)
LOOSE = WriteRule(sources=(CommandSource.MQTT,), confirm=Confirm.NONE)


def pump(rule: WriteRule | None = STRICT, **of_speed: object) -> Equipment:
    speed = Tag(SPEED, write=rule, **of_speed)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  a test names what it needs
    return Equipment(UNIT, "Pump", tags=(speed, RUNNING))


FIRST = judge_rules(pump(), None, {})


def rule_of(unit: Equipment) -> WriteRule | None:
    return next((tag.write for tag in unit.tags if tag.path == SPEED), None)


def test_the_first_rule_of_a_tag_counts():
    assert (FIRST.equipment, FIRST.first, FIRST.held) == (pump(), (SPEED,), {})


@pytest.mark.parametrize(
    "declared",
    [
        pump(LOOSE),
        pump(replace(STRICT, confirm=Confirm.SELF)),
        pump(replace(STRICT, verify_s=20)),
        pump(high=1e9),
        pump(low=-1e9),
        pump(unit="1/min"),
        pump(kind=TagKind.STATE),
        pump(states={7: "auto"}),
    ],
)
def test_whatever_a_command_is_judged_by_is_held_when_it_changes(declared: Equipment):
    judged = judge_rules(declared, FIRST.equipment, FIRST.rules)
    assert judged.equipment == pump()
    assert judged.rules == FIRST.rules
    assert judged.held[SPEED].declared == terms_of(declared.tags[0])


def test_what_has_nothing_to_do_with_commands_is_taken():
    declared = pump(description="Speed", decimals=3, stale_after_s=60)
    judged = judge_rules(declared, FIRST.equipment, FIRST.rules)
    assert (judged.equipment, judged.held) == (declared, {})


def test_a_range_is_free_where_the_rule_has_its_own_bounds():
    bounded = replace(STRICT, low=10, high=20)
    first = judge_rules(pump(bounded), None, {})
    declared = pump(bounded, high=500)
    assert judge_rules(declared, first.equipment, first.rules).equipment == declared


def test_a_rule_that_goes_counts_at_once_and_is_held_when_it_returns():
    gone = judge_rules(pump(None), FIRST.equipment, FIRST.rules)
    assert (rule_of(gone.equipment), gone.withdrawn) == (None, (SPEED,))
    back = judge_rules(pump(), gone.equipment, gone.rules)
    assert rule_of(back.equipment) is None
    assert back.held[SPEED].counts == NOBODY


@pytest.mark.parametrize("rule", [None, STRICT])
def test_a_tag_left_out_for_a_while_gets_no_new_first_rule(rule: WriteRule | None):
    first = judge_rules(pump(rule), None, {})
    bare = replace(pump(), tags=(RUNNING,))
    without = judge_rules(bare, first.equipment, first.rules)
    back = judge_rules(pump(LOOSE), without.equipment, without.rules)
    assert rule_of(back.equipment) is None
    assert back.held.keys() == {SPEED}


def test_a_known_tag_without_a_rule_gets_none_by_itself():
    known = judge_rules(pump(None), None, {})
    judged = judge_rules(pump(), known.equipment, known.rules)
    assert rule_of(judged.equipment) is None
    assert judged.held.keys() == {SPEED}


def test_a_rule_that_names_a_tag_its_unit_lost_lets_nobody_change_anything():
    declared = Equipment(UNIT, "Pump", tags=(Tag(SPEED, write=LOOSE),))
    judged = judge_rules(declared, FIRST.equipment, FIRST.rules)
    assert rule_of(judged.equipment) is None
    assert judged.held[SPEED].counts.write == STRICT


def test_first_rules_are_held_while_former_ones_are_not_known():
    judged = judge_rules(pump(), None, {}, takes_first=False)
    assert rule_of(judged.equipment) is None
    assert (judged.held.keys(), judged.first) == ({SPEED}, ())


def test_an_accepted_rule_counts():
    held = judge_rules(pump(LOOSE), FIRST.equipment, FIRST.rules)
    rules = accepted(held.rules, held.held)
    judged = judge_rules(pump(LOOSE), held.equipment, rules)
    assert (judged.equipment, judged.held) == (pump(LOOSE), {})


def test_a_refused_rule_stays_held_and_is_marked():
    held = judge_rules(pump(LOOSE), FIRST.equipment, FIRST.rules)
    judged = judge_rules(pump(LOOSE), held.equipment, refused(held.rules, held.held))
    assert judged.equipment == pump()
    assert judged.held[SPEED].is_refused


def test_a_third_rule_after_a_refusal_is_asked_about():
    held = judge_rules(pump(LOOSE), FIRST.equipment, FIRST.rules)
    other = pump(replace(LOOSE, confirm=Confirm.SELF))
    judged = judge_rules(other, held.equipment, refused(held.rules, held.held))
    assert not judged.held[SPEED].is_refused


def test_other_held_rules_have_another_version():
    one = judge_rules(pump(LOOSE), FIRST.equipment, FIRST.rules).held
    other = judge_rules(pump(high=500), FIRST.equipment, FIRST.rules).held
    assert version_of(one) != version_of(other)


declarations = st.lists(
    st.one_of(
        st.just(Equipment(UNIT, "Pump", tags=(RUNNING,))),
        st.builds(
            pump,
            st.sampled_from([None, STRICT, LOOSE]),
            high=st.sampled_from([50.0, 100.0, 1e9]),
        ),
    ),
    max_size=8,
)


@given(declarations)
def test_no_order_of_declarations_brings_other_terms_than_the_first(given_: list[Equipment]):
    known, rules = FIRST.equipment, FIRST.rules
    counted: list[WriteRule | None] = []

    def hear(
        declared: Equipment, known: Equipment, rules: UnitRules
    ) -> tuple[Equipment, UnitRules]:
        judged = judge_rules(declared, known, rules)
        counted.extend(
            terms.write
            for terms in map(terms_of, judged.equipment.tags)
            if terms not in (NOBODY, terms_of(pump().tags[0]))
        )
        return judged.equipment, judged.rules

    for declared in given_:
        known, rules = hear(declared, known, rules)
    assert counted == []
