"""Pages of rules, tables of functions and operations: complete, and what they show is computed."""

from __future__ import annotations

import inspect

import pytest

from symderiv.check.laws import LAWS
from symderiv.errors import ProofError, UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.index.rules import RULES
from symderiv.reference.examples import computed
from symderiv.reference.pages import FIELDS, names, page, pages
from symderiv.reference.tables import functions, operations
from symderiv.tensor.operations import OPERATIONS

# The kernel knows these for proofs from elsewhere; the engine takes no such step, so that no example can be computed.
ACCEPTED_ONLY = {
    "collect powers", "evaluate", "factor", "partial fraction", "rename", "split powers", "symmetry", "use delta",
}  # fmt: skip
PARTS_OF_OTHERS = {"map", "others"}  # the functions of the table; what a derivative of prod is made of


def test_every_rule_of_proofs_and_of_the_engine_has_a_page():
    assert set(names()) == set(LAWS) >= set(RULES)
    assert [p.name for p in sorted(pages(), key=lambda p: p.name)] == list(names())


@pytest.mark.parametrize("name", names())
def test_a_page_has_statement_proof_and_source(name):
    found = page(name)
    assert all(part.endswith((".", "?", ")")) for part in (found.statement, found.proof, found.source))
    assert not any(f"{field}:" in part for field in FIELDS for part in (found.statement, found.proof, found.source))
    assert found.statement.split()[0].strip("`") in (inspect.getdoc(LAWS[name]) or "")
    assert found.statement.count("`") % 2 == found.proof.count("`") % 2 == 0


@pytest.mark.parametrize("name", sorted(set(names()) - ACCEPTED_ONLY))
def test_the_example_of_a_page_is_computed(name):
    example = page(name).computed()
    assert example is not None and example.before != example.after
    assert "\\" not in str(example) and " = " in str(example)
    assert example.result.split()[0] not in ("refuted", "undecided", "rejected")


@pytest.mark.parametrize("name", sorted(ACCEPTED_ONLY))
def test_a_rule_without_an_example_says_so(name):
    assert page(name).computed() is None


def test_an_example_that_does_not_use_its_rule_is_refused():
    with pytest.raises(ProofError, match="no step of the example is by the rule inverse"):
        computed("x: (n,); derive(x @ x, x)", "inverse")
    with pytest.raises(ProofError, match="refuted"):
        computed("x: (n,)\nassert diff(x @ x, x) == x", "sum")


@pytest.mark.parametrize(("typed", "meant"), [("deteminant", "determinant"), ("chian rule", "chain rule")])
def test_a_rule_that_is_none_gets_a_suggestion(typed, meant):
    with pytest.raises(UnsupportedError, match="no rule is called") as caught:
        page(typed)
    assert meant in str(caught.value)


@pytest.mark.parametrize("typed", ["chain rule", "Chain-Rule", "chain_rule", " chain  rule "])
def test_names_are_read_kindly(typed):
    assert page(typed).name == "chain rule"


def test_every_function_and_operation_is_in_the_tables():
    assert [f.name for f in functions()] == list(FUNCTIONS)
    assert {row.operation for row in operations()} == set(OPERATIONS) - PARTS_OF_OTHERS


def test_lines_of_indices_are_those_of_the_operations():
    rows = {row.text: row for row in operations()}
    assert (rows["A @ B"].shape, rows["A @ B"].line) == ("(n, m)", "Σₜ Aᵢₜ Bₜⱼ")
    assert rows["A.T"].line == "Aⱼᵢ"
    assert rows["trace(S)"].line == "Σₜ Sₜₜ"
    assert rows["diag(x)"].line == "xᵢ δᵢⱼ"
    assert not any("\\" in row.line or "_" in row.line for row in rows.values())
