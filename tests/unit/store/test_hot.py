"""The write-ahead tables: short ones, all read again, all dropped."""

from array import array
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from app.core.errors import StoreError
from app.store.hot import HotLog, Rows, Unrolled
from app.store.lance import Lance, Table

TAG = "a/b/c/d/e"
FULL = "No space left on device (os error 28)"


class FullDisk(Lance):
    """Refuses a new table as a full disk does, which leaves what was seen on one."""

    why = FULL

    @override
    def create(self, name: str, schema: Any) -> Table:
        if not self.why:
            return super().create(name, schema)
        for part in ("_versions", "_transactions"):
            (Path(self.uri) / f"{name}.lance" / part).mkdir(parents=True, exist_ok=True)
        raise StoreError(f'Table "{name}" cannot be opened: {self.why}')


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


def test_a_full_disk_leaves_one_empty_folder_which_the_next_table_takes(tmp_path: Path) -> None:
    lance = FullDisk(str(tmp_path / "lancedb"))
    log, unrolled = HotLog(lance), Unrolled()
    for number in range(5):
        with pytest.raises(StoreError, match="No space left"):
            log.append(batch(number), unrolled)
    assert (lance.names(), unrolled.tables) == (["telemetry_hot_00000001"], [])

    lance.why = ""
    log.append(batch(7), unrolled)
    again, broken = HotLog(Lance(lance.uri)).load()
    assert (again.columns(TAG).values.tolist(), broken) == ([7.0], [])


def test_a_table_that_is_damaged_before_its_first_row_makes_way_for_another(
    tmp_path: Path,
) -> None:
    lance = FullDisk(str(tmp_path / "lancedb"))
    log, unrolled = HotLog(lance), Unrolled()
    lance.why = "Manifest is too short"
    with pytest.raises(StoreError, match="too short"):
        log.append(batch(1), unrolled)

    lance.why = ""
    log.append(batch(2), unrolled)
    assert unrolled.tables == ["telemetry_hot_00000002"]
