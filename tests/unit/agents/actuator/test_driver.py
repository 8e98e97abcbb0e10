"""What the answers of the agent that holds a tag mean for an order."""

import pytest

from agents.actuator.driver import PeerDriver
from app.core.errors import AgentError, BusError, ConflictError, NotFoundError
from app.core.task import TaskFailure, TaskResult

TAG = "a/b/c/d/e"


class Peer:
    """Answers every task alike."""

    def __init__(self, answer: TaskResult | Exception) -> None:
        self._answer = answer
        self.asked: list[tuple[str, dict[str, object], float]] = []

    async def ask(self, capability: str, input: dict[str, object], timeout_s: float) -> TaskResult:
        self.asked.append((capability, input, timeout_s))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def failing(failure: TaskFailure) -> Peer:
    return Peer(TaskResult("t", "simulator/1", 0.0, error="no", failure=failure))


def answering(**output: object) -> Peer:
    return Peer(TaskResult("t", "simulator/1", 0.0, output=output))


async def test_a_write_names_tag_value_and_time():
    peer = answering(tag=TAG, value=5.0)

    await PeerDriver(peer.ask, 2.0).write(TAG, 5.0)

    assert peer.asked == [("write_tag", {"tag": TAG, "value": 5.0}, 2.0)]


@pytest.mark.parametrize(
    "failure", [TaskFailure.INPUT, TaskFailure.NOT_FOUND, TaskFailure.CONFLICT]
)
async def test_what_the_plant_refuses_is_refused_in_its_words(failure: TaskFailure):
    with pytest.raises(ConflictError, match=r"^no$"):
        await PeerDriver(failing(failure).ask, 2.0).write(TAG, 5.0)


@pytest.mark.parametrize(
    "failure", [TaskFailure.FAULT, TaskFailure.EXPIRED, TaskFailure.UNABLE, TaskFailure.NONE]
)
async def test_what_the_plant_failed_at_is_in_doubt(failure: TaskFailure):
    with pytest.raises(BusError, match="no"):
        await PeerDriver(failing(failure).ask, 2.0).write(TAG, 5.0)


async def test_silence_is_in_doubt():
    with pytest.raises(BusError):
        await PeerDriver(Peer(BusError("silent")).ask, 2.0).write(TAG, 5.0)


async def test_nobody_to_ask_is_no_doubt():
    with pytest.raises(NotFoundError):
        await PeerDriver(Peer(NotFoundError("nobody")).ask, 2.0).write(TAG, 5.0)


async def test_a_read_returns_the_value():
    assert await PeerDriver(answering(tag=TAG, value=5).ask, 2.0).read(TAG) == 5.0


@pytest.mark.parametrize("peer", [answering(), answering(value="x"), failing(TaskFailure.FAULT)])
async def test_an_answer_without_a_number_is_no_reading(peer: Peer):
    with pytest.raises(AgentError, match="simulator/1"):
        await PeerDriver(peer.ask, 2.0).read(TAG)
