"""What verdicts rest on, in the languages of the page: every sentence that the engine says has its translation."""

from __future__ import annotations

import re

import pytest

from symderiv.web.answers import answer
from symderiv.web.spoken import BEFORE, COLUMN, SENTENCES, scope

BLOCKS = [
    "x: (n,)\nassert diff(x @ x, x) == x",
    "x: (n,)\nassert sum(abs(x))**2 == sum(abs(x)) * sum(maximum(x, -x))",
    "x: (n,)\nassert x @ log(x) == sum(x * log(x))",
    "x: ()\nassert log(x**2) == 2 * log(x)",
    "A: (n, n)\nassert det(A @ A) == det(A)**2",
    "h: elementwise()\nx: (n,)\nassert sum(h(x)) == x @ h(x)",
    "x: (n,)\nwith given(x @ x < 1):\n    assert x @ x == 2 * x @ x",
    "a: ()\neps: ()\nassert exp(eps) - 1 - eps - eps**2 == O(eps**3)",
    "h[0]: (n,)\nf: function(n)\nfor t in range(1, T + 1):\n    h[t] = f(h[t-1])\n    assert h[t] == 2 * f(h[t-1])",
]


@pytest.mark.parametrize("language", ["de", "ja"])
@pytest.mark.parametrize("block", BLOCKS)
def test_scopes_of_claims_are_said_in_the_language(block, language):
    said = [(c["scope"], c["remark"]) for c in shown(block, language)]
    english = [(c["scope"], c["remark"]) for c in shown(block, "en")]
    assert said and all(one != other for one, other in zip(said, english, strict=True))


def shown(block, language):
    return [
        c for c in answer({"ask": "statements", "text": block, "language": language})["shown"] if c["kind"] == "claim"
    ]


def test_a_verdict_on_an_answer_is_said_in_the_language():
    asked = {"ask": "verify", "expr": "norm(X @ w - y)**2", "wrt": ["w"], "claim": "X.T @ (X @ w - y)"}
    found = answer({**asked, "language": "de"})
    assert found["scopeLanguage"] == "de" and "Gleitkommazahlen" in found["scope"]
    assert answer(asked)["scopeLanguage"] == "en"


@pytest.mark.parametrize("table", [SENTENCES, BEFORE])
def test_every_translation_takes_what_the_sentence_has(table):
    for pattern, other in table.items():
        for text in other:
            assert sorted(re.findall(r"\{(\d)\}", text)) == [str(k) for k in range(re.compile(pattern).groups)], pattern
        assert len(other) == len(COLUMN)


def test_what_is_not_known_stays_english_as_a_whole():
    text = "all sizes; the kernel did not accept a proof: a step is missing"
    assert scope(text, "de") == (text, "en")
    assert scope("T = 3: the sides differ modulo 7 and in floats at n = 2", "de")[0].startswith("T = 3: die Seiten")
