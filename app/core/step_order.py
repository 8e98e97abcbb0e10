"""The order of a workflow's steps: what comes before what.

A step comes after those it needs and after those whose error leads to it (`on_error =
"goto:STEP"`). Loops (`goto`) lead backwards and are no part of the order.
"""

import heapq
from collections.abc import Mapping

from app.core.errors import InputError
from app.core.workflow import Step, Workflow


def sources(workflow: Workflow) -> dict[str, tuple[str, ...]]:
    """Return the steps that come right before each step, in the order of the definition.

    What is named and does not exist is left out.
    """
    before: dict[str, set[str]] = {step.id: set() for step in workflow.steps}
    for step in workflow.steps:
        before[step.id].update(need for need in step.needs if need in before)
        if step.handler in before:
            before[step.handler].add(step.id)
    place = {step.id: index for index, step in enumerate(workflow.steps)}
    return {name: tuple(sorted(those, key=place.__getitem__)) for name, those in before.items()}


def needs_order(workflow: Workflow) -> list[Step]:
    """Return the steps so that each stands behind all it needs; else as the definition has them.

    Raises:
        InputError: Steps need each other in a circle; the message names them.
    """
    before = sources(workflow)
    after = _turned(before)
    place = {step.id: index for index, step in enumerate(workflow.steps)}
    missing = {name: len(those) for name, those in before.items()}
    ready = [place[name] for name, count in missing.items() if not count]
    heapq.heapify(ready)
    order: list[Step] = []
    while ready:
        step = workflow.steps[heapq.heappop(ready)]
        order.append(step)
        for name in after[step.id]:
            missing[name] -= 1
            if not missing[name]:
                heapq.heappush(ready, place[name])
    if len(order) < len(before):
        raise InputError(f"Steps follow each other in a circle: {' → '.join(cycle(workflow))}")
    return order


def cycle(workflow: Workflow) -> tuple[str, ...]:
    """Return steps that need each other in a circle, the first again at the end; empty if none."""
    before = sources(workflow)
    left = {name: set(those) for name, those in before.items()}
    while ends := [name for name, those in left.items() if not those]:
        for name in ends:
            del left[name]
        for those in left.values():
            those.difference_update(ends)
    if not left:
        return ()
    path = [next(iter(left))]
    while path[-1] not in path[:-1]:
        path.append(next(name for name in before[path[-1]] if name in left))
    circle = path[path.index(path[-1]) :]
    return tuple(reversed(circle))


def ancestors(workflow: Workflow) -> dict[str, frozenset[str]]:
    """Return for each step all that come before it, directly or not.

    Raises:
        InputError: Steps need each other in a circle.
    """
    return _closed(sources(workflow), [step.id for step in needs_order(workflow)])


def descendants(workflow: Workflow) -> dict[str, frozenset[str]]:
    """Return for each step all that come after it, directly or not.

    Raises:
        InputError: Steps need each other in a circle.
    """
    order = [step.id for step in reversed(needs_order(workflow))]
    return _closed(_turned(sources(workflow)), order)


def loop_body(workflow: Workflow, step: Step) -> frozenset[str]:
    """Return the steps that the loop of `step` does again, itself included; empty without one.

    Raises:
        InputError: Steps need each other in a circle.
    """
    if step.goto is None:
        return frozenset()
    first, before = step.goto.step, ancestors(workflow)[step.id]
    if first not in before | {step.id}:
        return frozenset()
    return (descendants(workflow)[first] & before) | {first, step.id}


def _turned(before: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    after: dict[str, list[str]] = {name: [] for name in before}
    for name, those in before.items():
        for each in those:
            after[each].append(name)
    return {name: tuple(those) for name, those in after.items()}


def _closed(near: Mapping[str, tuple[str, ...]], order: list[str]) -> dict[str, frozenset[str]]:
    far: dict[str, frozenset[str]] = {}
    for name in order:
        far[name] = frozenset(near[name]).union(*(far[each] for each in near[name]))
    return far
