"""What the audit says of actions that were done, refused, failed, or whose end nobody knows."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.core.actor import Actor
from app.core.errors import BusError, ConflictError, InputError, NotFoundError, StoreError
from app.store.audit import AuditFilter, AuditLog, Outcome
from app.store.audited import audited

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANNA = Actor("anna", "ui")


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[AuditLog]:
    made = AuditLog(tmp_path / "audit.sqlite")
    made.open()
    yield made
    made.close()


async def attempt(audit: AuditLog, error: BaseException | None = None) -> None:
    """Act, and meet `error` if there is one."""
    async with audited(audit, ManualClock(NOW), ANNA, "start agent", "vibration", why="shift"):
        if error is not None:
            raise error


async def test_an_action_stands_in_the_audit_before_it_happens(audit: AuditLog):
    async with audited(audit, ManualClock(NOW), ANNA, "start agent", "vibration", why="shift"):
        (row,) = audit.rows(10)
    assert (row.at, row.actor, row.source, row.action) == (NOW, "anna", "ui", "start agent")
    assert (row.target, row.why, row.outcome) == ("vibration", "shift", Outcome.UNKNOWN)


async def test_an_action_that_succeeded_is_done(audit: AuditLog):
    await attempt(audit)
    (row,) = audit.rows(10)
    assert (row.outcome, row.reason) == (Outcome.DONE, "")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ConflictError("It runs already"), Outcome.REFUSED),
        (NotFoundError("It runs already"), Outcome.REFUSED),
        (InputError("It runs already"), Outcome.REFUSED),
        (BusError("It runs already"), Outcome.FAILED),
        (OSError("It runs already"), Outcome.FAILED),
    ],
)
async def test_an_action_that_was_not_done_tells_why(
    audit: AuditLog, error: Exception, outcome: Outcome
):
    with pytest.raises(type(error)):
        await attempt(audit, error)
    (row,) = audit.rows(10)
    assert (row.outcome, row.reason) == (outcome, "It runs already")


async def test_an_action_that_was_cut_short_has_no_known_outcome(audit: AuditLog):
    with pytest.raises(asyncio.CancelledError):
        await attempt(audit, asyncio.CancelledError())
    (row,) = audit.rows(10)
    assert row.outcome is Outcome.UNKNOWN


async def test_nothing_happens_if_the_intent_cannot_be_written(audit: AuditLog):
    audit.close()
    happened = False
    with pytest.raises(StoreError):
        async with audited(audit, ManualClock(NOW), ANNA, "start agent", "vibration"):
            happened = True
    assert not happened


async def test_what_has_happened_is_no_failure_because_its_outcome_is_not_noted(
    audit: AuditLog, caplog: pytest.LogCaptureFixture
):
    async with audited(audit, ManualClock(NOW), ANNA, "start agent", "vibration"):
        audit.close()
    assert "not noted" in caplog.text
    audit.open()
    (row,) = audit.rows(10)
    assert row.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("change", ["UPDATE chain SET outcome = 'done'", "DELETE FROM chain"])
async def test_a_row_cannot_be_changed(audit: AuditLog, tmp_path: Path, change: str):
    await attempt(audit)
    with (
        closing(sqlite3.connect(tmp_path / "audit.sqlite")) as other,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        other.execute(change)


async def test_an_outcome_is_noted_once(audit: AuditLog):
    number = audit.append(NOW, ANNA, "start agent", "vibration")
    audit.conclude(number, NOW, Outcome.FAILED)
    with pytest.raises(StoreError):
        audit.conclude(number, NOW, Outcome.DONE)
    (row,) = audit.rows(10)
    assert row.outcome is Outcome.FAILED


def test_a_text_that_no_file_can_hold_is_noted_all_the_same(audit: AuditLog):
    audit.append(NOW, ANNA, "start agent", "vibration", "\ud800")
    assert audit.rows(10)[0].why == "?"


def fill(audit: AuditLog) -> None:
    """Note five actions a minute apart; each has something of its own to search for."""
    units = ["pump-101", "pump_101", "fan", "50%", "press"]
    for minute, unit in enumerate(units):
        actor = Actor("bert" if minute % 2 else "anna", "http" if minute == 4 else "ui")
        at = NOW + timedelta(minutes=minute)
        number = audit.append(at, actor, f"start {unit[:3]}", unit, f"Shift {minute}")
        audit.conclude(number, at, Outcome.REFUSED if minute == 2 else Outcome.DONE, "It runs")
    audit.append(NOW + timedelta(minutes=5), ANNA, "stop agent", "energy")


@pytest.mark.parametrize(
    ("wanted", "targets"),
    [
        (AuditFilter(), ["energy", "press", "50%", "fan", "pump_101", "pump-101"]),
        (AuditFilter(text="pump_"), ["pump_101"]),
        (AuditFilter(text="0%"), ["50%"]),
        (AuditFilter(text="sHiFt 3"), ["50%"]),
        (AuditFilter(text="it runs", actor="bert"), ["50%", "pump_101"]),
        (AuditFilter(text="nobody said this"), []),
        (AuditFilter(actor="ann"), []),
        (AuditFilter(source="http"), ["press"]),
        (AuditFilter(action="start fan"), ["fan"]),
        (AuditFilter(outcome=Outcome.REFUSED), ["fan"]),
        (AuditFilter(outcome=Outcome.UNKNOWN), ["energy"]),
        (AuditFilter(start=NOW + timedelta(minutes=4)), ["energy", "press"]),
        (AuditFilter(end=NOW + timedelta(minutes=1)), ["pump-101"]),
        (AuditFilter(before=5), ["pump_101", "pump-101"]),
    ],
)
def test_actions_are_found(audit: AuditLog, wanted: AuditFilter, targets: list[str]):
    fill(audit)
    assert [row.target for row in audit.search(wanted, 10)] == targets


def test_the_next_page_begins_below_the_last_row(audit: AuditLog):
    fill(audit)
    first = audit.search(AuditFilter(), 4)
    rest = audit.search(AuditFilter(before=first[-1].number), 4)
    assert [row.target for row in rest] == ["pump_101", "pump-101"]


def test_a_file_that_was_removed_while_it_is_open_is_told(audit: AuditLog, tmp_path: Path):
    (tmp_path / "audit.sqlite").unlink()
    with pytest.raises(StoreError, match="There is no audit"):
        audit.rows(10)


def test_a_row_that_cannot_be_written_is_refused_with_a_remedy(audit: AuditLog, tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "audit.sqlite")) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON chain BEGIN "
                      "SELECT RAISE(ABORT, 'database or disk is full'); END")  # fmt: skip
        other.commit()
    with pytest.raises(StoreError, match="start agent vibration cannot be written") as refused:
        audit.append(NOW, ANNA, "start agent", "vibration")
    assert refused.value.hint.startswith("Nothing was changed")
    assert audit.rows(10) == []


async def test_nothing_happens_on_a_full_disk(audit: AuditLog):
    await attempt(audit)
    connection = audit._connection  # pyright: ignore[reportPrivateUsage]  SQLite's own full disk
    assert connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    happened = False
    with pytest.raises(StoreError, match="full") as refused:
        async with audited(audit, ManualClock(NOW), ANNA, "start agent", "v" * 20_000):
            happened = True
    assert not happened
    assert "Free disk space" in refused.value.hint
    assert [row.target for row in audit.rows(10)] == ["vibration"]
