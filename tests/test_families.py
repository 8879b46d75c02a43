"""Labels and ranges: what is told of them for all values, against all values written out."""

from __future__ import annotations

import itertools
import random

import pytest
import sympy

from symderiv import dims
from symderiv.families import Bounds, Range, instances, is_linear, member_name, shifted, solved

T, N, a, b, c = (dims.symbol(name) for name in ("T", "N", "a", "b", "c"))
LARGEST = 5


def linear(chance: random.Random, symbols) -> sympy.Expr:
    """Return a random linear form with small coefficients."""
    return sympy.expand(sum(chance.randint(-2, 2) * s for s in symbols) + chance.randint(-3, 3))


def nested(chance: random.Random) -> tuple[Range, ...]:
    """Return up to three nested ranges, whose ends name T, N and the variables outside."""
    found: list[Range] = []
    for k, symbol in enumerate((a, b, c)[: chance.randint(0, 3)]):
        ends = [sympy.Integer(chance.randint(-1, 2)), T, T - 1, N + 1, *(r.symbol for r in found[:k])]
        found.append(Range(str(symbol), chance.choice(ends), chance.choice(ends)))
    return tuple(found)


def everywhere(bounds: Bounds) -> list[dict[sympy.Expr, sympy.Expr]]:
    """Return all values of all parameters and variables, T and N up to five."""
    low = [bounds.least.get(str(s), 1) for s in (T, N)]
    lengths = itertools.product(*(range(start, LARGEST + 1) for start in low))
    return [
        one
        for first, second in lengths
        for one in instances(bounds.ranges, {T: sympy.Integer(first), N: sympy.Integer(second)})
    ]


@pytest.mark.parametrize("seed", range(60))
def test_what_is_certain_holds_for_all_values(seed: int) -> None:
    chance = random.Random(seed)
    bounds = Bounds(nested(chance), chance.choice([{}, {"T": 2}, {"T": 0, "N": 3}]))
    values = everywhere(bounds)
    for _ in range(8):
        form = linear(chance, (T, N, *(r.symbol for r in bounds.ranges)))
        found = [int(shifted(form, one)) for one in values]
        low = bounds.minimum(form)
        assert low is None or all(value >= low for value in found)
        if found:
            said = bounds.certain(form)
            assert said is not True or min(found) >= 0
            assert said is not False or max(found) < 0


@pytest.mark.parametrize("seed", range(40))
def test_a_label_lies_in_a_range_always_never_or_it_is_not_told(seed: int) -> None:
    chance = random.Random(1000 + seed)
    bounds = Bounds(nested(chance))
    symbols = (T, N, *(r.symbol for r in bounds.ranges))
    range_, label = Range("s", linear(chance, symbols), linear(chance, symbols)), linear(chance, symbols)
    found = {
        int(shifted(range_.low, one)) <= int(shifted(label, one)) <= int(shifted(range_.high, one))
        for one in everywhere(bounds)
    }
    said = bounds.contains(range_, label)
    assert said is None or found <= {said}


def test_the_bounds_of_usual_loops_are_found() -> None:
    inside = Bounds((Range("a", sympy.Integer(0), T), Range("b", a, T)))
    assert inside.certain(b) is True and inside.certain(T - b) is True and inside.certain(b - a) is True
    assert inside.certain(a - b - 1) is False
    assert inside.certain(b - a - 1) is None
    assert inside.contains(Range("", sympy.Integer(0), T), b) is True
    assert inside.contains(Range("", sympy.Integer(1), T), b) is None
    assert inside.contains(Range("", T + 1, T + 3), b) is False


def test_a_parameter_is_at_least_its_least_value() -> None:
    assert Bounds().certain(T - 1) is True
    assert Bounds().certain(T - 2) is None
    assert Bounds((), {"T": 2}).certain(T - 2) is True
    assert Bounds((), {"T": 0}).certain(T - 1) is None


def test_what_has_no_bound_is_not_told() -> None:
    inside = Bounds((Range("a", sympy.Integer(1), T),))
    assert inside.certain(T * a - 1) is None
    assert inside.certain(N - a) is None
    assert inside.minimum(-N) is None


@pytest.mark.parametrize("seed", range(20))
def test_a_linear_label_is_solved_for_its_variable(seed: int) -> None:
    chance = random.Random(seed)
    label, wanted = linear(chance, (a, b, T)), linear(chance, (b, T))
    value = solved(label, a, wanted)
    slope = label.coeff(a)
    assert (value is not None) == (slope in (1, -1))
    if value is not None:
        assert a not in value.free_symbols and shifted(label, {a: value}) == wanted


def test_labels_are_put_in_all_at_once() -> None:
    assert shifted(a - 2 * b, {a: b, b: a}) == b - 2 * a


@pytest.mark.parametrize(
    ("label", "linear_"),
    [(a + 1, True), (2 * a - b, True), (sympy.Integer(3), True), (a * b, False), (a**2, False), (a / 2, False)],
)
def test_linear_labels(label: sympy.Expr, linear_: bool) -> None:
    assert is_linear(label) is linear_


@pytest.mark.parametrize("length", range(5))
def test_instances_are_those_of_nested_loops(length: int) -> None:
    outer, inner = Range("a", sympy.Integer(0), T - 1), Range("b", a + 1, T)
    found = [(int(one[a]), int(one[b])) for one in instances([outer, inner], {T: sympy.Integer(length)})]
    assert found == [(x, y) for x in range(length) for y in range(x + 1, length + 1)]


def test_the_length_of_a_range() -> None:
    assert Range("b", a, T).length == T - a + 1
    assert Range("b", T + 1, T).length == 0
    assert Range("b", a, T).at({a: sympy.Integer(1)}) == Range("b", sympy.Integer(1), T)


def test_the_name_of_a_member() -> None:
    assert [member_name("h", x) for x in (sympy.Integer(0), T, a - 1)] == ["h[0]", "h[T]", "h[a - 1]"]
