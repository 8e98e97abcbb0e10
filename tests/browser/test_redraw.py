"""What is pressed, marked or focused while a page is drawn again stays so."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.running_app import RunningApp, start_app

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

START_S = 60.0
FLOWS = {
    "ask": """
name = "ask"
title = "Ask before going on"
[inputs.unit]
required = true
[[steps]]
id = "choose"
title = "Go on?"
do = "approve"
with = { question = "Go on with ${input.unit}?" }
[[steps]]
id = "pause"
title = "Wait a moment"
needs = ["choose"]
do = "wait"
with = { seconds = 1 }
""",
    "fail": """
name = "fail"
title = "Fail at once"
[inputs.unit]
required = true
[[steps]]
id = "call"
do = "http"
with = { url = "http://127.0.0.1:9/${input.unit}" }
""",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    data = tmp_path_factory.mktemp("redraw") / "data"
    _write(data / "workflows")
    running = start_app(data, 0, 0, "--no-demo")
    try:
        running.wait_until(
            lambda: {"ask", "fail"} <= {flow["name"] for flow in running.get("/api/workflows")},
            START_S,
        )
        yield running
    finally:
        running.kill_everything()


def _write(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, text in FLOWS.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def context(chromium: Browser, app: RunningApp) -> Iterator[BrowserContext]:
    made = chromium.new_context(base_url=app.url, viewport={"width": 1366, "height": 768})
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    page.close()


def start(app: RunningApp, workflow: str, unit: str, state: str) -> dict[str, Any]:
    run: dict[str, Any] = app.post(f"/api/workflows/{workflow}/runs", input={"unit": unit})
    app.wait_until(lambda: app.get(f"/api/runs/{run['id']}")["state"] == state, 15)
    return run


def press(page: Page, at: Locator) -> None:
    at.hover()
    page.mouse.down()


def plates(page: Page) -> Locator:
    return page.locator("#app .mw-decision")


def approve(page: Page, words: str) -> Locator:
    return plates(page).filter(has_text=words).locator("[data-act=approve]")


def test_a_press_on_approve_arrives_though_another_decision_comes(page: Page, app: RunningApp):
    start(app, "ask", "press 1", "waiting")
    page.goto("/approvals")
    press(page, approve(page, "press 1"))
    start(app, "ask", "press 2", "waiting")
    page.wait_for_timeout(700)  # the redraw that must not take the click
    page.mouse.up()
    expect(page.locator(".mw-ask")).to_be_visible()
    expect(approve(page, "press 2")).to_be_visible()


def test_the_focus_stays_on_its_decision_when_an_older_one_goes(page: Page, app: RunningApp):
    older = start(app, "ask", "focus 1", "waiting")
    start(app, "ask", "focus 2", "waiting")
    page.goto("/approvals")
    approve(page, "focus 2").focus()
    app.post(f"/api/runs/{older['id']}/cancel", why="trial is over")
    expect(plates(page).filter(has_text="focus 1")).to_have_count(0)
    expect(approve(page, "focus 2")).to_be_focused()


def test_a_press_on_a_step_arrives_though_the_run_goes_on(page: Page, app: RunningApp):
    run = start(app, "ask", "press 3", "waiting")
    page.goto(f"/runs/{run['id']}")
    node = page.locator("#app .mw-node[data-step=choose]")
    page.locator("#app .mw-node[data-step=pause]").click()
    expect(page.locator(".mw-step h2")).to_have_text("Wait a moment")
    press(page, node.locator("svg").first)
    app.post(f"/api/runs/{run['id']}/approve", note="yes")
    page.wait_for_timeout(700)
    page.mouse.up()
    expect(page.locator(".mw-step h2")).to_have_text("Go on?")
    expect(page.locator("#app .mw-run-head")).to_contain_text("completed")


def test_a_press_on_a_row_leads_to_its_run_though_it_ends(page: Page, app: RunningApp):
    run = start(app, "ask", "press 4", "waiting")
    page.goto("/runs")
    press(page, page.locator(f"#app [data-run='{run['id']}'] .mw-run-open"))
    app.post(f"/api/runs/{run['id']}/cancel", why="trial is over")
    page.wait_for_timeout(700)
    page.mouse.up()
    expect(page).to_have_url(f"{app.url}/runs/{run['id']}")


@pytest.mark.parametrize("address", ["/health", "/agents"])
def test_what_is_drawn_each_second_keeps_focus_and_marked_text(page: Page, address: str):
    page.goto(address)
    piece = page.locator("#app .mw-main > .mw-piece, #app .mw-agent > .mw-piece")
    words = piece.filter(has_text="vibration agent").or_(piece.filter(has_text="Vibration agent"))
    name = words.get_by_text("Vibration agent", exact=True)
    name.evaluate("node => getSelection().selectAllChildren(node)")
    page.wait_for_timeout(2500)
    assert page.evaluate("getSelection().toString()") == "Vibration agent"


def test_a_link_on_health_keeps_focus_and_click(page: Page, app: RunningApp):
    page.goto("/health")
    link = page.locator("#app a[href='/alarms/kpi'].mw-link")
    link.focus()
    press(page, link)
    page.wait_for_timeout(2500)
    expect(link).to_be_focused()
    page.mouse.up()
    expect(page).to_have_url(f"{app.url}/alarms/kpi")


def test_marks_in_dead_letters_stay_when_another_run_fails(page: Page, app: RunningApp):
    first = start(app, "fail", "1", "failed")
    page.goto("/dead-letters")
    page.locator(f"#app [data-run='{first['id']}'] .mw-pick").check()
    second = start(app, "fail", "2", "failed")
    expect(page.locator(f"#app [data-run='{second['id']}']")).to_be_visible()
    expect(page.locator(f"#app [data-run='{first['id']}'] .mw-pick")).to_be_checked()
    expect(page.locator(f"#app [data-run='{second['id']}'] .mw-pick")).not_to_be_checked()
    expect(page.locator(".mw-bulk-count")).to_have_text("1 marked")


def test_a_button_that_is_held_down_for_long_hides_nothing(page: Page, app: RunningApp):
    page.goto("/approvals")
    press(page, page.locator("#app h1"))
    start(app, "ask", "held 1", "waiting")
    expect(approve(page, "held 1")).to_be_visible()  # the button is down still
    page.mouse.up()


def test_a_double_click_on_approve_asks_once(page: Page, app: RunningApp):
    start(app, "ask", "double 1", "waiting")
    page.goto("/approvals")
    approve(page, "double 1").dblclick()
    expect(page.locator(".mw-ask input")).to_be_focused()
    page.keyboard.press("Enter")
    expect(approve(page, "double 1")).to_have_count(0)
    expect(page.locator(".mw-ask")).to_have_count(0)
