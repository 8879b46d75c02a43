"""Calling a user's Python function for the sake of its expression: what it is given, where it failed.

Python makes an integer of what `len()` returns, which the symbol of a size is not.  The function, and those
of its module and its closure, therefore run over a copy of their globals in which `len` of a tensor is the
size of its first axis (:func:`with_sizes`).  Nothing else is changed, and nothing outside of the call.
"""

from __future__ import annotations

import builtins
import inspect
import linecache
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from types import CellType, CodeType, FrameType, FunctionType, MethodType, TracebackType
from typing import Any

from symderiv.errors import Place, ShapeError, SymderivError, UnknownNameError, UnsupportedError
from symderiv.tensor.array import Tensor, Watch, wrap
from symderiv.tensor.elementwise import Entrywise
from symderiv.tensor.parse import Scope, size

# ---------------------------------------------------------------- what it is given


def arguments(function: Callable[..., Any], scope: Scope, watch: Watch) -> tuple[list[Any], dict[str, Any]]:
    """Return the arguments for a function's parameters: what the scope declares; others keep their defaults."""
    args: list[Any] = []
    keywords: dict[str, Any] = {}
    for p in parameters(function):
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        value = _argument(p.name, scope, watch)
        if value is None and p.default is p.empty:
            declared = ", ".join(scope.names) or "none"
            raise UnknownNameError(
                f"the parameter {p.name} of {called(function)} has no shape",
                place=place_of_definition(function),
                hint=f'write shapes={{"{p.name}": (…), …}} or give it a default; shapes are known of {declared}',
            )
        value = p.default if value is None else value
        if p.kind is p.POSITIONAL_ONLY:
            args.append(value)
        else:
            keywords[p.name] = value
    return args, keywords


def parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return a function's parameters."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise UnsupportedError(
            f"the parameters of {called(function)} cannot be read", hint="give a function that is written in Python"
        ) from None


def _argument(name: str, scope: Scope, watch: Watch) -> Any:
    """Return an array, a function without a formula, or a size; None where nothing of that name is declared."""
    if name in scope.names:
        return Tensor(scope.names[name], watch)
    if name in scope.functions:
        return Entrywise(*scope.functions[name])
    return wrap(size(scope.sizes[name]), watch) if name in scope.sizes else None


# ---------------------------------------------------------------- len


def length(x: Any) -> Any:
    """Return `len(x)`; of a tensor the size of its first axis, which may be a symbol."""
    if not isinstance(x, Tensor):
        return builtins.len(x)
    if not x.ndim:
        raise ShapeError("len() of a number", shapes={str(x): "()"})
    return x.shape[0]


