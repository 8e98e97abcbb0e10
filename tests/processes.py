"""Waiting for processes in tests: poll with a deadline, never sleep blindly."""

import asyncio
import sys
import time
from collections.abc import Callable

import psutil


def python(code: str) -> list[str]:
    """Return the command that runs `code` with this Python, unbuffered."""
    return [sys.executable, "-u", "-c", code]


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is more than a zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def eventually(is_true: Callable[[], object], timeout_s: float = 40.0) -> None:
    """Wait until `is_true()` holds; fail after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < deadline, f"did not happen within {timeout_s} s"
        await asyncio.sleep(0.01)
