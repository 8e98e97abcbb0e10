"""L4, the health of the app itself: components, refused messages, traffic, history, broker log."""

from collections import Counter
from collections.abc import Sequence

from nicegui import ui

from app.bus.client import Counters
from app.bus.dead_letters import DeadLetter
from app.core.health import ComponentStatus, Health
from app.plant import Plant
from app.store.history import HistoryStats
from pages.frame import actor, frame, guarded
from pages.markup import Html, place, tag
from pages.quarantine import LOOK_AGAIN_S, quarantine_card
from pages.refresh import Painted, while_visible
from pages.widgets import card, clock_words, number, status_line
from pages.widgets.confirm import confirmed
from pages.widgets.log_tail import LogTail

LETTERS_SHOWN = 50
_WORST_FIRST = (Health.FAILED, Health.DEGRADED, Health.STARTING, Health.STOPPED, Health.OK)
_MEGABYTE = 1_000_000
_MORE = {  # where there is more about a component
    "Alarms": ("Alarms", "/alarms"),
    "Alarm journal": ("Alarm rate", "/alarms/kpi"),
    "Audit": ("Audit", "/audit"),
    "Broker": ("Output", "#broker"),
    "Bus": ("Messages", "#messages"),
    "Historian": ("History", "#history"),
    "Equipment store": ("Overview", "/"),
}


def create(plant: Plant) -> None:
    """Register the page."""

    @ui.page("/health")
    async def health() -> None:
        aside = await plant.stores.quarantined()
        with frame(plant, "Health", active="/health"):
            pieces = [Painted(lambda: _components(plant))]
            pieces.append(Painted(lambda: quarantine_card(aside, plant.settings.site.timezone)))
            pieces.append(Painted(lambda: _letters(plant)))
            clear = ui.button("Clear the list", on_click=lambda: _clear(plant), color=None)
            clear.props("flat").classes("mw-clear")
            with ui.element("div").classes("mw-halves"):
                pieces.append(Painted(lambda: _traffic(plant)))
                pieces.append(Painted(lambda: history_table(plant.historian.stats)))
            log = _broker_log(plant)

            def paint() -> None:
                for piece in pieces:
                    piece.paint()
                clear.set_visibility(bool(plant.dead_letters.list()))
                if log:
                    log.paint()

            async def look_again() -> None:
                nonlocal aside
                aside = await plant.stores.quarantined()

            paint()
            while_visible(paint)
            ui.timer(LOOK_AGAIN_S, look_again, immediate=False)


def _broker_log(plant: Plant) -> LogTail | None:
    broker = plant.broker
    if broker is None:
        return None
    with ui.element("section").classes("mw-card").props("id=broker"):
        with ui.element("div").classes("mw-card-title"):
            place(tag("h2", "Output of the broker"))
            log = LogTail(broker.log)
        log.put()
    return log


async def _clear(plant: Plant) -> None:
    kept = len(plant.dead_letters.list())
    consequence = (
        f"{_messages(kept)} will be forgotten with the reason of each; they cannot be brought back."
    )
    if await confirmed("Clear the refused messages?", consequence, "Clear"):
        await guarded(plant.clear_dead_letters(actor()))


def _components(plant: Plant) -> Html:
    return components_card(plant.health(), plant)


def components_card(statuses: Sequence[ComponentStatus], plant: Plant) -> Html:
    """Return all components, those in trouble first."""
    now, name_of = plant.clock.now(), plant.tags.unit_name
    ordered = sorted(statuses, key=lambda status: _WORST_FIRST.index(status.state))
    return card(
        "Components",
        tag("div", [status_line(each, now, name_of, _more(each)) for each in ordered]),
        more=tag("span", _count_words(statuses), class_="mw-hint"),
    )


