"""What the editor's forms are made of: the types of app/core/workflow.py in words."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from app.core.actor import Role
from app.core.run import OVER
from app.core.trigger_check import FIELDS, SHIFT_ENDS
from app.core.workflow import (
    ACTION_FIELDS,
    TIMEOUT_S,
    ActionKind,
    Concurrency,
    Input,
    InputKind,
    Jump,
    Retry,
    RunMode,
    Step,
    Trigger,
    TriggerKind,
    Undo,
    Workflow,
)
from app.plant import Plant

_TYPES: Mapping[type, str] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "boolean",
    dict: "object",
    object: "any",
}
_ABOUT = re.compile(r"^ {8}(\w+): (.+(?:\n {12}.+)*)$", re.MULTILINE)
_MOST_TAGS = 2000


def schema(plant: Plant) -> dict[str, Any]:
    """Return fields by action and kind, their words, and what the plant offers to choose from."""
    kinds: tuple[type[msgspec.Struct], ...] = (
        Workflow, Input, Trigger, Retry, Jump, Undo, Step, Concurrency,
    )  # fmt: skip
    return {
        "actions": {
            do.value: {
                name: {"type": _TYPES[field.type], "required": field.required, "about": field.about}
                for name, field in fields.items()
            }
            for do, fields in ACTION_FIELDS.items()
        },
        "timeouts": {do.value: seconds for do, seconds in TIMEOUT_S.items()},
        "undo": [
            do.value
            for do in ActionKind
            if do not in {ActionKind.APPROVE, ActionKind.WAIT, ActionKind.WORKFLOW}
        ],
        "inputs": [kind.value for kind in InputKind],
        "triggers": {kind.value: sorted(FIELDS[kind]) for kind in TriggerKind},
        "shifts": list(SHIFT_ENDS),
        "ends": sorted(OVER),
        "roles": [role.value for role in Role],
        "modes": [mode.value for mode in RunMode],
        "about": {kind.__name__: _about(kind) for kind in kinds},
        "offered": _offered(plant),
    }


def _about(kind: type) -> dict[str, str]:
    """Return the words on each field of a struct, from its docstring."""
    found = _ABOUT.findall(kind.__doc__ or "")
    return {
        name.rstrip("_"): " ".join(words.replace("`", "").split()).rstrip(".")
        for name, words in found
    }


def _offered(plant: Plant) -> dict[str, list[str]]:
    units = plant.units()
    tags = [tag for unit in units for tag in unit.tags]
    return {
        "capabilities": sorted({each for row in plant.agents() for each in row.capabilities}),
        "units": [unit.path for unit in units],
        "tags": [tag.path for tag in tags][:_MOST_TAGS],
        "writable": [tag.path for tag in tags if tag.write],
        "workflows": [entry.name for entry in plant.workflows.catalogue()],
    }
