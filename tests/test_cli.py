"""The command line: what it prints, its exit codes, what it refuses, and that it answers at once."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from symderiv import __version__, cli
from symderiv.errors import ParseError, ProofError, ShapeError
from symderiv.render.plain import Plain

LEAST_SQUARES = ["norm(X @ w - y)**2", "--wrt", "w", "--shape", "X: (n, p)", "--shape", "w: (p,)",
                 "--shape", "y: (n,)"]  # fmt: skip
QUADRATIC = ["x @ A @ x", "--wrt", "x", "--shape", "x: (n,)", "--shape", "A: (n, n)"]


def run(*args: str) -> Result:
    return CliRunner().invoke(cli.main, list(args), prog_name="symderiv")


def output(*args: str) -> str:
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result.stdout


def refusal(*args: str) -> str:
    """Return what a usage error says; nothing goes to standard output, and there is no traceback."""
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)


# --- help, version, commands ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "args", [["--help"], ["--version"], ["derive", "--help"], ["generate", "--help"], ["handout", "--help"]]
)
def test_help_imports_nothing_heavy(args: list[str]) -> None:
    code = f"""
import sys
from symderiv.cli import main
main({args!r}, standalone_mode=False)
heavy = ("sympy", "numpy", "rich", "jinja2", "symderiv.derivation", "symderiv.tensor", "symderiv.render.document")
sys.exit(", ".join(name for name in heavy if name in sys.modules) or 0)
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_help_names_the_commands() -> None:
    text = output("--help")
    assert all(name in text for name in ("derive", "verify", "generate", "handout"))
    assert '    --shape "x: (n,)" --shape "A: (n, n)"' in text


def test_version() -> None:
    assert __version__ in output("--version")


def test_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "symderiv", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()[-1]) == (0, __version__)


@pytest.mark.parametrize(("typed", "meant"), [("deriv", "derive"), ("verfy", "verify"), ("handouts", "handout")])
def test_an_unknown_command_gets_a_suggestion(typed: str, meant: str) -> None:
    assert f"did you mean '{meant}'?" in refusal(typed)


def test_a_command_that_resembles_none_gets_the_list() -> None:
    assert "known are derive, generate, handout, verify" in refusal("xyzzy")


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
    brief, normal, full = (output("derive", *LEAST_SQUARES, "--detail", d) for d in cli.DETAILS)
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


def test_infinite_values_stay_valid_json(capsys: pytest.CaptureFixture[str]) -> None:
    cli._print_json({"left": float("nan"), "point": {"x": [1.0, float("-inf")]}})
    assert json.loads(capsys.readouterr().out) == {"left": "nan", "point": {"x": [1.0, "-inf"]}}


def test_values_are_told_apart() -> None:
    assert cli._told_apart(1 / 3, 2 / 3) == ("0.333333", "0.666667")
    assert cli._told_apart(1.0, 1.00000001) == ("1", "1.00000001")


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


# --- options --------------------------------------------------------------------------------------


def test_shapes() -> None:
    assert cli.read_shapes(["X: (n, 3)", " a:() ", "x:(n,)"]) == {"X": ("n", 3), "a": (), "x": ("n",)}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("X: n, p", '"X: (n, p)"'),
        ("X: (n, p", '"X: (n, p)"'),
        ("x: (n)", '"x: (n,)"'),
        ("x: n", '"x: (n,)"'),
        ("x: 5", '"x: (5,)"'),
        ("X: [n, p]", '"X: (n, p)"'),
        ("X (n, p)", 'column 2)\n  X (n, p)\n   ^\n  hint: write --shape "X: (n, p)"'),
        ("X = (n, p)", '"X: (n, p)"'),
        ("X(n, p)", '"X: (n, p)"'),
        ("X", "colon"),
        ("", "colon"),
        (": (n,)", "'' is not a name"),
        ("3: (n,)", "'3' is not a name"),
        ("a.b: (n,)", "'a.b' is not a name"),
        ("S: symmetric(n, n)", '--shape "S: (n, n)" --assume "S: symmetric"'),
        ("X: (n, 0)", "positive integer"),
        ("X: (n, -1)", "positive integer"),
        ("X: (n, True)", "positive integer"),
        ("X: (n, 2.5)", "X: (n, 2.5)\n         ^^^"),
        ("X: (2 * n,)", "a name such as n"),
        ("Σθ: (n, 1.5)", "Σθ: (n, 1.5)\n          ^^^\n"),
        ("X: ('n',)", "a name such as n"),
        ("X: (n, p) = 3", "not a shape"),
        ("X: (n,); y: (n,)", "not a shape"),
        ("X: (" + "(" * 5000, "not a shape"),
        ("X: (n\0,)", "not a shape"),
    ],
)  # fmt: skip
def test_malformed_shapes_are_explained(text: str, hint: str) -> None:
    with pytest.raises(ParseError) as caught:
        cli.read_shapes([text])
    assert hint in str(caught.value)


