"""What msgspec refuses, in words that name the place and the remedy."""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
import pytest

from app.core.misfit import misfit


class Verb(StrEnum):
    RETRY = "retry"
    CANCEL = "cancel"


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    count: Annotated[int, msgspec.Meta(ge=1)] = 1


class Body(msgspec.Struct, forbid_unknown_fields=True):
    action: Verb
    way: Literal["old", "current"] = "old"
    rows: list[Inner] = []
    inner: Inner | None = None


def said(text: str, kind: type = Body) -> tuple[str, str, str]:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(text, type=kind)
    return tuple(misfit(str(caught.value), "", kind))  # type: ignore[return-value]  # pyright: ignore[reportReturnType]  three texts


@pytest.mark.parametrize(
    ("text", "where", "words", "hint"),
    [
        ('{"action": "retrry"}', "action", '"retrry" is not known here', 'Did you mean "retry"?'),
        ('{"action": "x"}', "action", '"x" is not known here', "One of retry, cancel"),
        ('{"action": "retry", "way": "x"}', "way", '"x" is not known here', "One of old, current"),
        ("{}", "", '"action" is missing', ""),
        (
            '{"action": "retry", "rows": [{"cuont": 1}]}',
            "rows[0].cuont",
            'There is no field "cuont" here',
            'Did you mean "count"?',
        ),
        (
            '{"action": "retry", "inner": {"count": 0}}',
            "inner.count",
            'Expected "int" >= 1',
            "",
        ),
        ("[]", "", 'Expected "object", got "array"', ""),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(text: str, where: str, words: str, hint: str):
    assert said(text) == (where, words, hint)


def test_a_whole_of_another_type_has_no_place():
    assert said('{"a": 1}', list) == ("", 'Expected "array", got "object"', "")  # type: ignore[type-abstract]
