"""The workflows that come with the product read well, and their expressions can be computed."""

from collections.abc import Callable
from typing import Any

import pytest

from app.core.expression import fill, is_true
from app.core.workflow import Step, Trigger, Workflow
from app.core.workflow_check import checked_input
from app.workflow.definition import read_definition
from app.workflow.library import SHIPPED

UNIT = "riverside/utilities/water/pump-101"
NAMES = sorted(path.stem for path in SHIPPED.glob("*.toml"))
GIVEN: dict[str, dict[str, Any]] = {
    "industrial_troubleshooting": {"equipment": UNIT, "condition": "imbalance"},
    "sensor_fault_triage": {"tag": f"{UNIT}/flow"},
    "shift_handover": {"start": "2026-01-31T05:00:00Z", "end": "2026-01-31T13:00:00Z"},
    "smart_home_automation": {"occupied": False},
}
EVENT = {
    "agent": "vibration",
    "condition": "imbalance",
    "equipment": UNIT,
    "priority": 2,
    "found_at": "2026-01-31T05:00:00Z",
    "start": "2026-01-31T05:00:00Z",
    "end": "2026-01-31T13:00:00Z",
}
PLAN = {"items": [{"rank": 1, "title": "Pump", "alarms": ["a", "b"], "equipment": [UNIT]}]}
OUTPUTS: dict[str, Any] = {
    "lookup": {
        "passages": [{"title": "Pumps", "section": "Bearings", "text": "1. Look"}],
        "note": "",
    },
    "advise": {"advice": [{"text": "Look"}], "model": "", "note": "quotes"},
    "choose": {"approved": True},
    "repaired": {"approved": True},
    "reduce": {"before": 100.0},
    "order": {"id": "MO-1"},
    "plan": PLAN,
    "neighbours": PLAN,
    "summary": {
        "alarms": 3,
        "orders_opened": 1,
        "orders_closed": 0,
        "orders_open": 2,
        "note": "",
    },
}


def _tag(path: str) -> float:
    return 90.0 if path.endswith("limit") else 3.0


def _shown(path: str) -> str:
    return f"{_tag(path):g} %"


def _is_good(_path: str) -> bool:
    return True


FUNCTIONS: dict[str, Callable[..., object]] = {
    "tag": _tag,
    "shown": _shown,
    "is_good": _is_good,
}


def workflow_of(name: str) -> Workflow:
    workflow = read_definition((SHIPPED / f"{name}.toml").read_text(), name).workflow
    assert workflow is not None
    return workflow


def names_of(workflow: Workflow, state: str) -> dict[str, object]:
    steps = {
        step.id: {
            "state": state,
            "output": OUTPUTS.get(step.id) if state == "done" else None,
            "error": "" if state == "done" else "It took too long",
            "round": 1,
        }
        for step in workflow.steps
    }
    return {
        "input": checked_input(workflow, GIVEN[workflow.name]),
        "steps": steps,
        "run": {"id": "r1"},
    }


STEPS = [(name, step) for name in NAMES for step in workflow_of(name).steps]
TRIGGERS = [(name, trigger) for name in NAMES for trigger in workflow_of(name).triggers]


def test_the_four_workflows_of_the_demo_plant_are_shipped():
    assert sorted(GIVEN) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_workflow_has_no_problem(name: str):
    assert read_definition((SHIPPED / f"{name}.toml").read_text(), name).problems == ()


@pytest.mark.parametrize(("name", "step"), STEPS, ids=[f"{name}-{s.id}" for name, s in STEPS])
def test_the_fields_of_a_step_can_be_computed(name: str, step: Step):
    names = names_of(workflow_of(name), "done")

    assert is_true(step.when, names, FUNCTIONS) in {True, False}
    assert "${" not in str(fill(step.with_, names, FUNCTIONS))


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("industrial_troubleshooting", "advise"),
        ("industrial_troubleshooting", "choose"),
        ("industrial_troubleshooting", "order"),
        ("sensor_fault_triage", "lookup"),
        ("sensor_fault_triage", "order"),
        ("smart_home_automation", "tell"),
    ],
)
def test_a_step_can_be_done_after_others_failed(name: str, step: str):
    workflow = workflow_of(name)

    assert fill(workflow.step(step).with_, names_of(workflow, "failed"), FUNCTIONS)


@pytest.mark.parametrize("state", ["failed", "skipped"])
def test_without_an_answer_no_speed_is_changed(state: str):
    workflow = workflow_of("industrial_troubleshooting")
    names = names_of(workflow, state)

    assert not is_true(workflow.step("reduce").when, names)
    assert not is_true(workflow.step("restore").when, names)


@pytest.mark.parametrize(("name", "trigger"), TRIGGERS, ids=[name for name, _ in TRIGGERS])
def test_what_a_trigger_hears_starts_a_run(name: str, trigger: Trigger):
    equipment = f"{UNIT}/flow" if "tag" in trigger.input else UNIT
    names = {"event": {**EVENT, "equipment": equipment}}

    assert checked_input(workflow_of(name), fill(trigger.input, names))


def test_the_seeds_parameters_start_the_thermostat():
    given = {"target_temperature": 22, "occupied": True}

    assert checked_input(workflow_of("smart_home_automation"), given)["tolerance"] == 0.5


def told(name: str, state: str, **given: str) -> str:
    """Return the message of the step `tell`, where the step before it ended in a state."""
    workflow = workflow_of(name)
    names = names_of(workflow, "done")
    steps: Any = names["steps"]
    steps["returns"] = {**steps.get("returns", {}), "state": state}
    names["input"] = checked_input(workflow, {**GIVEN[name], **given})
    return str(fill(workflow.step("tell").with_["message"], names, FUNCTIONS))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("failed", "It did not come back by itself"),
        ("done", "It came back, but not for long"),
        ("skipped", "Do not trust its value until it is looked at"),
    ],
)
def test_instrumentation_is_told_what_was_seen_of_the_value(state: str, words: str):
    assert told("sensor_fault_triage", state, message="No answer") == f"No answer. {words}"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "imbalance"),
        ({"message": "4.2 mm/s"}, "4.2 mm/s"),
        ({"message": "4.2 mm/s", "response": "Balance it"}, "4.2 mm/s. Balance it"),
    ],
)
def test_the_crew_is_told_something_also_where_a_person_gave_the_condition_alone(
    given: dict[str, str], words: str
):
    assert told("industrial_troubleshooting", "done", **given) == words


def test_an_order_names_the_section_of_a_procedure_or_that_there_is_none():
    workflow = workflow_of("sensor_fault_triage")
    names = names_of(workflow, "done")
    fields = workflow.step("order").with_
    found = fill(fields, names, FUNCTIONS)["input"]["details"]
    steps: Any = names["steps"]
    steps["lookup"]["output"] = {"passages": [], "note": ""}
    missed = fill(fields, names, FUNCTIONS)["input"]["details"]

    assert found.endswith("Procedure: Pumps, Bearings")
    assert missed.endswith("Procedure: none found")
