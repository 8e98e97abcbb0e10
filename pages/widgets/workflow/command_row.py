"""A command in words: what it changes, who asked, where it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.core.command import Command, CommandState
from app.core.equipment import Equipment, Tag
from app.core.units import unit_words
from pages.markup import Html, join, tag
from pages.widgets.links import tag_link, unit_link, with_unit_links
from pages.widgets.words import number
from pages.widgets.workflow.marks import COMMAND_LOOKS, marked
from pages.widgets.workflow.words import run_link, when_words

HEADINGS = ("State", "Tag", "Change", "Asked by", "Approved by", "When", "Why, and what came of it")
_ARROW = " → "
_LOOK = "Look at the unit itself, then set the tag anew: nothing is sent again by itself."
_SOURCES = {
    "ui": "on a page",
    "http": "by HTTP",
    "cli": "by command line",
    "workflow": "in a workflow",
    "mqtt": "by MQTT",
    "scada": "by SCADA",
    "mcp": "by MCP",
}


@dataclass(frozen=True, slots=True)
class Sight:
    """What commands are shown with.

    Attributes:
        unit_of: Returns a unit by the path of one of its tags, None if it is not known.
        zone: The plant's time zone.
        now: UTC.
    """

    unit_of: Callable[[str], Equipment | None]
    zone: str
    now: datetime

    def name_of(self, path: str) -> str:
        """Return the name of a unit by its path, empty for none."""
        unit = self.unit_of(path)
        return unit.name if unit else ""

    def tag_of(self, path: str) -> Tag | None:
        """Return a tag's declaration."""
        unit = self.unit_of(path)
        return next((each for each in unit.tags if each.path == path), None) if unit else None


def command_key(identity: str) -> str:
    """Return the key of a command's row."""
    return f"command-{identity}"


def value_words(value: float | None, declared: Tag | None, unit: str) -> str:
    """Return a value as the tag shows it: its word, or its decimals and unit."""
    if value is None:
        return number(None)
    if declared and declared.states and value.is_integer():
        return declared.states.get(int(value), number(value, 0))
    text = number(value, declared.decimals) if declared else f"{value:g}"
    return f"{text} {unit_words(unit)}".rstrip()


def change_words(command: Command, sight: Sight) -> str:
    """Return "105 % → 80 %"."""
    declared = sight.tag_of(command.tag)
    before = value_words(command.before, declared, command.unit)
    return f"{before}{_ARROW}{value_words(command.value, declared, command.unit)}"


def source_words(source: str) -> str:
    """Return where a command came from: "on a page", "in a workflow"."""
    return _SOURCES.get(source, f"by {source}")


def command_row(command: Command, sight: Sight) -> Html:
    """Return the row of a command in the list."""
    return tag(
        "tr",
        tag("td", marked(COMMAND_LOOKS[command.state])),
        tag("td", target(command, sight)),
        tag("td", _change(command, sight), class_="mw-whole"),
        tag(
            "td",
            command.requested_by,
            tag("span", f", {source_words(command.source)}", class_="mw-hint"),
        ),
        tag("td", command.approved_by or None),
        tag("td", when_words(command.requested_at, sight.zone, sight.now), class_="mw-whole"),
        tag("td", _why(command, sight), class_="mw-letter-why"),
        class_="mw-run-row mw-command",
        tabindex="0",
        data_patch=command_key(command.id),
    )


def target(command: Command, sight: Sight) -> Html:
    """Return links to the unit and the tag."""
    unit, declared = sight.unit_of(command.tag), sight.tag_of(command.tag)
    name = (declared.description if declared else "") or command.tag.rpartition("/")[2]
    link = tag_link(command.tag, lowered(name) if unit else command.tag)
    return join([unit_link(unit.path, unit.name), ": ", link]) if unit else link


def command_words(command: Command, sight: Sight) -> str:
    """Return "Cooling pump P-101: speed limit, 105 % → 80 %"."""
    unit, declared = sight.unit_of(command.tag), sight.tag_of(command.tag)
    name = (declared.description if declared else "") or command.tag.rpartition("/")[2]
    what = f"{unit.name}: {lowered(name)}" if unit else command.tag
    return f"{what}, {change_words(command, sight)}"


def _change(command: Command, sight: Sight) -> Html:
    declared = sight.tag_of(command.tag)
    change = tag("b", change_words(command, sight))
    open_ = tag("a", change, href=f"/commands/{command.id}", class_="mw-link mw-run-open")
    words: list[object] = [open_]
    if command.after is not None:
        shown = value_words(command.after, declared, command.unit)
        words.append(tag("span", f", shows {shown}", class_="mw-hint"))
    return join(words)


def _why(command: Command, sight: Sight) -> Html:
    pieces: list[object] = [command.why] if command.why else []
    if command.run:
        pieces.append([" " if pieces else "", run_link(command.run, "run")])
    if command.reason:
        reason = with_unit_links(command.reason, sight.name_of)
        pieces.append(tag("div", reason, class_="mw-command-reason"))
    remedy = remedy_words(command)
    if remedy:
        pieces.append(tag("div", remedy))
    return join(pieces)


def remedy_words(command: Command) -> str:
    """Return what a person has to do about a command, empty if nothing."""
    return _LOOK if command.state is CommandState.UNKNOWN else ""


def lowered(name: str) -> str:
    """Return a tag's description as it stands within a sentence; "NPSH" keeps its capitals."""
    is_word = name[:1].isupper() and name[1:2].islower()
    return f"{name[0].lower()}{name[1:]}" if is_word else name
