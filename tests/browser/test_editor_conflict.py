"""Two persons change the same workflow: the second who saves is told, and chooses whose counts."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

NAME = "shared_rest"
TEXT = f'name = "{NAME}"\n\n[[steps]]\nid = "rest"\ndo = "wait"\nwith = {{ seconds = 1 }}\n'
ANN = TEXT.replace("seconds = 1", "seconds = 11")
BOB = TEXT.replace("seconds = 1", "seconds = 22")


@pytest.fixture
def ann(chromium: Browser, server: LiveServer) -> Iterator[Page]:
    yield from browse(chromium, server)


@pytest.fixture
def bob(ann: Page, chromium: Browser, server: LiveServer) -> Iterator[Page]:
    """Return the browser of who opens the workflow before Ann has saved."""
    assert ann.request.put(f"/api/workflows/{NAME}", data={"text": TEXT}).ok
    edit(ann)
    for page in browse(chromium, server):
        edit(page)
        save(ann, ANN)
        expect(ann.locator(".mw-we-word")).to_contain_text("Saved")
        yield page


def browse(chromium: Browser, server: LiveServer) -> Iterator[Page]:
    with chromium.new_context(base_url=server.url) as context:
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("dialog", lambda dialog: dialog.accept())  # leaving with changes asks
        yield page


def edit(page: Page) -> None:
    page.goto(f"/workflows/{NAME}/edit")
    expect(page.locator('.mw-we-node[data-step="rest"]')).to_be_visible()


def on_disk(page: Page) -> str:
    return str(page.request.get(f"/api/workflows/{NAME}").json()["text"])


def area(page: Page) -> Locator:
    return page.locator(".mw-we-area")


def save(page: Page, text: str) -> None:
    area(page).fill(text)
    page.get_by_role("button", name="Save", exact=True).click()


def asked(page: Page) -> Locator:
    return page.get_by_role("dialog")


def test_the_second_who_saves_is_told_and_nothing_is_overwritten_yet(ann: Page, bob: Page):
    save(bob, BOB)

    expect(asked(bob)).to_contain_text(f'Somebody else has saved "{NAME}" meanwhile')
    assert on_disk(ann) == ANN


def test_who_takes_theirs_goes_on_from_it_and_gets_the_own_text_back_by_undo(ann: Page, bob: Page):
    save(bob, BOB)
    asked(bob).get_by_role("button", name="Take theirs").click()
    expect(area(bob)).to_have_value(ANN)
    expect(bob.locator(".mw-we-word")).to_contain_text("Saved")
    assert on_disk(ann) == ANN
    bob.get_by_role("button", name="Undo").click()
    expect(area(bob)).to_have_value(BOB)
    bob.get_by_role("button", name="Save", exact=True).click()
    expect(bob.locator(".mw-we-word")).to_contain_text("Saved")

    assert on_disk(ann) == BOB


def test_who_saves_over_it_is_the_one_that_counts_and_the_other_is_told_next(ann: Page, bob: Page):
    save(bob, BOB)
    asked(bob).get_by_role("button", name="Save mine over it").click()
    expect(bob.locator(".mw-we-word")).to_contain_text("Saved")
    assert on_disk(ann) == BOB
    save(ann, ANN.replace("11", "12"))

    expect(asked(ann)).to_contain_text("Somebody else has saved")
    assert on_disk(ann) == BOB


def test_who_goes_back_keeps_the_own_text_unsaved_and_is_asked_again(ann: Page, bob: Page):
    save(bob, BOB)
    asked(bob).get_by_role("button", name="Back").click()
    expect(asked(bob)).to_have_count(0)
    expect(bob.locator(".mw-we-word")).to_contain_text("not saved")
    expect(area(bob)).to_have_value(BOB)
    bob.get_by_role("button", name="Save", exact=True).click()

    expect(asked(bob)).to_contain_text("Somebody else has saved")
    assert on_disk(ann) == ANN


def test_a_third_change_while_the_second_is_asked_is_not_overwritten_unseen(ann: Page, bob: Page):
    save(bob, BOB)
    expect(asked(bob)).to_contain_text("Somebody else has saved")
    third = ANN.replace("11", "13")
    save(ann, third)
    expect(ann.locator(".mw-we-word")).to_contain_text("Saved")
    assert on_disk(ann) == third
    asked(bob).get_by_role("button", name="Save mine over it").click()

    expect(asked(bob).last).to_contain_text("Somebody else has saved")
    assert on_disk(ann) == third
