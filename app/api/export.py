"""`GET /api/export`: readings of some tags as a CSV or Parquet file, made while it is sent."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from app.api.answers import Described, answers
from app.api.export_file import CsvFile, ExportFile, ParquetFile
from app.api.times import Span, span
from app.core.equipment import Tag
from app.core.errors import InputError
from app.plant import Plant
from app.security.refusal import ErrorBody

MAX_TAGS = 50
MAX_TAG_HOURS = 10_000  # 8 tags for 52 days; at 1 Hz 36 million rows, about 3 GB of CSV
_FEW_POINTS = 4
_SLICE = timedelta(hours=6)  # 21,600 rows at 1 Hz: about 3 MB in memory at a time


class Format(StrEnum):
    """What kind of file."""

    CSV = "csv"
    PARQUET = "parquet"


class _Slice(NamedTuple):
    tag: Tag
    range: Span


def router(plant: Plant) -> APIRouter:
    """Return the route."""
    routes = APIRouter(prefix="/api", tags=["tags"])
    files: Described = {
        200: {
            "description": "The file",
            "content": {"text/csv": {}, "application/octet-stream": {}},
        }
    }

    @routes.get(
        "/export",
        response_class=StreamingResponse,
        responses={**files, "4XX": answers(ErrorBody)["4XX"]},
    )
    async def export(
        tags: Annotated[list[str], Query(description="Tag paths, repeated or with commas")],
        start: str = "",
        end: str = "",
        format: Format = Format.CSV,
    ) -> Response:
        """Send every stored reading of some tags between two times as a file.

        Columns: `tag`, `source_time` (UTC), in CSV also the time of the plant's zone, `value`,
        `unit`, `quality`. Readings are ordered by tag, then by time.
        """
        wanted = span(start, end, plant.clock.now())
        paths = _paths(tags, wanted)
        await plant.historian.ready()
        found = [await _tag(plant, path, wanted) for path in paths]
        zone = ZoneInfo(plant.settings.site.timezone)
        file: ExportFile = CsvFile(zone) if format is Format.CSV else ParquetFile()
        parts = _parts(plant, file, list(_slices(found, wanted)))
        head = await anext(parts)  # an unreadable store is told by status, not by half a file
        name = f"millwright-{wanted.start:%Y%m%dT%H%M%SZ}-{wanted.end:%Y%m%dT%H%M%SZ}.{format}"
        return StreamingResponse(
            _joined(head, parts),
            media_type=file.media_type,
            headers={"content-disposition": f'attachment; filename="{name}"'},
        )

    return routes


def _paths(paths: list[str], wanted: Span) -> list[str]:
    named = list(dict.fromkeys(path for given in paths for path in given.split(",") if path))
    if not 1 <= len(named) <= MAX_TAGS:
        raise InputError(f"tags: name 1 to {MAX_TAGS} tags, not {len(named)}")
    hours = (wanted.end - wanted.start) / timedelta(hours=1) * len(named)
    if hours > MAX_TAG_HOURS:
        raise InputError(
            f"{hours:.0f} tag-hours are more than the {MAX_TAG_HOURS} one file may hold",
            hint="Ask for fewer tags or a shorter range",
        )
    return named


async def _tag(plant: Plant, path: str, wanted: Span) -> Tag:
    if plant.tags.has(path):
        return plant.tags.tag(path)
    # nobody declared it and it has not spoken since the start, but it may have a history
    series = await plant.historian.range(path, wanted.start, wanted.end, _FEW_POINTS)
    return Tag(path=path) if len(series) else plant.tags.tag(path)


def _slices(tags: list[Tag], wanted: Span) -> Iterator[_Slice]:
    for tag in tags:
        start = wanted.start
        while start < wanted.end:
            end = min(start + _SLICE, wanted.end)
            yield _Slice(tag, Span(start, end))
            start = end


async def _parts(
    plant: Plant, file: ExportFile, slices: list[_Slice]
) -> AsyncGenerator[bytes, None]:
    head = file.head()
    for tag, (start, end) in slices:
        rows: Any = await plant.historian.export([tag.path], start, end)  # Arrow has no types
        yield head + await asyncio.to_thread(file.rows, rows, tag)
        head = b""
    yield file.tail()


async def _joined(head: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    yield head
    async for part in rest:
        if part:
            yield part
