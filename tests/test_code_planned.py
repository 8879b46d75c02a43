"""Planned code has the values of what was written, and the form that is fastest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from symderiv import derive, gradients
from symderiv.code.compiled import compiled
from symderiv.code.costs import Costs, representative
from symderiv.code.numpy import Writer, function_source
from symderiv.code.paired import paired
from symderiv.code.passes import in_fast_words
from symderiv.code.planned import planned
from symderiv.code.stable import stable
from symderiv.errors import ShapeError, SymderivError, UnsupportedError
from symderiv.results import Declared, code_source
from symderiv.tensor.expr import walk
from symderiv.tensor.parse import parse, scope_of
from symderiv.tensor.text import to_text
from symderiv.testing.strategies import expressions, points

rng = np.random.default_rng(0)


def plan(text, shapes, assume=None, sizes=None):
    scope = scope_of(shapes, assume or {})
    expr = parse(text, scope)
    return planned([expr], (), representative([expr], sizes))[0]


def source_of(text, shapes, assume=None, **names):
    scope = scope_of(shapes, assume or {})
    declared = Declared(tuple(scope.names), tuple(scope.names.values()), {})
    return function_source(code_source("f", [parse(text, scope)], [parse(text, scope)], "f.", (), declared))


def run(text, shapes, arrays, assume=None):
    return compiled(source_of(text, shapes, assume), "f")(**arrays)


def definite(n):
    a = rng.normal(size=(n, n))
    return a @ a.T + np.eye(n)


FACTORS = {"T": ("m", "n"), "U": ("m", "k"), "V": ("n", "k")}
SQUARES = {"A": ("n", "n"), "B": ("n", "n"), "x": ("n",), "y": ("n",)}
DATA = {"X": ("n", "p"), "d": ("n",), "w": ("p",), "Y": ("n", "p")}


@pytest.mark.parametrize(
    ("text", "shapes", "wanted"),
    [
        ("2 * (U @ V.T - T) @ V", FACTORS, "2 * (U @ (V.T @ V) - T @ V)"),  # no product of the size of T
        ("A @ B @ x", SQUARES, "A @ (B @ x)"),  # two vectors, no matrix
        ("(A + A.T) @ x", SQUARES, "A @ x + x @ A"),
        ("2 * outer(x, y)", SQUARES, "outer(2 * x, y)"),  # the number in the small array
        ("X * d[:, None] * d[:, None]", DATA, "X * (d**2)[:, None]"),
        ("X.T @ d", DATA, "X.T @ d"),  # as written where nothing is gained
    ],
)
def test_the_order_is_the_cheapest(text, shapes, wanted):
    assert to_text(plan(text, shapes)) == wanted


def test_sizes_decide():
    text = "(U @ V.T - T) @ V"
    assert to_text(plan(text, FACTORS, sizes={"m": 1000, "n": 800, "k": 40})) == "U @ (V.T @ V) - T @ V"
    thin = to_text(plan(text, FACTORS, sizes={"m": 1000, "n": 800, "k": 10}))
    assert thin == "(V.T @ V @ U.T - V.T @ T.T).T"  # BLAS is faster with the thin factor on the left
    assert to_text(plan(text, FACTORS, sizes={"m": 10, "n": 10, "k": 1000})) == text


def operations(text, shapes, assume=None):
    return {e.op for e in walk(plan(text, shapes, assume))}


@pytest.mark.parametrize(
    ("text", "shapes", "there", "gone"),
    [
        ("trace(A @ B)", SQUARES, {"vdot"}, {"trace", "matmul"}),
        ("sum(X * Y)", DATA, {"vdot"}, {"sum", "mul"}),
        ("sum(X * Y, 1)", DATA, {"einsum"}, {"sum", "mul"}),
        ("mean(X**2, 1)", DATA, {"einsum"}, {"mean", "power"}),
        ("inv(A) @ x", SQUARES, {"solve"}, {"inv"}),
        ("x @ inv(A) @ B", SQUARES, {"solve"}, {"inv"}),
        ("A + 3 * eye(n)", SQUARES, {"raised"}, {"eye"}),
        ("A - diag(x)", SQUARES, {"raised"}, {"diag"}),
        ("einsum('ij,kl->ikjl', A, eye(n))", SQUARES, {"filled"}, {"eye", "einsum"}),
        ("X * where(Y > 0, 1, 0)", DATA, {"masked"}, {"where"}),
        ("sigmoid(X) * sigmoid(-X)", DATA, {"sigmoids"}, {"map"}),
    ],
)
def test_words_of_the_code(text, shapes, there, gone):
    found = operations(text, shapes)
    assert there <= found
    assert not gone & found


def test_symmetric_matrices_are_factored_once():
    both = "x @ inv(A) @ y + logdet(A) + trace(inv(A) @ B)"
    found = plan(both, SQUARES, {"A": "positive_definite"})
    assert [e.op for e in walk(found)].count("factored") == 1
    assert not {"inv", "logdet", "solve"} & {e.op for e in walk(found)}
    assert "factored" not in operations(both, SQUARES)


def test_half_of_a_symmetric_product_is_computed():
    text = to_text(plan("X.T @ (X * (d**2)[:, None])", DATA))
    assert text == "(X * sqrt(d**2)[:, None]).T @ (X * sqrt(d**2)[:, None])"
    assert "sqrt" not in to_text(plan("X.T @ (X * d[:, None])", DATA))  # d may be negative


def test_a_product_is_there_once_whichever_way_round():
    scope = scope_of({"A": ("n", "k"), "B": ("m", "k")})
    roots = [parse("exp(A @ B.T)", scope), parse("tanh(B @ A.T)", scope)]
    products = {e for e in walk(*planned(roots, (), {})) if e.op == "matmul"}
    assert len(products) == 1


def test_values_with_a_name_are_kept():
    scope = scope_of(FACTORS)
    named = parse("U @ V.T - T", scope)
    results = planned([parse("(U @ V.T - T) @ V", scope)], [named], {})
    assert results[1] is named
    assert named in set(walk(results[0]))


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_symmetric_matrix_need_not_be_definite(n, sign):
    s = sign * definite(n)
    b = rng.normal(size=n)
    shapes, assume = {"S": ("n", "n"), "b": ("n",)}, {"S": "symmetric"}
    assert np.allclose(run("inv(S) @ b", shapes, {"S": s, "b": b}, assume), np.linalg.solve(s, b))
    assert np.allclose(run("inv(S)", shapes, {"S": s}, assume), np.linalg.inv(s))
    assert np.allclose(run("logdet(S)", shapes, {"S": s}, assume), np.linalg.slogdet(s)[1])


def test_factoring_without_scipy():
    text = source_of("inv(S) @ b", {"S": ("n", "n"), "b": ("n",)}, {"S": "symmetric"})
    alone = text.replace("from scipy import linalg", "from scipy import missing as linalg")
    s, b = definite(4), rng.normal(size=4)
    assert np.allclose(compiled(alone, "f")(S=s, b=b), np.linalg.solve(s, b))


KERNELS = "-y @ inv(s * exp(-D / l) + t * eye(n)) @ y / 2 - logdet(s * exp(-D / l) + t * eye(n)) / 2"
OF_KERNELS = {"y": ("n",), "D": ("n", "n"), "s": (), "t": (), "l": ()}


@pytest.mark.parametrize("with_scipy", [True, False])
def test_a_shared_matrix_is_not_formed_where_sums_over_it_are_all(with_scipy):
    """`outer(a, a) - inv(K)` in three sums: quadratic forms, and one triangle of the inverse."""
    assume = {"D": "symmetric", "s": "positive", "t": "positive", "l": "positive"}
    text = gradients(KERNELS, ["s", "l", "t"], shapes=OF_KERNELS, assume=assume).to_numpy(sizes={"n": 1000})
    body = text.split('"""')[-1]
    assert "einsum" not in body
    assert body.count("upper_inverse(") == 1 and "last=True" in body
    assert "factored_inverse" not in text
    if not with_scipy:
        text = text.replace("from scipy import linalg", "from scipy import missing as linalg")
    points = rng.random((6, 2))
    given = {"y": rng.normal(size=6), "D": np.linalg.norm(points[:, None] - points, axis=2)}
    given |= {"s": np.array(1.3), "t": np.array(0.4), "l": np.array(0.7)}
    value, slopes = compiled(text, "gradients")(**given)

    def likelihood(**at):
        k = at["s"] * np.exp(-at["D"] / at["l"]) + at["t"] * np.eye(6)
        return -at["y"] @ np.linalg.solve(k, at["y"]) / 2 - np.linalg.slogdet(k)[1] / 2

    assert np.isclose(value, likelihood(**given))
    for name in ("s", "l", "t"):
        up, down = (likelihood(**given | {name: given[name] + h}) for h in (1e-5, -1e-5))
        assert np.isclose(slopes[name], (up - down) / 2e-5, rtol=1e-6)


