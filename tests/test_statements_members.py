"""Reading members of families: what is refused, where, and with which remedy; what is read prints and reads back."""

from __future__ import annotations

import re

import pytest

from symderiv.errors import ShapeError, SymderivError, UnsupportedError
from symderiv.statements.block import Names, read_block
from symderiv.tensor.text import to_text

START = """h[0]: (n,)
for t in range(1, T + 1):
    x[t]: (n,)
    h[t] = tanh(h[t-1] + x[t])
"""

MISUSES = {
    "a member past the last": (START + "assert h[T+1] == h[T]", 5, r"h\[T \+ 1\] may lie outside", "narrow"),
    "a member before the first": (START + "for t in range(0, T + 1):\n    assert x[t] == x[t]", 6, "outside", "1 … T"),
    "a recurrence without a start": ("for t in range(1, T + 1):\n    g[t] = tanh(g[t-1])", 2, "outside", "the others"),
    "itself": ("for t in range(1, T + 1):\n    g[t] = 2 * g[t]", 2, "outside", "the others"),
    "no label": (START + "assert h == h", 5, "h is a family", r"h\[t\]"),
    "a member twice": (START + "h[0]: (n,)", 5, "named twice", r"0 … 0"),
    "members of two loops": (START + "for t in range(0, T + 1):\n    h[t] = ones(n)", 6, "named twice", "before"),
    "perhaps twice": ("for t in range(1, T + 1):\n    x[t]: (n,)\nx[5]: (n,)", 3, "may be named twice", "1 … T"),
    "the same in every turn": (
        START + "for t in range(1, T + 1):\n    g[1] = x[t]",
        6,
        "same in every turn",
        "outside",
    ),
    "a plain name in a loop": (START + "for t in range(1, T + 1):\n    g = x[t]", 6, "same in every turn", r"g\[t\]"),
    "an outer loop": (
        START + "for k in range(1, 3):\n    for t in range(1, T + 1):\n        g[t] = x[t]",
        7,
        "loop over k",
        "outside",
    ),
    "a square": (START + "for t in range(1, T + 1):\n    assert x[t*t] == x[t]", 6, "not linear", "2\\*t"),
    "every other member": (START + "for t in range(1, T + 1):\n    g[2*t] = x[t]", 6, "one member a turn", "h"),
    "an unknown integer": (START + "assert x[r] == x[1]", 5, "told by an integer", r"integer\(1, T\)"),
    "an array for a label": (START + "v: (n,)\nassert x[v] == x[1]", 6, "told by an integer", "h"),
    "a fraction": (START + "assert x[1.5] == x[1]", 5, "told by an integer", "h"),
    "a length for a variable": (
        START + "for T in range(1, 3):\n    assert x[T] == x[T]",
        5,
        "meaning already",
        "letter",
    ),
    "an array for a variable": (
        START + "v: ()\nfor v in range(1, 3):\n    assert x[v] == x[v]",
        6,
        "meaning",
        "letter",
    ),
    "the variable of a loop again": (
        START + "for t in range(1, T + 1):\n    assert sum(x[t] for t in range(1, T + 1)) == x[t]",
        6,
        "meaning",
        "letter",
    ),
    "a step": (START + "for t in range(1, T + 1, 2):\n    assert x[t] == x[t]", 5, "up or down by 1", "range"),
    "a list": (START + "for t in [1, 2]:\n    assert x[t] == x[t]", 5, "runs over a range", "range"),
    "a condition in a sum": (
        START + "assert sum(x[s] for s in range(1, T) if s > 1) == x[1]",
        5,
        "one variable",
        "sum",
    ),
    "a maximum over a range": (START + "assert max(x[s] for s in range(1, T)) == x[1]", 5, "only sum and prod", "sum"),
    "an array for an end": (START + "v: ()\nfor t in range(1, v):\n    assert x[t] == x[t]", 6, "no integer", "end"),
    "a loop that has no turn": (
        START + "for t in range(T + 1, T + 1):\n    assert x[t] == x[t]",
        5,
        "no value",
        "runs",
    ),
    "an integer without values": ("tau: integer(T, 0)", 1, "no value", "runs"),
    "members of two kinds": ("x[0]: (n,)\nfor t in range(1, T + 1):\n    x[t]: (n, n)", 3, "differ in kind", "axes"),
    "a subscript as an array": (
        "for t in range(1, T + 1):\n    y[t]: index(m)\nassert y[1] == y[1]",
        3,
        "subscript",
        "A",
    ),
    "an array as a subscript": (START + "A: (n, n)\nassert A[x[1], i] == A[x[1], i]", 6, "no subscript", "index"),
    "an integer as an index": (
        START + "A: (n, n)\nfor t in range(1, T + 1):\n    assert A[t, i] == A[t, i]",
        7,
        "cannot be an index",
        "letter",
    ),
    "an array and a family": ("x: (n,)\nfor t in range(1, T + 1):\n    x[t]: (n,)", 3, "named already", "name"),
    "a family and an array": (START + "h: (n,)", 5, "named already", "name"),
    "a late hypothesis": (START + "assert x[1] == x[1]\nassert T >= 2", 6, "stands before the claims", "first"),
    "a hypothesis about an array": (START + "v: ()\nassert v >= 2", 6, "no integer parameter", "T"),
}


