"""Who looks at what: one view a tag list, one subscriber a browser tab."""

import asyncio
import math
from collections import deque


class Subscriber:
    """One browser tab: the messages that wait for it, bounded, newest kept.

    When the queue overflows, its messages are dropped and the tab is behind; it then gets one
    full frame instead, so a slow browser misses steps but never the latest value.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[str] = deque()
        self._wake = asyncio.Event()
        self._is_behind = True  # a new tab knows nothing
        self._wake.set()
        self.view: View | None = None
        self.wants_alarms = False
        self.dropped = 0

    def offer(self, text: str) -> None:
        """Queue a message that a later full frame makes superfluous."""
        if len(self._waiting) >= self._limit:
            self.dropped += len(self._waiting)
            self.catch_up()
        if not self._is_behind:
            self._waiting.append(text)
        self._wake.set()

    def catch_up(self) -> None:
        """Owe the tab everything: description, all values, alarms, status."""
        self._waiting.clear()
        self._is_behind = True
        self._wake.set()

    async def take(self) -> list[str] | None:
        """Wait for messages and return them; None when everything is owed instead."""
        await self._wake.wait()
        self._wake.clear()
        if self._is_behind:
            self._is_behind = False
            return None
        messages = list(self._waiting)
        self._waiting.clear()
        return messages


class View:
    """A tag list that one or more tabs look at, and what changed since its last frame."""

    def __init__(self, tags: tuple[str, ...]) -> None:
        self.tags = tags
        self.index = {path: index for index, path in enumerate(tags)}
        self.subscribers: set[Subscriber] = set()
        self.dirty: set[int] = set()
        self.sent_at = -math.inf
        self.hello = ""
        self.full = ""
        self.full_at = -math.inf


class Views:
    """All views, found by tag list and by tag."""

    def __init__(self) -> None:
        self._by_tags: dict[tuple[str, ...], View] = {}
        self._by_path: dict[str, list[View]] = {}

    def __len__(self) -> int:
        """Return how many different tag lists are looked at."""
        return len(self._by_tags)

    def all(self) -> list[View]:
        """Return every view."""
        return list(self._by_tags.values())

    def showing(self, path: str) -> list[View]:
        """Return the views that show a tag."""
        return self._by_path.get(path, [])

    def join(self, subscriber: Subscriber, tags: frozenset[str]) -> None:
        """Move a tab to the view of these tags, shared with every tab that shows the same."""
        self.leave(subscriber)
        key = tuple(sorted(tags))
        view = self._by_tags.get(key)
        if view is None:
            view = self._by_tags[key] = View(key)
            for path in key:
                self._by_path.setdefault(path, []).append(view)
        view.subscribers.add(subscriber)
        subscriber.view = view
        subscriber.catch_up()

    def leave(self, subscriber: Subscriber) -> None:
        """Take a tab from its view; a view without tabs goes away."""
        view, subscriber.view = subscriber.view, None
        if view is None:
            return
        view.subscribers.discard(subscriber)
        if view.subscribers:
            return
        del self._by_tags[view.tags]
        for path in view.tags:
            showing = self._by_path[path]
            showing.remove(view)
            if not showing:
                del self._by_path[path]
