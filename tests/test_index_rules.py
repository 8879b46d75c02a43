"""Each rule of a derivation, sampled: what stands before and after has the same value."""

from __future__ import annotations

import itertools
import string

import numpy as np
import pytest
import sympy

from symderiv import dims
from symderiv.functions import FUNCTIONS
from symderiv.index.nodes import (
    Apply,
    Choice,
    Context,
    Definition,
    Delta,
    Entry,
    Extreme,
    Immediate,
    Index,
    Names,
    Plus,
    Power,
    Sum,
    Tensor,
    Times,
    all_indices,
    free_indices,
    places,
)
from symderiv.index.rules import DERIVATIVE_RULES, RULES, TIDYING_RULES, rename_bound

n, m = dims.symbol("n"), dims.symbol("m")
SIZES = {"n": 3, "m": 2}
i, j, q, t = (Index(s, n) for s in "ijqt")
k, l = (Index(s, m) for s in "kl")
A, B, x, y = Tensor("A", n, n), Tensor("B", n, m), Tensor("x", n), Tensor("y", n)
xi, xj, yi = Entry(x, i), Entry(x, j), Entry(y, i)
number = sympy.Integer

inv, det, logdet = Tensor("inv(N)", n, n), Tensor("det(N)"), Tensor("logdet(N)")
soft, lse, prod, others = (
    Tensor("softmax(u, 0)", n),
    Tensor("logsumexp(u, 0)"),
    Tensor("prod(u, 0)"),
    Tensor("prodexcept(u, 0)", n),
)
but_two = Tensor("prodexcept(u, 0, order 2)", n, n)
rows = {
    "prodexcept(N, 1)": Tensor("prodexcept(N, 1)", n, n),
    "prodexcept(N, 1, order 2)": Tensor("prodexcept(N, 1, order 2)", n, n, n),
    "prodexcept(N, 1, order 3)": Tensor("prodexcept(N, 1, order 3)", n, n, n, n),
    "prodexcept(N, 0, 1, order 2)": Tensor("prodexcept(N, 0, 1, order 2)", n, n, n, n),
    "prodexcept(N, 0, 1)": Tensor("prodexcept(N, 0, 1)", n, n),
}
raised = {e: Tensor(f"matrix_power(N, {e})", n, n) for e in (m + 1, m, m - 1)}
cubed, squared = Entry(raised[m + 1], i, q), Entry(raised[m], q, i)
N, u = Tensor("N", n, n), Tensor("u", n)
CONTEXT = Context({
    "N": Definition(N, (i, j), Plus(Entry(A, i, j), Times(xi, xj))),
    "u": Definition(u, (i,), Times(xi, Entry(x, i), yi)),
    "inv(N)": Definition(inv, kind="inv", arguments=(N,)),
    "det(N)": Definition(det, kind="det", arguments=(N,)),
    "logdet(N)": Definition(logdet, kind="logdet", arguments=(N,)),
    **{p.name: Definition(p, kind="matrix_power", arguments=(N,), exponent=e) for e, p in raised.items()},
    "softmax(u, 0)": Definition(soft, kind="softmax", arguments=(u,), axes=(0,)),
    "logsumexp(u, 0)": Definition(lse, kind="logsumexp", arguments=(u,), axes=(0,)),
    "prod(u, 0)": Definition(prod, kind="prod", arguments=(u,), axes=(0,)),
    "prodexcept(u, 0)": Definition(others, kind="prodexcept", arguments=(u,), axes=(0,)),
    "prodexcept(u, 0, order 2)": Definition(but_two, kind="prodexcept", arguments=(u,), axes=(0,)),
    **{
        name: Definition(head, kind="prodexcept", arguments=(N,), axes=(0, 1) if "0, 1" in name else (1,))
        for name, head in rows.items()
    },
})  # fmt: skip


