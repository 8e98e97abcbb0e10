"""Which topics and messages may be published: those that no broker punishes.

A broker closes the connection of whoever publishes another (MQTT 3.1.1, sections 1.5.3 and 4.7),
and a message of QoS 1 would come again at each reconnect and close that connection, too.
"""

import re

from app.core.errors import InputError, TopicError

PAYLOAD_BYTES = 8_000_000
"""Largest payload that is published; the embedded broker takes 8 MiB with its own headers."""

LEVELS = 201
"""Levels of a topic; mosquitto 2.0.11 closes the connection above."""

BYTES = 30_000
"""Bytes of a topic. Above about 65 400 nats-server 2.15.1 keeps no retained message, and it writes
a dot as two signs."""

_REMEDY = "Make it of letters, digits, _ and -, with / between the levels"

# Measured: nats-server closes the connection after U+0000, tab, line feed, form feed, carriage
# return, blank and U+007F; mosquitto after every control and non-character; both after surrogates.
_PUNISHED = (
    "\0-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 65536))
)  # fmt: skip
_SIGN = re.compile(f"[{_PUNISHED}]")
_TOPIC_SIGN = re.compile(f"[ +#{_PUNISHED}]")
_PLAIN = re.compile(r"[A-Za-z0-9_/-]{1,200}")  # nearly all topics; five times as fast


def check_topic(topic: str) -> None:
    """Tell what is wrong with a topic that a message is to be published on.

    Raises:
        TopicError: It is empty or too long, begins with $, or holds a sign that brokers refuse.
    """
    if not _PLAIN.fullmatch(topic) and (wrong := _wrong(topic)):
        raise TopicError(f"Topic {shown(topic)} cannot be published on: it {wrong}", _REMEDY)


def check_payload(topic: str, size: int) -> None:
    """Tell whether a payload is too large.

    Args:
        topic: Where it goes.
        size: Bytes.

    Raises:
        InputError: It is above `PAYLOAD_BYTES`.
    """
    if size > PAYLOAD_BYTES:
        raise InputError(
            f"Message of {size} bytes to {shown(topic)} is too large: at most {PAYLOAD_BYTES}",
            "Send less, or keep it elsewhere and send its address",
        )


def punished_sign(text: str) -> str:
    """Return the first sign for which brokers close a connection, as `U+000A`; "" without one."""
    found = _SIGN.search(text)
    return _code(found[0]) if found else ""


def shown(topic: str) -> str:
    """Return the beginning of a topic in quotes, signs that cannot be read by their code."""
    signs = (sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in topic[:100])
    return f'"{"".join(signs)}"'


def _wrong(topic: str) -> str:
    if not topic:
        return "is empty"
    if found := _TOPIC_SIGN.search(topic):
        return f"holds {_NAMES.get(found[0]) or f'the sign {_code(found[0])}'}"
    if topic.startswith("$"):
        return "begins with $, as the broker's own do"
    if topic.count("/") >= LEVELS:
        return f"has more than {LEVELS} levels"
    if len(topic.encode()) > BYTES:
        return f"has more than {BYTES} bytes"
    return ""


def _code(sign: str) -> str:
    return f"U+{ord(sign):04X}"


_NAMES = {
    " ": "a blank",
    "+": "+, a wild card",
    "#": "#, a wild card",
    "\t": "a tab (U+0009)",
    "\n": "a line break (U+000A)",
    "\r": "a line break (U+000D)",
}
