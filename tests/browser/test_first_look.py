"""What a browser shows of a page before the scripts are there, or when they never come."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

UNIT = "/units/riverside/utilities/cooling/pump-101"
MISSING = "**/quasar.umd.prod.js"


def _fail(route: Route) -> None:
    route.abort()


@pytest.fixture
def without_scripts(chromium: Browser, server: LiveServer) -> Iterator[Page]:
    context = chromium.new_context(base_url=server.url, java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_the_page_can_be_read_without_any_script(without_scripts: Page):
    without_scripts.goto(UNIT)
    look = without_scripts.locator("#mw-first")
    expect(look.locator("h1")).to_contain_text("Cooling pump P-101")
    expect(look.get_by_role("link", name="Alarms", exact=True)).to_be_visible()
    expect(look.get_by_role("status")).to_contain_text("Loading…")


def test_a_link_works_before_the_scripts(without_scripts: Page):
    without_scripts.goto("/")
    without_scripts.locator("#mw-first .mw-rail").get_by_role("link", name="Trends").click()
    expect(without_scripts).to_have_url("/trends")


def test_the_copy_is_gone_when_the_page_stands(page: Page):
    page.goto(UNIT)
    expect(page.locator("#app .mw-shell")).to_be_visible()
    expect(page.locator("#mw-first")).to_have_count(0)
    expect(page.locator("h1")).to_have_count(1)


def test_the_copy_has_nothing_that_a_script_would_take_for_the_page(without_scripts: Page):
    without_scripts.goto(UNIT)
    for mark in ("[id]", "[data-tag]", "[data-key]", "mw-value", "mw-trend", "script"):
        expect(without_scripts.locator(f"#mw-first {mark}")).to_have_count(0)


def test_a_script_that_does_not_come_leaves_the_copy_and_says_so(page: Page):
    page.route(MISSING, _fail)
    page.goto(UNIT)
    expect(page.locator("#mw-first h1")).to_contain_text("Cooling pump P-101")
    expect(page.locator("#mw-first").get_by_role("status")).to_be_visible()
    page.unroute(MISSING)


def test_a_browser_that_waits_is_not_called_too_old(page: Page):
    page.route("**/vue.esm-browser.prod.js", _fail)
    page.goto(UNIT)
    expect(page.locator("#mw-first").get_by_role("status")).to_be_visible()
    expect(page.locator("#esm-fallback")).to_be_hidden()
    page.unroute("**/vue.esm-browser.prod.js")
