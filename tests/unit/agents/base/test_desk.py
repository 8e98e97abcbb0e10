import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.base.desk import TaskDesk
from agents.base.results import KEPT, ResultStore
from app.bus.client import Received
from app.clock import ManualClock
from app.core.errors import (
    ConflictError,
    FieldsError,
    InputError,
    ModelError,
    NotFoundError,
    StoreError,
)
from app.core.task import Task, TaskFailure, TaskResult
from tests.processes import eventually

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Worker:
    """Does tasks at a gate, and keeps what it was asked and what was answered."""

    def __init__(self, file: Path, concurrency: int = 2) -> None:
        self.asked: list[str] = []
        self.answers: list[TaskResult] = []
        self.gate = asyncio.Event()
        self.clock = ManualClock(NOW)
        self.running = 0
        self.most_running = 0
        self.error: Exception | None = None
        self.desk = TaskDesk(
            "echo/1",
            ResultStore(file),
            self._work,
            lambda _topic, result: self.answers.append(result),
            self.clock,
            concurrency=concurrency,
        )

    async def give(self, *ids: str, expires_in_s: float = 60.0, attempt: int = 1) -> None:
        expires_at = NOW + timedelta(seconds=expires_in_s)
        tasks = [
            Task(task_id, "echo", {"id": task_id}, "results", expires_at, attempt)
            for task_id in ids
        ]
        await self.desk.take([Received("t", task, NOW, False) for task in tasks])

    async def _work(self, capability: str, input: dict[str, object]) -> dict[str, object]:
        self.asked.append(str(input["id"]))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.gate.wait()
        finally:
            self.running -= 1
        if self.error is not None:
            raise self.error
        return {"did": capability, **input}


@pytest.fixture
async def worker(tmp_path: Path) -> AsyncIterator[Worker]:
    worker = Worker(tmp_path / "results.sqlite")
    await worker.desk.start()
    yield worker
    await worker.desk.stop()


async def test_a_task_is_done_and_answered(worker: Worker):
    worker.gate.set()

    await worker.give("1")

    await eventually(lambda: worker.answers)
    assert worker.answers[0].output == {"did": "echo", "id": "1"}
    assert (worker.answers[0].agent, worker.answers[0].error) == ("echo/1", "")


async def test_a_duplicate_of_a_running_task_is_not_begun_again(worker: Worker):
    await worker.give("1")
    await worker.give("1", "1")
    worker.gate.set()

    await eventually(lambda: worker.answers)
    assert (worker.asked, len(worker.answers)) == (["1"], 1)


async def test_a_duplicate_of_a_finished_task_is_answered_from_the_store(worker: Worker):
    worker.gate.set()
    await worker.give("1")
    await eventually(lambda: worker.answers)

    await worker.give("1")

    assert worker.asked == ["1"]
    assert worker.answers[0] == worker.answers[1]


async def test_a_finished_task_is_answered_even_if_it_has_expired_meanwhile(worker: Worker):
    worker.gate.set()
    await worker.give("1")
    await eventually(lambda: worker.answers)

    await worker.give("1", expires_in_s=-10)

    assert worker.answers[1].output == worker.answers[0].output


async def test_an_expired_task_is_refused(worker: Worker):
    await worker.give("1", expires_in_s=0)

    assert worker.asked == []
    assert "expired" in worker.answers[0].error
    assert worker.answers[0].failure is TaskFailure.EXPIRED


async def test_wrong_input_is_answered_with_the_fields(worker: Worker):
    worker.error = FieldsError("torque is missing", {"torque": "missing"})
    worker.gate.set()

    await worker.give("1")

    await eventually(lambda: worker.answers)
    result = worker.answers[0]
    assert (result.output, result.error) == (None, "torque is missing")
    assert result.details == {"torque": "missing"}


async def test_a_refusal_carries_its_remedy(worker: Worker):
    worker.error = ConflictError("It runs already", "Stop it first")
    worker.gate.set()

    await worker.give("1")

    await eventually(lambda: worker.answers)
    assert worker.answers[0].error == "It runs already; Stop it first"


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (FieldsError("wrong", {"torque": "missing"}), TaskFailure.INPUT),
        (InputError("wrong"), TaskFailure.INPUT),
        (NotFoundError("wrong"), TaskFailure.NOT_FOUND),
        (ConflictError("wrong"), TaskFailure.CONFLICT),
        (ModelError("wrong"), TaskFailure.UNABLE),
        (StoreError("wrong"), TaskFailure.UNABLE),
        (OverflowError("wrong"), TaskFailure.FAULT),
    ],
)
async def test_the_answer_says_whose_fault_it_is(
    worker: Worker, error: Exception, failure: TaskFailure
):
    worker.error = error
    worker.gate.set()

    await worker.give("1")

    await eventually(lambda: worker.answers)
    assert worker.answers[0].failure is failure


async def test_an_unforeseen_failure_is_answered_and_tried_anew_when_sent_again(worker: Worker):
    worker.error = ZeroDivisionError("oops")
    worker.gate.set()
    await worker.give("1")
    await eventually(lambda: worker.answers)

    worker.error = None
    await worker.give("1")

    await eventually(lambda: len(worker.answers) == 2)
    assert "oops" in worker.answers[0].error
    assert worker.desk.failed == 1
    assert worker.answers[1].output


_REFUSALS = [ConflictError("busy"), ModelError("no model"), InputError("no"), NotFoundError("no")]


async def _refused(worker: Worker, error: Exception, attempt: int = 1) -> None:
    """Have a task fail."""
    count = len(worker.answers)
    worker.error = error
    worker.gate.set()
    await worker.give("1", attempt=attempt)
    await eventually(lambda: len(worker.answers) > count)
    worker.error = None


