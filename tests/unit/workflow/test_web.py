"""The HTTP action of workflows against a server on loopback."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import pytest

from app.core.errors import BusError, InputError
from app.workflow.web import call, check_address
from tests.http_stub import http_stub


async def _post(address: str, path: str = "/") -> dict[str, object]:
    url = f"http://{address}{path}"
    return await call("POST", url, {"x": 1}, {}, allowed=(address,), timeout_s=5.0)


@asynccontextmanager
async def peer(head: str, trickle: bytes = b"") -> AsyncGenerator[str]:
    """Answer every call with a head, then with one byte each 50 ms for ever; yield the address."""

    served: set[asyncio.Task[None] | None] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head.replace("\n", "\r\n").encode())
            while trickle:
                await writer.drain()
                writer.write(trickle)
                await asyncio.sleep(0.05)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*filter(None, served)), 10)


def redirection(status: int, more: str = "") -> str:
    return f"HTTP/1.1 {status} Elsewhere\nContent-Length: 0\nConnection: close\n{more}\n"


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
    "head",
    [
        "HTTP/1.1 200 OK\nContent-Length: 100000\n\n",
        "HTTP/1.1 200 OK\nContent-Type: ",
    ],
)
async def test_an_answer_that_comes_byte_by_byte_ends_at_the_limit(head: str) -> None:
    began_s = asyncio.get_running_loop().time()
    async with peer(head, b"x") as address:
        with pytest.raises(BusError, match=r"not over within 0\.5 s"):
            await call("GET", f"http://{address}/", None, {}, allowed=(address,), timeout_s=0.5)

    assert asyncio.get_running_loop().time() - began_s < 20  # it would go on for an hour


async def test_a_peer_that_says_nothing_ends_at_the_limit() -> None:
    with http_stub() as stub:
        stub.is_open.clear()
        url = f"http://{stub.address}/"
        with pytest.raises(BusError, match=r"not over within 0\.3 s"):
            await call("POST", url, 1, {}, allowed=(stub.address,), timeout_s=0.3)


async def test_nobody_there_is_told_by_its_address() -> None:
    async with peer("") as address:
        pass
    with pytest.raises(BusError, match=f"GET http://{address}/ failed"):
        await call("GET", f"http://{address}/", None, {}, allowed=(address,), timeout_s=5.0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirection_is_no_success_and_says_where_it_leads(status: int) -> None:
    head = redirection(status, "Location: http://127.0.0.9/other\n")
    async with peer(head) as address:
        with pytest.raises(InputError, match=f"answered {status} and leads to http://127.0.0.9/o"):
            await call("GET", f"http://{address}/", None, {}, allowed=(address,), timeout_s=5.0)


async def test_a_redirection_that_leads_nowhere_is_no_success_either() -> None:
    async with peer(redirection(304)) as address:
        with pytest.raises(InputError, match="answered 304; redirections are not followed"):
            await call("GET", f"http://{address}/", None, {}, allowed=(address,), timeout_s=5.0)


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


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"X-Room": "Küche"}, 'headers: "X-Room" holds "ü"'),
        ({"X-Room": "a\r\nX-Other: b"}, r'headers: "X-Room" holds U\+000D'),
        ({"X-Room": "\ud800"}, r'headers: "X-Room" holds U\+D800'),
        ({"Küche": "a"}, "is no name of a header"),
        ({"": "a"}, "is no name of a header"),
    ],
)
async def test_a_header_that_cannot_be_sent_is_named(headers: dict[str, str], why: str) -> None:
    with http_stub() as stub, pytest.raises(InputError, match=why):
        await call("POST", f"http://{stub.address}/", 1, headers, allowed=("*",), timeout_s=5.0)

    assert stub.requests == []


@pytest.mark.parametrize("body", [float("nan"), [10**5000], "\ud800"])
async def test_a_body_that_is_no_json_is_named(body: object) -> None:
    with http_stub() as stub, pytest.raises(InputError, match="body: cannot be sent as JSON"):
        await call("POST", f"http://{stub.address}/", body, {}, allowed=("*",), timeout_s=5.0)


@pytest.mark.parametrize("path", ["/\n", "/a\tb", "/\x7f"])
async def test_an_address_with_a_control_character_is_refused(path: str) -> None:
    with pytest.raises(InputError, match=r"url: .* control character"):
        await call("GET", f"http://a{path}", None, {}, allowed=("*",), timeout_s=5.0)


async def test_an_address_that_no_host_can_have_is_refused() -> None:
    url = f"http://ä{'b' * 70}/"

    with pytest.raises(InputError, match=r"url: .* is no address"):
        await call("GET", url, None, {}, allowed=("*",), timeout_s=5.0)


@pytest.mark.parametrize(
    "answer",
    [b'{"a": "\\ud800"}', b'{"a": 1' + b"0" * 5000 + b"}", b"[" * 100_000],
    ids=["half a character", "a number without end", "nested without end"],
)
async def test_an_answer_that_no_run_can_keep_stays_a_text(answer: bytes) -> None:
    with http_stub() as stub:
        stub.answers = [(200, answer)]
        assert await _post(stub.address) == {"status": 200, "body": answer.decode()}


@pytest.mark.parametrize("charset", ["hex", "undefined", "idna"])
async def test_an_answer_in_an_encoding_of_no_text_is_read_as_utf_8(charset: str) -> None:
    head = f"HTTP/1.1 200 OK\nContent-Type: text/plain; charset={charset}\nContent-Length: 2\n\nhi"

    async with peer(head) as address:
        answer = await call("GET", f"http://{address}/", None, {}, allowed=("*",), timeout_s=5.0)

    assert answer == {"status": 200, "body": "hi"}


async def test_the_body_is_json_unless_a_header_says_otherwise() -> None:
    with http_stub() as stub:
        url = f"http://{stub.address}/"
        await call("POST", url, {"x": "ü"}, {}, allowed=("*",), timeout_s=5.0)
        own = {"content-type": "application/ld+json"}
        await call("POST", url, {"x": 1}, own, allowed=("*",), timeout_s=5.0)

    names = ("Content-Type", "content-type")
    sent = [
        ([value for name in names if (value := each.headers.get(name))], each.body)
        for each in stub.requests
    ]
    assert sent == [
        (["application/json"], b'{"x":"\xc3\xbc"}'),
        (["application/ld+json"], b'{"x":1}'),
    ]
