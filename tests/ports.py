"""Ports for the servers of tests.

A port of the system's choice, given back and bound a second later, may meanwhile be that of some
program's outgoing connection; those begin at 32768 on Linux and at 49152 elsewhere.
"""

import random
import socket

_PORTS = range(15_000, 32_000)
_TRIES = 100
_random = random.SystemRandom()  # workers side by side must not draw the same


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on and no connection takes."""
    for port in _random.sample(_PORTS, _TRIES):
        with socket.socket() as trial:
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"none of {_TRIES} ports is free")
