"""Plain word search: Okapi BM25 over passages; pure.

Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), equation
3.15 with their usual k1 = 1.2 and b = 0.75; the inverse frequency is that of Lucene, which is
never negative.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

_K1 = 1.2
_B = 0.75
_WORD = re.compile(r"[a-z0-9]+")
_IDLE = frozenset(
    {
        *("a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "have", "in"),
        *("is", "it", "its", "of", "on", "or", "so", "that", "the", "this", "to", "was", "what"),
        *("when", "which", "with"),
    }
)


class Ranking:
    """The words of a fixed set of texts, ready to be searched."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._counts = [Counter(words(text)) for text in texts]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean = sum(self._lengths) / len(self._lengths) if texts else 0.0
        self._found_in = Counter(word for counts in self._counts for word in counts)

    def search(self, query: str, limit: int) -> list[tuple[int, float]]:
        """Return number and score of the texts that share a word with `query`, best first."""
        wanted = set(words(query))
        scores = [(self._score(number, wanted), number) for number in range(len(self._counts))]
        best = sorted(((-score, number) for score, number in scores if score > 0))
        return [(number, -score) for score, number in best[:limit]]

    def _score(self, number: int, wanted: set[str]) -> float:
        counts = self._counts[number]
        size = _K1 * (1 - _B + _B * self._lengths[number] / self._mean) if self._mean else 1.0
        return sum(
            self._rarity(word) * counts[word] * (_K1 + 1) / (counts[word] + size)
            for word in sorted(wanted)
            if counts[word]
        )

    def _rarity(self, word: str) -> float:
        having = self._found_in[word]
        return math.log(1 + (len(self._counts) - having + 0.5) / (having + 0.5))


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, plurals cut, without those that say nothing."""
    return [_stem(word) for word in _WORD.findall(text.lower()) if word not in _IDLE]


def _stem(word: str) -> str:
    is_plural = len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if is_plural else word
