"""[[ingest]]: which outside messages become which tags, checked before anything starts."""

from collections.abc import Iterable

from pydantic import Field, ValidationInfo, field_validator

from app.core import topics
from app.core.errors import SettingsError, TopicError
from app.core.path_template import Template
from app.core.topic_filter import check_filter, overlap
from app.settings_sections import Section

_OWN = ("millwright/#", topics.PLANT)
_MOST_UNIT = 32  # characters; the longest UCUM codes in use have about 20


class IngestSettings(Section):
    """[[ingest]]: one mapping of a topic and its JSON onto tags."""

    topic: str = Field(description="MQTT topic filter, + and # allowed")
    path: str = Field(
        description="Tag path; {1} is a topic level, {name} a JSON field, {field} the value's key"
    )
    time: str = Field(
        default="", description="JSON field of the source time; empty is the time of arrival"
    )
    fields: dict[str, str] = Field(
        default={}, description="JSON field to tag name; empty takes every numeric field"
    )
    units: dict[str, str] = Field(default={}, description="Tag name to UCUM unit")

    @field_validator("topic")
    @classmethod
    def _is_filter(cls, value: str) -> str:
        try:
            check_filter(value)
        except TopicError as error:
            raise ValueError(str(error)) from error
        for own in _OWN:
            if overlap(value, own):
                raise ValueError(
                    f"it also matches Millwright's own {own}, whose messages are read already; "
                    "begin with the first level of your own topics"
                )
        return value

    @field_validator("path")
    @classmethod
    def _fits_topic(cls, value: str, info: ValidationInfo) -> str:
        topic: str | None = info.data.get("topic")
        if topic is not None:  # else the topic is wrong, and said to be
            _template(value, topic)
        return value

    @field_validator("fields")
    @classmethod
    def _name_tags(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        for key, tag in value.items():
            _check_tag(tag)
            if key and key in _spoken_for(info):
                raise ValueError(
                    f'"{key}" is the time or stands in the path, so it gives no value; '
                    "leave it out here"
                )
        return value

    @field_validator("units")
    @classmethod
    def _are_units(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        for tag, unit in value.items():
            _check_tag(tag)
            if not 0 < len(unit) <= _MOST_UNIT or not all("!" <= sign <= "~" for sign in unit):
                raise ValueError(
                    f'"{unit[:60]}" of "{tag}" is no UCUM code of at most {_MOST_UNIT} '
                    'characters; write "Cel", "mm/s" or "kW.h", see ucum.org'
                )
            _check_known(tag, info)
        return value


class IngestSeedsSettings(Section):
    """[ingest_seeds]: the topics of earlier systems, read without an [[ingest]] of their own."""

    enabled: bool = Field(
        default=True,
        description="Read sensors/factory/data, data/# and /data/#; an [[ingest]] goes before them",
    )


def _check_tag(tag: str) -> None:
    if not topics.is_segment(tag):
        raise ValueError(f'"{tag[:60]}" is no name of a tag; use letters, digits, _ and -')


def _check_known(tag: str, info: ValidationInfo) -> None:
    path, topic = info.data.get("path"), info.data.get("topic")
    fields: dict[str, str] = info.data.get("fields") or {}
    if not fields or path is None or topic is None or not _template(path, topic).names_tags:
        return
    if tag not in fields.values():
        known = ", ".join(sorted(set(fields.values())))
        raise ValueError(f'no field becomes the tag "{tag}"; those of fields are {known}')


def _spoken_for(info: ValidationInfo) -> Iterable[str]:
    path, topic = info.data.get("path"), info.data.get("topic")
    time: str = info.data.get("time", "")
    if path is None or topic is None:
        return {time}
    return {time, *_template(path, topic).names}


def _template(path: str, topic: str) -> Template:
    try:
        return Template(path, topic)
    except SettingsError as error:
        raise ValueError(str(error)) from error


# Below the checks, which it needs.
SEED_MAPPINGS = (
    IngestSettings(
        topic=topics.SEED_DATA,
        path="factory/floor/line/{Machine_ID}/{field}",
        time="Timestamp",
    ),
    *(
        IngestSettings(topic=tree, path="factory/data/{path}/{field}", time="timestamp")
        for tree in topics.DATA_TREES
    ),
)
