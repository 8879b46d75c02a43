"""Entries along an axis, taken as far down as they go: the value is that of the whole array's entry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symderiv.code.compiled import compiled
from symderiv.code.loop_writer import program_source
from symderiv.code.picked import picked
from symderiv.code.program import Assign, Place, Program
from symderiv.code.source import Argument
from symderiv.tensor.parse import parse, scope_of

SHAPES = {"A": ("m", "n"), "B": ("n", "m"), "a": ("m",), "b": ("n",), "s": ()}
SIZES = {"m": 3, "n": 4}

CASES = [
    ("log(A**2 + 1)", 0), ("log(A**2 + 1)", 1), ("A + b", 0), ("A + b", 1),
    ("a[:, None] - A", 0), ("a[:, None] - A", 1), ("A @ B", 0), ("A @ B", 1),
    ("A @ b", 0), ("a @ A", 0), ("outer(a, b)", 0), ("outer(a, b)", 1),
    ("A.T", 0), ("A.T", 1), ("eye(m)", 0), ("eye(m)", 1),
    ("diag(a)", 1), ("ones((m, n))", 1), ("softmax(A, 1)", 0), ("s * a[:, None] * eye(m)", 0),
    ("a[:, None] * eye(m) - outer(a, a)", 1), ("where(A > 0, A, s)", 1), ("kron(A, B)", 1),
    ("einsum('ij,k->ijk', A, b)", 0), ("einsum('ij,k->ijk', A, b)", 2), ("einsum('ij,ik->ikj', A, A)", 0),
    ("einsum('ij,ji->i', A, B)", 0), ("einsum('ii->i', A @ B)", 0),
]  # fmt: skip


def run(expr: Any, k: int) -> Any:
    arguments = [Argument(name, parse(name, scope_of(SHAPES)).shape) for name in SHAPES]
    arguments.append(Argument("k", (), below=parse("a", scope_of(SHAPES)).shape[0]))
    source = program_source(Program("f", arguments, [], [expr], "f", places={"k": Place("k")}))
    rng = np.random.default_rng(0)
    values = {name: rng.standard_normal([SIZES[s] for s in shape]) for name, shape in SHAPES.items()}
    return compiled(source, "f")(**values, k=k)


@pytest.mark.parametrize(("text", "axis"), CASES)
@pytest.mark.parametrize("k", [0, 2])
def test_the_entry_of_the_whole(text: str, axis: int, k: int) -> None:
    whole = parse(text, scope_of(SHAPES))
    found = run(picked(whole, axis, "k"), k)
    wanted = np.take(run(whole, k), k, axis=axis)
    assert np.shape(found) == wanted.shape
    assert np.abs(found - wanted).max() <= 1e-15 * max(1, np.abs(wanted).max())


def test_an_assignment_is_written_with_its_sign() -> None:
    total = parse("s", scope_of(SHAPES))
    items = [Assign(Place("total"), total), Assign(Place("total"), total, "+")]
    text = program_source(Program("f", [Argument("s", ())], items, [total], "f"))
    assert "total = s" in text
    assert "total += s" in text
