"""A broker that hangs in the middle: commands to other tags go on, one to the same tag waits."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.commands import wire
from app.core.command import Command, CommandState
from app.core.equipment import Equipment, Tag
from app.core.errors import ConflictError
from app.core.write_rule import CommandSource, Confirm, WriteRule
from app.settings import BrokerSettings, CommandSettings, DataSettings, Settings
from app.store.commands import METADATA, WHAT
from app.store.database import Database
from tests.broker_process import BrokerProcess
from tests.postgres import postgres_url
from tests.processes import eventually
from tests.unit.commands.rig import ANN, BOB, FREE, FRESH_S, SPEED, TWO, Rig, acting, online

__all__ = ["postgres_url"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

LINE = "riverside/utilities/cooling/lamps-1"
LAMPS = [f"{LINE}/lamp_{number}" for number in range(10)]
CONFIRM_S = 60.0
SOON_S = 20.0
"""Ten commands are on disk by then on a busy machine; a single confirmation would take longer."""
S = CommandState


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let who would wait for the broker or an actuator wait for so long that it is seen."""
    monkeypatch.setattr(wire, "SEND_S", CONFIRM_S)
    monkeypatch.setattr(wire, "ASK_S", CONFIRM_S)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    made = BrokerProcess(tmp_path)
    made.start()
    yield made
    made.kill()


@pytest.fixture
async def pausing(settings: Settings, broker: BrokerProcess) -> Settings:
    """Settings of a broker that a test stops for a while."""
    await broker.ready()
    return settings.model_copy(update={"broker": BrokerSettings(url=broker.url)})


@asynccontextmanager
async def working(settings: Settings) -> AsyncGenerator[Rig]:
    """Run a gateway and an actuator."""
    async with online(settings) as rig, acting(rig):
        yield rig


@asynccontextmanager
async def hung(broker: BrokerProcess) -> AsyncGenerator[None]:
    """Let the broker hang; what is done meanwhile waits for no confirmation."""
    broker.hang()
    try:
        async with asyncio.timeout(SOON_S):
            yield
    finally:
        broker.wake()


def lamps(rig: Rig) -> None:
    """Declare ten tags that anybody may set."""
    rule = WriteRule(confirm=Confirm.NONE, sources=tuple(CommandSource), verify_s=30.0)
    tags = tuple(Tag(path=path, high=10, write=rule, stale_after_s=FRESH_S) for path in LAMPS)
    rig.tags.declare(Equipment(LINE, "Lamps", tags=tags))
    for path in LAMPS:
        rig.plant.show(path, 0.0)


async def all_in(rig: Rig, asked: Sequence[Command], *states: CommandState) -> list[Command]:
    """Wait until each command came to one of some states; return them as they then are."""
    return await all_in_either((rig,), asked, *states)


async def all_in_either(
    rigs: Sequence[Rig], asked: Sequence[Command], *states: CommandState
) -> list[Command]:
    """Wait until each command came to one of some states, in whichever orchestrator."""
    wanted = {each.id for each in asked}

    def missing() -> set[str]:
        for rig in rigs:
            rig.plant.obey()
        return wanted - {each.id for rig in rigs for each in rig.told if each.state in states}

    await eventually(lambda: not missing())
    return [await rigs[-1].gateway.get(each.id) for each in asked]


async def test_ten_commands_to_ten_tags_do_not_wait_for_each_other(
    pausing: Settings, broker: BrokerProcess
) -> None:
    async with working(pausing) as rig:
        lamps(rig)
        async with hung(broker):
            asked = await asyncio.gather(*(rig.ask(tag, 1.0) for tag in LAMPS))
        assert {each.state for each in asked} == {S.DISPATCHED}
        over = await all_in(rig, asked, S.VERIFIED)

    assert {each.reason for each in over} == {""}
    assert sorted(rig.plant.writes) == [(tag, 1.0) for tag in LAMPS]


