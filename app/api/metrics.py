"""`GET /metrics`: what a Prometheus server may read of the app, from this machine only."""

import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from app.api.answers import Described, answers, reply
from app.api.exposition import CONTENT_TYPE, Metric, Sample, counter, exposition, gauge
from app.core.agent import AgentState
from app.core.agent_row import AgentRow
from app.core.alarm import AlarmState
from app.core.command import CommandState
from app.core.errors import StoreError
from app.core.health import ComponentStatus, Health
from app.core.run import RunState
from app.plant import Plant
from app.security.refusal import ErrorBody

S = TypeVar("S", bound=StrEnum)


def router(plant: Plant) -> APIRouter:
    """Return the route."""
    routes = APIRouter(tags=["system"])
    text: Described = {200: {"description": "Prometheus text", "content": {"text/plain": {}}}}
    refused = answers(ErrorBody)["4XX"]

    @routes.get("/metrics", response_class=PlainTextResponse, responses={**text, 403: refused})
    async def metrics(request: Request) -> Response:
        """Show the app's figures to a Prometheus server on the same machine."""
        if request.client is not None and not _is_loopback(request.client.host):
            return reply(ErrorBody("not_local", "/metrics answers this machine only"), 403)
        found = [*plant_metrics(plant), *await work_metrics(plant)]
        return PlainTextResponse(exposition(found), media_type=CONTENT_TYPE)

    return routes


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def plant_metrics(plant: Plant) -> Iterator[Metric]:
    """Yield every metric of the plant."""
    yield gauge("uptime_seconds", "Seconds since the app started.", _uptime_s(plant))
    yield gauge("tags", "Tags known.", len(plant.tags))
    yield gauge("live_tabs", "Browser tabs connected to /live.", plant.hub.subscribers)
    yield from _messages(plant)
    yield from _components(plant.health())
    yield from _alarms(plant)
    yield from _agents(plant.agents())
    yield from _history(plant)


async def work_metrics(plant: Plant) -> list[Metric]:
    """Return the metrics of runs and commands; what cannot be counted is left out."""
    made = [
        gauge("approvals_open", "Decisions that runs wait for.", plant.workflows.open_approvals)
    ]
    with suppress(StoreError):  # the component's state above tells it
        made.append(_tally("runs", "Runs kept, by state.", RunState, await plant.workflows.tally()))
    with suppress(StoreError):
        kept = await plant.commands.tally()
        made.append(_tally("commands", "Commands kept, by state.", CommandState, kept))
    return made


def _tally(name: str, help_: str, states: type[S], tally: Mapping[S, int]) -> Metric:
    samples = tuple(Sample(tally.get(state, 0), {"state": state.value}) for state in states)
    return Metric(name, "gauge", help_, samples)


def _uptime_s(plant: Plant) -> float:
    return (plant.clock.now() - plant.started_at).total_seconds()


def _messages(plant: Plant) -> Iterator[Metric]:
    both = (("live", plant.bus.counters), ("durable", plant.durable_bus.counters))
    figures = (
        ("published", "Messages handed to the broker connection."),
        ("received", "Messages taken from the broker."),
        ("dropped", "Messages lost on purpose because a queue was full or the broker away."),
        ("dead", "Messages that did not decode."),
        ("failed", "Calls of message handlers that raised."),
    )
    for name, help_ in figures:
        samples = tuple(
            Sample(getattr(counters, name), {"connection": connection})
            for connection, counters in both
        )
        yield Metric(f"messages_{name}_total", "counter", help_, samples)
    yield counter(
        "dead_letters_total", "Messages put into the dead-letter list.", plant.dead_letters.total
    )


def _components(components: list[ComponentStatus]) -> Iterator[Metric]:
    samples = tuple(
        Sample(float(component.state is state), {"component": component.name, "state": state.value})
        for component in components
        for state in Health
    )
    yield Metric("component_state", "gauge", "1 for the state a component is in.", samples)


def _alarms(plant: Plant) -> Iterator[Metric]:
    summary = plant.alarms.summary()
    for name, help_, counts in (
        ("alarms_active", "Active alarms that are not hidden.", summary.counts),
        ("alarms_unacknowledged", "Alarms that wait for a person.", summary.unacknowledged),
    ):
        samples = tuple(
            Sample(count, {"priority": str(priority)}) for priority, count in enumerate(counts, 1)
        )
        yield Metric(name, "gauge", help_, samples)
    states = [alarm.state for alarm in plant.alarms.alarms()]
    by_state = tuple(
        Sample(states.count(state), {"state": state.value})
        for state in AlarmState
        if state is not AlarmState.NORMAL
    )
    yield Metric("alarms", "gauge", "Alarms that are not normal, by ISA-18.2 state.", by_state)
    yield gauge("alarm_flood", "1 while an alarm flood is on.", float(summary.flood))


def _agents(rows: list[AgentRow]) -> Iterator[Metric]:
    figures = (
        ("agent_up", "gauge", "1 while the agent runs.", _is_up),
        ("agent_cpu_percent", "gauge", "CPU use, percent of one core.", _cpu),
        ("agent_memory_bytes", "gauge", "Resident memory.", _memory),
        ("agent_restarts_total", "counter", "Restarts since the app started.", _restarts),
        ("agent_progress_total", "counter", "Work units done since the agent started.", _progress),
    )
    labels = [{"agent": row.name, "instance": row.instance} for row in rows]
    for name, kind, help_, figure in figures:
        samples = tuple(Sample(figure(row), label) for row, label in zip(rows, labels, strict=True))
        yield Metric(name, "counter" if kind == "counter" else "gauge", help_, samples)


def _is_up(row: AgentRow) -> float:
    return float(row.state is AgentState.RUNNING)


def _cpu(row: AgentRow) -> float:
    return row.cpu_percent


def _memory(row: AgentRow) -> float:
    return row.memory_bytes


def _restarts(row: AgentRow) -> float:
    return row.restarts


def _progress(row: AgentRow) -> float:
    return row.progress


def _history(plant: Plant) -> Iterator[Metric]:
    stats = plant.historian.stats
    yield gauge("history_rows", "Readings kept.", stats.rows)
    yield gauge("history_waiting_rows", "Readings not yet in a day table.", stats.waiting)
    yield gauge("history_bytes", "Bytes on disk after the last roll.", stats.bytes)
    yield gauge("history_days", "Day tables.", stats.days)
    yield counter("history_flushes_total", "Batches committed.", stats.flushes)
    yield counter("history_flush_seconds_total", "Seconds they took together.", stats.flush_s)
    yield counter(
        "history_dropped_total", "Live readings given up while the disk refused.", stats.dropped
    )
