"""The delivery log on disk: what is to be sent, what was, and what is known of alarms."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from agents.base.sqlite_file import SqliteFile
from agents.notifier.decide import Past, Verdict
from agents.notifier.follow import Followed
from app.core.delivery import Delivery, DeliveryState, Notification

MOST_ALARMS = 20_000  # known at a time; twice what the app keeps by default

_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT, route TEXT NOT NULL, matter TEXT NOT NULL,
    state TEXT NOT NULL, at TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, number);
CREATE INDEX IF NOT EXISTS deliveries_by_time ON deliveries (at);
CREATE TABLE IF NOT EXISTS alarms (id TEXT PRIMARY KEY, body BLOB NOT NULL);
"""


class DeliveryLog:
    """Bounded: of what is done, the oldest beyond `kept` go."""

    def __init__(self, file: Path, kept: int) -> None:
        self._file = SqliteFile(file, _SCHEMA)
        self._kept = kept

    async def open(self) -> None:
        """Open the file.

        Raises:
            StoreError: It cannot be opened.
        """
        await self._file.open()

    async def close(self) -> None:
        """Close the file."""
        await self._file.close()

    async def add(
        self,
        notification: Notification,
        verdicts: Sequence[Verdict],
        now: datetime,
        followed: Mapping[str, Followed] | None = None,
    ) -> list[Delivery]:
        """Keep the verdicts on a notification and what is known of alarms, both or neither."""
        return await self._file.run(
            lambda connection: self._add(connection, notification, verdicts, now, followed or {})
        )

    async def update(self, delivery: Delivery) -> None:
        """Keep what became of a delivery."""
        values = (delivery.state.value, msgspec.json.encode(delivery), delivery.number)
        statement = "UPDATE deliveries SET state = ?, body = ? WHERE number = ?"
        await self._file.run(lambda connection: connection.execute(statement, values))

    async def queued(self) -> list[Delivery]:
        """Return what is still to be sent, the oldest first."""
        query = "SELECT body FROM deliveries WHERE state = 'queued' ORDER BY number"
        return await self._file.run(lambda connection: _deliveries(connection, query))

    async def newest(self, limit: int) -> list[Delivery]:
        """Return deliveries, the newest first."""
        query = "SELECT body FROM deliveries ORDER BY number DESC LIMIT ?"
        return await self._file.run(lambda connection: _deliveries(connection, query, (limit,)))

    async def past(self, now: datetime, seconds: float) -> list[Past]:
        """Return what was sent or tried in the last `seconds`."""
        since = (now - timedelta(seconds=seconds)).isoformat()
        query = "SELECT route, matter, at FROM deliveries WHERE at >= ? AND state != 'suppressed'"
        rows = await self._file.run(
            lambda connection: connection.execute(query, (since,)).fetchall()
        )
        return [
            Past(row["route"], row["matter"], datetime.fromisoformat(row["at"])) for row in rows
        ]

    async def alarms(self) -> dict[str, Followed]:
        """Return what is known of alarms."""
        query = "SELECT id, body FROM alarms"
        rows = await self._file.run(lambda connection: connection.execute(query).fetchall())
        return {row["id"]: msgspec.json.decode(row["body"], type=Followed) for row in rows}

    async def forget(self, alarm_id: str) -> None:
        """Forget an alarm that is over or acknowledged."""
        statement = "DELETE FROM alarms WHERE id = ?"
        await self._file.run(lambda connection: connection.execute(statement, (alarm_id,)))

    def _add(
        self,
        connection: sqlite3.Connection,
        notification: Notification,
        verdicts: Sequence[Verdict],
        now: datetime,
        followed: Mapping[str, Followed],
    ) -> list[Delivery]:
        added: list[Delivery] = []
        for verdict in verdicts:
            added.append(_insert(connection, notification, verdict, now, added))
        for alarm_id, known in followed.items():
            values = (alarm_id, msgspec.json.encode(known))
            connection.execute("INSERT OR REPLACE INTO alarms (id, body) VALUES (?, ?)", values)
        connection.execute(
            "DELETE FROM alarms WHERE rowid <= (SELECT max(rowid) FROM alarms) - ?", (MOST_ALARMS,)
        )
        last = added[-1].number if added else 0
        oldest = "DELETE FROM deliveries WHERE state != 'queued' AND number <= ?"
        connection.execute(oldest, (last - self._kept,))
        return added


def _insert(
    connection: sqlite3.Connection,
    notification: Notification,
    verdict: Verdict,
    now: datetime,
    before: Sequence[Delivery],
) -> Delivery:
    columns = (verdict.route, notification.matter, verdict.state.value, now.isoformat())
    number = (
        connection.execute(
            "INSERT INTO deliveries (route, matter, state, at, body) VALUES (?, ?, ?, ?, '')",
            columns,
        ).lastrowid
        or 0
    )  # never 0: SQLite numbers from 1
    delivery = Delivery(
        number=number,
        id=before[0].id if before else f"N-{number}",
        route=verdict.route,
        notification=notification,
        state=verdict.state,
        reason=verdict.reason,
        at=now,
        changed_at=now,
        next_at=now if verdict.state is DeliveryState.QUEUED else None,
    )
    body = msgspec.json.encode(delivery)
    connection.execute("UPDATE deliveries SET body = ? WHERE number = ?", (body, number))
    return delivery


def _deliveries(
    connection: sqlite3.Connection, query: str, values: tuple[int, ...] = ()
) -> list[Delivery]:
    rows = connection.execute(query, values)
    return [msgspec.json.decode(row["body"], type=Delivery) for row in rows]
