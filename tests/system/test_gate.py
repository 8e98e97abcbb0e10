"""The gate in front of the real pages: NiceGUI's own routes and sockets too."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.browser.conftest import LiveServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

FOREIGN = {"Origin": "http://evil.example"}
NICEGUI = "/_nicegui_ws/socket.io/?EIO=4&transport="


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    running = LiveServer(tmp_path_factory.mktemp("gate") / "data")
    try:
        running.start()
        yield running
    finally:
        running.kill()


def ask(
    server: LiveServer, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str]]:
    request = urllib.request.Request(server.url + path, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers.items())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers.items())


@pytest.mark.parametrize("path", ["/live", "/ws/vibration", f"{NICEGUI}websocket"])
def test_a_foreign_page_opens_no_socket(server: LiveServer, path: str):
    url = server.url.replace("http", "ws") + path
    with pytest.raises(InvalidStatus) as refused:
        connect(url, additional_headers=FOREIGN)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("path", ["/live", f"{NICEGUI}websocket"])
def test_our_own_page_opens_its_sockets(server: LiveServer, path: str):
    url = server.url.replace("http", "ws") + path
    with connect(url, additional_headers={"Origin": server.url}) as websocket:
        assert websocket.recv(timeout=10)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{NICEGUI}polling"),
        ("POST", f"{NICEGUI}polling"),
        ("GET", "/"),
        ("GET", "/api/tags"),
        ("POST", "/api/orchestrator/alert"),
        ("POST", "/api/agents/simulator/stop"),
    ],
)
def test_a_foreign_page_can_neither_read_nor_steer(server: LiveServer, method: str, path: str):
    status, headers = ask(server, path, method, **FOREIGN)
    assert status == 403
    assert "access-control-allow-origin" not in {name.lower() for name in headers}


def test_a_name_that_was_made_to_point_here_is_refused(server: LiveServer):
    assert ask(server, "/", Host="evil.example")[0] == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/trends", 200),
        ("/no/such/page", 404),
        ("/api/tags", 200),
        ("/api/nothing", 404),
        ("/favicon.ico", 200),
        ("/static/millwright/uplot/uPlot.iife.js", 200),
        ("/_nicegui/no/such/file", 404),
    ],
)
def test_every_answer_carries_the_security_headers(server: LiveServer, path: str, status: int):
    found, headers = ask(server, path)
    lower = {name.lower(): value for name, value in headers.items()}
    assert found == status
    assert lower["x-content-type-options"] == "nosniff"
    assert lower["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in lower["content-security-policy"]
