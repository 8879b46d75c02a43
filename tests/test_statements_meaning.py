"""What `diff` and `partial` mean inside of an expression."""

from __future__ import annotations

import pytest

from symderiv import ParseError, Sheet, SymderivError, UnsupportedError
from symderiv.lower import lower
from symderiv.statements.block import Names, read_block
from symderiv.statements.meaning import meaning

CHAIN = "x: (n,)\nu = x * x\nv = sum(u * x)\n"
COPIES = "x: (n,)\nu = 2 * x\nv = 2 * x\nw = u + v\n"
TWO_WAYS = "t: (n,)\nW: (n, n)\nu = sin(t)\nf = sum(u * t) + t @ W @ u\n"
UNKNOWN = "x: (n,)\ny: (m,)\ng: function()\nG: function(m, n)\nE = g(x, y)\nF = G(x)\n"
GRADIENT = "x: (n,)\ng: function()\nE = g(x)\nB = diff(E, x)\nH = diff(B, x)\n"


@pytest.mark.parametrize(
    ("block", "left", "right", "status"),
    [
        # derivatives go through definitions
        (CHAIN, "diff(v, x)", "3 * u", "proved"),
        (CHAIN, "diff(v, x)", "u", "refuted"),
        (CHAIN, "diff(v, x, x)", "diag(6 * x)", "proved"),
        (TWO_WAYS, "diff(f, t)", "u + W @ u + cos(t) * (t + W.T @ t)", "proved"),
        # in a defined array: what it depends on does not vary
        (CHAIN, "diff(v, u)", "x", "proved"),
        (CHAIN, "diff(v, u, x)", "eye(n)", "proved"),
        (CHAIN, "diff(u, u)", "eye(n)", "proved"),
        (CHAIN, "diff(u, v)", "0 * u", "proved"),
        (TWO_WAYS, "diff(f, u)", "t + W.T @ t", "proved"),
        # the immediate derivative
        (CHAIN, "partial(v, x)", "u", "proved"),
        (CHAIN, "partial(v, x)", "3 * u", "refuted"),
        (CHAIN, "partial(v, u)", "x", "proved"),
        (TWO_WAYS, "partial(f, t)", "u + W @ u", "proved"),
        # equal texts are one array only under one name
        (COPIES, "diff(w, u)", "eye(n)", "proved"),
        (COPIES, "diff(w, u)", "2 * eye(n)", "refuted"),
        (COPIES, "diff(w, x)", "4 * eye(n)", "proved"),
        (COPIES, "partial(w, v)", "eye(n)", "proved"),
        # an entry variable, and one that is repeated
        (CHAIN, "diff(v, x[i])", "3 * x[i]**2", "proved"),
        (CHAIN, "diff(v, x[i], x[j])", "6 * x[i] * delta[i,j]", "proved"),
        (CHAIN, "diff(v, x[i], x[i])", "6 * x[i]", "proved"),
        (CHAIN, "diff(u[i], x[i])", "2 * x[i]", "proved"),
        (CHAIN, "sum[i](diff(u[i], x[i]))", "2 * sum(x)", "proved"),
        # unknown functions of several arguments
        (UNKNOWN, "diff(E, x[i], y[j])", "diff(E, y[j], x[i])", "proved"),
        (UNKNOWN, "diff(E, x, x)", "diff(E, x, x).T", "proved"),
        (UNKNOWN, "diff(E, x, y)", "diff(E, y, x).T", "proved"),
        (UNKNOWN, "diff(E, x)", "0 * x", "refuted"),
        (UNKNOWN, "diff(F[j,i], x[k])", "diff(F, x)[j,i,k]", "proved"),
        (UNKNOWN, "diff(F[i,j], x[k])", "diff(F, x)[i,k,j]", "refuted"),
        (UNKNOWN, "diff(F, x, x)[i,j,k,l]", "diff(F, x, x)[i,j,l,k]", "proved"),
        # names of derivatives
        (GRADIENT, "diff(E, x, x)", "H", "proved"),
        (GRADIENT, "H", "H.T", "proved"),
        (GRADIENT, "diff(x @ B, x)", "B + H @ x", "proved"),
        (GRADIENT, "diff(x @ B, x)", "B", "refuted"),
    ],
)
def test_what_a_derivative_means(block, left, right, status):
    (claim,) = Sheet(f"{block}assert {left} == {right}").claims
    assert claim.status == status


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("partial(w, x) == 2 * x", "it depends on x through u: write diff"),
        ("partial(w, u) == 2 * u", "write diff"),
    ],
)
def test_an_immediate_derivative_is_refused_with_the_way_out(claim, said):
    block = "x: (n,)\nu = x * x\nw = sum(x)\n" if "u)" in claim else "x: (n,)\nu = x * x\nw = sum(u)\n"
    with pytest.raises(UnsupportedError, match="does not stand in the definition itself") as refused:
        Sheet(f"{block}assert {claim}")
    assert said in refused.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "x: (n,)\nu = x * x\nw = sum(u)\nassert partial(w, x) == 2 * x",
        "x: (n,)\nb = x[i]",
        "x: (n,)\ng: function()\nassert g(x[i]) == g(x[i])",
        "x: (n,)\nassert sum[i](sum[i](x[i])) == n * sum(x)",
    ],
)
def test_a_refusal_names_its_place(text):
    with pytest.raises(SymderivError) as refused:
        Sheet(text, source="f.md")
    assert refused.value.place.source == "f.md"
    assert refused.value.place.line == len(text.splitlines())


