"""The app killed with 50 runs under way: how soon they go on after its next start."""

import tempfile
import threading
import time
from pathlib import Path

from app.bench.app_process import app_process, started_app
from app.bench.workflow_app import Disk, Starter, wait_for_workflows, write_definitions
from app.core.errors import MillwrightError

RUNS = 50
TARGET_S = 5.0
_PAUSE_S = 15.0
_WAIT_S = 60.0


def measure() -> dict[str, object]:
    """Return the seconds from the start of the new process, and from Workflows ok on Health.

    All runs wait, the app is killed meanwhile, and starts again when all waits are over: what is
    measured is the taking up alone.

    Raises:
        MillwrightError: Runs do not begin, or do not go on.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        data = Path(folder)
        write_definitions(data)
        due = _begin_and_kill(data)
        time.sleep(max(0.0, due - time.monotonic()))
        began = time.monotonic()
        with started_app(data) as running, Disk(data) as disk:
            well: list[float] = []
            watching = threading.Thread(
                target=lambda: well.append(wait_for_workflows(running, _WAIT_S)), daemon=True
            )
            watching.start()
            first = disk.wait_for_slots("pause.1", 1, _WAIT_S)
            every = disk.wait_for_slots("pause.1", RUNS, _WAIT_S)
            ended = disk.wait_for_ends("bench_wait", RUNS, _WAIT_S)
            watching.join(_WAIT_S)
    return {
        "target_s": TARGET_S,
        "runs": RUNS,
        "start_to_workflows_ok_s": round(well[0] - began, 2),
        "start_to_first_step_s": round(first - began, 2),
        "start_to_a_step_of_every_run_s": round(every - began, 2),
        "start_to_every_run_completed_s": round(ended - began, 2),
        "first_step_after_workflows_ok_s": round(first - well[0], 2),
    }


def _begin_and_kill(data: Path) -> float:
    with app_process(data=data) as running, Starter(running) as starter, Disk(data) as disk:
        run_ids = [f"bench-wait-{number}" for number in range(RUNS)]
        starter.ask("bench_wait", run_ids, {"seconds": _PAUSE_S})
        last = disk.wait_for_slots("pause.1.plan", RUNS, _WAIT_S)
        running.process.kill()
        running.process.wait(_WAIT_S)
        if disk.count_slots("pause.1"):
            raise MillwrightError(
                f"Runs went on before the app was killed; {_PAUSE_S:g} s is short"
            )
    return last + _PAUSE_S
