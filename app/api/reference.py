"""`python -m app.api.reference`: writes docs/http.md anew from the OpenAPI document."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.api.mount import api
from app.api.openapi import document
from app.clock import SystemClock
from app.plant import Plant
from app.settings import Settings

FILE = Path(__file__).parent.parent.parent / "docs" / "http.md"
_METHODS = ("get", "post", "put", "delete")
_HEAD = """# HTTP and websockets

This page is made from the routes by `python -m app.api.reference`.
The same with every field of every shape stands at `/api/docs` of the running app, offline.

All times are UTC, ISO 8601 with `Z`; keys are snake_case.
A refusal has the body `{error, message, hint}`, and `fields` where several are wrong.
Statuses: 403 foreign page, 404 unknown, 409 not now, 413 too large, 422 wrong, 503 a part is down.
`Retry-After` says when to ask again: with 429, and with 503 while the history is being opened
or an agent that is asked does not live.
The app binds to this machine only; a page of another origin is refused on every path.
`server.allowed_origins` names origins that may call.
Seed names work in place of agent names: `pm` is `maintenance`.

Websocket `/live`: values, alarms and status of the pages (see `app/live/socket.py`).
Websocket `/ws/{agent}`: every finding of that agent as JSON; a slow reader loses the oldest first.
"""


def page(described: dict[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    groups: dict[str, list[str]] = {}
    for path, methods in described["paths"].items():
        for method in _METHODS:
            if method in methods:
                one = methods[method]
                groups.setdefault(one["tags"][0], []).append(_row(method, path, one))
    return "\n".join([_HEAD, *_sections(groups)])


def _sections(groups: dict[str, list[str]]) -> Iterator[str]:
    for name, rows in groups.items():
        head = "| Request | Parameters | Answer | |\n| --- | --- | --- | --- |\n"
        yield f"## {name.capitalize()}\n\n{head}{''.join(rows)}"


def _row(method: str, path: str, one: dict[str, Any]) -> str:
    query = [each["name"] for each in one.get("parameters", ()) if each["in"] != "path"]
    body = [f"body {_shape(one['requestBody'])}"] if "requestBody" in one else []
    named = ", ".join([*(f"`{name}`" for name in query), *body])
    answer = next(_shape(each) for status, each in one["responses"].items() if status < "3")
    meaning = one["description"].partition("\n")[0]
    return f"| `{method.upper()} {path}` | {named} | {answer} | {meaning} |\n"


def _shape(part: dict[str, Any]) -> str:
    content = part.get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return _words(schema) if schema else ", ".join(content)


def _words(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if schema.get("type") == "array":
        return f"list of {_words(schema['items'])}"
    return str(schema.get("type", "any"))


def current_page() -> str:
    """Return the page for the routes as they are; starts nothing."""
    return page(document(api(Plant(Settings(), SystemClock()))))


if __name__ == "__main__":
    FILE.write_text(current_page(), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")
