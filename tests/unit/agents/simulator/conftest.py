"""What the simulator's tests share: a start on a working morning, and the units by kind."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from agents.simulator.plant import PlantModel

# A Wednesday, 09:00 in Berlin: the early shift is at work, no break, no changeover.
MORNING = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)


@pytest.fixture
def morning() -> datetime:
    return MORNING


@pytest.fixture
def plant() -> PlantModel:
    return PlantModel(1, MORNING)


@pytest.fixture(scope="session")
def means() -> Callable[[PlantModel, str, int], dict[str, float]]:
    """Return a function that steps a plant and gives the mean true values of one unit."""

    def run(model: PlantModel, equipment: str, seconds: int) -> dict[str, float]:
        sums: dict[str, float] = {}
        for _ in range(seconds // 2):
            model.step(2.0)
            for name, value in model.true_values(equipment).items():
                sums[name] = sums.get(name, 0.0) + value / (seconds // 2)
        return sums

    return run
