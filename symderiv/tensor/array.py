"""Tensors in the user's hand: Python operators and NumPy's own functions build expressions of the language.

A :class:`Tensor` wraps an expression and follows NumPy's protocols (`__array_ufunc__`, `__array_function__`),
so `np.tanh(X @ w)` is an expression as much as `X @ w` is.  It has no numbers: where some are asked for
(a branch, `float()`, an entry), it refuses.  `x += y` changes an array in place, as in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn, Protocol

from symderiv import dims
from symderiv.errors import ShapeError, UnsupportedError
from symderiv.tensor import numpy_functions, numpy_linalg, protocol, ufuncs
from symderiv.tensor.conditions import Both, Not, Relation, Test, indicator
from symderiv.tensor.constants import constant
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply
from symderiv.tensor.text import to_text

FOLLOWED = (numpy_functions, numpy_linalg)  # these fill the table of `protocol`


class Watch(Protocol):
    """What is told of every tensor that is made from those that carry it."""

    def note(self) -> None: ...


class UnknownAttributeError(UnsupportedError, AttributeError):
    """An attribute of NumPy's arrays that a tensor does not have."""


IN_PLACE = "an array cannot be changed entry by entry: write np.where(condition, a, b), or sum the parts"
NUMBERS = (
    "leave out np.asarray and float(), write np.exp for math.exp; softmax, logsumexp and others that NumPy lacks "
    "are in symderiv.numpy_names"
)
ATTRIBUTES = {
    **dict.fromkeys(("max", "min", "cumsum", "ptp"), ""),
    **dict.fromkeys(("item", "tolist", "argmax", "argmin", "sort", "argsort", "nonzero"), "a tensor has no numbers"),
    "fill": IN_PLACE,
    "astype": "tensors are real: leave it out",
}


class Traced:
    """What a tensor and a condition have in common: NumPy's protocols, and the watch over a tracing."""

    __slots__ = ("watch",)
    watch: Watch | None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        """Follow one of NumPy's entrywise functions."""
        name = _known_ufunc(ufunc)
        if method == "__call__" and not keywords:
            return entrywise(name, *inputs)
        if method == "outer" and not keywords:
            return over(lambda a, b: ufuncs.outer(name, constant(a), constant(b)), *inputs)
        if method == "reduce" and name in ufuncs.REDUCTIONS and keywords.keys() <= {"axis", "keepdims"}:
            wanted = {"axis": 0, **keywords}
            return over(lambda x, **k: protocol.reduced(ufuncs.REDUCTIONS[name], x, **k), *inputs, **wanted)
        also = ", ".join(f"{k}=" for k in keywords)
        what = f"np.{name}" + (f".{method}" if method != "__call__" else "") + (f" with {also}" if also else "")
        raise UnsupportedError(f"{what} is not in the language", hint="write it with plain function calls")

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        """Follow one of NumPy's other functions."""
        path = f"{function.__module__}.{function.__name__}".removeprefix("numpy.")
        return call(path, *args, **keywords)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise UnsupportedError(f"{self} has no numbers to make an array of", hint=NUMBERS)


def _known_ufunc(ufunc: Any) -> str:
    """Return the name of an entrywise function of NumPy or of scipy.special."""
    import sys

    name: str = ufunc.__name__
    for module in ("numpy", "scipy.special"):
        if getattr(sys.modules.get(module), name, None) is ufunc:
            return name
    raise UnsupportedError(f"{name} is not in the language", hint="functions of NumPy and of symderiv.numpy_names are")


# ---------------------------------------------------------------- from tensors to expressions and back


def unwrap(value: Any) -> Any:
    """Return the expression behind a tensor; also inside of lists and tuples."""
    if isinstance(value, Tensor):
        return value.expr
    if isinstance(value, Condition):
        return value.test
    if type(value) in (list, tuple):
        return type(value)(map(unwrap, value))
    return value


