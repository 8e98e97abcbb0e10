"""Places the steps of a workflow on a grid, left to right, for the run page and the editor.

Layers by the longest way from a step that needs nothing; within a layer the order is by the mean
of the neighbours (Sugiyama, Tagawa and Toda 1981), with places kept for edges that pass through.
A layer of very many steps is folded into columns of its own, or it would be one tall tower.
Edges past other steps run along a row that is free, else between two rows, so through no step.
"""

import math
from collections.abc import Mapping, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from app.core.step_order import sources
from app.core.workflow import Workflow

TALLEST = 8
"""Steps one below the other; more are folded."""

_LEAST_FOLDED = 6
_SWEEPS = 4

_Node: TypeAlias = tuple[str, str, int]
"""A step ("", id, 0), or where the edge from a step to a step passes a column."""

_Edges: TypeAlias = Mapping[_Node, Sequence[_Node]]


Cells: TypeAlias = Mapping[str, tuple[int, int]]
"""Column and row of each step, from 0."""


class Side(IntEnum):
    """Where along a row an edge runs."""

    ABOVE = -1
    ALONG = 0
    BELOW = 1


class Lane(NamedTuple):
    """How an edge gets past the columns between its ends."""

    row: int
    side: Side


def layout(workflow: Workflow) -> dict[str, tuple[int, int]]:
    """Return the column and row of each step, from 0.

    Steps that follow each other in a circle, as in a draft, are placed as if the edge back were
    not there.
    """
    before = sources(workflow)
    ranks = _ranks(before)
    layers, left, right = _with_passages(before, ranks)
    for _ in range(_SWEEPS):
        _sort(layers, left)
        _sort(layers[::-1], right)
    _sort(layers, left)
    return _cells(layers, left)


def lane(cells: Cells, source: str, target: str, *, is_merging: bool = False) -> Lane | None:
    """Return where an edge passes the columns between its ends; None for neighbours.

    The target's row is taken if it is free there, else the source's. Else it runs between two
    rows: below the source's if `is_merging` (many edges end at this target), so that it does not
    lie on those that come in above the target's row.
    """
    (first, source_row), (last, target_row) = cells[source], cells[target]
    if last - first <= 1:
        return None
    taken = {row for column, row in cells.values() if first < column < last}
    for row in (target_row, source_row):
        if row not in taken:
            return Lane(row, Side.ALONG)
    return Lane(source_row, Side.BELOW) if is_merging else Lane(target_row, Side.ABOVE)


def is_lowest(cells: Cells, step: str) -> bool:
    """Tell whether nothing stands below a step in its column."""
    own_column, own_row = cells[step]
    return all(column != own_column or row <= own_row for column, row in cells.values())


def _ranks(before: Mapping[str, Sequence[str]]) -> dict[str, int]:
    ranks: dict[str, int] = {}
    left = list(before)
    while left:
        ready = [name for name in left if all(each in ranks for each in before[name])]
        for name in ready or left[:1]:
            near = [ranks[each] for each in before[name] if each in ranks]
            ranks[name] = max(near, default=-1) + 1
        left = [name for name in left if name not in ranks]
    return ranks


def _with_passages(
    before: Mapping[str, Sequence[str]], ranks: Mapping[str, int]
) -> tuple[list[list[_Node]], _Edges, _Edges]:
    layers: list[list[_Node]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    left: dict[_Node, list[_Node]] = {}
    right: dict[_Node, list[_Node]] = {}
    for name in before:
        layers[ranks[name]].append(("", name, 0))
    for name, those in before.items():
        for each in those:
            path: list[_Node] = [("", each, 0)]
            for rank in range(ranks[each] + 1, ranks[name]):
                path.append((each, name, rank))
                layers[rank].append(path[-1])
            path.append(("", name, 0))
            for one, other in pairwise(path):
                left.setdefault(other, []).append(one)
                right.setdefault(one, []).append(other)
    return layers, left, right


def _sort(layers: Sequence[list[_Node]], near: _Edges) -> None:
    places: dict[_Node, float] = {}
    for layer in layers:
        own = {node: float(index) for index, node in enumerate(layer)}
        wanted = {node: _mean([places[each] for each in near.get(node, ()) if each in places])
                  for node in layer}  # fmt: skip
        layer.sort(key=lambda node: own[node] if wanted[node] is None else wanted[node] or 0.0)
        places.update((node, float(index)) for index, node in enumerate(layer))


def _cells(layers: Sequence[Sequence[_Node]], left: _Edges) -> dict[str, tuple[int, int]]:
    rows: dict[_Node, int] = {}
    columns: dict[str, int] = {}
    base = 0
    for layer in layers:
        steps = [node for node in layer if not node[0]]
        height = len(steps) if len(steps) <= TALLEST else _folded_height(len(steps))
        if len(steps) > TALLEST:
            _fold(layer, height, left, rows)
        else:
            _stack(layer, left, rows)
        columns |= {name: base + index // height for index, (_, name, _) in enumerate(steps)}
        base += math.ceil(len(steps) / height)
    top = min((rows["", name, 0] for name in columns), default=0)
    return {name: (column, rows["", name, 0] - top) for name, column in columns.items()}


def _folded_height(steps: int) -> int:
    # a place is about twice as wide as high, and so is a screen
    return max(_LEAST_FOLDED, math.ceil(math.sqrt(steps)))


def _stack(layer: Sequence[_Node], left: _Edges, rows: dict[_Node, int]) -> None:
    free: int | None = None
    for node in layer:
        wanted = int(_mean(_left_rows(node, left, rows)) or 0)
        rows[node] = wanted if free is None else max(free, wanted)
        free = rows[node] + 1


def _fold(layer: Sequence[_Node], height: int, left: _Edges, rows: dict[_Node, int]) -> None:
    """Set rows of a layer in columns of `height`, around the middle of what leads to it."""
    wanted = _mean([row for node in layer for row in _left_rows(node, left, rows)])
    top = int(wanted or 0) - (height - 1) // 2
    index = 0
    for node in layer:
        if node[0]:  # an edge that passes; it finds its lane when all stand
            rows[node] = int(_mean(_left_rows(node, left, rows)) or 0)
        else:
            rows[node] = top + index % height
            index += 1


def _left_rows(node: _Node, left: _Edges, rows: Mapping[_Node, int]) -> list[float]:
    return [float(rows[each]) for each in left.get(node, ()) if each in rows]


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
