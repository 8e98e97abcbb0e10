"""What the answers of the agent that holds a tag mean for an order."""

from datetime import UTC, datetime

import msgspec
import pytest

from agents.actuator.driver import PeerDriver
from app.core.command import CommandOrder
from app.core.command_signature import is_signed, sign
from app.core.errors import AgentError, BusError, ConflictError, NotFoundError
from app.core.task import TaskFailure, TaskResult

TAG = "a/b/c/d/e"
KEY = b"k" * 32
ORDER = sign(CommandOrder("c1", TAG, 5.0, "actuator/1", datetime(2026, 11, 22, tzinfo=UTC)), KEY)


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

    def find(self, capability: str) -> str:
        if isinstance(self._answer, Exception):
            raise self._answer
        return capability


def driver(peer: Peer) -> PeerDriver:
    return PeerDriver(peer.ask, peer.find, 2.0)


def failing(failure: TaskFailure) -> Peer:
    return Peer(TaskResult("t", "simulator/1", 0.0, error="no", failure=failure))


def answering(**output: object) -> Peer:
    return Peer(TaskResult("t", "simulator/1", 0.0, output=output))


async def test_a_write_hands_the_signed_order_on_whole():
    peer = answering(tag=TAG, value=5.0)

    await driver(peer).write(ORDER)

    ((capability, given, timeout_s),) = peer.asked
    handed = msgspec.convert(given["order"], CommandOrder)
    assert (capability, timeout_s, handed) == ("write_tag", 2.0, ORDER)
    assert is_signed(handed, KEY)


async def test_a_plant_that_holds_another_value_afterwards_is_in_doubt():
    with pytest.raises(BusError, match="simulator/1 says that it holds 4"):
        await driver(answering(tag=TAG, value=4.0)).write(ORDER)


@pytest.mark.parametrize("output", [{}, {"value": "x"}, {"value": None}])
async def test_an_answer_without_a_value_is_in_doubt(output: dict[str, object]):
    with pytest.raises(BusError, match="simulator/1"):
        await driver(answering(**output)).write(ORDER)


def test_why_nobody_can_be_asked_is_known_before():
    assert driver(Peer(NotFoundError("nobody"))).why_away() == "nobody"


def test_somebody_who_lives_can_be_asked():
    assert driver(answering()).why_away() == ""


@pytest.mark.parametrize(
    "failure", [TaskFailure.INPUT, TaskFailure.NOT_FOUND, TaskFailure.CONFLICT]
)
async def test_what_the_plant_refuses_is_refused_in_its_words(failure: TaskFailure):
    with pytest.raises(ConflictError, match=r"^no$"):
        await driver(failing(failure)).write(ORDER)


@pytest.mark.parametrize(
    "failure", [TaskFailure.FAULT, TaskFailure.EXPIRED, TaskFailure.UNABLE, TaskFailure.NONE]
)
async def test_what_the_plant_failed_at_is_in_doubt(failure: TaskFailure):
    with pytest.raises(BusError, match="no"):
        await driver(failing(failure)).write(ORDER)


async def test_silence_is_in_doubt():
    with pytest.raises(BusError):
        await driver(Peer(BusError("silent"))).write(ORDER)


async def test_nobody_to_ask_is_no_doubt():
    with pytest.raises(NotFoundError):
        await driver(Peer(NotFoundError("nobody"))).write(ORDER)


async def test_a_read_returns_the_value():
    assert await driver(answering(tag=TAG, value=5)).read(TAG) == 5.0


@pytest.mark.parametrize("peer", [answering(), answering(value="x"), failing(TaskFailure.FAULT)])
async def test_an_answer_without_a_number_is_no_reading(peer: Peer):
    with pytest.raises(AgentError, match="simulator/1"):
        await driver(peer).read(TAG)
