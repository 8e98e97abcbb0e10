"""Judges the inputs that a trigger, or a step, gives to a workflow."""

from collections.abc import Iterator, Mapping

from app.core.expression_check import has_hole
from app.core.near import near_miss
from app.core.workflow import Workflow
from app.core.workflow_entry import Problem
from app.core.workflow_input import misfit


def check_given(
    workflow: Workflow, given: Mapping[str, object], where: str, giver: str
) -> Iterator[Problem]:
    """Yield what is wrong with inputs before their expressions are computed.

    Args:
        workflow: What is started by them.
        given: By name.
        where: Path of the table that gives them.
        giver: "trigger" or "step".
    """
    for name, value in given.items():
        field = workflow.inputs.get(name)
        if field is None:
            hint = near_miss(name, workflow.inputs) or f"It has {', '.join(workflow.inputs) or '-'}"
            yield Problem(0, f"{where}.{name}", f'There is no input "{name}"', hint)
        elif not has_hole(value) and (wrong := misfit(field, value)):
            yield Problem(0, f"{where}.{name}", f'Input "{name}" {wrong}')
    for name, field in workflow.inputs.items():
        if field.required and field.default is None and name not in given:
            example = "event…" if giver == "trigger" else "input…"
            yield Problem(
                0,
                where,
                f'The {giver} does not give the required input "{name}"',
                f'Add {name} = "${{{example}}}" to its input',
            )
