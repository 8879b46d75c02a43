"""Certificates for Coq: what their texts say, what is refused; where Coq is installed, that they compile.

Those that compile are run by `pytest -m certificates`, and by `make certificates` with a table.
"""

from __future__ import annotations

import re
from dataclasses import replace

import certificates
import pytest
from click.testing import CliRunner
from networks import LAYER, OF_LAYER
from sympy import Integer, Rational, Symbol

from symderiv import Sheet, UnsupportedError, derive
from symderiv.check.coq.certificate import to_coq
from symderiv.check.coq.combination import Combination, Laws
from symderiv.check.coq.core import CORE
from symderiv.check.coq.names import KEYWORDS, LEMMAS, Identifiers
from symderiv.check.coq.normal import Expander, collected
from symderiv.check.coq.scripts import Scripts
from symderiv.check.coq.tactics import rules
from symderiv.check.coq.text import HALF, Terms
from symderiv.check.kernel import rules as kernel_rules
from symderiv.check.part import Part
from symderiv.cli import main
from symderiv.index.nodes import Delta, Entry, Index, Plus, Power, Sum, Tensor, Times

CLAIMS = OF_LAYER + 'assert not (diff(E, W) == B.T @ D), "odd"\n'
N, M = Symbol("n", integer=True, positive=True), Symbol("m", integer=True, positive=True)
I, J, K = Index("i", N), Index("j", N), Index("k", N)
A, X = Tensor("A", N, N), Tensor("x", N)


def x(i: Index) -> Entry:
    return Entry(X, i)


def a(i: Index, j: Index) -> Entry:
    return Entry(A, i, j)


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return Sheet(LAYER + CLAIMS)


def theorem(text: str, name: str) -> str:
    """Return the statement of a theorem, without the proof."""
    return re.search(rf"Theorem {name}\b.*?\nProof", text, re.S)[0].removesuffix("\nProof")


# ---------------------------------------------------------------- what stands in the text


def test_the_theorem_says_what_it_presupposes(sheet: Sheet) -> None:
    assert theorem(sheet.to_coq("L1"), "L1").splitlines() == [
        "Theorem L1",
        "    (F : comUnitRingType)",
        "    (n p m : nat)",
        "    (W : 'I_n -> 'I_p -> F)",
        "    (A : 'I_m -> 'I_p -> F)",
        "    (D : 'I_m -> 'I_n -> F)",
        "    (d_W : 'I_n -> 'I_p -> F -> F)",
        r"    (A_text : forall (i : 'I_m) (j : 'I_p), A i j = \sum_(t < n) D i t * W t j)",
        "    (d_W_derivation : forall (i : 'I_n) (j : 'I_p), derivation (d_W i j))",
        "    (d_W_D : forall (i : 'I_n) (j : 'I_p) (k : 'I_m) (l : 'I_n), d_W i j (D k l) = 0)",
        "    (d_W_W : forall (i : 'I_n) (j : 'I_p) (k : 'I_n) (l : 'I_p), d_W i j (W k l) = (k == i)%:R * (l == j)%:R)",
        "  : forall (i : 'I_m) (j : 'I_p) (k : 'I_n) (l : 'I_p), d_W k l (A i j) = D i k * (j == l)%:R.",
    ]


def test_the_derivative_of_an_unknown_function_is_a_hypothesis(sheet: Sheet) -> None:
    said = theorem(sheet.to_coq("L2"), "L2")
    assert r"d_W i j loss_A = \sum_(k < m) \sum_(l < p) diff_loss_A_A k l * d_W i j (A k l)" in said
    assert "B i j = diff_loss_A_A i j" in said
    assert said.endswith(": forall (k : 'I_n) (l : 'I_p), d_W k l E = D_T_B k l.")


def test_there_is_one_lemma_for_each_step_that_is_cited_too(sheet: Sheet) -> None:
    text = sheet.to_coq("L2").removeprefix(CORE)
    cited, own = sheet["L1"].proof.arguments[-1].steps, sheet["L2"].proof.arguments[-1].steps
    assert re.findall(r"\(\* (.*) \*\)", text) == [
        *(s.rule for s in own[:2]), *(s.rule for s in cited), *(s.rule for s in own[2:])
    ]  # fmt: skip
    assert text.count("Lemma ") == len(cited) + len(own) + 2
    assert text.count("Qed.") == text.count("Lemma ") + 1
    assert not re.search(r"Admitted|Axiom|Parameter|admit|rewrite", text)


