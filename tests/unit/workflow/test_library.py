"""The workflow files: shipped and own, read anew when they change."""

import os
from pathlib import Path

import pytest

from app.core.errors import ConflictError, FieldsError, InputError, NotFoundError, StoreError
from app.core.workflow_entry import Origin
from app.workflow.library import SWITCHES, Library

TEXT = 'name = "{name}"\ntitle = "{title}"\n[[steps]]\nid = "one"\ndo = "wait"\nwith.seconds = 1\n'


def text(name: str = "heat", title: str = "Heat") -> str:
    return TEXT.format(name=name, title=title)


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "heat.toml").write_text(text())
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own"


@pytest.fixture
def library(shipped: Path, own: Path) -> Library:
    found = Library(shipped, own)
    found.refresh()
    return found


def change(path: Path, content: str) -> None:
    """Write a file as an editor does, with another time even within one tick of the clock."""
    path.parent.mkdir(exist_ok=True)
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(content)
    os.utime(path, ns=(before + 1_000_000_000, before + 1_000_000_000))


def test_shipped_workflows_are_there_at_the_start(library: Library):
    entry = library.entry("heat")

    assert (entry.origin, entry.problems, entry.enabled) == (Origin.SHIPPED, (), True)
    assert library.definition("heat").title == "Heat"
    assert library.source("heat") == text()


def test_nothing_changed_is_nothing_read(library: Library):
    assert library.refresh() == set()


def test_a_new_file_is_read(library: Library, own: Path):
    change(own / "cool.toml", text("cool"))

    assert library.refresh() == {"cool"}
    assert [entry.name for entry in library.entries()] == ["cool", "heat"]


def test_a_changed_file_is_read_again(library: Library, shipped: Path):
    change(shipped / "heat.toml", text(title="Warm"))

    assert library.refresh() == {"heat"}
    assert library.definition("heat").title == "Warm"


def test_an_own_workflow_hides_the_shipped_one_of_its_name(library: Library):
    entry = library.save("heat", text(title="Mine"))

    assert (entry.origin, entry.hides_shipped) == (Origin.OWN, True)
    assert library.definition("heat").title == "Mine"


def test_deleting_an_own_workflow_brings_the_shipped_one_back(library: Library):
    library.save("heat", text(title="Mine"))
    library.delete("heat")

    assert library.entry("heat").origin is Origin.SHIPPED
    assert library.definition("heat").title == "Heat"


def test_a_deleted_workflow_is_gone(library: Library):
    library.save("cool", text("cool"))
    library.delete("cool")

    with pytest.raises(NotFoundError, match='"cool"'):
        library.entry("cool")


def test_a_shipped_workflow_cannot_be_deleted(library: Library):
    with pytest.raises(ConflictError, match="shipped"):
        library.delete("heat")


def test_a_broken_file_keeps_its_last_good_definition_working(library: Library, own: Path):
    library.save("cool", text("cool"))
    change(own / "cool.toml", 'name = "cool"\nsteps = [')
    library.refresh()

    assert library.entry("cool").workflow is None
    assert library.entry("cool").problems[0].line == 2
    assert library.definition("cool").name == "cool"


def test_a_file_broken_from_the_start_cannot_run(library: Library, own: Path):
    change(own / "cool.toml", 'name = "cool"\nsteps = [')
    library.refresh()

    with pytest.raises(ConflictError, match="line 2"):
        library.definition("cool")


def test_a_broken_own_file_does_not_fall_back_to_the_shipped_one(library: Library, own: Path):
    change(own / "heat.toml", "x = ")
    library.refresh()

    with pytest.raises(ConflictError, match="has an error"):
        library.definition("heat")


def test_a_mended_file_works_again(library: Library, own: Path):
    change(own / "cool.toml", "x = ")
    library.refresh()
    change(own / "cool.toml", text("cool"))
    library.refresh()

    assert library.entry("cool").problems == ()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"#" * 300_000, "262144 bytes"),
        (b"", '"name" is missing'),
    ],
)
def test_a_file_that_is_no_text_is_told(library: Library, own: Path, content: bytes, why: str):
    own.mkdir()
    (own / "cool.toml").write_bytes(content)
    library.refresh()

    assert any(why in problem.message for problem in library.entry("cool").problems)


def test_a_file_with_a_name_that_is_not_allowed_is_told(library: Library, own: Path):
    change(own / "My heat.toml", text())
    library.refresh()

    assert 'the file "My heat.toml"' in library.entry("My heat").problems[0].message


@pytest.mark.parametrize("name", ["../heat", "a/b", "", "Heat", "heat.toml", "x" * 61, ".enabled"])
def test_a_name_that_is_no_name_is_not_saved(library: Library, own: Path, name: str):
    with pytest.raises(InputError, match="no name of a workflow"):
        library.save(name, text())

    assert not own.exists()


