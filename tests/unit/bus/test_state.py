"""What a connection says of itself when it does not last."""

import logging
from datetime import UTC, datetime

import pytest

from app.bus.address import broker_address
from app.bus.state import Connection
from app.clock import ManualClock
from app.core.health import Health
from app.settings import BrokerSettings


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, tzinfo=UTC))


@pytest.fixture
def connection(clock: ManualClock) -> Connection:
    return Connection(broker_address(BrokerSettings()), clock)


async def live(connection: Connection, clock: ManualClock, *lives_s: float) -> None:
    for life_s in lives_s:
        connection.connected()
        await clock.advance(life_s)
        connection.lost()
        connection.unreachable("refused")  # as the tries to connect anew may find


async def test_a_connection_taken_over_again_and_again_says_so_while_it_stands(
    connection: Connection, clock: ManualClock
) -> None:
    await live(connection, clock, 2, 2, 2)
    connection.connected()
    assert connection.status.state is Health.DEGRADED
    assert "breaks within seconds, again and again" in connection.status.reason
    assert "a second Millwright" in connection.status.remedy


async def test_it_is_well_again_once_it_has_lasted(
    connection: Connection, clock: ManualClock
) -> None:
    await live(connection, clock, 2, 2, 2)
    connection.connected()
    await clock.advance(5)
    assert connection.status.state is Health.OK


@pytest.mark.parametrize("lives_s", [(2, 2), (2, 60, 2), (2, 2, 60, 2, 2)])
async def test_a_connection_that_breaks_now_and_then_is_only_lost(
    connection: Connection, clock: ManualClock, lives_s: tuple[float, ...]
) -> None:
    await live(connection, clock, *lives_s)
    connection.connected()
    assert connection.status.state is Health.OK


async def test_a_hundred_brief_lives_are_logged_once(
    connection: Connection, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    await live(connection, clock, 2, 2)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        await live(connection, clock, *[2.0] * 100)
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert "again and again" in caplog.messages[1]


async def test_the_next_loss_after_a_long_life_is_logged_anew(
    connection: Connection, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    await live(connection, clock, *[2.0] * 5)
    with caplog.at_level(logging.INFO):
        await live(connection, clock, 600)
    assert any("is lost, trying again" in message for message in caplog.messages)


async def test_that_it_has_lasted_is_told_and_logged(
    connection: Connection, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    await live(connection, clock, 2, 2, 2)
    connection.connected()
    told: list[Health] = []
    connection.watch(lambda status: told.append(status.state))
    await clock.advance(6)
    with caplog.at_level(logging.INFO):
        connection.settle()
    assert told == [Health.OK]
    assert caplog.messages[-1].startswith("Connected to broker")


async def test_a_connection_that_broke_again_has_not_lasted(
    connection: Connection, clock: ManualClock
) -> None:
    await live(connection, clock, 2, 2, 2)
    told: list[Health] = []
    connection.watch(lambda status: told.append(status.state))
    connection.settle()
    assert told == []
