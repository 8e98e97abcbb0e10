"""The advisor agent: quotes what the passages and findings it is given say to do."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec
from typing_extensions import override

from agents.advisor.quotes import Advice, Passage, StatedFinding, kind_of, of_kind, quotes
from agents.base.agent import BaseAgent
from agents.base.requests import parse
from app.core.agent import AgentSpec
from app.core.errors import NotFoundError

_NOTE = "No language model yet: these are the first steps of the procedures found"
_NOTHING = "No language model yet, and neither passage nor finding given says what to do"


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Input of `advise`.

    Attributes:
        equipment: Path of the unit.
        condition: What is wrong with it.
        passages: What `search_knowledge` found.
        findings: Findings on the unit.
    """

    equipment: str
    condition: str
    passages: tuple[Passage, ...] = ()
    findings: tuple[StatedFinding, ...] = ()


class AdvisorAgent(BaseAgent):
    """Picks the first steps out of procedures; it makes nothing up."""

    spec: ClassVar[AgentSpec] = AgentSpec(
        name="advisor",
        purpose="Quotes the first steps of procedures and findings; it has no language model yet",
        capabilities=("advise",),
    )

    @override
    async def handle_task(self, capability: str, input: dict[str, object]) -> dict[str, object]:
        """Return sentences of the given texts, each with its place."""
        if capability != "advise":
            raise NotFoundError(f'Agent "advisor" has no capability "{capability}"')
        question = parse(Question, input)
        kind = kind_of(question.equipment)
        fitting = of_kind(question.passages, kind)
        advice = quotes(fitting or question.passages, question.findings)
        return {
            "advice": msgspec.to_builtins(advice),
            "model": "",
            "note": _note(advice, kind, is_foreign=bool(question.passages) and not fitting),
        }


def _note(advice: Sequence[Advice], kind: str, *, is_foreign: bool) -> str:
    if not advice:
        return _NOTHING
    return f"{_NOTE}; none of them names a {kind}, see whether they fit" if is_foreign else _NOTE
