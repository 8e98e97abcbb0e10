"""The latest findings of every agent, for pages, HTTP and websockets."""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

from app.core.alarm import Finding
from app.core.limit_watch import AGENT as LIMITS

KEPT_CONDITIONS = 5_000
KEPT_PER_AGENT = 500

Listener = Callable[[Finding], None]


class FindingBoard:
    """Keeps the newest finding of each condition and a short history of each agent.

    Both are bounded; the oldest goes first.
    """

    def __init__(self) -> None:
        self._latest: OrderedDict[str, Finding] = OrderedDict()
        self._history: dict[str, deque[Finding]] = {}
        self._listeners: list[Listener] = []

    def add(self, findings: Sequence[Finding]) -> None:
        """Take findings in and tell the listeners of each.

        That a limit nobody saw passed is not passed is no news: every tag says so once at start.
        """
        for finding in findings:
            is_absent = finding.priority is None and finding.key not in self._latest
            if is_absent and finding.agent == LIMITS:
                continue
            self._latest[finding.key] = finding
            self._latest.move_to_end(finding.key)
            if len(self._latest) > KEPT_CONDITIONS:
                self._latest.popitem(last=False)
            history = self._history.setdefault(finding.agent, deque(maxlen=KEPT_PER_AGENT))
            history.append(finding)
            for listener in self._listeners:
                listener(finding)

    def present(self, equipment: str) -> list[Finding]:
        """Return the conditions present on a unit or its tags, worst first."""
        found = [
            finding
            for finding in self._latest.values()
            if finding.priority is not None
            and (finding.equipment == equipment or finding.equipment.startswith(f"{equipment}/"))
        ]
        return sorted(found, key=lambda finding: (finding.priority or 9, finding.found_at))

    def stated(self, equipment: str) -> list[Finding]:
        """Return the latest finding of each condition of a unit, absent ones too."""
        return [finding for finding in self._latest.values() if finding.equipment == equipment]

    def history(self, agent: str, limit: int) -> list[Finding]:
        """Return an agent's last findings, newest first."""
        return list(self._history.get(agent, ()))[: -limit - 1 : -1]

    def on_finding(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for each finding; returns the function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
