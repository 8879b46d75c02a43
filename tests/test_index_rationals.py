"""Exact numbers: laws of contents and powers, and values that floats confirm."""

from __future__ import annotations

from fractions import Fraction
from math import gcd

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_numpy import NAMES

from symderiv.errors import UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.index.rationals import at_number, common_content, exact_power, integer_power, sign_of

NUMBERS = st.fractions(-9, 9, max_denominator=12)


@given(st.lists(NUMBERS.filter(bool), min_size=1, max_size=5))
def test_a_content_leaves_integers_without_a_common_factor(values):
    found = [v / common_content(values) for v in values]
    assert all(v.denominator == 1 for v in found)
    assert gcd(*(v.numerator for v in found)) == 1


@given(NUMBERS, st.fractions(-3, 3, max_denominator=3).filter(bool))
def test_a_power_that_is_found_is_that_power(value, exponent):
    if value == 0 and exponent < 0:
        if exponent.denominator == 1:
            with pytest.raises(UnsupportedError, match="division by 0"):
                exact_power(value, exponent)
        return
    found = exact_power(value, exponent)
    if found is not None:
        assert found**exponent.denominator == value**exponent.numerator
        assert exponent.denominator == 1 or found > 0
    else:
        assert exponent.denominator != 1


def test_roots_that_are_no_rational_numbers_stay():
    assert exact_power(Fraction(4, 9), Fraction(-1, 2)) == Fraction(3, 2)
    assert exact_power(Fraction(2), Fraction(1, 2)) is None
    assert exact_power(Fraction(-4), Fraction(1, 2)) is None
    assert exact_power(Fraction(3), Fraction(100)) is None  # too long to write
    assert integer_power(Fraction(3), 100) == 3**100


def test_how_long_a_power_may_be():
    two, root = Fraction(2), Fraction(1, 2)
    assert exact_power(two, Fraction(64)) == 2**64
    assert exact_power(two, Fraction(65)) is None
    assert exact_power(two, Fraction(-65)) is None
    assert [exact_power(Fraction(v), Fraction(101)) for v in (1, -1, 0)] == [1, -1, 0]
    assert exact_power(Fraction(0), root) is None
    assert [integer_power(Fraction(0), k) for k in (0, 1)] == [1, 0]
    assert [sign_of(Fraction(v)) for v in (-2, root, 2)] == [-1, 1, 1]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_value_that_is_known_is_the_function_s(name):
    with np.errstate(all="ignore"):
        for value in (-2, -1, -0.5, 0, 0.5, 1, 2):
            known = at_number(name, Fraction(value))
            assert known is None or float(known) == pytest.approx(float(NAMES[name](float(value))), abs=1e-12)


def test_values_that_are_known():
    nothing = "abs sign relu log1p expm1 sin tan arcsin arctan sinh tanh"
    assert {at_number(name, Fraction(0)) for name in nothing.split()} == {0}
    assert {at_number(name, Fraction(0)) for name in ("exp", "cos", "cosh")} == {1}
    assert at_number("log", Fraction(1)) == 0
    assert at_number("exp", Fraction(1)) is None
