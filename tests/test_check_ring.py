"""The ring normal form of the kernel: laws that it knows, and near misses that it must not take for equal."""

from __future__ import annotations

import pytest
import sympy

from symderiv.check.facts import Facts
from symderiv.check.ring import Ring
from symderiv.check.terms import RefusedError
from symderiv.derivation import derive
from symderiv.index.nodes import Apply, Context, Definition, Entry, Index, Plus, Power, Sum, Tensor, Times

N = sympy.Symbol("n", integer=True, positive=True)
MINUS, ONE, TWO, HALF = sympy.Integer(-1), sympy.Integer(1), sympy.Integer(2), sympy.Rational(1, 2)
I, J, T = (Index(name, N) for name in "ijt")
U, V = Index("u", ONE), Index("v", ONE)
x, y, z = (Tensor(name, N) for name in "xyz")
c = Tensor("c")
column, corner = Tensor("k", N, ONE), Tensor("q", ONE, ONE)


def equal(left, right, traits=None, definitions=()):
    """Tell whether some form of the ring finds two expressions equal."""
    facts = Facts(Context({d.tensor.name: d for d in definitions}, traits=traits or {}))
    found = []
    for factored in (True, False):
        try:
            found.append(Ring(facts, factored=factored).equal(left, right))
        except RefusedError:
            found.append(False)
    return any(found)


def inverse(e):
    return Power(e, MINUS)


# ---------------------------------------------------------------- denominators under a sum


def test_fractions_under_a_sum_have_a_common_denominator():
    whole = Plus(Entry(x, T), Entry(y, T))
    share = Sum(Times(Entry(z, T), Entry(x, T), inverse(whole)), T)
    rest = Sum(Times(Entry(z, T), Entry(y, T), inverse(whole)), T)
    assert equal(Plus(share, rest), Sum(Entry(z, T), T))
    assert equal(share, Plus(Sum(Entry(z, T), T), Times(MINUS, rest)))
    assert not equal(Plus(share, share), Sum(Entry(z, T), T))
    assert not equal(share, rest)


def test_the_square_of_a_denominator_under_a_sum():
    whole = Plus(Entry(x, T), Entry(y, T))
    one = Sum(Times(Entry(x, T), inverse(whole)), T)
    two = Sum(Times(Entry(x, T), Plus(Entry(x, T), Entry(y, T)), Power(whole, -TWO)), T)
    assert equal(one, two)
    assert not equal(one, Sum(Times(Entry(x, T), Power(whole, -TWO)), T))


def test_a_denominator_over_another_index_is_another_one():
    below = Plus(Entry(x, T), Entry(y, I))
    one = Sum(Times(Entry(z, T), Entry(x, T), inverse(below)), T)
    whole = Sum(Entry(z, T), T)
    assert equal(Plus(one, Sum(Times(Entry(z, T), Entry(y, I), inverse(below)), T)), whole)
    assert not equal(Plus(one, Sum(Times(Entry(z, T), Entry(y, J), inverse(below)), T)), whole)


# ---------------------------------------------------------------- axes of size 1


def test_an_index_with_one_value_says_nothing():
    assert equal(Entry(column, I, U), Entry(column, I, V))
    assert equal(Sum(Entry(column, I, U), U), Entry(column, I, V))
    assert not equal(Entry(column, I, U), Entry(column, J, U))


def test_laws_of_entries_hold_for_those_of_columns():
    positive = {"k": frozenset({"positive"})}
    entry = Sum(Entry(column, I, U), U)
    assert equal(Apply("abs", 0, entry), entry, positive)
    assert equal(Apply("sign", 0, entry), ONE, positive)
    assert not equal(Apply("sign", 0, entry), ONE)


def test_the_only_entry_of_a_distribution_is_1():
    assert equal(Entry(column, I, U), ONE, {"k": frozenset({"simplex_rows"})})
    assert equal(Sum(Entry(column, I, U), I), N, {"k": frozenset({"simplex_rows"})})
    assert not equal(Entry(column, I, U), ONE)


def test_an_orthogonal_number_is_1_or_minus_1():
    orthogonal = {"q": frozenset({"orthogonal"})}
    assert equal(inverse(Entry(corner, U, V)), Entry(corner, U, V), orthogonal)
    assert equal(Apply("abs", 0, Entry(corner, U, V)), ONE, orthogonal)
    assert not equal(Entry(corner, U, V), ONE, orthogonal)


# ---------------------------------------------------------------- signs, powers, roots


