"""The first steps of given procedures as quotes with their place; pure, nothing is made up."""

import re
from collections.abc import Iterator, Sequence

import msgspec

MOST = 6  # sentences of advice; a person with an alarm reads no more
_A_PASSAGE = 3
_STEP = re.compile(r"^ *\d{1,2}[.)] +(?P<step>\S.*?) *$", re.MULTILINE)


class Passage(msgspec.Struct, frozen=True):
    """A passage as `search_knowledge` returns it; other fields of it are not needed."""

    document: str
    text: str
    title: str = ""
    section: str = ""
    start: int = 0


class StatedFinding(msgspec.Struct, frozen=True):
    """A finding, as far as it is needed."""

    response: str = ""
    agent: str = ""
    condition: str = ""
    equipment: str = ""


class Citation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a sentence stands: in a document, or in the response of a finding."""

    document: str = ""
    title: str = ""
    section: str = ""
    start: int | None = None
    end: int | None = None
    finding: str = ""


class Advice(msgspec.Struct, frozen=True):
    """One sentence as it stands in its source."""

    text: str
    citation: Citation


def kind_of(equipment: str) -> str:
    """Return what kind of machine a path names: "pump" of `site/area/line/pump-101`."""
    return equipment.rpartition("/")[2].rstrip("-_0123456789").lower()


def of_kind(passages: Sequence[Passage], kind: str) -> list[Passage]:
    """Return the passages that speak of a kind of machine, by their headings or their text."""
    if not kind:
        return list(passages)
    word = re.compile(rf"\b{re.escape(kind)}", re.IGNORECASE)
    return [each for each in passages if word.search(f"{each.title} {each.section} {each.text}")]


def quotes(passages: Sequence[Passage], findings: Sequence[StatedFinding]) -> list[Advice]:
    """Return responses of the findings, then the first steps of the passages, as they come."""
    found: dict[str, Advice] = {}
    for advice in (*_responses(findings), *(each for one in passages for each in _steps(one))):
        found.setdefault(advice.text, advice)
    return list(found.values())[:MOST]


def _responses(findings: Sequence[StatedFinding]) -> Iterator[Advice]:
    for finding in findings:
        if finding.response.strip():
            key = f"{finding.agent}:{finding.equipment}:{finding.condition}"
            yield Advice(finding.response.strip(), Citation(finding=key))


def _steps(passage: Passage) -> Iterator[Advice]:
    for number, step in enumerate(_STEP.finditer(passage.text)):
        if number == _A_PASSAGE:
            return
        start, end = (passage.start + place for place in step.span("step"))
        where = Citation(passage.document, passage.title, passage.section, start, end)
        yield Advice(step["step"], where)
