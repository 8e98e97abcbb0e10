"""The embedded broker: killed, damaged, hindered, and back again. One suite for both engines."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from app.bus.broker import Broker
from app.bus.broker_engine import find_engine
from app.bus.probe import Answer, probe
from app.clock import SystemClock
from app.core.health import ComponentStatus, Health
from app.settings import BrokerSettings, Settings
from tests.mqtt_peer import peer
from tests.processes import eventually, is_alive, python

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("no_blocking"),
    pytest.mark.skipif(sys.platform == "win32", reason="kills by POSIX signals"),
]

MESSAGES = 200
NOISE = random.Random(7)  # noqa: S311  garbage, no secret


@pytest.fixture(params=["nats", "mosquitto"])
def engine_settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    if find_engine(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    chosen = BrokerSettings(port=settings.broker.port, engine=request.param, ack_wait_s=1)
    return settings.model_copy(update={"broker": chosen})


@pytest.fixture
async def broker(engine_settings: Settings) -> AsyncIterator[Broker]:
    broker = Broker(engine_settings, SystemClock(), spread=NOISE)
    yield broker
    await broker.stop()


async def started(broker: Broker) -> None:
    await broker.start()
    assert await broker.wait_ready(20), f"{broker.status} {broker.log()}"


async def leave_messages(port: int) -> None:
    """Leave retained messages, and queued ones for the absent "reader"."""
    with peer(port, "reader", clean=False) as reader:
        await reader.connected()
        await reader.subscribe("work/#")
    with peer(port, "writer") as writer:
        await writer.connected()
        for number in range(MESSAGES):
            await writer.publish("work/item", b"%d" % number)
            await writer.publish(f"state/{number % 10}", b"%d" % number, retain=True)


async def find_messages(port: int) -> tuple[int, int]:
    """Return how many of the queued and of the retained messages are there, each once."""
    with peer(port, "reader", clean=False) as reader:
        await reader.connected()
        await eventually(lambda: len(set(reader.received)) >= MESSAGES)
        return len(set(reader.received)), await find_retained(port)


async def find_retained(port: int) -> int:
    """Return how many retained messages a subscriber gets.

    One that comes while nats-server still reads its store may miss some that are there; a later
    one gets them.
    """
    found = 0
    for number in range(3):
        with peer(port, f"looker-{number}") as looker:
            await looker.connected()
            await looker.subscribe("state/#")
            with suppress(AssertionError):
                await eventually(lambda heard=looker.received: len(heard) >= 10, 10)
            found = len(looker.received)
        if found >= 10:
            break
    return found


async def test_it_answers_and_says_so(broker: Broker, engine_settings: Settings):
    await started(broker)
    assert broker.status.state is Health.OK
    assert await probe("127.0.0.1", engine_settings.broker.port, 5) is Answer.READY


async def test_it_listens_on_loopback_only(broker: Broker):
    await started(broker)
    listening = [
        connection.laddr[0]
        for connection in psutil.Process(broker.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    assert set(listening) == {"127.0.0.1"}


async def test_kill_9_loses_nothing_acknowledged(broker: Broker, engine_settings: Settings):
    port = engine_settings.broker.port
    await started(broker)
    await leave_messages(port)
    killed = broker.pid
    os.kill(killed, signal.SIGKILL)
    await eventually(lambda: broker.pid not in {0, killed} and broker.status.state is Health.OK)
    assert await find_messages(port) == (MESSAGES, 10)
    assert broker.quarantined == []


async def test_a_stop_and_a_start_keep_everything(broker: Broker, engine_settings: Settings):
    await started(broker)
    await leave_messages(engine_settings.broker.port)
    await broker.stop()
    assert broker.status.state is Health.STOPPED
    await started(broker)
    assert await find_messages(engine_settings.broker.port) == (MESSAGES, 10)


async def test_an_end_is_told_with_the_time_of_the_next_try(broker: Broker):
    told: list[ComponentStatus] = []
    broker.on_state(told.append)
    await started(broker)
    os.kill(broker.pid, signal.SIGKILL)
    await eventually(lambda: any(status.state is Health.FAILED for status in told))
    reason = next(status.reason for status in told if status.state is Health.FAILED)
    assert reason == "Broker stopped unexpectedly (ended by force); next try in 1 s"


async def test_a_damaged_store_is_set_aside(broker: Broker, engine_settings: Settings):
    port, folder = engine_settings.broker.port, engine_settings.data.dir
    await started(broker)
    await leave_messages(port)
    await broker.stop()
    spoil(files_of_store(folder / "broker"))
    await started(broker)
    (name,) = broker.quarantined
    assert files_of_store(folder / name)
    assert broker.status.state is Health.DEGRADED
    assert name in broker.status.reason
    await leave_messages(port)


async def test_a_busy_port_is_named_and_left_alone(broker: Broker, engine_settings: Settings):
    port = engine_settings.broker.port
    with socket.create_server(("127.0.0.1", port)) as occupant:
        await broker.start()
        await eventually(lambda: broker.status.state is Health.FAILED)
        assert f"Port {port} of this computer is used" in broker.status.reason
        assert "broker.port" in broker.status.remedy
        assert occupant.fileno() >= 0
    await eventually(lambda: broker.status.state is Health.OK)


async def test_a_broker_that_hangs_is_told_and_replaced(engine_settings: Settings):
    broker = Broker(engine_settings, SystemClock(), check_s=0.3)
    await started(broker)
    hung = broker.pid
    told: list[str] = []
    broker.on_state(lambda status: told.append(status.reason))
    os.kill(hung, signal.SIGSTOP)
    await eventually(lambda: broker.pid not in {0, hung} and broker.status.state is Health.OK)
    assert not is_alive(hung)
    assert told[0] == "Broker does not answer"
    await broker.stop()


async def test_a_broker_that_only_pauses_is_well_again(engine_settings: Settings):
    broker = Broker(engine_settings, SystemClock(), check_s=2)
    await started(broker)
    pid = broker.pid
    told: list[Health] = []

    def go_on(status: ComponentStatus) -> None:
        told.append(status.state)
        if status.state is Health.DEGRADED:  # a few seconds later it would be replaced
            os.kill(pid, signal.SIGCONT)

    broker.on_state(go_on)
    os.kill(pid, signal.SIGSTOP)
    await eventually(lambda: told[-1:] == [Health.OK])
    assert told == [Health.DEGRADED, Health.OK]
    assert broker.pid == pid
    await broker.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="limits the files of another process")
async def test_a_broker_whose_disk_was_full_takes_messages_again(settings: Settings):
    """nats-server refuses every message after one failed write, also once there is room."""
    chosen = BrokerSettings(port=settings.broker.port, engine="nats", ack_wait_s=1)
    nats = settings.model_copy(update={"broker": chosen})
    broker = Broker(nats, SystemClock(), spread=NOISE, check_s=0.2)
    states: list[ComponentStatus] = []
    broker.on_state(states.append)
    try:
        await started(broker)
        await leave_messages(nats.broker.port)
        full = broker.pid
        with peer(nats.broker.port, "filler") as filler:
            await filler.connected()
            # its files may grow no more; for ours there is room, so it is started again at once
            psutil.Process(full).rlimit(psutil.RLIMIT_FSIZE, (0, -1))
            await filler.publish("work/item", b"0")
        assert broker.pid not in {0, full}
        assert any("could not write its store" in each.reason for each in states)
        await eventually(lambda: broker.status.state is Health.OK, 20)
        assert await find_messages(nats.broker.port) == (MESSAGES, 10)
    finally:
        await broker.stop()


async def test_a_stopped_broker_leaves_no_process(broker: Broker):
    await started(broker)
    pid = broker.pid
    await broker.stop()
    assert not is_alive(pid)
    assert broker.pid == 0


def files_of_store(folder: Path) -> list[Path]:
    return [
        file
        for file in folder.rglob("*")
        if file.is_file() and file.suffix not in {".conf", ".new"}
    ]


def spoil(files: list[Path]) -> None:
    assert files
    for file in files:
        file.write_bytes(NOISE.randbytes(max(64, file.stat().st_size)))


APP = """
import asyncio, sys
from pathlib import Path
from app.bus.broker import Broker
from app.clock import SystemClock
from app.settings import BrokerSettings, DataSettings, Settings

