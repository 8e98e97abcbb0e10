"""A wrong [[ingest]] is refused before anything starts, with the key and the remedy."""

from pathlib import Path

import pytest

from app.core.errors import SettingsError
from app.settings import IngestSettings, load_settings

GOOD = {"topic": "cc/+", "path": "site/hall/line/{2}/{field}"}


def load(tmp_path: Path, text: str) -> tuple[IngestSettings, ...]:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file).ingest


def table(**changed: str) -> str:
    rows = {key: f'"{value}"' for key, value in GOOD.items()} | changed
    return "\n".join(["[[ingest]]", *[f"{key} = {value}" for key, value in rows.items()]])


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"topic": '"a/#/b"'}, r'ingest\[0\]\.topic: "#" must be the last level'),
        ({"topic": '""'}, r"ingest\[0\]\.topic: it is empty"),
        ({"topic": '"millwright/alarms/+"'}, r"ingest\[0\]\.topic: it also matches"),
        ({"topic": '"+/+/+/+/+/+"'}, r"ingest\[0\]\.topic: it also matches"),
        ({"path": '"x"'}, r'ingest\[0\]\.path: "x" does not make site/area/line/unit/tag'),
        ({"path": '"a/b/c/d/{9}"'}, r"ingest\[0\]\.path: without {field}"),
        ({"path": '"a/b/c/{9}/{field}"'}, r"ingest\[0\]\.path: .* has no level 9"),
        ({"fields": '{ flow = "the flow" }'}, r'ingest\[0\]\.fields: "the flow" is no name'),
        ({"time": '"at"', "fields": '{ at = "x" }'}, r'ingest\[0\]\.fields: "at" is the time'),
        ({"units": '{ flow = "°C" }'}, r"ingest\[0\]\.units: .* no UCUM code"),
        ({"units": '{ flow = "" }'}, r"ingest\[0\]\.units: .* no UCUM code"),
        ({"units": '{ "a b" = "Cel" }'}, r'ingest\[0\]\.units: "a b" is no name'),
        (
            {"fields": '{ T = "temp" }', "units": '{ T = "Cel" }'},
            r'ingest\[0\]\.units: no field becomes the tag "T"; those of fields are temp',
        ),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, changed: dict[str, str], named: str):
    with pytest.raises(SettingsError, match=named):
        load(tmp_path, table(**changed))


def test_of_several_the_wrong_one_is_named(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"ingest\[1\]\.topic"):
        load(tmp_path, table() + "\n" + table(topic='"b#"'))


def test_a_good_one_is_taken(tmp_path: Path):
    fields = {"fields": '{ T = "temp", "" = "bare" }', "units": '{ temp = "Cel" }'}
    (made,) = load(tmp_path, table(time='"at"', **fields))
    assert made.units == {"temp": "Cel"}


def test_a_blank_in_a_topic_needs_a_broker_that_takes_it(tmp_path: Path):
    blank = table(topic='"hall 1/+"')
    with pytest.raises(SettingsError, match=r'ingest\[0\]\.topic: "hall 1/\+" has a blank'):
        load(tmp_path, blank)
    assert load(tmp_path, f'[broker]\nurl = "mqtt://plant"\n{blank}')


def filters(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return [mapping.topic for mapping in load_settings(file).mappings]


SEEDS = ["sensors/factory/data", "data/#", "/data/#"]


def test_an_ingest_of_ones_own_keeps_the_seeds_topics_and_goes_before_them(tmp_path: Path):
    assert filters(tmp_path, "") == SEEDS
    assert filters(tmp_path, table(topic='"data/+"')) == ["data/+", *SEEDS]


def test_the_seeds_topics_have_a_switch(tmp_path: Path):
    off = "[ingest_seeds]\nenabled = false\n"
    assert filters(tmp_path, off + table()) == ["cc/+"]
