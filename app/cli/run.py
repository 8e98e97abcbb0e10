"""`millwright run`: the operator app with broker, demo plant, agents and dashboard."""

import argparse
import gc
import os
from collections.abc import Callable
from pathlib import Path

from app.cli.options import PORT, add_settings_options, settings_of
from app.command_parser import command_parser
from app.interrupt import ends_at_once
from app.late_import import put_off
from app.settings import Settings


def main(argv: list[str]) -> int:
    """Run until stopped by Ctrl-C or SIGTERM."""
    parser = command_parser(
        "millwright run",
        "Run the operator app: broker, demo plant, agents and dashboard, until Ctrl-C.",
        "millwright run --port 9000 --data /srv/millwright",
        "millwright run --no-demo --broker mqtt://192.168.1.10:1883",
    )
    parser.add_argument("--host", help="address to bind, loopback only")
    parser.add_argument("--port", type=PORT, help="port of pages and HTTP API")
    parser.add_argument("--broker", metavar="URL", help="external broker, mqtt://host:1883")
    parser.add_argument(
        "--demo",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="the simulated plant (default: on without an external broker)",
    )
    add_settings_options(parser)
    arguments = parser.parse_args(argv)
    settings = settings_of(arguments)
    os.environ.setdefault("NICEGUI_STORAGE_PATH", str(settings.data.dir / "nicegui"))
    with ends_at_once("run"):
        run = _loaded()
    return run(settings, arguments.settings)


def _loaded() -> Callable[[Settings, Path | None], int]:
    put_off("requests", "aiohttp")  # 0.3 s: engineio takes them for clients, and we serve
    gc.disable()  # to look for garbage in what is being loaded takes a sixth of the start
    from app.main import run  # noqa: PLC0415  heavy: NiceGUI

    gc.freeze()  # modules and classes stay: no later look need go through them
    gc.enable()
    return run