def test_a_shared_matrix_is_formed_once_where_it_is_multiplied():
    text = "sum((X - Y) @ A * (X - Y)) + sum(exp((X - Y) @ A))"
    shapes = {"X": ("n", "p"), "Y": ("n", "p"), "A": ("p", "p")}
    found = plan(text, shapes)
    assert sum(e.op == "sub" for e in walk(found)) == 1


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "columns"), [(1, 1), (4, 1), (4, 3), (4, 4), (4, 9), (3, 0), (0, 2), (0, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_systems_with_any_number_of_columns(n, columns, order, kind):
    s, b = definite(n).astype(kind), np.asarray(rng.normal(size=(n, columns)), dtype=kind, order=order)
    before = b.copy()
    found = run("inv(S) @ B", {"S": ("n", "n"), "B": ("n", "m")}, {"S": s, "B": b}, {"S": "positive_definite"})
    assert found.dtype == kind
    assert np.allclose(found, np.linalg.solve(s, b), rtol=1e-3 if kind == np.float32 else 1e-10)
    assert np.array_equal(b, before)


@pytest.mark.parametrize("kind", [int, np.float32, np.float64])
@pytest.mark.parametrize("sizes", [(5, 4), (0, 4), (5, 0)])
def test_a_softmax_over_what_was_made_for_it(sizes, kind):
    """In the place of a product that nothing else reads, and never in that of an argument."""
    shapes = {"X": ("n", "p"), "W": ("p", "m"), "Y": ("n", "m")}
    for text in ("softmax(X @ W, 1) * Y", "softmax(X @ W, 0) - X @ W", "softmax(Y, 1) * Y"):
        n, p = sizes
        arrays = {"X": rng.integers(-3, 4, (n, p)), "W": rng.integers(-3, 4, (p, 3)), "Y": rng.integers(0, 9, (n, 3))}
        arrays = {k: v.astype(kind) for k, v in arrays.items()}
        given = {k: v for k, v in arrays.items() if k in text}
        before = {k: v.copy() for k, v in given.items()}
        source = source_of(text, {k: v for k, v in shapes.items() if k in text})
        assert ("last=True)" in source) == (text == "softmax(X @ W, 1) * Y")
        found = compiled(source, "f")(**given)
        z = (arrays["Y"] if text.startswith("softmax(Y") else arrays["X"] @ arrays["W"]).astype(float)
        axis = 0 if ", 0)" in text else 1
        e = np.exp(z - z.max(axis=axis, keepdims=True, initial=-np.inf))
        other = -z if " - " in text else arrays["Y"]
        wanted = e / e.sum(axis=axis, keepdims=True)
        assert np.allclose(found, wanted + other if " - " in text else wanted * other, rtol=1e-5)
        assert found.dtype == (np.float32 if kind == np.float32 else float)
        assert all(np.array_equal(given[k], before[k]) for k in given)


def test_arguments_are_left_as_they_are():
    a, x = rng.normal(size=(3, 3)), rng.normal(size=3)
    before = a.copy(), x.copy()
    result = run("A + diag(x)", SQUARES, {"A": a, "x": x})
    assert np.array_equal(result, before[0] + np.diag(before[1]))
    assert np.array_equal(a, before[0])


def test_a_structured_hessian_is_filled_by_index():
    d = derive("norm(T - U @ V.T)**2", ["U", "U"], shapes=FACTORS)
    t, u, v = rng.normal(size=(4, 3)), rng.normal(size=(4, 2)), rng.normal(size=(3, 2))
    found = d.compile()(T=t, U=u, V=v)
    wanted = 2 * np.einsum("ik,jl->ijkl", np.eye(4), v.T @ v)
    assert np.allclose(found, wanted)
    assert "eye" not in d.to_numpy()


@pytest.mark.parametrize("size", [800.0, 40.0, 1e-3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sigmoids_of_both_signs_far_out(size, dtype):
    x = np.array([-size, 0, size], dtype=dtype)
    shapes = {"x": ("n",)}
    with np.errstate(all="raise", under="ignore"):
        found = run("sigmoid(x) * sigmoid(-x)", shapes, {"x": x})
    e = np.exp(-np.abs(x.astype(float)))
    assert found.dtype == dtype
    assert np.allclose(
        found, e / (1 + e) ** 2, rtol=1e-5 if dtype == np.float32 else 1e-14, atol=float(np.finfo(dtype).tiny)
    )


def test_gradients_share_one_factorisation():
    g = gradients(
        "-y @ inv(K) @ y / 2 - logdet(K) / 2", ["K", "y"],
        shapes={"K": ("n", "n"), "y": ("n",)}, assume={"K": "positive_definite"},
    )  # fmt: skip
    k, y = definite(5), rng.normal(size=5)
    value, slopes = g.compile()(K=k, y=y)
    a = np.linalg.solve(k, y)
    assert np.isclose(value, -y @ a / 2 - np.linalg.slogdet(k)[1] / 2)
    assert np.allclose(slopes["y"], -a)
    assert np.allclose(slopes["K"], (np.outer(a, a) - np.linalg.inv(k)) / 2)
    assert g.to_numpy().count("= factored(") == 1


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.data())
def test_planned_code_has_the_values_of_unplanned_code(data):
    """At sizes drawn for planning, whatever form they lead to."""
    sample = data.draw(expressions(depth=3, unknown=False))
    expr = sample.expr
    try:
        roots = stable([expr])
        symbols = sorted({s for e in walk(expr) for size in e.shape for s in size.free_symbols}, key=str)
        sizes = {s: float(data.draw(st.sampled_from([2, 30, 1000, 9000]))) for s in symbols}
        costs = Costs(sizes)
        forms = [roots, in_fast_words(paired(planned(roots, (), sizes), costs), costs)]
    except (UnsupportedError, SymderivError):
        assume(False)
    arrays = data.draw(points(sample))
    declared = Declared(tuple(sample.variables), tuple(sample.variables.values()), {})
    values = []
    for form in forms:
        source = code_source("f", form, [expr], "f.", (), declared)
        function = compiled(Writer(source).module(), "f")
        with np.errstate(all="ignore"):
            try:
                values.append(np.asarray(function(**{a.name: arrays[a.name] for a in source.arguments})))
            except np.linalg.LinAlgError:
                assume(False)
    assume(np.all(np.isfinite(values[0])) and np.all(np.abs(values[0]) < 1e6))
    assert values[0].shape == values[1].shape
    assert np.allclose(values[0], values[1], rtol=1e-6, atol=1e-6)


def test_costs_of_what_is_planned_never_grow():
    for text in ("A @ B @ x", "trace(A @ B)", "sum(A * B)", "A * x * y", "(A + B) @ x"):
        scope = scope_of(SQUARES)
        expr = parse(text, scope)
        costs = Costs(representative([expr]))
        assert costs.total(planned([expr], (), costs.sizes)[0]) <= costs.total(expr)


def test_sizes_of_all_arguments_may_be_given():
    """Also of those that the result does not mention."""
    d = derive("norm(T - U @ V.T)**2", ["U", "U"], shapes=FACTORS)
    assert "Planned for m = 150, n = 120, k = 10." in d.to_numpy(sizes={"m": 150, "n": 120, "k": 10})
    with pytest.raises(ShapeError, match="no array has the size q"):
        d.to_numpy(sizes={"q": 3})


@pytest.mark.parametrize("text", ["sum(0 * (A - B) @ x)", "trace(0 * (A + B) @ (A - B))", "sum(0 * (A + B) * (x + x))"])
def test_products_with_zero_are_planned(text):
    arrays = {"A": rng.random((3, 3)), "B": rng.random((3, 3)), "x": rng.random(3)}
    name = "x" if "x" in text else "A"
    shapes = {"A": ("n", "n"), "B": ("n", "n")} | ({"x": ("n",)} if name == "x" else {})
    value, gradient = derive(text, name, shapes=shapes).compile(value=True)(**{k: arrays[k] for k in shapes})
    assert value == 0
    assert not gradient.any()


def doubled(X, Y):
    t = X + Y
    for _ in range(40):
        t = (t + t) - (Y + t)
    return np.sum(t @ X)


def nested(X, Y):
    t = X
    for _ in range(300):
        t = np.tanh(t) * Y + X
    return np.sum(t)


@pytest.mark.parametrize("function", [doubled, nested])
def test_no_sharing_and_no_depth_is_too_much(function):
    shapes = {"X": ("n", "n"), "Y": ("n", "n")}
    derived = derive(function, "X", shapes=shapes).compile(value=True)
    X, Y = 0.1 * rng.random((2, 3, 3))
    step = 1e-6 * rng.random((3, 3))
    value, gradient = derived(X=X, Y=Y)
    assert np.isclose(value, function(X, Y))
    change = function(X + step, Y) - function(X - step, Y)
    assert np.isclose(np.sum(gradient * step), change / 2, rtol=1e-4)


def test_axes_of_one_entry_that_broadcast():
    shapes = {"T": ("m", 1, "n"), "H": ("p", "m"), "U": ("p", "p", 1), "A": ("p", "n")}
    arrays = {"T": rng.random((4, 1, 3)), "H": rng.random((2, 4)), "U": rng.random((2, 2, 1)), "A": rng.random((2, 3))}
    found = run("H @ (einsum('jik->ij', T) * H).T", {k: shapes[k] for k in "TH"}, {k: arrays[k] for k in "TH"})
    assert np.allclose(found, arrays["H"] @ (arrays["T"].sum(2).T * arrays["H"]).T)
    found = run("einsum('ijk->jik', U) * A * U", {k: shapes[k] for k in "UA"}, {k: arrays[k] for k in "UA"})
    U = arrays["U"]
    assert np.allclose(found, U.transpose(1, 0, 2) * arrays["A"] * U)
