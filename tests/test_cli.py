"""The command line: what it prints, its exit codes, what it refuses, and that it answers at once."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import LEAST_SQUARES, QUADRATIC, output, python, refusal, run

from symderiv import __version__
from symderiv.cli import main
from symderiv.cli.options import DETAILS
from symderiv.errors import ProofError

# --- help, version, commands ----------------------------------------------------------------------


def test_help_imports_nothing_heavy() -> None:
    code = """
import sys
from symderiv.cli import main
for args in [["--help"], ["--version"], *([name, "--help"] for name in main.commands)]:
    main(args, standalone_mode=False)
heavy = ("sympy", "numpy", "rich", "jinja2", "symderiv.derivation", "symderiv.tensor", "symderiv.render.document")
sys.exit(", ".join(name for name in heavy if name in sys.modules) or 0)
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_help_names_the_commands() -> None:
    text = output("--help")
    assert all(name in text for name in ("derive", "verify", "generate", "handout"))
    assert '    --shape "x: (n,)" --shape "A: (n, n)"' in text
    assert "..." not in text.partition("Commands:")[2]  # no sentence is cut off


def test_version() -> None:
    assert __version__ in output("--version")


def test_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "symderiv", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()[-1]) == (0, __version__)


@pytest.mark.parametrize(("typed", "meant"), [("deriv", "derive"), ("verfy", "verify"), ("handouts", "handout")])
def test_an_unknown_command_gets_a_suggestion(typed: str, meant: str) -> None:
    assert f"did you mean '{meant}'?" in refusal(typed)


def test_a_command_that_resembles_none_gets_the_list() -> None:
    said = refusal("xyzzy")
    assert all(name in said.partition("known are ")[2] for name in main.commands)


# --- derive ---------------------------------------------------------------------------------------


def test_derive_prints_result_and_convention() -> None:
    text = output("derive", *LEAST_SQUARES)
    assert "∂f/∂w = 2 * X.T @ " in text
    assert "shape (p,)" in text
    assert "Convention: a derivative has the shape" in text
    assert "\x1b" not in text


def test_derive_prints_definitions_and_the_closed_form() -> None:
    text = output("derive", *LEAST_SQUARES)
    assert re.search(r"^ +u = X @ w - y$", text, re.MULTILINE)
    assert "= 2 * X.T @ (X @ w - y)\n" in text


def test_equal_signs_stand_below_each_other() -> None:
    rows = [line for line in output("derive", *LEAST_SQUARES).splitlines() if " = " in line]
    assert len(rows) > 1
    assert len({line.index(" = ") for line in rows}) == 1


def test_derive_twice_and_mixed() -> None:
    assert "∂²f/∂x ∂x = " in output("derive", *QUADRATIC, "--wrt", "x")
    assert "shape (n, n, n)" in output("derive", *QUADRATIC, "--wrt", "A")


def test_the_function_gets_another_name_where_f_is_taken() -> None:
    assert "∂F/∂f = " in output("derive", "f @ f", "--wrt", "f", "--shape", "f: (n,)")


def test_an_expression_may_begin_with_a_minus() -> None:
    assert "= -2 * x" in output("derive", "-x @ x", "--wrt", "x", "--shape", "x: (n,)")


def test_derive_with_an_assumption() -> None:
    text = output("derive", *QUADRATIC, "--assume", "A: symmetric")
    assert "2 * A @ x" in text
    assert "Assumed: A symmetric" in text


def test_derivatives_of_an_unknown_function_have_names() -> None:
    line = ["sum(h(X @ w))", "--wrt", "w", "--shape", "X: (n, p)", "--shape", "w: (p,)"]
    assert "dh(" in output("derive", *line, "--function", "h")
    assert "slope(" in output("derive", *line, "--function", "h: slope")
    assert "d2h" in output("derive", *line, "--wrt", "w", "--function", "h: slope")


