"""The look of every page: files that the browser loads, and where they come from."""

import hashlib
import importlib.util
import json
from pathlib import Path

from nicegui import app, ui

from app.core.units import UNITS

_STATIC = Path(__file__).parent / "static"
_URL = "/static/millwright"
_YEAR_S = 31_536_000  # a changed file gets another address, so browsers may keep it
SCRIPTS = (
    "first.js",
    "live.js",
    "redraw.js",
    "focus.js",
    "widgets.js",
    "plan.js",
    "evidence.js",
    "spark.js",
    "trend.js",
    "sound.js",
    "frame.js",
    "who.js",
)
STYLES = (
    "tokens.css",
    "frame.css",
    "first.css",
    "widgets.css",
    "plan.css",
    "overview.css",
    "audit.css",
    "quasar.css",
    "plant.css",
    "rail.css",
)

# drawn, or each page with a choice in it would load a font of 129 kB for one arrow
_ARROW = "M7 10l5 5 5-5z"
_CROSS = "M6 5l6 6 6-6 1 1-6 6 6 6-1 1-6-6-6 6-1-1 6-6-6-6z"

# before the first paint, or the wrong theme flashes
_EARLY = (
    "<script nomodule>document.documentElement.className += ' mw-old'</script>"
    "<script>(function(){var t=localStorage.getItem('mw-theme');"
    "var d=t?t==='dark':matchMedia('(prefers-color-scheme: dark)').matches;"
    "document.documentElement.dataset.theme=d?'dark':'light'})()</script>"
)


def install() -> None:
    """Serve the static files and put them into the head of every page; called once at start."""
    version = _version()
    app.add_static_files(f"{_URL}/{version}", _STATIC, max_cache_age=_YEAR_S)
    base = f"{_URL}/{version}"
    for name in ("uPlot.iife.js", "uPlot.min.css"):
        app.add_static_file(
            local_file=_uplot_folder() / name,
            url_path=f"{_URL}/uplot/{name}",
            max_cache_age=_YEAR_S,
        )
    styles = "".join(f'<link rel="stylesheet" href="{base}/{name}">' for name in STYLES)
    scripts = "".join(f'<script defer src="{base}/{name}"></script>' for name in SCRIPTS)
    units = f'<script type="application/json" id="mw-units">{json.dumps(UNITS)}</script>'
    ui.add_head_html(_EARLY + units + styles + scripts, shared=True)
    ui.select.default_props(f'dropdown-icon="{_ARROW}" clear-icon="{_CROSS}" no-error-icon')
    ui.input.default_props(f'clear-icon="{_CROSS}" no-error-icon')
    ui.number.default_props("no-error-icon")


def favicon() -> Path:
    """Return the file of the browser tab's icon, for `ui.run(favicon=…)`."""
    return _STATIC / "favicon.svg"


def _version() -> str:
    digest = hashlib.sha256()
    for name in sorted((*SCRIPTS, *STYLES)):
        digest.update((_STATIC / name).read_bytes())
    return digest.hexdigest()[:12]


def _uplot_folder() -> Path:
    # uplot-python carries uPlot's own file; importing the package would load its plotting code
    spec = importlib.util.find_spec("uplot")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError('package "uplot-python" is not installed; run "uv sync"')
    return Path(spec.submodule_search_locations[0]) / "static"
