"""Typed JSON on the bus: msgspec structs out, validated structs in."""

from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from app.core.errors import CodecError

T = TypeVar("T")


def encode(message: msgspec.Struct) -> bytes:
    """Return `message` as UTF-8 JSON; NaN and infinities become null.

    Raises:
        CodecError: A text in it is not valid Unicode.
    """
    try:
        return msgspec.json.encode(message)
    except UnicodeEncodeError as error:
        raise CodecError(f"{type(message).__name__} holds a text that is not Unicode") from error


def decode(type_: type[T], payload: bytes, limit_bytes: int) -> T:
    """Return `payload` as `type_`; with `bytes` it is handed on unread.

    Raises:
        CodecError: Too big, not UTF-8, not JSON, NaN or Infinity, nested too deep, wrong type.
    """
    if len(payload) > limit_bytes:
        raise CodecError(f"{len(payload)} bytes are more than the {limit_bytes} allowed")
    if type_ is bytes:
        return cast("T", payload)  # the branch above proves T is bytes, which checkers cannot see
    if not payload:  # MQTT 3.1.1, section 3.3.1.3
        raise CodecError("it is empty, which only clears what the broker kept on this topic")
    try:
        decoder = _decoder(type_)  # type: ignore[arg-type]  # mypy 2.4 takes a class for unhashable
        return cast("T", decoder.decode(payload))  # the cache forgets the type
    except msgspec.DecodeError as error:
        raise CodecError(str(error)) from error
    except UnicodeDecodeError as error:
        raise CodecError("text is not UTF-8") from error
    except RecursionError as error:
        raise CodecError("nested too deep") from error


@lru_cache(maxsize=256)
def _decoder(type_: type) -> msgspec.json.Decoder[Any]:
    # Making a decoder costs 20 to 100 times one decoding, so each type gets one.
    return msgspec.json.Decoder(type_)
