"""Every misuse of the language is refused: the right error, its place, the remedy, at once and in little memory.

What `tests/test_errors.py` says of the form of an error is not repeated here; these are the ways to get one.
"""

from __future__ import annotations

import re
import time
import tracemalloc

import numpy as np
import pytest
from click.testing import CliRunner

import symderiv
from symderiv import ParseError, ShapeError, Sheet, SymderivError, UnknownNameError, UnsupportedError, derive, verify
from symderiv.cli import main

SECONDS = 2  # of processor time, so that a busy machine does not count
MEGABYTES = 100
SHAPES = {
    "A": ("n", "m"),
    "S": ("n", "n"),
    "x": ("m",),
    "y": ("n",),
    "weights": ("m",),
    "c": (),
    "T": ("n", "m", "k"),
    "z": (3,),
    "Z": (3, 3),
}


def refused(call, kind, said):
    """Check that a call is refused as it should be, and within its time."""
    __tracebackhide__ = True
    start = time.process_time()
    with pytest.raises(SymderivError) as err:
        call()
    assert time.process_time() - start < SECONDS
    message = str(err.value)
    assert isinstance(err.value, kind), f"{type(err.value).__name__}: {message}"
    assert all(part in message for part in said), message
    assert len(message) < 2000
    assert message.isprintable() or all(c.isprintable() or c == "\n" for c in message)
    return err.value


def shortly(value):
    text = re.sub(r" at 0x\w+", "", repr(value))  # the same in every process
    return text if len(text) < 60 else f"{text[:30]}… ({len(text)} characters)"


# ---------------------------------------------------------------- texts

