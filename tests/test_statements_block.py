"""Blocks of statements: what is read, and where an error points."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symderiv import ParseError, Sheet, SymderivError
from symderiv.errors import ShapeError, UnknownNameError
from symderiv.statements.block import Names, read_block


def read(text, names=None):
    return read_block(text, names if names is not None else Names(), "notes.md")


# --- what is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("X: (n, p)", "declare", "X"),
        ("s: ()", "declare", "s"),
        ("x: (3,)", "declare", "x"),
        ("S: symmetric(n, n)", "declare", "S"),
        ("h: elementwise()", "declare", "h"),
        ("loss: function()", "declare", "loss"),
        ("f: function(n, m)", "declare", "f"),
        ("a = 2", "define", "a"),
        ("def f(t): return t**2", "function", "f"),
        ("assert 1 == 1", "claim", ""),
        ("1 + 1", "show", ""),
    ],
)
def test_a_statement_has_a_kind_and_a_name(text, kind, name):
    (found,) = read(text)
    assert (found.kind, found.name) == (kind, name)
    assert found.place.named() == "notes.md, line 1, column 1"


@pytest.mark.parametrize("text", ["", "   ", "\n\n", "# a remark", "x: (n,)  # a remark\n\n"])
def test_blocks_with_little_in_them(text):
    assert len(read(text)) == text.count("x:")


def test_a_claim_keeps_its_sides_its_label_and_its_text():
    *_, claim, wrong = read("x: (n,)\nassert x[i] == x[i], 'a (5.1)'\nassert not (x == 2 * x)")
    assert (claim.label, claim.negated, claim.text) == ("a (5.1)", False, "x[i] == x[i]")
    assert len(claim.exprs) == 2 and claim.error is None
    assert (wrong.label, wrong.negated) == ("", True)


def test_names_grow_with_what_is_read():
    names = Names()
    read("X: (n, p)\nh: elementwise()\nloss: function()\ndef f(t): return t", names)
    read("Y = X.T", names)
    assert all(map(names.taken, ["X", "Y", "h", "loss", "f"]))
    assert set(names.scope.sizes) == {"n", "p"}
    assert not names.taken("Z")


def test_a_function_is_substituted_and_leaves_no_names_behind():
    names = Names()
    (*_, shown) = read("x: (n,)\ndef f(u, v): return u + 2 * v\nf(x, x)", names)
    assert shown.exprs[0].op == "called"
    assert not names.taken("u")


# --- errors ---------------------------------------------------------------------------------------

REFUSED = [  # text, kind of error, line, column (from 1), words
    ("import os", ParseError, 1, 1, "an import"),
    ("from os import path", ParseError, 1, 1, "an import"),
    ("x: (n,)\nfor t in range(1, 3):\n    y = x", ParseError, 3, 5, "write y[t]"),
    ("x: (n,)\nfor s, t in x:\n    y = x", ParseError, 2, 1, "one name"),
    ("while 1: pass", ParseError, 1, 1, "a loop"),
    ("with given(1 == 1):\n    pass", ParseError, 2, 5, "pass is not part"),
    ("with open(1):\n    1", ParseError, 1, 6, "given(…) or neglecting(…)"),
    ("x: (n,)\ndel x", ParseError, 2, 1, "del"),
    ("class A: pass", ParseError, 1, 1, "a class"),
    ("if 1: pass", ParseError, 1, 1, "a branch"),
    ("x: (n,)\ny = lambda t: t", ParseError, 2, 5, "a lambda"),
    ("x: (n,)\ny = [x for x in x]", ParseError, 2, 5, "a comprehension"),
    ("x: (n,)\ny = x.S", ParseError, 2, 5, "attribute .S"),
    ("x: (n,)\ny = x if x else x", ParseError, 2, 5, "conditional"),
    ("x: (n,)\nx += 1", ParseError, 2, 1, "augmented"),
    ("x: (n,)\nx[i] = 3", ParseError, 2, 1, "named already"),
    ("a = b = 1", ParseError, 1, 1, "an assignment"),
    ("x: (n,) = 3", ParseError, 1, 1, "a declaration with a value"),
    ("'words'", ParseError, 1, 1, "not a number"),
    ("x: (n,)\ny = = x", ParseError, 2, 5, "invalid syntax"),
    ("x: (n,)\ny = (x", ParseError, 2, 5, "never closed"),
    ("§", ParseError, 1, 1, "invalid character"),
    ("\x00", ParseError, 1, 1, "null character"),
    # names
    ("x: (n,)\nassert x == y", UnknownNameError, 2, 13, "unknown name 'y'"),
    ("x: (n,)\ny = foo(x)", UnknownNameError, 2, 5, "unknown function 'foo'"),
    ("x: (n,)\nx: (n,)", ParseError, 2, 1, "x is named already"),
    ("x: (n,)\nx = 2 * x", ParseError, 2, 1, "x is named already"),
    ("x: (n,)\ndef x(t): return t", ParseError, 2, 1, "x is named already"),
    ("h: elementwise()\nh: function()", ParseError, 2, 1, "h is named already"),
    ("x: (n,)\nn = 3", ParseError, 2, 1, "n is named already"),
    ("n: ()\nx: (n,)", ParseError, 2, 5, "n is no size"),
    ("h: elementwise()\nh + 1", ParseError, 2, 1, "needs arguments"),
    # declarations
    ("x: n", ParseError, 1, 4, "a declaration gives a shape"),
    ("x: foo(n)", ParseError, 1, 4, "a declaration gives a shape"),
    ("x: n", ParseError, 1, 4, "an array with one axis is x: (n,) and a number is x: ()"),
    ("x: (n)", ParseError, 1, 5, "an array with one axis is x: (n,)"),
    ("lambda: ()", ParseError, 1, 1, "write lam, which prints as λ"),
    # what a beginner writes
    ("x: (n,)\nx == x", ParseError, 2, 1, "a claim begins with assert"),
    ("x: (n,)\nassert x = x", ParseError, 2, 10, "has two signs: =="),
    ("x: (n,)\nf = lambda * x", ParseError, 2, 15, "lambda is a word of Python"),
    ("x: (n,)\nAssert x == x", ParseError, 2, 8, "write assert, in small letters"),
    ("x: (n,)\nassert x == x 'label'", ParseError, 2, 15, "a comma stands before the label"),
    ("x: (n,)\ny = x * (x > 0)", ParseError, 2, 10, "write where(x > 0, 1, 0)"),
    ("x: (n,)\nf = ||x||**2", ParseError, 2, 5, "write norm(x)"),
    ("x: (n,)\nf = grad(x @ x, x)", UnknownNameError, 2, 5, "a derivative is diff(f, x)"),
    ("A: (n, n)\nx: (n,)\nassert diff(x * A * x, x) == A @ x", ShapeError, 3, 8, "the shape of the function"),
    ("x: (0,)", ParseError, 1, 5, "a size is needed"),
    ("x: (-1,)", ParseError, 1, 5, "a size is needed"),
    ("x: ('n',)", ParseError, 1, 5, "a size is needed"),
    # functions
    ("def f(*a): return a", ParseError, 1, 1, "plain parameters"),
    ("def f(a=1): return a", ParseError, 1, 1, "plain parameters"),
    ("def f(x):\n    y = x\n    return y", ParseError, 1, 1, "one return statement"),
    ("def f(x): return x\nf(1, 2)", ParseError, 2, 1, "f"),
    ("def f(x): return f(x)\nf(1)", ParseError, 1, 18, "calls itself"),
    ("g: function()\ng()", ParseError, 2, 1, "at least one argument"),
    # claims
    ("x: (n,)\nassert x", ParseError, 2, 8, "one equation"),
    ("x: (n,)\nassert x == x == x", ParseError, 2, 8, "one equation"),
    ("x: (n,)\nassert x != x", ParseError, 2, 8, "one equation"),
    ("x: (n,)\nassert x == x, 3", ParseError, 2, 16, "label"),
    ("x: (n,)\nassert x == 1", ShapeError, 2, 8, "equal shapes"),
    ("A: (n, m)\nassert A @ A == A", ShapeError, 2, 8, "inner sizes"),
    ("A: (n, m)\nassert A[i] == A[i]", ShapeError, 2, 8, "2 subscripts needed"),
    # indices
    ("A: (n, n)\nassert A[n,i] == A[i,n]", ParseError, 2, 10, "n is a size"),
    ("A: (n, n)\nassert A[1,i] == A[i,1]", ParseError, 2, 10, "an index is a name"),
    ("x: (n,)\nsum[i](x)", ShapeError, 2, 8, "sums numbers"),
    # derivatives
    ("x: (n,)\ndiff(x)", ParseError, 2, 1, "at least one variable"),
    ("x: (n,)\ndiff(sum(x), 2 * x)", ParseError, 2, 14, "declared or defined arrays"),
    ("x: (n,)\ndiff(x, 1)(x)", ParseError, 2, 6, "no scalar function"),
    ("h: elementwise()\nx: (n,)\ndiff(h, 9)(x)", ParseError, 3, 9, "between 1 and 8"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "line", "column", "words"), REFUSED, ids=[r[0] for r in REFUSED])
def test_an_error_points_at_file_line_and_column(text, kind, line, column, words):
    with pytest.raises(kind) as refused:
        read(text)
    error = refused.value
    assert words in str(error)
    assert f"notes.md, line {line}, column {column}" in str(error)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A: (n, m)\nassert A[i,i] == A[i,i]", 2),
        ("A: (n, m)\nassert A[i,j] == A[j,i]", 2),
        ("x: (n,)\n\nassert delta[i,j] == delta[j,i]", 3),
    ],
)
def test_a_range_that_is_not_one_is_refused_at_its_claim(text, line):
    with pytest.raises(ShapeError) as refused:
        Sheet(text, source="notes.md")
    assert f"notes.md, line {line}, column 1" in str(refused.value)


def test_lines_count_from_the_first_of_the_block():
    with pytest.raises(ParseError, match=r"notes.md, line 41, column 5"):
        read_block("x: (n,)\ny = [x]", Names(), "notes.md", first_line=40)
    with pytest.raises(ParseError, match=r"notes.md, line 40, column 5") as refused:
        read_block("y = = 3", Names(), "notes.md", first_line=40)
    assert "y = = 3" in str(refused.value)


def test_columns_count_characters():
    with pytest.raises(UnknownNameError, match="line 2, column 7"):
        read("θ: (n,)\nθ + θ*ψ")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("diff()(x)", id="diff()(x)"),
        pytest.param("x: (x,)", id="an array that is its own size"),
        pytest.param("n: (n,)", id="an array n of n entries"),
        pytest.param("S: symmetric(n)", id="a symmetric vector"),
        pytest.param("S: symmetric(n, m)", id="a symmetric matrix that is not square"),
        pytest.param("def f(a, a): return a", id="a parameter twice"),
        pytest.param("x: (n,)\nsum[i,i](x[i])", id="an index summed twice"),
        pytest.param("diff: (n,)", id="an array called diff"),
    ],
)
def test_what_has_no_meaning_is_refused(text):
    with pytest.raises(SymderivError):
        read(text)


# --- random texts ---------------------------------------------------------------------------------

ATOMS = st.sampled_from(["x", "A", "h", "g", "f", "n", "i", "delta", "diff", "sum", "T", "1", "0", "2.5", "q", "''"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "@", "**", "==", "<", "and"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        st.tuples(inner, inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"{t[0]}[{t[1]}]"),
        st.tuples(inner, inner, inner).map(lambda t: f"{t[0]}[{t[1]}, {t[2]}]"),
        inner.map(lambda t: f"-{t}"),
        inner.map(lambda t: f"{t}.T"),
        st.tuples(inner, inner).map(lambda t: f"diff({t[0]}, {t[1]})"),
    ),
    max_leaves=8,
)
STATEMENTS = st.one_of(
    EXPRESSIONS,
    st.tuples(EXPRESSIONS, EXPRESSIONS).map(lambda t: f"assert {t[0]} == {t[1]}"),
    st.tuples(EXPRESSIONS, EXPRESSIONS).map(lambda t: f"assert not ({t[0]} == {t[1]}), 'wrong'"),
    st.tuples(ATOMS, EXPRESSIONS).map(lambda t: f"{t[0]} = {t[1]}"),
    st.tuples(ATOMS, EXPRESSIONS).map(lambda t: f"{t[0]}: {t[1]}"),
    st.tuples(ATOMS, ATOMS, EXPRESSIONS).map(lambda t: f"def {t[0]}({t[1]}): return {t[2]}"),
    st.text(max_size=20),
)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(STATEMENTS, max_size=3))
def test_random_texts_are_read_or_refused(lines):
    text = "\n".join(["x: (n,)", "A: (n, n)", "h: elementwise()", "g: function()", *lines])
    try:
        read(text)
    except SymderivError as refused:
        assert refused.place is None or refused.place.source == "notes.md"
        str(refused)
