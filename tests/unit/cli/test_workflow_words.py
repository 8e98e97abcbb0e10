"""What the command line says of a step."""

import pytest

from app.cli.workflow_words import step_line
from app.core.run import StepRun, StepState


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("done", "taken back: done"),
        ("not taken back: the pump is locked", "not taken back: the pump is locked"),
        ("element 2: not taken back: no answer", "element 2: not taken back: no answer"),
    ],
)
def test_what_became_of_a_step_that_was_to_be_taken_back_is_said_once(said: str, shown: str):
    line = step_line(StepRun("slow", state=StepState.DONE, compensation=said))

    assert line.split("  ")[-1] == shown
