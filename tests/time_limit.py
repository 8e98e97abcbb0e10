"""The time limit of a test rings until it is heard.

pytest-timeout raises once, in whatever runs. Where that is a task of asyncio, the task ends by it
and keeps it to itself, and a test that waits for what the task would have done waits for ever: a
whole run of the tests hung on it.
"""

import signal
from collections.abc import Generator

import pytest

AGAIN_S = 30.0  # what a test cleans up after the first ring is done by then


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer() -> Generator[None, bool, bool]:
    """Let the alarm that pytest-timeout has set ring again and again; it takes it back itself."""
    is_set = yield
    if hasattr(signal, "setitimer"):  # not on Windows
        rings_in_s, _ = signal.getitimer(signal.ITIMER_REAL)
        if rings_in_s:
            signal.setitimer(signal.ITIMER_REAL, rings_in_s, AGAIN_S)
    return is_set
