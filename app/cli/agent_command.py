"""Hands `millwright train|evaluate|score AGENT …` to the module of that agent.

The app knows agents by name only: the module is found when the command runs.
"""

import importlib
import importlib.util
import sys

from app.core.topics import is_segment


def run_agent_command(verb: str, argv: list[str]) -> int:
    """Run `agents.<agent>.<verb>.main` with the rest of the arguments and return its exit code."""
    if not argv or argv[0] in {"-h", "--help"}:
        sys.stdout.write(f"usage: millwright {verb} AGENT [options]; AGENT --help for more\n")
        return 0 if argv else 2
    agent, *rest = argv
    module = f"agents.{agent}.{verb}"
    if not is_segment(agent) or not _exists(agent, module):
        sys.stderr.write(f'millwright: agent "{agent[:60]}" has nothing to {verb}\n')
        return 2
    code: int = importlib.import_module(module).main(rest)
    return code


def _exists(agent: str, module: str) -> bool:
    if importlib.util.find_spec(f"agents.{agent}") is None:
        return False
    return importlib.util.find_spec(module) is not None
