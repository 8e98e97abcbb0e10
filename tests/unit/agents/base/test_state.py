import asyncio
from pathlib import Path

import msgspec
import pytest

from agents.base.state import States


class Count(msgspec.Struct):
    value: int = 0


class OtherCount(msgspec.Struct, forbid_unknown_fields=True):
    steps: int = 0


async def saved(file: Path) -> States:
    states = States(file)
    states.get("u1", Count).value = 7
    states.stated = {"a:u1:hot": 2, "a:u1:cold": None}
    await states.save()
    return states


def loaded(file: Path) -> States:
    states = States(file)
    states.load()
    return states


async def test_state_survives_a_restart(tmp_path: Path):
    await saved(tmp_path / "agent" / "1.json")

    states = loaded(tmp_path / "agent" / "1.json")

    assert states.get("u1", Count).value == 7
    assert states.stated == {"a:u1:hot": 2, "a:u1:cold": None}


async def test_state_that_nobody_asked_for_is_kept(tmp_path: Path):
    await saved(tmp_path / "1.json")

    await loaded(tmp_path / "1.json").save()

    assert loaded(tmp_path / "1.json").get("u1", Count).value == 7


def test_units_and_kinds_of_state_do_not_mix(tmp_path: Path):
    states = States(tmp_path / "1.json")
    states.put("u1", Count(1))
    states.put("u1", OtherCount(2))

    assert states.get("u2", Count) == Count()
    assert (states.get("u1", Count), states.get("u1", OtherCount)) == (Count(1), OtherCount(2))


async def test_state_of_another_shape_begins_anew(tmp_path: Path):
    file = tmp_path / "1.json"
    await saved(file)
    file.write_bytes(file.read_bytes().replace(b'"Count"', b'"OtherCount"'))

    assert loaded(file).get("u1", OtherCount) == OtherCount()


@pytest.mark.parametrize("damage", [b"", b"\xff", b"{", b"[]", b'{"version":1}', b"[" * 100_000])
def test_a_damaged_checkpoint_is_set_aside(tmp_path: Path, damage: bytes):
    file = tmp_path / "1.json"
    file.write_bytes(damage)

    states = loaded(file)

    assert states.get("u1", Count) == Count()
    assert (tmp_path / "1.damaged").read_bytes() == damage


def test_a_checkpoint_of_a_later_version_is_not_misread(tmp_path: Path):
    file = tmp_path / "1.json"
    file.write_bytes(b'{"version":2,"stated":{"k":1},"units":{"u1":{"Count":{"value":3}}}}')

    states = loaded(file)

    assert (states.stated, states.get("u1", Count).value) == ({}, 0)


async def test_a_half_written_checkpoint_does_not_replace_the_old_one(tmp_path: Path):
    file = tmp_path / "1.json"
    states = await saved(file)
    (tmp_path / "1.new").mkdir()  # makes the next write fail

    states.get("u1", Count).value = 8
    with pytest.raises(OSError, match="directory"):
        await states.save()

    assert loaded(file).get("u1", Count).value == 7


async def test_saves_at_the_same_time_do_not_disturb_each_other(tmp_path: Path):
    states = await saved(tmp_path / "1.json")

    await asyncio.gather(*(states.save() for _ in range(20)))

    assert loaded(tmp_path / "1.json").get("u1", Count).value == 7


def test_a_home_that_is_no_folder_begins_anew(tmp_path: Path):
    (tmp_path / "agent").write_text("a file")

    assert loaded(tmp_path / "agent" / "1.json").stated == {}
