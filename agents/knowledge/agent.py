"""The knowledge agent: answers a query with passages of the shipped documents."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
from typing_extensions import override

from agents.base.agent import BaseAgent
from agents.base.requests import parse
from agents.knowledge.passages import Section, sections
from agents.knowledge.ranking import Ranking
from app.core.agent import AgentSpec
from app.core.clock import Clock
from app.core.errors import NotFoundError
from app.settings import Settings, shipped

logger = logging.getLogger(__name__)

_NOTE = "Found by words only, in the shipped documents only"


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `search_knowledge`.

    Attributes:
        query: What is looked for, in words.
        limit: At most so many passages.
    """

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=50)] = 5


class KnowledgeAgent(BaseAgent):
    """Searches the documents under knowledge/ by their words."""

    spec: ClassVar[AgentSpec] = AgentSpec(
        name="knowledge",
        purpose="Searches the shipped procedures by words only: no vectors, no other documents",
        capabilities=("search_knowledge",),
    )

    def __init__(self, settings: Settings, clock: Clock, instance: str = "1") -> None:
        super().__init__(settings, clock, instance)
        self.folder = shipped("knowledge")
        self._sections: list[Section] = []
        self._ranking = Ranking([])

    @override
    async def prepare(self) -> None:
        await super().prepare()
        self._sections = await asyncio.to_thread(_read, self.folder)
        # A section counts for its document's title too: "pump" stands there once for all.
        self._ranking = Ranking([f"{each.title}\n{each.text}" for each in self._sections])
        if not self._sections:
            self.degraded(f'There is no document in "{self.folder.name}"; install Millwright anew')

    @override
    async def handle_task(self, capability: str, input: dict[str, object]) -> dict[str, object]:
        """Return passages, best first, each with where it stands."""
        if capability != "search_knowledge":
            raise NotFoundError(f'Agent "knowledge" has no capability "{capability}"')
        wanted = parse(Search, input)
        passages = [
            {**self._sections[number]._asdict(), "page": None, "score": round(score, 3)}
            for number, score in self._ranking.search(wanted.query, wanted.limit)
        ]
        return {"passages": passages, "note": _NOTE if passages else f"{_NOTE}; nothing fits"}

    @override
    def note(self) -> str:
        documents = len({each.document for each in self._sections})
        return f"{len(self._sections)} passages of {documents} documents"


def _read(folder: Path) -> list[Section]:
    found: list[Section] = []
    for file in sorted(folder.glob("*.md")):
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            logger.warning("Document %s is left out: %s", file.name, error)
        else:
            found += sections(file.name, text)
    return found
