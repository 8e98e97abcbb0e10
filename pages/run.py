"""L3, one run: its graph and timeline while they happen, and what can be done about it."""

from collections.abc import Awaitable, Callable, Iterable
from typing import cast

from fastapi import Request, Response
from nicegui import events, ui

from app.core.actor import Actor
from app.core.errors import NotFoundError, StoreError
from app.core.run import StepRun, StepState, WorkflowRun
from app.core.run_plan import stopped_at
from app.core.workflow import ActionKind, Workflow
from app.plant import Plant
from pages.again import Again
from pages.decide import decide_on, waiting_commands
from pages.frame import actor, frame, guarded
from pages.markup import Html, place, tag
from pages.not_found import not_found
from pages.patches import Patches
from pages.unread import unread
from pages.widgets import with_unit_links
from pages.widgets.reason import reason_for
from pages.widgets.workflow import run_head
from pages.widgets.workflow.assets import add_files, serve_files
from pages.widgets.workflow.decision import Setting, open_decision
from pages.widgets.workflow.graph import graph_html, graph_parts, latest, place_steps
from pages.widgets.workflow.retry_dialog import ask_retry
from pages.widgets.workflow.step_panel import Sight, step_panel
from pages.widgets.workflow.timeline import timeline
from pages.widgets.workflow.words import is_over, sentence, title_of
from pages.work_feed import Changes, WorkFeed

_Act = Callable[[str, Actor, str], Awaitable[object]]
_DECISIONS = "decisions"
_RUNS = ("Runs", "/runs")
_GONE = "It may be too old to be kept, or its address was cut when it was copied."
_TELLING = (StepState.WAITING, StepState.RUNNING, StepState.FAILED, StepState.DONE)
"""Which step is shown of itself: the first state of these that a step has.

Once a run is over no step waits or runs, and one that failed tells why; before, one that failed
was gone past.
"""


def create(plant: Plant, feed: WorkFeed) -> None:
    """Register the page."""
    base = serve_files()

    @ui.page("/runs/{run_id}")
    async def run(request: Request, run_id: str) -> Response | None:
        try:
            definition = await plant.workflows.snapshot(run_id)
            found = await plant.workflows.run(run_id)  # last: what changes from here on is fed
        except NotFoundError:
            missing = f'There is no run "{run_id[:80]}"'
            return not_found(plant, request, missing, _RUNS, why=_GONE)
        except StoreError as error:
            with frame(plant, "Run", active="/runs", crumbs=[_RUNS]):
                place(unread(plant, error))
            return None
        add_files(base)
        with frame(plant, title_of(definition), active="/runs", crumbs=[_RUNS]):
            shown = _Run(plant, found, definition)
            feed.watch(shown.paint, shown.read)
            await shown.start()
        return None


