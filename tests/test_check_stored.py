"""Proofs as JSON: read back as they were, checked again, refused where anything in the file is damaged."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from networks import LAYER, OF_LAYER

import symderiv
from symderiv import ProofError, Sheet, UnsupportedError, check_proof, derive
from symderiv.check.part import Part
from symderiv.check.stored import FORMAT, VERSION, from_json, to_json
from symderiv.errors import UnknownNameError
from symderiv.index.nodes import Argument, Step

CASES = {
    "matrix product": ("norm(X @ w - y)**2", ["w"], {"X": ("n", "p"), "w": ("p",), "y": ("n",)}, {}),
    "two orders": ("sum(exp(X @ w) - y * (X @ w))", ["w", "w"], {"X": ("n", "p"), "w": ("p",), "y": ("n",)}, {}),
    "a choice": ("sum(where(x > 0.5, x**2, maximum(x, y)))", ["x"], {"x": ("n",), "y": ("n",)}, {}),
    "traits": ("x @ A @ x", ["x"], {"A": ("n", "n"), "x": ("n",)}, {"A": "symmetric"}),
    "inverse": ("logdet(K) + y @ inv(K) @ y", ["K"], {"K": ("n", "n"), "y": ("n",)}, {"K": "positive_definite"}),
    "softmax": ("softmax(x / n, 0)", ["x"], {"x": ("n",)}, {}),
    "powers": ("trace(matrix_power(A, 3)) / 7 + sum(A**0.5)", ["A"], {"A": ("n", "n")}, {"A": "positive"}),
    "over definitions": ("sum(tanh(W @ tanh(V @ x)))", ["V"], {"W": ("m", "k"), "V": ("k", "n"), "x": ("n",)}, {}),
}  # fmt: skip
MORE = """\
assert diff(E, W) == D.T @ B + 0 * W, "again"
assert not (diff(E, W) == B.T @ D), "odd"
"""
FAMILY = """
theta: (p,)
f: function(n)
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = f(h[t-1], theta)
def J(t): return partial(h[t], h[t-1])
for tau in range(0, T + 1):
    for t in range(tau, T + 1):
        assert diff(h[t], h[tau]) == prod(J(s) for s in range(t, tau, -1)), "R1"
