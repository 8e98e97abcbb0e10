"""The table [workflow] of settings.toml: where runs are kept and by whom they are carried out."""

import re

from pydantic import Field, field_validator

from app.settings_sections import Section

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


class WorkflowSettings(Section):
    """[workflow]: runs of workflows."""

    orchestrator: str = Field(
        default="app",
        description="Name of this orchestrator; each of several on one database has its own",
    )
    url: str = Field(
        default="",
        description="postgresql://user@host/name that several orchestrators share; "
        "empty keeps runs in a file in <data.dir>; a password comes by PGPASSWORD or ~/.pgpass",
    )
    keep_days: int = Field(
        default=90, ge=1, le=3650, description="Days until a run that is over is deleted"
    )
    http_hosts: tuple[str, ...] = Field(
        default=(),
        description="Hosts that the http action may call, as host or host:port, * allowed",
    )

    @field_validator("orchestrator")
    @classmethod
    def _segment(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError(f'"{value}" is no name: use up to 40 letters, digits, _ and -')
        return value

    @field_validator("url")
    @classmethod
    def _postgres(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "sqlite:///")):
            raise ValueError("must look like postgresql://user@host/name")
        if re.match(r"postgresql://[^/@]*:[^/@]*@", value):
            raise ValueError("has a password in it; leave it out and set PGPASSWORD instead")
        return value
