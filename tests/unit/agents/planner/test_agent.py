"""The agent on a real broker: alarms in, a retained plan out."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from agents.planner.agent import PlannerAgent
from app.bus.client import Bus, Received
from app.bus.codec import encode
from app.clock import SystemClock
from app.core.alarm import Priority
from app.core.errors import FieldsError
from app.core.plan import ActionPlan
from app.core.topics import ALARMS, FINDINGS, PLAN, alarm_topic, findings_topic
from app.settings import Settings
from tests.contract.listener import listening
from tests.processes import eventually
from tests.unit.agents.planner.situations import NOW, O501, P101, alarm, finding


def hear(bus: Bus) -> list[ActionPlan]:
    plans: list[ActionPlan] = []

    def take(batch: Sequence[Received[ActionPlan]]) -> None:
        plans.extend(received.message for received in batch)

    bus.subscribe(PLAN, ActionPlan, take, qos=1)
    return plans


def causes(plans: list[ActionPlan]) -> list[str]:
    return [item.cause for item in plans[-1].items] if plans else ["no plan yet"]


async def test_an_alarm_comes_into_the_plan_and_leaves_it(connected_settings: Settings):
    async with listening(connected_settings) as listener:
        plans = hear(listener.bus)
        async with listener.serving(PlannerAgent):
            listener.bus.publish(alarm_topic("x"), b"not JSON", qos=1)
            listener.bus.publish(alarm_topic("a"), alarm("a"), qos=1, retain=True)
            await eventually(lambda: causes(plans) == ["a"])
            listener.bus.publish(alarm_topic("a"), b"", qos=1, retain=True)
            await eventually(lambda: causes(plans) == [])


async def test_a_planner_that_starts_later_plans_what_stands(connected_settings: Settings):
    async with listening(connected_settings) as listener:
        plans = hear(listener.bus)
        listener.bus.publish(alarm_topic("b"), alarm("b"), qos=1, retain=True)
        async with listener.serving(PlannerAgent):
            await eventually(lambda: causes(plans) == ["b"])
        listener.bus.publish(alarm_topic("b"), b"", qos=1, retain=True)


@pytest.fixture
def agent(settings: Settings) -> PlannerAgent:
    return PlannerAgent(settings, SystemClock())


def say(agent: PlannerAgent, payload: bytes | None, name: str = "a") -> None:
    topic = ALARMS.replace("+", name)
    agent.alarms.take([Received(topic, payload or b"", NOW, False)])


async def test_what_was_said_is_not_said_again(agent: PlannerAgent):
    say(agent, encode(alarm("a")))

    assert [agent.tell(), agent.tell()] == [True, False]


async def test_an_older_message_does_not_bring_back_what_was(agent: PlannerAgent):
    newer = alarm("a", seconds=60, priority=Priority.CRITICAL)
    say(agent, encode(newer))
    say(agent, encode(alarm("a")))

    assert agent.plan().items[0].priority is Priority.CRITICAL


async def test_a_finding_that_ended_proposes_nothing(agent: PlannerAgent):
    say(agent, encode(alarm("a")))
    topic = FINDINGS.replace("+", "vibration")
    there = finding(P101, "imbalance", "vibration")
    gone = finding(P101, "imbalance", "vibration", priority=None)
    agent.take_findings([Received(topic, there, NOW, False)])
    before = agent.plan().items[0].proposed_workflow
    agent.take_findings([Received(findings_topic("vibration"), gone, NOW, False)])

    assert (before, agent.plan().items[0].proposed_workflow) == ("industrial_troubleshooting", "")


async def test_an_alarm_that_ends_unknown_does_no_harm(agent: PlannerAgent):
    say(agent, None, "never-heard-of")

    assert agent.plan().items == ()


async def test_its_note_counts_alarms_and_causes(agent: PlannerAgent):
    say(agent, encode(alarm("a")))
    say(agent, encode(alarm("b", O501, 3600)), "b")
    agent.tell()

    assert agent.note() == "2 alarms, 2 causes"
    assert agent.plan().made_at - NOW > timedelta()


async def test_a_plan_takes_no_input(agent: PlannerAgent):
    with pytest.raises(FieldsError, match="surprise: unknown"):
        await agent.handle_task("plan", {"surprise": 1})
