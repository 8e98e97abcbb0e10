"""Checks the audit's chain, a page of rows at a time, in a thread of its own."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from app.core.audit_chain import (
    REMEDY,
    Flaw,
    Head,
    Link,
    Verdict,
    find_flaw,
    find_former_flaw,
    find_head_flaw,
)
from app.core.clock import Clock
from app.core.errors import StoreError
from app.store.audit_reader import AuditReader, reading

logger = logging.getLogger(__name__)

AT_START = 10_000
"""Rows checked at each start, the last ones: a tenth of a second."""
_PAGE = 1_000
_BREATH_S = 0.002  # between pages; the interpreter is the operator's too


class CheckState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the check of the chain stands.

    Attributes:
        running: A check is under way.
        done: Rows it has read.
        total: Rows it will read; more may be added meanwhile.
        verdict: Of the last check that ended; None until the first one ended.
        trouble: Why the last check could not end; empty if it did.
    """

    running: bool = False
    done: int = 0
    total: int = 0
    verdict: Verdict | None = None
    trouble: str = ""


def check_chain(
    reader: AuditReader,
    now: Callable[[], datetime],
    last: int | None = None,
    tell: Callable[[int, int], bool] = lambda _done, _total: True,
) -> Verdict | None:
    """Read the chain and return what was found; None if it was stopped.

    Reads a page at a time; rows that are added meanwhile are checked too.

    Args:
        reader: The audit.
        now: Gives the time for the verdict.
        last: Check only so many rows at the end; None checks all.
        tell: Called with the rows read and the rows there are after each page; False stops.

    Raises:
        StoreError: The file cannot be read.
    """
    noted, first, tail = reader.noted_head(), reader.first(), reader.link()
    begin = max(first.number, tail.number - last + 1) if first and tail and last else 0
    is_whole = first is None or begin <= first.number
    before = None if is_whole else _head(reader.link(begin - 1))
    total = tail.number - (begin or (first.number if first else 1)) + 1 if tail else 0
    conclude = partial(_conclude, reader, now, is_whole=is_whole)
    if is_whole and (flaw := find_former_flaw(first, reader.former_digest())):
        return conclude(0, None, flaw)
    done = 0
    found = noted if before and noted == before else None
    while links := reader.links(before.number if before else begin - 1, _PAGE):
        for link in links:
            done += 1
            if flaw := find_flaw(link, before):
                return conclude(done, link.head, flaw)
            before = link.head
            found = before if noted and link.number == noted.number else found
        if not tell(done, max(done, total)):
            return None
    ending = tail if before is None else reader.link(before.number)
    flaw = find_head_flaw(noted, _named(reader, noted, found), ending)
    return conclude(done, before, flaw)


def _named(reader: AuditReader, noted: Head | None, found: Head | None) -> str | None:
    """Return the hash of the row that the noted head names."""
    if noted is None or found:
        return found.hash if found else None
    link = reader.link(noted.number)
    return link.hash if link else None


def _conclude(
    reader: AuditReader,
    now: Callable[[], datetime],
    rows: int,
    head: Head | None,
    flaw: Flaw | None,
    *,
    is_whole: bool,
) -> Verdict:
    noted = reader.noted_head()
    after = head.number - (noted.number if noted else 0) if head and not flaw else 0
    remedy = REMEDY if flaw else ""
    return Verdict(now(), rows, is_whole, head, flaw, max(0, after), remedy)


def _head(link: Link | None) -> Head | None:
    return link.head if link else None


class AuditCheck:
    """The check of the running app's audit: one at a time, started, watched and cancelled.

    Reads over a connection of its own, so that writing goes on meanwhile.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._state = CheckState()

    @property
    def state(self) -> CheckState:
        """How it stands."""
        return self._state

    def start(self, last: int | None = None) -> bool:
        """Begin a check, of the `last` rows or of all; return False if one is under way."""
        with self._lock:
            if self._state.running:
                return False
            self._cancelled = threading.Event()
            self._state = CheckState(running=True, verdict=self._state.verdict)
        run = partial(self._run, last, self._cancelled)
        threading.Thread(target=run, name="audit check", daemon=True).start()
        return True

    def cancel(self) -> None:
        """Stop the check under way after the page it reads; harmless if there is none."""
        self._cancelled.set()

    def _run(self, last: int | None, cancelled: threading.Event) -> None:
        def tell(done: int, total: int) -> bool:
            self._set(running=True, done=done, total=total)
            return not cancelled.wait(_BREATH_S)

        verdict, trouble = self._state.verdict, ""
        try:
            with reading(self._path) as reader:
                verdict = check_chain(reader, self._clock.now, last, tell) or verdict
        except StoreError as error:
            trouble = f"{error}. {error.hint}"
            logger.error("audit chain is not checked: %s", error)  # noqa: TRY400  no bug of ours
        finally:
            self._set(running=False, verdict=verdict, trouble=trouble)
        if verdict and verdict.flaw:
            logger.error("audit chain is broken: %s", verdict.flaw.reason)

    def _set(self, **changes: object) -> None:
        with self._lock:
            self._state = msgspec.structs.replace(self._state, **changes)
