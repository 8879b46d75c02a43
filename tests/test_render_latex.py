"""The math printer: matrix and index notation as LaTeX."""

from __future__ import annotations

import pytest
import sympy

from symderiv import derive
from symderiv.index.nodes import (
    Apply,
    Choice,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Index,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
)
from symderiv.render.latex import Latex
from symderiv.render.mathtext import is_harmless
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import parse, scope_of

SHAPES = {
    "A": ("n", "n"), "B": ("n", "n"), "C": ("n", "n"), "X": ("n", "p"), "x": ("n",), "y": ("n",), "s": (),
    "theta": (), "w1": ("n",), "Lam": ("n", "n"), "x_": ("n",), "a_max": (), "bias": ("n",),
}  # fmt: skip


@pytest.fixture(scope="module")
def scope():
    found = scope_of(SHAPES, functions={"h": ["dh", "d2h"]})
    found.indices = True
    return found


def written(text, scope, **options):
    functions = {key: label for label, key in scope.functions.items()}
    return Latex(functions=functions, **options).matrix(parse(text, scope))


TABLE = [
    # sums, differences, signs
    ("A + B", "A + B"),
    ("A + (B - C)", "A + B - C"),
    ("A - (B + C)", "A - (B + C)"),
    ("A - (B - C)", "A - (B - C)"),
    ("A - -B", "A - (-B)"),
    ("A + -B", "A - B"),
    ("-(A + B)", "-(A + B)"),
    ("s * -s", r"s\,(-s)"),
    ("-s * x", r"-s\,x"),
    ("A @ (-B)", r"A\,(-B)"),
    ("(-A) @ B", r"-A\,B"),
    ("s - 0.5", r"s - \tfrac{1}{2}"),
    # products
    ("(A + B) @ C", r"(A + B)\,C"),
    ("A @ (B + C)", r"A\,(B + C)"),
    ("A @ B @ C", r"A\,B\,C"),
    ("2 * (A + B)", r"2\,(A + B)"),
    ("2 * A @ B", r"2\,A\,B"),
    ("-A.T @ B @ x", r"-A^{\top}\,B\,x"),
    ("A @ (-B)", r"A\,(-B)"),
    ("A - (-A) @ B", r"A - (-A\,B)"),
    ("(s - 1) * (s + 1)", r"(s - 1)\,(s + 1)"),
    ("A * B", r"A \odot B"),
    ("A * (B + C)", r"A \odot (B + C)"),
    ("(A * B) @ C", r"(A \odot B)\,C"),
    ("(A @ B) * C", r"(A\,B) \odot C"),
    ("A * (B @ C)", r"A \odot (B\,C)"),
    ("x @ y", r"x^{\top}\,y"),
    ("(x + y) @ A", r"A^{\top}\,(x + y)"),
    ("outer(x + y, y)", r"(x + y)\,y^{\top}"),
    ("inner(x, y + x)", r"x^{\top}\,(y + x)"),
    ("kron(A + B, C)", r"(A + B) \otimes C"),
    # quotients
    ("s / theta", r"\frac{s}{\theta}"),
    ("1 / (1 + s)", r"\frac{1}{1 + s}"),
    ("(x + y) / n", r"\tfrac{1}{n}\,(x + y)"),
    ("A / B", r"A \oslash B"),
    ("x / (y / x)", r"x \oslash (y \oslash x)"),
    ("(x / y) / x", r"(x \oslash y) \oslash x"),
    # powers
    ("s**2", "s^{2}"),
    ("-s**2", "-s^{2}"),
    ("(-s)**2", "(-s)^{2}"),
    ("(s + theta)**2", r"(s + \theta)^{2}"),
    ("(s / theta)**2", r"\left(\frac{s}{\theta}\right)^{2}"),
    ("(s**2)**3", "(s^{2})^{3}"),
    ("s**-1", r"\frac{1}{s}"),
    ("s**-2", r"\frac{1}{s^{2}}"),
    ("x**2", r"x^{\odot 2}"),
    ("s**theta", r"s^{\theta}"),
    ("matrix_power(A, 3)", "A^{3}"),
    ("matrix_power(A + B, 3)", "(A + B)^{3}"),
    ("(x @ y)**2", r"(x^{\top}\,y)^{2}"),
    # transposes and inverses
    ("A.T", r"A^{\top}"),
    ("A.T.T", r"(A^{\top})^{\top}"),
    ("(A @ B).T", r"(A\,B)^{\top}"),
    ("(A + B).T @ C", r"(A + B)^{\top}\,C"),
    ("inv(A)", "A^{-1}"),
    ("inv(A @ B)", r"(A\,B)^{-1}"),
    ("inv(A).T", r"A^{-\top}"),
    ("inv(A.T)", r"A^{-\top}"),
    ("inv(A.T).T", r"(A^{-\top})^{\top}"),
    ("solve(A.T, x)", r"A^{-\top}\,x"),
    ("inv(A)**2", r"(A^{-1})^{\odot 2}"),
    ("solve(A + B, x + y)", r"(A + B)^{-1}\,(x + y)"),
    # functions
    ("norm(x - y)**2", r"\left\lVert x - y\right\rVert^{2}"),
    ("norm(A)", r"\left\lVert A\right\rVert_F"),
    ("trace(A @ B)", r"\operatorname{tr}(A\,B)"),
    ("det(A)", r"\det(A)"),
    ("logdet(A)", r"\log\det(A)"),
    ("sqrt(s)", r"\sqrt{s}"),
    ("abs(x)", r"\left|x\right|"),
    ("exp(-s)", r"\exp(-s)"),
    ("sigmoid(x)", r"\sigma(x)"),
    ("maximum(x, 0)", r"\max(x, 0)"),
    ("where(x > 0, x, y)", r"\begin{cases} x & \text{if } x > 0 \\ y & \text{else} \end{cases}"),
    ("h(x)", "h(x)"),
    ("dh(x)", "h'(x)"),
    ("d2h(x)", "h''(x)"),
    # sums
    ("sum(x)", r"\mathbf{1}^{\top} x"),
    ("sum(A)", r"\mathbf{1}^{\top} A\,\mathbf{1}"),
    ("sum(A, 0)", r"A^{\top}\,\mathbf{1}"),
    ("sum(A + B, 1)", r"(A + B)\,\mathbf{1}"),
    ("-sum(x)", r"-\mathbf{1}^{\top} x"),
    ("einsum('ij,jk->ik', A, B)", r"\Bigl[\sum_{j} A_{ij}\,B_{jk}\Bigr]_{ik}"),
    # entries
    ("A[i,j]", "A_{ij}"),
    ("A.T[i,j]", r"(A^{\top})_{ij}"),
    ("(A @ B)[i,k_]", r"(A\,B)_{ik'}"),
    ("A[i,:]", "A_{i:}"),
    ("w1[i]", "(w_{1})_{i}"),
    ("delta[i,k_]", r"\delta_{ik'}"),
    ("sum[q](A[i,q] * B[q,j])", r"\sum_{q} A_{iq}\,B_{qj}"),
    ("sum[q](A[i,q] + B[q,j])", r"\sum_{q} (A_{iq} + B_{qj})"),
    ("s * sum[q](A[i,q])", r"s\,\sum_{q} A_{iq}"),
    # constants and names
    ("eye(n)", "I_{n}"),
    ("ones(n)", r"\mathbf{1}_{n}"),
    ("zeros(n, p)", r"\mathbf{0}_{n\times p}"),
    ("theta", r"\theta"),
    ("w1", "w_{1}"),
    ("x_", "x'"),
    ("a_max", r"a_{\mathrm{max}}"),
    ("Lam", r"\Lambda"),
    ("bias", r"\mathrm{bias}"),
]


