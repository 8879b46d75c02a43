"""Equalities with a proof: normal forms, hypotheses, derivatives inside, identities of inverses; none of false ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from symderiv.check.decide import decide_equal
from symderiv.check.kernel import check
from symderiv.claims.equalities import prove_equal
from symderiv.errors import ProofError, ShapeError, UnsupportedError
from symderiv.index.nodes import Argument, Step, Tensor
from symderiv.render.latex import Latex
from symderiv.render.proof import proof_views
from symderiv.replay import Known, Replayed
from symderiv.sheet import Sheet
from symderiv.statements import block
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.text import to_text

MATRICES = """
M: invertible(n, n)
A: invertible(n, n)
G: invertible(n, n)
B: (n, m)
C: (m, n)
D: invertible(m, m)
u: (n,)
v: (n,)
x: (n,)
alpha: ()
"""


def claims(text: str) -> tuple[list[block.Statement], list[str], Known]:
    """Read a block: its claims, the names in use, the names that derivatives have."""
    names = block.Names()
    found = block.read_block(text, names)
    taken = [*names.scope.names, *names.scope.sizes, *names.unknown, *names.functions, *names.scope.functions]
    given = {}
    for s in found:
        body = s.exprs[0].args[0] if s.kind == "define" else None
        if body is not None and body.op == "diff" and all(a.op in ("defined", "var") for a in body.args):
            given[body.args[0].name, body.args[1].name] = Tensor(s.name, *s.exprs[0].shape)
    return [s for s in found if s.kind == "claim"], taken, Known({}, given, {})


def proof(text: str, assumed: int = 0) -> Replayed:
    """Prove the last claim of a block, the first few as hypotheses; the kernel has accepted what is returned."""
    found, taken, known = claims(text)
    hypotheses = [(s.label or "hypothesis", *s.exprs) for s in found[:assumed]]
    result = prove_equal(*found[-1].exprs, taken, known, hypotheses)
    check(result.arguments, result.context)
    return result


def is_proved(left: Expr, right: Expr, taken: list[str], known: Known) -> bool:
    try:
        result = prove_equal(left, right, taken, known)
        check(result.arguments, result.context)
    except (ProofError, UnsupportedError):
        return False
    return True


def rules(result: Replayed) -> list[str]:
    return [step.rule for step in result.arguments[-1].steps]


# --- one normal form ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim",
    [
        "(A + B @ C).T == C.T @ B.T + A.T",
        "u @ (A + G) @ v == sum[i,j](u[i] * A[i,j] * v[j]) + v @ G.T @ u",
        "(A + B @ C)[i,j] == A[i,j] + sum[q](B[i,q] * C[q,j])",
        "trace(B @ C) == trace(C @ B)",
        "inv(A) - inv(G) == inv(A) @ (G - A) @ inv(G)",
        "(A - G) @ (A + G) == A @ A + A @ G - G @ A - G @ G",
    ],
)
def test_sides_of_one_normal_form_are_proved_by_it(claim):
    result = proof(MATRICES + "assert " + claim)
    assert len(result.arguments) == 1
    assert set(rules(result)) <= {"rearrange", "commute", "contract", "associate", "exchange", "distribute"}


def test_definitions_are_put_in_where_they_are_needed():
    result = proof("b: (N, W)\nc: (W,)\nH = b.T @ b\nK = H + outer(c, c)\nassert K == b.T @ b + outer(c, c)")
    assert rules(result).count("unfold") == 2
    assert "unfold" not in rules(proof("A: (n, n)\nH = A @ A\nassert H + A == A + H"))


def test_a_definition_on_the_right_is_put_back():
    result = proof("b: (N, W)\nH = b.T @ b\nassert sum[n](b[n,i] * b[n,j]) == H[i,j]")
    assert rules(result)[-1] == "fold"


@pytest.mark.parametrize(
    "claim",
    ["A @ G == G @ A", "(A @ G).T == A.T @ G.T", "B @ C == A", "A[i,j] == A[j,i]", "outer(u, v) == outer(v, u)"],
)
def test_what_is_false_has_no_proof(claim):
    with pytest.raises(ProofError):
        proof(MATRICES + "assert " + claim)


# --- derivatives inside of the sides --------------------------------------------------------------

SQUARES = """
X: (N, W)
t: (N,)
w: (W,)
h: elementwise()
a = X @ w
z = h(a)
E = sum((z - t)**2) / 2
g = diff(E, w)
"""


@pytest.mark.parametrize(
    "claim",
    [
        "sum[n]((z[n] - t[n]) * diff(z[n], w[i])) == diff(E, w[i])",
        "diff(E, w[i]) == sum[n](diff((z[n] - t[n])**2 / 2, w[i]))",
        "sum[n](diff((z[n] - t[n])**2 / 2, w[i])) == diff(E, w[i])",
        "g == X.T @ ((z - t) * diff(h)(a))",
        "w @ diff(E, w) == sum((X @ w) * (z - t) * diff(h)(a))",
        "diff(E, w) + diff(sum(z), w) == X.T @ ((1 + z - t) * diff(h)(a))",
    ],
)
def test_derivatives_are_lemmas(claim):
    result = proof(SQUARES + "assert " + claim)
    assert len(result.arguments) > 1
    assert set(rules(result)) & {"lemma", "by lemma"}


@pytest.mark.parametrize("claim", ["diff(E, w) + w == w + g", "2 * diff(E, w[i]) - g[i] == diff(E, w[i])"])
def test_a_derivative_that_both_sides_name_stays_a_name(claim):
    assert len(proof(SQUARES + "assert " + claim).arguments) == 1


def test_the_derivative_of_an_unknown_function_is_left_as_it_is():
    text = "W: (m, n)\nz: (n,)\nloss: function()\na = W @ z\nE = loss(a)\nd = diff(E, a)\n"
    assert "name" not in rules(proof(text + "assert outer(d, z) == diff(E, W)"))
    assert proof(text + "assert z @ diff(E, z) == sum(W * diff(E, W))")
    with pytest.raises(ProofError):
        proof(text + "assert outer(z, d) == diff(E, W).T + diff(E, W).T")


def test_a_name_for_the_derivative_of_an_unknown_function_is_derived_as_well():
    text = "t: ()\nXt: function(n, n)\nYt: function(n, n)\nX = Xt(t)\nY = Yt(t)\ndX = diff(X, t)\ndY = diff(Y, t)\n"
    assert proof(text + "assert dX @ Y + X @ dY == diff(X @ Y, t)")
    assert proof(text + "assert -(inv(X) @ dX @ inv(X)) == diff(inv(X), t)")
    with pytest.raises(ProofError):
        proof(text + "assert dX @ Y + dY @ X == diff(X @ Y, t)")


def test_a_side_without_the_indices_of_the_other_is_led_to():
    """`2 Σ X` at k, l says nothing of k and l."""
    result = proof("X: (n, m)\nassert 2 * sum(X) * ones(n, m) == diff(sum(X)**2, X)")
    assert "∂" in str(result.arguments[-1].left) and rules(result)[0] == "lemma"


@pytest.mark.parametrize(
    "claim",
    [
        "sum[n]((z[n] + t[n]) * diff(z[n], w[i])) == diff(E, w[i])",
        "diff(E, w[i]) == sum[n](diff((z[n] - t[n])**2, w[i]))",
        "g == X.T @ ((t - z) * diff(h)(a))",
    ],
)
def test_false_claims_about_derivatives_have_no_proof(claim):
    with pytest.raises(ProofError):
        proof(SQUARES + "assert " + claim)


# --- hypotheses -----------------------------------------------------------------------------------

POWERS = """
P: (n, n)
J: (n, n)
V: orthogonal(n, n)
K: diagonal(n, n)
L: diagonal(n, n)
R = J @ P
"""
STEP = 'assert P == V @ L @ V.T, "hypothesis"\nassert J == V @ K @ V.T, "given"\n'


def test_a_hypothesis_is_used_and_said_to_be_one():
    result = proof(POWERS + STEP + "assert R == V @ K @ L @ V.T", 2)
    used = [s.instance["label"] for s in result.arguments[-1].steps if s.rule == "hypothesis"]
    assert sorted(used) == ["given", "hypothesis"] == sorted(result.context.assumed)
    assert all(not a.steps for a in result.context.assumed.values())
    latex = proof_views(result, Latex(result.expressions))[-1].lines
    assert any("induction hypothesis" in line.reason and "assumption" in line.reason for line in latex)


def test_without_its_hypothesis_nothing_is_proved():
    with pytest.raises(ProofError):
        proof(POWERS + STEP + "assert R == V @ K @ L @ V.T")
    with pytest.raises(ProofError):
        proof(POWERS + STEP + "assert R == V @ K @ V.T", 2)


def test_a_hypothesis_holds_at_any_indices():
    text = "A: (n, n)\nx: (n,)\nassert A[p,q] == x[p] * x[q]\nassert trace(A) + A[i,j] == x @ x + x[j] * x[i]"
    assert rules(proof(text, 1)).count("hypothesis") == 2


def test_an_expression_is_replaced_as_a_whole():
    text = "A: (n, n)\nB: (n, n)\nC: (n, n)\nassert A @ B == C\nassert A @ B + C == 2 * C"
    assert "hypothesis" in rules(proof(text, 1))


def test_hypotheses_of_one_label_are_told_apart():
    text = POWERS + "assert P == L\nassert J == K\nassert R == K @ L"
    assert len(proof(text, 2).context.assumed) == 2


def test_an_inverse_known_by_hypothesis_is_put_in():
    text = MATRICES + "P: (n, n)\nassert P == inv(M)\n"
    result = proof(text + "assert inv(M + outer(v, v)) == P - outer(P @ v, v @ P) / (1 + v @ P @ v)", 1)
    assert "inverse unique" in rules(result) and "hypothesis" in rules(result)
    with pytest.raises(ProofError):
        proof(text + "assert inv(M + outer(v, v)) == P + outer(P @ v, v @ P) / (1 + v @ P @ v)", 1)


def test_an_equation_that_is_assumed_is_not_differentiated():
    """x = 0 does not make dx/dx vanish."""
    text = "x: ()\ny: ()\nE = x * y\nassert x == 0\nassert diff(E, x) == 0"
    with pytest.raises(ProofError):
        proof(text, 1)


# --- identities of inverses -----------------------------------------------------------------------

inv, outer = np.linalg.inv, np.outer
ONE_N, ONE_M = np.eye(4), np.eye(3)

IDENTITIES: dict[str, Callable[..., tuple[np.ndarray, np.ndarray]]] = {
    "inv(M + outer(u, v)) == inv(M) - outer(inv(M) @ u, v @ inv(M)) / (1 + v @ inv(M) @ u)": lambda M, u, v, **_: (
        inv(M + outer(u, v)), inv(M) - outer(inv(M) @ u, v @ inv(M)) / (1 + v @ inv(M) @ u)),
    "inv(M + outer(v, v)) == inv(M) - outer(inv(M) @ v, v @ inv(M)) / (1 + v @ inv(M) @ v)": lambda M, v, **_: (
        inv(M + outer(v, v)), inv(M) - outer(inv(M) @ v, v @ inv(M)) / (1 + v @ inv(M) @ v)),
    "inv(M) + outer(inv(M) @ u, v @ inv(M)) / (1 - v @ inv(M) @ u) == inv(M - outer(u, v))": lambda M, u, v, **_: (
        inv(M) + outer(inv(M) @ u, v @ inv(M)) / (1 - v @ inv(M) @ u), inv(M - outer(u, v))),
    "inv(M + alpha * outer(u, v)) == inv(M) - alpha * outer(inv(M) @ u, v @ inv(M)) / (1 + alpha * v @ inv(M) @ u)":
        lambda M, u, v, alpha, **_: (
            inv(M + alpha * outer(u, v)),
            inv(M) - alpha * outer(inv(M) @ u, v @ inv(M)) / (1 + alpha * v @ inv(M) @ u)),
    "inv(A + B @ inv(D) @ C) == inv(A) - inv(A) @ B @ inv(D + C @ inv(A) @ B) @ C @ inv(A)": lambda A, B, C, D, **_: (
        inv(A + B @ inv(D) @ C), inv(A) - inv(A) @ B @ inv(D + C @ inv(A) @ B) @ C @ inv(A)),
    "inv(A + B @ D @ C) == inv(A) - inv(A) @ B @ inv(inv(D) + C @ inv(A) @ B) @ C @ inv(A)": lambda A, B, C, D, **_: (
        inv(A + B @ D @ C), inv(A) - inv(A) @ B @ inv(inv(D) + C @ inv(A) @ B) @ C @ inv(A)),
    "B @ inv(eye(m) + C @ B) == inv(eye(n) + B @ C) @ B": lambda B, C, **_: (
        B @ inv(ONE_M + C @ B), inv(ONE_N + B @ C) @ B),
    "inv(eye(n) + B @ C) == eye(n) - B @ inv(eye(m) + C @ B) @ C": lambda B, C, **_: (
        inv(ONE_N + B @ C), ONE_N - B @ inv(ONE_M + C @ B) @ C),
    "inv(eye(n) + A) == eye(n) - inv(eye(n) + inv(A))": lambda A, **_: (inv(ONE_N + A), ONE_N - inv(ONE_N + inv(A))),
    "inv(A + G) == inv(A) - inv(A) @ inv(inv(A) + inv(G)) @ inv(A)": lambda A, G, **_: (
        inv(A + G), inv(A) - inv(A) @ inv(inv(A) + inv(G)) @ inv(A)),
    "inv(A + G) == inv(A) @ inv(inv(A) + inv(G)) @ inv(G)": lambda A, G, **_: (
        inv(A + G), inv(A) @ inv(inv(A) + inv(G)) @ inv(G)),
    "inv(M + outer(u, v)) @ u == inv(M) @ u / (1 + v @ inv(M) @ u)": lambda M, u, v, **_: (
        inv(M + outer(u, v)) @ u, inv(M) @ u / (1 + v @ inv(M) @ u)),
    "v @ inv(M + outer(u, v)) == v @ inv(M) / (1 + v @ inv(M) @ u)": lambda M, u, v, **_: (
        v @ inv(M + outer(u, v)), v @ inv(M) / (1 + v @ inv(M) @ u)),
    "inv(M + outer(u, v)) @ x == inv(M) @ x - inv(M) @ u * (v @ inv(M) @ x) / (1 + v @ inv(M) @ u)":
        lambda M, u, v, x, **_: (
            inv(M + outer(u, v)) @ x, inv(M) @ x - inv(M) @ u * (v @ inv(M) @ x) / (1 + v @ inv(M) @ u)),
}  # fmt: skip


@pytest.mark.parametrize("claim", IDENTITIES)
def test_identities_of_inverses_are_proved(claim):
    assert set(rules(proof(MATRICES + "assert " + claim))) & {"inverse unique", "invertible"}


@pytest.mark.parametrize("claim", IDENTITIES)
def test_identities_of_inverses_hold_in_numbers(claim):
    rng = np.random.default_rng(5)
    shapes = {"M": (4, 4), "A": (4, 4), "G": (4, 4), "B": (4, 3), "C": (3, 4), "D": (3, 3), "u": 4, "v": 4, "x": 4}
    left, right = IDENTITIES[claim](**{k: rng.normal(size=s) for k, s in shapes.items()}, alpha=0.7)
    np.testing.assert_allclose(left, right, rtol=1e-9)


def test_a_name_for_an_inverse_is_looked_through():
    text = MATRICES + "S = D + C @ inv(A) @ B\nP = inv(A + B @ inv(D) @ C)\n"
    assert proof(text + "assert inv(A + B @ inv(D) @ C) == inv(A) - inv(A) @ B @ inv(S) @ C @ inv(A)")
    assert proof(text + "assert P == inv(A) - inv(A) @ B @ inv(D + C @ inv(A) @ B) @ C @ inv(A)")


def test_the_proof_of_the_rank_one_update_reads_like_a_lecture():
    result = proof(MATRICES + "assert " + next(iter(IDENTITIES)))
    lines = [line for view in proof_views(result, Latex(result.expressions)) for line in view.lines]
    assert len(lines) <= 6
    assert "multiply out" in lines[0].reason and r"M\,M^{-1} = I_{n}" in lines[0].reason
    assert lines[-2].right == "I_{n}" and "unique" in lines[-1].reason


# --- mutants --------------------------------------------------------------------------------------

SQUARE = """
M: invertible(n, n)
A: invertible(n, n)
B: (n, n)
C: (n, n)
D: invertible(n, n)
u: (n,)
v: (n,)
"""
TO_MUTATE = [
    "inv(M + outer(u, v)) == inv(M) - outer(inv(M) @ u, v @ inv(M)) / (1 + v @ inv(M) @ u)",
    "inv(A + B @ inv(D) @ C) == inv(A) - inv(A) @ B @ inv(D + C @ inv(A) @ B) @ C @ inv(A)",
    "B @ inv(eye(n) + C @ B) == inv(eye(n) + B @ C) @ B",
    "inv(A) - inv(D) == inv(A) @ (D - A) @ inv(D)",
    "inv(M + outer(u, v)) @ u == inv(M) @ u / (1 + v @ inv(M) @ u)",
]


def rebuilt(root: Expr, at: Expr, new: Expr) -> Expr:
    """Return an expression with a part replaced, its shapes found anew."""
    done: dict[Expr, Expr] = {}
    for node in walk(root):
        args = tuple(done[a] for a in node.args)
        done[node] = new if node is at else node if args == node.args else apply(node.op, *args, data=node.data)
    return done[root]


def mutants(root: Expr, arrays: dict[str, Expr]) -> Iterator[Expr]:
    """Yield an expression with a sign, a transposition, a factor, an inverse or a name changed, its shape kept."""
    other = {"u": "v", "v": "u", "A": "D", "D": "A", "B": "C", "C": "B", "M": "M"}
    for node in walk(root):
        new: list[Expr] = []
        if node.op in ("add", "sub"):
            new += [apply("sub" if node.op == "add" else "add", *node.args), *node.args]
        if node.op == "matmul":
            new += [a for a in node.args if a.shape == node.shape]
            if node.args[0].rank == node.args[1].rank == 2:
                new.append(apply("matmul", node.args[1], node.args[0]))
        if node.op in ("inv", "var") and node.rank == 2:
            new.append(apply("transpose", node))
        if node.op == "inv":
            new.append(node.args[0])
        if node.op == "div":
            new.append(node.args[0])
        if node.op == "outer":
            new.append(apply("outer", *reversed(node.args)))
        if node.op == "var":
            new.append(arrays[other[node.name]])
        for part in new:
            if part is not node:
                try:
                    yield rebuilt(root, node, part)
                except ShapeError:
                    continue


@cache
def mutated() -> list[tuple[Expr, Expr, bool]]:
    """Return false neighbours of the identities; the flag tells whether exact evaluation finds one true after all."""
    found = []
    for claim in TO_MUTATE:
        statements, _, _ = claims(SQUARE + "assert " + claim)
        left, right = statements[0].exprs
        arrays = {e.name: e for e in walk(*(s.exprs[0] for s in block.read_block(SQUARE, block.Names())))}
        for m in dict.fromkeys(mutants(right, arrays)):
            if m is not right and m.shape == left.shape:
                found.append((left, m, decide_equal(left, m).status == "proved"))
    return found


def test_there_are_many_mutants_and_they_are_false():
    true = {to_text(m) for _, m, holds in mutated() if holds}
    assert len(mutated()) - len(true) >= 60
    assert not true


def test_no_mutant_is_proved():
    _, taken, known = claims(SQUARE)
    assert [to_text(m) for left, m, _ in mutated() if is_proved(left, m, taken, known)] == []


# --- damaged proofs -------------------------------------------------------------------------------

WHOLE = [
    MATRICES + "assert " + TO_MUTATE[0],
    MATRICES + "assert " + "B @ inv(eye(m) + C @ B) == inv(eye(n) + B @ C) @ B",
    SQUARES + "assert sum[n]((z[n] - t[n]) * diff(z[n], w[i])) == diff(E, w[i])",
]


@pytest.mark.parametrize("text", WHOLE)
def test_no_step_and_no_lemma_can_be_left_out(text):
    result = proof(text)
    for n, argument in enumerate(result.arguments):
        rest = (*result.arguments[:n], *result.arguments[n + 1 :])
        if n < len(result.arguments) - 1:
            with pytest.raises(ProofError):
                check(rest, result.context)
        for k in range(len(argument.steps)):
            damaged = replace(argument, steps=(*argument.steps[:k], *argument.steps[k + 1 :]))
            with pytest.raises(ProofError):
                check((*result.arguments[:n], damaged, *result.arguments[n + 1 :]), result.context)


def last_step(result: Replayed, **changes: object) -> tuple[Argument, ...]:
    """Return the arguments of a proof whose last step has another instance."""
    *lemmas, last = result.arguments
    step = last.steps[-1]
    new = Step(step.rule, step.place, {**step.instance, **changes}, step.before, step.after)
    return (*lemmas, replace(last, steps=(*last.steps[:-1], new)))


def test_the_law_that_is_named_must_be_the_right_one():
    result = proof(WHOLE[1])
    step = result.arguments[-1].steps[-1]
    i, j = step.instance["rows"][0], step.instance["columns"][0]
    other = next(n for n in result.context.definitions if n.startswith("inv(") and n != step.instance["left"])
    assert step.rule == "invertible"
    for changes in ({"label": "(z)"}, {"left": None}, {"rows": (j,)}, {"left": other}, {"right": other}, {"left": "B"}):
        with pytest.raises(ProofError):
            check(last_step(result, **changes), result.context)
    check(last_step(result, columns=(i,)), result.context)  # there is no factor on the right


def test_a_hypothesis_that_is_not_assumed_is_refused():
    result = proof(POWERS + STEP + "assert R == V @ K @ L @ V.T", 2)
    with pytest.raises(ProofError, match="nothing is assumed"):
        check(result.arguments, replace(result.context, assumed={}))
    swapped = dict(zip(result.context.assumed, reversed(result.context.assumed.values()), strict=True))
    with pytest.raises(ProofError, match="says something else"):
        check(result.arguments, replace(result.context, assumed=swapped))


def test_what_is_assumed_has_no_steps():
    result = proof(POWERS + STEP + "assert R == V @ K @ L @ V.T", 2)
    label, equation = next(iter(result.context.assumed.items()))
    forged = replace(equation, steps=result.arguments[-1].steps[:1])
    with pytest.raises(ProofError, match="assumed, not proved"):
        check(result.arguments, replace(result.context, assumed={**result.context.assumed, label: forged}))


# --- on a sheet -----------------------------------------------------------------------------------


def test_a_sheet_proves_equalities_by_the_kernel():
    sheet = Sheet(MATRICES + "".join(f"assert {claim}\n" for claim in IDENTITIES))
    assert {(c.status, c.basis) for c in sheet.claims} == {("proved", "kernel")}


def test_a_sheet_still_refutes_what_is_false():
    sheet = Sheet(SQUARE + "assert not (inv(M + outer(u, v)) == inv(M) - outer(inv(M) @ v, u @ inv(M)) / 2)")
    (claim,) = sheet.claims
    assert claim.status == "refuted" and claim.counterexample is not None


def test_a_sheet_tells_the_conditions_of_a_claim():
    (claim,) = Sheet(MATRICES + "assert " + TO_MUTATE[0]).claims
    wanted = {"M invertible", "M + outer(u, v) invertible", "1 + v @ inv(M) @ u != 0"}
    assert {str(c) for c in claim.conditions} == wanted
