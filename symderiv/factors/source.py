"""A structure as functions of NumPy: `matvec`, `rmatvec`, `dense`, and `solve` where a short way is known.

Products with a vector are closed forms like any other: the derivative times a new array, contracted by the
engine.  `solve` goes through the factors, step by step as :mod:`symderiv.factors` has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from symderiv import dims
from symderiv.code.numpy import function_text
from symderiv.factors.parts import Axes, Block, Part, Product, Sum, blocks, depends, is_kronecker_sum
from symderiv.factors.words import closed_form
from symderiv.index import normal
from symderiv.index.graph import Node
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.results import Declared, code_source
from symderiv.shorten import shortened
from symderiv.tensor.expr import Axes as TensorAxes
from symderiv.tensor.expr import plain_axes
from symderiv.tensor.parse import variable


class NoShortWay(Exception):
    """The functions have no `solve`: it would be no few lines."""


def module_text(
    node: Node,
    part: Part,
    axes: tuple[TensorAxes, TensorAxes],
    said: str,
    declared: Declared,
    names: Mapping[Block, str],
) -> str:
    """Return a module with the functions of a structure."""
    rows, columns = axes
    result = shortened(lift(node, rows + columns))
    texts = [
        _product(node, rows, columns, f"Product of {said} with an array", "matvec", declared),
        _product(node, rows, columns, f"Product of the transpose of {said} with an array", "rmatvec", declared),
        function_text(code_source("dense", [result], [], f"{said[0].upper()}{said[1:]}.", (), declared)),
    ]
    with suppress(NoShortWay):
        texts[2:2] = _solve(part, node, rows, said, declared, names)
    head = "import numpy as np\n" + ("\nnp_ = np\n" if "np" in declared.taken else "")
    pieces = [piece.strip("\n") for text in texts for piece in re.split(r"\n\n\n", text)]
    return "\n\n\n".join([head.strip("\n"), *dict.fromkeys(pieces)]) + "\n"


def free_name(taken: Sequence[str], *wanted: str) -> str:
    """Return the first name that is not in use."""
    return next(n for n in (*wanted, *(f"{wanted[0]}_{k}" for k in range(len(taken) + 1))) if n not in taken)


def _product(node: Node, rows: TensorAxes, columns: TensorAxes, summary: str, name: str, declared: Declared) -> str:
    """Return the function for the derivative, or its transpose, times an array."""
    ends = [s for axis in rows for s in axis], [s for axis in columns for s in axis]
    places = tuple(range(len(ends[0]))), tuple(range(len(ends[0]), node.rank))
    back = name == "rmatvec"
    given, out, out_axes = (0, 1, columns) if back else (1, 0, rows)
    array = variable(free_name(declared.taken, *("uyw" if back else "vxz")), tuple(ends[given]))
    factors = [(node, (*places[0], *places[1])), (lower(array).node, places[given])]
    sizes = {p: s for side in (0, 1) for p, s in zip(places[side], ends[side], strict=True)}
    product = normal.contract(1, factors, places[out], sizes)
    more = replace(declared, taken=(*declared.taken, array.name))
    expr = shortened(lift(product, out_axes))
    return function_text(code_source(name, [expr], [array], f"{summary} {array.name}.", (), more))


# ---------------------------------------------------------------- systems


def _solve(
    part: Part, node: Node, rows: TensorAxes, said: str, declared: Declared, names: Mapping[Block, str]
) -> list[str]:
    """Return `factors`, where there are some, and `solve`."""
    own = list(dict.fromkeys(b for b, _ in blocks(part)))
    count = sum(len(axis) for axis in rows)
    if rows != plain_axes(node.dims[:count]) or any(size == 1 for size in node.dims):
        raise NoShortWay
    taken = (*declared.taken, *names.values())
    b = free_name(taken, "b", "rhs")
    steps = _Steps(names, taken, b, tuple(range(count)))
    steps.part(part)
    steps.order(tuple(range(count, node.rank)))
    texts, given, first = [], "", []
    if own:
        results = [closed_form(block) for block in own]
        text = function_text(code_source("factors", results, [], f"Factors of {said}.", (), declared))
        found = re.search(r"^def factors\((.*)\):$", text, re.MULTILINE)
        given = found.group(1) if found else ""
        texts.append(text)
        first = [f"{', '.join(names[block] for block in own)} = factors({given})"]
    arguments = ", ".join(a for a in (given, b) if a)
    size = ", ".join(map(str, node.dims[:count])) + "," * (count == 1)
    doc = [f'"""Solution of the system with {said}.', "", f"{b}: shape ({size})", '"""']
    value = steps.value.removeprefix("(").removesuffix(")") if steps.bracketed else steps.value
    body = [*doc, *first, *steps.lines, f"return {value}"]
    return [*texts, "\n".join([f"def solve({arguments}):", *("    " + line if line else "" for line in body)]) + "\n"]


class _Steps:
    """Writes the solution of a system line by line; `at` are the axes that the value has by now."""

    def __init__(self, names: Mapping[Block, str], taken: Sequence[str], value: str, at: Axes) -> None:
        self.names, self.value, self.at = names, value, at
        wanted = (("x", "value"), ("y", "first"), ("z", "second"), ("s", "over"), ("t", "under"), ("shape", "sizes"))
        self.x, self.y, self.z, self.s, self.t, self.shape = (free_name(taken, *w) for w in wanted)
        self.lines: list[str] = []

    def keep(self, name: str) -> None:
        """Give the value a name, where it stands in more than one place."""
        if not self.value.isidentifier():
            self.lines.append(f"{name} = {self.value}")
            self.value = name

    @property
    def bracketed(self) -> bool:
        """Tell whether the whole value stands in brackets."""
        depth = [self.value[: k + 1].count("(") - self.value[: k + 1].count(")") for k in range(len(self.value))]
        return self.value.startswith("(") and 0 not in depth[:-1]

    def order(self, wanted: Axes) -> None:
        """Bring the axes of the value into an order."""
        if wanted != self.at:
            self.value = turned(self.value, self.at, wanted)
            self.at = wanted

    def part(self, part: Part) -> None:
        match part:
            case Block() if part.is_diagonal:
                self.value = f"({self.value} / {spread(self.names[part], part.over, self.at)})"
            case Block():
                self.block(part)
            case Product():
                for p in part.parts:
                    self.part(p)
                self.rename(dict(part.pairs))
            case Sum():
                self.sum(part)

    def rename(self, change: Mapping[int, int]) -> None:
        self.at = tuple(change.get(a, a) for a in self.at)

    def block(self, block: Block) -> None:
        """A system for each value of the tied axes, with the other axes of the value as right sides."""
        if not block.rows or not block.columns or not is_square(block):
            raise NoShortWay
        k, n, name = len(block.over), len(block.rows), self.names[block]
        rest = tuple(a for a in self.at if a not in block.over and a not in block.rows)
        self.order((*block.over, *block.rows, *rest))
        if n == len(block.columns) == 1 and (len(rest) == 1 or (not rest and not k)):
            self.value = f"np.linalg.solve({name}, {self.value})"
        elif n == len(block.columns) == 1 and not rest:
            self.value = f"np.linalg.solve({name}, {self.value}[..., None])[..., 0]"
        else:
            s = self.shape
            self.keep(self.x)
            self.lines.append(f"{s} = {self.value}.shape")
            matrix = f"{name}.reshape({s}[:{k}] + (np.prod({s}[{k}:{k + n}]), -1))" if n > 1 else name
            right = f"{self.value}.reshape({s}[:{k}] + (np.prod({s}[{k}:{k + n}]), -1))"
            back = f"{s}[:{k}] + {name}.shape[{k + n}:] + {s}[{k + n}:]"
            self.value = f"np.linalg.solve({matrix}, {right}).reshape({back})"
        self.at = (*block.over, *block.columns, *rest)

    def sum(self, total: Sum) -> None:
        scalings = [t for t in total.terms if isinstance(t, Product) and t.pairs and t.is_diagonal]
        others = [t for t in total.terms if t not in scalings]
        if len(scalings) == len(others) == 1 and isinstance(others[0], Product):
            self.rank_one(scalings[0], others[0])
        elif len(scalings) <= 1 and len(total.rows) == len(total.columns) == 1:
            self.all_entries(scalings, [t for t in others if isinstance(t, Block) and not t.over], len(others))
        elif len(others) == 2 and not scalings and is_kronecker_sum(total):
            self.sylvester(others)
        else:
            raise NoShortWay

    def rank_one(self, scaling: Product, low: Product) -> None:
        """`(Δ + u wᵀ)⁻¹ b = y − z (wᵀ y) / (1 + wᵀ z)` with `y = Δ⁻¹ b` and `z = Δ⁻¹ u` (Sherman and Morrison)."""
        vectors = [p for p in low.parts if isinstance(p, Block) and not (p.rows and p.columns)]
        over = tuple(dict.fromkeys((*depends(scaling), *depends(low))))
        rest = tuple(a for a in self.at if a not in over and a not in low_rows(low))
        if low.pairs or len(vectors) < len(low.parts) or len(scaling.pairs) != 1 or (over and rest) or len(rest) > 1:
            raise NoShortWay
        ((row, column),) = scaling.pairs
        over = tuple(a for a in over if a != row)
        own = (*over, row)
        self.order((*own, *rest))
        right = [
            spread(self.names[p], tuple(row if a == column else a for a in p.axes), own) for p in vectors if p.columns
        ]
        left = [spread(self.names[p], p.axes, own) for p in vectors if not p.columns]
        diagonal = [spread(self.names[p], p.over, own) for p in scaling.parts if isinstance(p, Block)]
        d = " * ".join(diagonal) if len(diagonal) < 2 else f"({' * '.join(diagonal)})"
        u, w = " * ".join(left), " * ".join(right)
        tall = f"{d}[:, None]" if rest and any(p.over for p in scaling.parts if isinstance(p, Block)) else d
        self.lines.append(f"{self.y} = {self.value}" + f" / {tall}" * bool(d))
        self.lines.append(f"{self.z} = {u}" + f" / {d}" * bool(d))
        if rest or not over:
            w = w if len(right) == 1 else f"({w})"
            share = f"({w} @ {self.y}) / (1 + {w} @ {self.z})"
            self.value = f"({self.y} - " + (f"np.outer({self.z}, {share}))" if rest else f"{self.z} * ({share}))")
        else:
            self.lines += [
                f"{n} = np.sum({w} * {v}, axis=-1, keepdims=True)" for n, v in ((self.s, self.y), (self.t, self.z))
            ]
            self.value = f"({self.y} - {self.z} * ({self.s} / (1 + {self.t})))"
        self.at = (*over, column, *rest)

    def all_entries(self, scalings: Sequence[Product], found: Sequence[Block], count: int) -> None:
        """A matrix and a multiple of the identity, or a diagonal, added up."""
        if not found or len(found) < count:
            raise NoShortWay
        matrix = " + ".join(self.names[b] for b in found)
        for scaling in scalings:
            own = [p for p in scaling.parts if isinstance(p, Block)]
            numbers = [self.names[p] for p in own if not p.over]
            vectors = [self.names[p] for p in own if p.over]
            if any(len(p.over) > 1 for p in own):
                raise NoShortWay
            entries = f"np.diag({' * '.join(vectors)})" if vectors else f"np.eye(len({self.names[found[0]]}))"
            matrix += f" + {' * '.join([*numbers, entries])}"
        rest = tuple(a for a in self.at if a not in found[0].rows)
        if len(rest) > 1:
            raise NoShortWay
        self.order((*found[0].rows, *rest))
        self.value = f"np.linalg.solve({matrix}, {self.value})"
        self.at = (*found[0].columns, *rest)

    def sylvester(self, terms: Sequence[Part]) -> None:
        """`A x + x Bᵀ = b`."""
        found = [t.parts[0] for t in terms if isinstance(t, Product) and len(t.parts) == len(t.pairs) == 1]
        left, right = found if len(found) == 2 else (None, None)
        if not isinstance(left, Block) or not isinstance(right, Block) or len(self.at) != 2:
            raise NoShortWay
        if left.over or right.over or {*left.rows, *right.rows} != {*self.at}:
            raise NoShortWay
        self.order((*left.rows, *right.rows))
        self.lines.append("from scipy.linalg import solve_sylvester")
        self.value = f"solve_sylvester({self.names[left]}, {self.names[right]}.T, {self.value})"
        self.at = (*left.columns, *right.columns)


def is_square(block: Block) -> bool:
    """Tell whether a block has as many rows as columns, whatever the sizes are."""
    k, n = len(block.over), len(block.over) + len(block.rows)
    return bool(dims.product(block.node.dims[k:n]) == dims.product(block.node.dims[n:]))


def low_rows(part: Part) -> Axes:
    """Return the rows of the blocks of a map."""
    return tuple(a for block, _ in blocks(part) for a in block.rows)


def turned(text: str, at: Axes, wanted: Axes) -> str:
    """Return an array with its axes in another order, as text."""
    if at == wanted:
        return text
    return f"{text}.T" if at == wanted[::-1] else f"{text}.transpose({', '.join(str(at.index(a)) for a in wanted)})"


def spread(text: str, labels: Axes, at: Axes) -> str:
    """Return an array with its axes in the order `at`, of size 1 where it has none, as text.

    >>> spread("d", (0,), (0, 1)), spread("d", (1,), (0, 1)), spread("d", (1, 0), (0, 1))
    ('d[:, None]', 'd', 'd.T')
    """
    order = tuple(a for a in at if a in labels)
    text = turned(text, labels, order)
    index = [":" if a in labels else "None" for a in at]
    while index and index[0] == "None":
        del index[0]
    return f"{text}[{', '.join(index)}]" if "None" in index else text