def test_the_same_text_twice(sheet: Sheet) -> None:
    assert sheet.to_coq("L2") == Sheet(LAYER + CLAIMS).to_coq("L2")


def test_a_proof_with_its_end_has_two_theorems() -> None:
    text = derive("x @ x", "x", shapes={"x": ("n",)}).proof.to_coq("squares")
    assert re.findall(r"Theorem (\w+)", text) == ["squares_1", "squares_2"]
    names = re.findall(r"(?:Lemma|Theorem) (\w+)", text)
    assert len(names) == len(set(names))


def test_names_that_coq_cannot_have() -> None:
    d = derive("Type @ λ", "λ", shapes={"λ": ("n",), "Type": ("n",)})
    said = theorem(d.proof.to_coq("in"), "in_1")
    assert said.isascii()
    assert "(lamda" in said
    assert "(Type1 Type2 : 'I_n -> F)" in said
    names = Identifiers()
    given = [names.of("array", n) for n in ("D.T @ B", "D T B", "ring", "etrans", "2", "contract", "∂", "x'", "x")]
    assert len(set(given)) == len(given)
    assert not set(given) & {*KEYWORDS, *LEMMAS}
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", n) for n in given)


def test_terms_bind_as_in_coq() -> None:
    term = Terms(Identifiers()).term
    assert term(Times(x(I), Plus(x(J), Integer(1)))) == "x i * (x j + 1)"
    assert term(Times(Times(x(I), x(J)), Times(x(I), x(J)))) == "x i * x j * (x i * x j)"
    assert term(Plus(Sum(x(I), I), x(J))) == r"\sum_(i < n) x i + x j" == term(Plus(Sum(x(I), I), Plus(x(J))))
    assert term(Sum(Plus(x(I), x(J)), I)) == r"\sum_(i < n) (x i + x j)"
    assert term(Times(Integer(-2), Sum(x(I), I), N)) == r"(- 2%:R) * (\sum_(i < n) x i) * n%:R"
    assert term(Power(x(I), Integer(2))) == "(x i) ^+ 2"
    assert term(Times(x(I), Delta(I, J))) == "x i * (i == j)%:R"


def test_the_chain_rule_through_a_text_is_proved_and_no_hypothesis() -> None:
    shapes = {"X": ("m", "n"), "w": ("n",), "y": ("m",)}
    text = derive("norm(X @ w - y)**2", "w", shapes=shapes).proof.to_coq("squares")
    said = theorem(text, "squares_1")
    assert r"d_w j (u i) = d_w j (\sum_(q < n) X i q * w q + (-1) * y i)" in said
    assert "d_u i (u j) = (j == i)%:R" in said
    assert not re.search(r"\bu_text\b|d_w \w+ f =.*d_u", said.partition("\n  : ")[0])
    assert re.search(r"Lemma (\w+) \(k : 'I_n\) :\n  d_w k f = through_u k f\.", text)


def hypotheses(expr: str, wrt: str, shapes: dict[str, tuple[str, ...]], **assume: str) -> str:
    """Return what the first theorem about a derivative presupposes."""
    text = derive(expr, wrt, shapes=shapes, assume=assume).proof.to_coq("d")
    return theorem(text, "d_1").rpartition("\n  : ")[0]


def test_the_numbers_that_are_divided_by_have_inverses() -> None:
    said = hypotheses("sum(x**2) / 6", "x", {"x": ("n",)})
    for prime in (2, 3):
        assert rf"(unit_{prime} : ({prime}%:R : F) \is a GRing.unit)" in said
    assert "6%:R^-1" in said
    assert "(6%:R : F)" not in said


def test_a_quotient_presupposes_that_its_denominator_has_an_inverse_and_a_root_that_it_is_one() -> None:
    assert r"(unit_u : u \is a GRing.unit)" in hypotheses("a @ x / (x @ x)", "x", {"x": ("n",), "a": ("n",)})
    said = hypotheses("norm(x)", "x", {"x": ("n",)})
    square = r"\sum_(t < n) (x t) ^+ 2"
    assert rf"(sqrt_square : (sqrt ({square})) ^+ 2 = {square})" in said
    assert rf"(unit : {square} \is a GRing.unit)" in said


