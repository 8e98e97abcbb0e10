"""A unit that stops sending is an alarm; many at once are one alarm."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from app.alarms.silence import PLANT, SilenceWatch, UnitSilence, unit_silences
from app.core.alarm import Finding, Priority
from app.core.equipment import Equipment, Tag
from app.core.reading import Quality, Reading, Reason
from app.core.write_rule import WriteRule

BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)
AFTER_S = 30.0
FLOW = Tag("s/a/l/u/flow")
LIMIT = Tag("s/a/l/u/limit", write=WriteRule())


def units(*silent: bool) -> list[UnitSilence]:
    return [UnitSilence(f"s/a/l/u{at}", f"Unit {at}", is_) for at, is_ in enumerate(silent)]


def told(unit: Equipment, *lost: str) -> UnitSilence:
    """Look at a unit whose named tags have lost their connection while the others are good."""

    def newest(path: str) -> Reading:
        if path.rpartition("/")[2] in lost:
            return Reading(path, None, Quality.BAD, BEGAN, BEGAN, Reason.COMM_LOST)
        return Reading(path, 1.0, Quality.GOOD, BEGAN, BEGAN)

    (silence,) = unit_silences([unit], newest)
    return silence


def present(findings: list[Finding]) -> dict[str, Priority]:
    return {each.equipment: each.priority for each in findings if each.priority is not None}


def look(watch: SilenceWatch, seconds: float, *silent: bool) -> list[Finding]:
    return list(watch.changes(units(*silent), BEGAN + timedelta(seconds=seconds)))


def test_a_unit_that_only_echoes_what_it_was_told_is_silent():
    unit = Equipment("s/a/l/u", "U", tags=(FLOW, LIMIT))
    assert told(unit, "flow").is_silent
    assert not told(unit, "limit").is_silent
    assert not told(unit).is_silent


def test_a_unit_of_set_tags_alone_is_silent_when_they_are():
    unit = Equipment("s/a/l/u", "U", tags=(LIMIT,))
    assert told(unit, "limit").is_silent
    assert not told(unit).is_silent


def test_a_short_silence_is_no_alarm():
    watch = SilenceWatch(AFTER_S)
    look(watch, 0, True, False, False)
    assert present(look(watch, AFTER_S - 1, True, False, False)) == {}


def test_a_long_silence_names_the_unit_once():
    watch = SilenceWatch(AFTER_S)
    look(watch, 0, True, False, False)
    found = look(watch, AFTER_S, True, False, False)
    assert present(found) == {"s/a/l/u0": Priority.MEDIUM}
    assert found[-1].message == "No values from Unit 0"
    assert "whether Unit 0 runs" in found[-1].response
    assert look(watch, AFTER_S + 1, True, False, False) == []


def test_a_unit_that_sends_again_ends_its_alarm():
    watch = SilenceWatch(AFTER_S)
    look(watch, 0, True, False, False)
    look(watch, AFTER_S, True, False, False)
    ended = look(watch, AFTER_S + 5, False, False, False)
    assert [(each.equipment, each.priority) for each in ended] == [("s/a/l/u0", None)]
    assert ended[0].response == ""


def test_silence_that_breaks_off_counts_anew():
    watch = SilenceWatch(AFTER_S)
    look(watch, 0, True, False, False)
    look(watch, 20, False, False, False)
    look(watch, 21, True, False, False)
    assert present(look(watch, AFTER_S + 5, True, False, False)) == {}


def test_most_units_silent_is_one_alarm_of_the_plant():
    watch = SilenceWatch(AFTER_S)
    look(watch, 0, True, True, True)
    found = look(watch, AFTER_S, True, True, True)
    assert present(found) == {PLANT: Priority.HIGH}
    assert "common cause" in found[0].response


def test_the_plants_alarm_gives_way_to_the_unit_that_stays_silent():
    watch = SilenceWatch(AFTER_S)
    look(watch, 0, True, True, True)
    look(watch, AFTER_S, True, True, True)
    found = look(watch, AFTER_S + 9, True, False, False)
    assert present(found) == {"s/a/l/u0": Priority.MEDIUM}
    assert PLANT in {each.equipment for each in found if each.priority is None}


def test_an_alarm_that_stands_stays_while_the_plants_alarm_comes():
    watch = SilenceWatch(AFTER_S)
    look(watch, 0, True, False, False)
    look(watch, AFTER_S, True, False, False)
    look(watch, 50, True, True, True)
    (found,) = look(watch, 50 + AFTER_S, True, True, True)
    assert (found.equipment, found.priority) == (PLANT, Priority.HIGH)


def test_an_alarm_ends_beside_the_plants_alarm_when_its_unit_sends():
    watch = SilenceWatch(AFTER_S)
    look(watch, 0, True, False, False, False, False)
    look(watch, AFTER_S, True, False, False, False, False)
    look(watch, 50, True, True, True, True, True)
    look(watch, 50 + AFTER_S, True, True, True, True, True)
    (ended,) = look(watch, 90, False, True, True, True, True)
    assert (ended.equipment, ended.message) == ("s/a/l/u0", "Values come in again")


def test_the_end_of_the_plants_alarm_says_how_many_send():
    watch = SilenceWatch(AFTER_S)
    look(watch, 0, True, True, True)
    look(watch, AFTER_S, True, True, True)
    ended = look(watch, AFTER_S + 9, True, False, False)[0]
    assert (ended.equipment, ended.priority) == (PLANT, None)
    assert ended.message == "Values come in from 2 of 3 units"


def test_the_first_look_ends_no_alarm_of_an_earlier_run_while_all_are_silent():
    assert look(SilenceWatch(AFTER_S), 0, True, True) == []
    assert look(SilenceWatch(AFTER_S), 0) == []


def test_a_plant_of_no_units_is_not_silent():
    assert present(look(SilenceWatch(AFTER_S), 0)) == {}


def test_a_forgotten_unit_counts_no_more():
    watch = SilenceWatch(AFTER_S)
    look(watch, 0, False, True, True)
    look(watch, AFTER_S, False, True)
    found = look(watch, AFTER_S + 1, False, True)
    assert present(found) == {}
    assert not watch.is_silent("s/a/l/u2")


def test_a_forgotten_unit_that_is_silent_again_is_told_again():
    watch = SilenceWatch(AFTER_S)
    look(watch, 0, False, False, True)
    assert present(look(watch, AFTER_S, False, False, True)) == {"s/a/l/u2": Priority.MEDIUM}
    look(watch, AFTER_S + 1, False, False)
    look(watch, AFTER_S + 2, False, False, True)
    again = look(watch, 2 * AFTER_S + 2, False, False, True)
    assert present(again) == {"s/a/l/u2": Priority.MEDIUM}


class Moment(NamedTuple):
    """What was said at one look, and what is true then."""

    ended: set[str]
    standing: set[str]
    silent: set[str]
    overdue: set[str]


def moments(looks: Sequence[tuple[int, list[bool | None]]]) -> Iterator[Moment]:
    """Play looks: seconds since the last one, and which units are silent (None: forgotten)."""
    watch, second, standing, since = SilenceWatch(AFTER_S), 0, set[str](), dict[str, int]()
    for step_s, states in looks:
        second += step_s
        every = [UnitSilence(f"u{at}", f"U{at}", bool(is_)) for at, is_ in enumerate(states)]
        held = [unit for unit, is_ in zip(every, states, strict=True) if is_ is not None]
        found = list(watch.changes(held, BEGAN + timedelta(seconds=second)))
        ended = {each.equipment for each in found if each.priority is None}
        standing = (standing - ended | set(present(found))) & {PLANT, *(each.path for each in held)}
        silent = {unit.path for unit in held if unit.is_silent}
        since = {path: since.get(path, second) for path in silent}
        overdue = {path for path, at in since.items() if second - at >= AFTER_S}
        yield Moment(ended, standing, silent, overdue)


PLAYS = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.lists(st.sampled_from([True, True, False, None]), min_size=5, max_size=5),
    ),
    max_size=12,
)


@given(PLAYS)
def test_no_units_alarm_ends_while_the_unit_is_silent(looks: list[tuple[int, list[bool | None]]]):
    assert not any(moment.ended & moment.silent for moment in moments(looks))


@given(PLAYS)
def test_no_long_silence_is_without_an_alarm(looks: list[tuple[int, list[bool | None]]]):
    assert all(
        PLANT in moment.standing or moment.overdue <= moment.standing for moment in moments(looks)
    )


@given(PLAYS)
def test_no_alarm_stands_of_a_unit_that_sends(looks: list[tuple[int, list[bool | None]]]):
    assert all(moment.standing - {PLANT} <= moment.overdue for moment in moments(looks))
