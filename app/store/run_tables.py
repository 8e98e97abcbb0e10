"""Tables of workflow runs: SQLite or Postgres."""

from datetime import datetime

import sqlalchemy as sa

METADATA = sa.MetaData()
_IS_OPEN = sa.text("state IN ('running', 'waiting')")
_IS_DEAD = sa.text("is_dead")
_IS_DEAD_SQLITE = sa.text("is_dead = 1")  # as SQLAlchemy asks it: SQLite compares the words

RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sort", sa.Text, nullable=False),  # when it was asked for, then its id
    sa.Column("workflow", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("is_queued", sa.Boolean, nullable=False),
    sa.Column("is_dead", sa.Boolean, nullable=False),  # failed, neither repeated nor seen to
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("parent", sa.Text, nullable=False),
    sa.Column("run", sa.LargeBinary, nullable=False),  # WorkflowRun without its steps, JSON
    sa.Column("snapshot", sa.LargeBinary, nullable=False),  # Workflow, JSON
    sa.Column("cancel", sa.Text, nullable=False, default=""),
    sa.Column("words", sa.Text, nullable=False, default=""),  # what a search looks through
    # few of many runs are open or dead: what looks for those reads no others
    sa.Index(
        "runs_open", "workflow", "key", "sort", sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN
    ),
    sa.Index("runs_dead", "sort", sqlite_where=_IS_DEAD_SQLITE, postgresql_where=_IS_DEAD),
    sa.Index("runs_state", "state", "sort"),
    sa.Index("runs_of", "workflow", "sort"),
    sa.Index("runs_sort", "sort"),
)

STEPS = sa.Table(
    "steps",
    METADATA,
    sa.Column("run", sa.Text, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("slot", sa.Text, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
"""What is certain of a run: outcomes of steps (`step.round`), their plans (`step.round.plan`),
elements of a for-each (`step.round.7`), those that may have acted (`step.round.unsure`) and what
took a step back (`step.round.undo`)."""

APPROVALS = sa.Table(
    "approvals",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("asked_at", sa.Text, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Index("approvals_state", "state", "asked_at"),
    sa.Index("approvals_run", "run"),
)

HELD = sa.Table(
    "held_events",
    METADATA,
    sa.Column("workflow", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),  # of the trigger in the workflow
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),  # HeldEvent, JSON
)
"""Messages that wait for quiet before they start a run."""


def sort_words(at: datetime, run_id: str) -> str:
    """Return what runs are ordered by: when a run was asked for, then its id."""
    return f"{int(at.timestamp() * 1000):015d} {run_id}"
