"""What was done against what is planned, for every tag that names its plan."""

from collections.abc import Sequence

from app.core.equipment import Equipment, EquipmentKind, Tag
from pages.markup import Html, tag
from pages.widgets.live import tag_href


def planned_tags(unit: Equipment) -> list[Tag]:
    """Return the tags of a unit that have a plan, in the source's order."""
    return [each for each in unit.tags if each.plan]


def is_schedule(unit: Equipment) -> bool:
    """Tell whether a unit is a plan on paper and no machine."""
    return unit.kind is EquipmentKind.SCHEDULE


def plan_bars(units: Sequence[Equipment]) -> list[Html]:
    """Return one bar a planned tag of the units; see static/plan.js."""
    return [_bar(unit.path, each) for unit in units for each in planned_tags(unit)]


def _bar(unit: str, shown: Tag) -> Html:
    target = f"{unit}/{shown.target}" if shown.target else None
    plan = f"{unit}/{shown.plan}"
    pens = ",".join(filter(None, (shown.path, plan)))
    return tag(
        "mw-plan",
        path=shown.path,
        plan=plan,
        target=target,
        label=shown.description or shown.name,
        href=tag_href(pens),
    )
