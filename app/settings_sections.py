"""The tables of settings.toml, one class each; `app.settings` is the import for all."""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

Port = Annotated[int, Field(ge=1, le=65535)]


class Section(BaseModel):
    """A table of settings.toml; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class SiteSettings(Section):
    """[site]: what the plant is called and which clock hangs on its wall."""

    name: str = Field(default="Riverside plant", description="Name in the frame of every page")
    timezone: str = Field(default="Europe/Berlin", description="Plant time zone, IANA name")

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f'"{value}" is no IANA time zone; try "Europe/Berlin"') from error
        return value


class ServerSettings(Section):
    """[server]: the web server."""

    host: str = Field(
        default="127.0.0.1", description="Address to bind; only loopback until login exists"
    )
    port: Port = Field(default=8080, description="Port of pages and HTTP API")
    allowed_origins: tuple[str, ...] = Field(
        default=(),
        description="Further origins (scheme://host:port) that may open websockets and call",
    )
    body_limit_bytes: int = Field(
        default=1_048_576, ge=1024, le=1_073_741_824, description="Largest request body, bytes"
    )
    pages_per_s: float = Field(
        default=20, ge=0.1, le=10_000, description="Pages one caller may open, 1/s"
    )
    reads_per_s: float = Field(
        default=200, ge=1, le=100_000, description="Answers of the API one caller may ask for, 1/s"
    )
    queries_per_s: float = Field(
        default=20,
        ge=0.1,
        le=10_000,
        description="Histories and exports one caller may ask for, 1/s",
    )
    changes_per_s: float = Field(
        default=50, ge=0.1, le=10_000, description="Changes one caller may ask for, 1/s"
    )
    burst_s: float = Field(
        default=5, ge=1, le=3600, description="Seconds of these rates that may come at once"
    )

    @field_validator("host")
    @classmethod
    def _loopback(cls, value: str) -> str:
        if value not in {"127.0.0.1", "localhost", "::1"}:
            raise ValueError(
                f'"{value}" is refused: there is no login yet, so only 127.0.0.1, localhost '
                "or ::1 may be bound"
            )
        return value


class DataSettings(Section):
    """[data]: where things are kept."""

    dir: Path = Field(default=Path("data"), description="Home folder, made if absent")


class BrokerSettings(Section):
    """[broker]: the embedded MQTT broker, or an external one by URL."""

    url: str = Field(
        default="",
        description="mqtt://[user@]host[:port] of an external broker; empty runs our own",
    )
    password: SecretStr = Field(
        default=SecretStr(""), description="Password of the external broker; environment only"
    )
    port: Port = Field(default=1883, description="Port of the embedded broker on 127.0.0.1")
    ack_wait_s: int = Field(
        default=5, ge=1, le=300, description="Seconds until an unacknowledged message is sent again"
    )
    engine: Literal["auto", "nats", "mosquitto"] = Field(
        default="auto",
        description="Embedded broker: auto takes nats-server, else mosquitto on PATH",
    )

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value:
            _check_url(value)
        return value


class BusSettings(Section):
    """[bus]: limits of every MQTT connection."""

    queue_size: int = Field(
        default=20_000, ge=100, le=1_000_000, description="Messages waiting for a handler"
    )
    message_limit_bytes: int = Field(
        default=262_144, ge=1024, le=16_777_216, description="Largest message taken, bytes"
    )
    dead_letters: int = Field(
        default=200, ge=10, le=10_000, description="Refused messages kept with their reason"
    )


class DemoSettings(Section):
    """[demo]: the simulated plant."""

    enabled: bool | None = Field(
        default=None,
        description="true, false, or absent: on until an external broker is configured",
    )
    seed: int = Field(default=1, ge=0, le=2**31, description="Seed of noise and wear")


class HistorySettings(Section):
    """[history]: the telemetry store."""

    uri: str = Field(default="", description="LanceDB URI; empty is <data.dir>/lancedb")
    flush_s: float = Field(default=1.0, ge=0.1, le=10, description="Seconds between batches")
    flush_rows: int = Field(
        default=20_000, ge=100, le=1_000_000, description="Rows that end a batch early"
    )
    ring_minutes: int = Field(default=15, ge=1, le=240, description="Minutes a tag kept in memory")
    retention_days: int = Field(
        default=90,
        ge=1,
        le=36_500,
        description="Days after its last write at which a day is dropped",
    )
    roll_s: float = Field(
        default=3600, ge=1, le=86_400, description="Seconds between rolls into day tables"
    )


class LiveSettings(Section):
    """[live]: frames to browsers."""

    frame_interval_s: float = Field(
        default=0.25, ge=0.02, le=5, description="Seconds between frames of one view"
    )
    gather_s: float = Field(
        default=0.02,
        ge=0,
        le=1,
        description="Seconds a first change waits for others to join its frame",
    )
    client_queue: int = Field(default=2, ge=1, le=100, description="Frames waiting for one browser")
    max_tags: int = Field(
        default=20_000, ge=100, le=1_000_000, description="Tags the app keeps values of"
    )


class AlarmSettings(Section):
    """[alarms]: ISA-18.2 figures."""

    max_shelve_minutes: int = Field(
        default=480, ge=1, le=10_080, description="Longest shelving, minutes"
    )
    default_shelve_minutes: int = Field(
        default=30,
        ge=1,
        le=10_080,
        description="Shelving over HTTP that names no time, minutes; at most max_shelve_minutes",
    )
    chattering_count: int = Field(
        default=3, ge=2, le=100, description="Transitions that make an alarm chatter"
    )
    chattering_window_s: float = Field(
        default=60, ge=1, le=3600, description="Seconds within which these transitions count"
    )
    flood_count: int = Field(default=10, ge=2, le=1000, description="New alarms that begin a flood")
    flood_window_s: float = Field(
        default=600, ge=10, le=86_400, description="Seconds within which these alarms count"
    )
    flood_end_count: int = Field(
        default=5, ge=1, le=1000, description="Fewer than this ends the flood"
    )

    @field_validator("flood_end_count")
    @classmethod
    def _ends_below(cls, value: int, info: ValidationInfo) -> int:
        return _at_most(value, "flood_count", info, "a flood would end as it begins")

    stale_hours: float = Field(
        default=24, ge=1, le=8760, description="Hours active that make it stale"
    )
    bad_quality_s: float = Field(
        default=30, ge=1, le=86_400, description="Seconds of bad quality that alarm the sensor"
    )
    max_alarms: int = Field(
        default=10_000, ge=100, le=100_000, description="Alarms kept that are not normal"
    )


class SupervisorSettings(Section):
    """[supervisor]: child processes."""

    stop_s: float = Field(
        default=5, ge=1, le=60, description="Seconds from asking to stop to killing"
    )
    backoff_min_s: float = Field(
        default=1, ge=0.1, le=60, description="First wait before a restart, s"
    )
    backoff_max_s: float = Field(
        default=60, ge=1, le=3600, description="Longest wait before a restart, s"
    )

    @field_validator("backoff_max_s")
    @classmethod
    def _grows(cls, value: float, info: ValidationInfo) -> float:
        return _at_least(value, "backoff_min_s", info, "waits grow from that one")

    breaker_restarts: int = Field(
        default=5, ge=1, le=100, description="Restarts that open the breaker"
    )
    breaker_window_s: float = Field(
        default=300, ge=10, le=86_400, description="Seconds within which these restarts count"
    )
    beat_s: float = Field(default=2, ge=0.2, le=60, description="Seconds between beats of an agent")
    hung_s: float = Field(
        default=30, ge=2, le=3600, description="Seconds without a beat until an agent is restarted"
    )

    @field_validator("hung_s")
    @classmethod
    def _outlasts_a_beat(cls, value: float, info: ValidationInfo) -> float:
        return _at_least(value, "beat_s", info, "else every agent counts as hung")

    log_lines: int = Field(default=300, ge=10, le=10_000, description="Log lines kept an agent")


class CommandSettings(Section):
    """[commands]: changes of tags."""

    expires_s: float = Field(
        default=60, ge=1, le=86_400, description="Seconds until a command that was not sent expires"
    )
    approval_s: float = Field(
        default=600,
        ge=1,
        le=86_400,
        description="Seconds a command waits for a person's approval until it expires",
    )
    grace_s: float = Field(
        default=5,
        ge=0.1,
        le=600,
        description="Seconds after that until a silent actuator is asked what it did",
    )
    key: SecretStr = Field(
        default=SecretStr(""),
        description="Key that signs orders, 64 hexadecimal digits; empty makes one in "
        "<data.dir>/command.key; environment only",
    )

    @field_validator("key")
    @classmethod
    def _hexadecimal(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"([0-9A-Fa-f]{64})?", value.get_secret_value()):
            raise ValueError("is not 64 hexadecimal digits; make one with: openssl rand -hex 32")
        return value


class AgentSettings(Section):
    """[agents.<name>]: one agent."""

    enabled: bool = Field(default=True, description="Start it with the app")
    options: dict[str, str | int | float | bool] = Field(
        default={}, description="The agent's own options, read by the agent"
    )


def _at_most(value: int, other: str, info: ValidationInfo, why: str) -> int:
    bound = info.data.get(other)
    if bound is not None and value > bound:
        raise ValueError(f"is above {other} ({bound:g}): {why}")
    return value


def _at_least(value: float, other: str, info: ValidationInfo, why: str) -> float:
    bound = info.data.get(other)
    if bound is not None and value < bound:
        raise ValueError(f"is below {other} ({bound:g}): {why}")
    return value


def _check_url(value: str) -> None:
    try:
        parts = urlsplit(value)
        has_host = parts.scheme == "mqtt" and bool(parts.hostname) and parts.port != 0
    except ValueError as error:  # of the port
        raise ValueError(f"is no URL: {error}; write mqtt://host:1883") from error
    if not has_host:
        raise ValueError("must look like mqtt://host:1883")
    if parts.password is not None:
        raise ValueError(
            "has a password in it; leave it out and set MILLWRIGHT_BROKER__PASSWORD instead"
        )
