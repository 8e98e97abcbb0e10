from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.backlog.orders import Orders
from app.core.errors import ConflictError, NotFoundError
from app.core.order import Order, OrderState

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def orders(tmp_path: Path) -> AsyncGenerator[Orders]:
    opened = Orders(tmp_path / "orders.sqlite")
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
    again = Orders(tmp_path / "orders.sqlite")
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

    with pytest.raises(ConflictError, match="was closed at 2026-01-01"):
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