def with_sizes(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that runs the same code with :func:`length` in the place of `len`.

    >>> from symderiv.statements.declaring import declare
    >>> def mean(y):
    ...     return y.sum() / len(y)
    >>> with_sizes(mean)(declare("y: (n,)"))
    Tensor(sum(y) / n)
    """
    copy: Callable[..., Any] = _Rebinding().of(function)
    return copy


class _Rebinding:
    """Functions over copies of their globals, each made once: functions may call each other and themselves."""

    def __init__(self) -> None:
        self.spaces: dict[int, dict[str, Any]] = {}
        self.functions: dict[FunctionType, FunctionType] = {}

    def of(self, function: Any) -> Any:
        if isinstance(function, MethodType):
            return MethodType(self.of(function.__func__), function.__self__)
        if isinstance(function, partial):
            return partial(self.of(function.func), *function.args, **function.keywords)
        if not isinstance(function, FunctionType):
            return function
        if function not in self.functions:
            self.copied(function)
        return self.functions[function]

    def copied(self, function: FunctionType) -> None:
        space = self.spaces.get(id(function.__globals__))
        fresh = space is None
        if space is None:
            space = self.spaces[id(function.__globals__)] = dict(function.__globals__)
            space.setdefault("len", length)
        held = {k: c for k, c in enumerate(function.__closure__ or ()) if isinstance(_content(c), FunctionType)}
        cells = tuple(CellType() if k in held else c for k, c in enumerate(function.__closure__ or ()))
        copy = FunctionType(function.__code__, space, function.__name__, function.__defaults__, cells or None)
        copy.__kwdefaults__ = function.__kwdefaults__
        copy.__dict__.update(function.__dict__)
        self.functions[function] = copy
        for k, cell in held.items():
            cells[k].cell_contents = self.of(cell.cell_contents)
        if fresh:
            for name, value in function.__globals__.items():
                if isinstance(value, FunctionType) and value.__globals__ is function.__globals__:
                    space[name] = self.of(value)


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None


# ---------------------------------------------------------------- where it failed


def refusal(err: Exception, function: Callable[..., Any]) -> SymderivError:
    """Return what a function's run ended with as an error of ours, at the user's line."""
    place = _place_of(err.__traceback__, function)
    ours = err if isinstance(err, SymderivError) else _ours_behind(err)
    if ours is None:
        said = str(err) or "raised"
        ours = UnsupportedError(f"{called(function)} cannot be traced: {type(err).__name__}: {said}")
    if place is None or ours.place is not None:
        return ours
    if not place.text.strip():
        ours.message += f" ({place.source}, line {place.line})"
        return ours
    return ours.at(place)


def _ours_behind(err: BaseException) -> SymderivError | None:
    """Return the error of ours that a library turned into its own."""
    behind = err.__cause__ or err.__context__
    return behind if behind is None or isinstance(behind, SymderivError) else _ours_behind(behind)


def called(function: Callable[..., Any]) -> str:
    """Return what a function is called."""
    while isinstance(function, partial):
        function = function.func
    name: str = getattr(function, "__name__", type(function).__name__)
    return "the lambda" if name == "<lambda>" else name


def code_of(function: Callable[..., Any]) -> CodeType | None:
    """Return the code of a function, below its decorators."""
    while isinstance(function, partial):
        function = function.func
    found = inspect.unwrap(function)
    code = getattr(getattr(found, "__func__", found), "__code__", None)
    return code if isinstance(code, CodeType) else None


def place_of_definition(function: Callable[..., Any]) -> Place | None:
    """Return the first line of a function's source, where there is one."""
    code = code_of(function)
    if code is None:
        return None
    place = _line(code.co_filename, code.co_firstlineno, getattr(function, "__globals__", None))
    return place if place.text.strip() else None


def _place_of(tb: TracebackType | None, function: Callable[..., Any]) -> Place | None:
    """Return the innermost place in the user's own code."""
    own = code_of(function)
    file = own.co_filename if own is not None else ""
    found = None
    for frame, line in traceback.walk_tb(tb):
        if frame.f_code.co_filename == file or not _is_library(frame):
            found = (frame, line)
    if found is None or tb is None:
        return None
    frame, line = found
    place = _line(frame.f_code.co_filename, line, frame.f_globals)
    columns = next((c for f, c in _columns(tb) if f is frame), None)
    if columns is None or not place.text.strip():
        return place
    return Place(place.text, *columns, place.line, place.source)


LIBRARIES = tuple(sysconfig.get_path(key) for key in ("stdlib", "purelib", "platlib"))


def _is_library(frame: FrameType) -> bool:
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package in ("symderiv", "numpy", "scipy") or frame.f_code.co_filename.startswith(LIBRARIES)


def _line(file: str, line: int, space: dict[str, Any] | None) -> Place:
    text = linecache.getline(file, line, space).rstrip("\n")
    start = len(text) - len(text.lstrip())
    return Place("\n" * (line - 1) + text, start, len(text) or None, line, file)


def _columns(tb: TracebackType | None) -> Iterator[tuple[FrameType, tuple[int, int]]]:
    """Yield, for each frame of a traceback, the columns that its current operation stands in."""
    while tb is not None:
        code, at = tb.tb_frame.f_code, tb.tb_lasti // 2
        first, last, start, end = list(code.co_positions())[at]
        if start is not None and end is not None and first is not None:
            line = linecache.getline(code.co_filename, first, tb.tb_frame.f_globals).rstrip("\n").encode()
            stop = end if last == first else len(line)
            yield tb.tb_frame, (len(line[:start].decode(errors="ignore")), len(line[:stop].decode(errors="ignore")))
        tb = tb.tb_next
