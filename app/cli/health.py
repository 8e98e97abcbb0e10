"""`millwright health`: asks the running app for every component, its state and why."""

import argparse
import sys
import urllib.error
import urllib.request

import msgspec

from app.cli.options import add_settings_options, settings_of
from app.core.errors import MillwrightError
from app.core.health import ComponentStatus, Health

TIMEOUT_S = 5.0


class _Answer(msgspec.Struct):
    components: list[ComponentStatus]


def main(argv: list[str]) -> int:
    """Print one line a component; 1 if any failed or the app does not answer."""
    parser = argparse.ArgumentParser(prog="millwright health", description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON out")
    parser.add_argument("--host", help="where the app listens")
    parser.add_argument("--port", type=int, help="where the app listens")
    add_settings_options(parser)
    arguments = parser.parse_args(argv)
    server = settings_of(arguments).server
    body = _get(f"http://{server.host}:{server.port}/api/health")
    components = msgspec.json.decode(body, type=_Answer).components
    sys.stdout.write((body.decode() if arguments.json else _table(components)) + "\n")
    return 1 if any(component.state is Health.FAILED for component in components) else 0


def _get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310  loopback http only
            body: bytes = answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise MillwrightError(
            f"No answer from {url}: {error}", hint="start the app with: uv run millwright"
        ) from error
    return body


def _table(components: list[ComponentStatus]) -> str:
    return "\n".join(
        f"{component.name:24} {component.state:9} {component.reason}"
        + (f" - {component.remedy}" if component.remedy else "")
        for component in components
    )
