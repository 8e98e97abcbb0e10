"""Optional dependencies are named by package, with the call that brings them."""

import sys
import tomllib
from pathlib import Path

import pytest

from app.__main__ import main
from app.core.errors import NotFoundError
from app.extras import BENCH, PACKAGES, need_extra

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_only_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "websockets", None)
    with pytest.raises(NotFoundError, match=r"^websockets is needed") as caught:
        need_extra(BENCH, "millwright toast")
    assert caught.value.hint == "run: uv run --extra bench millwright toast"


def test_a_benchmark_that_needs_the_extra_says_so_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "playwright", None)
    assert main(["bench", "live"]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert "playwright is needed" in told.err
    assert "uv run --extra bench millwright bench live\n" in told.err


@pytest.mark.parametrize("extra", sorted(PACKAGES))
def test_the_packages_are_those_of_the_project_file(extra: str):
    extras = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {line.partition(">")[0] for line in extras[extra]} == set(PACKAGES[extra].values())
