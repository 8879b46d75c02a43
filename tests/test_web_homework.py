"""Derivations in LaTeX through the page: decided as by `symderiv.homework`, shapes guessed where they can be."""

from __future__ import annotations

import pytest

from symderiv.marking import homework
from symderiv.web.answers import answer
from symderiv.web.homework import undeclared
from symderiv.web.using import DERIVATION, GIVEN

DECLARED = "X: (n, p); w: (p,); y: (n,); f = norm(X @ w - y)**2"
LEAST = r"""\begin{align}
\frac{\partial f}{\partial w_k}
  &= \sum_i 2 (X w - y)_i \frac{\partial (X w - y)_i}{\partial w_k} && \text{chain rule} \\
  &= \sum_i 2 (X w - y)_i X_{ik} \\
  &= (X^\top (X w - y))_k
\end{align}"""


def asked(text, given, language="en"):
    return answer({"ask": "homework", "text": text, "given": given, "language": language})


@pytest.mark.parametrize(("text", "given"), [(DERIVATION, GIVEN), (LEAST, DECLARED)])
def test_verdicts_are_those_of_homework(text, given):
    expected, found = homework(text, given), asked(text, given)
    assert [(r["number"], r["latex"], r["status"], r["basis"]) for r in found["rows"]] == [
        (e.number, e.latex, e.status, e.basis) for e in expected.equalities
    ]
    assert found["wrong"] == expected.first_wrong.number == len(found["rows"])
    assert found["guessed"] == []


def test_shapes_are_guessed_and_the_first_wrong_one_shows_where_it_fails():
    found = asked(LEAST, "f = norm(X @ w - y)**2")
    assert found["guessed"] == ["X: (n, p)", "w: (p,)", "y: (n,)"]
    wrong = found["rows"][found["wrong"] - 1]
    line = LEAST.splitlines()[wrong["place"]["line"] - 1]
    assert line[wrong["place"]["column"] : wrong["place"]["end"]] == r"(X^\top (X w - y))_k"
    rows = dict(wrong["claim"]["counterexample"])
    assert rows["entry"].startswith("k = ") and float(rows["left"]) == pytest.approx(2 * float(rows["right"]), rel=1e-4)
    assert found["rows"][0]["claim"]["proofs"][0]["lines"] and found["rows"][0]["remarks"] == [r"\text{chain rule}"]


def test_the_words_are_those_of_the_language():
    wrong = asked(LEAST, "f = norm(X @ w - y)**2", "de")["rows"][-1]
    assert wrong["reasonLanguage"] == "de" and "Gleitkommazahlen" in wrong["reason"]
    assert [name for name, _ in wrong["claim"]["counterexample"]] == ["Größen", "Eintrag", "links", "rechts"]


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("f = norm(X @ w - y)**2", ["X: (n, p)", "w: (p,)", "y: (n,)"]),
        ("X: (a, b)\nu = X @ w\nf = u @ u", ["w: (b,)"]),
        ("S: symmetric(n, n)\nf = x @ S @ x", ["x: (n,)"]),
        ("A = D @ W\nE = loss(A)\nB = diff(E, A)", ["D: (n, p)", "W: (p, m)"]),
        (GIVEN, []),
        ("for t in range(1, T + 1):\n    x[t]: (n,)", []),
        ("f = ", []),
        ("", []),
    ],
)
def test_what_definitions_leave_open_is_guessed(text, shapes):
    assert undeclared(text) == shapes


def test_definitions_that_grow_when_they_are_put_in_stay_small():
    doubling = "a0 = x + x\n" + "\n".join(f"a{k} = a{k - 1} + a{k - 1}" for k in range(1, 40))
    assert undeclared(doubling) in (["x: ()"], ["x: (n,)"])


def test_a_slip_is_told_where_it_is():
    assert asked("a = b", "a: (")["faults"][0]["place"]["line"] == 1
    assert asked(LEAST, "")["fault"]["message"] == "f is not declared"
    assert asked(r"\frac{a", "a: ()")["fault"]["place"]["text"] == r"\frac{a"
    nothing = asked("  ", "a: ()")
    assert nothing["rows"] == [] and nothing["fault"] is None


@pytest.mark.parametrize(
    "text",
    [r"\href{javascript:alert(1)}{x} = x", "<script>alert(1)</script> = 1", r"\input{/etc/passwd} = 1", "{" * 5000,
     "x=" * 3000, "\u202ex = x", "x\x00 = x", r"\def\x{\x\x} \x = 1", "\\sum_i" * 500 + "x_i = 1"],
)  # fmt: skip
def test_hostile_latex_is_refused_in_words(text):
    for given in ("x: (n,)", text, f"x: ()\n{text} = 1"):
        found = asked(text, given)
        faults = [found.get("error"), found.get("fault"), *found.get("faults", [])]
        assert any(faults) or all(row["status"] in ("undecided", "rejected", "proved") for row in found["rows"])
