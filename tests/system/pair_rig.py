"""Two real orchestrators on one Postgres and one broker, and a real agent that both use."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from app.core.run import WorkflowRun
from tests.quiet_zone import quiet_zone
from tests.running_app import RunningApp, start_app
from tests.system.chaos_rig import OFF, POLL_S, WORKFLOW

AGENTS = (*OFF, "simulator", "actuator", "knowledge", "backlog")
_LOCKS = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"


class Pair:
    """Orchestrators by name, and what their database says."""

    def __init__(self, folder: Path, postgres_url: str, broker_url: str) -> None:
        self.apps: dict[str, RunningApp] = {}
        self._folder = folder
        self._postgres_url = postgres_url
        self._broker_url = broker_url
        self._agents: list[subprocess.Popen[bytes]] = []

    def clear(self) -> None:
        """Empty the database: one cluster serves all tests."""
        with psycopg.connect(self._postgres_url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")

    def start(self, name: str) -> None:
        """Start an orchestrator and wait until its workflows are open."""
        data = self._folder / name
        (data / "workflows").mkdir(parents=True)
        (data / "workflows" / "chaos.toml").write_text(WORKFLOW)
        off = "".join(f"[agents.{each}]\nenabled = false\n" for each in AGENTS)
        (data / "settings.toml").write_text(
            f'[site]\ntimezone = "{quiet_zone()}"\n'
            f'[broker]\nurl = "{self._broker_url}"\n[demo]\nenabled = false\n'
            f'[workflow]\norchestrator = "{name}"\nurl = "{self._postgres_url}"\n{off}'
        )
        app = self.apps[name] = start_app(data)
        app.wait_until(lambda: app.component("Workflows").get("state") == "ok", 60)

    def start_agent(self, name: str) -> None:
        """Start an agent that belongs to none of them."""
        where = ["--broker", self._broker_url, "--data", str(self._folder / "agents")]
        command = [sys.executable, "-m", "app", "agent", name, *where, "--instance", "1"]
        self._agents.append(subprocess.Popen(command))

    def kill(self, name: str) -> None:
        """Kill an orchestrator."""
        self.apps.pop(name).kill_everything()

    def close(self) -> None:
        """End everything."""
        for app in self.apps.values():
            app.kill_everything()
        for agent in self._agents:
            agent.kill()
            agent.wait(10)

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with psycopg.connect(self._postgres_url, autocommit=True) as connection:
            return connection.execute(text.encode()).fetchall()

    def break_sessions(self) -> int:
        """End the sessions that hold the orchestrators' locks; return how many."""
        found = self.query(f"SELECT pg_terminate_backend(pid) FROM ({_LOCKS}) AS held")  # noqa: S608  no input
        return len(found)

    def runs(self) -> list[WorkflowRun]:
        """Return all runs."""
        rows = self.query("SELECT run FROM runs ORDER BY id")
        return [msgspec.json.decode(row[0], type=WorkflowRun) for row in rows]

    def outcomes(self) -> dict[tuple[str, str], bytes]:
        """Return what is certain of steps."""
        rows = self.query("SELECT run, slot, data FROM steps")
        return {(row[0], row[1]): bytes(row[2]) for row in rows}

    def owners(self) -> Counter[str]:
        """Return how many open runs each orchestrator has."""
        rows = self.query("SELECT owner FROM runs WHERE state IN ('running', 'waiting')")
        return Counter(str(row[0]) for row in rows)

    def orders(self) -> Path:
        """Return the file that the backlog agent keeps its orders in."""
        return self._folder / "agents" / "backlog" / "orders.sqlite"

    def wait(self, condition: Callable[[], object], within_s: float) -> float:
        """Wait until a condition holds; return how long it took, s."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < within_s, f"not within {within_s} s"
            time.sleep(POLL_S)
        return time.monotonic() - began
