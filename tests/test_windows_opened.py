"""Proofs about families: what is true is proved by the kernel, what is false never, and mutants only where true."""

from __future__ import annotations

import random

import pytest
import recurrences
import sympy
from mutations import claims, mutants
from networks import JACOBIANS, LAYER, OF_LAYER, PRODUCT_OF_JACOBIANS, STATES, TWO_LAYERS
from recurrences import FEEDBACK, GENERAL, PATTERNS, SKIP, TANH, TWO_BACK

from symderiv.check.kernel import check
from symderiv.errors import SymderivError
from symderiv.families import instances
from symderiv.sheet import Sheet
from symderiv.statements.block import Names, Statement, read_block
from symderiv.unrolling import decide_instances, lengths, parameters
from symderiv.windows.induction import Induction
from symderiv.windows.opened import prove_open

BLOCKS = {**recurrences.USUAL, **recurrences.UNUSUAL}
BY_INDUCTION = {"product", "one basis", "own", "power", "own power", "sum", "inverse"}


def last_claim(text: str) -> tuple[Statement, Names]:
    """Return the last claim of a block."""
    names = Names()
    return [s for s in read_block(text, names) if s.kind == "claim"][-1], names


def accepted(proof) -> None:
    """Have the kernel check a proof."""
    check(proof.arguments, proof.context, {})


def proved(statement: Statement, names: Names):
    """Return a proof of a claim that the kernel accepts, no instance being looked at before."""
    taken = [*names.scope.names, *names.scope.sizes, *names.unknown, *names.functions, *names.scope.functions]
    return prove_open(statement, names, [*taken, *names.families.table], accepted)


TRUE = [(block, text) for block, whole in BLOCKS.items() for text in claims(whole)]


@pytest.mark.parametrize("block, text", TRUE, ids=lambda part: part.rsplit("'", 2)[-2] if "'" in part else part)
def test_what_is_true_is_proved(block: str, text: str) -> None:
    statement, names = last_claim(text)
    proof = proved(statement, names)
    assert isinstance(proof, Induction) == (statement.label in BY_INDUCTION)
    for part in (proof.base, proof.step) if isinstance(proof, Induction) else (proof,):
        accepted(part)
        assert part.arguments


# --- the three blocks that introduce the language

NETWORK = f"""{TWO_LAYERS}
M = diff(E, b, b)
assert diff(E, w2[k,j], w2[k_,j_]) == z[j] * z[j_] * M[k,k_], "H15 (5.93)"
with neglecting(diff(E, b[k], b[k_]), k != k_, because="off-diagonal terms are dropped"):
    assert diff(E, a[j], a[j]) == diff(h)(a[j])**2 * sum[k](w2[k,j]**2 * diff(E, b[k], b[k])) \
        + diff(h, 2)(a[j]) * sum[k](w2[k,j] * diff(E, b[k])), "H7 (5.81)"
"""
RECURRENCE = STATES + JACOBIANS + PRODUCT_OF_JACOBIANS


@pytest.mark.parametrize(
    ("text", "statuses"),
    [(LAYER + OF_LAYER, ["proved", "proved"]), (NETWORK, ["proved", "approximation"]), (RECURRENCE, ["proved"])],
)
def test_the_blocks_of_the_language(text: str, statuses: list[str]) -> None:
    found = Sheet(text).claims
    assert [c.status for c in found] == statuses
    assert all(c.basis == "kernel" and c.as_expected for c in found)


def test_the_induction_says_where_it_stands_and_what_it_supposes() -> None:
    (claim,) = Sheet(RECURRENCE).claims
    proof = claim.proof
    assert isinstance(proof, Induction)
    assert (proof.variable, str(proof.first), str(proof.before)) == ("t", "tau", "t - 1")
    assert (str(proof.range.low), str(proof.range.high)) == ("tau", "T")
    assert proof.hypothesis == ("prod(J(s) for s in range(t - 1, tau, -1))",)


# --- false claims: what a window hides

