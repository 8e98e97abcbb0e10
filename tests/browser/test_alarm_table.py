"""The alarm table in Chromium: thousands of rows, keyboard, marks, shelving, filters."""

import json
import urllib.request
from collections.abc import Mapping

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import LiveServer, until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

ALARMS = 400
ROWS_DRAWN_AT_MOST = 60


@pytest.fixture(scope="module", autouse=True)
def _many_alarms(server: LiveServer) -> None:
    for number in range(ALARMS):
        level = ("critical", "high", "medium", "low")[number % 4]
        alert = {
            "level": level,
            "type": f"t{number}",
            "source": "press",
            "details": f"No. {number}",
        }
        post(server, "/api/orchestrator/alert", alert)


def post(server: LiveServer, path: str, body: Mapping[str, object]) -> None:
    request = urllib.request.Request(
        server.url + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=60).close()


@pytest.fixture
def rows(page: Page) -> Locator:
    """The rows of the opened page, once it has heard of all alarms."""
    page.goto("/alarms")
    page.wait_for_function(f"Millwright.alarms.all().length >= {ALARMS}")
    found = page.locator(".mw-ar[data-alarm-id]")
    expect(found.first).to_be_visible()
    return found


def chosen(page: Page) -> Locator:
    return page.locator(".mw-ar[aria-selected='true']")


def test_only_rows_in_sight_are_in_the_document(page: Page, rows: Locator):
    expect(page.locator(".mw-at-count")).to_contain_text("open")
    port = page.locator(".mw-at-port")
    until(page, lambda: int(port.get_attribute("aria-rowcount") or 0) >= ALARMS)
    assert page.locator(".mw-ar").count() < ROWS_DRAWN_AT_MOST


def test_a_page_counts_more_alarms_than_one_message_holds(page: Page):
    page.goto("/")
    page.wait_for_function(f"Millwright.alarms.worst('external').count >= {ALARMS}")
    assert page.evaluate("Millwright.alarms.worst('external').isPart") is False


def test_the_end_of_the_list_is_reached_by_scrolling(page: Page, rows: Locator):
    page.locator(".mw-at-port").evaluate("port => { port.scrollTop = port.scrollHeight }")
    expect(page.locator(f".mw-ar[aria-rowindex='{ALARMS}']")).to_be_visible()
    assert page.locator(".mw-ar").count() < ROWS_DRAWN_AT_MOST


def test_arrows_choose_and_a_acknowledges(page: Page, rows: Locator):
    page.keyboard.press("ArrowDown")
    expect(chosen(page)).to_have_count(1)
    alarm_id = chosen(page).get_attribute("data-alarm-id")
    page.keyboard.press("a")
    expect(chosen(page)).not_to_have_attribute("data-alarm-id", alarm_id or "")  # on to the next
    first = page.locator(f".mw-ar[aria-rowindex='1'][data-alarm-id='{alarm_id}']")
    expect(first).to_have_count(0)  # acknowledged, it makes room for those that wait
    page.keyboard.press("Home")
    row = page.locator(f".mw-ar[data-alarm-id='{alarm_id}'] .mw-ar-state")
    page.goto(f"/alarms#{alarm_id}")
    expect(row).to_contain_text("acknowledged")
    expect(row).to_contain_text("by operator")


def test_the_row_has_the_first_sentence_of_what_to_do_and_the_details_have_all(
    page: Page, server: LiveServer, rows: Locator
):
    server.feed(alarm="Bearing wears")
    page.get_by_label("Text or unit").fill("Bearing wears")
    row = rows.filter(has_text="Bearing wears")
    expect(row.locator(".mw-ar-todo")).to_have_text("Check the grease at 2.5 bar now.")
    row.locator(".mw-ar-text").click()
    expect(page.locator("p.mw-response")).to_contain_text("Plan the change of the bearing")
    server.feed(alarm="")


def test_nothing_is_marked_at_first(page: Page, rows: Locator):
    expect(page.get_by_role("button", name="Clear marks")).to_be_hidden()
    rows.first.locator("input").click()
    expect(page.get_by_role("button", name="Clear marks")).to_be_visible()


