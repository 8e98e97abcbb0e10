"""Tags: newest values, what they are, and their history."""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from app.api.answers import ACTOR, answers, reply
from app.api.times import span
from app.core.equipment import Equipment, Limits, Tag, TagKind
from app.core.reading import Quality, Reading, Reason
from app.plant import Plant
from app.store.series import GAP, QUALITIES, Series, from_us

UNKNOWN_UNIT = "1"


class TagRow(msgspec.Struct, frozen=True):
    """The newest value of a tag; without a value since the start it is bad and has no times.

    Attributes:
        path: `site/area/line/unit/tag`.
        value: In `unit`; null when there is none.
        quality: Trust in the value.
        source_time: When it was true at the source, UTC.
        unit: UCUM code.
        reason: Why the quality is not good; `no_value` while none came since the start.
    """

    path: str
    value: float | None
    quality: Quality
    source_time: datetime | None
    unit: str
    reason: Reason = Reason.NONE


class TagDetail(TagRow, frozen=True, kw_only=True):
    """A tag with its newest value, range, limits and description."""

    received_time: datetime | None
    description: str
    equipment: str
    kind: TagKind
    low: float
    high: float
    normal_low: float | None
    normal_high: float | None
    limits: Limits
    deadband: float
    on_delay_s: float
    decimals: int
    stale_after_s: float
    states: dict[int, str]


class Point(msgspec.Struct, frozen=True, omit_defaults=True):
    """One point of a history: a reading, several joined, a bad stretch, or a gap.

    A gap is a silence of ten times the usual interval. Its point is no reading: it stands shortly
    after the last one before the silence, so that a line drawn through the points breaks there.

    Attributes:
        t: Source time, UTC.
        v: Value; null for a bad stretch or a gap.
        q: The worst quality since this point and before the next; null for a gap.
        min: Least value of that stretch.
        max: Greatest value of that stretch.
        gap: True for a gap, else absent.
    """

    t: datetime
    v: float | None
    q: Quality | None
    min: float | None
    max: float | None
    gap: bool = False


class TagHistory(msgspec.Struct, frozen=True):
    """Values of one tag in the order of time, down-sampled to the points asked for."""

    path: str
    unit: str
    start: datetime
    end: datetime
    points: list[Point]


def _tag_path(site: str, area: str, line: str, unit: str, tag: str) -> str:
    return f"{site}/{area}/{line}/{unit}/{tag}"


TagPath = Annotated[str, Depends(_tag_path)]


def router(plant: Plant) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api", tags=["tags"])
    _add_tags(routes, plant)
    _add_equipment(routes, plant)
    return routes


def _add_tags(routes: APIRouter, plant: Plant) -> None:
    @routes.get("/tags", responses=answers(list[TagRow], "Newest value of each tag, by path"))
    async def list_tags(prefix: str = "") -> Response:
        """List the tags whose path begins with `prefix`."""
        return reply([_row(plant, path) for path in plant.tags.paths(prefix)])

    one = "/tags/{site}/{area}/{line}/{unit}/{tag}"

    @routes.get(one, responses=answers(TagDetail, "The tag with range, limits and description"))
    async def show_tag(path: TagPath) -> Response:
        """Show one tag."""
        return reply(_detail(plant.tags.tag(path), plant.tags.value(path)))

    @routes.get(f"{one}/history", responses=answers(TagHistory, "The history"))
    async def tag_history(
        path: TagPath,
        start: str = "",
        end: str = "",
        points: Annotated[int, Query(ge=4, le=10_000)] = 1000,
    ) -> Response:
        """Show a tag's values between two times, the last hour by default.

        Points are chosen so that the drawn line keeps its shape; `min` and `max` span all values.
        """
        wanted = span(start, end, plant.clock.now())
        await plant.historian.ready()
        series = await plant.historian.range(path, wanted.start, wanted.end, points)
        # a tag that nobody declared and that has not spoken since the start still has its history
        unit = (
            UNKNOWN_UNIT if len(series) and not plant.tags.has(path) else plant.tags.tag(path).unit
        )
        return reply(TagHistory(path, unit, wanted.start, wanted.end, _points(series)))


def _add_equipment(routes: APIRouter, plant: Plant) -> None:
    @routes.get("/equipment", responses=answers(list[Equipment], "Units with their tags"))
    async def list_equipment(prefix: str = "") -> Response:
        """List the units whose path begins with `prefix`."""
        return reply([unit for unit in plant.units() if unit.path.startswith(prefix)])

    forgotten = answers(Equipment, "The unit as it was")

    @routes.delete("/equipment/{site}/{area}/{line}/{unit}", responses=forgotten)
    async def forget_unit(site: str, area: str, line: str, unit: str) -> Response:
        """Forget a unit that no longer sends: its declaration and tags, not its history.

        Conditions of its alarms count as gone. It is back as soon as it sends again.
        """
        return reply(await plant.forget_unit(f"{site}/{area}/{line}/{unit}", ACTOR))


def _row(plant: Plant, path: str) -> TagRow:
    unit, reading = plant.tags.tag(path).unit, plant.tags.value(path)
    if reading is None:
        return TagRow(path, None, Quality.BAD, None, unit, Reason.NO_VALUE)
    return TagRow(path, reading.value, reading.quality, reading.source_time, unit, reading.reason)


def _detail(tag: Tag, reading: Reading | None) -> TagDetail:
    return TagDetail(
        path=tag.path,
        value=reading.value if reading else None,
        quality=reading.quality if reading else Quality.BAD,
        source_time=reading.source_time if reading else None,
        reason=reading.reason if reading else Reason.NO_VALUE,
        received_time=reading.received_time if reading else None,
        unit=tag.unit,
        description=tag.description,
        equipment=tag.equipment,
        kind=tag.kind,
        low=tag.low,
        high=tag.high,
        normal_low=tag.normal_low,
        normal_high=tag.normal_high,
        limits=tag.limits,
        deadband=tag.deadband,
        on_delay_s=tag.on_delay_s,
        decimals=tag.decimals,
        stale_after_s=tag.stale_after_s,
        states=tag.states,
    )


def _points(series: Series) -> list[Point]:
    qualities: list[int] = series.qualities.tolist()
    columns = zip(
        series.times_us.tolist(),
        series.values.tolist(),
        qualities,
        series.low.tolist(),
        series.high.tolist(),
        strict=True,
    )
    return [
        Point(from_us(us), None, None, None, None, gap=True)
        if quality == GAP
        else Point(from_us(us), value, QUALITIES[quality], low, high)
        for us, value, quality, low, high in columns
    ]
