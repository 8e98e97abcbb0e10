"""One workflow in the catalogue."""

from app.core.run import WorkflowRun
from app.core.workflow import Workflow
from app.core.workflow_entry import Entry, Origin, Problem, Refused
from pages.markup import Html, tag
from pages.widgets.workflow.marks import run_mark
from pages.widgets.workflow.run_row import Around
from pages.widgets.workflow.words import (
    count_words,
    duration_words,
    is_for_person,
    mode_words,
    seconds_of,
    sentence,
    title_of,
    trigger_words,
    when_words,
)

PROBLEMS_SHOWN = 5


def flow_key(name: str) -> str:
    """Return the key of a card."""
    return f"flow-{name}"


def fits(entry: Entry, words: str) -> bool:
    """Tell whether every word occurs in what a card says of its workflow."""
    flow = entry.workflow
    said = [entry.name, entry.origin.value]
    if flow:
        said += [flow.title, flow.description]
        said += [f"{each.agent} {each.condition} {each.topic}" for each in flow.triggers]
    heap = " ".join(said).lower()
    return all(word in heap for word in words.lower().split())


def flow_card(entry: Entry, around: Around) -> Html:
    """Return the card."""
    flow = entry.workflow
    title = title_of(flow) if flow else sentence(entry.name)
    origin = "written here" if entry.origin is Origin.OWN else "shipped"
    return tag(
        "section",
        tag(
            "div",
            tag("h2", title),
            tag("span", origin, class_="mw-hint"),
            class_="mw-flow-head",
        ),
        tag("div", _about(entry, flow, around), class_="mw-flow-body"),
        _last(entry, around),
        tag("div", _buttons(entry, flow), class_="mw-flow-buttons"),
        class_="mw-flow",
        tabindex="0",
        data_patch=flow_key(entry.name),
        data_flow=entry.name,
        aria_label=title,
    )


def _about(entry: Entry, flow: Workflow | None, around: Around) -> list[Html | None]:
    problems = _problems(entry) if entry.problems else None
    if flow is None:
        broken = "Its file is broken: it cannot run until it is mended."
        return [tag("p", broken), problems]
    return [
        tag("p", flow.description) if flow.description else None,
        _triggers(entry, flow, around),
        tag("p", mode_words(flow.runs), class_="mw-hint"),
        _refused(entry, around) if entry.refused else None,
        problems,
    ]


def _triggers(entry: Entry, flow: Workflow, around: Around) -> Html:
    if not flow.triggers:
        return tag("p", "Starts by hand only.", class_="mw-hint")
    rows = [tag("li", trigger_words(each, around.name_of)) for each in flow.triggers]
    if entry.enabled:
        return tag("ul", rows, class_="mw-flow-when")
    off = tag("li", tag("b", "Triggers are off; by hand it can be started."))
    return tag("ul", off, rows, class_="mw-flow-when mw-is-off")


def _problems(entry: Entry) -> Html:
    rows = [tag("li", _problem(each)) for each in entry.problems[:PROBLEMS_SHOWN]]
    rest = len(entry.problems) - PROBLEMS_SHOWN
    if rest > 0:
        rows.append(tag("li", f"and {rest} more", class_="mw-hint"))
    return tag("ul", rows, class_="mw-flow-problems")


def _problem(problem: Problem) -> list[object]:
    place = f"Line {problem.line}" if problem.line else "File"
    where = f" ({problem.where})" if problem.where else ""
    hint = tag("span", problem.hint, class_="mw-hint") if problem.hint else None
    return [tag("b", f"{place}{where}: "), problem.message, hint]


def _refused(entry: Entry, around: Around) -> Html:
    rows = [tag("li", _refusal(each, around)) for each in entry.refused]
    return tag("ul", rows, class_="mw-flow-refused")


def _refusal(refused: Refused, around: Around) -> list[object]:
    when = when_words(refused.at, around.zone, around.now)
    if refused.count == 1:
        told = f"An event at {when} started no run: "
    else:
        told = f"{refused.count} events, the last at {when}, started no run: "
    return [tag("b", told), refused.why]


def _last(entry: Entry, around: Around) -> Html:
    pieces: list[object] = []
    if entry.active:
        words = count_words(entry.active, "active run")
        href = f"/runs?workflow={entry.name}&state=running,waiting"
        pieces.append(tag("a", words, href=href, class_="mw-link"))
    if entry.last:
        pieces.append(_last_run(entry.last, around))
    else:
        pieces.append(tag("span", "has not run yet", class_="mw-hint"))
    if entry.last:
        href = f"/runs?workflow={entry.name}"
        pieces.append(tag("a", "All runs", href=href, class_="mw-link"))
    return tag("div", pieces, class_="mw-flow-last")


def _last_run(run: WorkflowRun, around: Around) -> Html:
    when = when_words(run.started_at, around.zone, around.now)
    took = f", {duration_words(seconds_of(run, around.now))}" if run.ended_at else ""
    mark = run_mark(run.state, is_for_person=is_for_person(run.reason))
    link = tag("a", f"last run {when}{took}", href=f"/runs/{run.id}", class_="mw-link")
    return tag("span", mark, link, class_="mw-row")


def _buttons(entry: Entry, flow: Workflow | None) -> list[Html]:
    buttons: list[Html] = []
    if flow:
        buttons.append(_button("Run", "start", entry.name, "mw-button"))
    buttons.append(tag("a", "Edit", href=f"/workflows/{entry.name}/edit", class_="mw-button"))
    if flow and flow.triggers:
        words = "Switch triggers off" if entry.enabled else "Switch triggers on"
        act = "disable" if entry.enabled else "enable"
        buttons.append(_button(words, act, entry.name, "mw-button"))
    return buttons


def _button(words: str, act: str, name: str, look: str) -> Html:
    return tag("button", words, type="button", class_=look, data_act=act, data_id=name)
