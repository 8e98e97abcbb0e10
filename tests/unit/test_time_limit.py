"""A test that hangs is ended at its time limit, whatever hears of it first."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.clean_environment import clean_environment

HANGS = """
import asyncio
import pytest
from tests import time_limit

time_limit.AGAIN_S = 0.3

async def until_it_rings() -> None:
    while True:
        pass

async def rung() -> None:
    task = asyncio.create_task(until_it_rings())
    done, _ = await asyncio.wait([task])
    assert "Timeout" in str(done.pop().exception())

@pytest.mark.timeout(0.5)
def test_the_first_ring_is_kept_by_a_task():
    with asyncio.Runner() as runner:
        runner.run(rung())
        print("the task kept it")
        runner.run(asyncio.Event().wait())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no setitimer")
def test_a_test_whose_task_kept_the_alarm_to_itself_is_ended_by_the_next(tmp_path: Path):
    (tmp_path / "test_hangs.py").write_text(HANGS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.time_limit", str(tmp_path)]
    root = {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=clean_environment() | root,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "the task kept it" in done.stdout
    assert "Timeout (>0.5s) from pytest-timeout" in done.stdout
