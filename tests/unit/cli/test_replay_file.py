import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.cli.replay_file import ReplayFile, SkippedRow
from app.core.errors import InputError

BERLIN = ZoneInfo("Europe/Berlin")
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def replay(tmp_path: Path, text: str | bytes, time: str = "") -> ReplayFile:
    path = tmp_path / "file.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return ReplayFile(path, BERLIN, time)


def messages(file: ReplayFile, **names: str) -> list[dict[str, object]]:
    return [row for row in file.messages(names, FIRST) if not isinstance(row, SkippedRow)]


def skipped(file: ReplayFile) -> list[str]:
    return [row.reason for row in file.messages({}, FIRST) if isinstance(row, SkippedRow)]


def times(file: ReplayFile) -> list[str]:
    return [str(message["Timestamp"]) for message in messages(file)]


def test_header_names_are_keys_and_numbers_are_numbers(tmp_path: Path):
    file = replay(tmp_path, "Torque [Nm],Type,n,big\n42.8,M,3,12345678901234567890\n")
    (message,) = messages(file)
    assert message == {
        "Torque [Nm]": 42.8,
        "Type": "M",
        "n": 3,
        "big": 12345678901234567890.0,
        "Timestamp": "2026-01-01T00:00:00.000000Z",
    }


def test_empty_cells_are_left_out(tmp_path: Path):
    assert "a" not in messages(replay(tmp_path, "a,b\n,1\n"))[0]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("timestamp,v\n2026-01-01 12:00:00,1\n", "2026-01-01T11:00:00.000000Z"),
        ("v,Date\n1,31/01/2026 12:00\n", "2026-01-31T11:00:00.000000Z"),
        ("v,when\n1,2026-01-01T12:00:00Z\n", "2026-01-01T12:00:00.000000Z"),
        ("v;time\n1;1767265200\n", "2026-01-01T11:00:00.000000Z"),
        ("date,v\n01/31/2026 12:00,1\n", "2026-01-31T11:00:00.000000Z"),
    ],
)
def test_the_time_is_found(tmp_path: Path, text: str, wanted: str):
    assert times(replay(tmp_path, text)) == [wanted]


def test_a_column_of_numbers_is_no_time_unless_its_name_says_so(tmp_path: Path):
    assert replay(tmp_path, "speed\n1767265200\n").layout.time is None


def test_without_times_rows_follow_each_second(tmp_path: Path):
    file = replay(tmp_path, "v\n1\n2\n3\n")
    assert times(file)[-1] == (FIRST + timedelta(seconds=2)).isoformat(
        timespec="microseconds"
    ).replace("+00:00", "Z")


def test_repeated_times_of_a_machine_move_by_a_microsecond(tmp_path: Path):
    text = "time,Machine_ID,v\n" + "2026-01-01T00:00:00Z,A,1\n" * 3 + "2026-01-01T00:00:00Z,B,1\n"
    assert [time[-8:-1] for time in times(replay(tmp_path, text))] == [
        ".000000",
        ".000001",
        ".000002",
        ".000000",
    ]


def test_the_hour_that_summer_time_skips_loses_no_row(tmp_path: Path):
    text = "time,v\n2026-03-29 02:30:00,1\n2026-03-29 03:30:00,2\n"
    assert len(set(times(replay(tmp_path, text)))) == 2


def test_a_byte_order_mark_and_gzip_are_tolerated(tmp_path: Path):
    packed = gzip.compress(b"\xef\xbb\xbfdate,v\n2026-01-01,1\n")
    file = replay(tmp_path, packed)
    assert (file.layout.time, file.layout.columns) == ("date", ("date", "v"))


def test_keys_are_renamed_and_left_out_by_the_map(tmp_path: Path):
    (message,) = messages(replay(tmp_path, "a,b,c\n1,2,3\n"), a="torque", b="")
    assert message == {"torque": 1, "c": 3, "Timestamp": "2026-01-01T00:00:00.000000Z"}


def test_a_row_that_cannot_be_sent_is_named_and_the_others_are_sent(tmp_path: Path):
    file = replay(tmp_path, "time,v\n2026-01-01,1\nnever,2\n2026-01-03,3,4\n2026-01-04,4\n", "time")
    assert len(messages(file)) == 2
    assert [reason.split(":")[0] for reason in skipped(file)] == ["line 3", "line 4"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "empty"),
        (b"a,b\n", "no rows"),
        (b"a,a\n1,2\n", "repeated names"),
        (b"a,\n1,2\n", "empty or repeated"),
        (b"\xff\xfe\x00\x01\n", "no CSV text"),
        (b"\x1f\x8bbroken", "cannot be read"),
        (b"a\n" + b'"' + b"x" * 200_000, "no CSV text"),
        (b"x" * 200_000 + b"\n1\n", "no CSV text"),
        (b'"' + b"x" * 200_000, "no CSV text"),
        (b"x," * 600_000 + b"\n", "no CSV text: a line has 1000000"),
        (gzip.compress(b"a\n" + b"1," * 600_000), "no CSV text: a line has 1000000"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_one_line(tmp_path: Path, text: bytes, why: str):
    with pytest.raises(InputError, match=why) as refused:
        replay(tmp_path, text)
    assert "\n" not in str(refused.value)


def test_an_absent_file_and_column_are_named(tmp_path: Path):
    with pytest.raises(InputError, match="nowhere"):
        ReplayFile(tmp_path / "nowhere.csv", UTC)
    with pytest.raises(InputError, match='no column "when"; it has: a, b'):
        replay(tmp_path, "a,b\n1,2\n", "when")
