"""The order of a workflow's steps."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InputError
from app.core.step_order import ancestors, cycle, descendants, loop_body, needs_order
from app.core.workflow import ActionKind, Jump, Step, Workflow


def workflow_of(
    needs: Mapping[str, Sequence[str]],
    on_error: Mapping[str, str] | None = None,
    goto: Mapping[str, str] | None = None,
) -> Workflow:
    return Workflow(
        name="demo",
        steps=tuple(
            Step(
                id=name,
                do=ActionKind.WAIT,
                needs=tuple(those),
                on_error=(on_error or {}).get(name, "fail"),
                goto=Jump(step=goto[name]) if goto and name in goto else None,
            )
            for name, those in needs.items()
        ),
    )


@st.composite
def graphs(draw: st.DrawFn) -> Workflow:
    """Workflows without a circle, their steps in any order."""
    count = draw(st.integers(1, 12))
    needs: dict[str, list[str]] = {}
    for index in range(count):
        earlier = [f"s{each}" for each in range(index)]
        some = st.lists(st.sampled_from(earlier), unique=True) if earlier else st.just([])
        needs[f"s{index}"] = draw(some)
    order = draw(st.permutations(list(needs)))
    return workflow_of({name: needs[name] for name in order})


@given(graphs())
def test_every_step_stands_behind_all_it_needs(workflow: Workflow):
    order = [step.id for step in needs_order(workflow)]

    assert sorted(order) == sorted(step.id for step in workflow.steps)
    assert all(
        order.index(need) < order.index(step.id) for step in workflow.steps for need in step.needs
    )


@given(graphs())
def test_the_order_of_an_ordered_definition_is_its_own(workflow: Workflow):
    ordered = Workflow(name="demo", steps=tuple(needs_order(workflow)))

    assert needs_order(ordered) == list(ordered.steps)


@given(graphs())
def test_a_step_comes_after_exactly_those_that_come_before_it(workflow: Workflow):
    names = [step.id for step in workflow.steps]

    assert all(
        (a in ancestors(workflow, b)) == (b in descendants(workflow, a))
        for a in names
        for b in names
    )


@given(graphs())
def test_ancestors_hold_the_needs_and_what_those_need(workflow: Workflow):
    assert all(
        ancestors(workflow, step.id)
        == frozenset(step.needs).union(*(ancestors(workflow, need) for need in step.needs))
        for step in workflow.steps
    )


def test_steps_that_need_nothing_keep_the_order_of_the_file():
    workflow = workflow_of({"c": [], "a": [], "b": ["c"]})

    assert [step.id for step in needs_order(workflow)] == ["c", "a", "b"]


def test_a_circle_is_named():
    with pytest.raises(InputError, match=r"(a → b → c → a|b → c → a → b|c → a → b → c)"):
        needs_order(workflow_of({"a": ["c"], "b": ["a"], "c": ["b"], "d": []}))


def test_a_circle_does_not_name_the_steps_behind_it():
    assert set(cycle(workflow_of({"end": ["b"], "a": ["b"], "b": ["a"]}))) == {"a", "b"}


def test_without_a_circle_none_is_named():
    assert cycle(workflow_of({"a": [], "b": ["a"]})) == ()


def test_a_step_stands_behind_one_whose_error_leads_to_it():
    workflow = workflow_of({"tidy": [], "work": []}, on_error={"work": "goto:tidy"})

    assert [step.id for step in needs_order(workflow)] == ["work", "tidy"]
    assert ancestors(workflow, "tidy") == {"work"}


def test_an_error_that_leads_back_is_no_part_of_the_order():
    workflow = workflow_of({"a": [], "b": ["a"]}, on_error={"b": "goto:a"})

    assert cycle(workflow) == ()
    assert ancestors(workflow, "a") == frozenset()


def test_errors_that_lead_to_each_other_are_a_circle():
    workflow = workflow_of({"a": [], "b": []}, on_error={"a": "goto:b", "b": "goto:a"})

    assert set(cycle(workflow)) == {"a", "b"}


def test_a_need_that_does_not_exist_is_left_out():
    assert ancestors(workflow_of({"a": ["ghost"]}), "a") == frozenset()


def test_a_loop_does_the_steps_between_again():
    workflow = workflow_of(
        {"a": [], "b": ["a"], "side": ["b"], "c": ["b"], "d": ["c"]}, goto={"c": "b"}
    )

    assert loop_body(workflow, workflow.step("c")) == {"b", "c"}


def test_a_loop_that_leads_forward_does_nothing_again():
    workflow = workflow_of({"a": [], "b": ["a"]}, goto={"a": "b"})

    assert loop_body(workflow, workflow.step("a")) == frozenset()