async def main():
    broker = BrokerSettings(port=int(sys.argv[1]), engine=sys.argv[3])
    settings = Settings(data=DataSettings(dir=Path(sys.argv[2])), broker=broker)
    broker = Broker(settings, SystemClock())
    await broker.start()
    await broker.wait_ready(20)
    print(broker.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_kill_9_of_the_app_leaves_no_broker(engine_settings: Settings):
    port, folder = engine_settings.broker.port, engine_settings.data.dir
    command = [*python(APP), str(port), str(folder), engine_settings.broker.engine]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout
        pid = int(app.stdout.readline())
        assert is_alive(pid)
        app.kill()
        asyncio.run(eventually(lambda: not is_alive(pid)))


async def test_no_program_is_said_with_what_to_do(settings: Settings, tmp_path: Path):
    broker = Broker(settings, SystemClock(), programs=[tmp_path])
    await broker.start()
    await eventually(lambda: broker.status.state is Health.FAILED)
    assert broker.status.reason.startswith("No broker program found")
    assert "broker.url" in broker.status.remedy
    await broker.stop()


async def test_a_program_that_ends_at_once_is_said_and_tried_again(
    settings: Settings, tmp_path: Path
):
    program = tmp_path / "nats-server"
    program.write_text("#!/bin/sh\necho '[1] [FTL] no space left on device'\nexit 1\n")
    program.chmod(0o755)
    broker = Broker(settings, SystemClock(), programs=[tmp_path])
    await broker.start()
    await eventually(lambda: broker.status.state is Health.FAILED)
    assert "no space left on device" in broker.status.reason
    assert broker.quarantined == []  # a full disk is no damage
    await broker.stop()


@pytest.mark.parametrize("pattern", ["*.blk", "meta.inf", "meta.sum", "o.dat"])
async def test_garbage_in_one_kind_of_file_is_found(settings: Settings, pattern: str):
    broker = Broker(settings, SystemClock())
    await started(broker)
    await leave_messages(settings.broker.port)
    await broker.stop()
    spoil(list((settings.data.dir / "broker").rglob(pattern)))
    await started(broker)
    await broker.stop()
    assert len(broker.quarantined) == 1


async def test_a_store_that_is_a_file_is_said(settings: Settings):
    settings.data.dir.mkdir()
    (settings.data.dir / "broker").write_text("not a folder")
    broker = Broker(settings, SystemClock())
    await broker.start()
    await eventually(lambda: broker.status.state is Health.FAILED)
    assert "data.dir" in broker.status.remedy
    await broker.stop()


async def test_a_store_of_a_crashed_computer_is_used_as_it_is(settings: Settings):
    broker = Broker(settings, SystemClock())
    await started(broker)
    await leave_messages(settings.broker.port)
    await broker.stop()
    block = max((settings.data.dir / "broker").rglob("*.blk"), key=lambda file: file.stat().st_size)
    block.write_bytes(block.read_bytes()[:-20])  # the last record is cut short
    await started(broker)
    await broker.stop()
    assert broker.quarantined == []
