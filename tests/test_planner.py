"""Contraction orders: what NumPy has a word for, small results first."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.planner import Action, next_action


@pytest.mark.parametrize(("factors", "out", "action"), [
    (["iq", "qj"], "ij", Action("chain", (0, 1), ("q",))),
    (["ii"], "i", Action("diagonal", (0,))),
    (["iq"], "i", Action("sum", (0,), ("q",))),
    (["pq", "pq"], "", Action("trace", (0, 1), ("p", "q"))),
    (["q", "qj"], "qj", None),
    (["iq", "q", "qj"], "ij", Action("scale", (1, 0), ("q",))),
    (["q", "q", "q"], "", Action("entrywise", (0, 1))),
    (["iq", "jq", "q"], "ij", Action("scale", (2, 0), ("q",))),
    (["ij", "jk", "k"], "i", Action("chain", (1, 2), ("k",))),
    (["ij", "kl"], "ijkl", None),
    (["ijk", "k"], "ij", None),
    (["iq", "iq"], "i", Action("rows", (0, 1), ("q", "i"))),
], ids=str)  # fmt: skip
def test_the_next_action(factors, out, action):
    assert next_action([tuple(f) for f in factors], tuple(out)) == action


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.text("abcd", min_size=1, max_size=3), min_size=1, max_size=5),
    st.sets(st.sampled_from("abcd")),
)
def test_an_action_is_sound(factors, out):
    """What is summed over stands in no other factor and not in the result."""
    labels = [tuple(f) for f in factors]
    action = next_action(labels, tuple(sorted(out)))
    if action is None:
        return
    assert all(0 <= k < len(labels) for k in action.factors)
    assert len(set(action.factors)) == len(action.factors)
    gone = {
        "sum": action.labels,
        "chain": action.labels,
        "trace": action.labels,
        "rows": action.labels[:1],
    }.get(action.kind, ())
    others = {x for k, f in enumerate(labels) if k not in action.factors for x in f}
    assert not set(gone) & (others | out)
