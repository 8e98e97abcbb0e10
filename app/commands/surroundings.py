"""What the command gateway works with, as far as it knows of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from app.bus.client import Bus
from app.bus.tasks import TaskClient
from app.core.agent import AgentStatus
from app.core.alarm import Finding
from app.core.clock import Clock
from app.core.equipment import Tag
from app.core.reading import Reading
from app.settings import Settings
from app.store.audit import AuditLog


class Tags(Protocol):
    """What the plant shows: `TagTable`."""

    def has(self, path: str) -> bool:
        """Tell whether a tag is known."""
        ...

    def tag(self, path: str) -> Tag:
        """Return a tag that is known."""
        ...

    def value(self, path: str) -> Reading | None:
        """Return the newest reading of a tag."""
        ...


class Instance(Protocol):
    """One agent instance: `registry.Instance`."""

    @property
    def status(self) -> AgentStatus:
        """Its last birth, or its will."""
        ...

    @property
    def is_live(self) -> bool:
        """It can be given work."""
        ...


class Instances(Protocol):
    """Which agents live: `Registry`."""

    def find(self, name: str) -> Sequence[Instance]:
        """Return the instances of an agent."""
        ...

    def capable(self, capability: str) -> Sequence[Instance]:
        """Return the live instances that answer `capability`, the least loaded first."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the gateway works with.

    Attributes:
        settings: For the key, and how long a command lives.
        clock: The time.
        tags: What the plant shows.
        registry: Which actuators live.
        bus: Orders go out on it.
        tasks: Actuators are asked by it.
        audit: Notes who does what before it is done.
        state_finding: Takes the finding that the end of a command is unknown, or is no longer.
        settle: For so long after the start commands wait for values that nobody has told yet.
    """

    settings: Settings
    clock: Clock
    tags: Tags
    registry: Instances
    bus: Bus
    tasks: TaskClient
    audit: AuditLog
    state_finding: Callable[[Finding], None]
    settle: timedelta
