"""The alarm sound, heard where the page starts the browser's oscillators."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

LISTEN = """
  window.heard = [];
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (at) {
    window.heard.push([this.frequency.value, this.context.state]);
    return start.call(this, at);
  };
"""
BEEPS = {"critical": [880] * 3, "high": [660] * 2, "medium": [520], "low": [390]}
AGAIN_MS = 10_000


def heard(page: Page) -> list[int]:
    """Return the pitches that sounded since the last call; silence in the browser is a failure."""
    sounds: list[Any] = page.evaluate("window.heard.splice(0)")
    assert all(state == "running" for _, state in sounds)
    return [pitch for pitch, _ in sounds]


def wait_for_sound(page: Page) -> list[int]:
    page.wait_for_function("window.heard.length > 0")
    return heard(page)


def sound(page: Page, server: LiveServer, level: str, name: str) -> None:
    """Raise an alarm and wait until the banner has counted it."""
    body = {"level": level, "type": name, "source": "boiler house", "details": name}
    answer = page.request.post(f"{server.url}/api/orchestrator/alert", data=body)
    assert answer.status == 201
    expect(page.locator("#mw-worst")).to_contain_text(name)


def acknowledge_all(page: Page, server: LiveServer) -> None:
    alarms = page.request.get(f"{server.url}/api/alarms?state=unack").json()
    paths = [f"{server.url}/api/alarms/{alarm['id']}/acknowledge" for alarm in alarms]
    assert {page.request.post(path, data={}).status for path in paths} <= {200}
    expect(page.locator("#mw-worst")).to_contain_text("All alarms are acknowledged")


@pytest.fixture
def listening(page: Page, server: LiveServer) -> Iterator[Page]:
    """A page whose sound was switched on by a person."""
    page.add_init_script(LISTEN)
    page.goto("/")
    expect(page.locator("#mw-worst")).not_to_be_empty()
    page.locator("#mw-sound").click()
    assert wait_for_sound(page) == BEEPS["low"]  # what it sounds like
    yield page
    acknowledge_all(page, server)


@pytest.mark.parametrize("level", BEEPS)
def test_a_new_alarm_sounds_as_its_priority_does(
    listening: Page, server: LiveServer, level: str
) -> None:
    sound(listening, server, level, f"{level} pressure")
    assert wait_for_sound(listening) == BEEPS[level]


def test_the_worst_of_several_sounds_not_each(listening: Page, server: LiveServer) -> None:
    sound(listening, server, "high", "first leak")
    assert wait_for_sound(listening) == BEEPS["high"]
    sound(listening, server, "critical", "second leak")
    assert wait_for_sound(listening) == BEEPS["critical"]


def test_an_acknowledgement_makes_no_sound(listening: Page, server: LiveServer) -> None:
    sound(listening, server, "high", "quiet leak")
    wait_for_sound(listening)
    acknowledge_all(listening, server)
    sound(listening, server, "medium", "next leak")
    assert wait_for_sound(listening) == BEEPS["medium"]


def test_switched_off_it_is_silent(listening: Page, server: LiveServer) -> None:
    listening.locator("#mw-sound").click()
    sound(listening, server, "critical", "silent leak")
    assert heard(listening) == []


def test_a_critical_alarm_sounds_again_until_it_is_acknowledged(
    listening: Page, server: LiveServer
) -> None:
    listening.clock.install()
    listening.reload()
    expect(listening.locator("#mw-sound")).to_have_attribute("aria-pressed", "true")
    listening.keyboard.press("Escape")
    sound(listening, server, "critical", "stubborn leak")
    assert wait_for_sound(listening) == BEEPS["critical"]
    listening.clock.fast_forward(AGAIN_MS)
    assert wait_for_sound(listening) == BEEPS["critical"]
    acknowledge_all(listening, server)
    heard(listening)
    listening.clock.fast_forward(2 * AGAIN_MS)
    assert heard(listening) == []
    sound(listening, server, "low", "last leak")


def test_a_page_that_the_browser_keeps_silent_says_so(listening: Page, server: LiveServer) -> None:
    listening.reload()
    button = listening.locator("#mw-sound")
    expect(button).to_have_attribute(
        "title", "Alarm sound is on, but the browser is silent until you click or press a key"
    )
    sound(listening, server, "high", "held leak")
    assert heard(listening) == []
    listening.keyboard.press("Escape")
    expect(button).to_have_attribute("title", "Alarm sound is on")
