"""A generated function in the user's hand: called with keyword arrays, whose shapes are checked first."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import sympy

from symderiv import dims
from symderiv.code.checked import checked_tree
from symderiv.code.source import Argument
from symderiv.errors import ParseError, ShapeError, UnknownNameError, UnsupportedError


def compiled(text: str, name: str) -> Callable[..., Any]:
    """Return the function `name` of a generated module.

    The only place where code is executed: the syntax tree of a text that symderiv generated, looked at first.
    """
    tree = checked_tree(text)
    space: dict[str, Any] = {}
    exec(compile(tree, f"<symderiv {name}>", "exec"), space)
    function: Callable[..., Any] = space[name]
    return function


class Compiled:
    """A generated function with the checks that its arguments have the declared shapes.

    Whatever `numpy.asarray` takes will do: arrays of any memory order, lists, numbers.  Integers and
    booleans are converted to floats; float32 arrays give a float32 result; complex numbers are refused,
    since the derivatives of |x|, max and norm are those on the real line.  Inputs are never changed.  What
    NumPy refuses for its values (the inverse of a singular matrix) is NumPy's `LinAlgError`.

    Arrays of other kinds that follow NumPy's protocols, such as Dask's, are handed on as they are: what is
    lazy stays lazy, and only their shapes and types are looked at.
    """

    def __init__(self, source: str, name: str, arguments: tuple[Argument, ...]) -> None:
        self.source, self.name, self.arguments = source, name, arguments
        self.function = compiled(source, name)
        self.__doc__ = self.function.__doc__

    def __reduce__(self) -> tuple[Any, ...]:
        return (Compiled, (self.source, self.name, self.arguments))

    def __repr__(self) -> str:
        return f"<compiled {self.name}({', '.join(a.name for a in self.arguments)})>"

    def __call__(self, /, *positional: Any, **given: Any) -> Any:
        """Return the value at keyword arrays; what is given and not needed is ignored."""
        if positional:
            names = ", ".join(f"{a.name}=…" for a in self.arguments)
            raise ParseError("arrays are given by name", hint=f"write {self.name}({names})")
        values, sizes = checked(self.arguments, given)
        if any(word in self.source for word in IN_PLACE) and any(map(is_foreign, values.values())):
            raise UnsupportedError(
                f"{self.name} writes into arrays in place, which only NumPy's own arrays allow",
                hint="give NumPy arrays, or compute what is small first",
            )
        try:
            result = self.function(**values)
        except ZeroDivisionError:
            empty = ", ".join(str(k) for k, v in sizes.items() if v == 0)
            raise ShapeError("a mean over no entries has no value", hint=f"of size 0 here: {empty}") from None
        arrays = [values[a.name] for a in self.arguments if a.shape is not None and a.below is None]
        return _kept_in_kind(result, arrays)


IN_PLACE = ("[...]", ".flat[", "\n    for ")  # how generated code writes to some entries of an array, or to its rows


def is_foreign(value: Any) -> bool:
    """Tell an array that is not NumPy's own and follows its protocols, such as one of Dask."""
    import numpy as np

    ours = isinstance(value, (np.ndarray, np.generic))
    return not ours and all(hasattr(value, n) for n in ("__array_function__", "__array_ufunc__", "dtype", "shape"))


def checked(arguments: Sequence[Argument], given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[dims.Size, int]]:
    """Return the arguments as arrays of floats whose shapes are as declared, and the sizes read off them."""
    sizes: dict[dims.Size, int] = {}
    values = {a.name: _checked(a, given, sizes) for a in arguments}
    for a in arguments:
        if a.below is not None:
            _below(a, values[a.name], sizes)
    return values, sizes


def _checked(argument: Argument, given: Mapping[str, Any], sizes: dict[dims.Size, int]) -> Any:
    if argument.name not in given:
        raise UnknownNameError(f"{argument.name} is missing", hint=_missing(argument, list(given)))
    value = given[argument.name]
    if argument.is_size:
        return _natural(argument.name, value)
    if argument.shape is None:
        if not callable(value):
            raise UnsupportedError(
                f"{argument.name} is a function, and {type(value).__name__} cannot be called",
                hint=f"give a function of arrays, such as {argument.name}=np.tanh",
            )
        return value
    array = _real(argument.name, value) if argument.below is None else _whole(argument.name, value)
    _match(argument, array.shape, sizes)
    return array


