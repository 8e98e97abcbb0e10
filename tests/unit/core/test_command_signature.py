"""Orders and acknowledgements are believed only with the signature of the plant's key."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bus.codec import decode, encode
from app.core.command import AckState, CommandAck, CommandOrder
from app.core.command_signature import is_signed, sign

AT = datetime(2026, 11, 22, 12, 0, 0, 123456, UTC)
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
ORDER = CommandOrder("c1", "a/b/c/d/e", 5.0, "actuator/1", AT)
ACK = CommandAck("c1", AckState.DONE, "actuator/1", AT)


def test_what_is_signed_is_believed():
    assert is_signed(sign(ORDER, KEY), KEY)
    assert is_signed(sign(ACK, KEY), KEY)


def test_what_has_no_signature_is_not():
    assert not is_signed(ORDER, KEY)


@pytest.mark.parametrize("signature", ["", "x", "é", "\ud800", "0" * 64])
def test_what_has_another_signature_is_not(signature: str):
    assert not is_signed(msgspec.structs.replace(ORDER, signature=signature), KEY)


def test_what_another_key_signed_is_not():
    assert not is_signed(sign(ORDER, OTHER_KEY), KEY)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "c2"),
        ("tag", "a/b/c/d/f"),
        ("value", 5.1),
        ("actuator", "actuator/2"),
        ("expires_at", AT + timedelta(microseconds=1)),
    ],
)
def test_a_field_that_was_changed_shows(field: str, value: object):
    assert not is_signed(msgspec.structs.replace(sign(ORDER, KEY), **{field: value}), KEY)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_has_none_in_utc_is_not_believed(at: str):
    order = b'{"id":"c1","tag":"a/b/c/d/e","value":5,"actuator":"actuator/1","expires_at":"%b"}'
    ack = b'{"id":"c1","state":"done","actuator":"actuator/1","at":"%b"}'

    assert not is_signed(decode(CommandOrder, order % at.encode(), 10_000), KEY)
    assert not is_signed(decode(CommandAck, ack % at.encode(), 10_000), KEY)


def test_an_acknowledgement_whose_state_was_changed_shows():
    assert not is_signed(msgspec.structs.replace(sign(ACK, KEY), state=AckState.REFUSED), KEY)


def test_the_signature_survives_another_way_to_write_the_time():
    shifted = AT.astimezone(timezone(timedelta(hours=2)))

    assert is_signed(msgspec.structs.replace(sign(ORDER, KEY), expires_at=shifted), KEY)


@given(value=st.floats(allow_nan=False, allow_infinity=False), id=st.text(max_size=20))
def test_the_signature_survives_the_way_over_the_bus(value: float, id: str):
    order = sign(msgspec.structs.replace(ORDER, value=value, id=id), KEY)

    assert is_signed(decode(CommandOrder, encode(order), 10_000), KEY)
