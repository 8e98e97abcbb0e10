"""Who acts: a name that the browser keeps, with the role that the settings give to it."""

from urllib.parse import quote

import pytest
from nicegui import ui
from nicegui.testing import User
from pydantic import ValidationError

from app.clock import SystemClock
from app.core.actor import Actor, Role
from app.plant import Plant
from app.settings import PeopleSettings, Settings
from pages.frame import actor, frame
from pages.who import COOKIE, NAME_LIMIT, clean_name
from tests.processes import eventually

PEOPLE = PeopleSettings(roles={"Anna Berg": Role.SUPERVISOR, "guest": Role.VIEWER})


@pytest.fixture
def acted(settings: Settings, user: User) -> list[Actor]:
    """Who pressed the button of a page, in order."""
    plant = Plant(settings.model_copy(update={"people": PEOPLE}), SystemClock())
    pressed: list[Actor] = []

    @ui.page("/who")
    def page() -> None:
        with frame(plant, "Who"):
            ui.button("Press", on_click=lambda: pressed.append(actor())).mark("press")

    del user
    return pressed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "system",
        "Millwright",
        "mqtt",
        "workflow kid",
        "Compensation",
        "a\nb\x00",
        "<b>",
        "x" * (NAME_LIMIT + 1),
        "-",
        "_a",
    ],
)
def test_what_cannot_be_a_name_is_none(text: str):
    assert clean_name(text) == ""


@pytest.mark.parametrize("name", ["Anna Berg", "J. O'Neill", "Müller-Lüdenscheidt", "李雷", "op7"])
def test_names_of_people_are_taken(name: str):
    assert clean_name(f"  {name} ") == name


@pytest.mark.parametrize("roles", [{" anna": "operator"}, {"": "operator"}, {"anna": "boss"}])
def test_a_wrong_line_of_the_settings_is_refused(roles: dict[str, str]):
    with pytest.raises(ValidationError, match="roles"):
        PeopleSettings.model_validate({"roles": roles})


def test_capitals_make_no_other_person():
    assert PEOPLE.role("anna berg") is Role.SUPERVISOR


def test_who_is_not_named_is_an_operator():
    assert PEOPLE.role("somebody") is Role.OPERATOR


async def test_without_a_name_the_operator_acts(acted: list[Actor], user: User):
    await user.open("/who")
    user.find(marker="press").click()
    await eventually(lambda: bool(acted))
    assert acted == [Actor("operator", "ui", Role.OPERATOR)]


async def test_the_browsers_name_acts_with_its_role(acted: list[Actor], user: User):
    user.http_client.cookies.set(COOKIE, quote("Anna Berg"))
    await user.open("/who")
    user.find(marker="press").click()
    await eventually(lambda: bool(acted))
    assert acted == [Actor("Anna Berg", "ui", Role.SUPERVISOR)]


async def test_a_cookie_that_is_no_name_acts_as_nobody_special(acted: list[Actor], user: User):
    user.http_client.cookies.set(COOKIE, quote("system"))
    await user.open("/who")
    user.find(marker="press").click()
    await eventually(lambda: bool(acted))
    assert acted[0].name == "operator"


async def test_who_acts_stands_in_the_frame(acted: list[Actor], user: User):
    user.http_client.cookies.set(COOKIE, "guest")
    await user.open("/who")
    await user.should_see("You are guest (viewer)")
    assert acted == []
