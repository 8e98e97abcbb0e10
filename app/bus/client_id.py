"""Names under which the app connects to the broker."""

_DEFAULT = "app"


def client_id(name: str, orchestrator: str) -> str:
    """Return a client id that no other orchestrator on the same broker uses.

    A broker drops the first of two clients of one id; the default orchestrator keeps plain names.
    """
    return name if orchestrator == _DEFAULT else f"{name}-{orchestrator}"