def test_the_derivative_of_an_inverse_is_proved_and_no_hypothesis() -> None:
    said = hypotheses("trace(inv(X) @ A)", "X", {"X": ("n", "n"), "A": ("n", "n")}, X="invertible")
    assert "(inv_X_inverse : inverses X inv_X)" in said
    assert "(inv_X i" not in said and "d_X_inv" not in said
    said = hypotheses("logdet(X)", "X", {"X": ("n", "n")}, X="invertible")
    assert r"= (\det (\matrix_(i, j) X i j))^-1 * d_X" in said


def test_softmax_is_made_of_exponentials() -> None:
    said = hypotheses("t @ softmax(a, 0)", "a", {"a": ("n",), "t": ("n",)})
    assert re.search(r"softmax_a_0 \w+ = exp \(a \w+\) \* \(\\sum_\(\w+ < n\) exp \(a \w+\)\)\^-1", said)
    assert re.search(r"forall \(\w+ : 'I_n\) \(\w+ : F\), d_a \w+ \(exp \w+\) = exp \w+ \* d_a", said)
    assert "d_a i (softmax" not in said


def test_a_definition_that_names_the_variable_besides() -> None:
    shapes = {"X": ("m", "n"), "w": ("n",), "y": ("m",), "c": ()}
    said = hypotheses("norm(X @ w - y)**2 + c * (w @ w)", "w", shapes)
    assert "(own_w_w : forall (i : 'I_n) (j : 'I_n), own_w i (w j) = (j == i)%:R)" in said
    assert re.search(r"own_w \w+ \(u \w+\) = 0", said)
    assert not re.search(r"(d|own)_w \w+ f = .*(d|own)_", said)


def test_what_is_declared_of_a_constant_is_a_hypothesis() -> None:
    assert "(K_symmetric : symmetric K)" in hypotheses("x @ K @ x", "x", {"x": ("n",), "K": ("n", "n")}, K="symmetric")


def test_what_is_declared_of_the_variable_makes_two_theorems() -> None:
    """Independent entries and a symmetric matrix contradict each other: no theorem presupposes both."""
    proof = derive("trace(K @ K)", "K", shapes={"K": ("n", "n")}, assume={"K": "symmetric"}).proof
    text = proof.to_coq("d")
    independent, declared = theorem(text, "d_1_independent"), theorem(text, "d_1")
    assert "d_K_K" in independent and "symmetric" not in independent
    assert "(K_symmetric : symmetric K)" in declared and "d_K" not in declared
    assert independent.endswith("d_K i j f = x2_K_T i j.")
    assert declared.endswith("x2_K_T i j = x2_K i j.")


def test_on_the_command_line() -> None:
    done = CliRunner().invoke(
        main, ["derive", "a @ x", "--wrt", "x", "--shape", "a: (n,)", "--shape", "x: (n,)", "--coq"]
    )
    assert done.exit_code == 0
    assert done.output == derive("a @ x", "x", shapes={"a": ("n",), "x": ("n",)}).proof.to_coq()


def test_names_made_while_a_proof_is_written_do_not_count_on() -> None:
    shapes = {"V": ("k", "m"), "W": ("m", "n"), "z": ("n",)}
    one, other = (derive("sum(tanh(V @ tanh(W @ z)))", "W", shapes=shapes).proof.to_coq() for _ in range(2))
    assert one == other


# ---------------------------------------------------------------- what is refused


def test_rules_without_a_tactic_are_refused_by_name() -> None:
    assert {*rules()} < {*kernel_rules()}
    for text, why in (
        ("prod(a)", "does not cover 'product of entries'"),
        ("sum(abs(a))", "does not cover 'chain'"),
        ("sum(maximum(a, 0))", "Extreme"),
        ("sum(a**p)", "exponent"),
    ):
        with pytest.raises(UnsupportedError, match=why):
            derive(text, "a", shapes={"a": ("n",), "p": ()}).proof.to_coq()


def test_a_claim_without_a_proof_is_refused(sheet: Sheet) -> None:
    with pytest.raises(UnsupportedError, match="rejected"):
        sheet.to_coq("odd")


def test_covered_are_all_claims_of_the_first_handout_and_all_derivatives_of_the_table() -> None:
    for name, parts in certificates.proofs().items():
        assert "Qed." in to_coq(parts, name).removeprefix(CORE)


