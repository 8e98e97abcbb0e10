"""Events that wait to start a run, on disk: the same on SQLite and Postgres."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.core.errors import StoreError
from app.store.database import Database
from app.store.held_events import HeldEvent, HeldPlace
from app.store.run_tables import HELD
from app.store.runs import RunStore

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PUMP = HeldPlace("bake", 0, "pump")
FAN = HeldPlace("bake", 0, "fan")


def event(payload: Any) -> HeldEvent:
    return HeldEvent(NOW, {"topic": "line/1", "payload": payload, "at": NOW.isoformat()})


async def test_the_latest_event_of_a_place_is_kept(store: RunStore):
    await store.held.keep([(PUMP, event(1)), (FAN, event(2)), (PUMP, event(3))])
    await store.held.keep([(FAN, event({"deep": [1, None, "ü"]}))])

    assert await store.held.all() == {PUMP: event(3), FAN: event({"deep": [1, None, "ü"]})}


async def test_what_has_counted_is_forgotten_and_nothing_else(store: RunStore):
    others = [HeldPlace("bake", 1, "pump"), HeldPlace("brew", 0, "pump")]
    await store.held.keep([(each, event(1)) for each in (PUMP, FAN, *others)])

    await store.held.forget([PUMP, HeldPlace("nobody", 0, "knows")])

    assert set(await store.held.all()) == {FAN, *others}


async def test_a_key_with_a_zero_byte_is_kept_and_forgotten(store: RunStore):
    odd = HeldPlace("bake", 0, "pump\0")
    await store.held.keep([(odd, event("\0"))])
    assert [each.event["payload"] for each in (await store.held.all()).values()] == ["\0"]

    await store.held.forget([odd])
    assert await store.held.all() == {}


async def test_one_that_cannot_be_read_hides_no_other(
    store: RunStore, database: Database, caplog: pytest.LogCaptureFixture
):
    await store.held.keep([(PUMP, event(1)), (FAN, event(2))])
    with database.begin() as connection:  # as another version wrote it
        connection.execute(HELD.update().where(HELD.c.key == "pump").values(data=b'{"v": 9}'))

    assert set(await store.held.all()) == {FAN}
    assert "bake cannot be read" in caplog.text


async def test_one_that_cannot_be_written_down_hinders_no_other(
    store: RunStore, caplog: pytest.LogCaptureFixture
):
    await store.held.keep([(PUMP, event(object())), (FAN, event(2))])

    assert set(await store.held.all()) == {FAN}
    assert "bake cannot be kept" in caplog.text


async def test_a_closed_store_says_so(store: RunStore):
    await store.close()

    with pytest.raises(StoreError):
        await store.held.keep([(PUMP, event(1))])
    with pytest.raises(StoreError):
        await store.held.forget([PUMP])
    with pytest.raises(StoreError):
        await store.held.all()
