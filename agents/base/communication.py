"""What an agent says on the bus: birth, beats, findings and results."""

import logging
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from agents.base.alerts import EVENT_TOPIC_OF, Events, event_finding, seed_finding
from app.bus.client import Bus, BusState, Outgoing, Received
from app.core.agent import AgentSpec, AgentState, AgentStatus, Beat, seed_id
from app.core.alarm import Finding
from app.core.clock import Clock
from app.core.errors import BusError, InputError, NotFoundError
from app.core.task import TaskResult
from app.core.topics import BIRTHS, beat_topic, birth_topic, findings_topic
from app.settings import Settings

logger = logging.getLogger(__name__)

_LIVE = {AgentState.RUNNING, AgentState.DEGRADED}
_FAREWELL_S = 2.0


class Progress(Protocol):
    """Where the figures of a beat come from."""

    def beat(self) -> Beat:
        """Return the present beat."""
        ...


class Communication:
    """The bus of one agent instance, with its will and its birth."""

    def __init__(self, settings: Settings, spec: AgentSpec, instance: str, clock: Clock) -> None:
        self._spec = spec
        self._instance = instance
        self._clock = clock
        self._status = AgentStatus(
            spec=spec,
            instance=instance,
            state=AgentState.STARTING,
            since=clock.now(),
            pid=os.getpid(),
            host=socket.gethostname(),
        )
        self._birth_topic = birth_topic(spec.name, instance)
        will = msgspec.structs.replace(
            self._status, state=AgentState.OFFLINE, reason="The connection to it broke"
        )
        self.bus = Bus(
            settings,
            f"millwright-agent-{spec.name}-{instance}",
            clock,
            persistent=True,
            will=Outgoing(self._birth_topic, will),
        )
        self._peers: dict[tuple[str, str], AgentStatus] = {}
        self._seed_id = seed_id(spec.name, spec.aliases)
        self._events = Events()
        self.unsent = 0

    @property
    def status(self) -> AgentStatus:
        """What the birth message says."""
        return self._status

    def follow_peers(self) -> None:
        """Learn which other agents are alive; call before the bus starts."""
        self.bus.subscribe_state(BIRTHS, AgentStatus, self._take_births)

    def peer(self, capability: str) -> tuple[str, str]:
        """Return agent and instance of a live one that offers `capability`.

        Raises:
            NotFoundError: None is alive.
        """
        for key, status in sorted(self._peers.items()):
            if status.state in _LIVE and capability in status.spec.capabilities:
                return key
        raise NotFoundError(
            f'No live agent offers "{capability}"', "Start one on the Agents page, then try again"
        )

    def announce(self, state: AgentState, reason: str = "", model_version: str = "") -> None:
        """Say in what state the agent is, if that is news."""
        now = (state, reason, model_version)
        if now == (self._status.state, self._status.reason, self._status.model_version):
            return
        self._status = msgspec.structs.replace(
            self._status,
            state=state,
            reason=reason,
            model_version=model_version,
            since=self._clock.now(),
        )
        level = logging.WARNING if state is AgentState.DEGRADED else logging.INFO
        logger.log(level, "%s %s%s", self._spec.name, state, f": {reason}" if reason else "")
        self.bus.publish_state(self._birth_topic, self._status)

    async def farewell(self) -> None:
        """Say that the agent stops on purpose, and leave the bus."""
        self._status = msgspec.structs.replace(
            self._status, state=AgentState.STOPPED, reason="", since=self._clock.now()
        )
        if self.bus.state is BusState.CONNECTED:
            try:
                await self.bus.publish_confirmed(
                    self._birth_topic, self._status, retain=True, timeout_s=_FAREWELL_S
                )
            except BusError as error:
                logger.warning("Could not say goodbye: %s", error)
        await self.bus.stop()

    def beat(self, beat: Beat) -> None:
        """Send a beat; it is dropped while there is no connection."""
        self.bus.publish(beat_topic(self._spec.name, self._instance), beat)

    def state_finding(self, finding: Finding) -> bool:
        """Send a finding to the app and on the seeds' topics; False if the queue is full."""
        try:
            self.bus.publish(findings_topic(self._spec.name), finding, qos=1)
        except BusError as error:
            self.unsent += 1
            if self.unsent == 1:
                logger.warning("Findings are lost: %s", error)
            return False
        seed = seed_finding(finding, self._seed_id)
        self.bus.publish(f"predictions/{self._seed_id}", seed)
        if finding.priority is not None:
            self.bus.publish(f"alerts/{self._seed_id}", seed)
        event_topic = EVENT_TOPIC_OF.get(self._spec.name)
        if event_topic is not None and self._events.is_event(finding):
            self.bus.publish(event_topic, event_finding(finding, self._seed_id))
        return True

    def recall(self, stated: Mapping[str, int | None]) -> None:
        """Take over which conditions were present before a restart."""
        self._events.recall(stated)

    def answer(self, reply_to: str, result: TaskResult) -> None:
        """Send a result; a sender that misses it sends its task again."""
        try:
            self.bus.publish(reply_to, result, qos=1)
        except (BusError, InputError) as error:
            logger.warning("Result of task %s is not sent: %s", result.id, error)

    def _take_births(self, batch: Sequence[Received[AgentStatus]]) -> None:
        for received in batch:
            status = received.message
            self._peers[status.spec.name, status.instance] = status
