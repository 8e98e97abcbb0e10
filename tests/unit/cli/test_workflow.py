"""`millwright workflow` against the running app; lint without it."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.api.mount import api
from app.cli.workflow import main
from app.core.actor import Role
from app.core.errors import ConflictError, InputError, NotFoundError
from app.plant import Plant
from app.settings import PeopleSettings, Settings
from tests.ports import free_port
from tests.processes import eventually
from tests.serving import serving
from tests.unit.api.flows import BROKEN, QUICK, asking, ended, working_plant

WHY = ("--why", "the valve was shut")
NOBODY = "0000000000000000"


@asynccontextmanager
async def served(settings: Settings) -> AsyncGenerator[tuple[int, Plant]]:
    """Serve a plant that carries out runs; yields its port."""
    async with working_plant(settings) as plant, serving(api(plant)) as port:
        yield port, plant


async def command(port: int, *words: str) -> int:
    return await asyncio.to_thread(main, [*words, "--port", str(port)])


async def started(port: int, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Start a run and return its id."""
    assert await command(port, "run", *words, "--json") == 0
    run_id: str = json.loads(capsys.readouterr().out)["id"]
    return run_id


async def said(capsys: pytest.CaptureFixture[str], words: str) -> None:
    """Wait until a command that still runs has said something."""
    heard: list[str] = []

    def is_heard() -> bool:
        heard.append(capsys.readouterr().out)
        return words in "".join(heard)

    await eventually(is_heard)


def settled(lines: list[str]) -> list[list[str]]:
    """Return state and name of each step that was told; whether it waited depends on luck."""
    return [each.split()[:2] for each in lines if each.startswith(("  done", "  failed"))]


async def test_the_list_has_a_line_for_each_with_its_state(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(settings) as (port, _):
        assert await command(port, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    (quick,) = [each for each in lines if each.startswith("quick ")]
    (broken,) = [each for each in lines if each.startswith("broken ")]
    assert quick.split()[1:] == ["enabled", "0", "active", "never", "run"]
    assert broken.split()[1] == "broken"


async def test_texts_become_what_the_inputs_are(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(settings) as (port, plant):
        words = ("-p", "count=3", "-p", "hurry=true", "--why", "to see")
        run = await plant.workflows.run(await started(port, capsys, "quick", *words))

    assert run.input == {"count": 3, "hurry": True}
    assert (run.started_by.kind, run.started_by.why) == ("cli", "to see")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("quick", "-p", "count=many"), "count"),
        (("quick", "-p", "count=1.5"), "count"),
        (("quick", "-p", "count=nan"), "count must be a finite number"),
        (("quick", "-p", "count=1e999"), "count must be a finite number"),
        (("quick", "-p", f"count={'9' * 400}"), "count is too large"),
        (("quick", "-p", "cuont=1"), "cuont"),
        (("nothing",), "There is no workflow"),
        (("chief",), "supervisor"),
        (("broken",), "line 4"),
        (("quick", "--id", "a b"), "id"),
    ],
)
async def test_a_start_that_is_refused_says_why(
    settings: Settings, words: tuple[str, ...], said: str
):
    async with served(settings) as (port, _):
        with pytest.raises(ConflictError, match=said):
            await command(port, "run", *words)


async def test_a_person_named_has_the_role_of_the_settings(settings: Settings):
    async with served(settings) as (port, _):
        assert await command(port, "run", "chief", "--actor", "bob") == 0


