"""The last action plan that was heard, and how far it can be trusted."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from app.bus.client import Bus, Received
from app.core import topics
from app.core.plan import ActionPlan

PLANNER = "planner"


class PlanView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The plan as it may be shown.

    Attributes:
        plan: The last one heard; None if there was none.
        is_current: The planner lives and stands by it; it publishes only what is new.
        age_s: Since it was made, s; None without a plan.
        problem: Why there is none or it is not current; empty if all is well.
        remedy: What to do about that.
    """

    plan: ActionPlan | None
    is_current: bool
    age_s: float | None
    problem: str = ""
    remedy: str = ""


class PlanBoard:
    """Keeps the last plan heard on the live bus."""

    def __init__(self) -> None:
        self.plan: ActionPlan | None = None

    def subscribe(self, bus: Bus) -> None:
        """Listen to the planner; call before the bus starts."""
        bus.subscribe(topics.PLAN, ActionPlan, self._take, qos=1)

    def view(self, *, is_planner_live: bool, now: datetime) -> PlanView:
        """Return the plan as of now."""
        plan = self.plan
        age_s = max(0.0, (now - plan.made_at).total_seconds()) if plan else None
        if not is_planner_live:
            old = "; this plan is its last one and may be out of date" if plan else ""
            problem = f"The planner does not run, so nothing is planned{old}"
            return PlanView(plan, False, age_s, problem, "Start it on the Agents page")
        if plan is None:
            problem, remedy = "The planner has made no plan yet", "Wait some seconds"
            return PlanView(None, False, None, problem, remedy)
        return PlanView(plan, True, age_s)

    def _take(self, batch: Sequence[Received[ActionPlan]]) -> None:
        self.plan = batch[-1].message
