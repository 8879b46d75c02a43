"""Sheets: the statuses of claims, what is expected of them, and names shared between blocks."""

from __future__ import annotations

import pickle

import pytest
from networks import LAYER

import symderiv
from symderiv import Sheet, UnsupportedError
from symderiv.handout.build import built_in
from symderiv.handout.source import read_source
from symderiv.handout.views import Printer
from symderiv.render.mathtext import is_harmless


def only(text):
    (claim,) = Sheet(text).claims
    return claim


@pytest.fixture(scope="module")
def layer():
    """The sheets of the built-in handout on a layer, one for each heading."""
    (path,) = (p for p in built_in() if p.stem == "backpropagation-through-a-layer")
    sheets = []
    for passage in read_source(path.read_text(encoding="utf-8"), path).passages:
        if passage.kind == "block":
            if passage.fresh:
                sheets.append(Sheet(source=str(path)))
            sheets[-1].read(passage.text, passage.line)
    return sheets


def test_the_layer_is_proved_step_by_step(layer):
    claims = [c for sheet in layer for c in sheet.claims]
    assert [c.id for c in claims] == [f"L{k}" for k in range(1, 11)]
    assert {(c.status, c.basis, c.as_expected) for c in claims} == {("proved", "kernel", True)}


def test_every_line_of_the_layer_is_good_latex(layer):
    for sheet in layer:
        printer = Printer(sheet, {"loss": "E"})
        for claim in sheet.claims:
            for detail in ("brief", "normal", "full"):
                printer.detail = detail
                view = printer.claim(claim)
                lines = [line for proof in view.proofs for line in proof.lines]
                assert lines and is_harmless(view.statement)
                for line in lines:
                    text = line.left + line.relation + line.right
                    assert is_harmless(text) and text.count("{") == text.count("}")


def test_later_claims_cite_earlier_ones(layer):
    cited = {c.id: Printer(s).claim(c).proofs[-1].cites for s in layer for c in s.claims}
    assert {k: v for k, v in cited.items() if v} == {
        "L2": ("L1",),
        "L4": ("L3",),
        "L6": ("L5",),
        "L8": ("L7",),
    }


# --- statuses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "status", "expected"),
    [
        ("assert A @ B == A @ B", "proved", True),
        ("assert A @ B == B @ A", "refuted", False),
        ("assert not (A @ B == B @ A)", "refuted", True),
        ("assert not A @ B == B @ A", "refuted", True),
        ("assert not (A @ B == A @ B)", "proved", False),
        ("assert not (A @ X == X @ A)", "rejected", True),
        ("assert not (X == X.T)", "rejected", True),
        ("assert not (X[i,j] == X[j,i])", "rejected", True),
        ("assert not (X[i,j] == X[i,j])", "proved", False),
    ],
)
def test_what_became_of_a_claim_and_what_was_expected(claim, status, expected):
    found = only(f"A: (n, n)\nB: (n, n)\nX: (n, m)\n{claim}")
    assert (found.status, found.as_expected) == (status, expected)
    wrong = "rejected" if status == "rejected" else "refuted"
    assert found.expected == (wrong if "not" in claim else "proved")


@pytest.mark.parametrize("claim", ["A @ X == X @ A", "X == X.T", "X[i,j] == X[j,i]"])
def test_shapes_that_do_not_fit_are_an_error_where_they_are_claimed(claim):
    with pytest.raises(symderiv.ShapeError, match=r"notes\.md, line 3"):
        Sheet(f"A: (n, n)\nX: (n, m)\nassert {claim}", source="notes.md")


def test_an_unknown_name_is_an_error_even_where_the_claim_is_expected_to_fail():
    with pytest.raises(symderiv.UnknownNameError):
        Sheet("A: (n, n)\nassert not (A == Q)")


def test_a_refuted_claim_has_a_counterexample_and_a_correction():
    claim = only(LAYER + "assert diff(E, W) == 2 * D.T @ B, 'L2 (7)'")
    found = claim.counterexample
    assert (claim.id, claim.label, claim.text) == ("L2", "L2 (7)", "diff(E, W) == 2 * D.T @ B")
    assert set(found.sizes) == {"m", "n", "p"} and len(found.entry) == 2
    assert found.right == pytest.approx(2 * found.left)
    assert claim.correct == "D.T @ B"


def test_claims_without_a_label_are_numbered():
    sheet = Sheet("x: (n,)\nassert x == x\nassert x == x, '  '\nassert x == x, 'c'")
    assert [c.id for c in sheet.claims] == ["claim 1", "claim 2", "c"]


def test_two_runs_give_the_same():
    text = LAYER + "assert diff(E, W) == W"
    one, two = only(text), only(text)
    assert one.counterexample == two.counterexample is not None