@pytest.mark.parametrize("error", _REFUSALS)
async def test_what_was_refused_is_judged_anew_at_a_new_try(worker: Worker, error: Exception):
    await _refused(worker, error)

    await worker.give("1", attempt=2)

    await eventually(lambda: len(worker.answers) == 2)
    assert worker.answers[1].output == {"did": "echo", "id": "1"}
    assert [each.attempt for each in worker.answers] == [1, 2]


@pytest.mark.parametrize("error", _REFUSALS)
async def test_a_refusal_that_is_asked_for_again_stays_one(worker: Worker, error: Exception):
    await _refused(worker, error)

    await worker.give("1")

    assert worker.asked == ["1"]
    assert worker.answers[0] == worker.answers[1]


async def test_a_late_message_of_an_earlier_try_does_nothing(worker: Worker):
    await _refused(worker, ConflictError("busy"))
    await _refused(worker, ConflictError("still busy"), attempt=2)

    await worker.give("1")

    assert worker.asked == ["1", "1"]
    assert worker.answers[2] == worker.answers[1]


@pytest.mark.parametrize("attempt", [1, 2, 9])
async def test_what_is_done_is_never_done_again(worker: Worker, attempt: int):
    worker.gate.set()
    await worker.give("1", attempt=1)
    await eventually(lambda: worker.answers)

    await worker.give("1", attempt=attempt)

    assert worker.asked == ["1"]
    assert worker.answers[1] == worker.answers[0]


async def test_a_new_try_while_one_is_at_work_does_not_begin_it_twice(worker: Worker):
    await worker.give("1")
    await worker.give("1", attempt=2)
    worker.gate.set()

    await eventually(lambda: worker.answers)
    assert (worker.asked, len(worker.answers)) == (["1"], 1)


async def test_a_new_try_is_taken_up_after_a_kill(tmp_path: Path):
    first = Worker(tmp_path / "results.sqlite")
    await first.desk.start()
    await _refused(first, ConflictError("busy"))
    first.gate.clear()
    await first.give("1", attempt=2)
    await eventually(lambda: first.running == 1)
    await first.desk.stop()

    second = Worker(tmp_path / "results.sqlite")
    second.gate.set()
    await second.desk.start()

    await eventually(lambda: second.answers)
    assert (second.answers[0].attempt, second.asked) == (2, ["1"])
    await second.desk.stop()


async def test_a_task_that_takes_longer_than_it_may_is_given_up(worker: Worker):
    await worker.give("1", expires_in_s=0.05)

    await eventually(lambda: worker.answers)
    assert "before the task expired" in worker.answers[0].error
    assert worker.answers[0].failure is TaskFailure.EXPIRED
    assert worker.running == 0


async def test_no_more_run_at_once_than_allowed(worker: Worker):
    await worker.give(*(str(number) for number in range(10)))
    await eventually(lambda: worker.running == 2)
    assert worker.desk.load == 10

    worker.gate.set()

    await eventually(lambda: len(worker.answers) == 10)
    assert worker.most_running == 2
    assert worker.desk.load == 0


async def test_the_age_of_the_oldest_task_shows_a_backlog(worker: Worker):
    await worker.give("1")
    await worker.clock.advance(5)
    await worker.give("2")

    assert worker.desk.lag_s(worker.clock.now()) == 5.0


async def test_more_than_it_has_room_for_stays_with_the_broker(worker: Worker):
    giving = asyncio.ensure_future(worker.give(*(str(number) for number in range(100))))
    await eventually(lambda: worker.desk.load == 64)
    assert not giving.done()

    worker.gate.set()

    await giving
    await eventually(lambda: len(worker.answers) == 100)


async def test_what_was_unfinished_is_taken_up_after_a_restart(tmp_path: Path):
    first = Worker(tmp_path / "results.sqlite")
    await first.desk.start()
    await first.give("1", "2")
    await eventually(lambda: first.running == 2)
    await first.desk.stop()

    second = Worker(tmp_path / "results.sqlite")
    second.gate.set()
    await second.desk.start()

    await eventually(lambda: len(second.answers) == 2)
    assert second.asked == ["1", "2"]
    await second.desk.stop()


async def test_results_survive_a_restart(tmp_path: Path):
    first = Worker(tmp_path / "results.sqlite")
    first.gate.set()
    await first.desk.start()
    await first.give("1")
    await eventually(lambda: first.answers)
    await first.desk.stop()

    second = Worker(tmp_path / "results.sqlite")
    await second.desk.start()
    await second.give("1")

    assert (second.asked, second.answers) == ([], first.answers)
    await second.desk.stop()


async def test_only_the_newest_results_are_kept(tmp_path: Path):
    store = ResultStore(tmp_path / "results.sqlite")
    await store.open()

    for number in range(KEPT + 10):
        await store.finish(TaskResult(str(number), "echo/1", 0.0, {}))

    assert await store.find("9") is None
    assert await store.find("10") is not None
    await store.close()


async def test_a_damaged_store_is_set_aside(tmp_path: Path):
    file = tmp_path / "results.sqlite"
    file.write_bytes(b"no database" * 1000)
    store = ResultStore(file)

    assert await store.open() == []
    assert (tmp_path / "results.damaged").is_file()
    await store.close()


async def test_a_store_that_cannot_be_opened_names_the_file(tmp_path: Path):
    (tmp_path / "results.sqlite").mkdir()
    store = ResultStore(tmp_path / "results.sqlite")

    with pytest.raises(StoreError, match=r"results\.sqlite"):
        await store.open()
    await store.close()