def _missing(argument: Argument, given: list[str]) -> str:
    near = get_close_matches(argument.name, given, 1)
    if near:
        return f"is {near[0]} meant to be {argument.name}?"
    if argument.is_size:
        return f"give a positive integer as {argument.name}=…"
    if argument.shape is None:
        return f"give a function of arrays as {argument.name}=…"
    return f"give an array of shape {dims.written(argument.shape)} as {argument.name}=…"


def _natural(name: str, value: Any) -> int:
    """Return a size that no array has, as an integer; it is at least 1, as every size is."""
    try:
        count = operator.index(value)
    except TypeError:
        count = 0
    if count < 1 or isinstance(value, bool):
        raise ShapeError(f"{name} is a size, and {value!r} is none", hint=f"give a positive integer as {name}=…")
    return count


def _real(name: str, value: Any) -> Any:
    """Return an array of floats; what holds anything but real numbers is refused."""
    import numpy as np

    try:
        array = value if is_foreign(value) else np.asarray(value)
    except (ValueError, TypeError) as err:
        raise ShapeError(f"{name} is no array: {err}", hint="rows of equal length are needed") from None
    kind = array.dtype.kind
    if kind in "biu":
        return array.astype(float)
    if (
        kind == "O" and not is_foreign(array) and None not in array.ravel().tolist()
    ):  # big integers, fractions, numbers of SymPy
        try:
            return array.astype(float)
        except (ValueError, TypeError, OverflowError):
            pass
    if kind == "c":
        raise UnsupportedError(f"{name} is complex", hint=f"derivatives here are real: give {name}.real")
    if kind != "f":
        raise UnsupportedError(f"{name} holds {array.dtype} and no real numbers", hint="give an array of numbers")
    return array


def _whole(name: str, value: Any) -> Any:
    """Return an array of integers."""
    import numpy as np

    array = value if is_foreign(value) else np.asarray(value)
    if array.size and array.dtype.kind not in "iu":
        hint = "the members of a range are told by their numbers, from 0"
        raise UnsupportedError(f"{name} holds {array.dtype} and no integers", hint=hint)
    return array.astype(int)


def _below(argument: Argument, array: Any, sizes: dict[dims.Size, int]) -> None:
    """Refuse integers out of their range."""
    assert argument.below is not None
    most = argument.below.xreplace({k: sympy.Integer(v) for k, v in sizes.items()})
    if is_foreign(array):  # its entries are not known yet
        return
    if array.size and most.is_Integer and not (array.min() >= 0 and array.max() < int(most)):
        known = f"{argument.below} = {most}" if argument.below != most else str(most)
        raise ShapeError(f"{argument.name} has an entry that is not between 0 and {int(most) - 1}", hint=known)


def _kept_in_kind(result: Any, arrays: list[Any]) -> Any:
    """Return results as floats of the arguments' precision."""
    import numpy as np

    kinds = [a.dtype if is_foreign(a) else a for a in arrays]
    wanted = np.result_type(*kinds) if kinds else np.dtype(float)

    def kept(value: Any) -> Any:
        kind = getattr(value, "dtype", None)
        return value if kind == wanted or not hasattr(value, "astype") else value.astype(wanted)

    if isinstance(result, dict):
        return {key: kept(value) for key, value in result.items()}
    if isinstance(result, tuple):
        return tuple(_kept_in_kind(value, arrays) for value in result)
    return kept(result)


def _match(argument: Argument, found: tuple[int, ...], sizes: dict[dims.Size, int]) -> None:
    assert argument.shape is not None
    ok = len(found) == len(argument.shape)
    if any(got != got for got in found):  # the sizes of some chunks are nan
        raise ShapeError(
            f"{argument.name} has a size that is not known yet",
            shapes={"declared": dims.written(argument.shape), "given": str(found)},
            hint=f"call {argument.name}.compute_chunk_sizes() first",
        )
    for wanted, got in zip(argument.shape, found, strict=False):
        ok = ok and (int(wanted) == got if wanted.is_Integer else sizes.setdefault(wanted, got) == got)
    if not ok:
        known = ", ".join(f"{k} = {v}" for k, v in sizes.items())
        raise ShapeError(
            f"{argument.name} has the wrong shape",
            shapes={"declared": dims.written(argument.shape), "given": str(found)},
            hint=f"read off so far: {known}" if known else "",
        )
