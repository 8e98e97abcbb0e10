"""How the chain of the audit stands, in a sentence an operator can act on."""

from datetime import datetime

from app.core.audit_chain import REMEDY, Flaw, Head, Verdict
from app.store.audit_check import CheckState
from pages.markup import Html, tag
from pages.widgets.words import age_words, capitalised, clock_words, number


def chain_line(state: CheckState, flaw: Flaw | None, now: datetime, zone: str) -> Html:
    """Return what is known of the chain.

    Args:
        state: How the check stands.
        flaw: The break that was found while writing, None if none was.
        now: The present, for the age of the check.
        zone: The plant's time zone.
    """
    broken = (state.verdict.flaw if state.verdict else None) or flaw
    lines: list[Html] = []
    if broken:
        lines.append(_broken(broken, state.verdict, now, zone))
    elif state.verdict:
        lines.append(_whole(state.verdict, now, zone))
    elif not state.running and not state.trouble:
        lines.append(tag("p", "The chain of rows has not been checked since the start."))
    if state.trouble:
        lines.append(_mark(f"The chain could not be checked: {state.trouble}"))
    if state.running:
        lines.append(_progress(state.done, state.total))
    return tag("div", lines, class_="mw-chain-state", aria_live="polite")


def _whole(verdict: Verdict, now: datetime, zone: str) -> Html:
    rows = number(verdict.rows, 0)
    if verdict.head is None:
        words = "The chain had no rows"
    elif verdict.is_whole:
        words = "The chain of one row is" if verdict.rows == 1 else f"The chain of {rows} rows is"
        words = f"{words} whole"
    else:
        words = f"The last {rows} rows of the chain are whole; Verify reads all of it"
    return tag("div", tag("p", tag("b", words), _when(verdict, now, zone)), _head(verdict.head))


def _broken(flaw: Flaw, verdict: Verdict | None, now: datetime, zone: str) -> Html:
    when = _when(verdict, now, zone) if verdict and verdict.flaw else None
    words = f"The chain is broken at row {number(flaw.number, 0)}. {capitalised(flaw.reason)}"
    hint = tag("p", f"{REMEDY}. Actions are still noted.")
    return tag("div", _mark(words, when), hint)


def _mark(words: str, more: object = None) -> Html:
    shape = tag("i", class_="mw-dot mw-wrong", aria_hidden="true")
    return tag("p", shape, tag("span", tag("b", words), more), class_="mw-chain-wrong")


def _when(verdict: Verdict, now: datetime, zone: str) -> Html:
    age = age_words(max(0.0, (now - verdict.at).total_seconds()))
    return tag("span", f", checked {clock_words(verdict.at, zone)} · {age}", class_="mw-hint")


def _head(head: Head | None) -> Html | None:
    if head is None:
        return None
    title = "Note it where nobody who can write the data folder can: millwright audit head"
    digest = tag("code", head.hash, title=title)
    return tag("p", f"Head: row {head.number} ", digest, class_="mw-hint mw-chain-head")


def _progress(done: int, total: int) -> Html:
    share = done / total if total else 0.0
    bar = tag("i", style=f"width:{100 * share:.0f}%")
    words = f"Checking: {number(done, 0)} of {number(total, 0)} rows"
    return tag(
        "div",
        tag("span", words),
        tag(
            "div",
            bar,
            class_="mw-share",
            role="progressbar",
            aria_valuenow=f"{100 * share:.0f}",
            aria_valuemin="0",
            aria_valuemax="100",
            aria_label="Check of the chain",
        ),
        class_="mw-chain-progress",
    )
