"""kill -9 of a process that writes the audit: the chain is whole, and nothing noted is lost."""

import random
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.store.audit_check import check_chain
from app.store.audit_reader import reading

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def append_until_killed(path: Path, seed: random.Random) -> int:
    """Run the driver, kill it at a random moment, return the last number it printed."""
    command = [sys.executable, "-m", "tests.system.audit_driver", str(path)]
    until, later_s, last = seed.randint(1, 300), seed.uniform(0, 0.02), 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for count, line in enumerate(process.stdout, 1):
            last = int(line)
            if count == until:
                threading.Timer(later_s, process.kill).start()
    return last


def test_the_chain_is_whole_after_six_kills(tmp_path: Path):
    path, seed = tmp_path / "audit.sqlite", random.Random(11)  # noqa: S311  any moments will do
    noted = [append_until_killed(path, seed) for _ in range(6)]
    with reading(path) as reader:
        verdict = check_chain(reader, lambda: datetime.now(UTC))
        found = [reader.link(number) for number in noted]
    assert verdict
    assert verdict.flaw is None
    assert verdict.after_head <= 1
    assert None not in found
    assert noted == sorted(noted)
