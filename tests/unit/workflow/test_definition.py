"""Definitions are read from TOML, and every problem names its line."""

import pytest

from app.core.workflow import ActionKind
from app.core.workflow_entry import Severity
from app.workflow.definition import read_definition
from tests.unit.workflow.definition_texts import GOOD, STEP, errors


def test_a_good_definition_has_no_problems():
    found = read_definition(GOOD, "demo")

    assert found.problems == ()
    assert found.workflow is not None
    assert found.workflow.step("slow").do is ActionKind.COMMAND


def test_the_version_is_of_the_content_and_not_of_its_looks():
    looks = "# a comment\n\n" + GOOD.replace("title = ", "title   =   ")

    assert read_definition(looks).version == read_definition(GOOD).version


def test_another_content_is_another_version():
    other = GOOD.replace("value = 80", "value = 81")

    assert read_definition(other).version != read_definition(GOOD).version


def test_windows_line_ends_change_nothing():
    assert read_definition(GOOD.replace("\n", "\r\n")) == read_definition(GOOD)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        # shape
        ('title = "Demo"', "title = 3", 2, 'Expected "str"'),
        ('title = "Demo"', 'titlee = "Demo"', 2, 'no field "titlee"'),
        ('title = "Demo"', 'title = "Demo', 2, "no TOML"),
        ('title = "Demo"', "title = 1979-05-27", 2, "time stands here"),
        ('name = "demo"', "", 0, '"name" is missing'),
        ('name = "demo"', 'name = "My demo"', 1, "no name of a workflow"),
        ('name = "demo"', 'name = "com1"', 1, '"com1" cannot be the name of a workflow'),
        ('title = "Demo"', 'role = "king"', 2, 'no role "king"'),
        ('id = "look"', "", 21, '"id" is missing'),
        ('do = "task"', 'do = "taskk"', 23, '"taskk" is not known'),
        ("attempts = 3", 'attempts = "3"', 28, 'Expected "int"'),
        ("attempts = 3", "attemptz = 3", 28, 'no field "attemptz"'),
        # inputs
        ('kind = "number"', 'kind = "numbeer"', 9, '"numbeer" is not known'),
        ("default = 3", "default = 30", 12, "must be at most 10"),
        ("default = 3", "default = nan", 12, "must be finite"),
        ("low = 0", "low = 11", 10, "low 11 is over high 10"),
        ("default = 3", 'choices = ["a"]', 12, "Only a choice has choices"),
        ('kind = "number"', 'kind = "choice"', 8, "A choice needs choices"),
        ('kind = "number"', 'kind = "text"', 10, "Only a number has low"),
        ("[inputs.level]", '[inputs."Le vel"]', 8, "no name of an input"),
        # triggers
        ('on = "finding"', 'on = "schedule"', 16, '"condition" does not belong'),
        ("priority = 2", "priority = 5", 17, "priority is 5; it must be 1 to 4"),
        ("cooldown_s = 600", "cooldown_s = -1", 18, "cooldown_s is -1"),
        ("cooldown_s = 600", 'when = "event.x >"', 18, "is not understood"),
        ("cooldown_s = 600", 'when = "input.unit"', 18, '"input" is not known here'),
        ('input = { unit = "${event.equipment}" }', "", 14, 'required input "unit"'),
        ('input = { unit = "${event.equipment}" }', 'input = { unit = "x" }', 19, "path of a unit"),
        ("{ unit = ", '{ leven = 2, unit = ', 19, 'no input "leven"'),
        # steps
        ('id = "ask"', 'id = "look"', 31, 'two steps "look"'),
        ('id = "ask"', 'id = "Ask"', 31, "no id of a step"),
        ('needs = ["look"]', 'needs = ["lok"]', 33, 'no step "lok"'),
        ('needs = ["look"]', 'needs = ["look", "look"]', 33, "stands here twice"),
        ('needs = ["look"]', 'needs = ["ask"]', 33, "needs itself"),
        ('needs = ["look"]', 'needs = ["slow"]', 33, "circle: "),
        ('needs = ["ask"]', 'on_error = "goto:nowhere"', 40, 'no step "nowhere"'),
        ('needs = ["ask"]', 'on_error = "continuee"', 40, 'on_error is "continuee"'),
        ('needs = ["look"]', 'needs = ["look"]\non_error = "goto:slow"', 41, "both after success"),
        ('needs = ["ask"]', 'goto = { step = "look", when = "true" }', 40, "not come before"),
        ('needs = ["ask"]', 'needs = ["ask"]\ngoto = { step = "ghost" }', 41, 'no step "ghost"'),
        (
            'needs = ["ask"]',
            'needs = ["ask"]\ngoto = { step = "ask", when = "1 > 2", max = 1001 }',
            41,
            "max is 1001",
        ),
        ("attempts = 3", "attempts = 21", 28, "attempts is 21; it must be 1 to 20"),
        ("attempts = 3", "wait_s = -1", 28, "wait_s is -1"),
        ("attempts = 3", "factor = 0.5", 28, "factor is 0.5"),
        ('needs = ["ask"]', "timeout_s = -5", 40, "timeout_s is -5"),
        ('needs = ["ask"]', "timeout_s = 1e8", 40, "is 100000000; it must be 0 to 86400"),
        ('needs = ["ask"]', "parallel = 51", 40, "parallel is 51"),
        ('needs = ["look"]', "retry = { attempts = 2 }", 33, "not tried again"),
        ('needs = ["ask"]', 'needs = ["ask"]\nfor_each = "items("', 41, "not understood"),
        ('ensate]\ndo = "command"', 'ensate]\ndo = "wait"', 43, "takes nothing"),
        # actions
        ("capability = ", "capabilityy = ", 25, 'no field "capabilityy"'),
        ('capability = "search_knowledge"', "", 24, 'needs "capability"'),
        ('"search_knowledge"', '""', 25, '"capability" is empty'),
        ('"search_knowledge"', "7", 25, '"capability" must be text'),
        ('"search_knowledge"', '"Search!"', 25, "no capability"),
        ('role = "supervisor"', 'role = "supervisorr"', 35, 'no role "supervisorr"'),
        ("value = 80", 'value = "80"', 41, '"value" must be a number'),
        ("value = 80", "value = true", 41, '"value" must be a number'),
        ('tag = "${input.unit}/speed_limit", value', 'tag = "x", value', 41, "five segments"),
        # expressions
        ("${input.level}", "${input.levell}", 26, 'no input "levell"'),
        ("${input.level}", "${level}", 26, '"level" is not known here'),
        ("${input.level}", "${event.level}", 26, '"event" is not known here'),
        ("${input.level}", "${item}", 26, '"item" is not known here'),
        ("${input.level}", "${input.level", 26, "is not closed"),
        ("${input.level}", "${steps.slow.output}", 26, "need not have ended"),
        ("${input.level}", "${steps.sloww.output}", 26, 'no step "sloww"'),
        ("steps.look.output", "steps.look.result", 34, 'A step has no "result"'),
        ("${input.level}", "${lengthx(input.unit)}", 26, 'no function "lengthx"'),
        ("${input.level}", "${open('x')}", 26, 'no function "open"'),
        ("${input.level}", "${input.unit.upper()}", 26, "by their name only"),
        ("${input.level}", "${(lambda: 1)}", 26, "function of your own is not allowed"),
        ("${input.level}", "${input.level << 3}", 26, '"<<" is not allowed'),
        ("${input.level}", "${f'{input.level}'}", 26, "begins with f is not allowed"),
        ("${input.level}", "${'x' * }", 26, "not understood"),
        ("steps.look.output", "steps.look.output +", 34, "not understood"),
    ],
)  # fmt: skip
def test_a_problem_names_its_line(old: str, new: str, line: int, message: str):
    text = GOOD.replace(old, new, 1)
    assert text != GOOD

    assert (line, True) in [(each.line, message in each.message) for each in errors(text)]