@pytest.mark.parametrize("basis", ["kernel", "exact"])
def test_a_proof_says_what_it_rests_on(basis):
    by_basis = {"kernel": "diff(E, x) == 2 * x", "exact": "det(eye(n) + outer(x, x)) == 1 + E"}
    claim = only("x: (n,)\nE = x @ x\nassert " + by_basis[basis])
    assert (claim.status, claim.basis) == ("proved", basis)
    assert ("all sizes" in claim.scope) is (basis == "kernel")


# --- blocks ---------------------------------------------------------------------------------------


def test_blocks_share_their_names_and_a_new_sheet_has_none():
    sheet = Sheet("x: (n,)\nE = x @ x")
    (claim,) = sheet.read("assert diff(E, x) == 2 * x")
    assert claim.status == "proved" and sheet.claims == [claim]
    with pytest.raises(symderiv.ParseError, match="named already"):
        sheet.read("x: (n,)")
    assert Sheet("x: (n, n)\nassert x == x").claims


def test_claims_are_decided_one_at_a_time():
    reading = Sheet("x: (n,)").reading("assert x == x\nassert x == 2 * x\nassert x == y")
    with pytest.raises(symderiv.UnknownNameError):
        next(reading)  # a block is read as a whole before its first claim is decided
    reading = Sheet("x: (n,)").reading("assert x == x\nassert x == 2 * x")
    assert [claim.status for claim in reading] == ["proved", "refuted"]


@pytest.mark.parametrize("text", ["", "  \n", "# nothing"])
def test_an_empty_sheet(text):
    assert Sheet(text).claims == []


def test_a_derivative_with_a_name_is_noted():
    sheet = Sheet(LAYER)
    assert set(sheet.given) == {("E", "A")}
    assert {"D", "W", "A", "E", "B", "m", "n", "p", "loss"} <= set(sheet.taken)
    assert len(sheet.matrix_names()) == 4  # A, E, B, and what B stands for


@pytest.mark.parametrize("label", ["A", "W", "E", "B", "f"])
def test_a_label_may_be_the_name_of_an_array(label):
    sheet = Sheet(
        f"{LAYER}assert diff(A[i,j], W[k,l]) == D[i,k] * delta[j,l], '{label}'\n"
        f"assert diff(E, W) == D.T @ B, 'b'\nassert diff(E, D) == B @ W.T, 'c'"
    )
    assert [c.status for c in sheet.claims] == ["proved"] * 3


@pytest.mark.parametrize(
    ("name", "size"),
    [("f", "n"), ("t", "n"), ("k", "n"), ("q", "n"), ("i", "r"), ("x", "f"), ("x", "k")],
)
def test_letters_that_proofs_use_may_be_names(name, size):
    claim = only(f"{name}: ({size},)\nM: ({size}, {size})\nE = {name} @ M @ {name}\n"
                 f"assert diff(E, {name}) == M @ {name} + M.T @ {name}")  # fmt: skip
    assert claim.status == "proved"


def test_an_immediate_derivative_that_does_not_stand_there_is_refused():
    with pytest.raises(UnsupportedError, match="write diff"):
        Sheet("x: (n,)\nu = x * x\nv = sum(u)\nassert partial(v, x) == 2 * x")


def test_claims_are_pickled():
    claim = only("x: (n,)\nassert x == 2 * x")
    again = pickle.loads(pickle.dumps(claim.counterexample))
    assert again == claim.counterexample


def test_a_sheet_pickles():
    sheet = Sheet("x: (n,)\nassert diff(x @ x, x) == 2 * x")
    again = pickle.loads(pickle.dumps(sheet))
    assert [c.status for c in again.claims] == ["proved"]
    assert [c.status for c in again.read("assert diff(x @ x, x) == x")] == ["refuted"]


# --- what a claim may say and still be proved step by step


BY_THE_KERNEL = {
    "the name of a definition that the function does not name": """
x: (n,)
y: (n,)
p = sigmoid(x)
E = sum(softplus(x)) - y @ x
assert diff(E, x) == p - y
""",
    "a residual, in the whole array and in its entries": """
X: (n, p)
w: (p,)
y: (n,)
r = X @ w - y
assert diff(norm(X @ w - y), w) == X.T @ r / norm(r)
assert diff(norm(X @ w - y)**2, w[k]) == 2 * (X.T @ r)[k]
""",
    "a softmax by its name": """
X: (n, d)
W: (d, k)
Y: one_hot_rows(n, k)
A = X @ W
S = softmax(A, 1)
E = sum(logsumexp(A, 1)) - sum(Y * A)
assert diff(E, W) == X.T @ (S - Y)
""",
    "the symmetry of the variable, used after the last derivative": """
X: positive_definite(n, n)
z: (n,)
S: symmetric(n, n)
assert diff(-logdet(X), X) == -inv(X)
assert diff(z @ inv(X) @ z, X) == -inv(X) @ outer(z, z) @ inv(X)
assert diff(trace(S @ X) - logdet(X), X) == S - inv(X)
""",
    "a lemma about whole arrays, cited": """
g: (n,)
z: (n,)
c: (n,)
y = g * z
assert diff(y, g) == diag(z), "L"
assert diff(c @ y, g) == c * z
""",
    "a function of the variable itself": "x: (n,)\nassert diff(logsumexp(x), x) == softmax(x, 0)\n",
    "a definition that is symmetric": """
X: (n, m)
C: symmetric(n, n)
A: (m, m)
V = inv(X.T @ C @ X)
assert diff(trace(V @ A), X) == -C @ X @ V @ (A + A.T) @ V
""",
    "a symmetric array made of its variable": """
U: (n, n)
A: (n, n)
X = U + U.T - U * eye(n)
assert diff(trace(A @ X), U) == A + A.T - A * eye(n)
""",
    "a determinant of a product": """
X: invertible(n, n)
A: invertible(n, n)
B: invertible(n, n)
assert diff(det(A @ X @ B), X) == det(A @ X @ B) * inv(X).T
""",
}


