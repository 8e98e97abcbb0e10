"""An audit with some rows, and the hand that spoils its file from outside."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.core.actor import Actor
from app.core.audit_chain import Verdict
from app.store.audit import AuditLog, Outcome
from app.store.audit_check import check_chain
from app.store.audit_reader import reading

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANNA = Actor("anna", "ui")


def act(path: Path, actions: int = 5) -> None:
    """Note actions, two rows each, and close the file."""
    with opened(path) as audit:
        for index in range(actions):
            at = NOW + timedelta(seconds=index)
            number = audit.append(at, ANNA, "start agent", f"agent {index}", "shift begins")
            audit.conclude(number, at, Outcome.DONE)


@contextmanager
def opened(path: Path) -> Generator[AuditLog]:
    """Open an audit, and close it afterwards."""
    audit = AuditLog(path)
    audit.open()
    try:
        yield audit
    finally:
        audit.close()


def spoil(path: Path, *statements: str) -> None:
    """Change the file as somebody may who can write it: the triggers are no obstacle."""
    with closing(sqlite3.connect(path)) as other:
        for (name,) in other.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
            other.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            other.execute(statement)
        other.commit()


def check(path: Path, last: int | None = None) -> Verdict:
    """Check the chain to its end."""
    with reading(path) as reader:
        verdict = check_chain(reader, lambda: NOW, last)
    assert verdict
    return verdict


def former_file(path: Path) -> None:
    """Write a file as the version before the chain did, with two actions, one of known outcome."""
    with closing(sqlite3.connect(path)) as old:
        old.executescript(
            "CREATE TABLE audit (number INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, "
            "actor TEXT NOT NULL, source TEXT NOT NULL, action TEXT NOT NULL, "
            "target TEXT NOT NULL, why TEXT NOT NULL) STRICT;"
            "CREATE TABLE outcome (number INTEGER PRIMARY KEY REFERENCES audit (number), "
            "at TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL) STRICT;"
            "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;"
        )
        for number, action in ((1, "stop agent"), (2, "start agent")):
            old.execute(
                "INSERT INTO audit VALUES (?, ?, 'anna', 'ui', ?, 'energy', 'old')",
                (number, NOW.isoformat(), action),
            )
        old.execute("INSERT INTO outcome VALUES (1, ?, 'failed', 'no')", (NOW.isoformat(),))
        old.commit()
