"""What every agent must stand on a real broker: tasks twice, late and wrong; stop; restart."""

import pytest

from agents.runner import agent_names, find_agent
from app.core.agent import AgentState
from app.core.topics import tasks_topic
from app.settings import Settings
from tests.contract.listener import listening
from tests.processes import eventually

STOP_S = 10.0  # after this the supervisor kills

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("name", agent_names())]


def a_capability(name: str) -> str:
    return next(iter(find_agent(name).spec.capabilities), "none")


async def test_a_duplicate_task_is_answered_from_the_store_also_after_a_restart(
    name: str, connected_settings: Settings
):
    async with listening(connected_settings) as listener:
        task = listener.task(f"{name}:1", a_capability(name))
        async with listener.serving(find_agent(name)):
            first = await listener.ask(name, task)
            second = await listener.ask(name, task)
        async with listener.serving(find_agent(name)):
            third = await listener.ask(name, task)

    assert first == second == third


async def test_an_expired_task_is_refused(name: str, connected_settings: Settings):
    async with (
        listening(connected_settings) as listener,
        listener.serving(find_agent(name)),
    ):
        task = listener.task(f"{name}:late", a_capability(name), expires_in_s=-1)
        result = await listener.ask(name, task)

    assert (result.output, "expired" in result.error) == (None, True)


async def test_an_unknown_capability_is_named_in_the_error(name: str, connected_settings: Settings):
    async with (
        listening(connected_settings) as listener,
        listener.serving(find_agent(name)),
    ):
        result = await listener.ask(name, listener.task(f"{name}:x", "make_coffee"))

    assert (result.agent, "make_coffee" in result.error) == (f"{name}/1", True)


async def test_nonsense_on_its_task_topic_does_not_stop_it(name: str, connected_settings: Settings):
    async with (
        listening(connected_settings) as listener,
        listener.serving(find_agent(name)),
    ):
        for payload in (b"", b"\xff", b"[" * 100_000, b'{"id": 1}'):
            await listener.bus.publish_confirmed(tasks_topic(name, "1"), payload)
        result = await listener.ask(name, listener.task(f"{name}:after", "make_coffee"))

    assert result.error


async def test_it_beats_and_says_goodbye_within_ten_seconds(
    name: str, connected_settings: Settings
):
    async with listening(connected_settings) as listener:
        async with listener.serving(find_agent(name)):
            await eventually(lambda: len(listener.beats) >= 2)
            began = listener.clock.monotonic()
        took_s = listener.clock.monotonic() - began
        await eventually(lambda: listener.states(name)[-1] is AgentState.STOPPED)

    assert took_s < STOP_S
    assert listener.beats[-1].progress >= listener.beats[0].progress
