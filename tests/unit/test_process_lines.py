"""Cutting a child's output into lines."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.process_lines import LINE_LIMIT_BYTES, LineCutter


def cut(chunks: Sequence[bytes], lines_per_s: int = 1000) -> list[str]:
    cutter = LineCutter(lines_per_s)
    lines = [line for chunk in chunks for line in cutter.feed(chunk, 0.0)]
    return lines + list(cutter.finish())


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_where_the_chunks_end_makes_no_difference(data: bytes, places: list[int]):
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    chunks = [data[start:end] for start, end in pairwise(edges)]
    assert cut(chunks) == cut([data])


@given(st.lists(st.text(st.characters(categories=["L", "N", "P"]), min_size=1), max_size=20))
def test_every_line_arrives(lines: list[str]):
    assert cut(["\n".join(lines).encode()]) == lines


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"\xff\xfe broken\n", "\ufffd\ufffd broken"),
        (b"\x1b[31mred\x1b[0m\n", "?[31mred?[0m"),
        (b"windows\r\n", "windows"),
        (b"no end", "no end"),
        (b"nul\x00byte\n", "nul?byte"),
    ],
)
def test_bytes_that_are_no_text_cannot_harm(raw: bytes, line: str):
    assert cut([raw]) == [line]


def test_an_endless_line_is_cut_and_not_kept():
    chunks = [b"a" * 10_000] * 50 + [b"\nnext\n"]
    head, after = cut(chunks)
    assert head == "a" * LINE_LIMIT_BYTES
    assert after == "next"


def test_a_flood_is_counted_and_said_in_one_line():
    cutter = LineCutter(lines_per_s=3)
    flood = list(cutter.feed(b"line\n" * 1000, 0.0))
    later = list(cutter.feed(b"calm\n", 1.0))
    assert flood == ["line"] * 3
    assert later == ["… 997 lines dropped: more than 3 a second", "calm"]


def test_chunks_of_a_flood_are_dropped_whole():
    cutter = LineCutter(lines_per_s=1)
    lines = [line for _ in range(100) for line in cutter.feed(b"x\n" * 10, 0.5)]
    assert lines == ["x"]
    assert list(cutter.finish()) == ["… 999 lines dropped: more than 1 a second"]
