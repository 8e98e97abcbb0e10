"""The key that signs orders to actuators: by environment, or a file that the app makes."""

import os
import secrets
from pathlib import Path

from app.core.command_signature import KEY_BYTES
from app.core.errors import StoreError
from app.settings import Settings

FILE = "command.key"


def key_file(settings: Settings) -> Path:
    """Return where the key stands unless the environment holds it."""
    return settings.data.dir / FILE


def make_key(settings: Settings) -> bytes:
    """Return the key, a new one if there is none; the app calls this before it starts agents.

    Raises:
        StoreError: The file cannot be made or read, or holds no key.
    """
    file = key_file(settings)
    if not settings.commands.key.get_secret_value() and not file.exists():
        _write(file)
    return read_key(settings)


def read_key(settings: Settings) -> bytes:
    """Return the key.

    Raises:
        StoreError: There is none, or what is there is no key.
    """
    given = settings.commands.key.get_secret_value()
    if given:
        return bytes.fromhex(given)
    file = key_file(settings)
    remedy = (
        "Start the app once, which makes it; on another computer set MILLWRIGHT_COMMANDS__KEY "
        "to its content"
    )
    try:
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f'Command key "{file}" cannot be read: {error}', remedy) from error
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise StoreError(f'Command key "{file}" is not hexadecimal', remedy) from error
    if len(key) != KEY_BYTES:
        raise StoreError(f'Command key "{file}" has {len(key)} bytes, not {KEY_BYTES}', remedy)
    return key


def _write(file: Path) -> None:
    draft = file.with_suffix(f".{secrets.token_hex(8)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as opened:
            opened.write(secrets.token_hex(KEY_BYTES) + "\n")
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(file)
    except OSError as error:
        raise StoreError(
            f'Command key "{file}" cannot be made: {error}',
            "Check the rights of the data folder: the app's user must own or write it",
        ) from error
