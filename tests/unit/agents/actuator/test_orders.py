"""Which orders the actuator believes and which it follows."""

import math
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from agents.actuator.orders import why_disbelieved, why_refused
from app.core.command import CommandOrder
from app.core.command_signature import sign
from app.core.topics import command_topic

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = b"k" * 32
TAG = "riverside/utilities/cooling/pump-101/speed_setpoint"
ORDER = CommandOrder("c1", TAG, 900.0, "actuator/1", NOW + timedelta(seconds=1))


def test_an_order_of_the_app_is_believed_and_followed():
    assert why_disbelieved(sign(ORDER, KEY), command_topic(TAG), KEY) == ""
    assert why_refused(ORDER, NOW, retained=False, longest_s=60) == ""


def test_one_without_a_signature_is_not_believed():
    assert "signature" in why_disbelieved(ORDER, command_topic(TAG), KEY)


def test_one_signed_with_another_key_is_not_believed():
    assert "signature" in why_disbelieved(sign(ORDER, b"o" * 32), command_topic(TAG), KEY)


def test_one_whose_value_was_changed_is_not_believed():
    forged = msgspec.structs.replace(sign(ORDER, KEY), value=1500.0)

    assert "signature" in why_disbelieved(forged, command_topic(TAG), KEY)


def test_one_on_the_topic_of_another_tag_is_not_believed():
    other = command_topic(TAG.replace("101", "102"))

    assert "another tag" in why_disbelieved(sign(ORDER, KEY), other, KEY)


@pytest.mark.parametrize("name", ["", "a/b", "a b", "+", "x" * 121])
def test_one_whose_id_cannot_be_answered_is_not_believed(name: str):
    signed = sign(msgspec.structs.replace(ORDER, id=name), KEY)

    assert "id" in why_disbelieved(signed, command_topic(TAG), KEY)


def test_a_retained_one_is_refused():
    assert "retained" in why_refused(ORDER, NOW, retained=True, longest_s=60)


@pytest.mark.parametrize("late_s", [0, 0.1, 3600])
def test_an_expired_one_is_refused(late_s: float):
    late = ORDER.expires_at + timedelta(seconds=late_s)

    assert "expired" in why_refused(ORDER, late, retained=False, longest_s=60)


def test_one_that_was_signed_before_the_clock_was_set_back_is_refused():
    set_back = NOW - timedelta(hours=1)

    assert "the clock was set back" in why_refused(ORDER, set_back, retained=False, longest_s=60)


@pytest.mark.parametrize("valid_s", [60, 69])
def test_one_that_is_valid_as_long_as_the_app_signs_is_followed(valid_s: float):
    began = ORDER.expires_at - timedelta(seconds=valid_s)

    assert why_refused(ORDER, began, retained=False, longest_s=60) == ""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_one_without_a_number_is_refused(value: float):
    order = msgspec.structs.replace(ORDER, value=value)

    assert "number" in why_refused(order, NOW, retained=False, longest_s=60)
