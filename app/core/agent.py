"""What an agent says of itself: its spec, its state and its progress."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from app.core.clock import AwareTime

PARENT_VARIABLE = "MILLWRIGHT_PARENT"
"""Stands in the environment of an agent that the app has started."""


class AgentState(StrEnum):
    """Life of one agent instance as the operator sees it."""

    STARTING = "starting"
    RUNNING = "running"
    DEGRADED = "degraded"
    STOPPING = "stopping"
    STOPPED = "stopped"
    BACKING_OFF = "backing_off"
    FAILED = "failed"
    OFFLINE = "offline"


class AgentSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an agent is and what it offers.

    Attributes:
        name: Path segment, as in `[agents.<name>]`.
        purpose: One sentence for the Agents page.
        capabilities: Task names it answers.
        inputs: Tag names (last path segment) it reads; empty if none.
        model: Folder under models/, or empty if it needs none.
        aliases: Seed names kept working in HTTP and MQTT ("pm" for maintenance).
    """

    name: str
    purpose: str
    capabilities: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    model: str = ""
    aliases: tuple[str, ...] = ()


def seed_id(name: str, aliases: Sequence[str]) -> str:
    """Return the id by which the seeds know an agent: "pm_agent" for maintenance."""
    return f"{aliases[0] if aliases else name}_agent"


class AgentStatus(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Birth message of an instance, retained; its will is the same with OFFLINE.

    Attributes:
        spec: What it is.
        instance: Path segment, unique among instances of the same agent.
        state: STARTING, RUNNING, DEGRADED, STOPPED or OFFLINE.
        reason: Why it is not running, for the operator.
        since: When this state began, UTC.
        pid: Process id on its host.
        host: Name of its host.
        model_version: Version of the loaded model, empty if none.
    """

    spec: AgentSpec
    instance: str
    state: AgentState
    since: AwareTime
    pid: int
    host: str
    reason: str = ""
    model_version: str = ""


class Beat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Progress of an instance, every few seconds; a stuck agent stops progressing.

    Attributes:
        at: When it was sent, UTC.
        progress: Count of work units done since start; grows while work is done.
        load: Tasks in hand.
        note: What it is doing now, for the operator.
        lag_s: Age of the oldest work unit waiting, s.
    """

    at: AwareTime
    progress: int
    load: int = 0
    note: str = ""
    lag_s: float = 0.0
