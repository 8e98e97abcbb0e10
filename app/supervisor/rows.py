"""Joins what the supervisor knows of a child with what the agent says on the bus."""

from collections.abc import Sequence

import msgspec

from app.core.agent import AgentState
from app.core.agent_row import AgentRow
from app.supervisor.registry import Instance
from app.supervisor.supervisor import Child

CHILD_INSTANCE = "1"


def agent_rows(children: Sequence[Child], instances: Sequence[Instance]) -> list[AgentRow]:
    """Return one row an instance: our children first, then agents run elsewhere."""
    heard = {(each.status.spec.name, each.status.instance): each for each in instances}
    ours = [_child_row(child, heard.pop((child.name, CHILD_INSTANCE), None)) for child in children]
    return ours + [_heard_row(each) for each in heard.values()]


def _child_row(child: Child, instance: Instance | None) -> AgentRow:
    own = AgentRow(
        name=child.name,
        instance=CHILD_INSTANCE if instance else "",
        purpose="",
        state=child.state,
        since=child.since,
        reason=child.reason,
        supervised=True,
        pid=child.pid,
        cpu_percent=child.cpu_percent,
        memory_bytes=child.memory_bytes,
        restarts=child.restarts,
        retry_at=child.retry_at,
    )
    if instance is None:
        return own
    said = _heard_row(instance)
    is_up = child.state is AgentState.RUNNING
    return msgspec.structs.replace(
        said,
        state=said.state if is_up and said.connected else child.state,
        since=said.since if is_up and said.connected else child.since,
        reason=(said.reason if is_up else "") or child.reason,
        supervised=True,
        pid=child.pid,
        cpu_percent=child.cpu_percent,
        memory_bytes=child.memory_bytes,
        restarts=child.restarts,
        retry_at=child.retry_at,
    )


def _heard_row(instance: Instance) -> AgentRow:
    status, beat = instance.status, instance.beat
    return AgentRow(
        name=status.spec.name,
        instance=status.instance,
        purpose=status.spec.purpose,
        state=status.state,
        since=status.since,
        reason=status.reason,
        connected=status.state not in {AgentState.OFFLINE, AgentState.STOPPED},
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