def test_a_shape_is_never_evaluated() -> None:
    with pytest.raises(ParseError):
        cli.read_shapes(["X: (print('evaluated'),)"])


def test_a_shape_given_twice_is_refused() -> None:
    with pytest.raises(ParseError, match="given twice"):
        cli.read_shapes(["x: (n,)", "x: (m,)"])


def test_assumptions() -> None:
    found = cli.read_assumptions(["S: symmetric", "S: invertible", "x: positive"])
    assert found == {"S": ["symmetric", "invertible"], "x": ["positive"]}


@pytest.mark.parametrize("text", ["S", "S:", "S: ,", ": symmetric", "S symmetric"])
def test_malformed_assumptions_are_explained(text: str) -> None:
    with pytest.raises(ParseError) as caught:
        cli.read_assumptions([text])
    assert "--assume" in str(caught.value)


def test_functions() -> None:
    assert cli.read_functions(["h"], 2, []) == {"h": ["dh", "d2h"]}
    assert cli.read_functions(["h: a, b, c"], 1, []) == {"h": ["a", "b", "c"]}
    assert cli.read_functions(["h"], 1, ["dh"]) == {"h": ["dh_"]}


@pytest.mark.parametrize("text", ["h:", "3", "h: d h", "h(x)"])
def test_malformed_functions_are_explained(text: str) -> None:
    with pytest.raises(ParseError, match="is not a name"):
        cli.read_functions([text], 1, [])


# --- mathematics as text --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"2\,X^{\top}\,(X\,w - y)", "2 Xᵀ (X w − y)"),
        (r"\frac{\partial f}{\partial u_{j}}", "∂f/∂uⱼ"),
        (r"\frac{\partial}{\partial w_{k}}\left(\sum_{r=1}^{p} X_{lr}\,w_{r} - y_{l}\right)",
         "∂/∂wₖ (Σᵣ Xₗᵣ wᵣ − yₗ)"),
        (r"\sum_{l,r} 2\,u_{l}\,\delta_{rk}", "Σₗᵣ 2 uₗ δᵣₖ"),
        (r"\frac{1}{2}", "1/2"),
        (r"\frac{a + b}{u}\,v", "((a + b)/u) v"),
        (r"\log\det X", "log det X"),
        (r"\log(u)", "log(u)"),
        (r"(S^{-1})^{\top}", "(S⁻¹)ᵀ"),
        (r"w_{1}^{2}", "w₁²"),
        (r"e^{u_{t}}", "e^uₜ"),
        (r"\sqrt{v}", "√v"),
        (r"\sqrt{a + b}", "√(a + b)"),
        (r"\left\lVert X\right\rVert_F", "‖X‖_F"),
        (r"\theta \odot \mathbf{1}", "θ ⊙ 1"),
        (r"\begin{cases} 1 & \text{if } u > 0 \\ 0 & \text{else} \end{cases}", "{ 1 if u > 0; 0 else }"),
        (r"\operatorname{tr}(A)", "tr(A)"),
        (r"\mathrm{lr}\,g", "lr g"),
        (r"a \overset{t=j}{=} b", "a = b"),
        (r"2 \cdot b + \underbrace{y_{l}}_{=0}", "2 · b + yₗ [=0]"),
    ],
)  # fmt: skip
def test_latex_as_text(latex: str, text: str) -> None:
    assert Plain()(latex) == text


def test_indices_are_written_alike() -> None:
    small, marked = Plain(), Plain(small=False)
    assert (small(r"X_{ij}"), small.missed) == ("Xᵢⱼ", False)
    assert (small(r"X_{qj}"), small.missed) == ("X_{qj}", True)
    assert marked(r"X_{ij}\,w_{1}\,u_{k}") == "X_{ij} w₁ u_k"


def test_reasons_hold_mathematics() -> None:
    assert Plain().text(r"contract $\delta_{tj}$") == "contract δₜⱼ"


