"""Forms change the text of a definition, and its comments stay."""

import tomllib

import pytest

from app.core.errors import InputError
from app.workflow.toml_edit import (
    Change,
    append,
    changed,
    connect,
    disconnect,
    put,
    remove_step,
    rename_input,
    rename_step,
)

TEXT = """\
# what it is for
name = "demo" # short

[inputs.unit]
kind = "equipment" # which one

[[triggers]]
on = "finding"
input = { unit = "${event.equipment}" }

[[steps]]
id = "look" # first
do = "task"
on_error = "goto:tidy"
[steps.with]
capability = "search"
input = { query = "${input.unit}" }

# then
[[steps]]
id = "ask"
do = "approve"
needs = ["look"]
title = "See steps.look.output"
when = "steps.look.output.found and steps['look'].state == 'done'"
with = { question = "Go on with ${steps.look.output.title}?" }
goto = { step = "look", when = "steps.look.output.again" }

[[steps]]
id = "tidy"
do = "wait"
with.seconds = 1
"""


def data(text: str) -> dict[str, object]:
    return tomllib.loads(text)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (put(("title",), "Demo"), 'title = "Demo"'),
        (put(("name",), "other"), 'name = "other" # short'),
        (put(("steps", 0, "with", "capability"), "find"), 'capability = "find"'),
        (put(("steps", 0, "retry", "attempts"), 3), "attempts = 3"),
        (put(("steps", 1, "with", "role"), "supervisor"), 'role = "supervisor"'),
        (put(("steps", 0, "title"), "Look"), 'title = "Look"'),
        (put(("inputs", "level", "kind"), "number"), "[inputs.level]"),
        (put(("runs", "max"), 3), "[runs]"),
        (put(("steps", 2, "with", "until"), "a\nb"), '"""a'),
        (append("triggers", {"on": "schedule", "shift": "end"}), 'on = "schedule"'),
        (append("steps", {"id": "more", "do": "wait"}), 'id = "more"'),
        (connect("tidy", "ask"), 'needs = ["look", "tidy"]'),
        (connect("look", "tidy"), 'needs = ["look"]'),
        (rename_step("look", "find"), 'id = "find" # first'),
        (rename_step("look", "find"), 'on_error = "goto:tidy"'),
        (rename_step("look", "find"), "steps.find.output.found and steps.find.state"),
        (rename_step("look", "find"), 'title = "See steps.look.output"'),
        (rename_step("tidy", "clean"), 'on_error = "goto:clean"'),
        (rename_input("unit", "machine"), "query = "),
        (rename_input("unit", "machine"), "${input.machine}"),
    ],
)
def test_a_change_stands_in_the_text_and_comments_stay(change: Change, line: str):
    text = changed(TEXT, change)

    assert line in text
    assert "# what it is for" in text
    assert "# first" in text


def test_a_value_can_be_taken_away():
    text = changed(TEXT, put(("steps", 1, "when"), None))

    assert "when" not in data(text)["steps"][1]  # type: ignore[index]


def test_the_last_value_of_a_table_takes_the_table_away():
    text = changed(TEXT, put(("steps", 2, "with", "seconds"), None))

    assert "with" not in data(text)["steps"][2]  # type: ignore[index]


def test_taking_away_what_is_not_there_changes_nothing():
    assert changed(TEXT, put(("steps", 2, "retry", "attempts"), None)) == TEXT


def test_a_removed_step_leaves_nothing_that_leads_to_it():
    text = changed(TEXT, remove_step("look"))

    assert [step["id"] for step in data(text)["steps"]] == ["ask", "tidy"]  # type: ignore[index]
    assert "needs" not in text
    assert "goto" not in text


def test_a_removed_handler_leaves_no_jump_to_it():
    assert "on_error" not in changed(TEXT, remove_step("tidy"))


def test_the_last_step_can_be_removed():
    text = 'name = "demo"\n[[steps]]\nid = "one"\ndo = "wait"\n'

    assert data(changed(text, remove_step("one"))) == {"name": "demo"}


def test_a_step_can_be_added_to_an_empty_text():
    text = changed("", append("steps", {"id": "one", "do": "wait", "needs": []}))

    assert "[[steps]]" in text


def test_an_added_step_stands_behind_an_empty_line():
    text = changed(TEXT, append("steps", {"id": "more", "do": "wait"}))

    assert '\n\n[[steps]]\nid = "more"' in text


def test_steps_written_in_one_line_can_be_changed():
    text = 'steps = [{ id = "a", do = "wait" }, { id = "b", do = "wait", needs = ["a"] }]\n'
    grown = changed(text, append("steps", {"id": "c", "do": "wait"}))

    assert data(changed(grown, connect("a", "c")))["steps"][2]["needs"] == ["a"]  # type: ignore[index]


def test_an_edge_can_be_taken_away():
    assert "needs" not in changed(TEXT, disconnect("look", "ask"))


def test_the_edge_of_an_error_can_be_taken_away():
    assert "on_error" not in changed(TEXT, disconnect("look", "tidy"))


def test_what_stands_there_already_is_not_written_twice():
    assert changed(TEXT, connect("look", "ask")) == TEXT


def test_a_trigger_can_be_removed():
    assert "triggers" not in changed(TEXT, put(("triggers", 0), None))


def test_windows_line_ends_are_read():
    assert data(changed(TEXT.replace("\n", "\r\n"), put(("title",), "T")))["title"] == "T"


@pytest.mark.parametrize(
    "change",
    [
        remove_step("ghost"),
        rename_step("ghost", "x"),
        connect("ghost", "ask"),
        connect("look", "ghost"),
        disconnect("look", "ghost"),
        rename_input("ghost", "x"),
        rename_input("unit", "unit"),
        put(("steps", 9, "title"), "x"),
        put(("name", "x"), "y"),
        put(("title",), {1, 2}),
    ],
)
def test_a_change_that_does_not_fit_is_refused(change: Change):
    with pytest.raises(InputError, match="change the text"):
        changed(TEXT, change)


@pytest.mark.parametrize("text", ["name =", "[[steps]", "[" * 5000])
def test_a_text_that_is_no_toml_is_mended_first(text: str):
    with pytest.raises(InputError, match="Mend the text first"):
        changed(text, put(("title",), "x"))
