"""A command that waits for a person's agreement, in the queue of approvals."""

from app.core.command import Command
from app.core.command_approval import why_not_approved
from app.core.write_rule import Confirm, WriteRule
from pages.markup import Html, join, tag
from pages.widgets.workflow.command_row import (
    Sight,
    change_words,
    source_words,
    target,
    value_words,
)
from pages.widgets.workflow.decision import Setting, approval_key, decision_plate
from pages.widgets.workflow.words import run_link

COMMAND_PREFIX = "command "
"""Stands before a command's id where approvals of runs and commands are in one list."""


def command_decision(
    command: Command, rule: WriteRule | None, setting: Setting, sight: Sight
) -> Html:
    """Return the plate; who asked sees why another person must approve it."""
    declared = sight.tag_of(command.tag)
    before = value_words(command.before, declared, command.unit)
    facts: list[tuple[str, object]] = [
        ("Asked by", f"{command.requested_by}, {source_words(command.source)}"),
        ("Value when it was asked", before),
    ]
    if command.why:
        facts.append(("Why", command.why))
    if command.run:
        facts.append(("Run", run_link(command.run)))
    about = tag("a", "Command", href=f"/commands/{command.id}", class_="mw-link")
    rows = [[tag("dt", words), tag("dd", value)] for words, value in facts]
    return decision_plate(
        key=approval_key(command.id),
        identity=f"{COMMAND_PREFIX}{command.id}",
        question=join([target(command, sight), ", ", change_words(command, sight)]),
        about=about,
        figures=tag("dl", rows, class_="mw-facts"),
        needs=rule.role.value if rule else "nobody",
        but_not=command.requested_by if rule and rule.confirm is Confirm.TWO_PERSONS else "",
        asked_at=command.requested_at,
        expires_at=command.expires_at,
        setting=setting,
        refusal=why_not_approved(command, rule, setting.who, setting.now),
    )
