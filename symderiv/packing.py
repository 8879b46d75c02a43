"""A number and its derivatives as functions of one flat vector, for `scipy.optimize` and its like.

The entries of the variables stand one after the other, each array in NumPy's order; everything else is held.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Any

from symderiv.adjoints import free_name
from symderiv.code.compiled import checked, compiled
from symderiv.code.packing import PackedModule, Packing
from symderiv.code.source import Source
from symderiv.derivation import of_variables
from symderiv.errors import ParseError, ShapeError
from symderiv.joint import joint
from symderiv.results import Declared, code_source, shown
from symderiv.tensor.expr import Expr, definitions
from symderiv.tensor.parse import variable

SECOND = ("hessp", "hess")


@dataclass(frozen=True)
class Flattened:
    """What functions of a flat vector are generated from: a number, its variables, the source of its gradients."""

    function: Expr
    wrt: tuple[Expr, ...]
    gradients: Source
    declared: Declared
    product_name: str = "hvp"
    blocks_name: str = "hessian"

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the variables, in the order in which they are packed."""
        return tuple(x.name for x in self.wrt)

    def packing(self, *second: str) -> Packing:
        """Return what is packed, with the second derivatives asked for: `hessp`, `hess`."""
        unknown = [word for word in second if word not in SECOND]
        if unknown:
            raise ParseError(f"{unknown[0]!r} is no second derivative", hint="choose hessp or hess")
        directions = self.directions if "hessp" in second else ()
        product = self.product(directions) if directions else None
        blocks = self.blocks() if "hess" in second else None
        return Packing(self.names, self.gradients, product, tuple(v.name for v in directions), blocks)

    @property
    def directions(self) -> tuple[Expr, ...]:
        """Return a new array for each variable, the direction that it moves along."""
        used = {*self.declared.taken, *definitions(self.function)}
        return tuple(variable(free_name(f"V_{x.name}", used), x.shape) for x in self.wrt)

    def product(self, directions: Sequence[Expr]) -> Source:
        """Return the source of the Hessian-vector product."""
        return joint(self.function, self.wrt, directions, self.declared).source(self._free(self.product_name))

    def blocks(self) -> Source:
        """Return the source of the blocks of the Hessian on and above the diagonal, by the names of both variables."""
        pairs = list(combinations_with_replacement(self.wrt, 2))
        found = [of_variables(self.function, pair, self.declared) for pair in pairs]
        summary = f"Second derivatives of {shown(self.function, self.declared.functions)} in {', '.join(self.names)}."
        results, roots = [d.result.expr for d in found], [self.function, *self.wrt]
        keys = [(x.name, y.name) for x, y in pairs]
        name = self._free(self.blocks_name)
        return code_source(name, results, roots, summary, found[0].notes, self.declared, keys=keys)

    def _free(self, name: str) -> str:
        return free_name(name, {*self.declared.taken, *self.declared.functions.values()})


@dataclass(frozen=True)
class Packed:
    """A number as a function of one flat vector, at given data.

    `x0` are the starting values, flat; `fun(flat)` is the value and the flat gradient, `hessp(flat, direction)` the
    Hessian-vector product, `hess(flat)` the Hessian; `unpack(flat)` gives the arrays by name, `pack(…)` is its
    inverse.  Second derivatives are derived when they are first called.
    """

    flattened: Flattened
    given: Mapping[str, Any]

    @cached_property
    def _values(self) -> dict[str, Any]:
        values, _ = checked(self.flattened.gradients.arguments, self.given)
        return values

    def check(self) -> None:
        """Refuse data that are missing, or whose shapes are not as declared."""
        assert self._values

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the variables, in the order in which they are packed."""
        return self.flattened.names

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the variables."""
        return {name: self._values[name].shape for name in self.names}

    @cached_property
    def x0(self) -> Any:
        """Return the starting values as one flat vector."""
        return self.pack(**{name: self._values[name] for name in self.names})

    def pack(self, **arrays: Any) -> Any:
        """Return the entries of the variables as one flat vector."""
        import numpy as np

        if arrays.keys() != set(self.names):
            raise ParseError("each variable is packed once", hint=f"give {', '.join(f'{n}=…' for n in self.names)}")
        parts = {name: np.asarray(arrays[name]) for name in self.names}
        for name, part in parts.items():
            if part.shape != self.shapes[name]:
                shapes = {"at the start": str(self.shapes[name]), "given": str(part.shape)}
                raise ShapeError(f"{name} has the wrong shape", shapes=shapes)
        return np.concatenate([part.ravel() for part in parts.values()])

    def unpack(self, flat: Any) -> dict[str, Any]:
        """Return the variables by name, views of a flat vector."""
        return dict(zip(self.names, self._first["unpack"](self._flat(flat), self._shapes), strict=True))

    def fun(self, flat: Any) -> tuple[float, Any]:
        """Return the value and the flat gradient."""
        at, found = self._flat(flat), self._first
        value, gradient = found["fun"](at, self._shapes, *found.data)
        return float(value), gradient.astype(at.dtype, copy=False)

    def hessp(self, flat: Any, direction: Any) -> Any:
        """Return the Hessian at a flat vector, multiplied with a flat direction."""
        at, found = self._flat(flat), self._product
        return found["hessp"](at, self._flat(direction), self._shapes, *found.data).astype(at.dtype, copy=False)

    def hess(self, flat: Any) -> Any:
        """Return the Hessian at a flat vector, one row and one column for each entry."""
        at, found = self._flat(flat), self._hessian
        return found["hess"](at, self._shapes, *found.data).astype(at.dtype, copy=False)

    # -- the generated functions

    @cached_property
    def _shapes(self) -> list[tuple[int, ...]]:
        return list(self.shapes.values())

    @cached_property
    def _size(self) -> int:
        return sum(math.prod(shape) for shape in self._shapes)

    def _flat(self, vector: Any) -> Any:
        """Return a vector of as many entries as the variables have together."""
        import numpy as np

        found = np.asarray(vector)
        if found.shape != (self._size,):
            shapes = {"wanted": f"({self._size},)", "given": str(found.shape)}
            raise ShapeError("the flat vector has the wrong shape", shapes=shapes, hint="x0 has the right one")
        return found if found.dtype.kind == "f" else found.astype(float)

    @cached_property
    def _first(self) -> _Functions:
        return _Functions(self.flattened.packing(), self.given)

    @cached_property
    def _product(self) -> _Functions:
        return _Functions(self.flattened.packing("hessp"), self.given)

    @cached_property
    def _hessian(self) -> _Functions:
        return _Functions(self.flattened.packing("hess"), self.given)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Packed, (self.flattened, dict(self.given)))

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} {shape}" for name, shape in self.shapes.items())
        return f"<packed {parts}: {self._size} entries>"


class _Functions:
    """The functions of a generated module, with the data that they take last."""

    def __init__(self, packing: Packing, given: Mapping[str, Any]) -> None:
        module = PackedModule(packing)
        self.words = module.word
        self.text = module.text()
        self.functions: dict[str, Callable[..., Any]] = {}
        arguments = {a.name: a for s in packing.sources for a in s.arguments if a.name not in packing.directions}
        values, _ = checked(list(arguments.values()), given)
        self.data = [values[name] for name in packing.data]

    def __getitem__(self, word: str) -> Callable[..., Any]:
        if word not in self.functions:
            self.functions[word] = compiled(self.text, self.words[word])
        return self.functions[word]


__all__ = ["Flattened", "Packed"]
