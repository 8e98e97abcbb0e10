"""Plays a run without doing anything: what each step becomes is drawn beforehand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
from hypothesis import strategies as st

from app.core.errors import InputError
from app.core.run import StepRun, StepState
from app.core.run_plan import RunPlan, bound_reached, error_leads_back
from app.core.step_order import needs_order
from app.core.workflow import ActionKind, Jump, Step, Workflow
from app.core.workflow_check import check

LONGEST = 5000
Fate = Callable[[str, int], int]
"""What a step becomes in a round: 0 to 2 done, 3 skipped, 4 failed, and bit 3 wants to loop."""


@dataclass
class Player:
    """Carries a plan out.

    Attributes:
        plan: The plan.
        fate: What steps become.
        settled: What became of steps, in order.
        begun: Each step that began, with those it needs as they were then.
    """

    plan: RunPlan
    fate: Fate
    settled: list[StepRun] = field(default_factory=list[StepRun])
    begun: list[tuple[Step, bool, list[StepState | None]]] = field(
        default_factory=list[tuple[Step, bool, list[StepState | None]]]
    )

    def play(self, picks: Sequence[int]) -> RunPlan:
        """Go on to the end; `picks` says which of the running steps ends next."""
        running: list[tuple[Step, StepState | None]] = []
        for turn in range(LONGEST):
            running += [(step, self._begin(step)) for step in self.plan.ready()]
            if not running and not self.plan.jump():
                return self.plan
            if running:
                ended = running.pop(picks[turn % len(picks)] % len(running))
                self._settle(*ended)
        raise AssertionError("the run does not end")

    def _begin(self, step: Step) -> StepState | None:
        needs = [self.plan.current(name) for name in step.needs]
        verdict = self.plan.verdict(step)
        self.plan.begin(step.id)
        states = [run.state if run else None for run in needs]
        self.begun.append((step, self.plan.is_failing and verdict is None, states))
        return verdict

    def _settle(self, step: Step, verdict: StepState | None) -> None:
        run = StepRun(step.id, self.plan.round_of(step.id), verdict or StepState.DONE)
        settled = run if verdict else self._fated(step, run)
        self.settled.append(settled)
        self.plan.settle(settled)

    def _fated(self, step: Step, run: StepRun) -> StepRun:
        drawn = self.fate(step.id, run.round)
        kind, wants = drawn % 5, drawn >= 8
        if kind == 3:
            return msgspec.structs.replace(run, state=StepState.SKIPPED)
        if kind == 4 or (wants and bound_reached(self.plan, step)):
            back = kind == 4 and error_leads_back(self.plan, step)
            return msgspec.structs.replace(run, state=StepState.FAILED, jumps=back)
        return msgspec.structs.replace(run, jumps=wants and step.goto is not None)


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    """Sound workflows of up to eight steps with errors, handlers and loops."""
    count = draw(st.integers(1, 8))
    names = [f"s{index}" for index in range(count)]
    steps = tuple(
        Step(
            id=name,
            do=ActionKind.TASK,
            with_={"capability": "work"},
            needs=tuple(sorted(draw(st.sets(st.sampled_from(names[:index]), max_size=3))))
            if index
            else (),
            on_error=draw(
                st.sampled_from(["fail", "continue", *(f"goto:{each}" for each in names)])
            ),
            goto=draw(
                st.none()
                | st.builds(Jump, step=st.sampled_from(names[: index + 1]), max=st.integers(1, 3))
            ),
        )
        for index, name in enumerate(names)
    )
    return Workflow(name="demo", steps=steps)


def is_sound(workflow: Workflow) -> bool:
    """Tell whether a definition would be taken."""
    try:
        needs_order(workflow)
    except InputError:
        return False
    return not [each for each in check(workflow) if each.severity == "error"]


def fates(table: Sequence[int]) -> Fate:
    """Return a fate that depends on step and round alone."""
    return lambda step, round_: table[(int(step[1:]) * 31 + round_ * 17) % len(table)]