def all_but(a, over, order):
    """Return the products of all entries but some, entry by entry; 0 where one would be left out twice."""
    found = np.zeros(a.shape + tuple(a.shape[k] for k in over) * (order - 1))
    for place in np.ndindex(found.shape):
        later = range(a.ndim, found.ndim, len(over))
        gone = {tuple(place[k] for k in over), *(place[k : k + len(over)] for k in later)}
        if len(gone) == order:
            each = (at for at in np.ndindex(a.shape) if all(at[k] == place[k] for k in range(a.ndim) if k not in over))
            found[place] = np.prod([a[at] for at in each if tuple(at[k] for k in over) not in gone])
    return found


def arrays(given):
    """Return the values of every head at given x, y, A, B."""
    N_, u_ = given["A"] + np.outer(given["x"], given["x"]), given["x"] ** 2 * given["y"]
    e = np.exp(u_)
    return {
        **given, "N": N_, "u": u_, "inv(N)": np.linalg.inv(N_), "det(N)": np.asarray(np.linalg.det(N_)),
        **{p.name: np.linalg.matrix_power(N_, int(e.subs(m, SIZES["m"]))) for e, p in raised.items()},
        "logdet(N)": np.asarray(np.linalg.slogdet(N_)[1]), "softmax(u, 0)": e / e.sum(),
        "logsumexp(u, 0)": np.asarray(np.log(e.sum())), "prod(u, 0)": np.asarray(u_.prod()),
        "prodexcept(u, 0)": all_but(u_, (0,), 1), "prodexcept(u, 0, order 2)": all_but(u_, (0,), 2),
        "prodexcept(N, 1)": all_but(N_, (1,), 1), "prodexcept(N, 1, order 2)": all_but(N_, (1,), 2),
        "prodexcept(N, 1, order 3)": all_but(N_, (1,), 3), "prodexcept(N, 0, 1)": all_but(N_, (0, 1), 1),
        "prodexcept(N, 0, 1, order 2)": all_but(N_, (0, 1), 2),
    }  # fmt: skip


def sampled(positive=False, seed=0):
    rng = np.random.default_rng(seed)
    given = {
        "A": rng.standard_normal((3, 3)) + 3 * np.eye(3),
        "B": rng.standard_normal((3, 2)),
        "x": rng.standard_normal(3),
        "y": rng.standard_normal(3),
    }
    return {name: np.abs(a) + 0.3 for name, a in given.items()} if positive else given


def value(expr, given, at, value_of_entry, h=1e-3):
    """Return the value of an expression; ∂of/∂x by fourth-order central differences of `of`."""

    def derivative(d, at):
        place = tuple(at[s.name] for s in d.entry.indices)

        def moved(by):
            other = given[d.entry.tensor.name].copy()
            other[place] += by
            return value(d.of, {**given, d.entry.tensor.name: other}, at, value_of_entry)

        return (8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h)

    return value_of_entry(expr, arrays(given), SIZES, at, derivative)


def agree(before, after, value_of_entry, positive=False):
    """Compare both sides at every place of their free indices."""
    free = sorted(free_indices(before) | free_indices(after), key=str)
    given = sampled(positive)
    for place in itertools.product(*(range(SIZES[str(s.size)]) for s in free)):
        at = dict(zip([s.name for s in free], place, strict=True))
        left, right = (value(e, given, at, value_of_entry) for e in (before, after))
        assert left == pytest.approx(right, rel=1e-6, abs=1e-7), at


square = Sum(Times(Entry(A, i, q), Entry(x, q), Entry(x, q)), q)
norm = Power(Sum(Power(Entry(x, q), number(2)), q), sympy.Rational(1, 2))


def d(of, entry=xj):
    return Immediate(of, entry)


