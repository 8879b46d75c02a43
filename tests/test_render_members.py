"""Members of families, sums and products over ranges: as text that is read again, and as LaTeX."""

from __future__ import annotations

import ast

import pytest
import sympy

from symderiv import dims
from symderiv.families import Range
from symderiv.index.nodes import Entry, Index, Power, Tensor
from symderiv.render.labels import is_stacked, label_of, member, parameters
from symderiv.render.latex import Latex
from symderiv.render.mathtext import is_harmless
from symderiv.render.plain import Plain
from symderiv.render.symbols import marks
from symderiv.statements.block import Names, read_block
from symderiv.statements.members import World
from symderiv.statements.worlds import reader_in
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import size, variable
from symderiv.tensor.text import to_text

NETWORK = """
theta: (p,)
f: function(n)
V: orthogonal(n, n)
C: (n, m)
g: elementwise()
u: (n,)
c: (n,)
h[0]: (n,)
for t in range(1, T + 1):
    x[t]: (d,)
    y[t]: index(m)
    q[t]: (m,)
    k[t]: ()
    Lam[t]: diagonal(n, n)
    A[t]: (n, n)
    w1[t]: (n,)
    h[t] = f(h[t-1], x[t], theta)
def J(t): return partial(h[t], h[t-1])
def S(t): return V @ Lam[t] @ V.T
def both(s, t): return partial(h[s], h[t])
def sigma(s): return 1 / (1 + exp(-s))
"""
T, t, a = map(dims.symbol, "Tta")
WITHIN = (Range("tau", sympy.Integer(0), T), Range("t", dims.symbol("tau") + 1, T))


@pytest.fixture(scope="module")
def names():
    found = Names()
    read_block(NETWORK, found)
    return found


def read(text, names):
    reader = reader_in(World(), names, {})
    with reader.inside(*WITHIN):
        return reader.read(ast.parse(text, mode="eval").body)


#  text as it is written, LaTeX
TABLE = [
    # members and their entries
    ("h[t]", "h_{t}"),
    ("h[t - 1]", "h_{t-1}"),
    ("h[t][i]", "h_{t,i}"),
    ("h[T - t + 1][i_]", "h_{T-t+1,i'}"),
    ("A[t][i, j]", "A_{t,ij}"),
    ("A[t][:, i]", "A_{t,:i}"),
    ("A[t].T", r"A_{t}^{\top}"),
    ("inv(A[t])", "A_{t}^{-1}"),
    ("h[t][i]**2", "h_{t,i}^{2}"),
    ("Lam[t]", r"\Lambda_{t}"),
    ("q[t][y[t]]", "q_{t,y_{t}}"),
    ("eye(m)[y[t], :]", "(I_{m})_{y_{t},:}"),
    ("w1[t]", "(w_{1})_{t}"),
    # derivatives
    ("diff(h[t], h[tau])", r"\frac{\partial h_{t}}{\partial h_{\tau}}"),
    ("partial(h[t], h[t - 1])", r"\frac{\partial^{+} h_{t}}{\partial h_{t-1}}"),
    ("partial(h[t], h[t - 1]).T @ u", r"\left(\frac{\partial^{+} h_{t}}{\partial h_{t-1}}\right)^{\top}\,u"),
    # calls
    ("J(t)", "J_{t}"),
    ("J(1)", "J_{1}"),
    ("J(T) @ J(t)", r"J_{T}\,J_{t}"),
    ("both(t, t - 1)", r"\mathrm{both}_{t,t-1}"),
    ("sigma(2)", r"\sigma(2)"),
    # sums
    ("sum(h[s] for s in range(0, t))", r"\sum_{s=0}^{t-1} h_{s}"),
    ("sum(k[s] + 1 for s in range(1, t + 1))", r"\sum_{s=1}^{t} (k_{s} + 1)"),
    ("-sum(k[s] for s in range(1, t + 1))", r"-\sum_{s=1}^{t} k_{s}"),
    ("u - sum(h[s] for s in range(0, t))", r"u - \sum_{s=0}^{t-1} h_{s}"),
    ("sum(k[s] for s in range(1, t + 1)) / 2", r"\tfrac{1}{2}\,\sum_{s=1}^{t} k_{s}"),
    ("sum(k[s] for s in range(1, t + 1)) * u", r"\left(\sum_{s=1}^{t} k_{s}\right)\,u"),
    ("V @ sum(h[s] for s in range(0, t))", r"V\,\left(\sum_{s=0}^{t-1} h_{s}\right)"),
    ("sum(sum(k[r] for r in range(1, s + 1)) for s in range(1, t + 1))", r"\sum_{s=1}^{t} \sum_{r=1}^{s} k_{r}"),
    # products: the order is seen
    ("prod(J(s) for s in range(t, tau, -1))", r"J_{t}\,J_{t-1} \cdots J_{\tau+1}"),
    ("prod(J(s) for s in range(tau + 1, t + 1))", r"J_{\tau+1}\,J_{\tau+2} \cdots J_{t}"),
    ("prod(A[s] for s in range(t, tau, -1)).T", r"(A_{t}\,A_{t-1} \cdots A_{\tau+1})^{\top}"),
    ("prod(A[s].T for s in range(t, tau, -1))", r"A_{t}^{\top}\,A_{t-1}^{\top} \cdots A_{\tau+1}^{\top}"),
    (
        "prod(V @ Lam[s] @ V.T for s in range(t, tau, -1))",
        r"(V\,\Lambda_{t}\,V^{\top})\,(V\,\Lambda_{t-1}\,V^{\top}) \cdots (V\,\Lambda_{\tau+1}\,V^{\top})",
    ),
    ("prod(A[s] for s in range(t, t - 1, -1))", "A_{t}"),
    ("prod(A[s] for s in range(t, t, -1))", r"\prod_{s=t}^{t+1} A_{s}"),
    ("prod(V for s in range(t, tau, -1))", r"\prod_{s=\tau+1}^{t} V"),
    ("prod(k[s] for s in range(t, tau, -1)) * u", r"\left(\prod_{s=\tau+1}^{t} k_{s}\right)\,u"),
    ("u * prod(k[s] for s in range(t, tau, -1))", r"\left(\prod_{s=\tau+1}^{t} k_{s}\right)\,u"),
    ("matrix_power(V, t - tau)", r"V^{t-\tau}"),
]


