"""Approximations: what is left out is exactly what is said to be; anything else is refuted."""

from __future__ import annotations

import dataclasses

import pytest
from networks import TWO_LAYERS

from symderiv import Sheet
from symderiv.check.kernel import check
from symderiv.errors import ProofError
from symderiv.handout.build import read_and_decide, rendered
from symderiv.tensor.text import to_text

NETWORK = TWO_LAYERS + "M = diff(E, b, b)\n"
DROP = 'with neglecting(diff(E, b[k], b[k_]), k != k_, because="they are small"):\n    assert diff(E, a[j], a[j]) == '
SQUARED = "sum[k](w2[k,j]**2 * diff(E, b[k], b[k]))"
FIRST = "diff(h, 2)(a[j]) * sum[k](w2[k,j] * diff(E, b[k]))"
DIAGONAL = f"diff(h)(a[j])**2 * {SQUARED} + {FIRST}"

DATA = """\
w: (P,)
net: function()
for n in range(1, N + 1):
    x[n]: (I,)
    t[n]: ()
    y[n] = net(x[n], w)
    b[n] = diff(y[n], w)
E = sum((y[n] - t[n])**2 for n in range(1, N + 1)) / 2
F = sum((y[n] - t[n])**2 for n in range(1, N + 1))
"""
REST = "sum((y[n] - t[n]) * diff(y[n], w, w) for n in range(1, N + 1))"
OUTER = "sum(outer(b[n], b[n]) for n in range(1, N + 1))"


def decided(text):
    return Sheet(text).claims[-1]


def neglecting(term, claim, before=DATA):
    return decided(f"{before}with neglecting({term}):\n    assert {claim}")


# ---------------------------------------------------------------- off the diagonal


def test_the_diagonal_recursion_is_an_approximation_with_its_condition_and_its_rest():
    claim = decided(NETWORK + DROP + DIAGONAL + ', "H7 (5.81)"')
    assert (claim.status, claim.expected, claim.basis, claim.exact) == (
        "approximation",
        "approximation",
        "kernel",
        False,
    )
    (neglected,) = claim.statement.neglected
    assert str(neglected) == "neglecting diff(E, b[k], b[k_]) for k != k_, because they are small"
    wanted = "diff(h)(a[j])**2 * sum[k, k_]((1 - delta[k, k_]) * w2[k, j] * w2[k_, j] * diff(E, b[k], b[k_]))"
    assert to_text(claim.neglected) == wanted


def test_left_is_right_and_rest_exactly():
    rest = to_text(decided(NETWORK + DROP + DIAGONAL).neglected)
    assert decided(f"{NETWORK}assert diff(E, a[j], a[j]) == {DIAGONAL} + {rest}").status == "proved"
    assert decided(f"{NETWORK}assert diff(E, a[j], a[j]) == {DIAGONAL}").status == "refuted"


def test_a_name_for_the_neglected_derivative_will_do():
    text = f"{NETWORK}with neglecting(M[k,k_], k != k_):\n    assert diff(E, a[j], a[j]) == "
    claim = decided(text + DIAGONAL.replace("diff(E, b[k], b[k])", "M[k,k]"))
    assert (claim.status, claim.basis) == ("approximation", "kernel")
    assert "M[k, k_]" in to_text(claim.neglected)


def test_in_matrix_notation():
    right = "diag(diff(h)(a)**2 * ((w2**2).T @ diag(M)) + diff(h, 2)(a) * (w2.T @ diff(E, b)))"
    exact = "diag(diff(h, 2)(a) * (w2.T @ diff(E, b)))"
    head = f"{NETWORK}with neglecting(diff(E, b[k], b[k_]), k != k_):\n    assert diff(E, a, a) == "
    # off the diagonal of the left side the neglected ones are not all: w2.T @ diag(M) @ w2 is no diagonal matrix
    assert decided(head + right).status == "refuted"
    slopes = "outer(diff(h)(a), diff(h)(a))"
    assert decided(f"{head}{slopes} * (w2.T @ diag(diag(M)) @ w2) + {exact}").status == "approximation"


