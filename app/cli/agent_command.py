"""Hands `millwright train|evaluate|score AGENT …` to the module of that agent.

The app knows agents by name only: the module is found when the command runs.
"""

import importlib
import importlib.util
import pkgutil
import sys

from app.command_parser import USAGE_EXIT, command_parser, one_line
from app.core.topics import is_segment


def run_agent_command(verb: str, about: str, argv: list[str]) -> int:
    """Run `agents.<agent>.<verb>.main` with the rest of the arguments and return its exit code."""
    able = [name for name in _agents() if _exists(name, verb)]
    calls = [f"millwright {verb} {name} --help" for name in able]
    parser = command_parser(f"millwright {verb}", about, *calls)
    parser.usage = f"millwright {verb} AGENT [options]"
    parser.add_argument("agent", metavar="AGENT", help=f"one of: {', '.join(able)}")
    agent: str = parser.parse_args(argv[:1]).agent
    if not is_segment(agent) or not _exists(agent, verb):
        known = f"agents that have: {', '.join(able)}"
        said = one_line(f'agent "{agent[:60]}" has nothing to {verb}; {known}')
        sys.stderr.write(f"millwright: {said}\n")
        return USAGE_EXIT
    code: int = importlib.import_module(f"agents.{agent}.{verb}").main(argv[1:])
    return code


def _agents() -> list[str]:
    package = importlib.util.find_spec("agents")
    folders = (package and package.submodule_search_locations) or []
    return sorted(each.name for each in pkgutil.iter_modules(folders) if each.ispkg)


def _exists(agent: str, verb: str) -> bool:
    if importlib.util.find_spec(f"agents.{agent}") is None:
        return False
    return importlib.util.find_spec(f"agents.{agent}.{verb}") is not None
