"""Shapes are guessed so that the expression makes sense, and never against what is given."""

from __future__ import annotations

import pytest

from symderiv.errors import ParseError
from symderiv.inputs import read
from symderiv.web.derivatives import functions_of
from symderiv.web.guessing import guess

GUESSED = {
    "norm(X @ w - y)**2": {"X": ("n", "p"), "w": ("p",), "y": ("n",)},
    "norm(X @ w - y)**2 / n + lam * sum(abs(w))": {"n": "size", "X": ("n", "p"), "w": ("p",), "y": ("n",), "lam": ()},
    "x @ A @ x": {"x": ("n",), "A": ("n", "n")},
    "logdet(X)": {"X": ("n", "n")},
    "y @ inv(K + eps * eye(m)) @ y": {"y": ("m",), "K": ("m", "m"), "eps": ()},
    "norm(T - U @ V.T)**2": {"T": ("n", "p"), "U": ("n", "m"), "V": ("p", "m")},
    "sum(x[:, None] * A)": {"x": ("n",), "A": ("n", "p")},
    "einsum('ijk,i,j,k->', T, x, x, x)": {"T": ("n", "n", "n"), "x": ("n",)},
    "np.linalg.norm(np.tanh(W @ x))": {"W": ("n", "p"), "x": ("p",)},
    "C * norm(w)": {"C": (), "w": ("n",)},
    "mean(softmax(Z, 1) * Y)": {"Z": ("n", "p"), "Y": ("n", "p")},
    "kron(A, B) + kron(C, D)": {"A": ("n", "p"), "B": ("m", "k"), "C": ("q", "r"), "D": ("d", "l")},
    "sum(h(W @ x) * y)": {"W": ("n", "p"), "x": ("p",), "y": ("n",)},
    "dot(x, y) + outer(x, x) @ y @ z": {"x": ("n",), "y": ("n",), "z": ("n",)},
    "solve(A, b) @ c + trace(matrix_power(A, 3))": {"A": ("n", "n"), "b": ("n",), "c": ("n",)},
    "where(t > 0, t, 0)": {"t": ()},
}  # fmt: skip


@pytest.mark.parametrize("text", GUESSED)
def test_names_get_the_axes_that_a_reader_gives_them(text):
    assert guess(text, {}).shapes == GUESSED[text]


@pytest.mark.parametrize("text", [text for text in GUESSED if not text.startswith("kron")])
def test_the_engine_reads_what_was_guessed(text):
    found = guess(text, {})
    read(text, found.shapes, None, functions_of(found, 1))


@pytest.mark.parametrize("text", GUESSED)
def test_a_guess_that_is_given_stays(text):
    found = guess(text, {})
    again = guess(text, found.shapes)
    assert again.shapes == found.shapes
    assert again.guessed == ()


@pytest.mark.parametrize(
    ("text", "given", "shapes"),
    [
        ("x @ A @ y", {"A": ("n", "m")}, {"x": ("n",), "A": ("n", "m"), "y": ("m",)}),
        ("x @ A @ y", {"x": (3,)}, {"x": (3,), "A": (3, "n"), "y": ("n",)}),
        ("a * x", {"a": (), "x": ("q", "p")}, {"a": (), "x": ("q", "p")}),
        ("norm(x)**2 / n", {"x": ("n",)}, {"x": ("n",)}),
    ],
)
def test_what_is_given_decides_about_the_rest(text, given, shapes):
    assert guess(text, given).shapes == shapes


def test_what_makes_no_sense_still_names_its_variables():
    assert set(guess("trace(A @ A) + norm(A) + inv(A, A, x)", {"A": ("n", "m")}).shapes) == {"A", "x"}


def test_unknown_functions_are_told():
    assert guess("sum(h(x)) + g(h(y))", {}).functions in (("h", "g"), ("g", "h"))


def test_many_names_are_guessed_in_bounded_time():
    text = " + ".join(f"norm(A{k} @ x{k})" for k in range(40))
    assert len(guess(text, {}).shapes) == 80


@pytest.mark.parametrize("text", ["", "x @", "x; y", "x\x00", "(" * 500])
def test_what_is_no_expression_is_refused(text):
    with pytest.raises(ParseError):
        guess(text, {})
