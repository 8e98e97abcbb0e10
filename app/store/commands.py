"""Commands on disk: one row each, and a line for every change of its state."""

import importlib
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.sql.base import Executable

from app import __version__
from app.core.command import Command, CommandChange, CommandState, may_become
from app.core.command_follow import AHEAD
from app.core.equipment import unit_of
from app.core.errors import ConflictError, StoreError
from app.store.database import Database, storable

WHAT = "Command store"
"""What an operator calls it; `Database(url, METADATA, WHAT)` opens it."""
METADATA = sa.MetaData()
_COMMANDS = sa.Table(
    "commands",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("tag", sa.Text, nullable=False),
    sa.Column("equipment", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("changed_at", sa.Text, nullable=False),
    sa.Column("requested_at", sa.Text, nullable=False),
    sa.Column("sent_at", sa.Text),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index("commands_by_state", "state", "changed_at"),
    sa.Index("commands_by_tag", "tag", "sent_at"),
    sa.Index("commands_by_time", "requested_at"),
)
_CHANGES = sa.Table(
    "command_changes",
    METADATA,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("old", sa.Text),
    sa.Column("new", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Index("command_changes_by_id", "id", "number"),
)
_OPEN = (
    CommandState.REQUESTED,
    CommandState.AWAITING_APPROVAL,
    CommandState.DISPATCHED,
    CommandState.ACKNOWLEDGED,
)
_LONGEST = timedelta(hours=25)
"""An order lives a day at most (`commands.expires_s`): an older one holds up no tag for ever."""

_SHOWN = _COMMANDS.c.id, _COMMANDS.c.tag, _COMMANDS.c.state, _COMMANDS.c.body
_LOOK = "Look at the unit itself before it is commanded again, or start the version that made it"


class UnderWay(NamedTuple):
    """A command that was sent to a tag and is not answered yet.

    Attributes:
        id: Its id.
        sent_at: UTC.
        command: None if this version of the app cannot read it.
    """

    id: str
    sent_at: datetime
    command: Command | None


class Sent(NamedTuple):
    """What was sent to a tag.

    Attributes:
        last_at: When a command last was, UTC; None for never.
        under_way: None if all are answered.
        unshown: What the last one set the tag to, if the plant has not shown it yet.
    """

    last_at: datetime | None
    under_way: UnderWay | None
    unshown: float | None = None


class CommandStore:
    """Rows of commands; on disk when a method returns.

    Several processes may write: a change counts only if the row is still in the state it was
    read in, and one command to a tag is under way at a time, whoever sends it. Called from
    threads, never from the event loop. A command that this version of the app cannot read is left
    out of lists, and `check` names it while its end is open.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unreadable: list[str] = []

    def insert(self, command: Command) -> Command:
        """Keep a new command; return the one that is kept under its id, which may be an older.

        Raises:
            StoreError: It cannot be written.
        """
        with self._database.begin() as connection:
            if connection.execute(_insert(connection, _row(command))).first():
                line = CommandChange(
                    0, command.id, command.changed_at, command.requested_by, None,
                    command.state, command.why,
                )  # fmt: skip
                _note(connection, line)
                return command
            return _one(connection, command.id) or command

    def get(self, command_id: str) -> Command | None:
        """Return a command.

        Raises:
            StoreError: It cannot be read.
        """
        with self._database.read() as connection:
            return _one(connection, command_id)

    def change(
        self, old: Command, new: Command, actor: str, why: str = "", known: Sent | None = None
    ) -> bool:
        """Put `new` in the place of `old` and note who did it; False if `old` is no longer so.

        A change within the same state, such as of its reason, leaves no line. One that sends is
        not made either while another command to the tag is under way, or if one was sent to it
        after what was `known` of it when this one was checked.

        Raises:
            ConflictError: The old state may not become the new one.
            StoreError: It cannot be written.
        """
        is_step = new.state is not old.state
        if is_step and not may_become(old.state, new.state):
            raise ConflictError(
                f'Command "{old.id}" is {old.state.value} and cannot become {new.state.value}'
            )
        with self._database.begin() as connection:
            # the whole of it and not the state alone: nobody else has changed anything
            guarded = (
                sa.update(_COMMANDS)
                .where(_COMMANDS.c.id == old.id, _COMMANDS.c.state == old.state.value)
                .where(_COMMANDS.c.body == msgspec.json.encode(old))
                .values(**_row(new))
            )
            if is_step and new.state is CommandState.DISPATCHED:
                self._lock_tag(connection, new.tag)
                other = _COMMANDS.alias("other")
                is_taken = _is_under_way(other, new.tag, new.changed_at)
                guarded = guarded.where(~sa.exists().where(*is_taken))
                if known is not None:
                    guarded = guarded.where(~sa.exists().where(*_is_sent_after(other, new, known)))
            if connection.execute(guarded).rowcount != 1:
                return False
            if is_step:
                line = CommandChange(0, new.id, new.changed_at, actor, old.state, new.state, why)
                _note(connection, line)
        return True

    def check(self) -> None:
        """Write something that changes nothing.

        Raises:
            StoreError: The store cannot be written, or an open command cannot be read.
        """
        with self._database.begin() as connection:
            if self._database.is_shared:
                connection.execute(sa.text("SELECT txid_current()"))  # commits a row of the log
            else:
                version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
                connection.exec_driver_sql(f"PRAGMA user_version = {version}")
        if self._unreadable:
            raise StoreError("; ".join(self._unreadable[:3]), _LOOK)

    def tally(self) -> dict[CommandState, int]:
        """Return how many commands are kept, by state; those of a later version's are left out.

        Raises:
            StoreError: They cannot be read.
        """
        query = sa.select(_COMMANDS.c.state, sa.func.count()).group_by(_COMMANDS.c.state)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        states = {state.value: state for state in CommandState}
        return {states[state]: count for state, count in rows if state in states}

    def find(
        self, states: Collection[CommandState] = (), tag: str = "", limit: int = 200
    ) -> list[Command]:
        """Return commands, the newest first; of all states if none is named.

        Raises:
            StoreError: They cannot be read.
        """
        query = sa.select(*_SHOWN).order_by(_COMMANDS.c.requested_at.desc(), _COMMANDS.c.id)
        if states:
            query = query.where(_COMMANDS.c.state.in_([state.value for state in states]))
        if tag:
            query = query.where(_COMMANDS.c.tag == storable(tag))
        return self._read(query.limit(limit))

    def open(self, unknown_since: datetime) -> list[Command]:
        """Return what is not ended, and what is unknown since `unknown_since`, oldest first.

        Raises:
            StoreError: They cannot be read.
        """
        is_recent = _COMMANDS.c.changed_at >= _text(unknown_since)
        is_unknown = _COMMANDS.c.state == CommandState.UNKNOWN.value
        is_open = _COMMANDS.c.state.in_([state.value for state in _OPEN])
        query = sa.select(*_SHOWN).where(sa.or_(is_open, sa.and_(is_unknown, is_recent)))
        found, self._unreadable = self._readable(
            query.order_by(_COMMANDS.c.requested_at, _COMMANDS.c.id)
        )
        return found

    def sent(self, tag: str, now: datetime) -> Sent:
        """Return what was sent to a tag, but for what was before the clock was set back.

        Raises:
            StoreError: It cannot be read.
        """
        last = sa.select(sa.func.max(_COMMANDS.c.sent_at)).where(
            _COMMANDS.c.tag == storable(tag), _COMMANDS.c.sent_at <= _text(now + AHEAD)
        )
        columns = _COMMANDS.c.id, _COMMANDS.c.changed_at, _COMMANDS.c.body
        unanswered = sa.select(*columns).where(*_is_under_way(_COMMANDS, tag, now)).limit(1)
        with self._database.read() as connection:
            last_at = connection.execute(last).scalar()
            row = connection.execute(unanswered).mappings().first()
            done = connection.execute(_acknowledged(tag)).first()
        return Sent(
            datetime.fromisoformat(last_at) if last_at else None,
            _under_way(row) if row else None,
            _value(done.body) if done else None,
        )

    def is_last_sent(self, command: Command, now: datetime) -> bool:
        """Tell whether no command was sent to the tag after this one.

        What lies in the future was sent before the clock was set back.

        Raises:
            StoreError: It cannot be read.
        """
        sent = sa.select(_COMMANDS.c.sent_at).where(_COMMANDS.c.id == command.id)
        later = sa.select(_COMMANDS.c.id).where(
            _COMMANDS.c.tag == command.tag,
            _COMMANDS.c.id != command.id,
            _COMMANDS.c.sent_at > sent.scalar_subquery(),
            _COMMANDS.c.sent_at <= _text(now + AHEAD),
        )
        with self._database.read() as connection:
            return connection.execute(later.limit(1)).first() is None

    def unsettled(self, equipment: str) -> list[Command]:
        """Return the unknown commands of a unit that no later one has made good.

        A later command to the same tag that is verified tells what the plant does now.

        Raises:
            StoreError: They cannot be read.
        """
        later = _COMMANDS.alias("later")
        made_good = sa.exists().where(
            later.c.tag == _COMMANDS.c.tag,
            later.c.state == CommandState.VERIFIED.value,
            later.c.sent_at > _COMMANDS.c.sent_at,
        )
        query = sa.select(*_SHOWN).where(
            _COMMANDS.c.equipment == equipment,
            _COMMANDS.c.state == CommandState.UNKNOWN.value,
            ~made_good,
        )
        return self._read(query.order_by(_COMMANDS.c.requested_at))

    def changes(self, command_id: str) -> list[CommandChange]:
        """Return every change of a command's state, the oldest first.

        Raises:
            StoreError: They cannot be read.
        """
        query = sa.select(_CHANGES).where(_CHANGES.c.id == command_id).order_by(_CHANGES.c.number)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [_change(row) for row in rows]

    def _lock_tag(self, connection: sa.Connection, tag: str) -> None:
        """Have one orchestrator at a time send to a tag; SQLite has one writer anyway."""
        if self._database.is_shared:
            words = {"words": f"command {storable(tag)}"}
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:words))"), words)

    def _read(self, query: sa.Select[Any, Any, Any, Any]) -> list[Command]:
        return self._readable(query)[0]

    def _readable(self, query: sa.Select[Any, Any, Any, Any]) -> tuple[list[Command], list[str]]:
        """Return the commands that can be read, and what is said of the others."""
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        found: list[Command] = []
        others: list[str] = []
        for row in rows:
            try:
                found.append(msgspec.json.decode(row.body, type=Command))
            except msgspec.MsgspecError as error:
                others.append(f"{_unreadable(row.id, error)} It is {row.state}, for {row.tag}")
        return found, others


def _change(row: sa.RowMapping) -> CommandChange:
    fields = {name: row[name] for name in CommandChange.__struct_fields__}
    return msgspec.convert(fields, CommandChange)


def _one(connection: sa.Connection, command_id: str) -> Command | None:
    query = sa.select(_COMMANDS.c.body).where(_COMMANDS.c.id == storable(command_id))
    body = connection.execute(query).scalar()
    if body is None:
        return None
    try:
        return msgspec.json.decode(body, type=Command)
    except msgspec.MsgspecError as error:
        raise ConflictError(_unreadable(command_id, error), _LOOK) from error


def _unreadable(command_id: str, error: Exception) -> str:
    return f'Command "{command_id}" cannot be read by Millwright {__version__}: {error}.'


def _is_sent_after(
    commands: sa.FromClause, command: Command, known: Sent
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        commands.c.tag == storable(command.tag),
        commands.c.id != command.id,
        commands.c.sent_at > (_text(known.last_at) if known.last_at else ""),
        commands.c.sent_at <= _text(command.changed_at + AHEAD),
    )


def _is_under_way(
    commands: sa.FromClause, tag: str, now: datetime
) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        commands.c.state == CommandState.DISPATCHED.value,
        commands.c.changed_at > _text(now - _LONGEST),  # and so the index by state is taken
        commands.c.tag == storable(tag),
    )


def _acknowledged(tag: str) -> sa.Select[Any]:
    is_done = _COMMANDS.c.state == CommandState.ACKNOWLEDGED.value
    query = sa.select(_COMMANDS.c.body).where(is_done, _COMMANDS.c.tag == storable(tag))
    return query.order_by(_COMMANDS.c.sent_at.desc()).limit(1)


def _value(body: bytes) -> float | None:
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(body, type=Command).value
    return None


def _under_way(row: sa.RowMapping) -> UnderWay:
    command = None
    with suppress(msgspec.MsgspecError):
        command = msgspec.json.decode(row["body"], type=Command)
    return UnderWay(row["id"], datetime.fromisoformat(row["changed_at"]), command)


def _row(command: Command) -> dict[str, Any]:
    return {
        "id": command.id,
        "tag": storable(command.tag),
        "equipment": storable(unit_of(command.tag)),
        "state": command.state.value,
        "changed_at": _text(command.changed_at),
        "requested_at": _text(command.requested_at),
        "sent_at": _text(command.sent_at) if command.sent_at else None,
        "body": msgspec.json.encode(command),
    }


def _insert(connection: sa.Connection, row: Mapping[str, Any]) -> Executable:
    """Return an insert that leaves a row of the same id alone and returns the id of a new one."""
    words = importlib.import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    insert = words.insert(_COMMANDS).values(**row).on_conflict_do_nothing()
    returning: Executable = insert.returning(_COMMANDS.c.id)
    return returning


def _note(connection: sa.Connection, line: CommandChange) -> None:
    values: dict[str, Any] = {
        "id": line.id,
        "at": _text(line.at),
        "actor": storable(line.actor),
        "old": line.old.value if line.old else None,
        "new": line.new.value,
        "why": storable(line.why),
    }
    connection.execute(sa.insert(_CHANGES).values(**values))


def _text(at: datetime) -> str:
    """Return a time that sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
