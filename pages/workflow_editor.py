"""L3, the editor of one workflow: a graph, forms and the TOML text, which say the same."""

from nicegui import ui

from app.core.errors import NotFoundError
from app.plant import Plant
from pages.frame import frame
from pages.markup import place, tag
from pages.widgets import empty_state
from pages.widgets.workflow.words import title_of
from pages.widgets.workflow_editor.assets import add_files, serve_files
from pages.widgets.workflow_editor.board import EditorBoard
from pages.widgets.workflow_editor.session import EditSession

_ABOVE = (("Workflows", "/workflows"),)
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
    def edit(name: str) -> None:
        with frame(plant, f"Edit {_called(plant, name)}", active="/workflows", crumbs=_ABOVE):
            try:
                entry, text = plant.workflows.entry(name), plant.workflows.source(name)
            except NotFoundError as error:
                place(_absent(str(error)))
                return
            add_files(base)
            EditorBoard(plant, EditSession(text, name, entry.version))


def _called(plant: Plant, name: str) -> str:
    """Return the title of a workflow; its name if it is broken or unknown."""
    try:
        flow = plant.workflows.entry(name).workflow
    except NotFoundError:
        flow = None
    return f"“{title_of(flow)}”" if flow else name[:80]


def _absent(words: str) -> object:
    back = tag("a", "See the workflows there are", href="/workflows", class_="mw-link")
    return empty_state("No such workflow", words, [back, "."])
