"""Install a built wheel into an empty environment and start the app from it.

Usage: python -m tests.wheel_smoke dist/millwright-….whl
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.clean_environment import clean_environment
from tests.ports import free_port

START_S = 60.0
STOP_S = 15.0


def main(wheel: str) -> int:
    """Return 0 if the installed wheel serves live values and stops when asked."""
    with tempfile.TemporaryDirectory() as home:
        environment = Path(home) / "venv"
        subprocess.run(["uv", "venv", "--quiet", str(environment)], check=True)
        python = environment / "bin" / "python"
        subprocess.run(
            ["uv", "pip", "install", "--quiet", "--python", str(python), wheel], check=True
        )
        return _start(environment / "bin" / "millwright", Path(home))


def _start(command: Path, home: Path) -> int:
    port, broker_port = free_port(), free_port()
    process = subprocess.Popen(
        [str(command), "--port", str(port), "--data", str(home / "data")],
        cwd=home,
        env=clean_environment() | {"MILLWRIGHT_BROKER__PORT": str(broker_port)},
    )
    try:
        fresh = _wait_for_values(f"http://127.0.0.1:{port}/api/tags", process)
        process.send_signal(signal.SIGINT)
        process.wait(STOP_S)
    finally:
        process.kill()
    sys.stdout.write(f"{fresh} live tags from the wheel, stopped with {process.returncode}\n")
    return 0 if fresh and process.returncode == 0 else 1


def _wait_for_values(url: str, process: subprocess.Popen[bytes]) -> int:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                tags: list[dict[str, str]] = json.load(answer)
        except OSError:
            tags = []
        good = sum(1 for tag in tags if tag["quality"] == "good")
        if good >= 100:
            return good
        time.sleep(0.5)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
