"""Which open alarms follow from one cause; pure.

The alarm that came first leads its group ("first-out", as in EEMUA 191 and ISA-18.2 on floods).
The windows are a design: long enough for heat and pressure to follow, short enough that two
troubles of one shift stay two.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.alarm import Alarm, Priority
from app.core.equipment import Equipment, EquipmentKind, unit_of

UNIT_WINDOW = timedelta(minutes=30)
LINE_WINDOW = timedelta(minutes=2)
AREA_WINDOW = timedelta(seconds=30)
AREA_UNITS = 3  # fewer units of an area at once may be chance
LOSS_WINDOW = timedelta(minutes=2)
LOSS_UNITS = 3

NO_VALUES = "no_values"
LOSSES = frozenset({NO_VALUES, "bad_quality"})
"""Conditions of a tag or unit that sends nothing usable."""

Group = list[Alarm]


class Key(NamedTuple):
    """Order of alarms in time; what came at once is ordered by priority, then by id."""

    raised_at: datetime
    priority: Priority
    id: str


def key_of(alarm: Alarm) -> Key:
    """Return the place of an alarm in time."""
    return Key(alarm.raised_at, alarm.finding.priority or Priority.LOW, alarm.id)


def groups(alarms: Iterable[Alarm], units: Mapping[str, Equipment]) -> list[Group]:
    """Put each alarm into exactly one group, first-out first, whatever order they come in.

    A loss of communication is taken out first. Of the rest, alarms of a unit form a group, groups
    of a line or of an area that began together form one. Only the beginnings are compared, so a
    long flood does not grow together alarm by alarm.
    """
    ordered = sorted(alarms, key=key_of)
    lost = _lost(ordered, units)
    taken = {alarm.id for group in lost for alarm in group}
    found: list[Group] = [[alarm] for alarm in ordered if alarm.id not in taken]
    found = _merged(found, lambda path: path, UNIT_WINDOW)
    found = _merged(found, lambda path: _place(path, 3), LINE_WINDOW)
    found = _merged(found, lambda path: _place(path, 2), AREA_WINDOW, AREA_UNITS)
    return sorted([*lost, *found], key=lambda group: key_of(group[0]))


def is_loss(alarms: Sequence[Alarm], units: Mapping[str, Equipment]) -> bool:
    """Tell whether a group is a loss of communication of several units."""
    silent = _units(alarm for alarm in alarms if _is_loss(alarm, units))
    return len(silent) >= LOSS_UNITS or any(_is_whole_plant(alarm) for alarm in alarms)


def _lost(ordered: Sequence[Alarm], units: Mapping[str, Equipment]) -> list[Group]:
    candidates: list[Group] = [[alarm] for alarm in ordered if _is_loss(alarm, units)]
    clusters = _merged(candidates, lambda _: "plant", LOSS_WINDOW)
    return [group for group in clusters if is_loss(group, units)]


def _merged(
    found: Iterable[Group], place_of: Callable[[str], str], window: timedelta, least_units: int = 1
) -> list[Group]:
    """Merge groups of one place that began within `window` of the first of them.

    Args:
        found: Groups, the earliest first.
        place_of: Returns the place that the path of a unit belongs to.
        window: From the first beginning to the last.
        least_units: With fewer units the groups stay apart.
    """
    clusters: list[list[Group]] = []
    newest: dict[str, list[Group]] = {}
    for group in found:
        place = place_of(unit_of(group[0].finding.equipment))
        cluster = newest.get(place)
        if cluster is None or group[0].raised_at - cluster[0][0].raised_at > window:
            cluster = newest[place] = []
            clusters.append(cluster)
        cluster.append(group)
    merged: list[Group] = []
    for cluster in clusters:
        alarms = sorted((alarm for group in cluster for alarm in group), key=key_of)
        merged += [alarms] if len(_units(alarms)) >= least_units else cluster
    return sorted(merged, key=lambda group: key_of(group[0]))


def _units(alarms: Iterable[Alarm]) -> set[str]:
    return {unit_of(alarm.finding.equipment) for alarm in alarms}


def _is_loss(alarm: Alarm, units: Mapping[str, Equipment]) -> bool:
    unit = units.get(unit_of(alarm.finding.equipment))
    is_network = unit is not None and unit.kind is EquipmentKind.NETWORK
    return alarm.finding.condition in LOSSES or is_network


def _is_whole_plant(alarm: Alarm) -> bool:
    finding = alarm.finding
    return finding.condition == NO_VALUES and finding.equipment.startswith("system/")


def _place(path: str, segments: int) -> str:
    # Parts of the app and other systems' alerts have paths, but stand in no line or area.
    is_machine = not path.startswith(("system/", "external/"))
    return "/".join(path.split("/")[:segments]) if is_machine else path
