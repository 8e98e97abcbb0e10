"""What a run does next: a pure function of its definition and of what its steps have become.

Steps run as soon as those they need have ended, beside each other where nothing orders them. A
step that fails ends the run: what depends on it does not begin, what runs already may end. A loop
goes back when nothing runs any more, so the order in which parallel steps end changes nothing and
a run that is taken up again after a crash goes the same way.
"""

from collections.abc import Iterable, Mapping

from app.core.run import SETTLED, RunState, StepRun, StepState
from app.core.step_order import ancestors, descendants, needs_order
from app.core.workflow import Step, Workflow

_USABLE = frozenset({StepState.DONE})
ERROR_ROUNDS = 10
"""Times that the errors of one step may lead back to an earlier one in one run."""


class RunPlan:
    """The steps of one run, each in its present round.

    Attributes:
        workflow: The definition.
    """

    def __init__(self, workflow: Workflow) -> None:
        self.workflow = workflow
        self._steps = {step.id: step for step in needs_order(workflow)}
        self._back = {
            step.id
            for step in workflow.steps
            if step.handler and step.handler in {step.id, *ancestors(workflow, step.id)}
        }
        self._called: dict[str, list[str]] = {name: [] for name in self._steps}
        for step in self._steps.values():
            if step.handler in self._called and step.id not in self._back:
                self._called[step.handler].append(step.id)
        self._round = dict.fromkeys(self._steps, 1)
        self._settled: dict[tuple[str, int], StepRun] = {}
        self._running: set[str] = set()
        # What would else be counted again over all steps at each of them
        self._open = dict.fromkeys(self._steps)
        self._ending: set[str] = set()
        self._values: dict[str, object] = dict.fromkeys(self._steps, _value(None))
        self.is_cancelled = False

    # What is

    @property
    def is_failing(self) -> bool:
        """A step has failed and nothing deals with it."""
        return bool(self._ending)

    @property
    def is_stopping(self) -> bool:
        """No further step begins."""
        return self.is_cancelled or self.is_failing

    @property
    def is_over(self) -> bool:
        """Nothing runs and nothing can begin."""
        return not self._running and not self.ready() and self._jump() is None

    @property
    def state(self) -> RunState:
        """How the run ends if nothing more happens."""
        if self.is_cancelled:
            return RunState.CANCELLED
        return RunState.FAILED if self.is_failing else RunState.COMPLETED

    @property
    def failed(self) -> StepRun | None:
        """The step that ends the run: the first that failed."""
        found = (self.current(name) for name in self._steps if name in self._ending)
        return min((run for run in found if run), key=ended_s, default=None)

    def round_of(self, step: str) -> int:
        """Return the round that a step is in."""
        return self._round[step]

    def loops_of(self, step: str) -> int:
        """Return how often a step has led back so far."""
        return sum(run.jumps for (name, _), run in self._settled.items() if name == step)

    def has_way_back(self, step: str) -> bool:
        """Tell whether an error of a step leads to one that comes before it."""
        return step in self._back

    def current(self, step: str) -> StepRun | None:
        """Return what became of a step in its present round, None while it is open."""
        return self._settled.get((step, self._round[step]))

    def goes_past(self, run: StepRun) -> bool:
        """Tell whether a run goes on behind this outcome of a step."""
        return run.state is not StepState.CANCELLED and not self._ends_run(run)

    def values(self) -> dict[str, object]:
        """Return what expressions see of the steps: the last round that has ended."""
        return dict(self._values)

    def values_at(self, run: StepRun) -> dict[str, object]:
        """Return what expressions saw when a step had ended; of loops, the rounds until then."""
        latest: dict[str, StepRun] = {run.step: run}
        for (name, round_), each in self._settled.items():
            if name == run.step or self._round[name] == 1 or ended_s(each) > ended_s(run):
                continue
            if name not in latest or latest[name].round < round_:
                latest[name] = each
        return {**self._values, **{name: _value(each) for name, each in latest.items()}}

    def is_last(self, run: StepRun) -> bool:
        """Tell whether the run ends well with this outcome of a step: nothing else is to come."""
        return (
            run.state in {StepState.DONE, StepState.SKIPPED}
            and not run.jumps
            and not self.is_stopping
            and self._open.keys() == {run.step}
            and not any(self._wants_back(name) for name in self._steps)
        )

    def to_take_back(self) -> list[StepRun]:
        """Return what to take back, the last first: steps done, and those that may have acted."""
        done = [
            run
            for run in self._settled.values()
            if (run.state is StepState.DONE or run.may_have_acted)
            and self._steps[run.step].compensate
            and not run.compensation
            and not run.carried
        ]
        return sorted(done, key=ended_s, reverse=True)

    # What happens

    def begin(self, step: str) -> None:
        """Note that a step is being done."""
        self._running.add(step)

    def settle(self, run: StepRun) -> None:
        """Note what became of a step in a round."""
        self._settled[run.step, run.round] = run
        if run.round == self._round[run.step]:
            self._running.discard(run.step)
        self._note(run.step)

    def restore(self, runs: Iterable[StepRun]) -> None:
        """Take over what is known of an interrupted run, and go back as far as it had."""
        for run in sorted(runs, key=lambda run: run.round):
            self._settled[run.step, run.round] = run
            self._note(run.step)
        while any(number > self._round[name] for name, number in self._settled):
            if not self.jump():
                break

    def ready(self) -> list[Step]:
        """Return the steps that shall begin now, in the order of their needs."""
        return [step for name in self._open if self._is_ready(step := self._steps[name])]

    def verdict(self, step: Step) -> StepState | None:
        """Return how a ready step ends without being done, None if it shall be done.

        `when` is not looked at: it may ask the plant, so it belongs to the doing.
        """
        if self.is_stopping:
            return StepState.CANCELLED
        callers = self._called[step.id]
        if callers and not any(self._state(name) is StepState.FAILED for name in callers):
            return StepState.SKIPPED
        if not step.needs:
            return None
        usable = [name for name in step.needs if self._is_usable(name)]
        return None if usable else StepState.SKIPPED

    def jump(self) -> bool:
        """Go back if a loop wants it and nothing runs or can begin; tell whether it did."""
        origin = self._jump()
        if origin is None or self._running:
            return False
        target = self._target(origin)
        for name in {target, *descendants(self.workflow, target)}:
            self._round[name] += 1
            self._note(name)
        self._open = {name: None for name in self._steps if self.current(name) is None}
        return True

    # How it is decided

    def _note(self, name: str) -> None:
        """Take over what a step is in its present round."""
        run = self.current(name)
        self._values[name] = _value(self._last(name))
        if run is not None:
            self._open.pop(name, None)
        if run is not None and self._ends_run(run):
            self._ending.add(name)
        else:
            self._ending.discard(name)

    def _last(self, name: str) -> StepRun | None:
        present = self.current(name)
        return present or self._settled.get((name, self._round[name] - 1))

    def _state(self, name: str) -> StepState | None:
        run = self.current(name)
        return run.state if run else None

    def _is_ready(self, step: Step) -> bool:
        if step.id in self._running or self.current(step.id) is not None:
            return False
        before = (*step.needs, *self._called[step.id])
        if any(self._state(name) not in SETTLED for name in before):
            return False
        return self.is_stopping or not any(self._wants_back(name) for name in before)

    def _is_usable(self, name: str) -> bool:
        run = self.current(name)
        if run is None:
            return False
        return run.state in _USABLE or (
            run.state is StepState.FAILED and self._steps[name].on_error == "continue"
        )

    def _ends_run(self, run: StepRun) -> bool:
        if run.state is not StepState.FAILED or run.jumps:
            return False
        return self._steps[run.step].on_error == "fail" or run.step in self._back

    def _target(self, origin: str) -> str:
        step, run = self._steps[origin], self.current(origin)
        if run is not None and run.state is StepState.FAILED:
            return step.handler
        return step.goto.step if step.goto else origin

    def _wants_back(self, name: str) -> bool:
        run = self.current(name)
        return run is not None and run.jumps

    def _jump(self) -> str | None:
        """Return the step whose loop is next, the first in the order of needs."""
        if self.is_stopping or self.ready():
            return None
        return next((name for name in self._steps if self._wants_back(name)), None)