@pytest.mark.parametrize(
    "wrong",
    [
        DIAGONAL.replace("**2 *", " *", 1),
        DIAGONAL.replace("w2[k,j]**2", "w2[k,j]"),
        DIAGONAL.replace("diff(h, 2)", "diff(h)"),
        DIAGONAL.replace(" + ", " - "),
        DIAGONAL.replace("diff(E, b[k], b[k])", "diff(E, b[k])"),
        f"diff(h)(a[j])**2 * {SQUARED}",
        FIRST,
        f"2 * ({DIAGONAL})",
        "sum(x)",
    ],
)
def test_mutants_are_refuted(wrong):
    claim = decided(NETWORK + DROP + wrong)
    assert claim.status == "refuted" and claim.counterexample is not None and claim.neglected is None


FORMULA = NETWORK.replace("loss: function()\n", "")


def test_what_has_a_formula_is_left_out_as_a_symbol():
    claim = decided(FORMULA.replace("E = loss(b)", "E = (b @ b)**2 + sum(exp(b))") + DROP + DIAGONAL)
    assert (claim.status, claim.basis, claim.exact) == ("approximation", "kernel", False)
    assert to_text(claim.neglected) == to_text(decided(NETWORK + DROP + DIAGONAL).neglected)
    wrong = decided(FORMULA.replace("E = loss(b)", "E = (b @ b)**2 + sum(exp(b))") + DROP + FIRST)
    assert wrong.status == "refuted"


def test_softmax_with_cross_entropy():
    text = FORMULA.replace("E = loss(b)", "t: (K,)\nE = logsumexp(b) - t @ b")
    assert decided(text + DROP + DIAGONAL).status == "approximation"


def test_what_acts_past_the_neglected_is_undecided():
    claim = decided(FORMULA.replace("E = loss(b)", "E = (b @ b)**2 + sum(z**3)") + DROP + DIAGONAL)
    assert claim.status == "undecided" and "past b" in claim.scope


def test_exact_below_linear_outputs_with_a_sum_of_squares():
    text = NETWORK.replace("E = loss(b)", "E = sum((b - t)**2) / 2").replace("loss: function()", "t: (K,)")
    claim = decided(text + DROP + DIAGONAL)
    assert (claim.status, claim.exact, claim.neglected) == ("approximation", True, None)


# ---------------------------------------------------------------- a term of a sum


def test_the_gauss_newton_matrix():
    claim = neglecting(REST, f"diff(E, w, w) == {OUTER}")
    assert (claim.status, claim.basis, claim.exact) == ("approximation", "kernel", False)
    assert to_text(claim.neglected) == REST
    assert decided(f"{DATA}assert diff(E, w, w) == {OUTER} + {REST}").status == "proved"


def test_the_term_is_found_with_its_coefficient():
    claim = neglecting(REST, f"diff(F, w, w) == 2 * {OUTER}")
    assert (claim.status, to_text(claim.neglected)) == ("approximation", f"2 * {REST}")


def test_logistic_outputs_with_cross_entropy():
    text = """\
w: (P,)
act: function()
for n in range(1, N + 1):
    x[n]: (I,)
    t[n]: ()
    a[n] = act(x[n], w)
    y[n] = sigmoid(a[n])
    b[n] = diff(a[n], w)
E = -sum(t[n] * log(y[n]) + (1 - t[n]) * log(1 - y[n]) for n in range(1, N + 1))
"""
    rest = REST.replace("diff(y[n]", "diff(a[n]")
    right = "sum(y[n] * (1 - y[n]) * outer(b[n], b[n]) for n in range(1, N + 1))"
    assert neglecting(rest, f"diff(E, w, w) == {right}", text).status == "approximation"
    assert neglecting(rest, f"diff(E, w, w) == {right.replace('(1 - y[n]) * ', '')}", text).status == "refuted"
    assert neglecting(REST, f"diff(E, w, w) == {right}", text).status == "refuted"


@pytest.mark.parametrize(
    ("term", "right"),
    [
        (REST, f"2 * {OUTER}"),
        (REST, f"{OUTER} - {REST}"),
        (REST, OUTER.replace("range(1", "range(2")),
        (REST.replace("y[n] - t[n]", "y[n] + t[n]"), OUTER),
        (REST.replace("range(1", "range(2"), OUTER),
        (OUTER, OUTER),
    ],
)
def test_anything_else_left_out_is_refuted(term, right):
    claim = neglecting(term, f"diff(E, w, w) == {right}")
    assert claim.status == "refuted" and claim.expected == "approximation" and claim.neglected is None


