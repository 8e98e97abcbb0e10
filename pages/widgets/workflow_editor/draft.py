"""What the browser draws of a text that need not be a whole definition yet."""

import tomllib
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from app.core.graph_layout import layout
from app.core.workflow import ActionKind, Step, Workflow
from app.workflow.toml_lines import line_index


def draft(text: str) -> dict[str, Any] | None:
    """Return the values of a text and the place of each step; None if it is no TOML.

    `data` are the plain values; `grid` has column and row, and `lines` the line, of each step in
    the order of the text.
    """
    try:
        data = tomllib.loads(text)
        plain: dict[str, Any] = msgspec.to_builtins(data)  # times become texts
        lines = line_index(text)
    except (ValueError, RecursionError, OverflowError, TypeError):
        return None
    grid = _grid(plain.get("steps"))
    places = [lines.get(f"steps[{index}]", 0) for index in range(len(grid))]
    return {"data": plain, "grid": grid, "lines": places}


def _grid(steps: object) -> list[tuple[int, int]]:
    some = cast(list[object], steps) if isinstance(steps, list) else []
    tables = [cast(dict[str, object], each) for each in some if isinstance(each, dict)]
    names: list[str] = []
    for index, table in enumerate(tables):
        name = table.get("id")
        names.append(name if isinstance(name, str) and name not in names else f"#{index}")
    found = layout(
        Workflow(
            name="draft",
            steps=tuple(_step(name, table) for name, table in zip(names, tables, strict=True)),
        )
    )
    return [found[name] for name in names]


def _step(name: str, table: Mapping[str, object]) -> Step:
    needs = table.get("needs")
    some = cast(list[object], needs) if isinstance(needs, list) else []
    on_error = table.get("on_error")
    return Step(
        id=name,
        do=ActionKind.WAIT,
        needs=tuple(need for need in some if isinstance(need, str)),
        on_error=on_error if isinstance(on_error, str) else "fail",
    )