def stopped_at(workflow: Workflow, steps: Iterable[StepRun]) -> str:
    """Return the step at which a run came to an end too early, "" if it did at none.

    That is the one whose failure ended it, or the first that a cancel kept from being done.
    """
    plan = RunPlan(workflow)
    plan.restore(each for each in steps if each.state in SETTLED)
    if plan.failed:
        return plan.failed.step
    now = (plan.current(step.id) for step in needs_order(workflow))
    return next((run.step for run in now if run and run.state is StepState.CANCELLED), "")


def error_leads_back(plan: RunPlan, step: Step) -> bool:
    """Tell whether the error of a step leads to an earlier one, and has not too often."""
    return plan.has_way_back(step.id) and plan.loops_of(step.id) < ERROR_ROUNDS


def bound_reached(plan: RunPlan, step: Step) -> str:
    """Return why a step whose loop wants to go back may not, empty while it may."""
    goto = step.goto
    if goto is None or plan.loops_of(step.id) < goto.max:
        return ""
    times = "once" if goto.max == 1 else f"{goto.max} times"
    return f"It has led back to {goto.step} {times}, which is the bound of its loop"


def ended_s(run: StepRun) -> float:
    """Return when a step ended, s since 1970; 0 if it has not."""
    return run.ended_at.timestamp() if run.ended_at else 0.0


def _value(run: StepRun | None) -> Mapping[str, object]:
    if run is None:
        return {"state": "pending", "output": None, "error": "", "round": 0}
    return {
        "state": run.state.value,
        "output": run.output,
        "error": run.error,
        "round": run.round,
        "agent": run.agent,
    }
