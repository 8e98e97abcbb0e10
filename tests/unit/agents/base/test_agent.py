from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from typing_extensions import override

from agents.base.agent import BaseAgent
from agents.base.logic import Window
from app.bus.client import Received
from app.clock import ManualClock
from app.core.agent import AgentSpec, AgentState
from app.core.alarm import Finding, Priority
from app.core.equipment import Equipment, Tag
from app.core.errors import NotFoundError
from app.core.reading import Quality, ReadingMessage
from app.core.response import Response, Responses
from app.settings import AgentSettings, DataSettings, Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
UNIT = "s/a/l/pump"


class Thermometer(BaseAgent):
    """States "hot" above 100, and fails above 1000."""

    spec: ClassVar[AgentSpec] = AgentSpec(
        name="thermometer", purpose="Says what is hot", inputs=("temperature",)
    )

    @override
    def decide(self, unit: Equipment, window: Window, at: datetime) -> Iterable[Finding]:
        value = window.latest("temperature") or 0.0
        if value > 1000:
            raise ZeroDivisionError("too hot to compute")
        yield Finding(
            agent="thermometer",
            condition="hot",
            equipment=unit.path,
            found_at=at,
            priority=Priority.HIGH if value > 100 else None,
        )


class Modelled(Thermometer):
    spec: ClassVar[AgentSpec] = AgentSpec(
        name="thermometer", purpose="x", inputs=("temperature",), model="no-such-model"
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    options = {"thermometer": AgentSettings(options={"limit": 5})}
    return Settings(data=DataSettings(dir=tmp_path), agents=options)


@pytest.fixture
def agent(settings: Settings) -> Thermometer:
    return Thermometer(settings, ManualClock(NOW))


def hear(agent: BaseAgent, value: float, unit: str = UNIT, q: Quality = Quality.GOOD) -> None:
    now = agent.clock.now()
    message = ReadingMessage(value, q, now)
    agent.take([Received(f"plant/{unit}/temperature", message, now, False)])


def state(agent: BaseAgent) -> tuple[AgentState, str]:
    status = agent.communication.status
    return status.state, status.reason


async def test_what_it_decides_is_stated_once(agent: Thermometer):
    hear(agent, 150.0)

    first, second = agent.decide_all(), agent.decide_all()

    assert [finding.key for finding in first] == ["thermometer:s/a/l/pump:hot"]
    assert second == []
    assert agent.bus.counters.published == 1  # with QoS 1; those of the seeds need a connection


async def test_units_it_cannot_judge_are_left_alone(agent: Thermometer):
    hear(agent, 150.0, q=Quality.BAD)

    assert agent.decide_all() == []


async def test_its_options_come_from_the_settings(agent: Thermometer):
    assert agent.options == {"limit": 5}


async def test_a_unit_that_fails_does_not_keep_others_from_being_judged(
    agent: Thermometer, caplog: pytest.LogCaptureFixture
):
    hear(agent, 2000.0, unit="s/a/l/one")
    hear(agent, 150.0, unit="s/a/l/two")

    stated = agent.decide_all()
    agent.decide_all()

    assert [finding.equipment for finding in stated] == ["s/a/l/two"]
    assert state(agent)[0] is AgentState.DEGRADED
    assert "too hot to compute" in state(agent)[1]
    assert sum("No decision" in record.message for record in caplog.records) == 1


async def test_a_unit_that_fails_is_judged_ever_more_seldom_and_counted(
    settings: Settings, caplog: pytest.LogCaptureFixture
):
    clock = ManualClock(NOW)
    agent = Thermometer(settings, clock)
    for _ in range(30):
        hear(agent, 2000.0)
        agent.decide_all()
        await clock.advance(1.0)

    assert agent.beat().note == "watching 1 units; 5 decisions failed"  # at 0, 1, 3, 7 and 15 s
    assert state(agent)[0] is AgentState.DEGRADED
    traced = [record.getMessage() for record in caplog.records if record.exc_info]
    assert traced == ["No decision on s/a/l/pump"]


async def test_it_is_well_again_when_nothing_fails_any_more(agent: Thermometer):
    hear(agent, 2000.0)
    agent.decide_all()
    await ManualClock.advance(agent.clock, 1.0)  # pyright: ignore[reportArgumentType]  it is one
    hear(agent, 50.0)

    agent.decide_all()

    assert state(agent) == (AgentState.RUNNING, "")


async def test_without_its_model_it_is_degraded_and_finds_nothing(settings: Settings):
    agent = Modelled(settings, ManualClock(NOW))
    await agent.prepare()
    hear(agent, 150.0)

    assert agent.decide_all() == []
    assert state(agent)[0] is AgentState.DEGRADED
    assert "no-such-model" in state(agent)[1]


async def test_what_it_says_of_itself_is_joined(agent: Thermometer):
    agent.degraded("no waveforms")
    assert state(agent) == (AgentState.DEGRADED, "no waveforms")

    agent.degraded("")
    assert state(agent) == (AgentState.RUNNING, "")


async def test_a_unit_of_foreign_tags_is_refused(agent: Thermometer):
    foreign = Equipment(UNIT, "Pump", tags=(Tag("s/a/l/other/temperature"),))

    agent.take_equipment([Received(f"millwright/equipment/{UNIT}", foreign, NOW, True)])

    assert agent.units == {}
    assert agent.bus.counters.dead == 1


async def test_a_unit_with_a_response_too_long_is_refused(agent: Thermometer):
    long = Tag(f"{UNIT}/temperature", responses=Responses(high=Response("x" * 301)))

    unit = Equipment(UNIT, "Pump", tags=(long,))
    agent.take_equipment([Received(f"millwright/equipment/{UNIT}", unit, NOW, True)])

    assert agent.units == {}
    assert agent.bus.counters.dead == 1


async def test_asking_when_nobody_offers_it_says_what_to_do(agent: Thermometer):
    with pytest.raises(NotFoundError, match="capture_waveform") as caught:
        await agent.ask("capture_waveform", {}, 1.0)

    assert "Agents page" in caught.value.hint


async def test_progress_grows_with_work(agent: Thermometer):
    before = agent.beat().progress
    hear(agent, 50.0)

    agent.decide_all()

    assert agent.beat().progress == before + 1


async def test_what_was_stated_is_not_stated_again_after_a_restart(
    agent: Thermometer, settings: Settings
):
    hear(agent, 150.0)
    agent.decide_all()
    await agent.save()

    second = Thermometer(settings, ManualClock(NOW))
    await second.prepare()

    assert second.states.stated == {"thermometer:s/a/l/pump:hot": Priority.HIGH}
