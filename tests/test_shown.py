"""What results display, print and say in words."""

from __future__ import annotations

import pickle
import re

import pytest

import symderiv
from symderiv.conventions import CONVENTION
from symderiv.functions import FUNCTIONS
from symderiv.render.phrases import phrase

SHAPES = {"X": ("n", "p"), "w": ("p",), "y": ("n",)}
LEAST_SQUARES = "norm(X @ w - y)**2"
RESULTS = {
    "derive": lambda: symderiv.derive(LEAST_SQUARES, "w", shapes=SHAPES),
    "second": lambda: symderiv.derive(LEAST_SQUARES, ["w", "w"], shapes=SHAPES),
    "gradients": lambda: symderiv.gradients(LEAST_SQUARES, ["w", "y"], shapes=SHAPES),
    "hvp": lambda: symderiv.hvp(LEAST_SQUARES, "w", shapes=SHAPES),
    "hvps": lambda: symderiv.hvp(LEAST_SQUARES, ["w", "y"], shapes=SHAPES),
}


@pytest.fixture(params=RESULTS, scope="module")
def result(request):
    return RESULTS[request.param]()


def test_a_notebook_shows_one_aligned_display_that_both_renderers_know(result):
    shown = result._repr_latex_()
    assert shown.startswith("$$\\begin{aligned}\n") and shown.endswith("\n\\end{aligned}$$")
    assert shown.count("\\begin{aligned}") == 1
    assert shown.count("\\square") == 1
    assert not re.search(r"\\tag|align\*|\\parbox", shown)
    assert all(equation.partition(" = ")[2] in shown for equation in result.equations())


def test_what_a_proof_runs_over_stands_first(result):
    first = str(result.proof).splitlines()[0]
    assert re.fullmatch(r"\s+u_?\S = Σ_?\S X\S+ w_?\S − y_?\S", first)


def test_a_result_is_a_line_to_a_debugger(result):
    assert "\n" not in repr(result) and len(repr(result)) < 120
    assert LEAST_SQUARES in repr(result)
    assert repr(pickle.loads(pickle.dumps(result))) == repr(result)


@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_sentences_name_function_variables_steps_and_convention(result, language):
    said = result.explain(language)
    assert LEAST_SQUARES in said
    assert phrase(language, "note_convention") in said
    assert phrase(language, "explain_checked", count=str(len(result.proof.steps))) in said
    assert phrase(language, "rule_power") in said


def test_sentences_name_what_was_assumed():
    given = {"shapes": {"S": ("n", "n"), "x": ("n",)}, "assume": {"S": "symmetric"}}
    d = symderiv.derive("x @ S @ x", "S", structured=True, **given)
    assert "S is symmetric" in d.explain() and "S symmetric" in d.explain()
    assert "symmetrisch" in d.explain("de") and "対称" in d.explain("ja")


def test_the_rules_that_are_named_are_those_of_the_proof():
    plain = symderiv.derive("sum(x)", "x", shapes={"x": ("n",)}).explain()
    assert "power rule" not in plain and "derivative of" not in plain.partition("Convention")[0]
    assert "the derivative of tanh" in symderiv.derive("sum(tanh(x))", "x", shapes={"x": ("n",)}).explain()


def test_an_unaccepted_proof_is_said_to_be_one(monkeypatch):
    monkeypatch.setattr(symderiv.Proof, "accepted", False)
    d = symderiv.derive("x @ x", "x", shapes={"x": ("n",)})
    assert "Not all" in d.explain()
    assert "square" not in d._repr_latex_()


def test_the_phrases_say_what_the_tables_say():
    assert CONVENTION in phrase("en", "note_convention")
    for name, row in FUNCTIONS.items():
        if row.kink:
            assert phrase("en", f"kink_{name}") == row.kink


def test_an_unknown_language_is_refused():
    with pytest.raises(symderiv.UnsupportedError, match="no phrases"):
        symderiv.derive("x @ x", "x", shapes={"x": ("n",)}).explain("xx")


def test_verdicts_explain_and_show_themselves():
    quadratic = {"shapes": {"x": ("n",), "A": ("n", "n")}}
    wrong = symderiv.verify("x @ A @ x", "x", "2 * A @ x", **quadratic)
    right = symderiv.verify("x @ A @ x", "x", "(A + A.T) @ x", **quadratic)
    assert wrong.explain().startswith("The claim is wrong: at n = ")
    assert "(A + A.T) @ x" in wrong.explain()
    assert "every step" in right.explain() and "jeder" in right.explain("de").lower()
    assert right._repr_markdown_().startswith("**✓ proved**") and "\\square" in right._repr_markdown_()
    assert wrong._repr_markdown_().startswith("**✗ refuted**") and "\\square" not in wrong._repr_markdown_()
    assert str(wrong).splitlines()[0] == "✗ refuted"
    assert "counterexample at n = " in str(wrong) and "Counterexample(" not in str(wrong)
    assert repr(right).startswith("Verdict(proved, kernel")
