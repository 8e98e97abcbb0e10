"""The HTTP action of workflows against a server on loopback."""

import pytest

from app.core.errors import BusError, InputError
from app.workflow.web import call, check_address
from tests.http_stub import http_stub


async def _post(address: str, path: str = "/") -> dict[str, object]:
    url = f"http://{address}{path}"
    return await call("POST", url, {"x": 1}, {}, allowed=(address,), timeout_s=5.0)


async def test_an_answer_that_says_it_is_json_becomes_a_value() -> None:
    with http_stub() as stub:
        stub.answers = [(200, b'{"level": 3}')]
        assert await _post(stub.address) == {"status": 200, "body": {"level": 3}}


async def test_an_answer_that_only_says_it_is_json_stays_a_text() -> None:
    with http_stub() as stub:
        stub.answers = [(200, b"{nope")]
        assert await _post(stub.address) == {"status": 200, "body": "{nope"}


async def test_an_answer_that_is_too_long_is_refused() -> None:
    with http_stub() as stub:
        stub.answers = [(200, b'"' + b"x" * 300_000 + b'"')]
        with pytest.raises(InputError, match="above 262144 bytes"):
            await _post(stub.address)


async def test_trouble_of_the_server_may_go_better_again() -> None:
    with http_stub() as stub:
        stub.answers = [(503, b"later")]
        with pytest.raises(BusError, match="answered 503"):
            await _post(stub.address)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:9000/",
        "http://127.1:9000/",
        "http://2130706433:9000/",
        "http://[::ffff:127.0.0.1]:9000/",
        "http://127.0.0.1:9000@127.0.0.1:9001/",
        "http://127.0.0.1:9001/",
        "ftp://127.0.0.1:9000/",
        "http://127.0.0.1:9000%00/",
    ],
)
def test_an_address_that_is_not_the_allowed_one_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        check_address(url, ("127.0.0.1:9000",))
