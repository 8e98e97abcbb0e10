import subprocess
import sys
from pathlib import Path

import pytest

from agents.base.agent import BaseAgent
from agents.runner import agent_names, find_agent, main
from app.core.errors import NotFoundError


def test_agents_are_found_by_their_folder():
    assert {"simulator", "vibration", "maintenance"} <= set(agent_names())
    assert "base" not in agent_names()


@pytest.mark.parametrize("name", agent_names())
def test_every_folder_holds_an_agent_of_that_name(name: str):
    found = find_agent(name)

    assert issubclass(found, BaseAgent)
    assert found.spec.name == name


@pytest.mark.parametrize(
    "name", ["", "base", "no_such", "../vibration", "vibration.agent", "a" * 999]
)
def test_an_unknown_agent_is_refused_with_the_known_ones(name: str):
    with pytest.raises(NotFoundError) as caught:
        find_agent(name)

    assert "vibration" in caught.value.hint
    assert len(str(caught.value)) < 200


def test_an_unknown_agent_is_wrong_usage(capsys: pytest.CaptureFixture[str]):
    assert main(["no_such"]) == 2
    assert 'There is no agent "no_such"' in capsys.readouterr().err


def test_a_wrong_broker_is_wrong_usage(capsys: pytest.CaptureFixture[str]):
    assert main(["vibration", "--broker", "http://x"]) == 2
    assert "broker.url" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [[], ["vibration", "--instance", "a b"], ["vibration", "--x"]])
def test_a_wrong_option_is_wrong_usage(argv: list[str]):
    with pytest.raises(SystemExit) as caught:
        main(argv)

    assert caught.value.code == 2


def test_an_agent_without_a_model_pays_for_no_heavy_library():
    heavy = "{'numpy', 'onnxruntime', 'lancedb', 'pyarrow', 'nicegui', 'fastapi'}"
    code = f"import sys, agents.runner; print(sorted({heavy} & set(sys.modules)))"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert loaded.stdout.strip() == b"[]"


def test_a_home_that_refuses_ends_the_agent_with_one_line(tmp_path: Path):
    (tmp_path / "checkpoints").write_text("a file")
    command = [sys.executable, "-m", "app", "agent", "vibration", "--data", str(tmp_path)]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 1
    assert "checkpoints" in ended.stderr
    assert "Traceback" not in ended.stderr
