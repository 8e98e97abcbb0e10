"""The editor of workflows: what a person's edits make of the text, and the pages."""

from typing import Any

import pytest
from nicegui.testing import User

from app.clock import SystemClock
from app.core.errors import InputError
from app.core.workflow import ACTION_FIELDS, ActionKind
from app.plant import Plant
from app.settings import Settings
from pages import workflow_editor
from pages.widgets.workflow_editor.draft import draft
from pages.widgets.workflow_editor.schema import schema
from pages.widgets.workflow_editor.session import STEPS_BACK, EditSession

TEXT = 'name = "demo"\n[[steps]]\nid = "one"\ndo = "wait"\nwith = { seconds = 1 }\n'


def put(place: list[str | int], value: object) -> dict[str, Any]:
    return {"op": "put", "place": place, "value": value, "seq": 1}


def type_and_undo(session: EditSession, times: int) -> None:
    for number in range(times):
        session.type(f"{TEXT}# {number}")
        session.pause()
    while session.can_undo:
        session.undo()


def test_a_form_changes_the_text():
    session = EditSession(TEXT, "demo", "v1")
    session.edit(put(["title"], "Demo"))

    assert 'title = "Demo"' in session.text
    assert session.is_dirty


@pytest.mark.parametrize(
    "asked",
    [
        {"op": "append", "name": "steps", "value": {"id": "two", "do": "wait"}},
        {"op": "remove_step", "id": "one"},
        {"op": "rename_step", "old": "one", "new": "first"},
        {"op": "connect", "from": "one", "to": "one"},
    ],
)
def test_every_change_can_be_taken_back_and_made_again(asked: dict[str, Any]):
    session = EditSession(TEXT, "demo", "v1")
    session.edit(asked)
    changed = session.text
    assert changed != TEXT

    session.undo()
    assert (session.text, session.is_dirty) == (TEXT, False)
    session.redo()
    assert session.text == changed


NOT_UNDERSTOOD: list[dict[str, Any]] = [
    {"op": "put", "place": [], "value": 1},
    {"op": "put", "place": ["a"] * 20, "value": 1},
    {"op": "put", "place": [{}], "value": 1},
    {"op": "put", "place": "name", "value": 1},
    {"op": "put", "place": ["title"]},
    {"op": "append", "name": "inputs", "value": {}},
    {"op": "append", "name": "steps", "value": 3},
    {"op": "remove_step"},
    {"op": "rename_step", "old": "one", "new": ""},
    {"op": "connect", "from": "one"},
    {"op": "format disk"},
    {},
]


@pytest.mark.parametrize("asked", NOT_UNDERSTOOD)
def test_a_change_that_is_not_understood_is_refused_and_changes_nothing(asked: dict[str, Any]):
    session = EditSession(TEXT, "demo", "v1")

    with pytest.raises(InputError, match="not understood"):
        session.edit(asked)
    assert (session.text, session.can_undo) == (TEXT, False)


def test_what_is_typed_in_one_go_is_taken_back_at_once():
    session = EditSession(TEXT, "demo", "v1")
    session.type(TEXT + "#")
    session.type(TEXT + "# a")
    session.undo()

    assert session.text == TEXT


def test_a_pause_divides_what_is_typed():
    session = EditSession(TEXT, "demo", "v1")
    session.type(TEXT + "#")
    session.pause()
    session.type(TEXT + "# a")
    session.undo()

    assert session.text == TEXT + "#"


def test_a_new_change_forgets_what_was_taken_back():
    session = EditSession(TEXT, "demo", "v1")
    session.edit(put(["title"], "A"))
    session.undo()
    session.edit(put(["title"], "B"))

    assert not session.can_redo


def test_a_text_too_long_is_refused():
    session = EditSession(TEXT, "demo", "v1")

    with pytest.raises(InputError, match="262144 bytes"):
        session.type("#" * 262_145)
    assert session.text == TEXT


def test_undo_keeps_a_bounded_past():
    session = EditSession(TEXT, "demo", "v1")
    type_and_undo(session, STEPS_BACK + 5)

    assert session.text == f"{TEXT}# 4"


def test_undo_without_a_past_changes_nothing():
    session = EditSession(TEXT, "demo", "v1")
    session.undo()
    session.redo()

    assert session.text == TEXT


def test_what_is_saved_is_not_lost_by_leaving():
    session = EditSession(TEXT, "demo", "v1")
    session.edit(put(["title"], "Demo"))
    session.saved(session.text, "demo", "v2")

    assert (session.is_dirty, session.version) == (False, "v2")


def test_what_was_typed_while_saving_is_still_to_be_saved():
    session = EditSession(TEXT, "demo", "v1")
    session.edit(put(["title"], "Demo"))
    sent = session.text
    session.type(sent + "# more")
    session.saved(sent, "demo", "v2")

    assert session.is_dirty


def test_a_new_workflow_that_nobody_touched_is_not_lost():
    assert not EditSession(TEXT).is_dirty


@pytest.mark.parametrize("text", ["a =", "[" * 100_000, "\x00"])
def test_a_text_that_cannot_be_read_has_no_drawing(text: str):
    assert draft(text) is None


@pytest.mark.parametrize(
    ("text", "grid"),
    [
        ("", []),
        (TEXT, [(0, 0)]),
        ("steps = 3", []),
        ("steps = [3]", []),
        ("[[steps]]\n[[steps]]\n", [(0, 0), (0, 1)]),
        ('[[steps]]\nid = "a"\n[[steps]]\nid = "a"\n', [(0, 0), (0, 1)]),
        ('[[steps]]\nid = "a"\n[[steps]]\nid = "b"\nneeds = ["a"]\n', [(0, 0), (1, 0)]),
        ('[[steps]]\nid = "a"\n[[steps]]\nid = "b"\nneeds = "a"\n', [(0, 0), (0, 1)]),
        ('[[steps]]\nid = "a"\non_error = 3\n', [(0, 0)]),
        ("at = 2026-01-01T00:00:00Z", []),
    ],
)
def test_a_draft_is_drawn_as_far_as_it_goes(text: str, grid: list[tuple[int, int]]):
    found = draft(text)

    assert found is not None
    assert found["grid"] == grid


def test_a_draft_knows_the_line_of_each_step():
    found = draft('name = "demo"\n\n# first\n[[steps]]\nid = "a"\n[[steps]]\nid = "b"\n')

    assert found is not None
    assert found["lines"] == [4, 6]


@pytest.fixture
def plant(settings: Settings, user: User) -> Plant:
    del user  # it prepares NiceGUI for a test
    plant = Plant(settings, SystemClock())
    workflow_editor.create(plant)
    return plant


def test_the_forms_know_every_field_of_every_action(plant: Plant):
    made = schema(plant)

    assert set(made["actions"]) == set(ActionKind)
    assert {name: set(fields) for name, fields in made["actions"].items()} == {
        do.value: set(fields) for do, fields in ACTION_FIELDS.items()
    }
    assert made["about"]["Step"]["with"].startswith("Fields of the action")


async def test_a_new_workflow_can_be_written(plant: Plant, user: User):
    del plant
    await user.open("/workflows/new")

    await user.should_see("New workflow")


async def test_a_workflow_that_does_not_exist_says_so_and_leads_back(plant: Plant, user: User):
    del plant
    answer = await user.http_client.get("/workflows/ghost/edit")

    assert answer.status_code == 404
    assert "There is no workflow" in answer.text
    assert "ghost" in answer.text
    assert "/workflows" in answer.text
