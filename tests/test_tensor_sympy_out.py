"""SymPy out: matrix forms, index forms, and the way back."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import sympy
from sympy import KroneckerDelta as Delta
from sympy import KroneckerProduct, Lambda, Symbol, Trace

import symderiv
from symderiv import derive, from_sympy, to_sympy, verify
from symderiv.errors import ShapeError, SymderivError, UnsupportedError
from symderiv.index.expand import same
from symderiv.index.narrow import narrow
from symderiv.lower import lower
from symderiv.tensor.origin import Origin
from symderiv.tensor.parse import parse, scope_of
from symderiv.tensor.sympy_out import matrix_expression
from symderiv.tensor.text import to_text

SHAPES = "X(n,p) Y(n,p) A(n,n) S(n,n) x(n) y(n) w(p) c() v(n,1) r(1,p)"
SIZES = {"n": 3, "p": 2}
POSITIVE = {"A": "invertible", "S": "positive_definite", "x": "positive", "X": "positive", "c": "positive"}

#  text, what it is in SymPy
TEXTS = [
    ("2 * X.T @ (X @ w)", "2*X.T*X*w"),
    ("x @ A @ x", "Trace(x.T*A*x)"),
    ("outer(x, w)", "x*w.T"),
    ("inner(x, y) * A", "Trace(x.T*y)*A"),
    ("norm(X @ w - x)", "sqrt(Trace((w.T*X.T - x.T)*(X*w - x)))"),
    ("trace(A)**2 + det(A)", "Determinant(A) + Trace(A)**2"),
    ("logdet(S) * inv(A).T", "log(Abs(Determinant(S)))*A.T**(-1)"),
    ("solve(A, x)", "A**(-1)*x"),
    ("X * Y", "HadamardProduct(X, Y)"),
    ("X * Y * X", "HadamardProduct(X, Y, X)"),
    ("X / Y", "HadamardProduct(X, HadamardPower(Y, -1))"),
    ("X / c", "1/c*X"),
    ("1 / X", "HadamardPower(X, -1)"),
    ("X**2 + 1", None),
    ("X**c - c", None),
    ("c**X", None),
    ("sqrt(X) + exp(X)", None),
    ("X * w", "X*DiagMatrix(w)"),
    ("x[:, None] * X", "DiagMatrix(x)*X"),
    ("X + w", None),
    ("x[:, None] + X", None),
    ("x[:, None] * w", "x*w.T"),
    ("x[:, None] - w", None),
    ("X / x[:, None]", "DiagMatrix(HadamardPower(x, -1))*X"),
    ("v * r", "v*r"),
    ("X * v", "DiagMatrix(v)*X"),
    ("v + w", None),
    ("x * y - 2 * x", None),
    ("sum(X)", None),
    ("sum(x)", None),
    ("sum(X * Y)", "Trace(X.T*Y)"),
    ("sum(x**2)", "Trace(x.T*x)"),
    ("sum(X, 0)", None),
    ("sum(X, 1) + mean(X, 1)", None),
    ("mean(X) + mean(x)", None),
    ("diag(x) + diag(diag(A))", "DiagMatrix(DiagonalOf(A)) + DiagMatrix(x)"),
    ("diag(A)", "DiagonalOf(A)"),
    ("kron(A, X)", "KroneckerProduct(A, X)"),
    ("kron(x, w)", "KroneckerProduct(x, w)"),
    ("matrix_power(A, 3) @ matrix_power(A, -2)", None),
    ("matrix_power(A, 0)", "I"),
    ("eye(n) - ones(n, n) / n", None),
    ("zeros(n, p)", "0"),
    ("tanh(X @ w)", None),
    ("sigmoid(X) + softplus(X) + relu(X) + log1p(X) + expm1(X)", None),
    ("arcsin(x / 9) + arctan(x) + abs(x) + sign(x)", None),
    ("maximum(X, 0) + minimum(X, c)", None),
    ("maximum(x @ y, c)", None),
    ("where(X > 1, X**2, -X) + where(c > 2, c, 1)", None),
    ("where(x <= 1, 1, 0) + where(x < 1, 2, 3) + where(x >= 1, 1, 0)", None),
    ("where(X**2 - ones(n, p) > 0, X, ones(n, p))", None),
    ("softmax(x, 0)", None),
    ("softmax(X, 0) + softmax(X, 1)", None),
    ("logsumexp(x) + logsumexp(X) + logsumexp(c)", None),
    ("logsumexp(X, 0) + logsumexp(X.T, 1)", None),
    ("prod(x) + prod(X) + prod(X @ w)", None),
    ("vec(x)", "x"),
    ("dot(x, A @ y)", None),
    ("reshape(v, (n,))", "v"),
    ("c + n * c**2", "c**2*n + c"),
    ("x.T @ A", "A.T*x"),
]
NO_MATRIX = [
    ("vec(X)", "vec"),
    ("reshape(X, (n * p,))", "reshape"),
    ("einsum('ij,kj->ik', X, Y)", "einsum"),
    ("einsum('i,j,k->ijk', x, x, x)", "einsum|axes"),
    ("maximum(X, Y)", "several arrays"),
    ("where(X > Y, X, Y)", "several arrays"),
    ("prod(X, 0)", "product along one axis"),
    ("x[:, None, None] + c", "axes"),
]


@pytest.fixture(scope="module")
def scope(shapes_of):
    return scope_of(shapes_of(SHAPES))


def column(array):
    array = np.asarray(array)
    return array[:, None] if array.ndim == 1 else array


@pytest.mark.parametrize(("text", "shown"), TEXTS)
def test_a_text_in_sympy(text, shown, scope, plain_value, evaluate, arrays):
    """The value by SymPy's definitions is that of NumPy, and reading back gives the same normal form."""
    found = matrix_expression(parse(text, scope))
    assert shown is None or str(found) == shown
    given = arrays(SHAPES, POSITIVE)
    want = column(evaluate(text, SHAPES, given))
    np.testing.assert_allclose(plain_value(found, given, SIZES), want, rtol=1e-12, atol=1e-12)
    assert not found.is_Matrix or [str(s) for s in found.shape] == [str(s) for s in column_shape(parse(text, scope))]


