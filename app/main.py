"""Composition root: settings -> Plant -> HTTP and pages -> web server."""

import logging
import os
import socket
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

from nicegui import app, ui

from app.api.mount import mount
from app.clock import SystemClock
from app.core.errors import SettingsError
from app.data_lock import DataLock
from app.interrupt import count_once, ends_at_once
from app.plant import Plant
from app.settings import Settings
from pages import (
    agents,
    alarm_kpi,
    alarms,
    area,
    audit,
    frame,
    health,
    not_found,
    overview,
    simulator,
    theme,
    trends,
    unit,
    work,
    workflow_editor,
)

PAGES = (
    overview,
    area,
    unit,
    alarms,
    alarm_kpi,
    trends,
    agents,
    simulator,
    health,
    audit,
    work,
    workflow_editor,
    not_found,
)

STOP_S = 8.0
GRACE_S = 1
"""For the requests under way, before the plant is stopped."""


def run(settings: Settings, settings_file: Path | None = None) -> int:
    """Serve until stopped.

    Raises:
        SettingsError: The port or the data folder is in use, or the folder cannot be made.
    """
    _set_up_logging()
    _make_home(settings)
    with DataLock(settings.data.dir, _url(settings)):
        _check_port(settings)
        return _run(settings, settings_file)


def _run(settings: Settings, settings_file: Path | None) -> int:
    failures: list[Exception] = []
    with ends_at_once("run"):
        _build(settings, settings_file, failures)
    with suppress(KeyboardInterrupt):  # uvicorn raises it anew after the orderly stop
        _serve(settings)
    return 1 if failures else 0


def _build(settings: Settings, settings_file: Path | None, failures: list[Exception]) -> None:
    plant = Plant(settings, SystemClock(), settings_file)
    app.on_startup(partial(count_once, STOP_S + GRACE_S))
    app.on_startup(partial(_start, plant, failures))
    app.on_shutdown(_bound_the_stop)
    app.on_shutdown(plant.stop)
    mount(app, plant)
    frame.install(plant)
    for page in PAGES:
        page.create(plant)
    app.on_startup(partial(_announce, settings))


async def _start(plant: Plant, failures: list[Exception]) -> None:
    """Start the plant; a fault nobody foresaw ends the app: it must not look alive and be dead."""
    try:
        await plant.start()
    except Exception as error:
        failures.append(error)
        app.shutdown()
        raise  # NiceGUI logs it with its traceback


def _serve(settings: Settings) -> None:
    ui.run(
        host=settings.server.host,
        port=settings.server.port,
        title=settings.site.name,
        favicon=theme.favicon(),
        dark=None,
        tailwind=False,  # it compiles styles in the browser at each change; we bring our own
        ws_per_message_deflate=False,  # frames are encoded once; deflate would cost each browser
        reload=False,
        show=False,
        show_welcome_message=False,
        timeout_graceful_shutdown=GRACE_S,
        message_history_length=100,
        uvicorn_logging_level="warning",
        proxy_headers=False,  # a caller could choose its address, and with it its rate limit
        loop="asyncio",  # with uvloop 0.23 the exit of a child went unnoticed and the stop hung
    )


def _bound_the_stop() -> None:
    """End the process if its orderly stop takes longer than STOP_S; children end with it."""
    guard = threading.Timer(STOP_S, _give_up)
    guard.daemon = True
    guard.start()


def _give_up() -> None:
    logging.getLogger("millwright").error("The stop took over %g s and was cut short", STOP_S)
    os._exit(1)


def _set_up_logging() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )


def _check_port(settings: Settings) -> None:
    address = (settings.server.host, settings.server.port)
    family = socket.AF_INET6 if ":" in settings.server.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise SettingsError(
                f"server.port: {address[0]}:{address[1]} is busy ({error.strerror}); stop the "
                "other program or choose another port: millwright --port 8081"
            ) from error


def _make_home(settings: Settings) -> None:
    """Make the data folder; one that exists and refuses is told by each part on Health."""
    home = settings.data.dir
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f'data.dir: "{home}" cannot be made ({error.strerror}); '
            "choose another folder: millwright --data DIR"
        ) from error


def _announce(settings: Settings) -> None:
    sys.stdout.write(f"{settings.site.name}: {_url(settings)}\n")
    sys.stdout.flush()


def _url(settings: Settings) -> str:
    server = settings.server
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"http://{host}:{server.port}"
