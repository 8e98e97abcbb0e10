"""Fixtures of several tests are there whatever tests run together, and in any order."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_only_the_conftest_names_plugins() -> None:
    """Pytest refuses one that a test has imported before the module that names it is read."""
    named = re.compile(r"^pytest_plugins\b", re.MULTILINE)
    files = [path for path in TESTS.rglob("*.py") if named.search(path.read_text("utf-8"))]

    assert files == [TESTS / "conftest.py"]
