"""Expressions: interned, with a digest that any process finds again, walked without recursion."""

from __future__ import annotations

import os
import subprocess
import sys

from symderiv.tensor.expr import defined, inductive, names_written_out, walk, written_out
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import parse, scope_of
from symderiv.tensor.text import to_text

SCOPE = scope_of({"A": ("n", "n"), "x": ("n",)})
DEEP = 3000


def chain(length):
    """Return `tanh(… tanh(x))`, each step a definition."""
    expr = SCOPE.names["x"]
    for k in range(length):
        expr = defined(f"z{k}", apply("map", expr, data=("tanh", 0)))
    return expr


def test_equal_means_identical_whatever_was_asked_first():
    text = "A @ (A @ x) + 2 * x"
    key = parse(text, SCOPE).key
    again = parse(text, SCOPE)
    assert parse(text, SCOPE) is again
    assert again.key == key
    assert len({e.key for e in walk(again)}) == len(list(walk(again)))


def test_a_digest_is_the_same_in_every_process():
    """Whatever order a process keeps sets in: those of assumptions, too."""
    code = (
        "from symderiv.tensor.parse import parse, scope_of; "
        "shapes, assume = {'A': ('n', 'n'), 'x': ('n',)}, {'A': ['symmetric', 'invertible', 'orthogonal']}; "
        "print(parse('A @ x', scope_of(shapes, assume)).key)"
    )
    found = set()
    for seed in ("1", "2", "3", "4"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        found |= set(run.stdout.split())
    assert len(found) == 1


def test_depth_is_no_limit():
    deep = chain(DEEP)
    assert len(deep.key) == 20
    assert sum(1 for _ in walk(deep)) == 2 * DEEP + 1
    assert written_out(deep).weight == 2 * DEEP + 1


def test_definitions_are_named_by_their_texts_written_out():
    u = defined("u", parse("A @ x", SCOPE))
    v = defined("v", apply("mul", u, u))
    names = {to_text(e): name for e, name in names_written_out(apply("add", v, u), v).items()}
    assert names == {"A @ x": "u", "A @ x * (A @ x)": "v"}
    assert list(names.values()) == ["u", "v"]


def test_a_value_found_arguments_first_is_found_once():
    asked = []

    def rule(expr, known):
        asked.append(expr)
        return 1 + sum(map(known, expr.args))

    expr = SCOPE.names["A"]
    for _ in range(200):
        expr = apply("add", expr, expr)
    assert inductive(rule)(expr) == 2**201 - 1
    assert len(asked) == len(set(asked)) == 201
    assert inductive(lambda e, known: 1 + sum(map(known, e.args)))(chain(DEEP)) == 2 * DEEP + 1
