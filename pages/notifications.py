"""L4, notifications: the routes by which people are told, and what became of each message."""

from collections.abc import Sequence
from pathlib import Path

from nicegui import events, ui

from app.core.delivery import Delivery, DeliveryState, RouteListing
from app.core.errors import MillwrightError
from app.plant import Plant
from pages.asking import Asking
from pages.frame import actor, frame
from pages.markup import Html, join, place, tag
from pages.refresh import while_visible
from pages.sight import upkeep_sight_of
from pages.widgets import capitalised, card, empty_state, skeleton
from pages.widgets.confirm import confirmed
from pages.widgets.upkeep.delivery_row import (
    DELIVERY_HEADINGS,
    LOOKS,
    ROUTE_HEADINGS,
    delivery_row,
    route_row,
)
from pages.widgets.upkeep.order_row import table
from pages.widgets.upkeep.sight import UpkeepSight
from pages.widgets.workflow.assets import add_files, serve_files

SHOWN = 100
_CSS = Path(__file__).parent / "widgets" / "upkeep" / "upkeep.css"
_EXAMPLE = """[[notify.routes]]
name = "shift"
url_env = "SHIFT_MAIL_URL"
priorities = [1, 2]"""


def create(plant: Plant) -> None:
    """Register the page."""
    base = serve_files()

    @ui.page("/notifications")
    async def notifications() -> None:
        add_files(base)
        ui.add_css(_CSS)
        with frame(plant, "Notifications", active="/notifications"):
            board = _Board(plant)
            await board.asking.first()
            while_visible(board.asking.tick)


class _Board:
    """Routes and deliveries as the notifier last told them."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.asking = Asking(self._refresh, "ask for notifications")
        self._shown = card("Routes", skeleton(6))
        self._body = place(self._shown)
        ui.on("mw_act", self._act)

    async def _refresh(self) -> None:
        upkeep = self._plant.upkeep
        try:
            told = await upkeep.routes()
            found = await upkeep.deliveries(SHOWN)
        except MillwrightError as error:
            self._show(_without(self._plant, error))
        else:
            self._show(join([_routes(told), _log(found, upkeep_sight_of(self._plant))]))

    def _show(self, content: Html) -> None:
        if content != self._shown:
            self._shown = content
            self._body.set_content(tag("div", content, class_="mw-stack"))

    async def _act(self, event: events.GenericEventArguments) -> None:
        match event.args:
            case {"do": "test", "id": str() as route}:
                await self._test(route)
            case _:
                return

    async def _test(self, route: str) -> None:
        consequence = (
            "Whoever is behind this route gets a message of low priority that says it is a test, "
            "with your name. Quiet hours and the limit of an hour hold it back as any other."
        )
        if not await confirmed(f"Send a test by “{route[:60]}”?", consequence, "Send"):
            return
        ui.notify(f"Sending a test by {route[:60]}")
        try:
            answer = await self._plant.upkeep.send_test(route, actor())
        except MillwrightError as error:
            ui.notify(f"{error}. {error.hint}".rstrip(". "), type="warning")
            return
        why = f": {answer.reason}" if answer.reason else ""
        is_sent = answer.state is DeliveryState.SENT
        words = f"Test by {answer.name}: {LOOKS[answer.state][1]}{why}"
        ui.notify(words, type=None if is_sent else "warning")
        await self._refresh()


def _routes(told: RouteListing) -> Html:
    problems = [tag("p", capitalised(each), class_="mw-away") for each in told.problems]
    if not told.routes:
        return join([*problems, _how_to_add()])
    rows = [route_row(route, is_known=True) for route in told.routes]
    return join([*problems, card("Routes", table(ROUTE_HEADINGS, rows, "mw-routes"))])


def _how_to_add() -> Html:
    return empty_state(
        "No route is configured: nobody is told",
        [
            "A route is one way to reach people: mail, SMS, chat, a pager. Put it into "
            "data/settings.toml, and its address with the secret into the environment variable "
            "that url_env names; then start the notifier again on the ",
            tag("a", "Agents page", href="/agents", class_="mw-link"),
            ".",
        ],
        tag("pre", _EXAMPLE, class_="mw-example"),
        ["All keys and services are in ", tag("code", "docs/notify.md"), "."],
    )


def _log(found: Sequence[Delivery], sight: UpkeepSight) -> Html:
    if not found:
        words = "Nothing was sent or held back yet. Each message will be a row here."
        return card("Deliveries", tag("p", words, class_="mw-hint"))
    rows = [delivery_row(delivery, sight) for delivery in found]
    more = tag("span", f"the last {len(rows)}", class_="mw-hint")
    return card("Deliveries", table(DELIVERY_HEADINGS, rows, "mw-deliveries"), more=more)


def _without(plant: Plant, error: MillwrightError) -> Html:
    agents = tag("a", "Agents page", href="/agents", class_="mw-link")
    away = tag(
        "p",
        tag("b", "The notifier does not answer: nobody is told of alarms."),
        " Start it on the ",
        agents,
        "; what waits on its disk is sent then. ",
        tag("span", f"{error}", class_="mw-hint"),
        class_="mw-away",
        role="status",
    )
    rows = [route_row(route, is_known=False) for route in plant.upkeep.routes_of_settings()]
    if not rows:
        return join([away, _how_to_add()])
    return join([away, card("Routes of the settings", table(ROUTE_HEADINGS, rows, "mw-routes"))])
