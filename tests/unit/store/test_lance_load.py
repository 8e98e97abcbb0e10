"""lancedb without its REST client, each time in a fresh interpreter."""

import subprocess
import sys

import pytest

LOAD = "import sys; from app.store.lance_load import load_lancedb; load_lancedb()"
REST = "lance_namespace_urllib3_client"


def said(code: str) -> str:
    """Return what Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.slow
def test_the_client_is_not_loaded_until_something_asks_for_it():
    told = said(
        f"{LOAD}; print('{REST}.api' in sys.modules)\n"
        f"from {REST} import TableApi; print(TableApi.__name__, '{REST}.api' in sys.modules)"
    )
    assert told.splitlines() == ["False", "TableApi True"]


@pytest.mark.slow
def test_a_name_that_the_client_has_not_is_an_error_as_ever():
    assert f"cannot import name 'Nonsense' from '{REST}'" in said(
        f"{LOAD}\nfrom {REST} import Nonsense"
    )


@pytest.mark.slow
def test_a_client_that_is_loaded_already_stays_as_it_is():
    before = f"import {REST} as before; {LOAD}; import {REST} as after; print(before is after)"
    assert said(before).splitlines() == ["True"]
