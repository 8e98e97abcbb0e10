"""Two orchestrators on one Postgres: the survivor finishes what the dead one began, once."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from app.bus.address import broker_address
from app.core.run import RunState
from app.core.topics import SEED_TRIGGERS, TRIGGERS
from app.settings import BrokerSettings
from tests.mqtt_peer import peer
from tests.postgres import postgres_url
from tests.system.pair_rig import Pair

__all__ = ["postgres_url"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
RUNS = 20
LONG_S = 90.0  # on a busy machine
GIVEN = {"tag": "a/b/c/d/e", "value": 1}


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str, broker_url: str) -> Iterator[Pair]:
    made = Pair(tmp_path, postgres_url, broker_url)
    try:
        made.clear()
        made.start_agent("backlog")
        made.start_agent("knowledge")
        made.start("left")
        made.start("right")
        yield made
    finally:
        made.close()


def titles(pair: Pair) -> Counter[str]:
    """Return how often each order was made."""
    with closing(sqlite3.connect(pair.orders())) as connection:
        rows = connection.execute("SELECT body FROM orders").fetchall()
    return Counter(str(json.loads(row[0])["title"]) for row in rows)


def orders_of(names: list[str]) -> Counter[str]:
    each = [f"each {name} {item}" for name in names for item in (1, 2, 3)]
    return Counter([f"order {name}" for name in names] + each)


MESSAGES = 30
EVERY_S = 0.2


async def test_what_starts_runs_while_the_leader_dies_is_not_lost(
    pair: Pair, broker_url: str
) -> None:
    keys = [f"seed{number:02d}" for number in range(MESSAGES)]
    with peer(broker_address(BrokerSettings(url=broker_url)).port, "outside") as outside:
        await outside.connected()
        for number, key in enumerate(keys):
            given = {**GIVEN, "pause_s": 0.1, "key": key}
            seed = {"workflow_name": "chaos", "parameters": given}
            await outside.publish(SEED_TRIGGERS, msgspec.json.encode(seed))
            if number == MESSAGES // 3:
                pair.kill("left")  # the leader, as it came first
            await asyncio.sleep(EVERY_S)
    pair.wait(lambda: len({run.input["key"] for run in pair.runs()}) == MESSAGES, LONG_S)
    pair.wait(lambda: not pair.owners(), LONG_S)

    started = Counter(str(run.input["key"]) for run in pair.runs())
    assert sorted(started) == keys
    assert sum(started.values()) <= MESSAGES + 1  # one was on disk and not yet confirmed at most
    assert {run.state for run in pair.runs()} == {RunState.COMPLETED}


async def test_the_survivor_finishes_every_run_and_a_broken_session_is_got_over(
    pair: Pair, broker_url: str
) -> None:
    names = [f"pair{number:02d}" for number in range(RUNS)]
    with peer(broker_address(BrokerSettings(url=broker_url)).port, "outside") as outside:
        await outside.connected()
        for number, name in enumerate(names):
            given = {**GIVEN, "pause_s": 4 + number * 0.2, "key": name}
            message = {"workflow": "chaos", "input": given, "id": name}
            await outside.publish(TRIGGERS, msgspec.json.encode(message))
        seed = {"workflow_name": "chaos", "parameters": {**GIVEN, "pause_s": 1}}
        await outside.publish(SEED_TRIGGERS, msgspec.json.encode(seed))
    pair.wait(lambda: len(pair.runs()) == RUNS + 1, LONG_S)
    pair.wait(lambda: len(pair.outcomes()) > 2 * RUNS, LONG_S)
    (loser, *_) = [name for name, _ in pair.owners().most_common()]
    (winner,) = {"left", "right"} - {loser}
    before = pair.outcomes()
    pair.kill(loser)
    taken_s = pair.wait(lambda: pair.owners().keys() <= {winner}, LONG_S)
    assert pair.break_sessions() >= 1
    ended_s = pair.wait(lambda: not pair.owners(), LONG_S)
    print(f"taken over after {taken_s:.1f} s, all over after {ended_s:.1f} s more")  # noqa: T201  measured

    runs, outcomes = pair.runs(), pair.outcomes()
    assert [run.id for run in runs if run.started_by.name == "mqtt" and run.id in names] == names
    assert len(runs) == RUNS + 1
    assert {run.state for run in runs} == {RunState.COMPLETED}
    settled = {key: data for key, data in before.items() if key[1].count(".") == 1}
    assert {key: outcomes[key] for key in settled} == settled
    assert titles(pair) == orders_of([run.id for run in runs])
    assert taken_s < 20.0
