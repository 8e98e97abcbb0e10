import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from app.bus.client import Bus, BusState
from app.core.errors import BusError
from app.core.health import Health
from app.core.reading import ReadingMessage
from app.settings import BrokerSettings, Settings
from tests.broker_process import BrokerProcess
from tests.processes import eventually
from tests.unit.bus.conftest import Inbox, MakeBus

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(answer: Answer) -> AsyncGenerator[Settings]:
    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield Settings(broker=BrokerSettings(url=f"mqtt://ann@127.0.0.1:{port}"))


async def not_authorised(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1000)
    writer.write(b"\x20\x02\x00\x05")  # CONNACK, return code 5 (MQTT 3.1.1, table 3.1)
    await writer.drain()
    writer.close()


async def web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()
    writer.close()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def of(killable: BrokerProcess) -> Settings:
    return Settings(broker=killable.settings)


async def connected(bus: Bus) -> Bus:
    await bus.start()
    await bus.wait_connected(15)
    return bus


@pytest.mark.parametrize("answer", [not_authorised, web_server, hang_up])
async def test_a_refusal_says_what_to_check(make_bus: MakeBus, answer: Answer):
    async with server(answer) as settings:
        bus = make_bus("refused", settings)
        await bus.start()

        await eventually(lambda: bus.state is BusState.REFUSED)

        assert bus.status.state is Health.FAILED
        assert "refused" in bus.status.reason
        assert "broker.url" in bus.status.remedy
        await bus.stop()


async def test_an_unreachable_broker_is_named_with_its_setting(
    make_bus: MakeBus, settings: Settings
):
    bus = make_bus("nobody", settings)
    await bus.start()
    await eventually(lambda: bus.state is BusState.UNREACHABLE)

    with pytest.raises(BusError, match="is not connected") as caught:
        await bus.wait_connected(0.1)

    assert str(settings.broker.port) in bus.status.reason
    assert "broker.port" in caught.value.hint


async def test_a_name_that_does_not_resolve_is_unreachable(make_bus: MakeBus):
    bus = make_bus("dns", Settings(broker=BrokerSettings(url="mqtt://no.such.host.invalid")))
    await bus.start()

    await eventually(lambda: bus.state is BusState.UNREACHABLE)


@pytest.mark.slow
async def test_an_unreachable_broker_logs_one_line_however_often_it_is_tried(
    make_bus: MakeBus, settings: Settings, caplog: pytest.LogCaptureFixture
):
    bus = make_bus("quiet", settings)
    attempts: list[float] = []
    link_unreachable = bus.link_unreachable
    bus.link_unreachable = lambda why: (attempts.append(time.monotonic()), link_unreachable(why))[1]
    await bus.start()

    await eventually(lambda: len(attempts) >= 4)

    assert len(caplog.records) == 1


async def test_the_bus_is_back_by_itself_after_the_broker_was_killed(
    make_bus: MakeBus, killable: BrokerProcess, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO)
    bus, inbox = make_bus("back", of(killable)), Inbox()
    bus.subscribe("plant/#", ReadingMessage, inbox)
    await connected(bus)
    caplog.clear()

    killable.kill()
    await eventually(lambda: bus.state in {BusState.LOST, BusState.UNREACHABLE})
    assert bus.status.state in {Health.DEGRADED, Health.FAILED}
    bus.publish("plant/s/a/l/u/t", ReadingMessage(v=1))
    bus.publish("plant/s/a/l/u/t", ReadingMessage(v=2), qos=1)
    killable.start()
    await bus.wait_connected(15)

    await eventually(lambda: inbox.received)
    assert [message.v for message in inbox.messages] == [2]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_no_confirmed_message_is_lost_when_the_broker_is_killed(
    make_bus: MakeBus, killable: BrokerProcess
):
    bus, inbox = make_bus("kept", of(killable), persistent=True), Inbox()
    bus.subscribe_durable("kept/#", bytes, inbox.durable)
    await connected(bus)
    confirmed: set[bytes] = set()

    async def send() -> None:
        for number in range(400):
            await bus.publish_confirmed("kept/x", b"%d" % number, timeout_s=30)
            confirmed.add(b"%d" % number)

    sending = asyncio.ensure_future(send())
    await eventually(lambda: len(confirmed) > 50)
    killable.kill()
    killable.start()
    await sending

    await eventually(lambda: set(inbox.messages) >= confirmed, 30)


async def test_stopping_ends_in_time_when_the_broker_hangs(
    make_bus: MakeBus, killable: BrokerProcess
):
    bus = await connected(make_bus("hangs", of(killable)))
    killable.hang()
    bus.publish("a/b", b"1", qos=1)

    async with asyncio.timeout(20):  # a hung connection would be given up after 30 s
        await bus.stop()


async def test_state_changes_are_told_in_the_event_loop(make_bus: MakeBus, killable: BrokerProcess):
    bus = make_bus("told", of(killable))
    told: list[Health] = []
    bus.on_state(lambda status: told.append(status.state))
    await connected(bus)

    killable.kill()

    await eventually(lambda: told[-1] is not Health.OK)
    assert Health.OK in told


async def test_an_error_that_ends_the_thread_is_told(make_bus: MakeBus):
    bus = make_bus("ended")
    bus.subscribe("a/#/b", ReadingMessage, Inbox())  # paho raises it on its thread
    await bus.start()

    await eventually(lambda: bus.state is BusState.ENDED)

    assert bus.status.state is Health.FAILED
    assert "ValueError: Invalid subscription filter" in bus.status.reason
    assert bus.status.remedy
