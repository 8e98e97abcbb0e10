"""Who acts: a name that the browser keeps, and the role that the settings give to it.

There is no login yet, so a name is a claim. It stands in every journal line, and an approval by
two persons compares names. The browser keeps it in a cookie, so each page knows it as it is built.
"""

import json
import logging
import re
from functools import partial
from typing import cast
from urllib.parse import unquote

from nicegui import events, ui

from app.core.actor import Actor, check_name
from app.core.errors import InputError
from app.settings import PeopleSettings
from pages.icons import icon
from pages.markup import Html, tag

logger = logging.getLogger(__name__)

ACTOR = Actor(name="operator", source="ui")
COOKIE = "mw_name"
NAME_LIMIT = 40

_KEPT = "mw_actor"
_NAME = re.compile(r"[^\W_][\w .'\-]*")
_CLAIM = "There is no login yet: the name is what you say it is"


def clean_name(text: str) -> str:
    """Return a name without blanks around it; empty if it cannot be one."""
    name = " ".join(text.split())
    is_name = len(name) <= NAME_LIMIT and _NAME.fullmatch(name)
    try:
        check_name(name)
    except InputError:
        return ""
    return name if is_name else ""


def actor() -> Actor:
    """Return who acts on the page whose event is being handled, or that is being built."""
    kept: object = cast("dict[str, object]", ui.context.client.storage).get(_KEPT)  # it is untyped
    return kept if isinstance(kept, Actor) else ACTOR


def remember(people: PeopleSettings) -> None:
    """Take over the name that the browser sent with its request for the page being built."""
    request = ui.context.client.request
    name = clean_name(unquote(request.cookies.get(COOKIE, ""))) if request else ""
    _keep(name or ACTOR.name, people)
    ui.on("mw_name", partial(_renamed, people))


def you() -> Html:
    """Return the button that says who acts and lets a person say so."""
    who = actor()
    return tag(
        "button",
        icon("person"),
        tag("span", who.name, class_="mw-you-name"),
        type="button",
        class_="mw-tool mw-you",
        id="mw-you",
        title=f"You are {who.name} ({who.role}). {_CLAIM}",
        aria_label=f"You are {who.name}, {who.role}; change the name",
        data_name=who.name,
        data_role=who.role,
        data_claim=_CLAIM,
        data_limit=NAME_LIMIT,
    )


def _why_not(text: str) -> str:
    """Return why a text is no name."""
    try:
        check_name(text)
    except InputError as error:
        return f"{error}."
    return (
        f"A name has 1 to {NAME_LIMIT} letters, digits, blanks, points, apostrophes or hyphens, "
        "and begins with a letter or digit."
    )


def _keep(name: str, people: PeopleSettings) -> Actor:
    who = Actor(name=name, source=ACTOR.source, role=people.role(name))
    ui.context.client.storage[_KEPT] = who
    return who


def _renamed(people: PeopleSettings, event: events.GenericEventArguments) -> None:
    match event.args:
        case {"name": str() as text}:
            name = clean_name(text[: 4 * NAME_LIMIT])
        case _:
            logger.warning("a browser sent a name that is no text")
            return
    if not name:
        ui.run_javascript(f"Millwright.notYou({json.dumps(_why_not(text))})")
        return
    who = _keep(name, people)
    ui.run_javascript(f"Millwright.you({json.dumps(who.name)},{json.dumps(who.role)})")
