"""Contraction orders: what NumPy has a word for, small results first."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symderiv.planner import Action, Plan


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
    assert Plan([tuple(f) for f in factors], tuple(out)).next() == action


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.text("abcd", min_size=1, max_size=3), min_size=1, max_size=5),
    st.sets(st.sampled_from("abcd")),
)
def test_an_action_is_sound(factors, out):
    """What is summed over stands in no other factor and not in the result."""
    labels = [tuple(f) for f in factors]
    action = Plan(labels, tuple(sorted(out))).next()
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


def left_over(action, factors):
    """Return the indices of what an action makes."""
    chosen = [factors[k] for k in action.factors]
    match action.kind:
        case "scale":
            return chosen[1]
        case "rows":
            return action.labels[1:]
        case "diagonal" | "entrywise":
            return tuple(dict.fromkeys(chosen[0]))
    return tuple(x for f in chosen for x in f if x not in action.labels)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.text("abcde", min_size=1, max_size=2), min_size=1, max_size=7),
    st.sets(st.sampled_from("abcde")),
)
def test_a_plan_goes_on_as_one_made_of_what_is_left(factors, out):
    """What is kept from join to join is what a new plan of the remaining factors would find."""
    out = tuple(sorted(out))
    plan = Plan([tuple(f) for f in factors], out)
    while (action := plan.next()) is not None:
        numbers = list(plan.factors)
        anew = Plan(list(plan.factors.values()), out).next()
        assert anew._replace(factors=tuple(numbers[k] for k in anew.factors)) == action
        plan.join(action, left_over(action, plan.factors))
    assert Plan(list(plan.factors.values()), out).next() is None


def test_a_long_chain_is_looked_at_once(monkeypatch):
    looks = []
    joined = Plan._joined
    monkeypatch.setattr(Plan, "_joined", lambda self, i, j: looks.append((i, j)) or joined(self, i, j))
    length = 200
    plan = Plan([(k, k + 1) for k in range(length)], (0, length))
    while (action := plan.next()) is not None:
        assert action.kind == "chain"
        plan.join(action, left_over(action, plan.factors))
    assert [set(left) for left in plan.factors.values()] == [{0, length}]
    assert len(looks) < 4 * length
