"""What every test may ask for: settings in a scratch folder and a real broker.

No test speaks to anything but this computer: an audit hook refuses every other address and name.
It holds in this process; the programs that tests start bind and call loopback by their settings,
and tests.clean_environment hands no accounts and proxies on to them.
"""

import asyncio
import ipaddress
import os
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blockbuster import blockbuster_ctx

from app.settings import BrokerSettings, DataSettings, Settings
from tests.broker_process import BrokerProcess
from tests.chromium import find_chromium
from tests.ports import free_port
from tests.public_data import NO_DATA

pytest_plugins = [
    "nicegui.testing.user_plugin",
    "tests.case_names",
    "tests.postgres",
    "tests.time_limit",
]

_OUTSIDE = re.compile("MILLWRIGHT_|TWILIO_|.*_PROXY$", re.IGNORECASE)


_CALLS = {"socket.connect", "socket.sendto", "socket.sendmsg"}  # connect_ex is told as connect
_LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


def _refuse_other_computers(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _CALLS:
        address = arguments[1]
        if isinstance(address, tuple) and not _is_here(address[0]):  # pyright: ignore[reportUnknownArgumentType]  audit arguments are untyped
            raise AssertionError(f"a test tried to reach {address[0]}; only loopback is allowed")
    elif event in _LOOK_UPS and not _is_here(arguments[0]):
        if str(arguments[0]).endswith(".invalid"):  # RFC 6761: the answer is known without asking
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        raise AssertionError(f"a test tried to look up {arguments[0]}; only loopback is allowed")


def _is_here(name: object) -> bool:
    host = name.decode() if isinstance(name, bytes) else str(name or "")
    if host in {"localhost", "", socket.gethostname()}:
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


sys.addaudithook(_refuse_other_computers)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's settings, accounts and proxies out of the tests."""
    for name in [name for name in os.environ if _OUTSIDE.match(name)]:
        monkeypatch.delenv(name)


@pytest.fixture
def no_blocking() -> Iterator[None]:
    """Fail the test when our own code blocks the event loop."""
    with blockbuster_ctx(["app", "agents", "pages"]):
        yield


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a data folder of the test's own and a broker port nobody listens on."""
    return Settings(
        data=DataSettings(dir=tmp_path / "data"), broker=BrokerSettings(port=free_port())
    )


@pytest.fixture
def connected_settings(settings: Settings, broker_url: str) -> Settings:
    """Like `settings`, with the address of the running broker."""
    return settings.model_copy(update={"broker": BrokerSettings(url=broker_url)})


@pytest.fixture(scope="module")
def broker_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real nats-server that this module's tests share."""
    broker = BrokerProcess(tmp_path_factory.mktemp("broker"))
    broker.start()
    try:
        asyncio.run(broker.ready())
        yield broker.url
    finally:
        broker.kill()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip browser tests where there is no Chromium."""
    if find_chromium():
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="Chromium is not installed"))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail in CI when a test was skipped for a missing tool; public data need not be there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("CI") or reporter is None:
        return
    for report in reporter.stats.get("skipped", []):
        if NO_DATA in str(report.longrepr):
            continue
        reporter.write_line(f"skipped in CI: {report.nodeid} {report.longrepr}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
