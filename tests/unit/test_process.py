"""How the end of a process is told."""

import pytest

from app.process import ending_words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9, "ended by force"),
        (-15, "asked to end"),
        (-11, "crashed, signal 11"),
        (1, "ended with error 1"),
        (0, "ended by itself"),
    ],
)
def test_an_exit_code_is_told_in_words(code: int, words: str):
    assert ending_words(code) == words
