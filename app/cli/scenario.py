"""`millwright scenario`: starts and stops faults in the running app's simulated plant."""

import argparse
import sys
from functools import partial

import msgspec

from app.cli.app_client import ask_app
from app.cli.options import add_app_options, settings_of
from app.command_parser import command_parser, positive_number, verb_parser
from app.core.truth import ScenarioListing, StoppedScenarios, Truth
from app.settings import Settings

PATH = "/api/simulator/scenarios"
_SOURCE = {"X-Actor-Source": "cli"}
_PUMP = "riverside/utilities/cooling/pump-101"
_add = partial(verb_parser, "millwright scenario")


def main(argv: list[str]) -> int:
    """Do one thing with the simulator's scenarios; 0 if it was done.

    Raises:
        MillwrightError: There is no app or no simulator, or it refused; one line says why.
    """
    arguments = _parser().parse_args(argv)
    settings = settings_of(arguments)
    answer: msgspec.Struct
    match arguments.verb:
        case "start":
            answer = started = _start(settings, arguments)
            text = f"Started {_line(started)}"
        case "stop":
            answer = stopped = _stop(settings, arguments)
            text = "\n".join(f"Stopped {_line(one)}" for one in stopped.stopped)
        case _:
            answer = listing = ask_app(settings, PATH, ScenarioListing)
            text = _tell(listing)
    sys.stdout.write((msgspec.json.encode(answer).decode() if arguments.json else text) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "millwright scenario",
        "Start and stop faults in the simulated plant of the running app.",
        "millwright scenario list",
        f"millwright scenario start {_PUMP} imbalance --severity 0.5",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|start|stop")
    listing = _add(
        verbs.add_parser, "list", "what each unit can suffer, and what runs", "list --json"
    )
    start = _add(
        verbs.add_parser,
        "start",
        "start a scenario, or change its severity",
        f"start {_PUMP} cavitation",
    )
    start.add_argument("equipment", metavar="EQUIPMENT", help="path of the unit")
    start.add_argument("scenario", metavar="SCENARIO", help="name, see: millwright scenario list")
    start.add_argument(
        "--severity", type=positive_number(1), default=0.7, help="default 0.7, at most 1"
    )
    start.add_argument("--tag", default="", help="tag that a sensor scenario spoils")
    stop = _add(verbs.add_parser, "stop", "stop one scenario, or all of a unit", f"stop {_PUMP}")
    stop.add_argument("equipment", metavar="EQUIPMENT", help="path of the unit")
    stop.add_argument("scenario", metavar="SCENARIO", nargs="?", default="", help="only this one")
    for verb in (listing, start, stop):
        add_app_options(verb)
    return parser


def _start(settings: Settings, arguments: argparse.Namespace) -> Truth:
    given = {
        "equipment": arguments.equipment,
        "scenario": arguments.scenario,
        "severity": arguments.severity,
        "tag": arguments.tag,
    }
    return ask_app(settings, PATH, Truth, body=given, headers=_SOURCE)


def _stop(settings: Settings, arguments: argparse.Namespace) -> StoppedScenarios:
    given = {"equipment": arguments.equipment, "scenario": arguments.scenario}
    return ask_app(settings, f"{PATH}/stop", StoppedScenarios, body=given, headers=_SOURCE)


def _tell(listing: ScenarioListing) -> str:
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
