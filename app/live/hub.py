"""Frames to browsers: one a view, encoded once, the same text to every subscriber."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from app.core.alarm import Alarm, AlarmState, AlarmSummary, Priority
from app.core.clock import Clock
from app.live import frames
from app.live.tags import TagTable
from app.live.view import Subscriber, View, Views
from app.settings import LiveSettings

HEARTBEAT_S = 1.0


class LiveHub:
    """Gathers changes and sends them: after quiet at once, then at a bounded rate.

    Its owner wires `tags.on_change(hub.notify)`; `run` must run for frames to flow.
    """

    def __init__(self, tags: TagTable, settings: LiveSettings, clock: Clock) -> None:
        self._tags = tags
        self._settings = settings
        self._clock = clock
        self._pacer = frames.Pacer(settings.gather_s, settings.frame_interval_s)
        self._views = Views()
        self._subscribers: set[Subscriber] = set()
        self._first_change = 0.0
        self._changed = asyncio.Event()
        self._summary = AlarmSummary()
        self._alarms: dict[str, Alarm] = {}
        self._ask_status: Callable[[], Mapping[str, object]] = dict
        self._status: Mapping[str, object] = {}
        self.boot = f"{self._time_ms():x}"
        tags.on_declare(self._redescribe)

    def _time_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    @property
    def subscribers(self) -> int:
        """Browser tabs connected."""
        return len(self._subscribers)

    @property
    def views(self) -> int:
        """Different tag lists looked at."""
        return len(self._views)

    def join(self) -> Subscriber:
        """Add a browser tab that looks at nothing yet."""
        subscriber = Subscriber(self._settings.client_queue)
        self._subscribers.add(subscriber)
        return subscriber

    def look(self, subscriber: Subscriber, tags: Sequence[str]) -> None:
        """Show the tab these tags from now on; it gets their description and all values."""
        self._views.join(subscriber, frozenset(tags))

    def watch_alarms(self, subscriber: Subscriber, *, wanted: bool) -> None:
        """Show the tab alarms, or no longer."""
        subscriber.wants_alarms = wanted
        if wanted:
            subscriber.catch_up()

    def leave(self, subscriber: Subscriber) -> None:
        """Forget a tab; harmless if it has left."""
        self._views.leave(subscriber)
        self._subscribers.discard(subscriber)

    async def messages(self, subscriber: Subscriber) -> list[str]:
        """Wait for and return what is to be sent to a tab now."""
        waiting = await subscriber.take()
        return self._everything(subscriber) if waiting is None else waiting

    def _everything(self, subscriber: Subscriber) -> list[str]:
        view = subscriber.view
        now_ms = self._time_ms()
        if view is None:
            messages = [frames.hello(now_ms, self.boot, ())]
        else:
            messages = [self._hello(view), self._full(view)]
        if subscriber.wants_alarms:
            messages.append(self._alarm_text(self._worst_first(), is_all=True))
        if self._status:
            messages.append(frames.message("s", now_ms, self._status))
        return messages

    def _hello(self, view: View) -> str:
        if not view.hello:
            described = [
                (path, self._tags.tag(path) if self._tags.has(path) else None) for path in view.tags
            ]
            view.hello = frames.hello(self._time_ms(), self.boot, described)
        return view.hello

    def _full(self, view: View) -> str:
        now_s = self._clock.monotonic()
        if not view.full or now_s - view.full_at > HEARTBEAT_S:  # ages in it would be wrong
            values = [(index, self._fragment(path)) for path, index in view.index.items()]
            view.full, view.full_at = frames.frame(self._time_ms(), values), now_s
        return view.full

    def _fragment(self, path: str) -> str:
        if not self._tags.has(path):
            return frames.UNKNOWN_TAG
        return frames.fragment(self._tags.value(path), self._tags.tag(path), self._clock.now())

    def _redescribe(self, paths: Sequence[str]) -> None:
        for path in paths:
            for view in self._views.showing(path):
                if view.hello:
                    view.hello = view.full = ""
                    for subscriber in view.subscribers:
                        subscriber.catch_up()

    def notify(self, changed: Sequence[str]) -> None:
        """Note changed tags for the next frame of each view that shows them."""
        for path in changed:
            for view in self._views.showing(path):
                view.dirty.add(view.index[path])
                view.full = ""
                if not self._changed.is_set():
                    self._first_change = self._clock.monotonic()
                    self._changed.set()

    def alarms(self, summary: AlarmSummary, changed: Sequence[Alarm]) -> None:
        """Tell every tab that shows alarms, at once; call once at start with all alarms."""
        self._summary = summary
        for alarm in changed:
            if alarm.state is AlarmState.NORMAL:
                self._alarms.pop(alarm.id, None)
            else:
                self._alarms[alarm.id] = alarm
        if len(changed) > frames.ROWS_LIMIT:
            text = self._alarm_text(self._worst_first(), is_all=True)
        else:
            text = self._alarm_text(changed)
        for subscriber in self._subscribers:
            if subscriber.wants_alarms:
                subscriber.offer(text)

    def _alarm_text(self, rows: Sequence[Alarm], *, is_all: bool = False) -> str:
        return frames.alarms(
            self._time_ms(), self._summary, rows, self._tags.unit_name, is_all=is_all
        )

    def _worst_first(self) -> list[Alarm]:
        return sorted(
            self._alarms.values(),
            key=lambda alarm: (alarm.finding.priority or Priority.LOW, alarm.raised_at),
        )

    def watch_status(self, ask: Callable[[], Mapping[str, object]]) -> None:
        """Ask once a second for what the status line shows; changes go to every tab."""
        self._ask_status = ask

    async def run(self) -> None:
        """Send frames and heartbeats; runs until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._send_frames(), name="live-frames")
            tasks.create_task(self._beat(), name="live-heartbeat")

    async def _send_frames(self) -> None:
        while True:
            await self._changed.wait()
            due = self._pacer.due(self._first_change)
            await self._clock.sleep(max(0.0, due - self._clock.monotonic()))
            self._changed.clear()
            self._pacer.flushed(self._clock.monotonic())
            self._flush()

    def _flush(self) -> None:
        now_ms, now_s = self._time_ms(), self._clock.monotonic()
        fragments: dict[str, str] = {}
        for view in self._views.all():
            if not view.dirty:
                continue
            values: list[tuple[int, str]] = []
            for index in sorted(view.dirty):
                path = view.tags[index]
                text = fragments.get(path)
                if text is None:
                    text = fragments[path] = self._fragment(path)
                values.append((index, text))
            view.dirty.clear()
            view.sent_at = now_s
            text = frames.frame(now_ms, values)
            for subscriber in view.subscribers:
                subscriber.offer(text)

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(HEARTBEAT_S)
            self._tell_status()
            quiet_since = self._clock.monotonic() - HEARTBEAT_S
            text = frames.heartbeat(self._time_ms())
            for subscriber in self._subscribers:
                if subscriber.view is None or subscriber.view.sent_at <= quiet_since:
                    subscriber.offer(text)

    def _tell_status(self) -> None:
        status = self._ask_status()
        if status != self._status:
            self._status = status
            text = frames.message("s", self._time_ms(), status)
            for subscriber in self._subscribers:
                subscriber.offer(text)
