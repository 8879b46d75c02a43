"""Generated Python is looked at before it is compiled, and Python's own names stay Python's own."""

from __future__ import annotations

import ast
import builtins
import keyword

import numpy as np
import pytest

from symderiv import ParseError, Sheet, SymderivError, UnsupportedError, derive, generate
from symderiv.code.checked import BUILTINS, checked_tree
from symderiv.code.compiled import compiled

NAMES = """len float range zip reversed int sorted max sum dict input id print ImportError __import__ __name__
    np numpy linalg scipy e i t1 derivative""".split()  # noqa: SIM905 -- a table of words reads better as words
OWN = sorted(n for n in vars(builtins) if n.isidentifier() and not keyword.iskeyword(n))
CASES = {
    "vector": ("sum(softmax({0} * y, 0)**2) / n + norm({0})", {"{0}": ("n",), "y": ("n",)}),
    "matrix": ("logdet({0} @ {0}.T + eye(n)) + sum(sigmoid({0} @ y)) * sqrt(n)", {"{0}": ("n", "m"), "y": ("m",)}),
}


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "from os import path as numpy",
        "import numpy.x, os",
        "def f(x):\n    return open(x)",
        "def f(x):\n    return x.__class__",
        "def f(x):\n    return x._private",
        "def __import__(x):\n    return x",
        "def f(x):\n    global y",
        "class A:\n    pass",
        "async def f(x):\n    return x",
        "@f\ndef f(x):\n    return x",
        "def f(x):\n    exec(x)",
        "def f(x):\n    del x",
        "def f(x):\n    raise x",
        "while 1:\n    pass",
        "def f(x):\n    return (y := x)",
        "def f(x):\n    return f'{x}'",
        "def f(x:",
        "x = '\0'",
    ],
)
def test_what_generated_code_never_holds_is_not_run(text):
    with pytest.raises(UnsupportedError, match="the generated code"):
        compiled(text, "f")


@pytest.mark.parametrize("name", sorted(BUILTINS - {"ImportError"}))
@pytest.mark.parametrize(
    "text", ["def f({0}, x):\n    return {0}(x)", "def {0}(x):\n    return x\n\n\ndef f(x):\n    return {0}(x)"]
)
def test_what_hides_a_function_that_is_used_is_refused(name, text):
    with pytest.raises(ParseError, match=name):
        checked_tree(text.format(name))
    checked_tree(text.format(name).replace(f"return {name}(x)", "return x"))


@pytest.mark.parametrize("text", CASES)
def test_arrays_called_like_python_s_own(text):
    """The code of an array with any name does what it does under a plain one."""
    template, shapes = CASES[text]
    values = {k: np.random.default_rng(0).standard_normal([{"n": 3, "m": 4}[s] for s in v]) for k, v in shapes.items()}

    def value(name):
        d = derive(template.format(name), name, shapes={k.format(name): v for k, v in shapes.items()})
        return d.compile()(**{k.format(name): v for k, v in values.items()})

    wanted, taken = value("Q"), []
    for name in NAMES:
        try:
            np.testing.assert_allclose(value(name), wanted, err_msg=name)
            taken.append(name)
        except SymderivError:
            continue
    assert {"len", "float", "range", "zip", "reversed", "input", "id", "np", "linalg"} <= set(taken)
    assert not any(name.startswith("__") for name in taken)


LOOP = """{0}: (n,)
h[0]: (n,)
for t in range(1, T + 1):
    h[t] = tanh({0} * h[t-1])
E = sum(h[T])
code(diff(E, {0}))"""


@pytest.mark.parametrize("name", ["float", "reversed", "len"])
def test_loops_over_families_called_like_python_s_own(name):
    (code,) = Sheet(LOOP.format(name)).claims
    assert code.status == "agrees", code.scope


def test_loops_that_would_need_what_is_hidden_are_refused():
    (code,) = Sheet(LOOP.format("zip")).claims
    assert code.status == "undecided"
    assert "needs Python's own zip" in code.scope
    with pytest.raises(ParseError, match="range is a word of the language"):
        Sheet(LOOP.format("range"))


@pytest.mark.parametrize("name", [*OWN, "linalg", "lambda", "ª", "__debug__", "a b", "a\n", ""])
def test_functions_called_like_what_code_uses_are_refused(name):
    d = derive("x @ A @ x", "x", shapes={"x": ("n",), "A": ("n", "n")})
    with pytest.raises(ParseError, match="is not a name for a function"):
        d.to_numpy(name=name)
    with pytest.raises(ParseError):
        generate("sum(x**2)", "x", shapes={"x": ("n",)}, name=name)


@pytest.mark.parametrize("name", ["__debug__", "__class__", "__builtins__", "__import__"])
def test_names_between_two_underscores_are_refused(name):
    for call in (
        lambda: derive(f"sum({name})", name, shapes={name: ("n",)}),
        lambda: derive("sum(x)", "x", shapes={"x": (name,)}),
        lambda: derive("sum(h(x))", "x", shapes={"x": ("n",)}, functions={"h": [name]}),
        lambda: Sheet(f"{name}: (n,)"),
        lambda: Sheet(f"x: (n,)\n{name} = x"),
        lambda: Sheet(f"{name}: function()"),
    ):
        with pytest.raises(SymderivError):
            call()


def test_everything_generated_passes():
    shapes = {"A": ("n", "n"), "x": ("n",), "y": ("n",)}
    text = "logdet(A) + sum(logsumexp(A, 1)) + x @ inv(A) @ y + sum(sigmoid(x) * softmax(y, 0))"
    d = derive(text, "A", shapes=shapes, assume={"A": "positive_definite"})
    assert isinstance(checked_tree(d.to_numpy(value=True)), ast.Module)
