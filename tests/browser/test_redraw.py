"""What is pressed, marked or focused while a page is drawn again stays so."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.real_app import ASK, PAUSE, app_with, asking, cancel, started
from tests.running_app import RunningApp

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

FOCUSED_BUTTON = """() => {
  const e = document.activeElement;
  if (!e?.matches(".q-btn")) return null;
  const style = getComputedStyle(e);
  const isRinged = style.outlineStyle !== "none" || style.boxShadow !== "none";
  return {name: e.innerText, is_ringed: isRinged};
}"""

FAIL = """
name = "fail"
title = "Fail at once"
[inputs.unit]
required = true
[[steps]]
id = "call"
do = "http"
with = { url = "http://127.0.0.1:9/${input.unit}" }
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with app_with(tmp_path_factory.mktemp("redraw"), {"ask": ASK + PAUSE, "fail": FAIL}) as running:
        yield running


@pytest.fixture(scope="module")
def pages_url(app: RunningApp) -> str:
    return app.url


def press(page: Page, at: Locator) -> None:
    at.hover()
    page.mouse.down()


def plates(page: Page) -> Locator:
    return page.locator("#app .mw-decision")


def approve(page: Page, words: str) -> Locator:
    return plates(page).filter(has_text=words).locator("[data-act=approve]")


def test_a_press_on_approve_arrives_though_another_decision_comes(page: Page, app: RunningApp):
    asking(app, "press 1")
    page.goto("/approvals")
    press(page, approve(page, "press 1"))
    asking(app, "press 2")
    page.wait_for_timeout(700)  # the redraw that must not take the click
    page.mouse.up()
    expect(page.locator(".mw-ask")).to_be_visible()
    expect(approve(page, "press 2")).to_be_visible()


def test_the_focus_stays_on_its_decision_when_an_older_one_goes(page: Page, app: RunningApp):
    older = asking(app, "focus 1")
    asking(app, "focus 2")
    page.goto("/approvals")
    approve(page, "focus 2").focus()
    cancel(app, older)
    expect(plates(page).filter(has_text="focus 1")).to_have_count(0)
    expect(approve(page, "focus 2")).to_be_focused()


def test_a_press_on_a_step_arrives_though_the_run_goes_on(page: Page, app: RunningApp):
    run = asking(app, "press 3")
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
    run = asking(app, "press 4")
    page.goto("/runs")
    press(page, page.locator(f"#app [data-run='{run['id']}'] .mw-run-open"))
    cancel(app, run)
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
    first = started(app, "fail", "1", "failed")
    page.goto("/dead-letters")
    page.locator(f"#app [data-run='{first['id']}'] .mw-pick").check()
    second = started(app, "fail", "2", "failed")
    expect(page.locator(f"#app [data-run='{second['id']}']")).to_be_visible()
    expect(page.locator(f"#app [data-run='{first['id']}'] .mw-pick")).to_be_checked()
    expect(page.locator(f"#app [data-run='{second['id']}'] .mw-pick")).not_to_be_checked()
    expect(page.locator(".mw-bulk-count")).to_have_text("1 marked")


def test_a_button_that_is_held_down_for_long_hides_nothing(page: Page, app: RunningApp):
    page.goto("/approvals")
    press(page, page.locator("#app h1"))
    asking(app, "held 1")
    expect(approve(page, "held 1")).to_be_visible()  # the button is down still
    page.mouse.up()


def test_a_double_click_on_approve_asks_once(page: Page, app: RunningApp):
    asking(app, "double 1")
    page.goto("/approvals")
    approve(page, "double 1").dblclick()
    expect(page.locator(".mw-ask input")).to_be_focused()
    page.keyboard.press("Enter")
    expect(approve(page, "double 1")).to_have_count(0)
    expect(page.locator(".mw-ask")).to_have_count(0)


def test_the_focus_returns_to_what_opened_a_dialog(page: Page, app: RunningApp):
    asking(app, "dialog 1")
    page.goto("/approvals")
    button = approve(page, "dialog 1")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".mw-ask input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".mw-ask")).to_have_count(0)
    expect(button).to_be_focused()


def test_the_focus_returns_there_after_tab_went_through_the_dialog(page: Page, app: RunningApp):
    asking(app, "dialog 3")
    page.goto("/approvals")
    button = approve(page, "dialog 3")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".mw-ask input")).to_be_focused()
    for _ in range(8):
        page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator(".mw-ask")).to_have_count(0)
    expect(button).to_be_focused()


@pytest.mark.parametrize("path", ["/audit", "/agents"])
def test_the_keyboard_s_focus_shows_on_every_button(page: Page, path: str):
    page.goto(path)
    expect(page.locator("#app .mw-main .q-btn").first).to_be_visible()
    shown: dict[str, bool] = {}
    for _ in range(60):
        page.keyboard.press("Tab")
        if found := page.evaluate(FOCUSED_BUTTON):
            shown[found["name"]] = found["is_ringed"]
    assert shown
    assert all(shown.values()), shown


def test_the_focus_goes_to_the_page_when_what_opened_a_dialog_is_gone(page: Page, app: RunningApp):
    run = asking(app, "dialog 2")
    page.goto("/approvals")
    approve(page, "dialog 2").click()
    expect(page.locator(".mw-ask input")).to_be_focused()
    cancel(app, run)
    expect(approve(page, "dialog 2")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator(".mw-main")).to_be_focused()
