"""What programs that tests start may have of the developer's environment."""

import os
import subprocess
import sys

import pytest

from tests.clean_environment import clean_environment


@pytest.mark.parametrize(
    "name",
    [
        "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM_NUMBER", "TWILIO_TO_NUMBER",
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy", "no_proxy",
        "AWS_SECRET_ACCESS_KEY", "APPRISE_URLS", "OPENAI_API_KEY", "DATABASE_URL",
        "MILLWRIGHT_BROKER__URL", "MILLWRIGHT_PARENT", "NICEGUI_SCREEN_TEST_PORT",
        "PYTEST_CURRENT_TEST", "SHIFT_MAIL_URL", "NOBODY_HAS_THOUGHT_OF_THIS_ONE",
    ],
)  # fmt: skip
def test_what_reaches_out_or_belongs_to_somebody_else_stays_behind(name: str):
    assert clean_environment({name: "secret", "PATH": "/bin"}) == {"PATH": "/bin"}


@pytest.mark.parametrize("name", ["PATH", "HOME", "TMPDIR", "TZ", "LC_ALL", "PYTHONPATH", "Path"])
def test_what_a_program_needs_to_start_is_kept(name: str):
    assert clean_environment({name: "x"}) == {name: "x"}


def test_a_program_started_with_it_does_not_see_the_account(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "secret")
    shown = subprocess.run(
        [sys.executable, "-c", "import os; print(*os.environ)"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout.split()
    assert "TWILIO_AUTH_TOKEN" in os.environ
    assert "PATH" in shown
    assert "TWILIO_AUTH_TOKEN" not in shown
