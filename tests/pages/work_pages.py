"""A plant with workflows that need no agent, and events as a browser sends them."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import cast

from nicegui import events
from nicegui.testing import User

from app.core.actor import Actor, Role
from app.plant import Plant
from app.settings import Settings
from pages import not_found, work
from tests.processes import eventually
from tests.simulated_plant import bare_plant

ANNA = Actor("anna", "ui", Role.OPERATOR)

ASK = """
name = "ask"
title = "Ask before going on"
description = "Asks a person, then publishes."
[inputs.unit]
kind = "text"
title = "Which unit"
required = true
[inputs.level]
kind = "number"
title = "Level"
low = 0
high = 10
unit = "bar"
default = 3
[[triggers]]
on = "schedule"
shift = "end"
[triggers.input]
unit = "a"
[[steps]]
id = "choose"
title = "Go on?"
do = "approve"
with = { question = "Go on with ${input.unit}?", details = { level = "${input.level}" } }
[[steps]]
id = "say"
title = "Say it"
needs = ["choose"]
when = "steps.choose.output.approved"
do = "publish"
with = { topic = "test/said", payload = "yes" }
"""
FAIL = """
name = "fails"
title = "Always fails"
[[steps]]
id = "call"
title = "Call a host that is refused"
do = "http"
with = { url = "http://127.0.0.1:9/" }
"""
BROKEN = """
name = "broken"
[[steps]]
id = "a"
do = "tusk"
"""


@asynccontextmanager
async def plant_at_work(connected: Settings) -> AsyncGenerator[Plant]:
    """Run a plant with these workflows and the pages over it."""
    folder = connected.data.dir / "workflows"
    folder.mkdir(parents=True)
    for name, text in (("ask", ASK), ("fails", FAIL), ("broken", BROKEN)):
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    async with bare_plant(connected) as plant:
        await eventually(lambda: any(entry.name == "ask" for entry in plant.workflows.catalogue()))
        work.create(plant)
        not_found.create(plant)
        yield plant


def emit(user: User, event: str, args: object) -> None:
    """Send an event as the page's script does."""
    client = user.client
    assert client
    listeners = client.layout._event_listeners.values()  # pyright: ignore[reportPrivateUsage]  NiceGUI's tests have no way to send a global event
    for listener in [each for each in listeners if each.type == event]:
        told = events.GenericEventArguments(sender=client.layout, client=client, args=args)
        handler = cast("Callable[[object], object] | None", listener.handler)  # it is untyped
        events.handle_event(handler, told)
