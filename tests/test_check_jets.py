"""Truncated Taylor arithmetic, against closed forms."""

from __future__ import annotations

from fractions import Fraction
from math import comb, factorial

import numpy as np
import pytest

from symderiv.check.field import TOWERS, field
from symderiv.check.jets import Jet, Jets

P = TOWERS[0].primes[0]
F = field(P)
JETS = Jets(F)


def whole(*values):
    return np.array(values, dtype=np.int64)


def unknown(value, slots):
    """The jet of x at a value, moved with speed 1 in every slot."""
    parts = {1 << s: whole(1) for s in range(slots)}
    return Jet({0: whole(value), **parts})


def top(jet, slots):
    """The derivative of the order of all slots."""
    return int(jet.parts.get((1 << slots) - 1, whole(0))[0])


def fraction(value):
    return F.number(value.numerator, value.denominator)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("exponent", [-3, -1, 0, 2, 5, 9])
def test_powers(exponent, order):
    jet = JETS.integer_power(unknown(7, order), exponent)
    want = Fraction(7) ** (exponent - order)
    for i in range(order):
        want *= exponent - i
    assert top(jet, order) == fraction(want)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("exponent", [Fraction(1, 2), Fraction(-3, 2), Fraction(2, 3)])
def test_rational_powers(exponent, order):
    x = unknown(64, order)  # a sixth power
    jet = JETS.rational_power(x, exponent.numerator, exponent.denominator, "")
    value = Fraction(2) ** int(6 * exponent)
    for i in range(order):
        value *= (exponent - i) / 64
    assert top(jet, order) == fraction(value)


def test_product_rule():
    a = Jet({0: whole(2), 1: whole(3), 2: whole(5), 3: whole(7)})
    b = Jet({0: whole(11), 1: whole(13), 2: whole(17), 3: whole(19)})
    product = JETS.multiplied(a, b)
    assert int(product.parts[0][0]) == 22
    assert int(product.parts[1][0]) == 3 * 11 + 2 * 13
    assert int(product.parts[3][0]) == 7 * 11 + 3 * 17 + 5 * 13 + 2 * 19


def test_leibniz():
    n = 4
    x = unknown(3, n)
    product = JETS.multiplied(JETS.integer_power(x, 5), JETS.reciprocal(x))
    assert top(product, n) == top(JETS.integer_power(x, 4), n) == factorial(4)
    assert comb(4, 2) == 6


def test_exponential_and_logarithm():
    x = unknown(5, 3)
    e = JETS.exponential(x, whole(1234))
    assert top(e, 3) == 1234
    log = JETS.logarithm(x, whole(99))
    assert top(log, 3) == fraction(Fraction(2, 125))
    again = JETS.logarithm(e, whole(5))
    assert int(again.parts[1][0]) == 1 and top(again, 3) == 0


def test_inverse_matrix():
    rng = np.random.default_rng(1)
    a = Jet({mask: rng.integers(0, P, (3, 3)) for mask in range(8)})
    product = JETS.contracted("ij,jk->ik", a, JETS.inverse(a), 3)
    assert (product.primal == np.eye(3)).all()
    assert all((product.parts[mask] == 0).all() for mask in range(1, 8))


def test_determinant():
    rng = np.random.default_rng(2)
    a = Jet({mask: rng.integers(0, P, (2, 2)) for mask in range(8)})

    def entry(i, j):
        return JETS.each(a, lambda c: c[i, j])

    value = F.eliminate(a.primal)[1]
    det = JETS.exponential(JETS.logdet_nilpotent(a), value)
    direct = JETS.add(
        JETS.multiplied(entry(0, 0), entry(1, 1)), JETS.negated(JETS.multiplied(entry(0, 1), entry(1, 0)))
    )
    assert all(det.parts[mask] == direct.parts[mask] for mask in range(8))


def test_undefined_entries_spread():
    a = Jet({0: whole(0, 4, 5)})
    inverse = JETS.reciprocal(a)
    assert inverse.bad is not None and inverse.bad.tolist() == [True, False, False]
    total = JETS.each(inverse, lambda c: c.sum(keepdims=True))
    assert total.bad is not None and total.bad.all()
    dot = JETS.contracted("i,i->", a, inverse, 3)
    assert dot.bad is not None and dot.bad.all()
    root = JETS.rational_power(Jet({0: whole(-4 % P, 4)}), 1, 2, "")
    assert root.bad is not None and root.bad.tolist() == [True, False]
    assert JETS.multiplied(root, JETS.add(root, root)).bad.tolist() == [True, False]


def test_singular_matrices_are_undefined():
    a = Jet({0: np.ones((2, 2), dtype=np.int64)})
    inverse = JETS.inverse(a)
    assert inverse.bad is not None and inverse.bad.all()
