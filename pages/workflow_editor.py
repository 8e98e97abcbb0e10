"""L3, the editor of one workflow: a graph, forms and the TOML text, which say the same."""

from fastapi import Request, Response
from nicegui import ui

from app.core.errors import NotFoundError
from app.plant import Plant
from pages.frame import frame
from pages.not_found import not_found
from pages.widgets.workflow.words import title_of
from pages.widgets.workflow_editor.assets import add_files, serve_files
from pages.widgets.workflow_editor.board import EditorBoard
from pages.widgets.workflow_editor.session import EditSession

_WORKFLOWS = ("Workflows", "/workflows")
_ABOVE = (_WORKFLOWS,)
_NEW = """\
name = "new_workflow"
title = "New workflow"

[[steps]]
id = "first"
do = "wait"
[steps.with]
seconds = 1
"""


def create(plant: Plant) -> None:
    """Register the pages."""
    base = serve_files()

    @ui.page("/workflows/new")
    def new() -> None:
        with frame(plant, "New workflow", active="/workflows", crumbs=_ABOVE):
            add_files(base)
            EditorBoard(plant, EditSession(_NEW))

    @ui.page("/workflows/{name}/edit")
    def edit(request: Request, name: str) -> Response | None:
        try:
            entry, text = plant.workflows.entry(name), plant.workflows.source(name)
        except NotFoundError:
            return not_found(plant, request, f'There is no workflow "{name[:80]}"', _WORKFLOWS)
        called = f"“{title_of(entry.workflow)}”" if entry.workflow else name[:80]
        with frame(plant, f"Edit {called}", active="/workflows", crumbs=_ABOVE):
            add_files(base)
            EditorBoard(plant, EditSession(text, name, entry.version))
        return None