def test_single_arrays():
    text = "x: (n,)\nA: (n, n)\nf = x @ A @ x\n"
    claim = neglecting("A.T @ x", "diff(f, x) == A @ x", text)
    assert (claim.status, claim.basis, to_text(claim.neglected)) == ("approximation", "kernel", "A.T @ x")
    assert neglecting("A.T @ x", "diff(f, x) == 2 * A @ x", text).status == "refuted"
    assert neglecting("x", "diff(f, x) == A @ x", text).status == "refuted"
    assert neglecting("sum(x)", "diff(f, x) == A @ x", text).status == "undecided"  # of another shape


def test_two_terms_at_once_are_refused():
    text = "x: (n,)\nwith neglecting(x):\n    with neglecting(2 * x):\n        assert 3 * x == 0 * x"
    assert "neglected at once" in decided(text).scope


# ---------------------------------------------------------------- proofs and records


def test_no_approximation_is_a_lemma():
    sheet = Sheet(NETWORK + DROP + DIAGONAL + ', "H7"')
    assert "H7" not in sheet.lemmas and "H7" not in sheet.proofs


def test_second_derivatives_cite_the_first_of_families():
    first = "sum((y[n] - t[n]) * b[n] for n in range(1, N + 1))"
    text = f'{DATA}assert diff(E, w) == {first}, "G"\nassert diff(E, w, w) == {OUTER} + {REST}, "H"\n'
    gradient, hessian = Sheet(text).claims
    assert gradient.status == hessian.status == "proved"
    assert "G" in {step.instance.get("label") for a in hessian.proof.arguments for step in a.steps}
    with pytest.raises(ProofError):
        check(hessian.proof.arguments, dataclasses.replace(hessian.proof.context, lemmas={}))


def test_the_kernel_allows_the_last_step_in_approximations_only():
    claim = decided(NETWORK + DROP + DIAGONAL)
    arguments, context = claim.proof.arguments, claim.proof.context
    assert arguments[-1].steps[-1].rule == "neglect"
    check(arguments, context)
    with pytest.raises(ProofError, match="only the last step of an approximation"):
        check(arguments, dataclasses.replace(context, neglected={}))
    with pytest.raises(ProofError, match="only the last step of an approximation"):
        check((*arguments, dataclasses.replace(arguments[0], label="again")), context)


def test_the_record_holds_the_condition_and_the_rest(tmp_path):
    path = tmp_path / "notes.md"
    path.write_text(f'---\ntitle: T\n---\n\n```symderiv\n{NETWORK}{DROP}{DIAGONAL}, "H7"\n```\n', encoding="utf-8")
    (record,) = (r.as_json() for r in read_and_decide(path).records)
    assert record["status"] == record["expected"] == "approximation"
    assert record["condition"] == "neglecting diff(E, b[k], b[k_]) for k != k_, because they are small"
    assert "1 - delta[k, k_]" in record["neglected"] and "exact" not in record


def test_in_print(tmp_path):
    path = tmp_path / "notes.md"
    path.write_text(f"---\ntitle: T\n---\n\n```symderiv\n{NETWORK}{DROP}{DIAGONAL}\n```\n", encoding="utf-8")
    text = rendered(read_and_decide(path), "md").decode()
    rest = r"h'(a_{j})^{2}\,\sum_{k \neq k'}"
    assert text.count(rest) == 1 and text.count(r"&\approx") == 1 and "neglecting $" in text
    assert text.index(rest) < text.index(r"&\approx")


def test_where_nothing_is_lost_the_document_says_so(tmp_path):
    squares = NETWORK.replace("E = loss(b)", "E = sum((b - t)**2) / 2").replace("loss: function()", "t: (K,)")
    path = tmp_path / "notes.md"
    path.write_text(f"---\ntitle: T\n---\n\n```symderiv\n{squares}{DROP}{DIAGONAL}\n```\n", encoding="utf-8")
    built = read_and_decide(path)
    assert built.records[0].as_json()["exact"] is True
    assert "nothing is lost" in rendered(built, "md").decode()
