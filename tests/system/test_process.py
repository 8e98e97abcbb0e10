"""Child processes: read, stopped and killed for real."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from app.process import LINES_PER_S, ManagedProcess, ProcessError
from tests.processes import eventually, is_alive, python

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("no_blocking"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups of POSIX"),
]

SOON_S = 20.0  # on a busy machine; left alone, every child here lives for a minute
SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"


def child(code: str, lines: list[str]) -> ManagedProcess:
    return ManagedProcess("child", python(code), lines.append)


async def test_lines_of_both_outputs_arrive_before_the_end():
    lines: list[str] = []
    process = child("import sys; print('out'); sys.stderr.write('no end')", lines)
    await process.start()
    assert await process.wait() == 0
    assert lines == ["out", "no end"]


async def test_the_exit_code_is_kept():
    process = child("raise SystemExit(3)", [])
    await process.start()
    assert await process.wait() == 3
    assert process.returncode == 3
    assert not process.is_running


@pytest.mark.parametrize("name", ["absent", "text.txt", "."])
async def test_what_is_no_program_is_refused(tmp_path: Path, name: str):
    (tmp_path / "text.txt").write_text("text")
    process = ManagedProcess("child", [str(tmp_path / name)], print)
    with pytest.raises(ProcessError, match="cannot be started"):
        await process.start()
    assert process.pid == 0


async def test_a_file_that_cannot_be_executed_says_why(tmp_path: Path):
    program = tmp_path / "broken"
    program.write_bytes(b"\x00 no program")
    program.chmod(0o755)
    lines: list[str] = []
    process = ManagedProcess("child", [str(program)], lines.append)
    await process.start()
    assert await process.wait() == 127
    assert lines == [f"cannot run {program}: Exec format error"]


async def test_stop_before_start_does_nothing():
    assert await child(SLEEP, []).stop(1) is None


async def test_a_child_is_asked_before_it_is_killed():
    lines: list[str] = []
    asked = "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(0))\nprint('up')\n"
    process = child(asked + "time.sleep(60)", lines)
    await process.start()
    await eventually(lambda: lines)
    assert await process.stop(10) == 0


async def test_a_child_that_only_watches_its_stdin_stops_too():
    lines: list[str] = []
    code = "import signal, sys; signal.signal(15, signal.SIG_IGN); print('up'); sys.stdin.read()"
    process = child(code, lines)
    await process.start()
    await eventually(lambda: lines)
    assert await process.stop(10) == 0


async def test_a_child_that_ignores_all_is_killed_in_time():
    lines: list[str] = []
    process = child(STUBBORN, lines)
    await process.start()
    await eventually(lambda: lines)
    begun = time.monotonic()
    assert await process.stop(0.3) == -signal.SIGKILL
    assert time.monotonic() - begun < SOON_S


async def test_what_the_child_started_goes_with_it():
    lines: list[str] = []
    process = child(
        "import subprocess, sys, time\n"
        f"print(subprocess.Popen([sys.executable, '-c', '{SLEEP}']).pid)\ntime.sleep(60)",
        lines,
    )
    await process.start()
    await eventually(lambda: lines)
    await process.stop(5)
    await eventually(lambda: not is_alive(int(lines[0])), SOON_S)


async def test_what_the_child_left_behind_goes_when_it_ends_by_itself():
    lines: list[str] = []
    code = (
        f"import subprocess, sys\nprint(subprocess.Popen([sys.executable, '-c', '{SLEEP}']).pid)\n"
    )
    process = child(code, lines)
    await process.start()
    begun = time.monotonic()
    assert await process.wait() == 0
    assert time.monotonic() - begun < SOON_S  # the grandchild held the pipe
    await eventually(lambda: not is_alive(int(lines[0])), SOON_S)


async def test_a_flood_of_lines_does_not_grow_memory():
    count = 0

    def take(_: str) -> None:
        nonlocal count
        count += 1

    process = ManagedProcess("child", python("while True: print('x' * 500)"), take)
    before = psutil.Process().memory_info().rss
    await process.start()
    begun = time.monotonic()
    await eventually(lambda: count)
    await eventually(lambda: time.monotonic() - begun > 2.5)
    await process.stop(0.1)
    # counted by the second: the first and the last are seen in part
    assert count <= (time.monotonic() - begun + 2) * (LINES_PER_S + 1)
    assert psutil.Process().memory_info().rss - before < 10 * 2**20


async def test_a_line_without_end_does_not_grow_memory():
    lines: list[str] = []
    process = child("import sys\nfor _ in range(20_000): sys.stdout.write('x' * 1000)", lines)
    before = psutil.Process().memory_info().rss
    await process.start()
    assert await process.wait() == 0
    assert len(lines) == 1
    assert psutil.Process().memory_info().rss - before < 10 * 2**20


async def test_an_endangered_loop_stays_responsive_in_a_flood():
    lines: list[str] = []
    process = child("while True: print('x')", lines)
    usual = await turns_in_a_second()
    await process.start()
    await eventually(lambda: lines)
    flooded = await turns_in_a_second()
    await process.stop(0.1)
    assert flooded > usual / 3


async def turns_in_a_second() -> int:
    """Return how often the event loop comes round; how often it can is the machine's affair."""
    begun, turns = time.monotonic(), 0
    while time.monotonic() - begun < 1.0:
        await asyncio.sleep(0.01)
        turns += 1
    return turns


PARENT = """
import asyncio, sys
from app.process import ManagedProcess

async def main():
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    children = [ManagedProcess("c", [sys.executable, "-c", code], print) for _ in range(3)]
    for child in children:
        await child.start()
    print(*(child.pid for child in children), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_kill_9_of_the_parent_leaves_no_child():
    with subprocess.Popen(python(PARENT), stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 3
        assert all(is_alive(pid) for pid in pids)
        parent.kill()
        asyncio.run(eventually(lambda: not any(is_alive(pid) for pid in pids), SOON_S))
