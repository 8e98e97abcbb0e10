"""What stands above a list: states to choose, and what may be done with marked rows."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from pages.markup import Html, tag

_State = TypeVar("_State", bound=StrEnum)


def state_chips(words: Mapping[_State, str], chosen: Collection[_State]) -> Html:
    """Return a button for each state; work.js sends the event "mw_state" with its name."""
    chips = [
        tag(
            "button",
            each,
            type="button",
            class_="mw-chip",
            aria_pressed=str(state in chosen).lower(),
            data_state=state.value,
        )
        for state, each in words.items()
    ]
    return tag("div", chips, class_="mw-states", role="group", aria_label="States")


def bulk_bar(acts: Sequence[tuple[str, str, str]]) -> Html:
    """Return the bar that shows while rows are marked; work.js sends "mw_bulk" with their ids.

    Args:
        acts: What to do, its words and the look of its button, beside marking all and none.
    """
    buttons = [
        tag("button", words, type="button", class_=f"mw-button {look}".strip(), data_bulk=do)
        for do, words, look in (("all", "Mark all", ""), ("none", "Mark none", ""), *acts)
    ]
    count = tag("span", "0 marked", class_="mw-bulk-count", aria_live="polite")
    return tag("div", count, buttons, class_="mw-bulk", hidden=True)
