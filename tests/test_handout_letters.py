"""The choice of index letters: another name for each index, and never one name for two."""

from __future__ import annotations

import itertools
import re

import pytest
from networks import LAYER

from symderiv.handout.build import read_and_decide
from symderiv.handout.letters import exchanged
from symderiv.render.model import ClaimView
from symderiv.sheet import Sheet

TEXT = f"""{LAYER}
assert diff(E, W) == D.T @ B, "L2"
"""
CHOICES = [[], ["a", "b", "c", "d"], ["j", "i"], ["k", "k", "l"], ["l", "k"], ["p", "m", "q"], list("tjilkrsuv")]


def lines(tmp_path, indices):
    path = tmp_path / "notes.md"
    path.write_text(f"---\nindices: [{', '.join(indices)}]\n---\n```symderiv\n{TEXT}```\n", encoding="utf-8")
    (claim,) = (b for b in read_and_decide(path).document.blocks if isinstance(b, ClaimView))
    return [claim.statement, *(text for line in claim.proofs[0].lines for text in (line.left, line.right))]


def letters(latex):
    """The letters that stand under D, W, A, B, Σ and δ, in order."""
    subscripts = re.findall(r"(?:[DWAB]|\)|\\delta|\\sum)_\{([^{}]*)\}", latex)
    return re.findall(r"[a-z]", " ".join(s.split("=")[0] for s in subscripts))


def without_letters(latex):
    return re.sub(r"\\[A-Za-z]+|[a-z]", lambda m: m[0] if m[0][0] == "\\" else "·", latex)


@pytest.mark.parametrize("indices", CHOICES, ids=lambda c: "".join(c) or "none")
def test_the_proof_is_the_same_but_for_the_letters(tmp_path, indices):
    plain, own = lines(tmp_path, []), lines(tmp_path, indices)
    pairs = {pair for a, b in zip(plain, own, strict=True) for pair in zip(letters(a), letters(b), strict=True)}
    assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)  # one to one
    assert list(map(without_letters, plain)) == list(map(without_letters, own))


def test_the_letters_wanted_come_first(tmp_path):
    assert letters(lines(tmp_path, ["a", "b", "c", "d"])[0])[:2] == ["a", "b"]


def test_an_induction_begins_with_the_first_letters(tmp_path):
    path = tmp_path / "notes.md"
    text = "A: (n, n)\nh[0]: (n,)\nfor t in range(1, T + 1):\n    h[t] = A @ h[t-1]\n"
    text += "for t in range(0, T + 1):\n    assert diff(h[t], h[0]) == matrix_power(A, t)\n"
    path.write_text(f"---\nindices: [e, g]\n---\n```symderiv\n{text}```\n", encoding="utf-8")
    (claim,) = (b for b in read_and_decide(path).document.blocks if isinstance(b, ClaimView))
    base, step = (part.lines[0].left for part in claim.proofs[0].parts)
    assert "h_{0,e}" in base and "h_{t,e}" in step


def test_letters_of_the_author_are_left_alone(tmp_path):
    assert "m" not in letters("".join(lines(tmp_path, ["m", "p"])))  # sizes


@pytest.mark.parametrize("wanted", list(itertools.permutations("ijkt", 3)), ids="".join)
def test_letters_are_exchanged(wanted):
    claim = Sheet(TEXT).claims[0]
    found = exchanged(wanted, [claim.proof.arguments], {"m", "n", "p"})
    assert set(found) == set(found.values()) and all(a != b for a, b in found.items())
