"""L2, alarms: open and over in one table, acknowledged and shelved where they are read."""

import logging
from collections import Counter
from collections.abc import Awaitable, Sequence

import msgspec
from nicegui import events, ui

from app.core.actor import Actor
from app.core.alarm import Alarm
from app.core.errors import MillwrightError
from app.plant import Plant
from pages.frame import actor, frame
from pages.markup import place, tag
from pages.widgets.alarm_table import add_script, add_style, alarm_table, serve_files

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 500
_PAST = {
    "acknowledge": "acknowledged",
    "shelve": "shelved",
    "unshelve": "unshelved",
    "suppress": "suppressed by design",
    "unsuppress": "no longer suppressed",
    "out_of_service": "taken out of service",
    "return_to_service": "returned to service",
    "reset": "reset",
}


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator asks for in the table.

    Attributes:
        do: Event of the state table.
        ids: Alarms it is asked for.
        note: Why.
        minutes: How long to shelve.
    """

    do: str
    ids: list[str]
    note: str = ""
    minutes: float | None = None


def create(plant: Plant) -> None:
    """Register the page."""
    base = serve_files()

    @ui.page("/alarms")
    def alarms() -> None:
        add_style(base)
        add_script(base)
        ui.on("mw_alarm", lambda event: _act(plant, event))
        with frame(plant, "Alarms", active="/alarms"):
            place(alarm_table(plant))
            place(
                tag(
                    "p",
                    tag("kbd", "↑"),
                    tag("kbd", "↓"),
                    "choose ",
                    tag("kbd", "Space"),
                    "mark ",
                    tag("kbd", "a"),
                    "acknowledge ",
                    tag("kbd", "s"),
                    "shelve ",
                    tag("kbd", "Enter"),
                    "details",
                    class_="mw-hint mw-at-keys",
                )
            )


async def _act(plant: Plant, event: events.GenericEventArguments) -> None:
    try:
        wanted = msgspec.convert(event.args, Request)
    except msgspec.ValidationError as error:
        logger.warning("a browser sent a malformed alarm action: %s", error)
        return
    if wanted.do not in _PAST or len(wanted.ids) > MOST_AT_ONCE:
        logger.warning("a browser asked for %.40s of %d alarms", wanted.do, len(wanted.ids))
        return
    done, refusals = await carry_out(plant, wanted, actor())
    _tell(wanted, done, refusals)


async def carry_out(
    plant: Plant, wanted: Request, who: Actor
) -> tuple[list[Alarm], list[MillwrightError]]:
    """Do what was asked for with each alarm; one that refuses does not stop the others."""
    done: list[Alarm] = []
    refusals: list[MillwrightError] = []
    for alarm_id in wanted.ids:
        try:
            done.append(await _one(plant, wanted, alarm_id, who))
        except MillwrightError as error:
            refusals.append(error)
    return done, refusals


def _one(plant: Plant, wanted: Request, alarm_id: str, who: Actor) -> Awaitable[Alarm]:
    if wanted.do == "shelve":
        return plant.shelve(alarm_id, who, wanted.minutes or 0, wanted.note)
    acts = {
        "acknowledge": plant.acknowledge,
        "unshelve": plant.unshelve,
        "suppress": plant.suppress,
        "unsuppress": plant.unsuppress,
        "out_of_service": plant.out_of_service,
        "return_to_service": plant.return_to_service,
        "reset": plant.reset,
    }
    return acts[wanted.do](alarm_id, who, wanted.note)


def _tell(wanted: Request, done: Sequence[Alarm], refusals: Sequence[MillwrightError]) -> None:
    if len(done) > 1:
        ui.notify(f"{len(done)} alarms {_PAST[wanted.do]}", type="info")
    for (message, hint), count in Counter((str(e), e.hint) for e in refusals).most_common(3):
        times = f"{count} alarms: " if count > 1 else ""
        ui.notify(f"{times}{message}. {hint}".rstrip(". "), type="warning")
