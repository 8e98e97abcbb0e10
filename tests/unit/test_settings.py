"""Settings that cannot work are refused with their name and the remedy."""

import re
import tomllib
from pathlib import Path

import pytest

from agents.runner import agent_names
from app.core.errors import SettingsError
from app.settings import (
    SECRETS,
    SHIPPED,
    AgentSettings,
    IngestSettings,
    Section,
    Settings,
    load_settings,
)
from app.settings_checks import known_agents


def load(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[alarms]\nflood_count = 4", r"alarms\.flood_end_count: is above flood_count \(4\)"),
        ("[alarms]\nflood_end_count = 11", r"alarms\.flood_end_count: is above flood_count"),
        ("[supervisor]\nbackoff_max_s = 1\nbackoff_min_s = 2", r"supervisor\.backoff_max_s: is be"),
        ("[supervisor]\nhung_s = 2\nbeat_s = 3", r"supervisor\.hung_s: is below beat_s \(3\)"),
        ("[server]\nporf = 1", r"server\.porf: there is no such setting"),
        ("[bogus]\nx = 1", r"bogus: there is no such setting"),
        ("[agents.nosuch]", r'no agent "nosuch"; known are .*maintenance, .*vibration'),
        ("[agents.nosuch]\nenabled = false", r"agents\.nosuch"),
        ('[broker]\nurl = "mqtt://"', r"broker\.url: must look like"),
        ('[broker]\nurl = "mqtt://:1883"', r"broker\.url: must look like"),
        ('[broker]\nurl = "http://plant"', r"broker\.url: must look like"),
        ('[broker]\nurl = "mqtt://plant:x"', r"broker\.url: is no URL"),
        ('[broker]\nurl = "mqtt://plant:99999"', r"broker\.url: is no URL"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, named: str):
    with pytest.raises(SettingsError, match=named):
        load(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        '[broker]\npassword = "swordfish"',
        '[broker]\nurl = "mqtt://ann:swordfish@plant"',
        '[broker]\nurl = "mqtts://ann:swordfish@plant"',
    ],
)
def test_a_secret_in_a_file_is_refused_and_not_shown(tmp_path: Path, text: str):
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert "swordfish" not in str(caught.value)
    assert "broker." in str(caught.value)


def test_a_secret_comes_by_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MILLWRIGHT_BROKER__PASSWORD", "swordfish")
    assert load_settings().broker.password.get_secret_value() == "swordfish"


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("MILLWRIGHT_BOGUS__X", "1", r"MILLWRIGHT_BOGUS__X: there is no section \[bogus\]"),
        ("MILLWRIGHT_SERVER_PORT", "1", r"before the key: MILLWRIGHT_SERVER__PORT"),
        ("MILLWRIGHT_SERVER__PORF", "1", r"server\.porf: there is no such setting"),
        ("MILLWRIGHT_INGEST", "abc", r'"ingest".*JSON'),
        ("MILLWRIGHT_SERVER__ALLOWED_ORIGINS", "abc", r'"server".*JSON'),
        ("MILLWRIGHT_BROKER", '{"password": 5}', r"broker\.password: Input should be a"),
    ],
)
def test_a_wrong_environment_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, named: str
):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=named) as caught:
        load_settings()
    assert "got 5" not in str(caught.value)


def test_the_agents_known_to_the_settings_are_those_that_can_run():
    assert known_agents() == agent_names()


def test_the_shipped_file_holds_every_key_with_its_default(tmp_path: Path):
    shipped_text = SHIPPED.read_text(encoding="utf-8")
    text = re.sub(r"^# (?=\w+ = |\[)", "", shipped_text, flags=re.M)
    uncommented = load(tmp_path, text)
    defaults = load_settings()
    written = tomllib.loads(text)
    assert uncommented.demo.enabled is True  # absent, it depends on the broker
    absent = {"demo": defaults.demo, "ingest": (), "notify": defaults.notify}
    assert uncommented.model_copy(update=absent).model_dump() == defaults.model_dump()
    missing = [
        f"{name}.{key}"
        for name, section in defaults
        if isinstance(section, Section)
        for key in set(type(section).model_fields) - SECRETS
        if key not in written[name]
    ]
    assert missing == []
    assert "MILLWRIGHT_BROKER__PASSWORD" in shipped_text
    assert "MILLWRIGHT_COMMANDS__KEY" in shipped_text
    assert set(written["ingest"][0]) == set(IngestSettings.model_fields)
    assert set(written["agents"]["vibration"]) == set(AgentSettings.model_fields)


def test_the_shipped_file_starts_every_agent_of_the_installation():
    assert sorted(load_settings().agents) == known_agents()
