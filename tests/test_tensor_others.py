"""Products of entries where entries are 0: values, texts, code, proofs, in derivatives of every order."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

from symderiv import UnsupportedError, derive, gradients, hvp, verify
from symderiv.check.decide import decide_equal
from symderiv.check.indices import Indices
from symderiv.check.numeric import Numeric
from symderiv.check.reading import Reading
from symderiv.index import normal
from symderiv.index.narrow import narrow
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply
from symderiv.tensor.others import spelled_out, without_others
from symderiv.tensor.parse import parse, scope_of, variable
from symderiv.tensor.text import to_text

# name, shape as declared, the axes that the product runs over, the text of it
PRODUCTS = [
    ("x", "x(n)", (0,), "prod(x)"),
    ("x", "x(s)", (0,), "prod(x)"),
    ("A", "A(n,m)", (0,), "prod(A, 0)"),
    ("A", "A(n,m)", (1,), "prod(A, 1)"),
    ("A", "A(n,m)", (0, 1), "prod(A)"),
    ("A", "A(n,s)", (1,), "prod(A, -1)"),
    ("A", "A(s,n)", (1,), "prod(A, 1)"),
    ("A", "A(n,n)", (1,), "prod(A, 1)"),
    ("T", "T(n,p,n)", (0,), "prod(T, 0)"),
    ("T", "T(n,p,n)", (1,), "prod(T, 1)"),
    ("T", "T(n,p,m)", (2,), "prod(T, -1)"),
    ("T", "T(n,p,n)", (0, 1, 2), "prod(T)"),
    ("T", "T(n,p,p)", (0, 2), None),  # no text says this
]
CASES = [(*row, order) for row in PRODUCTS for order in (1, 2, 3)]
EACH = pytest.mark.parametrize(("name", "shapes", "over", "text", "order"), CASES, ids=str)


@pytest.fixture(autouse=True)
def _no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


def with_zeros(a, seed=0):
    """Yield an array with no, one, two and three of its entries 0."""
    rng = np.random.default_rng(seed)
    for count in range(min(4, a.size + 1)):
        b = a.copy()
        b.ravel()[rng.choice(a.size, count, replace=False)] = 0
        yield b


def others(name, shapes, over, order, shapes_of):
    return apply("others", variable(name, shapes_of(shapes)[name]), data=(over, order))


def derivative(a, over, order, all_but):
    """Return the derivative of the product over some axes: entry by entry, as the rule says."""
    kept = [k for k in range(a.ndim) if k not in over]
    flat = all_but(a, over, order)
    found = np.zeros([a.shape[k] for k in kept] + list(a.shape) * order)
    for row in np.ndindex(*(a.shape[k] for k in kept)):
        for left_out in itertools.product(np.ndindex(*(a.shape[k] for k in over)), repeat=order):
            places = []
            for js in left_out:
                at = dict(zip(kept, row, strict=True)) | dict(zip(over, js, strict=True))
                places.append(tuple(at[k] for k in range(a.ndim)))
            later = tuple(i for js in left_out[1:] for i in js)
            found[row + tuple(i for place in places for i in place)] = flat[places[0] + later]
    return found


# ---------------------------------------------------------------- the operation itself


@EACH
def test_the_text_has_the_value_also_at_zeros(name, shapes, over, text, order, shapes_of, arrays, evaluate, all_but):
    expr = others(name, shapes, over, order, shapes_of)
    for a in with_zeros(arrays(shapes)[name]):
        want = all_but(a, over, order)
        assert evaluate(to_text(expr), shapes, {name: a}).shape == want.shape
        np.testing.assert_allclose(evaluate(to_text(expr), shapes, {name: a}), want, rtol=1e-12, atol=1e-14)


@EACH
def test_the_text_is_read_again(name, shapes, over, text, order, shapes_of, arrays, value_of_node, all_but):
    expr = others(name, shapes, over, order, shapes_of)
    back = parse(to_text(expr), scope_of(shapes_of(shapes)))
    assert back.axes == expr.axes
    assert back is spelled_out(expr)
    for a in with_zeros(arrays(shapes)[name]):
        sizes = {str(s): d for s, d in zip(shapes_of(shapes)[name], a.shape, strict=True)}
        for e in (expr, back):
            got = value_of_node(lower(e).node, {name: a}, sizes)
            np.testing.assert_allclose(got, all_but(a, over, order), rtol=1e-12, atol=1e-14)


@EACH
def test_lifting_gives_the_operation_back(name, shapes, over, text, order, shapes_of):
    expr = others(name, shapes, over, order, shapes_of)
    assert lift(lower(expr).node) is expr


@EACH
def test_the_checks_know_the_operation(name, shapes, over, text, order, shapes_of, arrays, all_but):
    expr = others(name, shapes, over, order, shapes_of)
    a = arrays(shapes)[name]
    sizes = {str(s): d for s, d in zip(shapes_of(shapes)[name], a.shape, strict=True)}
    points = np.stack(list(with_zeros(a)))
    got = Numeric(Reading(expr), Indices(expr), sizes, {name: points}).evaluate(expr)
    want = np.stack([all_but(p, over, order) for p in points])
    np.testing.assert_allclose(got.reshape(want.shape), want, rtol=1e-12, atol=1e-14)
    if len(over) * order <= 2:  # they take sizes up to 8
        assert decide_equal(expr, spelled_out(expr)).status == "proved"


def test_the_checks_tell_it_from_another():
    x = variable("x", ("n",))
    one, two = (apply("others", x, data=((0,), order)) for order in (1, 2))
    assert decide_equal(one, x).status == "refuted"
    assert decide_equal(two, parse("outer(x, x)", scope_of({"x": ("n",)}))).status == "refuted"
    assert decide_equal(two, apply("transpose", two)).status == "proved"


def test_what_is_no_number_is_no_zero():
    x = np.array([2.0, np.nan, 3.0])
    got = derive("prod(x)", "x", shapes={"x": ("n",)}).compile()(x=x)
    assert np.isnan(got[[0, 2]]).all()


def test_one_inside_another_is_spelled_out_too():
    x = variable("x", ("n",))
    inner = apply("others", x, data=((0,), 1))
    outer = apply("add", apply("others", inner, data=((0,), 1)), inner)
    (found,) = without_others(outer)
    assert found is parse(to_text(outer), scope_of({"x": ("n",)}))
    assert without_others(found) == [found]


# ---------------------------------------------------------------- the normal form


def test_entries_are_left_out_in_no_order():
    A = normal.leaf("A", scope_of({"A": ("n", "n")}).names["A"].shape)
    node = normal.product_except(A, [1], 3)
    assert len(normal.symmetries(node)) == 6
    assert normal.contract(1, [(node, "ijkl")], "ijkl") is normal.contract(1, [(node, "ilkj")], "ijkl")
    assert normal.contract(1, [(node, "ijkl")], "ijkl") is not normal.contract(1, [(node, "jikl")], "ijkl")


def test_leaving_an_entry_out_twice_gives_zero():
    A = normal.leaf("A", scope_of({"A": ("n", "m")}).names["A"].shape)
    one, whole = normal.product_except(A, [1], 2), normal.product_except(A, [0, 1], 2)
    assert normal.is_zero(normal.contract(1, [(one, "ijj")], "ij"))
    assert normal.is_zero(normal.contract(1, [(one, "ijk"), (normal.delta(A.dims[1]), "jk")], ()))
    assert normal.is_zero(normal.contract(1, [(whole, "ijij")], ()))
    assert not normal.is_zero(normal.contract(1, [(whole, "ijik")], ()))


def test_a_transpose_has_the_same_product():
    scope = scope_of({"A": ("n", "m"), "T": ("n", "p", "m")})
    for one, other in [
        ("prod(A.T)", "prod(A)"),
        ("prod(A.T, 0)", "prod(A, 1)"),
        ("prod(transpose(T, (2, 0, 1)), 1)", "prod(T, 0).T"),
    ]:
        assert lower(parse(one, scope)).node is lower(parse(other, scope)).node
    turned = apply("others", parse("A.T", scope), data=((0,), 2))
    straight = apply("others", parse("A", scope), data=((1,), 2))
    assert lower(turned).node is lower(apply("transpose", straight, data=((1, 0, 2),))).node


def test_axes_of_size_1_hold_one_entry():
    x, column = (normal.leaf("x", scope_of({"x": shape}).names["x"].shape) for shape in (("n",), ("n", 1)))
    assert narrow(normal.product_except(column, [0], 3)) is normal.product_except(x, [0], 3)
    assert narrow(normal.product_except(column, [0, 1], 2)) is normal.product_except(x, [0], 2)
    assert normal.constant(narrow(normal.product_except(column, [1], 1))) == 1
    assert normal.is_zero(narrow(normal.product_except(column, [1], 2)))


# ---------------------------------------------------------------- derivatives


@pytest.mark.parametrize(
    ("name", "shapes", "over", "text", "order"), [row for row in CASES if row[3] is not None], ids=str
)
def test_derivatives_of_products(name, shapes, over, text, order, shapes_of, arrays, evaluate, all_but):
    d = derive(text, [name] * order, shapes=shapes_of(shapes))
    compiled = d.compile()
    for a in with_zeros(arrays(shapes)[name]):
        want = derivative(a, over, order, all_but)
        got = compiled(**{name: a})
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(evaluate(str(d.result), shapes, {name: a}), want, rtol=1e-12, atol=1e-14)
    assert parse(str(d.result), scope_of(shapes_of(shapes))).axes == d.result.expr.axes
    d.proof.check()


THROUGH = [
    ("prod(x**2)", "x", "x(n)"),
    ("sum(prod(A, 1)**2)", "A", "A(n,m)"),
    ("prod(A @ x)", "x", "A(n,m) x(m)"),
    ("prod(A @ x)", "A", "A(n,p) x(p)"),
    ("sum(prod(A * x, 0) * y)", "x", "A(n,m) x(m) y(m)"),
    ("exp(prod(x)) + sum(x) * prod(x)", "x", "x(n)"),
    ("prod(prod(A, 0) + x)", "A", "A(n,p) x(p)"),
    ("prod(outer(x, y) + A.T, 1) @ x", "x", "x(n) y(p) A(p,n)"),
    ("sum(where(prod(A, 0) > 0.5, prod(A, 0)**2, 0))", "A", "A(n,p)"),
    ("prod(kron(x, y))", "x", "x(n) y(p)"),
    ("sum(prod(kron(A, B), 0)**2)", "A", "A(n,p) B(p,p)"),
    ("prod(vec(A) + 1) * prod(A.T)", "A", "A(n,p)"),
    ("norm(prod(reshape(T, (n*p, n)), 0) - x)**2", "T", "T(n,p,n) x(n)"),
    ("sum(prod(transpose(T, (1, 0, 2)), 1) * A)", "T", "T(n,p,m) A(p,m)"),
]


@pytest.mark.parametrize(("text", "name", "shapes"), THROUGH, ids=str)
def test_products_inside_of_other_functions(text, name, shapes, shapes_of, arrays, evaluate, slope_of):
    """First and second derivatives against differences; the variable has entries that are 0."""
    first, second = (derive(text, [name] * k, shapes=shapes_of(shapes)) for k in (1, 2))
    given = arrays(shapes)

    def f(at):
        return evaluate(text, shapes, at)

    for a in with_zeros(given[name], seed=1):
        at = {**given, name: a}
        got = first.compile()(**at)
        np.testing.assert_allclose(got, slope_of(f, at, name), rtol=1e-7, atol=1e-8)
        want = slope_of(lambda near: slope_of(f, near, name, h=1e-2), at, name, h=1e-2)
        np.testing.assert_allclose(second.compile()(**at), want, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(evaluate(str(first.result), shapes, at), got, rtol=1e-10, atol=1e-12)
    first.proof.check()
    second.proof.check()


def test_gradients_and_the_product_of_hessian_and_vector(shapes_of, arrays, evaluate, slope_of):
    shapes = "A(n,m) x(m) b(n) v(m)"
    declared = {name: shape for name, shape in shapes_of(shapes).items() if name != "v"}
    text = "sum(prod(A * x, 1) * b)"
    at = arrays(shapes)
    at["A"][0, 1] = at["A"][2, 3] = at["x"][0] = 0

    g = gradients(text, ["A", "x", "b"], shapes=declared)
    g.proof.check()
    value, found = g.compile()(**{k: at[k] for k in declared})
    np.testing.assert_allclose(value, evaluate(text, shapes, at))
    for name in found:
        want = slope_of(lambda near: evaluate(text, shapes, near), at, name)
        np.testing.assert_allclose(found[name], want, rtol=1e-7, atol=1e-9)

    h = hvp(text, "x", direction="v", shapes=declared)
    h.proof.check()
    hessian = derive(text, ["x", "x"], shapes=declared).compile()(**{k: at[k] for k in declared})
    np.testing.assert_allclose(h.compile()(**at), hessian @ at["v"], rtol=1e-10, atol=1e-12)


CLAIMS = [  # what one would write by hand, where no entry is 0
    ("prod(x)", ["x"], "prod(x) / x", "prod(x) / x**2"),
    ("prod(x)", ["x", "x"], "prod(x) / outer(x, x) * (1 - eye(n))", "prod(x) / outer(x, x)"),
    ("prod(A, 0)", ["A"], "einsum('ij,jk->jik', prod(A, 0) / A, eye(m))", "einsum('ij,jk->jik', A, eye(m))"),
    ("sum(prod(A, 1))", ["A"], "prod(A, 1)[:, None] / A", "prod(A, 0) / A"),
    ("sum(log(prod(A, 0)))", ["A"], "1 / A", "A"),
    ("log(prod(x))", ["x", "x"], "-diag(1 / x**2)", "diag(1 / x**2)"),
    ("prod(A @ y)", ["y"], "A.T @ (prod(A @ y) / (A @ y))", "A.T @ (1 / (A @ y))"),
]


@pytest.mark.parametrize(("text", "wrt", "claim", "wrong"), CLAIMS, ids=str)
def test_claims_by_hand(text, wrt, claim, wrong):
    shapes = {"x": ("n",), "y": ("m",), "A": ("n", "m")}
    assert verify(text, wrt, claim, shapes=shapes).status == "proved"
    assert verify(text, wrt, wrong, shapes=shapes).status == "refuted"


@pytest.mark.parametrize(
    ("text", "wrt"), [("prod(x)", "xx"), ("prod(x)", "xxx"), ("prod(A, 1)", "AA"), ("prod(A)", "AA")]
)
def test_the_result_is_a_claim_that_is_proved(text, wrt):
    shapes = {"x": ("n",), "A": ("n", "m")}
    d = derive(text, list(wrt), shapes=shapes)
    assert verify(text, list(wrt), str(d.result), shapes=shapes).status == "proved"


def test_index_and_matrix_form(shapes_of, arrays, evaluate, plain_value, all_but):
    shapes = {"x": ("n",)}
    d = derive("prod(x)", ["x", "x"], shapes=shapes)
    (name,) = d.index_definitions
    x = np.array([2.0, 0, 3])
    table = evaluate(d.index_definitions[name], "x(n)", {"x": x})
    np.testing.assert_allclose(table, all_but(x, (0,), 2))
    with pytest.raises(UnsupportedError, match="no matrix expression"):
        _ = d.matrix_form


def test_the_operation_is_not_part_of_the_language():
    with pytest.raises(Exception, match="others"):
        parse("others(x)", scope_of({"x": ("n",)}))


def test_the_hessian_is_symmetric_to_the_last_digit():
    x = np.random.default_rng(0).standard_normal(7)
    h = derive("prod(x)", ["x", "x"], shapes={"x": ("n",)}).compile()(x=x)
    assert (h == h.T).all()


def test_a_composed_axis_counts_as_its_atoms():
    A = Expr("var", (), ("A", frozenset()), ((*scope_of({"A": ("n", "m")}).names["A"].shape,),))
    expr = apply("others", A, data=((0,), 2))
    assert lower(expr).node.rank == 4


@pytest.mark.parametrize(
    ("text", "by", "shown"),
    [
        ("prod(x)", "x", "prod(x) / x"),
        ("log(prod(x))", "x", "1 / x"),
        ("prod(exp(x))", "x", "prod(exp(x))"),
    ],
)
def test_no_entry_of_a_positive_product_is_looked_for(text, by, shown):
    d = derive(text, by, shapes={"x": ("n",)}, assume={"x": "positive"})
    assert str(d.result).startswith(shown)
    d.proof.check()
    assert "where" not in d.to_numpy()
