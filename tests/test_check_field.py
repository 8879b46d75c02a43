"""Arithmetic modulo primes, against Python's integers and fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.check.field import TOWERS, field, tower_for

P = TOWERS[0].primes[0]
BIG = 2147483647  # products of two elements need the split sums
residue = st.integers(0, P - 1)
rows = st.lists(residue, min_size=1, max_size=60)


def array(values):
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize("tower", TOWERS)
def test_the_primes_form_a_tower(tower):
    for p in tower.primes:
        assert sympy.isprime(p) and p % 4 == 3 and p < 2**31
        for q in (2, 3, 5, 7):
            assert pow(q, (p - 1) // 2, p) == 1
    for p, below in zip(tower.primes, tower.primes[1:], strict=False):
        assert p == 2 * below + 1
    if tower.circle:
        assert sympy.isprime(tower.circle)
        assert all((p + 1) % tower.circle == 0 for p in tower.primes)


def test_a_tower_is_chosen_by_the_roots_that_are_needed():
    for numbers in ({11}, {13}, {11, 13}, {17}, {19}, {23}):
        p = tower_for(frozenset(numbers), 0, 0).primes[0]
        assert all(pow(q, (p - 1) // 2, p) == 1 for q in numbers)
    assert len({tower_for(frozenset(), 0, turn) for turn in range(6)}) > 1


@given(st.fractions(max_denominator=10**6), st.fractions(max_denominator=10**6))
def test_fractions(a, b):
    f = field(P)
    x, y = (f.number(v.numerator, v.denominator) for v in (a, b))
    total, product = a + b, a * b
    assert (x + y) % P == f.number(total.numerator, total.denominator)
    assert x * y % P == f.number(product.numerator, product.denominator)


def test_a_fraction_without_a_residue():
    with pytest.raises(ZeroDivisionError):
        field(P).number(1, P)


@given(rows, st.integers(0, 2 * P))
def test_powers(values, exponent):
    f, want = field(P), [pow(v, exponent, P) for v in values]
    assert f.power(array(values), exponent).tolist() == want
    assert f.powers(array(values), array([exponent] * len(values))).tolist() == want
    many = array(values * 60)  # the other way of computing
    assert f.power(many, exponent).tolist() == want * 60


@given(rows)
def test_inverses_and_roots(values):
    f, a = field(P), array(values)
    inverse, zero = f.inverse(a)
    assert (zero == (a == 0)).all()
    assert (a * inverse % P == np.where(zero, 0, 1)).all()
    root, square = f.root(a)
    assert (square == (np.array([pow(v, (P - 1) // 2, P) for v in values]) != P - 1)).all()
    assert (root[square] ** 2 % P == a[square]).all()
    assert (f.is_square(root) | (root == 0))[square].all()


@given(
    st.lists(st.integers(1, P - 1), min_size=1, max_size=20),
    st.fractions(max_denominator=7),
    st.fractions(max_denominator=7),
)
def test_rational_powers_add_up(values, r, s):
    f, a = field(P), array(values) ** 2 % P
    x, y, z = (f.rational_power(a, e.numerator, e.denominator) for e in (r, s, r + s))
    assert x and y and z
    assert x[1].all() and (x[0] * y[0] % P == z[0]).all()


@given(st.lists(st.integers(0, (P - 1) // 2 - 1), min_size=1, max_size=20))
@settings(max_examples=30)
def test_exp_and_log(exponents):
    f, a = field(P), array(exponents)
    e = f.exp(a)
    assert e.tolist() == [pow(4, v, P) for v in exponents]
    assert (f.log(e) == a).all()
    assert (f.log(P - e) == a).all()
    turned = np.roll(a, 1)
    assert (f.exp((a + turned) % f.half) == e * f.exp(turned) % P).all()


def test_the_circle():
    order = TOWERS[0].circle
    assert order is not None
    cos, sin = field(P).circle(order)
    assert ((cos * cos + sin * sin) % P == 1).all()
    a, b = array([5, 77, order - 1]), array([11, order - 77, 2])
    both = (a + b) % order
    assert (cos[both] == (cos[a] * cos[b] - sin[a] * sin[b]) % P).all()
    assert (sin[both] == (sin[a] * cos[b] + cos[a] * sin[b]) % P).all()
    assert len(set(zip(cos.tolist(), sin.tolist(), strict=True))) == order


@pytest.mark.parametrize("p", [P, BIG])
def test_contraction_does_not_overflow(p):
    rng = np.random.default_rng(0)
    a, b = rng.integers(p - 1000, p, (3, 700)), rng.integers(p - 1000, p, (700, 2))
    want = [[sum(x * y for x, y in zip(r, c, strict=True)) % p for c in b.T.tolist()] for r in a.tolist()]
    assert field(p).contract("ij,jk->ik", a, b, 700).tolist() == want


@pytest.mark.parametrize("n", [1, 2, 5])
def test_inverse_and_determinant(n):
    f, rng = field(P), np.random.default_rng(n)
    a = rng.integers(0, P, (4, n, n))
    a[1] = np.eye(n, dtype=np.int64)[::-1]  # no pivot in its place
    a[2] = 0
    inverse, det, singular = f.eliminate(a)
    assert singular.tolist() == [False, False, True, False]
    for k in (0, 1, 3):
        assert (f.contract("ij,jk->ik", a[k], inverse[k], n) == np.eye(n)).all()
        assert det[k] == sympy.Matrix(a[k].tolist()).det() % P


@given(rows)
def test_opaque_values(values):
    f, a = field(P), array(values)
    v = f.opaque("f", a)
    assert (v > 0).all() and (v < P).all()
    assert (v == f.opaque("f", a)).all()
    assert not (v == f.opaque("g", a)).any()
    assert ((f.odd("f", a) + f.odd("f", -a % P)) % P == 0).all()
    assert (f.even("f", a) == f.even("f", -a % P)).all()


def test_opaque_values_are_the_same_in_every_process():
    assert field(P).opaque("h 1", array([3, 4])).tolist() == [70309247, 63468451]


def test_numbers_are_what_fractions_say():
    assert field(P).number(Fraction(-3, 4).numerator, 4) * 4 % P == P - 3
