"""L4, the audit: who did what outside the alarm list, and whether its chain of rows is whole."""

import asyncio
from dataclasses import replace
from zoneinfo import ZoneInfo

from nicegui import ui

from app.core.audit_chain import Head
from app.core.audit_row import AuditFilter, AuditRow
from app.core.errors import StoreError
from app.plant import Plant
from pages.frame import frame
from pages.markup import Html, place, tag
from pages.refresh import Painted, while_visible
from pages.widgets import card, empty_state
from pages.widgets.audit_chain import chain_line
from pages.widgets.audit_filter import Asked, filter_form
from pages.widgets.audit_table import audit_table
from pages.widgets.workflow.words import count_words

ROWS_AT_ONCE = 100
LOOK_AGAIN_S = 5.0


def create(plant: Plant) -> None:
    """Register the page."""

    @ui.page("/audit")
    async def audit(  # noqa: PLR0917  the fields of the address
        text: str = "",
        actor: str = "",
        source: str = "",
        action: str = "",
        outcome: str = "",
        start: str = "",
        end: str = "",
    ) -> None:
        asked = Asked(text, actor, source, action, outcome, start, end)
        listing = Listing(plant, asked)
        await listing.load()
        with frame(plant, "Audit", active="/audit"):
            _chain(plant)
            place(filter_form(asked, listing.rows, listing.wrong))
            listing.put()


class Listing:
    """The rows that were asked for, and the button for older ones."""

    def __init__(self, plant: Plant, asked: Asked) -> None:
        self._plant = plant
        self._asked = asked
        self._wanted: AuditFilter | None = None
        self._trouble: StoreError | None = None
        self._has_more = False
        self._head: Head | None = None
        self.rows: list[AuditRow] = []
        self.wrong = ""
        try:
            self._wanted = asked.filter(ZoneInfo(plant.settings.site.timezone))
        except ValueError as error:
            self.wrong = str(error)

    async def load(self) -> None:
        """Read the next rows, the newest first."""
        found = await self._found(self.rows[-1].number if self.rows else None)
        if found is not None:
            self.rows += found
            self._has_more = len(found) == ROWS_AT_ONCE

    async def look(self) -> None:
        """Read the newest rows anew if anything was noted since."""
        if self._wanted is None or (self._head is not None and self._head == await self._end()):
            return
        found = await self._found(None)
        if found is None:
            return
        if len(found) == ROWS_AT_ONCE and not (
            self.rows and found[-1].number <= self.rows[0].number
        ):
            self.rows, self._has_more = found, True  # so many are new that some may lie between
            return
        last = found[-1].number if found else 0
        self.rows = found + [row for row in self.rows if row.number < last]

    async def _found(self, before: int | None) -> list[AuditRow] | None:
        """Return rows before a number; None if they cannot be read, which is then shown."""
        if self._wanted is None:
            return None
        wanted = replace(self._wanted, before=before)
        self._head = await self._end()  # first: what is noted from here on is found the next time
        try:
            found = await asyncio.to_thread(self._plant.audit.search, wanted, ROWS_AT_ONCE)
        except StoreError as error:
            self._trouble = error
            return None
        self._trouble = None
        return found

    async def _end(self) -> Head | None:
        try:
            return await asyncio.to_thread(self._plant.audit.head)
        except StoreError:
            return None

    def put(self) -> None:
        """Build the table."""
        table = Painted(self._draw)
        older = ui.button("Load older", color=None).props("flat").classes("mw-clear")
        older.set_visibility(self._has_more)

        async def load_older() -> None:
            await self.load()
            table.paint()
            older.set_visibility(self._has_more)

        async def look_again() -> None:
            await self.look()
            table.paint()  # ages, at the least
            older.set_visibility(self._has_more)

        older.on_click(load_older)
        ui.timer(LOOK_AGAIN_S, look_again, immediate=False)

    def _draw(self) -> Html:
        if self._trouble:
            return _trouble(self._trouble)
        if not self.rows:
            return _nothing(self._asked)
        plant = self._plant
        table = audit_table(
            self.rows, plant.clock.now(), plant.settings.site.timezone, plant.tags.unit_name
        )
        which = "the newest shown" if self._has_more else "all that fit"
        count = tag("span", f"{count_words(len(self.rows), 'action')}, {which}", class_="mw-hint")
        return card("Actions", table, more=count)


def _nothing(asked: Asked) -> Html:
    if asked.is_empty:
        return empty_state(
            "Nobody has done anything yet",
            "Here you see who started or stopped an agent, forgot a unit or sent a command: when, "
            "from where, why, and what came of it. What is done to alarms stands in their journal.",
            "The first action appears here as soon as it is asked for.",
        )
    return empty_state(
        "No action fits what you search for",
        "Who and What are compared in full; the first field finds a part of any text.",
        tag("a", "Show all actions", href="/audit", class_="mw-link"),
    )


def _trouble(error: StoreError) -> Html:
    return empty_state(
        "The audit cannot be read",
        str(error),
        error.hint,
        "Nothing that needs an audit row is done meanwhile.",
        tag("a", "Health", href="/health", class_="mw-link"),
    )


def _chain(plant: Plant) -> None:
    """Put the state of the chain, and the buttons that check it."""
    check = plant.stores.audit_check
    zone = plant.settings.site.timezone

    def draw() -> Html:
        return chain_line(check.state, plant.audit.flaw, plant.clock.now(), zone)

    with ui.element("section").classes("mw-card mw-chain"):
        line = Painted(draw)
        with ui.element("div").classes("mw-row mw-chain-tools"):
            verify = ui.button("Verify", color=None).props("flat").mark("verify")
            verify.tooltip("Read every row and compare it with the one before it")
            cancel = ui.button("Cancel", color=None).props("flat").mark("cancel")
            place(
                tag("a", "Export as CSV", href="/api/audit/export", class_="mw-link", download=True)
            )

        def paint() -> None:
            line.paint()
            verify.set_visibility(not check.state.running)
            cancel.set_visibility(check.state.running)

        def begin() -> None:
            check.start()
            paint()

        verify.on_click(begin)
        cancel.on_click(check.cancel)
        paint()
        while_visible(paint)
