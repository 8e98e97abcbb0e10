"""The chain of the audit: whatever is done to its file from outside is found and named."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from app.core.audit_chain import Fault, Kind, Link, sealed
from app.core.errors import StoreError
from app.store.audit import AuditLog, Outcome
from app.store.audit_check import check_chain
from app.store.audit_file import insert_link, read_link, write_head
from app.store.audit_reader import reading
from tests.unit.store.audit_rig import ANNA, NOW, act, check, former_file, opened, spoil


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An audit of ten rows that is closed."""
    path = tmp_path / "audit.sqlite"
    act(path)
    return path


def test_a_chain_nobody_touched_is_whole(path: Path):
    verdict = check(path)
    assert (verdict.is_ok, verdict.is_whole, verdict.rows) == (True, True, 10)
    assert verdict.head
    assert verdict.head.number == 10


def test_an_audit_without_rows_is_whole(tmp_path: Path):
    act(tmp_path / "audit.sqlite", 0)
    verdict = check(tmp_path / "audit.sqlite")
    assert (verdict.is_ok, verdict.rows, verdict.head) == (True, 0, None)


MIDDLE = "UPDATE chain SET number = number - 1 WHERE number > 4"
SWAP = (
    "UPDATE chain SET number = 40 WHERE number = 4",
    "UPDATE chain SET number = 4 WHERE number = 6",
    "UPDATE chain SET number = 6 WHERE number = 40",
)
SHIFT = (
    "UPDATE chain SET number = -number - 1 WHERE number > 4",
    "UPDATE chain SET number = -number WHERE number < 0",
)
FORGE = (
    "INSERT INTO chain SELECT 5, 'intent', 0, at, 'eve', source, 'stop agent', target, why, "
    "'', '', hash, '{hash}' FROM chain WHERE number = 4"
)


@pytest.mark.parametrize(
    ("statements", "fault", "number", "words"),
    [
        (["UPDATE chain SET actor = 'eve' WHERE number = 3"], Fault.CHANGED, 3, "row 3 was"),
        (["UPDATE chain SET at = '2020' WHERE number = 1"], Fault.CHANGED, 1, "row 1 was"),
        (["UPDATE chain SET outcome = 'failed' WHERE number = 4"], Fault.CHANGED, 4, "row 4"),
        (["UPDATE chain SET of = 1 WHERE number = 10"], Fault.CHANGED, 10, "row 10 was"),
        (["UPDATE chain SET hash = previous WHERE number = 7"], Fault.CHANGED, 7, "row 7 was"),
        (["DELETE FROM chain WHERE number = 4"], Fault.MISSING, 5, "Row 4 is missing"),
        (["DELETE FROM chain WHERE number IN (4, 5)"], Fault.MISSING, 6, "Rows 4 to 5 are"),
        (["DELETE FROM chain WHERE number = 1"], Fault.MISSING, 2, "Row 1 is missing"),
        (["DELETE FROM chain WHERE number = 4", MIDDLE], Fault.CHANGED, 4, "row 4 was"),
        (["DELETE FROM chain WHERE number > 8"], Fault.HEAD, 9, "ends with row 8"),
        (["DELETE FROM chain"], Fault.HEAD, 1, "the chain is empty"),
        (SWAP, Fault.CHANGED, 4, "row 4 was"),
        ([*SHIFT, FORGE.format(hash="0" * 64)], Fault.CHANGED, 5, "row 5 was"),
    ],
)  # fmt: skip
def test_what_was_done_to_the_rows_is_named(
    path: Path, statements: list[str], fault: Fault, number: int, words: str
):
    spoil(path, "DROP INDEX chain_outcome", *statements)
    verdict = check(path)
    assert verdict.flaw
    assert (verdict.flaw.fault, verdict.flaw.number) == (fault, number)
    assert words in verdict.flaw.reason
    assert "Copy the data folder" in verdict.remedy


