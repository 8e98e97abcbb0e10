"""Statements that are compiled once: building one anew costs more than SQLite takes to do it."""

from typing import Any

import sqlalchemy as sa


class Prepared:
    """One SQL statement with values named `:name`, in the words of the driver of a database."""

    def __init__(self, text: str, dialect: sa.Dialect) -> None:
        compiled = sa.text(text).compile(dialect=dialect)
        self._text = str(compiled)
        names: list[str] | None = getattr(compiled, "positiontup", None)
        self._order = None if names is None else tuple(names)

    def __call__(self, connection: sa.Connection, **values: object) -> sa.CursorResult[Any]:
        """Execute it; every value it names must be given, as the driver takes it."""
        if self._order is None:
            return connection.exec_driver_sql(self._text, values)
        return connection.exec_driver_sql(self._text, tuple(values[name] for name in self._order))
