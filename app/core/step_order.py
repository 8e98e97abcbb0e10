"""The order of a workflow's steps: what comes before what.

A step comes after those it needs and after those whose error leads forward to it (`on_error =
"goto:STEP"`). What leads backwards, a loop or an error, is no part of the order.
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
    needs = {name: tuple(those) for name, those in before.items()}
    for step in workflow.steps:
        if step.handler in before and step.handler not in {step.id, *_reach(needs, step.id)}:
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


def ancestors(workflow: Workflow, name: str) -> frozenset[str]:
    """Return all steps that come before a step, directly or not."""
    return _reach(sources(workflow), name)


def descendants(workflow: Workflow, name: str) -> frozenset[str]:
    """Return all steps that come after a step, directly or not."""
    return _reach(_turned(sources(workflow)), name)


def loop_body(workflow: Workflow, step: Step) -> frozenset[str]:
    """Return the steps that the loop of `step` does again, itself included; empty without one."""
    if step.goto is None:
        return frozenset()
    first, before = step.goto.step, ancestors(workflow, step.id)
    if first not in before | {step.id}:
        return frozenset()
    return (descendants(workflow, first) & before) | {first, step.id}


def _turned(before: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    after: dict[str, list[str]] = {name: [] for name in before}
    for name, those in before.items():
        for each in those:
            after[each].append(name)
    return {name: tuple(those) for name, those in after.items()}


def _reach(near: Mapping[str, tuple[str, ...]], name: str) -> frozenset[str]:
    found: set[str] = set()
    ahead = list(near.get(name, ()))
    while ahead:
        each = ahead.pop()
        if each not in found:
            found.add(each)
            ahead += near[each]
    return frozenset(found)