async def test_waiting_shows_steps_and_ends_with_0_if_all_went_well(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(settings) as (port, _):
        assert await command(port, "run", "quick", "--wait") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("of quick is running")
    assert settled(lines) == [["done", "rest"]]
    assert lines[-1].endswith("of quick is completed")


async def test_waiting_ends_with_1_if_the_run_fails(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(settings) as (port, _):
        assert await command(port, "run", "fail", "--wait") == 1
    lines = capsys.readouterr().out.splitlines()
    assert settled(lines) == [["done", "sure"], ["failed", "broken"]]
    assert "is failed: broken: " in lines[-1]


async def test_waiting_ends_with_1_if_the_run_is_cancelled(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(settings) as (port, plant):
        waiting = asyncio.create_task(command(port, "run", "ask", "--wait", "--id", "r1"))
        await said(capsys, "waits for a person: Go on at 5?")
        await command(port, "cancel", "r1", *WHY)
        await ended(plant, "r1")
        assert await waiting == 1


async def test_waiting_with_json_prints_the_end_alone(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(settings) as (port, _):
        assert await command(port, "run", "quick", "--wait", "--json") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["state"] == "completed"
    assert "done" in captured.err


async def test_ctrl_c_ends_the_waiting_and_not_the_run(settings: Settings):
    async with served(settings) as (port, plant):
        words = ["workflow", "run", "ask", "--wait", "--id", "r1", "--port", str(port)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", *words, stdout=-1, stderr=-1
        )
        assert process.stdout
        assert b"Run r1" in await process.stdout.readline()
        assert b"waits for" in await process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = await process.communicate()
        run = await plant.workflows.run("r1")

    assert (process.returncode, run.state) == (1, "waiting")
    assert said.decode().strip().endswith("run r1 goes on; see: millwright workflow show r1")
    assert said.count(b"\n") == 1


async def test_a_run_is_shown_with_its_steps(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(settings) as (port, plant):
        run_id = await started(port, capsys, "fail", *WHY)
        await ended(plant, run_id)
        assert await command(port, "show", run_id) == 0
    shown = capsys.readouterr().out
    assert f"Run {run_id} of fail is failed: broken: " in shown
    assert "by operator (cli): the valve was shut, ended " in shown
    assert "\n  done      sure " in shown


async def test_a_run_is_repeated_from_a_step(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(settings) as (port, plant):
        bad = await started(port, capsys, "fail")
        await ended(plant, bad)
        words = ("--from", "broken", "--definition", "old", "--json")
        assert await command(port, "retry", bad, *WHY, *words) == 0
        again = json.loads(capsys.readouterr().out)
    assert (again["retry_of"], again["started_by"]["why"]) == (bad, "the valve was shut")


async def test_the_runs_are_listed_by_state_newest_first(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(settings) as (port, plant):
        bad = await started(port, capsys, "fail")
        await ended(plant, bad)
        asks = await started(port, capsys, "ask")
        await asking(plant, asks)
        assert await command(port, "runs", "--state", "failed", "--state", "cancelled") == 0
        listed = capsys.readouterr().out
        assert await command(port, "runs", "--dead", "--json") == 0
        dead = json.loads(capsys.readouterr().out)
        assert await command(port, "runs", "--text", "nothing of it") == 0
        none = capsys.readouterr().out
    assert (listed.split()[0], listed.count("\n"), none) == (bad, 1, "")
    assert [each["id"] for each in dead] == [bad]


async def test_a_question_is_approved_and_the_run_goes_on(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(settings) as (port, plant):
        run_id = await started(port, capsys, "ask")
        await asking(plant, run_id)
        assert await command(port, "approve", run_id, "--note", "fine") == 0
        assert await ended(plant, run_id) == "completed"
    said = f'"Go on at 5?" of run {run_id} is approved by operator: fine\n'
    assert capsys.readouterr().out == said


async def test_a_name_of_any_letters_is_the_one_of_the_settings(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    people = PeopleSettings(roles={"Łukasz Żak": Role.SUPERVISOR})
    async with working_plant(settings) as plant, serving(api(plant)) as port:
        plant.settings.people.roles.update(people.roles)
        assert await command(port, "run", "chief", "--actor", "Łukasz Żak", "--json") == 0
    assert json.loads(capsys.readouterr().out)["started_by"]["name"] == "Łukasz Żak"


@pytest.mark.parametrize(
    "words",
    [
        ("run", "quick", "--why", "\udcff"),
        ("run", "quick", "-p", "count=\udcff"),
        ("run", "quick", "--actor", "\udcff"),
        ("cancel", NOBODY, "--why", "\udcff"),
    ],
)
async def test_what_is_no_text_is_told_and_not_sent(settings: Settings, words: tuple[str, ...]):
    async with served(settings) as (port, _):
        with pytest.raises(InputError, match="What was typed is not UTF-8"):
            await command(port, *words)


async def test_a_search_for_what_is_no_text_finds_nothing(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(settings) as (port, _):
        await started(port, capsys, "quick")
        assert await command(port, "runs", "--text", "\udcff") == 0
    assert capsys.readouterr().out == ""


async def test_a_question_is_rejected_with_a_reason(
    settings: Settings, capsys: pytest.CaptureFixture[str]
):
    async with served(settings) as (port, plant):
        run_id = await started(port, capsys, "ask_twice")
        await asking(plant, run_id, 2)
        words = ("--step", "second", "--note", "pump is hot", "--actor", "bob")
        assert await command(port, "reject", run_id, *words) == 0
    assert "is rejected by bob: pump is hot" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", NOBODY), "There is no run"),
        (("retry", NOBODY, *WHY), "There is no run"),
        (("cancel", NOBODY, *WHY), "There is no run"),
        (("approve", NOBODY), "There is no run"),
        (("cancel", NOBODY, "--why", " "), "why"),
        (("runs", "--dead", "--workflow", "ask"), "dead"),
    ],
)
async def test_a_refusal_says_what_is_wrong(settings: Settings, words: tuple[str, ...], said: str):
    async with served(settings) as (port, _):
        with pytest.raises(ConflictError, match=said):
            await command(port, *words)


@pytest.mark.parametrize("name", ["../../x", "..", "", "a b", "ä", "x?y", "x#y", "%2e", "a\tb"])
@pytest.mark.parametrize("verb", [("show",), ("retry", *WHY), ("cancel", *WHY), ("approve",)])
def test_an_id_that_no_run_can_have_is_told_as_it_was_typed(name: str, verb: tuple[str, ...]):
    with pytest.raises(NotFoundError) as caught:
        main([verb[0], name, *verb[1:], "--port", str(free_port())])

    assert str(caught.value) == f'There is no run "{name}"'


@pytest.mark.parametrize("name", ["../../api/tags", "", "a/b", "a\nb", "\udcff"])
def test_a_name_that_no_workflow_can_have_is_told_as_it_was_typed(name: str):
    with pytest.raises(NotFoundError) as caught:
        main(["run", name, "--port", str(free_port())])

    assert str(caught.value) == f'There is no workflow "{name}"'


@pytest.mark.parametrize("name", ["..", "My heat", "x?y", "%2e%2e", "ä"])
async def test_a_workflow_with_odd_signs_is_asked_for_as_it_is(settings: Settings, name: str):
    async with served(settings) as (port, _):
        with pytest.raises(ConflictError, match=re.escape(f'There is no workflow "{name}"')):
            await command(port, "run", name)


@pytest.mark.parametrize(
    "words", [["list"], ["run", "quick"], ["show", "x"], ["approve", "x"], ["runs"]]
)
def test_without_the_app_it_says_how_to_start_it(words: list[str]):
    with pytest.raises(NotFoundError, match="does not answer at http://"):
        main([*words, "--port", str(free_port())])


def test_a_good_file_is_no_problem_and_silent(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "quick.toml").write_text(QUICK, encoding="utf-8")
    assert main(["lint", str(tmp_path / "quick.toml")]) == 0
    assert capsys.readouterr().out == ""


def test_a_problem_has_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "broken.toml"
    file.write_text(BROKEN, encoding="utf-8")
    assert main(["lint", str(file)]) == 1
    assert capsys.readouterr().out.startswith(f"{file}:4: error: steps[0].do: ")


def test_problems_come_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "other.toml"
    file.write_text(QUICK, encoding="utf-8")
    assert main(["lint", str(file), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["where"] == "name"


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(InputError, match=r"mine\.toml cannot be read: No such file"):
        main(["lint", str(tmp_path / "mine.toml")])


def test_a_file_that_is_no_text_is_told(tmp_path: Path):
    file = tmp_path / "mine.toml"
    file.write_bytes(b"name = \xff")
    with pytest.raises(InputError, match="not UTF-8: byte 7"):
        main(["lint", str(file)])


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["start", "quick"],
        ["run"],
        ["run", "quick", "-p", "count"],
        ["run", "quick", "-p", "=3"],
        ["retry", "r1"],
        ["retry", "r1", *WHY, "--definition", "new"],
        ["cancel", "r1"],
        ["reject", "r1"],
        ["runs", "--state", "asleep"],
        ["runs", "--limit", "0"],
        ["lint"],
    ],
)
def test_wrong_usage_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
