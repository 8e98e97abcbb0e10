"""The program in docs/audit.md, with which an outsider checks the audit, does what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.store.audit_rig import act, opened, spoil

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "audit.md"


def run(path: Path) -> tuple[int, str]:
    found = re.search(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert found
    command = [sys.executable, "-I", "-c", found[1], str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An audit of ten rows that is closed."""
    path = tmp_path / "audit.sqlite"
    act(path)
    return path


def test_a_whole_chain_gives_our_head(path: Path):
    with opened(path) as audit:
        head = audit.head()
    assert head
    assert run(path) == (0, f"head {head.number} {head.hash}\n")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE chain SET why = 'ä' WHERE number = 3", "row 3 was changed"),
        ("DELETE FROM chain WHERE number = 3", "broken at row 4"),
        ("DELETE FROM chain WHERE number = 1", "broken at row 2"),
    ],
)
def test_a_broken_chain_is_named(path: Path, statement: str, words: str):
    spoil(path, statement)
    status, said = run(path)
    assert (status, words in said) == (1, True)
