"""A generated function in the user's hand: called with keyword arrays, whose shapes are checked first."""

from __future__ import annotations

from typing import Any

from symderiv import dims
from symderiv.code.numpy import Argument as CodeArgument
from symderiv.code.numpy import compiled
from symderiv.errors import ShapeError, UnknownNameError


class Compiled:
    """A generated function with the checks that its arguments have the declared shapes."""

    def __init__(self, source: str, name: str, arguments: tuple[CodeArgument, ...]) -> None:
        self.source, self.name, self.arguments = source, name, arguments
        self.function = compiled(source, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Compiled, (self.source, self.name, self.arguments))

    def __call__(self, **given: Any) -> Any:
        """Return the value at keyword arrays; what is given and not needed is ignored."""
        import numpy as np

        values: dict[str, Any] = {}
        sizes: dict[dims.Size, int] = {}
        for a in self.arguments:
            if a.name not in given:
                raise UnknownNameError(f"{a.name} is missing", hint="give every array by its name")
            value = given[a.name]
            if a.shape is not None:
                value = np.asarray(value)
                if value.dtype.kind in "biu":
                    value = value.astype(float)
                _match(a, value.shape, sizes)
            values[a.name] = value
        return self.function(**values)


def _match(argument: CodeArgument, found: tuple[int, ...], sizes: dict[dims.Size, int]) -> None:
    assert argument.shape is not None
    ok = len(found) == len(argument.shape)
    for wanted, got in zip(argument.shape, found, strict=False):
        ok = ok and (int(wanted) == got if wanted.is_Integer else sizes.setdefault(wanted, got) == got)
    if not ok:
        known = ", ".join(f"{k} = {v}" for k, v in sizes.items())
        raise ShapeError(
            f"{argument.name} has the wrong shape",
            shapes={"declared": dims.written(argument.shape), "given": str(found)},
            hint=f"read off so far: {known}" if known else "",
        )
