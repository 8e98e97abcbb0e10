"""L2, the action plan: what to do first about the open alarms, and the way to begin."""

from functools import partial
from pathlib import Path
from typing import Any

from nicegui import events, ui

from app.core.errors import NotFoundError, StoreError
from app.core.plan import PlanItem
from app.core.run import RunState, WorkflowRun
from app.live.plan import PlanView
from app.plant import Plant
from pages.frame import actor, frame
from pages.markup import Html, join, place, tag
from pages.patches import Patches
from pages.refresh import while_visible
from pages.sight import titles_of
from pages.widgets import empty_state, skeleton
from pages.widgets.upkeep.plan_item import PlanSight, item_key, plan_item
from pages.widgets.workflow.assets import add_files, serve_files
from pages.widgets.workflow.form import ask_and_start
from pages.widgets.workflow.words import count_words, ticking, when_words
from pages.work_feed import Changes, WorkFeed

OPEN_RUNS = 500
_CSS = Path(__file__).parent / "widgets" / "upkeep" / "upkeep.css"


def create(plant: Plant, feed: WorkFeed) -> None:
    """Register the page."""
    base = serve_files()

    @ui.page("/plan")
    async def plan() -> None:
        add_files(base)
        ui.add_css(_CSS)
        with frame(plant, "Action plan", active="/plan"):
            board = _Board(plant)
            feed.watch(board.note, board.read)
            await board.read()
            while_visible(board.paint)


class _Board:
    """The plan as this browser was shown it."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._runs: dict[tuple[str, str], WorkflowRun] = {}
        self._is_stale = False
        self._shown: list[str] = []
        self._now = plant.clock.now()
        self._patches = Patches({})
        self._head = place(tag("div"))
        self._items = place(tag("div", skeleton(8)))
        self._head_shown = Html("")
        ui.on("mw_act", self._act)

    async def read(self) -> None:
        """Read the open runs anew and show the plan."""
        self._is_stale = False
        open_states = (RunState.RUNNING, RunState.WAITING)
        try:
            found = await self._plant.workflows.runs(states=open_states, limit=OPEN_RUNS)
        except StoreError:
            found = []  # Health tells of the store; the plan stands without it
        self._runs = {(run.workflow, run.key): run for run in reversed(found)}
        self._draw()

    def note(self, changes: Changes) -> None:
        """Read again at the next second if runs changed."""
        self._is_stale = self._is_stale or bool(changes.runs)

    def paint(self) -> None:
        """Show what changed since the last second."""
        if self._is_stale:
            ui.timer(0, self.read, once=True)
        else:
            self._draw()

    def _draw(self) -> None:
        view = self._plant.plan()
        items = view.plan.items if view.plan else ()
        sight = self._sight()
        parts = {item_key(item): plan_item(item, sight) for item in items}
        # what is dimmed, and how many there are, is drawn with all of them
        order = [*parts, str(view.is_current), str(view.plan is None)]
        if order != self._shown:
            self._shown, self._now = order, self._plant.clock.now()
            sight = self._sight()
            parts = {item_key(item): plan_item(item, sight) for item in items}
            self._patches.reset(parts)
            self._items.set_content(_body(view, list(parts.values())))
        else:
            self._patches.send(parts)
        head = _head(view, sight)
        if head != self._head_shown:
            self._head_shown = head
            self._head.set_content(head)

    def _sight(self) -> PlanSight:
        plant = self._plant
        return PlanSight(
            alarms={alarm.id: alarm for alarm in plant.alarms.alarms()},
            name_of=plant.tags.unit_name,
            titles=titles_of(plant),
            runs=self._runs,
            zone=plant.settings.site.timezone,
            now=self._now,  # the browser counts on from there
        )

    async def _act(self, event: events.GenericEventArguments) -> None:
        match event.args:
            case {"do": "start", "id": str() as cause}:
                await self._start(cause)
            case _:
                return

    async def _start(self, cause: str) -> None:
        plan = self._plant.plan().plan
        item = next((each for each in plan.items if each.cause == cause), None) if plan else None
        if item is None:
            ui.notify("This cause is no longer in the plan", type="warning")
            return
        await self._ask(item)

    async def _ask(self, item: PlanItem) -> None:
        name = item.proposed_workflow
        try:
            flow = self._plant.workflows.entry(name).workflow
        except NotFoundError:
            flow = None
        if flow is None:
            ui.notify(f"The workflow “{name}” is missing or broken", type="warning")
            return
        begin = partial(self._begin, name)
        zone = self._plant.settings.site.timezone
        started = await ask_and_start(flow, self._plant.units(), zone, begin, item.proposed_input)
        if isinstance(started, WorkflowRun):
            ui.navigate.to(f"/runs/{started.id}")

    async def _begin(self, name: str, values: dict[str, Any], why: str) -> WorkflowRun:
        return await self._plant.start_workflow(name, values, actor(), why=why)


def _head(view: PlanView, sight: PlanSight) -> Html:
    return join([_trouble(view), _note(view, sight)])


def _trouble(view: PlanView) -> Html | None:
    if not view.problem:
        return None
    remedy = tag("a", view.remedy, href="/agents", class_="mw-link")
    return tag("p", tag("b", f"{view.problem}."), " ", remedy, class_="mw-away", role="status")


def _note(view: PlanView, sight: PlanSight) -> Html | None:
    plan = view.plan
    if plan is None:
        return None
    made = when_words(plan.made_at, sight.zone, sight.now)
    age = [f"Made {made} · ", ticking(plan.made_at, None, sight.now)]
    hidden = count_words(plan.hidden, "alarm is", "alarms are")
    aside = f"{hidden} shelved, suppressed or out of service and not ranked. "
    by = plan.model or "rules"
    flood = "More alarms came at once than a person can take in: what is behind most comes first. "
    return tag(
        "p",
        tag("b", flood) if plan.flood else None,
        aside if plan.hidden else None,
        f"Made by {by}; " if plan.model else None,
        f"{plan.note}. ",
        age,
        class_="mw-hint",
    )


def _body(view: PlanView, items: list[Html]) -> Html:
    if view.plan is None:
        return _none(view)
    if not items:
        if not view.is_current:
            return empty_state("The last plan had nothing to do", "Look at the alarms yourself.")
        return empty_state(
            "Nothing to do now",
            "No alarm is open. When some are, their causes stand here by urgency, each with what "
            "to do and the workflow that helps.",
        )
    return tag("div", items, class_="mw-items" if view.is_current else "mw-items mw-old")


def _none(view: PlanView) -> Html:
    if view.remedy.startswith("Wait"):
        return tag("div", skeleton(8), class_="mw-card")
    alarms = tag("a", "alarm list", href="/alarms", class_="mw-link")
    agents = tag("a", "Agents page", href="/agents", class_="mw-link")
    return empty_state(
        "There is no plan",
        "The planner ranks the causes of open alarms and proposes a workflow for each.",
        ["Start it on the ", agents, ", or work by the ", alarms, " meanwhile."],
    )
