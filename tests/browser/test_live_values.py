"""What an operator sees of live values: they move, they age, and they never look fresh when old."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LiveServer, until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

UNIT = "/units/riverside/utilities/cooling/pump-101"
FLOW = "mw-bar[path$='/flow']"
LIVE_AGAIN_S = 10.0


def opened(page: Page, server: LiveServer) -> Page:
    page.goto(UNIT)
    server.feed(flow=50.1, running=1)
    expect(page.locator(f"{FLOW} .mw-num")).to_have_text("50.1")
    return page


def note(asked: list[str], text: str | bytes) -> None:
    if str(text).startswith('{"tags"'):
        asked.append(str(text))


def test_a_value_changes_on_screen_without_a_reload(page: Page, server: LiveServer):
    opened(page, server)
    server.feed(flow=51.7)
    expect(page.locator(f"{FLOW} .mw-num")).to_have_text("51.7")
    expect(page.locator(f"{FLOW} .mw-unit")).to_have_text("m³/h")


def test_a_state_is_shown_by_its_word(page: Page, server: LiveServer):
    opened(page, server)
    expect(page.locator("mw-value[path$='/running'] .mw-num")).to_have_text("running")


def test_a_value_that_stops_is_hatched_with_its_age(page: Page, server: LiveServer):
    opened(page, server)
    bar = page.locator(FLOW)
    expect(bar).to_have_attribute("data-q", "u")
    expect(bar.locator(".mw-num")).to_have_text("50.1")
    expect(bar.locator(".mw-age")).to_contain_text("no new value")
    hatching = bar.locator(".mw-reading").evaluate("e => getComputedStyle(e).backgroundImage")
    assert "repeating-linear-gradient" in hatching


def test_a_bad_value_is_neither_blank_nor_the_last_good_one(page: Page, server: LiveServer):
    opened(page, server)
    server.feed(flow=None)
    bar = page.locator(FLOW)
    expect(bar).to_have_attribute("data-q", "b")
    expect(bar.locator(".mw-num")).to_have_text("\u2013")
    expect(bar.locator(".mw-age")).to_contain_text("sensor fault")


def test_the_page_says_when_the_server_is_gone_and_is_live_again_by_itself(
    page: Page, server: LiveServer
):
    opened(page, server)
    server.kill()
    banner = page.locator("#mw-stale")
    expect(banner).to_contain_text(re.compile(r"No data from the server since \d\d:\d\d:\d\d"))
    expect(page.locator("html")).to_have_class(re.compile("mw-lost"))
    server.start()
    started = time.monotonic()
    expect(banner).to_be_hidden(timeout=LIVE_AGAIN_S * 1000)
    server.feed(flow=47.2)
    expect(page.locator(f"{FLOW} .mw-num")).to_have_text("47.2", timeout=LIVE_AGAIN_S * 1000)
    assert time.monotonic() - started <= LIVE_AGAIN_S


def test_the_chart_draws_what_arrives(page: Page, server: LiveServer):
    opened(page, server)
    expect(page.locator("mw-trend canvas")).to_be_visible()
    pen = page.locator("mw-trend .mw-pen .mw-num").first
    server.feed(flow=52.5)
    expect(pen).to_have_text("52.5")


def test_only_what_can_be_seen_is_asked_for(page: Page, server: LiveServer):
    asked: list[str] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda text: note(asked, text)))
    opened(page, server)
    page.evaluate("document.querySelector('.mw-main').style.marginTop = '5000px'")
    until(page, lambda: asked[-1:] == ['{"tags":[]}'])


def test_a_look_back_in_a_chart_ends_with_one_click(page: Page, server: LiveServer):
    opened(page, server)
    chart = page.locator("mw-trend .u-over")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 60, steps=5)
    page.mouse.up()
    back = page.locator(".mw-back")
    expect(back).to_be_visible()
    back.click()
    expect(back).to_be_hidden()


def test_a_chosen_tag_becomes_a_pen(page: Page, server: LiveServer):
    opened(page, server)
    pens = page.locator("mw-trend .mw-pen")
    expect(pens.first).to_be_visible()
    before = pens.count()
    page.locator(".mw-choices .mw-chip[aria-pressed=true]").first.click()
    expect(pens).to_have_count(max(1, before - 1))
