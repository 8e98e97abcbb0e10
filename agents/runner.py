"""`millwright agent NAME`: one agent in a process of its own.

Exit codes: 0 stopped on request, 1 failed (Python's own for an error nobody foresaw, which it
prints with its traceback), 2 wrong usage; so is a name that another living process has.
"""

import argparse
import asyncio
import importlib
import inspect
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from agents.base.agent import BaseAgent
from agents.base.namesake import find_namesake
from app.clock import SystemClock
from app.command_parser import USAGE_EXIT, command_parser, one_line
from app.core.agent import PARENT_VARIABLE
from app.core.errors import (
    ConflictError,
    MillwrightError,
    NotFoundError,
    SettingsError,
    TopicError,
)
from app.core.topics import as_segment, is_segment
from app.settings import Settings, load_settings

logger = logging.getLogger(__name__)


def main(argv: list[str]) -> int:
    """Run the agent named in `argv` until it is told to stop; return the exit code."""
    arguments = _parser().parse_args(argv)
    _set_up_logging()
    try:
        agent_class = find_agent(arguments.name)
        settings = _settings(arguments)
        agent = agent_class(settings, SystemClock(), arguments.instance or _own_instance())
    except MillwrightError as error:
        return _refuse(error)
    try:
        asyncio.run(_serve(agent))
    except ConflictError as error:
        return _refuse(error)
    except MillwrightError as error:
        logger.error("Agent %s failed: %s", arguments.name, error)  # noqa: TRY400  it says all
        return 1
    return 0


def _refuse(error: MillwrightError) -> int:
    said = f"{error}; {error.hint}" if error.hint else str(error)
    sys.stderr.write(f"millwright: {one_line(said)}\n")
    return USAGE_EXIT


def find_agent(name: str) -> type[BaseAgent]:
    """Return the class in `agents.<name>.agent` that is an agent.

    Raises:
        NotFoundError: There is no such agent.
    """
    module = f"agents.{name}.agent"
    if name not in agent_names():
        raise NotFoundError(
            f'There is no agent "{name[:60]}"', f"Known agents: {', '.join(agent_names())}"
        )
    for _, found in inspect.getmembers(importlib.import_module(module), inspect.isclass):
        if issubclass(found, BaseAgent) and found.__module__ == module:
            return found
    raise NotFoundError(f'Module "{module}" has no class derived from BaseAgent', "Add one")


def agent_names() -> list[str]:
    """Return the names of all agents in this installation."""
    folder = Path(__file__).parent
    names = {file.parent.name for file in folder.glob("*/agent.py")}
    return sorted(names - {"base"})


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "millwright agent",
        "Run one agent in this process until Ctrl-C.",
        "millwright agent vibration --broker mqtt://127.0.0.1:1883",
    )
    parser.add_argument("name", metavar="NAME", help=f"one of: {', '.join(agent_names())}")
    parser.add_argument("--broker", help="mqtt://host[:port] of the broker")
    parser.add_argument(
        "--instance", type=_segment, help="name of this instance (default: that of this computer)"
    )
    parser.add_argument("--settings", type=Path, help="settings file instead of DATA/settings.toml")
    parser.add_argument("--data", type=Path, help="data folder")
    return parser


def _segment(text: str) -> str:
    if not is_segment(text):
        raise argparse.ArgumentTypeError("use letters, digits, _ and -")
    return text


def _own_instance() -> str:
    """Return "1" for an agent of the app, else a name that no app gives: that of the computer.

    It stays the same from start to start, so that checkpoint and waiting tasks are found again.
    """
    if PARENT_VARIABLE in os.environ:
        return "1"
    host = socket.gethostname()
    try:
        return as_segment(host)
    except TopicError as error:
        raise SettingsError(f'Host name "{host}" cannot name it; give --instance') from error


def _settings(arguments: argparse.Namespace) -> Settings:
    overrides: dict[str, object] = {}
    if arguments.broker is not None:
        overrides["broker"] = {"url": arguments.broker}
    if arguments.data is not None:
        overrides["data"] = {"dir": arguments.data}
    return load_settings(arguments.settings, overrides)


def _set_up_logging() -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s"
    )


async def _serve(agent: BaseAgent) -> None:
    stopping = asyncio.Event()
    _stop_on_signals(stopping.set)
    if os.environ.get(PARENT_VARIABLE):
        _stop_when_orphaned(stopping.set)
    await _check_alone(agent, stopping)
    if not stopping.is_set():
        await agent.serve(stopping)


async def _check_alone(agent: BaseAgent, stopping: asyncio.Event) -> None:
    """Wait until it is known that no other process has our name, or until we shall stop.

    Raises:
        ConflictError: Another living process has it.
    """
    name, instance = agent.spec.name, agent.instance
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(
            find_namesake(agent.settings, name, instance, agent.clock), name="look for a namesake"
        )
        stopped = group.create_task(stopping.wait(), name="stop")
        await asyncio.wait((looking, stopped), return_when=asyncio.FIRST_COMPLETED)
        looking.cancel()
        stopped.cancel()
    other = None if looking.cancelled() else looking.result()
    if other is not None:
        raise ConflictError(
            f'Agent "{name}" runs already as instance "{instance}": process {other.pid} '
            f"on {other.host}",
            "stop that one, or choose another name by --instance",
        )


def _stop_on_signals(stop: Callable[[], object]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, _from_handler(loop, stop))


def _from_handler(
    loop: asyncio.AbstractEventLoop, stop: Callable[[], object]
) -> Callable[[int, FrameType | None], None]:
    def handle(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)

    return handle


def _stop_when_orphaned(stop: Callable[[], object]) -> None:
    """Stop when standard input ends: the app holds its other end and is gone then."""
    loop = asyncio.get_running_loop()

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        loop.call_soon_threadsafe(stop)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