FALSE = {
    "a member past the cut": GENERAL + """
for t in range(1, T - 1):
    assert diff(L, h[t]) == partial(h[t+1], h[t]).T @ diff(L, h[t+1]) + partial(o[t], h[t]).T @ diff(L, o[t]) \
        + diff(L, h[t+2])
""",
    "a member before": GENERAL + """
for t in range(1, T):
    assert diff(L, h[t]) == partial(h[t+1], h[t]).T @ diff(L, h[t+1]) + partial(o[t], h[t]).T @ diff(L, o[t]) \
        + diff(L, h[t-1])
""",
    "no derivative on the left": GENERAL
    + "for t in range(1, T + 1):\n    assert 2 * diff(L, h[t]) == 3 * diff(L, h[t])",
    "less than nothing": GENERAL + "for t in range(1, T + 1):\n    assert -diff(L, h[t]) == zeros(n)",
    "a name for a derivative": GENERAL + """
for t in range(1, T + 1):
    g[t] = diff(L, h[t])
for t in range(1, T + 1):
    assert g[t] == zeros(n)
""",
    "an immediate derivative that is none": GENERAL + """
for t in range(1, T):
    assert diff(L, h[t]) == partial(h[t+1], h[t]).T @ partial(L, h[t+1]) + partial(o[t], h[t]).T @ partial(L, o[t])
""",
    "a path out of the window and back": SKIP + """
for t in range(1, T):
    assert diff(L, h[t]) == diff(a[t+1], h[t]).T @ diff(L, a[t+1]) + diff(h[t+1], h[t]).T @ diff(L, h[t+1])
""",
    "total for immediate, a": TANH
    + "assert diff(L, b) == sum(diff(a[t], b).T @ diff(L, a[t]) for t in range(1, T + 1))",
    "total for immediate, h": TANH
    + "assert diff(L, b) == sum(diff(h[t], b).T @ diff(L, h[t]) for t in range(1, T + 1))",
    "a derivative that is not zero": TANH + """
for t in range(1, T):
    assert diff(h[t+1], h[t]) == diag(1 - h[t+1]**2) @ W + diff(o[t+1], h[t]).T @ V
""",
    "what is held, through another": TANH + """
for t in range(2, T + 1):
    assert diff(h[t], b, holding=h[t-2]) == diag(1 - h[t]**2) + diff(h[t], h[t-1]) @ diff(h[t-1], b)
""",
    "what is held, past the cut": TANH + """
for t in range(1, T - 1):
    assert diff(L, h[t], holding=h[t+2]) == diff(h[t+1], h[t]).T @ diff(L, h[t+1]) + diff(o[t], h[t]).T @ diff(L, o[t])
""",
    "two that are not the same": TWO_BACK + """
for t in range(3, T + 1):
    assert diff(h[t], b) == partial(h[t], b) + partial(h[t], h[t-1]) @ diff(h[t-2], b) \
        + partial(h[t], h[t-2]) @ diff(h[t-1], b)
""",
    "total for immediate, two back": TWO_BACK + """
for t in range(2, T - 1):
    assert diff(L, h[t]) == partial(h[t+1], h[t]).T @ diff(L, h[t+1]) + diff(h[t+2], h[t]).T @ diff(L, h[t+2]) \
        + diff(L, e[t]) * diff(e[t], h[t])
""",
    "labels that coincide": GENERAL + """
for tau in range(1, T + 1):
    for t in range(tau, T + 1):
        assert diff(h[t], h[tau]) == partial(h[t], h[t-1]) @ diff(h[t-1], h[tau])
""",
    "any two labels": GENERAL + """
for tau in range(1, T + 1):
    for t in range(1, T + 1):
        assert diff(h[t], h[tau]) == diff(h[t], h[t-1]) @ diff(h[t-1], h[tau])
""",
    "a member that all name": """
f: function(n)
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = f(h[t-1], h[0])
for t in range(1, T + 1):
    assert diff(h[t], h[0]) == partial(h[t], h[t-1]) @ diff(h[t-1], h[0]) + partial(h[t], h[0])
""",
    "a definition that all name": """
f: function(n)
w: (n,)
A = w * w
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = f(h[t-1], A)
for t in range(1, T + 1):
    assert diff(h[t], A) == partial(h[t], A) + 2 * partial(h[t], h[t-1]) @ diff(h[t-1], A)
""",
    "outputs fed back": FEEDBACK + """
for t in range(T, 0, -1):
    assert diff(L, h[t]) == sum(diff(h[s], h[t]).T @ partial(o[s], h[s]).T @ diff(L, o[s]) for s in range(t, T + 1))
""",
    "all outputs but the last": TANH + """
for t in range(T, 1, -1):
    assert diff(L, h[t]) == \
        sum(diff(h[s-1], h[t]).T @ partial(o[s-1], h[s-1]).T @ diff(L, o[s-1]) for s in range(t, T + 1))
""",
    "nothing between": SKIP + """
for t in range(1, T + 1):
    o[t] = tanh(g[t])
    e[t] = loss(o[t])
K = sum(e[t] for t in range(1, T + 1))
for t in range(T, 0, -1):
    assert diff(K, h[t]) == 2 * sum(diff(h[s], h[t]).T @ diff(o[s], h[s]).T @ diff(K, o[s]) for s in range(t, T + 1))
""",
    "a sum inside of a row": """
b: ()
loss: function()
for t in range(1, T + 1):
    x[t]: ()
    z[t]: ()
    a[t] = b * sum(x[t] * z[s] for s in range(1, T + 1))
    e[t] = loss(a[t])
L = sum(e[t] for t in range(1, T + 1))
assert diff(L, b) == sum(diff(L, a[t]) for t in range(1, T + 1)) * sum(x[s] * z[s] for s in range(1, T + 1))
""",
    "the number of a row": """
b: ()
loss: function()
for t in range(1, T + 1):
    a[t] = b * t
    e[t] = loss(a[t])
L = sum(e[t] for t in range(1, T + 1))
assert diff(L, b) * T == sum(diff(L, a[t]) for t in range(1, T + 1)) * sum(t for t in range(1, T + 1))
""",
    "the subscript of a row": TANH + """
assert diff(L, c) == sum(diff(L, o[t]) for t in range(1, T + 1)) + c * (sum(eye(m)[y[t], :] for t in range(1, T + 1)) \
    @ sum(eye(m)[y[t], :] for t in range(1, T + 1)) - T**2)
""",
    "rows that differ": PATTERNS + "assert diff(E, w) == N * diff(y[1], w) * (y[1] - t[1])",
    "a square of rows": PATTERNS + """
assert diff(E, w) == sum((y[k] - t[k]) * b[k] for k in range(1, N + 1)) \
    + w * (N * sum(y[k]**2 for k in range(1, N + 1)) - sum(y[k] for k in range(1, N + 1))**2)
""",
    "second derivatives of rows": """
b: ()
loss: function()
h[0]: ()
for t in range(1, T + 1):
    h[t] = tanh(h[t-1] + b)
    e[t] = loss(h[t])
L = sum(e[t] for t in range(1, T + 1))
assert diff(L, b) == sum(diff(L, h[t]) * (1 - h[t]**2) for t in range(1, T + 1)) + diff(L, b, b) \
    - sum(diff(L, h[t], h[t]) * (1 - h[t]**2)**2 - 2 * diff(L, h[t]) * h[t] * (1 - h[t]**2) for t in range(1, T + 1))
""",
    "second derivatives past a cut": """
assert T >= 2
loss: function()
w: ()
h[0]: ()
for t in range(1, T + 1):
    a[t] = tanh(h[t-1])
    g[t] = a[t] * w
    h[t] = g[t] * h[t-1]
L = loss(h[T])
for t in range(1, T):
    assert diff(L, h[t]) == diff(L, a[t+1]) * diff(a[t+1], h[t]) + diff(L, h[t+1]) * partial(h[t+1], h[t]) \
        + diff(L, a[t+1], h[t+1])
""",
    "one sum inside of another": """
for r in range(0, T + 1):
    z[r]: (n,)
L = sum(sum(sum(z[r]) for r in range(s, T + 1)) for s in range(0, T + 1))
assert diff(L, z[0]) == zeros(n)
""",
    "symmetric at first": """
W: (n, n)
S[0]: symmetric(n, n)
for t in range(1, T + 1):
    S[t] = W @ S[t-1]
for t in range(1, T + 1):
    assert S[t].T == S[t-1] @ W.T
""",
    "an integer in a text": """
tau: integer(0, T)
for t in range(0, T + 1):
    x[t]: ()
g[0] = x[tau]
assert g[0] == x[0]
""",
    "an integer in the label of a variable": """
tau: integer(0, T)
w: ()
for t in range(0, T + 1):
    x[t]: ()
g[1] = w * x[tau]
assert diff(g[1], x[0]) == 0
""",
    "an integer for an end": """
tau: integer(0, T)
w: (n,)
h[0]: (n,)
for t in range(1, tau + 1):
    h[t] = h[t-1] + w
assert h[tau] == h[0]
""",
    "a hypothesis under a derivative": """
w: ()
q[0] = w
for t in range(1, T + 1):
    q[t] = q[t-1] * w
for t in range(0, T + 1):
    assert diff(q[t], w) * w == (t + 2) * q[t]
""",
    "a hypothesis that says less": GENERAL + """
v: (n,)
for t in range(2, T):
    with given(diff(L, h[t-1]) == v):
        assert v == zeros(n)
""",
    "an empty sum": """
for t in range(1, T + 1):
    x[t]: (n,)
for t in range(1, T + 1):
    assert x[1] + sum(x[s] for s in range(2, t)) + x[t] == sum(x[s] for s in range(1, t + 1))
""",
    "a base that is missing": """
for t in range(1, T + 1):
    x[t]: ()
q[0]: ()
for t in range(1, T + 1):
    q[t] = q[t-1] + x[t]
for t in range(1, T + 1):
    assert q[t] == sum(x[s] for s in range(1, t + 1))
""",
    "a name like that of a member": """
h_of: function(n)
b: (n,)
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = tanh(h[t-1] + b)
u = h_of(b)
for t in range(1, T + 1):
    assert diff(h[t], b) == diag(1 - h[t]**2) + diag(1 - h[t]**2) @ (diff(u, b) + 0 * diff(h[t-1], b))
""",
}  # fmt: skip