def test_numpy_prints_code_alone() -> None:
    code = output("derive", *LEAST_SQUARES, "--numpy")
    (function,) = [node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
    assert [argument.arg for argument in function.args.args] == ["X", "w", "y"]


def test_latex_prints_latex_alone() -> None:
    assert output("derive", *LEAST_SQUARES, "--latex").startswith(r"\frac{\partial f}{\partial w} = 2")


def test_latex_and_numpy_together() -> None:
    latex, code = output("derive", *LEAST_SQUARES, "--latex", "--numpy").split("\n\n", 1)
    assert latex.startswith(r"\frac")
    assert ast.parse(code)


def test_proof_is_readable_text() -> None:
    text = output("derive", *LEAST_SQUARES, "--proof")
    assert re.search(r"∂f/∂w\S+ = ", text)
    assert "chain rule" in text
    assert "Σ" in text and "δ" in text
    assert not re.search(r"[\\$]", text)


def test_detail_says_how_much_of_the_proof() -> None:
    brief, normal, full = (output("derive", *LEAST_SQUARES, "--detail", d) for d in DETAILS)
    assert output("derive", *LEAST_SQUARES, "--proof") == normal
    assert len(brief.splitlines()) < len(normal.splitlines()) < len(full.splitlines())


def test_latex_of_the_proof() -> None:
    text = output("derive", *LEAST_SQUARES, "--latex", "--proof")
    assert text.startswith(r"\frac")
    assert r"\begin{align*}" in text


def test_a_proof_that_the_kernel_rejects_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    from symderiv.derivation import Proof

    def reject(self: Proof) -> None:
        raise ProofError("step 3 is not an instance of its rule")

    monkeypatch.setattr(Proof, "check", reject)
    assert "error: step 3" in refusal("derive", *LEAST_SQUARES, "--proof")
    assert "error: step 3" in refusal("derive", *LEAST_SQUARES, "--json", "--detail", "brief")


def test_derive_as_json() -> None:
    record = json.loads(output("derive", *LEAST_SQUARES, "--json"))
    assert set(record) == {"result", "statements", "latex", "numpy", "shape", "notes", "steps"}
    assert record["result"] == "2 * X.T @ (X @ w - y)"
    assert record["shape"] == ["p"]
    assert record["steps"] > 3
    assert "proof" in json.loads(output("derive", *LEAST_SQUARES, "--json", "--proof"))


def test_sizes_may_be_integers() -> None:
    record = json.loads(output("derive", "x @ x", "--wrt", "x", "--shape", "x: (3,)", "--json"))
    assert record["shape"] == [3]


# --- generate -------------------------------------------------------------------------------------


def test_generate_writes_a_module_and_its_tests(tmp_path: Path) -> None:
    text = output("generate", *LEAST_SQUARES, "--name", "fit", "--hvp", "--hessian", "-o", str(tmp_path / "new"))
    assert [Path(line).name for line in text.splitlines()] == ["fit.py", "test_fit.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "new",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "def fit_and_gradient(X, w, y):" in (tmp_path / "new" / "fit.py").read_text(encoding="utf-8")


def test_generate_takes_several_variables_and_unknown_functions(tmp_path: Path) -> None:
    shapes = ["--shape", "W: (m, n)", "--shape", "x: (n,)"]
    options = ["--wrt", "W", "--wrt", "x", "--function", "h", "--hvp", "--flat", "--json", "--output", str(tmp_path)]
    record = json.loads(output("generate", "-sum(h(W @ x))", *shapes, *options))
    assert [Path(name).name for name in record["files"]] == ["loss.py", "test_loss.py"]
    assert "d2h" in (tmp_path / "loss.py").read_text(encoding="utf-8")


def test_generate_refuses_in_words(tmp_path: Path) -> None:
    text = refusal("generate", "X @ w", "--wrt", "w", "--shape", "X: (n, p)", "--shape", "w: (p,)", "--hvp")
    assert "are for numbers" in text
    assert "is not a name" in refusal("generate", *LEAST_SQUARES, "--name", "1", "-o", str(tmp_path))


# --- verify ---------------------------------------------------------------------------------------


def test_a_right_claim_is_proved() -> None:
    text = output("verify", *QUADRATIC, "--claim", "A @ x + x @ A")
    assert text.startswith("✓ proved")


def test_a_wrong_claim_is_refuted() -> None:
    result = run("verify", *QUADRATIC, "--claim", "2 * A @ x")
    assert result.exit_code == 1
    assert result.stdout.startswith("✗ refuted")
    assert re.search(r"counterexample at n = \d+, seed \d+:", result.stdout)
    assert re.search(r"entry \[\d+\].*: the derivative is \S+, the claim says \S+", result.stdout)
    assert "the derivative is (A + A.T) @ x" in result.stdout


def test_a_scalar_claim_has_no_entry() -> None:
    result = run("verify", "a**2", "--wrt", "a", "--shape", "a: ()", "--claim", "3 * a")
    assert result.exit_code == 1
    assert "the value: the derivative is " in result.stdout


def test_a_claim_may_begin_with_a_minus() -> None:
    assert "proved" in output("verify", "-x @ x", "--wrt", "x", "--shape", "x: (n,)", "--claim", "-2 * x")


def test_verify_as_json() -> None:
    result = run("verify", *QUADRATIC, "--claim", "2 * A @ x", "--json")
    assert result.exit_code == 1
    record = json.loads(result.stdout)
    assert record["status"] == "refuted"
    assert {"sizes", "seed", "entry", "left", "right"} <= set(record["counterexample"])
    assert "A" in record["correct"]
    proved = json.loads(output("verify", *QUADRATIC, "--claim", "A @ x + x @ A", "--json"))
    assert (proved["status"], proved["counterexample"]) == ("proved", None)


def test_an_undecided_claim_has_its_own_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    from symderiv import derivation, verdict

    d = derivation.derive("x @ x", "x", shapes={"x": ("n",)})
    outcome = verdict.Verdict("undecided", "", "no point was found where both sides are defined", d)
    monkeypatch.setattr(verdict, "verify", lambda *args, **options: outcome)
    result = run("verify", *QUADRATIC, "--claim", "x")
    assert result.exit_code == 3
    assert result.stdout.startswith("? undecided")
    assert "no point was found" in result.stdout


def test_a_claim_of_another_shape_is_a_usage_error() -> None:
    text = refusal("verify", *QUADRATIC, "--claim", "x @ x")
    assert text.startswith("error: ")
    assert "derivative: shape (n,)" in text
    assert "claim: shape ()" in text


# --- errors ---------------------------------------------------------------------------------------


def test_an_error_shows_place_shapes_and_hint() -> None:
    text = refusal("derive", "X @ y", "--wrt", "y", "--shape", "X: (n, p)", "--shape", "y: (n,)")
    assert text.startswith("error: ")
    assert "line 1, column 1" in text
    assert "X @ y\n  ^^^^^" in text
    assert "shape (n, p)" in text


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["derive", "x @ x", "--wrt", "z", "--shape", "x: (n,)"], "unknown variable 'z'"),
        (["derive", "x @ q", "--wrt", "x", "--shape", "x: (n,)"], "unknown name 'q'"),
        (["derive", "x @", "--wrt", "x", "--shape", "x: (n,)"], "not an expression"),
        (
            ["derive", "x", "--wrt", "x", "--shape", "x: (n,)", "--assume", "x: positve"],
            "did you mean positive?",
        ),
        (["derive", "x @ x"], "--wrt"),
        (["derive", "x @ x", "--wrt", "x", "--shpae", "x: (n,)"], "--shape"),
        (["verify", "x @ x", "--wrt", "x", "--shape", "x: (n,)"], "--claim"),
    ],
)
def test_mistakes_are_explained(args: list[str], said: str) -> None:
    assert said in refusal(*args)


