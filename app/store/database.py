"""One relational store by URL: a SQLite file, or Postgres shared by several orchestrators."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from app.core.errors import StoreError

_BUSY_S = 10.0
_POOL = 5
_NOTICED = {
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": int(_BUSY_S * 1000),
}
"""Of Postgres: how soon it notices that one of us vanished, whose locks others wait for; s, ms."""


class Database:
    """Transactions on SQLite (WAL) or Postgres; called from threads, never from the event loop.

    A transaction that writes is on disk (fsync) before `begin` returns.

    Attributes:
        is_shared: Several orchestrators may write to it.
    """

    def __init__(
        self,
        url: str,
        metadata: sa.MetaData,
        what: str,
        upgrade: Callable[[sa.Connection], None] = lambda _: None,
    ) -> None:
        """Remember where it is; nothing is opened.

        Args:
            url: `sqlite:///path` or `postgresql://user@host/name`.
            metadata: Tables it shall have.
            what: What an operator calls it, for messages.
            upgrade: Brings tables of earlier versions up to date, all or nothing.
        """
        self._url = sa.make_url(url)
        self._metadata = metadata
        self._what = what
        self._upgrade = upgrade
        self._driver_errors: tuple[type[Exception], ...] = ()
        self._writing: sa.Engine | None = None
        self._reading: sa.Engine | None = None
        self.is_shared = not self._url.drivername.startswith("sqlite")
        if self.is_shared:
            self._url = self._url.set(drivername="postgresql+psycopg")

    def open(self) -> None:
        """Connect and make the tables that are missing.

        Raises:
            StoreError: It cannot be reached, is damaged, or of another version.
        """
        self.close()
        writing, reading = self._engine(), self._engine()
        if not self.is_shared:
            event.listen(writing, "begin", _begin)
        with self._told("opened"):
            try:
                if self._url.database and not self.is_shared:
                    Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
                with writing.begin() as connection:
                    self._upgrade(connection)
                    self._metadata.create_all(connection)
                self._check_columns(writing)
            except (SQLAlchemyError, OSError, StoreError):
                writing.dispose()
                reading.dispose()
                raise
        self._writing, self._reading = writing, reading
        driver: Any = writing.dialect.dbapi
        self._driver_errors = (driver.Error,)

    def close(self) -> None:
        """Close all connections; harmless if none is open."""
        for engine in (self._writing, self._reading):
            if engine is not None:
                engine.dispose()
        self._writing = self._reading = None

    @contextmanager
    def begin(self) -> Generator[sa.Connection]:
        """Open a transaction to write; committed at the end of the block, or rolled back.

        Raises:
            StoreError: It is not open, busy, full or gone.
        """
        with self._told("written"), self._opened(self._writing).begin() as connection:
            yield connection

    @contextmanager
    def begin_on(self, connection: sa.Connection) -> Generator[sa.Connection]:
        """Open a transaction to write on a connection of `writer`.

        It is said to SQLite directly: SQLAlchemy's own beginning and end cost as much as both.

        Raises:
            StoreError: It is busy, full or gone.
        """
        driver = connection.connection
        with self._told("written"):
            driver.cursor().execute("BEGIN IMMEDIATE")
            try:
                yield connection
                driver.cursor().execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a failed COMMIT may have ended it already
                    driver.cursor().execute("ROLLBACK")
                raise

    def touch(self, connection: sa.Connection) -> None:
        """Write something that changes nothing, in the transaction of a connection."""
        if self.is_shared:
            connection.execute(sa.text("SELECT txid_current()"))  # commits a row of the log
        else:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            connection.exec_driver_sql(f"PRAGMA user_version = {version}")

    def writer(self) -> sa.Connection:
        """Return a connection of SQLite for one thread that writes again and again.

        The caller closes it.

        Raises:
            StoreError: It is not open or gone.
        """
        with self._told("reached"):
            return self._opened(self._reading).connect()  # that begins nothing by itself

    @contextmanager
    def read(self) -> Generator[sa.Connection]:
        """Open a transaction to read: all its statements see the same moment.

        Raises:
            StoreError: It is not open or gone.
        """
        with self._told("read"), self._opened(self._reading).connect() as connection:
            if not self.is_shared:
                connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            except BaseException:
                # a result that was not read to its end lives on in the error: whoever gets this
                # connection next would see the store as it is now, and nothing newer
                if not self.is_shared:  # Postgres has sent its rows already, and connecting costs
                    connection.invalidate()
                raise

    def session(self) -> sa.Connection:
        """Return a connection that stays open, each statement by itself; the caller closes it.

        Raises:
            StoreError: It is not open or gone.
        """
        with self._told("reached"):
            engine = self._opened(self._reading)
            return engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def _check_columns(self, engine: sa.Engine) -> None:
        tables = sa.inspect(engine)
        for table in self._metadata.sorted_tables:
            there = {each["name"] for each in tables.get_columns(table.name)}
            if missing := [column.name for column in table.columns if column.name not in there]:
                raise StoreError(
                    f'{self._what} "{self._place}" is of another version of Millwright: '
                    f"its {table.name} have no {', '.join(missing)}",
                    "Start that version, or move it away and start again without what it holds",
                )

    def _engine(self) -> sa.Engine:
        if self.is_shared:
            # a server that vanished is noticed in seconds, not by the two hours of TCP
            options = {
                "connect_timeout": int(_BUSY_S),
                "keepalives_idle": 5,
                "keepalives_interval": 2,
                "keepalives_count": 3,
                "tcp_user_timeout": int(_BUSY_S * 1000),
            }
            engine = sa.create_engine(
                self._url, pool_size=_POOL, pool_pre_ping=True, connect_args=options
            )
            event.listen(engine, "connect", _have_noticed)
            return engine
        engine = sa.create_engine(self._url, connect_args={"timeout": _BUSY_S})
        event.listen(engine, "connect", _prepare)
        return engine

    def _opened(self, engine: sa.Engine | None) -> sa.Engine:
        if engine is None:
            raise StoreError(
                f"{self._what} is not open", hint=f"See {self._what} on the Health page"
            )
        return engine

    @contextmanager
    def _told(self, done: str) -> Generator[None]:
        troubles: tuple[type[Exception], ...] = (SQLAlchemyError, OSError, *self._driver_errors)
        try:
            yield
        except troubles as error:
            cause = getattr(error, "orig", None) or error
            said = (
                str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
            )
            raise StoreError(
                f'{self._what} "{self._place}" cannot be {done}: {said}', hint=self._remedy
            ) from error

    @property
    def _place(self) -> str:
        return self._url.render_as_string(hide_password=True)

    @property
    def _remedy(self) -> str:
        if self.is_shared:
            return "Check that the database server runs and that workflow.url names it"
        return "Check that the disk has room and that the data folder may be written"


def storable(text: str) -> str:
    """Return a text as a column can hold it: Postgres takes no NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _prepare(connection: Any, _: object) -> None:  # noqa: ANN401  the driver's own connection
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _have_noticed(connection: Any, _: object) -> None:  # noqa: ANN401  the driver's own connection
    """Have the server notice, too, in seconds when we vanish: by itself it takes two hours."""
    for name, value in _NOTICED.items():  # of a Unix socket it takes no notice
        connection.execute(f"SET {name} = {value}")
    connection.commit()


def _begin(connection: sa.Connection) -> None:
    # IMMEDIATE: a transaction that reads first and writes later would else fail when another wrote
    connection.exec_driver_sql("BEGIN IMMEDIATE")
