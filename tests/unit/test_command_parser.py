"""A wrong call is one line; options refuse what is out of range."""

import argparse

import pytest

from app.command_parser import command_parser, one_line, positive_number, whole_number


def parser() -> argparse.ArgumentParser:
    made = command_parser("millwright toast", "Toasts bread.", "millwright toast --slices 2")
    made.add_argument("--slices", type=whole_number(1, 4))
    made.add_argument("--hours", type=positive_number(24))
    made.add_argument("--mode", choices=("fast", "slow"))
    return made


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--burn"], "unrecognized arguments: --burn"),
        (["a\nb"], "unrecognized arguments: a b"),
        (["--slices", "5"], 'argument --slices: "5" is no whole number from 1 to 4'),
        (["--slices", "two"], 'argument --slices: "two" is no whole number from 1 to 4'),
        (["--hours", "0"], 'argument --hours: "0" is no number above 0, at most 24'),
        (["--hours", "nan"], 'argument --hours: "nan" is no number above 0, at most 24'),
        (["--hours", "inf"], 'argument --hours: "inf" is no number above 0, at most 24'),
        (["--hours"], "argument --hours: expected one argument"),
        (["--mode", "odd\n"], "argument --mode: invalid choice"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_2(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(argv)
    told = capsys.readouterr()
    assert (ended.value.code, told.out, told.err.count("\n")) == (2, "", 1)
    assert told.err.startswith(f"millwright toast: {said}")
    assert told.err.endswith("; see millwright toast --help\n")


def test_the_help_shows_calls_to_copy(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["--help"])
    assert ended.value.code == 0
    assert "examples:\n  millwright toast --slices 2" in capsys.readouterr().out


def test_right_values_pass():
    given = parser().parse_args(["--slices", "4", "--hours", "0.5"])
    assert (given.slices, given.hours) == (4, 0.5)


def test_text_becomes_one_line():
    assert one_line(" a\n\tb  c\r\n") == "a b c"
