"""Tasks over a real broker to small agents that die, are silent, answer late or twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from agents.base.desk import TaskDesk
from agents.base.results import ResultStore
from app.bus.client import Bus, Received
from app.clock import SystemClock
from app.core.agent import AgentSpec, AgentState, AgentStatus, Beat
from app.core.errors import BusError, ConflictError, InputError
from app.core.task import Task, TaskFailure, TaskResult
from app.core.topics import tasks_topic
from app.settings import Settings, SupervisorSettings
from app.supervisor.registry import Registry
from app.workflow import dispatch
from app.workflow.dispatch import Dispatcher
from tests.processes import eventually

LIMIT = 100_000


@dataclass
class FakeAgent:
    """One instance: what it heard, and whether and how it answers."""

    name: str
    bus: Bus
    is_silent: bool = False
    copies: int = 1
    heard: list[Task] = field(default_factory=list[Task])

    def take(self, batch: Sequence[Received[Task]]) -> None:
        self.heard += [received.message for received in batch]
        for task in [] if self.is_silent else [received.message for received in batch]:
            self.answer(task)

    def answer(self, task: Task, **changes: object) -> None:
        output: dict[str, object] = {"by": self.name, **changes}
        for _ in range(self.copies):
            self.bus.publish(task.reply_to, TaskResult(task.id, self.name, 0.1, output), qos=1)


class Rig:
    """A dispatcher and its agents."""

    def __init__(self, make: Callable[[str], Bus]) -> None:
        self._make = make
        self._clock = SystemClock()
        self.bus = make("orchestrator")
        self.registry = Registry(self._clock, SupervisorSettings())
        self.dispatcher = Dispatcher(self.bus, self.registry, "app", self._clock, limit_bytes=LIMIT)
        self.waits: list[str] = []

    async def start(self) -> None:
        self.dispatcher.start()
        await self.bus.start()
        await self.bus.wait_connected(10)

    async def agent(self, instance: str, **how: object) -> FakeAgent:
        made = FakeAgent(f"worker/{instance}", self.connection(instance))
        for name, value in how.items():
            setattr(made, name, value)
        made.bus.subscribe(tasks_topic("worker", instance), Task, made.take, qos=1)
        await self.join(instance, made.bus)
        return made

    def connection(self, instance: str) -> Bus:
        return self._make(f"worker-{instance}")

    async def join(self, instance: str, bus: Bus) -> None:
        await bus.start()
        await bus.wait_connected(10)
        self.birth(instance)

    def birth(self, instance: str, state: AgentState = AgentState.RUNNING) -> None:
        spec = AgentSpec("worker", "Works", ("work",))
        now = self._clock.now()
        self.registry.birth(AgentStatus(spec, instance, state, now, int(instance), "here"))

    def load(self, instance: str, load: int) -> None:
        self.registry.beat("worker", instance, Beat(self._clock.now(), 1, load))

    async def ask(self, name: str = "run:step", timeout_s: float = 10.0) -> TaskResult:
        return await self.dispatcher.perform(
            name, "work", {"n": 1}, timeout_s, waiting=self.waits.append
        )


@pytest.fixture
async def rig(connected_settings: Settings) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:

        def make(client_id: str) -> Bus:
            bus = Bus(connected_settings, client_id, SystemClock())
            stack.push_async_callback(bus.stop)
            return bus

        made = Rig(make)
        await made.start()
        yield made


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "RESEND_S", 0.3)
    monkeypatch.setattr(dispatch, "NOBODY_S", 0.1)


async def test_a_task_is_done_by_who_offers_it(rig: Rig):
    await rig.agent("1")
    result = await rig.ask()

    assert (result.agent, result.output) == ("worker/1", {"by": "worker/1"})


async def test_the_least_loaded_instance_gets_the_task(rig: Rig):
    await rig.agent("1")
    await rig.agent("2")
    rig.load("1", 3)

    assert (await rig.ask()).agent == "worker/2"


async def test_several_instances_share_the_load(rig: Rig):
    agents = [await rig.agent(str(number), is_silent=True) for number in (1, 2, 3)]
    asked = [asyncio.ensure_future(rig.ask(f"run:{number}")) for number in range(12)]
    await eventually(lambda: sum(len(agent.heard) for agent in agents) == 12)
    for agent in agents:
        for task in agent.heard:
            agent.answer(task)
    shares = Counter(result.agent for result in await asyncio.gather(*asked))

    assert shares == {"worker/1": 4, "worker/2": 4, "worker/3": 4}


async def test_the_will_of_an_agent_sends_its_task_elsewhere_with_the_same_id(rig: Rig):
    first = await rig.agent("1", is_silent=True)
    asked = asyncio.ensure_future(rig.ask())
    await eventually(lambda: first.heard)
    second = await rig.agent("2")
    rig.birth("1", AgentState.OFFLINE)
    result = await asked

    assert result.agent == "worker/2"
    assert [task.id for task in (*first.heard, *second.heard)] == ["run:step", "run:step"]
    assert [task.attempt for task in (*first.heard, *second.heard)] == [1, 1]


@pytest.mark.usefixtures("impatient")
async def test_a_silent_agent_is_asked_again(rig: Rig):
    agent = await rig.agent("1", is_silent=True)
    asked = asyncio.ensure_future(rig.ask())
    await eventually(lambda: len(agent.heard) > 1)
    agent.answer(agent.heard[0])

    assert (await asked).agent == "worker/1"
    assert {task.id for task in agent.heard} == {"run:step"}


@pytest.mark.usefixtures("impatient")
async def test_after_a_silence_another_instance_gets_the_task(rig: Rig):
    await rig.agent("1", is_silent=True)
    await rig.agent("2")
    rig.load("2", 5)

    assert (await rig.ask()).agent == "worker/2"


@pytest.mark.usefixtures("impatient")
async def test_the_late_answer_of_the_first_instance_counts(rig: Rig):
    first = await rig.agent("1", is_silent=True)
    second = await rig.agent("2", is_silent=True)
    asked = asyncio.ensure_future(rig.ask())
    await eventually(lambda: first.heard and second.heard)
    first.answer(first.heard[0])

    assert (await asked).agent == "worker/1"


async def test_answers_that_come_twice_or_too_late_are_ignored(rig: Rig):
    agent = await rig.agent("1", copies=3)
    first = await rig.ask("run:one")
    agent.answer(agent.heard[0], late=True)
    second = await rig.ask("run:two")

    assert (first.id, second.id) == ("run:one", "run:two")
    assert (first.output, second.output) == ({"by": "worker/1"}, {"by": "worker/1"})


@pytest.mark.usefixtures("impatient")
async def test_nobody_is_waited_for_and_named(rig: Rig):
    asked = asyncio.ensure_future(rig.ask())
    await eventually(lambda: rig.waits)
    await rig.agent("1")
    result = await asked

    assert result.agent == "worker/1"
    assert rig.waits[0] == 'an agent that offers "work"; none is alive'
    assert rig.waits[-1] == ""


async def test_nobody_in_time_says_so(rig: Rig):
    with pytest.raises(BusError, match='offers "work"; none is alive'):
        await rig.ask(timeout_s=0.2)


async def test_an_agent_that_is_named_is_the_only_one_asked(rig: Rig):
    await rig.agent("1")
    with pytest.raises(BusError, match="agent other, which is not alive"):
        await rig.dispatcher.perform("run:step", "work", {}, 0.2, agent="other")


async def test_a_task_that_is_not_answered_in_time_fails(rig: Rig):
    await rig.agent("1", is_silent=True)
    with pytest.raises(BusError, match="was not done within"):
        await rig.ask(timeout_s=0.3)


@pytest.mark.parametrize(
    ("left_s", "words"), [(0.299994, "0.3 s"), (0.2000001, "0.2 s"), (0.012, "0.1 s")]
)
async def test_the_time_that_was_not_enough_is_said_in_words(rig: Rig, left_s: float, words: str):
    await rig.agent("1", is_silent=True)
    with pytest.raises(BusError, match=f"was not done within {words}$"):
        await rig.ask(timeout_s=left_s)


async def test_a_task_that_fits_no_message_is_refused(rig: Rig):
    with pytest.raises(InputError, match="do not fit"):
        await rig.dispatcher.perform("run:step", "work", {"text": "a" * LIMIT}, 1.0)


async def test_a_refusal_is_handed_on(rig: Rig):
    agent = await rig.agent("1", is_silent=True)
    asked = asyncio.ensure_future(rig.ask())
    await eventually(lambda: agent.heard)
    refused = TaskResult(
        "run:step", "worker/1", 0.0, error="speed: is missing", failure=TaskFailure.INPUT
    )
    agent.bus.publish(agent.heard[0].reply_to, refused, qos=1)

    assert await asked == refused


def refusal(task: Task) -> TaskResult:
    """Return the answer of an agent that cannot do a task now."""
    return TaskResult(
        task.id,
        "worker/1",
        0.0,
        error="busy",
        failure=TaskFailure.CONFLICT,
        attempt=task.attempt,
    )


async def refuse(rig: Rig, agent: FakeAgent) -> None:
    """Ask for a task and have the agent refuse it."""
    count = len(agent.heard)
    asked = asyncio.ensure_future(rig.ask())
    await eventually(lambda: len(agent.heard) > count)
    agent.bus.publish(agent.heard[-1].reply_to, refusal(agent.heard[-1]), qos=1)
    assert (await asked).failure is TaskFailure.CONFLICT


async def test_what_was_refused_is_a_new_try_the_next_time(rig: Rig):
    agent = await rig.agent("1", is_silent=True)
    await refuse(rig, agent)
    await refuse(rig, agent)
    agent.is_silent = False

    assert (await rig.ask()).output == {"by": "worker/1"}
    assert [(task.id, task.attempt) for task in agent.heard] == [
        ("run:step", 1),
        ("run:step", 2),
        ("run:step", 3),
    ]


async def test_a_refusal_that_comes_twice_does_not_end_the_next_try(rig: Rig):
    agent = await rig.agent("1", is_silent=True)
    await refuse(rig, agent)
    asked = asyncio.ensure_future(rig.ask())
    await eventually(lambda: len(agent.heard) == 2)
    agent.bus.publish(agent.heard[0].reply_to, refusal(agent.heard[0]), qos=1)
    agent.answer(agent.heard[1])

    assert (await asked).output == {"by": "worker/1"}


async def test_a_try_of_a_former_life_is_followed_by_one_that_is_newer(rig: Rig):
    agent = await rig.agent("1", is_silent=True)
    asked = asyncio.ensure_future(rig.ask())
    await eventually(lambda: agent.heard)
    known = msgspec.structs.replace(refusal(agent.heard[0]), attempt=7)
    agent.bus.publish(agent.heard[0].reply_to, known, qos=1)
    await asked
    agent.is_silent = False
    await rig.ask()

    assert [task.attempt for task in agent.heard] == [1, 8]


async def test_what_is_done_is_asked_for_under_the_same_number(rig: Rig):
    agent = await rig.agent("1")
    await rig.ask()
    await rig.ask()

    assert [task.attempt for task in agent.heard] == [1, 1]


async def test_nobody_is_counted_for_ever(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dispatch, "_TRIES", 1)
    agent = await rig.agent("1", is_silent=True)
    await refuse(rig, agent)
    other = asyncio.ensure_future(rig.ask("run:other"))
    await eventually(lambda: len(agent.heard) == 2)
    agent.bus.publish(agent.heard[1].reply_to, refusal(agent.heard[1]), qos=1)
    await other
    await refuse(rig, agent)

    assert [task.attempt for task in agent.heard] == [1, 1, 1]


async def test_a_desk_that_refused_does_a_later_try_and_only_once(rig: Rig, tmp_path: Path):
    bus, asked = rig.connection("1"), list[str]()

    async def work(capability: str, _: dict[str, object]) -> dict[str, object]:
        asked.append(capability)
        if len(asked) == 1:
            raise ConflictError("busy")
        return {"done": len(asked)}

    def answer(topic: str, result: TaskResult) -> None:
        bus.publish(topic, result, qos=1)

    store = ResultStore(tmp_path / "results.sqlite")
    desk = TaskDesk("worker/1", store, work, answer, SystemClock(), concurrency=1)
    await desk.start()
    bus.subscribe_durable(tasks_topic("worker", "1"), Task, desk.take)
    await rig.join("1", bus)

    answers = [await rig.ask() for _ in range(3)]
    await desk.stop()

    assert [each.output for each in answers] == [None, {"done": 2}, {"done": 2}]
    assert asked == ["work", "work"]


async def test_a_task_that_the_broker_does_not_take_says_so(rig: Rig):
    await rig.agent("1")
    await rig.bus.stop()
    with pytest.raises(BusError):
        await rig.ask(timeout_s=0.3)

    assert rig.waits[-1] == "the broker, which is away; see Bus on Health"


async def test_where_nobody_can_be_heard_the_broker_is_named_and_not_the_agents(rig: Rig):
    await rig.bus.stop()
    with pytest.raises(BusError):
        await rig.ask(timeout_s=0.3)

    assert set(rig.waits) == {"the broker, which is away; see Bus on Health"}
