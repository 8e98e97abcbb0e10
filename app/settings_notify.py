"""[notify] and [[notify.routes]]: whom to tell of alarms, and how."""

from datetime import time
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from app.core.topics import is_segment
from app.settings_sections import Section

SMS = "sms"
"""The route that the environment variables of Twilio make."""

_Priority = Annotated[int, Field(ge=1, le=4)]


class RouteSettings(Section):
    """[[notify.routes]]: one way to reach people, by an Apprise URL."""

    name: str = Field(description="Name of the route: letters, digits, _ and -")
    url: SecretStr = Field(
        default=SecretStr(""),
        description="Apprise URL without a secret in it, as mailto://mail.plant.example",
    )
    url_env: str = Field(
        default="", description="Environment variable that holds the URL, for one with a secret"
    )
    priorities: tuple[_Priority, ...] = Field(
        default=(1, 2, 3, 4),
        description="Priorities it takes, 1 critical to 4 low; none if only others escalate to it",
    )
    quiet_hours: str = Field(
        default="",
        description='Plant time at which it stays silent, as "22:00-06:00"; empty is never',
    )
    quiet_critical: bool = Field(
        default=False, description="Quiet hours hold back critical ones too"
    )
    max_per_hour: int = Field(
        default=60,
        ge=1,
        le=3600,
        description="Sendings an hour; critical ones may be twice as many",
    )
    dedupe_s: float = Field(
        default=300, ge=0, le=86_400, description="Seconds in which the same is not sent again"
    )
    escalate_after_s: float = Field(
        default=0,
        ge=0,
        le=86_400,
        description="Seconds until an alarm nobody acknowledged goes to escalate_to; 0 is never",
    )
    escalate_to: str = Field(default="", description="Name of the route it then goes to")
    attempts: int = Field(default=5, ge=1, le=20, description="Tries before a sending has failed")
    backoff_s: float = Field(
        default=5, ge=0.1, le=600, description="Wait before the second try, s; doubles up to 600 s"
    )
    timeout_s: float = Field(default=15, ge=1, le=60, description="Seconds one try may take")

    @field_validator("name")
    @classmethod
    def _is_segment(cls, value: str) -> str:
        if not is_segment(value):
            raise ValueError("use letters, digits, _ and -")
        return value

    @field_validator("url")
    @classmethod
    def _has_no_password(cls, value: SecretStr) -> SecretStr:
        address = value.get_secret_value()
        if address and "://" not in address:
            raise ValueError("must look like json://host:8000/path; see docs/notify.md")
        if ":" in address.partition("://")[2].rpartition("@")[0]:
            raise ValueError(
                "has a password in it; set an environment variable and name it in url_env"
            )
        return value

    @field_validator("quiet_hours")
    @classmethod
    def _is_span(cls, value: str) -> str:
        if value:
            quiet_span(value)
        return value

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if bool(self.url.get_secret_value()) == bool(self.url_env):
            raise ValueError(f'route "{self.name}" needs url or url_env, and not both')
        if bool(self.escalate_after_s) != bool(self.escalate_to):
            raise ValueError(
                f'route "{self.name}" needs both escalate_after_s and escalate_to, or neither'
            )
        return self


class NotifySettings(Section):
    """[notify]: whom to tell of alarms, and how; docs/notify.md tells more."""

    kept: int = Field(
        default=5000, ge=100, le=1_000_000, description="Sendings kept in the delivery log"
    )
    waiting: int = Field(
        default=500, ge=10, le=10_000, description="Sendings that may wait; further ones fail"
    )
    routes: tuple[RouteSettings, ...] = Field(
        default=(), description="The routes, one [[notify.routes]] each"
    )

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        names = [route.name for route in self.routes]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"notify.routes: two are named {', '.join(twice)}; names are unique")
        for route in self.routes:
            if route.escalate_to and route.escalate_to not in {*names, SMS}:
                raise ValueError(
                    f'notify.routes: "{route.name}" escalates to "{route.escalate_to}", '
                    f"which is no route; there are {', '.join([*names, SMS])}"
                )
            if route.escalate_to == route.name:
                raise ValueError(f'notify.routes: "{route.name}" escalates to itself')
        return self


def quiet_span(text: str) -> tuple[time, time]:
    """Return beginning and end of "22:00-06:00".

    Raises:
        ValueError: It is not two different times.
    """
    start, _, end = text.partition("-")
    try:
        span = time.fromisoformat(start.strip()), time.fromisoformat(end.strip())
    except ValueError as error:
        raise ValueError('must look like "22:00-06:00"') from error
    if span[0] == span[1] or span[0].tzinfo or span[1].tzinfo:
        raise ValueError('must be two different times of the plant\'s clock, as "22:00-06:00"')
    return span
