"""What an operator sees of the plan: how far, how far it should be, and when nobody knows."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

PLAN = "mw-plan[path$='/volume']"


def opened(page: Page, server: LiveServer, volume: float, planned: float | None) -> Page:
    page.goto("/")
    server.feed(volume=volume, volume_plan=planned, volume_target=400)
    expect(page.locator(f"{PLAN} .mw-num")).to_have_text(f"{volume:g}")
    return page


def share(page: Page, part: str, style: str) -> float:
    width = page.locator(f"{PLAN} {part}").evaluate(f"e => e.style.{style}")
    return float(width.removesuffix("%"))


@pytest.mark.parametrize(
    ("volume", "sentence"),
    [
        (180, "plan 200 of 400 \u00b7 \u221210 %"),
        (230, "plan 200 of 400 \u00b7 +15 %"),
        (200.4, "plan 200 of 400 \u00b7 on plan"),
    ],
)
def test_a_plan_says_how_far_off_it_is(
    page: Page, server: LiveServer, volume: float, sentence: str
):
    page.goto("/")
    server.feed(volume=volume, volume_plan=200, volume_target=400)
    expect(page.locator(f"{PLAN} .mw-age")).to_have_text(sentence)


def test_the_bar_runs_to_the_target_with_a_notch_at_the_plan(page: Page, server: LiveServer):
    opened(page, server, 100, 200)
    expect(page.locator(f"{PLAN} .mw-age")).to_contain_text("plan 200 of 400")
    assert share(page, ".mw-done", "width") == pytest.approx(25)
    assert share(page, ".mw-notch", "left") == pytest.approx(50)


def test_more_than_the_target_fills_the_bar_and_no_more(page: Page, server: LiveServer):
    opened(page, server, 500, 400)
    expect(page.locator(f"{PLAN} .mw-age")).to_contain_text("+25 %")
    assert share(page, ".mw-done", "width") == pytest.approx(100)
    assert share(page, ".mw-notch", "left") == pytest.approx(80)


def test_at_the_start_of_a_shift_no_share_is_told(page: Page, server: LiveServer):
    opened(page, server, 3, 2)
    expect(page.locator(f"{PLAN} .mw-age")).to_have_text("plan 2 of 400")


def test_a_plan_that_is_bad_is_not_drawn_and_says_why(page: Page, server: LiveServer):
    opened(page, server, 120, None)
    expect(page.locator(f"{PLAN} .mw-age")).to_have_text("no plan: sensor fault")
    expect(page.locator(f"{PLAN} .mw-notch")).to_be_hidden()


def test_a_bad_count_is_hatched_and_says_why(page: Page, server: LiveServer):
    opened(page, server, 120, 200)
    server.feed(volume=None)
    expect(page.locator(PLAN)).to_have_attribute("data-q", "b")
    expect(page.locator(f"{PLAN} .mw-num")).to_have_text("\u2013")
    expect(page.locator(f"{PLAN} .mw-age")).to_have_text("sensor fault")
