"""The script and style of the workflow pages."""

import hashlib
from pathlib import Path

from nicegui import app, ui

_FOLDER = Path(__file__).parent
_FILES = ("work.css", "work.js", "graph.css", "graph.js")
_YEAR_S = 31_536_000  # a changed file gets another address, so browsers may keep it


def serve_files() -> str:
    """Serve the files; return their address; called once a page, at start."""
    digest = hashlib.sha256()
    for name in _FILES:
        digest.update((_FOLDER / name).read_bytes())
    base = f"/static/millwright-work/{digest.hexdigest()[:12]}"
    for name in _FILES:
        app.add_static_file(
            local_file=_FOLDER / name, url_path=f"{base}/{name}", max_cache_age=_YEAR_S
        )
    return base


def add_files(base: str) -> None:
    """Put script and style into the head of the page being built."""
    styles = [f'<link rel="stylesheet" href="{base}/{name}">' for name in _FILES if "css" in name]
    scripts = [f'<script defer src="{base}/{name}"></script>' for name in _FILES if "js" in name]
    ui.add_head_html("".join([*styles, *scripts]))
