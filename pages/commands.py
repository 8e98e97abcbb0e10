"""L3, the commands: every change of a tag that was asked for, and what came of it."""

from collections.abc import Collection

from fastapi import Request
from nicegui import events, ui

from app.core.command import Command, CommandState
from app.plant import Plant
from pages.again import Again
from pages.frame import frame
from pages.markup import Html, place, tag
from pages.patches import Patches
from pages.sight import sight_of
from pages.unread import read_or_tell
from pages.widgets import empty_state, skeleton
from pages.widgets.workflow.assets import add_files, serve_files
from pages.widgets.workflow.choices import state_chips
from pages.widgets.workflow.command_row import HEADINGS, command_key, command_row
from pages.widgets.workflow.marks import COMMAND_LOOKS
from pages.work_feed import Changes, WorkFeed

ROWS = 200
_STATES = {state: COMMAND_LOOKS[state][1].capitalize() for state in CommandState}


def create(plant: Plant, feed: WorkFeed) -> None:
    """Register the page."""
    base = serve_files()

    @ui.page("/commands")
    async def commands(request: Request) -> None:
        add_files(base)
        named = request.query_params.get("state", "").split(",")
        states = frozenset(state for state in CommandState if state.value in named)
        with frame(plant, "Commands", active="/commands"):
            listing = _Listing(plant, states)
            feed.watch(listing.paint, listing.read)
            await read_or_tell(plant, listing.read)


class _Listing:
    """The choice of states and the list."""

    def __init__(self, plant: Plant, states: frozenset[CommandState]) -> None:
        self._plant = plant
        self._states = states
        self._rows: list[str] = []
        self._patches = Patches({})
        self._again = Again(self.read)
        with ui.element("div").classes("mw-filters"):
            self._chips = place(state_chips(_STATES, self._states))
        with ui.element("section").classes("mw-card mw-runs-card"):
            self._list = place(skeleton(6))
        self._more = place(tag("span"))
        ui.on("mw_state", self._chosen)

    async def read(self) -> None:
        """Read the list anew and show it."""
        found = await self._plant.commands.find(tuple(self._states), limit=ROWS)
        sight = sight_of(self._plant)
        rows = {command_key(each.id): command_row(each, sight) for each in found}
        self._rows = [each.id for each in found]
        self._patches.reset(rows)
        self._chips.set_content(state_chips(_STATES, self._states))
        self._list.set_content(_table(list(rows.values())) if rows else _nothing(self._states))
        self._more.set_content(_more(len(rows)))

    def paint(self, changes: Changes) -> None:
        """Show what changed."""
        if not changes.commands:
            return
        taken = {key: each for key, each in changes.commands.items() if self._takes(each)}
        new = [key for key in taken if key not in self._rows]
        if new and not self._rows:
            self._again.ask()
            return
        sight = sight_of(self._plant)
        gone = [key for key in changes.commands if key in self._rows and key not in taken]
        self._rows = [*reversed(new), *(key for key in self._rows if key not in gone)]
        gone += self._rows[ROWS:]
        self._rows = self._rows[:ROWS]
        rows = {key: command_row(each, sight) for key, each in taken.items() if key not in gone}
        self._patches.send(
            {command_key(key): row for key, row in rows.items() if key not in new},
            top={command_key(key): rows[key] for key in new if key in rows},
            gone=[command_key(key) for key in gone],
            into="commands",
        )

    def _takes(self, command: Command) -> bool:
        return not self._states or command.state in self._states

    @property
    def _address(self) -> str:
        """The page's address with the states that are chosen, for a reload and the way back."""
        return f"/commands?state={','.join(sorted(self._states))}" if self._states else "/commands"

    async def _chosen(self, event: events.GenericEventArguments) -> None:
        match event.args:
            case {"state": str() as name} if name in set(CommandState):
                self._states ^= {CommandState(name)}
                await self.read()
                ui.run_javascript(f"history.replaceState(null, '', {self._address!r})")
            case _:
                return


def _table(rows: list[Html]) -> Html:
    head = tag("tr", [tag("th", words, scope="col") for words in HEADINGS])
    body = tag("tbody", rows, data_patch="commands")
    return tag("table", tag("thead", head), body, class_="mw-table mw-commands")


def _more(rows: int) -> Html:
    if rows < ROWS:
        return tag("div")
    words = f"The newest {ROWS} are shown; older ones stand in the "
    return tag("p", words, tag("a", "audit", href="/audit", class_="mw-link"), class_="mw-hint")


def _nothing(chosen: Collection[CommandState]) -> Html:
    if chosen:
        return empty_state("No command is in these states")
    return empty_state(
        "Nothing was commanded yet",
        "Each change of a tag that a person, a workflow or another system asks for is a row "
        "here, with its checks, approval and result.",
        "A unit's page has a form for the tags that may be written.",
    )
