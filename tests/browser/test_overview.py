"""The overview: the whole plant in the first screen of a small desk display."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]


def test_tiles_stay_as_high_when_alarms_come(page: Page, server: LiveServer):
    page.goto("/")
    expect(page.locator("mw-bar .mw-num").first).to_be_visible()
    expect(page.locator(".mw-areas .mw-bone")).to_have_count(0)
    card = page.locator(".mw-areas > .mw-card")
    tile = page.locator(".mw-areas > .mw-tile").first
    before = tile.bounding_box()
    server.feed(alarm="Bearing wear with a text that goes on for long " * 8)
    expect(page.locator("mw-worst .mw-alarm")).to_have_count(1)
    after, beside = tile.bounding_box(), card.bounding_box()
    server.feed(alarm="")
    assert before
    assert after
    assert beside
    assert after["height"] == pytest.approx(before["height"], abs=1)
    assert beside["height"] <= after["height"] + 1


def test_a_value_that_went_bad_stays_in_its_column(page: Page, server: LiveServer):
    server.feed(flow=50.0)
    page.goto("/")
    number = page.locator("mw-bar[path$='/flow'] .mw-reading").first
    expect(number).to_contain_text("50.0")
    before = number.bounding_box()
    server.feed(flow=None)
    expect(number.locator("xpath=ancestor::mw-bar")).to_have_attribute("data-q", "b")
    after = number.bounding_box()
    assert before
    assert after
    right = before["x"] + before["width"]
    assert after["x"] + after["width"] == pytest.approx(right, abs=1)
