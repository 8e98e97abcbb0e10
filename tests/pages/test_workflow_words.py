"""Workflows and runs in plain sentences."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from app.core.command import Command, CommandState
from app.core.run import RunState, StartedBy, StepRun, StepState, WorkflowRun
from app.core.workflow import (
    ActionKind,
    Concurrency,
    Jump,
    RunMode,
    Step,
    Trigger,
    TriggerKind,
    Workflow,
)
from app.core.workflow_entry import Entry, Origin, Problem, Refused
from pages.command import command_page
from pages.markup import Html, tag
from pages.widgets.workflow.command_row import Sight as CommandSight
from pages.widgets.workflow.command_row import command_row
from pages.widgets.workflow.condition import condition_words
from pages.widgets.workflow.decision import figures
from pages.widgets.workflow.flow_card import fits, flow_card
from pages.widgets.workflow.graph import graph_parts, latest, place_steps, step_look
from pages.widgets.workflow.json_view import CHARACTERS, json_view
from pages.widgets.workflow.run_head import run_facts, run_head
from pages.widgets.workflow.run_row import Around, run_row
from pages.widgets.workflow.step_panel import Sight, step_panel
from pages.widgets.workflow.timeline import timeline
from pages.widgets.workflow.words import (
    duration_words,
    mode_words,
    plant_times,
    trigger_words,
)

NOW = datetime(2026, 5, 4, 12, 0, 10, tzinfo=UTC)
BEGUN = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
PUMP = "riverside/utilities/cooling/pump-101"


def name_of(path: str) -> str:
    return {PUMP: "Cooling pump P-101"}.get(path, "")


STEPS = {"mend": {"reduce_speed": "Reduce the speed"}}
AROUND = Around({"mend": "Mend a pump"}, STEPS, name_of, "UTC", NOW)


COMMANDS = CommandSight(lambda _: None, "UTC", NOW)


def commanded(state: CommandState) -> Command:
    """Return a command that stands in a state."""
    return Command("c1", f"{PUMP}/x", 1.0, "anna", "ui", BEGUN, NOW, state, NOW)


def linked(text: str) -> Html:
    return tag("span", text)


def run(state: RunState = RunState.RUNNING, **changes: Any) -> WorkflowRun:
    plain = WorkflowRun("r1", "mend", "a" * 64, state, BEGUN, {}, StartedBy("click", "anna"))
    return replace(plain, **changes)


def flow(*steps: Step, **changes: Any) -> Workflow:
    return replace(Workflow("mend", steps), **changes)


def step(name: str, *needs: str) -> Step:
    return Step(name, ActionKind.TASK, needs=needs)


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (
            Trigger(TriggerKind.FINDING, agent="vibration", condition="bearing_*", priority=2),
            "when the vibration agent finds “bearing …” of priority 2 or more urgent on any unit",
        ),
        (
            Trigger(TriggerKind.FINDING, agent="limits", condition="bad_quality"),
            "when the alarm limits find “bad quality” on any unit",
        ),
        (
            Trigger(TriggerKind.FINDING, equipment="*/*/*/*/*"),
            "when an agent finds anything on any tag",
        ),
        (
            Trigger(TriggerKind.ALARM, equipment=PUMP, priority=1),
            "when an alarm of priority 1 is raised on Cooling pump P-101",
        ),
        (Trigger(TriggerKind.SCHEDULE, shift="end"), "at the end of each shift"),
        (Trigger(TriggerKind.SCHEDULE, cron="5 6 * * *"), "each day at 06:05"),
        (Trigger(TriggerKind.SCHEDULE, cron="30 * * * *"), "each hour at minute 30"),
        (Trigger(TriggerKind.SCHEDULE, cron="*/15 * * * *"), "each 15 min"),
        (Trigger(TriggerKind.SCHEDULE, cron="0 6 * * 1"), "by the clock (0 6 * * 1)"),
        (
            Trigger(TriggerKind.MQTT, topic="a/+", debounce_s=5, cooldown_s=600),
            "when a message arrives on a/+, once it is quiet for 5 s, at most once in 10 min",
        ),
        (
            Trigger(TriggerKind.WORKFLOW, workflow="shift_handover", states=("failed",)),
            "when workflow shift handover ends as failed",
        ),
    ],
)
def test_a_trigger_says_when_it_starts_a_run(trigger: Trigger, words: str):
    assert trigger_words(trigger, name_of) == words


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("event.value > 80", "value is over 80"),
        ("event.payload.price <= -1.5", "payload price is at most -1.5"),
        (f"event.equipment == '{PUMP}'", "equipment is Cooling pump P-101"),
        ("event.kind in ['a', 'b'] or not event.ok", "kind is one of “a”, “b” or ok is not true"),
        ("event.probability >= 0.9 and event.new", "probability is at least 0.9 and new is true"),
    ],
)
def test_a_simple_condition_is_said_in_words(condition: str, words: str):
    assert condition_words(condition, name_of) == words


@pytest.mark.parametrize(
    "condition",
    [
        "event.a + 1 > 2",
        "0 < event.a < 2",
        "is_good(event.tag)",
        "event.a > event.b",
        "event.a == None",
        "event.a in []",
        "event.a and event.b and event.c and event.d",
        "event.a and (event.b or event.c)",
        "other.a > 1",
        "event.a >",
        "",
    ],
)
def test_a_condition_that_is_not_simple_has_no_words(condition: str):
    assert condition_words(condition, name_of) == ""


def test_a_condition_without_words_stands_as_it_is_written():
    trigger = Trigger(TriggerKind.MQTT, topic="a", when="len(event.payload) > 2")
    written = "<code>len(event.payload) &gt; 2</code>"
    assert trigger_words(trigger, name_of) == f"when a message arrives on a, if {written}"


def test_times_of_day_are_those_of_the_plant():
    text = "the time: 23:30:00 UTC"
    assert plant_times(text, "Europe/Berlin", NOW) == "the time: 01:30:00"


def test_a_run_that_waits_for_its_turn_names_the_other_by_a_link():
    row = run_row(run(RunState.WAITING, reason="its turn, after run 1a2016037de797e4"), AROUND)
    assert 'href="/runs/1a2016037de797e4"' in row


def test_a_step_that_a_failure_elsewhere_cancelled_took_no_time():
    idle = StepRun("b", state=StepState.CANCELLED, started_at=BEGUN, ended_at=NOW)
    assert step_look(idle) == ("off", "not begun")
    failed = run(RunState.FAILED, ended_at=NOW)
    assert "No step has begun" in timeline(flow(step("b")), failed, [idle], "UTC", NOW)


def test_the_reason_of_a_failed_run_begins_with_the_title_of_its_step():
    failed = run(RunState.FAILED, reason="b: it broke", ended_at=NOW)
    mended = flow(replace(step("b"), title="Fetch the price"))
    head = run_head(failed, mended, "UTC", NOW, linked, is_for_person=False)
    assert "Fetch the price: it broke" in head


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (
            Concurrency(RunMode.SINGLE, key="${input.equipment}"),
            "One run of the same unit at a time; a further start is refused.",
        ),
        (Concurrency(RunMode.QUEUED), "One run at a time; further starts wait their turn."),
        (
            Concurrency(RunMode.RESTART, key="${input.room}"),
            "One run of the same key at a time; a further start cancels it and begins anew.",
        ),
        (Concurrency(max=3), "Up to 3 runs side by side; further starts wait."),
    ],
)
def test_the_mode_says_what_a_further_start_means(runs: Concurrency, words: str):
    assert mode_words(runs) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0 ms"), (0.04, "40 ms"), (0.4, "0.4 s"), (45, "45 s"), (700, "12 min")],
)
def test_durations_keep_their_sense_at_every_size(seconds: float, words: str):
    assert duration_words(seconds) == words


def test_a_broken_file_names_line_place_and_remedy_and_cannot_be_run():
    problem = Problem(12, "steps[2].needs", 'there is no step "z"', "name one of a, b")
    card = flow_card(Entry("mend", Origin.OWN, None, "v", (problem,)), AROUND)
    assert "Line 12 (steps[2].needs)" in card
    assert "name one of a, b" in card
    assert 'data-act="start"' not in card
    assert "/workflows/mend/edit" in card


def test_triggers_that_are_off_say_so():
    workflow = flow(step("a"), triggers=(Trigger(TriggerKind.SCHEDULE, shift="end"),))
    card = flow_card(Entry("mend", Origin.SHIPPED, workflow, "v", enabled=False), AROUND)
    assert "Triggers are off" in card
    assert 'data-act="enable"' in card


def test_events_that_started_no_run_say_when_how_many_and_why():
    once = Refused(NOW - timedelta(minutes=5), "it runs already")
    often = Refused(NOW - timedelta(days=1), '"payload" <is not> there', 12)
    card = flow_card(Entry("mend", Origin.OWN, flow(step("a")), "v", refused=(once, often)), AROUND)
    assert "An event at 11:55:10 started no run: </b>it runs already" in card
    assert "12 events, the last at 03 May 12:00, started no run: " in card
    assert "&lt;is not&gt;" in card


def test_a_workflow_without_triggers_starts_by_hand_only():
    card = flow_card(Entry("mend", Origin.SHIPPED, flow(step("a")), "v"), AROUND)
    assert "Starts by hand only" in card
    assert 'data-act="disable"' not in card


@pytest.mark.parametrize(("words", "is_found"), [("pump", True), ("pump oven", False), ("", True)])
def test_a_workflow_is_found_by_all_words_of_its_text(words: str, is_found: bool):
    entry = Entry("mend", Origin.OWN, flow(step("a"), description="For a pump"), "v")
    assert fits(entry, words) is is_found


def test_a_run_that_waits_for_a_person_shows_a_hand_and_for_what():
    row = run_row(run(RunState.WAITING, reason="a person: Go on?"), AROUND)
    assert "waiting for a person" in row
    assert ">Go on?<" in row
    assert "mw-mark-person" in row


def test_a_failed_run_is_said_by_shape_and_word():
    row = run_row(run(RunState.FAILED, reason="<b>x</b>", ended_at=NOW), AROUND)
    assert "mw-mark-failed" in row
    assert ">failed<" in row
    assert "<b>x</b>" not in row


def test_a_running_run_counts_on_in_the_browser_and_a_finished_one_does_not():
    assert "data-since" in run_row(run(), AROUND)
    assert "data-since" not in run_row(run(RunState.COMPLETED, ended_at=NOW), AROUND)


@pytest.mark.parametrize(
    ("done", "shape", "word"),
    [
        (StepRun("a"), "pending", "to come"),
        (StepRun("a", state=StepState.RUNNING), "running", "running"),
        (StepRun("a", state=StepState.FAILED), "failed", "failed"),
        (StepRun("a", state=StepState.SKIPPED), "skipped", "skipped"),
        (StepRun("a", state=StepState.DONE, carried=True), "done", "done in an earlier run"),
        (StepRun("a", state=StepState.DONE, compensation="done"), "off", "done, taken back"),
        (StepRun("a", state=StepState.FAILED, compensation="done"), "failed", "failed"),
        (StepRun("a", state=StepState.DONE, compensation="refused"), "failed", "not taken back"),
        (
            StepRun("a", state=StepState.WAITING, waiting_for="a person: Go on?"),
            "person",
            "waits for a person",
        ),
        (
            StepRun("a", state=StepState.WAITING, waiting_for="an agent that offers advise"),
            "waiting",
            "waits for an agent that offers advise",
        ),
    ],
)
def test_a_step_shows_its_state_by_shape_and_word(done: StepRun, shape: str, word: str):
    assert step_look(done) == (shape, word)


def test_the_last_round_of_a_step_stands_on_its_plate():
    rounds = latest([StepRun("a", 2, StepState.RUNNING), StepRun("a", 1, StepState.DONE)])
    assert rounds["a"].round == 2


def test_the_edge_to_a_running_step_moves_and_others_do_not():
    graph = place_steps(flow(step("a"), step("b", "a"), step("c", "b")))
    rounds = {
        "a": StepRun("a", state=StepState.DONE),
        "b": StepRun("b", state=StepState.RUNNING, started_at=BEGUN),
    }
    edges = graph_parts(graph, rounds, "a", NOW)["edges"]
    assert edges.count("mw-edge-live") == 1


def test_a_loop_says_how_often_it_may_go_back():
    looped = Step("b", ActionKind.TASK, needs=("a",), goto=Jump("a", max=7))
    graph = place_steps(flow(step("a"), looped))
    assert "up to 7 times" in graph_parts(graph, {}, "a", NOW)["edges"]


def test_what_an_agent_writes_into_a_step_is_escaped():
    graph = place_steps(flow(Step("a", ActionKind.TASK, title="<img src=x>")))
    assert "<img" not in graph_parts(graph, {}, "a", NOW)["node-a"]


def test_each_round_is_a_bar_to_scale():
    rounds = [
        StepRun("a", 1, StepState.DONE, started_at=BEGUN, ended_at=BEGUN.replace(second=2)),
        StepRun("a", 2, StepState.RUNNING, started_at=BEGUN.replace(second=5)),
    ]
    drawn = timeline(flow(step("a")), run(), rounds, "UTC", NOW)
    assert "--span:10.000" in drawn
    assert "--from:0.000;--to:2.000" in drawn
    assert "--from:5.000;--to:10.000" in drawn
    assert drawn.count("data-open") == 1


def test_a_skipped_step_took_no_time_and_has_no_bar():
    skipped = StepRun("a", state=StepState.SKIPPED, started_at=BEGUN, ended_at=BEGUN)
    assert "No step has begun" in timeline(flow(step("a")), run(), [skipped], "UTC", NOW)


def test_a_huge_value_is_cut_with_words():
    drawn = json_view("Output", "x" * (CHARACTERS + 7))
    assert drawn is not None
    assert "7 more characters" in drawn
    assert "Show all" in drawn


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_value_takes_no_place(nothing: object):
    assert json_view("Output", nothing) is None


def test_a_run_leads_to_its_parent_its_retries_and_its_children():
    one = run(RunState.FAILED, parent="p1:call", retry_of="o1", retried_by="n1")
    drawn = run_facts(one, "b" * 64, linked, name_of, [run(RunState.RUNNING)])
    assert [f'href="/runs/{each}"' in drawn for each in ("p1", "o1", "n1", "r1")] == [True] * 4
    assert "an older version" in drawn


def test_a_run_of_a_finding_leads_to_the_unit():
    by = StartedBy("finding", "system", {"equipment": PUMP, "message": "Outer race defect"})
    drawn = run_facts(replace(run(), started_by=by), "v", linked, name_of, [])
    assert f'href="/units/{PUMP}"' in drawn
    assert "Outer race defect" in drawn


def test_figures_leave_out_what_says_nothing_and_list_texts():
    drawn = figures({"empty": "", "limit": 105.0, "advice": ["One", "Two"]}, linked)
    assert drawn is not None
    assert "Empty" not in drawn
    assert "105" in drawn
    assert drawn.count("<li>") == 2


def test_a_deep_figure_is_json():
    drawn = figures({"a": {"b": 1}}, linked)
    assert drawn is not None
    assert "<pre" in drawn


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("reduce_speed: it was refused", "Reduce the speed: it was refused"),
        ("gone: it was refused", "gone: it was refused"),
        ("reduce_speed", "reduce_speed"),
        ("Cancelled: reduce_speed: no", "Cancelled: reduce_speed: no"),
        (
            "reduce_speed: no. Not taken back: reduce_speed, gone",
            "Reduce the speed: no. Not taken back: Reduce the speed, gone",
        ),
        ("taking reduce_speed back: no", "taking &quot;Reduce the speed&quot; back: no"),
    ],
)
def test_a_reason_calls_its_step_by_the_title(reason: str, words: str):
    row = run_row(run(RunState.FAILED, reason=reason, ended_at=NOW), AROUND)
    assert f">{words}<" in row


@pytest.mark.parametrize(("do", "is_link"), [(ActionKind.WORKFLOW, True), (ActionKind.TASK, False)])
def test_only_a_workflow_within_links_the_run_that_it_gave(do: ActionKind, is_link: bool):
    given = StepRun("a", state=StepState.DONE, output={"run": "1a2016037de797e4"})
    panel = step_panel(run(), Step("a", do), [given], given, Sight("UTC", NOW, linked))
    assert ('href="/runs/1a2016037de797e4"' in panel) is is_link


def test_why_a_step_was_not_taken_back_links_the_unit():
    left = StepRun("a", state=StepState.DONE, compensation=f"not taken back: {PUMP}/x is locked")
    panel = step_panel(
        run(), Step("a", ActionKind.COMMAND), [left], left, Sight("UTC", NOW, linked)
    )
    assert f"<dt>Not taken back</dt><dd>{linked(f'{PUMP}/x is locked')}</dd>" in panel


@pytest.mark.parametrize("identity", ["1a2016037de797e4", "1a2040ef26e40946f743"])
def test_every_run_that_a_reason_names_is_a_link(identity: str):
    row = run_row(run(RunState.FAILED, reason=f"see run {identity}", ended_at=NOW), AROUND)
    assert f'href="/runs/{identity}"' in row


@pytest.mark.parametrize("state", [each for each in CommandState if each != CommandState.UNKNOWN])
def test_a_command_whose_end_is_known_needs_no_look_at_the_unit(state: CommandState):
    assert "Look at the unit itself" not in command_row(commanded(state), COMMANDS)


def test_a_command_that_nobody_knows_the_end_of_says_what_to_do():
    one = commanded(CommandState.UNKNOWN)
    words = "Look at the unit itself, then set the tag anew"
    assert words in command_row(one, COMMANDS)
    assert words in command_page(one, [], COMMANDS)