def test_only_derivatives_have_a_meaning_of_their_own():
    read = read_block("x: (n,)\nE = sum(x * x)\ndiff(E, x)\nE", Names())
    derivative, function = (s.exprs[0] for s in read[-2:])
    assert meaning()(function) is None
    found = meaning()(derivative)
    assert found is not None and found.node is lower(derivative, meaning()).node


# --- functions that are substituted ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "left", "right", "status"),
    [
        ("x: (n,)\ny: (n,)\ndef f(x): return x * y\n", "f(y)", "y * y", "proved"),
        ("x: (n,)\ny: (n,)\ndef f(y): return sum[i](y * x[i])\n", "f(x[j])", "x[j] * sum(x)", "proved"),
        ("t: ()\ndef s(u): return u**2\n", "diff(s)(t)", "2 * t", "proved"),
        ("t: ()\ndef s(u): return u**2\n", "diff(s, 2)(t)", "2 + 0 * t", "proved"),
        ("t: ()\nc: ()\ndef s(u): return c * u\n", "diff(s)(t)", "c + 0 * t", "proved"),
        ("x: (n,)\ndef f(y): return sum[i](y * x[i])\n", "f(x[i])", "x[i] * sum(x)", "proved"),
        ("x: (n,)\ndef f(y): return sum[i](y * x[i])\n", "f(x[i]) + 0 * x[i]", "x @ x + 0 * x[i]", "refuted"),
        ("t: ()\ndef s(u): return t * u\n", "diff(s)(t)", "2 * t", "refuted"),
        ("t: ()\ndef s(u): return t * u\n", "diff(s)(t)", "t", "proved"),
    ],
)
def test_substitution_captures_nothing(block, left, right, status):
    (claim,) = Sheet(f"{block}assert {left} == {right}").claims
    assert claim.status == status


@pytest.mark.parametrize(
    ("block", "left", "right"),
    [
        ("sigmoid: elementwise()\nx: (n,)\n", "sigmoid(x)", "1 / (1 + exp(-x))"),
        ("exp: elementwise()\nx: (n,)\n", "diff(exp)(x)", "exp(x)"),
        ("h: elementwise()\nx: (n,)\n", "h(-x)", "-h(x)"),
        ("exp: function()\nx: ()\n", "diff(exp(x), x)", "exp(x)"),
    ],
)
def test_nothing_is_known_of_an_unknown_function(block, left, right):
    """It is refuted, or the name is refused."""
    try:
        (claim,) = Sheet(f"{block}assert {left} == {right}").claims
    except ParseError:
        return
    assert claim.status == "refuted"