@pytest.mark.parametrize(("text", "latex"), TABLE, ids=[row[0] for row in TABLE])
def test_members_and_ranges(text, latex, names):
    expr = read(text, names)
    assert Latex().matrix(expr) == latex
    assert is_harmless(latex)


@pytest.mark.parametrize("text", [row[0] for row in TABLE])
def test_what_is_printed_as_text_is_read_as_the_same_expression(text, names):
    expr = read(text, names)
    assert read(to_text(expr), names) is expr


def test_a_label_as_a_number_is_bracketed_in_text():
    assert to_text(read_product(t - 1)) == "x * (t - 1)"
    assert to_text(read_product(t)) == "x * t"


def read_product(label):
    return apply("mul", variable("x", ()), size(label))


# --- layers: the label above ----------------------------------------------------------------------

LAYERS = """
for l in range(1, L + 1):
    w[l]: (n[l], n[l-1])
    a[l]: (n[l],)
"""


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("w[l]", r"w^{(\ell)}"),
        ("w[l + 1][k, j]", r"w^{(\ell+1)}_{kj}"),
        ("w[l].T", r"(w^{(\ell)})^{\top}"),
        ("w[l][k, j]**2", r"(w^{(\ell)}_{kj})^{2}"),
        ("a[l] * a[l]", r"a^{(\ell)} \odot a^{(\ell)}"),
        ("a[l]**2", r"(a^{(\ell)})^{\odot 2}"),
        ("diff(a[l][j], a[l][j_])", r"\frac{\partial a^{(\ell)}_{j}}{\partial a^{(\ell)}_{j'}}"),
    ],
)
def test_the_label_of_a_layer_stands_above(text, latex):
    names = Names()
    read_block(LAYERS, names)
    reader = reader_in(World(), names, {})
    l_, high = dims.symbol("l"), dims.symbol("L")
    with reader.inside(Range("l", sympy.Integer(1), high - 1)):
        expr = reader.read(ast.parse(text, mode="eval").body)
    assert Latex(display={"l": r"\ell"}, superscript=["w", "a"]).matrix(expr) == latex
    assert Latex(superscript=["n"]).size(dims.symbol("n[l]") * l_) in (r"l\,n^{(l)}", r"n^{(l)}\,l")


DISPLAY = {"w1": "w^{(1)}", "l": r"\ell", "p": r"\hat{y}"}


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("w1", "w^{(1)}"),
        ("w1_", "(w^{(1)})'"),
        ("l_", r"\ell'"),
        ("p[t]", r"\hat{y}_{t}"),
        ("w1[t]", "w^{(1)}_{t}"),
        ("h[_ - 1]", "(h_{t-1})_{t}"),
        ("h[_ + t - 1]", "(h_{s+t-1})_{s}"),  # the letter of the whole is not one of the label
    ],
)
def test_names_with_a_table(name, latex):
    assert Latex(display=DISPLAY).name(name) == latex
    assert is_harmless(latex)


