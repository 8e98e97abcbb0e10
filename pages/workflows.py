"""L3, the catalogue: what each workflow is for, when it starts, how its last run ended."""

from functools import partial
from typing import Any, cast

from fastapi import Request
from nicegui import events, ui

from app.core.errors import NotFoundError
from app.core.run import WorkflowRun
from app.core.workflow_entry import Entry
from app.plant import Plant
from pages.frame import actor, frame, guarded
from pages.markup import Html, join, place, tag
from pages.patches import Patches
from pages.sight import around_of
from pages.unread import read_or_tell
from pages.widgets import empty_state
from pages.widgets.workflow.assets import add_files, serve_files
from pages.widgets.workflow.flow_card import fits, flow_card, flow_key
from pages.widgets.workflow.form import ask_and_start
from pages.widgets.workflow.words import count_words, sentence, title_of
from pages.work_feed import Changes, WorkFeed


def create(plant: Plant, feed: WorkFeed) -> None:
    """Register the page."""
    base = serve_files()

    @ui.page("/workflows")
    async def workflows(request: Request) -> None:
        add_files(base)
        with frame(plant, "Workflows", active="/workflows"):
            catalogue = _Catalogue(plant, request.query_params.get("find", ""))
            feed.watch(catalogue.paint, catalogue.read)
            await read_or_tell(plant, catalogue.read)


class _Catalogue:
    """The search field and the cards."""

    def __init__(self, plant: Plant, words: str) -> None:
        self._plant = plant
        self._words = words
        self._patches = Patches({})
        with ui.element("div").classes("mw-filters"):
            find = ui.input(placeholder="Find a workflow", value=words, on_change=self._find)
            find.props('outlined dense clearable debounce=200 aria-label="Find a workflow"')
            find.classes("mw-find").mark("find")
            place(tag("a", "New workflow", href="/workflows/new", class_="mw-button"))
            self._count = place(tag("span"))
        self._cards = place(tag("div"))
        ui.on("mw_act", self._act)

    async def read(self) -> None:
        """Read everything anew and show it."""
        self._draw()

    def _draw(self) -> None:
        entries = sorted(self._plant.workflows.catalogue(), key=_place)
        around = around_of(self._plant)
        shown = {
            flow_key(entry.name): flow_card(entry, around)
            for entry in entries
            if fits(entry, self._words)
        }
        self._patches.reset(shown)
        self._count.set_content(_count(len(shown), len(entries)))
        cards = tag("div", join(shown.values()), class_="mw-catalogue")
        self._cards.set_content(cards if shown else _nothing(self._words))

    def paint(self, changes: Changes) -> None:
        """Show what changed."""
        names = {run.workflow for run in changes.runs.values()}
        around = around_of(self._plant)
        found = [self._plant.workflows.entry(name) for name in names if self._has(name)]
        shown = [entry for entry in found if fits(entry, self._words)]
        self._patches.send({flow_key(entry.name): flow_card(entry, around) for entry in shown})

    def _has(self, name: str) -> bool:
        try:
            self._plant.workflows.entry(name)
        except NotFoundError:
            return False
        return True

    def _find(self, event: events.ValueChangeEventArguments[str | None]) -> None:
        self._words = event.value or ""
        self._draw()

    async def _act(self, event: events.GenericEventArguments) -> None:
        if not isinstance(event.args, dict):
            return
        args = cast("dict[str, object]", event.args)  # keys of JSON are texts
        name = str(args.get("id", ""))
        match args.get("do"):
            case "start":
                await self._start(name)
            case "enable" | "disable" as do:
                action = self._plant.enable_workflow(name, do == "enable", actor())
                if await guarded(action):
                    self._draw()
            case _:
                return

    async def _start(self, name: str) -> None:
        entry = self._plant.workflows.entry(name)
        if entry.workflow is None:
            return
        started = await ask_and_start(
            entry.workflow,
            self._plant.units(),
            self._plant.settings.site.timezone,
            partial(self._begin, name),
        )
        if isinstance(started, WorkflowRun):
            ui.navigate.to(f"/runs/{started.id}")

    async def _begin(self, name: str, values: dict[str, Any], why: str) -> WorkflowRun:
        return await self._plant.start_workflow(name, values, actor(), why=why)


def _place(entry: Entry) -> tuple[bool, str]:
    """Broken ones stand first, the rest by title."""
    flow = entry.workflow
    return flow is not None, (title_of(flow) if flow else sentence(entry.name)).lower()


def _count(shown: int, known: int) -> Html:
    words = count_words(known, "workflow")
    return tag("span", words if shown == known else f"{shown} of {words}", class_="mw-hint")


def _nothing(words: str) -> Html:
    if words:
        return empty_state(f"No workflow has “{words}” in it")
    new = tag("a", "New workflow", href="/workflows/new", class_="mw-link")
    return empty_state(
        "There is no workflow",
        "A workflow says what is done, step by step, when something happens in the plant.",
        [new, " makes one, or put a TOML file into data/workflows."],
    )