def test_what_is_declared_of_values():
    a = Entry(x, I)
    for trait, left, right in [
        ("signs", Apply("abs", 0, a), ONE),
        ("signs", Apply("sign", 0, a), a),
        ("signs", Power(Plus(ONE, Apply("abs", 0, a)), HALF), Power(TWO, HALF)),
        ("binary", Apply("abs", 0, a), a),
        ("binary", Power(a, -TWO), inverse(a)),
    ]:
        assert equal(left, right, {"x": frozenset({trait})}), (trait, left)
        assert not equal(left, right), (trait, left)


def test_the_size_over_itself_is_the_sign():
    a, b = Entry(x, I), Entry(y, I)
    for e in (a, Plus(a, b), Times(a, b)):
        assert equal(Times(Apply("abs", 0, e), inverse(e)), Apply("sign", 0, e))
    assert not equal(Times(Apply("abs", 0, a), inverse(b)), Apply("sign", 0, a))


def test_what_is_greater_than_0_has_no_kink():
    given = {"x": frozenset({"positive"}), "y": frozenset({"counts"})}
    a, b = Entry(x, I), Entry(y, I)
    for greater in (Plus(ONE, b), Plus(a, b), Sum(Entry(x, J), J), Plus(ONE, Power(Entry(z, I), TWO))):
        assert equal(Apply("sign", 0, greater), ONE, given)
        assert equal(Apply("sign", 0, Times(MINUS, greater)), MINUS, given)
        assert equal(Apply("abs", 0, greater), greater, given)
        assert equal(Apply("relu", 0, greater), greater, given)
        assert equal(Apply("relu", 0, Times(MINUS, greater)), sympy.Integer(0), given)
    empty = Index("e", N - 1)  # where n is 1
    for other in (b, Plus(a, Times(MINUS, b)), Power(Entry(z, I), TWO), Sum(Entry(Tensor("p", N - 1), empty), empty)):
        assert not equal(Apply("sign", 0, other), ONE, {**given, "p": given["x"]})


def test_what_is_divided_by_is_not_0():
    a, b = Entry(x, I), Entry(y, I)
    counts = {"x": frozenset({"counts"})}
    sign = Apply("sign", 0, a)
    assert equal(Times(sign, inverse(a)), inverse(a), counts)
    assert equal(Times(sign, sign, inverse(a)), inverse(a))
    assert equal(Times(Power(Apply("sign", 0, Plus(a, b)), TWO), inverse(Plus(a, b))), inverse(Plus(a, b)))
    assert not equal(Times(sign, inverse(a)), inverse(a))
    assert not equal(Times(sign, inverse(b)), inverse(b), counts)
    assert not equal(sign, ONE, counts)
    assert not equal(Times(sign, sign), ONE)


def test_around_a_variable_it_may_be_below_0():
    """|x| = x where x counts something, but no two functions are the same that are only equal there."""
    facts = Facts(Context(traits={"x": frozenset({"counts"})}))
    size = Apply("abs", 0, Entry(x, I))
    assert Ring(facts).equal(size, Entry(x, I))
    assert not Ring(facts, withheld=frozenset({"x"})).equal(size, Entry(x, I))
    assert Ring(facts, withheld=frozenset({"y"})).equal(size, Entry(x, I))


def test_a_sum_beside_its_reciprocal():
    A = Tensor("A", N, N)
    whole = Sum(Entry(A, T, J), T)
    assert equal(Sum(Times(Entry(A, I, J), inverse(whole)), I, J), N)
    assert equal(Sum(Times(Entry(A, I, J), Power(whole, -TWO)), I, J), Sum(inverse(whole), J))
    assert equal(Sum(Times(Entry(A, I, J), Entry(x, J), inverse(whole)), I, J), Sum(Entry(x, J), J))
    assert not equal(Sum(Times(Entry(A, J, I), inverse(whole)), I, J), N)
    assert not equal(Sum(Times(Entry(A, I, J), Entry(x, I), inverse(whole)), I, J), Sum(Entry(x, I), I))


def test_powers_part_where_the_base_is_not_negative():
    a, b, p = Entry(x, I), Entry(y, I), Entry(c)
    positive = {"x": frozenset({"positive"})}
    assert equal(Power(Times(a, b), p), Times(Power(a, p), Power(b, p)), positive)
    assert not equal(Power(Times(a, b), p), Times(Power(a, p), Power(b, p)))
    size = Apply("abs", 0, a)
    root = Power(Sum(Power(size, p), I), inverse(p))
    assert equal(Power(root, Plus(p, MINUS)), Times(Sum(Power(size, p), I), inverse(root)))
    assert equal(Power(Power(a, TWO), p), Power(size, Times(TWO, p)))
    assert not equal(Power(Power(a, p), inverse(p)), a)


