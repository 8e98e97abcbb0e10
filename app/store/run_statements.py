"""The statements that every run and every step costs, on SQLite and Postgres alike."""

import sqlalchemy as sa

from app.store.prepared import Prepared

_OF_KEY = """
FROM runs WHERE workflow = :workflow AND key = :key
AND state IN ('running', 'waiting')
"""
_KEEP = """
INSERT INTO steps (run, slot, data) SELECT id, :slot, :data FROM runs
WHERE id = :run AND owner = :owner {lock}
ON CONFLICT (run, slot) DO UPDATE SET data = excluded.data
"""


class RunStatements:
    """Prepared once a store.

    Attributes:
        state: State of run `id`.
        rivals: `id` and `is_queued` of the open runs of `workflow` and `key`, the oldest first.
        queued: A run of `workflow` and `key` that waits for its turn, if there is one.
        within: `id` and `parent` of the open runs within runs.
        add: Keep a new run.
        keep: Keep `data` in `slot` of `run`; counts no row if that is none of `owner`.
        end: Keep how run `id` ended; counts no row if it is none of `owner`.
    """

    def __init__(self, *, is_postgres: bool) -> None:
        url = sa.make_url("postgresql+psycopg://" if is_postgres else "sqlite+pysqlite://")
        dialect = url.get_dialect()()
        # who takes a run over waits for a write under way, and then sees it
        keep = _KEEP.replace("{lock}", "FOR SHARE" if is_postgres else "")
        self.state = Prepared("SELECT state FROM runs WHERE id = :id", dialect)
        self.rivals = Prepared(f"SELECT id, is_queued {_OF_KEY} ORDER BY sort", dialect)
        self.queued = Prepared(f"SELECT id {_OF_KEY} AND is_queued LIMIT 1", dialect)
        self.within = Prepared(
            "SELECT id, parent FROM runs WHERE state IN ('running', 'waiting') AND parent <> ''",
            dialect,
        )
        self.add = Prepared(
            "INSERT INTO runs (id, sort, workflow, key, state, is_queued, is_dead, owner, parent, "
            "run, snapshot, cancel, words) VALUES (:id, :sort, :workflow, :key, :state, "
            ":is_queued, :is_dead, :owner, :parent, :run, :snapshot, '', :words)",
            dialect,
        )
        self.keep = Prepared(keep, dialect)
        self.end = Prepared(
            "UPDATE runs SET state = :state, is_dead = :is_dead, run = :run, words = :words, "
            "is_queued = :is_queued WHERE id = :id AND owner = :owner",
            dialect,
        )