def column_shape(expr):
    return (*expr.shape, 1)[:2]


# SymPy orders the arguments of a maximum; the engine keeps the order of axes under a function along one.
TURNED = {"maximum(x @ y, c)", "logsumexp(X, 0) + logsumexp(X.T, 1)"}


@pytest.mark.parametrize("text", [text for text, _ in TEXTS])
def test_the_way_back_is_exact(text, scope, shapes_of, evaluate, arrays):
    expr = parse(text, scope)
    back = from_sympy(matrix_expression(expr), shapes=shapes_of(SHAPES))
    assert text in TURNED or same(narrow(lower(back.expr).node), narrow(lower(expr).node))
    given = arrays(SHAPES, POSITIVE)
    found, want = (evaluate(t, SHAPES, given) for t in (to_text(back.expr), text))
    np.testing.assert_allclose(np.squeeze(found), np.squeeze(want), rtol=1e-12)


@pytest.mark.parametrize(("text", "said"), NO_MATRIX)
def test_what_is_no_matrix_is_refused(text, said, scope):
    with pytest.raises(UnsupportedError, match=said) as caught:
        matrix_expression(parse(text, scope))
    assert "index_form" in caught.value.hint


# --- derivatives

n, p, q = sympy.symbols("n p q")
X, Y = sympy.MatrixSymbol("X", n, p), sympy.MatrixSymbol("Y", n, p)
A, B, S = (sympy.MatrixSymbol(name, n, n) for name in "ABS")
x, y, w = sympy.MatrixSymbol("x", n, 1), sympy.MatrixSymbol("y", n, 1), sympy.MatrixSymbol("w", p, 1)
r, V = sympy.MatrixSymbol("r", 1, n), sympy.MatrixSymbol("V", q, p)
c, t = Symbol("c"), Symbol("t")
ARRAYS = "X(n,p) Y(n,p) A(n,n) B(n,n) S(n,n) x(n,1) y(n,1) w(p,1) r(1,n) V(q,p) c()"
NUMBERS = {"n": 3, "p": 2, "q": 5}

