"""What was moved aside is found again, with its size, its time and the reason."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.bus.broker_store import quarantine
from app.core.quarantined import Quarantined
from app.store.assets import Assets
from app.store.quarantine import list_quarantined, move_aside

NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)


def damaged_units(data: Path) -> None:
    path = data / "assets.sqlite"
    path.write_bytes(b"no database " * 100)
    assets = Assets(path)
    assets.open()
    assets.close()


def by_name(found: list[Quarantined]) -> dict[str, Quarantined]:
    return {each.name: each for each in found}


def test_nothing_is_listed_where_nothing_was_moved(tmp_path: Path) -> None:
    (tmp_path / "assets.sqlite").write_bytes(b"")
    assert list_quarantined(tmp_path) == []
    assert list_quarantined(tmp_path / "absent") == []


def test_each_store_leaves_its_reason(tmp_path: Path) -> None:
    damaged_units(tmp_path)
    for name in ("broker", "lancedb"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part").write_bytes(b"x" * 1000)
    quarantine(tmp_path / "broker", NOON, "x.blk holds no messages")
    move_aside(tmp_path / "lancedb", NOON, "not a table")
    found = by_name(list_quarantined(tmp_path))
    assert found["assets.sqlite"].reason.endswith("file is not a database")
    assert found["broker"].reason == "x.blk holds no messages"
    assert found["lancedb"].reason == "not a table"
    assert all(each.size_bytes > 1000 for each in found.values())
    assert found["broker"].path == str(tmp_path / "broker.quarantined-20260504T120000Z")


def test_two_tables_of_one_second_share_a_folder_and_keep_both_reasons(tmp_path: Path) -> None:
    for day in ("day_1.lance", "day_2.lance"):
        (tmp_path / "lancedb" / day).mkdir(parents=True)
        move_aside(tmp_path / "lancedb" / day, NOON, f"{day} is short")
    (found,) = list_quarantined(tmp_path)
    assert found.reason == "day_1.lance is short; day_2.lance is short"


def test_a_history_elsewhere_is_looked_at_too(tmp_path: Path) -> None:
    table = tmp_path / "disk" / "readings" / "day.lance"
    table.mkdir(parents=True)
    move_aside(table, NOON, "short")
    (found,) = list_quarantined(tmp_path / "data", str(tmp_path / "disk" / "readings"))
    assert found.name == "readings"
    assert list_quarantined(tmp_path / "data", "s3://bucket/readings") == []


def test_the_newest_comes_first_and_an_unknown_reason_is_empty(tmp_path: Path) -> None:
    for days in (3, 1, 2):
        folder = tmp_path / f"alarms.sqlite.quarantined-{days}"
        folder.mkdir()
        at = (NOON - timedelta(days=days)).timestamp()
        os.utime(folder, (at, at))
    found = list_quarantined(tmp_path)
    assert [each.at for each in found] == [NOON - timedelta(days=days) for days in (1, 2, 3)]
    assert {each.reason for each in found} == {""}
