"""`millwright train|evaluate|score maintenance`: what is wrong is told before the work begins."""

import sys
from pathlib import Path

import pytest

from app.__main__ import main

# Simulating so many plants would pass the time limit of a test by far.
LONG = ("--runs", "1000", "--hours", "1000")
TRAINING = ("sklearn", "skl2onnx", "onnx")


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line on stderr."""
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without the extra `train`."""
    for module in TRAINING:
        monkeypatch.setitem(sys.modules, module, None)


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    "words",
    [
        ("train", "maintenance", "--runs", "40"),
        ("evaluate", "maintenance", "--protocol", "ai4i", "--data", "rows.csv"),
    ],
)
def test_without_the_extra_the_call_that_brings_it_is_told(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    data = [word.replace("rows.csv", str(tmp_path / "rows.csv")) for word in words]
    (tmp_path / "rows.csv").write_text("a\n1\n")

    assert main(data) == 1

    line = told(capsys)
    assert "scikit-learn, skl2onnx, onnx is needed" in line
    assert f"run: uv run --extra train millwright {' '.join(data)}\n" in line


def test_a_folder_that_cannot_be_written_is_told_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "file").write_text("")
    assert main(["train", "maintenance", "--out", str(tmp_path / "file" / "model"), *LONG]) == 1
    assert str(tmp_path / "file" / "model") in told(capsys)


def test_a_data_file_alone_means_the_protocol_that_reads_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    pytest.importorskip("sklearn")  # comes with the train extra
    (tmp_path / "rows.csv").write_text("a\n1\n")
    assert main(["evaluate", "maintenance", "--data", str(tmp_path / "rows.csv")]) == 1
    assert '"rows.csv" is not AI4I 2020' in told(capsys)


def test_an_absent_data_file_is_told_at_once(capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("sklearn")
    assert main(["evaluate", "maintenance", "--data", "nowhere.csv", *LONG]) == 1
    assert '"nowhere.csv" cannot be read' in told(capsys)


@pytest.mark.parametrize(
    "words",
    [
        ("--protocol", "ai4i"),
        ("--protocol", "simulator", "--data", "rows.csv"),
        ("--data", "rows.csv", "--model", "models/maintenance"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "maintenance", *words])
    assert ended.value.code == 2
    assert "--data" in told(capsys)


def test_an_absent_model_is_told_before_plants_are_simulated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["evaluate", "maintenance", "--model", str(tmp_path), *LONG]) == 1
    assert "card" in told(capsys)


@pytest.mark.parametrize("text", ["", "kind,torque\n", "\n\n"])
def test_a_file_without_rows_is_not_scored(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "rows.csv").write_text(text)
    assert main(["score", "maintenance", "--data", str(tmp_path / "rows.csv")]) == 1
    assert '"rows.csv" has no rows' in told(capsys)


def test_rows_of_which_none_can_be_judged_are_exit_1_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "rows.csv").write_text("kind,torque\ntoaster,1\n,2\n\xe4,,,\n")
    assert main(["score", "maintenance", "--data", str(tmp_path / "rows.csv")]) == 1
    out, err = capsys.readouterr()
    assert (out.count("\n"), err.count("\n")) == (3, 1)
    assert 'none of 3 rows of "rows.csv" could be judged' in err
    assert 'kind "toaster" is unknown' in err


def test_an_output_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "rows.csv").write_text("kind,torque\ntoaster,1\n")
    out = tmp_path / "no" / "out.jsonl"
    assert main(["score", "maintenance", "--data", str(tmp_path / "rows.csv"), "--out", str(out)])
    assert str(out) in told(capsys)
