"""A small HTTP server on loopback that remembers what it was sent."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from typing_extensions import override


class Request(NamedTuple):
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


class Stub:
    """Answers every POST with the next of `answers`, the last one for ever.

    Attributes:
        requests: What came in, in order.
        answers: Status and body of the next answers.
        is_open: Answers wait while this is not set.
    """

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self.requests: list[Request] = []
        self.answers: list[tuple[int, bytes]] = [(200, b"{}")]
        self.is_open = threading.Event()
        self.is_open.set()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def answer(self, request: Request) -> tuple[int, bytes]:
        """Remember a request and return the answer to it."""
        self.requests.append(request)
        self.is_open.wait(20)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def http_stub() -> Generator[Stub]:
    """Serve for the length of a block, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = stub.answer(Request(self.path, dict(self.headers), body))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub = Stub(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield stub
    finally:
        stub.is_open.set()
        server.shutdown()
        thread.join()
        server.server_close()
