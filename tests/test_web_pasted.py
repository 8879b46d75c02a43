"""LaTeX as the expression: read over names that nobody declared, as a person reads it, or refused."""

from __future__ import annotations

import pytest

from symderiv.derivation import derive
from symderiv.errors import ParseError, SymderivError
from symderiv.verdict import verify
from symderiv.web.answers import answer
from symderiv.web.asked import is_latex
from symderiv.web.guessing import guess
from symderiv.web.pasted import pasted

SAME = [
    (r"\|Xw-y\|^2 + \lambda w^\top w", "norm(X @ w - y)**2 + lam * w @ w", "w"),
    (r"f(w) = \frac{1}{n}\sum_{i=1}^n \left(y_i - \sum_j X_{ij} w_j\right)^2", "mean((y - X @ w)**2)", "w"),
    (r"\sum_i \log(1+e^{-y_i (Xw)_i})", "sum(log(1 + exp(-y * (X @ w))))", "w"),
    (r"$$\tfrac12 \lVert y-Xw \rVert_2^2$$", "norm(y - X @ w)**2 / 2", "w"),
    (r"\operatorname{tr}(A X B)", "trace(A @ X @ B)", "X"),
    (r"x^T A x", "x @ A @ x", "x"),
    (r"\begin{align} L(\theta) &= (y - X\theta)^\top \Sigma^{-1} (y - X\theta) \end{align}",
     "(y - X @ theta) @ inv(Sigma) @ (y - X @ theta)", "theta"),
    (r"\|W_2 \tanh(W_1 x + b_1) + b_2 - y\|^2", "norm(W2 @ tanh(W1 @ x + b1) + b2 - y)**2", "W1"),
    (r"\|X - U V^\top\|_F^2", "norm(X - U @ V.T)**2", "U"),
    (r"\log\sum_i e^{x_i} - x^\top y", "logsumexp(x) - x @ y", "x"),
    (r"-\sum_i y_i \log \hat y_i", "-y @ log(y_hat)", "y_hat"),
    (r"\sigma(\mathbf{X} \mathbf{w})^\top \mathbf{y}", "sigmoid(X @ w) @ y", "w"),
    (r"\alpha a^\top X b", "alpha * a @ X @ b", "X"),
]  # fmt: skip


@pytest.mark.parametrize(("latex", "numpy", "wrt"), SAME, ids=[latex for latex, _, _ in SAME])
def test_the_derivative_is_that_of_the_same_function_in_numpy(latex, numpy, wrt):
    found = pasted(latex, {})
    guessed = guess(found.text, {}, found.ranks)
    claim = derive(numpy, wrt, shapes=guessed.shapes).result
    assert verify(found.text, wrt, str(claim), shapes=guessed.shapes).status == "proved"


def test_functions_without_a_formula_are_kept():
    found = answer({"ask": "derive", "expr": r"h(X w)^\top y", "wrt": ["w"]})
    assert found["result"] == "X.T @ (y * dh(X @ w))"


def test_shapes_that_are_given_hold():
    assert pasted(r"\sum_i a_i b_i c", {"c": ()}).ranks == {"a": 1, "b": 1}
    read = answer({"ask": "read", "expr": r"x^\top A x", "shapes": {"x": "(3,)"}})
    assert [(v["name"], v["shape"], v["guessed"]) for v in read["variables"]] == [
        ("x", "(3,)", False), ("A", "(3, 3)", True),
    ]  # fmt: skip
    assert read["numpy"] == "x @ A @ x"


@pytest.mark.parametrize(
    ("latex", "said"),
    [
        (r"\log|\mathbf{K}|", "bars around an array"),
        (r"\sum_i y_i x_i^\top w", "row of a matrix"),
        (r"x_i w_i", "free"),
        (r"\frac{x", "ends where } is expected"),
        (r"a = b = c", "no equation"),
        (r"\int f", "int"),
        (r"{" * 200 + "x" + "}" * 200, "inside one another"),
        (r"\alpha" * 900, "characters"),
    ],
)
def test_what_is_read_in_two_ways_or_not_at_all_is_refused(latex, said):
    with pytest.raises(SymderivError) as caught:
        pasted(latex, {})
    assert said in str(caught.value)


def test_places_are_those_of_the_text_as_typed():
    text = r"f(w) = \sum_{i=1}^n w_i + \log|K|"
    with pytest.raises(ParseError) as caught:
        pasted(text, {})
    place = caught.value.place
    assert place.text == text and place.text[place.column : place.end] == "|K|"


@pytest.mark.parametrize("text", ["norm(X @ w - y)**2", "x @ A @ x", "sum(x^2)", "x @ y ^ 2", "x", "", "a^2**3"])
def test_numpy_is_not_taken_for_latex(text):
    assert not is_latex(text)


def test_a_claim_in_latex_is_checked_without_a_backslash_too():
    asked = {"ask": "verify", "expr": "norm(X @ w - y)**2", "wrt": ["w"]}
    assert answer({**asked, "claim": "2X^T(Xw-y)"})["status"] == "proved"
    assert answer({**asked, "claim": r"X^\top (Xw - y)"})["status"] == "refuted"
