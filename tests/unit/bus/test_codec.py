import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bus.codec import decode, encode
from app.core.agent import Beat
from app.core.errors import CodecError
from app.core.reading import Quality, ReadingMessage
from app.core.task import Task

LIMIT = 262_144


def test_a_message_survives_the_way_over_the_bus():
    message = ReadingMessage(v=1.5, q=Quality.BAD, t=datetime(2026, 1, 1, tzinfo=UTC), u="Cel")

    assert decode(ReadingMessage, encode(message), LIMIT) == message


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_survives(value: float):
    assert decode(ReadingMessage, encode(ReadingMessage(v=value)), LIMIT).v == value


def test_bytes_are_handed_on_unread():
    assert decode(bytes, b"\xff\x00", LIMIT) == b"\xff\x00"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"v":1,"u":"\xff"}',
        b'{"v":NaN}',
        b'{"v":Infinity}',
        b'{"v":1e999}',
        b'{"v":"12"}',
        b'{"v":[1]}',
        b'["v",1]',
        b"1",
        b"null",
        b'{"q":"good"}',
        b'{"v":1,"q":"splendid"}',
        b'{"v":1,"unknown":2}',
        b'{"v":1} trailing',
        b'{"v":1,"t":"2026-01-01T00:00:00"}',
        b'{"v":1,"t":"yesterday"}',
        b"[" * 100_000,
        b'{"v":' + b"9" * 5000 + b"}",
    ],
)
def test_a_wrong_payload_is_refused(payload: bytes):
    with pytest.raises(CodecError):
        decode(ReadingMessage, payload, LIMIT)


def test_deep_nesting_in_a_free_object_is_refused():
    payload = b'{"id":"a","input":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"

    with pytest.raises(CodecError, match="too deep"):
        decode(Task, payload, LIMIT)


def test_a_message_beyond_the_limit_is_refused_unread():
    with pytest.raises(CodecError, match="262145 bytes"):
        decode(bytes, b" " * (LIMIT + 1), LIMIT)


@given(st.binary(max_size=200))
def test_no_payload_raises_anything_else(payload: bytes):
    with contextlib.suppress(CodecError):
        decode(Beat, payload, LIMIT)


def test_text_that_is_not_unicode_cannot_be_sent():
    with pytest.raises(CodecError, match="ReadingMessage"):
        encode(ReadingMessage(v=1, u="\ud800"))