AXES = [
    ("mean(A, 2)", ShapeError, ["axis 2", "(n, m)", "2 axes"]),
    ("prod(x, -2)", ShapeError, ["axis -2", "(m,)"]),
    ("logsumexp(T, 3)", ShapeError, ["axis 3", "(n, m, k)"]),
    ("softmax(c, 0)", ShapeError, ["axis 0", "()"]),
    ("softmax(A, -3)", ShapeError, ["axis -3"]),
    ("sum(x, 99999999999999999999)", ShapeError, ["out of range"]),
    ("sum(A, axis=5)", ShapeError, ["axis 5"]),
    ("sum(A, 1.0)", ParseError, ["literal integer", "^"]),
    ("sum(A, True)", ParseError, ["literal integer"]),
    ("sum(A, x)", ParseError, ["literal integer"]),
    ("sum(A, 10**9)", ParseError, ["literal integer"]),
    ("sum(A, 0, axis=1)", ParseError, ["3 given"]),
    ("sum(A, axis=0, axis=1)", ParseError, ["axis is given twice", "column 16"]),
    ("sum(A, axis=0, keepdims=1)", ParseError, ["keepdims is True or False", "column 25"]),
    ("softmax(A, axis=0, keepdims=True)", ParseError, ["'keepdims'", "column 20"]),
    ("sum(A, dim=0)", ParseError, ["'dim'", "write axis="]),
    ("sum(A, axis=(0, -2))", ParseError, ["axis is given twice"]),
    ("softmax(A, (0, 1))", ParseError, ["literal integer"]),
    ("sum()", ParseError, ["1 to 2 arguments", "0 given"]),
    ("transpose(A, (0, 1, 2))", ShapeError, ["once"]),
    ("transpose(T, 1)", ParseError, ["tuple"]),
    ("x[:, :, :]", ShapeError, ["more subscripts than axes", "(m,)"]),
]
MATRICES = [
    ("inv(A)", ShapeError, ["inv needs a square matrix", "(n, m)"]),
    ("det(A)", ShapeError, ["det needs a square matrix", "(n, m)"]),
    ("logdet(A)", ShapeError, ["logdet needs a square matrix"]),
    ("trace(A)", ShapeError, ["trace needs a square matrix"]),
    ("inv(x)", ShapeError, ["inv needs a matrix", "(m,)"]),
    ("det(c)", ShapeError, ["det needs a matrix", "()"]),
    ("logdet(T)", ShapeError, ["logdet needs a matrix", "(n, m, k)"]),
    ("solve(A, y)", ShapeError, ["square"]),
    ("solve(S, T)", ShapeError, ["as many rows", "(n, m, k)"]),
    ("matrix_power(x, 2)", ShapeError, ["needs a matrix"]),
    ("matrix_power(S, 1000000000)", UnsupportedError, ["1000000000", "up to 64"]),
    ("matrix_power(S, -65)", UnsupportedError, ["-65"]),
    ("matrix_power(S, 10**9)", ParseError, ["literal integer"]),
    ("matrix_power(S, 1.5)", ParseError, ["literal integer"]),
    ("diag(T)", ShapeError, ["vector or a square matrix"]),
    ("diag(A)", ShapeError, ["square"]),
    ("outer(c, x)", ShapeError, ["vectors", "()"]),
    ("kron(c, c)", ShapeError, ["kron"]),
    ("Z @ x", ShapeError, ["3 and m", "(3, 3)"]),
    ("T @ c", ShapeError, ["scalars"]),
    ("z + x", ShapeError, ["3 and m"]),
    ("maximum(x, y)", ShapeError, ["m and n"]),
    ("where(x > y, x, x)", ShapeError, ["m and n", "argument 2"]),
    ("where(x > 0, x, y)", ShapeError, ["m and n"]),
    ("eye(0)", ParseError, ["a size is needed", "positive integer"]),
    ("eye(x)", ParseError, ["a size is needed", "sizes are"]),
    ("ones(2.5)", ParseError, ["a size is needed"]),
    ("zeros(-3)", ParseError, ["a size is needed"]),
    ("eye(n + 1)", ParseError, ["a size is needed"]),
    ("eye(n, n)", ParseError, ["1 argument", "2 given"]),
]
CALLS = [
    ("tanh()", ParseError, ["1 argument", "0 given"]),
    ("minimum(x, x, x)", ParseError, ["2 arguments", "3 given"]),
    ("where(x > 0, x)", ParseError, ["3 arguments"]),
    ("norm(x, 2)", ParseError, ["1 argument", "sum(abs(x)) is the 1-norm"]),
    ("norm(x, ord=1)", ParseError, ["no argument called 'ord'", "column 9", "1-norm"]),
    ("softmax(x)", ParseError, ["2 arguments", "write softmax(x, 0)"]),
    ("exp(x, out=x)", ParseError, ["no argument called 'out'"]),
    ("tanh(**x)", ParseError, ["starred"]),
    ("np.frob(x)", UnknownNameError, ["'frob'", "symderiv knows"]),
    ("numpy.linalg.foo(S)", UnknownNameError, ["'foo'"]),
    ("np.load('x')", UnknownNameError, ["'load'", "symderiv knows"]),
    ("open('/etc/passwd')", UnknownNameError, ["'open'"]),
    ("eval('1')", UnknownNameError, ["'eval'"]),
    ("np.sum.at(x)", ParseError, ["np.sum.at is not part of the language"]),
    ("torch.mean(A @ x)", ParseError, ["torch.mean is not part of the language", "write mean(A @ x)"]),
    ("F.softmax(A, dim=1)", ParseError, ["write softmax(A, 1)"]),
    ("A.mean(axis=0)", ParseError, ["methods", "write mean(A, 0)"]),
    ("x.dot(x)", ParseError, ["write dot(x, x)"]),
    ("(A @ x).abs().sum()", ParseError, ["methods", "write sum("]),
    ("A.t() @ y", ParseError, ["write A.T"]),
    ("ln(x)", UnknownNameError, ["write log(x)"]),
    ("Tr(S)", UnknownNameError, ["write trace(A)"]),
    ("ReLU(x)", UnknownNameError, ["did you mean relu?"]),
    ("max(x)", UnknownNameError, ["maximum", "entry by entry"]),
    ("np.clip(x, 0, 1)", UnknownNameError, ["minimum(maximum(x, 0), 1)"]),
    ("np.linalg.svd(A)", UnknownNameError, ["trace, det and logdet"]),
    ("erf(x)", UnknownNameError, ["functions="]),
    ("pi * x", UnknownNameError, ["3.14159"]),
    ("e**x", UnknownNameError, ["exp(x)"]),
    ("A.inv()", ParseError, ["methods", "write inv(A)"]),
    ("A.T()", ParseError, ["write A.T"]),
    ("math.exp(x)", ParseError, ["math.exp is not part of the language", "write exp(x)"]),
    ("np.pi", ParseError, ["np.pi", "3.14159"]),
    ("np.nan", ParseError, ["np.nan is not part of the language"]),
    ("nan", UnknownNameError, ["nan", "no numbers"]),
    ("inf * x", UnknownNameError, ["inf", "no numbers"]),
    ("A.H", ParseError, [".H", "A.T"]),
    ("S.I @ y", ParseError, [".I", "inv(S)"]),
    ("A.norm", ParseError, ["write norm(A)"]),
    ("().__class__", ParseError, ["__class__"]),
    ("''.join(x)", ParseError, ["methods are not part of the language"]),
]
EINSUMS = [
    ("einsum('ij')", ParseError, ["1 given"]),
    ("einsum('ij->k', A)", ParseError, ["no einsum", "among the inputs"]),
    ("einsum('...i->i', A)", ParseError, ["no einsum", "letters"]),
    ("einsum('ij->ij->ij', A)", ParseError, ["no einsum"]),
    ("einsum('i->', A)", ShapeError, ["1 axes of an array of 2"]),
    ("einsum('ij,->ij', A)", ShapeError, ["names 2 arrays"]),
    ("einsum('i>j', x)", ShapeError, ["einsum"]),
    ("einsum('iiiiiiiiiiiiiiiiiiiiiiiiiiiiii', x)", ShapeError, ["30 axes"]),
    ("einsum('ß', x)", ParseError, ["no einsum"]),
    ("einsum(b'i', x)", ParseError, ["text such as"]),
    ("einsum('ij->ij', A, optimize=True)", ParseError, ["'optimize'"]),
    (f"einsum({','.join('i' * 30)!r}, {', '.join('x' * 30)})", ParseError, ["31 given"]),
]
NUMBERS = [
    ("x**10**9", ParseError, ["1000000000", "too large", "column 4"]),
    ("x**-(10**9)", ParseError, ["too large"]),
    ("2**10**10", ParseError, ["10000000000 is too large"]),
    ("9**9**9**9", ParseError, ["too large"]),
    ("x**0.1234567890123456789", ParseError, ["too many digits"]),
    ("c**" + "9" * 300, ParseError, ["too large"]),
    ("x * 1e400", ParseError, ["out of range", "column 5"]),
    ("-1e400", ParseError, ["out of range"]),
    ("9" * 500, ParseError, ["digits"]),
    ("0x" + "f" * 5000, ParseError, ["digits"]),
    ("0777", ParseError, ["leading zeros"]),
    ("x / (1 - 1)", UnsupportedError, ["division by 0", "column 6"]),
    ("1 / (c - c)", UnsupportedError, ["division by 0"]),
    ("0**-1 * x", UnsupportedError, ["0 to the power of -1"]),
    ("(-8)**(1/3) * x", UnsupportedError, ["-8 to the power of 1/3", "no real number"]),
    ("sqrt(-1) * x", ParseError, ["sqrt is not defined at -1"]),
    ("x * log(0)", ParseError, ["log is not defined at 0", "column 9"]),
    ("arcsin(2) + x", ParseError, ["arcsin is not defined at 2"]),
    ("1.5j * x", ParseError, ["not a number"]),
]
SYNTAX = [
    ("not x", ParseError, ["not is not part of the language"]),
    ("x or x", ParseError, ["and, or"]),
    ("x is x", ParseError, ["comparison"]),
    ("x == x", ParseError, ["comparison", "claim"]),
    ("sum(x > 0)", ParseError, ["comparison"]),
    ("where(x > 0 and x < 1, x, 0)", ParseError, ["one comparison", "where(x > 0, where("]),
    ("where(0 < x < 1, x, 0)", ParseError, ["one comparison", "nest it"]),
    ("where((x > 1) | (x < 0), x, 0)", ParseError, ["nest it: where(x > 1, yes,"]),
    ("where(x == 0, x, 0)", ParseError, ["<= 0 for equality"]),
    ("await x", ParseError, ["await"]),
    ("yield x", ParseError, ["not an expression"]),
    ("{x}", ParseError, ["a set"]),
    ("x,", ParseError, ["a tuple"]),
    ("...", ParseError, ["not a number"]),
    ("x = 1", ParseError, ["not an expression", "Sheet"]),
    ("x += 1", ParseError, ["Sheet"]),
    ("x; x", ParseError, ["Sheet"]),
    ("del x", ParseError, ["Sheet"]),
    ("def f(): pass", ParseError, ["Sheet"]),
    ("lambda", ParseError, ["not an expression"]),
    ("x^2", ParseError, ["operator ^", "write **"]),
    ("S^-1", ParseError, ["operator ^", "inv(A)"]),
    ("S \\ y", ParseError, ["write solve(A, b)"]),
    ("xᵀx", ParseError, ["write .T"]),
    ("x·x", UnknownNameError, ["write *"]),
    ("‖x‖", ParseError, ["write norm(x)"]),
    ("A^T", ParseError, ["write .T"]),
    ("A'", ParseError, ["write .T"]),
    ("x.*x", ParseError, ["entrywise", "*"]),
    ("x²", ParseError, ["write **2"]),
    ("x − x", ParseError, ["write -"]),
    ("A · x", ParseError, ["write *"]),
    ("2x", ParseError, ["write * for a product"]),
    ("x x", ParseError, ["write * for a product", "column 3"]),
    ("x +", ParseError, ["ends too early", "column 4"]),
    ("sum(x", ParseError, ["never closed", "column 4"]),
    ("sum x)", ParseError, ["unmatched"]),
    ("\t\n ", ParseError, ["empty"]),
    ("# a note", ParseError, ["empty"]),
    ("х", UnknownNameError, ["CYRILLIC SMALL LETTER HA"]),
    ("ｘ + x", ParseError, ["read as 'x'", "column 1"]),
    ("x\u202e", ParseError, ["does not show", "RIGHT-TO-LEFT OVERRIDE", "column 2"]),
    ("x # \u2066 note", ParseError, ["does not show"]),
    ("x\u200b", ParseError, ["ZERO WIDTH SPACE"]),
    ("\ufeffx", ParseError, ["does not show"]),
    ("\ud800", ParseError, ["U+D800"]),
    ("x +\n y\0", ParseError, ["null character", "line 2, column 3"]),
]
HOSTILE = [
    ("(" * 10**5 + "x" + ")" * 10**5, ParseError, ["characters"]),
    ("(" * 99_000 + "x" + ")" * 99_000, ParseError, ["brackets", "column 101"]),
    ("[" * 5000, ParseError, ["brackets"]),
    ("tanh(" * 101 + "x" + ")" * 101, ParseError, ["brackets", "hint:"]),
    ("x" * 10**6, ParseError, ["characters, more than"]),
    (" " * 10**6, ParseError, ["characters"]),
    ("#" * 10**6, ParseError, ["characters"]),
    ("-" * 150_000 + "c", ParseError, ["nested too deeply"]),
    ("not " * 40_000 + "x", ParseError, ["nested too deeply"]),
    ("A" + ".T" * 50_000, ParseError, ["nested too deeply"]),
    ("x" + "[None]" * 5000, ParseError, ["nested too deeply"]),
    ("+".join(["x"] * 10**4), ParseError, ["nested too deeply", "intermediate"]),
    ("*".join(["x"] * 20_000), ParseError, ["nested too deeply"]),
    ("+".join(f"exp({k} * x)" for k in range(5000)), ParseError, ["nested too deeply"]),
    ("@".join(["S"] * 2000), ParseError, ["nested too deeply"]),
    ("*".join(["9" * 39] * 2000), ParseError, ["nested too deeply"]),
    ("zebra" * 30_000, UnknownNameError, ["unknown name"]),
]
TEXTS = [*AXES, *MATRICES, *CALLS, *EINSUMS, *NUMBERS, *SYNTAX]


