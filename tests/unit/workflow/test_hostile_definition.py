"""Texts that are no definition, too large, or made to hurt, are refused in bounded time."""

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.workflow import Workflow
from app.workflow.definition import read_definition
from tests.unit.workflow.definition_texts import GOOD, STEP, errors


def test_a_text_too_large_is_refused():
    assert "262144 bytes" in errors("#" * 262_145)[0].message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[" * 100_000,
        "a = " + "[" * 50_000,
        "a." * 9000 + "b = 1",
        "\x00",
        "\ud800",
        "name = 1e999",
        "name = " + "9" * 5000,
        "steps = 3",
        "steps = [3]",
        'name = "x"\nsteps = [[]]',
        "inputs = 3",
        "triggers = {}",
        "runs = []",
        'name = "x"\nsteps = [{id = "a", do = "wait", with = []}]',
    ],
)
def test_a_text_that_is_no_workflow_is_a_problem(text: str):
    found = read_definition(text)

    assert found.workflow is None
    assert found.problems


def test_many_open_holes_are_judged_in_bounded_time():
    holes = "${x'" * 50_000
    more = '[[steps]]\nid = "b"\ndo = "publish"\n[steps.with]\ntopic = "'

    assert any("200 expressions" in each.message for each in errors(f'{STEP}{more}{holes}"\n'))


def test_a_step_with_too_many_characters_of_expressions_is_refused():
    sums = ", ".join(f'"${{{" + ".join(["123456789"] * 150)}}}"' for _ in range(20))
    more = f'[[steps]]\nid = "b"\ndo = "publish"\nwith = {{ topic = "a", payload = [{sums}] }}\n'

    assert any("at most 20000" in each.message for each in errors(f"{STEP}{more}"))


@given(st.integers(), st.integers(1, 30))
@settings(max_examples=150, deadline=None)
def test_a_mutated_text_never_raises(seed: int, changes: int):
    found = read_definition(_mutated(GOOD, random.Random(seed), changes))  # noqa: S311

    assert isinstance(found.workflow, Workflow) or found.problems


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_expression_is_judged_without_raising(text: str):
    quoted = text.replace("'", "").replace("\n", " ").replace("\r", " ")

    read_definition(f"{STEP}[[steps]]\nid = 'b'\ndo = 'wait'\nwhen = '{quoted}'\n")


def _mutated(text: str, chance: random.Random, changes: int) -> str:
    signs = list(text)
    for _ in range(changes):
        at = chance.randrange(len(signs))
        signs[at : at + chance.randrange(3)] = chance.choice(
            ['"', "[", "]", "{", "}", "=", "\n", "'", "${", "", ".", *string.ascii_lowercase[:4]]
        )
    return "".join(signs)


@pytest.mark.parametrize("line", ["{} = 1", "[{}]", "x = {{ {} = 1 }}"])
def test_a_key_of_many_parts_is_refused_before_it_fills_the_memory(line: str):
    bomb = line.format(".".join(["a"] * 40_000))
    (problem,) = read_definition(f'name = "bomb"\n{bomb}\n').problems
    assert (problem.line, problem.message) == (2, "The line has over 200 dots")


def test_of_far_too_many_parts_only_that_is_said():
    steps = "".join(f'[[steps]]\nid = "s{n}"\ndo = "wait"\n' for n in range(201))
    triggers = '[[triggers]]\non = "schedule"\n' * 51

    assert [each.message for each in errors(f'name = "demo"\n{steps}')] == [
        "There are 201 steps; at most 200 are allowed"
    ]
    assert [each.message for each in errors(STEP + triggers)] == [
        "There are 51 triggers; at most 50 are allowed"
    ]
