"""Carries a person's edits from the browser to the text, and the text back to the browser."""

import json
from collections.abc import Mapping
from typing import Any, cast

import msgspec
from nicegui import background_tasks, events, ui

from app.core.errors import ConflictError, FieldsError, MillwrightError, RoleError
from app.core.workflow_entry import Problem
from app.plant import Plant
from app.workflow.definition import read_definition, with_lines
from pages.frame import actor
from pages.markup import place, tag
from pages.widgets.confirm import confirmed
from pages.widgets.workflow_editor.conflict import Whose, ask_whose
from pages.widgets.workflow_editor.draft import draft
from pages.widgets.workflow_editor.edits import EDITS
from pages.widgets.workflow_editor.schema import schema
from pages.widgets.workflow_editor.session import EditSession


class EditorBoard:
    """The editor on one page: one session, one person."""

    def __init__(self, plant: Plant, session: EditSession) -> None:
        """Draw it into the page being built."""
        self._plant = plant
        self._session = session
        self._client = ui.context.client
        place(tag("mw-workflow-editor", schema=json.dumps(schema(plant)), class_="mw-we"))
        ui.on("mw_workflow_edit", self._heard)

    async def _heard(self, event: events.GenericEventArguments) -> None:
        asked = cast(dict[str, Any], event.args) if isinstance(event.args, dict) else {}
        try:
            await self._do(asked)
        except MillwrightError as error:
            words = f"{error}. {error.hint}" if error.hint else str(error)
            self._send("tell", {"words": words})
        self._show(asked.get("seq"))

    async def _do(self, asked: Mapping[str, Any]) -> None:
        match asked:
            case {"op": "text", "text": str() as text}:
                self._session.type(text)
            case {"op": "pause"}:
                self._session.pause()
            case {"op": "undo"}:
                self._session.undo()
            case {"op": "redo"}:
                self._session.redo()
            case {"op": "save"}:
                # a question may be asked, so the event must not wait for it
                background_tasks.create(self._save_aside(), name="save a workflow")
            case {"op": "dry"}:
                await self._dry(cast(dict[str, Any], asked.get("input") or {}))
            case {"op": str() as op} if op in EDITS:
                self._session.edit(asked)
            case _:  # "show": the browser has just come
                return

    def _show(self, seq: object) -> None:
        session = self._session
        found = read_definition(session.text)
        doubts = with_lines(self._plant.workflows.doubts(found.workflow), session.text)
        self._send(
            "show",
            {
                "seq": seq,
                "text": session.text,
                "name": session.name,
                "dirty": session.is_dirty,
                "canUndo": session.can_undo,
                "canRedo": session.can_redo,
                "draft": draft(session.text),
                "problems": [_problem(each) for each in (*found.problems, *doubts)],
            },
        )

    async def _dry(self, given: dict[str, Any]) -> None:
        try:
            run = await self._plant.dry_run_workflow(self._session.text, given, actor())
        except FieldsError as error:
            self._send("dry", {"error": str(error), "fields": error.details})
            return
        except MillwrightError as error:
            self._send("dry", {"error": str(error), "fields": {}})
            return
        self._send("dry", {"run": msgspec.to_builtins(run)})

    async def _save_aside(self) -> None:
        with self._client:
            await self._save()
            self._show(None)

    async def _save(self) -> None:
        session, text = self._session, self._session.text
        workflow = read_definition(text).workflow
        if workflow is None:
            self._send("tell", {"words": "It has errors and is not saved: see the list below"})
            return
        is_same = workflow.name == session.name
        if not is_same and self._is_there(workflow.name):
            question = f'Replace the workflow "{workflow.name}"?'
            why = "There is one of this name already. New runs go by yours from then on."
            if not await confirmed(question, why, "Replace"):
                return
        await self._write(workflow.name, text, session.version if is_same else "")

    async def _write(self, name: str, text: str, base: str) -> None:
        try:
            entry = await self._plant.save_workflow(name, text, actor(), base_version=base)
        except RoleError as error:
            self._send("tell", {"words": str(error)})
            return
        except ConflictError:
            await self._settle(name, text)
            return
        except MillwrightError as error:
            self._send("tell", {"words": f"{error}. {error.hint}".rstrip(". ")})
            return
        self._session.saved(text, entry.name, entry.version)
        self._send("saved", {"name": entry.name})

    async def _settle(self, name: str, text: str) -> None:
        """Ask whose text counts; mine replaces the one asked about, and no later one."""
        workflows = self._plant.workflows
        theirs, version = workflows.source(name), workflows.entry(name).version
        match await ask_whose(name):
            case Whose.MINE:
                await self._write(name, text, version)
            case Whose.THEIRS:
                self._session.take(theirs, name, version)
                self._send("saved", {"name": name})
            case None:
                return

    def _is_there(self, name: str) -> bool:
        return any(entry.name == name for entry in self._plant.workflows.catalogue())

    def _send(self, what: str, body: Mapping[str, Any]) -> None:
        text = json.dumps(body, default=str)
        self._client.run_javascript(
            f"document.querySelector('mw-workflow-editor')?.hear({json.dumps(what)}, {text})"
        )


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "line": problem.line,
        "where": problem.where,
        "message": problem.message,
        "hint": problem.hint,
        "severity": problem.severity.value,
    }
