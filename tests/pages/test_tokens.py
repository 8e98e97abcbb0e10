"""Every pair of colours that meets on a page can be told apart (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from pathlib import Path

import pytest

import pages

_CSS = Path(pages.__file__).parent / "static" / "tokens.css"
_BLOCK = re.compile(r"(?P<selector>:root[^{]*)\{(?P<body>.*?)\n\}", re.DOTALL)
_COLOUR = re.compile(r"--([\w-]+): (#[0-9a-f]{6})")
_PLATES = ("bg", "panel", "raised")
_TEXT = [
    *((ink, plate) for ink in ("ink", "ink-2", "ink-3", "action") for plate in _PLATES),
    *((ink, "track") for ink in ("ink", "ink-2", "action")),
    *(("on-prio", plate) for plate in ("p1", "p2-deep", "p4")),
    ("p2-deep", "panel"),
    ("on-action", "action"),
]
_GRAPHIC = [
    *((f"p{priority}", plate) for priority in (1, 2, 3, 4) for plate in _PLATES),
    *((f"trace{pen}", "panel") for pen in ("", "-2", "-3", "-4", "-5", "-6")),
    *(("pointer", plate) for plate in ("track", "normal")),
    ("ink-2", "normal"),
    ("on-prio", "p2"),
]
_PAIRS = [(*pair, 4.5) for pair in _TEXT] + [(*pair, 3.0) for pair in _GRAPHIC]


def colours(theme: int) -> dict[str, str]:
    """Return the colours by name; 0 is light, 1 dark."""
    block = list(_BLOCK.finditer(_CSS.read_text(encoding="utf-8")))[theme]
    return dict(_COLOUR.findall(block["body"]))


def luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_has_the_greatest_contrast():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "plate", "least"), _PAIRS)
def test_colours_that_meet_can_be_told_apart(theme: int, ink: str, plate: str, least: float):
    named = colours(theme)
    assert contrast(named[ink], named[plate]) >= least