# rule, expression, whether the arrays must be positive
SAMPLES = [
    ("constant", d(Times(yi, Entry(A, i, i))), False),
    ("entry", d(xi), False),
    ("entry", Immediate(Entry(A, i, j), Entry(A, q, t)), False),
    ("entry", Immediate(Entry(A, i, i), Entry(A, q, t)), False),
    ("sum", d(square), False),
    ("linearity", d(Plus(xi, yi, Times(xi, xi))), False),
    ("product", d(Times(xi, yi, Entry(A, i, j), xi)), False),
    ("product", d(Times(yi, xi)), False),
    ("power", d(Power(xi, number(3))), False),
    ("power", d(Power(xi, number(2))), False),
    ("power", d(norm), False),
    ("power", d(Power(xi, number(-1))), False),
    ("power", d(Power(xi, yi)), True),
    ("general power", d(Power(yi, xi)), True),
    ("general power", d(Power(xi, xi)), True),
    ("general power", d(Power(yi, Times(xi, xi))), True),
    ("choice", d(Choice(">", xi, yi, Times(xi, xi), Times(xi, yi))), False),
    ("choice", d(Choice("<=", xi, number(0), yi, xi)), False),
    ("extreme", d(Extreme("maximum", xi, yi)), False),
    ("extreme", d(Extreme("minimum", Times(xi, xi), yi)), False),
    ("inverse", d(Entry(inv, i, q)), False),
    ("determinant", d(Entry(det)), False),
    ("log determinant", d(Entry(logdet)), False),
    ("matrix power", Sum(Times(yi, d(Entry(raised[m + 1], q, q))), q), False),
    ("matrix power", Sum(Times(squared, d(cubed), Entry(y, t)), i, q, t), False),
    ("matrix power", Sum(Times(d(cubed), Entry(N, q, t), Entry(inv, t, i)), i, q, t), False),
    ("softmax", d(Entry(soft, i)), False),
    ("log sum exp", d(Entry(lse)), False),
    ("product of entries", d(Entry(prod)), False),
    ("product of other entries", d(Entry(others, i)), False),
    ("product of other entries", d(Entry(rows["prodexcept(N, 1)"], i, q)), False),
    ("product of other entries", d(Entry(rows["prodexcept(N, 1, order 2)"], i, q, t)), False),
    ("product of other entries", d(Entry(rows["prodexcept(N, 1, order 2)"], i, q, q)), False),
    ("product of other entries", d(Entry(rows["prodexcept(N, 0, 1)"], i, q)), False),
    ("definition", d(Entry(u, i)), False),
    ("definition", d(Entry(N, i, q)), False),
    ("zero", Times(xi, number(0), yi), False),
    ("zero", Plus(xi, number(0)), False),
    ("zero", Plus(number(0), number(0)), False),
    ("zero", Sum(number(0), q), False),
    ("zero", Choice(">", xi, yi, number(0), number(0)), False),
    ("associate", Times(xi, Times(yi, number(2)), number(3)), False),
    ("associate", Plus(xi, Plus(yi, xi)), False),
    ("associate", Sum(Sum(Times(Entry(A, i, q), Entry(B, q, k)), q), k), False),
    ("exchange", Times(xi, Sum(Entry(A, i, q), q)), False),
    ("exchange", Times(Entry(x, q), Sum(Entry(A, i, q), q)), False),
    ("exchange", Times(Sum(Entry(x, q), q), Sum(Entry(y, q), q)), False),
    ("distribute", Times(xi, Plus(Delta(i, j), Entry(A, i, j)), yi), False),
    ("distribute", Times(xi, Plus(Sum(Times(Entry(A, i, q), Delta(q, j)), q), yi)), False),
    ("distribute", Sum(Plus(Entry(A, i, q), Times(Entry(x, q), yi)), q), False),
    ("common delta", Choice(">", xi, yi, Times(Delta(i, j), xi), Delta(i, j)), False),
    ("common delta", Choice(">", xi, yi, Times(Delta(i, j), xi), number(0)), False),
    ("contract", Sum(Times(Entry(A, i, q), Delta(q, j), Entry(x, q)), q), False),
    ("contract", Sum(Times(Entry(A, i, q), Delta(j, q)), q), False),
    ("contract", Sum(Times(Entry(A, t, q), Delta(q, t)), q, t), False),
    ("contract", Sum(Delta(q, j), q), False),
    ("delta", Delta(i, i), False),
    ("idle sum", Sum(Times(xi, Entry(B, j, k)), q, k), False),
    ("cancel", Times(xi, Power(yi, number(-1)), yi), False),
    ("merge", Plus(xi, yi, xi), False),
    ("merge", Plus(Times(number(2), xi, yi), Times(number(-2), xi, yi)), False),
    *(("chain", d(Apply(name, 0, Times(xi, sympy.Rational(1, 4)))), name in ("log", "log1p")) for name in FUNCTIONS),
]


