"""What a person does with runs, asked for first: cancel, retry, seen to; one by one or many."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple

import msgspec
from nicegui import events, ui

from app.core.actor import Actor
from app.core.errors import MillwrightError
from app.plant import Plant
from pages.frame import actor
from pages.widgets.reason import reason_for
from pages.widgets.workflow.words import count_words

MOST_AT_ONCE = 200


class Bulk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a browser asks for runs that are marked.

    Attributes:
        do: "cancel", "retry" or "review".
        ids: The runs.
    """

    do: str
    ids: list[str]


class _Act(NamedTuple):
    question: str
    consequence: str
    verb: str
    past: str


_ACTS = {
    "cancel": _Act(
        "Cancel {}?",
        "Steps under way are given up, finished steps that can be taken back are taken back, and "
        "nothing further is done.",
        "Cancel them",
        "cancelled",
    ),
    "retry": _Act(
        "Retry {}?",
        "Each starts again as a new run from the step where it stopped, with what finished "
        "steps gave and the definition it had; the old run stays in the list.",
        "Retry them",
        "started again",
    ),
    "review": _Act(
        "Mark {} as seen to?",
        "They leave this list; the runs stay, with your name and reason.",
        "Seen to",
        "seen to",
    ),
}


def read_bulk(event: events.GenericEventArguments) -> Bulk | None:
    """Return what a browser asks for; None if it is not understood."""
    try:
        wanted = msgspec.convert(event.args, Bulk)
    except msgspec.ValidationError:
        return None
    is_sound = wanted.do in _ACTS and 0 < len(wanted.ids) <= MOST_AT_ONCE
    return wanted if is_sound else None


async def carry_out(
    plant: Plant, wanted: Bulk, why: str, who: Actor
) -> tuple[int, list[MillwrightError]]:
    """Do it to each run; one that refuses does not stop the others. Returns how many were done."""
    done, refusals = 0, list[MillwrightError]()
    for run in wanted.ids:
        try:
            await _one(plant, wanted.do, run, why, who)
        except MillwrightError as error:
            refusals.append(error)
        else:
            done += 1
    return done, refusals


async def ask_and_do(plant: Plant, event: events.GenericEventArguments) -> bool:
    """Ask for a reason and do what was asked for; return whether anything was done."""
    wanted = read_bulk(event)
    if wanted is None:
        ui.notify(f"Mark 1 to {MOST_AT_ONCE} runs first", type="warning")
        return False
    act = _ACTS[wanted.do]
    question = act.question.format(count_words(len(wanted.ids), "run"))
    why = await reason_for(question, act.consequence, act.verb)
    if why is None:
        return False
    done, refusals = await carry_out(plant, wanted, why, actor())
    if done:
        ui.notify(f"{count_words(done, 'run')} {act.past}", type="info")
    tell(refusals)
    return bool(done)


def tell(refusals: Sequence[MillwrightError]) -> None:
    """Show what was refused, each sentence once."""
    for (message, hint), count in Counter((str(e), e.hint) for e in refusals).most_common(3):
        times = f"{count} times: " if count > 1 else ""
        ui.notify(f"{times}{message}. {hint}".rstrip(". "), type="warning")


async def _retry(plant: Plant, run: str, who: Actor, why: str) -> None:
    step = await plant.workflows.repair.stopped_at(run)
    await plant.retry_run(run, who, why, step=step)


def _one(plant: Plant, do: str, run: str, why: str, who: Actor) -> Awaitable[object]:
    acts: dict[str, Callable[[str, Actor, str], Awaitable[object]]] = {
        "cancel": plant.cancel_run,
        "retry": partial(_retry, plant),
        "review": plant.review_run,
    }
    return acts[do](run, who, why)
