"""The commands `gradients`, `hvp`, `explain`, `functions`; completion; suggestions."""

from __future__ import annotations

import ast
import json
import os
import re

import pytest
from command_line import LEAST_SQUARES, output, python, refusal, run

LAYER = ["norm(W @ tanh(V @ x) - y)**2", "--wrt", "W", "--wrt", "V", "--shape", "W: (k, h)", "--shape", "V: (h, d)",
         "--shape", "x: (d,)", "--shape", "y: (k,)"]  # fmt: skip
LOGISTIC = ["sum(softplus(X @ w))", "--wrt", "w", "--shape", "X: (n, p)", "--shape", "w: (p,)"]

# --- gradients ------------------------------------------------------------------------------------


def test_gradients_are_printed_below_each_other():
    text = output("gradients", *LAYER)
    rows = [line for line in text.splitlines() if " = " in line]
    assert len({line.index(" = ") for line in rows}) == 1
    assert "∂f/∂W = 2 * outer(v, tanh(u))" in text and "∂f/∂V = " in text
    assert text.endswith("of each variable.\n")


def test_gradients_in_all_forms():
    code = output("gradients", *LAYER, "--numpy")
    assert [f.name for f in ast.parse(code).body if isinstance(f, ast.FunctionDef)] == ["gradients"]
    assert "def pack" in output("gradients", *LAYER, "--numpy", "--flat")
    assert output("gradients", *LAYER, "--latex").startswith("\\begin{aligned}")
    assert "chain rule through v" in output("gradients", *LAYER, "--detail", "full")
    record = json.loads(output("gradients", *LAYER, "--json", "--explain"))
    assert set(record["results"]) == {"W", "V"} == set(record["shapes"])
    assert record["shapes"]["W"] == ["k", "h"]
    assert "backward pass" in record["explanation"]


def test_gradients_refuse_in_words():
    assert "named twice" in refusal("gradients", *LAYER, "--wrt", "W")
    assert "did you mean" in refusal("gradients", *LAYER, "--detial", "full").lower()


# --- hvp ------------------------------------------------------------------------------------------


def test_a_hessian_vector_product():
    text = output("hvp", *LOGISTIC, "--direction", "v")
    assert "H v = X.T @ (sigmoid(u) * (1 - sigmoid(u)) * (X @ v))" in text
    assert "def hvp(X, w, v)" in output("hvp", *LOGISTIC, "--direction", "v", "--numpy")
    assert json.loads(output("hvp", *LOGISTIC, "--json"))["shape"] == ["p"]
    assert output("hvp", *LOGISTIC, "--latex").startswith(r"\frac{\partial^{2} f}{\partial w^{2}}[V] = ")
    assert "read off" in output("hvp", *LOGISTIC, "--proof")


def test_a_product_in_several_variables():
    args = ["norm(X @ w + b)**2", "--wrt", "w", "--wrt", "b", "--shape", "X: (n, p)", "--shape", "w: (p,)", "--shape",
            "b: ()"]  # fmt: skip
    assert set(json.loads(output("hvp", *args, "--json"))["results"]) == {"w", "b"}
    assert "V_w" in output("hvp", *args)
    assert "@ v" in output("hvp", *args, "--direction", "v", "--direction", "c")
    assert "1 directions for 2 variables" in refusal("hvp", *args, "--direction", "v")


def test_a_hessian_is_of_a_number():
    assert "is of a number" in refusal("hvp", "X @ w", "--wrt", "w", "--shape", "X: (n, p)", "--shape", "w: (p,)")


# --- explain --------------------------------------------------------------------------------------


def test_a_derivation_in_words():
    text = output("derive", *LEAST_SQUARES, "--explain")
    assert "was differentiated with respect to w" in text and "∂f/∂w" not in text
    assert "wurde" in output("derive", *LEAST_SQUARES, "--explain", "--language", "de")
    assert "no phrases" in refusal("derive", *LEAST_SQUARES, "--explain", "--language", "xx")


def test_a_verdict_in_words_and_with_the_proof_of_what_is_right():
    args = ["verify", "x @ A @ x", "--wrt", "x", "--shape", "x: (n,)", "--shape", "A: (n, n)", "--claim", "2 * A @ x"]
    found = run(*args, "--explain", "--proof")
    assert found.exit_code == 1
    assert found.stdout.startswith("The claim is wrong: at n = ") and "read off   □" in found.stdout
    assert "falsch" in run(*args, "--explain", "--language", "de").stdout


