"""`matrix_power(X, k)` with an exponent that is the name of a size: right where the derivative closes, else refused."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import symderiv
from symderiv.check import kernel
from symderiv.cli.options import read_shapes
from symderiv.index import normal
from symderiv.index.nodes import Argument, Context, Definition, Entry, Immediate, Index, Step, Sum, Tensor, Times
from symderiv.lower import lower
from symderiv.tensor.parse import parse, scope_of
from symderiv.tensor.text import to_text

SHAPES = {"X": ("n", "n"), "A": ("n", "n"), "B": ("m", "m"), "Y": ("n", "m"), "Z": ("m", "n"), "t": ()}
power = np.linalg.matrix_power
TOLERANCE = {"rtol": 1e-7, "atol": 1e-9}


def arrays(seed=0, n=3, m=2):
    """Matrices near the identity, so that high powers and inverses stay in range."""
    rng = np.random.default_rng(seed)

    def square(size):
        return np.eye(size) + 0.3 * rng.standard_normal((size, size))

    rest = {"Y": 0.5 * rng.standard_normal((n, m)), "Z": 0.5 * rng.standard_normal((m, n)), "t": np.asarray(0.7)}
    return {"X": square(n), "A": square(n), "B": square(m), **rest}


def slope(f, x):
    """The derivative of a number by the complex step, entry by entry."""
    found = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[at] += 1e-30j
        found[at] = f(moved).imag / 1e-30
    return found


def logdet(a):
    return np.log(np.linalg.det(a))


# text, variable, the same number in NumPy for an exponent k
CLOSED = [
    ("trace(matrix_power(X, k))", "X", lambda k, X, **_: np.trace(power(X, k))),
    ("trace(matrix_power(X, k).T)", "X", lambda k, X, **_: np.trace(power(X, k))),
    ("sum(diag(matrix_power(X, 2 * k - 1)))", "X", lambda k, X, **_: np.trace(power(X, 2 * k - 1))),
    ("trace(matrix_power(X, k**2 + 1))", "X", lambda k, X, **_: np.trace(power(X, k**2 + 1))),
    ("trace(matrix_power(X, -k))", "X", lambda k, X, **_: np.trace(power(np.linalg.inv(X), k))),
    ("trace(matrix_power(X, k) @ matrix_power(X, 2))", "X", lambda k, X, **_: np.trace(power(X, k + 2))),
    ("trace(matrix_power(X, k) @ matrix_power(X, k))", "X", lambda k, X, **_: np.trace(power(X, 2 * k))),
    ("trace(matrix_power(X, k) @ inv(X))", "X", lambda k, X, **_: np.trace(power(X, k) @ np.linalg.inv(X))),
    ("trace(X @ matrix_power(X, k) @ X)", "X", lambda k, X, **_: np.trace(power(X, k + 2))),
    ("trace((eye(n) + X) @ matrix_power(X, k))", "X", lambda k, X, **_: np.trace(power(X, k) + power(X, k + 1))),
    ("trace(matrix_power(X, k) @ (X + inv(X)))", "X",
     lambda k, X, **_: np.trace(power(X, k + 1) + power(X, k) @ np.linalg.inv(X))),
    ("trace(inv(matrix_power(X, k)))", "X", lambda k, X, **_: np.trace(np.linalg.inv(power(X, k)))),
    ("trace(matrix_power(matrix_power(X, k), 3))", "X", lambda k, X, **_: np.trace(power(X, 3 * k))),
    ("logdet(matrix_power(X, k))", "X", lambda k, X, **_: logdet(power(X, k))),
    ("det(matrix_power(X, k))", "X", lambda k, X, **_: np.linalg.det(power(X, k))),
    ("log(trace(matrix_power(X, k))**2)", "X", lambda k, X, **_: np.log(np.trace(power(X, k)) ** 2)),
    ("exp(trace(matrix_power(X, k)) / 9) * trace(X)", "X",
     lambda k, X, **_: np.exp(np.trace(power(X, k)) / 9) * np.trace(X)),
    ("trace(matrix_power(A @ X, k))", "X", lambda k, X, A, **_: np.trace(power(A @ X, k))),
    ("trace(matrix_power(Y @ Z, k))", "Y", lambda k, Y, Z, **_: np.trace(power(Y @ Z, k))),
    ("trace(matrix_power(X @ X, k) @ X)", "X", lambda k, X, **_: np.trace(power(X, 2 * k + 1))),
    ("trace(matrix_power(A - 2 * X, k))", "X", lambda k, X, A, **_: np.trace(power(A - 2 * X, k))),
    ("trace(A @ matrix_power(X, k) @ inv(A))", "X", lambda k, X, **_: np.trace(power(X, k))),
    ("trace(matrix_power(X.T, k) @ inv(X).T)", "X", lambda k, X, **_: np.trace(power(X, k) @ np.linalg.inv(X))),
    ("trace(matrix_power(kron(B, X), k))", "X", lambda k, X, B, **_: np.trace(power(B, k)) * np.trace(power(X, k))),
    ("trace(matrix_power(A, k) @ X)", "X", lambda k, X, A, **_: np.trace(power(A, k) @ X)),
    ("trace(matrix_power(A + t * X, k))", "t", lambda k, X, A, t, **_: np.trace(power(A + t * X, k))),
    ("trace(matrix_power(X, n))", "X", lambda k, X, **_: np.trace(power(X, len(X)))),
]  # fmt: skip
EACH = pytest.mark.parametrize(("text", "x", "f"), CLOSED, ids=[text for text, *_ in CLOSED])


@EACH
def test_values_are_those_of_literal_powers(text, x, f):
    d = symderiv.derive(text, x, shapes=SHAPES)
    code = d.compile(value=True)
    for k in (1, 2, 3, 5):
        given = arrays(k)
        value, found = code(**given, k=k)
        wanted = slope(lambda moved, k=k, given=given: f(k, **{**given, x: moved}), given[x])
        np.testing.assert_allclose(value, f(k, **given), **TOLERANCE)
        np.testing.assert_allclose(found, wanted, **TOLERANCE)


@pytest.mark.parametrize("text", [text for text, *_ in CLOSED if ", k)" in text])
def test_a_literal_in_the_place_of_the_exponent_gives_the_same(text):
    x = next(x for t, x, _ in CLOSED if t == text)
    symbolic = symderiv.derive(text, x, shapes=SHAPES).compile()
    for k in (1, 2, 3):
        given = arrays(k + 7)
        literal = symderiv.derive(text.replace(", k)", f", {k})"), x, shapes=SHAPES).compile()
        np.testing.assert_allclose(symbolic(**given, k=k), literal(**given), **TOLERANCE)


@EACH
def test_the_proof_is_accepted(text, x, f):
    d = symderiv.derive(text, x, shapes=SHAPES)
    d.proof.check()
    assert r"\square" in d.proof.to_latex()


@EACH
def test_texts_round_trip(text, x, f):
    result = symderiv.derive(text, x, shapes=SHAPES).result
    scope = scope_of({**SHAPES, "e": ("k",)})
    again = parse(str(result), scope)
    assert to_text(again) == str(result)
    assert lower(again).node is lower(result.expr).node


def test_the_closed_form_is_the_textbook_one():
    d = symderiv.derive("trace(matrix_power(X, k))", "X", shapes=SHAPES)
    assert str(d.result) == "k * matrix_power(X, k - 1).T"
    assert d.to_latex() == r"\frac{\partial f}{\partial X} = k\,(X^{k-1})^{\top}"
    assert "np.linalg.matrix_power(X, k - 1)" in d.to_numpy()
    assert "def derivative(X, k):" in d.to_numpy()
    two = symderiv.derive("trace(matrix_power(X, k) @ matrix_power(X, 2))", "X", shapes=SHAPES)
    assert lower(two.result.expr).node is lower(parse("(k + 2) * matrix_power(X, k + 1).T", scope_of_k())).node
    assert str(symderiv.derive("logdet(matrix_power(X, k))", "X", shapes=SHAPES).result) == "k * inv(X).T"


def scope_of_k():
    return scope_of({**SHAPES, "e": ("k",)})


# ---------------------------------------------------------------- what does not close


@pytest.mark.parametrize(
    "text",
    [
        "trace(A @ matrix_power(X, k))",
        "trace(X.T @ matrix_power(X, k))",
        "trace(matrix_power(X, k) @ matrix_power(X, k).T)",
        "norm(matrix_power(X, k))**2",
        "sum(matrix_power(X, k))",
        "matrix_power(X, k)",
        "trace(matrix_power(A @ X, k) @ X)",
        "trace(exp(matrix_power(X, k)))",
    ],
)
def test_a_sum_that_does_not_close_is_refused(text):
    with pytest.raises(symderiv.UnsupportedError, match="a sum of k terms") as refused:
        symderiv.derive(text, "X", shapes=SHAPES)
    shown = str(refused.value)
    assert "shape (n, n)" in shown
    assert "closes under a trace" in shown
    assert "give the exponent as a number" in shown


def test_further_derivatives_are_refused():
    with pytest.raises(symderiv.UnsupportedError, match="a sum of k - 1 terms"):
        symderiv.derive("trace(matrix_power(X, k))", ["X", "X"], shapes=SHAPES)
    with pytest.raises(symderiv.UnsupportedError, match="a sum of k - 1 terms"):
        _ = symderiv.hvp("trace(matrix_power(X, k))", "X", shapes=SHAPES).result


def test_a_power_that_is_constant_needs_no_rule():
    d = symderiv.derive("matrix_power(A, k) @ X", "X", shapes=SHAPES)
    d.proof.check()
    given = arrays()
    wanted = np.einsum("ik,jl->ijkl", power(given["A"], 4), np.eye(3))
    np.testing.assert_allclose(d.compile()(**given, k=4), wanted, **TOLERANCE)


# ---------------------------------------------------------------- claims


@pytest.mark.parametrize(
    ("text", "claim", "status"),
    [
        ("trace(matrix_power(X, k))", "k * matrix_power(X, k - 1).T", "proved"),
        ("trace(matrix_power(X, k))", "k * matrix_power(X.T, k - 1)", "proved"),
        ("trace(matrix_power(X, k))", "k * (matrix_power(X, k) @ inv(X)).T", "proved"),
        ("trace(matrix_power(X, k))", "k * matrix_power(X, k - 1)", "refuted"),
        ("trace(matrix_power(X, k))", "k * matrix_power(X, k).T", "refuted"),
        ("trace(matrix_power(X, k))", "(k - 1) * matrix_power(X, k - 1).T", "refuted"),
        ("trace(matrix_power(X, k))", "4 * matrix_power(X, 3).T", "refuted"),
        ("trace(matrix_power(X, 2 * k))", "2 * k * (matrix_power(X, k) @ matrix_power(X, k - 1)).T", "proved"),
        ("logdet(matrix_power(X, k))", "k * inv(X).T", "proved"),
        ("logdet(matrix_power(X, k))", "inv(X).T", "refuted"),
        ("det(matrix_power(X, k))", "k * det(matrix_power(X, k)) * inv(X).T", "proved"),
        ("det(matrix_power(X, k))", "k * det(X) * inv(X).T", "refuted"),
    ],
)
def test_claims_are_decided(text, claim, status):
    v = symderiv.verify(text, "X", claim, shapes=SHAPES)
    assert v.status == status
    if status == "proved":
        assert v.basis == "kernel"
    else:
        assert set(v.counterexample.sizes) == {"n", "k"}


# ---------------------------------------------------------------- laws of the normal form


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("matrix_power(X, k) @ X", "matrix_power(X, k + 1)"),
        ("X @ matrix_power(X, k)", "matrix_power(X, k + 1)"),
        ("matrix_power(X, k) @ inv(X)", "matrix_power(X, k - 1)"),
        ("matrix_power(X, k) @ matrix_power(X, n)", "matrix_power(X, k + n)"),
        ("matrix_power(X, k) @ matrix_power(X, -k)", "eye(n)"),
        ("matrix_power(X, k + 2) @ inv(matrix_power(X, k))", "X @ X"),
        ("matrix_power(X, k) @ matrix_power(X, -1 - k)", "inv(X)"),
        ("matrix_power(X.T, k)", "matrix_power(X, k).T"),
        ("matrix_power(inv(X), k)", "inv(matrix_power(X, k))"),
        ("matrix_power(matrix_power(X, k), n)", "matrix_power(X, n * k)"),
        ("matrix_power(eye(n), k)", "eye(n)"),
        ("matrix_power(kron(X, B), k)", "kron(matrix_power(X, k), matrix_power(B, k))"),
        ("matrix_power(Y @ Z, k) @ Y @ Z", "matrix_power(Y @ Z, k + 1)"),
        ("matrix_power(A + 2 * X, k) @ (A + 2 * X)", "matrix_power(A + 2 * X, k + 1)"),
        ("det(matrix_power(X, k))", "det(X)**k"),
        ("logdet(matrix_power(X, k))", "k * logdet(X)"),
        ("trace(matrix_power(X, k) @ A @ X)", "trace(matrix_power(X, k + 1) @ A)"),
        ("2 * matrix_power(X, k + 1) / 2", "matrix_power(X, 1 + k)"),
        ("matrix_power(X, k - k)", "eye(n)"),
        ("matrix_power(X, k - k + 3)", "X @ X @ X"),
    ],
)
def test_powers_join(left, right):
    scope = scope_of_k()
    a, b = parse(left, scope), parse(right, scope)
    assert lower(a).node is lower(b).node
    given = arrays(11)
    for k in (1, 2, 4):
        values = [evaluated(e, {**given, "n": 3, "m": 2, "k": k}) for e in (left, right)]
        np.testing.assert_allclose(values[0], values[1], **TOLERANCE)


def evaluated(text, given):
    """The value of a text, as generated code has it."""
    d = symderiv.derive(f"w * ({text})", "w", shapes={**SHAPES, "w": (), "e": ("k",), "o": ("n", "m")})
    sizes = {"e": np.zeros(given["k"]), "o": np.zeros((given["n"], given["m"]))}
    return d.compile()(**given, **sizes, w=1.0)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("matrix_power(X, k) @ A", "A @ matrix_power(X, k)"),
        ("matrix_power(X, k)", "matrix_power(X, k).T"),
        ("matrix_power(X, k) @ X.T", "matrix_power(X, k + 1)"),
        ("matrix_power(X, k) * X", "matrix_power(X, k + 1)"),
        ("matrix_power(X, k) * matrix_power(X, k)", "matrix_power(X, 2 * k)"),
        ("matrix_power(X, k)", "matrix_power(X, n)"),
        ("matrix_power(A @ X, k)", "matrix_power(A, k) @ matrix_power(X, k)"),
    ],
)
def test_what_is_not_equal_stays_apart(left, right):
    assert lower(parse(left, scope_of_k())).node is not lower(parse(right, scope_of_k())).node


def test_symmetry_is_that_of_the_matrix():
    scope = scope_of({"S": ("n", "n"), "e": ("k",)}, {"S": "symmetric"})
    node = lower(parse("matrix_power(S, k)", scope)).node
    assert len(normal.symmetries(node)) == 2
    d = symderiv.derive("trace(matrix_power(S, k))", "S", shapes={"S": ("n", "n")}, assume={"S": "symmetric"})
    assert str(d.result) == "k * matrix_power(S, k - 1)"
    d.proof.check()


# ---------------------------------------------------------------- the kernel

n, k = sympy.symbols("n k", integer=True, positive=True)
HEADS = {name: Tensor(name, n, n) for name in ("X", "A")}
P, LESS = Tensor("P", n, n), Tensor("less", n, n)
POWERS = Context({
    "P": Definition(P, kind="matrix_power", arguments=(HEADS["X"],), exponent=k),
    "less": Definition(LESS, kind="matrix_power", arguments=(HEADS["X"],), exponent=k - 1),
})  # fmt: skip
i, j, q, r, s = (Index(name, n) for name in "ijqrs")
X = Entry(HEADS["X"], r, s)


def step(beside, of, after, bound):
    before = Sum(Times(*beside, Immediate(Entry(P, *of), X)), *bound)
    return (Argument("a", before, (Step("matrix power", (), {}, before, after),), after),), POWERS


def closed(beside, of, bound, times=k):
    i, j = of
    slope = Immediate(Entry(HEADS["X"], i, q), X)
    return Sum(Times(times, *beside, slope, Entry(LESS, q, j)), *bound, q)


GOOD = [
    ((), (i, i), (i,)),
    ((Entry(HEADS["X"], j, i),), (i, j), (i, j)),
    ((Entry(P, j, i),), (i, j), (i, j)),
    ((Entry(LESS, j, i), k), (i, j), (i, j)),
]
BAD = [
    ((Entry(HEADS["A"], j, i),), (i, j), (i, j)),
    ((Entry(HEADS["X"], i, j),), (i, j), (i, j)),
    ((Entry(HEADS["A"], i, i),), (i, i), (i,)),
    ((), (i, j), (i, j)),
]


@pytest.mark.parametrize(("beside", "of", "bound"), GOOD)
def test_the_kernel_accepts_what_commutes(beside, of, bound):
    kernel.check(*step(beside, of, closed(beside, of, bound), bound))
    for wrong in (closed(beside, of, bound, k - 1), closed(beside, (of[0], of[1]), bound, 2 * k)):
        with pytest.raises(symderiv.ProofError, match="not what the rule gives"):
            kernel.check(*step(beside, of, wrong, bound))


@pytest.mark.parametrize(("beside", "of", "bound"), BAD)
def test_the_kernel_refuses_what_does_not(beside, of, bound):
    with pytest.raises(symderiv.ProofError):
        kernel.check(*step(beside, of, closed(beside, of, bound), bound))


@pytest.mark.parametrize("exponent", [None, sympy.Rational(1, 2), k / 2, sympy.Symbol("k"), sympy.sqrt(k)])
def test_the_kernel_refuses_a_power_that_is_no_integer(exponent):
    bad = Definition(P, kind="matrix_power", arguments=(HEADS["X"],), exponent=exponent)
    with pytest.raises(symderiv.ProofError, match="exponent"):
        kernel.check((), Context({"P": bad}))


# ---------------------------------------------------------------- edges


def test_the_exponent_is_an_argument_of_the_code():
    code = symderiv.derive("trace(matrix_power(X, k))", "X", shapes=SHAPES).compile()
    a = arrays()["X"]
    np.testing.assert_allclose(code(X=a, k=np.int64(4)), 4 * power(a, 3).T)
    with pytest.raises(symderiv.SymderivError, match="k is missing"):
        code(X=a)
    for wrong in (0, -1, 2.5, True, "2", [1, 2]):
        with pytest.raises(symderiv.ShapeError, match="k is a size"):
            code(X=a, k=wrong)


def test_an_exponent_that_is_the_size_of_an_array_is_read_off():
    shapes = {"X": ("n", "n"), "v": ("k",)}
    code = symderiv.derive("trace(matrix_power(X, k)) * sum(v)", "X", shapes=shapes).compile()
    a, v = arrays()["X"], np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(code(X=a, v=v), 7 * 3 * power(a, 2).T)


@pytest.mark.parametrize(
    "exponent", ["t", "k / 2", "k**0.5", "trace(X)", "trace", "2.5", "k @ k", "k**(-1)", "10**9 * k", "k**k"]
)
def test_an_exponent_that_is_no_integer_is_refused(exponent):
    with pytest.raises(symderiv.ParseError):
        symderiv.derive(f"trace(matrix_power(X, {exponent}))", "X", shapes=SHAPES)


def test_a_size_that_no_array_has_can_be_declared():
    shapes = {**SHAPES, "k": "size"}
    d = symderiv.derive("k * logdet(X)", "X", shapes=shapes)
    given = arrays()
    np.testing.assert_allclose(d.compile()(**given, k=3), 3 * np.linalg.inv(given["X"]).T)
    claim = str(symderiv.derive("logdet(matrix_power(X, k))", "X", shapes=shapes).result)
    assert symderiv.verify("k * logdet(X)", "X", claim, shapes=shapes).status == "proved"
    assert read_shapes(["X: (n, n)", "k: size"]) == {"X": ("n", "n"), "k": "size"}
    with pytest.raises(symderiv.ParseError, match="both a size"):
        symderiv.derive("k * logdet(X)", "X", shapes=shapes, functions={"k": ["dk"]})


def test_several_gradients_share_a_power():
    g = symderiv.gradients("trace(matrix_power(A @ X, k))", ["X", "A"], shapes=SHAPES)
    g.proof.check()
    given = arrays(5)
    value, found = g.compile()(**given, k=3)
    both = power(given["A"] @ given["X"], 2).T
    np.testing.assert_allclose(value, np.trace(power(given["A"] @ given["X"], 3)))
    np.testing.assert_allclose(found["X"], 3 * given["A"].T @ both)
    np.testing.assert_allclose(found["A"], 3 * both @ given["X"].T)


def test_sympy_in_and_out():
    M = sympy.MatrixSymbol("X", n, n)
    d = symderiv.derive(sympy.Trace(M**k), "X")
    d.proof.check()
    assert d.matrix_form == k * M.T ** (k - 1)
    assert symderiv.verify(sympy.Trace(M**k), "X", k * (M ** (k - 1)).T).status == "proved"
    assert symderiv.verify(sympy.Trace(M**k), "X", "k * matrix_power(X, k - 1)").status == "refuted"
    for exponent in (sympy.Rational(1, 2), sympy.Symbol("c"), k / 2):
        with pytest.raises(symderiv.UnsupportedError, match="exponent"):
            symderiv.derive(sympy.Trace(M**exponent), "X")


def test_statements():
    sheet = symderiv.Sheet(
        'X: (n, n)\nassert diff(trace(matrix_power(X, k)), X) == k * matrix_power(X, k - 1).T, "MC121"\n'
        "P = matrix_power(X, k)\nassert diff(trace(P @ X), X) == (k + 1) * P.T"
    )
    assert [c.status for c in sheet.claims] == ["proved", "proved"]
