"""The alarm table as the browser draws it: its files, and what it must know of the plant."""

import hashlib
import json
from pathlib import Path

from nicegui import app, ui

from app.core.alarm_machine import PROCESS_EVENTS, TABLE, AlarmEvent
from app.core.equipment import Equipment
from app.plant import Plant
from pages.choose import key_tags, plan_tags
from pages.markup import Html, tag

_FOLDER = Path(__file__).parent / "alarms"
_YEAR_S = 31_536_000  # a changed file gets another address, so browsers may keep it
TAGS_TOLD = 12
"""Tags a unit offers for the line in an alarm's row."""


def serve_files() -> str:
    """Serve the table's scripts and styles; return their address; called once at start."""
    digest = hashlib.sha256()
    for file in sorted(_FOLDER.iterdir()):
        digest.update(file.read_bytes())
    base = f"/static/millwright-alarms/{digest.hexdigest()[:12]}"
    app.add_static_files(base, _FOLDER, max_cache_age=_YEAR_S)
    return base


def add_style(base: str) -> None:
    """Put the styles of alarm pages into the head of the page being built."""
    ui.add_head_html(f'<link rel="stylesheet" href="{base}/alarms.css">')


def add_script(base: str) -> None:
    """Put the table's code into the head of the page being built."""
    ui.add_head_html(f'<script type="module" src="{base}/table.js"></script>')


def alarm_table(plant: Plant) -> Html:
    """Return the table; what an operator does comes as the event "mw_alarm"."""
    return tag(
        "mw-alarm-table",
        units=json.dumps({unit.path: _unit(unit) for unit in plant.units()}),
        allowed=json.dumps(_allowed()),
        shelve=plant.settings.alarms.max_shelve_minutes,
    )


def _unit(unit: Equipment) -> dict[str, object]:
    return {
        "name": unit.name,
        "tags": [
            (each.name, each.unit, each.description or each.name)
            for each in [*key_tags(unit, TAGS_TOLD), *plan_tags(unit)]
        ],
    }


def _allowed() -> dict[str, list[str]]:
    """Return what a person may do in each state."""
    nobody = PROCESS_EVENTS | {AlarmEvent.EXPIRE}
    return {
        state.value: [event.value for event in row if event not in nobody]
        for state, row in TABLE.items()
    }
