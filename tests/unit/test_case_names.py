"""Workers of pytest-xdist must collect the same names, though they import a second apart."""

import gzip

import pytest

from tests.case_names import pytest_make_parametrize_id


def test_bytes_that_hold_the_time_give_one_name():
    names = {pytest_make_parametrize_id(gzip.compress(b"rows", mtime=t), "file") for t in (1, 2)}
    assert names == {f"file-of-{len(gzip.compress(b'rows'))}-bytes"}


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"\xff", "v-of-1-bytes"),
        (b"x" * 81, "v-of-81-bytes"),
        ("x" * 81, "v-of-81-characters"),
        (10**80, "v-of-81-characters"),
        (b"x" * 80, None),
        ("x" * 80, None),
        (1.5, None),
    ],
)
def test_a_long_or_unreadable_value_is_named_by_its_size(value: object, name: str | None):
    assert pytest_make_parametrize_id(value, "v") == name
