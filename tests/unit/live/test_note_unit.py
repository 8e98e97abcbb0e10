"""A unit named by readings is taken for tags that nobody declared."""

from datetime import UTC, datetime

import pytest

from app.clock import ManualClock
from app.core.equipment import Equipment, Tag
from app.core.reading import Quality, Reading
from app.live.tags import UNIT_LIMIT, TagTable

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PATH = "ext/a/l/u/temp"


@pytest.fixture
def tags() -> TagTable:
    return TagTable(ManualClock(NOW), 10)


def read(tags: TagTable) -> None:
    tags.apply([Reading(PATH, 21.5, Quality.GOOD, NOW, NOW)])


def test_an_undeclared_tag_takes_the_unit_of_its_readings(tags: TagTable):
    read(tags)
    tags.note_unit(PATH, "Cel")
    assert tags.tag(PATH).unit == "Cel"


def test_a_declared_unit_is_never_overruled(tags: TagTable):
    tags.declare(Equipment("ext/a/l/u", "U", tags=(Tag(PATH, unit="1"),)))
    read(tags)
    tags.note_unit(PATH, "Cel")
    assert tags.tag(PATH).unit == "1"


def test_the_first_unit_stays(tags: TagTable):
    read(tags)
    tags.note_unit(PATH, "Cel")
    tags.note_unit(PATH, "K")
    assert tags.tag(PATH).unit == "Cel"


def test_a_unit_of_absurd_length_is_passed_over(tags: TagTable):
    read(tags)
    tags.note_unit(PATH, "x" * (UNIT_LIMIT + 1))
    assert tags.tag(PATH).unit == "1"


def test_an_unknown_tag_is_passed_over(tags: TagTable):
    tags.note_unit(PATH, "Cel")
    assert not tags.has(PATH)
