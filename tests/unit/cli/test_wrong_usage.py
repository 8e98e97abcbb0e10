"""Every command answers a wrong call with one line and exit code 2, and helps when asked."""

import pytest

from app.__main__ import COMMANDS, main
from app.cli.bench import BENCHMARKS

WRONG = [
    ["run", "--bogus"],
    ["--bogus"],
    ["agent"],
    ["agent", "vibration", "--instance", "a b"],
    ["agent", "no\nsuch"],
    ["health", "--bogus"],
    ["health", "--port", "many"],
    ["health", "--port", "70000"],
    ["publish"],
    ["publish", "rows.csv", "--rate", "fast"],
    ["command"],
    ["command", "a/b/c/d/e", "1"],
    ["command", "a/b/c/d/e", "fast", "--why", "x"],
    ["command", "a/b/c/d/e", "nan", "--why", "x"],
    ["command", "a/b/c/d/e", "1e999", "--why", "x"],
    ["command", "a/b/c/d/e", "1", "--why", "x", "--wait", "soon"],
    ["commands"],
    ["commands", "list", "--limit", "0"],
    ["workflow"],
    ["workflow", "run", "x", "-p", "y"],
    ["scenario"],
    ["scenario", "start", "pump"],
    ["scenario", "begin"],
    ["train"],
    ["train", "--seed", "1"],
    ["train", "toaster"],
    ["train", "maintenance", "--runs", "0"],
    ["train", "maintenance", "--hours", "nan"],
    ["evaluate"],
    ["evaluate", "maintenance", "--step", "0"],
    ["evaluate", "maintenance", "--protocol", "other"],
    ["evaluate", "vibration", "--seeds", "-1"],
    ["score"],
    ["score", "maintenance"],
    ["bench"],
    ["bench", "nothing"],
    ["bench", "mqtt", "--seconds", "0"],
    ["config"],
    ["audit"],
    ["audit", "mend"],
    ["audit", "list", "--limit", "0"],
    ["audit", "list", "--outcome", "good"],
    ["audit", "verify", "--last", "all"],
    ["config", "show", "--data"],
    ["docs", "--bogus"],
    ["no\nsuch"],
]
HELPED = [
    *([name] for name in COMMANDS),
    *(["scenario", verb] for verb in ("list", "start", "stop")),
    *(["audit", verb] for verb in ("verify", "head", "list")),
    *(["workflow", verb] for verb in ("list", "run", "show", "retry", "cancel", "runs")),
    *(["workflow", verb] for verb in ("lint", "approve", "reject")),
    ["train", "maintenance"],
    ["evaluate", "maintenance"],
    ["evaluate", "vibration"],
    ["score", "maintenance"],
]


def exit_code(argv: list[str]) -> object:
    try:
        return main(argv)
    except SystemExit as ended:
        return ended.code


@pytest.mark.parametrize("argv", WRONG, ids=" ".join)
def test_a_wrong_call_is_one_line_on_stderr_and_exit_2(
    argv: list[str], capsys: pytest.CaptureFixture[str]
):
    assert exit_code(argv) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert told.err.startswith("millwright")


@pytest.mark.parametrize("argv", HELPED, ids=" ".join)
def test_the_help_of_a_command_says_what_it_does_and_shows_a_call(
    argv: list[str], capsys: pytest.CaptureFixture[str]
):
    assert exit_code([*argv, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"usage: millwright {' '.join(argv)} " in text
    assert f"examples:\n  millwright {' '.join(argv)}" in text
    assert "`" not in text


def test_the_overview_names_every_command_and_every_benchmark(
    capsys: pytest.CaptureFixture[str],
):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    bench = next(line for line in text.splitlines() if line.startswith("  bench "))
    assert [name for name in COMMANDS if f"\n  {name} " not in text] == []
    assert [name for name in BENCHMARKS if name not in bench] == []
