"""Products read off matrix notation have the value of what was written, contracted in whatever order."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from symderiv.code.compiled import compiled
from symderiv.code.contracting import Setting, contracted
from symderiv.code.costs import Costs
from symderiv.code.numpy import Writer
from symderiv.code.products import NotRead, Reader
from symderiv.code.shortcuts import halved, with_made
from symderiv.code.source import Argument, Source
from symderiv.tensor.parse import parse, scope_of

SHAPES = {
    "A": ("m", "k"), "B": ("k", "n"), "C": ("m", "n"), "S": ("n", "n"), "x": ("m",), "y": ("k",), "z": ("n",), "c": (),
    "T": ("m", "k", "n"),
}  # fmt: skip
SCOPE = scope_of(SHAPES)
SIZES = [{"m": 4, "k": 2, "n": 3}, {"m": 1, "k": 3, "n": 2}, {"m": 3, "k": 3, "n": 3}]
rng = np.random.default_rng(1)


def setting(made=()):
    return Setting(Costs({}), lambda e: False, lambda e: False, set(made))


def read(text):
    return Reader(lambda e: True).product(parse(text, SCOPE))


def value(expr, arrays):
    arguments = [Argument(k, v.shape) for k, v in SCOPE.names.items()]
    return compiled(Writer(Source("f", arguments, [expr], "f.")).module(), "f")(**arrays)


def drawn(sizes):
    return {k: rng.uniform(0.5, 2, [sizes[s] for s in shape]) for k, shape in SHAPES.items()}


WRITTEN = {
    "A @ B @ z": lambda a: a["A"] @ a["B"] @ a["z"],
    "2 * (x @ A) * y / 3": lambda a: 2 / 3 * (a["x"] @ a["A"]) * a["y"],
    "-(A * y) @ B": lambda a: -(a["A"] * a["y"]) @ a["B"],
    "(A @ B).T * x / c": lambda a: (a["A"] @ a["B"]).T * a["x"] / a["c"],
    "C / x[:, None] * z": lambda a: a["C"] / a["x"][:, None] * a["z"],
    "trace(S @ C.T @ A @ B)": lambda a: np.trace(a["S"] @ a["C"].T @ a["A"] @ a["B"]),
    "sum(C * (A @ B), 1)": lambda a: np.sum(a["C"] * (a["A"] @ a["B"]), 1),
    "mean(C * z, 0)": lambda a: np.mean(a["C"] * a["z"], 0),
    "diag(C.T @ A @ B)": lambda a: np.diag(a["C"].T @ a["A"] @ a["B"]),
    "outer(x, y) @ B": lambda a: np.outer(a["x"], a["y"]) @ a["B"],
    "einsum('ijk,ij->k', T, A)": lambda a: np.einsum("ijk,ij->k", a["T"], a["A"]),
    "einsum('ijk,i,k->j', T, x, z)": lambda a: np.einsum("ijk,i,k->j", a["T"], a["x"], a["z"]),
    "diag(x) @ A @ diag(y)": lambda a: np.diag(a["x"]) @ a["A"] @ np.diag(a["y"]),
    "eye(m) @ A @ eye(k)": lambda a: a["A"],
    "sum(A**2, 1) * x": lambda a: np.sum(a["A"] ** 2, 1) * a["x"],
    "diag(S) * z": lambda a: np.diag(a["S"]) * a["z"],
    "inv(S) @ C.T @ A": lambda a: np.linalg.inv(a["S"]) @ a["C"].T @ a["A"],
    "z @ inv(S).T @ z": lambda a: a["z"] @ np.linalg.inv(a["S"]).T @ a["z"],
}


@pytest.mark.parametrize("text", WRITTEN)
@pytest.mark.parametrize("sizes", SIZES)
def test_contracted_products_have_the_value_of_what_was_written(text, sizes):
    arrays = drawn(sizes)
    product = read(text)
    assert not product.deltas
    assert np.allclose(value(contracted(product, setting()), arrays), WRITTEN[text](arrays), rtol=1e-8)


def test_deltas_between_axes_of_the_result_are_told():
    product = read("einsum('ij,kl->ikjl', S, eye(m))")
    assert product.deltas == [(product.out[1], product.out[3])]
    assert read("S @ eye(n)").deltas == []
    assert read("diag(z)").deltas == [read("diag(z)").out] or len(read("diag(z)").deltas) == 1


@pytest.mark.parametrize("text", ["trace(eye(n))", "sum(eye(n), 1)"])
def test_a_sum_over_ones_stays_as_it_is(text):
    assert contracted(read(text), setting()) is parse(text, SCOPE)


def test_what_lacks_an_axis_of_the_result_is_no_product():
    with pytest.raises(NotRead):
        contracted(replace(read("x @ A"), factors=[]), setting())


def test_numbers_are_gathered():
    assert read("2 * (-A) * 3 / 4").coef == Fraction(-3, 2)


def test_a_product_that_is_there_is_taken():
    there = parse("A @ B", SCOPE)
    joined = with_made(read("C.T @ A @ B"), setting([there]))
    assert joined is not None
    assert there in {f.expr for f in joined.factors}
    assert with_made(read("C.T @ A @ B"), setting()) is None


def test_a_vector_that_is_there_is_taken():
    there = parse("C @ z", SCOPE)
    for text in ("x @ C @ z", "z @ C.T @ x"):
        joined = with_made(read(text), setting([there]))
        assert joined is not None
        assert there in {f.expr for f in joined.factors}


def test_only_products_of_nothing_negative_are_halved():
    half = halved(read("C.T @ (C * exp(x)[:, None])"), setting())
    assert half is not None
    assert half.op == "matmul"
    arrays = drawn(SIZES[0])
    wanted = arrays["C"].T @ (arrays["C"] * np.exp(arrays["x"])[:, None])
    assert np.allclose(value(half, arrays), wanted)
    assert halved(read("C.T @ (C * x[:, None])"), setting()) is None
    assert halved(read("C.T @ A"), setting()) is None
