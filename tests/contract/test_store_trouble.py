"""What is said of a store that took no writes for a while: the same on SQLite and Postgres."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from app.core.errors import StoreError
from app.store.database import Database
from app.store.held_events import HeldEvent, HeldPlace
from app.store.runs import RunStore

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EVENT = HeldPlace("bake", 0, "oven"), HeldEvent(NOW, {"topic": "oven"})


def rename(database: Database, old: str, new: str) -> None:
    with database.begin() as connection:
        connection.execute(sa.text(f"ALTER TABLE {old} RENAME TO {new}"))


async def test_trouble_that_is_over_is_not_told_any_more_though_nobody_writes(
    store: RunStore, database: Database
) -> None:
    rename(database, "held_events", "away")
    with pytest.raises(StoreError):
        await store.held.keep([EVENT])
    told = store.trouble
    rename(database, "away", "held_events")
    await store.check()

    assert "held_events" in told
    assert store.trouble == ""


async def test_a_look_at_a_store_that_is_closed_tells_so(store: RunStore) -> None:
    await store.close()
    with pytest.raises(StoreError, match="not open"):
        await store.check()


@pytest.mark.slow
def test_a_server_notices_soon_that_an_orchestrator_has_vanished(postgres_url: str) -> None:
    database = Database(postgres_url, sa.MetaData(), "Workflows")
    database.open()
    query = sa.text("SELECT source FROM pg_settings WHERE name LIKE 'tcp_keepalives_%'")
    with database.session() as session:
        sources = set(session.scalars(query))
    database.close()

    assert sources == {"session"}  # 7200 s by default; it shows no value of a Unix socket