@pytest.mark.parametrize(
    ("more", "line", "message"),
    [
        ('[[triggers]]\non = "mqtt"\n', 6, "filter is not allowed"),
        ('[[triggers]]\non = "mqtt"\ntopic = "a/#/b"\n', 8, "filter is not allowed"),
        ('[[triggers]]\non = "mqtt"\ntopic = "a"\ncron = "1"\n', 9, '"cron" does not belong'),
        ('[[triggers]]\non = "schedule"\n', 6, 'either "cron" or "shift"'),
        ('[[triggers]]\non = "schedule"\ncron = "99 * * * *"\n', 8, "no cron line"),
        ('[[triggers]]\non = "schedule"\ncron = "* * * *"\n', 8, "no cron line"),
        ('[[triggers]]\non = "schedule"\ncron = "* * * * * *"\n', 8, "no cron line"),
        ('[[triggers]]\non = "schedule"\nshift = "begin"\n', 8, "start"),
        (
            '[[triggers]]\non = "schedule"\nshift = "end"\ncron = "0 6 * * *"\n',
            6,
            'either "cron" or "shift"',
        ),
        ('[[triggers]]\non = "workflow"\n', 6, "no name of a workflow"),
        ('[[triggers]]\non = "workflow"\nworkflow = "x"\nstates = []\n', 9, "never works"),
        (
            '[[triggers]]\non = "workflow"\nworkflow = "x"\nstates = ["done"]\n',
            9,
            "no end of a run",
        ),
        ('[[triggers]]\non = "finding"\nkey = "${item}"\n', 8, '"item" is not known'),
        ('[[steps]]\nid = "b"\ndo = "wait"\n', 6, 'either "seconds" or "until"'),
        ('[[steps]]\nid = "b"\ndo = "wait"\nwith = { seconds = 0 }\n', 9, "over 0"),
        ('[[steps]]\nid = "b"\ndo = "wait"\nwith = { until = "tag(" }\n', 9, "not understood"),
        (
            '[[steps]]\nid = "b"\ndo = "publish"\nwith = { topic = "a/#", payload = 1 }\n',
            9,
            "wild card",
        ),
        *(
            (
                f'[[steps]]\nid = "b"\ndo = "publish"\nwith.topic = "{topic}"\nwith.payload = 1\n',
                9,
                named,
            )
            for topic, named in (
                ("rooms/hall\\n", "line break"),
                ("rooms/${input.a}/in use", "a blank"),
                ("rooms/\\u007f/${input.a}", "U+007F"),
            )
        ),
        (
            '[[steps]]\nid = "b"\ndo = "publish"\nwith = { topic = "a", payload = 1, qos = 2 }\n',
            9,
            "qos",
        ),
        (
            '[[steps]]\nid = "b"\ndo = "publish"\nwith.topic = "millwright/commands/x"\n'
            "with.payload = 1\n",
            9,
            "never published by hand",
        ),
        (
            '[[steps]]\nid = "b"\ndo = "publish"\n[steps.with]\ntopic = "plant/a"\npayload = 1\n',
            10,
            "belong to the app",
        ),
        *(
            (
                f'[[steps]]\nid = "b"\ndo = "publish"\nwith = {{ topic = "{own}", payload = 1 }}\n',
                9,
                "belong to the app",
            )
            for own in ("data/a", "/data/a", "orchestrator/workflow/trigger", "tasks/${input.a}")
        ),
        (
            '[[steps]]\nid = "b"\ndo = "wait"\ntimeout_s = 5\nwith = { seconds = 50 }\n',
            10,
            "It waits 50 s, longer than its timeout_s of 5",
        ),
        (
            '[[steps]]\nid = "b"\ndo = "notify"\n'
            'with = { title = "a", message = "b", priority = 0 }\n',
            9,
            "priority must be 1",
        ),
        ('[[steps]]\nid = "b"\ndo = "http"\nwith = { url = "ftp://x" }\n', 9, "begin with http"),
        *(
            (
                '[[steps]]\nid = "b"\ndo = "http"\nwith.url = "http://x"\n'
                f"with.headers = {headers}\n",
                10,
                named,
            )
            for headers, named in (
                ('{ X-Room = "Küche" }', '"X-Room" holds "ü"'),
                ('{ X-Room = "${input.a} Küche" }', '"X-Room" holds "ü"'),
                ('{ X-Room = "a\\nX-Other: b" }', '"X-Room" holds U+000A'),
                ('{ "X Room" = "a" }', "no name of a header"),
            )
        ),
        (
            '[[steps]]\nid = "b"\ndo = "http"\nwith = { url = "http://x", method = "FETCH" }\n',
            9,
            "method must be one of",
        ),
        (
            '[[steps]]\nid = "b"\ndo = "http"\nwith = { url = "http://x", headers = { a = 1 } }\n',
            9,
            "header must be text",
        ),
        (
            '[[steps]]\nid = "b"\ndo = "workflow"\nwith = { name = "A b" }\n',
            9,
            "no name of a workflow",
        ),
        ('[runs]\nmode = "paralleel"\n', 7, '"paralleel" is not known'),
        (
            'on_error = "goto:b"\n[[steps]]\nid = "b"\ndo = "wait"\nwith = { seconds = 1 }\n'
            'on_error = "goto:one"\n',
            11,
            "circle",
        ),
        ("[runs]\nmax = 0\n", 7, "max is 0"),
        (
            '[[steps]]\nid = "b"\ndo = "command"\ntimeout_s = 100000\n'
            'with = { tag = "a/b/c/d/e", value = 1 }\n',
            9,
            "must be 0 to 86400",
        ),
        ('[runs]\nkey = "${input.ghost}"\n', 7, 'no input "ghost"'),
    ],
)
def test_a_problem_behind_a_good_step_names_its_line(more: str, line: int, message: str):
    found = errors(STEP + more)

    assert (line, True) in [(each.line, message in each.message) for each in found]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('[[triggers]]\non = "workflow"\nworkflow = "demo"\n', "its own end starts it again"),
        ('[[triggers]]\non = "mqtt"\ntopic = "#"\n', "about its run start it again"),
        (
            '[[triggers]]\non = "mqtt"\ntopic = "a/+"\n[[steps]]\nid = "b"\ndo = "publish"\n'
            'with = { topic = "a/b", payload = 1 }\n',
            "its own message starts it again",
        ),
        ('[[steps]]\nid = "b"\ndo = "workflow"\nwith = { name = "demo" }\n', "runs itself"),
        (
            '[[steps]]\nid = "b"\ndo = "wait"\nwith = { seconds = 1 }\ngoto = { step = "b" }\n',
            "has no condition",
        ),
        (
            '[[steps]]\nid = "b"\ndo = "wait"\nwith = { seconds = 1 }\nparallel = 2\n',
            "says nothing without for_each",
        ),
        (
            '[[steps]]\nid = "b"\ndo = "wait"\nwith = { seconds = 1 }\nwhen = "1 > 2"\n',
            "never runs",
        ),
        (
            '[[steps]]\nid = "b"\ndo = "command"\nretry = { attempts = 4 }\n'
            'with = { tag = "a/b/c/d/e", value = 1 }\n',
            "retry has no effect",
        ),
        (
            '[[steps]]\nid = "b"\ndo = "workflow"\nretry = { attempts = 3 }\n'
            'with = { name = "other" }\n',
            "retry has no effect",
        ),
    ],
)
def test_what_may_be_meant_is_a_warning_and_the_workflow_works(more: str, message: str):
    found = read_definition(STEP + more)

    assert found.workflow is not None
    assert [problem.severity for problem in found.problems] == [Severity.WARNING]
    assert message in found.problems[0].message


