"""`millwright scenario`: starts and stops faults in the simulated plant, over MQTT."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from app.bus.client import Bus, Received
from app.bus.tasks import TaskClient
from app.cli.options import add_settings_options, settings_of
from app.clock import SystemClock
from app.core.agent import AgentState, AgentStatus
from app.core.errors import CodecError, InputError, NotFoundError
from app.core.topics import birth_topic
from app.core.truth import ScenarioListing, StoppedScenarios, Truth
from app.settings import Settings

T = TypeVar("T", bound=msgspec.Struct)

AGENT = "simulator"
_CONNECT_S = 5.0
_BIRTH_S = 2.0
_ANSWER_S = 10.0
_LIVE = frozenset({AgentState.RUNNING, AgentState.DEGRADED})


def main(argv: list[str]) -> int:
    """Do one thing with the simulator's scenarios; 0 if it was done.

    Raises:
        MillwrightError: There is no broker or no simulator, or it refused; one line says why.
    """
    arguments = _parser().parse_args(argv)
    # The bus logs what the error says; a command has one line for a failure.
    logging.getLogger("app.bus").addHandler(logging.NullHandler())
    settings = settings_of(arguments)
    capability, given, tell = _task(arguments)
    output = asyncio.run(_ask(settings, capability, given))
    if arguments.json:
        sys.stdout.write(msgspec.json.encode(output).decode() + "\n")
    else:
        sys.stdout.write(tell(output) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="millwright scenario", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|start|stop")
    listing = verbs.add_parser("list", help="what each unit can suffer, and what runs")
    start = verbs.add_parser("start", help="start a scenario, or change its severity")
    start.add_argument("equipment", metavar="EQUIPMENT", help="path of the unit")
    start.add_argument("scenario", metavar="SCENARIO", help="name, see: millwright scenario list")
    start.add_argument(
        "--severity", type=float, default=0.7, help="above 0, at most 1 (default 0.7)"
    )
    start.add_argument("--tag", default="", help="tag that a sensor scenario spoils")
    stop = verbs.add_parser("stop", help="stop one scenario, or all of a unit")
    stop.add_argument("equipment", metavar="EQUIPMENT", help="path of the unit")
    stop.add_argument("scenario", metavar="SCENARIO", nargs="?", default="", help="only this one")
    for verb in (listing, start, stop):
        verb.add_argument("--broker", help="mqtt://host:port instead of the settings' one")
        verb.add_argument("--json", action="store_true", help="JSON out")
        add_settings_options(verb)
    return parser


def _task(
    arguments: argparse.Namespace,
) -> tuple[str, dict[str, object], Callable[[dict[str, object]], str]]:
    """Return capability, input, and how its output is told."""
    match arguments.verb:
        case "start":
            given: dict[str, object] = {
                "equipment": arguments.equipment,
                "scenario": arguments.scenario,
                "severity": arguments.severity,
                "tag": arguments.tag,
            }
            return "start_scenario", given, _tell_started
        case "stop":
            given = {"equipment": arguments.equipment, "scenario": arguments.scenario}
            return "stop_scenario", given, _tell_stopped
        case _:
            return "list_scenarios", {}, _tell_all


async def _ask(settings: Settings, capability: str, given: dict[str, object]) -> dict[str, object]:
    clock = SystemClock()
    name = f"millwright-scenario-{os.getpid()}"
    bus = Bus(settings, name, clock)
    tasks = TaskClient(bus, name, clock)
    tasks.start()
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def meet(batch: Sequence[Received[AgentStatus]]) -> None:
        for received in batch:
            if received.message.state in _LIVE and not found.done():
                found.set_result(received.message.instance)

    bus.subscribe(birth_topic(AGENT, "+"), AgentStatus, meet, qos=1)
    await bus.start()
    try:
        await bus.wait_connected(_CONNECT_S)
        instance = await _instance(found)
        result = await tasks.request(AGENT, instance, capability, given, _ANSWER_S)
    finally:
        await bus.stop()
    if result.output is None:
        raise InputError(result.error)
    return result.output


async def _instance(found: asyncio.Future[str]) -> str:
    try:
        async with asyncio.timeout(_BIRTH_S):
            return await found
    except TimeoutError as error:
        raise NotFoundError(
            "No simulator is running", "start the app, or: millwright agent simulator"
        ) from error


def _tell_started(output: dict[str, object]) -> str:
    return f"Started {_line(_read(output, Truth))}"


def _tell_stopped(output: dict[str, object]) -> str:
    return "\n".join(f"Stopped {_line(one)}" for one in _read(output, StoppedScenarios).stopped)


def _tell_all(output: dict[str, object]) -> str:
    listing = _read(output, ScenarioListing)
    rows = [
        f"{unit.path}  {unit.name}\n    {', '.join(one.name for one in unit.scenarios)}"
        for unit in listing.units
    ]
    running = [
        f"  {_line(one)}, since {one.started_at:%Y-%m-%d %H:%M:%S} UTC" for one in listing.running
    ]
    return "\n".join([*rows, "Running:", *(running or ["  nothing"])])


def _line(one: Truth) -> str:
    spoiled = f" ({one.tag.rpartition('/')[2]})" if one.tag else ""
    return f"{one.scenario}{spoiled} on {one.equipment}, severity {one.severity:g}"


def _read(output: dict[str, object], type_: type[T]) -> T:
    try:
        return msgspec.convert(output, type_)
    except msgspec.ValidationError as error:
        raise CodecError(f"The simulator answered something else: {error}") from error