def wrap(value: Any, watch: Watch | None = None) -> Any:
    """Return an expression as a tensor; also inside of tuples."""
    if isinstance(value, Expr):
        return (Dimension if value.op == "size" else Tensor)(value, watch)
    if isinstance(value, (Relation, Both, Not)):
        return Condition(value, watch)
    if isinstance(value, tuple):
        parts = [wrap(v, watch) for v in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def _watches(values: Any) -> Iterator[Watch]:
    for value in values:
        if isinstance(value, Traced) and value.watch is not None:
            yield value.watch
        elif type(value) in (list, tuple):
            yield from _watches(value)


def over(function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """Return a function of expressions, applied to tensors."""
    watch = next(_watches([*args, *keywords.values()]), None)
    if watch is not None:
        watch.note()
    return wrap(function(*map(unwrap, args), **{k: unwrap(v) for k, v in keywords.items()}), watch)


def call(name: str, *args: Any, **keywords: Any) -> Any:
    """Return NumPy's function of that name at tensors; what shares numbers with its argument is marked."""
    result = over(lambda *a, **k: protocol.call(name, *_arrays(name, a, k)), *args, **keywords)
    if name in protocol.VIEWS:
        for tensor in (*args, *keywords.values(), result):
            if isinstance(tensor, Tensor):
                tensor.viewed = True
    return result


def _arrays(name: str, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Return arguments with conditions read as 1 and 0, but for that of `where`."""
    first = list(args[:1]) if name == "where" else []
    rest = [_numeric(a) for a in args[len(first) :]]
    return first + rest, {k: v if name == "where" and k == "condition" else _numeric(v) for k, v in keywords.items()}


def _numeric(value: Any) -> Any:
    return indicator(value) if isinstance(value, (Relation, Both, Not)) else value


def entrywise(name: str, *args: Any) -> Any:
    """Return NumPy's entrywise function of that name at tensors."""

    def applied(*values: Any) -> Any:
        tests = [isinstance(v, (Relation, Both, Not)) for v in values]
        if name in ufuncs.OF_TESTS and all(tests):
            return ufuncs.OF_TESTS[name](*values)
        if all(tests) and name != "multiply":
            raise UnsupportedError(
                f"np.{name} of comparisons is not in the language", hint="write np.where(condition, 1, 0) for numbers"
            )
        return ufuncs.meaning(name)(*(constant(_numeric(v)) for v in values))

    return over(applied, *args)


def _forward(name: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: entrywise(name, self, other)


def _backward(name: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: entrywise(name, other, self)


def _alone(name: str) -> Callable[[Any], Any]:
    return lambda self: entrywise(name, self)


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: self._changed(name, other)


def _method(name: str) -> Callable[..., Any]:
    return lambda self, *args, **keywords: call(name, self, *args, **keywords)


class Tensor(Traced):
    """An array of the language: NumPy's operators, methods and functions apply; numbers it has none.

    >>> from symderiv.statements.declaring import declare
    >>> X, w = declare("X: (n, p)", "w: (p,)")
    >>> (X @ w).shape, X @ w / X.shape[0]
    ((n,), Tensor(X @ w / n))
    """

    __slots__ = ("expr", "viewed")
    __hash__ = None  # type: ignore[assignment]
    expr: Expr
    viewed: bool  # whether another tensor shares its numbers, in NumPy

    def __init__(self, expr: Expr, watch: Watch | None = None) -> None:
        self.expr, self.watch, self.viewed = expr, watch, False

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.expr,))

    def __str__(self) -> str:
        return to_text(self.expr)

    def __repr__(self) -> str:
        return f"Tensor({self})"

    # -- shape

    @property
    def shape(self) -> tuple[Any, ...]:
        """Return the size of each axis: an integer, or a symbol to calculate with."""
        return tuple(int(s) if s.is_Integer else wrap(_size(s), self.watch) for s in self.expr.shape)

    @property
    def ndim(self) -> int:
        """Return the number of axes."""
        return self.expr.rank

    @property
    def size(self) -> Any:
        """Return the number of entries."""
        return call("size", self)

    @property
    def dtype(self) -> Any:
        """Return NumPy's type of real numbers."""
        import numpy as np

        return np.dtype(float)

    @property
    def T(self) -> Tensor:
        """Return the transpose: the axes in reverse order; vectors stay as they are."""
        result: Tensor = call("transpose", self)
        return result

    mT = property(_method("matrix_transpose"))

    def __getitem__(self, key: Any) -> Tensor:
        """Insert axes: `x[:, None]`, `x[None, :]`."""
        new = _inserted(key if isinstance(key, tuple) else (key,), self.ndim)
        if new is None:
            raise UnsupportedError(
                "single entries and ranges of a tensor cannot be taken here",
                shapes={str(self): dims.written(self.expr.shape)},
                hint="x[:, None] and the like insert axes; for one entry write x @ e with a unit vector e, a variable",
            )
        if len(new) - sum(new) > self.ndim:
            raise ShapeError("more subscripts than axes", shapes={str(self): dims.written(self.expr.shape)})
        result: Tensor = over(lambda x: apply("newaxis", x, data=(new,)) if any(new) else x, self)
        result.viewed = self.viewed = True
        return result

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise UnsupportedError("an entry of a tensor cannot be assigned to", hint=IN_PLACE)

    # -- operators

    __add__, __radd__, __iadd__ = _forward("add"), _backward("add"), _in_place("add")
    __sub__, __rsub__, __isub__ = _forward("subtract"), _backward("subtract"), _in_place("subtract")
    __mul__, __rmul__, __imul__ = _forward("multiply"), _backward("multiply"), _in_place("multiply")
    __truediv__, __rtruediv__, __itruediv__ = _forward("divide"), _backward("divide"), _in_place("divide")
    __matmul__, __rmatmul__, __imatmul__ = _forward("matmul"), _backward("matmul"), _in_place("matmul")
    __pow__, __rpow__, __ipow__ = _forward("power"), _backward("power"), _in_place("power")
    __floordiv__, __rfloordiv__ = _forward("floor_divide"), _backward("floor_divide")
    __mod__, __rmod__ = _forward("remainder"), _backward("remainder")
    __and__, __or__, __xor__ = _forward("bitwise_and"), _forward("bitwise_or"), _forward("bitwise_xor")
    __neg__, __pos__, __abs__, __invert__ = _alone("negative"), _alone("positive"), _alone("absolute"), _alone("invert")
    __lt__, __le__, __gt__, __ge__ = map(_forward, ("less", "less_equal", "greater", "greater_equal"))
    __eq__ = _forward("equal")
    __ne__ = _forward("not_equal")

    def _changed(self, name: str, other: Any) -> Tensor:
        """Change the array in place; a number is a value of its own, and the name is bound to the new one."""
        result: Tensor = entrywise(name, self, other)
        if not self.ndim:
            return result
        if self.viewed:
            raise UnsupportedError(
                f"{self} is changed in place while a view of it is in use",
                hint="write x = x + …, which makes a new array",
            )
        if result.expr.shape != self.expr.shape:
            raise ShapeError(
                "an array changed in place keeps its shape",
                shapes={"array": dims.written(self.expr.shape), "new": dims.written(result.expr.shape)},
            )
        self.expr = result.expr
        return self

    # -- methods

    sum, mean, prod, var, std = map(_method, ("sum", "mean", "prod", "var", "std"))
    dot, trace, diagonal = map(_method, ("dot", "trace", "diagonal"))
    swapaxes, squeeze, ravel, clip, copy = map(_method, ("swapaxes", "squeeze", "ravel", "clip", "copy"))

    def transpose(self, *axes: Any) -> Tensor:
        """Return the array with its axes in another order; reversed where none is given."""
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes
        result: Tensor = call("transpose", self, order or None)
        return result

    def reshape(self, *shape: Any, order: str = "C") -> Tensor:
        """Return the entries, row by row, in another shape."""
        wanted = shape[0] if len(shape) == 1 else shape
        result: Tensor = call("reshape", self, wanted, order=order)
        return result

    def flatten(self, order: str = "C") -> Tensor:
        """Return the entries as one axis, row by row."""
        result: Tensor = over(lambda x: protocol.call("ravel", (x,), {"order": order}), self)
        return result

    def astype(self, dtype: Any) -> Tensor:
        """Return the array; tensors are real."""
        if not protocol.is_float(dtype):
            raise UnsupportedError(f"{self} as {dtype} is not in the language", hint=ATTRIBUTES["astype"])
        return Tensor(self.expr, self.watch)

    # -- what needs numbers

    def __getattr__(self, name: str) -> NoReturn:
        hint = ATTRIBUTES.get(name) or protocol.INSTEAD.get(name, "")
        raise UnknownAttributeError(f"{type(self).__name__} has no attribute {name!r}", hint=hint)

    def __bool__(self) -> NoReturn:
        raise UnsupportedError(f"whether {self} is true depends on numbers", hint=BRANCH)

    def __float__(self) -> NoReturn:
        raise UnsupportedError(f"{self} is no number", hint=NUMBERS)

    __int__ = __complex__ = __float__

    def __index__(self) -> NoReturn:
        raise UnsupportedError(f"{self} is no integer", hint=NUMBERS)

    def __round__(self, digits: int | None = None) -> NoReturn:
        raise UnsupportedError(f"{self} cannot be rounded", hint="rounding has no derivative to speak of")

    def __len__(self) -> int:
        if not self.ndim:
            raise ShapeError("len() of a number", shapes={"argument": "()"})
        first = self.shape[0]
        if isinstance(first, int):
            return first
        raise UnsupportedError(f"len() must be an integer, and the size {first} is a symbol", hint="write x.shape[0]")

    def __iter__(self) -> NoReturn:
        raise UnsupportedError(
            f"{self} cannot be gone through entry by entry",
            hint="write it for whole arrays: np.sum, np.prod, @, logsumexp of symderiv.numpy_names",
        )

    def __contains__(self, value: Any) -> NoReturn:
        raise UnsupportedError(f"whether {self} contains a value depends on numbers", hint=BRANCH)


BRANCH = "write np.where(condition, a, b), np.maximum or np.minimum instead of a branch"


def _size(value: dims.Size) -> Expr:
    return Expr("size", (), (value,), ())


class Dimension(Tensor):
    """The size of an axis, a symbol: a factor and a summand like any number, and a size where one is needed."""

    __slots__ = ()

    def __eq__(self, other: object) -> Any:
        if isinstance(other, int):
            return False  # a symbol is no particular number
        return self.expr == other.expr if isinstance(other, Dimension) else entrywise("equal", self, other)

    def __ne__(self, other: object) -> Any:
        same = self == other
        return not same if isinstance(same, bool) else entrywise("not_equal", self, other)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(self.expr)

    def __repr__(self) -> str:
        return str(self)

    def __index__(self) -> NoReturn:
        raise UnsupportedError(
            f"the size {self} is a symbol, and an integer is needed here",
            hint=f"np.ones_like(x), np.eye({self}, like=x) and ones, zeros, eye of symderiv.numpy_names take it; "
            f"or give an integer in shapes",
        )

    __int__ = __index__


class Condition(Traced):
    """A comparison of tensors, entrywise: the first argument of `np.where`; as a factor it is 1 and 0."""

    __slots__ = ("test",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, test: Test, watch: Watch | None = None) -> None:
        self.test, self.watch = test, watch

    def __reduce__(self) -> tuple[Any, ...]:
        return (Condition, (self.test,))

    __and__, __rand__ = _forward("logical_and"), _backward("logical_and")
    __or__, __ror__ = _forward("logical_or"), _backward("logical_or")
    __invert__ = _alone("logical_not")
    __mul__, __rmul__ = _forward("multiply"), _backward("multiply")
    __eq__ = _forward("equal")
    __ne__ = _forward("not_equal")

    def astype(self, dtype: Any) -> Any:
        """Return 1 where the comparison holds, 0 elsewhere."""
        return over(indicator, self)

    def __bool__(self) -> NoReturn:
        raise UnsupportedError("a branch on a comparison of tensors depends on numbers", hint=BRANCH)

    def __str__(self) -> str:
        return _written(self.test)

    def __repr__(self) -> str:
        return f"Condition({self})"


def _written(test: Test) -> str:
    match test:
        case Relation(sign, left, right):
            return f"{to_text(left)} {sign} {to_text(right)}"
        case Both(first, second):
            return f"({_written(first)}) & ({_written(second)})"
        case Not(inner):
            return f"~({_written(inner)})"


def _inserted(key: tuple[Any, ...], rank: int) -> tuple[bool, ...] | None:
    """Tell, for each subscript, a new axis (True) from a full slice (False); None where one is something else."""
    new: list[bool] = []
    for part in key:
        if part is None:
            new.append(True)
        elif part is Ellipsis:
            new += [False] * (rank - sum(p is not None and p is not Ellipsis for p in key))
        elif isinstance(part, slice) and part.start is part.stop is part.step is None:
            new.append(False)
        else:
            return None
    return tuple(new)
