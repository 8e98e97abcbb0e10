"""Finds out what a step has done that came to no good end, before anybody takes it back."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from app.core.errors import StoreError
from app.core.run import StepRun, StepState
from app.core.workflow import Step
from app.workflow.context import Fate
from app.workflow.elements import Elements, Unsure
from app.workflow.slots import slot

if TYPE_CHECKING:
    from app.workflow.runner import Runner

UNKNOWN = Fate(may_have_acted=True)
_TOLD = 5
_LOOK_S = 0.5
_STORE_S = 1.0
_STORE_TIMES = 60
"""Tries to read what became of a step; after that it counts as one that may have acted."""


class BrokenOff:
    """One step in one round that failed or was cancelled while it was being done."""

    def __init__(
        self, runner: "Runner", step: Step, round_: int, waiting: Callable[[str], None]
    ) -> None:
        self._runner = runner
        self._step = step
        self._round = round_
        self._waiting = waiting

    async def settled(self, settled: StepRun) -> StepRun:
        """Return what became of a step without a list, with what is known of its doing."""
        fate = await self._fate("") or UNKNOWN
        return msgspec.structs.replace(
            settled,
            output=fate.output,
            error=_said(settled, [fate.words] if fate.words else []),
            may_have_acted=fate.may_have_acted,
            ended_at=self._runner.clock.now(),
        )

    async def settled_list(
        self, settled: StepRun, begun: Iterable[int], *, is_known: bool
    ) -> StepRun:
        """Return what became of a for-each, with what is known of its elements.

        Args:
            settled: How it ended.
            begun: Places of elements that are neither done nor refused.
            is_known: Those have begun; if not, nobody can say which of them had.
        """
        found = Elements(self._runner.slots, self._step.id, self._round)
        unsure: dict[int, object] = {}
        words: list[str] = []
        for index in sorted(set(begun) - found.outputs.keys()):
            fate = await self._fate(f".{index}")
            if fate is None and not is_known:
                return msgspec.structs.replace(settled, may_have_acted=True)
            fate = fate or UNKNOWN
            words += [f"element {index + 1}: {fate.words}"] if fate.words else []
            if fate.may_have_acted:
                unsure[index] = fate.output
        if self._step.compensate and found.items:
            await self._keep(Unsure(sorted(unsure), unsure))
        known = {**unsure, **found.outputs}
        return msgspec.structs.replace(
            settled,
            output=[known.get(index) for index in range(len(found.items))] or None,
            error=_said(settled, words),
            may_have_acted=bool(known),
            ended_at=self._runner.clock.now(),
        )

    async def _keep(self, unsure: Unsure) -> None:
        key = slot(self._step.id, self._round, "unsure")
        await self._runner.keep(key, unsure)
        self._runner.slots[key] = msgspec.json.encode(unsure)

    async def _fate(self, suffix: str) -> Fate | None:
        """Return what became of what was asked for, once that is certain or lasts too long."""
        runner, kind = self._runner, self._step.do
        task_id = runner.task_id(self._step, self._round) + suffix
        began_s, refused, is_withdrawn = runner.clock.monotonic(), 0, False
        while True:
            try:
                fate = await runner.actions.fate(kind, task_id)
                if fate and fate.can_be_withdrawn and runner.cancelled and not is_withdrawn:
                    await runner.actions.withdraw(kind, task_id)
                    is_withdrawn = True
                    continue
            except StoreError as error:
                refused += 1
                if refused >= _STORE_TIMES:
                    return None
                self._waiting(f"the store: {error}")
                await runner.clock.sleep(_STORE_S)
                continue
            if fate is None or runner.clock.monotonic() - began_s >= fate.patience_s:
                return fate
            self._waiting(fate.words)
            await runner.clock.sleep(_LOOK_S)


def _said(settled: StepRun, words: list[str]) -> str:
    """Return the error of a step; a failure says itself what became of it."""
    told = words[:_TOLD] if settled.state is StepState.CANCELLED else []
    more = f"and {len(words) - _TOLD} more"
    return "; ".join([settled.error, *told, *([more] if told and len(words) > _TOLD else [])])
