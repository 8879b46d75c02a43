"""Derivatives as structured linear maps: entries against differences, products and systems against dense algebra."""

from __future__ import annotations

import inspect
import itertools
import pickle

import numpy as np
import pytest

from symderiv import ShapeError, SymderivError, UnsupportedError, derive
from symderiv.code.compiled import compiled
from symderiv.factors import solving
from symderiv.factors.parts import Product
from symderiv.tensor.parse import parse, scope_of

# text, variables, shapes, assumptions, kind, whether systems have one solution (None: no square)
CASES = [
    ("norm(T - U @ V.T)**2", "UU", "T(m,q) U(m,n) V(q,n)", {}, "equal blocks", True),
    ("norm(T - U @ V.T)**2", "UV", "T(m,q) U(m,n) V(q,n)", {}, "sum", None),
    ("norm(T - U @ V.T)**2 + c * norm(U)**2", "UU", "T(m,p) U(m,n) V(p,n) c()", {"c": "positive"}, "equal blocks",
     True),
    ("tanh(x)", "x", "x(n)", {}, "diagonal", True),
    ("tanh(X)", "X", "X(n,m)", {}, "diagonal", True),
    ("tanh(X)", "X", "X(n,s)", {}, "diagonal", True),
    ("tanh(X)", "X", "X(s,z)", {}, "diagonal", True),
    ("X * d[:, None]", "X", "X(n,m) d(n)", {}, "diagonal", True),
    ("softmax(X, 1)", "X", "X(n,m)", {}, "block diagonal", False),
    ("softmax(X, 0)", "X", "X(n,m)", {}, "block diagonal", False),
    ("softmax(x, 0)", "x", "x(m)", {}, "diagonal plus low rank", False),
    ("x + softmax(x, 0)", "x", "x(m)", {}, "diagonal plus low rank", True),
    ("X + softmax(X, 1)", "X", "X(n,m)", {}, "block diagonal", True),
    ("X - mean(X, 0)", "X", "X(n,m)", {}, "equal blocks", False),
    ("2 * X - mean(X, 0)", "X", "X(n,m)", {}, "equal blocks", True),
    ("X / sqrt(mean(X**2, 0) + c)", "X", "X(n,m) c()", {"c": "positive"}, "block diagonal", True),
    ("x * (a @ x)", "x", "x(m) a(m)", {}, "diagonal plus low rank", True),
    ("trace(X) * X", "X", "X(n,n)", {}, "diagonal plus low rank", True),
    ("norm(x)", "xx", "x(n)", {}, "diagonal plus low rank", False),
    ("outer(x, y)", "x", "x(n) y(m)", {}, "equal blocks", None),
    ("a * (b @ x)", "x", "x(n) a(m) b(n)", {}, "rank one", None),
    ("a * (b @ x) + d * (c @ x)", "x", "x(n) a(m) b(n) c(n) d(m)", {}, "low rank", None),
    ("tanh(X @ W)", "X", "X(m,n) W(n,n)", {}, "block diagonal", True),
    ("tanh(X @ W)", "X", "X(m,n) W(n,q)", {}, "block diagonal", None),
    ("tanh(X @ W)", "W", "X(n,n) W(n,m)", {}, "block diagonal", True),
    ("A @ X @ B", "X", "A(n,n) X(n,m) B(m,m)", {}, "Kronecker product", True),
    ("A @ X @ B", "X", "A(q,n) X(n,m) B(m,p)", {}, "Kronecker product", None),
    ("X.T", "X", "X(n,m)", {}, "permutation", True),
    ("X.T * Y", "X", "X(n,m) Y(m,n)", {}, "scaled permutation", True),
    ("A @ X.T @ B", "X", "A(m,m) X(n,m) B(n,n)", {}, "Kronecker product", True),
    ("kron(A, X)", "X", "A(m,q) X(n,p)", {}, "equal blocks", None),
    ("vec(A @ X)", "X", "A(n,n) X(n,m)", {}, "equal blocks", True),
    ("inv(X)", "X", "X(n,n)", {"X": "invertible"}, "Kronecker product", True),
    ("logdet(X)", "XX", "X(n,n)", {"X": "invertible"}, "Kronecker product", True),
    ("A @ X + X @ B", "X", "A(n,n) X(n,m) B(m,m)", {}, "Kronecker sum", True),
    ("A @ X + X @ B + c * X", "X", "A(n,n) X(n,m) B(m,m) c()", {}, "Kronecker sum", True),
    ("norm(A @ X)**2 + norm(X @ B)**2", "XX", "A(q,n) X(n,p) B(p,m)", {}, "Kronecker sum", True),
    ("einsum('ai,ijk->ajk', A, T) + einsum('aj,ijk->iak', B, T) + einsum('ak,ijk->ija', C, T)", "T",
     "T(n,m,p) A(n,n) B(m,m) C(p,p)", {"A": "positive_definite", "B": "positive_definite", "C": "positive_definite"},
     "Kronecker sum", True),
    ("sum(softplus(X @ w)) + c * norm(w)**2", "ww", "X(n,q) w(q) c()", {"c": "positive"}, "sum", True),
    ("sum(softplus(X @ w)) + c * norm(w)**2", "ww", "X(q,n) w(n) c()", {"c": "positive"}, "sum", True),
    ("sum(softplus(X @ w)) + sum(d * w**2)", "ww", "X(n,q) w(q) d(q)", {"d": "positive"}, "sum", True),
    ("sum(logsumexp(X @ W, 1)) + c * norm(W)**2", "WW", "X(n,m) W(m,q) c()", {"c": "positive"}, "sum", True),
    ("sum(logsumexp(X @ W, 1)) + c * norm(W)**2", "WW", "X(m,p) W(p,n) c()", {"c": "positive"}, "sum", True),
    ("sum(softplus(X @ W))", "WW", "X(q,n) W(n,p)", {}, "block diagonal", True),
    ("x @ A @ x", "xx", "x(n) A(n,n)", {}, "dense block", True),
    ("norm(x)", "x", "x(n)", {}, "dense block", None),
    ("c**3", "cc", "c()", {}, "dense block", True),
    ("c * X", "c", "c() X(n,m)", {}, "dense block", None),
    ("sum(X, 0)", "X", "X(n,m)", {}, "equal blocks", None),
    ("diag(x)", "x", "x(n)", {}, "block diagonal", None),
    ("diag(X)", "X", "X(n,n)", {}, "block diagonal", None),
    ("A @ X + Y", "Y", "A(n,m) X(m,q) Y(n,q)", {}, "identity", True),
    ("3 * x", "x", "x(n)", {}, "multiple of the identity", True),
]  # fmt: skip
NAMES = [f"{text} in {wrt}, {shapes}" for text, wrt, shapes, *_ in CASES]


