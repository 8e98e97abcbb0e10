"""Small workflows for the tests of runs over HTTP, and a plant that carries them out."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from app.api.mount import api
from app.clock import SystemClock
from app.core.actor import Role
from app.plant import Plant
from app.settings import PeopleSettings, Settings
from tests.processes import eventually

ASK = """
name = "ask"
title = "Ask a person"

[inputs.speed]
kind = "number"
high = 100
default = 5

[inputs.unit]
kind = "text"

[[steps]]
id = "first"
do = "approve"
[steps.with]
question = "Go on at ${input.speed}?"
"""

ASK_TWICE = f"""{ASK.replace('name = "ask"', 'name = "ask_twice"')}
[[steps]]
id = "second"
do = "approve"
[steps.with]
question = "And this?"
role = "supervisor"
"""

FAIL = """
name = "fail"

[[steps]]
id = "sure"
do = "wait"
[steps.with]
seconds = 0.01

[[steps]]
id = "broken"
do = "wait"
needs = ["sure"]
[steps.with]
until = "1 / 0 > 1"
"""

QUICK = """
name = "quick"

[inputs.count]
kind = "integer"
default = 1

[inputs.hurry]
kind = "boolean"
default = false

[[steps]]
id = "rest"
do = "wait"
[steps.with]
seconds = 0.01
"""

CHIEF = """
name = "chief"
role = "supervisor"

[[steps]]
id = "rest"
do = "wait"
[steps.with]
seconds = 0.01
"""

BROKEN = 'name = "broken"\n[[steps]]\nid = "a"\ndo = "dance"\n'

TEXTS = {
    "ask": ASK,
    "ask_twice": ASK_TWICE,
    "fail": FAIL,
    "quick": QUICK,
    "chief": CHIEF,
    "broken": BROKEN,
}


@asynccontextmanager
async def working_plant(settings: Settings) -> AsyncGenerator[Plant]:
    """Open a plant that carries out runs; no broker, no agents; bob is a supervisor."""
    people = PeopleSettings(roles={"bob": Role.SUPERVISOR, "guest": Role.VIEWER})
    plant = Plant(settings.model_copy(update={"people": people}), SystemClock())
    write(settings.data.dir / "workflows", TEXTS.items())
    plant.audit.open()
    await plant.workflows.open()
    await plant.commands.start()
    try:
        yield plant
    finally:
        await plant.commands.stop()
        await plant.workflows.stop()
        plant.audit.close()


def write(folder: Path, texts: Iterable[tuple[str, str]]) -> None:
    """Put workflow files into a folder."""
    folder.mkdir(parents=True)
    for name, text in texts:
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")


@asynccontextmanager
async def client_of(plant: Plant) -> AsyncGenerator[httpx.AsyncClient]:
    """Open a client of the plant's API."""
    transport = httpx.ASGITransport(api(plant), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


async def begin(client: httpx.AsyncClient, name: str, **body: object) -> str:
    """Start a run and return its id."""
    answer = await client.post(f"/api/workflows/{name}/runs", json=body)
    assert answer.status_code == 201, answer.text
    run_id: str = answer.json()["id"]
    return run_id


async def ended(plant: Plant, run_id: str) -> str:
    """Wait for the end of a run and return its state."""
    return (await plant.workflows.engine.wait_for_end(run_id)).state.value


async def asking(plant: Plant, run_id: str, count: int = 1) -> None:
    """Wait until a run asks so many questions."""

    def waiting() -> int:
        runner = plant.workflows.engine.live(run_id)
        return sum(each.waiting_for != "" for each in runner.steps) if runner else 0

    await eventually(lambda: waiting() == count)
