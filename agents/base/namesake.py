"""Looks for another process that lives under an agent's name and instance already.

Two of them would share a client id, and each connection throws the other off the broker (MQTT
3.1.1, section 3.1.4): both come and go for ever.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Sequence

from app.bus.address import broker_address
from app.bus.client import Bus, Received
from app.core.agent import AgentState, AgentStatus, Beat
from app.core.clock import Clock
from app.core.errors import BusError
from app.core.topics import beat_topic, birth_topic
from app.settings import Settings

logger = logging.getLogger(__name__)

_LIVE = frozenset({AgentState.STARTING, AgentState.RUNNING, AgentState.DEGRADED})
_BEATS = 2.5  # one may be lost or late
_PATIENCE_S = 5.0
_HAND_OVER_S = 0.05  # from the socket to the handler; a route gathers for 5 ms


async def find_namesake(
    settings: Settings, name: str, instance: str, clock: Clock
) -> AgentStatus | None:
    """Return the birth of another living process, None if there is none.

    A birth is kept by the broker when its process and the broker die together, so the process
    counts as alive only if it beats. Where no broker answers there is nobody to be found.
    """
    if not await _is_answered(settings):
        return None
    births: list[AgentStatus] = []
    beaten = asyncio.Event()

    def meet(batch: Sequence[Received[AgentStatus]]) -> None:
        births.extend(received.message for received in batch)

    def hear(batch: Sequence[Received[Beat]]) -> None:
        del batch
        beaten.set()

    bus = Bus(settings, f"millwright-agent-{name}-{instance}-look-{os.getpid()}", clock)
    bus.subscribe(birth_topic(name, instance), AgentStatus, meet, qos=1)
    await bus.start()
    try:
        await bus.wait_connected(_PATIENCE_S)
        bus.subscribe(beat_topic(name, instance), Beat, hear)
        # Brokers answer in turn: a kept birth has come before the second subscription is accepted.
        await bus.wait_connected(_PATIENCE_S)
        await clock.sleep(_HAND_OVER_S)
        if not births or not _may_live(births[-1]):
            return None
        is_alive = await _within(beaten, _BEATS * settings.supervisor.beat_s)
    except BusError as error:
        logger.warning("Another %s/%s is not looked for: %s", name, instance, error)
        return None
    else:
        return births[-1] if is_alive else None
    finally:
        await bus.stop()


def _may_live(status: AgentStatus) -> bool:
    if status.state not in _LIVE:
        return False
    if status.host != socket.gethostname():
        return True
    import psutil  # noqa: PLC0415  4 MB that agents need only in this rare case

    return status.pid != os.getpid() and psutil.pid_exists(status.pid)


async def _is_answered(settings: Settings) -> bool:
    address = broker_address(settings.broker)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except OSError:  # the time-out too; the agent's own connection says so in the log
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def _within(event: asyncio.Event, timeout_s: float) -> bool:
    try:
        async with asyncio.timeout(timeout_s):
            return await event.wait()
    except TimeoutError:
        return False