def test_a_rule_has_statement_proof_source_and_a_computed_example():
    text = output("explain", "determinant")
    assert "∂det(N)/∂x = det(N) Σ_kl N⁻¹[l,k] ∂N[k,l]/∂x" in text
    assert "Proof: by Laplace" in text and "Source: Magnus and Neudecker" in text
    assert "⟹ ∂det(X)/∂X_{ij} = " in text and "the result: det(X) * inv(X).T" in text
    assert r"⟹ \frac{\partial \det(X)}" in output("explain", "determinant", "--latex")


def test_rules_of_several_words_need_no_quotation_marks():
    assert output("explain", "chain", "rule") == output("explain", "chain rule") == output("explain", "chain-rule")


def test_all_rules_are_listed():
    text = output("explain")
    assert "derivatives:" in text and re.search(r"^  inverse +∂N⁻¹", text, re.MULTILINE)
    names = [json.loads(line)["name"] for line in output("explain", "--json").splitlines()]
    assert len(names) == len(set(names)) > 50


def test_a_rule_that_is_none_gets_a_suggestion():
    assert "did you mean determinant" in refusal("explain", "deteminant")


# --- functions ------------------------------------------------------------------------------------


def test_the_table_of_functions_and_operations():
    text = output("functions")
    assert re.search(r"^tanh +1 - f\*\*2 +all real u$", text, re.MULTILINE)
    assert re.search(r"^A @ B +A: \(n, p\), B: \(p, m\) +\(n, m\) +Σₜ Aᵢₜ Bₜⱼ$", text, re.MULTILINE)


def test_one_of_them():
    assert "trace(S)" in output("functions", "trace") and "tanh" not in output("functions", "trace")
    assert len(output("functions", "matmul").splitlines()) > 2
    assert "did you mean softmax?" in refusal("functions", "sofmax")
    assert json.loads(output("functions", "tanh", "--json"))["derivative"] == "1 - f**2"
    assert r"\sum_{t=1}^{n} S_{tt}" in output("functions", "trace", "--latex")


# --- completion, suggestions, widths --------------------------------------------------------------


def completions(typed: str, position: int) -> str:
    code = "from symderiv.cli import main; main(prog_name='symderiv')"
    done = python(code, _SYMDERIV_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(position))
    return done.stdout


@pytest.mark.parametrize(
    ("typed", "position", "wanted"),
    [
        ("symderiv der", 1, "plain,derive"),
        ("symderiv derive --detail br", 3, "plain,brief"),
        ("symderiv explain deter", 2, "plain,determinant"),
    ],
)
def test_completion_in_a_shell(typed, position, wanted):
    assert wanted in completions(typed, position).splitlines()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["gradiens"], "did you mean 'gradients'?"),
        (["derive", *LEAST_SQUARES, "--latx"], "--latex"),
        (["derive", "nrom(x)", "--wrt", "x", "--shape", "x: (n,)"], "did you mean norm?"),
        (["derive", "alpha @ x", "--wrt", "x", "--shape", "alpha1: (n,)", "--shape", "x: (n,)"], "did you mean alpha1"),
        (["derive", "x @ x", "--wrt", "xs", "--shape", "x: (n,)", "--shape", "xss: (n,)"], "did you mean"),
        (["derive", "x @ x", "--wrt", "x", "--shape", "x: (n,)", "--assume", "x: postive"], "did you mean positive?"),
        (["derive", "x @ x", "--wrt", "x", "--shape", "x: (n,)", "--assume", "y: positive"], "declared are x"),
    ],
)  # fmt: skip
def test_what_was_probably_meant(args, said):
    assert said in refusal(*args)


def test_a_terminal_is_filled_and_not_exceeded():
    from rich.cells import cell_len
    from test_cli_streams import on_a_terminal

    os.environ.pop("COLUMNS", None)
    said, code = on_a_terminal("derive", *LEAST_SQUARES, "--proof", NO_COLOR="1", COLUMNS="50")
    assert code == 0
    assert max(cell_len(line) for line in said.splitlines()) <= 50
    assert "\x1b" not in said
