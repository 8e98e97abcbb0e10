from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.knowledge.agent import KnowledgeAgent
from app.clock import ManualClock
from app.core.agent import AgentState
from app.core.errors import FieldsError
from app.settings import DataSettings, Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def agent(tmp_path: Path) -> KnowledgeAgent:
    return KnowledgeAgent(Settings(data=DataSettings(dir=tmp_path)), ManualClock(NOW))


async def search(agent: KnowledgeAgent, **input: object) -> list[dict[str, Any]]:
    await agent.prepare()
    output: dict[str, Any] = await agent.handle_task("search_knowledge", input)
    return output["passages"]


@pytest.mark.parametrize(
    ("query", "document"),
    [
        ("bearing_outer_race pump-101", "pump-bearing-change.md"),
        ("cavitation suction strainer", "cavitation.md"),
        ("sensor stuck bad quality", "sensor-fault-triage.md"),
        ("compressor overheating", "air-compressor.md"),
        ("thermostat set point", "hvac.md"),
    ],
)
async def test_a_shipped_procedure_is_found(query: str, document: str, agent: KnowledgeAgent):
    assert (await search(agent, query=query))[0]["document"] == document


async def test_a_passage_says_where_it_stands(agent: KnowledgeAgent):
    passage = (await search(agent, query="cavitation", limit=1))[0]
    text = (agent.folder / passage["document"]).read_text(encoding="utf-8")

    assert passage["text"] == text[passage["start"] : passage["end"]]
    assert passage["page"] is None


async def test_nothing_found_is_an_empty_answer_that_says_so(agent: KnowledgeAgent):
    await agent.prepare()

    output = await agent.handle_task("search_knowledge", {"query": "zebra crossing"})

    assert output["passages"] == []
    assert "nothing fits" in str(output["note"])


@pytest.mark.parametrize(
    "input", [{}, {"query": ""}, {"query": 1}, {"query": "x", "limit": 0}, {"query": "x", "y": 1}]
)
async def test_a_wrong_query_is_refused_by_field(input: dict[str, object], agent: KnowledgeAgent):
    await agent.prepare()

    with pytest.raises(FieldsError):
        await agent.handle_task("search_knowledge", input)


async def test_without_documents_it_is_degraded(agent: KnowledgeAgent, tmp_path: Path):
    agent.folder = tmp_path / "nothing"

    await agent.prepare()

    assert agent.communication.status.state is AgentState.DEGRADED


async def test_a_document_that_is_not_text_is_left_out(agent: KnowledgeAgent, tmp_path: Path):
    (tmp_path / "bad.md").write_bytes(b"# \xff\xfe")
    (tmp_path / "good.md").write_text("# Valve\n\nOpen the valve.\n", encoding="utf-8")
    agent.folder = tmp_path

    assert [each["document"] for each in await search(agent, query="valve")] == ["good.md"]
