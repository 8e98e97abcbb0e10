"""Turns every error into `{error, message, hint}` with the status CONTRACT.md gives it."""

from collections.abc import Sequence
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from app.api.answers import reply
from app.core.errors import (
    AgentAwayError,
    AgentError,
    BusError,
    ConflictError,
    FieldsError,
    InputError,
    MillwrightError,
    ModelError,
    NotFoundError,
    RoleError,
    StoreError,
    StoreOpeningError,
)
from app.security.middleware import UNEXPECTED
from app.security.refusal import ErrorBody

_KINDS: tuple[tuple[type[MillwrightError], int, str], ...] = (
    (InputError, 422, "input"),
    (NotFoundError, 404, "not_found"),
    (RoleError, 403, "role"),
    (ConflictError, 409, "conflict"),
    (BusError, 503, "bus"),
    (StoreError, 503, "store"),
    (ModelError, 503, "model"),
    (AgentError, 503, "agent"),
)
_WORDS = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


def install(api: FastAPI) -> None:
    """Register the handlers."""
    api.add_exception_handler(MillwrightError, _ours)
    api.add_exception_handler(RequestValidationError, _parameters)
    api.add_exception_handler(HTTPException, _http)
    api.add_exception_handler(Exception, _unexpected)


async def _ours(_: Request, error: Exception) -> Response:
    for kind, status, word in _KINDS:
        if isinstance(error, kind):
            answer = reply(_body(word, error), status)
            if isinstance(error, StoreOpeningError | AgentAwayError):
                answer.headers["Retry-After"] = str(error.retry_after_s)
            return answer
    raise error


def _body(word: str, error: MillwrightError) -> ErrorBody:
    if isinstance(error, FieldsError):
        unnamed = {name: why for name, why in error.details.items() if name not in str(error)}
        more = "".join(f"; {name}: {why}" for name, why in unnamed.items())
        return ErrorBody(word, f"{error}{more}", error.hint, error.details)
    return ErrorBody(word, str(error), error.hint)


async def _parameters(_: Request, error: Exception) -> Response:
    problems = cast("RequestValidationError", error).errors()  # Starlette passes what it caught
    fields = {_where(problem): str(problem["msg"]) for problem in problems}
    named = "; ".join(f"{field}: {reason}" for field, reason in fields.items())
    return reply(ErrorBody("input", named, "See /api/docs", fields), 422)


def _where(problem: dict[str, Any]) -> str:
    location = cast("Sequence[str | int]", problem["loc"])  # FastAPI's errors are untyped
    return ".".join(str(part) for part in location[1:]) or "body"


async def _http(request: Request, error: Exception) -> Response:
    refused = cast("HTTPException", error)  # Starlette passes what it caught
    word = _WORDS.get(refused.status_code, "refused")
    path = f"{request.method} {request.url.path}"
    messages = {404: f"There is no {path}", 405: f"{path} is not possible"}
    message = messages.get(refused.status_code, str(refused.detail))
    answer = reply(ErrorBody(word, message, "See /api/docs"), refused.status_code)
    answer.headers.update(refused.headers or {})
    return answer


async def _unexpected(_: Request, error: Exception) -> Response:
    del error  # goes to the log with its traceback, never to the caller
    return reply(UNEXPECTED.body, UNEXPECTED.status)
