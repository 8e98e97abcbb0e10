"""States of our own components as findings, so that a failed part raises an alarm."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from app.core.alarm import Finding, Priority
from app.core.health import ComponentStatus, Health
from app.core.topics import as_segment

PRIORITIES: Mapping[Health, Priority] = {
    Health.FAILED: Priority.HIGH,
    Health.DEGRADED: Priority.MEDIUM,
}

ON_DELAY = timedelta(seconds=10)
"""Long enough for an agent to gather its first window after a start (measured: 3 s)."""


class ComponentWatch:
    """Turns changes of component states into findings of the agent "system"."""

    def __init__(self) -> None:
        self._stated: dict[str, tuple[Health, str]] = {}

    def changes(self, statuses: Iterable[ComponentStatus], now: datetime) -> Iterator[Finding]:
        """Yield a finding for each component whose state or reason is another than last time.

        The first good word of a component says that its trouble is absent, so that an alarm of
        an earlier run returns. One that is starting keeps the trouble it had, so that a restart
        does not make its alarm come and go. One is degraded
        for ON_DELAY before it is stated.
        """
        for status in statuses:
            known = self._stated.get(status.name)
            if status.state is Health.STARTING or known == (status.state, status.reason):
                continue
            if status.state is Health.DEGRADED and now - status.since < ON_DELAY:
                continue
            self._stated[status.name] = (status.state, status.reason)
            yield _finding(status, now)


def _finding(status: ComponentStatus, now: datetime) -> Finding:
    return Finding(
        agent="system",
        condition="component_trouble",
        equipment=f"system/app/host/{as_segment(status.name)}",
        found_at=now,
        priority=PRIORITIES.get(status.state),
        message=_message(status),
        response=status.remedy,
    )


def _message(status: ComponentStatus) -> str:
    if not status.reason:
        return f"{status.name} is well"
    is_named = status.reason.startswith(status.name)
    return status.reason if is_named else f"{status.name}: {status.reason}"
