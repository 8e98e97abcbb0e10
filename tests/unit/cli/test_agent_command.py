"""`millwright train|evaluate|score AGENT`: who is asked, and what is said when nobody is."""

import pytest

from app.cli.agent_command import run_agent_command

ABOUT = "Does something with an agent's model."


@pytest.mark.parametrize(
    "argv", [["toaster"], ["base"], ["simulator"], ["../maintenance"], ["a.b"], [""]]
)
def test_an_agent_without_that_command_is_named(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_agent_command("train", ABOUT, argv) == 2
    assert f'agent "{argv[0]}" has nothing to train' in capsys.readouterr().err


def test_without_an_agent_those_that_can_are_found_in_the_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        run_agent_command("score", ABOUT, ["--help"])
    assert caught.value.code == 0
    assert "one of: maintenance" in capsys.readouterr().out


def test_the_rest_of_the_arguments_reaches_the_agent(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run_agent_command("train", ABOUT, ["maintenance", "--help"])
    assert caught.value.code == 0
    assert "--seed" in capsys.readouterr().out
