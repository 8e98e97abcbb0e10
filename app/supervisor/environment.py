"""What the app tells its child agents by environment."""

import os
from collections.abc import Mapping
from pathlib import Path

from app.settings import FILE_VARIABLE, Settings


def agent_environment(settings: Settings, settings_file: Path | None) -> Mapping[str, str]:
    """Return our environment with the settings that the command line may have changed."""
    given = {
        "MILLWRIGHT_BROKER__PORT": str(settings.broker.port),
        "MILLWRIGHT_DATA__DIR": str(settings.data.dir.resolve()),
        "MILLWRIGHT_DEMO__SEED": str(settings.demo.seed),
    }
    if settings.broker.url:
        given["MILLWRIGHT_BROKER__URL"] = settings.broker.url
    if settings_file:
        given[FILE_VARIABLE] = str(settings_file.resolve())
    return {**os.environ, **given}
