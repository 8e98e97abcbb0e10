"""The agent with its file, and with a real broker where it speaks."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from agents.backlog.agent import BacklogAgent
from app.bus.client import Received
from app.clock import SystemClock
from app.core.alarm import Alarm, AlarmState, Finding, Priority
from app.core.errors import FieldsError
from app.core.shift import ShiftSummary
from app.core.task import Task, TaskResult
from app.core.topics import SHIFT_SUMMARY, alarm_topic
from app.settings import Settings
from tests.contract.listener import REPLY_TO, Listener, listening
from tests.processes import eventually

UNIT = "riverside/utilities/cooling/pump-101"


async def ask(
    listener: Listener, task_id: str, capability: str, input: dict[str, object]
) -> TaskResult:
    expires_at = listener.clock.now() + timedelta(seconds=30)
    return await listener.ask("backlog", Task(task_id, capability, input, REPLY_TO, expires_at))


def order(run: str = "run-1") -> dict[str, object]:
    return {"equipment": UNIT, "title": "Change the bearing", "run": run, "due_hours": 48}


async def test_two_tasks_of_one_run_make_one_order_also_after_a_restart(
    connected_settings: Settings,
):
    async with listening(connected_settings) as listener:
        async with listener.serving(BacklogAgent):
            first = await ask(listener, "run-1:order", "create_order", order())
        async with listener.serving(BacklogAgent):
            second = await ask(listener, "run-1:again", "create_order", order())
            listed = await ask(listener, "list", "list_orders", {"state": "open"})

    assert first.output
    assert second.output
    assert listed.output
    assert (first.output["id"], first.output["is_new"]) == ("MO-1", True)
    assert (second.output["id"], second.output["is_new"]) == ("MO-1", False)
    kept = {key: value for key, value in first.output.items() if key != "is_new"}
    assert listed.output["orders"] == [kept]


async def test_a_shift_report_counts_orders_and_alarms_and_is_published(
    connected_settings: Settings,
):
    heard: list[ShiftSummary] = []

    def hear(batch: Sequence[Received[ShiftSummary]]) -> None:
        heard.extend(received.message for received in batch)

    async with listening(connected_settings) as listener:
        listener.bus.subscribe(SHIFT_SUMMARY, ShiftSummary, hear, qos=1)
        async with listener.serving(BacklogAgent) as agent:
            now = listener.clock.now()
            finding = Finding("limits", "high", f"{UNIT}/flow", now, Priority.HIGH)
            alarm = Alarm("a1", finding, AlarmState.UNACK, True, now, now)
            listener.bus.publish(alarm_topic("a1"), b"not JSON", qos=1)
            listener.bus.publish(alarm_topic("a1"), alarm, qos=1)
            listener.bus.publish(alarm_topic("a1"), b"", qos=1)
            await eventually(lambda: agent.beat().progress)
            await ask(listener, "order", "create_order", order("run-2"))
            times = {"start": now - timedelta(hours=1), "end": now + timedelta(hours=1)}
            shift: dict[str, object] = {key: at.isoformat() for key, at in times.items()}
            result = await ask(listener, "shift", "shift_summary", shift)
            await eventually(lambda: heard)

    assert result.output
    assert (heard[0].orders_opened, heard[0].alarms) == (1, 1)
    assert result.output["alarms_by_priority"] == [0, 1, 0, 0]


@pytest.mark.parametrize(
    ("capability", "input", "field"),
    [
        ("create_order", {}, "equipment"),
        ("create_order", {**order(), "priority": 5}, "priority"),
        ("create_order", {**order(), "due_hours": -1}, "due_hours"),
        ("create_order", {**order(), "title": ""}, "title"),
        ("list_orders", {"state": "lost"}, "state"),
        ("close_order", {}, "id"),
        ("shift_summary", {"start": "2026-01-01T00:00:00", "end": "x"}, "start"),
        (
            "shift_summary",
            {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
            "end",
        ),
        (
            "shift_summary",
            {"start": "2026-01-02T00:00:00Z", "end": "2026-02-01T00:00:00Z"},
            "end",
        ),
    ],
)
async def test_a_wrong_task_is_refused_by_field(
    capability: str, input: dict[str, object], field: str, settings: Settings
):
    agent = BacklogAgent(settings, SystemClock())

    with pytest.raises(FieldsError) as caught:
        await agent.handle_task(capability, input)

    assert field in caught.value.details
