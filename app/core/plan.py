"""The action plan that the planner makes of open alarms and findings."""

import msgspec

from app.core.alarm import Priority
from app.core.clock import AwareTime


class PlanItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One cause with all the alarms that are taken to follow from it.

    Attributes:
        rank: 1 for what to do first.
        priority: Of the worst alarm.
        title: What is the matter, one line.
        cause: Id of the alarm that came first.
        alarms: Ids of all alarms of the item, first-out first.
        equipment: Paths of the units that have these alarms.
        affected: Paths of further units of the same lines, which may suffer.
        since: When the first alarm was raised, UTC.
        reason: Why it stands where it stands.
        proposed_workflow: Workflow that may help; empty if none is known.
        proposed_input: Input for it.
        actions: First sentences of the responses, without repetition.
    """

    rank: int
    priority: Priority
    title: str
    cause: str
    alarms: tuple[str, ...]
    equipment: tuple[str, ...]
    affected: tuple[str, ...]
    since: AwareTime
    reason: str
    proposed_workflow: str = ""
    proposed_input: dict[str, str | int] = {}
    actions: tuple[str, ...] = ()


class ActionPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do first, second and so on.

    Attributes:
        made_at: UTC.
        model: Language model that worded it; empty if rules alone did.
        items: By rank.
        hidden: Alarms that are shelved, suppressed or out of service and so not ranked.
        flood: More alarms came at once than a person can take in.
        note: How it was made, and what it leaves out.
    """

    made_at: AwareTime
    model: str
    items: tuple[PlanItem, ...]
    hidden: int
    flood: bool
    note: str
