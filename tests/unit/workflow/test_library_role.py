"""With whose role events start a workflow."""

from pathlib import Path

import pytest

from app.core.actor import Actor, Role
from app.core.errors import StoreError
from app.workflow.library import AUTHORS, Library

TEXT = 'name = "own"\n[[steps]]\nid = "one"\ndo = "wait"\nwith = { seconds = 1 }\n'
EVE = Actor("eve", "ui", Role.OPERATOR)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    made = Library(tmp_path / "shipped", tmp_path / "own")
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "ours.toml").write_text(TEXT.replace("own", "ours"))
    made.refresh()
    return made


def test_a_definition_runs_with_the_role_of_who_saved_it(library: Library) -> None:
    library.save("own", TEXT, author=EVE)
    assert library.role(library.definition("own")) is Role.OPERATOR


def test_saving_anew_takes_the_new_author(library: Library) -> None:
    library.save("own", TEXT, author=EVE)
    library.save("own", f"{TEXT}timeout_s = 9\n", author=Actor("ann", "ui", Role.ENGINEER))
    assert library.role(library.definition("own")) is Role.ENGINEER


def test_the_same_text_saved_by_somebody_with_less_has_less(library: Library) -> None:
    library.save("own", TEXT, author=Actor("ann", "ui", Role.ENGINEER))
    library.save("own", f"# a comment\n{TEXT}", author=EVE)
    assert library.role(library.definition("own")) is Role.OPERATOR


def test_what_is_written_to_the_disk_by_hand_is_an_engineers(
    library: Library, tmp_path: Path
) -> None:
    library.save("own", TEXT, author=EVE)
    (tmp_path / "own" / "own.toml").write_text(f"{TEXT}timeout_s = 7\n")
    library.refresh()
    assert library.role(library.definition("own")) is Role.ENGINEER


def test_while_the_file_is_broken_its_last_good_definition_is_still_its_authors(
    library: Library, tmp_path: Path
) -> None:
    library.save("own", TEXT, author=EVE)
    (tmp_path / "own" / "own.toml").write_text("name =")
    library.refresh()
    assert library.role(library.definition("own")) is Role.OPERATOR


def test_a_save_that_fails_gives_the_definition_before_no_higher_role(
    library: Library, tmp_path: Path
) -> None:
    library.save("own", TEXT, author=EVE)
    (tmp_path / "own" / ".own.toml.new").mkdir()  # where the next text is written first
    with pytest.raises(StoreError, match="cannot be written"):
        library.save("own", f"{TEXT}timeout_s = 9\n", author=EVE)
    assert library.role(library.definition("own")) is Role.OPERATOR


def test_of_many_saves_the_authors_of_the_last_two_are_kept(
    library: Library, tmp_path: Path
) -> None:
    for seconds in range(1, 6):
        library.save("own", f"{TEXT}timeout_s = {seconds}\n", author=EVE)
    kept = (
        library.role(library.definition("own")),
        (tmp_path / "own" / AUTHORS).read_text().count('"version"'),
    )
    assert kept == (Role.OPERATOR, 2)


def test_the_role_is_that_of_the_definition_that_is_begun_whoever_saves_another_meanwhile(
    library: Library,
) -> None:
    library.save("own", TEXT, author=Actor("ann", "ui", Role.ENGINEER))
    library.save("own", f"{TEXT}timeout_s = 9\n", author=EVE)
    begun = library.definition("own")
    library.save("own", f"{TEXT}timeout_s = 8\n", author=Actor("ann", "ui", Role.ENGINEER))
    assert library.role(begun) is Role.OPERATOR


def test_a_shipped_one_is_an_engineers(library: Library) -> None:
    assert library.role(library.definition("ours")) is Role.ENGINEER