@pytest.mark.parametrize("text", ["w1.T", "inv(w1)", "w1**2", "w1[i, j]**2", "matrix_power(w1, 3)", "w1_.T"])
def test_nothing_has_two_exponents(text):
    names = Names()
    read_block("w1: (n, n)\nw1_: (n, n)", names)
    latex = Latex(display=DISPLAY).matrix(reader_in(World(), names, {}).read(ast.parse(text, mode="eval").body))
    assert marks(latex) <= {"^"} and latex.startswith("(")


def test_a_power_of_a_marked_entry_in_index_notation():
    n = sympy.Symbol("n")
    entry = Entry(Tensor("w1", n, n), Index("j", n), Index("i", n))
    assert Latex(display=DISPLAY).index(Power(entry, sympy.Integer(2))) == "(w^{(1)}_{ji})^{2}"


# --- stacked families -----------------------------------------------------------------------------

n = sympy.Symbol("n", integer=True, positive=True)


@pytest.mark.parametrize(
    ("name", "indices", "latex"),
    [
        ("h[_]", "ti", "h_{t,i}"),
        ("h[_ - 1]", "ti", "h_{t-1,i}"),
        ("h[_ - 1]", "t", "h_{t-1}"),
        ("w[_ + 1]", "lkj", "w^{(l+1)}_{kj}"),
        ("softmax(o[_], 1)", "tk", r"\operatorname{softmax}(o_{t})_{k}"),
        ("h[t - 1]", "i", "h_{t-1,i}"),
    ],
)
def test_the_first_index_of_a_stacked_family_is_its_label(name, indices, latex):
    entry = Entry(Tensor(name, *[n] * len(indices)), *(Index(c, n) for c in indices))
    assert Latex(superscript=["w"]).index(entry) == latex


# --- ranges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ranges", "runs", "bounds"),
    [
        ([Range("t", sympy.Integer(1), T)], r"t = 1, \dots, T", r"1 \le t \le T"),
        ([Range("t", sympy.Integer(1), sympy.Integer(2))], "t = 1, 2", r"1 \le t \le 2"),
        (
            [Range("tau", sympy.Integer(0), T), Range("t", dims.symbol("tau"), T)],
            r"\tau = 0, \dots, T,\; t = \tau, \dots, T",
            r"0 \le \tau \le t \le T",
        ),
        (
            [Range("a", sympy.Integer(1), T), Range("b", sympy.Integer(1), a)],
            r"a = 1, \dots, T,\; b = 1, \dots, a",
            r"1 \le b \le a \le T",
        ),
        (
            [Range("a", sympy.Integer(1), T), Range("b", sympy.Integer(2), T - 1)],
            r"a = 1, \dots, T,\; b = 2, \dots, T-1",
            r"1 \le a \le T,\; 2 \le b \le T-1",
        ),
    ],
)
def test_ranges(ranges, runs, bounds):
    assert (Latex().runs(ranges), Latex().bounds(ranges)) == (runs, bounds)


def test_a_sum_without_some_terms(names):
    expr = read("sum(k[s] for s in range(1, T + 1))", names)
    assert Latex().all_but(expr, [t, t - 1])[0] == r"\sum_{s=1,\,s \ne t, t-1}^{T} k_{s}"


def test_a_terminal_shows_ranges_that_are_not_those_of_a_shape():
    assert Plain()(r"\sum_{s=\tau+1}^{t} x_{s}") == "Σ_{s=τ+1}^t xₛ"
    assert Plain()(r"\sum_{i=1}^{n} x_{i}") == "Σᵢ xᵢ"


# --- labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["h", "h[]", "h[t", "[t]", "J(t)[i]", "h[f(t)]", "h[t - 1] @ x[t]", "a b[t]"])
def test_other_names_are_no_members(name):
    assert member(name) is None


def test_labels():
    assert member("h[2*t - 1]") == ("h", 2 * t - 1)
    assert label_of("T - t") == T - t and label_of("t!") is None
    assert is_stacked("h[_ - 1]") and not is_stacked("h[t - 1]")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("h[t - 1]", {"t"}),
        ("sum(h[s] for s in range(0, t))", {"t"}),
        ("prod(J(s) for s in range(t, tau, -1))", {"t", "tau"}),
        ("q[T][y[t]]", {"T", "t"}),
        ("diff(h[T], theta)", {"T"}),
    ],
)
def test_the_parameters_of_an_expression(text, wanted, names):
    assert parameters(read(text, names)) - {"n", "d", "m", "p"} == wanted
