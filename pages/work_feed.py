"""One feed of all runs and commands, gathered and handed to the pages that are looked at.

Every change comes once, from the workflow service and the command gateway. Changes within GATHER_S
become one: a page sees the latest of each run and step, at most five times a second, however many
runs there are. A page whose tab is hidden, or whose link is lost, gets nothing and reads
everything when it is back.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from nicegui import Client, background_tasks, events, ui

from app.core.command import Command
from app.core.run import RunChange, StepRun, WorkflowRun
from app.plant import Plant

logger = logging.getLogger(__name__)

GATHER_S = 0.2
"""Well below the 300 ms that a change may take to the screen, and five patches a second at most."""

LIMIT = 500
"""Runs, and commands, that change within GATHER_S; with more, pages read the store instead."""

_TELL_VISIBILITY = (
    "<script>document.addEventListener('visibilitychange',"
    "()=>emitEvent('mw_seen',{visible:!document.hidden}))</script>"
)


@dataclass(slots=True)
class Changes:
    """What changed since the last time.

    Attributes:
        runs: Latest head of each run, by id.
        steps: Latest of each step and round of each run.
        commands: Latest of each command, by id.
        is_whole: Everything is in it; else the reader must read anew.
    """

    runs: dict[str, WorkflowRun] = field(default_factory=dict[str, WorkflowRun])
    steps: dict[str, dict[tuple[str, int], StepRun]] = field(
        default_factory=dict[str, dict[tuple[str, int], StepRun]]
    )
    commands: dict[str, Command] = field(default_factory=dict[str, Command])
    is_whole: bool = True

    def add(self, change: RunChange) -> None:
        """Take one change in; a later one replaces an earlier one."""
        run = change.run
        if run.id not in self.runs and len(self.runs) >= LIMIT:
            self.is_whole = False
            return
        self.runs[run.id] = run
        if change.step:
            self.steps.setdefault(run.id, {})[change.step.step, change.step.round] = change.step

    def add_command(self, command: Command) -> None:
        """Take a command in."""
        if command.id not in self.commands and len(self.commands) >= LIMIT:
            self.is_whole = False
            return
        self.commands[command.id] = command


@dataclass(eq=False, slots=True)
class _Watcher:
    client: Client
    paint: Callable[[Changes], None]
    reload: Callable[[], Awaitable[None]]
    is_visible: bool = True
    has_come: bool = False
    has_missed: bool = False


class WorkFeed:
    """Hands changes on; made once for all pages."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._watchers: set[_Watcher] = set()
        self._changes = Changes()
        self._is_due = False
        plant.workflows.on_change(self._take)
        plant.commands.on_change(self._take_command)

    def watch(
        self, paint: Callable[[Changes], None], reload: Callable[[], Awaitable[None]]
    ) -> None:
        """Tell the page being built: `paint` draws changes, `reload` reads everything anew."""
        client = ui.context.client
        watcher = _Watcher(client, paint, reload)
        self._watchers.add(watcher)
        client.on_delete(lambda: self._watchers.discard(watcher))

        def seen(event: events.GenericEventArguments) -> None:
            match event.args:
                case {"visible": bool() as is_visible}:
                    is_back = is_visible and not watcher.is_visible
                    watcher.is_visible = is_visible
                case _:
                    return
            if is_back:
                background_tasks.create(self._reload(watcher), name="show runs again")

        def connected() -> None:
            # on a slow network the first link stands many seconds after the page was read
            if watcher.has_come or watcher.has_missed:
                background_tasks.create(self._reload(watcher), name="show runs after a lost link")
            watcher.has_come = True

        client.on_connect(connected)
        ui.on("mw_seen", seen)
        ui.add_body_html(_TELL_VISIBILITY)

    def _take(self, change: RunChange) -> None:
        if not self._watchers:
            return
        self._changes.add(change)
        self._call()

    def _take_command(self, command: Command) -> None:
        if not self._watchers:
            return
        self._changes.add_command(command)
        self._call()

    def _call(self) -> None:
        if not self._is_due:
            self._is_due = True
            background_tasks.create(self._flush(), name="changes of runs to pages")

    async def _flush(self) -> None:
        await self._plant.clock.sleep(GATHER_S)
        changes, self._changes, self._is_due = self._changes, Changes(), False
        for watcher in list(self._watchers):
            if not watcher.is_visible or not watcher.client.has_socket_connection:
                watcher.has_missed = True
            elif changes.is_whole:
                self._paint(watcher, changes)
            else:
                await self._reload(watcher)

    def _paint(self, watcher: _Watcher, changes: Changes) -> None:
        try:
            with watcher.client:
                watcher.paint(changes)
        except Exception:
            logger.exception("a page could not show changes of runs")

    async def _reload(self, watcher: _Watcher) -> None:
        watcher.has_missed = False
        try:
            with watcher.client:
                await watcher.reload()
        except Exception:
            watcher.has_missed = True
            logger.exception("a page could not read runs again")