@pytest.mark.parametrize(("text", "latex"), TABLE, ids=[row[0] for row in TABLE])
def test_matrix_notation(text, latex, scope):
    assert written(text, scope) == latex
    assert is_harmless(latex)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("x @ A @ x", r"x^{\top}\,A\,x"),
        ("x @ inv(A) @ y", r"x^{\top}\,A^{-1}\,y"),
        ("x + y @ A", r"x + A^{\top}\,y"),
        ("x[:, None] @ y[None, :]", r"x\,y^{\top}"),
    ],
)
def test_a_vector_from_the_left(text, latex, scope):
    assert written(text, scope) == latex


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("kron(A, B) @ vec(A)", r"(A \otimes B)"),
        ("kron(A, B) * kron(B, A)", r"(A \otimes B)"),
        ("(s * (A * B)) @ C", r"B)"),
        ("(A * B / n) @ C", r"B)"),
        ("C @ (s * (A * B))", r"A \odot B)"),
        ("(s * (A @ B)) * C", r"B)"),
        ("solve(A, B) * C", r"B)"),
        ("outer(x, y) * A", r"(x\,y^{\top})"),
        ("x / y * s", r"(x \oslash y)"),
        ("sum[q](x[q]) * x[q]", r"\right)"),
        ("sum[q](x[q]) * sum[q](x[q])", r"\right)"),
    ],
)
def test_products_of_several_kinds_are_bracketed(text, part, scope):
    assert part in written(text, scope)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("softmax(A, 0)", "softmax(A, 1)"),
        ("mean(A, 0)", "mean(A)"),
        ("prod(A, 1)", "prod(A, 0)"),
        ("logsumexp(A, 0)", "logsumexp(A)"),
        ("x[:, None] - y[None, :]", "x - y"),
    ],
)
def test_axes_are_printed(one, other, scope):
    assert written(one, scope) != written(other, scope)