@pytest.mark.parametrize(
    ("name", "expr", "positive"), SAMPLES, ids=[f"{row[0]}: {str(row[1])[:50]}" for row in SAMPLES]
)
def test_a_rule_keeps_the_value(name, expr, positive, value_of_entry):
    after = RULES[name](expr, CONTEXT)
    assert after is not None
    assert after is not expr
    assert free_indices(after) <= free_indices(expr)
    agree(expr, after, value_of_entry, positive)


def test_a_delta_of_one_bound_index_keeps_its_sum(value_of_entry):
    before = Sum(Times(Delta(q, q), Entry(x, q)), q)
    after = RULES["contract"](before, CONTEXT)
    if after is not None:
        agree(before, after, value_of_entry)


def test_a_power_beside_what_does_not_commute_is_let_alone():
    rest = [(Entry(A, q, i),), (Entry(raised[m], i, q),), (yi, Entry(N, q, i)), (Entry(x, q), yi)]
    for beside in rest:
        assert RULES["matrix power"](Sum(Times(*beside, d(cubed)), i, q), CONTEXT) is None
    assert RULES["matrix power"](Sum(Times(Entry(N, q, i), d(cubed)), q), CONTEXT) is None
    assert RULES["matrix power"](Sum(Times(Entry(x, q), d(Entry(raised[m + 1], q, q))), q), CONTEXT) is None


def test_every_rule_is_sampled():
    assert {name for name, *_ in SAMPLES} | {"unknown function"} == set(RULES) | {"unknown function"}
    assert set(DERIVATIVE_RULES) | set(TIDYING_RULES) <= set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_states_its_mathematics_and_lets_alone_what_it_is_not_for(name):
    assert RULES[name].__doc__
    assert RULES[name](xi, CONTEXT) is None
    assert RULES[name](Entry(A, i, j), CONTEXT) is None


@pytest.mark.parametrize("context", [CONTEXT, Context()], ids=["defined", "undefined"])
@pytest.mark.parametrize("name", RULES)
def test_a_rule_may_be_asked_about_anything(name, context):
    """It answers or does not; its answers bring no new free index, and no sum or product of one part."""
    for expr in [*(row[1] for row in SAMPLES), d(yi), d(Extreme("maximum", yi, xi)), d(Extreme("minimum", yi, yi))]:
        after = RULES[name](expr, context)
        if after is not None:
            assert free_indices(after) <= free_indices(expr)
            assert all(len(part.args) > 1 for _, part in places(after) if isinstance(part, (Times, Plus)))


NEAR = [
    ("zero", Plus(xi, yi)),
    ("zero", Choice(">", xi, yi, number(0), xi)),
    ("zero", Choice(">", xi, yi, xi, number(0))),
    ("associate", Times(number(2), xi)),
    ("associate", Plus(xi, yi)),
    ("definition", Immediate(Entry(N, i, q), Entry(N, j, t))),
    ("entry", d(yi)),
    ("constant", d(Entry(u, i))),
    ("power", d(Power(yi, xi))),
    ("general power", d(Power(xi, yi))),
    ("idle sum", Sum(xi, i)),
    ("delta", Delta(i, j)),
    ("cancel", Times(xi, Power(yi, number(-2)), yi)),
    ("cancel", Times(xi, Power(yi, number(-1)))),
    ("merge", Plus(xi, yi)),
    ("contract", Sum(Times(Delta(i, j), Entry(x, q)), q)),
    ("common delta", Choice(">", xi, yi, Times(Delta(i, j), xi), Delta(i, q))),
]


