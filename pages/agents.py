"""L4, the agents: one row an instance, its state, its load, its log, and what can be done."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from app.core.agent import AgentState
from app.core.agent_row import AgentRow
from app.plant import Plant
from app.supervisor.restart import agent_title
from pages.frame import actor, frame, guarded
from pages.markup import Html, place, tag
from pages.refresh import Painted, while_visible
from pages.widgets import age_words, capitalised, clock_words, empty_state, number, with_unit_links
from pages.widgets.confirm import confirmed
from pages.widgets.log_tail import LogTail

_OFF = {AgentState.STOPPED, AgentState.FAILED}
_HEADINGS = ("Since", "Work done", "In hand", "CPU", "Memory", "Restarts", "Model")
_NUMBERS = {"In hand", "CPU", "Memory", "Restarts"}
_MEGABYTE = 1_000_000
_LOOKS = {  # shape, word; grey shapes unless something is wrong
    AgentState.STARTING: ("mw-half", "starting"),
    AgentState.RUNNING: ("", "running"),
    AgentState.DEGRADED: ("mw-doubt", "degraded"),
    AgentState.STOPPING: ("mw-half", "stopping"),
    AgentState.STOPPED: ("mw-off", "stopped"),
    AgentState.BACKING_OFF: ("mw-doubt", "waiting to restart"),
    AgentState.FAILED: ("mw-wrong", "failed"),
    AgentState.OFFLINE: ("mw-doubt", "offline"),
}


def create(plant: Plant) -> None:
    """Register the page."""

    @ui.page("/agents")
    def agents() -> None:
        with frame(plant, "Agents", active="/agents"):
            listing = _Listing(plant)
            while_visible(listing.paint)


def summary_words(rows: list[AgentRow]) -> Html:
    """Return how many run and what they use together."""
    running = sum(row.state is AgentState.RUNNING for row in rows)
    cpu = sum(row.cpu_percent for row in rows)
    memory = sum(row.memory_bytes for row in rows) / _MEGABYTE
    words = f"{running} of {len(rows)} run, together {number(cpu, 0)} % of a core and "
    return tag("p", f"{words}{number(memory, 0)} MB", class_="mw-hint")


def _nobody() -> Html:
    return empty_state(
        "No agent is known",
        "Each agent has a row here: what it does, how it is, what it uses, its log.",
        ["Add one to settings.toml: ", tag("code", "[agents.vibration]")],
        ["Or run one on any computer: ", tag("code", "millwright agent vibration --broker URL")],
    )


class _Listing:
    """All rows; built again when an agent comes or goes, painted otherwise."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._lines: dict[tuple[str, str], _Line] = {}
        self._summary = Painted(lambda: summary_words(plant.agents()))
        self._body = ui.element("section").classes("mw-agents")
        self._build({})
        self.paint()

    def paint(self) -> None:
        # one of ours is the same row before and after it announced its instance
        rows = {
            (row.name, "" if row.supervised else row.instance): row for row in self._plant.agents()
        }
        self._summary.paint()
        if rows.keys() != self._lines.keys():
            self._build(rows)
        for key, row in rows.items():
            self._lines[key].paint(row)

    def _build(self, rows: dict[tuple[str, str], AgentRow]) -> None:
        self._body.clear()
        with self._body:
            place(_head_line() if rows else _nobody())
            self._lines = {key: _Line(self._plant, row) for key, row in rows.items()}


