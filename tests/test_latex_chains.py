"""LaTeX against the statement language: what it says, what it may not say, and what our own printer writes."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest

import symderiv
from symderiv.errors import ParseError, SymderivError, UnknownNameError
from symderiv.handout import source
from symderiv.latex.chains import Equality, read_chains
from symderiv.render.latex import Latex
from symderiv.statements.block import BlockReader, Names, read_block

DECLARATIONS = """
X: (n, p)
w: (p,)
y: (n,)
A: (n, n)
B: (n, n)
W: (m, n)
x: (n,)
a: ()
b: ()
c: ()
f: (m,)
w1: (m, n)
u_bar: (n,)
lam: ()
eps: ()
theta: (n,)
x_1: ()
h: elementwise()
g: function(n)
loss: function()
def sq(t): return t**2
u = X @ w - y
E = loss(u)
s[0]: (n,)
for t in range(1, T + 1):
    s[t] = g(s[t-1], x)
t: integer(1, T)
k_max: index(n)
"""


def reader(declarations: str = DECLARATIONS, text: str = "") -> BlockReader:
    names = Names()
    read_block(declarations, names)
    found = BlockReader(text, names, "")
    found.integers = {r.variable: r.symbol for r in names.families.parameters}
    return found


def read(latex: str, **more: object) -> list[Equality]:
    return read_chains(latex, reader(text=latex), **more)  # type: ignore[arg-type]


def said(latex: str, **more: object) -> str:
    (equality,) = read(latex, **more)
    assert equality.error is None, equality.error
    assert equality.test is not None
    return ast.unparse(equality.test)


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\frac{\partial E}{\partial w} = X^T \frac{\partial E}{\partial u}", "diff(E, w) == X.T @ diff(E, u)"),
        (r"\partial E/\partial w_k = \sum_i X_{ik} \partial E/\partial u_i",
         "diff(E, w[k]) == sum[i](X[i, k] * diff(E, u[i]))"),
        (r"\frac{dE}{dw_k} = \frac{\mathrm{d}E}{\mathrm{d} w_k}", "diff(E, w[k]) == diff(E, w[k])"),
        (r"\frac{\partial^2 E}{\partial w_k \partial w_l} = \frac{\partial^2 E}{\partial w_l\,\partial w_k}",
         "diff(E, w[k], w[l]) == diff(E, w[l], w[k])"),
        (r"\frac{\partial^2 E}{\partial u_i^2} = a", "diff(E, u[i], u[i]) == a"),
        (r"\nabla_w E = X^\top \nabla_u E", "diff(E, w) == X.T @ diff(E, u)"),
        (r"\frac{\partial E}{\partial w^\top} = \frac{\partial E}{\partial u^\top} X", "diff(E, w) == diff(E, u) @ X"),
        (r"\frac{\partial (A x)}{\partial x^\top} = A", "diff(A @ x, x) == A"),
        (r"\frac{\partial}{\partial x_i} \left( x_i^2 \right) = 2 x_i", "diff(x[i] ** 2, x[i]) == 2 * x[i]"),
        (r"x^\top A x = a", "x @ A @ x == a"),
        (r"x y^\top = A", "outer(x, y) == A"),
        (r"x^\top y = x \cdot y", "x @ y == x @ y"),
        (r"Xw - y = u", "X @ w - y == u"),
        (r"(A^\top B)_{ij} = \delta_{ij}", "(A.T @ B)[i, j] == delta[i, j]"),
        (r"A^{\top}_{ij} = A_{ji}", "A.T[i, j] == A[j, i]"),
        (r"A^{-\top} = (A^{-1})^\mathsf{T}", "inv(A).T == inv(A).T"),
        (r"A A^{-1} = I", "A @ inv(A) == eye(n)"),
        (r"A = I_n", "A == eye(n)"),
        (r"A^2 = A A", "matrix_power(A, 2) == A @ A"),
        (r"A x = 0", "A @ x == zeros(n)"),
        (r"A \odot B = B \circ A", "A * B == B * A"),
        (r"x^{\odot 2} = x \odot x", "x ** 2 == x * x"),
        (r"\|x\|^2 = \lVert x \rVert_2^2", "norm(x) ** 2 == norm(x) ** 2"),
        (r"\|A\|_F^2 = \operatorname{tr}(A^\top A)", "norm(A) ** 2 == trace(A.T @ A)"),
        (r"\log\det A = \operatorname{logdet}(A)", "log(det(A)) == logdet(A)"),
        (r"\sigma(a) = \frac{1}{1 + e^{-a}}", "sigmoid(a) == 1 / (1 + exp(-a))"),
        (r"\tanh^2 a = (\tanh a)^2", "tanh(a) ** 2 == tanh(a) ** 2"),
        (r"h'(x_i)^2 = h''(x_i)", "diff(h)(x[i]) ** 2 == diff(h, 2)(x[i])"),
        (r"h^{(3)}(a) = 0", "diff(h, 3)(a) == 0"),
        (r"\mathrm{sq}'(a) = 2a", "diff(sq)(a) == 2 * a"),
        (r"s_t = g(s_{t-1}, x)", "s[t] == g(s[t - 1], x)"),
        (r"s^{(t)}_i = s_{t,i}", "s[t, i] == s[t, i]"),
        (r"w^{(1)}_{ji} = W_{ji}", "w1[j, i] == W[j, i]"),
        (r"\bar u^\top x = \lambda \varepsilon", "u_bar @ x == lam * eps"),
        (r"\mathbf{x}^\top \boldsymbol{\theta} = x_1", "x @ theta == x_1"),
        (r"\sum_{i=1}^{n} x_i = \sum_j x_j", "sum[i](x[i]) == sum[j](x[j])"),
        (r"\sum_{i,j=1}^{n} A_{ij} = \sum_{ij} A_{ij}", "sum[i, j](A[i, j]) == sum[i, j](A[i, j])"),
        (r"\sum_{r=1}^{t} s_r = s_t", "sum((s[r] for r in range(1, t + 1))) == s[t]"),
        (r"\sum_{i=1}^{n} a = n a", "(n - 1 + 1) * a == n * a"),
        (r"A_{k'j'} = A_{ij}", "A[k_, j_] == A[i, j]"),
        (r"W_{:,i} = W_{:i}", "W[:, i] == W[:, i]"),
        (r"\frac12 \left\{ a + b \right\} = \tfrac{a+b}{2}", "1 / 2 * (a + b) == (a + b) / 2"),
        (r"\langle x, y \rangle = \sqrt{a}", "x @ y == sqrt(a)"),
    ],
)  # fmt: skip
def test_what_latex_says(latex: str, text: str) -> None:
    assert said(latex) == text


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        ("a/b c = 1", "is this factor above or below the line?"),
        (r"\log a b = 1", r"does \log reach as far as this factor?"),
        (r"\log (a)^2 = 1", "is this the power of log, or of what it acts on?"),
        (r"\sum_i x_i + y_i = a", "is this i the one that is summed over?"),
        (r"A_{ij}^{-1} = a", "an entry of the inverse, or one over the entry?"),
        ("E(u) = a", "is this the value of a function E, or a product?"),
        (r"e^A = A", "is this exp of a matrix taken entry by entry?"),
        (r"\|A\| = a", "which norm is meant?"),
        ("x^2 = a", "the power of a vector"),
        ("|A| = a", "bars around an array"),
        ("A * B = A", "which product of arrays is *?"),
        ("I = I", "the size of I cannot be told"),
        ("{a + b} c = a", "these braces do not show in print"),
        (r"h^{-1}(a) = a", "an inverse function, or one over the value?"),
        (r"\nabla E = x", "the gradient in what?"),
    ],
)
def test_what_may_be_read_in_two_ways_is_refused(latex: str, message: str) -> None:
    with pytest.raises(ParseError) as refused:
        read(latex)
    assert refused.value.message == message
    assert refused.value.place is not None and refused.value.hint


def test_letters_side_by_side_are_what_is_declared() -> None:
    def text(declarations: str) -> str:
        (equality,) = read_chains("ab = c", reader(declarations))
        assert equality.test is not None
        return ast.unparse(equality.test)

    assert text("a: (); b: (); c: ()") == "a * b == c"
    assert text("ab: (); c: ()") == "ab == c"
    with pytest.raises(ParseError, match="ab may be read as ab or as a b"):
        text("a: (); b: (); ab: (); c: ()")
    (named,) = read_chains(r"\mathrm{ab} = a\,b", reader("a: (); b: (); ab: ()"))
    assert named.test is not None and ast.unparse(named.test) == "ab == a * b"


def test_subscripts_are_what_is_declared() -> None:
    def text(declarations: str, **more: object) -> str:
        (equality,) = read_chains("W_{kl} = c", reader(declarations), **more)  # type: ignore[arg-type]
        assert equality.test is not None
        return ast.unparse(equality.test)

    assert text("W: (m, n); c: ()") == "W[k, l] == c"
    assert text("W_kl: (); c: ()") == "W_kl == c"
    assert text("W: (); W_kl: (); c: ()") == "W_kl == c"  # a number has no entries
    with pytest.raises(ParseError, match="this may stand for W or W_kl"):
        text("W: (m, n); W_kl: (); c: ()")
    assert text("v: (m, n); c: ()", display={"v": "W"}) == "v[k, l] == c"


def test_a_transpose_or_a_power() -> None:
    declared = "A: (n, n); X: (n, p); for t in range(1, T + 1):\n    z[t]: ()".replace("; for", "\nfor")
    (rectangle,) = read_chains("X^T X = A", reader(declared))  # no square: it has no powers
    assert rectangle.error is not None or rectangle.test is not None
    with pytest.raises(ParseError, match="a transpose or a power"):
        read_chains("A^T = A", reader(declared))
    (plain,) = read_chains(r"A^\top = A", reader(declared))
    assert plain.test is not None and ast.unparse(plain.test) == "A.T == A"


def test_the_d_of_a_derivative_is_told_from_a_factor() -> None:
    with pytest.raises(ParseError, match="a derivative or a quotient"):
        read_chains(r"\frac{d x}{d c} = x", reader("d: (); x: (); c: ()"))
    (equality,) = read_chains(r"\frac{\partial x}{\partial c} = 0", reader("d: (); x: (); c: ()"))
    assert equality.test is not None


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        ("x y = a", "two columns side by side"),
        ("x A = x", "a column before a matrix"),
        (r"A x = x^\top A", "one side is a row, the other a column"),
        (r"\frac{\partial E}{\partial w} = \frac{\partial E}{\partial u^\top} X",
         "one side is a row, the other a column"),
        ("A + 1 = A", "a number and a matrix are added"),
        ("W A^{-1} B = X A", "the shapes of a product do not fit"),
        ("W_k = f_k", "2 subscripts needed, 1 given"),
        (r"\sum_{i=1}^{m} x_i = a", "i runs from 1 to m, but is an index of an axis from 1 to n"),
        ("x_i = w_i", "index i runs over two ranges, n and p"),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit_make_an_equality_wrong(latex: str, message: str) -> None:
    (equality,) = read(latex)
    assert equality.error is not None and equality.error.message == message
    assert equality.error.place is not None


def test_an_index_has_one_range_throughout_a_chain() -> None:
    first, second = read(r"x_i = y_i \frac{x_i}{x_i} = W_{ij} x_j \delta_{ji} w_i")
    assert first.error is None and second.error is not None


@pytest.mark.parametrize("latex", ["W_kl = a", r"q = a", r"\kappa = a", r"x_i = Q_i"])
def test_unknown_names_are_told(latex: str) -> None:
    with pytest.raises(ParseError) as refused:
        read(latex)
    assert isinstance(refused.value, UnknownNameError) or "write _{kl}" in str(refused.value)


@pytest.mark.parametrize(
    "latex",
    ["a" + "+a" * 3000 + "=b", "a=b" * 1500, "a " * 3000 + "=b", "(" * 90 + "a" + ")" * 90 + "=a", "ab" * 4000 + "=a",
     "a = " + r"\bar" * 4000 + " b", r"\sum_i " * 300 + "x_i = a", r"\frac{1}{" * 80 + "a" + "}" * 80 + "=a"],
    ids=lambda t: t[:12],
)  # fmt: skip
def test_long_formulas_are_read_or_refused_in_bounded_time(latex: str) -> None:
    start = time.perf_counter()
    with pytest.raises(SymderivError):
        read(latex)
    assert time.perf_counter() - start < 5


# -- our own documents


BUILT_IN = Path(symderiv.__file__).parent / "handout" / "builtin"
SAID_OTHERWISE = {"H3", "H10", "H12", "H13", "H2"}  # σ' written out, a number drawn into a product, ℓ as an index


@pytest.mark.parametrize("name", ["backpropagation-through-a-layer", "jacobian-and-hessian-of-a-network"])
def test_what_we_print_is_read_back(name: str) -> None:
    path = BUILT_IN / f"{name}.md"
    document = source.read_source(path.read_text(encoding="utf-8"), path)
    printer = Latex({}, dict(document.display), superscript=document.superscript)
    names, same, count = Names(), 0, 0
    for passage in document.passages:
        if passage.kind != "block":
            continue
        names = Names() if passage.fresh else names
        for statement in read_block(passage.text, names):
            if statement.kind != "claim" or statement.error is not None:
                continue
            count += 1
            latex = " = ".join(map(printer.matrix, statement.exprs))
            back = BlockReader(latex, names, "")
            with back.inside(*statement.ranges):
                try:
                    (equality,) = read_chains(latex, back, document.display)
                except SymderivError:
                    continue  # refused, not misread
                if equality.test is None:
                    continue
                node = ast.copy_location(ast.Assert(test=equality.test, msg=None), equality.test)
                read_again = back.claim(node).exprs
            assert read_again == statement.exprs or statement.label.split()[0] in SAID_OTHERWISE, latex
            same += read_again == statement.exprs
    assert same > 0.85 * count
