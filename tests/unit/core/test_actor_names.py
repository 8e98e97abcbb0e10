"""Names by which the app itself acts are nobody else's."""

import pytest

from app.core.actor import Actor, check_actor, check_name, folded_name
from app.core.errors import InputError

OWN = [
    "system",
    "System",
    "  SYSTEM ",
    "\u00a0system",
    "mqtt",
    "Mqtt",
    "compensation",
    "app",
    "gateway",
    "millwright",
    "unknown",
    "workflow",
    "workflow kid",
    "Workflow   Kid",
    "\tworkflow\tkid",
]


@pytest.mark.parametrize("name", OWN)
def test_a_name_of_the_app_is_refused_and_said(name: str):
    with pytest.raises(InputError, match="is a name of the app itself; use your own"):
        check_name(name)


@pytest.mark.parametrize("name", ["", " ", "\t", "\u00a0"])
def test_a_name_of_blanks_is_none(name: str):
    with pytest.raises(InputError, match="name is empty"):
        check_name(name)


@pytest.mark.parametrize("name", ["operator", "ann", "Sys Tem", "workflows", "mqtt-bridge", "李雷"])
def test_other_names_are_anybodys(name: str):
    check_name(name)


@pytest.mark.parametrize("source", ["ui", "http", "cli", "mqtt"])
def test_nobody_from_outside_acts_as_the_app(source: str):
    with pytest.raises(InputError, match='"system" is a name of the app'):
        check_actor(Actor("system", source))


@pytest.mark.parametrize("source", ["ui", "http", "cli"])
def test_a_person_is_not_called_like_a_program_without_a_name(source: str):
    with pytest.raises(InputError, match='"mqtt" is a name of the app'):
        check_actor(Actor("mqtt", source))


@pytest.mark.parametrize(
    "actor",
    [
        Actor("mqtt", "mqtt"),
        Actor("system", "system"),
        Actor("workflow kid", "workflow"),
        Actor("ann", "http"),
    ],
)
def test_what_the_app_does_itself_and_programs_without_a_name_pass(actor: Actor):
    check_actor(actor)


def test_names_are_compared_without_case_and_spare_blanks():
    assert folded_name("  Ann  Bo\t") == folded_name("ann bo")
    assert folded_name("annbo") != folded_name("ann bo")
