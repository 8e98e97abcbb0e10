"""The HTTP action of workflows: only to hosts that the settings name."""

import asyncio
import importlib
import json
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from app.core.errors import BusError, InputError
from app.core.http_header import check_header

if TYPE_CHECKING:
    import httpx

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ANSWER_BYTES = 262_144
_AGAIN = frozenset({408, 425, 429})
_CONTROL = re.compile(r"[\0-\x1f\x7f]")


def check_address(url: str, allowed: Sequence[str]) -> None:
    """Check that an address may be called.

    Raises:
        InputError: It is no http address, or its host is not in `workflow.http_hosts`.
    """
    if found := _CONTROL.search(url):
        raise InputError(f"url: {url[:120]!a} holds the control character U+{ord(found[0]):04X}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise InputError(f'url: "{url[:120]}" is no address: {error}') from error
    if parts.scheme not in {"http", "https"} or not host:
        raise InputError(f'url: "{url[:120]}" is no http or https address')
    named = (host, f"{host}:{port}" if port else host)
    if not any(fnmatchcase(name, pattern) for name in named for pattern in allowed):
        raise InputError(
            f'url: host "{host}" is not allowed; add it to workflow.http_hosts in settings.toml'
        )


def body_bytes(body: object) -> bytes | None:
    """Return the body of a request as JSON; None for none.

    Raises:
        InputError: It is no JSON: it has a number that is not finite, or is nested too deep.
    """
    if body is None:
        return None
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"body: cannot be sent as JSON: {error}") from error


async def call(
    method: str,
    url: str,
    body: object,
    headers: Mapping[str, str],
    *,
    allowed: Sequence[str],
    timeout_s: float,
) -> dict[str, object]:
    """Call an address; return `{status, body}`, the body as JSON where it is.

    Redirections are not followed: they could lead to a host that is not allowed.

    Args:
        method: One of `METHODS`.
        url: http or https address.
        body: Sent as JSON; None sends none.
        headers: Sent with it.
        allowed: Patterns of hosts that may be called.
        timeout_s: For the whole call, from the first connection to the last byte of the answer.

    Raises:
        InputError: The address or the method is not allowed, a header or the body cannot be sent,
            or the answer is a redirection or an error of ours.
        BusError: It cannot be reached or answered in time, or has trouble of its own: it may go
            better again.
    """
    check_address(url, allowed)
    if method not in METHODS:
        raise InputError(f'method: "{method[:20]}" is none of {", ".join(METHODS)}')
    content = body_bytes(body)
    sent = _headers(headers, content)
    said = f"{method} {url[:120]}"
    # 0.3 s, of which the start of the app is spared: most plants call nobody
    httpx = await asyncio.to_thread(importlib.import_module, "httpx")
    try:
        async with (
            asyncio.timeout(timeout_s),  # httpx bounds each read only, and a slow peer sends many
            httpx.AsyncClient(timeout=None, trust_env=False) as client,
            client.stream(method, url, content=content, headers=sent) as answer,
        ):
            found = await _content(answer, url)
    except TimeoutError as error:
        raise BusError(f"{said} was not over within {timeout_s:g} s, the step's limit") from error
    except httpx.InvalidURL as error:
        raise InputError(f'url: "{url[:120]}" is no address: {error}') from error
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        raise BusError(f"{said} failed: {why}") from error
    _check_status(f"{said} answered {answer.status_code}", answer, found)
    return {"status": answer.status_code, "body": _read(answer, found)}


def _headers(headers: Mapping[str, str], content: bytes | None) -> dict[str, str]:
    for name, value in headers.items():
        check_header(name, value)
    is_typed = content is None or any(name.lower() == "content-type" for name in headers)
    return dict(headers) if is_typed else {"Content-Type": "application/json", **headers}


async def _content(answer: "httpx.Response", url: str) -> bytes:
    content = b""
    async for chunk in answer.aiter_bytes():
        content += chunk
        if len(content) > ANSWER_BYTES:
            raise InputError(f"The answer of {url[:120]} is above {ANSWER_BYTES} bytes")
    return content


def _check_status(said: str, answer: "httpx.Response", content: bytes) -> None:
    status = answer.status_code
    if status >= 500 or status in _AGAIN:
        raise BusError(said)
    if status >= 400:
        raise InputError(f"{said}: {content[:200].decode(errors='replace')}")
    if status >= 300:
        where = answer.headers.get("location", "")
        leads = f" and leads to {where[:200]}" if where else ""
        raise InputError(f"{said}{leads}; redirections are not followed, so call the place itself")


def _read(answer: "httpx.Response", content: bytes) -> object:
    text = _text(content, answer.encoding or "utf-8")
    if "json" not in answer.headers.get("content-type", ""):
        return text
    try:
        found = json.loads(text)
        msgspec.json.encode(found)  # or the run could not be kept
    except (ValueError, RecursionError):
        return text
    return found


def _text(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding, errors="replace")
    except (LookupError, UnicodeError):  # "hex" is an encoding for Python, and none of texts
        text = content.decode(errors="replace")
    return text.encode(errors="replace").decode()  # half characters, as of UTF-7
