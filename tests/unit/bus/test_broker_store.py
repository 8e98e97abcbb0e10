"""Checking the broker's message files and setting a store aside."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.bus.broker_store import damaged_file, has_room, quarantine

NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


def record(length: int, *, has_headers: bool = False) -> bytes:
    mark = 0x80000000 if has_headers else 0
    return (length | mark).to_bytes(4, "little") + bytes(length - 4)


def store_with(folder: Path, content: bytes) -> Path:
    file = folder / "streams" / "one" / "msgs" / "1.blk"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    "content",
    [
        b"",
        record(30),
        record(200) + record(31, has_headers=True),
        record(200) + record(500)[:100],  # what a kill leaves
        record(200) + b"\x01\x02",
    ],
)
def test_a_file_that_nats_server_wrote_is_sane(tmp_path: Path, content: bytes):
    store_with(tmp_path, content)
    assert damaged_file(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        b"garbage over the whole file" * 9,
        bytes(500),  # what a loss of power leaves on some file systems
        b"\xff" * 64,
        record(200) + b"garbage" * 5,
        record(200) + (29).to_bytes(4, "little") + bytes(60),
    ],
)
def test_a_file_with_garbage_is_found(tmp_path: Path, content: bytes):
    file = store_with(tmp_path, content)
    assert damaged_file(tmp_path) == file


@settings(deadline=None)  # it times the disk, not the rule
@given(st.lists(st.integers(30, 400), max_size=20))
def test_any_row_of_records_is_sane(tmp_path_factory: pytest.TempPathFactory, lengths: list[int]):
    folder = tmp_path_factory.mktemp("store")
    store_with(folder, b"".join(record(length) for length in lengths))
    assert damaged_file(folder) is None


def test_a_store_that_is_not_there_is_not_damaged(tmp_path: Path):
    assert damaged_file(tmp_path / "broker") is None


def test_a_store_is_set_aside_under_the_time(tmp_path: Path):
    store = tmp_path / "broker"
    store_with(store, b"x")
    assert quarantine(store, NOON, "garbage") == "broker.quarantined-20260504T120000Z"
    assert not store.exists()
    assert list((tmp_path / "broker.quarantined-20260504T120000Z").rglob("*.blk"))


def test_two_stores_of_the_same_second_are_both_kept(tmp_path: Path):
    for _ in range(2):
        (tmp_path / "broker").mkdir()
        quarantine(tmp_path / "broker", NOON, "garbage")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "broker.quarantined-20260504T120000Z",
        "broker.quarantined-20260504T120000Z-2",
    ]


def test_a_store_that_cannot_be_moved_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        quarantine(tmp_path / "absent", NOON, "garbage")


def test_a_disk_that_takes_a_file_has_room_and_keeps_nothing_of_it(tmp_path: Path):
    assert has_room(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_has_no_room(tmp_path: Path):
    assert not has_room(tmp_path / "gone")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_has_no_room(tmp_path: Path):
    (tmp_path / "room").symlink_to("/dev/full")
    assert not has_room(tmp_path)