@pytest.mark.parametrize(("text", "kind", "said"), TEXTS, ids=[shortly(row[0]) for row in TEXTS])
def test_a_text_that_is_not_of_the_language(text, kind, said):
    refused(lambda: derive(text, "x", shapes=SHAPES), kind, said)


@pytest.mark.parametrize(("text", "kind", "said"), HOSTILE, ids=[shortly(row[0]) for row in HOSTILE])
def test_a_text_beyond_all_bounds_costs_little(text, kind, said):
    refused(lambda: derive(text, "x", shapes=SHAPES), kind, said)
    tracemalloc.start()
    try:
        with pytest.raises(SymderivError):
            derive(text, "x", shapes=SHAPES)
        assert tracemalloc.get_traced_memory()[1] < MEGABYTES * 1e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text",
    [
        "((((x**999)**999)**999)**999)**99",
        "x**x**x**x**x",
        "+".join(["x"] * 200),
        "*".join(["x"] * 200),
        "outer(x, x) * " * 20 + "outer(x, x)",
        "tanh(" * 30 + "x" + ")" * 30,
        "x" + "[None]" * 10,
        f"einsum({','.join('i' * 26)!r}, {', '.join('x' * 26)})",
        "0.5**1000 * x",
    ],
    ids=shortly,
)
def test_what_is_large_but_meant_is_answered_in_time(text):
    start = time.process_time()
    d = derive(text, "x", shapes=SHAPES)
    assert str(d.result)
    assert d.compile()(x=np.array([0.5, 0.6])).dtype == float
    assert time.process_time() - start < 2 * SECONDS


