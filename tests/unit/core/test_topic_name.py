"""Topics and sizes that a broker would answer with closing the connection are refused before."""

import pytest

from app.core.errors import InputError, TopicError
from app.core.topic_name import BYTES, LEVELS, PAYLOAD_BYTES, check_payload, check_topic


@pytest.mark.parametrize(
    "topic",
    ["a", "rooms/hall", "/data/x", "a//b/", "é/ü/°C", "a.b", "a/>/*", "a?b", "x" * BYTES,
     "/".join("x" * LEVELS)],
)  # fmt: skip
def test_a_topic_that_brokers_take_is_taken(topic: str):
    check_topic(topic)


@pytest.mark.parametrize(
    ("topic", "named"),
    [
        ("", r'Topic "" cannot .* empty'),
        ("a b", "a blank"),
        ("a/+", "wild card"),
        ("a/#", "wild card"),
        ("a\0b", r"U\+0000"),
        ("rooms/hall\n", r'"rooms/hall\\u000a" cannot be published on: it holds a line break'),
        ("rooms/\thall", "a tab"),
        ("a\x7f", r"U\+007F"),
        ("a\x85", r"U\+0085"),
        ("a\ud800", r"U\+D800"),
        ("a\ufdd0", r"U\+FDD0"),
        ("a\uffff", r"U\+FFFF"),
        ("a\U0010fffe", r"U\+10FFFE"),
        ("$SYS/x", "begins with"),
        ("x" * (BYTES + 1), f"more than {BYTES} bytes"),
        ("°" * (BYTES // 2 + 1), f"more than {BYTES} bytes"),
        ("/".join("x" * (LEVELS + 1)), f"more than {LEVELS} levels"),
    ],
)
def test_any_other_is_refused_with_what_is_wrong_and_the_remedy(topic: str, named: str):
    with pytest.raises(TopicError, match=named) as caught:
        check_topic(topic)

    assert "letters, digits" in caught.value.hint


def test_a_payload_beyond_what_brokers_take_is_refused_with_its_size():
    with pytest.raises(InputError, match=f'{PAYLOAD_BYTES + 1} bytes to "a/b"') as caught:
        check_payload("a/b", PAYLOAD_BYTES + 1)

    assert "Send less" in caught.value.hint


def test_the_largest_payload_is_taken():
    check_payload("a/b", PAYLOAD_BYTES)
