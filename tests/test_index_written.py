"""Definitions written down as index expressions, the way a reader would write them."""

import pytest

from symderiv import derive
from symderiv.index.nodes import Sum

M, A, B, COLUMN = ("n", "m"), ("n",), ("m",), ("n", 1)


def sums_of(proof):
    """Return the sums in the lines of a proof."""
    links = [link for part in proof.checked_parts() for argument in part.arguments for link in argument.steps]
    return {found for link in links for side in (link.before, link.after) for found in side.atoms(Sum)}


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("sum(M * (a[:, None] + b)**2) / 2", {"M": M, "a": A, "b": B}),
        ("sum(exp(a[:, None] - b))", {"a": A, "b": B}),
        ("sum(tanh(a[:, None] * M)**2)", {"M": M, "a": A}),
    ],
)
def test_what_is_broadcast_is_no_sum(text, shapes):
    """`a[:, None]` has the entries `a[i]`, not `Σ_{v=1}^{1} a[i]`."""
    proof = derive(text, "a", shapes=shapes).proof
    proof.check()
    assert not [s for s in sums_of(proof) if any(i.size == 1 for i in s.bound)]
    assert "=1}^{1}" not in proof.to_latex()


def test_a_declared_axis_of_size_one_is_summed_over():
    """With X of one column, `sum(X)` runs over that, too."""
    proof = derive("sum(X**2 + exp(X))", "X", shapes={"X": COLUMN}).proof
    proof.check()
    assert [s for s in sums_of(proof) if any(i.size == 1 for i in s.bound)]
