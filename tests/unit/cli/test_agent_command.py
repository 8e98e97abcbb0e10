"""`millwright train|evaluate|score AGENT`: who is asked, and what is said when nobody is."""

import pytest

from app.cli.agent_command import run_agent_command


@pytest.mark.parametrize(
    "argv", [["toaster"], ["base"], ["simulator"], ["../maintenance"], ["a.b"], [""]]
)
def test_an_agent_without_that_command_is_named(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_agent_command("train", argv) == 2
    assert f'agent "{argv[0]}" has nothing to train' in capsys.readouterr().err


def test_without_an_agent_the_usage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_agent_command("score", []) == 2
    assert "millwright score AGENT" in capsys.readouterr().out


def test_the_rest_of_the_arguments_reaches_the_agent(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run_agent_command("train", ["maintenance", "--help"])
    assert caught.value.code == 0
    assert "--seed" in capsys.readouterr().out
