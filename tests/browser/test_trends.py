"""The trends page in a browser: pens, ranges, zoom, comparison, export, address."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import LiveServer, until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

UNIT = "riverside/utilities/cooling/pump-101"
FLOW = f"/trends?tags={UNIT}/flow&range=300"
PEN = ".mw-trend-pen"


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def opened(page: Page, server: LiveServer, address: str = FLOW) -> Locator:
    """Open the page with some history and return the chart."""
    server.feed(flow=50.1, running=1)
    page.goto(address)
    expect(page.locator(f"{PEN} .mw-num").first).to_have_text("50.1")
    chart = page.locator(".mw-trend-plot .u-over")
    expect(chart).to_be_visible()
    return chart


def drag(page: Page, chart: Locator, key: str = "") -> None:
    box = chart.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    if key:
        page.keyboard.down(key)
    page.mouse.move(box["x"] + box["width"] * 0.4, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=4)
    page.mouse.up()
    if key:
        page.keyboard.up(key)


def test_without_a_pen_the_page_says_how_to_get_one(page: Page, server: LiveServer) -> None:
    page.goto("/trends")
    expect(page.get_by_role("heading", name="No pen yet")).to_be_visible()
    expect(page.get_by_text("Cooling pump P-101")).to_be_visible()


def refusing(page: Page, times: int, headers: dict[str, str]) -> list[str]:
    """Have the first requests for a history refused as a starting server does; list them."""
    refused: list[str] = []

    def answer(route: Route) -> None:
        if len(refused) == times:
            route.continue_()
            return
        refused.append(route.request.url)
        route.fulfill(status=503, headers=headers, json={"message": "still being opened"})

    page.route(re.compile("/api/tags/.*/history"), answer)
    return refused


def test_a_history_that_is_still_opened_is_asked_for_again(page: Page, server: LiveServer) -> None:
    refused = refusing(page, 2, {"Retry-After": "1"})
    with page.expect_response(lambda answer: answer.ok and "/history?" in answer.url):
        opened(page, server)
    assert len(refused) == 2
    expect(page.get_by_text("The history cannot be read")).to_have_count(0)


def test_a_history_that_nobody_promises_is_said_to_be_unreadable(
    page: Page, server: LiveServer
) -> None:
    refusing(page, 1, {})
    page.goto(FLOW)
    expect(page.get_by_text("The history cannot be read: still being opened")).to_be_visible()


def test_a_pen_is_found_by_words_and_kept_in_the_address(page: Page, server: LiveServer) -> None:
    page.goto("/trends")
    page.locator("#mw-trend-find").fill("pump flow")
    page.locator(".mw-trend-hit").click()
    expect(page.locator(PEN)).to_contain_text("Flow")
    until(page, lambda: query(page).get("tags") == [f"{UNIT}/flow"])


def test_a_pen_that_is_removed_leaves_the_address(page: Page, server: LiveServer) -> None:
    opened(page, server)
    page.get_by_role("button", name="Remove Flow").click()
    expect(page.locator(PEN)).to_have_count(0)
    until(page, lambda: "tags" not in query(page))


def test_a_live_pen_goes_on_without_a_reload(page: Page, server: LiveServer) -> None:
    opened(page, server)
    server.feed(flow=51.7)
    expect(page.locator(f"{PEN} .mw-num")).to_have_text("51.7")


def test_a_drag_zooms_and_back_undoes_it(page: Page, server: LiveServer) -> None:
    drag(page, opened(page, server))
    expect(page).to_have_url(re.compile("from="))
    page.go_back()
    expect(page).to_have_url(re.compile("range=300"))


def test_shift_and_drag_moves_without_zooming(page: Page, server: LiveServer) -> None:
    drag(page, opened(page, server), "Shift")
    expect(page).to_have_url(re.compile("from="))
    (start,), (end,) = query(page)["from"], query(page)["to"]
    span_ms = page.evaluate("([a, b]) => Date.parse(b) - Date.parse(a)", [start, end])
    assert span_ms == pytest.approx(300_000, abs=2)


def test_the_keyboard_moves_zooms_and_goes_live(page: Page, server: LiveServer) -> None:
    opened(page, server)
    page.locator(".mw-trend-plot").focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("from="))
    page.keyboard.press("l")
    expect(page).to_have_url(re.compile("range=300"))


def test_the_cursor_tells_time_and_value(page: Page, server: LiveServer) -> None:
    chart = opened(page, server)
    chart.hover()
    expect(page.locator(".mw-trend-line .mw-num")).to_have_text(re.compile(r"\d{4} \d\d:\d\d:\d\d"))


def test_a_comparison_stands_in_the_address(page: Page, server: LiveServer) -> None:
    opened(page, server)
    page.locator(".mw-trend-select").select_option("86400")
    expect(page).to_have_url(re.compile("compare=86400"))


def open_range(page: Page) -> Locator:
    """Open the panel that holds from and to and return its two fields."""
    page.locator(".mw-trend-time").click()
    return page.locator(".mw-trend-when-field")


def show(page: Page, start: str, end: str) -> None:
    fields = open_range(page)
    fields.nth(0).fill(start)
    fields.nth(1).fill(end)
    page.keyboard.press("Enter")


def utc(page: Page, wall: str) -> str:
    """Return the instant at which the plant's clock shows this."""
    zone = page.locator("#mw-clock").get_attribute("data-zone")
    assert zone
    at = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_a_typed_range_is_plant_time_whatever_the_browser_speaks(
    chromium: Browser, server: LiveServer
) -> None:
    with chromium.new_context(
        base_url=server.url, locale="en-US", timezone_id="America/New_York"
    ) as context:
        page = context.new_page()
        opened(page, server)
        expect(open_range(page).nth(0)).to_have_value(re.compile(r"^[-\d]{10} \d\d:\d\d:\d\d$"))
        page.keyboard.press("Escape")
        show(page, "2026-07-01 13:00", "2.7.2026 01:30:15")
        expect(page).to_have_url(re.compile("from="))
        expect(page.locator(".mw-trend-time")).to_have_text("01 Jul 13:00 \u2013 02 Jul 01:30")
        assert query(page)["from"] == [utc(page, "2026-07-01 13:00:00")]
        assert query(page)["to"] == [utc(page, "2026-07-02 01:30:15")]


