"""`millwright run` with a data folder that cannot be made."""

from pathlib import Path

import pytest

from app.__main__ import main


def test_a_data_folder_that_cannot_be_made_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "file"
    file.write_text("")

    assert main(["run", "--port", "65534", "--data", str(file / "data")]) == 2

    assert capsys.readouterr().err.count("\n") == 1