@pytest.mark.parametrize("text", ["1e299 * 1e299 * x", "x / 1e299 / 1e299"])
def test_a_number_beyond_floats_is_refused_in_code(text):
    d = derive(text, "x", shapes=SHAPES)
    refused(d.to_numpy, UnsupportedError, ["beyond the range of floats"])


# ---------------------------------------------------------------- what stands beside a text

BESIDE = [
    ({"shapes": None}, UnknownNameError, ["unknown name 'x'", "declare it"]),
    ({"shapes": {"x": "n"}}, ShapeError, ["the shape of x", "tuple"]),
    ({"shapes": {"x": b"n"}}, ShapeError, ["the shape of x"]),
    ({"shapes": {"x": None}}, ShapeError, ["the shape of x"]),
    ({"shapes": {"x": {"n"}}}, ShapeError, ["the shape of x"]),
    ({"shapes": {"x": (0,)}}, ShapeError, ["at least 1"]),
    ({"shapes": {"x": (np.int64(-2),)}}, ShapeError, ["at least 1"]),
    ({"shapes": {"x": (None,)}}, ShapeError, ["None"]),
    ({"shapes": {"x": (("n",),)}}, ShapeError, ["name or a positive integer"]),
    ({"shapes": {"x": ("",)}}, ShapeError, ["'' is not a size"]),
    ({"shapes": {"x": ("1n",)}}, ShapeError, ["'1n' is not a size"]),
    ({"shapes": {"x": ("ﬁ",)}}, ShapeError, ["read as 'fi'"]),
    ({"shapes": {"": ("n",)}}, ParseError, ["'' is not a name"]),
    ({"shapes": "x"}, ShapeError, ["table"]),
    ({"assume": "positive"}, ParseError, ["assume is a table", "hint:"]),
    ({"assume": ["x"]}, ParseError, ["assume is a table"]),
    ({"assume": {"x": 3}}, ParseError, ["a word", "not 3"]),
    ({"assume": {"x": ["positive", 3]}}, ParseError, ["a word"]),
    ({"assume": {"x": "POSITIVE"}}, UnsupportedError, ["did you mean positive?"]),
    ({"assume": {"x": ["positive", "foo"]}}, UnsupportedError, ["'foo'", "known are"]),
    ({"assume": {"x": "symmetric"}}, ShapeError, ["no square matrix", "(n,)", "same size twice"]),
    ({"assume": {"y": "positive"}}, UnknownNameError, ["'y'", "declared are x"]),
    ({"functions": "h"}, ParseError, ["functions is a table", "dh"]),
    ({"functions": ["h"]}, ParseError, ["functions is a table"]),
    ({"functions": {"h": "dh"}}, ParseError, ["list of names"]),
    ({"functions": {"h": [3]}}, ParseError, ["3 cannot be the name"]),
    ({"functions": {3: ["dh"]}}, ParseError, ["3 cannot be the name"]),
    ({"functions": {"": []}}, ParseError, ["'' cannot be the name"]),
    ({"functions": {"ﬁ": []}}, ParseError, ["cannot be the name"]),
    ({"wrt": "X"}, UnknownNameError, ["'X'", "did you mean x?"]),
    ({"wrt": ["x", "n"]}, UnknownNameError, ["n is a size"]),
    ({"wrt": ""}, UnknownNameError, ["unknown variable ''"]),
    ({"wrt": ()}, ParseError, ["at least one variable"]),
    ({"wrt": {"x"}}, ParseError, ["a name or a list of names"]),
    ({"wrt": b"x"}, ParseError, ["a name or a list of names"]),
    ({"expr": np.ones(3)}, UnsupportedError, ["ndarray"]),
    ({"expr": object()}, UnsupportedError, ["object"]),
    ({"expr": 1.5}, UnsupportedError, ["float"]),
]