@pytest.mark.parametrize("text", ["2 * 3 * s", "2 * (3 * s)", "s * 2 * 3"])
def test_numbers_do_not_run_together(text, scope):
    assert r"2\,3" not in written(text, scope)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("x[:, None] * t", r"x\,t^{\top}"),
        ("A * t / u[:, None]", r"\operatorname{diag}(u)^{-1}\,A\,\operatorname{diag}(t)"),
        ("u[None, :] + A.T", r"\mathbf{1}\,u^{\top} + A^{\top}"),
        ("maximum(u[:, None], t)", r"\Bigl[\max(u_{i}, t_{j})\Bigr]_{ij}"),
        ("A / (u[:, None] / t)", r"\Bigl[\frac{A_{ij}}{\frac{u_{i}}{t_{j}}}\Bigr]_{ij}"),
        ("X[:, None] - X", r"\Bigl[X_{ik} - X_{jk}\Bigr]_{ijk}"),
        ("-sum((X[:, None] - X)**2, 2)", r"\Bigl[-\sum_{k} (X_{ik} - X_{jk})^{2}\Bigr]_{ij}"),
        ("T * sum(T, 2)[:, :, None]", r"\Bigl[T_{ijl}\,(\operatorname{sum}_{2}(T))_{ij}\Bigr]_{ijl}"),
        ("exp(T - z)", r"\Bigl[\exp(T_{ijl} - z_{l})\Bigr]_{ijl}"),
        ("einsum('ijk,kl->ijl', T - z, Z)", r"\Bigl[\sum_{k} (T_{ijk} - z_{k})\,Z_{kl}\Bigr]_{ijl}"),
        ("sum(T * T)", r"\operatorname{sum}(T \odot T)"),
    ],
)
def test_what_is_broadcast_is_seen(text, latex):
    vectors = {"x": ("n",), "u": ("n",), "t": ("m",), "z": ("k",)}
    arrays = {"A": ("n", "m"), "X": ("n", "d"), "T": ("n", "m", "k"), "Z": ("k", "q")}
    assert written(text, scope_of({**vectors, **arrays})) == latex


def test_names_may_be_displayed_otherwise(scope):
    display = {"w1": "w^{(1)}", "s": r"\sigma"}
    assert written("s * w1", scope, display=display) == r"\sigma\,w^{(1)}"
    assert written("w1[i]", scope, display=display) == "w^{(1)}_{i}"


def test_both_notations_show_an_entry_alike():
    assert Latex(display={"w1": "w^{(1)}"}).index(Entry(w1, i)) == "w^{(1)}_{i}"


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("x", "x"),
        ("alpha", r"\alpha"),
        ("Omega", r"\Omega"),
        ("lam", r"\lambda"),
        ("eps", r"\varepsilon"),
        ("k_", "k'"),
        ("k__", "k''"),
        ("h'", "h'"),
        ("w12", "w_{12}"),
        ("theta_1", r"\theta_{1}"),
        ("x_i", "x_{i}"),
        ("_", r"\_"),
        ("rate", r"\mathrm{rate}"),
    ],
)
def test_names(name, latex):
    assert Latex().name(name) == latex
    assert is_harmless(latex)


# --- index notation -------------------------------------------------------------------------------

