"""The normal form: one node for one value, whatever the order in which it was built."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv import dims
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.index import graph, normal
from symderiv.index.normal import add, contract, defined, delta, entrywise, leaf, number, power, transposed

n, m = dims.symbol("n"), dims.symbol("m")
SIZES = {"n": 3, "m": 2}
A, B = leaf("A", (n, n)), leaf("B", (n, n))
S = leaf("S", (n, n), ["symmetric"])
R = leaf("R", (n, m))
Q = leaf("Q", (n, n), ["orthogonal"])
x, y, c = leaf("x", (n,)), leaf("y", (n,)), leaf("c", ())
d = leaf("d", (n,), ["positive"])

rng = np.random.default_rng(0)
GIVEN = {
    "A": rng.standard_normal((3, 3)),
    "B": rng.standard_normal((3, 3)),
    "S": (s := rng.standard_normal((3, 3))) + s.T,
    "R": rng.standard_normal((3, 2)),
    "Q": np.linalg.qr(rng.standard_normal((3, 3)))[0],
    "x": rng.standard_normal(3),
    "y": rng.standard_normal(3),
    "c": np.asarray(1.7),
    "d": np.abs(rng.standard_normal(3)) + 0.5,
}

# factors to draw from: nodes over axes of size n
POOL = [
    A,
    B,
    S,
    x,
    y,
    c,
    Q,
    d,
    delta(n),
    power(x, 2),
    power(d, -1),
    normal.inverse(A),
    entrywise("exp", x),
    add([(1, A), (2, S)], (n, n)),
    contract(1, [(A, "ij"), (x, "j")], "i"),
    entrywise("sign", x),
    entrywise("abs", x),
]


@st.composite
def products(draw):
    """Return factors with labels, and the output labels, each of which stands in a factor."""
    factors = []
    for node in draw(st.lists(st.sampled_from(POOL), min_size=1, max_size=5)):
        labels = draw(st.lists(st.sampled_from("abcde"), min_size=node.rank, max_size=node.rank))
        factors.append((node, tuple(labels)))
    used = sorted({label for _, labels in factors for label in labels})
    out = draw(st.lists(st.sampled_from(used), unique=True, max_size=2)) if used else []
    return factors, tuple(out)


def plain(factors, out, value_of_node):
    """Return the value of a product by one einsum over its factors."""
    parts = [value_of_node(f, GIVEN, SIZES) for f, _ in factors]
    return np.einsum(",".join("".join(labels) for _, labels in factors) + "->" + "".join(out), *parts)


@settings(max_examples=150, deadline=None)
@given(products(), st.randoms(use_true_random=False))
def test_a_product_does_not_depend_on_order_or_names(product, random):
    factors, out = product
    first = contract(1, factors, out)
    moved = list(factors)
    random.shuffle(moved)
    letters = list("uvwxy")
    random.shuffle(letters)
    names = dict(zip("abcde", letters, strict=True))
    renamed = [(node, tuple(names[label] for label in labels)) for node, labels in moved]
    assert contract(1, renamed, [names[label] for label in out]) is first


@settings(max_examples=150, deadline=None)
@given(products())
def test_a_product_keeps_its_value(value_of_node, product):
    factors, out = product
    got = value_of_node(contract(1, factors, out), GIVEN, SIZES)
    np.testing.assert_allclose(got, plain(factors, out, value_of_node), rtol=1e-9, atol=1e-9)


@settings(max_examples=150, deadline=None)
@given(products())
def test_the_normal_form_is_idempotent(product):
    factors, out = product
    node = contract(1, factors, out)
    assert normal.rebuild(node, lambda child: child) is node
    for part in graph.walk(node):
        assert normal.rebuild(part, lambda child: child) is part
    assert contract(1, [(node, range(node.rank))], range(node.rank), dict(enumerate(node.dims))) is node


@settings(max_examples=100, deadline=None)
@given(products(), st.integers(1, 4))
def test_grouping_does_not_matter(value_of_node, product, cut):
    """The product of a part, with every label kept that is needed outside, times the rest."""
    factors, out = product
    left, right = factors[:cut], factors[cut:]
    outside = {label for _, labels in right for label in labels} | set(out)
    shared = tuple(sorted({label for _, labels in left for label in labels} & outside))
    node = contract(1, [(contract(1, left, shared), shared), *right], out)
    got = value_of_node(node, GIVEN, SIZES)
    np.testing.assert_allclose(got, plain(factors, out, value_of_node), rtol=1e-9, atol=1e-9)


TERMS = [
    A,
    S,
    transposed(A, (1, 0)),
    delta(n),
    contract(1, [(A, "iq"), (B, "qj")], "ij"),
    number(1, (n, n)),
    contract(3, [(x, "i"), (y, "j")], "ij"),
    add([(2, A), (-1, B)], (n, n)),
]
SUMS = st.lists(st.tuples(st.integers(-3, 3), st.sampled_from(TERMS)), max_size=5)


@settings(max_examples=150, deadline=None)
@given(SUMS, st.randoms(use_true_random=False))
def test_a_sum_does_not_depend_on_order_and_keeps_its_value(value_of_node, terms, random):
    node = add(terms, (n, n))
    moved = list(terms)
    random.shuffle(moved)
    assert add(moved, (n, n)) is node
    want = sum((k * value_of_node(t, GIVEN, SIZES) for k, t in terms), np.zeros((3, 3)))
    np.testing.assert_allclose(value_of_node(node, GIVEN, SIZES), want, atol=1e-9)
    assert normal.rebuild(node, lambda child: child) is node


@settings(max_examples=80, deadline=None)
@given(SUMS)
def test_transposing_a_sum_twice_gives_it_back(terms):
    node = add(terms, (n, n))
    assert transposed(transposed(node, (1, 0)), (1, 0)) is node


@settings(max_examples=80, deadline=None)
@given(SUMS, st.sampled_from([Fraction(2), Fraction(-3, 2), Fraction(1, 7), Fraction(0)]))
def test_scaling_a_sum_scales_its_terms(terms, by):
    assert normal.scaled(by, add(terms, (n, n))) is add([(by * k, t) for k, t in terms], (n, n))


one, zero = number(1, (n,)), number(0, (n,))
above, below = normal.extremum("maximum", x, zero), normal.extremum("minimum", x, zero)


def pairs():
    """Return `x[i] - x[j]`."""
    wide = {"i": n, "j": n}
    return add([(1, contract(1, [(x, "i")], "ij", wide)), (-1, contract(1, [(x, "j")], "ij", wide))], (n, n))


SAME = {
    "delta contracts": lambda: (contract(1, [(delta(n), "iq"), (A, "qj")], "ij"), A),
    "delta of one index": lambda: (contract(1, [(delta(n), "ii"), (x, "i")], "i"), x),
    "trace of the identity": lambda: (contract(1, [(delta(n), "ii")], ""), normal.size_of(n)),
    "a bound index that stands nowhere": lambda: (
        contract(1, [(x, "i")], "i", {"q": n}),
        contract(1, [(x, "i"), (normal.size_of(n), "")], "i"),
    ),
    "powers merge": lambda: (contract(1, [(x, "i"), (x, "i"), (power(x, -2), "i")], "i"), number(1, (n,))),
    "trace is cyclic": lambda: (contract(1, [(A, "ij"), (B, "ji")], ""), contract(1, [(B, "ij"), (A, "ji")], "")),
    "trace of a transpose": lambda: (
        contract(1, [(A, "ij"), (B, "ij")], ""),
        contract(1, [(B, "ji"), (A, "ji")], ""),
    ),
    "a symmetric leaf": lambda: (transposed(S, (1, 0)), S),
    "a symmetric product": lambda: (
        transposed(contract(1, [(A, "iq"), (A, "jq")], "ij"), (1, 0)),
        contract(1, [(A, "iq"), (A, "jq")], "ij"),
    ),
    "inverse from the left": lambda: (contract(1, [(normal.inverse(A), "iq"), (A, "qj")], "ij"), delta(n)),
    "inverse from the right": lambda: (contract(1, [(A, "iq"), (normal.inverse(A), "qj")], "ij"), delta(n)),
    "inverse of a product, beside that product": lambda: (
        contract(1, [(normal.inverse(contract(1, [(A, "ik"), (B, "kj")], "ij")), "ap"), (A, "pq"), (B, "qb")], "ab"),
        delta(n),
    ),
    "inverse of a product, from the right": lambda: (
        contract(1, [(A, "ap"), (B, "pq"), (normal.inverse(contract(1, [(A, "ik"), (B, "kj")], "ij")), "qb")], "ab"),
        delta(n),
    ),
    "inverse of an inverse": lambda: (normal.inverse(normal.inverse(A)), A),
    "inverse of a multiple": lambda: (
        normal.inverse(normal.scaled(Fraction(2), A)),
        normal.scaled(Fraction(1, 2), normal.inverse(A)),
    ),
    "inverse of a transpose": lambda: (normal.inverse(transposed(A, (1, 0))), transposed(normal.inverse(A), (1, 0))),
    "an orthogonal matrix": lambda: (contract(1, [(Q, "qi"), (Q, "qj")], "ij"), delta(n)),
    "its inverse": lambda: (normal.inverse(Q), transposed(Q, (1, 0))),
    "det of an inverse": lambda: (normal.determinant(normal.inverse(A)), power(normal.determinant(A), -1)),
    "logdet of a product": lambda: (
        normal.log_determinant(contract(1, [(A, "iq"), (B, "qj")], "ij")),
        add([(1, normal.log_determinant(A)), (1, normal.log_determinant(B))], ()),
    ),
    "u sign(u) = |u|": lambda: (contract(1, [(x, "i"), (entrywise("sign", x), "i")], "i"), entrywise("abs", x)),
    "u sign(u)² = u": lambda: (contract(1, [(x, "i"), (power(entrywise("sign", x), 2), "i")], "i"), x),
    "|u| sign(u) = u": lambda: (contract(1, [(entrywise("abs", x), "i"), (entrywise("sign", x), "i")], "i"), x),
    "max(u, 0) (1 + sign(u)) = 2 max(u, 0)": lambda: (
        contract(1, [(above, "i"), (add([(1, one), (1, entrywise("sign", x))], (n,)), "i")], "i"),
        normal.scaled(Fraction(2), above),
    ),
    "min(u, 0) (1 - sign(u)) = 2 min(u, 0)": lambda: (
        contract(1, [(below, "i"), (add([(1, one), (-1, entrywise("sign", x))], (n,)), "i")], "i"),
        normal.scaled(Fraction(2), below),
    ),
    "relu(u) [u > 0] = relu(u)": lambda: (
        contract(1, [(entrywise("relu", x), "i"), (normal.where(">", x, zero, one, zero), "i")], "i"),
        entrywise("relu", x),
    ),
    "bᵘ b = bᵘ⁺¹": lambda: (
        contract(1, [(normal.general_power(d, x), "i"), (d, "i")], "i"),
        normal.general_power(d, add([(1, x), (1, one)], (n,))),
    ),
    "bᵘ bᵛ = bᵘ⁺ᵛ": lambda: (
        contract(1, [(normal.general_power(d, x), "i"), (normal.general_power(d, y), "i")], "i"),
        normal.general_power(d, add([(1, x), (1, y)], (n,))),
    ),
    "bᵘ b bᵛ = bᵘ⁺ᵛ⁺¹": lambda: (
        contract(1, [(normal.general_power(d, x), "i"), (d, "i"), (normal.general_power(d, y), "i")], "i"),
        normal.general_power(d, add([(1, x), (1, y), (1, one)], (n,))),
    ),
    "N⁻¹ N = 1 for N = x yᵀ, where neither has a value": lambda: (
        contract(1, [(normal.inverse(contract(1, [(x, "i"), (y, "j")], "ij")), "iq"), (x, "q"), (y, "j")], "ij"),
        delta(n),
    ),
    "a difference of two entries, transposed": lambda: (
        contract(1, [(A, "ij"), (pairs(), "ji")], "ij"),
        contract(-1, [(A, "ij"), (pairs(), "ij")], "ij"),
    ),
    "a difference of an entry and itself": lambda: (contract(1, [(pairs(), "ii")], "i"), zero),
    "|u|² = u²": lambda: (power(entrywise("abs", x), 2), power(x, 2)),
    "√u² = |u|": lambda: (power(power(x, 2), Fraction(1, 2)), entrywise("abs", x)),
    "√(4u) = 2√u": lambda: (
        power(normal.scaled(Fraction(4), x), Fraction(1, 2)),
        normal.scaled(Fraction(2), power(x, Fraction(1, 2))),
    ),
    "√¼ = ½": lambda: (power(number(Fraction(1, 4)), Fraction(1, 2)), number(Fraction(1, 2))),
    "√u² = u for u > 0": lambda: (power(power(d, 2), Fraction(1, 2)), d),
    "equal branches": lambda: (normal.where(">", x, y, d, d), d),
    "max(u, u) = u": lambda: (normal.extremum("maximum", x, x), x),
    "terms merge": lambda: (add([(1, x), (2, x), (-3, x)], (n,)), number(0, (n,))),
    "exp(0) = 1": lambda: (entrywise("exp", number(0, (n,))), number(1, (n,))),
    "mixed second derivatives": lambda: (
        normal.unknown("G", [x, y], (), [1, 0]),
        transposed(normal.unknown("G", [x, y], (), [0, 1]), (1, 0)),
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_equal_values_are_one_node(case):
    left, right = SAME[case]()
    assert left is right


DIFFERENT = {
    "√u² and |u|³": lambda: (power(power(x, 2), Fraction(3, 2)), entrywise("abs", x)),
    "max(u, 0) (1 + |u|) and 2 max(u, 0)": lambda: (
        contract(1, [(above, "i"), (add([(1, one), (1, entrywise("abs", x))], (n,)), "i")], "i"),
        normal.scaled(Fraction(2), above),
    ),
    "max(u, 0) (1 - sign(u)) and 2 max(u, 0)": lambda: (
        contract(1, [(above, "i"), (add([(1, one), (-1, entrywise("sign", x))], (n,)), "i")], "i"),
        normal.scaled(Fraction(2), above),
    ),
    "A and its transpose": lambda: (A, transposed(A, (1, 0))),
    "A B and B A": lambda: (contract(1, [(A, "iq"), (B, "qj")], "ij"), contract(1, [(B, "iq"), (A, "qj")], "ij")),
    "tr(A²) and ‖A‖²": lambda: (contract(1, [(A, "ij"), (A, "ji")], ""), contract(1, [(A, "ij"), (A, "ij")], "")),
    "√u² and u": lambda: (power(power(x, 2), Fraction(1, 2)), x),
    "tr(A²)² and tr(A⁴)": lambda: (
        contract(1, [(A, "ij"), (A, "ji"), (A, "kl"), (A, "lk")], ""),
        contract(1, [(A, "ij"), (A, "jk"), (A, "kl"), (A, "li")], ""),
    ),
    "a name and what it names": lambda: (defined("u", x), x),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_different_values_are_different_nodes(case):
    left, right = DIFFERENT[case]()
    assert left is not right


@pytest.mark.parametrize("length", [4, 8, 16])
def test_a_long_trace_is_one_node_wherever_it_starts(length):
    names = ["A", "B"]
    chain = [leaf(names[k % 2] if k % 3 else "C", (n, n)) for k in range(length)]
    first = contract(1, [(f, (k, (k + 1) % length)) for k, f in enumerate(chain)], ())
    for turn in range(1, length):
        turned = chain[turn:] + chain[:turn]
        assert contract(1, [(f, (k, (k + 1) % length)) for k, f in enumerate(turned)], ()) is first


def test_substitution_of_equals_is_seen_through():
    node = contract(1, [(A, "iq"), (B, "qj")], "ij")
    assert normal.substitute(node, {B: normal.inverse(A)}) is delta(n)
    assert normal.unfold(contract(1, [(defined("u", A), "iq"), (normal.inverse(A), "qj")], "ij")) is delta(n)


@pytest.mark.parametrize(
    ("build", "kind"),
    [
        (lambda: contract(1, [(A, "i")], "i"), ShapeError),
        (lambda: contract(1, [(R, "ij"), (x, "j")], "i"), ShapeError),
        (lambda: contract(1, [(x, "i")], "i", {"i": m}), ShapeError),
        (lambda: normal.inverse(R), ShapeError),
        (lambda: add([(1, A), (1, R)], (n, n)), ShapeError),
        (lambda: power(number(0), -1), UnsupportedError),
        (lambda: power(delta(n), -1), UnsupportedError),
        (lambda: power(power(contract(1, [(x, "i"), (delta(n), "ij")], "ij"), Fraction(1, 2)), -2), UnsupportedError),
    ],
)
def test_what_has_no_value_is_refused(build, kind):
    with pytest.raises(kind):
        build()


NEGATIVE = {**GIVEN, "x": np.array([-1.5, 0.4, -0.2]), "c": np.asarray(-0.7), "p": np.array([0.2, 0.0, 0.8])}
share = leaf("p", (n,), ["probability"])
BASES = [
    x, d, number(4), number(Fraction(9, 4)), number(-4), number(0), normal.size_of(n), share, entrywise("abs", x),
    power(x, 2), power(x, 3), power(d, Fraction(1, 3)), normal.scaled(Fraction(4), x), normal.scaled(Fraction(-4), x),
    contract(2, [(d, "i"), (x, "i")], "i"), contract(1, [(x, "i"), (c, "")], ""),
    contract(1, [(x, "i"), (y, "j")], "ij"), contract(1, [(x, "i"), (x, "i")], ""),
    contract(3, [(x, "i"), (x, "i"), (c, "")], ""),
    contract(-1, [(share, "i"), (x, "i")], "i"), contract(1, [(entrywise("exp", x), "i"), (y, "i")], "i"),
]  # fmt: skip
EXPONENTS = [2, 3, -1, Fraction(1, 2), Fraction(3, 2), Fraction(1, 3), Fraction(-1, 2), Fraction(2, 3)]


@pytest.mark.parametrize("first", EXPONENTS, ids=str)
@pytest.mark.parametrize("base", BASES, ids=range(len(BASES)))
def test_a_power_of_a_power_has_its_value_wherever_it_has_one(base, first, value_of_node):
    with np.errstate(all="ignore"):
        for second in (1, *EXPONENTS):
            try:
                found = value_of_node(power(power(base, first), second), NEGATIVE, SIZES)
            except UnsupportedError:
                assert normal.is_zero(base)
                continue
            plain = (value_of_node(base, NEGATIVE, SIZES) ** float(first)) ** float(second)
            known = np.isfinite(plain)
            np.testing.assert_allclose(found[known], plain[known], rtol=1e-12)


@pytest.mark.parametrize("terms", [{x: 1}, {x: 1, y: -1}, {x: -1, y: 1}, {d: -1}, {power(x, 2): -1, y: 1}], ids=len)
def test_the_exponential_of_what_is_left_of_a_log_of_a_sum_is_a_softmax(terms):
    """`exp(u − log Σ exp(u)) = softmax(u)`, in whatever order its terms come."""
    u = add([(coef, node) for node, coef in terms.items()], (n,))
    log = contract(1, [(normal.log_sum_exp(u, (0,)), "")], "i", {"i": n})
    assert entrywise("exp", add([(1, u), (-1, log)], (n,))) is normal.softmax(u, (0,))


def test_what_is_put_round_an_array_has_no_weight():
    for node in (transposed(A, (1, 0)), normal.scaled(Fraction(2), A)):
        assert normal.weight(node) == normal.weight(A)
    assert normal.weight(contract(1, [(A, "ij"), (x, "j")], "ij")) > normal.weight(A) + normal.weight(x)


def test_two_equal_sums_are_a_square():
    flat = contract(1, [(x, "a"), (power(x, 2), "a"), (x, "b"), (power(x, 2), "b")], "")
    assert flat is power(contract(1, [(power(x, 3), "a")], ""), 2)


def test_the_arguments_of_an_extremum_come_in_no_order():
    for kind in ("maximum", "minimum"):
        assert normal.extremum(kind, x, y) is normal.extremum(kind, y, x)
        assert normal.extremum(kind, A, B) is normal.extremum(kind, B, A)
    assert normal.extremum("maximum", x, y) is not normal.extremum("minimum", x, y)
    zero = number(0, (n,))
    assert normal.extremum("maximum", zero, x).right is zero


def test_an_extremum_of_numbers_is_a_number():
    assert normal.constant(normal.extremum("minimum", number(1, (n,)), number(2, (n,)))) == 1
    assert normal.constant(normal.extremum("maximum", number(1), number(2))) == 2


def test_a_function_of_a_constant_keeps_no_axes():
    whole = entrywise("softplus", number(1, (n, m)))
    assert normal.core(whole) == (entrywise("softplus", number(1)), ())
    assert power(number(2, (n,)), Fraction(1, 2)) is contract(
        1, [(power(number(2), Fraction(1, 2)), ())], "i", {"i": n}
    )


def test_a_softmax_over_an_axis_that_says_nothing():
    x = leaf("x", (n,))
    wide = contract(1, [(x, "i")], "ij", {"i": n, "j": m})
    share = power(normal.size_of(m), -1)
    assert normal.softmax(wide, (1,)) is contract(1, [(share, "")], "ij", {"i": n, "j": m})
    assert normal.softmax(wide, (0, 1)) is contract(
        1, [(normal.softmax(x, (0,)), "i"), (share, "")], "ij", {"i": n, "j": m}
    )
    log = entrywise("log", normal.size_of(m))
    assert normal.log_sum_exp(wide, (1,)) is add([(1, x), (1, contract(1, [(log, "")], "i", {"i": n}))], (n,))
    assert normal.log_sum_exp(number(2, (n,)), (0,)) is add(
        [(2, number(1)), (1, entrywise("log", normal.size_of(n)))], ()
    )


def test_symmetries_of_functions_of_several_arrays():
    cube = contract(1, [(delta(n), "ij"), (leaf("x", (n,)), "k")], "ijk")
    other = contract(1, [(leaf("S", (n, n), {"symmetric"}), "ij")], "ijk", {"k": n})
    for node in (
        normal.where("<", cube, other, other, cube),
        normal.extremum("maximum", cube, other),
        add([(1, cube), (1, other)], (n,) * 3),
    ):
        assert set(normal.symmetries(node)) == {(0, 1, 2), (1, 0, 2)}
    lone = contract(1, [(leaf("A", (n, n)), "ij")], "ijk", {"k": n})
    assert normal.symmetries(normal.extremum("maximum", cube, lone)) == ((0, 1, 2),)


def test_the_inverse_over_composed_axes_keeps_rows_and_columns():
    axes = (m, n)
    kron = contract(1, [(leaf("V", (m, m)), "ik"), (A, "jl")], "ijkl")
    curved = entrywise("tanh", kron)
    for function in (normal.inverse, normal.determinant, normal.log_determinant):
        for node in (function(curved), function(transposed(curved, (2, 3, 0, 1)))):
            (found,) = {part for part in graph.walk(node) if isinstance(part, graph.MatrixFunction)}
            assert found.arg.dims[:2] == found.arg.dims[2:]
            assert sorted(map(str, found.arg.dims[:2])) == sorted(map(str, axes))


def test_a_root_of_a_diagonal_is_that_of_the_diagonal_of_a_matrix():
    diagonal, half = contract(1, [(A, "ii")], "i"), Fraction(1, 2)
    entries = contract(1, [(power(A, half), "ii"), (delta(n), "ij")], "ij")
    assert entries is contract(1, [(power(diagonal, half), "i"), (delta(n), "ij")], "ij")
    assert contract(1, [(power(diagonal, half), "i"), (power(A, half), "ii")], "i") is diagonal
    for positive in (entrywise("exp", A), normal.softmax(A, (0,))):
        root = power(contract(1, [(positive, "ii")], "i"), half)
        assert contract(1, [(power(positive, half), "ii")], "i") is root


# ---------------------------------------------------------------- shorter ways to the same node

SEVERAL = [
    *POOL,
    R,
    contract(3, [(A, "ij"), (x, "i"), (x, "j"), (R, "jk")], "ijk"),
    contract(1, [(x, "i"), (delta(n), "ij")], "ij"),
    contract(1, [(A, "ii"), (y, "i")], "i"),
    contract(1, [(add([(1, A), (2, B)], (n, n)), "ii")], "i"),
    contract(1, [(entrywise("sign", x), "i"), (entrywise("abs", y), "j")], "ij"),
    add([(1, contract(1, [(x, "i")], "ij", {"j": n})), (-1, contract(1, [(x, "j")], "ij", {"i": n}))], (n, n)),
    power(add([(1, A), (-1, contract(1, [(A, "ij")], "ji"))], (n, n)), 3),
    normal.where(">", A, B, S, number(0, (n, n))),
]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SEVERAL), st.sampled_from([1, -2, Fraction(1, 3), 0]), st.data())
def test_axes_in_another_order_are_found_without_a_product(node, coef, data):
    """One array alone takes a shorter way than a product; beside a factor 1 it goes the long way."""
    names = "abcdef"[: node.rank]
    wider = data.draw(st.sampled_from(["", "x", "xy"]))
    out = data.draw(st.permutations(names + wider))
    sizes = dict.fromkeys(wider, m)
    short = contract(coef, [(node, names)], out, sizes)
    assert short is contract(coef, [(node, names), (number(1), "")], out, sizes)


@pytest.mark.parametrize("node", SEVERAL, ids=range(len(SEVERAL)))
def test_the_axes_that_are_used_are_those_of_the_core(node):
    for whole in (node, normal.rewrapped(node, tuple(range(1, node.rank + 1)), (m, *node.dims))):
        assert normal.used_axes(whole) == tuple(sorted(set(normal.core(whole)[1])))


@pytest.mark.parametrize("node", SEVERAL, ids=range(len(SEVERAL)))
def test_a_sum_of_one_term_is_the_term(node):
    dims = node.dims
    assert add([(1, node)], dims) is add([(1, node), (2, number(0, dims))], dims)


def test_a_definition_is_apart_only_where_its_entries_are_related():
    """`independent` is of no consequence where nothing relates the entries of a definition."""
    assert isinstance(defined("u", contract(1, [(A, "ij"), (A, "kj")], "ik"), True), graph.Independent)
    assert isinstance(defined("u", normal.softmax(x, [0]), True), graph.Independent)
    assert defined("u", contract(1, [(A, "ij"), (B, "jk")], "ik"), True) is defined(
        "u", contract(1, [(A, "ij"), (B, "jk")], "ik")
    )