class _Run:
    """What the page shows of one run."""

    def __init__(self, plant: Plant, run: WorkflowRun, definition: Workflow) -> None:
        self._plant = plant
        self._run = run
        self._definition = definition
        self._graph = place_steps(definition)
        self._steps = {(each.step, each.round): each for each in run.steps}
        self._chosen = _telling_step(run.steps, definition)
        self._is_chosen = False
        self._round = 0
        self._asked: list[Html] = []
        self._children: list[WorkflowRun] = []
        self._is_for_person = False
        self._patches = Patches({})
        self._again = Again(self.read)

    async def start(self) -> None:
        """Build the page."""
        await self._read_children()
        await self._read_asked()
        parts = self._parts()
        self._patches.reset(parts)
        if self._run.is_dry:
            place(tag("p", "Dry run: nothing was sent and nothing was changed.", class_="mw-dry"))
        place(parts[run_head.HEAD], parts[_DECISIONS])
        graph = {key: each for key, each in parts.items() if key == "edges" or key[:5] == "node-"}
        place(tag("section", graph_html(self._graph, graph), class_="mw-card"))
        with ui.element("div").classes("mw-run-columns"):
            times = tag("section", tag("h2", "Timeline"), parts["timeline"], class_="mw-card")
            facts = tag("section", parts[run_head.FACTS], class_="mw-card")
            place(tag("div", times, facts, class_="mw-stack"))
            place(parts["step"])
        ui.on("mw_step", self._step_chosen)
        ui.on("mw_act", self._act)

    def paint(self, changes: Changes) -> None:
        """Show what changed of this run."""
        head = changes.runs.get(self._run.id)
        if head is None:
            return
        fresh = changes.steps.get(self._run.id, {})
        self._steps |= fresh
        self._run = head
        self._follow()
        waits = any(each.state is StepState.WAITING for each in fresh.values())
        if waits or self._asked:
            self._again.ask()
        self._send()

    async def read(self) -> None:
        """Read the run anew and show it."""
        self._run = await self._plant.workflows.run(self._run.id)
        self._steps = {(each.step, each.round): each for each in self._run.steps}
        self._follow()
        await self._read_children()
        await self._ask_again()

    def _follow(self) -> None:
        """Show the step that tells most, until a person chooses one."""
        if not self._is_chosen:
            self._chosen = _telling_step(self._steps.values(), self._definition)

    async def _read_children(self) -> None:
        if any(step.do is ActionKind.WORKFLOW for step in self._definition.steps):
            self._children = await self._plant.workflows.runs(parent=self._run.id)

    async def _ask_again(self) -> None:
        await self._read_asked()
        self._send()

    async def _read_asked(self) -> None:
        if is_over(self._run):
            self._asked, self._is_for_person = [], False
            return
        setting = self._setting()
        mine = await self._plant.workflows.approvals(run=self._run.id)
        self._asked = [open_decision(each, setting, has_run=False) for each in mine]
        commands = await waiting_commands(self._plant, setting, self._run.id)
        self._asked += [plate for _, plate in commands]
        self._is_for_person = bool(self._asked)

    def _send(self) -> None:
        self._patches.send(self._parts())

    def _setting(self) -> Setting:
        return Setting(
            who=actor(),
            zone=self._plant.settings.site.timezone,
            now=self._plant.clock.now(),
            linked=self._linked,
            title=sentence,
        )

    def _linked(self, text: str) -> Html:
        return with_unit_links(text, self._plant.tags.unit_name)

    def _parts(self) -> dict[str, Html]:
        run, zone = self._run, self._plant.settings.site.timezone
        now, steps = self._plant.clock.now(), list(self._steps.values())
        parts = {
            run_head.HEAD: run_head.run_head(
                run,
                self._definition,
                zone,
                now,
                self._linked,
                is_for_person=self._is_for_person,
            ),
            _DECISIONS: tag("div", self._asked, class_="mw-queue", data_patch=_DECISIONS),
            run_head.FACTS: run_head.run_facts(
                run, self._current(), self._linked, self._plant.tags.unit_name, self._children
            ),
            "timeline": timeline(self._definition, run, steps, zone, now),
        }
        parts |= graph_parts(self._graph, latest(steps), self._chosen, now)
        parts["step"] = self._panel()
        return parts

    def _panel(self) -> Html:
        step = self._definition.step(self._chosen)
        rounds = sorted(
            (each for each in self._steps.values() if each.step == step.id), key=lambda e: e.round
        ) or [StepRun(step.id)]
        shown = next((each for each in rounds if each.round == self._round), rounds[-1])
        zone, now = self._plant.settings.site.timezone, self._plant.clock.now()
        sight = Sight(zone, now, self._linked)
        return step_panel(self._run, step, rounds, shown, sight)

    def _current(self) -> str:
        try:
            return self._plant.workflows.entry(self._run.workflow).version
        except NotFoundError:
            return ""

    def _step_chosen(self, event: events.GenericEventArguments) -> None:
        match event.args:
            case {"step": str() as step, "round": int() as number} if step in self._graph.spots:
                self._chosen, self._round, self._is_chosen = step, number, True
                self._send()
            case _:
                return

    async def _act(self, event: events.GenericEventArguments) -> None:
        if not isinstance(event.args, dict):
            return
        args = cast("dict[str, object]", event.args)  # keys of JSON are texts
        match args.get("do"):
            case "cancel":
                await self._cancel()
            case "retry":
                await self._retry(stopped_at(self._definition, self._steps.values()))
            case "retry-from":
                await self._retry(str(args.get("id", "")))
            case "review":
                await self._review()
            case _:
                if await decide_on(event, self._plant):
                    self._again.ask()

    async def _cancel(self) -> None:
        consequence = (
            "Steps under way are given up, finished steps that can be taken back are taken back, "
            "and nothing further is done."
        )
        await self._because(
            "Cancel this run?", consequence, "Cancel the run", self._plant.cancel_run
        )

    async def _review(self) -> None:
        consequence = "It leaves the dead letters; the run stays, with your name and reason."
        await self._because("Mark it as seen to?", consequence, "Seen to", self._plant.review_run)

    async def _because(self, question: str, consequence: str, verb: str, act: _Act) -> None:
        why = await reason_for(question, consequence, verb)
        if why is not None and await guarded(act(self._run.id, actor(), why)):
            self._again.ask()

    async def _retry(self, step: str) -> None:
        begun = {each.step for each in self._steps.values() if each.started_at}
        steps = {
            each.id: each.title or sentence(each.id)
            for each in self._definition.steps
            if each.id in begun
        }
        has_changed = self._current() not in {"", self._run.version}
        wanted = await ask_retry(steps, step, has_changed=has_changed)
        if wanted is None:
            return
        await guarded(self._start_again(wanted.step, wanted.definition, wanted.why))

    async def _start_again(self, step: str, definition: str, why: str) -> None:
        fresh = await self._plant.retry_run(
            self._run.id, actor(), why, step=step, definition=definition
        )
        ui.navigate.to(f"/runs/{fresh.id}")


def _telling_step(steps: Iterable[StepRun], definition: Workflow) -> str:
    rounds = latest(steps)
    for state in _TELLING:
        found = [name for name, each in rounds.items() if each.state is state]
        if found:
            return found[-1] if state is StepState.DONE else found[0]
    return definition.steps[0].id