MATRIX_FORMS = [
    (x.T * A * x, "x"),
    (x.T * A * x, ["x", "x"]),
    (A * x, "x"),
    (r * A, "r"),
    (c * A * x, "c"),
    (c**2 * A, "c"),
    (c**3 * sympy.Determinant(A), ["c", "c"]),
    (sympy.sqrt((x - y).T * (x - y)), "x"),
    (x / sympy.sqrt((x.T * x)[0, 0]), "x"),
    ((X * w - x).T * (X * w - x), "w"),
    ((X * w - x).T * (X * w - x), ["w", "w"]),
    ((X * w - x).T * (X * w - x), "X"),
    (sympy.log(sympy.Determinant(S)), "S"),
    (sympy.log(sympy.Abs(sympy.Determinant(X.T * X))), "X"),
    (Trace(A * S.inverse() * B), "S"),
    (Trace(S**3), "S"),
    (Trace(S) ** 2 / 2 + sympy.exp(Trace(A * S)), "S"),
    (Trace(sympy.HadamardProduct(A, S)), "S"),
    (Trace(sympy.HadamardPower(S, 3) * A), "S"),
    (Trace(S.T * KroneckerProduct(x, x.T)), "x"),
    ((X * w).applyfunc(sympy.tanh), "w"),
    (A * (X * w).applyfunc(Lambda(t, 1 / (1 + sympy.exp(-t)))), "w"),
    (Trace(V * X.T * (X * V.T).applyfunc(sympy.tanh)), "X"),
    (sympy.DiagMatrix(x) * A * y, "x"),
    (sympy.DotProduct(x, y) * x, "x"),
    (x.applyfunc(sympy.exp) / Trace(sympy.OneMatrix(1, n) * x.applyfunc(sympy.exp)), "x"),
    (sympy.log(Trace(sympy.OneMatrix(1, n) * x.applyfunc(sympy.exp))), ["x", "x"]),
    (sympy.Max(0, (x.T * y)[0, 0]), "x"),
    (Trace(X.applyfunc(Lambda(t, sympy.Max(t, 0))).T * Y), "X"),
    (sympy.sqrt(1 + Trace(X.T * X)), "X"),
    (c * sympy.exp(-c * x.T * x), "c"),
    (sympy.MatrixSymbol("o", 1, 1).T * x.T, "x"),
]  # fmt: skip


def given_for(arrays):
    return {**arrays(ARRAYS, {"S": "positive_definite", "c": "positive"}, NUMBERS), "o": np.array([[1.7]])}


def dropped(shape):
    """Return the shape that a derivative has as a matrix."""
    wide = shape if len(shape) <= 2 else tuple(s for s in shape if s != 1)
    return (*wide, 1) if len(wide) == 1 else wide


@pytest.mark.parametrize(("expr", "wrt"), MATRIX_FORMS, ids=str)
def test_matrix_forms(expr, wrt, arrays, plain_value, slope_of):
    """The matrix form, by SymPy's definitions, is the difference quotient of the function, by the same."""
    d, given = derive(expr, wrt), given_for(arrays)
    form = d.matrix_form
    want, order = (lambda at: np.squeeze(plain_value(expr, at, NUMBERS))), [wrt] if isinstance(wrt, str) else wrt
    for name in order:
        inner = want
        want = lambda at, inner=inner, name=name: slope_of(inner, at, name)  # noqa: E731
    got = plain_value(form, given, NUMBERS)
    np.testing.assert_allclose(np.squeeze(got), np.squeeze(want(given)), rtol=2e-5, atol=1e-6)
    if form.is_Matrix:
        assert tuple(map(str, form.shape)) == tuple(map(str, dropped(d.shape)))
    assert form.free_symbols - {X, Y, A, B, S, x, y, w, r, V, c, sympy.MatrixSymbol("o", 1, 1), n, p, q} == set()
    back = verify(expr, wrt, form)
    assert back.status == "proved"
    assert pickle.loads(pickle.dumps(d)).matrix_form == d.result.to_sympy() == form


