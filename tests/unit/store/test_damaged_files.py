"""What the SQLite stores do with a file that is damaged, alike for each of them."""

from pathlib import Path

import pytest

from app.core.errors import StoreError
from app.store.assets import Assets
from app.store.audit import AuditLog
from app.store.journal import AlarmJournal

STORES = [Assets, AuditLog, AlarmJournal]
Store = type[Assets] | type[AuditLog] | type[AlarmJournal]
RUBBISH = [b"this is no database " * 500, b"\x00" * 8192]


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("rubbish", RUBBISH)
def test_a_damaged_file_is_moved_aside_with_the_reason(
    tmp_path: Path, kind: Store, rubbish: bytes
) -> None:
    path = tmp_path / "data" / "some.sqlite"
    path.parent.mkdir()
    path.write_bytes(rubbish)
    store = kind(path)
    store.open()
    store.close()
    assert store.moved_aside
    assert store.moved_aside == path.with_name("some.sqlite.quarantined-1")
    assert (store.moved_aside / "some.sqlite").read_bytes() == rubbish
    assert "not a database" in (store.moved_aside / "reason.txt").read_text()
    again = kind(path)
    again.open()
    again.close()
    assert again.moved_aside is None


@pytest.mark.parametrize("kind", STORES)
def test_a_second_damaged_file_does_not_replace_the_first(tmp_path: Path, kind: Store) -> None:
    path = tmp_path / "some.sqlite"
    for rubbish in (b"one " * 999, b"two " * 999):
        path.write_bytes(rubbish)
        store = kind(path)
        store.open()
        store.close()
    kept = sorted(tmp_path.glob("*.quarantined-*/some.sqlite"))
    assert [file.read_bytes()[:3] for file in kept] == [b"one", b"two"]


@pytest.mark.parametrize("kind", STORES)
def test_what_stood_beside_a_damaged_file_goes_with_it(tmp_path: Path, kind: Store) -> None:
    path = tmp_path / "some.sqlite"
    path.write_bytes(RUBBISH[0])
    (tmp_path / "some.sqlite-shm").write_bytes(b"index")
    store = kind(path)
    store.open()
    store.close()
    assert store.moved_aside
    assert (store.moved_aside / "some.sqlite-shm").read_bytes() == b"index"


@pytest.mark.parametrize("kind", STORES)
def test_a_damaged_file_that_cannot_be_moved_is_named_with_what_to_do(
    tmp_path: Path, kind: Store
) -> None:
    path = tmp_path / ("x" * 248 + ".sqlite")  # no room in the name for more
    path.write_bytes(RUBBISH[0])
    store = kind(path)
    with pytest.raises(StoreError, match="is damaged and cannot be moved aside") as refused:
        store.open()
    assert str(path) in str(refused.value)
    assert "Move the file away by hand" in refused.value.hint
    assert path.read_bytes() == RUBBISH[0]


@pytest.mark.parametrize("kind", STORES)
def test_a_folder_that_cannot_be_made_is_named_with_what_to_do(tmp_path: Path, kind: Store) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot be opened: .*file") as refused:
        kind(tmp_path / "file" / "some.sqlite").open()
    assert refused.value.hint
