from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agents.notifier.follow import (
    Escalation,
    Followed,
    about,
    escalations,
    is_news,
    is_settled,
    told,
)
from agents.notifier.routes import Route
from app.core.alarm import Alarm, AlarmState, Finding, Priority
from app.settings_notify import RouteSettings

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
PUMP = "riverside/utilities/cooling/pump-101"


def alarm(
    state: AlarmState = AlarmState.UNACK,
    priority: Priority = Priority.HIGH,
    raised_at: datetime = NOW,
    *,
    active: bool = True,
    chattering: bool = False,
) -> Alarm:
    finding = Finding(
        "limits", "high", PUMP, raised_at, priority, message="Hot", response="Cool it"
    )
    return Alarm("a1", finding, state, active, raised_at, raised_at, chattering=chattering)


def escalating(name: str, to: str, after_s: float = 600) -> Route:
    settings = RouteSettings.model_validate(
        {"name": name, "url": "json://x", "escalate_to": to, "escalate_after_s": after_s}
    )
    return Route("json://x", settings)


ROUTES = {"mail": escalating("mail", "sms"), "sms": escalating("sms", "chief")}


def due(now: datetime, known: Followed, current: Alarm | None = None) -> list[Escalation]:
    return escalations({"a1": current or alarm()}, {"a1": known}, ROUTES, now)


def test_a_new_alarm_is_news():
    assert is_news(alarm(), None)


@pytest.mark.parametrize("state", [state for state in AlarmState if state is not AlarmState.UNACK])
def test_an_alarm_that_somebody_knows_of_or_hid_is_no_news(state: AlarmState):
    assert not is_news(alarm(state), None)


def test_an_alarm_told_before_is_no_news():
    assert not is_news(alarm(), Followed(NOW, Priority.HIGH))


def test_a_known_alarm_that_grows_worse_is_news():
    assert is_news(alarm(priority=Priority.CRITICAL), Followed(NOW, Priority.HIGH))


def test_a_known_alarm_that_eases_is_no_news():
    assert not is_news(alarm(priority=Priority.LOW), Followed(NOW, Priority.HIGH))


@pytest.mark.parametrize(("chattering", "news"), [(False, True), (True, False)])
def test_an_alarm_raised_again_is_news_unless_it_chatters(chattering: bool, news: bool):
    again = alarm(raised_at=NOW + MINUTE, chattering=chattering)

    assert is_news(again, Followed(NOW, Priority.HIGH)) == news


@pytest.mark.parametrize("state", [AlarmState.ACK, AlarmState.NORMAL])
def test_what_is_acknowledged_or_over_is_settled(state: AlarmState):
    assert is_settled(alarm(state))


@pytest.mark.parametrize("state", [AlarmState.UNACK, AlarmState.RTN_UNACK, AlarmState.SHELVED])
def test_what_nobody_acknowledged_is_not_settled(state: AlarmState):
    assert not is_settled(alarm(state))


@pytest.mark.parametrize(("minutes", "count"), [(9, 0), (10, 1), (60, 1)])
def test_an_alarm_that_waited_long_enough_goes_to_the_next_route(minutes: int, count: int):
    assert len(due(NOW + minutes * MINUTE, Followed(NOW, Priority.HIGH, {"mail": NOW}))) == count


def test_an_escalation_happens_once():
    known = Followed(NOW, Priority.HIGH, {"mail": NOW, "sms": NOW + 10 * MINUTE})

    assert due(NOW + 15 * MINUTE, known) == []


def test_an_escalated_alarm_goes_on_to_the_third_route():
    known = Followed(NOW, Priority.HIGH, {"mail": NOW, "sms": NOW + 10 * MINUTE})

    assert due(NOW + 20 * MINUTE, known) == [Escalation("a1", "sms", "chief")]


@pytest.mark.parametrize(
    "current",
    [
        alarm(AlarmState.ACK),
        alarm(AlarmState.RTN_UNACK, active=False),
        alarm(AlarmState.SHELVED),
        alarm(AlarmState.OUT_OF_SERVICE),
    ],
)
def test_an_acknowledged_hidden_or_returned_alarm_does_not_escalate(current: Alarm):
    known = Followed(NOW, Priority.HIGH, {"mail": NOW})

    assert due(NOW + 60 * MINUTE, known, current) == []


def test_an_alarm_that_is_gone_does_not_escalate():
    known = {"a1": Followed(NOW, Priority.HIGH, {"mail": NOW})}

    assert escalations({}, known, ROUTES, NOW + 60 * MINUTE) == []


def test_a_route_taken_out_of_the_settings_does_not_escalate():
    known = {"a1": Followed(NOW, Priority.HIGH, {"fax": NOW})}

    assert escalations({"a1": alarm()}, known, ROUTES, NOW + 60 * MINUTE) == []


def test_coming_and_going_does_not_put_an_escalation_off():
    again = alarm(raised_at=NOW + 5 * MINUTE)
    known = told(again, Followed(NOW, Priority.HIGH, {"mail": NOW}), {"mail": NOW + 5 * MINUTE})

    assert known.told == {"mail": NOW}
    assert known.raised_at == NOW + 5 * MINUTE


def test_after_a_long_quiet_time_escalation_begins_anew():
    again = alarm(raised_at=NOW + 120 * MINUTE)
    at = NOW + 120 * MINUTE

    assert told(again, Followed(NOW, Priority.HIGH, {"mail": NOW}), {"mail": at}).told == {
        "mail": at
    }


def test_what_is_told_names_unit_plant_time_and_what_to_do():
    notification = about(alarm(), BERLIN)

    assert notification.title == "High: Hot"
    assert notification.message == "cooling/pump-101, since 13:00. Cool it"


def test_an_escalation_says_how_long_nobody_acknowledged():
    assert about(alarm(), BERLIN, 660).message.startswith("Not acknowledged for 11 min. ")
