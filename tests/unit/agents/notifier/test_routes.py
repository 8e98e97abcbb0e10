from collections.abc import Mapping

import msgspec
import pytest

from agents.notifier.routes import TWILIO, find_routes, listing
from app.core.delivery import RouteListing, RouteState
from app.settings_notify import NotifySettings

SEEDS = dict(zip(TWILIO, ("AC" + "0" * 32, "t/k n", "+4930123", "+49171456"), strict=True))
MAIL = {"name": "mail", "url_env": "MAIL_URL"}
MAIL_URL = "mailtos://user:hunter2@mail.plant.example"


def settings(*routes: Mapping[str, object]) -> NotifySettings:
    return NotifySettings.model_validate({"routes": routes})


def test_nothing_configured_is_no_route_and_no_problem():
    assert find_routes(settings(), {}) == ({}, ())


def test_the_four_variables_of_the_seeds_make_a_route_for_the_worst():
    found = find_routes(settings(), SEEDS)

    assert found.problems == ()
    assert found.usable["sms"].settings.priorities == (1, 2)


def test_signs_of_a_token_do_not_break_the_url():
    assert ":t%2Fk%20n@%2B4930123/" in find_routes(settings(), SEEDS).usable["sms"].url


@pytest.mark.parametrize("missing", TWILIO)
def test_a_missing_variable_is_named(missing: str):
    found = find_routes(settings(), {**SEEDS, missing: ""})

    assert found.usable == {}
    assert found.problems == (f'route "sms": {missing} not set, the other variables are',)


def test_a_route_of_the_name_sms_replaces_that_of_the_seeds():
    found = find_routes(settings({"name": "sms", "url": "json://x"}), {TWILIO[0]: "AC"})

    assert found.usable["sms"].url == "json://x"
    assert found.problems == ()


def test_an_empty_variable_makes_its_route_unusable():
    found = find_routes(settings(MAIL), {})

    assert found.usable == {}
    assert found.problems == ('route "mail": environment variable MAIL_URL is empty',)


def test_an_escalation_to_a_route_that_is_not_usable_is_told():
    escalating = {**MAIL, "escalate_after_s": 60, "escalate_to": "sms"}

    found = find_routes(settings(escalating), {"MAIL_URL": "json://x"})

    assert found.problems == ('route "mail" escalates to "sms", which is not usable',)


def test_a_route_does_not_print_its_secret():
    assert "secret" not in repr(find_routes(settings(MAIL), {"MAIL_URL": "json://secret"}))


def test_routes_are_told_without_their_urls():
    found = find_routes(settings({**MAIL, "quiet_hours": "22:00-06:00"}), {"MAIL_URL": MAIL_URL})

    told = listing(settings(MAIL), found.usable, found.problems)

    assert b"hunter2" not in msgspec.json.encode(told)
    assert told.routes[0] == RouteState("mail", (1, 2, 3, 4), "mailtos", "22:00-06:00")


def test_a_variable_that_holds_no_url_is_not_told():
    found = find_routes(settings(MAIL), {"MAIL_URL": "hunter2"})

    assert listing(settings(MAIL), found.usable, found.problems).routes[0].service == ""


def test_a_route_that_cannot_be_used_says_why():
    told = listing(settings(MAIL), {}, find_routes(settings(MAIL), {}).problems)

    assert not told.routes[0].is_usable
    assert told.routes[0].problem == "environment variable MAIL_URL is empty"
    assert told.problems == ()


def test_what_the_service_said_stands_at_its_route():
    found = find_routes(settings(MAIL), {"MAIL_URL": MAIL_URL})

    told = listing(settings(MAIL), found.usable, ['route "mail": no answer within 15 s'])

    assert told.routes[0].is_usable
    assert told.routes[0].problem == "no answer within 15 s"


def test_a_trouble_of_no_listed_route_is_told_apart():
    problems = find_routes(settings(), {TWILIO[0]: "AC"}).problems

    assert listing(settings(), {}, problems) == RouteListing((), problems)
