import pytest
from pydantic import ValidationError

from app.settings_notify import NotifySettings, RouteSettings

MAIL: dict[str, object] = {"name": "mail", "url": "json://127.0.0.1"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "a b"}, "letters, digits"),
        ({"url": ""}, "url or url_env"),
        ({"url_env": "MAIL_URL"}, "not both"),
        ({"url": "127.0.0.1"}, "must look like"),
        ({"url": "json://user:secret@host"}, "has a password"),
        ({"priorities": [0]}, "greater than or equal to 1"),
        ({"priorities": [5]}, "less than or equal to 4"),
        ({"quiet_hours": "22"}, "22:00-06:00"),
        ({"quiet_hours": "25:00-06:00"}, "22:00-06:00"),
        ({"quiet_hours": "06:00-06:00"}, "two different times"),
        ({"max_per_hour": 0}, "greater than or equal to 1"),
        ({"attempts": 0}, "greater than or equal to 1"),
        ({"escalate_after_s": 60}, "both escalate_after_s and escalate_to"),
        ({"escalate_to": "sms"}, "both escalate_after_s and escalate_to"),
        ({"surprise": 1}, "Extra inputs"),
    ],
)
def test_a_wrong_route_is_refused(wrong: dict[str, object], said: str):
    with pytest.raises(ValidationError, match=said):
        RouteSettings.model_validate({**MAIL, **wrong})


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ([MAIL, MAIL], "two are named mail"),
        ([{**MAIL, "escalate_after_s": 60, "escalate_to": "fax"}], "no route; there are mail, sms"),
        ([{**MAIL, "escalate_after_s": 60, "escalate_to": "mail"}], "escalates to itself"),
    ],
)
def test_routes_that_do_not_fit_together_are_refused(routes: list[object], said: str):
    with pytest.raises(ValidationError, match=said):
        NotifySettings.model_validate({"routes": routes})


def test_a_url_is_not_shown():
    assert "127.0.0.1" not in RouteSettings.model_validate(MAIL).model_dump_json()


def test_a_route_may_escalate_to_the_one_of_the_environment():
    route = {**MAIL, "escalate_after_s": 60, "escalate_to": "sms"}

    assert NotifySettings.model_validate({"routes": [route]}).routes[0].escalate_to == "sms"
