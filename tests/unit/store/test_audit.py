"""What the audit says of actions that were done, refused, failed, or whose end nobody knows."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.core.actor import Actor
from app.core.errors import BusError, ConflictError, InputError, NotFoundError, StoreError
from app.store.audit import AuditLog, Outcome
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


@pytest.mark.parametrize("change", ["UPDATE outcome SET outcome = 'done'", "DELETE FROM outcome"])
async def test_an_outcome_cannot_be_changed(audit: AuditLog, tmp_path: Path, change: str):
    await attempt(audit)
    with (
        closing(sqlite3.connect(tmp_path / "audit.sqlite")) as other,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        other.execute(change)


def test_rows_of_an_audit_without_outcomes_have_no_known_outcome(tmp_path: Path):
    path = tmp_path / "audit.sqlite"
    with closing(sqlite3.connect(path)) as old:
        old.execute(
            "CREATE TABLE audit (number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, "
            "actor TEXT NOT NULL, source TEXT NOT NULL, action TEXT NOT NULL, "
            "target TEXT NOT NULL, why TEXT NOT NULL) STRICT"
        )
        old.execute(
            "INSERT INTO audit VALUES (1, ?, 'anna', 'ui', 'stop agent', 'energy', '')",
            (NOW.isoformat(),),
        )
        old.commit()
    audit = AuditLog(path)
    audit.open()
    (row,) = audit.rows(10)
    audit.close()
    assert (row.action, row.outcome) == ("stop agent", Outcome.UNKNOWN)