def test_broken_latex_ends() -> None:
    for latex in (r"\frac", r"\frac{a", "x_", "x^{", r"\sum_", "}", r"\begin", r"\overset"):
        assert isinstance(Plain()(latex), str)


# --- handout --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    handout: str
    id: str
    status: str
    expected: str
    basis: str = ""
    label: str = ""
    claim: str = "diff(E, W) == D.T @ B"
    condition: str = ""
    counterexample: object = None
    correct: str = ""

    def as_json(self) -> dict[str, object]:
        return asdict(self)


GOOD = [
    Record("layers", "L1", "proved", "proved", "kernel"),
    Record("layers", "L2", "refuted", "refuted"),
    Record("layers_deep", "H7", "approximation", "approximation", label="H7 (5.81)"),
]
BAD = [*GOOD, Record("layers", "L3", "refuted", "proved", correct="2 * x")]


class Stand:
    """Stands in for `symderiv.handout.build`: reports records, writes files, remembers its arguments."""

    def __init__(self, records: list[Record]) -> None:
        self.records = records
        self.notices: list[str] = []
        self.arguments: tuple[object, ...] = ()
        self.options: dict[str, object] = {}

    def build(self, sources, output, formats, *, detail, language, engine, report, notice):
        self.arguments = (sources, output, formats)
        self.options = {"detail": detail, "language": language, "engine": engine}
        output.mkdir(exist_ok=True)
        for record in self.records:
            report(record)
            for fmt in formats:
                (output / f"{record.handout}.{fmt}").write_text(fmt)
        (output / "index.html").write_text("")
        for line in self.notices:
            notice(line)
        return self.records


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand(GOOD)
    module = ModuleType("symderiv.handout.build")
    module.build = stand.build  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "symderiv.handout.build", module)
    return stand


def test_handout_reports_each_claim_and_each_handout(stand: Stand, tmp_path: Path) -> None:
    out = tmp_path / "out"
    lines = output("handout", "-o", str(out), "--format", "tex,md").splitlines()
    assert lines == [
        "layers  ✓ L1  proved (kernel)",
        "layers  ✗ L2  refuted (expected)",
        "layers_deep  ≈ H7 (5.81)  approximation",
        f"layers: 2 claims (1 proved, 1 refuted), all as expected → {out / 'layers.md'}, {out / 'layers.tex'}",
        "layers_deep: 1 claim (1 approximation), all as expected → "
        f"{out / 'layers_deep.md'}, {out / 'layers_deep.tex'}",
        f"written: {out / 'index.html'}",
    ]


def test_handout_exits_with_1_where_a_claim_surprises(stand: Stand, tmp_path: Path) -> None:
    stand.records = BAD
    result = run("handout", "-o", str(tmp_path))
    assert result.exit_code == 1
    assert "layers  ✗ L3  refuted (expected: proved)\n" in result.stdout
    assert "    claim: diff(E, W) == D.T @ B\n    correct: 2 * x\n" in result.stdout
    assert "not as expected: L3" in result.stdout


def test_handout_as_json_prints_one_record_a_line(stand: Stand, tmp_path: Path) -> None:
    stand.records = BAD
    result = run("handout", "-o", str(tmp_path), "--json")
    assert result.exit_code == 1
    assert [json.loads(line) for line in result.stdout.splitlines()] == [r.as_json() for r in BAD]


def test_handout_passes_its_options_on(stand: Stand, tmp_path: Path) -> None:
    source = tmp_path / "own.md"
    source.write_text("# Own\n")
    out = tmp_path / "pages"
    args = ["-o", str(out), "--format", "PDF, tex,pdf", "--detail", "full", "--language", "de"]
    output("handout", str(source), *args)
    assert stand.arguments == ([source], out, ["pdf", "tex"])
    assert stand.options == {"detail": "full", "language": "de", "engine": "typst"}


def test_handout_defaults_to_the_built_in_ones(stand: Stand, tmp_path: Path) -> None:
    output("handout", "-o", str(tmp_path))
    assert stand.arguments == (None, tmp_path, ["tex", "pdf", "html", "md", "py"])
    assert stand.options == {"detail": None, "language": None, "engine": "typst"}