def test_marked_alarms_are_acknowledged_together(page: Page, rows: Locator):
    view = page.locator(".mw-chip[data-view='unack']")
    view.click()
    expect(view).to_have_attribute("aria-pressed", "true")
    before = int((page.locator(".mw-at-count").text_content() or "0").split()[0])
    for index in range(3):
        rows.nth(index).locator("input").click()
    page.get_by_role("button", name="Acknowledge 3").click()
    expect(page.locator(".mw-at-count")).to_have_text(f"{before - 3} open")
    expect(page.locator(".q-notification")).to_contain_text("3 alarms acknowledged")


def test_what_changes_while_the_history_is_read_is_shown(page: Page, server: LiveServer):
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/alarms/history?*", hold)  # not answered yet
    page.goto("/alarms")
    first = page.locator(".mw-ar[data-alarm-id]").first
    expect(first).to_be_visible()
    alarm_id = first.get_attribute("data-alarm-id")
    post(server, f"/api/alarms/{alarm_id}/acknowledge", {})
    row = page.locator(f".mw-ar[data-alarm-id='{alarm_id}']")
    expect(row.filter(has_text="not acknowledged")).to_have_count(0)  # it makes room
    for route in held:
        route.continue_()


def test_shelving_asks_for_time_and_reason(page: Page, rows: Locator):
    page.keyboard.press("ArrowDown")
    alarm_id = chosen(page).get_attribute("data-alarm-id")
    page.keyboard.press("s")
    sheet = page.locator(".mw-ask")
    sheet.get_by_role("button", name="Shelve", exact=True).click()
    expect(sheet).to_be_visible()  # no reason yet
    sheet.get_by_role("button", name="Being repaired").click()
    sheet.get_by_label("Minutes").fill("45")
    sheet.get_by_role("button", name="Shelve", exact=True).click()
    expect(sheet).to_have_count(0)
    page.locator(".mw-chip[data-view='hidden']").click()
    row = page.locator(f".mw-ar[data-alarm-id='{alarm_id}'] .mw-ar-state")
    expect(row).to_contain_text("shelved until")
    expect(row).to_contain_text("Being repaired")


def test_the_address_chooses_a_priority(page: Page, rows: Locator):
    page.goto("/alarms?priority=3")
    expect(page.locator(".mw-ar.mw-p3[data-alarm-id]").first).to_be_visible()
    expect(page.locator(".mw-ar.mw-p1[data-alarm-id]:visible")).to_have_count(0)


def test_text_narrows_the_list(page: Page, rows: Locator):
    page.get_by_label("Text or unit").fill("No. 399")
    expect(page.locator(".mw-at-count")).to_contain_text("1 open")
    page.get_by_label("Text or unit").fill("nothing is called so")
    expect(page.locator(".mw-at-empty")).to_have_text("No alarm fits these filters.")


def test_an_alarm_that_comes_now_appears_by_itself(page: Page, rows: Locator, server: LiveServer):
    page.get_by_label("Text or unit").fill("Fresh trouble")
    expect(page.locator(".mw-at-empty")).to_be_visible()
    alert = {
        "level": "critical", "type": "fresh", "source": "press", "details": "Fresh trouble",
    }  # fmt: skip
    post(server, "/api/orchestrator/alert", alert)
    expect(rows.first).to_contain_text("Fresh trouble")


def test_details_tell_what_happened(page: Page, rows: Locator):
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    detail = page.locator(".mw-at-detail")
    expect(detail.locator(".mw-at-journal li").first).to_contain_text("raised")
    page.keyboard.press("Escape")
    expect(detail).to_be_hidden()


@pytest.mark.parametrize("width", [1920, 1366, 390])
def test_nothing_is_wider_than_the_screen(page: Page, rows: Locator, width: int):
    page.set_viewport_size({"width": width, "height": 800})
    for address in ("/alarms", "/alarms/kpi"):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_press_chooses_the_row_it_began_on_though_a_worse_alarm_comes(
    page: Page, server: LiveServer, rows: Locator
):
    row = rows.first
    wanted = row.get_attribute("data-alarm-id") or ""
    row.locator(".mw-ar-text").hover()
    page.mouse.down()
    alert = {"level": "critical", "type": "press", "source": "press", "details": "Comes between"}
    post(server, "/api/orchestrator/alert", alert)
    page.wait_for_function("Millwright.alarms.all().some((a) => a.finding.condition === 'press')")
    page.wait_for_timeout(300)  # what would move the row
    page.mouse.up()
    expect(chosen(page)).to_have_attribute("data-alarm-id", wanted)
    expect(rows.first.locator(".mw-ar-text")).to_contain_text("Comes between")
