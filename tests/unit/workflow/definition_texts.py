"""Definitions that tests change, and what is wrong with one."""

from app.core.workflow_entry import Problem
from app.workflow.definition import read_definition

GOOD = """\
name = "demo"
title = "Demo"

[inputs.unit]
kind = "equipment"
required = true

[inputs.level]
kind = "number"
low = 0
high = 10
default = 3

[[triggers]]
on = "finding"
condition = "vibration*"
priority = 2
cooldown_s = 600
input = { unit = "${event.equipment}" }

[[steps]]
id = "look"
do = "task"
[steps.with]
capability = "search_knowledge"
input = { query = "${input.unit} is at ${input.level}" }
[steps.retry]
attempts = 3

[[steps]]
id = "ask"
do = "approve"
needs = ["look"]
when = "len(steps.look.output.passages) > 0"
with = { question = "Slow down?", role = "supervisor" }

[[steps]]
id = "slow"
do = "command"
needs = ["ask"]
with = { tag = "${input.unit}/speed_limit", value = 80 }
[steps.compensate]
do = "command"
with = { tag = "${input.unit}/speed_limit", value = "${steps.slow.output.before}" }
"""

STEP = 'name = "demo"\n[[steps]]\nid = "one"\ndo = "wait"\nwith = { seconds = 1 }\n'
"""A whole definition of five lines, for more behind it."""


def errors(text: str, name: str = "") -> list[Problem]:
    """Return the problems that keep a definition from being used."""
    return [problem for problem in read_definition(text, name).problems if problem.is_error]
