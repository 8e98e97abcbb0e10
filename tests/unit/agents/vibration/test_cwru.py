"""A real bearing that is well: Case Western Reserve University, record 97 (normal, 0 hp)."""

from typing import Any

import numpy as np
import pytest

from agents.vibration.baseline import Baseline
from agents.vibration.bearings import bearing_orders
from agents.vibration.diagnose import diagnose
from agents.vibration.features import vibration_features
from agents.vibration.waveform import STANDARD_GRAVITY, Waveform
from app.core.equipment import EquipmentKind
from tests.public_data import DATA, needs

RECORD = DATA / "cwru" / "97.mat"
RATE_HZ, SPEED_RPM = 12_000.0, 1796.0  # as published with the record


@needs(RECORD)
@pytest.mark.parametrize("count", [4096, 8192])
def test_no_window_of_a_healthy_bearing_shows_a_defect(count: int) -> None:
    matlab: Any = pytest.importorskip("scipy.io")  # comes with the train extra; no stubs
    samples = np.ravel(matlab.loadmat(RECORD)["X097_DE_time"]) * STANDARD_GRAVITY
    orders = bearing_orders({"bearing": "6205"})
    windows = [samples[each : each + count] for each in range(0, len(samples) - count, count)]
    found = [
        diagnosis
        for window in windows
        for diagnosis in diagnose(
            vibration_features(Waveform(window, RATE_HZ, SPEED_RPM), orders),
            Baseline(),
            None,
            EquipmentKind.OTHER,
        )
        if diagnosis.probability >= 0.3
    ]
    assert found == []