n, p = sympy.symbols("n p", integer=True, positive=True)
i, j, k, k_ = Index("i", n), Index("j", n), Index("k", p), Index("k_", p)
A, w1, x, E = Tensor("A", n, n), Tensor("w1", n), Tensor("x", n), Tensor("E")
AIJ, XI, XJ = Entry(A, i, j), Entry(x, i), Entry(x, j)
ONE, TWO, HALF = sympy.Integer(1), sympy.Integer(2), sympy.Rational(1, 2)
INDEXED = [
    (AIJ, "A_{ij}"),
    (Entry(E), "E"),
    (Entry(w1, i), "(w_{1})_{i}"),
    (Entry(Tensor("B", p, p), k, k_), "B_{kk'}"),
    (Delta(i, j), r"\delta_{ij}"),
    (Times(AIJ, Delta(i, j)), r"A_{ij}\,\delta_{ij}"),
    (Times(Plus(XI, XJ), AIJ), r"(x_{i} + x_{j})\,A_{ij}"),
    (Times(-ONE, XI), "-x_{i}"),
    (Times(-TWO, XI), r"-2\,x_{i}"),
    (Times(HALF, XI), r"\tfrac{1}{2}\,x_{i}"),
    (Plus(XI, Times(-ONE, XJ)), "x_{i} - x_{j}"),
    (Times(Times(XI, XJ), AIJ), r"x_{i}\,x_{j} \cdot A_{ij}"),
    (Power(Plus(ONE, XI), TWO), "(1 + x_{i})^{2}"),
    (Power(XI, -ONE), r"\frac{1}{x_{i}}"),
    (Times(XJ, Power(XI, -TWO)), r"\frac{x_{j}}{x_{i}^{2}}"),
    (Power(XI, HALF), r"\sqrt{x_{i}}"),
    (Sum(AIJ, j), r"\sum_{j=1}^{n} A_{ij}"),
    (Sum(AIJ, i, j), r"\sum_{i,j} A_{ij}"),
    (Sum(Plus(XI, XJ), j), r"\sum_{j=1}^{n} (x_{i} + x_{j})"),
    (Times(XI, Sum(XJ, j)), r"x_{i}\,\sum_{j=1}^{n} x_{j}"),
    (Times(Sum(XJ, j), XI), r"\left(\sum_{j=1}^{n} x_{j}\right)\,x_{i}"),
    (Apply("exp", 0, Times(-ONE, XI)), "e^{-x_{i}}"),
    (Apply("exp", 0, Plus(XI, XJ)), r"\exp(x_{i} + x_{j})"),
    (Apply("h", 0, XI), "h(x_{i})"),
    (Apply("h", 2, XI), "h''(x_{i})"),
    (Apply("h", 4, XI), "h^{(4)}(x_{i})"),
    (Power(Apply("tanh", 0, XI), TWO), r"\tanh^{2}(x_{i})"),
    (Extreme("maximum", XI, XJ), r"\max\left(x_{i}, x_{j}\right)"),
    (
        Choice(">", XI, XJ, ONE, TWO),
        r"\begin{cases} 1 & \text{if } x_{i} > x_{j} \\ 2 & \text{else} \end{cases}",
    ),
    (Derivative(Entry(E), AIJ), r"\frac{\partial E}{\partial A_{ij}}"),
    (Derivative(Plus(XI, XJ), AIJ), r"\frac{\partial}{\partial A_{ij}}(x_{i} + x_{j})"),
    (Entry(Tensor("inv(A)", n, n), i, j), "(A^{-1})_{ij}"),
]


@pytest.mark.parametrize(("expr", "latex"), INDEXED, ids=[row[1] for row in INDEXED])
def test_index_notation(expr, latex):
    assert Latex().index(expr) == latex
    assert is_harmless(latex)


def test_what_stands_under_a_brace_and_full_ranges():
    latex = Latex()
    latex.braced, latex.every_range = {AIJ: "B_{ij}"}, True
    under = r"\sum_{i=1}^{n}\sum_{j=1}^{n} \underbrace{A_{ij}}_{=B_{ij}}\,x_{i}"
    assert latex.index(Sum(Times(AIJ, XI), i, j)) == under


def test_the_prime_of_a_function_of_one_variable():
    latex = Latex()
    latex.primes["sigma"] = "t"
    assert latex.index(Derivative(Entry(Tensor("sigma")), Entry(Tensor("t")))) == r"\sigma'(t)"


def test_a_head_may_stand_for_an_expression(scope):
    latex = Latex({"A + A.T": parse("A + A.T", scope)})
    assert latex.index(Entry(Tensor("A + A.T", n, n), i, j)) == r"(A + A^{\top})_{ij}"


@pytest.mark.parametrize(
    ("text", "by", "shown"),
    [
        ("norm(X @ w - y)**2 / n", "w", r"\tfrac{2}{n}\,X^{\top}\,(X\,w - y)"),
        ("(u @ c) * sum(u)", "u", r"\mathbf{1}^{\top} u\,c + c^{\top}\,u\,\mathbf{1}"),
        ("(u @ c)**2 / 2", "u", r"(c^{\top}\,u)\,c"),
    ],
)
def test_numbers_and_scalar_products_stand_where_a_reader_expects_them(text, by, shown):
    shapes = {"X": ("n", "p"), "w": ("p",), "y": ("n",), "u": ("n",), "c": ("n",)}
    latex = derive(text, by, shapes=shapes).to_latex()
    assert latex.endswith("= " + shown)


