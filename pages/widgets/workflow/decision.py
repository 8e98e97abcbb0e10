"""A decision that is waited for: what is asked, the figures, who may decide, and the buttons."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from app.core.actor import Actor, Role
from app.core.run import Approval, ApprovalState
from pages.markup import Html, tag
from pages.widgets.words import age_words, number
from pages.widgets.workflow.json_view import json_view
from pages.widgets.workflow.marks import APPROVAL_LOOKS, glyph, marked
from pages.widgets.workflow.words import run_link, sentence, ticking, when_words

_FIGURES = 12


@dataclass(frozen=True, slots=True)
class Setting:
    """What a decision is shown with.

    Attributes:
        who: Who looks at it.
        zone: The plant's time zone.
        now: UTC.
        linked: Turns paths of units in a text into links.
        title: What an operator calls a workflow, by its name.
    """

    who: Actor
    zone: str
    now: datetime
    linked: Callable[[str], Html]
    title: Callable[[str], str]


def approval_key(approval: str) -> str:
    """Return the key of a decision."""
    return f"approval-{approval}"


def may_decide(who: Actor, needed: str) -> bool:
    """Tell whether the role of a person is enough; a role that is unknown is never covered."""
    return needed in set(Role) and who.role.covers(Role(needed))


def open_decision(asked: Approval, setting: Setting, *, has_run: bool = True) -> Html:
    """Return an open approval of a run with its buttons."""
    about = run_link(asked.run, setting.title(asked.workflow))
    return decision_plate(
        key=approval_key(asked.id),
        identity=asked.id,
        question=setting.linked(asked.question),
        about=tag("p", about, class_="mw-hint") if has_run else None,
        figures=figures(asked.details, setting.linked),
        needs=asked.role,
        asked_at=asked.asked_at,
        expires_at=asked.expires_at,
        setting=setting,
    )


def decision_plate(
    *,
    key: str,
    identity: str,
    question: object,
    about: object,
    figures: object,
    needs: str,
    asked_at: datetime,
    expires_at: datetime,
    setting: Setting,
    refusal: str = "",
    but_not: str = "",
) -> Html:
    """Return one thing to decide.

    Args:
        key: Names the plate in the page.
        identity: What the buttons name.
        question: What is asked.
        about: What it belongs to.
        figures: What a person should see before deciding.
        needs: The least role.
        asked_at: UTC.
        expires_at: UTC.
        setting: What it is shown with.
        refusal: Why this person may not approve it, empty if there is no reason beside the role.
        but_not: Who asked and therefore cannot approve, empty if anybody may.
    """
    is_enough = may_decide(setting.who, needs)
    why_not = refusal or (
        ""
        if is_enough
        else f"You are {setting.who.name}, {setting.who.role}; it takes the role {needs}."
    )
    until = int(expires_at.timestamp() * 1000)
    side = tag(
        "div",
        tag(
            "div",
            tag("span", "asked ", when_words(asked_at, setting.zone, setting.now)),
            tag("span", " · ", ticking(asked_at, None, setting.now), " ago"),
            class_="mw-hint",
        ),
        tag(
            "div",
            tag("span", _left_words(expires_at, setting.now), data_until=until),
            f", until {when_words(expires_at, setting.zone, setting.now)}",
            class_="mw-hint mw-left",
        ),
        _buttons(identity, bool(why_not)),
        tag("p", why_not, class_="mw-hint") if why_not else None,
        class_="mw-decision-side",
    )
    words = tag(
        "div",
        tag("h2", glyph("person"), tag("span", question)),
        about,
        figures,
        tag(
            "p",
            f"May be decided by: {needs} or above{_but_not('' if refusal else but_not)}",
            class_="mw-hint",
        ),
        class_="mw-decision-words",
    )
    return tag("section", words, side, class_="mw-decision", data_patch=key)


def _but_not(name: str) -> str:
    return f"; {name} asked, so another person must approve it" if name else ""


def _left_words(until: datetime, now: datetime) -> str:
    """Return what the browser counts on (work.js)."""
    left_s = (until - now).total_seconds()
    return f"{age_words(left_s)} left" if left_s > 0 else "time is over"


def _buttons(identity: str, is_refused: bool) -> Html:
    pairs = (("Approve", "approve"), ("Reject", "reject"))
    buttons = [
        tag(
            "button",
            words,
            type="button",
            class_="mw-button",
            disabled=is_refused,
            data_act=act,
            data_id=identity,
        )
        for words, act in pairs
    ]
    return tag("div", buttons, class_="mw-decision-buttons")


def figures(details: object, linked: Callable[[str], Html]) -> Html | None:
    """Return what a person should see before deciding; a deep value is shown as JSON."""
    if details is None or details in ("", {}, []):
        return None
    if not isinstance(details, Mapping):
        return tag("p", linked(details)) if isinstance(details, str) else json_view("", details)
    pairs = {
        name: value
        for name, value in cast("Mapping[str, object]", details).items()  # keys of JSON are texts
        if value not in (None, "", [], {})
    }
    if len(pairs) > _FIGURES or any(_is_deep(each) for each in pairs.values()):
        return json_view("Figures", pairs)
    rows = [
        [tag("dt", sentence(name)), tag("dd", _figure(value, linked))]
        for name, value in pairs.items()
    ]
    return tag("dl", rows, class_="mw-facts")


def _is_deep(value: object) -> bool:
    match value:
        case dict():
            return True
        case list():
            inner = cast("list[object]", value)  # of JSON
            return any(isinstance(each, dict | list) for each in inner)
        case _:
            return False


def _figure(value: object, linked: Callable[[str], Html]) -> object:
    match value:
        case None:
            return number(None)
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return f"{value:g}"
        case list():
            lines = cast("list[object]", value)  # of JSON
            return tag("ul", [tag("li", _figure(each, linked)) for each in lines])
        case _:
            return linked(str(value))


def decided_row(each: Approval, setting: Setting) -> Html:
    """Return a decision that was made, as a row of a table."""
    by = each.decided_by if each.state in {ApprovalState.APPROVED, ApprovalState.REJECTED} else ""
    at = each.decided_at or each.expires_at
    return tag(
        "tr",
        tag("td", marked(APPROVAL_LOOKS[each.state])),
        tag("td", setting.linked(each.question)),
        tag("td", run_link(each.run, setting.title(each.workflow))),
        tag("td", by),
        tag("td", each.note),
        tag("td", when_words(at, setting.zone, setting.now), class_="mw-whole"),
    )
