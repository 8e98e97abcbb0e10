"""Cooldowns over restarts and orchestrators: when a key began its last run, as the store tells."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from app.core.clock import Clock
from app.core.errors import InputError
from app.core.run import WorkflowRun
from app.core.trigger_rules import Quiet, key_of, was_begun_by
from app.core.workflow import Trigger, TriggerKind
from app.workflow.context import PlantSilentError

Begun = Callable[[str, datetime], Awaitable[list[WorkflowRun]]]
"""Gives the runs of a workflow that were begun since a moment."""


class Cooldowns:
    """Asks the store once for each trigger that has a cooldown, before its first event counts.

    The end of a run is heard by whichever orchestrator carried it out: where several share the
    store, it is asked before each such event.
    """

    def __init__(
        self,
        clock: Clock,
        begun: Begun,
        functions: Mapping[str, Callable[..., object]],
        *,
        is_shared: bool,
    ) -> None:
        self._clock = clock
        self._begun = begun
        self._functions = functions
        self._is_shared = is_shared
        self._recalled: dict[tuple[str, int], Trigger] = {}

    def forget(self) -> None:
        """Ask anew: another orchestrator may begin runs from now on."""
        self._recalled.clear()

    async def recall(self, workflow: str, number: int, trigger: Trigger, quiet: Quiet) -> None:
        """Note in `quiet` what the trigger began before we looked.

        Raises:
            StoreError: The store cannot be read.
            PlantSilentError: The key asks for a tag that nobody has told yet.
        """
        if not trigger.cooldown_s or self._recalled.get((workflow, number)) == trigger:
            return
        since = self._clock.now() - timedelta(seconds=trigger.cooldown_s)
        for run in await self._begun(workflow, since):
            if was_begun_by(trigger, number, run):
                self._note(trigger, run, quiet)
        if not (self._is_shared and trigger.on is TriggerKind.WORKFLOW):
            self._recalled[workflow, number] = trigger

    def _note(self, trigger: Trigger, run: WorkflowRun, quiet: Quiet) -> None:
        try:
            key = key_of(trigger, run.started_by.event, self._functions)
        except PlantSilentError:
            raise
        except InputError:  # the key reads what that event did not have: it is of no key of today
            return
        ago_s = max(0.0, (self._clock.now() - run.started_at).total_seconds())
        quiet.begun(key, self._clock.monotonic() - ago_s)
