"""Who is on the bus: births, beats and wills of agent instances, here and on other hosts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.core.agent import AgentState, AgentStatus, Beat
from app.core.clock import Clock
from app.core.errors import InputError
from app.settings import SupervisorSettings

INSTANCES = 1000
"""Instances remembered: a plant has tens, only a sender that makes up names has more."""

_GONE = {AgentState.OFFLINE, AgentState.STOPPED}


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of an agent as the bus knows it.

    Attributes:
        status: Its last birth, or its will.
        beat: Its last beat since that birth, None before the first.
        last_seen: When the last of them arrived, UTC.
        is_hung: It is silent, or has work waiting and makes no progress.
    """

    status: AgentStatus
    beat: Beat | None
    last_seen: datetime
    is_hung: bool

    @property
    def is_live(self) -> bool:
        """It can be given work."""
        return self.status.state not in _GONE and not self.is_hung


@dataclass(slots=True)
class _Heard:
    status: AgentStatus
    last_seen: datetime
    seen_s: float
    progressed_s: float
    beat: Beat | None = None


class Registry:
    """Keeps the last birth and beat of every instance; nothing here waits or sends."""

    def __init__(self, clock: Clock, settings: SupervisorSettings) -> None:
        self._clock = clock
        self._hung_s = settings.hung_s
        self._heard: dict[tuple[str, str], _Heard] = {}
        self._callbacks: list[Callable[[Instance], None]] = []
        self._connected_s: float | None = None

    def set_connected(self, is_connected: bool) -> None:
        """Note whether we hear the bus; while we do not, nobody is called silent."""
        if not is_connected:
            self._connected_s = None
        elif self._connected_s is None:
            self._connected_s = self._clock.monotonic()

    def birth(self, status: AgentStatus) -> None:
        """Take a birth message or a will.

        Raises:
            InputError: INSTANCES are known and none of them is gone.
        """
        key = (status.spec.name, status.instance)
        if key not in self._heard:
            self._make_room(key)
        now_s = self._clock.monotonic()
        old = self._heard.get(key)
        heard = _Heard(status, self._clock.now(), now_s, now_s)
        if old and old.status.pid == status.pid:
            heard.beat, heard.progressed_s = old.beat, old.progressed_s
        self._heard[key] = heard
        if old is None or old.status != status:
            self._changed(heard)

    def beat(self, name: str, instance: str, beat: Beat) -> None:
        """Take a beat; one of an instance without a birth is ignored."""
        heard = self._heard.get((name, instance))
        if heard is None:
            return
        was_hung = self._is_hung(heard)
        heard.last_seen, heard.seen_s = self._clock.now(), self._clock.monotonic()
        is_idle = beat.load == 0 and beat.lag_s == 0
        if heard.beat is None or beat.progress != heard.beat.progress or is_idle:
            heard.progressed_s = heard.seen_s
        heard.beat = beat
        if was_hung:
            self._changed(heard)

    def instances(self) -> list[Instance]:
        """Return every instance ever heard, by name and instance."""
        return [self._picture(self._heard[key]) for key in sorted(self._heard)]

    def find(self, name: str) -> list[Instance]:
        """Return the instances of an agent."""
        return [each for each in self.instances() if each.status.spec.name == name]

    def capable(self, capability: str) -> list[Instance]:
        """Return the live instances that answer `capability`, the least loaded first."""
        able = [
            each
            for each in self.instances()
            if each.is_live and capability in each.status.spec.capabilities
        ]
        return sorted(able, key=lambda each: each.beat.load if each.beat else 0)

    def of_process(self, name: str, pid: int) -> Instance | None:
        """Return the instance of `name` that said it is process `pid` and is not gone."""
        return next(
            (
                each
                for each in self.find(name)
                if each.status.pid == pid and each.status.state not in _GONE
            ),
            None,
        )

    def is_overdue(self, age_s: float) -> bool:
        """Tell whether a process that started `age_s` ago should have announced itself."""
        return min(age_s, self._listening_s()) > self._hung_s

    def on_change(self, callback: Callable[[Instance], None]) -> None:
        """Have `callback` called when an instance comes, goes, or moves again."""
        self._callbacks.append(callback)

    def _make_room(self, key: tuple[str, str]) -> None:
        """Forget the instance that is gone longest, if there is no room for a new one."""
        if len(self._heard) < INSTANCES:
            return
        gone = [name for name, each in self._heard.items() if each.status.state in _GONE]
        if not gone:
            raise InputError(f'Agent "{"/".join(key)}" is refused: {INSTANCES} are the limit')
        del self._heard[min(gone, key=lambda name: self._heard[name].seen_s)]

    def _listening_s(self) -> float:
        if self._connected_s is None:
            return 0.0
        return self._clock.monotonic() - self._connected_s

    def _is_hung(self, heard: _Heard) -> bool:
        if heard.status.state in _GONE:
            return False
        still_s = self._clock.monotonic() - min(heard.seen_s, heard.progressed_s)
        return min(still_s, self._listening_s()) > self._hung_s

    def _picture(self, heard: _Heard) -> Instance:
        return Instance(heard.status, heard.beat, heard.last_seen, self._is_hung(heard))

    def _changed(self, heard: _Heard) -> None:
        for callback in self._callbacks:
            callback(self._picture(heard))