@pytest.mark.parametrize("text", FALSE.values(), ids=FALSE)
def test_what_is_false_is_not_proved(text: str) -> None:
    statement, names = last_claim(text)
    with pytest.raises(SymderivError):
        proved(statement, names)
    found = decide_instances(statement, names, Sheet().decided)
    assert found.outcome.status == "refuted"


# --- mutants

SEEDED = 220


def verdict(text: str) -> str:
    """Tell what becomes of a mutant: refused, not proved, true, vacuous; or what is wrong with a proof of it."""
    try:
        statement, names = last_claim(text)
    except SymderivError:
        return "refused"
    try:
        proved(statement, names)
    except SymderivError:
        return "not proved"
    if not any(instances(statement.ranges, lengths(parameters(statement, names), names, 6))):
        return "vacuous"
    found = decide_instances(statement, names, Sheet().decided)
    answered = found.outcome.status == "proved" or "agree modulo primes" in found.outcome.scope
    return "true" if answered else f"{found.outcome.status} {found.values} {found.outcome.scope}"


def all_mutants() -> list[str]:
    """Return every mutant of every claim of the blocks."""
    return [mutant for _, text in TRUE for mutant in mutants(text)]


def test_of_mutants_only_true_ones_are_proved() -> None:
    chosen = random.Random(5).sample(all_mutants(), SEEDED)
    found = {text: verdict(text) for text in chosen}
    assert {v for v in found.values()} <= {"refused", "not proved", "true", "vacuous"}
    assert sum(v in ("refused", "not proved") for v in found.values()) >= 180


