"""Our own line icons and priority symbols, drawn on a 24-unit grid in the text's colour."""

from pages.markup import Html

_LINES = {
    "overview": "M4 4h7v7H4zM13 4h7v4h-7zM13 11h7v9h-7zM4 14h7v6H4z",
    "alarms": "M12 3 2.5 20h19zM12 10v5M12 17v1",
    "kpi": "M4 20V10M10 20V4M16 20v-7M21 20H3",
    "trends": "M3 3v18h18M6 15l4-5 4 3 6-8",
    "agents": "M12 3v3M6 6h12v9H6zM9.5 10v1M14.5 10v1M3 9v4M21 9v4M8 15v5M16 15v5",
    "simulator": "M9 3h6M10 3v6L4 20l1 1h14l1-1L14 9V3M7.5 15h9",
    "health": "M3 12h4l2.5-7 4 14 2.5-7h5",
    "audit": "M6 3h9l4 4v14H6zM14 3v5h5M9 12h7M9 15.5h7M9 8.5h2",
    "search": "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13M15.5 15.5 21 21",
    "sound": "M4 9v6h4l5 4V5L8 9zM16 9.5a4 4 0 0 1 0 5M18.5 7a7.5 7.5 0 0 1 0 10",
    "mute": "M4 9v6h4l5 4V5L8 9zM16.5 9.5l5 5M21.5 9.5l-5 5",
    "theme": "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
    "keys": "M3 6h18v12H3zM6.5 10h1M11.5 10h1M16.5 10h1M7 14h10",
    "workflows": "M3 4h6v5H3zM15 4h6v5h-6zM15 15h6v5h-6zM9 6.5h6M12 6.5v11h3",
    "runs": "M4 12a8 8 0 1 1 2.3 5.6M4 20v-4h4M10 8.5l6 3.5-6 3.5z",
    "approvals": "M8 13V6a1.5 1.5 0 0 1 3 0v5V4.5a1.5 1.5 0 0 1 3 0V11V6a1.5 1.5 0 0 1 3 0v8"
    "a6.5 6.5 0 0 1-6.5 7c-3 0-4-1.5-6-5.5l-1.5-3a1.5 1.5 0 0 1 2.5-1.5z",
    "commands": "M4 7h9M17 7h3M13 4.5v5M4 17h3M11 17h9M11 14.5v5M4 12h14M18 9.5v5",
    "plan": "M4 5h2M10 5h10M4 12h2M10 12h10M4 19h2M10 19h6",
    "orders": "M15 4a5 5 0 0 0-4.8 6.4L3 17.6V21h3.4l7.2-7.2A5 5 0 0 0 20 9l-3 3-4-1-1-4 3-3z",
    "notifications": "M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 22h4M12 2v3",
    "person": "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8M4 21c0-4.5 3.5-7 8-7s8 2.5 8 7",
    "more": "M4 6h16M4 12h16M4 18h16",
    "plant": "M3 21V9l6 4V9l6 4V4h6v17zM8 17h2M14 17h2",
}

_SHAPES = {
    1: "M3 3h18v18H3z",
    2: "M12 2 23 21H1z",
    3: "M12 1 23 12 12 23 1 12z",
    4: "M1 3h22L12 22z",
}
_BASELINES = {1: 17, 2: 18.5, 3: 16.5, 4: 13.5}
PRIORITY_WORDS = {1: "critical", 2: "high", 3: "medium", 4: "low"}


def icon(name: str) -> Html:
    """Return a line icon; it is decoration, so a word stands beside it or on its button."""
    return Html(
        '<svg class="mw-icon" viewBox="0 0 24 24" aria-hidden="true">'
        f'<path d="{_LINES[name]}"/></svg>'
    )


def priority_symbol(priority: int, *, blinking: bool = False, quiet: bool = False) -> Html:
    """Return shape and number of an alarm priority; `quiet` draws it grey (nothing is wrong)."""
    classes = (
        f"mw-prio mw-p{priority}{' mw-blink' if blinking else ''}{' mw-quiet' if quiet else ''}"
    )
    return Html(
        f'<svg class="{classes}" viewBox="0 0 24 24" role="img" '
        f'aria-label="priority {priority} {PRIORITY_WORDS[priority]}">'
        f'<path d="{_SHAPES[priority]}"/>'
        f'<text x="12" y="{_BASELINES[priority]}">{priority}</text></svg>'
    )