@pytest.mark.parametrize("about", BY_THE_KERNEL)
def test_it_is_proved_by_the_kernel(about):
    claims = Sheet(BY_THE_KERNEL[about]).claims
    assert claims
    for claim in claims:
        assert (claim.status, claim.basis) == ("proved", "kernel"), claim.unproved


def test_the_derivative_in_a_symmetric_definition_takes_its_entries_as_independent():
    text = "X: (n, m)\nA: (n, n)\nV = X @ X.T\n"
    text += "assert diff(trace(V @ A), V) == A.T\nassert not diff(trace(V @ A), V) == A\n"
    assert [c.status for c in Sheet(text).claims] == ["proved", "refuted"]


MORE_BY_THE_KERNEL = {
    "what does not depend on the variable": "A: (n, m)\nt: ()\nassert diff(A, t) == zeros(n, m)\n",
    "the variable itself": "X: (n, n)\nassert diff(X[k,l], X[i,j]) == delta[i,k] * delta[l,j]\n",
    "a function of a free index, without a name": """
a: (n,)
s = softmax(a, 0)
assert diff(a[i] - logsumexp(a), a[j]) == delta[i,j] - s[j]
""",
    "vec and kron": """
X0: (n, m)
H: (n, m)
A: (p, n)
B: (m, q)
t: ()
X = X0 + t * H
assert diff(vec(X), t) == vec(H)
assert diff(kron(X, X), t) == kron(H, X) + kron(X, H)
assert diff(vec(A @ X @ B), t) == kron(B.T, A) @ vec(H)
""",
}


@pytest.mark.parametrize("about", MORE_BY_THE_KERNEL)
def test_this_is_proved_by_the_kernel_too(about):
    for claim in Sheet(MORE_BY_THE_KERNEL[about]).claims:
        assert (claim.status, claim.basis) == ("proved", "kernel"), claim.unproved


def test_derivatives_that_a_claim_names_are_derived_as_well():
    text = """
t: ()
Ft: function(n, m)
X = Ft(t)
alpha: ()
assert diff(alpha * X, t) == alpha * diff(X, t)
assert diff(trace(X @ X.T), t) == 2 * trace(X.T @ diff(X, t))
"""
    for claim in Sheet(text).claims:
        assert (claim.status, claim.basis) == ("proved", "kernel"), claim.unproved


DEFINED = LAYER + "q = norm(A)**2\n"


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("diff(E, W)", "diff(E, W) == D.T @ B"),
        ("diff(A[i,j], W[k,l])", "diff(A[i, j], W[k, l]) == D[i, k] * delta[j, l]"),
        ("diff(q, W)", "diff(q, W) == 2 * D.T @ A"),
    ],
)
def test_a_bare_expression_is_shown_with_what_it_is(text, claim):
    (found,) = Sheet(DEFINED + text).claims
    assert (found.text, found.status, found.basis) == (claim, "proved", "kernel")


def test_a_bare_expression_without_a_derivative_is_read_and_left():
    """So that `statements()` of a result, which ends with one, is a block."""
    assert Sheet(DEFINED + "D @ W + A").claims == []


def test_a_bare_expression_about_a_family_is_refused():
    family = "h[0]: (n,)\nf: function(n)\nfor t in range(1, T + 1):\n    h[t] = f(h[t-1])\n    diff(h[t], h[0])"
    with pytest.raises(UnsupportedError, match="every member"):
        Sheet(family)


def test_a_claim_that_names_no_integer_holds_for_all_of_them():
    """`t` is declared, and the claim is not about it."""
    sheet = Sheet("t: integer(1, 5)\na: ()\nassert sigmoid(a) == 1 / (1 + exp(-a))\nassert t * a == a * t")
    assert [c.status for c in sheet.claims] == ["proved", "proved"]
