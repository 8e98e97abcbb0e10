from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.advisor.agent import AdvisorAgent
from app.clock import ManualClock
from app.core.errors import FieldsError
from app.settings import DataSettings, Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ASKED: dict[str, object] = {"equipment": "s/a/l/pump", "condition": "cavitation"}


@pytest.fixture
def agent(tmp_path: Path) -> AdvisorAgent:
    return AdvisorAgent(Settings(data=DataSettings(dir=tmp_path)), ManualClock(NOW))


async def test_it_quotes_a_passage_as_the_search_returns_it(agent: AdvisorAgent):
    passage = {"document": "x.md", "text": "1. Stop it.", "score": 3.1, "page": None, "end": 11}

    output: dict[str, Any] = await agent.handle_task("advise", {**ASKED, "passages": [passage]})

    assert [each["text"] for each in output["advice"]] == ["Stop it."]
    assert "No language model" in output["note"]
    assert output["model"] == ""


async def test_of_procedures_for_other_machines_none_is_quoted_beside_one_that_fits(
    agent: AdvisorAgent,
):
    foreign = {"document": "a.md", "title": "Air compressor", "text": "1. Change over."}
    fitting = {"document": "p.md", "title": "Bearing of a pump", "text": "1. Listen."}
    given = {**ASKED, "equipment": "s/a/l/pump-101", "passages": [foreign, fitting]}

    output: dict[str, Any] = await agent.handle_task("advise", given)

    assert [each["text"] for each in output["advice"]] == ["Listen."]
    assert "see whether they fit" not in output["note"]


async def test_where_no_procedure_names_the_machine_that_is_said(agent: AdvisorAgent):
    foreign = {"document": "a.md", "title": "Air compressor", "text": "1. Change over."}
    given = {**ASKED, "equipment": "s/a/l/conveyor-601", "passages": [foreign]}

    output: dict[str, Any] = await agent.handle_task("advise", given)

    assert [each["text"] for each in output["advice"]] == ["Change over."]
    assert output["note"].endswith("none of them names a conveyor, see whether they fit")


async def test_with_nothing_at_hand_it_says_why_there_is_no_advice(agent: AdvisorAgent):
    output = await agent.handle_task("advise", ASKED)

    assert output["advice"] == []
    assert "neither passage nor finding" in str(output["note"])


@pytest.mark.parametrize(
    "input",
    [
        {},
        {"equipment": "x"},
        {**ASKED, "passages": "all"},
        {**ASKED, "findings": [{"response": 1}]},
    ],
)
async def test_a_wrong_question_is_refused(input: dict[str, object], agent: AdvisorAgent):
    with pytest.raises(FieldsError):
        await agent.handle_task("advise", input)
