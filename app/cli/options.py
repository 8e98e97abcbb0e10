"""Options that several commands share."""

import argparse
from pathlib import Path

from app.command_parser import whole_number
from app.settings import Settings, load_settings

PORT = whole_number(1, 65_535)


def add_settings_options(parser: argparse.ArgumentParser) -> None:
    """Add --settings and --data."""
    parser.add_argument("--settings", type=Path, help="settings file instead of DATA/settings.toml")
    parser.add_argument("--data", type=Path, help="data folder")


def add_app_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command that asks the running app takes."""
    parser.add_argument("--host", help="where the app listens (default: the settings')")
    parser.add_argument("--port", type=PORT, help="where the app listens (default: the settings')")
    parser.add_argument("--json", action="store_true", help="JSON out")
    add_settings_options(parser)


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Load the settings with what the command line says over them.

    Raises:
        SettingsError: A value is wrong.
    """
    overrides: dict[str, object] = {}
    given = vars(arguments)
    server = {key: given[key] for key in ("host", "port") if given.get(key) is not None}
    if server:
        overrides["server"] = server
    if given.get("data") is not None:
        overrides["data"] = {"dir": given["data"]}
    if given.get("demo") is not None:
        overrides["demo"] = {"enabled": given["demo"]}
    if given.get("broker") is not None:
        overrides["broker"] = {"url": given["broker"]}
    return load_settings(given.get("settings"), overrides)