def test_a_byte_changed_in_the_file_is_found(path: Path):
    data = path.read_bytes()
    assert data.count(b"agent 3") == 1
    path.write_bytes(data.replace(b"agent 3", b"agent \xb3"))
    verdict = check(path)
    assert verdict.flaw
    assert (verdict.flaw.fault, verdict.flaw.number) == (Fault.CHANGED, 7)
    with opened(path) as audit:
        assert audit.rows(10)[1].target == "agent \ufffd"


def forge(path: Path, number: int) -> None:
    """Put a row with a hash that fits in place of another."""
    spoil(path)
    with closing(sqlite3.connect(path)) as other:
        row = read_link(other, number)
        assert row
        other.execute("DELETE FROM chain WHERE number = ?", (number,))
        insert_link(other, sealed(msgspec.structs.replace(row, actor="eve")))
        other.commit()


def test_a_replaced_row_whose_hash_fits_is_found_by_the_row_after_it(path: Path):
    forge(path, 4)
    verdict = check(path)
    assert verdict.flaw
    assert (verdict.flaw.fault, verdict.flaw.number) == (Fault.DETACHED, 5)


def test_a_replaced_last_row_whose_hash_fits_is_found_by_the_noted_head(path: Path):
    forge(path, 10)
    verdict = check(path)
    assert verdict.flaw
    assert (verdict.flaw.fault, verdict.flaw.number) == (Fault.HEAD, 10)


@pytest.mark.parametrize("spoilt", [b"", b"10 abc\n", b"\xff" * 200])
def test_a_head_nobody_can_read_is_named(path: Path, spoilt: bytes):
    path.with_suffix(".head").write_bytes(spoilt)
    verdict = check(path)
    assert verdict.flaw
    assert verdict.flaw.reason == "audit.head is missing or unreadable"


def test_a_missing_head_is_named(path: Path):
    path.with_suffix(".head").unlink()
    verdict = check(path)
    assert verdict.flaw
    assert verdict.flaw.fault is Fault.HEAD


def test_a_head_that_a_crash_left_behind_its_chain_fits(path: Path):
    with closing(sqlite3.connect(path)) as other:
        row = read_link(other, 9)
    assert row
    write_head(path.with_suffix(".head"), row.head)
    verdict = check(path)
    assert (verdict.is_ok, verdict.after_head) == (True, 1)
    act(path, 1)
    assert check(path).is_ok


@pytest.mark.parametrize(
    "statement", ["DELETE FROM chain WHERE number > 8", "DELETE FROM chain WHERE number > 0"]
)
def test_writing_goes_on_after_a_missing_end_and_the_break_stays(path: Path, statement: str):
    spoil(path, statement)
    act(path, 3)
    verdict = check(path)
    assert verdict.flaw
    assert verdict.flaw.fault is Fault.BREAK
    assert "audit.head names row 10" in verdict.flaw.reason
    with opened(path) as audit:
        marks = [row for row in audit.rows(20) if row.action == "note break of audit chain"]
    assert [(row.actor, row.outcome) for row in marks] == [("system", Outcome.FAILED)]


def test_an_end_that_is_cut_off_while_the_app_runs_is_noted(path: Path):
    with opened(path) as audit:
        spoil(path, "DELETE FROM chain WHERE number > 8")
        with closing(sqlite3.connect(path)) as other:
            row = read_link(other)
        assert row
        write_head(path.with_suffix(".head"), row.head)  # so that it fits again
        assert check(path).is_ok
        audit.append(NOW, ANNA, "start agent", "energy")
    verdict = check(path)
    assert verdict.flaw
    assert (verdict.flaw.fault, verdict.flaw.number) == (Fault.BREAK, 9)


def test_a_file_that_was_moved_aside_as_damaged_leaves_a_break(path: Path):
    path.write_bytes(b"no database " * 500)
    act(path, 1)
    verdict = check(path)
    assert verdict.flaw
    assert "audit.head names row 10, but the chain is empty" in verdict.flaw.reason


