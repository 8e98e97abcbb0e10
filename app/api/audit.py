"""The audit: who did what, searched by page; whether its chain is whole; all of it as a file."""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, Iterable
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from app.api.answers import Described, answers, reply
from app.api.times import instant
from app.core.audit_chain import Head, Link
from app.core.audit_row import AuditFilter, AuditRow, Outcome
from app.plant import Plant
from app.security.refusal import ErrorBody
from app.store.audit_check import CheckState
from app.store.audit_reader import AuditReader

_PAGE = 1_000
_Text = Annotated[str, Query(max_length=200)]


class AuditPage(msgspec.Struct, frozen=True):
    """Actions, the newest first; `next_before` is the next page's `before`, null at the end."""

    items: list[AuditRow]
    next_before: int | None


class ChainState(msgspec.Struct, frozen=True):
    """The last row of the chain, and how its check stands."""

    head: Head | None
    check: CheckState


def router(plant: Plant) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/api/audit", tags=["audit"])
    _add_search(routes, plant)
    _add_chain(routes, plant)
    return routes


def _add_search(routes: APIRouter, plant: Plant) -> None:
    @routes.get("", responses=answers(AuditPage, "The actions"))
    async def search(  # noqa: PLR0917  the parameters of the query
        text: _Text = "",
        actor: _Text = "",
        source: _Text = "",
        action: _Text = "",
        outcome: Outcome | None = None,
        start: str = "",
        end: str = "",
        before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """List who did what outside the alarm list, newest first; `text` is part of any field."""
        wanted = AuditFilter(
            text=text,
            actor=actor,
            source=source,
            action=action,
            outcome=outcome,
            start=instant("start", start) if start else None,
            end=instant("end", end) if end else None,
            before=before,
        )
        rows = await asyncio.to_thread(plant.audit.search, wanted, limit)
        return reply(AuditPage(rows, rows[-1].number if len(rows) == limit else None))


def _add_chain(routes: APIRouter, plant: Plant) -> None:
    check = plant.stores.audit_check

    async def state() -> ChainState:
        return ChainState(await asyncio.to_thread(plant.audit.head), check.state)

    @routes.get("/verify", responses=answers(ChainState, "How the check stands"))
    async def verification() -> Response:
        """Tell the last row, and how the check of the chain stands or what it found."""
        return reply(await state())

    @routes.post("/verify", responses=answers(ChainState, "The check goes on", 202))
    async def verify() -> Response:
        """Begin a check of the whole chain, unless one is under way; GET tells what it finds."""
        found = await state()
        check.start()
        return reply(ChainState(found.head, check.state), 202)

    @routes.delete("/verify", responses=answers(ChainState, "How the check stands"))
    async def cancel() -> Response:
        """Stop the check that is under way."""
        check.cancel()
        return reply(await state())

    file: Described = {200: {"description": "The file", "content": {"text/csv": {}}}}

    @routes.get(
        "/export",
        response_class=StreamingResponse,
        responses={**file, "4XX": answers(ErrorBody)["4XX"]},
    )
    async def export() -> Response:
        """Send every row of the chain with its hash as CSV, byte for byte what the hashes cover.

        The header `x-audit-head` has number and hash of the last row when the file was begun.
        """
        head = await asyncio.to_thread(plant.audit.head)
        number, digest = (head.number, head.hash) if head else (0, "")
        return StreamingResponse(
            _rows(plant, number),
            media_type="text/csv; charset=utf-8",
            headers={
                "content-disposition": f'attachment; filename="millwright-audit-{number}.csv"',
                "x-audit-head": f"{number} {digest}".strip(),
            },
        )


async def _rows(plant: Plant, until: int) -> AsyncGenerator[bytes, None]:
    yield _csv([Link.__struct_fields__])
    after = -1
    reader = await asyncio.to_thread(AuditReader, plant.audit.path)
    try:
        while links := await asyncio.to_thread(_links, reader, after, until):
            after = links[-1].number
            yield await asyncio.to_thread(_csv, [msgspec.structs.astuple(each) for each in links])
    finally:
        reader.close()


def _links(reader: AuditReader, after: int, until: int) -> list[Link]:
    return [each for each in reader.links(after, _PAGE) if each.number <= until]


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")
