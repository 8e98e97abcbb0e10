"""Reads settings files, joins their tables, and says what is wrong with a value."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from app.core.errors import SettingsError

SECRETS = frozenset({"password", "key"})
"""Keys that hold a secret, in whatever section."""

_PASSWORD = re.compile(r"//[^/@\s]*@")


def deep_update(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` laid on it; tables are joined, all else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            value = deep_update(cast("dict[str, Any]", old), cast("dict[str, Any]", value))  # noqa: PLW2901  TOML tables are untyped
        merged[key] = value
    return merged


def read_table(path: Path) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Raises:
        SettingsError: It cannot be read, or holds a secret.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f'Settings file "{path}" cannot be read: {error.strerror}') from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f'Settings file "{path}" is not valid TOML: {error}') from error
    _refuse_secrets(tables, path)
    return tables


def _refuse_secrets(tables: Mapping[str, Any], path: Path) -> None:
    for section, table in tables.items():
        for key in SECRETS.intersection(cast("Any", table) if isinstance(table, dict) else ()):
            raise SettingsError(
                f'setting {section}.{key} must not stand in a file: "{path}" may be copied or '
                "shown; take it out, set "
                f"MILLWRIGHT_{section.upper()}__{key.upper()} instead, and change the secret"
            )


def describe(error: ValidationError) -> str:
    """Return one line that names each wrong setting, its value and what is allowed."""
    lines = [f"setting {_line(item)}" for item in error.errors()]
    return "; ".join(lines) + "; see docs/settings.md"


def _key(place: tuple[int | str, ...]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in place]
    return "".join(parts).removeprefix(".")


def _line(item: Mapping[str, Any]) -> str:
    said = str(item["msg"]).removeprefix("Value error, ")
    if not item["loc"]:  # of several sections; the text names the keys
        return said
    if item["type"] == "extra_forbidden":
        return f"{_key(item['loc'])}: there is no such setting"
    is_secret = item["loc"][-1] in SECRETS
    got = "" if item["type"] == "missing" or is_secret else f" (got {item['input']!r})"
    return f"{_key(item['loc'])}: {said}{_PASSWORD.sub('//...@', got)}"
