"""The scripts and styles of the editor."""

import hashlib
from pathlib import Path

from nicegui import app, ui

_FOLDER = Path(__file__).parent
_YEAR_S = 31_536_000  # a changed file gets another address, so browsers may keep it


def serve_files() -> str:
    """Serve the files; return their address; called once at start."""
    files = sorted([*_FOLDER.glob("*.js"), *_FOLDER.glob("*.css")])
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    base = f"/static/millwright-workflow-editor/{digest.hexdigest()[:12]}"
    for file in files:
        app.add_static_file(local_file=file, url_path=f"{base}/{file.name}", max_cache_age=_YEAR_S)
    return base


def add_files(base: str) -> None:
    """Put script and style into the head of the page being built."""
    ui.add_head_html(
        f'<link rel="stylesheet" href="{base}/editor.css">'
        f'<script type="module" src="{base}/editor.js"></script>'
    )