def test_a_range_is_picked_from_the_calendar(page: Page, server: LiveServer) -> None:
    opened(page, server)
    fields = open_range(page)
    fields.nth(1).fill("2026-05-14 16:00")
    page.locator(".mw-trend-days").get_by_role("button", name="2026-05-20").click()
    page.get_by_role("button", name="At 06:00").click()
    expect(fields.nth(1)).to_have_value("2026-05-20 06:00:00")
    fields.nth(0).fill("2026-05-13 10:00")
    page.locator(".mw-trend-days").get_by_role("button", name="2026-05-14").click()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".mw-trend-time")).to_have_text("14 May 10:00 \u2013 20 May 06:00")


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-01-02", "2026-01-01", "The end must be after the beginning"),
        ("31.02.2026 10:00", "2026-03-01", "This is no time; write it like 2026-11-21 14:02"),
        ("11:03 PM", "2026-03-01", "This is no time"),
        ("2026-03-01", "2026-03-01 24:10", "This is no time"),
        ("2020-01-01", "2026-03-01", "Choose a year at most"),
    ],
)
def test_a_range_that_cannot_be_is_refused_with_the_reason(
    page: Page, server: LiveServer, start: str, end: str, words: str
) -> None:
    opened(page, server)
    show(page, start, end)
    expect(page.locator(".mw-trend-wrong:not(:empty)")).to_contain_text(words)
    assert "from" not in query(page)


@pytest.mark.parametrize(("width", "rows"), [(1920, 1), (1366, 2)])
def test_the_tools_leave_the_room_to_the_chart(
    page: Page, server: LiveServer, width: int, rows: int
) -> None:
    page.set_viewport_size({"width": width, "height": 768})
    opened(page, server)
    height = page.locator(".mw-trend-bar").evaluate("bar => bar.clientHeight")
    assert height <= rows * 40


def test_the_export_holds_the_chosen_pens_and_range(page: Page, server: LiveServer) -> None:
    opened(page, server)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV").click()
    text = waiting.value.path().read_text(encoding="utf-8")
    assert text.startswith('"tag","source_time"')
    assert f'"{UNIT}/flow"' in text


def test_an_unknown_pen_is_named_and_the_others_are_drawn(page: Page, server: LiveServer) -> None:
    opened(page, server, f"/trends?tags={UNIT}/flow,a/b/c/d/e&range=300")
    expect(page.locator(".mw-trend-line")).to_contain_text("Not known: a/b/c/d/e")


def test_an_address_full_of_nonsense_opens_the_page(page: Page, server: LiveServer) -> None:
    page.goto("/trends?tags=<b>,,&range=-1&from=x&to=y&compare=z&hide=q&band=7")
    expect(page.locator("#mw-trend-find")).to_be_visible()


def test_an_alarm_of_a_pens_unit_is_listed_below_the_chart(page: Page, server: LiveServer) -> None:
    server.feed(alarm="Bearing wears")
    opened(page, server)
    expect(page.locator(".mw-trend-mark")).to_contain_text("Bearing wears")
    server.feed(alarm="")


@pytest.mark.parametrize("width", [1920, 1366, 390])
def test_nothing_runs_out_of_the_page(page: Page, server: LiveServer, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    opened(page, server)
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0
