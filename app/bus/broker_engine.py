"""Which MQTT broker program there is, how it is configured, and what its log lines mean."""

import re
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal, assert_never

from app.settings import BrokerSettings

# A session's subscriptions may have 65535 unacknowledged messages together (MQTT 3.1.1, packet
# ids of 16 bit), and nats-server reserves this figure for each, twice for a filter that ends
# with "#": 16 reservations, more than our sessions make, and still 4000 rows to one commit.
MAX_ACK_PENDING = 4000
# nats-server warns above 8 MiB and counts its own headers; we publish at most
# app.core.topic_name.PAYLOAD_BYTES, and take at most what `[bus]` says.
_MAX_PAYLOAD_BYTES = 8 * 2**20
_MAX_FILE_BYTES = 4 * 2**30  # retained and queued messages on disk
_MAX_MEMORY_BYTES = 64 * 2**20  # streams in memory; MQTT keeps none there but QoS 2 in transit
_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")  # not on every PATH


class EngineName(StrEnum):
    """The broker programs we can run."""

    NATS = "nats"
    MOSQUITTO = "mosquitto"


class Sign(StrEnum):
    """What a line of the broker's log tells."""

    NOTHING = "nothing"
    WARNING = "warning"
    ERROR = "error"
    LOSS = "loss"  # the store is readable, its newest messages are gone
    FULL = "full"  # it stores nothing more until it is started again, whatever room there is
    DAMAGED = "damaged"
    PORT_BUSY = "port_busy"


@dataclass(frozen=True, slots=True)
class Engine:
    """A broker program found on this computer.

    Attributes:
        name: What it is.
        program: Full path.
    """

    name: EngineName
    program: Path


def find_engine(
    wanted: Literal["auto", "nats", "mosquitto"], folders: Iterable[Path] | None = None
) -> Engine | None:
    """Return the broker to run, or None; `auto` takes nats-server before mosquitto.

    Args:
        wanted: `broker.engine` of the settings.
        folders: Where to look instead of beside this Python, on PATH and in sbin.
    """
    path = None if folders is None else ":".join(str(folder) for folder in folders)
    names = [EngineName(wanted)] if wanted != "auto" else list(EngineName)
    for name in names:
        program = _find(_PROGRAMS[name], path)
        if program:
            return Engine(name, Path(program))
    return None


_PROGRAMS = {EngineName.NATS: "nats-server", EngineName.MOSQUITTO: "mosquitto"}


def _find(program: str, path: str | None) -> str | None:
    if path is not None:
        return shutil.which(program, path=path)
    scripts = sysconfig.get_path("scripts")
    return (
        shutil.which(program, path=scripts)
        or shutil.which(program)
        or (shutil.which(program, path=":".join(_SYSTEM_FOLDERS)) if _is_posix() else None)
    )


def _is_posix() -> bool:
    return sys.platform != "win32"


def config_text(engine: Engine, settings: BrokerSettings, store: Path) -> str:
    """Return the configuration file of `engine`; everything bound to loopback.

    Args:
        engine: The broker to run.
        settings: Port and time until an unacknowledged message is sent again.
        store: Folder of its messages.
    """
    match engine.name:
        case EngineName.NATS:
            return _nats_config(settings, store)
        case EngineName.MOSQUITTO:
            return _mosquitto_config(settings, store)
        case _:
            assert_never(engine.name)


def argv(engine: Engine, config: Path) -> list[str]:
    """Return the command that runs `engine` with the file `config`."""
    return [str(engine.program), "-c", str(config)]


def _nats_config(settings: BrokerSettings, store: Path) -> str:
    # Port -1: any free one; nobody uses it, nats-server cannot go without.
    # sync_interval: a killed broker loses nothing whatever it is, since the kernel has what was
    # written; it bounds what a loss of power takes. Measured, QoS 1 messages/s: default (2 min)
    # 4600-6400, "1s" 5300-7400, "always" 690-840.
    return f"""\
server_name: "millwright"
listen: "127.0.0.1:-1"
logtime: false
max_payload: {_MAX_PAYLOAD_BYTES}
jetstream {{
  store_dir: {_quoted(store)}
  max_memory_store: {_MAX_MEMORY_BYTES}
  max_file_store: {_MAX_FILE_BYTES}
  sync_interval: "1s"
}}
mqtt {{
  listen: "127.0.0.1:{settings.port}"
  ack_wait: "{settings.ack_wait_s}s"
  max_ack_pending: {MAX_ACK_PENDING}
}}
"""


def _mosquitto_config(settings: BrokerSettings, store: Path) -> str:
    # By default mosquitto keeps 1000 of the queued messages it acknowledged and saves every
    # 30 min. `autosave_on_changes` makes 1 mean "after every change", not "after 1 s".
    # Started by root it would become user "mosquitto" and could not write its store.
    return f"""\
listener {settings.port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {store}/
user root
autosave_on_changes true
autosave_interval 1
max_queued_messages 0
max_inflight_messages 0
set_tcp_nodelay true
log_dest stderr
log_timestamp false
connection_messages false
"""


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_PORT_BUSY = re.compile(r"address already in use|only one usage of each socket address", re.I)
# Every one of these was seen when files of a store were overwritten, cut to nothing or had four
# bytes changed in the middle (nats-server 2.15.1, mosquitto 2.0.11).
_DAMAGED = re.compile(
    r"checksums do not match|corrupt|error unmarshal|unsupported consumer"
    r"|storage directory is not a directory"  # a file stands where the store was
    r"|couldn't open database|unable to restore persistent database",
    re.I,
)
_LOSS = re.compile(r"past last stream sequence|persistence file is empty", re.I)
# nats-server 2.15.1 after a write that failed once; it says "no space left" for ever after
_FULL = re.compile(r"critical write error", re.I)
_SIGNS = ((Sign.LOSS, _LOSS), (Sign.FULL, _FULL))
_NATS_LINE = re.compile(r"^\[\d+\] \[(?P<level>INF|WRN|ERR|FTL|DBG|TRC)\]\s*(?P<text>.*)$")


def read_line(line: str) -> tuple[Sign, str]:
    """Return what a line of the broker's log means, and its text without process id."""
    found = _NATS_LINE.match(line)
    level, text = (found["level"], found["text"]) if found else ("", line)
    if _PORT_BUSY.search(text):
        return Sign.PORT_BUSY, text
    if level != "INF" and _DAMAGED.search(text):
        return Sign.DAMAGED, text
    for sign, words in _SIGNS:
        if words.search(text):
            return sign, text
    if level in {"ERR", "FTL"} or text.startswith("Error"):
        return Sign.ERROR, text
    if level == "WRN" or text.startswith("Warning"):
        return Sign.WARNING, text
    return Sign.NOTHING, text
