"""Two persons decide the same approval at once, each on an orchestrator of their own."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import sqlalchemy as sa

from app.core.errors import ConflictError
from app.core.run import Approval, ApprovalState
from app.store.database import Database
from app.store.run_tables import APPROVALS, METADATA
from app.store.runs import RunStore
from tests.processes import eventually

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ASKED = Approval(
    id="a1:ask",
    run="a1",
    step="ask",
    workflow="bake",
    question="Slower?",
    role="operator",
    state=ApprovalState.OPEN,
    asked_at=NOW,
    expires_at=NOW + timedelta(hours=1),
)
_WAITING = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")


@pytest.mark.slow
async def test_a_decision_that_comes_second_is_told_so(postgres_url: str):
    database = Database(postgres_url, METADATA, "Workflows")
    store = RunStore(database)
    await store.open()
    with database.begin() as connection:
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
    await store.approvals.ask(ASKED)
    first = msgspec.structs.replace(ASKED, state=ApprovalState.APPROVED, decided_by="ann")

    def is_waiting() -> bool:
        with database.read() as reading:
            return bool(reading.scalar(_WAITING))

    try:
        with database.begin() as connection:  # as another orchestrator does
            columns = {"state": first.state.value, "data": msgspec.json.encode(first)}
            connection.execute(APPROVALS.update().values(**columns))
            second = asyncio.create_task(
                store.approvals.decide(ASKED.id, ApprovalState.REJECTED, "bob", NOW, "")
            )
            await eventually(is_waiting)
        with pytest.raises(ConflictError, match="is approved already by ann"):
            await second
        kept = await store.approvals.find(ASKED.id)
    finally:
        await store.close()

    assert kept == first
