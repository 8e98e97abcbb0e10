"""Who acts over HTTP: a name that the caller says, the way it came, and the role of that name."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated

from fastapi import Header
from pydantic import AfterValidator, BeforeValidator

from app.api.answers import ACTOR
from app.core.actor import Actor, check_name
from app.settings import Settings


class Caller(StrEnum):
    """Which way a call came, for runs, the checks of commands and the audit."""

    HTTP = "http"
    CLI = "cli"


def _utf_8(header: object) -> object:
    """Return what a client wrote as UTF-8; headers come decoded as Latin-1 (RFC 9110, 5.5)."""
    try:
        return header.encode("latin-1").decode() if isinstance(header, str) else header
    except UnicodeError:  # the client wrote Latin-1
        return header


def _own(name: str) -> str:
    """Return a name that is not the app's; the error is ours, so that pydantic adds no words."""
    check_name(name)
    return name


ActorName = Annotated[
    str,
    BeforeValidator(_utf_8),
    AfterValidator(_own),
    Header(alias="X-Actor", min_length=1, max_length=40),
]
"""The header that says who asks; not a name that the app goes by itself."""
CallerHeader = Annotated[Caller, Header(alias="X-Actor-Source")]


def actor_of(settings: Settings) -> Callable[..., Awaitable[Actor]]:
    """Return the dependency that reads who acts from the headers; a claim, without a login."""

    async def actor(x_actor: ActorName = ACTOR.name, x_source: CallerHeader = Caller.HTTP) -> Actor:
        return Actor(x_actor, x_source.value, settings.people.role(x_actor))

    return actor
