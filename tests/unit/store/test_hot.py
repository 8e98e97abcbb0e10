"""The write-ahead tables: short ones, all read again, all dropped."""

from array import array
from pathlib import Path

import pytest

from app.store.hot import HotLog, Rows, Unrolled
from app.store.lance import Lance

TAG = "a/b/c/d/e"


@pytest.fixture
def lance(tmp_path: Path) -> Lance:
    return Lance(str(tmp_path / "lancedb"))


def batch(number: int) -> Rows:
    return Rows(
        [TAG], array("q", [number * 1_000_000]), array("d", [float(number)]), array("B", [0])
    )


def written(lance: Lance, batches: int) -> Unrolled:
    log, unrolled = HotLog(lance), Unrolled()
    for number in range(batches):
        log.append(batch(number), unrolled)
    return unrolled


def test_a_long_row_of_batches_goes_into_several_tables_and_none_is_lost(lance: Lance) -> None:
    unrolled = written(lance, 250)
    assert unrolled.tables == [f"telemetry_hot_{number:08d}" for number in (1, 2, 3)]
    again, broken = HotLog(Lance(lance.uri)).load()
    again.add(batch(250))
    assert broken == []
    assert again.columns(TAG).values.tolist() == [float(number) for number in range(250)] + [250]


def test_a_restart_goes_on_in_a_table_of_its_own(lance: Lance) -> None:
    written(lance, 3)
    log = HotLog(Lance(lance.uri))
    recovered, _ = log.load()
    active = Unrolled()
    log.append(batch(9), active)
    assert active.tables == ["telemetry_hot_00000002"]
    assert recovered.tables == ["telemetry_hot_00000001"]


def test_a_roll_drops_all_tables_of_its_rows_and_no_other(lance: Lance) -> None:
    log, sealed, active = HotLog(lance), Unrolled(), Unrolled()
    for number in range(150):
        log.append(batch(number), sealed)
    log.append(batch(150), active)
    log.drop(sealed)
    assert lance.names() == active.tables
    log.append(batch(151), active)
    assert Lance(lance.uri).names() == active.tables