def test_the_result_combines_with_the_users_own_symbols():
    d = derive((X * w - x).T * (X * w - x), "w")
    assert d.matrix_form == d.result.to_sympy() == 2 * X.T * (X * w - x)
    assert (d.matrix_form - 2 * X.T * X * w + 2 * X.T * x).expand().doit() == sympy.ZeroMatrix(p, 1)
    assert derive(x.T * A * x, "x").matrix_form - (A + A.T) * x == sympy.ZeroMatrix(n, 1)
    assert derive(Trace(A * S), "S").matrix_form == A.T
    assert derive(c * n * Trace(A), "A").matrix_form == c * n * sympy.Identity(n)
    positive = Symbol("n", integer=True, positive=True)
    P = sympy.MatrixSymbol("P", positive, positive)
    assert derive(Trace(P * P), "P").matrix_form == 2 * P.T


def test_symbols_name_the_variables():
    f = (X * w - x).T * (X * w - x)
    assert derive(f, w).result == derive(f, "w").result
    assert derive(f, [w, X]).result == derive(f, ["w", "X"]).result
    assert derive(a[i] ** 2 * u[i], a, shapes={"u": ("n",)}).shape == derive(a[i] ** 2, "a").shape
    assert verify(c**2 * Trace(A), c, 2 * c * Trace(A)).status == "proved"
    assert str(symderiv.gradients(f, [w, x])["x"]) == str(derive(f, x).result)