def test_a_head_that_cannot_be_noted_is_told_and_stops_nothing(path: Path):
    path.with_suffix(".head").unlink()
    path.with_suffix(".head").mkdir()
    audit = AuditLog(path)
    with pytest.raises(StoreError):
        audit.open()
    path.with_suffix(".head").rmdir()
    audit.open()
    path.with_suffix(".head").mkdir()
    audit.append(NOW, ANNA, "start agent", "energy")
    assert "audit.head" in audit.head_trouble
    path.with_suffix(".head").rmdir()
    audit.append(NOW, ANNA, "stop agent", "energy")
    assert not audit.head_trouble
    audit.close()


def test_rows_of_a_former_version_are_covered_and_kept(tmp_path: Path):
    path = tmp_path / "audit.sqlite"
    former_file(path)
    act(path, 1)
    with opened(path) as audit:
        rows = audit.rows(10)
    found = [(row.number, row.action, row.outcome) for row in rows]
    assert found == [
        (4, "start agent", Outcome.DONE),
        (3, "begin audit chain", Outcome.DONE),
        (2, "start agent", Outcome.UNKNOWN),
        (1, "stop agent", Outcome.FAILED),
    ]
    verdict = check(path)
    assert (verdict.is_ok, verdict.rows) == (True, 3)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'eve' WHERE number = 1",
        "DELETE FROM audit WHERE number = 1",
        "INSERT INTO outcome VALUES (2, 'x', 'done', '')",
        "DELETE FROM outcome",
        "DELETE FROM audit",
    ],
)
def test_a_changed_row_of_a_former_version_is_found(tmp_path: Path, statement: str):
    path = tmp_path / "audit.sqlite"
    former_file(path)
    act(path, 1)
    spoil(path, statement)
    verdict = check(path)
    assert verdict.flaw
    assert (verdict.flaw.fault, verdict.flaw.number) == (Fault.FORMER, 3)


def test_rows_put_beside_a_chain_that_began_without_them_are_found(path: Path):
    former_file(path)
    verdict = check(path)
    assert verdict.flaw
    assert verdict.flaw.fault is Fault.FORMER


@pytest.mark.parametrize(
    ("last", "rows", "is_whole"), [(4, 4, False), (10, 10, True), (99, 10, True)]
)
def test_the_end_alone_can_be_checked(path: Path, last: int, rows: int, is_whole: bool):
    verdict = check(path, last)
    assert (verdict.is_ok, verdict.rows, verdict.is_whole) == (True, rows, is_whole)


def test_a_check_of_the_end_does_not_see_what_was_done_before_it(path: Path):
    spoil(path, "UPDATE chain SET actor = 'eve' WHERE number = 3")
    assert check(path, 4).is_ok
    assert not check(path, 8).is_ok


def test_a_check_of_the_end_sees_that_its_first_row_does_not_follow(path: Path):
    forge(path, 6)
    verdict = check(path, 4)
    assert verdict.flaw
    assert (verdict.flaw.fault, verdict.flaw.number) == (Fault.DETACHED, 7)


def test_a_check_stops_when_it_is_told_to(path: Path):
    seen: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> bool:
        seen.append((done, total))
        return False

    with reading(path) as reader:
        assert check_chain(reader, lambda: NOW, None, tell) is None
    assert seen == [(10, 10)]


def test_a_file_without_a_chain_is_refused_with_what_to_do(tmp_path: Path):
    former_file(tmp_path / "audit.sqlite")
    with pytest.raises(StoreError, match="has no chain yet"):
        check(tmp_path / "audit.sqlite")


def test_the_canon_does_not_change():
    link = Link(7, Kind.INTENT, 0, "2026-11-21T12:00:00.000000+00:00", "änna", "ui", "a", "b")
    row = sealed(msgspec.structs.replace(link, previous="0" * 64))
    assert row.hash == "3d7cb0ce4098c05bcfecdb39edeba648691f50bb8d89221f93c0ea59452c72de"
