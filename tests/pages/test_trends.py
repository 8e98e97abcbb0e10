"""The trends page as the server sends it."""

import re

import pytest
from nicegui.testing import User

from app.clock import SystemClock
from app.plant import Plant
from app.settings import Settings
from pages import trends

SCRIPT = re.compile(r'src="(/static/millwright/trends/[^"]+)"')


@pytest.fixture
def plant(settings: Settings, user: User) -> Plant:
    plant = Plant(settings, SystemClock())
    trends.create(plant)
    return plant


async def sent(user: User, path: str) -> str:
    return (await user.http_client.get(path)).text


@pytest.mark.usefixtures("plant")
async def test_the_page_holds_the_explorer_and_the_zone_of_the_plant(user: User) -> None:
    page = await sent(user, "/trends")
    assert "mw-trends" in page
    assert "Europe/Berlin" in page


@pytest.mark.usefixtures("plant")
async def test_every_file_the_page_names_is_served_and_may_be_kept(user: User) -> None:
    scripts = SCRIPT.findall(await sent(user, "/trends"))
    answers = [await user.http_client.get(path) for path in scripts]
    assert len(scripts) == 8
    assert {answer.status_code for answer in answers} == {200}
    assert all("max-age=31536000" in answer.headers["cache-control"] for answer in answers)


@pytest.mark.usefixtures("plant")
async def test_what_stands_in_the_address_never_reaches_the_page(user: User) -> None:
    page = await sent(user, "/trends?tags=%3Cscript%3Ealert(1)%3C/script%3E&range=x&from=y")
    assert "alert(1)" not in page