async def test_what_waited_for_an_actuator_is_sent_to_ten_tags_without_a_wait_between(
    pausing: Settings, broker: BrokerProcess
) -> None:
    async with online(pausing) as rig:
        lamps(rig)
        asked = [await rig.ask(tag, 1.0) for tag in LAMPS]
        async with acting(rig):
            async with hung(broker):
                await all_in(rig, asked, S.DISPATCHED)
            await all_in(rig, asked, S.VERIFIED)


async def test_persons_and_time_go_on_while_an_order_is_not_confirmed(
    pausing: Settings, broker: BrokerProcess
) -> None:
    async with working(pausing) as rig:
        agreed, refused = await rig.ask(SPEED, 900.0), await rig.ask(TWO, 2.0)
        late = await rig.ask(TWO, 3.0, expires_s=1.0)
        async with hung(broker):
            await rig.ask(FREE, 1.0)
            approved = await rig.gateway.approve(agreed.id, BOB)
            rejected = await rig.gateway.reject(refused.id, BOB)
            await all_in(rig, [late], S.EXPIRED)
        assert (approved.state, rejected.state) == (S.DISPATCHED, S.REJECTED)
        await all_in(rig, [approved], S.VERIFIED)


async def test_a_second_order_to_the_tag_is_refused_and_names_the_first(
    pausing: Settings, broker: BrokerProcess
) -> None:
    async with working(pausing) as rig:
        async with hung(broker):
            first = await rig.ask(FREE, 1.0)
            second = await rig.ask(FREE, 2.0, BOB)
            checks = await rig.gateway.checks(FREE, 2.0, BOB)
        await all_in(rig, [first], S.VERIFIED)
        third = await rig.ask(FREE, 3.0)
        await all_in(rig, [third], S.VERIFIED)

    said = f"Command {first.id} = 1, asked for by ann, was sent"
    assert (second.state, said in second.reason) == (S.REJECTED, True)
    assert [said in check.text for check in checks if not check.ok] == [True]
    assert rig.plant.writes == [(FREE, 1.0), (FREE, 3.0)]


async def test_an_approval_meets_an_order_to_the_tag_and_the_command_is_refused(
    pausing: Settings, broker: BrokerProcess
) -> None:
    async with working(pausing) as rig:
        waiting = await rig.ask(SPEED, 900.0)
        async with hung(broker):
            first = await rig.ask(SPEED, 800.0, confirmed=True)
            approved = await rig.gateway.approve(waiting.id, BOB)
        await all_in(rig, [first], S.VERIFIED)

    assert (approved.state, first.id in approved.reason) == (S.REJECTED, True)
    assert rig.plant.writes == [(SPEED, 800.0)]


async def test_what_the_broker_does_not_confirm_says_so_until_it_is_answered(
    pausing: Settings, broker: BrokerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "SEND_S", 0.5)
    async with working(pausing) as rig:
        async with hung(broker):
            asked = await rig.ask(FREE, 1.0)
            await eventually(lambda: rig.told[-1].reason)
            unconfirmed = await rig.gateway.get(asked.id)
        (over,) = await all_in(rig, [asked], S.VERIFIED)

    assert unconfirmed.state is S.DISPATCHED
    assert "did not confirm" in unconfirmed.reason
    assert over.reason == ""
    assert rig.plant.writes == [(FREE, 1.0)]


async def test_an_order_that_stays_in_the_broker_beyond_its_time_is_not_followed(
    pausing: Settings, broker: BrokerProcess
) -> None:
    async with working(pausing) as rig:
        async with hung(broker):
            first = await rig.ask(FREE, 1.0, expires_s=1.0)
            await eventually(lambda: rig.clock.now() >= first.expires_at)
        (over,) = await all_in(rig, [first], S.EXPIRED, S.UNKNOWN)
        await all_in(rig, [await rig.ask(FREE, 2.0)], S.VERIFIED)

    assert over.state is S.EXPIRED
    assert rig.plant.writes == [(FREE, 2.0)]


