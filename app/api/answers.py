"""JSON in and out: fast typed encoding, strict typed decoding, and what OpenAPI says of both."""

from typing import Any, TypeVar

import msgspec
from fastapi import Request
from fastapi.responses import Response

from app.bus.codec import decode
from app.core.actor import Actor
from app.core.errors import CodecError, InputError
from app.core.misfit import misfit
from app.security.refusal import ErrorBody

T = TypeVar("T")
Described = dict[int | str, dict[str, Any]]

ACTOR = Actor(name="operator", source="http")
"""Who acts over HTTP until login exists."""

SCHEMAS = "x-schemas"
"""Key under which a route carries the schemas it names; app/api/openapi.py joins them."""

_REFERENCE = "#/components/schemas/{name}"


def reply(value: object, status: int = 200) -> Response:
    """Return `value` as JSON; NaN becomes null, times end in Z."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


async def read_body(request: Request, type_: type[T]) -> T:
    """Return the request's JSON as `type_`; the gate has bounded its size and refused with 413.

    Raises:
        InputError: The body is no JSON or not of that shape; the message says where.
    """
    body = await request.body()
    if not body:
        raise InputError("The request has no body", hint="Send a JSON object; see /api/docs")
    try:
        return decode(type_, body, len(body))
    except CodecError as error:
        if not isinstance(error.__cause__, msgspec.ValidationError):
            raise
        found = misfit(str(error.__cause__), "", type_)
        said = f"{found.where}: {found.words}" if found.where else found.words
        raise InputError(said, found.hint or "See /api/docs") from error


def answers(
    type_: Any,  # noqa: ANN401  any type expression msgspec knows, list[X] included
    description: str = "Done",
    status: int = 200,
) -> Described:
    """Return what OpenAPI says of a route that answers `type_` or an error."""
    return {
        status: _described(type_, description),
        "4XX": _described(ErrorBody, "Refused: the body says why and what to do"),
    }


def takes(type_: Any) -> dict[str, Any]:  # noqa: ANN401  as above
    """Return what OpenAPI says of a route that reads `type_` by `read_body`."""
    described = _described(type_, "")
    schemas = described.pop(SCHEMAS)
    return {"requestBody": {"required": True, **described}, SCHEMAS: schemas}


def _described(type_: Any, description: str) -> dict[str, Any]:  # noqa: ANN401  as above
    (schema,), components = msgspec.json.schema_components(
        [type_], ref_template=_REFERENCE, schema_hook=_anything
    )
    content = {"application/json": {"schema": schema}}
    return {"description": description, "content": content, SCHEMAS: components}


def _anything(type_: type) -> dict[str, Any]:
    if type_ is object:
        return {"title": "anything"}  # msgspec takes an empty schema for none
    raise NotImplementedError(f"{type_} has no JSON shape")  # asked for by msgspec's contract
