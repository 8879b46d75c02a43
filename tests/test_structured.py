"""Derivatives over free entries: against differences along the directions in which a structured array can move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

import symderiv
from symderiv import ProofError, UnsupportedError, derive, verify
from symderiv.check import kernel
from symderiv.index.nodes import Delta, Derivative, Entry, Index, Structured, Tensor
from symderiv.structured import slope

S = {"S": "symmetric"}
CASES = [
    ("trace(S @ A)", "S(n,n) A(n,n)", S),
    ("x @ S @ y", "S(n,n) x(n) y(n)", S),
    ("logdet(S)", "S(n,n)", {"S": "positive_definite"}),
    ("det(S)", "S(n,n)", {"S": "positive_definite"}),
    ("x @ inv(S) @ y", "S(n,n) x(n) y(n)", {"S": "positive_definite"}),
    ("norm(W @ S - Y)**2", "S(n,n) W(m,n) Y(m,n)", S),
    ("trace(S @ A @ S)", "S(n,n) A(n,n)", S),
    ("sum(exp(S))", "S(n,n)", S),
    ("S @ x", "S(n,n) x(n)", S),
    ("W @ S", "S(n,n) W(m,n)", S),
    ("trace(S)", "S(n,n)", S),
    ("trace(S @ A)", "S(s,s) A(s,s)", S),
    ("trace(S @ A)", "S(n,n) A(n,n)", {"S": "diagonal"}),
    ("x @ inv(S) @ y", "S(n,n) x(n) y(n)", {"S": "diagonal"}),
    ("logdet(S)", "S(n,n)", {"S": "diagonal"}),
    ("norm(W @ S - Y)**2", "S(n,n) W(m,n) Y(m,n)", {"S": "diagonal"}),
    ("S @ x", "S(n,n) x(n)", {"S": "diagonal"}),
]


def moved(kind, n, k, m):
    """Return the direction in which the entries move when the free entry (k, m) does."""
    step = np.zeros((n, n))
    if kind != "diagonal" or k == m:
        step[k, m] = 1
    if kind != "diagonal":
        step[m, k] = 1
    return step


def differences(f, at, kind, h=1e-4):
    """Return the derivative over free entries by central differences, its last axes those of S."""
    n = len(at)
    columns = []
    for k in range(n):
        for m in range(n):
            step = moved(kind, n, k, m)
            near = [f(at + t * h * step) for t in (1, -1, 2, -2)]
            columns.append((8 * (near[0] - near[1]) - (near[2] - near[3])) / (12 * h))
    return np.stack(columns, axis=-1).reshape((*np.shape(columns[0]), n, n))


@pytest.mark.parametrize(("text", "shapes", "assume"), CASES)
def test_against_differences(text, shapes, assume, shapes_of, arrays, evaluate):
    d = derive(text, "S", shapes=shapes_of(shapes), assume=assume, structured=True)
    given = arrays(shapes, assume)
    wanted = differences(lambda at: evaluate(text, shapes, {**given, "S": at}), given["S"], assume["S"])
    np.testing.assert_allclose(evaluate(str(d.result), shapes, given), wanted, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(d.compile()(**given), wanted, rtol=1e-6, atol=1e-7)
    d.proof.check()


@pytest.mark.parametrize(
    ("text", "shapes", "assume"),
    [
        ("trace(S @ S @ A)", "S(n,n) A(n,n)", S),
        ("logdet(S)", "S(n,n)", {"S": "positive_definite"}),
        ("trace(S @ S @ A)", "S(n,n) A(n,n)", {"S": "diagonal"}),
    ],
)
def test_second_derivatives_take_the_step_once_for_each_variable(text, shapes, assume, shapes_of, arrays, evaluate):
    d = derive(text, ["S", "S"], shapes=shapes_of(shapes), assume=assume, structured=True)
    given = arrays(shapes, assume)

    def gradient(at):
        return differences(lambda s: evaluate(text, shapes, {**given, "S": s}), at, assume["S"])

    wanted = differences(gradient, given["S"], assume["S"], h=1e-3)
    np.testing.assert_allclose(d.compile()(**given), wanted, rtol=1e-4, atol=1e-4)
    d.proof.check()


# the closed forms of the literature: The Matrix Cookbook, 2.8.2 (symmetric) and 2.8.3 (diagonal)
LITERATURE = [
    ("trace(A @ S)", "A + A.T - A * eye(n)", S),
    ("det(S)", "det(S) * (2 * inv(S) - inv(S) * eye(n))", {"S": "positive_definite"}),
    ("logdet(S)", "2 * inv(S) - inv(S) * eye(n)", {"S": "positive_definite"}),
    ("trace(A @ S)", "A * eye(n)", {"S": "diagonal"}),
    ("x @ S @ x", "2 * outer(x, x) - diag(x**2)", S),
]


@pytest.mark.parametrize(("text", "claim", "assume"), LITERATURE)
def test_closed_forms_of_the_literature_are_proved(text, claim, assume):
    given = {"shapes": {"S": ("n", "n"), "A": ("n", "n"), "x": ("n",)}, "assume": assume}
    verdict = verify(text, "S", claim, structured=True, **given)
    assert (verdict.status, verdict.basis) == ("proved", "kernel")
    independent = verify(text, "S", str(derive(text, "S", **given).result), structured=True, **given)
    assert independent.status == "refuted"
    assert verify(text, "S", claim, **given).status == "refuted"


def test_a_refuted_claim_shows_the_entry_over_free_entries():
    verdict = verify(
        "x @ S @ x", "S", "2 * outer(x, x)", shapes={"S": ("n", "n"), "x": ("n",)}, assume=S, structured=True
    )
    i, j = verdict.counterexample.entry
    assert i == j
    x = np.ravel(verdict.counterexample.point["x"])
    np.testing.assert_allclose(verdict.counterexample.left, x[i] ** 2, rtol=1e-5)


def test_entries_that_are_free_are_left_alone():
    shapes, assume = {"X": ("n", "p"), "S": ("n", "n"), "c": ()}, {"S": "symmetric", "c": "positive"}
    for x in ("X", "c"):
        given = {"shapes": shapes, "assume": assume}
        plain, structured = (derive("c * trace(X.T @ S @ X)", x, structured=s, **given) for s in (False, True))
        assert str(plain.result) == str(structured.result)
    mixed = derive("c * trace(X.T @ S @ X)", ["X", "S"], shapes=shapes, assume=assume, structured=True)
    mixed.proof.check()


@pytest.mark.parametrize("trait", ["orthogonal", "simplex_rows", "one_hot_rows", "signs"])
def test_what_has_no_accepted_meaning_is_refused(trait):
    with pytest.raises(UnsupportedError, match="free entries of Q") as refused:
        derive("trace(Q @ A)", "Q", shapes={"Q": ("n", "n"), "A": ("n", "n")}, assume={"Q": trait}, structured=True)
    assert "structured=False" in str(refused.value)


def test_what_was_done_is_printed():
    given = {"shapes": {"S": ("n", "n")}, "assume": S}
    d = derive("logdet(S)", "S", structured=True, **given)
    assert any("Structured" in note and "S[j, i]" in note for note in d.notes)
    assert "Structured: S is symmetric" in d.to_numpy()
    assert d.to_latex().startswith(r"\frac{\mathrm{d} f}{\mathrm{d} S}")
    assert "change together" in d.proof.to_latex()
    assert not any("Structured" in note for note in derive("logdet(S)", "S", **given).notes)


# --- the rule and its law


def test_the_slope_at_equal_indices():
    """∂S[i,j]/∂S[k,l] entry by entry, k = l included."""
    n = 3
    size = sympy.Integer(n)
    i, j, k, m = (Index(letter, size) for letter in "ijkm")
    for kind in ("symmetric", "diagonal"):
        formula = slope(kind, (i, j), (k, m))
        for place in np.ndindex(n, n, n, n):
            at = dict(zip((i, j, k, m), place, strict=True))
            assert value(formula, at) == moved(kind, n, place[2], place[3])[place[0], place[1]]


def value(expr, at):
    match expr:
        case Delta():
            return int(at[expr.args[0]] == at[expr.args[1]])
        case sympy.Integer():
            return int(expr)
    parts = [value(a, at) for a in expr.args]
    return int(np.prod(parts)) if type(expr).__name__ == "Times" else sum(parts)


def proof_of(assume):
    return derive("trace(S @ A)", "S", shapes={"S": ("n", "n"), "A": ("n", "n")}, assume=assume, structured=True).proof


def free_step(proof):
    (part,) = proof.parts
    return part, next((a, s) for a in part.arguments for s in a.steps if s.rule == "free entries")


@pytest.mark.parametrize("declared", [frozenset(), frozenset({"diagonal"}), frozenset({"invertible"})])
def test_the_law_asks_for_the_declaration(declared):
    part, _ = free_step(proof_of(S))
    kernel.check(part.arguments, part.context)
    undeclared = replace(part.context, traits={"S": declared})
    with pytest.raises(ProofError, match="free entries"):
        kernel.check(part.arguments, undeclared)


def test_the_law_refuses_another_slope():
    part, (argument, step) = free_step(proof_of(S))
    left, (i, j) = step.after.body.args[0], step.after.bound
    c = step.before.entry.indices
    for wrong in (slope("diagonal", (i, j), c), Delta(i, c[0]), slope("symmetric", (i, j), (c[0], c[0]))):
        after = type(step.after)(type(step.after.body)(left, wrong), i, j)
        steps = (replace(step, after=after),)
        broken = replace(argument, steps=steps, right=after)
        with pytest.raises(ProofError, match="free entries"):
            kernel.check([*part.arguments[:-1], broken], part.context)


def test_a_structured_derivative_is_never_taken_for_the_other_one():
    part, (argument, step) = free_step(proof_of(S))
    plain = Derivative(step.before.of, step.before.entry)
    for rule in ("rearrange", "lemma", "definition of f", "chain rule", "entry"):
        bridge = replace(step, rule=rule, after=plain, instance={"label": "S", "name": "f", "through": ("f",)})
        broken = replace(argument, steps=(bridge,), right=plain)
        with pytest.raises(ProofError):
            kernel.check([*part.arguments[:-1], broken], part.context)


def test_the_nodes_of_both_derivatives_differ():
    n = sympy.Symbol("n")
    entry, f = Entry(Tensor("S", n, n), Index("i", n), Index("j", n)), Entry(Tensor("f"))
    assert Structured(f, entry) != Derivative(f, entry)


# --- what is assumed of the variable is used after the last derivative


@pytest.mark.parametrize(
    ("text", "wrt", "assume", "wanted"),
    [
        ("logdet(S)", "S", S, "inv(S)"),
        ("x @ inv(S) @ y", "S", S, "-outer(solve(S, x), solve(S, y))"),
        ("x @ S @ x", "x", S, "2 * S @ x"),
        ("norm(Q.T @ Q @ x)**2", "x", {"Q": "orthogonal"}, "2 * x"),
        ("x @ inv(Q) @ y", "x", {"Q": "orthogonal"}, "Q.T @ y"),
        ("x @ D.T @ y", "x", {"D": "diagonal"}, "D @ y"),
        ("x @ K @ x / 2", "x", {"K": "positive_definite"}, "K @ x"),
    ],
)
def test_assumptions_simplify(text, wrt, assume, wanted):
    given = {"shapes": {name: ("n", "n") for name in "SQDK"} | {"x": ("n",), "y": ("n",)}, "assume": assume}
    d = derive(text, wrt, **given)
    assert str(d.result) == wanted
    d.proof.check()
    (name,) = assume
    assert f"Assumed: {name} {assume[name]}." in d.notes


def test_the_last_step_says_that_an_assumption_is_used():
    d = derive("logdet(S)", "S", shapes={"S": ("n", "n")}, assume=S)
    assert d.proof.steps[-1].rule == "assumption"
    assert r"\text{symmetry of }S" in d.proof.to_latex()
    assert r"\square" in d.proof.to_latex()
    (part,) = d.proof.parts
    with pytest.raises(ProofError, match="assumption"):
        kernel.check(part.arguments, replace(part.context, traits={}))


def test_notes_name_what_matters():
    shapes = {"S": ("n", "n"), "x": ("n",), "A": ("n", "n")}
    assume = {"S": "symmetric", "x": "positive", "A": "invertible"}
    assert not any("Assumed" in note for note in derive("x @ A @ x", "A", shapes=shapes, assume=assume).notes)
    used = derive("x @ S @ x + sum(log(x))", "x", shapes=shapes, assume=assume).notes
    assert "Assumed: S symmetric, x positive." in used or "Assumed: x positive, S symmetric." in used
    solved = derive("x @ inv(A) @ x", "x", shapes=shapes, assume=assume).notes
    assert "Assumed: A invertible." in solved
    assert symderiv.derive("x @ x", "x", shapes=shapes).notes == solved[:1]
