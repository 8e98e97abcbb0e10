from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.errors import StoreError
from app.ingest.pending import Message, PendingTimes

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def message(payload: bytes = b"1", second: float = 0) -> Message:
    return Message("data/x", payload, NOW + timedelta(seconds=second))


def batch(pending: PendingTimes, *messages: Message, is_duplicate: bool = False) -> list[datetime]:
    pending.begin()
    return [pending.time_of(each, is_duplicate=is_duplicate) for each in messages]


def test_a_message_gets_the_time_of_its_arrival(tmp_path: Path):
    assert batch(PendingTimes(tmp_path / "p"), message()) == [NOW]


def test_no_two_messages_get_the_same_time(tmp_path: Path):
    times = batch(PendingTimes(tmp_path / "p"), message(), message(), message(b"2"))
    assert len(set(times)) == 3


def test_a_message_sent_again_after_a_crash_gets_its_time_again(tmp_path: Path):
    before = PendingTimes(tmp_path / "p")
    times = batch(before, message(b"1"), message(b"2"))
    before.save()
    after = PendingTimes(tmp_path / "p")
    after.load()
    again = batch(after, message(b"1", 60), message(b"2", 60), is_duplicate=True)
    assert again == times


def test_the_batch_before_is_remembered_too(tmp_path: Path):
    before = PendingTimes(tmp_path / "p")
    first = batch(before, message(b"1"))
    before.save()
    before.finish()
    batch(before, message(b"2", 1))
    before.save()
    after = PendingTimes(tmp_path / "p")
    after.load()
    assert batch(after, message(b"1", 60), is_duplicate=True) == first


def test_a_new_message_with_the_same_bytes_gets_its_own_time(tmp_path: Path):
    before = PendingTimes(tmp_path / "p")
    batch(before, message())
    before.save()
    after = PendingTimes(tmp_path / "p")
    after.load()
    assert batch(after, message(second=60)) == [NOW + timedelta(seconds=60)]


def test_equal_messages_sent_again_get_their_times_each_once(tmp_path: Path):
    before = PendingTimes(tmp_path / "p")
    times = batch(before, message(second=1), message(second=2))
    before.save()
    after = PendingTimes(tmp_path / "p")
    after.load()
    again = batch(after, message(second=60), message(second=61), is_duplicate=True)
    assert sorted(again) == times


def test_what_is_sent_again_in_several_batches_is_known_in_each(tmp_path: Path):
    before = PendingTimes(tmp_path / "p")
    first, second = batch(before, message(b"1"), message(b"2"))
    before.save()
    after = PendingTimes(tmp_path / "p")
    after.load()
    assert batch(after, message(b"1", 60), is_duplicate=True) == [first]
    after.save()
    after.finish()
    assert batch(after, message(b"2", 60), is_duplicate=True) == [second]


def test_old_times_are_forgotten(tmp_path: Path):
    pending = PendingTimes(tmp_path / "p")
    for second in range(0, 100, 10):
        batch(pending, message(second=second))
        pending.finish()
    pending.begin()
    pending.save()
    assert (tmp_path / "p").read_bytes().count(b"2026") == 1


@pytest.mark.parametrize("rubbish", [b"", b"{", b"\xff", b'{"a": 1}'])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, rubbish: bytes):
    (tmp_path / "p").write_bytes(rubbish)
    pending = PendingTimes(tmp_path / "p")
    pending.load()
    assert batch(pending, message(), is_duplicate=True) == [NOW]


def test_a_folder_that_is_gone_is_named(tmp_path: Path):
    pending = PendingTimes(tmp_path / "gone" / "p")
    batch(pending, message())
    with pytest.raises(StoreError, match="gone"):
        pending.save()
