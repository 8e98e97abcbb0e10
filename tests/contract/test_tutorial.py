"""docs/write-an-agent.md is followed to the letter, in a copy of the project."""

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from app.bus.client import Bus, Received
from app.clock import SystemClock
from app.core.alarm import Finding, Priority
from app.core.equipment import Equipment, Tag
from app.core.reading import ReadingMessage
from app.core.topics import as_segment, equipment_topic, findings_topic, reading_topic
from app.settings import Settings
from tests.clean_environment import clean_environment
from tests.contract.listener import listening
from tests.processes import eventually

ROOT = Path(__file__).parent.parent.parent
TUTORIAL = (ROOT / "docs" / "write-an-agent.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```$", TUTORIAL, re.M | re.S))
COMMANDS = re.findall(r"^```console\n(.*?)\n```$", TUTORIAL, re.M | re.S)

PUMP = "site/area/line/pump"
BEARING, AMBIENT = f"{PUMP}/bearing_temperature", f"{PUMP}/ambient_temperature"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the tutorial builds on, with the files it makes."""
    folder = tmp_path / "project"
    for part in ("app", "agents", "models"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    (folder / "tests").mkdir()
    beside = [path.relative_to(ROOT) for path in (ROOT / "tests").glob("*.py")]
    for part in (*beside, "pyproject.toml", "settings.toml"):
        shutil.copy(ROOT / part, folder / part)
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def command(words: str) -> list[str]:
    """Return a command of the tutorial as this interpreter runs it."""
    _, _, program, *arguments = words.split()
    module = {"pytest": "pytest", "millwright": "app"}[program]
    return [sys.executable, "-m", module, *arguments]


def run_environment(project: Path) -> dict[str, str]:
    return {**clean_environment(), "PYTHONPATH": str(project)}


@pytest.fixture
def agent(project: Path, connected_settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    started = command(COMMANDS[2].replace("mqtt://127.0.0.1:1883", connected_settings.broker.url))
    process = subprocess.Popen(
        started, cwd=project, env=run_environment(project), stderr=subprocess.PIPE
    )
    yield process
    process.terminate()
    process.communicate(timeout=10)


def test_the_tutorial_has_all_its_parts():
    assert list(FILES) == [
        "agents/overtemp/__init__.py",
        "agents/overtemp/agent.py",
        "tests/unit/agents/overtemp/test_agent.py",
        "data/settings.toml",
    ]
    assert len(COMMANDS) == 3


def test_its_test_passes(project: Path):
    finished = subprocess.run(
        [*command(COMMANDS[0]), "-p", "no:cacheprovider"],
        cwd=project,
        env=run_environment(project),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "2 passed" in finished.stdout


async def test_its_agent_states_a_hot_bearing(
    agent: "subprocess.Popen[bytes]", connected_settings: Settings
):
    async with listening(connected_settings) as listener:
        findings: list[Finding] = []
        hear(listener.bus, findings)
        declaration = Equipment(PUMP, "Pump P-1", tags=(Tag(BEARING), Tag(AMBIENT)))
        listener.bus.publish(equipment_topic(PUMP), declaration, qos=1, retain=True)
        birth = await listener.alive("overtemp")

        await speak_until(listener.bus, 50.0, lambda: findings)
        await speak_until(listener.bus, 65.0, lambda: len(findings) > 1)

    assert birth.pid == agent.pid
    assert birth.instance == as_segment(socket.gethostname())
    assert [finding.priority for finding in findings] == [None, Priority.MEDIUM]
    assert findings[1].message == "Bearing of Pump P-1 is 45 K above the air"
    assert findings[1].limit == 40.0  # from data/settings.toml


def hear(bus: Bus, findings: list[Finding]) -> None:
    def take(batch: Sequence[Received[Finding]]) -> None:
        findings.extend(received.message for received in batch)

    bus.subscribe(findings_topic("overtemp"), Finding, take, qos=1)


async def speak_until(bus: Bus, bearing: float, is_enough: Callable[[], object]) -> None:
    """Publish both temperatures until `is_enough` holds."""

    def speak() -> object:
        now = SystemClock().now()
        bus.publish(reading_topic(BEARING), ReadingMessage(bearing, t=now))
        bus.publish(reading_topic(AMBIENT), ReadingMessage(20.0, t=now))
        return is_enough()

    await eventually(speak)
