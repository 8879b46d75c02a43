"""Every mistake is told as one family of errors, with its place, the shapes and what to do about it."""

from __future__ import annotations

import contextlib
import pickle
import time

import pytest

import symderiv
from symderiv.errors import Place, ShapeError, SymderivError

SHAPES = {
    "A": ("n", "m"),
    "B": ("n", "m"),
    "S": ("n", "n"),
    "x": ("m",),
    "y": ("n",),
    "weights": ("m",),
    "c": (),
}

# text, kind, what the message says
MISUSES = [
    ("", symderiv.ParseError, ["empty", "hint:"]),
    ("   ", symderiv.ParseError, ["empty"]),
    ("x +", symderiv.ParseError, ["not an expression", "^"]),
    ("x = 1", symderiv.ParseError, ["not an expression", "^"]),
    ("weight + 1", symderiv.UnknownNameError, ["'weight'", "did you mean weights?", "^"]),
    ("zebra", symderiv.UnknownNameError, ["'zebra'", "declared are", "weights"]),
    ("sofmax(A, 1)", symderiv.UnknownNameError, ["'sofmax'", "did you mean softmax?", "^"]),
    ("frobnicate(x)", symderiv.UnknownNameError, ["'frobnicate'", "symderiv knows", "tanh"]),
    ("tanh", symderiv.ParseError, ["needs arguments", "tanh(…)"]),
    ("A @ y", symderiv.ShapeError, ["(n, m)", "(n,)", "left factor transposed", "^"]),
    ("A @ B", symderiv.ShapeError, ["left: shape (n, m)", "right: shape (n, m)", "transposed"]),
    ("x + y", symderiv.ShapeError, ["(m,)", "(n,)", "hint:"]),
    ("A + y", symderiv.ShapeError, ["(n, m)", "(n,)", "v[:, None]"]),
    ("A * A.T", symderiv.ShapeError, ["(n, m)", "(m, n)", "transpose"]),
    ("c @ x", symderiv.ShapeError, ["scalars", "write *"]),
    ("sum(x, 1)", symderiv.ShapeError, ["axis 1", "out of range", "(m,)"]),
    ("sum(x, -2)", symderiv.ShapeError, ["axis -2", "out of range"]),
    ("softmax(A, 2)", symderiv.ShapeError, ["axis 2", "(n, m)"]),
    ("inv(A)", symderiv.ShapeError, ["square", "(n, m)"]),
    ("det(A)", symderiv.ShapeError, ["square", "(n, m)"]),
    ("logdet(x)", symderiv.ShapeError, ["matrix", "(m,)"]),
    ("trace(A)", symderiv.ShapeError, ["square", "(n, m)"]),
    ("solve(S, x)", symderiv.ShapeError, ["rows", "(n, n)", "(m,)"]),
    ("outer(A, c)", symderiv.ShapeError, ["vectors", "(n, m)"]),
    ("inner(x, y)", symderiv.ShapeError, ["(m,)", "(n,)"]),
    ("kron(A, x)", symderiv.ShapeError, ["kron", "(n, m)", "(m,)"]),
    ("matrix_power(A, 2)", symderiv.ShapeError, ["square"]),
    ("matrix_power(S, 1000)", symderiv.UnsupportedError, ["1000", "hint:"]),
    ("matrix_power(S, c)", symderiv.ParseError, ["literal integer", "^"]),
    ("transpose(A, (0, 0))", symderiv.ShapeError, ["once"]),
    ("reshape(A, (n,))", symderiv.ShapeError, ["number of entries", "(n, m)"]),
    ("reshape(A, (q,))", symderiv.ParseError, ["size is needed", "sizes are", "^"]),
    ("einsum('ij,jk->ik', A, A)", symderiv.ShapeError, ["two sizes", "(n, m)"]),
    ("einsum('ij->ii', S)", symderiv.ParseError, ["no einsum"]),
    ("einsum(A, A)", symderiv.ParseError, ["text such as"]),
    ("einsum('ij,jk->ik', A)", symderiv.ShapeError, ["names 2 arrays"]),
    ("tanh(x, x)", symderiv.ParseError, ["takes 1 argument", "2 given", "^"]),
    ("softmax(x)", symderiv.ParseError, ["takes 2 arguments", "1 given"]),
    ("solve(S)", symderiv.ParseError, ["takes 2 arguments"]),
    ("where(x, x, x)", symderiv.ParseError, ["comparison"]),
    ("x > 0", symderiv.ParseError, ["comparison", "where", "^"]),
    ("where(0 < x < 1, x, 0)", symderiv.ParseError, ["one comparison"]),
    ("where(x == 0, x, 0)", symderiv.ParseError, ["comparison"]),
    ("softmax(x, 0, keepdims=True)", symderiv.ParseError, ["keepdims"]),
    ("sum(*x)", symderiv.ParseError, ["starred"]),
    ("__import__('os')", symderiv.UnknownNameError, ["'__import__'"]),
    ("(lambda: 1)()", symderiv.ParseError, ["only functions of the language"]),
    ("lambda x: x", symderiv.ParseError, ["a lambda is not part"]),
    ("x.shape", symderiv.ParseError, ["attribute .shape", "names", "^"]),
    ("x.__class__.__mro__", symderiv.ParseError, ["not part of the language"]),
    ("x.sum()", symderiv.ParseError, ["methods", "sum(x)"]),
    ("np.linalg.norm.__call__(x)", symderiv.ParseError, ["__call__ is not part of the language"]),
    ("f'{x}'", symderiv.ParseError, ["not part of the language"]),
    ("'text'", symderiv.ParseError, ["not a number"]),
    ("True", symderiv.ParseError, ["not a number"]),
    ("1j", symderiv.ParseError, ["not a number"]),
    ("[x, x]", symderiv.ParseError, ["a list", "declared"]),
    ("[t for t in x]", symderiv.ParseError, ["a comprehension"]),
    ("x if x else x", symderiv.ParseError, ["conditional", "where"]),
    ("(t := x)", symderiv.ParseError, ["not part of the language"]),
    ("x and x", symderiv.ParseError, ["and, or", "where"]),
    ("x // 2", symderiv.ParseError, ["//", "^"]),
    ("x % 2", symderiv.ParseError, ["%"]),
    ("~x", symderiv.ParseError, ["not part of the language"]),
    ("import os", symderiv.ParseError, ["not an expression"]),
    ("x[0]", symderiv.ParseError, ["entries", "x[:, None]"]),
    ("x[1:]", symderiv.ParseError, ["entries"]),
    ("delta[n, m]", symderiv.ParseError, ["index notation", "eye(n)"]),
    ("x / 0", symderiv.UnsupportedError, ["division by 0"]),
    ("1 / eye(n)", symderiv.UnsupportedError, ["zeros"]),
    ("x**9999999", symderiv.ParseError, ["exponent", "too large"]),
    ("1" * 5000, symderiv.ParseError, ["digits"]),
    ("1e400", symderiv.ParseError, ["out of range"]),
    ("(" * 90_000 + "x" + ")" * 90_000, symderiv.ParseError, ["brackets"]),
    ("(" * 100_000 + "x" + ")" * 100_000, symderiv.ParseError, ["characters"]),
    ("-" * 50_000 + "c", symderiv.ParseError, ["nested too deeply"]),
    ("+".join(["x"] * 60_000), symderiv.ParseError, ["nested too deeply"]),
    ("x" * 1_000_000, symderiv.ParseError, ["characters, more than", "hint:"]),
    ("x\0", symderiv.ParseError, []),
    (12, symderiv.SymderivError, ["int", "hint:"]),
    (None, symderiv.SymderivError, ["NoneType"]),
    (b"x", symderiv.SymderivError, ["bytes"]),
    (["x"], symderiv.SymderivError, ["list"]),
]


