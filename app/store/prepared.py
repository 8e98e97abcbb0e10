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

    def __call__(self, connection: sa.Connection, **values: object) -> Any:  # noqa: ANN401  PEP 249 has no type
        """Execute it on the driver's own cursor, and return that (PEP 249).

        Every value it names must be given, as the driver takes it. What the driver raises is told
        by the transaction of the database.
        """
        cursor: Any = connection.connection.cursor()
        order = self._order
        given = values if order is None else tuple(values[name] for name in order)
        cursor.execute(self._text, given)
        return cursor
