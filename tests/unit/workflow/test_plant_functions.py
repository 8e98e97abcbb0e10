"""What expressions may ask of the plant."""

from datetime import UTC, datetime

import pytest

from app.clock import ManualClock
from app.core.equipment import Equipment, Tag
from app.core.errors import InputError
from app.core.expression import PLANT_FUNCTIONS, fill
from app.core.reading import Quality, Reading
from app.live.tags import TagTable
from app.orchestration import SETTLE, plant_functions
from app.workflow.context import PlantSilentError

UNIT = "riverside/building/hall/hvac-801"
ROOM, LIMIT = f"{UNIT}/room", f"{UNIT}/limit"


class Plant:
    """Two tags, and what may be asked of them."""

    def __init__(self) -> None:
        self.clock = ManualClock(datetime(2026, 3, 2, 8, tzinfo=UTC))
        self.tags = TagTable(self.clock, 100)
        self.functions = plant_functions(self.tags, self.clock)
        declared = Tag(path=ROOM, unit="Cel"), Tag(path=LIMIT, unit="%")
        self.tags.declare(Equipment(UNIT, "Hall", tags=declared))

    def show(self, path: str, value: float, quality: Quality = Quality.GOOD) -> None:
        now = self.clock.now()
        self.tags.apply([Reading(path, value, quality, now, now)])

    def asked(self, text: str) -> object:
        return fill({"said": text}, {}, self.functions)["said"]


@pytest.fixture
def plant() -> Plant:
    return Plant()


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [(LIMIT, 105.0, "105 %"), (ROOM, 21.25, "21.25 °C")],
)
def test_a_value_is_shown_with_its_unit(plant: Plant, path: str, value: float, said: str):
    plant.show(path, value)
    assert plant.asked(f"${{shown('{path}')}}") == said
    assert plant.asked(f"${{tag('{path}')}}") == value


@pytest.mark.parametrize("function", ["tag", "shown"])
async def test_a_value_that_is_not_good_is_not_taken(plant: Plant, function: str):
    await plant.clock.advance(SETTLE.total_seconds() + 1)
    with pytest.raises(InputError, match="has no value"):
        plant.asked(f"${{{function}('{ROOM}')}}")
    plant.show(ROOM, 21.0, Quality.BAD)
    with pytest.raises(InputError, match="its value counts for nothing"):
        plant.asked(f"${{{function}('{ROOM}')}}")
    assert plant.asked(f"${{is_good('{ROOM}')}}") is False


@pytest.mark.parametrize("function", PLANT_FUNCTIONS)
def test_just_after_the_start_the_first_value_is_waited_for(plant: Plant, function: str):
    with pytest.raises(PlantSilentError, match="the first value of"):
        plant.asked(f"${{{function}('{ROOM}')}}")
