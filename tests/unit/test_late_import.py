"""A package put off, each time in a fresh interpreter."""

import subprocess
import sys

import pytest

REST = "lance_namespace_urllib3_client"
PUT_OFF = f"import sys; from app.late_import import put_off; put_off('{REST}')"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


def said(code: str) -> str:
    """Return what Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=150, check=False
    )
    return done.stdout + done.stderr


def test_a_package_is_not_loaded_until_something_asks_for_it():
    told = said(
        f"{PUT_OFF}; import lancedb; print('{REST}.api' in sys.modules)\n"
        f"from {REST} import TableApi; print(TableApi.__name__, '{REST}.api' in sys.modules)"
    )
    assert told.splitlines() == ["False", "TableApi True"]


def test_a_name_that_the_package_has_not_is_an_error_as_ever():
    assert f"cannot import name 'Nonsense' from '{REST}'" in said(
        f"{PUT_OFF}\nfrom {REST} import Nonsense"
    )


def test_a_package_that_is_loaded_already_stays_as_it_is():
    before = f"import {REST} as before; {PUT_OFF}; import {REST} as after; print(before is after)"
    assert said(before).splitlines() == ["True"]


def test_a_package_that_is_not_installed_is_missing_as_ever():
    assert "No module named 'nowhere_to_be_found'" in said(
        "from app.late_import import put_off; put_off('nowhere_to_be_found')\n"
        "import nowhere_to_be_found"
    )


def test_two_threads_that_ask_at_once_both_have_it():
    told = said(
        f"{PUT_OFF}; import threading; import {REST} as late; heard = []\n"
        "ask = lambda: heard.append(late.TableApi.__name__)\n"
        "asking = [threading.Thread(target=ask) for _ in range(4)]\n"
        "[each.start() for each in asking]; [each.join() for each in asking]; print(heard)"
    )
    assert told.strip() == str(["TableApi"] * 4)


def test_the_app_starts_without_the_http_clients_it_does_not_need():
    told = said(
        "from app.late_import import put_off; put_off('requests', 'aiohttp')\n"
        "import sys, app.main\n"
        "late = ('aiohttp.client', 'requests.sessions', 'httpx')\n"
        "print([each for each in late if each in sys.modules])"
    )
    assert told.splitlines() == ["[]"]
