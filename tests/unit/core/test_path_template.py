import pytest

from app.core.errors import SettingsError, TopicError
from app.core.path_template import Template


def path(template: str, topic_filter: str, topic: str, field: str, machine: str = "") -> str:
    return Template(template, topic_filter).path(topic, field, lambda _: machine)


@pytest.mark.parametrize(
    ("topic", "field", "wanted"),
    [
        ("/data/machine/vibration", "", "factory/data/line/machine/vibration"),
        ("/data/vibration", "", "factory/data/line/machine/vibration"),
        ("/data/hall/press/vibration", "", "factory/data/hall/press/vibration"),
        ("/data/a/b/c/d", "", "factory/data/a_b/c/d"),
        ("/data/press", "flow", "factory/data/line/press/flow"),
        ("/data/hall/press", "flow", "factory/data/hall/press/flow"),
        ("/data", "flow", "factory/data/line/machine/flow"),
        ("/data/press 7/Öl", "", "factory/data/line/press_7/Ol"),
    ],
)
def test_topics_under_a_tree_become_five_segments(topic: str, field: str, wanted: str):
    assert path("factory/data/{path}/{field}", "/data/#", topic, field) == wanted


def test_topic_levels_are_counted_from_one():
    made = path("site/{2}/line/{4}/{field}", "plant/+/x/+", "plant/hall/x/P-1", "flow")
    assert made == "site/hall/line/P-1/flow"


@pytest.mark.parametrize(("machine", "unit"), [("M 7", "M_7"), ("", "machine"), ("7", "7")])
def test_a_field_of_the_message_names_the_unit(machine: str, unit: str):
    made = path("s/a/l/{Machine_ID}/{field}", "x", "x", "torque [Nm]", machine)
    assert made == f"s/a/l/{unit}/torque_Nm"


@pytest.mark.parametrize(
    ("template", "topic_filter", "named"),
    [
        ("s/a/l/{field}", "data/#", "five segments"),
        ("s/a/l/u/x/{field}", "data/#", "five segments"),
        ("s/a/l/u/{path}/{field}", "data/#", "five segments"),
        ("{path}/{path}/{field}", "data/#", "five segments"),
        ("", "data/#", "five segments"),
        ("s/a/l/u/fixed", "data/#", "let the last segment be"),
        ("s/a/l u/u/{field}", "data/#", '"l u" may hold'),
        ("s//l/u/{field}", "data/#", '"" may hold'),
        ("s/a/l/{unit/{field}", "data/#", "may hold"),
        ("s/a/l/{}/{field}", "data/#", "is empty"),
        ("a/b/c/d/{9}_{field}", "cc/+", r"no level 9; its levels are \{1\} to \{2\}"),
        ("a/b/c/{0}/{field}", "cc/+", "no level 0"),
        ("a/b/c/{1}/{field}", "/data/+", 'level 1 of topic "/data/\\+" is ""'),
        ("a/{path}/{field}", "cc/+", "does not end in #"),
        ("a/b/c/{path}/{field}", "cc", "does not end in #"),
    ],
)
def test_a_template_that_cannot_give_five_segments_is_refused(
    template: str, topic_filter: str, named: str
):
    with pytest.raises(SettingsError, match=named):
        Template(template, topic_filter)


@pytest.mark.parametrize(
    ("template", "topic_filter"),
    [("s/a/{1}/{4}/{field}", "x/#"), ("s/a/{1}/{2}/{field}", "cc/+"), ("{path}", "#")],
)
def test_a_template_that_may_give_five_segments_is_taken(template: str, topic_filter: str):
    Template(template, topic_filter)


def test_a_topic_with_too_few_levels_is_refused():
    with pytest.raises(TopicError, match="level 4"):
        path("s/a/l/{4}/{field}", "x/#", "x/y", "flow")


def test_a_key_without_a_usable_character_is_refused():
    with pytest.raises(TopicError):
        path("s/a/l/u/{field}", "x", "x", "°")
