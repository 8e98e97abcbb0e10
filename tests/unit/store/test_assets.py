import contextlib
import itertools
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from app.core.equipment import Equipment, EquipmentKind, Limits, Tag
from app.core.errors import StoreError
from app.store.assets import Assets

PUMP = Equipment(
    path="s/a/l/P-1",
    name="Pump 1",
    kind=EquipmentKind.MOTOR_PUMP,
    tags=(Tag(path="s/a/l/P-1/flow", unit="L/min", limits=Limits(high=9.0), states={1: "on"}),),
    nameplate={"bearing": "6205"},
)


def opened(path: Path) -> Assets:
    assets = Assets(path)
    assets.open()
    return assets


def test_units_come_back_after_a_restart(tmp_path: Path):
    path = tmp_path / "data" / "assets.sqlite"
    assets = opened(path)
    assets.save(PUMP)
    assets.close()
    again = opened(path)
    assert again.load() == [PUMP]
    again.close()


def test_a_unit_saved_again_is_replaced(tmp_path: Path):
    assets = opened(tmp_path / "assets.sqlite")
    assets.save(PUMP)
    assets.save(Equipment(path=PUMP.path, name="Pump one"))
    assert [unit.name for unit in assets.load()] == ["Pump one"]
    assets.close()


def test_a_damaged_page_is_noticed_when_opened(tmp_path: Path):
    path = tmp_path / "assets.sqlite"
    assets = opened(path)
    for number in range(200):
        assets.save(Equipment(path=f"s/a/l/u{number}", name="x" * 200))
    assets.close()
    body = bytearray(path.read_bytes())
    body[8192:20480] = b"\xff" * 12288
    path.write_bytes(body)
    again = opened(path)
    assert again.moved_aside
    again.close()


def test_a_row_of_an_older_version_does_not_hide_the_others(tmp_path: Path):
    path = tmp_path / "assets.sqlite"
    assets = opened(path)
    assets.save(PUMP)
    assets.close()
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("INSERT INTO equipment VALUES ('a', '{\"old\": 1}')")
        file.commit()
    again = opened(path)
    assert again.load() == [PUMP]
    again.close()


def test_a_store_that_is_not_open_says_so(tmp_path: Path):
    assets = Assets(tmp_path / "assets.sqlite")
    with pytest.raises(StoreError, match="not open"):
        assets.save(PUMP)
    with pytest.raises(StoreError, match="not open"):
        assets.load()
    assets.close()


def test_a_folder_in_the_way_is_named(tmp_path: Path):
    (tmp_path / "assets.sqlite").mkdir()
    with pytest.raises(StoreError, match=r"assets\.sqlite"):
        Assets(tmp_path / "assets.sqlite").open()


def test_a_deleted_unit_does_not_come_back(tmp_path: Path):
    path = tmp_path / "assets.sqlite"
    assets = opened(path)
    assets.save(PUMP)
    assets.delete(PUMP.path)
    assets.delete("s/a/l/nobody")
    assets.close()
    again = opened(path)
    assert again.load() == []
    again.close()


@pytest.mark.parametrize("number", range(20))
def test_closing_waits_for_a_save_in_another_thread(tmp_path: Path, number: int):
    assets = opened(tmp_path / "assets.sqlite")
    saved: list[int] = []

    def save() -> None:
        with contextlib.suppress(StoreError):  # it is closed
            for each in itertools.count():
                assets.save(msgspec.structs.replace(PUMP, name=f"{number} {each}"))
                saved.append(each)

    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(save)
        while not saved:
            time.sleep(0.001)
        assets.close()
        done.result(10)

    again = opened(tmp_path / "assets.sqlite")
    assert [unit.name for unit in again.load()] == [f"{number} {saved[-1]}"]
    again.close()