def _count_words(statuses: Sequence[ComponentStatus]) -> str:
    counts = Counter(status.state for status in statuses)
    stopped = counts[Health.STOPPED]  # by a person or the settings: not unwell
    words = f"{counts[Health.OK]} of {len(statuses) - stopped} are well"
    return f"{words}, {stopped} stopped" if stopped else words


def _more(status: ComponentStatus) -> tuple[str, str] | None:
    if status.name == "Notifier agent":
        return "Routes", "/notifications"
    if status.name.endswith(" agent"):
        return "Agents", "/agents"
    return _MORE.get(status.name)


def _letters(plant: Plant) -> Html:
    letters, total = plant.dead_letters.list(), plant.dead_letters.total
    return letters_card(letters, total, plant.settings.site.timezone)


def letters_card(letters: Sequence[DeadLetter], total: int, zone: str) -> Html:
    """Return the newest refused messages.

    Args:
        letters: Those kept, newest first.
        total: How many were refused since the start.
        zone: The plant's time zone.
    """
    if not letters:
        nothing = (
            "No message is listed here. One that is not UTF-8, not JSON, too big or of the wrong "
            "shape would be, with the reason; it is never stored as a value."
        )
        body = tag("p", nothing, class_="mw-hint")
    else:
        head = [tag("th", word) for word in ("Time", "Topic", "Reason", "Begins with", "Bytes")]
        rows = [_letter(letter, zone) for letter in letters[:LETTERS_SHOWN]]
        table = tag("table", tag("tr", head), rows, class_="mw-table mw-letters")
        body = tag("div", table, class_="mw-scroll")
    counts = f"{number(total, 0)} since the start"
    if len(letters) > LETTERS_SHOWN:
        counts += f", the newest {LETTERS_SHOWN} shown"
    return card("Refused messages", body, more=tag("span", counts, class_="mw-hint"))


def _letter(letter: DeadLetter, zone: str) -> Html:
    return tag(
        "tr",
        tag("td", clock_words(letter.at, zone)),
        tag("td", letter.topic),
        tag("td", letter.reason),
        tag("td", tag("code", letter.payload_head[:120]) if letter.payload_head else None),
        tag("td", number(letter.size, 0), class_="mw-right"),
    )


def _traffic(plant: Plant) -> Html:
    return traffic_card(
        [("Live values", plant.bus.counters), ("Findings and rows", plant.durable_bus.counters)]
    )


def traffic_card(connections: Sequence[tuple[str, Counters]]) -> Html:
    """Return what passed through each connection to the broker since the start."""
    words = ("Connection", "Received", "Sent", "Dropped", "Refused", "Failed")
    head = [
        tag("th", word, class_="mw-right" if index else None) for index, word in enumerate(words)
    ]
    rows = [
        tag(
            "tr",
            tag("td", name),
            [
                tag("td", number(count, 0), class_="mw-right")
                for count in (
                    counters.received,
                    counters.published,
                    counters.dropped,
                    counters.dead,
                    counters.failed,
                )
            ],
        )
        for name, counters in connections
    ]
    table = tag("table", tag("tr", head), rows, class_="mw-table")
    body = tag("div", table, class_="mw-scroll")
    return card("Messages since the start", body, anchor="messages")


def history_table(stats: HistoryStats) -> Html:
    """Return the size of the history."""
    pairs = (
        ("Readings", number(stats.rows, 0)),
        ("Of these not yet in a day table", number(stats.waiting, 0)),
        ("Lost while the disk refused", number(stats.dropped, 0)),
        ("Tags", number(stats.tags, 0)),
        ("Days", number(stats.days, 0)),
        ("First day", stats.oldest.isoformat() if stats.oldest else number(None)),
        ("On disk", f"{number(stats.bytes / _MEGABYTE, 1)} MB"),
    )
    lines = [[tag("dt", words), tag("dd", value)] for words, value in pairs]
    return card("History", tag("dl", lines, class_="mw-nameplate"), anchor="history")


def _messages(count: int) -> str:
    return "One message" if count == 1 else f"{count} messages"
