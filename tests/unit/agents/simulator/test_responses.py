"""Every limit of the demo plant tells its operator what to do, in words for that limit."""

import re
from collections import Counter

import pytest

from agents.simulator.plant import PlantModel
from agents.simulator.responses import (
    COMPRESSOR,
    CONVEYOR,
    COOLING_PUMP,
    FEED_PUMP,
    HVAC,
    METER,
    SPINDLE,
    Words,
)
from app.core.alarm import Priority
from app.core.equipment import Equipment, Limits, Tag
from app.core.response import LIMIT_NAMES, TEXT_LIMIT, Response

ROW_CHARACTERS = 90
"""What two lines of an alarm's row hold at 1920 px; the rest of a longer sentence is cut."""


def limited(unit: Equipment) -> list[Tag]:
    return [tag for tag in unit.tags if tag.limits != Limits()]


def declared(plant: PlantModel) -> dict[str, Response]:
    """Return the response to each declared limit, by tag path and limit."""
    return {
        f"{tag.path} {name}": tag.responses.to(name)
        for unit in plant.equipment()
        for tag in limited(unit)
        for name in tag.limits.names()
    }


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+", text)


def test_every_declared_limit_has_a_response_of_one_or_two_sentences(plant: PlantModel) -> None:
    texts = {limit: response.text for limit, response in declared(plant).items()}
    assert len(texts) > 100
    assert [limit for limit, text in texts.items() if len(sentences(text)) not in {1, 2}] == []
    assert [limit for limit, text in texts.items() if not re.fullmatch(r"[A-Z].+\.", text)] == []
    assert [limit for limit, text in texts.items() if len(text) > TEXT_LIMIT] == []


def test_the_first_sentence_fits_the_row_of_its_alarm(plant: PlantModel) -> None:
    firsts = {limit: sentences(response.text)[0] for limit, response in declared(plant).items()}
    assert {limit: text for limit, text in firsts.items() if len(text) > ROW_CHARACTERS} == {}


def test_the_limits_of_one_tag_ask_for_different_things(plant: PlantModel) -> None:
    for tag in (tag for unit in plant.equipment() for tag in limited(unit)):
        texts = [tag.responses.to(name).text for name in tag.limits.names()]
        assert len(set(texts)) == len(texts), tag.path


def test_no_response_is_declared_to_a_limit_that_is_not_there(plant: PlantModel) -> None:
    for tag in (tag for unit in plant.equipment() for tag in unit.tags):
        absent = set(LIMIT_NAMES) - set(tag.limits.names())
        assert {tag.responses.to(name) for name in absent} <= {Response()}, tag.path


def test_critical_is_kept_for_danger_to_people(plant: PlantModel) -> None:
    counts = Counter(response.priority for response in declared(plant).values())
    critical = {
        limit.rpartition("/")[2]
        for limit, response in declared(plant).items()
        if response.priority is Priority.CRITICAL
    }
    assert critical == {"receiver_pressure high_high"}
    assert counts[Priority.LOW] > counts[Priority.CRITICAL]


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        (COOLING_PUMP, "utilities/cooling/pump-101"),
        (FEED_PUMP, "utilities/boiler/pump-201"),
        (COMPRESSOR, "utilities/air/compressor-301"),
        (SPINDLE, "machining/milling/spindle-401"),
        (CONVEYOR, "packaging/belts/conveyor-601"),
        (METER, "heat/energy/meter-heat"),
        (HVAC, "building/hall/hvac-801"),
    ],
)
def test_a_machine_takes_all_words_of_its_table(plant: PlantModel, words: Words, unit: str) -> None:
    (found,) = [each for each in plant.equipment() if each.path == f"riverside/{unit}"]
    assert {tag.name: tag.responses for tag in limited(found)} == words
