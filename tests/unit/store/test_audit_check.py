"""The check of the running app's audit, and what Health says of it."""

import asyncio
import threading
from pathlib import Path

import pytest

from app.clock import ManualClock
from app.core.audit_chain import Fault
from app.core.health import Health
from app.store.audit_check import AuditCheck, CheckState
from app.stores import Stores
from tests.unit.store.audit_rig import ANNA, NOW, act, spoil


async def ended(check: AuditCheck) -> CheckState:
    """Wait until the check is over."""
    for thread in threading.enumerate():
        if thread.name == "audit check":
            await asyncio.to_thread(thread.join, 10)
    assert not check.state.running
    return check.state


def no_units(*_: object) -> None:
    """Declare nothing."""


async def no_alarms() -> None:
    """Start no alarms."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An audit of ten rows that is closed."""
    path = tmp_path / "audit.sqlite"
    act(path)
    return path


async def test_a_check_tells_how_far_it_is_and_what_it_found(path: Path):
    check = AuditCheck(path, ManualClock(NOW))
    assert check.start()
    state = await ended(check)
    assert (state.done, state.total) == (10, 10)
    assert state.verdict
    assert (state.verdict.is_ok, state.verdict.at) == (True, NOW)


async def test_a_second_check_does_not_begin_beside_the_first(path: Path):
    check = AuditCheck(path, ManualClock(NOW))
    assert [check.start(), check.start()] == [True, False]
    await ended(check)
    assert check.start()
    await ended(check)


async def test_a_cancelled_check_keeps_the_verdict_before_it(path: Path):
    check = AuditCheck(path, ManualClock(NOW))
    check.start(4)
    before = (await ended(check)).verdict
    check.start()
    check.cancel()
    state = await ended(check)
    assert (state.verdict, state.trouble) == (before, "")


async def test_a_check_that_cannot_read_says_why(tmp_path: Path):
    check = AuditCheck(tmp_path / "audit.sqlite", ManualClock(NOW))
    check.start()
    state = await ended(check)
    assert "There is no audit" in state.trouble
    assert state.verdict is None


async def test_the_end_is_checked_at_the_start(path: Path):
    stores = Stores(path.parent, ManualClock(NOW))
    await stores.open(no_units, no_alarms)
    state = await ended(stores.audit_check)
    assert state.verdict
    assert state.verdict.rows == 10
    (audit,) = [each for each in stores.statuses if each.name == "Audit"]
    assert audit.state is Health.OK
    stores.close()


async def test_a_broken_chain_is_a_failed_component_and_actions_go_on(path: Path):
    spoil(path, "UPDATE chain SET actor = 'eve' WHERE number = 3")
    stores = Stores(path.parent, ManualClock(NOW))
    await stores.open(no_units, no_alarms)
    await ended(stores.audit_check)
    (audit,) = [each for each in stores.statuses if each.name == "Audit"]
    assert (audit.state, audit.since) == (Health.FAILED, NOW)
    assert "content of row 3 was changed" in audit.reason
    assert "Copy the data folder" in audit.remedy
    assert stores.audit.append(NOW, ANNA, "start agent", "energy") == 11
    stores.close()


async def test_a_missing_end_is_found_at_the_start_before_anything_is_written(path: Path):
    spoil(path, "DELETE FROM chain WHERE number > 8")
    stores = Stores(path.parent, ManualClock(NOW))
    await stores.open(no_units, no_alarms)
    verdict = (await ended(stores.audit_check)).verdict
    assert verdict
    assert verdict.flaw
    assert verdict.flaw.fault is Fault.HEAD
    stores.close()


async def test_an_end_that_is_cut_off_while_the_app_runs_is_told(path: Path):
    stores = Stores(path.parent, ManualClock(NOW))
    await stores.open(no_units, no_alarms)
    await ended(stores.audit_check)
    spoil(path, "DELETE FROM chain WHERE number > 8")
    stores.audit.append(NOW, ANNA, "start agent", "energy")
    (audit,) = [each for each in stores.statuses if each.name == "Audit"]
    assert (audit.state, "ends with row 8" in audit.reason) == (Health.FAILED, True)
    stores.close()


async def test_a_head_that_cannot_be_noted_degrades_the_audit(path: Path):
    stores = Stores(path.parent, ManualClock(NOW))
    await stores.open(no_units, no_alarms)
    await ended(stores.audit_check)
    path.with_suffix(".head").unlink()
    path.with_suffix(".head").mkdir()
    stores.audit.append(NOW, ANNA, "start agent", "energy")
    (audit,) = [each for each in stores.statuses if each.name == "Audit"]
    assert (audit.state, "cannot be written" in audit.reason) == (Health.DEGRADED, True)
    stores.close()
