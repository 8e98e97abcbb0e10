"""What became of a task at an agent, as the error that the asker gets."""

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from app.bus.client import Bus, Received
from app.bus.tasks import TaskClient
from app.clock import SystemClock
from app.core.agent import AgentState
from app.core.agent_row import AgentRow
from app.core.errors import (
    AgentAwayError,
    AgentError,
    ConflictError,
    FieldsError,
    InputError,
    MillwrightError,
    NotFoundError,
)
from app.core.task import Task, TaskFailure, TaskResult
from app.settings import Settings
from app.supervisor.agent_calls import AgentCalls

ROW = AgentRow("echo", "1", "Echoes", AgentState.RUNNING, datetime.now(UTC), connected=True)
TASKS = "millwright/agents/echo/1/tasks"

Answer = Callable[[Task], TaskResult]


@pytest.fixture
async def bus(connected_settings: Settings) -> AsyncGenerator[Bus]:
    made = Bus(connected_settings, "asker", SystemClock())
    yield made
    await made.stop()


async def ask(bus: Bus, answer: Answer) -> dict[str, object]:
    """Ask the agent "echo", which answers so."""

    def take(batch: Sequence[Received[Task]]) -> None:
        for each in batch:
            bus.publish(each.message.reply_to, answer(each.message), qos=1)

    bus.subscribe(TASKS, Task, take, qos=1)
    client = TaskClient(bus, "asker", SystemClock())
    client.start()
    await bus.start()
    await bus.wait_connected(15)
    return await AgentCalls(client, lambda: [ROW]).ask("echo", "repeat", {"word": "ok"})


async def test_the_output_is_returned(bus: Bus):
    assert await ask(bus, lambda task: TaskResult(task.id, "echo/1", 0.0, task.input)) == {
        "word": "ok"
    }


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (TaskFailure.INPUT, InputError),
        (TaskFailure.NOT_FOUND, NotFoundError),
        (TaskFailure.CONFLICT, ConflictError),
        (TaskFailure.NONE, ConflictError),
        (TaskFailure.UNABLE, AgentError),
        (TaskFailure.EXPIRED, AgentError),
        (TaskFailure.FAULT, AgentError),
    ],
)
async def test_a_task_without_output_is_an_error_that_tells_whose_fault_it_is(
    bus: Bus, failure: TaskFailure, kind: type[MillwrightError]
):
    with pytest.raises(kind, match="It is dark") as caught:
        await ask(
            bus,
            lambda task: TaskResult(task.id, "echo/1", 0.0, error="It is dark", failure=failure),
        )
    assert type(caught.value) is kind


async def test_a_fault_of_the_agent_says_where_to_look(bus: Bus):
    with pytest.raises(AgentError, match="echo/1") as caught:
        await ask(
            bus,
            lambda task: TaskResult(
                task.id, "echo/1", 0.0, error="oops", failure=TaskFailure.FAULT
            ),
        )
    assert "Agents page" in caught.value.hint


async def test_wrong_fields_are_named(bus: Bus):
    wrong = {"torque": "missing"}
    with pytest.raises(FieldsError) as caught:
        await ask(bus, lambda task: TaskResult(task.id, "echo/1", 0.0, error="x", details=wrong))
    assert caught.value.details == wrong


@pytest.mark.parametrize(
    ("state", "words", "hint"),
    [
        (AgentState.STOPPED, "is stopped", "Start it"),
        (AgentState.STOPPING, "is stopped", "Start it"),
        (AgentState.OFFLINE, "is stopped", "Start it"),
        (AgentState.FAILED, "has failed and is not started again", "Start it"),
        (AgentState.BACKING_OFF, "is about to start again", "Ask again"),
        (AgentState.STARTING, "is starting", "Ask again"),
        (AgentState.RUNNING, "its messages do not arrive", "Ask again"),
        (AgentState.DEGRADED, "its messages do not arrive", "Ask again"),
    ],
)
async def test_an_agent_that_does_not_live_says_why_and_what_to_do(
    bus: Bus, state: AgentState, words: str, hint: str
):
    row = msgspec.structs.replace(ROW, state=state, connected=False, reason="no broker")
    calls = AgentCalls(TaskClient(bus, "asker", SystemClock()), lambda: [row])

    with pytest.raises(AgentAwayError, match=f"{words}.*: no broker") as caught:
        await calls.ask("echo", "repeat", {})
    assert hint in caught.value.hint


async def test_an_agent_that_nobody_ever_heard_is_named(bus: Bus):
    calls = AgentCalls(TaskClient(bus, "asker", SystemClock()), list)

    with pytest.raises(AgentAwayError, match='Agent "echo" is not heard'):
        await calls.ask("echo", "repeat", {})
