"""Functions of one flat vector, as optimisers want them, around generated functions of several arrays.

The entries of the variables stand one after the other, each array in NumPy's order.  What is generated goes into
`scipy.optimize.minimize(fun, pack(…), args=(shapes, …), jac=True, hessp=hessp)` as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

from symderiv.adjoints import free_name
from symderiv.code.numpy import functions_source
from symderiv.code.source import Source

WORDS = (
    "pack", "unpack", "fun", "hessp", "hess", "flat", "direction", "shapes", "value", "slopes", "blocks", "parts",
    "shape", "start", "stop",
)  # fmt: skip


@dataclass(frozen=True)
class Packing:
    """What is packed: the variables, and the sources of the functions of several arrays.

    `gradients` returns the value and a dictionary; `product` a dictionary of the parts of the Hessian-vector
    product, along `directions`; `blocks` a dictionary of the blocks of the Hessian on and above the diagonal, by the
    names of both variables.  `more` are functions that stand in the module besides.
    """

    variables: tuple[str, ...]
    gradients: Source
    product: Source | None = None
    directions: tuple[str, ...] = ()
    blocks: Source | None = None
    more: tuple[Source, ...] = ()

    @property
    def sources(self) -> list[Source]:
        """Return the sources that there are."""
        return [s for s in (self.gradients, self.product, self.blocks) if s is not None]

    @property
    def data(self) -> list[str]:
        """Return the arguments of all functions that are held."""
        names = dict.fromkeys(a.name for s in self.sources for a in s.arguments)
        return [n for n in names if n not in self.variables and n not in self.directions]


class PackedModule:
    """A self-contained module with `pack`, `unpack`, `fun`, and `hessp` and `hess` where their sources are.

    `word` gives the names that these have where an argument is called so.
    """

    def __init__(self, packing: Packing) -> None:
        self.packing = packing
        sources = [*packing.more, *packing.sources]
        arguments = [a for s in sources for a in s.arguments]
        taken = {a.name for a in arguments} | {s.name for s in sources}
        taken |= {str(s) for a in arguments for size in a.shape or () for s in size.free_symbols}
        self.word = {word: free_name(word, taken) for word in WORDS}
        self.functions, self.np = functions_source(sources, taken)
        self.variables = ", ".join(packing.variables)

    def text(self) -> str:
        """Return the module."""
        texts = [self.functions, self.pack(), self.unpack(), self.fun()]
        texts += [self.hessp(self.packing.product)] if self.packing.product else []
        texts += [self.hess(self.packing.blocks)] if self.packing.blocks else []
        return "\n\n".join(texts)

    def pack(self) -> str:
        parts = ", ".join(f"{self.np}.ravel({x})" for x in self.packing.variables)
        return _function(
            f"{self.word['pack']}({self.variables})",
            f"Return the entries of {self.variables} as one flat vector.",
            [f"return {self.np}.concatenate([{parts}])"],
        )

    def unpack(self) -> str:
        unpack, flat, shapes, parts, shape, start, stop = (
            self.word[k] for k in ("unpack", "flat", "shapes", "parts", "shape", "start", "stop")
        )
        lines = [
            f"{parts}, {start} = [], 0",
            f"for {shape} in {shapes}:",
            f"    {stop} = {start} + int({self.np}.prod({shape}))",
            f"    {parts}.append({flat}[{start}:{stop}].reshape({shape}))",
            f"    {start} = {stop}",
            f"return {parts}",
        ]
        says = f"Return the parts of a flat vector, {self.variables}, whose shapes are given in this order."
        return _function(f"{unpack}({flat}, {shapes})", says, lines)

    def fun(self) -> str:
        value, slopes, pack = (self.word[k] for k in ("value", "slopes", "pack"))
        lines = [
            self.taken_apart(self.packing.variables, "flat"),
            f"{value}, {slopes} = {self.call(self.packing.gradients)}",
            f"return {value}, {pack}(**{slopes})",
        ]
        return _function(self.signature("fun"), "Return the value and the flat gradient.", lines)

    def hessp(self, product: Source) -> str:
        lines = [
            self.taken_apart(self.packing.variables, "flat"),
            self.taken_apart(self.packing.directions, "direction"),
            f"return {self.word['pack']}(**{self.call(product)})",
        ]
        return _function(
            self.signature("hessp", "direction"), "Return the Hessian, multiplied with a flat direction.", lines
        )

    def hess(self, blocks: Source) -> str:
        variables, blocks_word = self.packing.variables, self.word["blocks"]
        columns = {x: f"({x}.size, -1)" for x in variables}
        upper = {
            (x, y): f"{self.np}.reshape({blocks_word}[{x!r}, {y!r}], {columns[x]})"
            for x, y in combinations_with_replacement(variables, 2)
        }
        rows = [", ".join(upper.get((x, y)) or f"{upper[y, x]}.T" for y in variables) for x in variables]
        lines = [
            self.taken_apart(variables, "flat"),
            f"{blocks_word} = {self.call(blocks)}",
            f"return {self.np}.block([",
            *(f"    [{row}]," for row in rows),
            "])",
        ]
        return _function(self.signature("hess"), "Return the Hessian, one row and one column for each entry.", lines)

    # -- parts of functions

    def signature(self, name: str, *more: str) -> str:
        given = [self.word[k] for k in ("flat", *more, "shapes")]
        return f"{self.word[name]}({', '.join([*given, *self.packing.data])})"

    def taken_apart(self, names: Sequence[str], vector: str) -> str:
        """Return the line that gives the parts of a vector their names."""
        left = ", ".join(names) + "," * (len(names) == 1)
        return f"{left} = {self.word['unpack']}({self.word[vector]}, {self.word['shapes']})"

    def call(self, source: Source) -> str:
        return f"{source.name}({', '.join(a.name for a in source.arguments)})"


def _function(signature: str, says: str, lines: Sequence[str]) -> str:
    return "\n".join([f"def {signature}:", f'    """{says}"""', *(f"    {line}" for line in lines)]) + "\n"