def test_roots_part_where_one_factor_has_a_known_sign():
    a, b = Entry(x, I), Entry(y, I)
    positive = {"x": frozenset({"positive"})}
    quotient = Times(Plus(TWO, a), inverse(b))
    parted = Times(Power(Plus(TWO, a), HALF), Power(inverse(b), HALF))
    assert equal(Power(quotient, HALF), parted, positive)
    assert not equal(Power(quotient, HALF), parted)


def test_a_radicand_of_fractions_is_one_fraction():
    square = Power(Entry(x, I), TWO)
    below = Plus(ONE, square)
    inside = Plus(ONE, Times(MINUS, square, inverse(below)))
    assert equal(Power(inside, HALF), Power(below, -HALF))
    assert not equal(Power(inside, HALF), Power(below, HALF))


def test_a_product_as_exponent():
    a, b = Entry(x, I), Entry(y, I)
    assert equal(Power(Power(a, b), TWO), Power(a, Times(TWO, b)))
    assert not equal(Power(Power(a, b), TWO), Power(a, b))


def test_a_power_of_minus_1_counts_by_its_parity():
    sign = Power(MINUS, N)
    assert equal(inverse(sign), sign)
    assert equal(Power(sign, TWO), ONE)
    assert not equal(sign, ONE)


# ---------------------------------------------------------------- functions of arrays


def along(kind, name, sizes, axes):
    u = Tensor("u", N, N)
    return Definition(Tensor(name, *sizes), kind=kind, arguments=(u,), axes=axes)


def test_a_softmax_along_an_axis_that_says_nothing():
    u = Definition(Tensor("u", N, N), (I, J), Entry(x, I))
    soft = along("softmax", "s", (N, N), (1,))
    both = along("softmax", "b", (N, N), (0, 1))
    one = Definition(Tensor("w", N), kind="softmax", arguments=(x,), axes=(0,))
    logs = along("logsumexp", "l", (N,), (1,))
    definitions = (u, soft, both, one, logs)
    assert equal(Entry(soft.tensor, I, J), inverse(N), definitions=definitions)
    assert equal(Entry(both.tensor, I, J), Times(Entry(one.tensor, I), inverse(N)), definitions=definitions)
    assert equal(Entry(logs.tensor, I), Plus(Entry(x, I), Apply("log", 0, N)), definitions=definitions)
    assert not equal(Entry(both.tensor, I, J), Entry(one.tensor, I), definitions=definitions)
    assert not equal(Entry(logs.tensor, I), Entry(x, I), definitions=definitions)


# ---------------------------------------------------------------- derivatives whose proofs need these laws

SHAPES = {
    "x": ("n",), "y": ("n",), "b": ("n",), "A": ("n", "n"), "K": ("n", 1), "Q": (1, 1), "E": ("n", 2), "X": ("n", "d"),
    "w": ("d",), "r": (), "c": (), "l": (), "T": (2, "n", "n"), "U": (2, 1, "n"), "B": ("m", "m"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wrt", "assume"),
    [
        ("(x**b)**2", "b", {"x": "positive"}),
        ("x**y @ x**y", "x x", {"x": "positive"}),
        ("E / relu(K)", "E", {}),
        ("abs(det(Q))", "Q", {"Q": "invertible"}),
        ("tanh(cos(det(Q)))", "Q", {"Q": "orthogonal"}),
        ("(1 + abs(x))**1.5", "x", {"x": "signs"}),
        ("abs(K)", "K", {"K": "positive"}),
        ("arccos(x / sqrt(1 + x**2))", "x", {}),
        ("(maximum(c, 1) * sum(x))**1.5", "x", {"c": "probability", "x": "positive"}),
        ("det(inv(eye(n) - A))", "A", {}),
        ("det(inv(A))", "A", {"A": "orthogonal"}),
        ("sum((y + r) * log(r + exp(X @ w)) - y * (X @ w))", "w", {"r": "positive"}),
        ("minimum(T, U)", "T", {}),
        ("trace(kron(A, B) @ inv(kron(A, B) * c))", "c", {}),
        ("logsumexp(outer(x, ones(n)))", "x", {}),
        ("sum(softmax(A, 0)) * logsumexp(x)", "x", {}),
        ("minimum(-c, sign(c))", "c", {"c": "positive"}),
        ("maximum(1 + x, 0)", "x", {"x": "counts"}),
        ("y / x / abs(x)", "x", {"x": "counts"}),
        ("x @ softmax(ones(n), 0)", "x", {}),
        ("y @ inv(exp(-(x[:, None] - x)**2 / l**2) + r * eye(n)) @ y", "l r", {"l": "positive", "r": "positive"}),
    ],
)
def test_proofs_that_need_them_are_accepted(text, wrt, assume):
    d = derive(text, wrt.split(), shapes=SHAPES, assume=assume)
    d.proof.check()
