"""Workflows, runs and approvals in a browser, over the real app."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import until
from tests.browser.real_app import ASK, PAUSE, app_with, asking, await_state, cancel, started
from tests.running_app import RunningApp

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

SAY = """
[[steps]]
id = "say"
title = "Say it"
needs = ["pause"]
do = "publish"
with = { topic = "test/said", payload = "yes" }
"""

AFTER = """
name = "after"
title = "Follow another run"
[[triggers]]
on = "workflow"
workflow = "ask"
states = ["cancelled"]
[[steps]]
id = "say"
do = "publish"
with = { topic = "test/after", payload = "yes" }
"""

FLOWS = {
    "after": AFTER,
    "ask": ASK + PAUSE + SAY,
    "linger": ASK.replace('"ask"', '"linger"') + PAUSE.replace("= 1", "= 6") + SAY,
}
"""`linger` stays at each step for longer than a busy machine takes to look."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with app_with(tmp_path_factory.mktemp("work"), FLOWS) as running:
        yield running


@pytest.fixture(scope="module")
def pages_url(app: RunningApp) -> str:
    return app.url


def test_a_run_is_decided_and_followed_to_its_end_without_a_reload(page: Page, app: RunningApp):
    run = asking(app, "pump 1")
    page.goto(f"/runs/{run['id']}")
    page.evaluate("window.isSame = true")
    expect(page.locator(".mw-node-person")).to_contain_text("Go on?")
    page.locator("[data-act=approve]").click()
    page.locator(".mw-ask .mw-button").click()
    expect(page.locator(".mw-run-head")).to_contain_text("completed")
    expect(page.locator(".mw-node-done")).to_have_count(3)
    expect(page.locator(".mw-time")).to_have_count(3)
    assert page.evaluate("window.isSame")


def test_the_panel_follows_a_run_until_a_step_is_chosen(page: Page, app: RunningApp):
    run = started(app, "linger", "pump 12", "waiting")
    page.goto(f"/runs/{run['id']}")
    expect(page.locator(".mw-step h2")).to_have_text("Go on?")
    app.post(f"/api/runs/{run['id']}/approve", note="yes")
    expect(page.locator(".mw-step h2")).to_have_text("Wait a moment")
    expect(page.locator(".mw-step h2")).to_have_text("Say it")


@pytest.mark.parametrize("place", [".mw-step h2", ".mw-node[data-step=choose]"])
def test_a_step_that_a_person_reads_stays(page: Page, app: RunningApp, place: str):
    run = asking(app, "pump 13")
    page.goto(f"/runs/{run['id']}")
    page.locator(place).click()
    app.post(f"/api/runs/{run['id']}/approve", note="yes")
    expect(page.locator(".mw-run-head")).to_contain_text("completed")
    expect(page.locator(".mw-step h2")).to_have_text("Go on?")
    expect(page.locator("[data-step=choose].mw-node")).to_have_attribute("aria-pressed", "true")


def test_a_run_that_is_clicked_is_the_one_that_the_api_starts(page: Page, app: RunningApp):
    other = asking(app, "pump 11")
    page.goto("/workflows")
    page.locator("[data-act=start][data-id=ask]").click()
    form = page.get_by_role("dialog")
    form.get_by_label("unit").fill("pump 11")
    form.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*")
    expect(page.locator(".mw-node-person")).to_contain_text("Go on?")
    clicked = app.get(f"/api/runs/{page.url.rpartition('/')[2]}")

    assert (clicked["started_by"]["kind"], other["started_by"]["kind"]) == ("click", "http")
    alike = ("workflow", "version", "input", "role")
    assert [clicked[name] for name in alike] == [other[name] for name in alike]


def test_a_new_run_comes_to_the_top_by_itself_and_marks_stay(page: Page, app: RunningApp):
    first = asking(app, "pump 2")
    page.goto("/runs")
    page.locator(f"[data-run='{first['id']}'] .mw-pick").check()
    expect(page.locator(".mw-bulk")).to_be_visible()
    second = asking(app, "pump 3")
    expect(page.locator(".mw-run-row").first).to_have_attribute("data-run", second["id"])
    cancel(app, first)
    row = page.locator(f"[data-run='{first['id']}']")
    expect(row).to_contain_text("cancelled")
    expect(row.locator(".mw-pick")).to_be_checked()


def test_arrow_keys_choose_the_next_step(page: Page, app: RunningApp):
    run = asking(app, "pump 4")
    page.goto(f"/runs/{run['id']}")
    page.locator("[data-step=choose].mw-node").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-step=pause].mw-node")).to_be_focused()
    expect(page.locator(".mw-step h2")).to_have_text("Wait a moment")
    expect(page.locator("[data-step=pause].mw-node")).to_have_attribute("aria-pressed", "true")


