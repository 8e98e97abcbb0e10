"""Why an agent says what it says: probability, evidence, what to do."""

import json

from app.core.alarm import Finding
from app.core.units import unit_words
from pages.icons import priority_symbol
from pages.markup import Html, tag
from pages.widgets.words import is_agent, number, stated_by


def finding_why(finding: Finding) -> Html:
    """Return one finding with the figures behind it."""
    probability = None
    if finding.probability is not None:
        share = round(finding.probability * 100)
        probability = tag("span", f"{share} % likely", class_="mw-hint")
    return tag(
        "div",
        tag(
            "div",
            priority_symbol(finding.priority) if finding.priority else None,
            tag("b", finding.message or finding.condition.replace("_", " ")),
            class_="mw-why-head",
        ),
        tag(
            "div",
            _who(finding.agent),
            probability,
            _against_limit(finding),
            class_="mw-row",
        ),
        tag("mw-evidence", figures=json.dumps(finding.evidence)) if finding.evidence else None,
        tag("p", finding.response, class_="mw-response") if finding.response else None,
        class_="mw-why",
    )


def _who(agent: str) -> Html:
    words = stated_by(agent)
    if is_agent(agent):
        return tag("a", words, href="/agents", class_="mw-link")
    return tag("span", words, class_="mw-hint")


def _against_limit(finding: Finding) -> Html | None:
    if finding.value is None:
        return None
    unit = unit_words(finding.unit)
    words = f"{number(finding.value, 2)} {unit}"
    if finding.limit is not None:
        words += f", limit {number(finding.limit, 2)} {unit}"
    return tag("span", words, class_="mw-hint")