def head(name, *sizes):
    return Tensor(name, *(sympy.Symbol(s, integer=True, positive=True) for s in sizes))


def at(tensor, names):
    return Entry(tensor, *(Index(c, s) for c, s in zip(names, tensor.sizes, strict=True)))


OTHERS = [
    (at(head("prodexcept(x, 0)", "n"), "i"), r"\prod_{k \ne i} x_{k}"),
    (at(head("prodexcept(x, 0)", "n"), "k"), r"\prod_{l \ne k} x_{l}"),
    (at(head("prodexcept(k, 0)", "n"), "i"), r"\prod_{l \ne i} k_{l}"),
    (at(head("prodexcept(x, 0)", "k"), "i"), r"\prod_{l \ne i} x_{l}"),
    (at(head("prodexcept(A, 1)", "n", "n"), "ij"), r"\prod_{k \ne j} A_{ik}"),
    (at(head("prodexcept(A, 0, 1)", "n", "n"), "ij"), r"\prod_{(k,l) \ne (i,j)} A_{kl}"),
    (at(head("prodexcept(x, 0, order 2)", "n", "n"), "ij"), r"(1 - \delta_{ij})\,\prod_{k \ne i, j} x_{k}"),
    (
        at(head("prodexcept(A, 0, order 3)", "n", "m", "n", "n"), "ijpq"),
        r"(1 - \delta_{ip})\,(1 - \delta_{iq})\,(1 - \delta_{pq})\,\prod_{k \ne i, p, q} A_{kj}",
    ),
    (
        at(head("prodexcept(A, 0, 1, order 2)", "n", "m", "n", "m"), "ijpq"),
        r"(1 - \delta_{ip}\,\delta_{jq})\,\prod_{(k,l) \ne (i,j), (p,q)} A_{kl}",
    ),
]


@pytest.mark.parametrize(("expr", "wanted"), OTHERS, ids=[str(row[0]) for row in OTHERS])
def test_a_product_that_leaves_entries_out(expr, wanted):
    text = Latex().index(expr)
    assert text == wanted
    assert is_harmless(text)


def test_such_a_product_does_not_take_in_what_follows():
    entry, x = at(head("prodexcept(x, 0)", "n"), "i"), at(head("y", "n"), "k")
    assert Latex().index(Times(entry, x)) == r"\left(\prod_{l \ne i} x_{l}\right)\,y_{k}"
    assert Latex().index(Times(x, entry)) == r"y_{k}\,\prod_{l \ne i} x_{l}"
    assert Latex().index(Derivative(entry, x)) == r"\frac{\partial}{\partial y_{k}}\left(\prod_{l \ne i} x_{l}\right)"


@pytest.mark.parametrize(
    ("text", "data", "wanted"),
    [
        ("x", ((0,), 1), r"\Bigl[\prod_{k \ne i} x_{k}\Bigr]_{i}"),
        ("x", ((0,), 2), r"\Bigl[(1 - \delta_{ij})\,\prod_{k \ne i, j} x_{k}\Bigr]_{ij}"),
        ("A @ x", ((0,), 1), r"\Bigl[\prod_{k \ne i} (A\,x)_{k}\Bigr]_{i}"),
        ("X", ((0,), 1), r"\Bigl[\prod_{k \ne i} X_{kj}\Bigr]_{ij}"),
        ("X", ((0, 1), 1), r"\Bigl[\prod_{(k,l) \ne (i,j)} X_{kl}\Bigr]_{ij}"),
    ],
)
def test_such_a_product_as_an_array(text, data, wanted, scope):
    expr = apply("others", parse(text, scope), data=data)
    assert Latex().matrix(expr) == wanted
    assert is_harmless(wanted)
    assert Latex({"head": expr}).index(at(head("head", *"nnn"[: expr.rank]), "ij"[: expr.rank])) in wanted


def test_a_long_product_is_printed_factor_by_factor(monkeypatch):
    seen = []
    printed = Latex.matrixed
    monkeypatch.setattr(Latex, "matrixed", lambda self, expr: seen.append(expr) or printed(self, expr))
    expr = parse(" @ ".join(["A @ B"] * 20), scope_of({"A": ("n", "n"), "B": ("n", "n")}))
    assert Latex({}).matrix(expr) == r"\,".join(["A", "B"] * 20)
    assert len(seen) == 2 * 40 - 1