def test_texts_have_matrix_forms_too():
    d = derive("norm(X @ w - y)**2", "w", shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    assert str(d.matrix_form) == "2*X.T*(X*w - y)"
    assert [str(s) for s in d.matrix_form.shape] == ["p", "1"]
    grads = symderiv.gradients("norm(X @ w - y)**2", ["w", "X"], shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    assert str(grads.results["X"].to_sympy()) == "2*(X*w - y)*w.T"


@pytest.mark.parametrize(
    ("expr", "wrt", "said"),
    [
        (Trace(S**3), ["S", "S"], "no matrix"),
        (A * S, "S", "no matrix"),
        (x * x.T, "x", "no matrix"),
        (sympy.DiagonalOf(S), "S", "no matrix"),
    ],
    ids=str,
)
def test_what_has_more_axes_is_refused(expr, wrt, said):
    d = derive(expr, wrt)
    with pytest.raises(UnsupportedError, match=said) as caught:
        d.matrix_form  # noqa: B018
    assert "index_form" in caught.value.hint


# --- claims


@pytest.mark.parametrize(
    ("expr", "wrt", "claim", "status"),
    [
        (x.T * A * x, "x", A * x + A.T * x, "proved"),
        (x.T * A * x, "x", 2 * A * x, "refuted"),
        (x.T * A * x, ["x", "x"], A + A.T, "proved"),
        (X * w, "w", X, "proved"),
        (X * w, "w", 2 * X, "refuted"),
        (sympy.log(sympy.Determinant(S)), "S", S.inverse().T, "proved"),
        (sympy.log(sympy.Determinant(S)), "S", S.inverse(), "refuted"),
        (Trace(S), "S", sympy.Identity(n), "proved"),
        (Trace(S), "S", sympy.OneMatrix(n, n), "refuted"),
        (Trace(A + S) - Trace(S), "S", sympy.ZeroMatrix(n, n), "proved"),
        (c**2 * Trace(A), "c", 2 * c * Trace(A), "proved"),
        (c**2 * x.T * x, "c", 2 * c * x.T * x, "proved"),
        (r * A, "r", A.T, "proved"),
        (r * A, "r", A, "refuted"),
    ],
    ids=str,
)
def test_claims_in_sympy(expr, wrt, claim, status):
    assert verify(expr, wrt, claim).status == status


def test_a_claim_in_sympy_about_a_text():
    shapes = {"X": ("n", "p"), "w": ("p",), "y": ("n",)}
    assert verify("norm(X @ w - y)**2", "w", 2 * X.T * (X * w - y), shapes=shapes).status == "proved"
    assert verify("norm(X @ w - y)**2", ["w", "w"], 2 * X.T * X, shapes=shapes).status == "proved"
    assert verify("norm(X @ w - y)**2", "w", X.T * (X * w - y), shapes=shapes).status == "refuted"


@pytest.mark.parametrize(
    ("expr", "wrt", "claim", "said"),
    [
        (x.T * A * x, "x", x.T * (A + A.T), "transpose"),
        (X * w, "w", X.T, "transpose"),
        ((X * w - x).T * (X * w - x), "X", 2 * w * (X * w - x).T, "transpose"),
        (x.T * A * x, "x", A, "shape of the variable"),
        (A * S, "S", A, "no form as a matrix|shape of the variable"),
        (x.T * A * x, "x", Trace(A), "another shape"),
        (Trace(A), "A", sympy.Identity(p), "another shape"),
    ],
    ids=str,
)
def test_a_claim_in_another_layout_is_refused(expr, wrt, claim, said):
    with pytest.raises(ShapeError) as caught:
        verify(expr, wrt, claim)
    assert any(word in str(caught.value) for word in said.split("|"))


# --- the index form

i, j, k = sympy.symbols("i j k", integer=True)
a, u, M = sympy.IndexedBase("a", shape=(n,)), sympy.IndexedBase("u"), sympy.IndexedBase("M", shape=(n, p))
EVERY = [
    ("norm(X @ w - x)**2", "w"),
    ("x @ A @ x", ["x", "x"]),
    ("sum(x)", "x"),
    ("x", "x"),
    ("ones(n) @ x * A", "x"),
    ("logdet(A)", "A"),
    ("inv(A) @ x", ["A"]),
    ("trace(inv(A) @ S @ inv(A.T @ S))", "A"),
    ("log(det(A))", ["A", "A"]),
    ("softmax(x, 0)", ["x", "x"]),
    ("softmax(X, 1)", "X"),
    ("softmax(A @ x, 0) @ y", "x"),
    ("logsumexp(X @ w)", "w"),
    ("logsumexp(X)", "X"),
    ("prod(x)", "x"),
    ("sum(maximum(X @ w, x))", "w"),
    ("sum(relu(X @ w))", ["w"]),
    ("sum(sigmoid(X @ w) * x)", ["w", "w"]),
    ("sum(softplus(x)) + sum(log1p(x))", "x"),
    ("where(x > 1, x**2, sqrt(x))", "x"),
    ("x * y[:, None]", "x"),
    ("einsum('i,j,k->ijk', x, y, x)", "y"),
    ("matrix_power(A, 2)", "A"),
    ("kron(x, y)", "x"),
    ("logdet(kron(A, X.T @ X))", "A"),
    ("inv(kron(A, S)) @ kron(x, y)", "x"),
    ("vec(X @ outer(w, w))", "w"),
    ("mean(X, 0) / n", "X"),
    ("abs(x) + sign(x) * x", "x"),
    ("sum(where(X > 0, X, 2 * X) @ w * tanh(A @ where(x > 1, x, x**2)))", "x"),
    ("exp(outer(where(x > 1, x, x**2), y) @ A @ where(y > 0, y, 1))", "x"),
]


# Equal in value only: the product of the other entries is a choice as text, choices under two sums are steps.
STEPPED = {"prod(x)", "sum(where(X > 0, X, 2 * X) @ w * tanh(A @ where(x > 1, x, x**2)))"}


def index_value(d, given, plain_value, sizes):
    """Return the value of an index form, the heads of its definitions evaluated by NumPy."""
    numbers = [sizes[str(s)] if str(s) in sizes else int(s) for axis in d.result.expr.axes for s in axis]
    return plain_value(d.index_form, given, sizes, list(zip(d.free_indices, numbers, strict=True)))


@pytest.mark.parametrize(("text", "wrt"), EVERY, ids=str)
def test_index_forms(text, wrt, shapes_of, arrays, evaluate, plain_value):
    """Written out entry by entry, by SymPy's definitions, the index form is the compiled derivative."""
    shapes, given = shapes_of(SHAPES), arrays(SHAPES, POSITIVE)
    d = derive(text, wrt, shapes=shapes)
    heads = {name: evaluate(what, SHAPES, given) for name, what in d.index_definitions.items()}
    derivative = d.compile()
    want = np.asarray(derivative(**{a.name: given[a.name] for a in derivative.arguments}))
    got = index_value(d, {**given, **heads}, plain_value, SIZES)
    np.testing.assert_allclose(got.reshape(want.shape), want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("text", "wrt"), EVERY, ids=str)
def test_index_forms_keep_their_value_in_sympys_hands(text, wrt, shapes_of, arrays, evaluate):
    """With numbers for the sizes, sums are carried out by SymPy itself, then entries are put in."""
    shapes, given = shapes_of(SHAPES), arrays(SHAPES, POSITIVE)
    d = derive(text, wrt, shapes=shapes)
    values = {**given, **{name: evaluate(what, SHAPES, given) for name, what in d.index_definitions.items()}}
    derivative = d.compile()
    want = np.asarray(derivative(**{a.name: given[a.name] for a in derivative.arguments}))
    form = d.index_form.xreplace({s: sympy.Integer(SIZES[s.name]) for s in sizes_in(d.index_form)}).doit()
    numbers = [SIZES.get(str(s), s) for axis in d.result.expr.axes for s in axis]
    rng = np.random.default_rng(0)
    for place in {tuple(int(rng.integers(int(s))) for s in numbers) for _ in range(6)}:
        entry = form.xreplace(dict(zip(d.free_indices, map(sympy.Integer, place), strict=True))).doit()
        known = {e: float(values[str(e.base)][tuple(map(int, e.indices))]) for e in entry.atoms(sympy.Indexed)}
        known |= {s: float(values[s.name]) for s in entry.atoms(Symbol) if np.ndim(values.get(s.name)) == 0}
        got = sympy.N(entry.xreplace(known))
        assert float(got) == pytest.approx(want.reshape([int(s) for s in numbers])[place], rel=1e-9, abs=1e-11)


def sizes_in(form):
    return {s for s in form.atoms(Symbol) if s.name in SIZES}


@pytest.mark.parametrize(("text", "wrt"), EVERY, ids=str)
def test_an_index_form_reads_back(text, wrt, shapes_of):
    """With its free indices and definitions, an index form is the derivative: normal form for normal form."""
    shapes = shapes_of(SHAPES)
    d = derive(text, wrt, shapes=shapes)
    flat = [size for axis in d.result.expr.axes for size in axis]
    free = dict(zip(d.free_indices, flat, strict=True))
    back = from_sympy(d.index_form, free=free, definitions=d.index_definitions, shapes=shapes)
    assert text in STEPPED or same(lower(back.expr).node, lower(d.result.expr).node)
    assert verify(text, wrt, d.index_form, shapes=shapes).status == "proved"


def test_an_index_form_can_be_differentiated_again():
    shapes = {"A": ("n", "n"), "x": ("n",)}
    d = derive("x @ inv(A) @ x", "x", shapes=shapes)
    back = from_sympy(d.index_form, free=d.free_indices, definitions=d.index_definitions, shapes=shapes)
    assert str(derive(back, "x").result) == str(derive("x @ inv(A) @ x", ["x", "x"], shapes=shapes).result)


@pytest.mark.parametrize(
    ("expr", "wrt", "form"),
    [
        (sympy.Sum(a[i] ** 2, (i, 0, n - 1)), "a", 2 * a[i]),
        (sympy.Sum(a[k] ** 2, (k, 1, n)) * a[j], "a", None),
        (sympy.Sum(u[i] * M[i, k], (i, 0, n - 1)), "u", M[i, k]),
    ],
    ids=str,
)
def test_index_forms_use_the_users_symbols(expr, wrt, form):
    d = derive(expr, wrt)
    known = expr.free_symbols | {i, j, k} | {s.base for s in expr.atoms(sympy.Indexed)}
    assert d.index_form.atoms(sympy.IndexedBase) <= known
    assert {s for s in d.index_form.atoms(sympy.Symbol) if str(s) in ("n", "p")} <= {n, p}
    assert verify(expr, wrt, d.index_form).status == "proved"
    starts = {limit[1] for e in (expr, d.index_form) for s in e.atoms(sympy.Sum) for limit in s.limits}
    assert len(starts) <= 1  # sums run as the user's do
    if form is not None:
        assert verify(expr, wrt, form).status == "proved"


def test_free_indices_keep_their_names():
    d = derive(M[j, k] * a[j], "a")
    assert d.free_indices[:2] == (j, k)
    assert [str(s) for s in d.shape] == ["n", "p", "n"]
    assert verify(M[j, k] * a[j], "a", M[j, k] * Delta(i, j)).status == "proved"
    assert verify(M[j, k] * a[j], "a", M[i, k] * Delta(i, j)).status == "proved"
    assert verify(M[j, k] * a[j], "a", M[j, k] * Delta(i, k)).status == "refuted" if n == p else True


def test_the_names_of_free_indices_tell_a_claim_from_its_transpose():
    F = sympy.IndexedBase("F", shape=(n, n))
    f = sympy.Sum(F[j, i] * a[i], (i, 0, n - 1))
    assert verify(f, "a", F[j, i]).status == "proved"
    assert verify(f, "a", F[i, j]).status == "refuted"


def test_too_many_free_indices_are_refused():
    with pytest.raises(SymderivError, match="free indices"):
        verify(sympy.Sum(a[i] ** 2, (i, 0, n - 1)), "a", a[i] * a[j])


def test_tensors_and_symbols():
    U, z = symderiv.declare("U: (n, p)", "z: (p,)")
    assert str(to_sympy(U @ z)) == "U*z"
    own = sympy.MatrixSymbol("U", n, p)
    assert to_sympy(U.T @ U, [own, n, p]) == own.T * own
    assert lower(from_sympy(to_sympy(U.T @ U)).expr).node is lower((U.T @ U).expr).node


def test_an_unknown_function_keeps_its_name():
    shapes = {"X": ("n", "p"), "w": ("p",)}
    d = derive("sum(h(X @ w))", "w", shapes=shapes, functions={"h": ["dh"]})
    dh = sympy.Function("dh")
    assert d.matrix_form.atoms(sympy.core.function.AppliedUndef) and "dh" in str(d.matrix_form)
    assert any(isinstance(e, dh) for e in d.index_form.atoms(sympy.core.function.AppliedUndef))
    assert verify("sum(h(X @ w))", "w", d.matrix_form, shapes=shapes, functions={"h": ["dh"]}).status == "proved"
    assert verify("sum(h(X @ w))", "w", d.index_form, shapes=shapes, functions={"h": ["dh"]}).status == "proved"


def test_an_origin_maps_sizes_and_columns():
    origin = Origin({"x": sympy.MatrixSymbol("x", 1, n), "n": n, "c": c})
    scope = scope_of({"x": ("n",), "c": ()})
    assert matrix_expression(parse("c * x / n", scope), origin) == c * (1 / n) * sympy.MatrixSymbol("x", 1, n).T
