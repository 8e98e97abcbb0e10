"""What the bus says of itself: state, reason, remedy; one log line at each change."""

import asyncio
import logging
from collections.abc import Callable
from enum import StrEnum

import msgspec

from app.bus.address import Address
from app.core.clock import Clock
from app.core.health import ComponentStatus, Health

logger = logging.getLogger(__name__)


class BusState(StrEnum):
    """How the connection to the broker is."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    LOST = "lost"
    UNSTEADY = "unsteady"
    ENDED = "ended"
    STOPPED = "stopped"


class Counters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What passed through a bus since it was made.

    Attributes:
        published: Messages handed to the connection.
        received: Messages taken from it.
        dropped: Lost on purpose: QoS 0 while disconnected, or pushed out of a full queue.
        dead: Refused as undecodable.
        failed: Calls of handlers that raised.
    """

    published: int
    received: int
    dropped: int
    dead: int
    failed: int


_REMEDY_TROUBLE = "Mend what the reason names; the state clears by itself"
_REMEDY_ENDED = "Start Millwright again and report the error; the log has its details"
_REMEDY_UNSTEADY = (
    "Look whether a second Millwright, or an agent of the same name and instance, uses this broker "
    "and stop it; else look into the broker's log"
)
_STEADY_S = 5.0  # two programs with one client id take it from each other each 1 to 4 s (measured)
_BRIEF_LIVES = 3  # in a row make a connection unsteady
_NEWS = {BusState.UNREACHABLE: BusState.LOST}


class Connection:
    """State of the connection as the rest of the program sees it; lives in the event loop."""

    def __init__(self, address: Address, clock: Clock) -> None:
        self.address = address
        self.state = BusState.CONNECTING
        self.ready = asyncio.Event()
        self._clock = clock
        self._status = ComponentStatus("Bus", Health.STARTING, clock.now(), "Connecting")
        self._logged = BusState.CONNECTING
        self._connected_at_s = -_STEADY_S
        self._brief_lives = 0
        self._settling: asyncio.TimerHandle | None = None
        self._troubles: dict[str, str] = {}
        self._watchers: list[Callable[[ComponentStatus], None]] = []

    @property
    def status(self) -> ComponentStatus:
        """State with reason and remedy; degraded while unsteady, or while a handler fails."""
        if self._status.state is Health.OK and self._is_unsteady and not self._is_old:
            return msgspec.structs.replace(
                self._status,
                state=Health.DEGRADED,
                reason=self._unsteady_words(),
                remedy=_REMEDY_UNSTEADY,
            )
        if self._status.state is Health.OK and self._troubles:
            reason = "; ".join(f"{name}: {why}" for name, why in sorted(self._troubles.items()))
            return msgspec.structs.replace(
                self._status, state=Health.DEGRADED, reason=reason, remedy=_REMEDY_TROUBLE
            )
        return self._status

    def watch(self, callback: Callable[[ComponentStatus], None]) -> None:
        """Call `callback` at each change."""
        self._watchers.append(callback)

    def trouble(self, name: str, reason: str) -> None:
        """Note that `name` fails, or with an empty reason that it works again."""
        if reason == self._troubles.get(name, ""):
            return
        if reason:
            self._troubles[name] = reason
        else:
            del self._troubles[name]
        self._tell()

    def connected(self) -> None:
        """The broker accepted the connection and all subscriptions."""
        self._connected_at_s = self._clock.monotonic()
        self._change(BusState.CONNECTED, Health.OK)
        self.ready.set()
        if self._is_unsteady:
            loop = asyncio.get_running_loop()
            self._settling = loop.call_later(_STEADY_S, self.settle)

    def settle(self) -> None:
        """Tell and log that a connection that was unsteady has lasted."""
        if self.state is BusState.CONNECTED and self._is_old:
            self._brief_lives = 0
            self._log()
            self._tell()

    def lost(self) -> None:
        """The connection broke; three times within seconds of being made, it is unsteady."""
        if self.state is BusState.CONNECTED:
            self._brief_lives = 0 if self._is_old else self._brief_lives + 1
        if self._is_unsteady:
            words = self._unsteady_words()
            self._change(BusState.UNSTEADY, Health.DEGRADED, words, _REMEDY_UNSTEADY)
            return
        reason = f"The connection to broker {self.address} is lost, trying again"
        self._change(BusState.LOST, Health.DEGRADED, reason, self.address.remedy_unreachable)

    def refused(self, why: str) -> None:
        """The broker answered that it does not want us."""
        reason = f"Broker {self.address} refused the connection: {why}"
        self._change(BusState.REFUSED, Health.FAILED, reason, self.address.remedy_refused)

    def unreachable(self, why: str) -> None:
        """Nothing answers at the broker's address."""
        reason = f"Broker {self.address} is unreachable: {why}"
        self._change(BusState.UNREACHABLE, Health.FAILED, reason, self.address.remedy_unreachable)

    def ended(self, why: str) -> None:
        """An unexpected error ended the connection for good."""
        reason = f"The connection to broker {self.address} ended by an unexpected error: {why}"
        self._change(BusState.ENDED, Health.FAILED, reason, _REMEDY_ENDED)

    def stopped(self) -> None:
        """We ended the connection ourselves."""
        self._change(BusState.STOPPED, Health.STOPPED)

    @property
    def _is_unsteady(self) -> bool:
        return self._brief_lives >= _BRIEF_LIVES

    @property
    def _is_old(self) -> bool:
        return self._clock.monotonic() - self._connected_at_s >= _STEADY_S

    def _unsteady_words(self) -> str:
        return f"The connection to broker {self.address} breaks within seconds, again and again"

    def _change(self, state: BusState, health: Health, reason: str = "", remedy: str = "") -> None:
        old, self.state = self._status, state
        if state is not BusState.CONNECTED:
            self.ready.clear()
            if self._settling is not None:
                self._settling.cancel()
        if (old.state, old.reason) == (health, reason):
            return
        self._status = ComponentStatus("Bus", health, self._clock.now(), reason, remedy)
        self._log()
        self._tell()

    def _log(self) -> None:
        # Lost and unreachable are one event in the log, however often they alternate; so is a row
        # of brief lives.
        news = BusState.UNSTEADY if self._is_unsteady else _NEWS.get(self.state, self.state)
        if news is self._logged:
            return
        self._logged = news
        if self.state is BusState.CONNECTED:
            logger.info("Connected to broker %s", self.address)
        elif self.state is not BusState.STOPPED:
            logger.warning("%s; %s", self._status.reason, self._status.remedy)

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher(self.status)
