"""Units and tags that a run is started with must be there."""

from datetime import UTC, datetime, timedelta

import pytest
from typing_extensions import override

from app.clock import SystemClock
from app.core.actor import Actor
from app.core.alarm import Alarm, AlarmState, Finding, Priority
from app.core.equipment import Equipment, Tag
from app.core.errors import FieldsError
from app.core.run import RunState
from app.core.workflow import Input, InputKind, Workflow
from app.live.tags import TagTable
from app.plant import Plant
from app.settings import Settings
from app.workflow.plant_inputs import PlantInputs

UNIT = "riverside/utilities/cooling/pump-101"
TAG = f"{UNIT}/flow"
GONE = "riverside/none/x/y"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
TROUBLE = "industrial_troubleshooting"
ANNA = Actor("anna", "ui")


def workflow(**defaults: str) -> Workflow:
    inputs = {
        "unit": Input(InputKind.EQUIPMENT, default=defaults.get("unit")),
        "tag": Input(InputKind.TAG, default=defaults.get("tag")),
        "words": Input(),
    }
    return Workflow(name="look", steps=(), inputs=inputs)


def alarm_of(equipment: str) -> Alarm:
    finding = Finding("limits", "high", equipment, LONG_AGO, Priority.HIGH)
    return Alarm("a1", finding, AlarmState.UNACK, True, LONG_AGO, LONG_AGO)


def plant_inputs(*alarms: Alarm, settled_at: datetime = LONG_AGO, units: int = 1) -> PlantInputs:
    clock = SystemClock()
    tags = TagTable(clock, 10_000)
    for number in range(101, 101 + units):
        path = UNIT.replace("101", str(number))
        tags.declare(Equipment(path, "Pump", tags=(Tag(f"{path}/flow"), Tag(f"{path}/pressure"))))
    return PlantInputs(tags, lambda: alarms, clock, settled_at)


@pytest.mark.parametrize(
    "given",
    [{}, {"unit": UNIT}, {"tag": TAG}, {"unit": UNIT, "tag": TAG}, {"words": GONE}, {"unit": None}],
)
def test_what_is_there_passes(given: dict[str, object]):
    plant_inputs().check(workflow(), given)


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [("unit", GONE, "unit"), ("tag", f"{UNIT}/nothing", "tag"), ("tag", f"{GONE}/flow", "tag")],
)
def test_what_is_not_there_is_named_with_what_to_do(name: str, value: str, kind: str):
    with pytest.raises(FieldsError) as caught:
        plant_inputs().check(workflow(), {name: value})

    assert set(caught.value.details) == {name}
    assert f'there is no {kind} "{value}" in this plant' in caught.value.details[name]
    assert "GET /api/" in caught.value.details[name]


def test_all_that_are_not_there_are_named_at_once():
    with pytest.raises(FieldsError) as caught:
        plant_inputs().check(workflow(), {"unit": GONE, "tag": f"{GONE}/flow"})

    assert set(caught.value.details) == {"unit", "tag"}


def test_a_default_that_is_not_there_is_named_too():
    with pytest.raises(FieldsError, match="unit: there is no unit"):
        plant_inputs().check(workflow(unit=GONE), {})


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [("unit", UNIT.replace("101", "1O1"), UNIT), ("tag", f"{UNIT}/flwo", TAG)],
)
def test_a_slip_of_the_pen_is_told_what_was_meant(name: str, value: str, meant: str):
    with pytest.raises(FieldsError, match=f'did you mean "{meant}"'):
        plant_inputs().check(workflow(), {name: value})


def test_what_is_no_path_is_left_to_the_check_of_kinds():
    plant_inputs().check(workflow(), {"unit": "pump", "tag": 7, "other": GONE})


def test_a_unit_that_only_an_alarm_speaks_of_is_known():
    plant_inputs(alarm_of(f"{GONE}/flow")).check(workflow(), {"unit": GONE})


def test_an_alarm_makes_no_tag():
    with pytest.raises(FieldsError, match="there is no tag"):
        plant_inputs(alarm_of(f"{GONE}/flow")).check(workflow(), {"tag": f"{GONE}/flow"})


def test_right_after_the_start_nothing_is_judged():
    later = datetime.now(UTC) + timedelta(hours=1)

    plant_inputs(settled_at=later).check(workflow(), {"unit": GONE})


class Forward(SystemClock):
    """A clock that can be put forward."""

    by = timedelta()

    @override
    def now(self) -> datetime:
        return super().now() + self.by


async def test_a_run_with_a_unit_that_is_not_there_does_not_start(connected_settings: Settings):
    clock = Forward()
    plant = Plant(connected_settings.model_copy(update={"agents": {}}), clock)
    await plant.start()
    try:
        clock.by = timedelta(minutes=1)
        with pytest.raises(FieldsError, match=f'there is no unit "{GONE}"'):
            await plant.start_workflow(TROUBLE, {"equipment": GONE, "condition": "x"}, ANNA)
        refused = await plant.workflows.runs()
        plant.intake.declare(Equipment(UNIT, "Pump"))
        given = {"equipment": UNIT, "condition": "x"}
        run = await plant.start_workflow(TROUBLE, given, ANNA)
    finally:
        await plant.stop()

    assert refused == []
    assert run.state is RunState.RUNNING
