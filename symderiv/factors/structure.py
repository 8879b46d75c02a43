"""What a user holds in the hand: a derivative as a linear map that keeps its structure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from symderiv import dims
from symderiv.dims import Size
from symderiv.factors.finding import found
from symderiv.factors.parts import Axes, Block, Part, blocks
from symderiv.factors.source import module_text
from symderiv.factors.words import DENSE, LatexWords, Words, closed_form, kind_of, letters, names_of_blocks
from symderiv.index.graph import Node
from symderiv.lift import lift
from symderiv.results import Declared, Result, code_source, compiled, shown
from symderiv.shorten import shortened
from symderiv.tensor.expr import Axes as TensorAxes
from symderiv.tensor.expr import Expr, written_out

if TYPE_CHECKING:
    from symderiv.factors.operator import Operator


@dataclass(frozen=True)
class Factor:
    """One factor of a structure: its name, the indices it stands with, its closed form."""

    name: str
    indices: str
    result: Result

    def __str__(self) -> str:
        return (
            f"{self.name}[{','.join(self.indices)}] = {self.result}" if self.indices else f"{self.name} = {self.result}"
        )


@dataclass(frozen=True)
class Structure:
    """A derivative as a sum of products of δs and blocks (:mod:`symderiv.factors` has the laws).

    It maps a change of the variable (for a higher derivative, of the last one) to the change of the function (of the
    derivative before); `row_axes` and `column_axes` are the axes of the two.
    """

    function: Expr
    wrt: tuple[Expr, ...]
    node: Node
    row_axes: TensorAxes
    column_axes: TensorAxes
    declared: Declared

    @cached_property
    def part(self) -> Part:
        """The structure itself."""
        return found(self.node, self.row_count)

    @property
    def row_count(self) -> int:
        """Return how many atomic axes the function has."""
        return sum(len(axis) for axis in self.row_axes)

    @property
    def shape(self) -> dims.Shape:
        """Return the shape of the derivative."""
        return tuple(dims.product(axis) for axis in (*self.row_axes, *self.column_axes))

    @property
    def kind(self) -> str:
        """Return what kind of map it is: "diagonal", "equal blocks", "Kronecker product" …, "dense block"."""
        return kind_of(self.part)

    @cached_property
    def indices(self) -> str:
        """The letters of the axes: those of the function, then those of the variable."""
        return letters(self.node.rank, self.declared.taken)

    @cached_property
    def _names(self) -> dict[Block, str]:
        return names_of_blocks([b for b, _ in blocks(self.part)], (*self.declared.taken, *self.indices))

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Return the factors beside the δs, each once, as closed forms of the language."""
        functions, origin = self.declared.functions, self.declared.origin
        return tuple(
            Factor(name, "".join(self.indices[a] for a in block.axes), Result(closed_form(block), functions, origin))
            for block, name in self._names.items()
        )

    def __str__(self) -> str:
        text = Words(self.indices, self._names, self.declared.functions).whole(self.part) or "1"
        return f"{text}, a dense block: no structure" if self.kind == DENSE else text

    def to_latex(self) -> str:
        r"""Return the factors as LaTeX, such as `\delta_{il} \otimes \left(2 V^{\top} V\right)_{jp}`."""
        return LatexWords(self.indices, self._names, self.declared.functions).whole(self.part) or "1"

    def _repr_latex_(self) -> str:
        return f"$${self.to_latex()}$$"

    # -- numbers

    @cached_property
    def _sizes(self) -> tuple[Size, ...]:
        """The sizes of the axes that are no numbers, each once."""
        return tuple(dict.fromkeys(s for s in self.node.dims if not s.is_Integer))

    def compile(self) -> Bound:
        """Return a function of keyword arrays that gives the derivative there as an :class:`Operator`."""
        arrays = []
        for block, split in blocks(self.part):
            sides = (block.split.left, block.split.right) if split and block.split else ()
            arrays += [shortened(lift(node)) for node in sides or (block.node,)]
        sizes = [Expr("size", (), (s,), ()) for s in self._sizes]
        roots = [written_out(self.function), *self.wrt]
        source = code_source("factors", [*arrays, *sizes], roots, f"Factors of {self._said}.", (), self.declared)
        return Bound(compiled(source), self)

    @property
    def _said(self) -> str:
        by = ", ".join(w.name for w in self.wrt)
        return f"the derivative of {shown(written_out(self.function), self.declared.functions)} with respect to {by}"

    def to_numpy(self) -> str:
        """Return the source of `matvec`, `rmatvec` and `dense`, and of `solve` where that is a few lines.

        The functions are self-contained and keep nothing between calls; :meth:`compile` gives an operator that does.
        """
        axes = self.row_axes, self.column_axes
        return module_text(self.node, self.part, axes, self._said, self.declared, self._names)


@dataclass(frozen=True)
class Bound:
    """A function of keyword arrays, checked as those of `Derivation.compile` are; it gives an :class:`Operator`."""

    arrays: Any
    structure: Structure

    def __call__(self, **given: Any) -> Operator:
        """Return the operator at these arrays."""
        import numpy as np  # is needed from here on only

        from symderiv.factors.operator import Operator, built, real_type

        s = self.structure
        found = self.arrays(**given)
        values = list(found) if isinstance(found, tuple) else [] if found is None else [found]
        count = len(values) - len(s._sizes)
        numbers: Mapping[Size, int] = dict(zip(s._sizes, values[count:], strict=True))
        sizes = {axis: int(numbers.get(size, size)) for axis, size in enumerate(s.node.dims)}
        dtype = real_type(given[a.name] for a in self.arrays.arguments if a.shape is not None)
        root = built(s.part, iter([np.asarray(v, dtype) for v in values[:count]]), sizes)
        shape = [int(_product(axis, numbers)) for axis in (*s.row_axes, *s.column_axes)]
        rows = len(s.row_axes)
        return Operator(root, shape[:rows], shape[rows:], s.kind, sizes, dtype)


def _product(axis: tuple[Size, ...], numbers: Mapping[Size, int]) -> int:
    value = 1
    for size in axis:
        value *= int(numbers.get(size, size))
    return value


__all__ = ["Axes", "Bound", "Factor", "Structure"]