def test_open_approvals_are_counted_in_the_rail(page: Page, app: RunningApp):
    asking(app, "pump 5")
    page.goto("/")
    badge = page.locator(".mw-rail [data-badge='/approvals']")
    expect(badge).to_be_visible()
    expect(badge).to_have_attribute("title", f"{len(app.get('/api/approvals'))} open")


def test_search_finds_workflows_and_runs(page: Page, app: RunningApp):
    run = asking(app, "zebra 6")
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("ask before")
    expect(page.locator(".mw-hit[href='/workflows?find=ask']")).to_be_visible()
    page.locator(".mw-search-input").fill(run["id"])
    expect(page.locator(f".mw-hit[href='/runs/{run['id']}']")).to_be_visible()


def test_a_name_is_kept_and_stands_behind_what_is_done(page: Page, app: RunningApp):
    run = asking(app, "pump 7")
    page.goto(f"/runs/{run['id']}")
    page.locator("#mw-you").click()
    page.locator("#mw-who input").fill("Anna Berg")
    page.keyboard.press("Enter")
    expect(page.locator("#mw-you")).to_contain_text("Anna Berg")
    page.reload()
    expect(page.locator("#mw-you")).to_contain_text("Anna Berg")
    page.locator("[data-act=cancel]").click()
    page.locator(".mw-ask input").fill("trial is over")
    page.keyboard.press("Enter")
    expect(page.locator(".mw-run-head")).to_contain_text("Cancelled by Anna Berg: trial is over")


@pytest.mark.parametrize("width", [1366, 1920])
def test_the_list_shows_for_whom_another_workflow_started_a_run(
    page: Page, app: RunningApp, width: int
):
    cancel(app, asking(app, f"followed at {width}"))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/runs")
    row = page.locator(".mw-run-row", has_text="Follow another run").first
    by = row.locator(".mw-run-by")
    expect(by).to_have_text("another workflow, for operator")
    assert by.evaluate("cell => cell.scrollWidth <= cell.clientWidth")
    assert row.evaluate("row => row.getBoundingClientRect().height") < 64


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("<b>", "A name has 1 to 40 letters"),
        ("Workflow x", '"Workflow x" is a name of the app itself; use your own.'),
    ],
)
def test_a_name_that_is_none_is_refused_where_it_can_be_mended(page: Page, name: str, why: str):
    page.goto("/")
    before = page.locator("#mw-you").inner_text()
    page.locator("#mw-you").click()
    page.locator("#mw-who input").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator("#mw-who .mw-who-why")).to_contain_text(why)
    expect(page.locator("#mw-who input")).to_have_value(name)
    assert page.locator("#mw-you").inner_text() == before
    page.locator("#mw-who input").fill("Anna Berg")
    page.keyboard.press("Enter")
    expect(page.locator("#mw-who")).to_have_count(0)
    expect(page.locator("#mw-you")).to_contain_text("Anna Berg")


@pytest.mark.parametrize("address", ["/workflows", "/runs", "/approvals", "/commands"])
def test_nothing_is_wider_than_a_phone(page: Page, app: RunningApp, address: str):
    asking(app, f"a unit with a rather long name {address}")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    expect(page.locator(".mw-rail-more")).to_be_visible()
    expect(page.locator(".mw-bone")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_more_leads_to_every_page_on_a_phone(page: Page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/")
    page.locator("#mw-more").click()
    expect(page.locator(".mw-more-link", has_text="Health")).to_be_visible()
    page.locator(".mw-more-link", has_text="Workflows").click()
    expect(page.locator("h1")).to_have_text("Workflows")


def test_the_rail_fits_a_small_display(page: Page):
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto("/")
    expect(page.locator(".mw-rail")).to_be_visible()
    assert page.evaluate(
        "(() => { const r = document.querySelector('.mw-rail'); "
        "return r.scrollHeight <= r.clientHeight })()"
    )


@pytest.mark.parametrize("address", ["/runs/{id}", "/runs?key=&text={id}"])
def test_what_changes_before_the_link_stands_is_shown(page: Page, app: RunningApp, address: str):
    run = asking(app, "pump 10")
    held: list[Route] = []
    page.route("**/socket.io.min.js", lambda route: held.append(route))  # noqa: PLW0108  it marks its handler
    page.goto(address.format(**run), wait_until="commit")
    expect(page.locator("#mw-first")).to_contain_text("waiting for a person")
    cancel(app, run)
    await_state(app, run, "cancelled")
    until(page, lambda: held)
    held[0].continue_()
    expect(page.locator("#app .mw-main")).to_contain_text("trial is over")


def test_a_list_catches_up_after_a_lost_link(page: Page, app: RunningApp):
    run = asking(app, "pump 8")
    page.goto("/runs")
    row = page.locator(f"[data-run='{run['id']}']")
    expect(row).to_contain_text("waiting for a person")
    page.evaluate("window.socket.disconnect()")
    cancel(app, run)
    await_state(app, run, "cancelled")
    page.evaluate("window.socket.connect()")
    expect(row).to_contain_text("cancelled")