async def test_the_app_stopped_while_the_broker_hangs_sends_the_order_once_in_its_next_life(
    pausing: Settings, broker: BrokerProcess
) -> None:
    async with working(pausing) as first, hung(broker):
        asked = await first.ask(FREE, 1.0)
        await first.gateway.stop()
    async with working(pausing) as second:
        kept = await second.gateway.get(asked.id)
        (over,) = await all_in(second, [asked], S.VERIFIED)

    assert kept.sent_at == asked.sent_at == over.sent_at
    assert [*first.plant.writes, *second.plant.writes] == [(FREE, 1.0)]


@pytest.mark.parametrize("state", [S.REQUESTED, S.DISPATCHED])
async def test_a_caller_that_leaves_takes_no_order_with_it(
    pausing: Settings, broker: BrokerProcess, state: CommandState
) -> None:
    async with working(pausing) as rig:
        asking = asyncio.create_task(rig.ask(FREE, 1.0, id="left"))

        def leave(command: Command) -> None:
            if command.state is state:
                asking.cancel()

        rig.gateway.on_change(leave)
        async with hung(broker):
            with pytest.raises(asyncio.CancelledError):
                await asking
        await all_in(rig, rig.told[:1], S.VERIFIED)

    assert rig.plant.writes == [(FREE, 1.0)]


async def test_the_same_id_asked_for_again_meanwhile_is_the_same_command(
    pausing: Settings, broker: BrokerProcess
) -> None:
    async with working(pausing) as rig:
        async with hung(broker):
            first = await rig.ask(FREE, 1.0, ANN, id="once")
            again = await rig.ask(FREE, 1.0, ANN, id="once")
            with pytest.raises(ConflictError, match="choose another id"):
                await rig.ask(FREE, 2.0, ANN, id="once")
        await all_in(rig, [first], S.VERIFIED)

    assert again == first
    assert rig.plant.writes == [(FREE, 1.0)]


@asynccontextmanager
async def two(settings: Settings, url: str) -> AsyncGenerator[tuple[Rig, Rig]]:
    """Run two orchestrators that share a database, a broker and a key."""
    made = Database(url, METADATA, WHAT)
    made.open()
    with made.begin() as connection:
        METADATA.drop_all(connection)
    made.close()
    key = CommandSettings(key=SecretStr("ab" * 32), grace_s=0.5)
    left = settings.model_copy(update={"commands": key})
    right = left.model_copy(update={"data": DataSettings(dir=settings.data.dir / "right")})
    async with online(left, name="left", url=url) as one, online(right, name="r", url=url) as other:
        lamps(one)
        lamps(other)
        yield one, other


async def test_of_many_orders_that_two_orchestrators_send_to_a_tag_one_is_sent(
    pausing: Settings, broker: BrokerProcess, postgres_url: str
) -> None:
    async with two(pausing, postgres_url) as rigs, acting(rigs[0]):
        await eventually(lambda: rigs[1].registry.capable("act"))
        async with hung(broker):
            asked = await asyncio.gather(
                *(rig.ask(LAMPS[0], value) for value in (1.0, 2.0, 3.0, 4.0) for rig in rigs)
            )
            (sent,) = [each for rig in rigs for each in rig.told if each.state is S.DISPATCHED]
            others = [each for each in asked if each.id != sent.id]
            refused = await all_in_either(rigs, others, S.REJECTED)
        await all_in_either(rigs, [sent], S.VERIFIED)

    assert all(sent.id in each.reason for each in refused)
    assert rigs[0].plant.writes == [(LAMPS[0], sent.value)]


async def test_the_survivor_heeds_the_order_of_the_dead_and_sees_it_to_its_end(
    pausing: Settings, broker: BrokerProcess, postgres_url: str
) -> None:
    async with two(pausing, postgres_url) as (dead, survivor), acting(survivor):
        await eventually(lambda: dead.registry.capable("act"))
        async with hung(broker):
            first = await dead.ask(LAMPS[0], 1.0)
            await dead.gateway.stop()
            second = await survivor.ask(LAMPS[0], 2.0)
        await all_in(survivor, [first], S.VERIFIED)

    assert (second.state, first.id in second.reason) == (S.REJECTED, True)
    assert survivor.plant.writes == [(LAMPS[0], 1.0)]