@pytest.mark.parametrize(
    "trigger",
    [
        'on = "workflow"\nworkflow = "demo"\ncooldown_s = 60',
        'on = "mqtt"\ntopic = "#"\nwhen = "event.topic == \'go\'"',
        'on = "mqtt"\ntopic = "orchestrator/+/trigger"',
        'on = "schedule"\nshift = "start"',
        'on = "schedule"\ncron = "30 6 * * mon-fri"',
    ],
)
def test_a_bounded_trigger_is_no_problem(trigger: str):
    assert read_definition(f"{STEP}[[triggers]]\n{trigger}\n").problems == ()


@pytest.mark.parametrize(
    "step",
    [
        'for_each = "input.tags"\nwith = { seconds = "${item.wait + index}" }',
        'with = { until = "2026-01-01T06:00:00Z" }',
        "with = { until = \"tag('a/b/c/d/e') > 3 and is_good('a/b/c/d/e')\" }",
        'with = { seconds = "${sum([x.v for x in input.tags if x.v > 1])}" }',
        'with = { seconds = 1 }\ngoto = { step = "one", when = "steps.b.output.again", max = 3 }',
    ],
)
def test_what_is_known_in_a_step_may_be_used(step: str):
    text = f'{STEP}[[steps]]\nid = "b"\ndo = "wait"\nneeds = ["one"]\n{step}\n[inputs.tags]\n'

    assert read_definition(text).problems == ()


