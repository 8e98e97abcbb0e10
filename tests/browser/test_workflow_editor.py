"""A person writes a workflow: by drawing, by forms and by typing, and all three say the same."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.browser.conftest import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def editor(page: Page, server: LiveServer) -> Iterator[Page]:
    del server
    page.goto("/workflows/new")
    expect(plate(page, "first")).to_be_visible()
    yield page
    page.on("dialog", lambda dialog: dialog.accept())  # leaving with changes asks


def plate(page: Page, step: str) -> Locator:
    return page.locator(f'.mw-we-node[data-step="{step}"]')


def text(page: Page) -> Locator:
    return page.locator(".mw-we-area")


def write(page: Page, more: str) -> None:
    text(page).fill(f"{text(page).input_value()}{more}")


def add_step(page: Page, step: str) -> None:
    page.get_by_role("button", name="Add step").click()
    expect(plate(page, step)).to_be_visible()


def drag(page: Page, source: str, target: str) -> None:
    page.evaluate("scrollTo(0, 0)")
    port, box = (
        plate(page, source).locator(".mw-we-port").bounding_box(),
        plate(page, target).bounding_box(),
    )
    assert port
    assert box
    page.mouse.move(port["x"] + 9, port["y"] + 9)
    page.mouse.down()
    page.mouse.move(box["x"] + 40, box["y"] + 30, steps=3)
    page.mouse.up()


def test_an_added_step_stands_in_the_text_behind_the_chosen_one(editor: Page):
    plate(editor, "first").click()
    add_step(editor, "step_2")

    expect(text(editor)).to_have_value(
        re.compile(r'id = "step_2"\ndo = "task"\nneeds = \["first"\]')
    )


def test_dragging_from_a_plate_to_another_connects_them(editor: Page):
    add_step(editor, "step_2")
    drag(editor, "step_2", "first")

    expect(text(editor)).to_have_value(re.compile(r'needs = \["step_2"\]'))


def test_an_edge_can_be_taken_away(editor: Page):
    plate(editor, "first").click()
    add_step(editor, "step_2")
    x, y = editor.evaluate(
        "() => { scrollTo(0, 0); const path = document.querySelector('.mw-we-grip');"
        " const at = path.getPointAtLength(path.getTotalLength() / 2), to = path.getScreenCTM();"
        " return [at.x + to.e, at.y + to.f]; }"
    )
    editor.mouse.click(x, y)
    editor.locator(".mw-we-cut").click()

    expect(text(editor)).not_to_have_value(re.compile("needs"))


def test_a_field_of_the_form_stands_in_the_text(editor: Page):
    plate(editor, "first").click()
    editor.get_by_label("Seconds").fill("30")
    editor.get_by_label("Seconds").press("Enter")

    expect(text(editor)).to_have_value(re.compile("seconds = 30"))


def test_what_is_typed_is_drawn(editor: Page):
    write(editor, '\n[[steps]]\nid = "more"\ndo = "wait"\nneeds = ["first"]\nwith.seconds = 2\n')

    expect(plate(editor, "more")).to_be_visible()
    expect(editor.locator(".mw-we-edge")).to_have_count(1)


def test_a_problem_leads_to_its_line(editor: Page):
    write(editor, '\n[[steps]]\nid = "more"\ndo = "waiit"\n')
    editor.locator(".mw-we-problem").click()

    chosen = "e => e.value.slice(e.selectionStart, e.selectionEnd)"
    assert text(editor).evaluate(chosen) == 'do = "waiit"'
    expect(plate(editor, "more")).to_have_attribute("aria-pressed", "true")


def test_an_answer_that_comes_while_the_button_is_down_does_not_take_the_click(editor: Page):
    write(editor, '\n[[steps]]\nid = "more"\ndo = "waiit"\n')
    editor.locator(".mw-we-problem").hover()
    editor.mouse.down()  # leaves the text, which the server answers
    editor.wait_for_timeout(700)
    editor.mouse.up()

    expect(plate(editor, "more")).to_have_attribute("aria-pressed", "true")


def test_a_text_that_cannot_be_read_keeps_the_drawing_and_stops_the_forms(editor: Page):
    plate(editor, "first").click()
    write(editor, "\n[[")

    expect(editor.locator(".mw-we-form")).to_contain_text("Mend it first")
    expect(plate(editor, "first")).to_be_visible()
    expect(editor.get_by_role("button", name="Save")).to_be_disabled()


def test_a_removed_step_comes_back_by_undo(editor: Page):
    plate(editor, "first").focus()
    plate(editor, "first").press("Delete")
    expect(plate(editor, "first")).to_have_count(0)
    editor.locator(".mw-we-note").get_by_role("button", name="Undo").click()

    expect(plate(editor, "first")).to_be_visible()


def test_the_arrows_go_from_step_to_step(editor: Page):
    plate(editor, "first").click()
    add_step(editor, "step_2")
    plate(editor, "step_2").press("ArrowLeft")

    expect(plate(editor, "first")).to_be_focused()


def test_keys_work_on_a_step_that_was_clicked(editor: Page):
    plate(editor, "first").click()
    expect(plate(editor, "first")).to_be_focused()
    editor.keyboard.press("n")
    expect(plate(editor, "step_2")).to_be_focused()
    editor.keyboard.press("Control+z")
    expect(plate(editor, "step_2")).to_have_count(0)


def test_a_step_is_undone_with_the_focus_in_a_checkbox_and_text_by_the_field(editor: Page):
    plate(editor, "first").click()
    add_step(editor, "step_2")
    editor.get_by_label("Title").fill("Look")
    editor.keyboard.press("Control+z")
    expect(plate(editor, "step_2")).to_be_visible()
    editor.locator(".mw-we-check input").first.focus()
    editor.keyboard.press("Control+z")
    expect(plate(editor, "step_2")).to_have_count(0)


def test_a_renamed_step_is_renamed_where_it_is_needed(editor: Page):
    plate(editor, "first").click()
    add_step(editor, "step_2")
    plate(editor, "first").click()
    editor.get_by_label("Id *").fill("begin")
    editor.get_by_label("Id *").press("Enter")

    expect(text(editor)).to_have_value(re.compile(r'needs = \["begin"\]'))


def test_leaving_with_changes_asks_first(editor: Page):
    add_step(editor, "step_2")
    expect(editor.locator(".mw-we-word")).to_contain_text("not saved")
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    editor.once("dialog", answer)
    editor.goto("/")

    assert asked == ["beforeunload"]


def test_a_dry_run_shows_at_each_step_what_it_would_do(editor: Page):
    write(editor, '\n[inputs.level]\nkind = "number"\nhigh = 5\n')
    editor.get_by_role("button", name="Dry run").click()
    editor.get_by_label("level").fill("9")
    editor.get_by_role("button", name="Run dry").click()
    expect(editor.get_by_role("dialog")).to_contain_text("must be at most 5")
    editor.get_by_label("level").fill("4")
    editor.get_by_role("button", name="Run dry").click()

    expect(plate(editor, "first")).to_contain_text("would be done")