@pytest.mark.parametrize(("given", "kind", "said"), BESIDE, ids=[shortly(row[0]) for row in BESIDE])
def test_what_stands_beside_a_text(given, kind, said):
    call = {"expr": "norm(x)**2", "wrt": "x", "shapes": {"x": ("n",)}, **given}
    refused(lambda: derive(call.pop("expr"), call.pop("wrt"), **call), kind, said)


@pytest.mark.parametrize(
    ("text", "names", "said"),
    [
        ("sum(h(x))", None, ["unknown function 'h'"]),
        ("h(x, x)", ["dh"], ["1 argument", "2 given"]),
        ("h()", ["dh"], ["0 given"]),
        ("h * x", ["dh"], ["needs arguments", "h(…)"]),
    ],
)
def test_unknown_functions(text, names, said):
    functions = None if names is None else {"h": names}
    refused(lambda: derive(text, "x", shapes={"x": ("n",)}, functions=functions), ParseError, said)


@pytest.mark.parametrize(
    ("claim", "kind", "said"),
    [
        ("2 * x[:, None]", ShapeError, ["another shape", "(n,)", "(n, 1)"]),
        ("x @ x", ShapeError, ["another shape", "()"]),
        ("2 * y", UnknownNameError, ["'y'", "declared are x"]),
        ("2 * x +", ParseError, ["ends too early"]),
        ("2 * x == 2 * x", ParseError, ["comparison"]),
        ("", ParseError, ["empty"]),
        ("2*x" * 10**6, ParseError, ["characters"]),
        (None, UnsupportedError, ["NoneType"]),
        (["2 * x"], UnsupportedError, ["list"]),
    ],
    ids=shortly,
)
def test_claims(claim, kind, said):
    refused(lambda: verify("norm(x)**2", "x", claim, shapes={"x": ("n",)}), kind, said)