def test_an_unexpected_error_asks_for_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    from symderiv import derivation

    def fail(*args: object, **options: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(derivation, "derive", fail)
    plain, full = run("derive", *QUADRATIC), run("--debug", "derive", *QUADRATIC)
    assert plain.exit_code == full.exit_code == 70
    assert len(plain.stderr.splitlines()) == 1
    assert "KeyError" in plain.stderr and "please report" in plain.stderr
    assert "Traceback" not in plain.stderr
    assert "Traceback" in full.stderr and "in fail" in full.stderr


def test_an_interruption_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    from symderiv import derivation

    def interrupt(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(derivation, "derive", interrupt)
    result = run("derive", *QUADRATIC)
    assert (result.exit_code, result.output) == (130, "")


# --- structure and layout


SYMMETRIC = ["x @ S @ x", "--wrt", "S", "--shape", "S: (n, n)", "--shape", "x: (n,)", "--assume", "S: symmetric"]


def test_structured_derivatives() -> None:
    text = output("derive", *SYMMETRIC, "--structured", "--proof")
    assert "2 * outer(x, x) - diag(x**2)" in text
    assert text.count("df/dS") == 2
    assert "Structured: S is symmetric" in text
    assert "outer(x, x)" in output("derive", *SYMMETRIC)
    assert "Structured" not in output("derive", *SYMMETRIC)


def test_structured_claims() -> None:
    claim = ["--claim", "2 * outer(x, x) - diag(x**2)"]
    assert output("verify", *SYMMETRIC, "--structured", *claim).startswith("✓ proved")
    assert run("verify", *SYMMETRIC, *claim).exit_code == 1
    assert "free entries" in refusal("derive", "trace(Q)", "--wrt", "Q", "--shape", "Q: (n, n)", "--assume",
                                     "Q: orthogonal", "--structured")  # fmt: skip


def test_a_layout_is_shown_in_latex() -> None:
    gradient = ["x @ x", "--wrt", "x", "--shape", "x: (n,)"]
    assert output("derive", *gradient, "--layout", "numerator").strip().endswith(r"\left(2\,x\right)^{\top}")
    assert output("derive", *gradient, "--layout", "denominator") == output("derive", *gradient, "--latex")
    record = json.loads(output("derive", *gradient, "--layout", "numerator", "--json"))
    assert record["latex"].endswith(r"^{\top}")
    assert record["result"] == "2 * x"
    assert record["notes"][-1].startswith("Layout: numerator")
    assert "no layout" in output("derive", "outer(x, x)", "--wrt", "x", "--shape", "x: (n,)", "--layout", "numerator")
    assert run("derive", *gradient, "--layout", "mixed").exit_code == 2
