from pathlib import Path

import pytest

from app.bench import workflow_dispatch, workflow_durable, workflow_recovery

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


async def test_every_run_of_the_engine_completes_beside_bare_sqlite(tmp_path: Path):
    result = await workflow_durable.measure(tmp_path / "durable", 0.0)

    for part in ("one_after_the_other", "50_abreast"):
        figures = result[part]
        assert isinstance(figures, dict)
        assert figures["ratio"] > 0  # how much is for an idle machine to say
    assert result["failed"] == 0


async def test_tasks_are_answered_beside_a_bare_round_trip(tmp_path: Path):
    result = await workflow_dispatch.measure(tmp_path / "dispatch", 0.0)

    ratio = result["ratio_p50"]
    assert isinstance(ratio, float)
    assert ratio > 0


def test_every_run_goes_on_after_the_app_was_killed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # it tells NiceGUI that it runs inside a test
    result = workflow_recovery.measure()

    every, ended = (
        result["start_to_a_step_of_every_run_s"],
        result["start_to_every_run_completed_s"],
    )
    assert isinstance(every, float)
    assert isinstance(ended, float)
    assert 0 < every <= ended
