"""Answers as the page gets them: plain data, right, and never an exception of a user's making."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

from symderiv.web.answers import ASKED, answer
from symderiv.web.using import QUESTIONS

LEAST = {"expr": "norm(X @ w - y)**2", "wrt": ["w"], "shapes": {}}
HOSTILE = [
    "<script>alert(1)</script>",
    "x</script><img src=x onerror=alert(1)>",
    "\\input{/etc/passwd}",
    "__import__('os')",
    "lambda: 0",
    "x.__class__",
    "$\\href{javascript:alert(1)}{x}$",
    "\u202ex",
    "x\x00",
    "'\"`",
    "x\n\ny",
    "﹤script﹥",
    "a" * 5000,
    "(" * 3000,
    "[" * 50,
    "9" * 4000,
    "x**" * 300 + "x",
    "-" * 3000 + "x",
    "sum(" * 90 + "x" + ")" * 90,
]


def plain(value) -> bool:
    return json.loads(json.dumps(value, allow_nan=False)) is not None


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: f"{q['ask']}")
def test_every_kind_of_question_is_answered_with_plain_data(question):
    found = answer(question)
    assert plain(found)
    assert found["ok"] or question == {"ask": "derive", "expr": "x @"}


def test_every_kind_of_question_is_among_those_that_are_used():
    assert {q["ask"] for q in QUESTIONS} == {*ASKED} - {"why", "example"}


def test_a_derivative_with_its_names():
    found = answer({"ask": "derive", **LEAST})
    assert (found["result"], found["shape"], found["wrt"]) == ("2 * X.T @ (X @ w - y)", "(p,)", ["w"])
    names = {row["name"]: row for row in found["names"]}
    assert names["u"]["text"] == "X @ w - y"
    assert rf"\htmlData{{name={list(names).index('w')}}}{{w}}" in found["latex"]
    turned = answer({"ask": "derive", **LEAST, "layout": "numerator"})
    assert turned["latex"].endswith(r"^{\top}")
    assert turned["result"] == found["result"]


def test_a_derivative_in_the_variable_that_is_meant():
    assert answer({"ask": "derive", "expr": "trace(A @ W) + x @ x"})["wrt"] == ["W"]
    assert answer({"ask": "derive", "expr": "c @ d"})["wrt"] == ["c"]
    assert answer({"ask": "derive", "expr": "1 + 1"})["ok"] is False


def test_assumptions_on_names_that_are_gone_are_left_aside():
    found = answer({"ask": "derive", "expr": "x @ x", "assume": {"S": ["symmetric"]}})
    assert found["result"] == "2 * x"


def test_an_unknown_function_brings_names_for_its_derivatives():
    found = answer(
        {"ask": "derive", "expr": "sum(h(x)) + sum(dh * x)", "wrt": ["x", "x"], "shapes": {"x": "n", "dh": "n"}}
    )
    assert found["ok"], found
    assert "d2h(x)" in found["result"]


def test_the_code_runs_and_agrees_with_differences():
    source = answer({"ask": "code", **LEAST})["numpy"]
    ast.parse(source)
    scope: dict = {}
    exec(source, scope)
    rng = np.random.default_rng(0)
    X, w, y = rng.standard_normal((5, 3)), rng.standard_normal(3), rng.standard_normal(5)
    value, slope = scope["value_and_derivative"](X=X, w=w, y=y)
    step = 1e-6 * np.eye(3)
    differences = [(scope["value_and_derivative"](X=X, w=w + e, y=y)[0] - value) / 1e-6 for e in step]
    assert np.allclose(slope, differences, rtol=1e-4)


@pytest.mark.parametrize(
    ("claim", "status", "basis"),
    [
        ("2 * X.T @ (X @ w - y)", "proved", "kernel"),
        ("X.T @ (X @ w - y)", "refuted", ""),
        (r"2 X^\top (X w - y)", "proved", "kernel"),
    ],
)
def test_an_answer_of_ones_own_is_decided(claim, status, basis):
    found = answer({"ask": "verify", **LEAST, "claim": claim})
    assert (found["status"], found["basis"]) == (status, basis)
    assert (found["counterexample"] is not None) == (status == "refuted")


def test_a_fault_has_its_place():
    error = answer({"ask": "derive", "expr": "X @ (w + )"})["error"]
    assert error["kind"] == "ParseError"
    assert error["place"]["text"][error["place"]["column"] :].startswith(")")
    fault = answer({"ask": "read", "expr": "X @ w", "shapes": {"X": "(n, 3)", "w": "(4,)"}})["fault"]
    assert fault["shapes"] == {"left": "(n, 3)", "right": "(4,)"}


def test_the_copies_are_whole():
    found = answer({"ask": "copies", **LEAST})
    assert found["latex"].startswith("\\[\n\\frac{\\partial f}{\\partial w}")
    assert found["markdown"].count("$$") % 2 == 0
    assert "```python\nimport numpy as np" in found["markdown"]
    assert found["text"].splitlines()[0] == "2 * X.T @ (X @ w - y)"
    assert "htmlData" not in json.dumps(found)
    assert not any(0xE000 <= ord(c) < 0xF900 for text in found.values() if isinstance(text, str) for c in text)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: repr(t)[:24])
def test_hostile_texts_are_refused_in_words(text):
    """Whatever comes back is a refusal; the mathematics in an answer, had there been any, would hold no markup."""
    for question in (
        {"ask": "derive", "expr": text},
        {"ask": "read", "expr": text},
        {"ask": "verify", **LEAST, "claim": text},
        {"ask": "statements", "text": f"x: (n,)\n{text}"},
        {"ask": "read", "expr": f"\\|x\\|^2 + {text}"},
        {"ask": "homework", "text": f"x = {text}", "given": "x: (n,)"},
        {"ask": "homework", "text": "x = x", "given": f"x: (n,)\n{text}"},
        {"ask": "derive", **LEAST, "wrt": [text]},
        {"ask": "derive", **LEAST, "shapes": {text: "(n,)"}},
        {"ask": "derive", **LEAST, "shapes": {"X": text}},
        {"ask": "derive", **LEAST, "assume": {"X": [text]}},
        {"ask": "rule", "name": text},
        {"ask": "example", "name": text},
        {"ask": "why", **LEAST, "name": text},
        {"ask": text},
    ):
        found = answer(question)
        assert plain(found)
        for key in ("latex", "result"):
            tags = Tags()
            tags.feed(str(found.get(key, "")))
            assert tags.seen == []


def test_without_numpy_all_but_numbers_is_answered():
    """A browser has no NumPy: deriving, proving and writing code need none, nor does a claim that the kernel proves."""
    script = """
