"""Messages that wait for quiet before they start a run: kept, as their sender was told."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from app.store.database import Database, storable
from app.store.group_commit import GroupCommit
from app.store.run_tables import HELD

logger = logging.getLogger(__name__)


class HeldPlace(NamedTuple):
    """What a held event waits for: a trigger of a workflow, by its number in it, and the key."""

    workflow: str
    number: int
    key: str


class HeldEvent(msgspec.Struct, frozen=True):
    """An event that waits.

    Attributes:
        due_at: When it counts if nothing more comes, UTC.
        event: What expressions see of it.
    """

    due_at: datetime
    event: dict[str, Any]


class HeldEvents:
    """The latest event of each place; reads go to a thread, writes are gathered."""

    def __init__(self, database: Database, commits: GroupCommit) -> None:
        self._database = database
        self._commits = commits

    async def keep(self, events: Sequence[tuple[HeldPlace, HeldEvent]]) -> None:
        """Keep events, each in place of the one before.

        Raises:
            StoreError: They could not be written.
        """
        given = ((_columns(place), _data(place, event)) for place, event in dict(events).items())
        rows = [{**columns, "data": data} for columns, data in given if data]

        def work(connection: sa.Connection) -> None:
            for row in rows:
                connection.execute(HELD.delete().where(*_is(row)))
            connection.execute(HELD.insert(), rows)

        if rows:
            await self._commits.write(work)

    async def forget(self, places: Collection[HeldPlace]) -> None:
        """Forget what has counted or was withdrawn.

        Raises:
            StoreError: It could not be written.
        """
        rows = [_columns(place) for place in places]

        def work(connection: sa.Connection) -> None:
            for row in rows:
                connection.execute(HELD.delete().where(*_is(row)))

        await self._commits.write(work)

    async def all(self) -> dict[HeldPlace, HeldEvent]:
        """Return all that wait.

        Raises:
            StoreError: They cannot be read.
        """

        def work() -> dict[HeldPlace, HeldEvent]:
            with self._database.read() as connection:
                rows = connection.execute(sa.select(HELD)).all()
            read = ((_place(row), _event(row)) for row in rows)
            return {place: event for place, event in read if event is not None}

        return await asyncio.to_thread(work)


def _place(row: sa.Row[Any]) -> HeldPlace:
    return HeldPlace(row.workflow, row.number, row.key)


def _event(row: sa.Row[Any]) -> HeldEvent | None:
    try:
        return msgspec.json.decode(row.data, type=HeldEvent)
    except msgspec.MsgspecError as error:  # another version of the app wrote it
        logger.warning("An event that waits for %s cannot be read: %s", row.workflow, error)
        return None


def _data(place: HeldPlace, event: HeldEvent) -> bytes:
    try:
        return msgspec.json.encode(event)
    except (ValueError, TypeError, RecursionError) as error:  # no run could be kept with it either
        logger.warning("An event of %s cannot be kept: %r", place.workflow, error)
        return b""


def _columns(place: HeldPlace) -> dict[str, Any]:
    return {
        "workflow": storable(place.workflow),
        "number": place.number,
        "key": storable(place.key),
    }


def _is(row: dict[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [HELD.c[name] == row[name] for name in ("workflow", "number", "key")]
