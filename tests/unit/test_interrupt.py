"""Ctrl-C, at the worst moments, in processes of their own: the exit code says what the docs say."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clean_environment import clean_environment

INTERRUPTED = (1, "millwright: probe was interrupted\n")
CTRL_C = "import signal; signal.raise_signal(signal.SIGINT)"
IN_A_STRING = f"exec({CTRL_C!r})"  # as dataclasses and named tuples define their methods
HIDDEN = f"try:\n    {CTRL_C}\nexcept KeyboardInterrupt:\n    raise ValueError from None"
SWALLOWED = f"try:\n    {CTRL_C}\nexcept KeyboardInterrupt:\n    pass"
IDLE = "def main(argv): return 0"
DRIVER = """
import sys
from app.__main__ import COMMANDS, Command, main
COMMANDS["probe"] = Command("probe", "")
sys.exit(main(["probe"]))
"""


def ended(folder: Path, module: str) -> tuple[int, str]:
    """Return how a command of this module ends, started as `python -m`, and what it says."""
    (folder / "probe.py").write_text(module)
    (folder / "driver.py").write_text(DRIVER)
    done = subprocess.run(
        [sys.executable, "-m", "driver"],
        env={**clean_environment(), "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.fixture
def ignored_ctrl_c() -> Iterator[None]:
    """Have processes that the test starts ignore Ctrl-C, as those behind `nohup` and `&` do."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("moment", [CTRL_C, IN_A_STRING, HIDDEN, SWALLOWED])
def test_ctrl_c_while_a_command_loads_ends_it_in_one_line(tmp_path: Path, moment: str):
    assert ended(tmp_path, f"{moment}\n{IDLE}") == INTERRUPTED


@pytest.mark.parametrize("moment", [CTRL_C, IN_A_STRING])
def test_ctrl_c_while_a_command_runs_ends_it_in_one_line(tmp_path: Path, moment: str):
    assert ended(tmp_path, f"def main(argv): {moment}") == INTERRUPTED


def test_a_command_that_bears_ctrl_c_in_a_string_ends_as_it_says(tmp_path: Path):
    bears = f"    with contextlib.suppress(KeyboardInterrupt): {IN_A_STRING}\n    return 0"
    assert ended(tmp_path, f"import contextlib\ndef main(argv):\n{bears}") == (0, "")


def test_ctrl_c_that_is_ignored_as_under_nohup_stays_ignored(tmp_path: Path, ignored_ctrl_c: None):
    assert ended(tmp_path, f"{CTRL_C}\n{IDLE}") == (0, "")
