"""Which hosts are answered and which pages may call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.security.origins import Origins

ORIGINS = Origins("127.0.0.1", ["https://wall.example:8443", "http://panel.example/"])


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "127.0.0.2", "wall.example"],
)
def test_own_names_and_loopback_are_answered(host: str) -> None:
    assert ORIGINS.knows_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1:8080",
        "127.0.0.1@evil.example",
        "127.0.0.1/evil",
        "[::1",
        "127.0.0.1:99999",
        "127.0.0.1:8080:1",
    ],
)
def test_other_names_are_not_answered(host: str) -> None:
    assert not ORIGINS.knows_host(host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://LocalHost:8080", "localhost:8080"),
        ("http://localhost", "localhost:80"),
        ("https://localhost", "localhost:443"),
        ("http://[::1]:8080", "[::1]:8080"),
        ("https://wall.example:8443", "127.0.0.1:8080"),
        ("http://panel.example", "127.0.0.1:8080"),
    ],
)
def test_own_and_listed_pages_may_call(origin: str, host: str) -> None:
    assert ORIGINS.allows(origin, host)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://127.0.0.1:3000",
        "http://127.0.0.1",
        "http://localhost:8080",
        "http://127.0.0.1:8080.evil.example",
        "http://127.0.0.1:8080@evil.example",
        "https://wall.example",
        "http://wall.example:8443",
        "file://127.0.0.1:8080",
        "chrome-extension://127.0.0.1:8080",
        "127.0.0.1:8080",
    ],
)
def test_foreign_pages_may_not_call(origin: str) -> None:
    assert not ORIGINS.allows(origin, "127.0.0.1:8080")


@given(st.text(max_size=60))
def test_no_text_breaks_the_check_of_the_host(host: str) -> None:
    assert ORIGINS.knows_host(host) in {True, False}


@given(st.from_regex(r"[a-z0-9.-]{1,30}\.[a-z]{2,5}", fullmatch=True), st.integers(1, 65535))
def test_no_named_host_of_another_domain_may_call(host: str, port: int) -> None:
    is_ours = host in {"wall.example", "panel.example"}
    assert is_ours or not ORIGINS.allows(f"http://{host}:{port}", f"127.0.0.1:{port}")
