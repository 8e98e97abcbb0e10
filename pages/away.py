"""What it means on each page that the broker is away, and what to do about it."""

from datetime import datetime
from zoneinfo import ZoneInfo

from app.bus.state import BusState
from app.core.health import ComponentStatus, Health
from app.plant import Plant
from pages.markup import Html, tag

_VALUES = (
    "No values and no findings come in, what is shown is the last that came, and commands are "
    "refused. All of it goes on by itself once the broker is back."
)
_STEPS = (
    "A step that needs an agent or sends a message waits as long as its time allows, and goes on "
    "by itself once the broker is back."
)
_REFUSED = "A command that would be sent now is refused: nothing reaches the plant."
_MEANS = {
    "/workflows": f"A run can be started and is kept. {_STEPS} {_REFUSED}",
    "/runs": f"Runs are kept. {_STEPS} {_REFUSED}",
    "/dead-letters": f"A run that is retried now is kept. {_STEPS} {_REFUSED}",
    "/approvals": f"What is decided here is kept. {_STEPS} {_REFUSED}",
    "/commands": f"{_REFUSED} What is sent already is asked for once the broker is back.",
    "/agents": "Agents cannot say how they are; what is shown is what they said last. Those that "
    "run connect by themselves once the broker is back.",
    "/simulator": "Nothing that is set here reaches the simulator until the broker is back.",
    "/orders": "Orders cannot be read or changed until the broker is back.",
    "/notifications": "Nobody is notified until the broker is back.",
    "/audit": "What was done stands here all the same.",
}


def is_away(plant: Plant) -> bool:
    """Tell whether nothing can be sent or received, and not only because the app starts."""
    return _is_away(plant, _worst(plant))


def broker_status(plant: Plant) -> dict[str, object]:
    """Return what the status line and the notice of every page show of the broker."""
    worst = _worst(plant)
    has_gone = _is_away(plant, worst)
    return {
        "ok": worst.state is Health.OK,
        "away": has_gone,
        "word": "away" if has_gone else worst.state,
        "since": int(_since(plant, worst).timestamp() * 1000),
        "reason": worst.reason,
        "remedy": worst.remedy,
    }


def away_notice(plant: Plant, active: str) -> Html:
    """Return the notice of the page `active`, hidden while the broker is there (frame.js)."""
    worst = _worst(plant)
    since = _since(plant, worst).astimezone(ZoneInfo(plant.settings.site.timezone))
    return tag(
        "div",
        tag(
            "p",
            tag("b", "The broker has been away since ", tag("time", f"{since:%H:%M:%S}"), ". "),
            _MEANS.get(active, _VALUES),
        ),
        tag(
            "p",
            tag("span", _why(worst)),
            " ",
            tag("a", "Health", href="/health", class_="mw-link") if active != "/health" else None,
            class_="mw-hint",
        ),
        class_="mw-no-broker",
        id="mw-no-broker",
        role="status",
        hidden=not _is_away(plant, worst),
    )


def _why(worst: ComponentStatus) -> str:
    return " ".join(f"{each}." for each in (worst.reason, worst.remedy) if each)


def _worst(plant: Plant) -> ComponentStatus:
    """Return what tells most of the broker: our own that has trouble, else the connection."""
    own = plant.broker.status if plant.broker else None
    if own and own.state not in {Health.OK, Health.STARTING}:
        return own
    return plant.bus.status


def _since(plant: Plant, worst: ComponentStatus) -> datetime:
    """Return since when it is away; each try to start our own broker is news of its own."""
    return min(worst.since, plant.bus.status.since)


def _is_away(plant: Plant, worst: ComponentStatus) -> bool:
    is_well = worst.state in {Health.OK, Health.STARTING}
    return not is_well and plant.bus.state is not BusState.CONNECTED