KNOWN = {}


def bound(shapes_of, text, wrt, shapes, assume=None):
    key = text, wrt, shapes, tuple((assume or {}).items())
    if key not in KNOWN:
        KNOWN[key] = derive(text, list(wrt), shapes=shapes_of(shapes), assume=assume).structure
    return KNOWN[key]


@pytest.fixture
def differences(evaluate, slope_of):
    """Return a derivative by differences, of differences for a higher one."""

    def value(text, wrt, shapes, given):
        if not wrt:
            return evaluate(text, shapes, given)
        *before, last = wrt
        return slope_of(lambda at: value(text, before, shapes, at), given, last, 1e-2 if before else 1e-3)

    return value


@pytest.mark.parametrize(("text", "wrt", "shapes", "assume", "kind", "solvable"), CASES, ids=NAMES)
def test_entries(text, wrt, shapes, assume, kind, solvable, shapes_of, arrays, differences):
    given = arrays(shapes, assume)
    s = bound(shapes_of, text, wrt, shapes, assume)
    assert s.kind == kind
    found = s.compile()(**given).dense()
    wanted = differences(text, wrt, shapes, given)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("text", "wrt", "shapes", "assume", "kind", "solvable"), CASES, ids=NAMES)
@pytest.mark.parametrize("equal", [False, True])
def test_products_and_systems(text, wrt, shapes, assume, kind, solvable, equal, shapes_of, arrays):
    """`op @ x`, its transpose and its inverse are those of the flat matrix; also where all sizes are equal."""
    given = arrays(shapes, assume, dict.fromkeys("nmpq", 3) if equal else None, seed=3)
    op = bound(shapes_of, text, wrt, shapes, assume).compile()(**given)
    matrix = op.dense().reshape(op.shape)
    rng = np.random.default_rng(7)
    x, y = rng.standard_normal(op.column_shape), rng.standard_normal(op.row_shape)
    for found, wanted, shape in [(op.matvec, matrix, x), (op.rmatvec, matrix.T, y)]:
        value = found(shape)
        assert value.shape == (op.row_shape if wanted is matrix else op.column_shape)
        np.testing.assert_allclose(value.ravel(), wanted @ shape.ravel(), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(found(shape.ravel()).ravel(), value.ravel())
    np.testing.assert_array_equal(op @ x, op.matvec(x))
    if matrix.shape[0] != matrix.shape[1]:
        assert solvable is None or equal
        with pytest.raises(ShapeError, match="no inverse"):
            op.solve(y)
    elif np.linalg.cond(matrix) > 1e14:
        with pytest.raises((np.linalg.LinAlgError, UnsupportedError)):
            op.solve(y)
    else:
        try:
            found = op.solve(y)
        except UnsupportedError:
            assert solvable is None  # a sum for which no way is known
            return
        assert found.shape == op.column_shape
        np.testing.assert_allclose(found.ravel(), np.linalg.solve(matrix, y.ravel()), rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(op.solve(y.ravel()).ravel(), found.ravel())


@pytest.mark.parametrize(("text", "wrt", "shapes", "assume", "kind", "solvable"), CASES, ids=NAMES)
def test_what_is_solvable(text, wrt, shapes, assume, kind, solvable, shapes_of, arrays):
    given = arrays(shapes, assume)
    op = bound(shapes_of, text, wrt, shapes, assume).compile()(**given)
    if solvable is None:
        assert op.shape[0] != op.shape[1]
    elif solvable:
        b = np.ones(op.row_shape)
        np.testing.assert_allclose(op.matvec(op.solve(b)), b, rtol=1e-8, atol=1e-8)
    else:
        with pytest.raises(np.linalg.LinAlgError, match=r"singular|is 0"):
            op.solve(np.ones(op.row_shape))


@pytest.mark.parametrize(("text", "wrt", "shapes", "assume", "kind", "solvable"), CASES, ids=NAMES)
def test_generated_functions(text, wrt, shapes, assume, kind, solvable, shapes_of, arrays):
    given = arrays(shapes, assume)
    s = bound(shapes_of, text, wrt, shapes, assume)
    op = s.compile()(**given)
    source = s.to_numpy()
    sizes = {str(k): op.sizes[a] for a, k in enumerate(s.node.dims)}
    rng = np.random.default_rng(7)
    atoms = [op.sizes[a] for a in range(s.row_count)]
    x, y = rng.standard_normal(op.column_shape), rng.standard_normal(atoms)

    def call(name, array=None):
        function = compiled(source, name)
        arguments = list(inspect.signature(function).parameters)
        own = {n: {**sizes, **given}.get(n) for n in arguments}
        if array is not None:
            new = [n for n in arguments if own[n] is None]
            assert len(new) == 1
            own[new[0]] = array
        return function(**own)

    np.testing.assert_allclose(call("matvec", x), op.matvec(x), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(call("rmatvec", y), op.rmatvec(y.reshape(op.row_shape)), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(call("dense"), op.dense(), rtol=1e-9, atol=1e-10)
    if solvable and "\ndef solve(" in source:
        np.testing.assert_allclose(call("solve", y), op.solve(y), rtol=1e-8, atol=1e-9)


def test_which_kinds_have_a_function_solve(shapes_of):
    written = {k for t, w, s, a, k, solvable in CASES if "def solve(" in bound(shapes_of, t, w, s, a).to_numpy()}
    assert written >= {
        "identity", "diagonal", "permutation", "equal blocks", "block diagonal", "Kronecker product", "Kronecker sum",
        "diagonal plus low rank", "dense block", "sum",
    }  # fmt: skip


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("text", "wrt", "shapes", "wanted"),
    [
        ("norm(T - U @ V.T)**2", "UU", "T(m,n) U(m,k) V(n,k)", "δ[i,l] ⊗ (2 * V.T @ V)[j,p]"),
        ("tanh(x)", "x", "x(n)", "δ[i,j] (1 - tanh(x)**2)[i]"),
        ("softmax(x, 0)", "x", "x(n)", "δ[i,j] softmax(x, 0)[i] - softmax(x, 0)[i] ⊗ softmax(x, 0)[j]"),
        ("A @ X @ B", "X", "A(m,n) X(n,p) B(p,q)", "A[i,k] ⊗ B.T[j,l]"),
        ("A @ X + X @ B", "X", "A(n,n) X(n,m) B(m,m)", "δ[j,l] ⊗ A[i,k] + δ[i,k] ⊗ B.T[j,l]"),
        ("X.T", "X", "X(n,m)", "δ[i,l] δ[j,k]"),
        ("x @ A @ x", "xx", "x(n) A(n,n)", "(A + A.T)[i,j], a dense block: no structure"),
        ("tanh(X @ W)", "X", "X(m,n) W(n,q)", "δ[i,k] B[i,j,l], B = einsum('ij,kj->ijk', 1 - tanh(X @ W)**2, W)"),
    ],
)
def test_text(text, wrt, shapes, wanted, shapes_of):
    s = bound(shapes_of, text, wrt, shapes)
    assert str(s) == wanted
    latex = s.to_latex()
    assert s._repr_latex_() == f"$${latex}$$"
    assert latex.count("{") == latex.count("}") and latex.count(r"\left") == latex.count(r"\right")
    assert latex.count(r"\delta") == wanted.count("δ") and latex.count(r"\otimes") == wanted.count("⊗")


def test_factors_are_texts_of_the_language(shapes_of, arrays, evaluate):
    for text, wrt, shapes, assume, *_ in CASES:
        scope = scope_of(shapes_of(shapes))
        given = arrays(shapes, assume)
        for factor in bound(shapes_of, text, wrt, shapes, assume).factors:
            assert parse(str(factor.result), scope).shape == factor.result.expr.shape
            assert evaluate(str(factor.result), shapes, given).ndim in (0, len(factor.indices))
            assert str(factor).startswith(factor.name) and str(factor).endswith(str(factor.result))


def test_the_structure_is_the_derivative(shapes_of):
    """The δs and factors, multiplied by hand: `δ[i,k] B[j,l]` and a block for each sample."""
    rng = np.random.default_rng(1)
    u, v, t = rng.standard_normal((4, 3)), rng.standard_normal((5, 3)), rng.standard_normal((4, 5))
    s = bound(shapes_of, "norm(T - U @ V.T)**2", "UU", "T(m,q) U(m,n) V(q,n)")
    dense = s.compile()(T=t, U=u, V=v).dense()
    np.testing.assert_allclose(dense, np.einsum("ik,jl->ijkl", np.eye(4), 2 * v.T @ v))
    x, w = rng.standard_normal((4, 3)), rng.standard_normal((3, 5))
    dense = bound(shapes_of, "tanh(X @ W)", "X", "X(m,n) W(n,q)").compile()(X=x, W=w).dense()
    for i, k in itertools.product(range(4), repeat=2):
        wanted = (1 - np.tanh(x[i] @ w) ** 2)[:, None] * w.T if i == k else np.zeros((5, 3))
        np.testing.assert_allclose(dense[i, :, k, :], wanted)


def test_axes_of_size_one_need_no_delta():
    s = derive("tanh(X)", "X", shapes={"X": ("n", 1)}).structure
    assert isinstance(s.part, Product) and len(s.part.pairs) == 1
    x = np.array([[0.3], [-0.4], [1.5]])
    op = s.compile()(X=x)
    assert op.dense().shape == (3, 1, 3, 1)
    np.testing.assert_allclose(op.dense()[:, 0, :, 0], np.diag(1 - np.tanh(x[:, 0]) ** 2))
    np.testing.assert_allclose(op.solve(x), x / (1 - np.tanh(x) ** 2))


def test_third_derivatives_have_the_last_variable_as_columns():
    op = derive("sum(x**4)", ["x", "x", "x"], shapes={"x": ("n",)}).structure.compile()(x=[1.0, 2.0, 3.0])
    assert op.row_shape == (3, 3) and op.column_shape == (3,)
    np.testing.assert_allclose(op.matvec([1.0, 1.0, 1.0]), np.diag([24.0, 48.0, 72.0]))


def test_unknown_functions():
    s = derive("h(W @ x)", "x", shapes={"W": ("m", "n"), "x": ("n",)}, functions={"h": ["dh"]}).structure
    assert str(s) == "(W * dh(W @ x)[:, None])[i,j], a dense block: no structure"
    s = derive("h(x)", "x", shapes={"x": ("n",)}, functions={"h": ["dh"]}).structure
    assert str(s) == "δ[i,j] dh(x)[i]" and s.kind == "diagonal"
    assert s.compile()(x=[1.0, 2.0], dh=np.square).solve([1.0, 1.0]).tolist() == [1.0, 0.25]


# ---------------------------------------------------------------- systems


def test_without_scipy(monkeypatch, shapes_of, arrays):
    monkeypatch.setattr(solving, "scipy_linalg", None)
    for text, wrt, shapes, assume, kind, solvable in CASES:
        op = bound(shapes_of, text, wrt, shapes, assume).compile()(**arrays(shapes, assume))
        if solvable is None:
            continue
        b = np.ones(op.row_shape)
        if kind == "Kronecker sum" and text.startswith("A @ X"):
            with pytest.raises(UnsupportedError, match="SciPy"):
                op.solve(b)
        elif solvable:
            np.testing.assert_allclose(op.matvec(op.solve(b)), b, rtol=1e-8, atol=1e-8)
        else:
            with pytest.raises(np.linalg.LinAlgError):
                op.solve(b)


def test_a_matrix_is_factorised_once(monkeypatch, shapes_of, arrays):
    count = []
    factor = solving.scipy_linalg.cho_factor
    monkeypatch.setattr(solving.scipy_linalg, "cho_factor", lambda *a, **k: count.append(1) or factor(*a, **k))
    shapes = "T(m,q) U(m,n) V(q,n)"
    op = bound(shapes_of, "norm(T - U @ V.T)**2", "UU", shapes).compile()(**arrays(shapes))
    for _ in range(3):
        op.solve(np.ones(op.row_shape))
    assert len(count) == 1


def test_a_symmetric_matrix_need_not_be_definite():
    a = np.array([[0.0, 2.0], [2.0, 0.0]])
    op = derive("x @ A @ x / 2", ["x", "x"], shapes={"x": ("n",), "A": ("n", "n")}).structure.compile()(
        x=[1.0, 1.0], A=a
    )
    np.testing.assert_allclose(op.solve([4.0, 2.0]), [1.0, 2.0])


def test_a_diagonal_with_a_zero_may_have_a_solution():
    """`Δ + a bᵀ` is regular with one 0 in Δ, where Woodbury's formula divides by it; with two it is singular."""
    f = derive("d * x + a * (b @ x)", "x", shapes=dict.fromkeys("dxab", ("n",))).structure.compile()
    given = {"x": np.ones(3), "a": [1.0, 2.0, 3.0], "b": [2.0, 1.0, 1.0]}
    op = f(d=[0.0, 1.0, 2.0], **given)
    np.testing.assert_allclose(op.matvec(op.solve([1.0, 2.0, 3.0])), [1.0, 2.0, 3.0])
    with pytest.raises(np.linalg.LinAlgError):
        f(d=[0.0, 0.0, 2.0], **given).solve(np.ones(3))


def test_a_large_diagonal_plus_low_rank_is_never_formed():
    """A system with 10⁵ unknowns, whose matrix has 10¹⁰ entries."""
    n = 100_000
    rng = np.random.default_rng(0)
    x, b = rng.standard_normal(n), rng.standard_normal(n)
    op = derive("x + softmax(x, 0)", "x", shapes={"x": ("n",)}).structure.compile()(x=x)
    p = np.exp(x) / np.sum(np.exp(x))
    found = op.solve(b)
    np.testing.assert_allclose((1 + p) * found - p * (p @ found), b, rtol=1e-10, atol=1e-12)


def test_kronecker_sums_without_a_solution():
    """Of `A` and `-A` two eigenvalues add up to 0."""
    f = derive("A @ X + X @ B", "X", shapes={"A": ("n", "n"), "B": ("m", "m"), "X": ("n", "m")}).structure.compile()
    a = np.array([[1.0, 2.0], [2.0, 5.0]])
    turned = np.array([[0.0, 1.0], [-1.0, 0.0]])  # eigenvalues i and -i
    for left, right in [(a, -a), (turned, turned)]:
        with pytest.raises(np.linalg.LinAlgError, match="add up to 0"):
            f(A=left, B=right, X=np.ones((2, 2))).solve(np.ones((2, 2)))


@pytest.mark.parametrize("symmetric", [True, False])
def test_kronecker_sum_against_the_matrix(symmetric):
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((3, 3)) + 4 * np.eye(3), rng.standard_normal((4, 4)) + 4 * np.eye(4)
    if symmetric:
        a, b = a + a.T, b + b.T
    c = rng.standard_normal((3, 4, 2))
    found = solving.KroneckerSum([a, b], 0.5).solve(c)
    matrix = np.kron(a, np.eye(4)) + np.kron(np.eye(3), b) + 0.5 * np.eye(12)
    np.testing.assert_allclose(found.reshape(12, 2), np.linalg.solve(matrix, c.reshape(12, 2)))


def test_sums_without_a_known_way_are_refused(shapes_of, arrays):
    shapes = "A(n,n) B(m,m) C(n,n) D(m,m) X(n,m)"
    op = bound(shapes_of, "A @ X @ B + C @ X @ D", "X", shapes).compile()(**arrays(shapes))
    with pytest.raises(UnsupportedError, match=r"dense\(\)"):
        op.solve(np.ones((3, 4)))


# ---------------------------------------------------------------- use


def test_conjugate_gradients(shapes_of, arrays):
    linalg = pytest.importorskip("scipy.sparse.linalg")
    shapes = "X(n,q) w(q) c()"
    op = bound(shapes_of, "sum(softplus(X @ w)) + c * norm(w)**2", "ww", shapes, {"c": "positive"}).compile()(
        **arrays(shapes, {"c": "positive"})
    )
    linear = op.linear_operator()
    assert linear.shape == op.shape and linear.dtype == op.dtype
    np.testing.assert_allclose(linear @ np.eye(5), op.dense())
    np.testing.assert_allclose(linear.T @ np.eye(5), op.dense().T)
    b = np.arange(5.0)
    found, info = linalg.cg(linear, b, rtol=1e-12)
    assert info == 0
    np.testing.assert_allclose(found, op.solve(b), rtol=1e-8)


def test_precision_is_kept(shapes_of, arrays):
    for text, wrt, shapes, assume, _, solvable in CASES:
        given = {k: a.astype(np.float32) for k, a in arrays(shapes, assume).items()}
        op = bound(shapes_of, text, wrt, shapes, assume).compile()(**given)
        assert op.dense().dtype == op.dtype == np.float32
        assert op.matvec(np.ones(op.column_shape, np.float32)).dtype == np.float32
        if solvable:
            assert op.solve(np.ones(op.row_shape, np.float32)).dtype == np.float32
    assert op.matvec(np.ones(op.column_shape)).dtype == np.float64


def test_lists_and_integers(shapes_of):
    op = bound(shapes_of, "a * x", "x", "a(n) x(n)").compile()(a=[1, 2, 4], x=[0, 0, 0])
    assert op.matvec([1, 1, 1]).tolist() == [1.0, 2.0, 4.0]
    assert op.solve([1, 1, 1]).tolist() == [1.0, 0.5, 0.25]


def test_pickles(shapes_of, arrays):
    shapes = "T(m,q) U(m,n) V(q,n)"
    s = bound(shapes_of, "norm(T - U @ V.T)**2", "UU", shapes)
    again = pickle.loads(pickle.dumps(s))
    assert str(again) == str(s) and again.part == s.part
    bind = pickle.loads(pickle.dumps(s.compile()))
    np.testing.assert_array_equal(bind(**arrays(shapes)).dense(), s.compile()(**arrays(shapes)).dense())
    for text, wrt, shapes, assume, _, solvable in CASES:
        op = bound(shapes_of, text, wrt, shapes, assume).compile()(**arrays(shapes, assume))
        if solvable:
            b = np.ones(op.row_shape)
            found = op.solve(b)
            np.testing.assert_allclose(pickle.loads(pickle.dumps(op)).solve(b), found, rtol=1e-10, atol=1e-12)


def test_misuse(shapes_of):
    s = bound(shapes_of, "A @ X", "X", "A(n,n) X(n,m)")
    f = s.compile()
    op = f(A=np.eye(3), X=np.ones((3, 2)))
    for call, word in [
        (lambda: op.matvec(np.ones((2, 3))), r"wrong shape[\s\S]*\(3, 2\)"),
        (lambda: op.matvec(np.ones(5)), "wrong shape"),
        (lambda: op.solve(np.ones((3, 3))), "wrong shape"),
        (lambda: op.matvec(np.ones((3, 2)) * 1j), "real"),
        (lambda: op.matvec(None), "real"),
        (lambda: f(A=np.eye(3)), "X is missing"),
        (lambda: f(A=np.eye(3), X=np.ones((4, 2))), "wrong shape"),
    ]:
        with pytest.raises(SymderivError, match=word):
            call()


def test_free_entries_are_refused():
    d = derive("logdet(S)", ["S", "S"], shapes={"S": ("n", "n")}, assume={"S": "symmetric"}, structured=True)
    with pytest.raises(UnsupportedError, match="structured=False"):
        _ = d.structure


@pytest.mark.parametrize("size", [1, 2, 3])
def test_rank_and_size_may_meet(size):
    """`Δ + L Rᵀ` with as many columns in L as there are unknowns, or more of them."""
    rng = np.random.default_rng(size)
    given = {k: rng.standard_normal(size) for k in "xabcd"}
    text = "x + a * (b @ x) + c * (d @ x)"
    op = derive(text, "x", shapes=dict.fromkeys("xabcd", ("n",))).structure.compile()(**given)
    a, b, c, d = (given[k] for k in "abcd")
    wanted = np.eye(size) + np.outer(a, b) + np.outer(c, d)
    np.testing.assert_allclose(op.solve(np.ones(size)), np.linalg.solve(wanted, np.ones(size)))
    low = derive("a * (b @ x) + c * (d @ x)", "x", shapes=dict.fromkeys("xabcd", ("n",))).structure.compile()(**given)
    if size > 2:
        with pytest.raises(np.linalg.LinAlgError, match="rank is 2"):
            low.solve(np.ones(size))
    elif size == 2:
        np.testing.assert_allclose(low.solve(np.ones(2)), np.linalg.solve(wanted - np.eye(2), np.ones(2)))
