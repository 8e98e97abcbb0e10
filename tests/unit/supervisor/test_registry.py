"""Who is on the bus."""

from datetime import UTC, datetime

import msgspec
import pytest

from app.clock import ManualClock
from app.core.agent import AgentSpec, AgentState, AgentStatus, Beat
from app.core.errors import InputError
from app.settings import SupervisorSettings
from app.supervisor.registry import INSTANCES, Instance, Registry

NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
SETTINGS = SupervisorSettings(hung_s=30)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def registry(clock: ManualClock) -> Registry:
    registry = Registry(clock, SETTINGS)
    registry.set_connected(True)
    return registry


def status(
    name: str = "vibration",
    instance: str = "1",
    state: AgentState = AgentState.RUNNING,
    pid: int = 7,
) -> AgentStatus:
    spec = AgentSpec(name=name, purpose="Watches bearings", capabilities=("diagnose",))
    return AgentStatus(spec, instance, state, NOON, pid, "host")


def beat(progress: int = 0, load: int = 0, lag_s: float = 0.0) -> Beat:
    return Beat(at=NOON, progress=progress, load=load, lag_s=lag_s)


def names(instances: list[Instance]) -> list[str]:
    return [f"{each.status.spec.name}/{each.status.instance}" for each in instances]


def hung(registry: Registry) -> list[str]:
    return names([each for each in registry.instances() if each.is_hung])


def test_a_birth_makes_an_instance(registry: Registry):
    registry.birth(status())
    assert names(registry.instances()) == ["vibration/1"]
    assert names(registry.capable("diagnose")) == ["vibration/1"]


def test_a_will_takes_the_instance_out_of_work(registry: Registry):
    registry.birth(status())
    registry.birth(status(state=AgentState.OFFLINE))
    assert registry.capable("diagnose") == []
    assert names(registry.find("vibration")) == ["vibration/1"]


def test_no_more_instances_than_the_bound_are_kept(registry: Registry):
    for number in range(INSTANCES):
        registry.birth(status(instance=f"{number}"))
    with pytest.raises(InputError, match='"vibration/new" is refused: 1000'):
        registry.birth(status(instance="new"))
    registry.birth(status(instance="7", pid=8))
    assert len(registry.instances()) == INSTANCES


def test_a_new_instance_takes_the_place_of_one_that_is_gone(registry: Registry):
    for number in range(INSTANCES):
        registry.birth(status(instance=f"{number}"))
    registry.birth(status(instance="7", state=AgentState.OFFLINE))
    registry.birth(status(instance="new"))
    assert "vibration/new" in names(registry.instances())
    assert "vibration/7" not in names(registry.instances())


def test_a_beat_without_a_birth_is_ignored(registry: Registry):
    registry.beat("ghost", "1", beat(1))
    assert registry.instances() == []


def test_the_least_loaded_instance_comes_first(registry: Registry):
    for instance, load in (("1", 3), ("2", 0), ("3", 1)):
        registry.birth(status(instance=instance))
        registry.beat("vibration", instance, beat(1, load=load))
    assert names(registry.capable("diagnose")) == ["vibration/2", "vibration/3", "vibration/1"]


def test_an_unknown_capability_has_nobody(registry: Registry):
    registry.birth(status())
    assert registry.capable("fly") == []


async def test_silence_makes_an_instance_hung(registry: Registry, clock: ManualClock):
    registry.birth(status())
    registry.beat("vibration", "1", beat(1))
    await clock.advance(31)
    assert hung(registry) == ["vibration/1"]
    assert registry.capable("diagnose") == []


async def test_beats_without_progress_on_waiting_work_are_hung(
    registry: Registry, clock: ManualClock
):
    registry.birth(status())
    for _ in range(16):
        registry.beat("vibration", "1", beat(5, load=1, lag_s=3))
        await clock.advance(2)
    assert hung(registry) == ["vibration/1"]


async def test_an_idle_agent_is_not_hung(registry: Registry, clock: ManualClock):
    registry.birth(status())
    for _ in range(60):
        registry.beat("vibration", "1", beat(5))
        await clock.advance(2)
    assert hung(registry) == []


async def test_slow_progress_is_progress(registry: Registry, clock: ManualClock):
    registry.birth(status())
    for progress in range(6):
        registry.beat("vibration", "1", beat(progress, load=4, lag_s=20))
        await clock.advance(25)
    assert hung(registry) == []


async def test_a_dead_instance_is_offline_and_not_hung(registry: Registry, clock: ManualClock):
    registry.birth(status(state=AgentState.OFFLINE))
    await clock.advance(1000)
    assert hung(registry) == []


async def test_nobody_is_called_silent_while_the_bus_is_away(
    registry: Registry, clock: ManualClock
):
    registry.birth(status())
    registry.set_connected(False)
    await clock.advance(1000)
    assert hung(registry) == []
    registry.set_connected(True)
    await clock.advance(29)
    assert hung(registry) == []
    await clock.advance(2)
    assert hung(registry) == ["vibration/1"]


async def test_a_restarted_process_starts_with_a_clean_record(
    registry: Registry, clock: ManualClock
):
    registry.birth(status(pid=7))
    registry.beat("vibration", "1", beat(900, load=2))
    await clock.advance(31)
    registry.birth(status(pid=8))
    (instance,) = registry.instances()
    assert not instance.is_hung
    assert instance.beat is None


def test_a_repeated_birth_of_the_same_process_keeps_its_progress(registry: Registry):
    registry.birth(status())
    registry.beat("vibration", "1", beat(900))
    registry.birth(status(state=AgentState.DEGRADED))
    (instance,) = registry.instances()
    assert instance.beat == beat(900)


@pytest.mark.parametrize(
    ("said", "name", "pid"),
    [
        (AgentState.RUNNING, "vibration", 8),
        (AgentState.RUNNING, "energy", 7),
        (AgentState.OFFLINE, "vibration", 7),
    ],
)
def test_another_process_is_not_taken_for_ours(
    registry: Registry, said: AgentState, name: str, pid: int
):
    registry.birth(status(state=said))
    assert registry.of_process(name, pid) is None


async def test_a_process_is_overdue_only_after_we_listened_long_enough(
    registry: Registry, clock: ManualClock
):
    assert not registry.is_overdue(1000)
    await clock.advance(31)
    assert registry.is_overdue(31)
    assert not registry.is_overdue(29)


def test_watchers_hear_of_a_change_once(registry: Registry):
    heard: list[AgentState] = []
    registry.on_change(lambda instance: heard.append(instance.status.state))
    registry.birth(status())
    registry.birth(status())
    registry.birth(msgspec.structs.replace(status(), state=AgentState.OFFLINE))
    assert heard == [AgentState.RUNNING, AgentState.OFFLINE]


async def test_watchers_hear_when_a_silent_one_speaks_again(registry: Registry, clock: ManualClock):
    registry.birth(status())
    await clock.advance(31)
    heard: list[bool] = []
    registry.on_change(lambda instance: heard.append(instance.is_hung))
    registry.beat("vibration", "1", beat(1))
    assert heard == [False]
