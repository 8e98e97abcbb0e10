"""The pages of workflows, runs and approvals over a real plant, as a person uses them."""

from collections.abc import AsyncIterator

import pytest
from nicegui import ui
from nicegui.testing import User

from app.core.errors import StoreError
from app.core.run import RunState, WorkflowRun
from app.plant import Plant
from app.settings import Settings
from pages.runs import Filter, read_filter
from pages.unread import read_or_tell
from tests.pages.work_pages import ANNA, emit, plant_at_work
from tests.processes import eventually


class Watched:
    """A plant and the latest state of each of its runs."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.states: dict[str, RunState] = {}
        plant.workflows.on_change(
            lambda change: self.states.update({change.run.id: change.run.state})
        )

    async def start(self, name: str, state: RunState, **given: object) -> WorkflowRun:
        """Start a run and wait until it is in a state."""
        run = await self.plant.start_workflow(name, given, ANNA)
        await self.reach(run.id, state)
        return run

    async def reach(self, run: str, state: RunState) -> None:
        """Wait until a run is in a state."""
        await eventually(lambda: self.states.get(run) is state)


@pytest.fixture
async def work(connected_settings: Settings, user: User) -> AsyncIterator[Watched]:
    async with plant_at_work(connected_settings) as plant:
        yield Watched(plant)
    del user


async def answer(user: User, text: str) -> None:
    """Write a reason into the dialog and go on."""
    await user.should_see(marker="reason")
    user.find(marker="reason").clear().type(text)
    user.find(marker="go-on").click()


async def test_the_catalogue_says_what_each_workflow_is_for(work: Watched, user: User):
    await user.open("/workflows")
    await user.should_see("Asks a person, then publishes.")
    await user.should_see("at the end of each shift")
    assert work.states == {}


async def test_a_broken_file_is_in_the_catalogue_with_its_line(work: Watched, user: User):
    await user.open("/workflows")
    await user.should_see("Its file is broken")
    await user.should_see("Line 5")
    assert work.states == {}


async def test_words_that_no_workflow_has_leave_none(work: Watched, user: User):
    await user.open("/workflows")
    user.find(marker="find").type("zebra")
    await user.should_see("No workflow has “zebra” in it")
    assert work.states == {}


async def test_times_are_typed_in_plant_time_and_kept_in_utc(work: Watched, user: User):
    zone = work.plant.settings.site.timezone
    await user.open("/workflows")
    emit(user, "mw_act", {"do": "start", "id": "shift_handover"})
    await user.should_see("Begin of the shift, plant time")
    (begin,) = user.find(kind=ui.input, marker="input start").elements
    (end,) = user.find(kind=ui.input, marker="input end").elements
    begin.value, end.value = "2026-07-31T06:00", ""
    user.find(marker="go-on").click()
    await user.should_see("End of the shift is required")
    assert work.states == {}
    end.value = "2026-07-31T14:00"
    user.find(marker="go-on").click()
    await eventually(lambda: bool(work.states))
    run = await work.plant.workflows.run(next(iter(work.states)))
    assert zone == "Europe/Berlin"
    assert run.input == {"start": "2026-07-31T04:00:00Z", "end": "2026-07-31T12:00:00Z"}


async def test_a_form_without_a_required_input_starts_nothing(work: Watched, user: User):
    await user.open("/workflows")
    emit(user, "mw_act", {"do": "start", "id": "ask"})
    await user.should_see("Which unit")
    user.find(marker="go-on").click()
    await user.should_see("Which unit is required")
    assert work.states == {}


async def test_a_number_beyond_its_bounds_is_named_at_its_field(work: Watched, user: User):
    await user.open("/workflows")
    emit(user, "mw_act", {"do": "start", "id": "ask"})
    await user.should_see(marker="input level")
    (level,) = user.find(kind=ui.number, marker="input level").elements
    with user:
        level.value = 11
    user.find(marker="input unit").type("pump")
    user.find(marker="go-on").click()
    await user.should_see("Level must be at most 10 bar")
    assert work.states == {}


async def test_a_form_that_is_right_starts_a_run_in_the_persons_name(work: Watched, user: User):
    await user.open("/workflows")
    emit(user, "mw_act", {"do": "start", "id": "ask"})
    await user.should_see(marker="input unit")
    user.find(marker="input unit").type("pump 7")
    user.find(marker="go-on").click()
    await eventually(lambda: RunState.WAITING in work.states.values())
    (run,) = await work.plant.workflows.runs()
    assert (run.started_by.name, run.input) == ("operator", {"unit": "pump 7", "level": 3})


async def test_triggers_are_switched_off_and_on(work: Watched, user: User):
    await user.open("/workflows")
    emit(user, "mw_act", {"do": "disable", "id": "ask"})
    await user.should_see("Triggers are off")
    emit(user, "mw_act", {"do": "enable", "id": "ask"})
    await eventually(lambda: work.plant.workflows.entry("ask").enabled)


@pytest.mark.parametrize("args", [None, [], {"do": "explode"}, {"do": 7, "id": []}])
async def test_an_event_that_makes_no_sense_does_nothing(work: Watched, user: User, args: object):
    await user.open("/workflows")
    emit(user, "mw_act", args)
    await user.should_see("Ask before going on")
    assert work.states == {}


async def test_no_run_yet_says_how_to_get_one(work: Watched, user: User):
    await user.open("/runs")
    await user.should_see("No workflow has run yet")
    assert work.states == {}


async def test_a_run_is_listed_with_what_it_waits_for(work: Watched, user: User):
    await work.start("ask", RunState.WAITING, unit="pump 7")
    await user.open("/runs")
    await user.should_see("waiting for a person")
    await user.should_see("Go on with pump 7?")


async def test_a_filter_that_fits_nothing_says_so(work: Watched, user: User):
    await work.start("ask", RunState.WAITING, unit="pump 7")
    await user.open("/runs?state=failed")
    await user.should_see("No run fits this choice")


async def test_choosing_a_state_filters_the_list(work: Watched, user: User):
    await work.start("ask", RunState.WAITING, unit="pump 7")
    await work.start("fails", RunState.FAILED)
    await user.open("/runs")
    emit(user, "mw_state", {"state": "failed"})
    await user.should_not_see("Ask before going on, ")
    await user.should_see("failed")


async def test_runs_are_cancelled_many_at_once_with_one_reason(work: Watched, user: User):
    runs = [await work.start("ask", RunState.WAITING, unit=unit) for unit in ("a", "b")]
    await user.open("/runs")
    emit(user, "mw_bulk", {"do": "cancel", "ids": [run.id for run in runs]})
    await user.should_see("Cancel 2 runs?")
    await answer(user, "trial is over")
    await work.reach(runs[0].id, RunState.CANCELLED)
    await work.reach(runs[1].id, RunState.CANCELLED)
    assert "trial is over" in (await work.plant.workflows.run(runs[0].id)).reason


async def test_nothing_is_cancelled_without_a_reason(work: Watched, user: User):
    run = await work.start("ask", RunState.WAITING, unit="a")
    await user.open("/runs")
    emit(user, "mw_bulk", {"do": "cancel", "ids": [run.id]})
    await user.should_see("Cancel 1 run?")
    user.find(marker="go-on").click()
    await user.should_see("Cancel 1 run?")
    assert work.states[run.id] is RunState.WAITING


@pytest.mark.parametrize(
    "args", [None, {"do": "cancel", "ids": []}, {"do": "burn", "ids": ["x"]}, {"do": "cancel"}]
)
async def test_a_wrong_bulk_request_is_a_sentence(work: Watched, user: User, args: object):
    await user.open("/runs")
    emit(user, "mw_bulk", args)
    await user.should_see("Mark 1 to 200 runs first")
    assert work.states == {}


async def test_one_that_refuses_does_not_stop_the_others(work: Watched, user: User):
    run = await work.start("ask", RunState.WAITING, unit="a")
    await user.open("/runs")
    emit(user, "mw_bulk", {"do": "cancel", "ids": ["gone", run.id]})
    await answer(user, "why")
    await work.reach(run.id, RunState.CANCELLED)
    await user.should_see("1 run cancelled")


async def test_a_run_that_does_not_exist_is_a_friendly_page(work: Watched, user: User):
    answer = await user.http_client.get("/runs/nosuch")
    assert answer.status_code == 404
    assert "There is no run" in answer.text
    assert "too old to be kept" in answer.text
    assert work.states == {}


async def test_a_run_shows_its_steps_and_the_decision_right_there(work: Watched, user: User):
    run = await work.start("ask", RunState.WAITING, unit="pump 7")
    await user.open(f"/runs/{run.id}")
    await user.should_see("Go on with pump 7?")
    await user.should_see("Say it")
    await user.should_see("to come")
    await user.should_see('data-act="approve"')


async def test_approving_lets_the_run_go_on(work: Watched, user: User):
    run = await work.start("ask", RunState.WAITING, unit="pump 7")
    (asked,) = await work.plant.workflows.approvals()
    await user.open(f"/runs/{run.id}")
    emit(user, "mw_act", {"do": "approve", "id": asked.id})
    await user.should_see("Approve: Go on with pump 7?")
    user.find(marker="go-on").click()
    await work.reach(run.id, RunState.COMPLETED)
    (decided,) = await work.plant.workflows.approvals(is_open=False)
    assert decided.decided_by == "operator"


async def test_rejecting_needs_a_reason(work: Watched, user: User):
    run = await work.start("ask", RunState.WAITING, unit="pump 7")
    (asked,) = await work.plant.workflows.approvals()
    await user.open("/approvals")
    emit(user, "mw_act", {"do": "reject", "id": asked.id})
    await user.should_see("Reject: Go on with pump 7?")
    user.find(marker="go-on").click()
    await user.should_see("Reject: Go on with pump 7?")
    assert work.states[run.id] is RunState.WAITING


async def test_a_rejection_stands_among_the_decided_with_its_note(work: Watched, user: User):
    await work.start("ask", RunState.WAITING, unit="pump 7")
    (asked,) = await work.plant.workflows.approvals()
    await user.open("/approvals")
    emit(user, "mw_act", {"do": "reject", "id": asked.id})
    await answer(user, "not tonight")
    await user.should_see("not tonight")
    await user.should_see("Nothing waits for a decision")


async def test_a_decision_made_by_somebody_else_is_a_sentence(work: Watched, user: User):
    await work.start("ask", RunState.WAITING, unit="pump 7")
    (asked,) = await work.plant.workflows.approvals()
    await user.open("/approvals")
    await work.plant.decide(asked.id, True, ANNA)
    emit(user, "mw_act", {"do": "reject", "id": asked.id})
    await answer(user, "too late")
    (decided,) = await work.plant.workflows.approvals(is_open=False)
    assert decided.decided_by == "anna"


async def test_a_failed_run_says_why_and_is_retried_with_a_reason(work: Watched, user: User):
    run = await work.start("fails", RunState.FAILED)
    await user.open(f"/runs/{run.id}")
    await user.should_see("Call a host that is refused")
    emit(user, "mw_act", {"do": "retry", "id": run.id})
    await user.should_see("Retry this run?")
    await answer(user, "host is back")
    await eventually(lambda: len(work.states) == 2)
    (fresh,) = work.states.keys() - {run.id}
    assert (await work.plant.workflows.run(fresh)).retry_of == run.id


async def test_a_dead_letter_is_seen_to_with_a_reason(work: Watched, user: User):
    run = await work.start("fails", RunState.FAILED)
    await user.open("/dead-letters")
    await user.should_see("Always fails")
    emit(user, "mw_bulk", {"do": "review", "ids": [run.id]})
    await answer(user, "a known fault")
    await user.should_see("No failed run waits for you")
    assert "a known fault" in (await work.plant.workflows.run(run.id)).reviewed


async def test_commands_say_what_would_be_there(work: Watched, user: User):
    await user.open("/commands")
    await user.should_see("Nothing was commanded yet")
    assert work.states == {}


@pytest.mark.parametrize(
    ("state", "words"),
    [("rejected,expired", "No command is in these states"), ("nosuch", "Nothing was commanded")],
)
async def test_commands_are_chosen_by_the_address(
    work: Watched, user: User, state: str, words: str
):
    await user.open(f"/commands?state={state}")
    await user.should_see(words)
    assert work.states == {}


async def test_a_command_that_does_not_exist_is_a_friendly_page(work: Watched, user: User):
    answer = await user.http_client.get("/commands/nosuch")
    assert answer.status_code == 404
    assert "There is no command" in answer.text
    assert work.states == {}


def test_an_address_names_the_filter_and_the_filter_the_address():
    wanted = Filter("ask", frozenset({RunState.FAILED}), "a/b", "x y", "r9")
    assert wanted.address == "/runs?workflow=ask&state=failed&key=a%2Fb&text=x+y&before=r9"
    query = {"workflow": "ask", "state": "failed,nosuch", "key": "a/b", "text": "x y"}
    assert read_filter(query) == Filter("ask", frozenset({RunState.FAILED}), "a/b", "x y")


async def test_a_store_that_cannot_be_read_is_told_with_what_to_do(work: Watched, user: User):
    async def read() -> None:
        raise StoreError("Runs cannot be read: disk full", "make room")

    @ui.page("/torn")
    async def torn() -> None:
        await read_or_tell(work.plant, read)

    await user.open("/torn")
    await user.should_see("This page could not be read at")
    await user.should_see("Runs cannot be read: disk full")
    await user.should_see("make room")
    del torn
