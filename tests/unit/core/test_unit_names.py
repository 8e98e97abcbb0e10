"""Units told by name where a sentence has their path."""

import pytest

from app.core.unit_names import with_unit_names

PUMP = "riverside/utilities/cooling/pump-101"
NAMES = {PUMP: "Cooling pump P-101"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"no diagnosis of {PUMP}: no speed", "no diagnosis of Cooling pump P-101: no speed"),
        (f"Nothing from {PUMP}.", "Nothing from Cooling pump P-101."),
        ("cannot read /usr/lib/python3/site.py", "cannot read /usr/lib/python3/site.py"),
        ("nothing of a/b/c/d", "nothing of a/b/c/d"),
    ],
)
def test_a_path_of_a_known_unit_is_its_name(text: str, told: str):
    assert with_unit_names(text, lambda path: NAMES.get(path, "")) == told
