"""Which orders the demo plant obeys."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from agents.simulator.orders import MOST, Obeyed, check_order, in_life, with_order
from app.core.command import CommandOrder
from app.core.command_signature import sign
from app.core.errors import ConflictError, InputError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = b"k" * 32
TAG = "riverside/utilities/cooling/pump-101/speed_limit"
ORDER = sign(CommandOrder("c1", TAG, 80.0, "actuator/1", NOW + timedelta(seconds=1)), KEY)


def test_an_order_of_the_app_is_obeyed_in_its_time():
    check_order(ORDER, NOW, KEY)


@pytest.mark.parametrize(
    "changed",
    [
        {"signature": ""},
        {"signature": "\udcff"},
        {"value": 81.0},
        {"tag": f"{TAG}s"},
        {"id": "c2"},
        {"actuator": "actuator/2"},
        {"expires_at": NOW + timedelta(hours=1)},
    ],
)
def test_an_order_that_was_changed_is_not_obeyed(changed: dict[str, object]):
    with pytest.raises(InputError, match="no right signature"):
        check_order(msgspec.structs.replace(ORDER, **changed), NOW, KEY)


def test_an_order_of_another_key_is_not_obeyed():
    with pytest.raises(InputError, match="no right signature"):
        check_order(ORDER, NOW, b"o" * 32)


@pytest.mark.parametrize("late_s", [0, 5])
def test_an_order_is_not_obeyed_from_its_last_moment_on(late_s: int):
    with pytest.raises(ConflictError, match=f"came {late_s}.0 s after it had expired"):
        check_order(ORDER, ORDER.expires_at + timedelta(seconds=late_s), KEY)


def test_an_order_is_remembered_until_it_expires():
    obeyed = with_order(Obeyed(), ORDER)

    assert in_life(obeyed, NOW) == Obeyed({"c1": ORDER.expires_at})
    assert in_life(obeyed, ORDER.expires_at) == Obeyed()


def test_an_order_that_cannot_be_remembered_is_refused():
    full = Obeyed({str(number): ORDER.expires_at for number in range(MOST)})

    with pytest.raises(ConflictError, match="no more are remembered"):
        with_order(full, ORDER)