import json, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "numpy":
            raise ModuleNotFoundError(name, name="numpy")
sys.meta_path.insert(0, Blocked())
from symderiv.web.answers import answer
least = {"expr": "norm(X @ w - y)**2", "wrt": ["w"]}
asked = [{"ask": a, **least} for a in ("read", "derive", "proof", "notes", "code", "copies", "graph")]
asked += [{"ask": "verify", **least, "claim": c} for c in ("2 * X.T @ (X @ w - y)", "X.T @ (X @ w - y)")]
asked += [{"ask": "read", "expr": r"\\|X w - y\\|^2"}]
asked += [{"ask": "homework", "text": r"x^\\top x = \\sum_i x_i^2", "given": "x: (n,)"}]
asked += [{"ask": "statements", "text": "x: (n,)\\nassert diff(x @ x, x) == 2 * x"}, {"ask": "examples"}]
print(json.dumps([answer(q) for q in asked]), "numpy" in sys.modules)
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    found, loaded = said.rsplit(" ", 1)
    answers = json.loads(found)
    assert loaded.strip() == "False"
    assert [a["ok"] for a in answers] == [True] * 8 + [False, True, True, True, True]
    assert answers[9]["numpy"] == "norm(X @ w - y)**2" and answers[10]["rows"][0]["status"] == "proved"
    assert "numpy" in answers[8]["error"]["message"]
    assert answers[11]["shown"][1]["status"] == "proved"
