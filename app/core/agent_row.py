"""One row of the Agents page: what the supervisor knows joined with what the agent says."""

from datetime import datetime

import msgspec

from app.core.agent import AgentState


class AgentRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An agent instance as operators, HTTP and `millwright health` see it.

    Attributes:
        name: Agent.
        instance: Instance, empty while it was never heard.
        purpose: One sentence.
        state: Of the process if we run it, else as it said itself.
        since: When that state began, UTC.
        reason: Why it is not running or degraded.
        supervised: This app starts and stops it.
        connected: Its last birth is alive on the bus.
        capabilities: Tasks it answers.
        aliases: Seed names.
        model_version: Loaded model.
        pid: Process id.
        host: Host name.
        progress: Work units done.
        load: Tasks in hand.
        note: What it is doing.
        last_seen: Last birth or beat, UTC.
        cpu_percent: Of one core.
        memory_bytes: Resident.
        restarts: Since the app started.
        retry_at: Next start while backing off, UTC.
    """

    name: str
    instance: str
    purpose: str
    state: AgentState
    since: datetime
    reason: str = ""
    supervised: bool = False
    connected: bool = False
    capabilities: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    model_version: str = ""
    pid: int | None = None
    host: str = ""
    progress: int = 0
    load: int = 0
    note: str = ""
    last_seen: datetime | None = None
    cpu_percent: float = 0.0
    memory_bytes: int = 0
    restarts: int = 0
    retry_at: datetime | None = None
