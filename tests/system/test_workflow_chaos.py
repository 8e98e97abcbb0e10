"""50 runs while app, broker and agents are killed at random: none is lost, nothing done twice."""

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.core.run import OVER, RunState
from app.core.topics import TRIGGERS
from tests.mqtt_peer import peer
from tests.system.chaos_rig import RUNS, TAGS, Chaos, all_settled, steps_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SEED = 20261122
VICTIMS = ["app", "backlog", "nats-server", "actuator", "app", "knowledge", "simulator", "app"]
OF_A_RUN = 11  # 6 outcomes, 3 elements and 2 plans


@pytest.fixture
def chaos(tmp_path: Path) -> Iterator[Chaos]:
    made = Chaos(tmp_path / "data")
    made.prepare()
    yield made
    made.app.kill_everything()


def kill(chaos: Chaos, victim: str) -> None:
    {"app": chaos.kill_app}.get(victim, lambda: chaos.kill_child(victim))()


async def test_runs_survive_whatever_is_killed(chaos: Chaos):
    chance = random.Random(SEED)  # noqa: S311  a test that can be repeated
    names = [f"chaos{number:03d}" for number in range(RUNS)]
    chaos.app.wait_until(lambda: chaos.app.good_tags() > 20, 60)
    with peer(chaos.broker_port, "chaos") as outside:
        await outside.connected()
        for number, name in enumerate(names):
            tag, value = list(TAGS.items())[number % len(TAGS)]
            given = {
                "tag": tag,
                "value": value + number % 9,
                "pause_s": number * 0.7,
                "key": f"k{number % 20}",
            }
            message = {"workflow": "chaos", "input": given, "id": name}
            await outside.publish(TRIGGERS, msgspec.json.encode(message))
    chaos.app.wait_until(lambda: len(chaos.runs()) == RUNS, 30)

    for victim in VICTIMS:
        step = chance.randint(5, RUNS * OF_A_RUN // len(VICTIMS))
        goal = min(len(chaos.slots()) + step, RUNS * OF_A_RUN)
        chaos.await_outcomes(goal, 60)
        kill(chaos, victim)
    chaos.app.wait_until(lambda: chaos.open_runs() == 0, 120)

    runs, outcomes = chaos.runs(), chaos.outcomes()
    print("states", {state: sum(run.state is state for run in runs) for state in OVER})  # noqa: T201  measured
    print("recovered within", [f"{each:.1f} s" for each in chaos.recovered_s])  # noqa: T201  measured
    assert sorted(run.id for run in runs) == names
    assert all(run.state is RunState.COMPLETED or run.reason for run in runs)
    assert all_settled(steps_of(outcomes))
    assert {key: outcomes[key] for key in chaos.seen} == chaos.seen
    completed = [run.id for run in runs if run.state is RunState.COMPLETED]
    wanted = {f"order {name}" for name in completed} | {
        f"each {name} {item}" for name in completed for item in (1, 2, 3)
    }
    orders, begun = chaos.orders(), chaos.commands_begun()
    assert wanted <= orders.keys()
    assert {title: count for title, count in orders.items() if count > 1} == {}
    assert {name: count for name, count in begun.items() if count > 1} == {}
    assert set(begun) <= {f"{name}-change" for name in names}
    assert len(begun) >= 1
    assert max(chaos.recovered_s) < 10.0  # 5 s where the machine has nothing else to do
