"""What is wrong with the workflows, in words for Health, the gravest first."""

from collections.abc import Iterator, Mapping, Sequence

from app.core.health import Health
from app.core.trigger_rules import RUNS_A_MINUTE
from app.core.workflow_entry import Entry
from app.store.runs import RunStore
from app.workflow.owners import Owners
from app.workflow.triggers import Triggers

_DISK = "Runs go on by themselves once the disk or the database takes writes again"
SILENT_S = 10.0
"""A look at the runs, which is taken each second, lasts no longer than this."""

_HUNG = "Check that the disk or the database server answers; what was asked for is done then"
_UNREAD = "Cancel them on the page of runs, or start the version that began them"
_FAILING = "Correct them in the editor, or switch them off; the log has the whole error"
_BROKEN = "Correct them in the editor"
_BRAKED = "Switch its triggers off, then look at what it publishes"


def troubles_of(
    store: RunStore,
    triggers: Triggers,
    entries: Sequence[Entry],
    owners: Owners,
    silent_s: float,
) -> Iterator[tuple[Health, str, str]]:
    """Yield state, reason and remedy of each trouble that there is.

    Args:
        store: Where runs are kept.
        triggers: What starts runs.
        entries: Definitions.
        owners: Orchestrators that share the store.
        silent_s: How long the present look at the runs has lasted, s.
    """
    for state, reason, remedy in (
        (Health.FAILED, _silent_words(silent_s), _HUNG),
        (Health.FAILED, store.trouble, _DISK),
        (Health.DEGRADED, _unread_words(store.unreadable), _UNREAD),
        (Health.DEGRADED, _failing_words(triggers.troubles), _FAILING),
        (Health.DEGRADED, _broken_words(entries), _BROKEN),
        (Health.DEGRADED, _braked_words(triggers.braked), _BRAKED),
        (Health.DEGRADED, owners.trouble, ""),
    ):
        if reason:
            yield state, reason, remedy


def _silent_words(silent_s: float) -> str:
    if silent_s < SILENT_S:
        return ""
    return f"The store of workflows is slow or does not answer: a look lasts for {silent_s:.0f} s"


def _unread_words(unreadable: Mapping[str, str]) -> str:
    if not unreadable:
        return ""
    return f"{len(unreadable)} open runs cannot be read. {next(iter(unreadable.values()))}"


def _broken_words(entries: Sequence[Entry]) -> str:
    broken = [each.name for each in entries if each.workflow is None]
    return f"Definitions with errors: {', '.join(broken)}" if broken else ""


def _failing_words(troubles: Mapping[str, str]) -> str:
    if not troubles:
        return ""
    named = "; ".join(f"{name}, {why}" for name, why in sorted(troubles.items()))
    return f"Triggers that fail: {named}"


def _braked_words(braked: Sequence[str]) -> str:
    if not braked:
        return ""
    return f"Events start runs too fast, more than {RUNS_A_MINUTE} a minute: {', '.join(braked)}"
