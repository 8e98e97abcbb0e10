"""No test can leave this computer; tests/conftest.py refuses it in every thread."""

import socket
import threading
import urllib.request
from collections.abc import Callable

import pytest

ELSEWHERE = ("192.0.2.1", 9)  # TEST-NET-1 of RFC 5737: nobody is there


def connect() -> None:
    with socket.socket() as trial:
        trial.connect(ELSEWHERE)


def connect_ex() -> None:
    with socket.socket() as trial:
        trial.connect_ex(ELSEWHERE)


def connect_by_ipv6() -> None:
    with socket.socket(socket.AF_INET6) as trial:
        trial.connect(("2001:db8::1", 9))


def send_a_datagram() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as trial:
        trial.sendto(b"x", ELSEWHERE)


def send_a_message() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as trial:
        trial.sendmsg([b"x"], [], 0, ELSEWHERE)


def look_up_a_name() -> None:
    socket.getaddrinfo("api.twilio.com", 443)


def look_up_a_name_in_the_old_way() -> None:
    socket.gethostbyname("api.twilio.com")


def open_a_page() -> None:
    urllib.request.urlopen("http://example.com/")


@pytest.mark.parametrize(
    "leave",
    [
        connect,
        connect_ex,
        connect_by_ipv6,
        send_a_datagram,
        send_a_message,
        look_up_a_name,
        look_up_a_name_in_the_old_way,
        open_a_page,
    ],
)
def test_a_call_to_another_computer_is_refused(leave: Callable[[], None]):
    with pytest.raises(AssertionError, match="only loopback is allowed"):
        leave()


def test_it_is_refused_in_another_thread_too():
    refusals: list[BaseException] = []

    def run() -> None:
        try:
            connect()
        except AssertionError as error:
            refusals.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert len(refusals) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_computer_may_be_called(host: str):
    assert socket.getaddrinfo(host, 80)


def test_a_name_that_can_never_exist_is_not_asked_for_outside():
    with pytest.raises(socket.gaierror, match="not known"):
        socket.getaddrinfo("no.such.host.invalid", 80)