def test_handout_names_only_the_files_of_this_run(stand: Stand, tmp_path: Path) -> None:
    (tmp_path / "layers.txt").write_text("from before")
    assert "layers.txt" not in output("handout", "-o", str(tmp_path))


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_what_was_left_out_is_said_beside_the_output(stand: Stand, tmp_path: Path, more: list[str]) -> None:
    stand.notices = ["layers: no PDF: no Japanese font is installed"]
    result = run("handout", "-o", str(tmp_path), *more)
    assert result.exit_code == 0
    assert result.stderr == "layers: no PDF: no Japanese font is installed\n"
    assert "no PDF" not in result.stdout


def test_a_handout_without_claims(stand: Stand, tmp_path: Path) -> None:
    stand.records = []
    assert output("handout", "-o", str(tmp_path)) == f"no claims\nwritten: {tmp_path / 'index.html'}\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--format", "tex,pfd"], "did you mean 'pdf'?"),
        (["--format", "docx!"], "choose from tex,pdf,html,md,py"),
        (["--format", ","], "choose from"),
        (["nowhere.md"], "does not exist"),
        (["--detail", "some"], "normal"),
    ],
)
def test_handout_options_are_checked(stand: Stand, tmp_path: Path, args: list[str], said: str) -> None:
    assert said in refusal("handout", "-o", str(tmp_path), *args)
    assert stand.arguments == ()


def test_errors_of_a_handout_are_usage_errors(stand: Stand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(*args: object, **options: object) -> None:
        raise ShapeError("sizes n and p do not agree", hint="transpose one")

    monkeypatch.setattr(sys.modules["symderiv.handout.build"], "build", fail)
    assert refusal("handout", "-o", str(tmp_path)) == ("error: sizes n and p do not agree\n  hint: transpose one\n")


def test_a_folder_that_cannot_be_written_is_a_usage_error(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", "output")

    monkeypatch.setattr(sys.modules["symderiv.handout.build"], "build", fail)
    assert "Permission denied" in refusal("handout", "-o", str(tmp_path))


# --- terminals ------------------------------------------------------------------------------------

ON_A_TERMINAL = """
import sys
from types import ModuleType, SimpleNamespace
from symderiv.cli import main
record = SimpleNamespace(handout="layers", id="L1", label="L1", status="proved", expected="proved",
                         basis="kernel", claim="", condition="", counterexample=None, correct="")
module = ModuleType("symderiv.handout.build")
def build(sources, output, formats, *, detail, language, engine, report, notice):
    report(record)
    return [record]
module.build = build
sys.modules["symderiv.handout.build"] = module
main(sys.argv[1:], prog_name="symderiv")
"""
COLOUR = re.compile(r"\x1b\[[\d;]*3[0-7][\d;]*m")


def on_a_terminal(*args: str, **environment: str) -> tuple[str, int]:
    """Return what a process prints to a pseudo-terminal, and its exit code."""
    pty = pytest.importorskip("pty")
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    leader, follower = pty.openpty()
    env |= {"TERM": "xterm-256color", **environment}
    command = [sys.executable, "-c", ON_A_TERMINAL, *args]
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=env)
    os.close(follower)
    said = b""
    while True:
        try:
            part = os.read(leader, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
    os.close(leader)
    return said.decode(), process.wait()


def test_a_terminal_gets_colours(tmp_path: Path) -> None:
    said, code = on_a_terminal("handout", "-o", str(tmp_path))
    assert code == 0
    assert COLOUR.search(said)
    assert "L1" in said and "1 claim" in said
    refuted, code = on_a_terminal("verify", *QUADRATIC, "--claim", "x")
    assert code == 1
    assert COLOUR.search(refuted)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_switched_off(tmp_path: Path, environment: dict[str, str]) -> None:
    said, code = on_a_terminal("handout", "-o", str(tmp_path), **environment)
    assert code == 0
    assert "L1" in said
    assert not COLOUR.search(said)
    refuted, _ = on_a_terminal("verify", *QUADRATIC, "--claim", "x", **environment)
    assert "\x1b" not in refuted


def test_json_on_a_terminal_has_no_progress(tmp_path: Path) -> None:
    said, _ = on_a_terminal("verify", *QUADRATIC, "--claim", "x", "--json")
    assert json.loads(said)["status"] == "refuted"


def test_an_encoding_without_the_marks_is_survived() -> None:
    code = f"from symderiv.cli import main; main({['verify', *QUADRATIC, '--claim', '2 * A @ x']!r})"
    done = python(code, PYTHONIOENCODING="latin-1")
    assert done.returncode == 1, done.stderr
    assert "? refuted" in done.stdout


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