@pytest.mark.parametrize("text, line, message, remedy", MISUSES.values(), ids=MISUSES)
def test_a_misuse_is_refused_with_its_place_and_a_remedy(text: str, line: int, message: str, remedy: str) -> None:
    with pytest.raises(SymderivError, match=message) as info:
        read_block(text, Names())
    assert info.value.place is not None and info.value.place.line == line
    assert info.value.hint and re.search(remedy, info.value.hint)


SHAPES = {
    "factors of a product": """for t in range(1, T + 1):
    A[t]: (n, m)
assert prod(A[t] for t in range(1, T + 1)) == A[1]""",
    "the start of a recurrence": "h[0]: (m,)\nW: (n, m)\nfor t in range(1, T + 1):\n    h[t] = W @ h[t-1]",
    "declared members": """x[0]: (m,)
for t in range(1, T + 1):
    x[t]: (n,)
for t in range(0, T + 1):
    assert x[t] == x[t]""",
    "widths": "z[0]: (m,)\nfor l in range(1, L + 1):\n    w[l]: (n[l], m)\n    z[l] = w[l] @ z[l-1]",
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_members_that_one_text_names_have_one_shape(text: str) -> None:
    with pytest.raises(ShapeError) as info:
        read_block(text, Names())
    assert info.value.place is not None and info.value.shapes


def test_layers_of_different_widths() -> None:
    names = Names()
    text = """z[0]: (n[0],)
for l in range(1, L + 1):
    w[l]: (n[l], n[l-1])
    z[l] = w[l] @ z[l-1]
for l in range(1, L + 1):
    assert diff(z[l], z[l-1]) == w[l]
"""
    (claim,) = [s for s in read_block(text, names) if s.kind == "claim"]
    assert [str(size) for size in claim.exprs[0].shape] == ["n[l]", "n[l - 1]"]


def test_a_label_that_stands_for_several_members_has_only_what_all_of_them_have() -> None:
    text = """W: (n, n)
S[0]: symmetric(n, n)
for t in range(1, T + 1):
    S[t] = W @ S[t-1]
for t in range(0, T + 1):
    assert S[t] == S[t]
assert S[0] == S[0]
"""
    some, first = [s.exprs[0] for s in read_block(text, Names()) if s.kind == "claim"]
    assert (some.op, some.data[1]) == ("var", frozenset())
    assert (first.op, first.data[1]) == ("var", frozenset({"symmetric"}))


def test_the_axes_of_a_member_stand_after_its_label() -> None:
    text = START + "for t in range(1, T + 1):\n    assert h[t][i] == h[t, i]"
    left, right = read_block(text, Names())[-1].exprs
    assert left is right and left.rank == 0


READ_BACK = (
    "h[t - 1]",
    "sum(x[s] for s in range(1, t + 1))",
    "prod(diag(x[s]) for s in range(t, 0, -1))",
    "prod(diag(x[s]) for s in range(1, t + 1))",
    "diff(h[t], h[t - 1])",
    "sum(h[s] * x[s] for s in range(t, T + 1))",
)


@pytest.mark.parametrize("text", READ_BACK)
def test_what_is_read_prints_and_reads_back(text: str) -> None:
    def read(source: str):
        return read_block(START + f"for t in range(1, T + 1):\n    assert {source} == {source}", Names())[-1].exprs[0]

    expr = read(text)
    assert to_text(expr) == text
    assert read(to_text(expr)) is expr


def test_statements_keep_their_loops() -> None:
    names = Names()
    text = START + "tau: integer(0, T)\nfor t in range(tau, T + 1):\n    assert h[t] == h[t]"
    statement = read_block(text, names)[-1]
    assert [(r.variable, str(r.low), str(r.high)) for r in statement.ranges] == [("tau", "0", "T"), ("t", "tau", "T")]
    assert statement.open


@pytest.mark.parametrize(
    "text", ["sum(x[s] for s in range(T, 1)) == zeros(n)", "prod(diag(x[s]) for s in range(1, 1)) == eye(n)"]
)
def test_a_sum_or_product_may_be_empty(text: str) -> None:
    assert read_block(START + f"assert {text}", Names())[-1].kind == "claim"


@pytest.mark.parametrize("power", ["matrix_power(A, t)", "prod(matrix_power(A, s) for s in range(1, t + 1))"])
def test_a_variable_in_an_exponent_stays_that_of_its_loop(power: str) -> None:
    names = Names()
    loop = f"for t in range(1, T + 1):\n    assert {power} == {power}\n"
    read_block("A: (n, n)\n" + loop + loop, names)
    assert set(names.scope.sizes) == {"n", "T"}


def test_a_member_defined_by_itself_is_refused():
    with pytest.raises(UnsupportedError, match=r"h\[t\] has no meaning yet where it is defined"):
        read_block("a: ()\nf: function()\nh[0]: ()\nfor t in range(1, T + 1):\n    h[t] = f(h[t], a)", Names())
