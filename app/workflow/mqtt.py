"""Runs that are started over MQTT: our own topic, and the one the seeds used."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Protocol, TypeVar

import msgspec

from app.bus.client import Bus, Received
from app.bus.dead_letters import kept_by_broker
from app.core.actor import MQTT, Actor, check_actor
from app.core.errors import InputError, MillwrightError, StoreError
from app.core.run import WorkflowRun, WorkflowTrigger
from app.core.topics import SEED_TRIGGERS, TRIGGERS, is_segment
from app.workflow.leader_bus import LeaderBus

T = TypeVar("T")


class SeedTrigger(msgspec.Struct, frozen=True):
    """What the seeds send on `orchestrator/workflow/trigger`; other keys are left alone.

    Attributes:
        workflow_name: Name of the workflow.
        parameters: Its inputs.
    """

    workflow_name: Annotated[str, msgspec.Meta(max_length=60)]
    parameters: dict[str, Any] = {}


class Starter(Protocol):
    """What starts a run."""

    async def start_workflow(
        self, name: str, given: dict[str, object], actor: Actor, *, why: str = "", id: str = ""
    ) -> WorkflowRun:
        """Start a run."""
        ...


class MqttStarts:
    """Starts a run a message, acknowledged once the run is on disk.

    What cannot be started goes to the dead letters with the reason. Of several orchestrators the
    leader alone listens.
    """

    def __init__(
        self,
        starter: Starter,
        make_bus: Callable[[], Bus],
        is_leader: Callable[[], bool],
        refuse: Callable[[str, bytes, str], None],
    ) -> None:
        """Build it.

        Args:
            starter: What starts runs.
            make_bus: Makes a persistent connection, under a name that all orchestrators share.
            is_leader: Tells whether we, of several orchestrators, take what comes.
            refuse: Takes topic, payload and reason of what starts nothing.
        """
        self._starter = starter
        self._refused = refuse
        # held, so that no other message takes the id of one
        self._taken: dict[int, Received[Any]] = {}
        self.connection = LeaderBus(make_bus, is_leader)
        self.connection.subscribe(self._subscribe)

    def _subscribe(self, bus: Bus) -> None:
        bus.subscribe_durable(TRIGGERS, WorkflowTrigger, self._take)
        bus.subscribe_durable(SEED_TRIGGERS, SeedTrigger, self._take_seed)

    async def _take(self, batch: Sequence[Received[WorkflowTrigger]]) -> None:
        for received in self._not_taken(batch):
            wanted = received.message
            if wanted.id and not is_segment(wanted.id):
                self._refuse(received.topic, received.message, "id: use letters, digits, _ and -")
            else:
                who = wanted.requested_by or MQTT
                await self._start(received, wanted.workflow, wanted.input, who, wanted.id)
            self._taken[id(received)] = received

    async def _take_seed(self, batch: Sequence[Received[SeedTrigger]]) -> None:
        for received in self._not_taken(batch):
            wanted = received.message
            await self._start(received, wanted.workflow_name, wanted.parameters, MQTT, "")
            self._taken[id(received)] = received

    def _not_taken(self, batch: Sequence[Received[T]]) -> list[Received[T]]:
        """Return what a call before, which the store broke off, has not begun already."""
        left = [received for received in batch if id(received) not in self._taken]
        topics = {received.topic for received in batch}
        self._taken = {
            id(each): each
            for each in self._taken.values()
            if each.topic not in topics or any(each is received for received in batch)
        }
        return left

    async def _start(
        self,
        received: Received[Any],
        name: str,
        given: dict[str, Any],
        who: str,
        run_id: str,
    ) -> None:
        self.connection.check()
        if received.retained:
            why = kept_by_broker("a trigger must not be retained")
            self._refuse(received.topic, received.message, why)
            return
        actor = Actor(who, MQTT)
        try:
            check_actor(actor)
            await self._starter.start_workflow(name, given, actor, id=run_id)
        except StoreError:
            raise  # the broker keeps it, and the bus calls again
        except MillwrightError as error:
            self._refuse(received.topic, received.message, _words(error))

    def _refuse(self, topic: str, message: msgspec.Struct, why: str) -> None:
        self._refused(topic, msgspec.json.encode(message), why)


def _words(error: MillwrightError) -> str:
    details: dict[str, str] = getattr(error, "details", {})
    named = "; ".join(f"{name}: {why}" for name, why in details.items())
    return named if isinstance(error, InputError) and named else str(error)