class _Line:
    """One agent instance."""

    def __init__(self, plant: Plant, row: AgentRow) -> None:
        self._plant = plant
        self._row = row
        with ui.element("div").classes("mw-agent"):
            self._who = Painted(self._draw_who)
            self._figures = Painted(self._draw_figures)
            with ui.element("div").classes("mw-row mw-agent-buttons"):
                self._make_buttons()
            if self._log:
                self._log.put()
        self._enable()

    def paint(self, row: AgentRow) -> None:
        changed = row.state is not self._row.state
        self._row = row
        self._who.paint()
        self._figures.paint()
        if self._log:
            self._log.paint()
        if changed:
            self._enable()

    def _make_buttons(self) -> None:
        name = self._row.name
        self._log: LogTail | None = None
        self._buttons: list[tuple[ui.button, bool]] = []
        if not self._row.supervised:
            place(tag("span", f"run on {self._row.host}", class_="mw-hint"))
            return
        plant = self._plant
        self._buttons = [
            (self._button("Start", lambda: plant.start_agent(name, actor())), True),
            (self._button("Restart", lambda: plant.restart_agent(name, actor())), False),
            (ui.button("Stop", on_click=self._stop, color=None).props("flat"), False),
        ]
        self._log = LogTail(lambda: plant.supervisor.log(name))

    def _button(self, word: str, action: Callable[[], Awaitable[object]]) -> ui.button:
        async def act() -> None:
            await guarded(action())

        return ui.button(word, on_click=act, color=None).props("flat")

    async def _stop(self) -> None:
        name, purpose = self._row.name, self._row.purpose
        work = purpose[:1].lower() + purpose[1:]
        consequence = f"Until someone starts it again, this is not done: {work}."
        if await confirmed(f"Stop the {name} agent?", consequence, "Stop"):
            await guarded(self._plant.stop_agent(name, actor()))

    def _enable(self) -> None:
        is_off = self._row.state in _OFF
        for button, wanted_when_off in self._buttons:
            button.set_visibility(is_off is wanted_when_off)

    def _draw_who(self) -> Html:
        row = self._row
        shape, word = _LOOKS[row.state]
        retry = clock_words(row.retry_at, self._zone) if row.retry_at else ""
        is_one_of_many = bool(row.instance) and not row.supervised
        return tag(
            "div",
            tag(
                "div",
                tag("i", class_=f"mw-dot {shape}"),
                tag("b", agent_title(row.name)),
                tag("span", f"number {row.instance}", class_="mw-hint") if is_one_of_many else None,
                tag("span", word, class_="mw-pill"),
                class_="mw-row",
            ),
            tag("p", row.purpose or "It has not said what it does yet", class_="mw-hint"),
            tag("p", self._linked(capitalised(row.reason))) if row.reason else None,
            tag("p", f"Next start at {retry}") if retry else None,
            class_="mw-agent-who",
        )

    def _draw_figures(self) -> Html:
        row = self._row
        age_s = (self._plant.clock.now() - row.since).total_seconds()
        has_process = bool(row.pid) and row.supervised
        values = (
            [clock_words(row.since, self._zone), tag("span", f" · {age_words(age_s)}")],
            [number(row.progress, 0), tag("span", self._linked(_note(row)), class_="mw-sub")],
            number(row.load, 0),
            f"{number(row.cpu_percent, 1)} %" if has_process else number(None),
            f"{number(row.memory_bytes / _MEGABYTE, 0)} MB" if has_process else number(None),
            number(row.restarts, 0) if row.supervised else number(None),
            row.model_version or number(None),
        )
        figures = [_figure(*pair) for pair in zip(_HEADINGS, values, strict=True)]
        return tag("dl", figures, class_="mw-agent-figures")

    def _linked(self, text: str) -> Html:
        return with_unit_links(text, self._plant.tags.unit_name)

    @property
    def _zone(self) -> str:
        return self._plant.settings.site.timezone


def _note(row: AgentRow) -> str:
    """Return what it is doing, without the reason that stands beside its name already."""
    return row.note.replace(row.reason, "").rstrip("; ") if row.reason else row.note


def _figure(heading: str, value: object) -> Html:
    return tag("div", tag("dt", heading), tag("dd", value), class_=_align(heading))


def _align(heading: str) -> str | None:
    return "mw-right" if heading in _NUMBERS else None


def _head_line() -> Html:
    return tag(
        "div",
        tag("span", "Agent"),
        tag(
            "div",
            [tag("span", heading, class_=_align(heading)) for heading in _HEADINGS],
            class_="mw-agent-figures",
        ),
        class_="mw-agent-head",
        aria_hidden="true",
    )
