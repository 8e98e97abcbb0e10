"""L3, the runs of all workflows: found by filters, newest first, live, and mended many at once."""

from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlencode

from fastapi import Request
from nicegui import events, ui

from app.core.run import RunState, WorkflowRun
from app.plant import Plant
from pages.again import Again
from pages.frame import frame
from pages.markup import Html, place, tag
from pages.patches import Patches
from pages.run_acts import ask_and_do
from pages.sight import around_of, titles_of
from pages.unread import read_or_tell
from pages.widgets import empty_state, skeleton
from pages.widgets.workflow.assets import add_files, serve_files
from pages.widgets.workflow.choices import bulk_bar, state_chips
from pages.widgets.workflow.run_row import run_key, run_row, run_table
from pages.widgets.workflow.words import sentence
from pages.work_feed import Changes, WorkFeed

ROWS = 100
_STATES = {
    RunState.RUNNING: "Running",
    RunState.WAITING: "Waiting",
    RunState.FAILED: "Failed",
    RunState.COMPLETED: "Completed",
    RunState.CANCELLED: "Cancelled",
}
_ACTS = (("retry", "Retry", "mw-primary"), ("cancel", "Cancel runs", ""))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which runs are shown; it stands in the page's address.

    Attributes:
        workflow: Name of a workflow; empty for all.
        states: States; empty for all.
        key: What runs are counted by, such as the path of a unit.
        text: Words in them.
        before: Id of the run that these are older than; empty for the newest.
    """

    workflow: str = ""
    states: frozenset[RunState] = frozenset()
    key: str = ""
    text: str = ""
    before: str = ""

    @property
    def address(self) -> str:
        """The page's address with this filter."""
        states = ",".join(sorted(self.states))
        pairs = {
            "workflow": self.workflow,
            "state": states,
            "key": self.key,
            "text": self.text,
            "before": self.before,
        }
        query = urlencode({key: value for key, value in pairs.items() if value})
        return f"/runs?{query}" if query else "/runs"

    @property
    def is_open(self) -> bool:
        """It hides nothing."""
        return self == Filter(before=self.before)

    def takes(self, run: WorkflowRun) -> bool:
        """Tell whether a run that changed belongs into the list; words are left to the store."""
        return (
            self.workflow in {"", run.workflow}
            and (not self.states or run.state in self.states)
            and self.key in {"", run.key}
        )


def read_filter(query: dict[str, str]) -> Filter:
    """Return the filter that an address names; states it does not know are left out."""
    named = query.get("state", "").split(",")
    return Filter(
        workflow=query.get("workflow", ""),
        states=frozenset(state for state in RunState if state.value in named),
        key=query.get("key", ""),
        text=query.get("text", ""),
        before=query.get("before", ""),
    )


def create(plant: Plant, feed: WorkFeed) -> None:
    """Register the page."""
    base = serve_files()

    @ui.page("/runs")
    async def runs(request: Request) -> None:
        add_files(base)
        with frame(plant, "Runs", active="/runs"):
            listing = _Listing(plant, read_filter(dict(request.query_params)))
            feed.watch(listing.paint, listing.read)
            await read_or_tell(plant, listing.read)


