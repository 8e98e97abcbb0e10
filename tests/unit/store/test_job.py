"""Work of the historian that fails: its back-off, and what the log has of it."""

import logging

import pytest

from app.clock import ManualClock
from app.core.errors import StoreError
from app.store.job import Job
from tests.unit.store.plant_readings import START


class Work:
    """Fails with each error in turn, and then goes well."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)

    async def __call__(self) -> None:
        if self._errors:
            raise self._errors.pop(0)


def job(*errors: Exception) -> Job:
    return Job("Tidying", ManualClock(START), lambda: 0.5, Work(*errors))


async def test_the_wait_until_the_next_try_doubles_up_to_a_bound() -> None:
    tidying = job(*[StoreError("No space left")] * 6)
    waits: list[float] = []
    for _ in range(6):
        await tidying.attempt()
        waits.append(tidying.due_in_s)
    assert waits == [1, 2, 4, 8, 8, 8]


async def test_success_forgets_the_failures() -> None:
    tidying = job(StoreError("No space left"))
    assert str(await tidying.attempt()) == "No space left"
    assert await tidying.attempt() is None
    assert (tidying.failures, tidying.due_in_s) == (0, 0.5)


async def test_a_trouble_is_logged_when_it_begins_and_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    tidying = job(*[StoreError("No space left")] * 3)
    for _ in range(5):
        await tidying.attempt()
    assert [record.message for record in caplog.records] == [
        "Tidying fails, trying again: No space left",
        "Tidying goes well again, failures: 3",
    ]


async def test_trouble_nobody_foresaw_is_logged_with_its_traceback_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tidying = job(StoreError("full"), KeyError("a"), KeyError("a"), KeyError("b"))
    for _ in range(4):
        await tidying.attempt()
    traced = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert [repr(error) for error in traced] == ["KeyError('a')", "KeyError('b')"]
    assert str(tidying.error) == "Tidying failed unexpectedly: KeyError('b')"
