"""Files that are not AI4I 2020 are refused in one line, before anything is trained."""

import gzip
from pathlib import Path

import pytest

from agents.maintenance.ai4i import evaluate_ai4i
from app.core.errors import InputError

HEAD = (
    b"Type,Air temperature [K],Process temperature [K],Rotational speed [rpm],"
    b"Torque [Nm],Tool wear [min],Machine failure\n"
)
ROW = b"M,298.1,308.6,1551,42.8,0,0\n"


@pytest.mark.parametrize(
    ("name", "payload", "why"),
    [
        ("rows.csv", b"", "is not AI4I 2020"),
        ("rows.csv", b"\xff\xfe\x00", "cannot be read"),
        ("rows.csv", b"x" * 200_000, "cannot be read"),
        ("rows.csv", HEAD + b'"' + b"x" * 200_000, "cannot be read"),
        ("rows.csv", HEAD + b"M,298.1,308.6\n", "has a row that is wrong"),
        ("rows.csv", HEAD + b"Q,298.1,308.6,1551,42.8,0,0\n", "has a row that is wrong"),
        ("rows.csv", HEAD + b"M,298.1,308.6,fast,42.8,0,0\n", "has a row that is wrong"),
        ("rows.csv", HEAD + b"M,298.1,308.6,nan,42.8,0,0\n", "has a row that is wrong"),
        ("rows.csv", HEAD + ROW, "too few rows"),
        ("rows.csv.gz", HEAD + ROW, "cannot be read"),
        ("rows.csv.gz", gzip.compress(HEAD + ROW)[:30], "cannot be read"),
        ("rows.csv.gz", gzip.compress(HEAD)[:10] + b"\xff" * 30, "cannot be read"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_line(
    tmp_path: Path, name: str, payload: bytes, why: str
):
    (tmp_path / name).write_bytes(payload)
    with pytest.raises(InputError, match=why) as refused:
        evaluate_ai4i(tmp_path / name)
    assert "\n" not in str(refused.value)


def test_an_absent_file_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"none\.csv"):
        evaluate_ai4i(tmp_path / "none.csv")
