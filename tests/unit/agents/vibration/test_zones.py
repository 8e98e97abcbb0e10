"""The zone table: shipped figures, edits by a plant, and mistakes in them."""

from pathlib import Path

import pytest

from agents.vibration.zones import Zone, load_zones
from app.core.equipment import Equipment, EquipmentKind
from app.core.errors import SettingsError


def _unit(kind: EquipmentKind, **nameplate: str) -> Equipment:
    return Equipment(path="s/a/l/u", name="U", kind=kind, nameplate=nameplate)


@pytest.mark.parametrize(
    ("velocity", "zone"),
    [(0.0, Zone.A), (2.3, Zone.A), (2.31, Zone.B), (4.5, Zone.B), (7.1, Zone.C), (7.2, Zone.D)],
)
def test_a_limit_belongs_to_the_better_zone(velocity: float, zone: Zone) -> None:
    limits = load_zones().limits_of(_unit(EquipmentKind.MOTOR_PUMP))
    assert limits is not None
    assert limits.zone(velocity) == zone


def test_the_nameplate_wins_over_the_kind() -> None:
    unit = _unit(EquipmentKind.MOTOR_PUMP, iso_20816_group="1", foundation="rigid")
    limits = load_zones().limits_of(unit)
    assert limits is not None
    assert limits.c == 7.1
    assert limits.a == 2.3


@pytest.mark.parametrize(
    "unit",
    [_unit(EquipmentKind.OVEN), _unit(EquipmentKind.MOTOR_PUMP, foundation="springs of my own")],
)
def test_a_unit_that_is_not_in_the_table_has_no_limits(unit: Equipment) -> None:
    assert load_zones().limits_of(unit) is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[limit", "not valid TOML"),
        ("kinds = {}", "limit"),
        ('limit = [{group = "x", foundation = "y", a = 2.0, b = 1.0, c = 3.0}]\nkinds = {}', "x/y"),
        ('limit = [{group = "x", foundation = "y", a = 1.0, b = 2.0, c = nan}]\nkinds = {}', "x/y"),
        ('limit = [{group = "x", foundation = "y", a = 1.0, b = 2.0}]\nkinds = {}', "`c`"),
    ],
)
def test_a_wrong_table_is_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "zones.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=named):
        load_zones(path)


def test_an_absent_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_zones(tmp_path / "none.toml")
