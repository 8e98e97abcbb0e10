"""L4, runs that failed and wait for somebody to retry them or to say that they are seen to."""

from nicegui import events, ui

from app.core.run import WorkflowRun
from app.plant import Plant
from pages.again import Again
from pages.frame import frame
from pages.markup import Html, place, tag
from pages.run_acts import ask_and_do
from pages.sight import around_of
from pages.unread import read_or_tell
from pages.widgets import empty_state, skeleton, with_unit_links
from pages.widgets.workflow.assets import add_files, serve_files
from pages.widgets.workflow.choices import bulk_bar
from pages.widgets.workflow.run_row import Around, pick_cell
from pages.widgets.workflow.words import count_words, key_link, ticking, when_words
from pages.work_feed import Changes, WorkFeed

LIMIT = 200
_HEADINGS = ("", "Workflow", "For", "Why it failed", "Failed", "Waits for")
_ACTS = (("retry", "Retry", "mw-primary"), ("review", "Seen to", ""))


def create(plant: Plant, feed: WorkFeed) -> None:
    """Register the page."""
    base = serve_files()

    @ui.page("/dead-letters")
    async def dead_letters() -> None:
        add_files(base)
        with frame(plant, "Dead letters", active="/dead-letters", crumbs=[("Runs", "/runs")]):
            letters = _Letters(plant)
            feed.watch(letters.paint, letters.read)
            await read_or_tell(plant, letters.read)


class _Letters:
    """The list and what may be done with it."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._again = Again(self.read)
        refused = plant.dead_letters.total
        place(
            tag(
                "p",
                "Runs that failed and that nobody has retried or seen to; mark some to do so. "
                "Messages that were refused stand on ",
                tag("a", f"Health ({refused})", href="/health", class_="mw-link"),
                ".",
                class_="mw-hint",
            )
        )
        place(bulk_bar(_ACTS))
        self._count = place(tag("span"))
        with ui.element("section").classes("mw-card mw-runs-card"):
            self._list = place(skeleton(6))
        ui.on("mw_bulk", self._bulk)

    async def read(self) -> None:
        """Read the list anew and show it."""
        found = await self._plant.workflows.dead(LIMIT)
        around = around_of(self._plant)
        newest_first = sorted(found, key=lambda run: run.ended_at or run.started_at, reverse=True)
        rows = [_row(run, around) for run in newest_first]
        self._count.set_content(_count(len(rows)))
        self._list.set_content(_table(rows) if rows else _nothing())

    def paint(self, changes: Changes) -> None:
        """Read again if a run ended or was taken care of."""
        if any(run.ended_at for run in changes.runs.values()):
            self._again.ask()

    async def _bulk(self, event: events.GenericEventArguments) -> None:
        if await ask_and_do(self._plant, event):
            await self.read()


def _row(run: WorkflowRun, around: Around) -> Html:
    title = around.title(run.workflow)
    ended = run.ended_at or run.started_at
    return tag(
        "tr",
        pick_cell(title, run.id),
        tag("td", tag("a", title, href=f"/runs/{run.id}", class_="mw-link mw-run-open")),
        tag("td", key_link(run.key, around.name_of)),
        tag("td", with_unit_links(around.reason(run), around.name_of), class_="mw-letter-why"),
        tag("td", when_words(ended, around.zone, around.now), class_="mw-whole"),
        tag("td", ticking(ended, None, around.now), class_="mw-whole"),
        class_="mw-run-row mw-letter",
        tabindex="0",
        data_run=run.id,
    )


def _count(rows: int) -> Html:
    if not rows:
        return tag("div")
    words = f"{count_words(rows, 'run')}, the newest first"
    if rows >= LIMIT:
        words = f"The newest {LIMIT} runs; more stand here when these are seen to"
    return tag("p", words, class_="mw-hint")


def _table(rows: list[Html]) -> Html:
    head = tag("tr", [tag("th", words, scope="col") for words in _HEADINGS])
    return tag("table", tag("thead", head), tag("tbody", rows), class_="mw-table mw-letter-runs")


def _nothing() -> Html:
    return empty_state(
        "No failed run waits for you",
        "A run that failed stands here until somebody retries it or marks it as seen to.",
    )
