"""L3, one command: what it changes, who agreed, and each step it took."""

from collections.abc import Sequence

from fastapi import Request, Response
from nicegui import ui

from app.core.command import ENDED, Command, CommandChange
from app.core.errors import NotFoundError, StoreError
from app.plant import Plant
from pages.again import Again
from pages.frame import frame
from pages.markup import Html, place, tag
from pages.not_found import not_found
from pages.sight import sight_of
from pages.unread import unread
from pages.widgets import card, number, with_unit_links
from pages.widgets.workflow.assets import add_files, serve_files
from pages.widgets.workflow.command_row import (
    Sight,
    change_words,
    remedy_words,
    source_words,
    target,
    value_words,
)
from pages.widgets.workflow.marks import COMMAND_LOOKS, marked
from pages.widgets.workflow.words import run_link, when_words
from pages.work_feed import Changes, WorkFeed

_COMMANDS = ("Commands", "/commands")
_CUT = "Its address may have been cut when it was copied."
_HEADINGS = ("When", "State", "By", "Why")


def create(plant: Plant, feed: WorkFeed) -> None:
    """Register the page."""
    base = serve_files()

    @ui.page("/commands/{command_id}")
    async def command(request: Request, command_id: str) -> Response | None:
        try:
            found = await plant.commands.get(command_id)
        except NotFoundError:
            missing = f'There is no command "{command_id[:80]}"'
            return not_found(plant, request, missing, _COMMANDS, why=_CUT)
        except StoreError as error:
            with frame(plant, "Command", active="/commands", crumbs=[_COMMANDS]):
                place(unread(plant, error))
            return None
        add_files(base)
        with frame(plant, "Command", active="/commands", crumbs=[_COMMANDS]):
            shown = place(await _draw(plant, found))

            async def read() -> None:
                shown.set_content(await _draw(plant, await plant.commands.get(command_id)))

            again = Again(read)

            def paint(changes: Changes) -> None:
                if command_id in changes.commands:
                    again.ask()

            feed.watch(paint, read)
        return None


async def _draw(plant: Plant, command: Command) -> Html:
    sight = sight_of(plant)
    return command_page(command, await plant.commands.changes(command.id), sight)


def command_page(command: Command, changes: Sequence[CommandChange], sight: Sight) -> Html:
    """Return the page's body."""
    look, remedy = COMMAND_LOOKS[command.state], remedy_words(command)
    head = tag(
        "div",
        marked(look),
        tag("b", target(command, sight), ", ", change_words(command, sight)),
        tag("p", with_unit_links(command.reason, sight.name_of), class_="mw-run-reason")
        if command.reason
        else None,
        tag("p", remedy, class_="mw-run-reason") if remedy else None,
        class_="mw-run-head",
    )
    return tag(
        "div",
        head,
        card("What was asked", _facts(command, sight)),
        card("What happened", tag("div", _history(changes, sight), class_="mw-scroll")),
        class_="mw-stack",
    )


def _facts(command: Command, sight: Sight) -> Html:
    declared = sight.tag_of(command.tag)
    pairs: list[tuple[str, object]] = [
        ("Asked by", f"{_asker(command)}, {source_words(command.source)}"),
        ("Asked at", when_words(command.requested_at, sight.zone, sight.now)),
        ("Why", command.why or number(None)),
        ("Approved by", command.approved_by or number(None)),
        ("Value before", value_words(command.before, declared, command.unit)),
        ("Value wanted", value_words(command.value, declared, command.unit)),
        ("Value shown at the end", value_words(command.after, declared, command.unit)),
        ("Sent to", command.actuator or number(None)),
        ("Command", tag("code", command.id)),
    ]
    if command.state not in ENDED:
        until = when_words(command.expires_at, sight.zone, sight.now)
        pairs.insert(2, ("Not acted on after", until))
    if command.run:
        pairs.insert(1, ("Run", run_link(command.run)))
    rows = [[tag("dt", words), tag("dd", value)] for words, value in pairs]
    return tag("dl", rows, class_="mw-facts")


def _asker(command: Command) -> str:
    """Return name and role, once if nobody gave a name."""
    name, role = command.requested_by, command.role
    return name if name == role else f"{name} ({role})"


def _history(changes: Sequence[CommandChange], sight: Sight) -> Html:
    rows = [
        tag(
            "tr",
            tag("td", when_words(each.at, sight.zone, sight.now), class_="mw-whole"),
            tag("td", marked(COMMAND_LOOKS[each.new])),
            tag("td", each.actor),
            tag("td", each.why),
        )
        for each in changes
    ]
    head = tag("tr", [tag("th", words) for words in _HEADINGS])
    return tag(
        "table", tag("thead", head), tag("tbody", rows), class_="mw-table mw-still mw-history"
    )
