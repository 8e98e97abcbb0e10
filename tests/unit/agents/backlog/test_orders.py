import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.backlog.orders import FILE, Orders
from app.core.errors import ConflictError, NotFoundError
from app.core.order import Order, OrderState

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def orders(tmp_path: Path) -> AsyncGenerator[Orders]:
    opened = Orders(tmp_path)
    await opened.open()
    yield opened
    await opened.shut()


def order(run: str = "", at: datetime = NOW) -> Order:
    return Order("", "s/a/l/pump", "Change the bearing", at, run=run)


async def test_an_order_gets_the_next_number(orders: Orders):
    made = [await orders.create(order()) for _ in range(2)]

    assert [(each.id, is_new) for each, is_new in made] == [("MO-1", True), ("MO-2", True)]


async def test_a_run_makes_its_order_once(orders: Orders):
    first, _ = await orders.create(order("run-7"))

    assert await orders.create(order("run-7")) == (first, False)
    assert await orders.newest(None, 10) == [first]


async def test_orders_are_there_after_opening_again(orders: Orders, tmp_path: Path):
    made, _ = await orders.create(order("run-7"))
    again = Orders(tmp_path)
    await again.open()

    found = await again.newest(OrderState.OPEN, 10)
    await again.shut()

    assert found == [made]


async def test_a_closed_order_leaves_the_open_ones(orders: Orders):
    made, _ = await orders.create(order())

    closed = await orders.close(made.id, "race was pitted", NOW)

    assert (closed.state, closed.note) == (OrderState.CLOSED, "race was pitted")
    assert await orders.newest(OrderState.OPEN, 10) == []
    assert await orders.newest(OrderState.CLOSED, 10) == [closed]


async def test_an_order_is_not_closed_twice(orders: Orders):
    made, _ = await orders.create(order())
    await orders.close(made.id, "", NOW)

    with pytest.raises(ConflictError, match="is closed already"):
        await orders.close(made.id, "", NOW)


@pytest.mark.parametrize("wrong", ["", "MO-2", "MO-", "x", "MO--1", "MO-1.0", "MO-²", "9" * 30])
async def test_an_order_that_does_not_exist_cannot_be_closed(wrong: str, orders: Orders):
    await orders.create(order())

    with pytest.raises(NotFoundError):
        await orders.close(wrong, "", NOW)


async def test_a_shift_counts_what_was_opened_and_closed_in_it(orders: Orders):
    hour = timedelta(hours=1)
    await orders.create(order(at=NOW - hour))
    late, _ = await orders.create(order(at=NOW))
    await orders.close(late.id, "", NOW + hour)

    assert await orders.count(NOW, NOW + hour) == (1, 0)
    assert await orders.count(NOW - hour, NOW + 2 * hour) == (2, 1)
    assert await orders.count_open() == 1


async def test_two_instances_at_once_give_no_number_twice_and_list_all(
    orders: Orders, tmp_path: Path
):
    other = Orders(tmp_path)
    await other.open()

    made = await asyncio.gather(*(each.create(order()) for each in [orders, other] * 10))
    listed = [await each.newest(None, 50) for each in (orders, other)]
    await other.shut()

    assert sorted(each.id for each, _ in made) == sorted(f"MO-{n}" for n in range(1, 21))
    assert [len(each) for each in listed] == [20, 20]


async def test_a_run_that_asks_two_instances_makes_its_order_once(orders: Orders, tmp_path: Path):
    other = Orders(tmp_path)
    await other.open()

    both = await asyncio.gather(orders.create(order("run-7")), other.create(order("run-7")))
    await other.shut()

    assert sorted(is_new for _, is_new in both) == [False, True]
    assert both[0][0] == both[1][0]


async def test_an_order_that_another_instance_closed_is_not_closed_again(
    orders: Orders, tmp_path: Path
):
    other = Orders(tmp_path)
    await other.open()
    made, _ = await orders.create(order())
    await other.close(made.id, "", NOW)
    await other.shut()

    with pytest.raises(ConflictError, match="is closed already"):
        await orders.close(made.id, "", NOW)


async def former(folder: Path, instance: str, *runs: str) -> None:
    """Make a file as each instance had one to itself in version 0.1.0."""
    kept = Orders(folder / instance)
    await kept.open()
    for run in runs:
        await kept.create(order(run))
    await kept.shut()
    with closing(sqlite3.connect(folder / instance / FILE)) as connection, connection:
        connection.execute("DROP TABLE taken_over")
    (folder / instance / FILE).rename(folder / f"{instance}.sqlite")


async def test_files_of_single_instances_are_taken_over_once(tmp_path: Path):
    await former(tmp_path, "1", "a", "b")
    await former(tmp_path, "2", "c")
    first = Orders(tmp_path)
    await first.open()
    await first.shut()
    second = Orders(tmp_path)
    await second.open()

    found = await second.newest(OrderState.OPEN, 10)
    again, is_new = await second.create(order("c"))
    await second.shut()

    assert [(each.id, each.run) for each in found] == [("MO-3", "c"), ("MO-2", "b"), ("MO-1", "a")]
    assert (again, is_new) == (found[0], False)


async def test_a_file_that_cannot_be_read_is_left_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "1.sqlite").write_bytes(b"not a database" * 100)
    orders = Orders(tmp_path)
    await orders.open()

    made, _ = await orders.create(order())
    await orders.shut()

    assert made.id == "MO-1"
    assert "Orders of 1.sqlite are not taken over" in caplog.text
