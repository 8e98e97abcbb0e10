"""What is asked of the store each second and at each run reads no run that it does not return."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from app.core.run import RunState, StartedBy, WorkflowRun
from app.core.workflow import ActionKind, Step, Workflow
from app.store.database import Database
from app.store.run_tables import METADATA
from app.store.run_upgrade import upgrade_runs
from app.store.runs import RunStore

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FEW = ("INDEX runs_dead", "INDEX runs_open")
FLOW = Workflow("bake", (Step("one", ActionKind.TASK),))


class Asked:
    """The statements that SQLite was given, by whichever way."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._statements: list[str] = []

    def listen(self, connection: sqlite3.Connection, _: object) -> None:
        connection.set_trace_callback(self._statements.append)

    def forget(self) -> None:
        self._statements.clear()

    def plans(self) -> dict[str, list[str]]:
        """Return how SQLite carries out each statement."""
        words = ("SELECT", "INSERT", "UPDATE", "DELETE")
        asked = [each for each in self._statements if each.lstrip().startswith(words)]
        with closing(sqlite3.connect(self._file)) as connection:
            return {
                each: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {each}")]
                for each in asked
            }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.sqlite"


@pytest.fixture
def asked(file: Path) -> Asked:
    return Asked(file)


@pytest.fixture
async def store(file: Path, asked: Asked) -> AsyncIterator[RunStore]:
    event.listen(Engine, "connect", asked.listen)
    try:
        made = RunStore(Database(f"sqlite:///{file}", METADATA, "Workflows", upgrade_runs))
        await made.open()
        asked.forget()
        yield made
        await made.close()
    finally:
        event.remove(Engine, "connect", asked.listen)


def run(run_id: str, state: RunState = RunState.RUNNING) -> WorkflowRun:
    return WorkflowRun(run_id, "bake", "v1", state, NOW, {}, StartedBy("click", "ann"))


def scans(asked: Asked) -> list[str]:
    """Return the plans that go through a table from one end to the other."""
    plans = asked.plans()
    assert plans, "nothing was asked"
    return [
        f"{statement}: {step}"
        for statement, plan in plans.items()
        for step in plan
        # an index of the few that are dead or open holds no others
        if step.startswith(("SCAN runs", "SCAN approvals")) and not step.endswith(FEW)
    ]


async def test_what_is_looked_at_each_second_scans_no_runs(store: RunStore, asked: Asked) -> None:
    await store.index.counts(["bake", "other"])
    await store.cancels("app")
    await store.owners()
    await store.watched.under_way("app")
    await store.watched.next_in_turn()
    await store.watched.older(run("a1"))

    assert scans(asked) == []


async def test_a_run_from_its_beginning_to_its_end_scans_no_runs(
    store: RunStore, asked: Asked
) -> None:
    await store.add(run("a1"), FLOW, "app")
    await store.keep("a1", "app", "one.1", {"state": "done"})
    await store.approvals.withdraw("a1", NOW, "over")
    await store.end(run("a1", RunState.COMPLETED), "app")
    await store.next_turn("bake", "", FLOW.runs, "app")

    assert scans(asked) == []


async def test_lists_of_one_kind_scan_no_runs(store: RunStore, asked: Asked) -> None:
    await store.index.runs(is_dead=True)
    await store.index.runs(workflow="bake")
    await store.index.runs(states=[RunState.FAILED])
    await store.approvals.listed(is_open=True, limit=10, run="a1")

    assert scans(asked) == []


async def test_a_scan_is_noticed(store: RunStore, asked: Asked) -> None:
    await store.index.runs(text="needle in all words")

    assert scans(asked)


async def test_runs_are_counted_by_workflow_with_the_last(store: RunStore) -> None:
    await store.add(run("a1"), FLOW, "app")
    await store.end(run("a1", RunState.COMPLETED), "app")
    await store.add(run("a2"), FLOW, "app")

    assert await store.index.counts(["bake", "nobody ran this"]) == {"bake": (1, "a2")}


async def test_a_file_of_the_version_before_gets_what_it_lacks(file: Path) -> None:
    store = RunStore(Database(f"sqlite:///{file}", METADATA, "Workflows", upgrade_runs))
    await store.open()
    await store.add(run("a1"), FLOW, "app")
    await store.close()
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            "DROP INDEX runs_open; DROP INDEX runs_dead; DROP INDEX runs_of;"
            "CREATE INDEX runs_workflow ON runs (workflow, key, state);"
        )

    await store.open()

    assert await store.index.counts(["bake"]) == {"bake": (1, "a1")}
    await store.close()
    with closing(sqlite3.connect(file)) as connection:
        names = {row[1] for row in connection.execute("PRAGMA index_list(runs)")}
    assert {"runs_open", "runs_dead", "runs_of", "runs_state", "runs_sort"} <= names
    assert "runs_workflow" not in names
