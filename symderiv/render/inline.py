"""Text with ``$…$`` in it, as reasons, remarks and headings of claims have it."""

from __future__ import annotations

import re
from collections.abc import Callable

_MATH = re.compile(r"(?<!\\)\$([^$]+)(?<!\\)\$")


def pieces(text: str) -> tuple[tuple[bool, str], ...]:
    """The pieces of a text, each with whether it is mathematics; a lone dollar sign is a dollar sign."""
    found: list[tuple[bool, str]] = []
    end = 0
    for match in _MATH.finditer(text):
        found += [(False, text[end : match.start()]), (True, match.group(1))]
        end = match.end()
    found.append((False, text[end:]))
    return tuple((is_math, piece.replace(r"\$", "$") if not is_math else piece) for is_math, piece in found if piece)


def convert(text: str, words: Callable[[str], str], mathematics: Callable[[str], str]) -> str:
    """The text with its words and its mathematics each converted in its own way."""
    return "".join(mathematics(piece) if is_math else words(piece) for is_math, piece in pieces(text))
