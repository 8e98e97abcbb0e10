"""When a child that stopped by itself is started again, and when no more; pure."""

from dataclasses import dataclass

from app.core.backoff import backoff_s
from app.settings import SupervisorSettings

USAGE_EXIT = 2  # docs/settings.md: a wrong command line or setting; starting again cannot help
WORDS_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do after a child stopped by itself.

    Attributes:
        stops: Its stops within the breaker's window, seconds of a steady clock, oldest first.
        wait_s: Wait before the next start; None when the breaker is open.
    """

    stops: tuple[float, ...]
    wait_s: float | None


def after_stop(
    stops: tuple[float, ...], now_s: float, settings: SupervisorSettings, spread: float
) -> Verdict:
    """Decide after a stop at `now_s`.

    Args:
        stops: Earlier stops, from the last verdict; empty after a person started the child.
        now_s: This stop, on the same steady clock.
        settings: Back-off and breaker.
        spread: A random number from 0 to 1, see `backoff_s`.
    """
    recent = (*(at for at in stops if now_s - at < settings.breaker_window_s), now_s)
    if len(recent) > settings.breaker_restarts:
        return Verdict(recent, None)
    wait_s = backoff_s(len(recent), settings.backoff_min_s, settings.backoff_max_s, spread)
    return Verdict(recent, wait_s)


def agent_title(name: str) -> str:
    """Return what an operator calls the agent: "Vibration agent"."""
    words = name.replace("_", " ").replace("-", " ")
    return f"{words[:1].upper()}{words[1:]} agent"


def backing_off_words(name: str, verdict: Verdict, cause: str) -> str:
    """Return the reason shown while an agent waits for its next start."""
    times = _times(len(verdict.stops))
    return f"{agent_title(name)} {cause} {times}, restarting in {verdict.wait_s or 0:.0f} s"


def given_up_words(name: str, verdict: Verdict, cause: str, window_s: float) -> str:
    """Return the reason shown when the breaker is open."""
    times = _times(len(verdict.stops))
    return (
        f"{agent_title(name)} {cause} {times} within {window_s / 60:.0f} min "
        "and stays off until someone starts it"
    )


def with_last_words(reason: str, said: str) -> str:
    """Add the last line of the agent's log, cut to what a reader takes in, if it said any."""
    return f"{reason}; it last said: {said[:WORDS_LIMIT]}" if said else reason


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
