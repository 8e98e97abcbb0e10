"""Places the steps of a workflow on a grid, left to right, for the run page and the editor.

Layers by the longest way from a step that needs nothing; within a layer the order is by the mean
of the neighbours (Sugiyama, Tagawa and Toda 1981), with places kept for edges that pass through.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from app.core.step_order import sources
from app.core.workflow import Workflow

_SWEEPS = 4

_Node: TypeAlias = tuple[str, str, int]
"""A step ("", id, 0), or where the edge from a step to a step passes a column."""

_Edges: TypeAlias = Mapping[_Node, Sequence[_Node]]


def layout(workflow: Workflow) -> dict[str, tuple[int, int]]:
    """Return the column and row of each step, from 0.

    Steps that follow each other in a circle, as in a draft, are placed as if the edge back were
    not there.
    """
    before = sources(workflow)
    columns = _columns(before)
    layers, left, right = _with_passages(before, columns)
    for _ in range(_SWEEPS):
        _sort(layers, left)
        _sort(layers[::-1], right)
    _sort(layers, left)
    rows = _rows(layers, left)
    least = min((row for node, row in rows.items() if not node[0]), default=0)
    return {name: (columns[name], rows["", name, 0] - least) for name in before}


def _columns(before: Mapping[str, Sequence[str]]) -> dict[str, int]:
    columns: dict[str, int] = {}
    left = list(before)
    while left:
        ready = [name for name in left if all(each in columns for each in before[name])]
        for name in ready or left[:1]:
            near = [columns[each] for each in before[name] if each in columns]
            columns[name] = max(near, default=-1) + 1
        left = [name for name in left if name not in columns]
    return columns


def _with_passages(
    before: Mapping[str, Sequence[str]], columns: Mapping[str, int]
) -> tuple[list[list[_Node]], _Edges, _Edges]:
    layers: list[list[_Node]] = [[] for _ in range(max(columns.values(), default=-1) + 1)]
    left: dict[_Node, list[_Node]] = {}
    right: dict[_Node, list[_Node]] = {}
    for name in before:
        layers[columns[name]].append(("", name, 0))
    for name, those in before.items():
        for each in those:
            path: list[_Node] = [("", each, 0)]
            for column in range(columns[each] + 1, columns[name]):
                path.append((each, name, column))
                layers[column].append(path[-1])
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


def _rows(layers: Sequence[Sequence[_Node]], left: _Edges) -> dict[_Node, int]:
    rows: dict[_Node, int] = {}
    for layer in layers:
        free = 0
        for node in layer:
            wanted = _mean([float(rows[each]) for each in left.get(node, ()) if each in rows])
            rows[node] = max(free, int(wanted or 0))
            free = rows[node] + 1
    return rows


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
