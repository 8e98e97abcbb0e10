"""Maintenance orders on disk, each made once for the run that asks for it.

All instances with one data folder share one file: numbers are given in a transaction, so no two
orders have the same, and whoever is asked lists them all.
"""

import logging
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec

from agents.base.sqlite_file import SqliteFile
from app.core.errors import ConflictError, NotFoundError
from app.core.order import Order, OrderState

logger = logging.getLogger(__name__)

FILE = "orders.sqlite"
KEPT = 10_000  # orders; of the closed ones the oldest beyond this go

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT UNIQUE, state TEXT NOT NULL,
    opened_at TEXT NOT NULL, closed_at TEXT, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS orders_by_state ON orders (state, number);
CREATE TABLE IF NOT EXISTS taken_over (file TEXT PRIMARY KEY);
"""
_OPEN = "SELECT count(*) FROM orders WHERE state = 'open'"


class Orders:
    """The orders of one plant, in a folder that other instances may use at the same time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = SqliteFile(folder / FILE, _SCHEMA)

    async def open(self) -> None:
        """Open the file, and take over those that each instance had to itself in version 0.1.0.

        Raises:
            StoreError: One of them cannot be opened.
        """
        await self._file.open()
        await self._file.run(lambda connection: _take_over_all(connection, self._folder))

    async def shut(self) -> None:
        """Close the file."""
        await self._file.close()

    async def create(self, order: Order) -> tuple[Order, bool]:
        """Keep an order and return it with its id; False with the earlier one of the same run.

        Raises:
            ConflictError: Too many orders are open.
        """
        return await self._file.run(lambda connection: _create(connection, order))

    async def close(self, order_id: str, note: str, at: datetime) -> Order:
        """Close an open order.

        Raises:
            NotFoundError: There is no such order.
            ConflictError: It is closed already.
        """
        return await self._file.run(lambda connection: _close(connection, order_id, note, at))

    async def newest(self, state: OrderState | None, limit: int) -> list[Order]:
        """Return orders, the newest first."""
        where, values = ("WHERE state = ?", (state.value,)) if state else ("", ())
        query = f"SELECT body FROM orders {where} ORDER BY number DESC LIMIT {int(limit)}"  # noqa: S608  two fixed words and a number
        return await self._file.run(
            lambda connection: [_order(row) for row in connection.execute(query, values)]
        )

    async def count(self, start: datetime, end: datetime) -> tuple[int, int]:
        """Return how many orders were opened and how many closed, `end` not included."""
        return await self._file.run(lambda connection: _count(connection, start, end))

    async def count_open(self) -> int:
        """Return how many orders are open."""
        return await self._file.run(lambda connection: _number(connection, _OPEN))


def _take_over_all(connection: sqlite3.Connection, folder: Path) -> None:
    taken = {row["file"] for row in connection.execute("SELECT file FROM taken_over")}
    for former in sorted(folder.glob("*.sqlite")):
        if former.name in {FILE, *taken}:
            continue
        try:
            rows = _all_of(former)
        except sqlite3.Error as error:
            logger.warning("Orders of %s are not taken over: %s", former.name, error)
        else:
            _take_over(connection, former, rows)


def _all_of(former: Path) -> list[tuple[int, str | None, bytes]]:
    with closing(sqlite3.connect(former)) as other:
        return other.execute("SELECT number, run, body FROM orders ORDER BY number").fetchall()


def _take_over(
    connection: sqlite3.Connection, former: Path, rows: list[tuple[int, str | None, bytes]]
) -> None:
    connection.execute("INSERT INTO taken_over VALUES (?)", (former.name,))
    for number, run, body in rows:
        order = msgspec.json.decode(body, type=Order)
        new = connection.execute(
            "INSERT INTO orders (number, run, state, opened_at, body) VALUES (?, ?, ?, ?, '')",
            (
                _unless_taken(connection, "number", number),
                _unless_taken(connection, "run", run),
                order.state.value,
                order.opened_at.isoformat(),
            ),
        ).lastrowid
        if new != number:
            logger.warning("Order %s of %s is MO-%d now: two had it", order.id, former.name, new)
        _write(connection, msgspec.structs.replace(order, id=f"MO-{new}"))


def _unless_taken(connection: sqlite3.Connection, column: str, value: object) -> object:
    query = f"SELECT 1 FROM orders WHERE {column} = ?"  # noqa: S608  one of two fixed words
    return None if connection.execute(query, (value,)).fetchone() else value


def _create(connection: sqlite3.Connection, order: Order) -> tuple[Order, bool]:
    if order.run:
        query = "SELECT body FROM orders WHERE run = ?"
        row = connection.execute(query, (order.run,)).fetchone()
        if row:
            return _order(row), False
    if _number(connection, _OPEN) >= KEPT:
        raise ConflictError(f"{KEPT} orders are open, which is the limit; close some first")
    columns = (order.run or None, order.state.value, order.opened_at.isoformat())
    number = connection.execute(
        "INSERT INTO orders (run, state, opened_at, body) VALUES (?, ?, ?, '')", columns
    ).lastrowid
    kept = msgspec.structs.replace(order, id=f"MO-{number}")
    _write(connection, kept)
    connection.execute(
        "DELETE FROM orders WHERE state = 'closed' AND number <= ?", ((number or 0) - KEPT,)
    )
    return kept, True


def _close(connection: sqlite3.Connection, order_id: str, note: str, at: datetime) -> Order:
    digits = order_id.removeprefix("MO-")
    query = "SELECT body FROM orders WHERE number = ?"
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 18
    row = connection.execute(query, (int(digits),)).fetchone() if is_number else None
    if row is None:
        raise NotFoundError(f'There is no order "{order_id[:60]}"', "list_orders names them")
    order = _order(row)
    if order.state is OrderState.CLOSED:
        raise ConflictError(f"Order {order.id} is closed already")
    closed = msgspec.structs.replace(order, state=OrderState.CLOSED, closed_at=at, note=note)
    _write(connection, closed)
    return closed


def _write(connection: sqlite3.Connection, order: Order) -> None:
    closed_at = order.closed_at.isoformat() if order.closed_at else None
    values = (order.state.value, closed_at, msgspec.json.encode(order), order.id[3:])
    connection.execute(
        "UPDATE orders SET state = ?, closed_at = ?, body = ? WHERE number = ?", values
    )


def _count(connection: sqlite3.Connection, start: datetime, end: datetime) -> tuple[int, int]:
    # All times are UTC in one form, so that their text sorts as they do.
    values = (start.isoformat(), end.isoformat())
    opened = "SELECT count(*) FROM orders WHERE opened_at >= ? AND opened_at < ?"
    closed = "SELECT count(*) FROM orders WHERE closed_at >= ? AND closed_at < ?"
    return _number(connection, opened, values), _number(connection, closed, values)


def _number(connection: sqlite3.Connection, query: str, values: tuple[str, ...] = ()) -> int:
    number: int = connection.execute(query, values).fetchone()[0]
    return number


def _order(row: sqlite3.Row) -> Order:
    return msgspec.json.decode(row["body"], type=Order)
