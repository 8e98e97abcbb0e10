"""What no single section can tell: names in the environment, and of agents."""

from collections.abc import Iterable
from pathlib import Path

from app.core.agent import PARENT_VARIABLE
from app.core.errors import SettingsError

PREFIX = "MILLWRIGHT_"
FILE_VARIABLE = "MILLWRIGHT_SETTINGS"
_OTHERS = {FILE_VARIABLE, PARENT_VARIABLE}


def check_environment(names: Iterable[str], sections: Iterable[str]) -> None:
    """Refuse an environment variable that looks like a setting and is none.

    Raises:
        SettingsError: Its section does not exist.
    """
    known = sorted(sections)
    for name in sorted(names):
        upper = name.upper()
        section = upper.removeprefix(PREFIX).partition("__")[0].lower()
        if not upper.startswith(PREFIX) or upper in _OTHERS or section in known:
            continue
        near = next((each for each in known if section.startswith(f"{each}_")), "")
        key = section.removeprefix(f"{near}_")
        remedy = (
            f"two underscores stand before the key: {PREFIX}{near.upper()}__{key.upper()}"
            if near
            else f"take it away, or use one of {', '.join(known)}"
        )
        raise SettingsError(
            f"environment variable {name}: there is no section [{section}]; {remedy}"
        )


def known_agents() -> list[str]:
    """Return the names of the agents in this installation, by their folders."""
    folders = (Path(__file__).parent.parent / "agents").glob("*/agent.py")
    return sorted({file.parent.name for file in folders} - {"base"})


def check_agents(names: Iterable[str]) -> None:
    """Refuse the table of an agent that this installation does not have.

    One that runs elsewhere needs no table here: it announces itself on the bus.

    Raises:
        SettingsError: There is no such agent.
    """
    known = known_agents()
    for name in names:
        if name not in known:
            raise SettingsError(
                f'setting agents.{name}: this installation has no agent "{name}"; known are '
                f"{', '.join(known)}. One that runs elsewhere needs no table here"
            )