def test_steps_of_a_loop_know_each_other():
    text = STEP.replace("seconds = 1", 'until = "steps.b.output"') + (
        '[[steps]]\nid = "b"\ndo = "wait"\nneeds = ["one"]\nwith = { seconds = 1 }\n'
        'goto = { step = "one", when = "True" }\n'
    )

    assert read_definition(text).problems == ()


def test_every_broken_part_is_told_at_once():
    text = (
        GOOD.replace("title = ", "titlee = ")
        .replace('"equipment"', '"unit"')
        .replace('do = "approve"', 'do = "approvee"')
    )

    assert [problem.line for problem in read_definition(text).problems] == [2, 5, 32]


def test_the_known_word_is_suggested():
    found = errors(GOOD.replace('do = "approve"', 'do = "approvee"'))

    assert found[0].hint == 'Did you mean "approve"?'


def test_another_name_than_the_files_is_a_problem():
    assert "demo.toml" not in str(errors(GOOD, "demo"))
    assert errors(GOOD, "other")[0].line == 1


def test_text_in_many_lines_is_not_taken_for_tables():
    text = (
        'name = "demo"\ndescription = """\n[[steps]]\nid = "x"\n"""\n'
        "title = '''\na = 1\n'''\n[[steps]]\nid = \"one\"\ndo = \"wait\"\n"
        "with = { secondx = 1 }\n"
    )

    assert errors(text)[0].line == 12


def test_a_wait_as_long_as_its_timeout_is_allowed():
    assert not errors(STEP.replace("with =", "timeout_s = 1\nwith ="))
