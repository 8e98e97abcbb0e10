"""Round trip of a task to an agent process, beside a bare MQTT round trip, on one broker."""

import asyncio
import queue
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from app.bench.app_process import free_port
from app.bench.workflow_echo import ANSWER, ASK, READY, plain_client
from app.bus.broker import Broker
from app.bus.client import Bus, Received
from app.clock import SystemClock
from app.core.agent import PARENT_VARIABLE, AgentStatus
from app.core.errors import BusError
from app.core.task import Task
from app.core.topics import BIRTHS
from app.settings import BrokerSettings, DataSettings, Settings
from app.supervisor.environment import agent_environment
from app.supervisor.registry import Registry
from app.workflow.dispatch import Dispatcher

TARGET_RATIO = 3.0
AGENT, CAPABILITY = "advisor", "advise"
INPUT: dict[str, object] = {
    "equipment": "riverside/utilities/cooling/pump-101",
    "condition": "high vibration",
}
_BLOCK = 20
_PAIRS = 5
_START_S = 30.0
_ANSWER_S = 20.0


async def measure(folder: Path, seconds: float) -> dict[str, object]:
    """Return the times of both round trips in ms, and the ratio of their medians.

    Raises:
        BusError: The broker, the agent or the echo does not answer.
    """
    await asyncio.to_thread(folder.mkdir)
    settings = Settings(data=DataSettings(dir=folder), broker=BrokerSettings(port=free_port()))
    broker = Broker(settings, SystemClock())
    await broker.start()
    try:
        if not await broker.wait_ready(_START_S):
            raise BusError(f"The broker did not start within {_START_S:g} s")
        async with _processes(settings), _dispatcher(settings) as dispatcher:
            return await _compare(settings.broker.port, dispatcher, seconds)
    finally:
        await broker.stop()


async def _compare(port: int, dispatcher: Dispatcher, seconds: float) -> dict[str, object]:
    # Alternating, so that a neighbour's load falls on both.
    tasks: list[list[float]] = []
    bare: list[list[float]] = []
    with _asking(port) as answers:
        await asyncio.to_thread(answers.wait_for_echo)
        await _tasks(dispatcher, "warm")
        await asyncio.to_thread(answers.block)
        deadline = time.monotonic() + seconds
        while len(tasks) < _PAIRS or time.monotonic() < deadline:
            bare.append(await asyncio.to_thread(answers.block))
            tasks.append(await _tasks(dispatcher, str(len(tasks))))
    ratios = [
        statistics.median(ours) / statistics.median(theirs)
        for ours, theirs in zip(tasks, bare, strict=True)
    ]
    return {
        "target_ratio": TARGET_RATIO,
        "pairs": len(ratios),
        "task_ms": _spread(tasks),
        "bare_mqtt_ms": _spread(bare),
        "ratio_p50": round(statistics.median(ratios), 2),
    }


async def _tasks(dispatcher: Dispatcher, block: str) -> list[float]:
    times: list[float] = []
    for number in range(_BLOCK):
        began = time.perf_counter()
        result = await dispatcher.perform(f"b{block}:{number}", CAPABILITY, INPUT, _ANSWER_S)
        times.append(1000 * (time.perf_counter() - began))
        if result.output is None:
            raise BusError(f"The agent did not do its task: {result.error}")
    return times


class _Answers:
    """Asks over a bare client and takes the answers."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._came: queue.SimpleQueue[str] = queue.SimpleQueue()
        client.on_connect = self._subscribe
        client.on_message = self._take

    def wait_for_echo(self) -> None:
        """Wait until the far end listens."""
        self._wait(READY)

    def block(self) -> list[float]:
        """Return the times of some round trips, ms."""
        now = SystemClock().now()
        task = Task("b0:0", CAPABILITY, INPUT, ANSWER, now, 1, "b0:0")
        payload, times = msgspec.json.encode(task), list[float]()
        for _ in range(_BLOCK):
            began = time.perf_counter()
            self._client.publish(ASK, payload, qos=1)
            self._wait(ANSWER)
            times.append(1000 * (time.perf_counter() - began))
        return times

    def _wait(self, topic: str) -> None:
        try:
            while self._came.get(timeout=_ANSWER_S) != topic:
                pass
        except queue.Empty as error:
            raise BusError(f"Nothing came on {topic} within {_ANSWER_S:g} s") from error

    def _subscribe(
        self, client: Client, _u: object, _f: ConnectFlags, _r: ReasonCode, _p: Properties | None
    ) -> None:
        client.subscribe([(ANSWER, 1), (READY, 1)])

    def _take(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._came.put(message.topic)


@contextmanager
def _asking(port: int) -> Generator[_Answers]:
    client = plain_client("bench-ask", port)
    answers = _Answers(client)
    client.loop_start()
    try:
        yield answers
    finally:
        client.disconnect()
        client.loop_stop()


@asynccontextmanager
async def _dispatcher(settings: Settings) -> AsyncGenerator[Dispatcher]:
    clock = SystemClock()
    bus = Bus(settings, "bench-dispatch", clock)
    registry = Registry(clock, settings.supervisor)
    dispatcher = Dispatcher(
        bus, registry, "bench", clock, limit_bytes=settings.bus.message_limit_bytes
    )

    def born(batch: Sequence[Received[AgentStatus]]) -> None:
        for received in batch:
            registry.birth(received.message)

    bus.subscribe_state(BIRTHS, AgentStatus, born)
    dispatcher.start()
    await bus.start()
    try:
        await bus.wait_connected(_START_S)
        await dispatcher.perform("first:0", CAPABILITY, INPUT, _START_S)
        yield dispatcher
    finally:
        await bus.stop()


@asynccontextmanager
async def _processes(settings: Settings) -> AsyncGenerator[None]:
    """Run the agent and the echo; both end with their stdin or when told to."""
    port, pipe = str(settings.broker.port), asyncio.subprocess.PIPE
    environment = {**agent_environment(settings, None), PARENT_VARIABLE: "1"}
    agent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agents", AGENT), stdin=pipe, env=environment
    )
    echo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.bench.workflow_echo", port), stdin=pipe
    )
    try:
        yield
    finally:
        agent.terminate()
        await asyncio.gather(agent.communicate(b""), echo.communicate(b""))


def _spread(blocks: Sequence[Sequence[float]]) -> dict[str, float]:
    ordered = sorted(time for block in blocks for time in block)
    return {
        "p50": round(statistics.median(ordered), 2),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 2),
        "worst": round(ordered[-1], 2),
    }
