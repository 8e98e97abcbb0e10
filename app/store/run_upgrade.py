"""Brings the tables of runs that an earlier version of the app made to what this one reads."""

import logging
from datetime import UTC, datetime

import msgspec
import sqlalchemy as sa

from app.store.run_tables import METADATA, RUNS, sort_words

logger = logging.getLogger(__name__)

_AT_ONCE = 1000
_NEVER = datetime.fromtimestamp(0, UTC)


class _Begun(msgspec.Struct, frozen=True):
    """What is read of a run, whatever else stands in it."""

    started_at: datetime = _NEVER


def upgrade_runs(connection: sa.Connection) -> None:
    """Add what ordering and finding runs needs to tables that have it not yet, in one transaction.

    Versions before 2026-11-22 ordered runs by their ids.
    """
    if connection.dialect.name == "postgresql":  # one of several orchestrators at a time
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('millwright upgrade'))"))
    tables = sa.inspect(connection)
    if not tables.has_table(RUNS.name):
        return
    if RUNS.c.sort.name not in {each["name"] for each in tables.get_columns(RUNS.name)}:
        connection.execute(sa.text("ALTER TABLE runs ADD COLUMN sort TEXT NOT NULL DEFAULT ''"))
        count = _fill(connection)
        connection.execute(sa.text("DROP INDEX runs_state"))  # by state alone
        logger.info("%d runs of an earlier version are ordered by when they were asked for", count)
    _renew_indexes(connection)


def _renew_indexes(connection: sa.Connection) -> None:
    tables = sa.inspect(connection)
    for table in METADATA.sorted_tables:
        if not tables.has_table(table.name):
            continue
        have = {each["name"] for each in tables.get_indexes(table.name)}
        wanted = {str(index.name): index for index in table.indexes}
        for name in have - wanted.keys():
            connection.execute(sa.text(f"DROP INDEX {name}"))
        for name in sorted(wanted.keys() - have):
            wanted[name].create(connection)


def _fill(connection: sa.Connection) -> int:
    count, last = 0, ""
    page = sa.select(RUNS.c.id, RUNS.c.run).order_by(RUNS.c.id).limit(_AT_ONCE)
    one = sa.update(RUNS).where(RUNS.c.id == sa.bindparam("of")).values(sort=sa.bindparam("as"))
    while rows := connection.execute(page.where(RUNS.c.id > last)).all():
        connection.execute(one, [{"of": row.id, "as": _sort(row.id, row.run)} for row in rows])
        count, last = count + len(rows), rows[-1].id
    return count


def _sort(run_id: str, data: bytes) -> str:
    """Return what a run is ordered by; one that cannot be read comes last."""
    try:
        at = msgspec.json.decode(data, type=_Begun).started_at
    except msgspec.MsgspecError:
        at = _NEVER
    return sort_words(at, run_id)
