"""Joins what the supervisor knows of a child with what the agent says on the bus."""

from collections.abc import Sequence

import msgspec.structs

from app.core.agent import AgentState
from app.core.agent_row import AgentRow
from app.core.health import ComponentStatus, Health
from app.supervisor.child import Child
from app.supervisor.registry import Instance
from app.supervisor.restart import agent_title

CHILD_INSTANCE = "1"


def agent_rows(children: Sequence[Child], instances: Sequence[Instance]) -> list[AgentRow]:
    """Return one row an instance: our children first, then agents run elsewhere."""
    heard = {(each.status.spec.name, each.status.instance): each for each in instances}
    ours = [_child_row(child, heard.pop((child.name, CHILD_INSTANCE), None)) for child in children]
    return ours + [_heard_row(each) for each in heard.values()]


def _child_row(child: Child, instance: Instance | None) -> AgentRow:
    """A running process that announced itself says its own state; else we say it."""
    row = _heard_row(instance) if instance else _unheard(child)
    speaks = (
        instance is not None
        and instance.is_live
        and instance.status.pid == child.pid
        and child.state is AgentState.RUNNING
    )
    return msgspec.structs.replace(
        row,
        state=row.state if speaks else child.state,
        since=row.since if speaks else child.since,
        reason=row.reason if speaks else child.reason,
        connected=speaks,
        supervised=True,
        pid=child.pid,
        cpu_percent=child.cpu_percent,
        memory_bytes=child.memory_bytes,
        restarts=child.restarts,
        retry_at=child.retry_at,
    )


def _unheard(child: Child) -> AgentRow:
    return AgentRow(name=child.name, instance="", purpose="", state=child.state, since=child.since)


def _heard_row(instance: Instance) -> AgentRow:
    status, beat = instance.status, instance.beat
    return AgentRow(
        name=status.spec.name,
        instance=status.instance,
        purpose=status.spec.purpose,
        state=status.state,
        since=status.since,
        reason=status.reason,
        connected=instance.is_live,
        capabilities=status.spec.capabilities,
        aliases=status.spec.aliases,
        model_version=status.model_version,
        pid=status.pid,
        host=status.host,
        progress=beat.progress if beat else 0,
        load=beat.load if beat else 0,
        note=beat.note if beat else "",
        last_seen=instance.last_seen,
    )


def agent_health(row: AgentRow) -> ComponentStatus:
    """Return an agent's state as that of a component."""
    states = {
        AgentState.RUNNING: Health.OK,
        AgentState.STARTING: Health.STARTING,
        AgentState.STOPPED: Health.STOPPED,
        AgentState.STOPPING: Health.STOPPED,
        AgentState.FAILED: Health.FAILED,
    }
    remedy = {
        AgentState.FAILED: "Read its log on the Agents page, mend the cause, start it there",
        AgentState.BACKING_OFF: "It restarts by itself; its log is on the Agents page",
    }
    return ComponentStatus(
        name=agent_title(row.name),
        state=states.get(row.state, Health.DEGRADED),
        since=row.since,
        reason=row.reason,
        remedy=remedy.get(row.state, ""),
    )
