"""Pages of tests are waited for: NiceGUI looks for 0.3 s, and a busy machine takes longer."""

from functools import partialmethod

import pytest
from nicegui.testing import User

LOOKS = 200
"""At 0.1 s each for what is to be seen, at 0.05 s each for what is to go."""


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("should_see", "should_not_see"):
        looks = partialmethod(getattr(User, name), retries=LOOKS)
        monkeypatch.setattr(User, name, looks)
