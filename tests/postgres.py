"""A throwaway Postgres cluster on a Unix socket in a folder of its own; skipped where absent."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_USER = "postgres"
_START_S = "30"


def _find(name: str) -> Path | None:
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), Path("/usr/local/bin")]
    on_path = shutil.which(name)
    found = [place / name for place in places if (place / name).is_file()]
    return Path(on_path).resolve() if on_path else (sorted(found)[-1] if found else None)


def _tools() -> Path | None:
    """Return the folder that has both initdb and pg_ctl."""
    for name in ("initdb", "pg_ctl", "postgres"):
        tool = _find(name)
        if tool and (tool.parent / "initdb").is_file() and (tool.parent / "pg_ctl").is_file():
            return tool.parent
    return None


def _as_other() -> dict[str, Any]:
    """Return how a process is started: Postgres refuses to run as root."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return {}
    import pwd  # noqa: PLC0415  Windows has none, and this file is loaded with every test

    try:
        user = pwd.getpwnam(_USER)
    except KeyError:
        user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a running cluster with an empty database; it is gone when the tests end."""
    tools = _tools()
    if tools is None:
        pytest.skip("Postgres is not installed")
    # short: the path of a Unix socket holds at most 107 bytes
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        other = _as_other()
        if other:
            os.chown(home, other["user"], other["group"])
        data = home / "data"
        environment = {**os.environ, "LC_ALL": "C", "HOME": str(home)}
        run: dict[str, Any] = {
            "cwd": home,
            "env": environment,
            "stdout": subprocess.DEVNULL,
            **other,
        }
        initdb = [tools / "initdb", "-D", data, "-U", "millwright", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*initdb, "--no-sync"], check=True, **run)
        options = f"-c listen_addresses='' -c unix_socket_directories={home}"
        control = [tools / "pg_ctl", "-D", data, "-w", "-t", _START_S, "-l", home / "log"]
        subprocess.run([*control, "-o", options, "start"], check=True, **run)
        try:
            yield f"postgresql://millwright@/postgres?host={home}"
        finally:
            stop = [*control, "-m", "immediate", "stop"]
            subprocess.run(stop, check=True, **run)
    finally:
        shutil.rmtree(home, ignore_errors=True)
