from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.quiet_zone import quiet_zone


@pytest.mark.parametrize("hour", range(24))
def test_it_is_eight_in_the_morning_whatever_the_hour(hour: int):
    now = datetime(2026, 11, 22, hour, 59, tzinfo=UTC)
    assert now.astimezone(ZoneInfo(quiet_zone(now))).hour == 8
