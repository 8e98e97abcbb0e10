"""One app a data folder."""

from pathlib import Path

import pytest

from app.core.errors import SettingsError
from app.data_lock import DataLock

FIRST, SECOND = "http://127.0.0.1:8080", "http://127.0.0.1:8081"


def test_a_second_app_is_told_who_holds_the_folder_and_what_to_do(tmp_path: Path) -> None:
    with (
        DataLock(tmp_path, FIRST),
        pytest.raises(SettingsError, match=f"data.dir: .*{FIRST}, process.*--data DIR"),
        DataLock(tmp_path, SECOND),
    ):
        pass


def test_the_folder_is_free_again_after_the_app(tmp_path: Path) -> None:
    with DataLock(tmp_path, FIRST):
        pass
    with DataLock(tmp_path, SECOND) as again:
        assert again


def test_two_folders_do_not_know_each_other(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with DataLock(tmp_path / "a", FIRST), DataLock(tmp_path / "b", SECOND) as second:
        assert second


def test_a_refused_app_leaves_the_word_of_the_first_one(tmp_path: Path) -> None:
    with DataLock(tmp_path, FIRST):
        for _ in range(2):
            with pytest.raises(SettingsError, match=FIRST), DataLock(tmp_path, SECOND):
                pass


def test_a_folder_that_takes_no_files_is_said_and_does_not_stop_the_app(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "app.lock").mkdir()  # refused to root too, as a read-only disk would be
    with DataLock(tmp_path, FIRST):
        assert "is not locked" in caplog.text


def test_a_lock_that_cannot_be_signed_holds_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "app.running").mkdir()
    with (
        DataLock(tmp_path, FIRST),
        pytest.raises(SettingsError, match="an unknown address"),
        DataLock(tmp_path, SECOND),
    ):
        pass
    assert "does not say who holds it" in caplog.text
