"""The HTTP action of workflows: only to hosts that the settings name."""

import asyncio
import importlib
import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.core.errors import BusError, InputError

if TYPE_CHECKING:
    import httpx

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ANSWER_BYTES = 262_144
_AGAIN = frozenset({408, 425, 429})


def check_address(url: str, allowed: Sequence[str]) -> None:
    """Check that an address may be called.

    Raises:
        InputError: It is no http address, or its host is not in `workflow.http_hosts`.
    """
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


async def call(
    method: str,
    url: str,
    body: object,
    headers: Mapping[str, str],
    *,
    allowed: Sequence[str],
    timeout_s: float,
) -> dict[str, object]:
    """Call an address; return `{status, headers, body}`, the body as JSON where it is.

    Redirections are not followed: they could lead to a host that is not allowed.

    Raises:
        InputError: The address or the method is not allowed, or the answer is an error of ours.
        BusError: It cannot be reached, or has trouble of its own: it may go better again.
    """
    check_address(url, allowed)
    if method not in METHODS:
        raise InputError(f'method: "{method[:20]}" is none of {", ".join(METHODS)}')
    # 0.3 s, of which the start of the app is spared: most plants call nobody
    httpx = await asyncio.to_thread(importlib.import_module, "httpx")
    try:
        async with (
            httpx.AsyncClient(timeout=timeout_s, trust_env=False) as client,
            client.stream(method, url, json=body, headers=dict(headers)) as answer,
        ):
            content = b""
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > ANSWER_BYTES:
                    raise InputError(f"The answer of {url[:120]} is above {ANSWER_BYTES} bytes")
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        raise BusError(f"{method} {url[:120]} failed: {why}") from error
    said = f"{method} {url[:120]} answered {answer.status_code}"
    if answer.status_code >= 500 or answer.status_code in _AGAIN:
        raise BusError(said)
    if answer.status_code >= 400:
        raise InputError(f"{said}: {content[:200].decode(errors='replace')}")
    return {"status": answer.status_code, "body": _read(answer, content)}


def _read(answer: "httpx.Response", content: bytes) -> object:
    text = content.decode(answer.encoding or "utf-8", errors="replace")
    if "json" not in answer.headers.get("content-type", ""):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