@pytest.mark.parametrize(("name", "expr"), NEAR, ids=[f"{name}: {expr}"[:60] for name, expr in NEAR])
def test_a_rule_lets_alone_what_is_nearly_its_own(name, expr):
    assert RULES[name](expr, CONTEXT) is None


@pytest.mark.parametrize("factors", [(2, 3, xi), (xi, 6), (2, xi, 3), (Times(number(2), xi), 3)], ids=str)
def test_numbers_are_multiplied_and_stand_first(factors):
    assert RULES["associate"](Times(*map(sympy.sympify, factors)), CONTEXT) is Times(number(6), xi)


def test_an_unknown_function_has_an_unknown_slope():
    after = RULES["chain"](d(Apply("h", 1, xi)), CONTEXT)
    assert after is Times(Apply("h", 2, xi), d(xi))


def test_an_unknown_function_of_arrays_has_one_term_for_each_that_moves():
    whole, in_x, in_y = Tensor("E"), Tensor("E_x", n), Tensor("E_y", n)
    slopes = [(whole, ()), (in_x, (0,)), (in_y, (1,))]
    unknown = {h.name: Definition(h, kind="unknown", arguments=(x, y), axes=a, function="E") for h, a in slopes}
    only_x = RULES["unknown function"](d(Entry(whole)), Context(unknown))
    assert RULES["unknown function"](Immediate(Entry(whole), Entry(A, i, j)), Context(unknown)) is None
    (b,) = only_x.bound
    assert only_x is Sum(Times(Entry(in_x, b), d(Entry(x, b))), b)
    moved = Definition(y, (i,), xi)  # y moves too, as x does
    both = RULES["unknown function"](d(Entry(whole)), Context({**unknown, "y": moved}))
    assert [term.body.args[0].tensor for term in both.args] == [in_x, in_y]


def test_renaming_bound_indices_keeps_the_value(value_of_entry):
    names = Names({s.name for s in all_indices(square)})
    renamed = rename_bound(square, names)
    assert renamed is not square
    assert free_indices(renamed) == {i}
    agree(square, renamed, value_of_entry)


@pytest.mark.parametrize("tensor", [Tensor(s, n) for s in string.ascii_lowercase[:20]], ids=str)
def test_new_indices_are_not_called_like_tensors(tensor):
    """`∂N⁻¹` brings two new indices; neither may be a letter that stands for something else."""
    after = RULES["inverse"](
        Immediate(Entry(inv, i, q), Entry(x, j)),
        Context({**CONTEXT.definitions, tensor.name: Definition(tensor, (i,), Entry(y, i))}),
    )
    new = all_indices(after) - {i, q, j}
    assert len(new) == 2
    assert tensor.name not in {s.name for s in new}


def test_renaming_does_not_capture_what_stands_free_in_an_inner_sum():
    """`Σ_r (Σ_s A[t,s] X[s,r]) B[r,q]`: the fresh name of s must not be r, which is free there."""
    size = sympy.Symbol("n")
    t, q, r, s = (Index(name, size) for name in "tqrs")
    a, x, b = (Tensor(name, size, size) for name in ("A", "X", "B"))
    body = Sum(Times(Sum(Times(Entry(a, t, s), Entry(x, s, r)), s), Entry(b, r, q)), r)
    names = Names({"t", "q", "s"})  # r is not known to be in use
    renamed = rename_bound(body, names)
    inner = renamed.body.args[0]
    assert {i.name for i in free_indices(inner)} == {"t", renamed.bound[0].name}
    assert inner.bound[0] is not renamed.bound[0]
