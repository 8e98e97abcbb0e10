"""Asks the running app over HTTP, on this machine."""

import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import TypeVar

import msgspec

from app.core.errors import ConflictError, InputError, MillwrightError, NotFoundError
from app.settings import Settings

T = TypeVar("T")

TIMEOUT_S = 15.0  # the app itself waits 10 s for an agent
_START = "start it with: uv run millwright, or say where it listens by --host and --port"
# Without this, HTTP_PROXY would send a call to 127.0.0.1 to the proxy.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class _Refusal(msgspec.Struct):
    message: str
    hint: str = ""


def app_url(settings: Settings) -> str:
    """Return where the app listens; an IPv6 address stands in brackets."""
    host = settings.server.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.server.port}"


def ask_app(
    settings: Settings,
    path: str,
    type_: type[T],
    *,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> T:
    """Return the app's answer to a GET, or to a POST of `body` as JSON.

    Raises:
        InputError: A text is not Unicode.
        NotFoundError: Nothing answers, or something else than the app.
        ConflictError: The app refused; the message is its own.
    """
    url = app_url(settings)
    request = _request(url + path, body, headers or {})
    try:
        with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
            return msgspec.json.decode(answer.read(), type=type_)
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(error.read(), url) from error
    except (HTTPException, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _stranger(url) from error
    except OSError as error:
        cause: object = getattr(error, "reason", error)  # what urllib has wrapped
        why = getattr(cause, "strerror", None) or cause
        raise NotFoundError(f"The app does not answer at {url}: {why}", _START) from error


def _request(url: str, body: object, headers: Mapping[str, str]) -> urllib.request.Request:
    try:
        payload = None if body is None else msgspec.json.encode(body)
        # urllib writes headers as Latin-1; the app reads them as UTF-8
        texts = {
            name: " ".join(text.split()).encode().decode("latin-1")
            for name, text in headers.items()
        }
    except UnicodeEncodeError as error:
        raise InputError("What was typed is not UTF-8", "Check the terminal's encoding") from error
    content = {"Content-Type": "application/json", **texts}
    return urllib.request.Request(url, payload, content)  # noqa: S310  always http


def _refused(body: bytes, url: str) -> MillwrightError:
    try:
        refusal = msgspec.json.decode(body, type=_Refusal)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _stranger(url)
    return ConflictError(refusal.message, refusal.hint)


def _stranger(url: str) -> NotFoundError:
    return NotFoundError(f"What answers at {url} is not the app", _START)
