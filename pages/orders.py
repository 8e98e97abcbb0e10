"""L3, maintenance orders, open and closed, and what the last shifts left behind."""

from pathlib import Path

from nicegui import events, ui

from app.core.errors import MillwrightError
from app.core.order import Order, OrderState
from app.plant import Plant
from pages.asking import Asking
from pages.away import is_away
from pages.frame import actor, frame, guarded
from pages.markup import Html, join, place, tag
from pages.order_form import ask_order
from pages.refresh import while_visible
from pages.sight import upkeep_sight_of
from pages.widgets import card, clock_words, empty_state, skeleton
from pages.widgets.reason import reason_for
from pages.widgets.upkeep.order_row import (
    CLOSED_HEADINGS,
    OPEN_HEADINGS,
    SHIFT_HEADINGS,
    closed_row,
    open_row,
    shift_row,
    table,
)
from pages.widgets.upkeep.sight import UpkeepSight
from pages.widgets.workflow.assets import add_files, serve_files

OPEN_SHOWN = 500
CLOSED_SHOWN = 50
_CSS = Path(__file__).parent / "widgets" / "upkeep" / "upkeep.css"


def create(plant: Plant) -> None:
    """Register the page."""
    base = serve_files()

    @ui.page("/orders")
    async def orders() -> None:
        add_files(base)
        ui.add_css(_CSS)
        with frame(plant, "Orders", active="/orders"):
            board = _Board(plant)
            await board.start()
            while_visible(board.paint)


class _Board:
    """The orders as the backlog agent last told them."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._asking = Asking(self._refresh, "ask for orders")
        self._orders: tuple[tuple[Order, ...], tuple[Order, ...]] | None = None
        self._told_at = plant.clock.now()
        self._trouble: MillwrightError | None = None
        with ui.element("div").classes("mw-filters"):
            new = ui.button("New order", on_click=self._create, color=None)
            new.props("unelevated").classes("mw-button mw-primary").mark("new order")
        self._away = _Shown()
        self._lists = _Shown(card("Open", skeleton(6)))
        self._shifts = _Shown()
        ui.on("mw_act", self._act)

    async def start(self) -> None:
        """Show shifts, and orders if the agent tells them at once."""
        self._show_shifts()
        await self._asking.first()

    def paint(self) -> None:
        """Show shifts, and ask for orders if it is time."""
        self._show_shifts()
        self._asking.tick()

    def _show_shifts(self) -> None:
        self._shifts.show(_shifts(self._plant, upkeep_sight_of(self._plant)))

    async def _refresh(self) -> None:
        upkeep = self._plant.upkeep
        try:
            is_open = await upkeep.orders(OrderState.OPEN, OPEN_SHOWN)
            closed = await upkeep.orders(OrderState.CLOSED, CLOSED_SHOWN)
        except MillwrightError as error:
            self._trouble = error
        else:
            self._trouble = None
            self._orders = tuple(is_open), tuple(closed)
            self._told_at = self._plant.clock.now()
        self._draw()

    def _draw(self) -> None:
        zone = self._plant.settings.site.timezone
        known = clock_words(self._told_at, zone) if self._orders else ""
        trouble = self._trouble
        is_bus = is_away(self._plant)
        self._away.show(_away(trouble, known, is_bus=is_bus) if trouble else Html(""))
        if self._orders is None:
            self._lists.show(Html("") if self._trouble else card("Open", skeleton(6)))
            return
        lists = _lists(*self._orders, upkeep_sight_of(self._plant))
        self._lists.show(
            tag("div", lists, class_="mw-stack mw-old" if self._trouble else "mw-stack")
        )

    async def _create(self) -> None:
        if await ask_order(self._plant):
            await self._refresh()

    async def _act(self, event: events.GenericEventArguments) -> None:
        match event.args:
            case {"do": "close", "id": str() as order_id}:
                await self._close(order_id)
            case _:
                return

    async def _close(self, order_id: str) -> None:
        note = await reason_for(
            f"Close {order_id[:20]}?",
            "It leaves the open orders and cannot be opened again; the note stands in it.",
            "Close",
            label="What was done",
        )
        if note and await guarded(self._plant.upkeep.close_order(order_id, note, actor())):
            await self._refresh()


class _Shown:
    """A piece that is sent again only when it looks different."""

    def __init__(self, first: Html | None = None) -> None:
        self._content = first or Html("")
        self._element = place(self._content)
        self._element.set_visibility(bool(self._content))

    def show(self, content: Html) -> None:
        if content != self._content:
            self._content = content
            self._element.set_content(content)
            self._element.set_visibility(bool(content))


def _away(error: MillwrightError, known: str, *, is_bus: bool) -> Html:
    agents = tag("a", "Agents page", href="/agents", class_="mw-link")
    way = (
        "They come by themselves once the broker is back"
        if is_bus
        else ["Start it on the ", agents]
    )
    wrong = "cannot be asked" if is_bus else "does not answer"
    return tag(
        "p",
        tag("b", f"The backlog agent, which keeps the orders, {wrong}."),
        " Nothing is lost: it has them on disk. ",
        way,
        f". The list is of {known}." if known else ".",
        " ",
        tag("span", f"{error}", class_="mw-hint"),
        class_="mw-away",
        role="status",
    )


def _lists(is_open: tuple[Order, ...], closed: tuple[Order, ...], sight: UpkeepSight) -> Html:
    rows = [open_row(order, sight) for order in is_open]
    count = tag("span", f"{len(rows)} open", class_="mw-hint")
    nothing = empty_state(
        "No order is open",
        "A workflow makes one when a machine needs repair, and so can you: New order.",
    )
    first = table(OPEN_HEADINGS, rows, "mw-orders-open") if rows else nothing
    done = [closed_row(order, sight) for order in closed]
    second = table(CLOSED_HEADINGS, done, "mw-orders-closed")
    few = f"the last {CLOSED_SHOWN}" if len(done) == CLOSED_SHOWN else None
    more = tag("span", few, class_="mw-hint")
    return join(
        [card("Open", first, more=count), card("Closed", second, more=more) if done else None]
    )


def _shifts(plant: Plant, sight: UpkeepSight) -> Html:
    shifts = plant.shifts.latest
    if not shifts:
        flows = tag("a", "Workflows", href="/workflows?find=shift", class_="mw-link")
        words = [
            "None was heard since the app started. The workflow for the hand-over of a shift makes "
            "one at its end; see ",
            flows,
            ".",
        ]
        return card("Shift summaries", tag("p", words, class_="mw-hint"))
    rows = [shift_row(shift, sight) for shift in shifts]
    since = tag("span", "heard since the app started", class_="mw-hint")
    return card("Shift summaries", table(SHIFT_HEADINGS, rows, "mw-shifts"), more=since)
