"""One run in the list."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.core.run import RunState, WorkflowRun
from pages.markup import Html, tag
from pages.widgets.links import with_unit_links
from pages.widgets.workflow.marks import run_mark
from pages.widgets.workflow.words import (
    is_for_person,
    is_over,
    key_link,
    plant_times,
    sentence,
    started_by_words,
    ticking,
    when_words,
    with_runs,
    with_step_title,
)

HEADINGS = ("", "State", "Workflow", "For", "Started", "By", "Took", "Why, or what it waits for")


@dataclass(frozen=True, slots=True)
class Around:
    """What a run is shown with.

    Attributes:
        titles: Titles of workflows by name.
        steps: Titles of the steps of each, by the id of the step.
        name_of: The name of a unit by its path, empty for none.
        zone: The plant's time zone.
        now: UTC.
    """

    titles: Mapping[str, str]
    steps: Mapping[str, Mapping[str, str]]
    name_of: Callable[[str], str]
    zone: str
    now: datetime

    def title(self, workflow: str) -> str:
        """Return what an operator calls a workflow."""
        return self.titles.get(workflow) or sentence(workflow)

    def reason(self, run: WorkflowRun) -> str:
        """Return why a run is as it is; a step is called by its title."""
        return with_step_title(run.reason, self.steps.get(run.workflow, {}))


def run_key(run_id: str) -> str:
    """Return the key of a run's row."""
    return f"run-{run_id}"


def pick_cell(title: str, run_id: str) -> Html:
    """Return the cell by which a run is marked for what is done to many."""
    words = f"Mark {title}, {run_id}"
    box = tag("input", type="checkbox", class_="mw-pick", aria_label=words)
    return tag("td", box, class_="mw-run-pick")


def run_row(run: WorkflowRun, around: Around) -> Html:
    """Return the row."""
    title = around.title(run.workflow)
    return tag(
        "tr",
        pick_cell(title, run.id),
        tag("td", run_mark(run.state, is_for_person=is_for_person(run.reason))),
        tag(
            "td",
            tag("a", title, href=f"/runs/{run.id}", class_="mw-link mw-run-open", title=title),
            tag("span", "dry run", class_="mw-pill") if run.is_dry else None,
            tag("span", "retried", class_="mw-hint") if run.retried_by else None,
        ),
        tag("td", key_link(run.key, around.name_of), class_="mw-run-key"),
        tag("td", when_words(run.started_at, around.zone, around.now), class_="mw-whole"),
        tag("td", started_by_words(run.started_by), class_="mw-run-by"),
        tag("td", ticking(run.started_at, run.ended_at, around.now), class_="mw-whole"),
        tag("td", _reason(run, around), class_="mw-run-why"),
        class_="mw-run-row",
        tabindex="0",
        data_patch=run_key(run.id),
        data_run=run.id,
        data_over=is_over(run),
    )


def _reason(run: WorkflowRun, around: Around) -> Html | None:
    if not run.reason:
        return None
    words = plant_times(around.reason(run), around.zone, around.now)
    if is_for_person(words):
        words = (
            words.partition(": ")[2] or words
        )  # the state says already that a person is waited for
    elif run.state is RunState.WAITING:
        words = f"waits for {words}"
    linked = with_runs(words, lambda text: with_unit_links(text, around.name_of))
    return tag("span", linked, title=words)


def run_table(rows: list[Html]) -> Html:
    """Return the list, rows newest first."""
    head = tag("tr", [tag("th", words, scope="col") for words in HEADINGS])
    body = tag("tbody", rows, data_patch="runs")
    return tag("table", tag("thead", head), body, class_="mw-table mw-runs")
