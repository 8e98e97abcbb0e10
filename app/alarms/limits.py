"""Watches every tag of the plant against its limits; one `TagWatch` a tag that needs it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.alarm import Finding
from app.core.equipment import Limits, Tag
from app.core.limit_watch import TagWatch, nothing_wrong
from app.core.reading import Quality, Reading

RESTATE = timedelta(seconds=60)
"""How often what is present is stated again, so that a lost finding heals (design)."""

STARTING = timedelta(seconds=20)
"""A unit that was started has this long to reach its duty before its limits count again."""

_NO_LIMITS = Limits()


@dataclass(slots=True)
class _Guard:
    """A tag that tells whether its unit stands, and since when it does not."""

    is_standing: bool = False
    started_at: datetime | None = None

    def take(self, reading: Reading) -> None:
        """Take a reading; one that is not good says nothing, so limits count."""
        stands = reading.quality is Quality.GOOD and reading.value == 0
        if self.is_standing and not stands:
            self.started_at = reading.received_time
        self.is_standing = stands

    def stands(self, now: datetime) -> bool:
        """Tell whether the unit stands or has just been started."""
        return self.is_standing or (
            self.started_at is not None and now - self.started_at < STARTING
        )


class LimitWatcher:
    """Turns readings into findings of the agent "limits".

    A tag without limits costs one look-up while its quality is good. The first reading of a
    tag states what is absent, so that an alarm left from an earlier run returns.
    """

    def __init__(self, bad_quality_s: float = 30.0) -> None:
        self._bad_quality_s = bad_quality_s
        self._watches: dict[str, TagWatch] = {}
        self._plain: dict[str, Tag] = {}
        self._active: dict[str, TagWatch] = {}
        self._restated_at: datetime | None = None
        self._guards: dict[str, _Guard] = {}

    def apply(self, tag: Tag, reading: Reading) -> list[Finding]:
        """Judge one reading of `tag`; return the conditions that came or went."""
        path = reading.tag
        if path in self._guards:
            self._guards[path].take(reading)
        if self._plain.get(path) is tag and reading.quality is not Quality.BAD:
            return []
        watch, findings = self._watches.get(path), list[Finding]()
        if watch is None or watch.tag is not tag:
            self._plain.pop(path, None)
            watch = self._watches[path] = TagWatch(tag, self._bad_quality_s)
            findings = watch.first(reading.received_time)
            if tag.limits_while:
                self._guards.setdefault(_guard(tag), _Guard())
        stands = tag.limits_while and self._guards[_guard(tag)].stands(reading.received_time)
        findings += watch.rest(reading) if stands else watch.apply(reading)
        self._sort(path, watch)
        return findings

    def tick(self, now: datetime) -> list[Finding]:
        """Judge what only time can tell; call about once a second."""
        findings = [finding for path in list(self._active) for finding in self._tick_one(path, now)]
        if self._restated_at is None or now - self._restated_at >= RESTATE:
            self._restated_at = now
            for watch in self._active.values():
                findings += watch.present(now)
        return findings

    def forget(self, paths: Iterable[str], now: datetime) -> list[Finding]:
        """Forget tags that are not declared any more; return that nothing is wrong with them.

        Also of a tag that it has not seen: its alarm may be left from an earlier run.
        """
        findings: list[Finding] = []
        for path in paths:
            for watched in (self._plain, self._watches, self._active):
                watched.pop(path, None)
            findings += nothing_wrong(path, now, "The tag is not declared any more")
        return findings

    def _tick_one(self, path: str, now: datetime) -> list[Finding]:
        watch = self._active[path]
        findings = watch.tick(now)
        self._sort(path, watch)
        return findings

    def _sort(self, path: str, watch: TagWatch) -> None:
        if watch.is_watched:
            self._active[path] = watch
            return
        self._active.pop(path, None)
        if watch.tag.limits == _NO_LIMITS and watch.is_bad is False:
            self._plain[path] = watch.tag
            self._watches.pop(path, None)


def _guard(tag: Tag) -> str:
    return f"{tag.equipment}/{tag.limits_while}"
