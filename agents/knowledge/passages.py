"""A Markdown document cut into passages, one a section; pure."""

import re
from typing import NamedTuple

_HEADING = re.compile(r"^(#{1,6}) +(.+?) *$", re.MULTILINE)


class Section(NamedTuple):
    """One section of a document.

    Attributes:
        document: File name.
        title: Heading of the whole document.
        section: Heading of the section.
        start: Where it begins, characters from the beginning of the document.
        end: Where it ends.
        text: The document from `start` to `end`.
    """

    document: str
    title: str
    section: str
    start: int
    end: int
    text: str


def sections(document: str, text: str) -> list[Section]:
    """Cut a document at its headings; what holds no more than a heading is left out."""
    headings = list(_HEADING.finditer(text))
    title = headings[0].group(2) if headings else document
    bounds = [(heading.start(), heading.end(), heading.group(2)) for heading in headings]
    if not bounds or bounds[0][0] > 0:
        bounds.insert(0, (0, 0, title))
    ends = [start for start, _, _ in bounds[1:]] + [len(text)]
    found: list[Section] = []
    for (start, body, name), end in zip(bounds, ends, strict=True):
        if text[body:end].strip():
            last = start + len(text[start:end].rstrip())
            found.append(Section(document, title, name, start, last, text[start:last]))
    return found
