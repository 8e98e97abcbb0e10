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