# ---------------------------------------------------------------- multiplying out


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Times(x(K), Plus(x(I), x(J))), Plus(Times(x(J), x(K)), Times(x(I), x(K)))),
        (Sum(Times(a(I, J), x(J), x(I)), I, J), Sum(Times(x(I), Sum(Times(a(J, I), x(J)), J)), I)),
        (Sum(Times(Delta(J, I), Plus(x(J), x(K))), J), Plus(x(I), x(K))),
        (Power(Sum(x(I), I), Integer(2)), Sum(Times(x(I), x(J)), I, J)),
        (Plus(Sum(x(I), I), Sum(x(J), J)), Times(Integer(2), Sum(x(K), K))),
    ],
)
def test_two_sides_with_one_form(left: object, right: object) -> None:
    scripts = Scripts(Terms(Identifiers()))
    ends = []
    for side in (left, right):
        moves = Expander(scripts).moves(side)
        ends.append(moves[-1][0] if moves else side)
    assert collected(scripts, *ends) is not None
    assert collected(scripts, ends[0], Plus(ends[1], x(I))) is None


class Known(Laws):
    """Everything has an inverse, and is the square of its root."""

    def unit(self, expr: object) -> str:
        return "exact: u"

    def root(self, base: object) -> str:
        return "exact: r"


def inverse(expr: object) -> Power:
    return Power(expr, Integer(-1))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Plus(Times(HALF, x(I)), Times(HALF, x(I))), x(I)),
        (Times(x(I), inverse(x(I))), Integer(1)),
        (Plus(Times(Rational(1, 2), x(I)), Times(Rational(1, 3), x(I))), Times(Rational(5, 6), x(I))),
        (Times(x(I), inverse(Times(x(I), x(J)))), inverse(x(J))),
        (Times(x(I), Power(Plus(Integer(1), x(I)), Integer(-2))),
         Plus(inverse(Plus(Integer(1), x(I))), Times(Integer(-1), Power(Plus(Integer(1), x(I)), Integer(-2))))),
        (Times(Power(x(I), HALF), Power(x(I), HALF)), x(I)),
        (Times(x(I), Power(x(I), -HALF)), Power(x(I), HALF)),
        (inverse(Plus(x(J), inverse(x(I)))), Times(x(I), inverse(Plus(Times(x(I), x(J)), Integer(1))))),
    ],
)  # fmt: skip
def test_a_difference_is_a_combination_of_what_is_zero(left: object, right: object) -> None:
    """The combination that the script writes is the difference, in SymPy's rational functions and roots."""
    terms = Terms(Identifiers())
    combination = Combination(terms, Known())
    script = combination.script(left, right)
    assert re.match(r"apply: \(@combine F _ _ \(.*\)\); \[apply: .* \| ring\]$", script)
    assert Combination(Terms(Identifiers()), Known()).script(left, Plus(right, x(J))) == "ring"


# ---------------------------------------------------------------- where Coq is installed


@pytest.fixture(scope="module")
def coq() -> None:
    missing = certificates.missing()
    if missing:
        pytest.skip(missing)


@pytest.mark.certificates
@pytest.mark.usefixtures("coq")
@pytest.mark.parametrize(
    "name", ["L2", "L9", "L10", "quadratic form", *certificates.NEW_KINDS[1:], "symmetric variable"]
)
def test_coq_accepts(name: str) -> None:
    done = certificates.compiled(to_coq(certificates.proofs()[name], name))
    assert done.accepted, done.said


@pytest.mark.certificates
@pytest.mark.usefixtures("coq")
def test_coq_rejects_damaged_proofs() -> None:
    made = [*certificates.damaged(1), *certificates.damaged(1, 2, certificates.NEW_KINDS)]
    texts = [(m.where, text) for m, text in made if not text.startswith("refused")]
    assert len(texts) >= 8
    for where, text in texts:
        done = certificates.compiled(text)
        assert not done.accepted, where
        step = re.search(r"argument '(.*)', step (\d+)", where)
        assert certificates.at(text, done.said) == f"lemma_{step[1].replace(' ', '_')}_step_{step[2]}", done.said


@pytest.mark.certificates
@pytest.mark.usefixtures("coq")
@pytest.mark.parametrize("place", [0, 4, 5])
def test_coq_rejects_a_broken_link(place: int) -> None:
    """A step that arrives somewhere else than where the next one starts."""
    part = certificates.of_handout()["L1"]
    (argument,) = part.arguments
    steps = list(argument.steps)
    wrong = Times(Integer(2), steps[place].after)
    steps[place] = replace(steps[place], place=(), after=wrong)
    text = to_coq([Part((replace(argument, steps=tuple(steps)),), part.context, part.cited)])
    assert not certificates.compiled(text).accepted
