"""L3, decisions that somebody waits for: oldest first, those made below."""

from nicegui import events, ui

from app.core.run import StepState
from app.plant import Plant
from pages.again import Again
from pages.decide import decide_on, waiting_commands
from pages.frame import actor, frame
from pages.markup import Html, place, tag
from pages.sight import titles_of
from pages.unread import read_or_tell
from pages.widgets import card, empty_state, with_unit_links
from pages.widgets.workflow.assets import add_files, serve_files
from pages.widgets.workflow.decision import Setting, decided_row, open_decision
from pages.widgets.workflow.words import sentence
from pages.work_feed import Changes, WorkFeed

DECIDED_SHOWN = 50
_HEADINGS = ("Decision", "What was asked", "Run", "By", "Note", "When")


def create(plant: Plant, feed: WorkFeed) -> None:
    """Register the page."""
    base = serve_files()

    @ui.page("/approvals")
    async def approvals() -> None:
        add_files(base)
        with frame(plant, "Approvals", active="/approvals"):
            queue = _Queue(plant)
            feed.watch(queue.paint, queue.read)
            await read_or_tell(plant, queue.read)


class _Queue:
    """What waits and what was decided."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._runs = set[str]()
        self._again = Again(self.read)
        place(
            tag("p", "Where two persons must agree, whoever asked cannot be the one who approves: "
            "the names must differ. What nobody decides in time is not done.", class_="mw-hint")
        )  # fmt: skip
        self._open = place(tag("div"))
        self._decided = place(tag("div"))
        ui.on("mw_act", self._act)

    async def read(self) -> None:
        """Read everything anew and show what is different."""
        setting = self._setting()
        workflows = self._plant.workflows
        asked = await workflows.approvals()
        made = await workflows.approvals(is_open=False, limit=DECIDED_SHOWN)
        self._runs = {each.run for each in asked}
        plates = [(each.asked_at, open_decision(each, setting)) for each in asked]
        plates += await waiting_commands(self._plant, setting)
        oldest_first = [plate for _, plate in sorted(plates, key=lambda pair: pair[0])]
        rows = [decided_row(each, setting) for each in made]
        self._show(self._open, _queue(oldest_first))
        self._show(self._decided, _made(rows))

    def _show(self, piece: ui.html, fresh: Html) -> None:
        if piece.content != fresh:
            piece.set_content(fresh)

    def paint(self, changes: Changes) -> None:
        """Read again if something changed that may be a decision."""
        asks = any(
            step.state is StepState.WAITING
            for steps in changes.steps.values()
            for step in steps.values()
        )
        if asks or changes.commands or not self._runs.isdisjoint(changes.runs):
            self._again.ask()

    def _setting(self) -> Setting:
        plant = self._plant
        titles = titles_of(plant)
        return Setting(
            who=actor(),
            zone=plant.settings.site.timezone,
            now=plant.clock.now(),
            linked=lambda text: with_unit_links(text, plant.tags.unit_name),
            title=lambda name: titles.get(name) or sentence(name),
        )

    async def _act(self, event: events.GenericEventArguments) -> None:
        if await decide_on(event, self._plant):
            self._again.ask()


def _queue(plates: list[Html]) -> Html:
    nothing = empty_state(
        "Nothing waits for a decision",
        "A step of a workflow that asks a person, and a command that needs an approval, stand "
        "here until they are decided or their time is over.",
    )
    return tag("div", plates or nothing, class_="mw-queue")


def _made(rows: list[Html]) -> Html:
    if not rows:
        return tag("div")
    head = tag("tr", [tag("th", words) for words in _HEADINGS])
    table = tag("table", tag("thead", head), tag("tbody", rows), class_="mw-table mw-decided")
    return tag("div", card("Decided", tag("div", table, class_="mw-scroll")))
