"""Appends to the audit in the given file for ever and prints each number that is on disk."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from app.core.actor import Actor
from app.store.audit import AuditLog, Outcome

if __name__ == "__main__":
    audit = AuditLog(Path(sys.argv[1]))
    audit.open()
    while True:
        number = audit.append(datetime.now(UTC), Actor("anna", "ui"), "start agent", "energy")
        print(number, flush=True)  # noqa: T201  the test reads it
        audit.conclude(number, datetime.now(UTC), Outcome.DONE)
