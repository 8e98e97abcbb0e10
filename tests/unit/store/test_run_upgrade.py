"""Runs that an earlier version of the app wrote."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from app.core.errors import StoreError
from app.core.health import Health
from app.core.run import RunState, StartedBy, WorkflowRun
from app.core.workflow import ActionKind, Step, Workflow
from app.settings import Settings
from app.store.database import Database
from app.store.run_tables import METADATA, sort_words
from app.store.run_upgrade import upgrade_runs
from app.store.runs import RunStore
from tests.postgres import postgres_url
from tests.simulated_plant import bare_plant

__all__ = ["postgres_url"]

NOW = datetime(2026, 11, 1, tzinfo=UTC)
FLOW = Workflow("demo", (Step("one", ActionKind.WAIT),))
FORMER = """
CREATE TABLE runs (id TEXT NOT NULL PRIMARY KEY, workflow TEXT NOT NULL, key TEXT NOT NULL,
    state TEXT NOT NULL, is_queued BOOLEAN NOT NULL, is_dead BOOLEAN NOT NULL,
    owner TEXT NOT NULL, parent TEXT NOT NULL, run BLOB NOT NULL, snapshot BLOB NOT NULL,
    cancel TEXT NOT NULL, words TEXT NOT NULL);
CREATE INDEX runs_workflow ON runs (workflow, "key", state);
CREATE INDEX runs_state ON runs (state);
CREATE TABLE steps (run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, slot TEXT NOT NULL,
    data BLOB NOT NULL, PRIMARY KEY (run, slot));
"""


def run(name: str, minutes: float) -> WorkflowRun:
    at = NOW + timedelta(minutes=minutes)
    by = StartedBy("click", "ann")
    return WorkflowRun(name, "demo", "v", RunState.COMPLETED, at, {}, by, ended_at=at)


def former(file: Path, *runs: WorkflowRun, schema: str = FORMER) -> None:
    """Write a file as the earlier version did."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(schema)
        for each in runs:
            values = (each.id, "demo", "", each.state.value, msgspec.json.encode(each))
            connection.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, 0, 0, 'app', '', ?, ?, '', '')",
                (*values, msgspec.json.encode(FLOW)),
            )
        connection.commit()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.sqlite"


def database(file: Path) -> Database:
    return Database(f"sqlite:///{file}", METADATA, "Workflows", upgrade_runs)


async def listed(file: Path) -> list[str]:
    store = RunStore(database(file))
    await store.open()
    try:
        return [each.id for each in await store.index.runs()]
    finally:
        await store.close()


async def test_runs_of_the_earlier_version_are_listed_by_when_they_were_asked_for(
    file: Path,
) -> None:
    former(file, run("aa", 3), run("bb", 1), run("cc", 2))

    assert await listed(file) == ["aa", "cc", "bb"]
    assert await listed(file) == ["aa", "cc", "bb"]


async def test_many_are_brought_over(file: Path) -> None:
    former(file, *(run(f"{number:05d}", -number) for number in range(2500)))
    await listed(file)

    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT count(*), count(DISTINCT sort), min(length(sort)) FROM runs"
        assert connection.execute(query).fetchone() == (2500, 2500, 21)


async def test_one_that_cannot_be_read_comes_last_and_holds_up_nothing(file: Path) -> None:
    former(file, run("aa", 1), run("zz", 2))
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE runs SET run = x'00' WHERE id = 'zz'")
        connection.commit()

    assert await listed(file) == ["aa", "zz"]


def test_an_upgrade_that_is_broken_off_changes_nothing(file: Path) -> None:
    former(file, run("aa", 1))
    with closing(sqlite3.connect(file)) as connection:
        before = list(connection.iterdump())
        # the second index cannot be made
        connection.execute("CREATE TABLE runs_sort (x)")
        connection.commit()
    with pytest.raises(StoreError):
        database(file).open()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("DROP TABLE runs_sort")
        connection.commit()
        assert list(connection.iterdump()) == before


def test_the_indexes_are_those_of_a_new_file(file: Path, tmp_path: Path) -> None:
    former(file)
    new = tmp_path / "new.sqlite"
    for each in (file, new):
        opened = database(each)
        opened.open()
        opened.close()

    def indexes(of: Path) -> set[tuple[str, str]]:
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        with closing(sqlite3.connect(of)) as connection:
            return set(connection.execute(query).fetchall())

    assert indexes(file) == indexes(new)


def test_a_table_of_an_unknown_version_is_refused_with_what_to_do(file: Path) -> None:
    former(file, schema=FORMER.replace("words TEXT NOT NULL", "text TEXT NOT NULL"))

    with pytest.raises(StoreError, match="its runs have no words") as refused:
        database(file).open()
    assert "move it away" in refused.value.hint


async def test_the_app_starts_beside_runs_that_it_cannot_take_over(
    connected_settings: Settings,
) -> None:
    file = connected_settings.data.dir / "runs.sqlite"
    former(file, schema=FORMER.replace("words TEXT NOT NULL", "text TEXT NOT NULL"))

    async with bare_plant(connected_settings) as plant:
        (status,) = [each for each in plant.health() if each.name == "Workflows"]

    assert status.state is Health.FAILED
    assert "of another version of Millwright" in status.reason
    assert "move it away" in status.remedy


def test_two_orchestrators_upgrade_one_postgres_once(postgres_url: str) -> None:
    address = postgres_url.replace("postgresql://", "postgresql+psycopg://")
    engine = sa.create_engine(address)
    made = run("aa", 1)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.exec_driver_sql(FORMER.replace("BLOB", "BYTEA"))
        connection.execute(
            sa.text("INSERT INTO runs VALUES ('aa','demo','','completed',false,false,'app','',"
                    ":run,:run,'','')"),
            {"run": msgspec.json.encode(made)},
        )  # fmt: skip
    both = [Database(postgres_url, METADATA, "Workflows", upgrade_runs) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(Database.open, both))
    with both[0].read() as connection:
        assert connection.scalars(sa.text("SELECT sort FROM runs")).all() == [
            sort_words(made.started_at, "aa")
        ]
    for each in both:
        each.close()
    engine.dispose()