def name_of(value):
    text = repr(value)
    return text if len(text) < 50 else f"{text[:20]}… ({len(text)} characters)"


@pytest.mark.parametrize(("text", "kind", "said"), MISUSES, ids=[name_of(row[0]) for row in MISUSES])
def test_a_misuse_is_explained(text, kind, said):
    start = time.perf_counter()
    with pytest.raises(SymderivError) as err:
        symderiv.derive(text, "x", shapes=SHAPES)
    assert time.perf_counter() - start < 2
    assert isinstance(err.value, kind)
    message = str(err.value)
    assert all(part in message for part in said), message
    assert len(message) < 2000


@pytest.mark.parametrize(("given", "said"), [
    ({"shapes": {"x": "n"}}, ["the shape of x", "tuple"]),
    ({"shapes": {"x": (0,)}}, ["at least 1"]),
    ({"shapes": {"x": (-3,)}}, ["at least 1"]),
    ({"shapes": {"x": (2.5,)}}, ["2.5"]),
    ({"shapes": {"x": (True,)}}, ["True"]),
    ({"shapes": {"x": ("n-1",)}}, ["'n-1' is not a size"]),
    ({"shapes": {"x": 3}}, ["the shape of x"]),
    ({"shapes": {"a b": ("n",), "x": ("n",)}}, ["'a b' is not a name"]),
    ({"assume": {"x": "positve"}}, ["did you mean positive?"]),
    ({"assume": {"y": "positive"}}, ["'y'", "not declared"]),
    ({"wrt": "z"}, ["unknown variable 'z'", "declared are x"]),
    ({"wrt": []}, ["at least one variable"]),
    ({"wrt": "n"}, ["unknown variable 'n'"]),
])  # fmt: skip
def test_what_stands_beside_the_text_is_explained_too(given, said):
    call = {"expr": "norm(x)", "wrt": "x", "shapes": {"x": ("n",)}, **given}
    with pytest.raises(SymderivError) as err:
        symderiv.derive(**call)
    assert all(part in str(err.value) for part in said), str(err.value)


