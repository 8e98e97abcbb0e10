"""Workflows and runs of the running app, asked for over HTTP as from the command line."""

from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec

from app.cli.app_client import ask_app
from app.core.errors import NotFoundError
from app.core.run import Approval, WorkflowRun
from app.core.topics import is_segment
from app.core.workflow import Input, Workflow
from app.core.workflow_entry import Entry
from app.core.workflow_input import typed_input
from app.settings import Settings

T = TypeVar("T")


class _Detail(msgspec.Struct):
    """What a start needs to know of a workflow."""

    inputs: dict[str, Input]


class WorkflowClient:
    """Asks in the name of one person.

    Every method raises NotFoundError if no app answers, or a name is one that nothing can have,
    and ConflictError if the app refuses.
    """

    def __init__(self, settings: Settings, actor: str) -> None:
        self._settings = settings
        self._headers = {"X-Actor-Source": "cli", **({"X-Actor": actor} if actor else {})}

    def catalogue(self) -> list[Entry]:
        """Return all workflows."""
        return ask_app(self._settings, "/api/workflows", list[Entry])

    def start(self, name: str, texts: Mapping[str, str], why: str, run_id: str) -> WorkflowRun:
        """Start a run; texts are read as what the workflow's inputs are."""
        path = _workflow_path(name)
        inputs = ask_app(self._settings, path, _Detail).inputs
        given = typed_input(Workflow(name, (), inputs=inputs), texts)
        return self._post(f"{path}/runs", WorkflowRun, {"input": given, "why": why, "id": run_id})

    def run(self, run_id: str) -> WorkflowRun:
        """Return a run with its steps."""
        return ask_app(self._settings, _run_path(run_id), WorkflowRun)

    def runs(
        self, *, workflow: str, states: Sequence[str], text: str, dead: bool, limit: int
    ) -> list[WorkflowRun]:
        """Return runs without their steps, the newest first."""
        wanted = [("workflow", workflow), ("text", text), *(("state", each) for each in states)]
        wanted += [("dead", "true" if dead else ""), ("limit", str(limit))]
        query = urlencode([each for each in wanted if each[1]], errors="replace")
        return ask_app(self._settings, f"/api/runs?{query}", list[WorkflowRun])

    def retry(self, run_id: str, why: str, step: str, definition: str) -> WorkflowRun:
        """Repeat a run; return the new one."""
        body = {"why": why, "step": step, "definition": definition}
        return self._post(f"{_run_path(run_id)}/retry", WorkflowRun, body)

    def cancel(self, run_id: str, why: str) -> WorkflowRun:
        """Cancel a run; return it as it stands."""
        return self._post(f"{_run_path(run_id)}/cancel", WorkflowRun, {"why": why})

    def decide(self, verb: str, run_id: str, step: str, note: str) -> Approval:
        """Approve or reject what a run asks."""
        body = {"step": step, "note": note}
        return self._post(f"{_run_path(run_id)}/{verb}", Approval, body)

    def _post(self, path: str, type_: type[T], body: Mapping[str, object]) -> T:
        return ask_app(self._settings, path, type_, body=body, headers=self._headers)


def _run_path(run_id: str) -> str:
    if not is_segment(run_id):  # on its way a "/" would be taken for another path
        raise NotFoundError(f'There is no run "{run_id[:120]}"', "See: millwright workflow runs")
    return f"/api/runs/{run_id}"


def _workflow_path(name: str) -> str:
    if not name or "/" in name or not name.isprintable():
        known = "See: millwright workflow list"
        raise NotFoundError(f'There is no workflow "{name[:80]}"', known)
    return f"/api/workflows/{quote(name, safe='')}"
