"""Trends: chosen pens over any range of time, live or past, compared, exported.

The page is one component in the browser (pages/widgets/trends); it asks the HTTP API for histories
itself, so a long look back costs the server no page state. Its whole state stands in the address.
"""

import hashlib
from pathlib import Path

from nicegui import app, ui

from app.plant import Plant
from pages.frame import frame
from pages.markup import place, tag

_FOLDER = Path(__file__).parent / "widgets" / "trends"
_SCRIPTS = (
    "zone.js",
    "state.js",
    "history.js",
    "plot.js",
    "picker.js",
    "range.js",
    "tools.js",
    "explorer.js",
)
_STYLE = "trends.css"
_YEAR_S = 31_536_000  # a changed file gets another address, so browsers may keep it


def create(plant: Plant) -> None:
    """Register the page."""
    base = f"/static/millwright/trends/{_version()}"
    app.add_static_files(base, _FOLDER, max_cache_age=_YEAR_S)
    head = f'<link rel="stylesheet" href="{base}/{_STYLE}">' + "".join(
        f'<script defer src="{base}/{name}"></script>' for name in _SCRIPTS
    )

    @ui.page("/trends")
    def trends() -> None:
        ui.add_head_html(head)
        with frame(plant, "Trends", active="/trends"):
            place(tag("mw-trends"))


def _version() -> str:
    digest = hashlib.sha256()
    for name in (*_SCRIPTS, _STYLE):
        digest.update((_FOLDER / name).read_bytes())
    return digest.hexdigest()[:12]
