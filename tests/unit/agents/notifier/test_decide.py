from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.notifier.decide import Past, Verdict, choose, judge, keep_s, nobody_told
from agents.notifier.routes import Route
from app.core.alarm import Priority
from app.core.delivery import DeliveryState, Notification, RouteAnswer
from app.settings_notify import RouteSettings, quiet_span

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
SENT_ENOUGH = [Past("mail", f"other {number}", NOON) for number in range(3)]


def route(**settings: object) -> Route:
    made = RouteSettings.model_validate({"name": "mail", "url": "json://x", **settings})
    return Route("json://x", made, quiet_span(made.quiet_hours) if made.quiet_hours else None)


def told(priority: Priority = Priority.HIGH, title: str = "Pump") -> Notification:
    return Notification(title, "Look at it", priority)


def verdict(
    by: Route, past: list[Past] | None = None, at: datetime = NOON, what: Notification | None = None
) -> Verdict:
    return judge(by, what or told(), past or [], at, BERLIN)


def test_without_a_reason_against_it_it_goes_out():
    assert verdict(route()) == Verdict("mail", DeliveryState.QUEUED)


@pytest.mark.parametrize("priority", list(Priority))
def test_without_routes_the_answer_names_the_remedy(priority: Priority):
    said = f"no route for priority {int(priority)} is configured; add [[notify.routes]]"

    assert choose({}, priority, "") == Verdict("", DeliveryState.SUPPRESSED, said)


def test_why_a_route_is_not_usable_is_said():
    answer = choose({}, Priority.HIGH, "", ["TWILIO_TO_NUMBER is not set"])

    assert isinstance(answer, Verdict)
    assert answer.reason.endswith("; TWILIO_TO_NUMBER is not set")


def test_a_route_takes_its_priorities_only():
    routes = {"mail": route(), "sms": route(name="sms", priorities=(1, 2))}

    assert choose(routes, Priority.LOW, "") == ["mail"]
    assert choose(routes, Priority.CRITICAL, "") == ["mail", "sms"]


def test_a_named_route_takes_every_priority():
    assert choose({"sms": route(name="sms", priorities=())}, Priority.LOW, "sms") == ["sms"]


def test_a_route_that_does_not_exist_is_named_with_those_that_do():
    answer = choose({"mail": route()}, Priority.HIGH, "fax")

    reason = 'there is no usable route "fax"; usable are mail'
    assert answer == Verdict("fax", DeliveryState.FAILED, reason)


def test_a_named_route_where_there_is_none_says_how_to_make_one():
    answer = choose({}, Priority.HIGH, "fax", ['route "fax": environment variable FAX is empty'])

    assert isinstance(answer, Verdict)
    assert "add [[notify.routes]]" in answer.reason
    assert answer.reason.endswith("environment variable FAX is empty")


SENT, QUEUED = RouteAnswer("sms", DeliveryState.SENT, ""), DeliveryState.QUEUED
HELD = RouteAnswer("mail", DeliveryState.SUPPRESSED, "quiet hours 22:00-06:00")


@pytest.mark.parametrize(
    ("answers", "warning"),
    [
        ([SENT], ""),
        ([HELD, SENT], ""),
        ([HELD], "Nobody is told: mail: quiet hours 22:00-06:00"),
        ([RouteAnswer("", DeliveryState.SUPPRESSED, "no route")], "Nobody is told: no route"),
        ([RouteAnswer("sms", QUEUED, "503")], "Nobody is told yet: sms: 503"),
        ([RouteAnswer("sms", QUEUED, "")], "Nobody is told yet: sms: queued"),
        (
            [HELD, RouteAnswer("sms", DeliveryState.FAILED, "full")],
            "Nobody is told: mail: quiet hours 22:00-06:00; sms: full",
        ),
    ],
)
def test_that_nobody_is_told_is_said_with_every_reason(answers: list[RouteAnswer], warning: str):
    assert nobody_told(answers) == warning


@pytest.mark.parametrize(
    ("plant_time", "quiet"), [("21:59", False), ("22:00", True), ("03:00", True), ("06:00", False)]
)
def test_quiet_hours_follow_the_clock_of_the_plant(plant_time: str, quiet: bool):
    hour, minute = (int(part) for part in plant_time.split(":"))
    at = datetime(2026, 11, 18, hour, minute, tzinfo=BERLIN).astimezone(UTC)

    assert bool(verdict(route(quiet_hours="22:00-06:00"), at=at).reason) == quiet


def test_quiet_hours_within_a_day_end_on_the_same_day():
    assert verdict(route(quiet_hours="12:30-14:00")).reason == "quiet hours 12:30-14:00"
    assert verdict(route(quiet_hours="14:00-15:00")).reason == ""


@pytest.mark.parametrize(("quiet_critical", "quiet"), [(False, False), (True, True)])
def test_a_critical_one_is_not_kept_quiet_unless_said(quiet_critical: bool, quiet: bool):
    by = route(quiet_hours="00:00-23:59", quiet_critical=quiet_critical)

    assert bool(verdict(by, what=told(Priority.CRITICAL)).reason) == quiet


@pytest.mark.parametrize(
    ("seconds", "again"), [(0, False), (299, False), (300, True), (3600, True)]
)
def test_the_same_goes_out_again_only_after_a_while(seconds: float, again: bool):
    past = [Past("mail", told().matter, NOON - timedelta(seconds=seconds))]

    assert (verdict(route(), past).state is DeliveryState.QUEUED) == again


def test_the_same_on_another_route_is_not_a_repetition():
    assert verdict(route(), [Past("sms", told().matter, NOON)]).reason == ""


def test_a_worse_priority_of_the_same_is_news():
    past = [Past("mail", told(Priority.MEDIUM).matter, NOON)]

    assert verdict(route(), past).reason == ""


def test_a_key_makes_different_texts_the_same():
    first, second = (Notification(each, "", Priority.LOW, key="k") for each in ("a", "b"))

    assert first.matter == second.matter


def test_no_more_than_allowed_goes_out_in_an_hour():
    by = route(max_per_hour=3)

    assert verdict(by, SENT_ENOUGH).reason == "3 went out in the last hour; 3 are allowed"
    assert verdict(by, SENT_ENOUGH, NOON + timedelta(hours=1)).reason == ""


def test_a_flood_of_lesser_ones_does_not_hold_back_a_critical_one():
    by, critical = route(max_per_hour=3), told(Priority.CRITICAL)

    assert verdict(by, SENT_ENOUGH, what=critical).reason == ""
    assert verdict(by, SENT_ENOUGH * 2, what=critical).reason != ""


def test_the_past_is_kept_as_long_as_any_route_needs_it():
    assert keep_s({}) == 3600
    assert keep_s({"mail": route(dedupe_s=7200)}) == 7200


def went_out(by: Route, priorities: list[Priority]) -> list[Past]:
    past = list[Past]()
    for number, priority in enumerate(priorities):
        what = told(priority, str(number))
        if verdict(by, past, what=what).state is DeliveryState.QUEUED:
            past.append(Past("mail", what.matter, NOON))
    return past


@given(st.lists(st.sampled_from(Priority), max_size=30), st.integers(1, 5))
def test_whatever_comes_the_hourly_limit_holds(priorities: list[Priority], limit: int):
    assert len(went_out(route(max_per_hour=limit, dedupe_s=0), priorities)) <= 2 * limit