@pytest.mark.parametrize(
    "text",
    ["x**(10**9)", "c * 9**9**9**9**9", "x**(10**9 * 10**9)", "2**(2**(2**64))", "matrix_power(S, 64) @ y"],
)
def test_towers_of_powers_are_answered_at_once(text):
    start = time.perf_counter()
    with contextlib.suppress(SymderivError):
        symderiv.derive(text, "x", shapes=SHAPES)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("given", [
    {"shapes": {"for": ("n",), "x": ("n",)}},
    {"shapes": {"x": ("for",)}},
    {"assume": {"S": "symmetric"}, "shapes": {"S": ("n", "m"), "x": ("n",)}},
    {"wrt": 3},
    {"wrt": [["x"]]},
    {"wrt": None},
    {"shapes": {3: ("n",), "x": ("n",)}},
    {"shapes": ["x"]},
    {"functions": {"h": None}},
])  # fmt: skip
def test_odd_input_is_refused_and_not_crashed_on(given):
    call = {"expr": "norm(x)", "wrt": "x", "shapes": {"x": ("n",)}, **given}
    with pytest.raises(SymderivError):
        symderiv.derive(**call)


def refused(expr, x, shapes, **more):
    with pytest.raises(SymderivError) as err:
        symderiv.derive(expr, x, shapes=shapes, **more)
    return err.value


def test_a_derivative_without_a_name_says_how_to_name_it():
    error = refused("sum(h(x))", "x", {"x": ("n",)}, functions={"h": []})
    assert isinstance(error, symderiv.UnsupportedError)
    assert "order 1 of h has no name" in error.message
    assert "functions={'h': ['dh']}" in error.hint
    error = refused("sum(h(x))", ["x", "x"], {"x": ("n",)}, functions={"h": ["dh"]})
    assert "order 2" in error.message
    assert "functions={'h': ['dh', 'd2h']}" in error.hint
    assert symderiv.derive("x @ h(y)", "x", shapes={"x": ("n",), "y": ("n",)}, functions={"h": []})


NAMED = {"x": ("n",)}


@pytest.mark.parametrize(
    ("shapes", "functions", "said"),
    [
        ({"x": ("n",), "n": ()}, {}, "n is both an array and a size"),
        ({"x": ("n",), "n": ("n",)}, {}, "n is both an array and a size"),
        ({"x": ("x",)}, {}, "x is both an array and a size"),
        (NAMED, {"h": ["x"]}, "'x' cannot be the name of a function"),
        (NAMED, {"h": ["n"]}, "'n' cannot be the name of a function"),
        (NAMED, {"h": ["h"]}, "'h' cannot be the name of a function"),
        (NAMED, {"x": ["dx"]}, "'x' cannot be the name of a function"),
        (NAMED, {"h": ["dh"], "g": ["dh"]}, "'dh' cannot be the name of a function"),
        (NAMED, {"h": ["d h"]}, "'d h' cannot be the name of a function"),
        (NAMED, {"h": ["tanh"]}, "'tanh' cannot be"),
        (NAMED, {"h": ["sum"]}, "'sum' cannot be"),
        (NAMED, {"tanh": ["dh"]}, "'tanh' cannot be"),
        (NAMED, {"h": ["lambda"]}, "'lambda' cannot be"),
    ],
)
def test_names_that_collide_are_refused(shapes, functions, said):
    error = refused("sum(h(x))" if "h" in functions else "sum(x)", "x", shapes, functions=functions)
    assert said in str(error)
    assert error.hint