"""


def proof_of(case):
    expr, wrt, shapes, assume = CASES[case]
    return derive(expr, wrt, shapes=shapes, assume=assume).proof


@pytest.mark.parametrize("case", CASES)
def test_a_proof_is_read_back_as_it_was(case):
    proof = proof_of(case)
    text = proof.to_json()
    parts = from_json(text)
    assert [p.arguments for p in parts[: len(proof.parts)]] == [p.arguments for p in proof.parts]
    assert [p.context.definitions for p in parts[: len(proof.parts)]] == [p.context.definitions for p in proof.parts]
    assert to_json(parts) == text
    assert check_proof(text)[0] == proof.parts[0].arguments[-1]


def test_the_same_proof_is_the_same_file():
    assert proof_of("traits").to_json() == proof_of("traits").to_json()


def test_a_claim_is_stored_with_what_it_cites():
    sheet = Sheet(LAYER + OF_LAYER + MORE)
    for claim in ("L1", "L2", "again"):
        assert check_proof(sheet.to_json(claim))
    (last,) = check_proof(sheet.to_json("L2"))
    assert str(last.left) == "∂(E)/∂W[k, l]"
    for gone in ("odd", "R2"):
        with pytest.raises((UnsupportedError, UnknownNameError)):
            sheet.to_json(gone)


def lemmas_of(text):
    return [list(part["context"]["lemmas"]) for part in json.loads(text)["parts"]]


def test_lemmas_that_no_step_cites_are_not_stored():
    proof = proof_of("over definitions")
    assert set(proof.parts[0].context.lemmas) > {"V"}
    assert not any(lemmas_of(proof.to_json()))


def test_lemmas_that_a_step_cites_are_stored():
    sheet = Sheet(LAYER + OF_LAYER + MORE)
    for claim in sheet.claims[1:3]:
        known = claim.proof.context.lemmas
        idle = replace(known["L1"], label="idle")
        behind = replace(known["L1"], label="L0")  # what L1 itself cites
        citing = Argument(
            "L1", behind.left, (Step("cite", (), {"label": "L0"}, behind.left, behind.right),), behind.right
        )
        context = replace(claim.proof.context, lemmas={**known, "idle": idle, "L0": behind, "L1": citing})
        text = to_json([Part(claim.proof.arguments, context)])
        assert lemmas_of(text) == [["L1", "L0"]]
        assert check_proof(text)
        with pytest.raises(ProofError, match="L0"):
            check_proof(changed(text, lambda d: d["parts"][0]["context"]["lemmas"].pop("L0")))


def test_an_induction_is_stored_with_its_certificate_and_not_by_halves():
    text = Sheet(FAMILY).to_json("R1")
    assert check_proof(text)[0].way == "by induction"
    assert len(from_json(text)) == 2
    with pytest.raises(ProofError, match="windows are not the parts"):
        check_proof(changed(text, lambda d: d["parts"].pop()))


# ---------------------------------------------------------------- damages


def changed(text, change):
    data = json.loads(text)
    change(data)
    return json.dumps(data)


def steps_of(data, part=0):
    return data["parts"][part]["arguments"][-1]["steps"]


DAMAGES = {
    "another format": lambda d: d.update(format="proof"),
    "a later version": lambda d: d.update(version=VERSION + 1),
    "an unknown field": lambda d: d.update(note="believe me"),
    "a row ahead": lambda d: d["expressions"].insert(0, ["Times", 3]),
    "a kind that is none": lambda d: d["expressions"].append(["Lambda", 0]),
    "an attribute of the module": lambda d: d["expressions"].append(["sympy", 0]),
    "a huge power": lambda d: d["expressions"].extend([["Integer", "9"], ["Pow", len(d["expressions"])] * 1 + [0]]),
    "a step left out": lambda d: steps_of(d).pop(2),
    "a rule that is none": lambda d: steps_of(d)[1].update(rule="surely"),
    "no proof": lambda d: d.update(parts=[]),
    "a place that is none": lambda d: steps_of(d)[1].update(place=[7, 7]),
    "a place below 0": lambda d: steps_of(d)[1].update(place=[-1]),
    "an instance of texts": lambda d: [s.update(instance={k: "i" for k in s["instance"]}) for s in steps_of(d)],
    "an instance of numbers": lambda d: steps_of(d)[1].update(instance={"index": 3}),
    "another end": lambda d: d["parts"][0]["arguments"][-1].update(right=0),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_proves_nothing(damage):
    with pytest.raises(ProofError):
        check_proof(changed(proof_of("matrix product").to_json(), DAMAGES[damage]))


def test_parts_speak_of_the_same_definitions():
    """A text put into the last part only, whatever follows from it: it is not what was differentiated."""
    text = proof_of("over definitions").to_json()

    def change(data):
        for definition in data["parts"][-1]["context"]["definitions"]:
            if "body" in definition:
                definition["body"] = next(n for n, row in enumerate(data["expressions"]) if row == ["Integer", "0"])

    with pytest.raises(ProofError):
        check_proof(changed(text, lambda d: (d["expressions"].append(["Integer", "0"]), change(d))))


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '"x"', "[" * 100_000, f'{{"format":"{FORMAT}","version":1}}'])
def test_what_is_no_proof_is_refused(text):
    with pytest.raises(ProofError):
        check_proof(text)


TEXTS = {case: proof_of(case).to_json() for case in ("matrix product", "inverse")}


OTHERS = [None, True, 0, 1, 17, -1, 2.5, "", "i", "inv", [], [0], {}, ["Symbol", "x"]]


def places_in(value, place=()):
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places_in(part, (*place, key))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_stands_anywhere_nothing_but_a_proof_error(data):
    """A damage leaves a proof, checked like any other, or is refused; it never goes through to an error of Python's."""
    whole = json.loads(TEXTS[data.draw(st.sampled_from(sorted(TEXTS)))])
    *way, last = data.draw(st.sampled_from([p for p in places_in(whole) if p]))
    holder = whole
    for key in way:
        holder = holder[key]
    holder[last] = data.draw(
        st.sampled_from([None, True, 0, 1, 17, -1, 2.5, "", "i", "inv", [], [0], {}, ["Symbol", "x"]])
    )
    try:
        check_proof(json.dumps(whole))
    except ProofError:
        return


def test_a_field_that_stands_twice_is_refused():
    text = proof_of("matrix product").to_json()
    with pytest.raises(ProofError, match="twice"):
        check_proof(text.replace('"index"', '"by"', 1))


def test_version_and_format_are_in_the_file():
    data = json.loads(symderiv.derive("x @ x", "x", shapes={"x": ("n",)}).proof.to_json())
    assert (data["format"], data["version"]) == (FORMAT, VERSION)
