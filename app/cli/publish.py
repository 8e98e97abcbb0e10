"""`millwright publish FILE`: replays a CSV file to MQTT, each row confirmed by the broker."""

import argparse
import asyncio
import contextlib
import logging
import os
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from app.bus.client import Bus
from app.cli.options import add_settings_options, settings_of
from app.cli.replay_file import SPACING, ReplayFile, SkippedRow
from app.clock import SystemClock
from app.command_parser import command_parser
from app.core.clock import Clock
from app.core.errors import SettingsError, TopicError
from app.core.topic_filter import check_filter
from app.core.topics import SEED_DATA
from app.ingest.times import parse_time
from app.settings import Settings

# Rows on their way at once. The broker holds back at its own window of 1,000 or so.
_IN_FLIGHT = 400
_CONNECT_S = 5.0
_CONFIRM_S = 30.0
_SAY_EVERY_S = 1.0
_DONE, _FAILED = 0, 1
_WILD = frozenset(" +#")


@dataclass(slots=True)
class Progress:
    """How far a replay is.

    Attributes:
        file: What is replayed.
        topic: Where to.
        rows: Rows in the file.
        published: Rows the broker has confirmed.
        skipped: Rows left out because they cannot be read.
        first_skipped: Why the first of them was.
        seconds: Time since the first row.
        time_column: Column the times came from; empty if they were made up.
    """

    file: str
    topic: str
    rows: int = 0
    published: int = 0
    skipped: int = 0
    first_skipped: str = ""
    seconds: float = 0.0
    time_column: str = ""


def main(argv: list[str]) -> int:
    """Publish all rows; 0 if every row is confirmed, 1 if not, 2 for wrong options.

    Raises:
        MillwrightError: File, options or broker; the message is one line.
    """
    arguments = _parser().parse_args(argv)
    # The bus logs what the error says; a command has one line for a failure.
    logging.getLogger("app.bus").addHandler(logging.NullHandler())
    settings = settings_of(arguments)
    zone = _zone(arguments.timezone or settings.site.timezone)
    names = _names(arguments.map) if arguments.map else {}
    clock = SystemClock()
    file = ReplayFile(arguments.file, zone, arguments.time)
    progress = Progress(
        str(arguments.file), arguments.topic, file.layout.rows, time_column=file.layout.time or ""
    )
    now = clock.now()
    first = _start(arguments.start, zone) or now - (file.layout.rows - 1) * SPACING
    messages = file.messages(names, first)
    try:
        asyncio.run(_publish(settings, clock, messages, progress, arguments.rate))
    except KeyboardInterrupt:
        _say(f"Stopped after {progress.published} of {progress.rows} rows")
    finally:
        if arguments.json and progress.seconds:
            sys.stdout.write(msgspec.json.encode(asdict(progress)).decode() + "\n")
    _say(_summary(progress))
    return _DONE if progress.published == progress.rows else _FAILED


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "millwright publish",
        "Replay a CSV file to MQTT, each row confirmed by the broker.",
        "millwright publish readings.csv",
        "millwright publish machines.csv.gz --topic plant/raw --map fields.toml --rate 10",
    )
    parser.add_argument("file", type=Path, help="CSV, plain or gzip, with a header line")
    parser.add_argument(
        "--topic", type=_topic, default=SEED_DATA, help=f"MQTT topic (default {SEED_DATA})"
    )
    parser.add_argument(
        "--rate", type=_rate, default=0.0, help="rows a second; 0 is as fast as confirmed"
    )
    parser.add_argument(
        "--map", type=Path, help='TOML file, [fields]: "column" = "key", "" leaves one out'
    )
    parser.add_argument("--time", default="", help="column of the time (default: found)")
    parser.add_argument(
        "--timezone", default="", help="of times without one (default: the plant's)"
    )
    parser.add_argument("--start", default="", help="time of the first row of a file without times")
    parser.add_argument("--broker", help="mqtt://host:port instead of the settings' one")
    parser.add_argument("--json", action="store_true", help="print a summary as JSON")
    add_settings_options(parser)
    return parser


async def _publish(
    settings: Settings,
    clock: Clock,
    messages: Iterator[dict[str, object] | SkippedRow],
    progress: Progress,
    rate: float,
) -> None:
    bus = Bus(settings, f"millwright-publish-{os.getpid()}", clock)
    await bus.start()
    try:
        await bus.wait_connected(_CONNECT_S)
        began = clock.monotonic()
        try:
            await _send_all(bus, clock, messages, progress, rate)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from group
        finally:
            progress.seconds = max(clock.monotonic() - began, 1e-6)
    finally:
        await bus.stop()


async def _send_all(
    bus: Bus,
    clock: Clock,
    messages: Iterator[dict[str, object] | SkippedRow],
    progress: Progress,
    rate: float,
) -> None:
    window = asyncio.Semaphore(_IN_FLIGHT)
    began = clock.monotonic()
    say_at = began + _SAY_EVERY_S

    async def send(message: dict[str, object]) -> None:
        try:
            payload = msgspec.json.encode(message)
            await bus.publish_confirmed(progress.topic, payload, timeout_s=_CONFIRM_S)
            progress.published += 1
        finally:
            window.release()

    async with asyncio.TaskGroup() as sending:
        for place, message in enumerate(messages):
            if isinstance(message, SkippedRow):
                progress.skipped += 1
                progress.first_skipped = progress.first_skipped or message.reason
                continue
            if rate:
                await clock.sleep(max(0.0, began + place / rate - clock.monotonic()))
            await window.acquire()
            sending.create_task(send(message), name=f"row {place}")
            if clock.monotonic() >= say_at:
                say_at = clock.monotonic() + _SAY_EVERY_S
                _say(f"{progress.published} of {progress.rows} rows published")


def _names(path: Path) -> dict[str, str]:
    try:
        found: object = tomllib.loads(path.read_text(encoding="utf-8")).get("fields")
    except OSError as error:
        raise SettingsError(f'Map file "{path}" cannot be read: {error.strerror}') from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f'Map file "{path}" is not valid TOML: {error}') from error
    try:
        return msgspec.convert(found, dict[str, str])
    except msgspec.ValidationError as error:
        raise SettingsError(
            f'Map file "{path}" needs a table [fields] of "column" = "key": {error}'
        ) from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f'--timezone: "{name}" is no IANA time zone') from error


def _start(text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    at = parse_time(text, zone)
    if at is None:
        raise SettingsError(f'--start: "{text}" is no time; write 2026-01-31T08:00:00Z')
    return at


def _topic(text: str) -> str:
    try:
        check_filter(text)
    except TopicError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not _WILD.isdisjoint(text):
        raise argparse.ArgumentTypeError("a topic to publish on has no blank, + or #")
    return text


def _rate(text: str) -> float:
    with contextlib.suppress(ValueError):
        rate = float(text)
        if 0 <= rate <= 100_000:
            return rate
    raise argparse.ArgumentTypeError(f'"{text}" is no number from 0 to 100000')


def _summary(progress: Progress) -> str:
    rate = progress.published / progress.seconds if progress.seconds else 0.0
    skipped = ""
    if progress.skipped:
        skipped = f", {progress.skipped} left out, the first: {progress.first_skipped}"
    return (
        f"{progress.published} of {progress.rows} rows published on {progress.topic} "
        f"in {progress.seconds:.1f} s, {rate:.0f} a second{skipped}"
    )


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
