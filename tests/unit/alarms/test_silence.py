"""A unit that stops sending is an alarm; many at once are one alarm."""

from datetime import UTC, datetime, timedelta

from app.alarms.silence import PLANT, SilenceWatch, UnitSilence
from app.core.alarm import Finding, Priority

BEGAN = datetime(2026, 11, 21, 12, tzinfo=UTC)
AFTER_S = 30.0


def units(*silent: bool) -> list[UnitSilence]:
    return [UnitSilence(f"s/a/l/u{at}", f"Unit {at}", is_) for at, is_ in enumerate(silent)]


def present(findings: list[Finding]) -> dict[str, Priority]:
    return {each.equipment: each.priority for each in findings if each.priority is not None}


def look(watch: SilenceWatch, seconds: float, *silent: bool) -> list[Finding]:
    return list(watch.changes(units(*silent), BEGAN + timedelta(seconds=seconds)))


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