@pytest.mark.parametrize("name", ["lambda", "None", "True", "class", "for", "is", "async"])
def test_words_of_python_are_no_names(name):
    error = refused("sum(x)", "x", {"x": ("n",), name: ("n",)})
    assert f"{name!r} is not a name" in error.message
    assert error.hint
    error = refused("sum(x)", "x", {"x": (name,)})
    assert f"{name!r} is not a size" in error.message
    assert error.hint


@pytest.mark.parametrize("name", ["match", "case", "type", "_", "print", "sum"])
def test_words_that_python_keeps_for_some_places_are_names(name):
    d = symderiv.derive(f"{name} @ {name}", name, shapes={name: ("n",)})
    assert d.compile()(**{name: [1.0, 2.0]}).tolist() == [2.0, 4.0]


@pytest.mark.parametrize("name", ["é", "θ", "λ", "Δx", "变量", "ß", "x́"])
def test_names_in_any_script(name):
    d = symderiv.derive(f"norm({name} - y)**2", name, shapes={name: ("n",), "y": ("n",)})
    assert d.compile()(**{name: [1.0, 2.0], "y": [0.0, 0.0]}).tolist() == [2.0, 4.0]
    d.proof.check()


@pytest.mark.parametrize("name", ["e\u0301", "\N{MATHEMATICAL BOLD SMALL X}", "\N{LATIN SMALL LIGATURE FI}"])
def test_names_that_python_would_respell_are_refused(name):
    with pytest.raises(symderiv.ParseError, match="is read as"):
        symderiv.derive(f"sum({name}**2)", name, shapes={name: ("n",)})


@pytest.mark.parametrize(
    ("text", "line", "column", "marked"),
    [
        ("θ + δθ @ x", 1, 5, "δθ"),
        ("ααα + (θ @ b)", 1, 12, "b"),
        ("(θ +\n ααα @ b)", 2, 8, "b"),
        ("θ × x", 1, 3, "×"),
        ("θ + “x”", 1, 5, "“"),
        ("ααα * 2 + ααα * (A @ θ)", 1, 18, "A @ θ"),
    ],
)
def test_columns_count_characters_whatever_their_bytes(text, line, column, marked):
    error = refused(text, "x", {"x": ("n",), "θ": ("n",), "ααα": ("n",), "A": ("n", "m")})
    assert f"line {line}, column {column})" in str(error)
    shown, mark = error.place.shown().splitlines()
    start = mark.index("^")
    assert shown[start : start + mark.count("^")] == marked


def test_the_mark_stands_under_the_place():
    with pytest.raises(ShapeError) as err:
        symderiv.derive("c * x + (A @ y) * 2", "x", shapes=SHAPES)
    lines = str(err.value).splitlines()
    assert lines[1].strip() == "c * x + (A @ y) * 2"
    start = lines[2].index("^") - lines[1].index("c")
    assert "c * x + (A @ y) * 2"[start : start + lines[2].count("^")] == "A @ y"
    assert "line 1, column 10" in lines[0]


def test_a_long_line_is_cut_around_the_place():
    text = " + ".join(["x"] * 80) + " + y"
    with pytest.raises(ShapeError) as err:
        symderiv.derive(text, "x", shapes=SHAPES)
    assert max(map(len, str(err.value).splitlines())) < 120


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_place_shows_its_line(line):
    place = Place("a\nbb\nccc", column=0, end=line, line=line, source="notes.md")
    shown, mark = place.shown().splitlines()
    assert shown.strip() == "abc"[line - 1] * line
    assert mark.strip() == "^" * line
    assert place.named() == f"notes.md, line {line}, column 1"


def test_an_error_keeps_its_nearest_place_and_pickles():
    near, far = Place("a @ b", 2, 3), Place("a @ b")
    error = ShapeError("no", shapes={"left": "(n,)"}, hint="try").at(near).at(far)
    assert error.place is near
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is ShapeError
    assert str(again) == str(error)
