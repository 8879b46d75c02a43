"""The search for defects: a short run of it, and that it sees what it should see."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from symderiv.derivation import derive
from symderiv.errors import ProofError, UnsupportedError
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import parse, scope_of
from symderiv.testing import examine as examined_by
from symderiv.testing import fuzz
from symderiv.testing.examine import agree, examine, masked
from symderiv.testing.samples import Problem, Sample
from symderiv.testing.shrink import smallest

SHAPES = {"x": ("n",), "y": ("n",), "A": ("n", "n"), "B": ("n", "m"), "c": ()}


def problem(text, *wrt, assume=None):
    return Problem(Sample(parse(text, scope_of(SHAPES, assume, {"h": ["dh", "d2h", "d3h"]}))), wrt)


def kinds(found):
    return {kind for kind, _ in found.marks}


# ---------------------------------------------------------------- a run


def test_a_short_run_finds_no_defect():
    tally = fuzz.run(seconds=0, cases=50, seed=27, start=0, limit=20)
    assert tally.cases == 50
    assert not tally.defects, tally.table(0)
    assert tally.checked["fields"] > 43
    assert tally.checked["code"] > 43
    assert tally.proofs >= 5


def test_a_case_is_the_same_every_time():
    assert [fuzz.case(3, k).line for k in range(40)] == [fuzz.case(3, k).line for k in range(40)]
    assert fuzz.case(3, 0).line != fuzz.case(4, 0).line


def test_the_command_prints_a_table():
    done = CliRunner().invoke(fuzz.main, ["--cases", "3", "--seed", "27"])
    assert done.exit_code == 0
    assert done.output.startswith("3 cases in")
    assert "agree with jets in prime fields" in done.output


def test_the_command_fails_where_there_is_a_defect(monkeypatch):
    def broken(*_args, **_given):
        raise KeyError("x")

    monkeypatch.setattr(examined_by, "derive", broken)
    done = CliRunner().invoke(fuzz.main, ["--cases", "1"])
    assert done.exit_code == 1
    assert "crash: derive: KeyError" in done.output
    assert "symderiv.derive(" in done.output


def test_a_case_has_its_time():
    started = time.monotonic()
    with pytest.raises(fuzz.TimeUpError), fuzz.at_most(0.05):
        while time.monotonic() - started < 20:
            pass
    assert time.monotonic() - started < 5


# ---------------------------------------------------------------- what is checked


@pytest.mark.parametrize(
    ("text", "wrt"),
    [
        ("norm(B.T @ x)**2", "x"),
        ("where(x > y, exp(x), y**2)", "x"),
        ("h(A @ x)", "x"),
        ("logdet(A)", "A"),
        ("kron(x, y)", "y"),
        ("x @ A @ x", "x x"),
        ("sum(exp(x) * y)", "x y x"),
    ],
)
def test_what_is_right_passes_every_check(text, wrt):
    found = examine(problem(text, *wrt.split(), assume={"A": "invertible"}))
    assert found.marks == []
    assert found.checked == {"fields", "floats", "code", "text", "proof"}


def answered(right, **other):
    """Return what an examination asks of a derivation, some of it replaced."""
    names = ("function", "wrt", "result", "node", "compile", "proof")
    return SimpleNamespace(**{name: getattr(right, name) for name in names} | other)


def of_another(text, monkeypatch):
    """Let the derivative of another function pass for the one that is asked for."""

    def wrong(_text, wrt, **given):
        given["shapes"] = SHAPES
        other = derive(text, wrt, **given)
        return answered(derive(_text, wrt, **given), result=other.result, node=other.node, compile=other.compile)

    monkeypatch.setattr(examined_by, "derive", wrong)


@pytest.mark.parametrize(
    ("right", "wrong", "wrt"),
    [
        ("x @ A @ x", "x @ A.T @ A @ x", "x"),
        ("x @ A @ x", "2 * (x @ A @ x)", "x"),
        ("trace(A @ A)", "trace(A @ A.T)", "A"),
        ("sum(abs(x))", "sum(x)", "x"),
        ("sum(maximum(x, y))", "sum(x)", "x"),
        ("sum(exp(x))", "sum(sinh(x))", "x"),
        ("x @ A @ x", "x @ A @ A @ x", "x x"),
        ("sqrt(1 + x @ x)", "sqrt(2 + x @ x)", "x"),
    ],
)
def test_a_wrong_derivative_is_seen(right, wrong, wrt, monkeypatch):
    of_another(wrong, monkeypatch)
    assert "derivative" in kinds(examine(problem(right, *wrt.split()), proof=False))


def test_a_wrong_shape_is_seen(monkeypatch):
    of_another("outer(x, x)", monkeypatch)
    assert "result text" in kinds(examine(problem("x @ x", "x"), proof=False))


def test_wrong_code_is_seen(monkeypatch):
    def slightly_off(text, wrt, **given):
        right = derive(text, wrt, **given)
        code = right.compile()
        return answered(right, compile=lambda: lambda **arrays: 1.001 * code(**arrays))

    monkeypatch.setattr(examined_by, "derive", slightly_off)
    assert kinds(examine(problem("x @ A @ x", "x"), proof=False)) == {"code"}


def test_refusals_and_bad_proofs_are_counted(monkeypatch):
    def refused(*_args, **_given):
        raise UnsupportedError("no derivative of 'f' at 3")

    with monkeypatch.context() as m:
        m.setattr(examined_by, "derive", refused)
        assert examine(problem("x @ x", "x")).marks == [("refused", "no derivative of … at #")]

    def doubtful(_proof):
        raise ProofError("argument 'f', step 3: no")

    monkeypatch.setattr(type(derive("c", "c", shapes=SHAPES).proof), "check", doubtful)
    assert kinds(examine(problem("x @ x", "x"))) == {"proof"}


@pytest.mark.parametrize(
    ("text", "wrt", "assume"),
    [
        ("relu(logdet(A))", "A", {"A": "orthogonal"}),  # a kink, hit but for rounding
        ("norm(logdet(A))", "A", {"A": "orthogonal"}),
        ("softmax(exp(x**x), 0)", "x", {"x": "counts"}),  # beyond the range of floats
        ("prod(softmax(exp(B)**3, 0), 0)", "B B", {}),
        ("det(A)", "A A", {"A": "signs"}),  # singular matrices
        ("det(B @ B.T)", "B", {}),
    ],
)
def test_what_no_float_can_tell_is_no_defect(text, wrt, assume):
    for seed in range(8):
        drawn = problem(text, *wrt.split(), assume=assume)
        assert examine(Problem(drawn.sample, drawn.wrt, seed), proof=False).defects == []


def test_kinks_that_are_hit_on_purpose_are_checked(monkeypatch):
    def halved(text, wrt, **given):
        right = derive(text, wrt, **given)
        code = right.compile()
        return answered(right, compile=lambda: lambda **arrays: code(**arrays) / 2)

    monkeypatch.setattr(examined_by, "derive", halved)
    assert kinds(examine(problem("maximum(x, x * c) + y", "x", assume={"c": "binary"}), proof=False)) == {"code"}


def test_a_division_by_zero_is_a_refusal():
    zero = apply("div", parse("x", scope_of(SHAPES)), apply("sub", *[parse("c", scope_of(SHAPES))] * 2))
    assert examine(Problem(Sample(zero), ("x",))).marks == [("refused", "division by #")]


def test_a_derivative_in_what_does_not_occur_is_zero():
    sample = Sample(apply("mul", parse("n * c", scope_of(SHAPES)), parse("c", scope_of(SHAPES))))
    assert "of_n" in sample.variables
    assert examine(Problem(sample, ("of_n",))).marks == []


def test_reasons_are_grouped():
    assert masked("argument 'a3', step 10: 'x' says 5") == masked("argument 'b', step 2: 'y' says 71")


def test_agreement_is_of_values():
    scope = scope_of(SHAPES)
    assert agree(parse("trace(A @ A.T)", scope), parse("norm(A)**2", scope))
    assert not agree(parse("trace(A @ A.T)", scope), parse("trace(A @ A)", scope))
    assert not agree(parse("relu(x)", scope), parse("x", scope))


# ---------------------------------------------------------------- smaller problems


def test_a_problem_is_made_small():
    big = problem("sum(exp(x) * sin(A @ x)) / (2 + norm(y)**2)", "x", "x", assume={"A": "symmetric"})
    small = smallest(big, lambda p: "sin" in p.sample.text and "A" in p.sample.shapes)
    assert small.sample.text == "sin(A @ x)"
    assert small.wrt == ("x",)
    assert small.sample.assume == {}


def test_a_smaller_problem_still_shows_the_defect():
    shown = []
    smallest(problem("sum(tanh(x) * y) + c", "x"), lambda p: bool(shown.append(p)) or "tanh" in p.sample.text)
    assert all("x" in p.sample.variables for p in shown)
