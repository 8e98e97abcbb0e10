"""Who may ask the backlog and the notifier, and what they make of odd answers."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest

from app.bus.client import Bus
from app.bus.tasks import TaskClient
from app.clock import SystemClock
from app.core.actor import Actor, Role
from app.core.equipment import Equipment
from app.core.errors import CodecError, ConflictError
from app.plant import Plant
from app.settings import Settings
from app.settings_notify import NotifySettings
from app.store.audit import AuditLog
from app.supervisor.agent_calls import AgentCalls
from app.upkeep import Upkeep

ANNA = Actor("anna", "ui")
GUEST = Actor("guest", "ui", Role.VIEWER)
UNIT = "r/utilities/cooling/pump-101"
Act = Callable[[Upkeep, Actor], Awaitable[object]]
ACTS: list[Act] = [
    lambda upkeep, who: upkeep.create_order(UNIT, "Change the bearing", who),
    lambda upkeep, who: upkeep.close_order("MO-1", "Done", who),
    lambda upkeep, who: upkeep.send_test("shift", who),
]
LOOKS: list[Act] = [
    lambda upkeep, _: upkeep.orders(),
    lambda upkeep, _: upkeep.routes(),
    lambda upkeep, _: upkeep.deliveries(),
]


class OddCalls(AgentCalls):
    """Agents of another version."""

    def __init__(self, settings: Settings) -> None:
        clock = SystemClock()
        super().__init__(TaskClient(Bus(settings, "odd", clock), "odd", clock), list)
        self.asked: list[str] = []

    async def ask(
        self, agent: str, capability: str, given: dict[str, object], *, timeout_s: float = 1
    ) -> dict[str, object]:
        self.asked.append(capability)
        return {"answer": [agent, given, timeout_s]}


@pytest.fixture
def calls(settings: Settings) -> OddCalls:
    return OddCalls(settings)


@pytest.fixture
async def upkeep(calls: OddCalls, tmp_path: Path) -> AsyncGenerator[Upkeep]:
    audit = AuditLog(tmp_path / "audit.sqlite")
    audit.open()
    unit = Equipment(path=UNIT, name="Pump")
    yield Upkeep(calls, audit, SystemClock(), NotifySettings(), {UNIT: unit}.get)
    audit.close()


@pytest.mark.parametrize("act", ACTS)
async def test_a_viewer_may_change_nothing(upkeep: Upkeep, calls: OddCalls, act: Act):
    with pytest.raises(ConflictError, match="guest is viewer"):
        await act(upkeep, GUEST)
    assert calls.asked == []


@pytest.mark.parametrize("act", [*ACTS, *LOOKS])
async def test_an_answer_of_another_shape_is_an_error(upkeep: Upkeep, act: Act):
    with pytest.raises(CodecError, match="answered something else"):
        await act(upkeep, ANNA)


def test_routes_of_the_settings_are_told_without_their_urls(settings: Settings):
    route = {"name": "board", "url": "json://board.plant.example/hook", "priorities": [1]}
    notify = NotifySettings.model_validate({"routes": [route]})
    plant = Plant(settings.model_copy(update={"notify": notify}), SystemClock())

    (told,) = plant.upkeep.routes_of_settings()

    assert (told.name, told.priorities, told.service, told.is_usable) == ("board", (1,), "", False)
