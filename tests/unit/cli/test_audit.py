"""`millwright audit` on a file, as when the app is down."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.__main__ import main
from tests.unit.store.audit_rig import ANNA, NOW, act, former_file, opened, spoil

ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with an audit of ten rows."""
    act(tmp_path / "audit.sqlite")
    return tmp_path


def test_a_whole_chain_is_ok_with_its_head(data: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["audit", "verify", "--data", str(data)]) == 0
    assert main(["audit", "head", "--data", str(data)]) == 0
    first, second, head = capsys.readouterr().out.splitlines()
    assert first == "ok: all 10 rows fit"
    assert second == f"head: {head}"
    assert head.startswith("10 ")


def test_a_broken_chain_is_exit_1_and_names_the_row(data: Path, capsys: pytest.CaptureFixture[str]):
    spoil(data / "audit.sqlite", "DELETE FROM chain WHERE number = 4")
    assert main(["audit", "verify", "--data", str(data)]) == 1
    said = capsys.readouterr().out
    assert "broken: Row 4 is missing" in said
    assert "Copy the data folder" in said


def test_a_broken_chain_is_told_in_json(data: Path, capsys: pytest.CaptureFixture[str]):
    spoil(data / "audit.sqlite", "UPDATE chain SET actor = 'eve' WHERE number = 3")
    assert main(["audit", "verify", "--json", "--data", str(data)]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["flaw"]["fault"], told["flaw"]["number"]) == ("changed", 3)


def test_a_folder_that_cannot_be_written_is_read(data: Path, capsys: pytest.CaptureFixture[str]):
    data.chmod(0o500)
    try:
        assert main(["audit", "verify", "--data", str(data)]) == 0
    finally:
        data.chmod(0o700)
    assert "ok" in capsys.readouterr().out


def test_actions_are_listed_newest_first(data: Path, capsys: pytest.CaptureFixture[str]):
    options = ["--text", "shift", "--actor", "anna", "--limit", "2"]
    assert main(["audit", "list", *options, "--data", str(data)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "anna by ui" in first
    assert first.endswith("start agent agent 4 (shift begins) - done")
    assert "agent 3" in second


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (f"s/a/l/u/temperature = 20 Cel [{ID}]", f"s/a/l/u/temperature = 20 °C [{ID}]"),
        (f"s/a/l/u/flow = 1.5 m3/h [{ID}]", f"s/a/l/u/flow = 1.5 m³/h [{ID}]"),
        (f"s/a/l/u/state = 1  [{ID}]", f"s/a/l/u/state = 1 [{ID}]"),
        (f"s/a/l/u/count = 3 1 [{ID}]", f"s/a/l/u/count = 3 [{ID}]"),
        ("limit = 20 Cel [of no command]", "limit = 20 Cel [of no command]"),
    ],
)
def test_a_command_is_listed_with_its_unit_as_people_write_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str, words: str
):
    with opened(tmp_path / "audit.sqlite") as audit:
        audit.append(NOW, ANNA, "command", target, "too warm")
    assert main(["audit", "list", "--data", str(tmp_path)]) == 0
    assert f"command {words} (too warm)" in capsys.readouterr().out


def test_a_terminal_without_the_sign_gets_its_number_and_no_traceback(tmp_path: Path):
    with opened(tmp_path / "audit.sqlite") as audit:
        audit.append(NOW, ANNA, "command", f"s/a/l/u/t = 20 Cel [{ID}]", "")
    call = [sys.executable, "-m", "app", "audit", "list", "--data", str(tmp_path)]
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(call, capture_output=True, env=ascii_only, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert r"= 20 \xb0C [" in ended.stdout


def test_json_keeps_the_row_as_it_is_in_the_chain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with opened(tmp_path / "audit.sqlite") as audit:
        audit.append(NOW, ANNA, "command", f"s/a/l/u/t = 20 Cel [{ID}]", "")
    assert main(["audit", "list", "--json", "--data", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)[0]["target"] == f"s/a/l/u/t = 20 Cel [{ID}]"


def test_nothing_found_is_said(data: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["audit", "list", "--actor", "nobody", "--data", str(data)]) == 0
    assert "no action is noted" in capsys.readouterr().out


def test_a_missing_audit_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["audit", "head", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("millwright: There is no audit")


def test_a_file_of_a_former_version_is_told_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    former_file(tmp_path / "audit.sqlite")
    assert main(["audit", "verify", "--data", str(tmp_path)]) == 1
    assert "Start the app once" in capsys.readouterr().err


def test_a_file_that_is_no_database_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "audit.sqlite").write_bytes(b"no database " * 500)
    assert main(["audit", "list", "--data", str(tmp_path)]) == 1
    assert "cannot be read" in capsys.readouterr().err
