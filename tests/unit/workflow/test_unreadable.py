"""Runs that this version of the app cannot read: the others go on, and a person can end them."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import __version__
from app.core.actor import Actor
from app.core.errors import ConflictError
from app.core.run import Approval, ApprovalState, RunState
from app.core.workflow import Concurrency, RunMode
from app.settings import Settings
from app.store.database import Database
from app.store.run_rows import UnreadableRunError
from tests.processes import eventually
from tests.unit.api.flows import asking, working_plant
from tests.unit.workflow.engine_rig import FakeDoer, Gate, flow, life, step

GARBAGE = b'{"name": 5'
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NEWER = b'{"app": "99.0.0", "of": "the future"}'


def spoil(folder: Path, run_id: str, table: str, column: str, data: bytes) -> None:
    """Write what no version of ours would into one cell."""
    key = "id" if table == "runs" else "run"
    with closing(sqlite3.connect(folder / "runs.sqlite")) as file, file:
        changed = file.execute(
            f"UPDATE {table} SET {column} = ? WHERE {key} = ?",  # noqa: S608  names of ours
            (data, run_id),
        )
    assert changed.rowcount == 1


@pytest.mark.parametrize(
    ("cell", "data"),
    [
        (("runs", "run"), GARBAGE),
        (("runs", "run"), NEWER),
        (("runs", "snapshot"), GARBAGE),
        (("runs", "snapshot"), b'{"name": "w", "steps": [{"id": "a", "do": "teleport"}]}'),
        (("steps", "data"), GARBAGE),
    ],
)
async def test_the_other_runs_go_on(
    place: Database, doer: FakeDoer, tmp_path: Path, cell: tuple[str, str], data: bytes
):
    gate = doer.acts["two"] = Gate()
    async with life(place, doer) as rig:
        bad = await rig.begin(flow(step("one"), step("two", "one")))
        good = await rig.begin(flow(step("one"), step("two", "one")))
        await eventually(lambda: doer.times["two"] == 2)
    spoil(tmp_path, bad, *cell, data)
    gate.may_go.set()
    async with life(place, doer) as rig:
        assert (await rig.ended(good)).state is RunState.COMPLETED
        await rig.engine.tick()
        await rig.engine.tick()
        assert list(rig.store.unreadable) == [bad]
        assert (await rig.store.shown(bad)).state is RunState.RUNNING
        assert {each.id for each in await rig.store.index.runs()} == {good, bad}

    assert doer.finished.count("two") == 1


async def test_the_version_that_began_it_is_named(place: Database, doer: FakeDoer, tmp_path: Path):
    doer.acts["one"] = Gate()
    async with life(place, doer) as rig:
        run_id = await rig.begin(flow(step("one")))
        assert (await rig.find(run_id)).app == __version__
    spoil(tmp_path, run_id, "runs", "run", NEWER)
    async with life(place, doer) as rig:
        with pytest.raises(UnreadableRunError, match=r"Millwright 99\.0\.0 began it; .* cannot"):
            await rig.store.find(run_id)
        shown = await rig.store.shown(run_id)

    assert (shown.workflow, shown.key) == ("demo", "")
    assert f"Millwright {__version__} cannot read it" in shown.reason


@pytest.mark.parametrize(("table", "column"), [("runs", "run"), ("steps", "data")])
async def test_a_person_can_cancel_it_and_the_next_of_its_key_has_its_turn(
    place: Database, doer: FakeDoer, tmp_path: Path, table: str, column: str
):
    doer.acts["two"] = Gate()
    one = flow(step("one"), step("two", "one"), runs=Concurrency(RunMode.QUEUED, max=5))
    async with life(place, doer) as rig:
        bad, waits = await rig.begin(one), await rig.begin(one)
        await eventually(lambda: doer.times["two"] == 1)
    del doer.acts["two"]
    spoil(tmp_path, bad, table, column, GARBAGE)
    async with life(place, doer) as rig:
        await rig.engine.tick()
        assert (await rig.store.shown(waits)).state is RunState.WAITING
        await rig.engine.cancel(bad, "of another version")
        assert (await rig.store.shown(bad)).state is RunState.CANCELLED
        assert rig.store.unreadable == {}
        await rig.engine.tick()
        assert (await rig.ended(waits)).state is RunState.COMPLETED
        with pytest.raises(ConflictError, match="over already"):
            await rig.engine.cancel(bad, "again")

    assert doer.finished.count("one") == 2


async def test_one_that_is_over_and_cannot_be_read_is_no_trouble_of_today(
    place: Database, doer: FakeDoer, tmp_path: Path
):
    async with life(place, doer) as rig:
        run_id = await rig.begin(flow(step("one")))
        await rig.ended(run_id)
    spoil(tmp_path, run_id, "runs", "snapshot", GARBAGE)
    async with life(place, doer) as rig:
        with pytest.raises(UnreadableRunError):
            await rig.store.find(run_id)
        assert rig.store.unreadable == {}


@pytest.mark.parametrize(
    "elsewhere",
    ["UPDATE runs SET state = 'cancelled' WHERE id = ?", "DELETE FROM runs WHERE id = ?"],
)
async def test_one_that_ended_or_went_elsewhere_is_no_trouble_at_the_next_look(
    place: Database, doer: FakeDoer, tmp_path: Path, elsewhere: str
):
    doer.acts["one"] = Gate()
    async with life(place, doer) as rig:
        gone, stays = await rig.begin(flow(step("one"))), await rig.begin(flow(step("one")))
    for run_id in (gone, stays):
        spoil(tmp_path, run_id, "runs", "snapshot", GARBAGE)
    async with life(place, doer) as rig:
        assert set(rig.store.unreadable) == {gone, stays}
        with closing(sqlite3.connect(tmp_path / "runs.sqlite")) as file, file:
            file.execute(elsewhere, (gone,))
        await rig.store.look_again()

        assert set(rig.store.unreadable) == {stays}


async def test_health_forgets_one_that_another_process_cancelled(settings: Settings):
    async with working_plant(settings) as plant:
        run = await plant.start_workflow("ask", {"unit": "M7"}, Actor("ann", "ui"))
        await asking(plant, run.id)
    spoil(settings.data.dir, run.id, "runs", "snapshot", GARBAGE)
    (settings.data.dir / "workflows").rename(settings.data.dir / "before")
    async with working_plant(settings) as plant:
        assert run.id in plant.workflows.status.reason
        with closing(sqlite3.connect(settings.data.dir / "runs.sqlite")) as file, file:
            file.execute("UPDATE runs SET state = 'cancelled'")
        await plant.workflows.tick()

        assert run.id not in plant.workflows.status.reason


async def test_a_queue_whose_first_cannot_be_read_waits_for_a_person(
    place: Database, doer: FakeDoer, tmp_path: Path
):
    doer.acts["one"] = Gate()
    one = flow(step("one"), runs=Concurrency(RunMode.QUEUED, max=5))
    async with life(place, doer) as rig:
        first, second, third = [await rig.begin(one) for _ in range(3)]
    spoil(tmp_path, second, "runs", "snapshot", GARBAGE)
    del doer.acts["one"]
    async with life(place, doer) as rig:
        await rig.ended(first)
        await rig.engine.tick()
        await rig.engine.tick()
        assert (await rig.store.shown(third)).state is RunState.WAITING
        await rig.engine.cancel(second, "enough")
        await rig.engine.tick()
        assert (await rig.ended(third)).state is RunState.COMPLETED


async def test_an_approval_that_cannot_be_read_hides_no_other_and_ends_with_its_run(
    place: Database, tmp_path: Path
):
    async with life(place) as rig:
        for name in ("a", "b"):
            await rig.store.approvals.ask(approval(name))
    with closing(sqlite3.connect(tmp_path / "runs.sqlite")) as file, file:
        file.execute("UPDATE approvals SET data = ? WHERE id = 'a'", (GARBAGE,))
    async with life(place) as rig:
        approvals = rig.store.approvals
        assert [each.id for each in await approvals.listed(is_open=True, limit=9)] == ["b"]
        with pytest.raises(ConflictError, match='"a" cannot be read'):
            await approvals.find("a")
        with pytest.raises(ConflictError, match='"a" cannot be read'):
            await approvals.decide("a", ApprovalState.APPROVED, "ann", NOW, "")
        await approvals.withdraw("run-a", NOW, "The run is cancelled")
    with closing(sqlite3.connect(tmp_path / "runs.sqlite")) as file:
        states = dict(file.execute("SELECT id, state FROM approvals"))
    assert states == {"a": "withdrawn", "b": "open"}


def approval(name: str) -> Approval:
    return Approval(
        id=name,
        run=f"run-{name}",
        step="ask",
        workflow="demo",
        state=ApprovalState.OPEN,
        question="Slow down?",
        role="operator",
        asked_at=NOW,
        expires_at=NOW,
    )