@pytest.mark.parametrize("name", ["con", "nul", "prn", "aux", "com1", "com9", "lpt1", "lpt9"])
def test_a_name_that_no_file_can_have_on_windows_is_not_saved(
    library: Library, own: Path, name: str
):
    with pytest.raises(InputError, match=f'name: "{name}" cannot be') as caught:
        library.save(name, text(name))

    assert "take a longer one" in caught.value.hint
    assert not own.exists()


@pytest.mark.parametrize("name", ["cone", "com", "com10", "lpt0", "nul_1"])
def test_a_name_that_only_looks_like_one_of_a_device_is_saved(library: Library, name: str):
    assert library.save(name, text(name)).problems == ()


def test_a_text_with_errors_is_not_saved(library: Library, own: Path):
    with pytest.raises(FieldsError) as caught:
        library.save("cool", text("cool").replace('"wait"', '"wat"'))

    assert list(caught.value.details) == ["line 5 steps[0].do"]
    assert not own.exists()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("#" * 262_145, "The text has over 262144 bytes"),
        ('title = "x"', '"name" is missing'),
        ("a = " + "[" * 4000, "The text is nested too deeply"),
    ],
)
def test_what_is_wrong_with_the_whole_text_has_a_place_of_a_name(
    library: Library, wrong: str, why: str
):
    with pytest.raises(FieldsError) as caught:
        library.save("cool", wrong)

    assert caught.value.details == {"text": why}
    assert str(caught.value) == f'Workflow "cool" is not saved, text: {why}'


def test_two_faults_of_one_place_are_both_told(library: Library):
    bad = text("cool").replace('do = "wait"\nwith.seconds = 1', 'do = "command"')
    with pytest.raises(FieldsError) as caught:
        library.save("cool", bad)

    needs = 'Action "command" needs'
    assert caught.value.details == {"line 3 steps[0].with": f'{needs} "tag"; {needs} "value"'}


def test_a_broken_file_that_is_no_text_says_so_with_a_place(library: Library, own: Path):
    own.mkdir()
    (own / "cool.toml").write_bytes(b"name = \xff")
    library.refresh()

    with pytest.raises(ConflictError, match="has an error, text: The file is not UTF-8: byte 7"):
        library.definition("cool")


def test_a_text_of_another_name_is_not_saved(library: Library):
    with pytest.raises(FieldsError, match=r'the file "cool\.toml"'):
        library.save("cool", text("heat"))


def test_a_change_made_meanwhile_is_not_overwritten(library: Library, own: Path):
    seen = library.save("cool", text("cool")).version
    change(own / "cool.toml", text("cool", "By another hand"))

    with pytest.raises(ConflictError, match="changed meanwhile"):
        library.save("cool", text("cool", "Mine"), base_version=seen)
    assert library.definition("cool").title == "By another hand"


def test_a_change_of_what_was_seen_last_is_saved(library: Library):
    seen = library.entry("heat").version

    assert library.save("heat", text(title="Mine"), base_version=seen).version != seen


def test_a_folder_that_cannot_be_written_is_told(shipped: Path, tmp_path: Path):
    (tmp_path / "file").write_text("")
    library = Library(shipped, tmp_path / "file" / "own")

    with pytest.raises(StoreError, match="cannot be written"):
        library.save("cool", text("cool"))


def test_a_switch_outlives_the_process(library: Library, shipped: Path, own: Path):
    library.enable("heat", False)
    later = Library(shipped, own)
    later.refresh()

    assert not later.entry("heat").enabled


def test_a_switch_counts_more_than_the_file(library: Library):
    library.save("cool", "enabled = false\n" + text("cool"))
    assert not library.entry("cool").enabled

    assert library.enable("cool", True).enabled


def test_what_is_switched_elsewhere_is_seen(library: Library, own: Path):
    change(own / SWITCHES, '{"heat": false}')

    assert library.refresh() == {"heat"}
    assert not library.entry("heat").enabled


def test_a_damaged_switch_file_leaves_it_to_the_definitions(library: Library, own: Path):
    library.enable("heat", False)
    change(own / SWITCHES, "{")
    library.refresh()

    assert library.entry("heat").enabled


def test_a_workflow_that_does_not_exist_cannot_be_switched(library: Library):
    with pytest.raises(NotFoundError):
        library.enable("ghost", True)


def test_a_deleted_workflow_leaves_no_switch_behind(library: Library):
    library.save("cool", text("cool"))
    library.enable("cool", False)
    library.delete("cool")

    assert library.save("cool", text("cool")).enabled
