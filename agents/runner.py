"""`millwright agent NAME`: one agent in a process of its own.

Exit codes: 0 stopped on request, 1 failed (Python's own for an error nobody foresaw, which it
prints with its traceback), 2 wrong usage.
"""

import argparse
import asyncio
import importlib
import inspect
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from agents.base.agent import BaseAgent
from app.clock import SystemClock
from app.command_parser import USAGE_EXIT, command_parser, one_line
from app.core.agent import PARENT_VARIABLE
from app.core.errors import MillwrightError, NotFoundError
from app.core.topics import is_segment
from app.settings import Settings, load_settings

logger = logging.getLogger(__name__)


def main(argv: list[str]) -> int:
    """Run the agent named in `argv` until it is told to stop; return the exit code."""
    arguments = _parser().parse_args(argv)
    _set_up_logging()
    try:
        agent_class = find_agent(arguments.name)
        settings = _settings(arguments)
        agent = agent_class(settings, SystemClock(), arguments.instance)
    except MillwrightError as error:
        said = f"{error}; {error.hint}" if error.hint else str(error)
        sys.stderr.write(f"millwright: {one_line(said)}\n")
        return USAGE_EXIT
    try:
        asyncio.run(_serve(agent))
    except MillwrightError as error:
        logger.error("Agent %s failed: %s", arguments.name, error)  # noqa: TRY400  it says all
        return 1
    return 0


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
    parser.add_argument("--instance", default="1", type=_segment, help="name of this instance")
    parser.add_argument("--settings", type=Path, help="settings file instead of DATA/settings.toml")
    parser.add_argument("--data", type=Path, help="data folder")
    return parser


def _segment(text: str) -> str:
    if not is_segment(text):
        raise argparse.ArgumentTypeError("use letters, digits, _ and -")
    return text


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
    await agent.serve(stopping)


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
