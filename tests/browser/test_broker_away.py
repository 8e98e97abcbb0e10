"""While the broker is away each page says so and what it means, and what can be done is kept."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.broker_process import BrokerProcess
from tests.browser.real_app import ASK, START_S, app_with
from tests.running_app import RunningApp

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

MEANS = {
    "/": "No values and no findings come in",
    "/workflows": "A run can be started and is kept",
    "/workflows/new": "A run can be started and is kept",
    "/runs": "Runs are kept",
    "/dead-letters": "A run that is retried now is kept",
    "/approvals": "What is decided here is kept",
    "/commands": "A command that would be sent now is refused",
    "/agents": "Agents cannot say how they are",
    "/health": "No values and no findings come in",
    "/audit": "What was done stands here all the same",
}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    outside = BrokerProcess(tmp_path_factory.mktemp("outside"))
    yield outside
    outside.kill()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, broker: BrokerProcess) -> Iterator[RunningApp]:
    with app_with(tmp_path_factory.mktemp("away"), {"ask": ASK}, "--broker", broker.url) as running:
        running.wait_until(lambda: running.component("Bus").get("state") == "failed", START_S)
        running.wait_until(lambda: running.get("/api/alarms"), START_S)
        yield running


@pytest.fixture(scope="module")
def pages_url(app: RunningApp) -> str:
    return app.url


def notice(page: Page) -> Locator:
    return page.locator("#app #mw-no-broker")


def unacknowledged(app: RunningApp) -> set[str]:
    alarms = app.get("/api/alarms")
    return {each["id"] for each in alarms if each["state"] in {"unack", "rtn_unack"}}


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the focused element matches a selector."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(css) => document.activeElement.matches(css)", wanted):
            return
    pytest.fail(f"{wanted} is not reached by the Tab key")


@pytest.mark.parametrize("address", MEANS)
def test_each_page_says_that_the_broker_is_away_and_what_it_means(page: Page, address: str):
    page.goto(address)
    expect(notice(page)).to_be_visible()
    expect(notice(page)).to_contain_text("The broker has been away since")
    expect(notice(page)).to_contain_text(MEANS[address])
    expect(notice(page)).to_contain_text("Start that broker or correct the setting broker.url")
    expect(page.locator("#app #mw-broker")).to_have_text("broker away")


@pytest.mark.parametrize("address", MEANS)
def test_the_notice_fits_a_phone(page: Page, address: str):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    expect(notice(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_orders_do_not_send_a_person_to_an_agent_that_runs(page: Page):
    page.goto("/orders")
    said = page.locator("p.mw-away")
    expect(said).to_contain_text("They come by themselves once the broker is back.")
    expect(said).not_to_contain_text("Start it")


def test_keys_alone_start_a_run_and_approve_it_while_the_broker_is_away(
    page: Page, app: RunningApp
):
    before = unacknowledged(app)
    page.goto("/")
    expect(notice(page)).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("w")
    expect(page.locator("#app .mw-flow").first).to_be_visible()
    tab_to(page, "[data-act=start][data-id=ask]")
    page.keyboard.press("Enter")
    expect(page.locator(".mw-form input").first).to_be_focused()
    page.keyboard.type("aaa")  # an alarm is acknowledged by this key, but not from within a form
    page.keyboard.press("Enter")
    expect(page.locator("#app .mw-run-head")).to_contain_text("waiting for a person")
    tab_to(page, "[data-act=approve]")
    page.keyboard.press("Enter")
    expect(page.locator(".mw-ask")).to_contain_text("Approve: Go on with aaa?")
    expect(page.locator(".mw-ask")).to_contain_text("The broker is away")
    expect(page.locator(".mw-ask input")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#app .mw-run-head")).to_contain_text("completed")
    assert before
    assert unacknowledged(app) >= before


def test_one_run_is_started_however_often_enter_is_pressed(page: Page, app: RunningApp):
    page.goto("/workflows")
    page.locator("#app [data-act=start][data-id=ask]").click()
    page.locator(".mw-form input").first.fill("twice")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#app .mw-run-head")).to_be_visible()
    assert len(app.get("/api/runs?text=twice")) == 1


def test_the_notice_goes_and_comes_by_itself(page: Page, broker: BrokerProcess):
    page.goto("/runs")
    page.evaluate("window.isSame = true")
    expect(notice(page)).to_be_visible()
    broker.start()
    expect(notice(page)).to_be_hidden()
    expect(page.locator("#app #mw-broker")).to_have_text("broker ok")
    broker.kill()
    expect(notice(page)).to_be_visible()
    assert page.evaluate("window.isSame")
