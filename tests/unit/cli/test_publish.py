"""Wrong calls of `millwright publish`: one clear line each."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.__main__ import main
from tests.ports import free_port


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n")
    return path


def call(*arguments: str) -> int:
    return main(["publish", *arguments])


def test_an_unreachable_broker_is_one_line_and_exit_1(file: Path):
    broker = f"mqtt://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "app", "publish", str(file), "--json", "--broker", broker]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert ended.stderr.startswith("millwright: Broker 127.0.0.1")


def test_an_absent_file_is_exit_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert call(str(tmp_path / "none.csv")) == 1
    assert "none.csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("--timezone", "Mars/Base", "Mars/Base"),
        ("--start", "soon", "soon"),
        ("--map", "absent.toml", "absent.toml"),
        ("--broker", "http://x", "mqtt://"),
    ],
)
def test_a_wrong_option_is_named_with_exit_2(
    file: Path, option: str, value: str, named: str, capsys: pytest.CaptureFixture[str]
):
    assert call(str(file), option, value) == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize("text", ["fields = 3", "[fields]\na = 1", "[fields", "x = 1"])
def test_a_map_file_of_another_shape_is_exit_2(
    file: Path, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "map.toml").write_text(text)
    assert call(str(file), "--map", str(tmp_path / "map.toml")) == 2
    assert "map.toml" in capsys.readouterr().err


@pytest.mark.parametrize("topic", ["", "a b", "foo/#", "foo/+/bar", "a\tb", "a\0b", "x" * 70_000])
def test_a_wrong_topic_is_refused_before_connecting(
    file: Path, topic: str, capsys: pytest.CaptureFixture[str]
):
    nobody = f"mqtt://127.0.0.1:{free_port()}"
    with pytest.raises(SystemExit) as ended:
        call(str(file), "--topic", topic, "--broker", nobody, "--json")
    told = capsys.readouterr()
    assert (ended.value.code, told.out, told.err.count("\n")) == (2, "", 1)
    assert "argument --topic: " in told.err
    assert len(told.err) < 300


@pytest.mark.parametrize("rate", ["-1", "fast", "inf"])
def test_a_wrong_rate_is_refused_by_the_parser(file: Path, rate: str):
    with pytest.raises(SystemExit) as ended:
        call(str(file), "--rate", rate)
    assert ended.value.code == 2
