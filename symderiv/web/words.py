"""The words of documents that the page needs too, from the phrase tables."""

from __future__ import annotations

from symderiv.render.phrases import phrase

KEYS = (
    "definitions", "condition", "counterexample", "correct_is", "sizes",
    "proved", "refuted", "undecided", "approximation", "rejected", "agrees",
    "basis_kernel", "basis_exact", "basis_numeric",
)  # fmt: skip


def words(language: str) -> dict[str, str]:
    """Return the words by their keys.

    >>> words("de")["proved"]
    'bewiesen'
    """
    return {key: phrase(language, key) for key in KEYS}
