"""The key that signs orders: made once, for its owner's eyes only."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.command_key import key_file, make_key, read_key
from app.core.errors import SettingsError, StoreError
from app.settings import CommandSettings, Settings, load_settings

KEY = "0f" * 32


def test_the_first_start_makes_one_of_32_bytes(settings: Settings):
    assert len(make_key(settings)) == 32


def test_the_second_start_finds_the_same(settings: Settings):
    assert make_key(settings) == make_key(settings) == read_key(settings)


def test_nobody_but_the_owner_may_read_it(settings: Settings):
    make_key(settings)

    assert key_file(settings).stat().st_mode & 0o777 == 0o600


def test_no_draft_is_left_beside_it(settings: Settings):
    make_key(settings)

    assert list(settings.data.dir.iterdir()) == [key_file(settings)]


def test_the_environment_wins_and_no_file_is_made(settings: Settings):
    given = settings.model_copy(update={"commands": CommandSettings(key=SecretStr(KEY))})

    assert make_key(given) == bytes.fromhex(KEY)
    assert not settings.data.dir.exists()


def test_without_one_the_error_names_the_variable(settings: Settings):
    with pytest.raises(StoreError) as caught:
        read_key(settings)

    assert "MILLWRIGHT_COMMANDS__KEY" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"xyz", b"0f0f", b"\xff" * 64, b"0f" * 33])
def test_a_file_that_holds_no_key_is_refused(settings: Settings, content: bytes):
    settings.data.dir.mkdir(parents=True)
    key_file(settings).write_bytes(content)

    with pytest.raises(StoreError, match="Command key"):
        make_key(settings)


def test_a_folder_that_cannot_be_made_is_named(settings: Settings):
    settings.data.dir.write_text("a file where the folder should be")

    with pytest.raises(StoreError, match="cannot be made"):
        make_key(settings)


@pytest.mark.parametrize("key", ["0f", "0f" * 33, "zz" * 32])
def test_a_setting_that_is_no_key_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, key: str
):
    monkeypatch.setenv("MILLWRIGHT_COMMANDS__KEY", key)

    with pytest.raises(SettingsError, match=r"commands\.key: .*64 hexadecimal") as caught:
        load_settings()
    assert key not in str(caught.value)


def test_a_key_in_a_file_is_refused(tmp_path: Path):
    file = tmp_path / "settings.toml"
    file.write_text(f'[commands]\nkey = "{KEY}"')

    with pytest.raises(SettingsError, match="must not stand in a file"):
        load_settings(file)
