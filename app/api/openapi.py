"""The OpenAPI document, with the schemas that routes carry joined into one list."""

from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api.answers import SCHEMAS

_ABOUT = (
    "All times are UTC, ISO 8601 with Z; keys are snake_case. "
    "Every refusal has the body `{error, message, hint}`; "
    "429, and 503 of a store that is still being opened, say with Retry-After when to ask again. "
    "Readings live: websocket `/live`; findings of one agent: websocket `/ws/{agent}`."
)


def document(api: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of `api`; made once, then kept by it."""
    if api.openapi_schema is None:
        made = get_openapi(
            title=api.title, version=api.version, description=_ABOUT, routes=api.routes
        )
        schemas: dict[str, Any] = dict(made.get("components", {}).get("schemas", {}))
        _take_schemas(made["paths"], schemas)
        made["components"] = {"schemas": dict(sorted(schemas.items()))}
        api.openapi_schema = made
    return api.openapi_schema


def _take_schemas(node: object, schemas: dict[str, Any]) -> None:
    """Move what stands under SCHEMAS anywhere in `node` into `schemas`."""
    if isinstance(node, dict):
        fields = cast("dict[str, Any]", node)  # JSON is untyped
        schemas.update(fields.pop(SCHEMAS, {}))
        for value in fields.values():
            _take_schemas(value, schemas)
    elif isinstance(node, list):
        for value in cast("list[object]", node):  # JSON is untyped
            _take_schemas(value, schemas)
