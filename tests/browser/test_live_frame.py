"""The frame: alarm banner, keyboard, search, themes, and pages that are not there."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

AREA = "/areas/riverside/utilities"
MESSAGE = "Bearing wear"
SENTENCE = "Cooling pump P-101: bearing wear"


@pytest.fixture(autouse=True)
def _no_alarm_stays(server: LiveServer) -> Iterator[None]:
    yield
    server.feed(alarm="")


def with_alarm(page: Page, server: LiveServer) -> None:
    page.goto("/")
    expect(page.locator("#mw-worst")).to_contain_text("No alarms")
    server.feed(alarm=MESSAGE)
    expect(page.locator("#mw-worst")).to_contain_text(SENTENCE)


def test_an_alarm_appears_in_the_banner_with_symbol_number_and_word(page: Page, server: LiveServer):
    with_alarm(page, server)
    count = page.locator(".mw-count[data-priority='2']")
    expect(count.locator(".mw-count-number")).to_have_text("1")
    expect(page.locator("#mw-worst svg")).to_have_attribute("aria-label", "priority 2 high")


def test_the_banner_acknowledges(page: Page, server: LiveServer):
    with_alarm(page, server)
    page.locator("#mw-worst button").click()
    expect(page.locator("#mw-worst")).to_contain_text("All alarms are acknowledged")


def test_the_key_a_acknowledges_the_worst(page: Page, server: LiveServer):
    with_alarm(page, server)
    page.keyboard.press("a")
    expect(page.locator("#mw-worst")).to_contain_text("All alarms are acknowledged")


def test_the_banner_leads_to_the_unit(page: Page, server: LiveServer):
    with_alarm(page, server)
    page.locator("#mw-worst .mw-button", has_text="Open").click()
    expect(page.locator("h1")).to_contain_text("Cooling pump P-101")
    expect(page.locator(".mw-why")).to_contain_text(MESSAGE)


def test_the_tile_of_the_area_shows_the_alarm(page: Page, server: LiveServer):
    with_alarm(page, server)
    expect(page.locator("mw-alarms[path='riverside/utilities']")).to_contain_text("1 alarm")


def test_g_and_a_letter_jump_to_a_page(page: Page):
    page.goto(AREA)
    expect(page.locator("h1")).to_contain_text("Utilities")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.locator("h1")).to_have_text("Overview")


def test_letters_typed_into_a_field_do_not_jump(page: Page):
    page.goto(AREA)
    page.keyboard.press("/")
    page.locator(".mw-search-input").fill("")
    page.keyboard.type("go")
    expect(page.locator(".mw-search-input")).to_have_value("go")
    expect(page.locator("h1")).to_contain_text("Utilities")


def test_search_finds_a_tag_and_opens_what_was_chosen(page: Page):
    page.goto("/")
    page.keyboard.press("/")
    page.locator(".mw-search-input").fill("p-101")
    expect(page.locator(".mw-hit.mw-chosen")).to_contain_text("Cooling pump P-101")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Cooling pump P-101")


def test_search_says_when_nothing_is_found(page: Page):
    page.goto("/")
    page.keyboard.press("/")
    page.locator(".mw-search-input").fill("turbine")
    expect(page.locator(".mw-hits")).to_contain_text("Nothing is called")


def test_the_question_mark_lists_the_keys_and_escape_closes(page: Page):
    page.goto("/")
    page.keyboard.press("?")
    expect(page.locator("#mw-keys")).to_contain_text("Search everything")
    page.keyboard.press("Escape")
    expect(page.locator("#mw-keys")).to_have_count(0)


def test_the_theme_is_remembered(page: Page):
    page.goto("/")
    page.locator("#mw-theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_sound_is_remembered(page: Page):
    page.goto("/")
    page.locator("#mw-sound").click()
    expect(page.locator("#mw-sound")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator("#mw-sound")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(
    "path", ["/nowhere", "/units/riverside/utilities/cooling/turbine", "/areas/riverside/moon"]
)
def test_an_unknown_page_says_so_and_leads_on(page: Page, path: str):
    answer = page.goto(path)
    assert answer
    assert answer.status == 404
    expect(page.locator(".mw-empty")).to_contain_text("There is no")
    page.locator(".mw-empty a").click()
    expect(page.locator("h1")).to_have_text("Overview")


@pytest.mark.parametrize("width", [390, 1366, 1920])
def test_no_page_is_wider_than_the_screen(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 844})
    for path in ("/", AREA, "/units/riverside/utilities/cooling/pump-101"):
        page.goto(path)
        expect(page.locator("mw-bar .mw-num").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_healthy_plant_is_grey(page: Page, server: LiveServer):
    page.goto("/")
    expect(page.locator("#mw-worst")).to_contain_text("No alarms")  # as a test before left some
    server.feed(flow=50.0)
    expect(page.locator("mw-bar .mw-num").first).to_have_text("50.0")
    coloured = page.evaluate(
        """() => [...document.querySelectorAll('.mw-main *')].flatMap(e => {
            const s = getComputedStyle(e);
            const isOut = e.closest('mw-trend, .mw-status, [hidden]');
            return isOut ? [] : [s.backgroundColor, s.color, s.fill];
        }).filter(c => {
            const [r, g, b, a] = (c.match(/[\\d.]+/g) || []).map(Number);
            return a !== 0 && Math.max(r, g, b) - Math.min(r, g, b) > 32;
        })"""
    )
    assert coloured == []


def test_a_sheet_takes_the_focus_and_gives_it_back(page: Page):
    page.goto("/")
    page.locator("#mw-theme").focus()
    page.keyboard.press("?")
    expect(page.locator("#mw-keys .mw-sheet")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.mw-shell')") is None
    page.keyboard.press("Escape")
    expect(page.locator("#mw-theme")).to_be_focused()


def test_the_first_tab_leads_past_the_banner_and_the_rail(page: Page):
    page.goto("/")
    expect(page.locator("mw-bar .mw-num").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(".mw-skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#mw-page")).to_be_focused()


def test_before_the_first_message_nobody_says_that_there_are_no_alarms(page: Page):
    page.route_web_socket("**/live", lambda _: None)
    page.goto("/")
    expect(page.locator(".mw-tile mw-alarms .mw-bone").first).to_be_attached()
    expect(page.locator(".mw-tile").first).not_to_contain_text("no alarms")