@pytest.mark.mutants
def test_of_all_mutants_only_true_ones_are_proved() -> None:
    found = {text: verdict(text) for text in all_mutants()}
    assert len(found) > 1200
    wrong = {text: v for text, v in found.items() if v not in ("refused", "not proved", "true", "vacuous")}
    assert not wrong


def test_the_lengths_of_the_mutants_are_long_enough() -> None:
    _, names = last_claim(TWO_BACK)
    assert lengths([sympy.Symbol("T")], names, 6)[sympy.Symbol("T")] == 8


@pytest.mark.parametrize("letter", ["q", "k", "m"])
def test_a_sum_may_run_under_any_letter(letter: str) -> None:
    (claim,) = Sheet(
        """
w: (n,)
for q in range(1, N + 1):
    x[q]: (n,)
    y[q]: ()
    p[q] = sigmoid(x[q] @ w)
    e[q] = -y[q] * log(p[q]) - (1 - y[q]) * log(1 - p[q])
E = sum(e[q] for q in range(1, N + 1))
assert diff(E, w, w) == sum(p[r] * (1 - p[r]) * outer(x[r], x[r]) for r in range(1, N + 1)), "H"
""".replace("[r]", f"[{letter}]").replace("for r", f"for {letter}")
    ).claims
    assert (claim.status, claim.basis) == ("proved", "kernel")
    assert claim.certificate is not None
