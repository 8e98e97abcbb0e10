"""Settings: shipped defaults, a TOML file over them, the environment over both.

Secrets come by environment only and are never logged or shown.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as UnreadableError
from typing_extensions import override

from app.core.errors import SettingsError
from app.settings_checks import FILE_VARIABLE, PREFIX, check_agents, check_environment
from app.settings_files import SECRETS, deep_update, describe, read_table
from app.settings_ingest import SEED_MAPPINGS, IngestSeedsSettings, IngestSettings
from app.settings_notify import NotifySettings
from app.settings_people import PeopleSettings
from app.settings_sections import (
    AgentSettings,
    AlarmSettings,
    BrokerSettings,
    BusSettings,
    CommandSettings,
    DataSettings,
    DemoSettings,
    HistorySettings,
    LiveSettings,
    Section,
    ServerSettings,
    SiteSettings,
    SupervisorSettings,
)
from app.settings_workflow import WorkflowSettings

__all__ = [
    "FILE_VARIABLE",
    "MODELS",
    "SECRETS",
    "SEED_MAPPINGS",
    "SHIPPED",
    "AgentSettings",
    "AlarmSettings",
    "BrokerSettings",
    "BusSettings",
    "CommandSettings",
    "DataSettings",
    "DemoSettings",
    "HistorySettings",
    "IngestSeedsSettings",
    "IngestSettings",
    "LiveSettings",
    "NotifySettings",
    "PeopleSettings",
    "Section",
    "ServerSettings",
    "Settings",
    "SiteSettings",
    "SupervisorSettings",
    "WorkflowSettings",
    "load_settings",
    "shipped",
]


def shipped(name: str) -> Path:
    """Return a file or folder that ships with the product, in a checkout or in the wheel."""
    packaged = Path(__file__).parent / name
    return packaged if packaged.exists() else Path(__file__).parent.parent / name


SHIPPED = shipped("settings.toml")
MODELS = shipped("models")


class Settings(BaseSettings):
    """All settings of Millwright."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    site: SiteSettings = SiteSettings()
    server: ServerSettings = ServerSettings()
    data: DataSettings = DataSettings()
    broker: BrokerSettings = BrokerSettings()
    bus: BusSettings = BusSettings()
    demo: DemoSettings = DemoSettings()
    history: HistorySettings = HistorySettings()
    live: LiveSettings = LiveSettings()
    alarms: AlarmSettings = AlarmSettings()
    notify: NotifySettings = NotifySettings()
    commands: CommandSettings = CommandSettings()
    workflow: WorkflowSettings = WorkflowSettings()
    people: PeopleSettings = PeopleSettings()
    supervisor: SupervisorSettings = SupervisorSettings()
    agents: dict[str, AgentSettings] = Field(default={}, description="Agents by name")
    ingest_seeds: IngestSeedsSettings = IngestSeedsSettings()
    ingest: tuple[IngestSettings, ...] = Field(
        default=(), description="Mappings of outside messages"
    )

    @model_validator(mode="after")
    def _topics_suit_broker(self) -> Self:
        for place, mapping in enumerate(self.ingest):
            if not self.broker.url and any(sign.isspace() for sign in mapping.topic):
                raise ValueError(
                    f'ingest[{place}].topic: "{mapping.topic}" has a blank, which the embedded '
                    "broker refuses; leave it out, or name a broker that takes it in broker.url"
                )
        return self

    @property
    def mappings(self) -> tuple[IngestSettings, ...]:
        """All mappings in the order they are tried: the [[ingest]] tables, then the seeds'."""
        return self.ingest + (SEED_MAPPINGS if self.ingest_seeds.enabled else ())

    @property
    def demo_enabled(self) -> bool:
        """The demo plant runs unless switched off or a real source is configured."""
        if self.demo.enabled is not None:
            return self.demo.enabled
        return not self.broker.url


def load_settings(
    file: Path | None = None, overrides: Mapping[str, object] | None = None
) -> Settings:
    """Read all layers: command line, environment, `file`, shipped defaults; the first wins.

    Without `file`, the file named by MILLWRIGHT_SETTINGS is read, or else `settings.toml` of the
    data folder if it exists.

    Raises:
        SettingsError: A file cannot be read or a value is wrong; the message names the key.
    """
    check_environment(os.environ, Settings.model_fields)
    if file is None and os.environ.get(FILE_VARIABLE):
        file = Path(os.environ[FILE_VARIABLE])
    shipped = read_table(SHIPPED)
    layers = [shipped, read_table(file)] if file else [shipped]
    settings = _layered(layers, overrides or {})
    beside_data = settings.data.dir / "settings.toml"
    if file is None and beside_data.is_file():
        settings = _layered([shipped, read_table(beside_data)], overrides or {})
    check_agents(settings.agents)
    return settings


def _layered(files: list[dict[str, Any]], overrides: Mapping[str, object]) -> Settings:
    merged: dict[str, Any] = {}
    for layer in files:
        merged = deep_update(merged, layer)

    class Layered(Settings):
        @classmethod
        @override
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (
                InitSettingsSource(settings_cls, dict(overrides)),
                env_settings,
                InitSettingsSource(settings_cls, merged),
            )

    try:
        return Layered()
    except ValidationError as error:
        raise SettingsError(describe(error)) from error
    except UnreadableError as error:  # a list or table in the environment is written as JSON
        raise SettingsError(f"environment: {error}; write lists and tables as JSON") from error