class _Listing:
    """The filters and the list below them."""

    def __init__(self, plant: Plant, wanted: Filter) -> None:
        self._plant = plant
        self._filter = wanted
        self._rows: list[str] = []
        self._patches = Patches({})
        self._again = Again(self.read)
        self._make_filters()
        place(bulk_bar(_ACTS))
        with ui.element("section").classes("mw-card mw-runs-card"):
            self._list = place(skeleton(8))
        with ui.element("div").classes("mw-pages"):
            self._newest = ui.button("Newest", on_click=partial(self._go, ""), color=None)
            self._older = ui.button("Older", on_click=self._go_older, color=None)
            self._newest.props("flat").mark("newest")
            self._older.props("flat").mark("older")
        ui.on("mw_bulk", self._bulk)
        ui.on("mw_state", self._state_chosen)

    def _make_filters(self) -> None:
        names = {entry.name: sentence(entry.name) for entry in self._plant.workflows.catalogue()}
        if self._filter.workflow:  # one that is no more has runs all the same
            names.setdefault(self._filter.workflow, sentence(self._filter.workflow))
        titles = names | titles_of(self._plant)
        with ui.element("div").classes("mw-filters"):
            choice = ui.select(
                {"": "All workflows"} | titles,
                value=self._filter.workflow,
                on_change=lambda event: self._refine(workflow=str(event.value)),
            )
            choice.props('outlined dense options-dense aria-label="Workflow"').mark("workflow")
            self._states = place(state_chips(_STATES, self._filter.states))
            words = ui.input(
                placeholder="Words, a person, a unit, an id",
                value=self._filter.text,
                on_change=lambda event: self._refine(text=str(event.value or "").strip()),
            )
            words.props('outlined dense clearable debounce=300 aria-label="Words"')
            words.classes("mw-find").mark("words")
            self._key = ui.button(on_click=lambda: self._refine(key=""), color=None)
            self._key.props("flat").mark("key")
            place(tag("a", "Dead letters", href="/dead-letters", class_="mw-button"))

    async def _refine(
        self,
        *,
        workflow: str | None = None,
        text: str | None = None,
        key: str | None = None,
        states: frozenset[RunState] | None = None,
    ) -> None:
        old = self._filter
        self._filter = Filter(
            workflow=old.workflow if workflow is None else workflow,
            text=old.text if text is None else text,
            key=old.key if key is None else key,
            states=old.states if states is None else states,
        )
        if self._filter != old:
            await self._go("")

    async def _state_chosen(self, event: events.GenericEventArguments) -> None:
        match event.args:
            case {"state": str() as name} if name in set(RunState):
                await self._refine(states=self._filter.states ^ {RunState(name)})
            case _:
                await self._refine(states=frozenset())

    async def _go_older(self) -> None:
        await self._go(self._rows[-1] if self._rows else "")

    async def _go(self, before: str) -> None:
        self._filter = replace(self._filter, before=before)
        await self.read()
        ui.run_javascript(f"history.replaceState(null, '', {self._filter.address!r})")

    async def read(self) -> None:
        """Read the list anew and show it."""
        wanted = self._filter
        found = await self._plant.workflows.runs(
            workflow=wanted.workflow,
            states=wanted.states,
            key=wanted.key,
            text=wanted.text,
            before=wanted.before,
            limit=ROWS + 1,
        )
        if wanted != self._filter:
            return  # a newer choice was made meanwhile, and is being read
        around = around_of(self._plant)
        shown = found[:ROWS]
        self._rows = [run.id for run in shown]
        rows = {run_key(run.id): run_row(run, around) for run in shown}
        self._patches.reset(rows)
        self._list.set_content(run_table(list(rows.values())) if rows else _nothing(wanted))
        self._states.set_content(state_chips(_STATES, wanted.states))
        self._older.set_visibility(len(found) > ROWS)
        self._newest.set_visibility(bool(wanted.before))
        self._key.set_text(f"For {self._plant.tags.unit_name(wanted.key) or wanted.key}  ✕")
        self._key.set_visibility(bool(wanted.key))

    def paint(self, changes: Changes) -> None:
        """Show what changed."""
        taken = {run.id: run for run in changes.runs.values() if self._filter.takes(run)}
        is_new = bool(taken.keys() - set(self._rows)) and not self._filter.before
        if is_new and (not self._rows or self._filter.text):
            self._again.ask()
            return
        around = around_of(self._plant)
        known = {each: changes.runs[each] for each in self._rows if each in changes.runs}
        gone = [each for each in known if each not in taken]
        new = sorted(each for each in taken if each > self._rows[0]) if is_new else []
        self._rows = [*reversed(new), *(each for each in self._rows if each not in gone)]
        gone += self._rows[ROWS:]
        self._rows = self._rows[:ROWS]
        kept = {each: run for each, run in known.items() if each not in gone}
        self._patches.send(
            {run_key(each): run_row(run, around) for each, run in kept.items()},
            top={run_key(each): run_row(taken[each], around) for each in new},
            gone=[run_key(each) for each in gone],
            into="runs",
        )

    async def _bulk(self, event: events.GenericEventArguments) -> None:
        if await ask_and_do(self._plant, event):
            await self.read()


def _nothing(wanted: Filter) -> Html:
    if not wanted.is_open or wanted.before:
        clear = tag("a", "Show all runs", href="/runs", class_="mw-link")
        return empty_state("No run fits this choice", clear)
    start = tag("a", "Workflows", href="/workflows", class_="mw-link")
    return empty_state(
        "No workflow has run yet",
        "Each run will be a row here, with its state, who or what started it and what it waits "
        "for.",
        ["Start one on the page ", start, ", or wait for one of their triggers."],
    )
