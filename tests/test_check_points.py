"""Random values obey their assumptions; sizes are mixed."""

from __future__ import annotations

import numpy as np
import pytest

from symderiv.check.field import TOWERS, field
from symderiv.check.points import MOODS, coordinates, realised, residues, stream
from symderiv.check.reading import Reading
from symderiv.check.sampling import plans
from symderiv.tensor.parse import parse, scope_of, variable

P = TOWERS[0].primes[0]
F = field(P)


def floats(*traits, shape=(4, 4)):
    x = variable("x", tuple("nmk"[: len(shape)]), frozenset(traits))
    z, u = coordinates(x, shape, 24, stream(1, "x"))
    return realised(x, z, u, MOODS)


def modular(*traits, shape=(4, 4)):
    return residues(frozenset(traits), (24, *shape), F, stream(2, "x"))


def transposed(a):
    return np.swapaxes(a, -1, -2)


@pytest.mark.parametrize("traits", [("symmetric",), ("positive_definite",), ("symmetric", "positive")])
def test_symmetric(traits):
    for a in (floats(*traits), modular(*traits)):
        assert (a == transposed(a)).all()
        assert len(np.unique(a[0])) == 10


def test_positive_definite():
    assert (np.linalg.eigvalsh(floats("positive_definite")) > 0.5).all()
    assert F.is_square(F.eliminate(modular("positive_definite"))[1]).all()


def test_diagonal():
    for a in (floats("diagonal"), modular("diagonal")):
        assert ((a != 0) == np.eye(4, dtype=bool)).all()
    assert (np.diagonal(floats("diagonal", "positive"), axis1=1, axis2=2) > 0).all()


def test_orthogonal():
    q = floats("orthogonal")
    np.testing.assert_allclose(q @ transposed(q), np.broadcast_to(np.eye(4), q.shape), atol=1e-12)
    assert {round(d) for d in np.linalg.det(q)} == {-1, 1}
    q = modular("orthogonal")
    assert (F.contract("nij,nkj->nik", q, q, 4) == np.eye(4)).all()
    assert set(F.eliminate(q)[1].tolist()) == {1, P - 1}


def test_invertible():
    assert np.isfinite(np.linalg.inv(floats("invertible"))).all()


def test_positive():
    assert (floats("positive") > 0).all()
    assert F.is_square(modular("positive")).all()


def test_intervals():
    a = floats("probability")
    assert ((a > 0) & (a < 1)).all()
    a = floats("open_unit")
    assert ((a > -1) & (a < 1)).all() and (a < 0).any()
    a = modular("probability")
    assert F.is_square(a).all() and F.is_square((1 - a) % P).all()
    a = modular("open_unit")
    assert F.is_square((1 + a) % P).all() and F.is_square((1 - a) % P).all()


def test_whole_numbers():
    assert set(np.unique(floats("signs"))) == {-1, 1}
    assert set(np.unique(floats("binary"))) == {0, 1}
    a = floats("counts")
    assert (a == np.round(a)).all() and (a >= 1).all()
    a = floats("one_hot_rows")
    assert (a.sum(axis=-1) == 1).all() and (a.max(axis=-1) == 1).all()


def test_simplex():
    for shape, trait in (((5,), "simplex"), ((4, 3), "simplex_rows")):
        a = floats(trait, shape=shape)
        assert (a > 0).all()
        np.testing.assert_allclose(a.sum(axis=-1), 1)
        a = modular(trait, shape=shape)
        assert (a.sum(axis=-1) % P == 1).all() and F.is_square(a).all()


def test_free_values_come_at_several_scales():
    a = np.abs(floats()).max(axis=(1, 2))
    assert a.max() > 10 * a.min()


def plan(text, shapes):
    reading = Reading(parse(text, scope_of(shapes)))
    return [next(p) for p in plans(reading)]


def test_sizes_of_a_square_problem():
    sizes = plan("trace(matrix_power(X, 6))", {"X": ("n", "n")})
    assert len({s["n"] for s in sizes}) == 3
    assert max(s["n"] for s in sizes) > 6  # beyond what Cayley and Hamilton can do
    assert min(s["n"] for s in sizes) > 2


@pytest.mark.parametrize("names", ["nm", "nmk", "nmkp", "nmkpq"])
def test_sizes_of_a_rectangular_problem(names):
    scope = {f"x{name}": (name,) for name in names}
    first, second, square, *_ = plan(" * ".join(f"sum({x})" for x in scope), scope)
    for sizes in (first, second):
        assert len(set(sizes.values())) == len(names) and min(sizes.values()) > 1
    for a in names:
        for b in names:
            if a < b:
                assert (first[a] < first[b]) != (second[a] < second[b])
    assert len(set(square.values())) == 1 and square["n"] >= 4


def test_a_size_that_is_a_number_gets_more_values():
    sizes = plan("n**4 * sum(X) / m", {"X": ("n", "m")})
    assert len({s["n"] for s in sizes}) >= 5
    assert len({s["m"] for s in sizes}) >= 3


def test_a_problem_without_sizes():
    assert plan("a * b", {"a": (), "b": ()}) == [{}]
