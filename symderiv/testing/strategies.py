"""Strategies for hypothesis: shapes, expressions of the whole language, derivatives, arrays under assumptions.

::

    from hypothesis import given
    from symderiv.testing.strategies import derivatives


    @given(derivatives(order=1))
    def test_something(problem):
        d = symderiv.derive(problem.sample.text, problem.wrt, **problem.sample.declarations)

An expression is drawn from the top down by its shape (:mod:`symderiv.testing.grammar`), each choice a whole
number of which 0 is the simplest, so that a failing example shrinks to a short one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symderiv import dims
from symderiv.check.field import Array
from symderiv.check.reading import number_of
from symderiv.tensor.expr import plain_axes
from symderiv.testing.grammar import Kind
from symderiv.testing.samples import Problem, Sample, draw_problem, draw_sample
from symderiv.testing.traits import fulfilling

try:
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as hnp
    from hypothesis.strategies import DrawFn, SearchStrategy
except ImportError as err:  # an extra, for tests only
    raise ImportError("symderiv.testing.strategies needs hypothesis: pip install 'symderiv[testing]'") from err

SizeName = str | int
NAMES: tuple[SizeName, ...] = ("n", "m", "p", 1, 2)


@dataclass
class DrawnChoices:
    """Choices that hypothesis makes, and unmakes."""

    draw: DrawFn

    def number(self, most: int) -> int:
        """Return a drawn number from 0 to `most`."""
        return self.draw(st.integers(0, most)) if most else 0


def shapes(
    min_rank: int = 0, max_rank: int = 3, sizes: Sequence[SizeName] = NAMES
) -> SearchStrategy[tuple[SizeName, ...]]:
    """Return shapes as they are declared: tuples of names and numbers.

    >>> shapes(max_rank=1, sizes=["n"]).validate()
    """
    axis = st.sampled_from(list(sizes))
    return st.lists(axis, min_size=min_rank, max_size=max_rank).map(tuple)


@st.composite
def expressions(
    draw: DrawFn,
    shape: Sequence[SizeName] | None = None,
    *,
    kind: Kind = "any",
    depth: int = 3,
    sizes: Sequence[SizeName] = NAMES,
    traits: bool = True,
    unknown: bool = True,
    composed: bool = True,
    budget: int = 20,
) -> Sample:
    """Return random well-shaped expressions: a :class:`~symderiv.testing.samples.Sample`, with its text and
    the declarations it needs.

    Args:
        shape: its shape; any where none is given.
        kind: `any`; `positive`, `unit` (between −1 and 1) or `regular` (an invertible matrix) by construction.
        depth: how many operations stand above a variable at most.
        sizes: the names and numbers that sizes are taken from.
        traits: whether variables may have assumptions, such as `symmetric`.
        unknown: whether the entrywise function `h` without a formula may occur.
        composed: whether axes may be composed, as those of a `vec` or a `kron` are.
        budget: how many operations there are in all, about.
    """
    axes = None if shape is None else plain_axes(dims.shape(shape))
    return draw_sample(
        DrawnChoices(draw), axes, kind=kind, depth=depth, sizes=dims.shape(sizes), traits=traits,
        unknown=unknown, composed=composed, budget=budget,
    )  # fmt: skip


@st.composite
def derivatives(
    draw: DrawFn, sample: SearchStrategy[Sample] | None = None, order: int | None = None, max_rank: int = 6
) -> Problem:
    """Return derivatives to be taken: an expression, and the variables in the order of differentiation.

    Args:
        sample: where expressions come from; any, where nothing is given.
        order: how many derivatives; one to three where nothing is given.
        max_rank: the most axes of a result (a first derivative is never refused for that).
    """
    drawn = draw(sample if sample is not None else expressions())
    return draw_problem(DrawnChoices(draw), drawn, order, max_rank, seed=draw(st.integers(0, 1 << 16)))


@st.composite
def arrays(draw: DrawFn, shape: tuple[int, ...], trait: str | Iterable[str] = (), *, size: float = 2.0) -> Array:
    """Return float arrays of a shape that fulfil an assumption, or several.

    Args:
        shape: numbers.
        trait: a word of the language, such as `symmetric`, `positive` or `simplex`.
        size: the bound of the unconstrained numbers that an array is made from.
    """
    words = [trait] if isinstance(trait, str) else list(trait)
    z = draw(hnp.arrays(float, shape, elements=st.floats(-size, size, width=32)))
    u = (
        draw(hnp.arrays(float, shape, elements=st.floats(0, 1, exclude_max=True, width=32)))
        if words
        else np.zeros(shape)
    )
    return fulfilling(words, z, u)


@st.composite
def points(draw: DrawFn, sample: Sample, sizes: Sequence[int] = (3, 2, 4, 5)) -> dict[str, Any]:
    """Return arrays for all variables of an expression, by name: what its compiled functions are called with.

    The sizes are drawn from `sizes`, all different as long as there are enough.  Entries are random numbers,
    of which hypothesis draws the seed: it shrinks the expression, not the arrays.
    """
    names = sorted({s for v in sample.variables.values() for size in v.shape for s in size.free_symbols}, key=str)
    order = draw(st.permutations(list(sizes)))
    values = {str(s): order[k % len(order)] for k, s in enumerate(names)}
    rng = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    result = {}
    for name, x in sample.variables.items():
        shape = tuple(int(number_of(size, values)) for size in x.shape)
        result[name] = fulfilling(x.data[1], rng.standard_normal(shape), rng.random(shape))
    return result
