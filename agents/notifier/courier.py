"""Sends one notification by Apprise, in a thread that cannot hold up anything else."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from typing_extensions import override

from app.core.alarm import Priority

_MOST_REASON = 300
_TYPES = {Priority.CRITICAL: "failure", Priority.HIGH: "failure", Priority.MEDIUM: "warning"}


class Courier(Protocol):
    """Whoever carries a notification."""

    async def check(self, url: str) -> str:
        """Return what is wrong with a URL, "" if nothing is."""
        ...

    async def send(
        self, url: str, title: str, body: str, priority: Priority, timeout_s: float
    ) -> str:
        """Send, and return why it failed, "" if it went out."""
        ...


class AppriseCourier:
    """Apprise, imported when the first route needs it: it costs 40 MB."""

    def __init__(self) -> None:
        self._stuck: dict[str, threading.Thread] = {}

    async def check(self, url: str) -> str:
        """Return what is wrong with a URL, "" if nothing is."""
        return await asyncio.to_thread(_check, url)

    async def send(
        self, url: str, title: str, body: str, priority: Priority, timeout_s: float
    ) -> str:
        """Send, and return why it failed, "" if it went out.

        A try that takes longer counts as failed though it may still go out; the next one does not
        begin before its thread has ended, so that a service that hangs cannot collect threads.
        """
        stuck = self._stuck.get(url)
        if stuck is not None and stuck.is_alive():
            return "the try before has not ended yet"
        done = asyncio.get_running_loop().create_future()
        kind = _TYPES.get(priority, "info")
        thread = _start(lambda: _send(url, title, body, kind), done)
        self._stuck[url] = thread
        try:
            async with asyncio.timeout(timeout_s):
                reason: str = await done
        except TimeoutError:
            return f"no answer in {timeout_s:g} s"
        return reason


def _start(work: Callable[[], str], done: "asyncio.Future[str]") -> threading.Thread:
    # A daemon, not a pool: the process must be able to end while a service keeps it waiting.
    loop = asyncio.get_running_loop()

    def settle(reason: str) -> None:
        if not done.done():
            done.set_result(reason)

    def run() -> None:
        try:
            reason = work()
        except Exception as error:  # noqa: BLE001  plug-ins of Apprise raise what they like; it is the reason
            reason = f"{type(error).__name__}: {error}"
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, reason)

    thread = threading.Thread(target=run, name="courier", daemon=True)
    thread.start()
    return thread


def _apprise() -> Any:  # noqa: ANN401  Apprise is typed in part
    import apprise  # noqa: PLC0415  40 MB that only a notifier with routes shall pay for

    logger = logging.getLogger("apprise")
    logger.setLevel(logging.WARNING)  # its info lines name receivers
    logger.propagate = False  # we log once a route, not once a try
    return apprise


def _check(url: str) -> str:
    library = _apprise()
    with _Overheard() as overheard:
        if library.Apprise.instantiate(url, suppress_exceptions=True) is not None:
            return ""
    # Its words may hold the URL, and the URL a secret.
    del overheard
    scheme = url.partition("://")[0]
    return f'Apprise cannot use the URL "{scheme[:20]}://…"; see docs/notify.md'


def _send(url: str, title: str, body: str, kind: str) -> str:
    library = _apprise()
    service = library.Apprise()
    with _Overheard() as overheard:
        if not service.add(url):
            return "Apprise cannot use the URL; see docs/notify.md"
        # Apprise refuses a message without a body.
        heading, text = (title, body) if body else ("", title)
        is_sent: bool | None = service.notify(title=heading, body=text, notify_type=kind)
    return "" if is_sent else overheard.words()


class _Overheard(logging.Handler):
    """What Apprise logs in this thread; it is the only place where it says why it failed."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._thread = threading.get_ident()
        self._lines: list[str] = []

    def __enter__(self) -> "_Overheard":
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self._lines.append(record.getMessage())

    def words(self) -> str:
        """Return them as a reason."""
        return "; ".join(self._lines)[:_MOST_REASON] or "Apprise does not say why"
