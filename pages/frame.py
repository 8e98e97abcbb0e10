"""The frame of every page: banner with alarms, rail, title line with plant status, keyboard.

How a page uses it (`install(plant)` is called once, by app/main.py, before the pages):

    def create(plant: Plant) -> None:
        @ui.page("/alarms")
        def alarms() -> None:
            with frame(plant, "Alarms", active="/alarms"):
                place(card("Active now", …))     # our own HTML, see pages/markup.py and widgets
                ui.button("Acknowledge", …)      # NiceGUI elements where the server must act

- `frame(plant, title, active, crumbs)` lays the page out; the body is a column with 16 px
  gaps. `crumbs` are (words, address) pairs before the title.
- `guarded(action)` awaits a plant action and shows a refusal as a message instead of a traceback;
  returns True if it succeeded.  `actor()` is who acts on this page, see pages/who.py.
- CSS classes for page bodies: `mw-grid` (tiles, 280 px and up), `mw-columns` (three columns of a
  faceplate), `mw-card`, `mw-card-title`, `mw-table` (a plain <table>), `mw-button` with
  `mw-primary` or `mw-danger`, `mw-hint` (small grey text), `mw-row` (one line, 8 px gaps),
  `mw-num`, `mw-unit`, `mw-link`, `mw-pill`, `mw-p1`..`mw-p4` (priority colour as --prio).
  Colours only through the variables in static/tokens.css.
- In the browser `Millwright.live` is the one socket of the tab: `subscribe(path, paint)`,
  `onAlarms(paint)`, `history(path, seconds, points)`; `Millwright.alarms` holds all alarms that
  are not normal. An element with `data-alarm-id` that has the focus is what the `a` key
  acknowledges; `emitEvent("mw_acknowledge", {id})` does the same.
"""

import logging
import re
from collections.abc import Awaitable, Generator, Sequence
from contextlib import contextmanager

from nicegui import events, ui

from app.core.agent import AgentState
from app.core.errors import MillwrightError
from app.core.unit_names import with_unit_names
from app.plant import Plant
from app.supervisor.restart import agent_title
from pages import theme
from pages.away import away_notice, broker_status
from pages.first_look import add_first_look
from pages.icons import icon, priority_symbol
from pages.markup import Html, place, tag
from pages.rail import more_sheet, rail
from pages.waiting_commands import WaitingCommands
from pages.who import ACTOR, actor, remember, you
from pages.widgets.words import NONE

__all__ = ["ACTOR", "actor", "frame", "guarded", "install"]

logger = logging.getLogger(__name__)

AGENTS_SHOWN = 40
_HYPHENATED = re.compile(r"(\S*-\S*)")


def install(plant: Plant) -> None:
    """Serve the look and feed the status line; called once at start, before the pages."""
    theme.install()
    waiting = WaitingCommands(plant)
    plant.hub.watch_status(lambda: _status(plant, waiting))


def _status(plant: Plant, waiting: WaitingCommands) -> dict[str, object]:
    wanted = plant.agents_to_start()
    rows = [  # the simulator of a plant without a demo is no agent that fails
        row for row in plant.agents() if row.state is not AgentState.STOPPED or row.name in wanted
    ]
    name_of = plant.tags.unit_name
    running = sum(row.state is AgentState.RUNNING for row in rows)
    return {
        "approvals": plant.workflows.open_approvals + waiting.count(),
        "broker": broker_status(plant),
        "agents": {
            "running": running,
            "total": len(rows),
            "rows": [
                (agent_title(row.name), row.state, with_unit_names(row.reason, name_of))
                for row in rows[:AGENTS_SHOWN]
            ],
        },
    }


@contextmanager
def frame(
    plant: Plant,
    title: str,
    *,
    active: str = "",
    crumbs: Sequence[tuple[str, str]] = (),
) -> Generator[None]:
    """Draw the frame; what is built inside the block is the page's body.

    Args:
        plant: The plant, for its name, zone and acknowledging.
        title: Heading of the page and of the browser tab.
        active: Address of the rail's entry that is shown as chosen.
        crumbs: (words, address) of the pages above this one.
    """
    site = plant.settings.site
    ui.page_title(f"{title} · {site.name}")
    remember(plant.settings.people)
    ui.on("mw_acknowledge", lambda event: _acknowledge(plant, event))
    with ui.element("div").classes("mw-shell") as shell:
        place(_banner(site.name), rail(active), more_sheet(active))
        with ui.element("div").classes("mw-main").props("id=mw-page tabindex=-1"):
            place(_title_line(title, crumbs, site.timezone))
            place(away_notice(plant, active))
            yield
    add_first_look(shell)


async def _acknowledge(plant: Plant, event: events.GenericEventArguments) -> None:
    match event.args:
        case {"id": str() as alarm_id}:
            await guarded(plant.acknowledge(alarm_id, actor()))
        case _:
            logger.warning("a browser sent an acknowledgement without an alarm")


async def guarded(action: Awaitable[object]) -> bool:
    """Await an action; a refusal is shown with its hint. Returns whether it succeeded."""
    try:
        await action
    except MillwrightError as error:
        ui.notify(f"{error}. {error.hint}" if error.hint else str(error), type="warning")
        return False
    return True


def _banner(plant_name: str) -> Html:
    counts = [
        tag(
            "a",
            priority_symbol(priority, quiet=True),
            tag("span", NONE, class_="mw-count-number"),
            href=f"/alarms?priority={priority}",
            class_="mw-count",
            data_priority=priority,
        )
        for priority in (1, 2, 3, 4)
    ]
    tools = [
        you(),
        _tool("search", "Search everything ( / )", "mw-search-open"),
        _tool("mute", "Alarm sound is off", "mw-sound"),
        _tool("theme", "Dark or light", "mw-theme"),
        _tool("keys", "Keys ( ? )", "mw-keys-open"),
    ]
    return tag(
        "header",
        tag("a", "Skip to the page", href="#mw-page", class_="mw-button mw-skip"),
        tag("a", icon("plant"), tag("span", plant_name), href="/", class_="mw-plant"),
        tag("div", counts, class_="mw-counts", aria_label="Active alarms by priority"),
        tag("div", class_="mw-worst", id="mw-worst", aria_live="polite"),
        tag("div", tools, class_="mw-tools"),
        class_="mw-banner",
    )


def _tool(name: str, words: str, identifier: str) -> Html:
    return tag(
        "button", icon(name), type="button", class_="mw-tool", id=identifier, title=words,
        aria_label=words,
    )  # fmt: skip


def _title_line(title: str, crumbs: Sequence[tuple[str, str]], timezone: str) -> Html:
    above = [
        tag("span", tag("a", words, href=href, class_="mw-link"), tag("i", "/"), class_="mw-crumb")
        for words, href in crumbs
    ]
    status = tag(
        "div",
        tag("a", "broker", href="/health", class_="mw-state", id="mw-broker"),
        tag("a", "agents", href="/agents", class_="mw-state", id="mw-agents"),
        tag("time", "--:--:--", id="mw-clock", data_zone=timezone),
        class_="mw-status",
    )
    # "P-101" stays on one line
    words = [
        tag("span", part, class_="mw-whole") if "-" in part else part
        for part in _HYPHENATED.split(title)
    ]
    crumbs_line = tag("span", above, class_="mw-crumbs") if above else None
    return tag("div", tag("h1", crumbs_line, words), status, class_="mw-title")
