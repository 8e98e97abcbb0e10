"""Suggests the known word that a misspelt one most likely meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def near_miss(word: str, known: Iterable[str]) -> str:
    """Return `Did you mean "…"?` if a known word is close to this one, else ""."""
    close = get_close_matches(word[:100], sorted(known), n=1, cutoff=0.6)
    return f'Did you mean "{close[0]}"?' if close else ""