# ---------------------------------------------------------------- sheets

SHEETS = [
    ("x: (n,)\nx: (m,)", ParseError, ["named already", "line 2"]),
    ("x = 1\nx = 2", ParseError, ["named already", "line 2"]),
    ("y = x", UnknownNameError, ["'x'", "line 1, column 5"]),
    ("x: n", ParseError, ["gives a shape", "x: (n,)"]),
    ("x: (0,)", ParseError, ["a size is needed"]),
    ("x: (x,)", ParseError, ["both an array and a size"]),
    ("x: (n,)\nn: (m,)", ParseError, ["named already"]),
    ("sum: (n,)", ParseError, ["a word of the language"]),
    ("S: symmetric(n, m)", ShapeError, ["no square matrix", "(n, m)"]),
    ("x: (n,) = 3", ParseError, ["declaration with a value"]),
    ("x, y = 1, 2", ParseError, ["assignment to several names"]),
    ("x[0] = 1\nx[0] = 2", ParseError, ["may be named twice", "line 2"]),
    ("x[i] = 1", ParseError, ["told by an integer"]),
    ("x[0]: (n,)\ny = x", ParseError, ["is a family", "x[t]"]),
    ("import os", ParseError, ["an import", "line 1"]),
    ("x: (n,)\nwhile 1: pass", ParseError, ["a loop", "line 2"]),
    ("class A: pass", ParseError, ["a class"]),
    ("pass", ParseError, ["pass is not part"]),
    ("x: (n,)\nassert x == x, 3", ParseError, ["label", "text"]),
    ("x: (n,)\nassert x", ParseError, ["one equation"]),
    ("x: (n,)\nassert x == x == x", ParseError, ["one equation"]),
    ("x: (n,)\nassert x == 1", ShapeError, ["equal shapes", "(n,)", "()"]),
    ("x: (n,)\nassert x[None] == x", ShapeError, ["(1, n)", "(n,)"]),
    ("x: (n,)\ny: (m,)\nassert x[i] == y[i]", ShapeError, ["index i", "n and m"]),
    ("x: (n,)\nassert x[i] == k", UnknownNameError, ["'k'"]),
    ("x: (n,)\nx[n]", ParseError, ["a size", "another letter"]),
    ("x: (n,)\ndiff(x)", ParseError, ["diff(E, W)"]),
    ("x: (n,)\ndiff(x, x + x)", ParseError, ["give it a name first", "column 9"]),
    ("h: elementwise()\nx: (n,)\ndiff(h, 99)(x)", ParseError, ["between 1 and 8"]),
    ("f: function(n)\nf", ParseError, ["f is a function"]),
    ("f: function(n)\nf()", ParseError, ["at least one argument"]),
    ("def f(x): return f(x)\nx: ()\nf(x)", ParseError, ["f calls itself", "line 1, column 18"]),
    ("def f(x): return g(x)\ndef g(x): return f(x)\nx: ()\nf(x)", ParseError, ["calls itself"]),
    ("def f(x=1): return x", ParseError, ["plain parameters"]),
    ("def f(x):\n    y = x\n    return y", ParseError, ["one return statement"]),
    ("x: (n,)\n  y = x", ParseError, ["unexpected indent", "line 2"]),
    ("x: (n,)\n# \u202e", ParseError, ["does not show", "line 2, column 3"]),
    ("a: ()\nassert a**10**9 == a", ParseError, ["too large", "line 2"]),
    ("a: ()\n" * 5000, ParseError, ["named already"]),
    (
        "a: ()\ndef f0(t): return t\n"
        + "\n".join(f"def f{k + 1}(t): return f{k}(t) * f{k}(t)" for k in range(40))
        + "\nf40(a)",
        ParseError,
        ["more than 10000 calls"],
    ),
    (3, ParseError, ["a text is expected", "int"]),
    (["x: (n,)"], ParseError, ["a text is expected", "list"]),
]


