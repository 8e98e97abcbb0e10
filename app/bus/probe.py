"""Ask whether an MQTT broker answers at an address."""

import asyncio
import socket
from contextlib import suppress
from enum import StrEnum

# CONNECT of MQTT 3.1.1 (section 3.1): level 4, clean session, keep-alive 10 s
_CONNECT_HEAD = b"\x00\x04MQTT\x04\x02\x00\x0a"
_DISCONNECT = b"\xe0\x00"
_CONNACK_ACCEPTED = (b"\x20\x02", 0)


class Answer(StrEnum):
    """What a probe met."""

    READY = "ready"
    NOT_LISTENING = "not_listening"
    REFUSED = "refused"  # it listens, and closes or says no instead of a CONNACK
    SILENT = "silent"


async def probe(host: str, port: int, timeout_s: float) -> Answer:
    """Connect as an MQTT client, wait for the CONNACK, and leave."""
    try:
        async with asyncio.timeout(timeout_s):
            return await _ask(host, port)
    except TimeoutError:
        return Answer.SILENT
    except (ConnectionRefusedError, socket.gaierror):
        return Answer.NOT_LISTENING
    except (OSError, asyncio.IncompleteReadError):
        return Answer.REFUSED


async def _ask(host: str, port: int) -> Answer:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        name = b"millwright-probe"
        body = _CONNECT_HEAD + len(name).to_bytes(2, "big") + name
        writer.write(b"\x10" + bytes([len(body)]) + body)
        await writer.drain()
        head = await reader.readexactly(4)
        writer.write(_DISCONNECT)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    accepted = (head[:2], head[3]) == _CONNACK_ACCEPTED
    return Answer.READY if accepted else Answer.REFUSED


def port_is_free(port: int) -> bool:
    """Tell whether a server could bind `port` on 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # TIME_WAIT is no occupant
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
