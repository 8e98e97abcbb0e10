"""States as shape and word: grey as long as nothing is wrong."""

from collections.abc import Mapping

from app.core.command import CommandState
from app.core.run import ApprovalState, RunState, StepState
from pages.markup import Html, tag

_SHAPES: Mapping[str, str] = {
    "running": '<circle class="mw-mark-dash" cx="12" cy="12" r="8.5"/>'
    '<circle class="mw-mark-solid" cx="12" cy="12" r="3.5"/>',
    "waiting": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.5l3.5 2"/>',
    "person": '<path d="M8 13V6.5a1.4 1.4 0 0 1 2.8 0V11V5a1.4 1.4 0 0 1 2.8 0v6V6.5a1.4 '
    "1.4 0 0 1 2.8 0V15a6 6 0 0 1-6 6c-2.6 0-3.8-1.4-5.4-4.4l-1.6-3a1.4 1.4 0 0 1 "
    '2.4-1.4z"/>',
    "done": '<circle class="mw-mark-solid" cx="12" cy="12" r="9"/>'
    '<path class="mw-mark-in" d="M7.5 12.5l3 3 6-6.5"/>',
    "failed": '<path class="mw-mark-bad" d="M12 2 23 21H1z"/>'
    '<path class="mw-mark-in" d="M12 9v5.5M12 17v1"/>',
    "doubt": '<path class="mw-mark-bad" d="M12 2 23 21H1z"/><path class="mw-mark-in" d="M10 11c0-3 '
    '4-3 4-.5 0 2-2 1.5-2 4M12 17v1"/>',
    "off": '<circle cx="12" cy="12" r="8.5"/><path d="M6 18 18 6"/>',
    "skipped": '<circle class="mw-mark-dots" cx="12" cy="12" r="8.5"/>',
    "pending": '<circle cx="12" cy="12" r="8.5"/>',
}

RUN_LOOKS: Mapping[RunState, tuple[str, str]] = {
    RunState.RUNNING: ("running", "running"),
    RunState.WAITING: ("waiting", "waiting"),
    RunState.COMPLETED: ("done", "completed"),
    RunState.FAILED: ("failed", "failed"),
    RunState.CANCELLED: ("off", "cancelled"),
}
STEP_LOOKS: Mapping[StepState, tuple[str, str]] = {
    StepState.PENDING: ("pending", "to come"),
    StepState.RUNNING: ("running", "running"),
    StepState.WAITING: ("waiting", "waiting"),
    StepState.DONE: ("done", "done"),
    StepState.FAILED: ("failed", "failed"),
    StepState.SKIPPED: ("skipped", "skipped"),
    StepState.CANCELLED: ("off", "cancelled"),
}
COMMAND_LOOKS: Mapping[CommandState, tuple[str, str]] = {
    CommandState.REQUESTED: ("pending", "requested"),
    CommandState.AWAITING_APPROVAL: ("person", "awaiting approval"),
    CommandState.DISPATCHED: ("running", "sent"),
    CommandState.ACKNOWLEDGED: ("running", "acknowledged"),
    CommandState.VERIFIED: ("done", "verified"),
    CommandState.REJECTED: ("off", "rejected"),
    CommandState.EXPIRED: ("off", "expired"),
    CommandState.UNKNOWN: ("doubt", "unknown"),
}
APPROVAL_LOOKS: Mapping[ApprovalState, tuple[str, str]] = {
    ApprovalState.OPEN: ("person", "open"),
    ApprovalState.APPROVED: ("done", "approved"),
    ApprovalState.REJECTED: ("off", "rejected"),
    ApprovalState.EXPIRED: ("off", "expired"),
    ApprovalState.WITHDRAWN: ("skipped", "withdrawn"),
}


def glyph(shape: str) -> Html:
    """Return a shape; a word stands beside it."""
    return Html(
        f'<svg class="mw-mark-svg mw-mark-{shape}" viewBox="0 0 24 24" aria-hidden="true">'
        f"{_SHAPES[shape]}</svg>"
    )


def marked(look: tuple[str, str]) -> Html:
    """Return shape and word."""
    shape, word = look
    return tag("span", glyph(shape), tag("span", word), class_=f"mw-work-state mw-is-{shape}")


def run_mark(state: RunState, *, is_for_person: bool = False) -> Html:
    """Return a run's state; one that waits for a person shows a hand."""
    if state is RunState.WAITING and is_for_person:
        return marked(("person", "waiting for a person"))
    return marked(RUN_LOOKS[state])
