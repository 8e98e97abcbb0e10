"""Every thing named anywhere is a link to its page."""

from app.core.topics import as_segment
from pages.markup import Html, tag
from pages.widgets.live import tag_href


def unit_link(path: str, words: str) -> Html:
    """Return a link to a unit's faceplate."""
    return tag("a", words, href=f"/units/{path}", class_="mw-link")


def area_link(path: str, words: str = "") -> Html:
    """Return a link to an area."""
    return tag("a", words or area_words(path), href=f"/areas/{path}", class_="mw-link")


def tag_link(path: str, words: str = "") -> Html:
    """Return a link to a tag's trend."""
    return tag("a", words or path.rpartition("/")[2], href=tag_href(path), class_="mw-link")


def area_words(path: str) -> str:
    """Return an area's name from its path: "riverside/cooling_water" is "Cooling water"."""
    words = as_segment(path.rpartition("/")[2]).replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]