@pytest.mark.parametrize(("text", "kind", "said"), SHEETS, ids=[shortly(row[0]) for row in SHEETS])
def test_statements(text, kind, said):
    refused(lambda: Sheet(text), kind, said)


def test_functions_of_functions_are_read_once():
    chain = "\n".join(f"def f{k + 1}(t): return f{k}(t) + 1" for k in range(60))
    start = time.process_time()
    (claim,) = Sheet(f"a: ()\ndef f0(t): return t\n{chain}\nassert f60(a) == a + 60").claims
    assert claim.status == "proved"
    assert time.process_time() - start < SECONDS


# ---------------------------------------------------------------- the command line

SHAPE = ["--shape", "x: (n,)"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["derive", "x +", "--wrt", "x", *SHAPE], "ends too early"),
        (["derive", "norm(x)", *SHAPE], "--wrt"),
        (["derive", "norm(x)", "--wrt", "z", *SHAPE], "unknown variable"),
        (["derive", "norm(x)", "--wrt", "x"], "unknown name"),
        (["derive", "norm(x)", "--wrt", "x", "--shape", "x (n,)"], "colon"),
        (["derive", "norm(x)", "--wrt", "x", "--shape", "x: (0,)"], "not a size"),
        (["derive", "norm(x)", "--wrt", "x", *SHAPE, *SHAPE], "twice"),
        (["derive", "norm(x)", "--wrt", "x", *SHAPE, "--assume", "x: symmetric"], "no square matrix"),
        (["derive", "norm(x)", "--wrt", "x", *SHAPE, "--assume", "x"], "nothing is assumed"),
        (["derive", "norm(x)", "--wrt", "x", *SHAPE, "--function", "a b"], "not a name"),
        (["derive", "norm(x)", "--wrt", "x", *SHAPE, "--nonsense"], "nonsense"),
        (["derive"], "EXPRESSION"),
        (["derive", "(" * 10**5, "--wrt", "x", *SHAPE], "brackets"),
        (["verify", "norm(x)**2", "--wrt", "x", *SHAPE], "--claim"),
        (["verify", "norm(x)**2", "--wrt", "x", *SHAPE, "--claim", "x @ x"], "another shape"),
        (["handout", "no-such-file.md"], "no-such-file.md"),
        (["handout", "--format", "doc"], "doc"),
        (["nonsense"], "nonsense"),
    ],
    ids=lambda value: shortly(value) if isinstance(value, list) else "",
)
def test_the_command_line_says_what_is_wrong_and_exits_with_2(args, said):
    result = CliRunner().invoke(main, args)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


def test_every_error_is_of_one_family():
    for name in ("ParseError", "UnknownNameError", "ShapeError", "UnsupportedError", "ProofError"):
        assert issubclass(getattr(symderiv, name), SymderivError)
