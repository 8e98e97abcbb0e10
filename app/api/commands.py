"""Commands over HTTP: ask, look, approve, reject, and try the checks without asking."""

from typing import Annotated, Protocol

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.api.answers import Described, answers, read_body, reply, takes
from app.api.named_states import named_states
from app.api.who import actor_of
from app.commands.gateway import CommandGateway
from app.core.actor import Actor
from app.core.command import ENDED, Command, CommandChange, CommandState
from app.core.command_check import Check, failed
from app.security.refusal import ErrorBody
from app.settings import Settings

PAGE = 1000
_Path = Annotated[str, msgspec.Meta(max_length=300)]
_Note = Annotated[str, msgspec.Meta(max_length=1000)]


class CommandWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of a tag that is asked for.

    Attributes:
        tag: Path of the tag.
        value: New value, in the tag's unit; always absolute.
        why: Reason, for the journal.
        id: Path segment; the same id again is the same command. Empty makes one.
        confirmed: The person who asks has been asked back and agrees.
        expires_s: Nobody acts on it after so many seconds; absent takes `commands.expires_s`.
    """

    tag: _Path
    value: float
    why: _Note = ""
    id: str = ""
    confirmed: bool = False
    expires_s: float | None = None


class CommandTrial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of a tag to be judged and not made: path of the tag and value in its unit."""

    tag: _Path
    value: float


class CommandVerdict(msgspec.Struct, frozen=True):
    """Whether a command would be sent now, and every check of it."""

    ok: bool
    checks: list[Check]


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says when approving or rejecting."""

    note: _Note = ""


class Commanded(Protocol):
    """What the routes need of the plant."""

    @property
    def commands(self) -> CommandGateway:
        """The command gateway."""
        ...

    @property
    def settings(self) -> Settings:
        """For the roles of people."""
        ...


def router(plant: Commanded) -> APIRouter:
    """Return the routes under /api/commands."""
    routes = APIRouter(prefix="/api/commands", tags=["commands"])
    _add_asking(routes, plant)
    _add_reading(routes, plant)
    _add_deciding(routes, plant)
    return routes


def _add_asking(routes: APIRouter, plant: Commanded) -> None:
    who = actor_of(plant.settings)

    @routes.post("", responses=_outcomes(), openapi_extra=takes(CommandWish))
    async def ask(request: Request, actor: Annotated[Actor, Depends(who)]) -> Response:
        """Ask for a change of a tag: 202 while it is under way, 200 if it had ended before.

        One that fails a check or is refused answers 409 and is kept all the same. The header
        `X-Actor` says who asks: a claim until there is a login.
        """
        wish = await read_body(request, CommandWish)
        command = await plant.commands.request(
            wish.tag,
            wish.value,
            actor,
            wish.why,
            id=wish.id,
            expires_s=wish.expires_s,
            confirmed=wish.confirmed,
        )
        return _outcome(command)

    @routes.post(
        "/check",
        responses=answers(CommandVerdict, "Every check with its verdict"),
        openapi_extra=takes(CommandTrial),
    )
    async def check(request: Request, actor: Annotated[Actor, Depends(who)]) -> Response:
        """Judge a change of a tag as of now; nothing is kept or sent."""
        trial = await read_body(request, CommandTrial)
        checks = await plant.commands.checks(trial.tag, trial.value, actor)
        return reply(CommandVerdict(not failed(checks), checks))


def _add_reading(routes: APIRouter, plant: Commanded) -> None:
    @routes.get("", responses=answers(list[Command], "Commands, the newest first"))
    async def find(
        state: str = "", tag: str = "", limit: Annotated[int, Query(ge=1, le=PAGE)] = 200
    ) -> Response:
        """List commands, of one tag if given; `state` names states, separated by commas."""
        return reply(await plant.commands.find(named_states(CommandState, state), tag, limit))

    @routes.get("/{command_id}", responses=answers(Command, "The command as it stands"))
    async def get(command_id: str) -> Response:
        """Show a command."""
        return reply(await plant.commands.get(command_id))

    @routes.get("/{command_id}/changes", responses=answers(list[CommandChange], "The oldest first"))
    async def changes(command_id: str) -> Response:
        """Show who changed a command's state when and why."""
        return reply(await plant.commands.changes(command_id))


def _add_deciding(routes: APIRouter, plant: Commanded) -> None:
    body = takes(Decision)
    who = actor_of(plant.settings)

    @routes.post("/{command_id}/approve", responses=_outcomes(), openapi_extra=body)
    async def approve(
        command_id: str, request: Request, actor: Annotated[Actor, Depends(who)]
    ) -> Response:
        """Agree to a command that waits; it is checked again and sent."""
        note = await _note(request)
        return _outcome(await plant.commands.approve(command_id, actor, note))

    @routes.post(
        "/{command_id}/reject",
        responses=answers(Command, "The command, rejected"),
        openapi_extra=body,
    )
    async def reject(
        command_id: str, request: Request, actor: Annotated[Actor, Depends(who)]
    ) -> Response:
        """Refuse a command that was not sent yet."""
        note = await _note(request)
        return reply(await plant.commands.reject(command_id, actor, note))


async def _note(request: Request) -> str:
    return (await read_body(request, Decision)).note if await request.body() else ""


def _outcome(command: Command) -> Response:
    if command.state is CommandState.REJECTED:
        hint = f"GET /api/commands/{command.id} shows it"
        named = {"command": command.id}
        return reply(ErrorBody("rejected", command.reason, hint, named), 409)
    return reply(command, 200 if command.state in ENDED else 202)


def _outcomes() -> Described:
    ended = answers(Command, "It has ended")
    return ended | answers(Command, "It is under way", 202)
