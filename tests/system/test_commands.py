"""Commands to the demo plant by real processes: killed, forged, replayed; none is done twice."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from agents.actuator.journal import Line, read_journal
from app.bus.address import broker_address
from app.command_key import make_key
from app.core.actor import Actor
from app.core.alarm import Priority
from app.core.command import ENDED, AckState, Command, CommandOrder, CommandState
from app.core.command_signature import sign
from app.core.reading import Quality
from app.core.task import Task, TaskResult
from app.core.topics import command_topic, results_topic, tasks_topic
from app.settings import CommandSettings, Settings
from tests.clean_environment import clean_environment
from tests.mqtt_peer import peer
from tests.processes import eventually
from tests.unit.commands.rig import Rig, online

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = Path(__file__).parent.parent.parent
HVAC = "riverside/building/hall/hvac-801/temperature_setpoint"
PUMPS = [f"riverside/utilities/cooling/pump-{n}/speed_limit" for n in (101, 102)]
SPINDLES = [f"riverside/machining/milling/spindle-{n}/speed_limit" for n in (401, 402)]
CONVEYORS = [f"riverside/packaging/belts/conveyor-{n}/speed_limit" for n in (601, 602)]
ANN = Actor("ann", "ui")
WAIT_S = 60.0
END_S = WAIT_S + 20.0  # an order that dies unbegun with its actuator is over when it expires
S = CommandState

Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def patient(connected_settings: Settings) -> Settings:
    """Settings under which an order outlives the start of an agent on a busy machine."""
    commands = CommandSettings(expires_s=WAIT_S, grace_s=0.5)
    return connected_settings.model_copy(update={"commands": commands})


@pytest.fixture
def brief(patient: Settings) -> Settings:
    """Settings under which an order expires in seconds."""
    return patient.model_copy(update={"commands": CommandSettings(expires_s=15, grace_s=0.5)})


@pytest.fixture
def start(patient: Settings) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def run(name: str) -> "subprocess.Popen[bytes]":
        where = ["--broker", patient.broker.url, "--data", str(patient.data.dir), "--instance", "1"]
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "agent", name, *where], cwd=ROOT, env=clean_environment()
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait(10)


@asynccontextmanager
async def demo(settings: Settings, start: Start, delay_s: float = 0.0) -> AsyncGenerator[Rig]:
    """Run gateway, simulator and an actuator that takes its time."""
    make_key(settings)
    options = f"[agents.actuator.options]\ndelay_s = {delay_s}\n"
    (settings.data.dir / "settings.toml").write_text(options, encoding="utf-8")
    async with online(settings, is_demo=True) as rig:
        start("simulator")
        yield rig


async def ready(rig: Rig, *tags: str) -> None:
    """Wait until an actuator lives and the plant speaks."""
    await eventually(lambda: rig.registry.capable("act"), WAIT_S)
    await ready_plant(rig, *tags)


async def ready_plant(rig: Rig, *tags: str) -> None:
    """Wait until the plant speaks."""
    await eventually(lambda: rig.registry.capable("write_tag"), WAIT_S)
    await eventually(lambda: all(is_good(rig, tag) for tag in tags), WAIT_S)


async def without_simulator(rig: Rig) -> None:
    """Kill the simulator and wait until that is known."""
    (simulator,) = [each for each in rig.registry.find("simulator") if each.is_live]
    os.kill(simulator.status.pid, 9)
    await eventually(lambda: not rig.registry.capable("write_tag"), WAIT_S)


def is_good(rig: Rig, tag: str) -> bool:
    reading = rig.tags.value(tag)
    return reading is not None and reading.quality is Quality.GOOD


def lines(settings: Settings) -> list[Line]:
    """Return the journal as it is on disk."""
    file = settings.data.dir / "checkpoints" / "actuator" / "1.journal.sqlite"
    return read_journal(file) if file.exists() else []


def states(settings: Settings, command: str) -> list[AckState]:
    return [line.state for line in lines(settings) if line.id == command]


async def ended(rig: Rig, command: Command, *wanted: CommandState) -> Command:
    await eventually(
        lambda: any(each.id == command.id and each.state in wanted for each in rig.told), END_S
    )
    return await rig.gateway.get(command.id)


async def test_the_demo_plant_obeys_and_shows_it(patient: Settings, start: Start):
    async with demo(patient, start) as rig:
        start("actuator")
        await ready(rig, HVAC)
        command = await ended(rig, await rig.ask(HVAC, 18.0), S.VERIFIED)

    assert command.after == pytest.approx(18.0, abs=0.05)
    assert states(patient, command.id) == [AckState.STARTED, AckState.DONE]


async def test_what_the_plant_refuses_is_rejected(patient: Settings, start: Start):
    async with demo(patient, start) as rig:
        start("actuator")
        await ready(rig, HVAC)
        tag = rig.tags.tag(HVAC)
        unit = rig.tags.unit(tag.equipment)
        assert unit
        wide = msgspec.structs.replace(tag, high=99.0)
        others = tuple(each for each in unit.tags if each.path != HVAC)
        rig.tags.declare(msgspec.structs.replace(unit, tags=(*others, wide)))
        command = await ended(rig, await rig.ask(HVAC, 90.0), S.REJECTED)

    assert "between 16 and 28" in command.reason
    assert states(patient, command.id) == [AckState.STARTED, AckState.REFUSED]


async def test_killed_between_start_and_end_it_is_unknown_with_an_alarm_and_not_done_again(
    patient: Settings, start: Start
):
    async with demo(patient, start, delay_s=30.0) as rig:
        first = start("actuator")
        await ready(rig, HVAC)
        before = rig.tags.value(HVAC)
        command = await rig.ask(HVAC, 18.0)
        await eventually(lambda: states(patient, command.id) == [AckState.STARTED], WAIT_S)
        first.kill()
        first.wait(10)
        start("actuator")
        lost = await ended(rig, command, S.UNKNOWN)
        await eventually(lambda: len(states(patient, command.id)) == 2, WAIT_S)
        shown = rig.tags.value(HVAC)

    assert lost.acknowledged_at is None
    assert states(patient, command.id) == [AckState.STARTED, AckState.UNKNOWN]
    assert before
    assert shown
    assert shown.value == before.value
    alarms = [each for each in rig.findings if each.priority is Priority.HIGH]
    assert [(each.equipment, each.latching) for each in alarms[:1]] == [
        ("riverside/building/hall/hvac-801", True)
    ]


async def test_killed_while_many_are_under_way_each_ends_and_none_is_done_twice(
    patient: Settings, start: Start
):
    tags = [*PUMPS, *SPINDLES, *CONVEYORS]
    async with demo(patient, start, delay_s=0.3) as rig:
        process = start("actuator")
        await ready(rig, *tags)
        asked = [await rig.ask(tag, 90.0, ANN, confirmed=True) for tag in tags]
        await eventually(lambda: lines(patient), WAIT_S)
        process.kill()
        process.wait(10)
        start("actuator")
        over = [await ended(rig, each, *ENDED) for each in asked]

    begun = Counter(line.id for line in lines(patient) if line.state is AckState.STARTED)
    assert max(begun.values()) == 1
    assert set(begun) <= {each.id for each in asked}
    assert {each.state for each in over} <= ENDED


async def test_the_app_killed_after_it_sent_does_not_send_a_second_time(
    patient: Settings, start: Start
):
    async with demo(patient, start, delay_s=1.0) as rig:
        start("actuator")
        await ready(rig, HVAC)
        command = await rig.ask(HVAC, 18.0)
    async with online(patient, is_demo=True) as again:
        over = await ended(again, command, S.VERIFIED)

    assert states(patient, over.id) == [AckState.STARTED, AckState.DONE]


def order(rig: Rig, name: str, value: float = 27.0, valid_s: float = 30.0) -> CommandOrder:
    expires_at = rig.clock.now() + timedelta(seconds=valid_s)
    return CommandOrder(name, HVAC, value, "actuator/1", expires_at)


async def test_an_outsider_cannot_make_the_actuator_act(patient: Settings, start: Start):
    key = make_key(patient)
    async with demo(patient, start) as rig:
        start("actuator")
        await ready(rig, HVAC)
        done = await ended(rig, await rig.ask(HVAC, 18.0), S.VERIFIED)
        late = sign(order(rig, "late", valid_s=-1.0), key)
        forged = [
            order(rig, "unsigned"),
            sign(order(rig, "other-key"), b"x" * 32),
            msgspec.structs.replace(sign(order(rig, "changed"), key), value=28.0),
        ]
        sent_before = CommandOrder(done.id, HVAC, 18.0, done.actuator, done.expires_at)
        port = broker_address(patient.broker).port
        with peer(port, "outsider") as outsider:
            await outsider.connected()
            for each in [*forged, late, sign(sent_before, key)]:
                await outsider.publish(command_topic(HVAC), msgspec.json.encode(each))
            await outsider.publish(
                command_topic(HVAC), msgspec.json.encode(order(rig, "kept")), retain=True
            )
            await eventually(lambda: states(patient, "late") == [AckState.REFUSED], WAIT_S)
            later = await ended(rig, await rig.ask(HVAC, 20.0), S.VERIFIED, S.REJECTED)
            await outsider.publish(command_topic(HVAC), b"", retain=True)

    begun = [line.id for line in lines(patient) if line.state is AckState.STARTED]
    assert set(begun) <= {done.id, later.id}
    assert len(begun) == len(set(begun))
    assert {line.id for line in lines(patient)} <= {done.id, later.id, "late"}


async def test_an_outsider_cannot_go_round_the_actuator_to_the_plant(
    patient: Settings, start: Start
):
    async with demo(patient, start) as rig:
        await ready_plant(rig, HVAC)
        replies = results_topic("outsider")
        expires_at = rig.clock.now() + timedelta(seconds=30)
        forged = msgspec.to_builtins(sign(order(rig, "forged"), b"x" * 32))
        inputs: dict[str, dict[str, object]] = {
            "bare": {"tag": HVAC, "value": 27.0},
            "unsigned": {"order": msgspec.to_builtins(order(rig, "unsigned"))},
            "forged": {"order": forged},
        }
        tasks = [
            Task(name, "write_tag", each, replies, expires_at) for name, each in inputs.items()
        ]
        with peer(broker_address(patient.broker).port, "outsider") as outsider:
            await outsider.connected()
            await outsider.subscribe(replies)
            for task in tasks:
                await outsider.publish(tasks_topic("simulator", "1"), msgspec.json.encode(task))
            await eventually(lambda: len(outsider.received) == len(tasks), WAIT_S)
            look = Task("look", "read_tag", {"tag": HVAC}, replies, expires_at)
            await outsider.publish(tasks_topic("simulator", "1"), msgspec.json.encode(look))
            await eventually(lambda: len(outsider.received) > len(tasks), WAIT_S)
            answers = [
                msgspec.json.decode(payload, type=TaskResult) for _, payload in outsider.received
            ]

    said = {answer.id: answer.error for answer in answers[:-1]}
    assert "order: missing" in said["bare"]
    assert "no right signature" in said["unsigned"]
    assert "no right signature" in said["forged"]
    assert answers[-1].output == {"tag": HVAC, "value": 21.0}


async def test_without_the_simulator_an_order_waits_and_expires_in_plain_words(
    brief: Settings, start: Start
):
    async with demo(brief, start) as rig:
        start("actuator")
        await ready(rig, HVAC)
        await without_simulator(rig)
        command = await ended(rig, await rig.ask(HVAC, 18.0), *ENDED)

    assert command.state is S.EXPIRED
    assert 'No live agent offers "write_tag"' in command.reason
    assert states(brief, command.id) == [AckState.REFUSED]


async def test_a_command_sent_before_the_simulator_lives_is_done_when_it_does(
    patient: Settings, start: Start
):
    async with demo(patient, start) as rig:
        start("actuator")
        await ready(rig, HVAC)
        await without_simulator(rig)
        command = await ended(rig, await rig.ask(HVAC, 18.0), S.DISPATCHED)
        start("simulator")
        over = await ended(rig, command, *ENDED)

    assert over.state is S.VERIFIED
    assert states(patient, over.id) == [AckState.STARTED, AckState.DONE]
