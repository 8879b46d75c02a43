"""Checked code: `code(expr, …)` as a NumPy function that was run, and compared with its definitions.

The function is run on random arrays, of sizes that all differ, of size 1, and of several lengths.  What it
returns is compared with the definitions themselves: every member written out, and evaluated by
:mod:`symderiv.check`, which shares no code with the engine.  Derivatives are there those of floats, by complex
steps and differences.  Unknown functions are stood in for by smooth ones.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import sympy

from symderiv.check.indices import Indices
from symderiv.check.numeric import Numeric, relative_error, stand_in, stand_in_terms
from symderiv.check.points import MOODS, coordinates, realised, stream
from symderiv.check.reading import Reading, number_of
from symderiv.code.compiled import Compiled, compiled
from symderiv.code.dialect import unknown_name
from symderiv.code.loop_writer import program_source, program_text
from symderiv.code.loops import program_of
from symderiv.code.program import Program
from symderiv.code.source import Argument
from symderiv.errors import SymderivError
from symderiv.statements.block import Names, Statement
from symderiv.statements.worlds import Unrolled
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import to_text
from symderiv.unrolling import parameters

TOLERANCE = 1e-8
LENGTHS = (3, 1, 4)
ONES = 1  # in this turn all sizes are 1


@dataclass(frozen=True)
class Generated:
    """A generated function; `text` is that of the function alone, `source` that of a module."""

    program: Program
    text: str
    source: str

    def named(self, id_: str, taken: set[str]) -> str:
        """Return the text of the function under a name that is not taken, and take it."""
        name = self.name
        while name in taken:
            name += f"_{_word(id_)}"
        taken.add(name)
        return self.text if name == self.name else program_text(replace(self.program, name=name))

    def compile(self) -> Compiled:
        """Return the function, called with keyword arrays; sizes are read off the arrays and checked."""
        arguments = list(self.program.arguments)
        names = inspect.signature(compiled(self.source, self.name)).parameters
        loose = [Argument(n, is_size=True) for n in names if n not in {a.name for a in arguments}]
        return Compiled(self.source, self.name, (*arguments, *loose))

    @property
    def name(self) -> str:
        """Return the name of the function."""
        return self.program.name


@dataclass(frozen=True)
class Agreement:
    """Whether code does what its definitions say: agrees, disagrees or undecided, and where that was found out."""

    status: str
    scope: str


def generated(statement: Statement, names: Names, name: str = "") -> Generated:
    """Return the code that a statement asks for."""
    own = name or function_name(statement.exprs)
    notes = [*directions(statement.exprs), *cost(statement)]
    program = program_of(names, statement.exprs, own, summary(statement.exprs), notes)
    return Generated(program, program_text(program), program_source(program))


def function_name(exprs: Sequence[Expr]) -> str:
    """Return a name for the function that computes some expressions."""
    if all(_inner(e).op == "directional" for e in exprs):
        return "hessian_vector_product" if any(a.op == "diff" for e in exprs for a in _inner(e).args) else "along"
    slopes = [e for e in exprs if e.op == "diff"]
    if len(slopes) > 1 and len({(e.args[0], len(e.args)) for e in slopes}) == 1 and len(slopes[0].args) == 2:
        front = [_word(to_text(e)) for e in exprs if e.op != "diff"]
        return "_and_".join([*front, "gradients"])
    return "_and_".join(_name(e) for e in exprs)[:60].rstrip("_")


def _name(expr: Expr) -> str:
    if expr.op == "diff" and all(a.op in ("var", "defined") for a in expr.args):
        f, *xs = (_word(a.name) for a in expr.args)
        order = "" if len(xs) == 1 else str(len(xs))
        return f"d{order}{f}_" + "_".join(f"d{x}" for x in xs)
    return _word(expr.name if expr.op in ("var", "defined") else "value")


def _word(text: str) -> str:
    words = "".join(c if c.isalnum() else " " for c in text).split()
    return "_".join(words) or "value"


def _inner(expr: Expr) -> Expr:
    while expr.op == "called":
        expr = expr.args[0]
    return expr


def summary(exprs: Sequence[Expr]) -> str:
    """Return the first line of a docstring."""
    texts = [to_text(e) for e in exprs]
    front, last = texts[:-1], texts[-1]
    said = f"{', '.join(front)} and {last}" if front else last
    return f"Return {said}." if len(said) <= 90 else "Return what is listed below."


def directions(exprs: Sequence[Expr]) -> list[str]:
    """Say what moves where a derivative is one along directions."""
    found: dict[str, None] = {}
    for e in exprs:
        for part in walk(e):
            if part.op == "called" and part.args[0].op == "directional":
                inner = part.args[0]
                pairs = [f"{to_text(v)} in {w.name}" for w, v in zip(inner.args[1::2], inner.args[2::2], strict=True)]
                found[f"{part.name}(f) is the derivative of f along {' and '.join(pairs)}."] = None
    return list(found)


def cost(statement: Statement) -> list[str]:
    """Return the cost that the author states."""
    return [] if statement.cost is None else [f"Cost, as stated: of the order {to_text(statement.cost)}."]


# ---------------------------------------------------------------- the comparison


def agreement(
    made: Generated, statement: Statement, names: Names, plain: Callable[[Expr], Expr], seed: int = 0
) -> Agreement:
    """Return whether code does what its definitions say; `plain` writes expressions for the checks."""
    worst, where = 0.0, []
    for turn in range(len(LENGTHS)):
        try:
            trial = Trial(made, statement, names, plain, turn, seed)
            error = trial.error()
        except SymderivError as err:
            return Agreement("undecided", err.message)
        said = ", ".join(f"{k} = {v}" for k, v in sorted(trial.sizes.items()))
        if error is None:
            return Agreement("undecided", f"no point was found where the definitions have values ({said})")
        if not error <= TOLERANCE:
            return Agreement("disagrees", f"{said}: relative error {error:.2g}")
        worst = max(worst, error)
        where.append(said)
    return Agreement("agrees", f"relative error {worst:.1g} at most, for {'; '.join(dict.fromkeys(where))}")


class Trial:
    """One comparison: at given sizes and lengths, on random arrays."""

    def __init__(
        self, made: Generated, statement: Statement, names: Names, plain: Callable[[Expr], Expr], turn: int, seed: int
    ) -> None:
        self.made, self.names, self.turn, self.seed = made, names, turn, seed
        least = names.families.least
        lengths = parameters(statement, names)
        at = {s: sympy.Integer(max(least.get(str(s), 1), LENGTHS[turn])) for s in lengths}
        reader = Unrolled(names, at).reader()
        assert isinstance(statement.node, ast.Expr) and isinstance(statement.node.value, ast.Call)
        self.exprs = [plain(reader.read(a)) for a in statement.node.value.args]
        self.function = compiled(made.source, made.name)
        self.reading, self.indices = Reading(*self.exprs), Indices(*self.exprs)
        self.sizes = {str(s): int(v) for s, v in at.items()}
        self.give_sizes()

    def give_sizes(self) -> None:
        """Give every size that is none yet a value of its own; in one turn they are all 1."""
        shapes = [a.shape or () for a in self.made.program.arguments]
        shapes += [e.shape for root in self.exprs for e in walk(root)]
        wanted = {str(s) for shape in shapes for size in shape for s in size.free_symbols}
        wanted |= set(self.parameters()) & {str(s) for s in self.names.scope.sizes}
        used = set(self.sizes.values())
        free = (n for n in range(2, 100) if n not in used)
        for name in sorted(wanted - set(self.sizes)):
            self.sizes[name] = 1 if self.turn == ONES else next(free)

    def parameters(self) -> list[str]:
        return list(inspect.signature(self.function).parameters)

    def error(self) -> float | None:
        """Return the largest relative error, at the first point where everything is defined."""
        for point in range(len(MOODS)):
            values = self.values(point)
            labels = self.labels(point)
            with np.errstate(all="ignore"):
                wanted = self.by_definition(values, labels)
                if not all(np.isfinite(w).all() for w in wanted):
                    continue
                found = self.function(**self.arguments(values, labels))
            found = found if len(self.exprs) > 1 else (found,)
            return max(relative_error(f, w) for f, w in zip(found, wanted, strict=True))
        return None

    # -- points

    def values(self, point: int) -> dict[str, Any]:
        """Return a random value of every array that the definitions name."""
        found = {}
        for name, x in self.reading.variables.items():
            shape = tuple(int(number_of(s, self.sizes)) for s in x.shape)
            z, u = coordinates(x, shape, 1, stream(self.seed, "code", name, self.turn, point))
            found[name] = realised(x, z, u, [MOODS[point]])
        return found

    def labels(self, point: int) -> dict[str, int]:
        """Return a random value of every label."""
        found = {}
        for name, axis in self.indices.free.items():
            size = prod(int(number_of(s, self.sizes)) for s in axis)
            found[name] = int(stream(self.seed, "label", name, self.turn, point).integers(size))
        return found

    def by_definition(self, values: Mapping[str, Any], labels: Mapping[str, int]) -> list[Any]:
        """Return the values of the definitions, as the checks compute them."""
        on = Numeric(self.reading, self.indices, self.sizes, values)
        found = []
        for expr in self.exprs:
            value = on.evaluate(expr).real[0]
            value = value[(0,) * self.reading.slots]
            for name in self.indices.names:
                value = value[labels.get(name, 0) if len(value) > 1 else 0]
            found.append(value)
        return found

    # -- arguments of the code

    def arguments(self, values: Mapping[str, Any], labels: Mapping[str, int]) -> dict[str, Any]:
        """Return what the function is called with."""
        program = self.made.program
        given = {a.name: self.argument(a, values, labels) for a in program.arguments}
        return given | {n: self.sizes[n] for n in self.parameters() if n not in given}

    def argument(self, argument: Argument, values: Mapping[str, Any], labels: Mapping[str, int]) -> Any:
        if argument.shape is None:
            return self.callable(argument.name)
        shape = tuple(int(number_of(s, self.sizes)) for s in argument.shape)
        members = self.made.program.members.get(argument.name)
        if members is None:
            return self.one(argument.name, shape, argument, values, labels)
        if members.high is None:
            low = int(number_of(members.low, self.sizes))
            return self.one(f"{members.family}[{low}]", shape, argument, values, labels)
        low = int(number_of(members.low, self.sizes))
        rows = [self.one(f"{members.family}[{low + k}]", shape[1:], argument, values, labels) for k in range(shape[0])]
        return np.array(rows, dtype=int if argument.below is not None else float).reshape(shape)

    def one(
        self,
        name: str,
        shape: tuple[int, ...],
        argument: Argument,
        values: Mapping[str, Any],
        labels: Mapping[str, int],
    ) -> Any:
        """Return the value of one array; any will do where the definitions do not name it."""
        if argument.below is not None:
            return labels.get(name, 0)
        return values[name][0] if name in values else stream(self.seed, "idle", name).standard_normal(shape)

    def callable(self, name: str) -> Callable[..., Any]:
        """Return the function that stands in for an unknown one, or a derivative of it."""
        for (f, order), label in self.made.program.functions.items():
            if label == name:
                return lambda u: stand_in(f, order, u)
        for e in walk(*self.made.program.values()):
            if e.op == "unknown":
                slots = e.data[1] if len(e.data) > 1 else ()
                if unknown_name(e.name, slots, len(e.args)) == name:
                    own = e.shape[: e.rank - sum(e.args[s].rank for s in slots)]
                    return StandIn(e.name, tuple(int(number_of(s, self.sizes)) for s in own), slots)
        raise AssertionError(f"{name} is called nowhere")


@dataclass(frozen=True)
class StandIn:
    """A derivative of F(u) = 2 + Σ_r c_r sin(w_r·u + b_r), u the entries of all arguments in one row."""

    name: str
    shape: tuple[int, ...]
    slots: tuple[int, ...]

    def __call__(self, *args: Any) -> Any:
        """Return the derivative in the arguments at `slots`."""
        arrays = [np.asarray(a, dtype=float) for a in args]
        ends = np.cumsum([a.size for a in arrays])
        w, b, c = stand_in_terms(self.name, int(ends[-1]), prod(self.shape))
        u = np.concatenate([a.ravel() for a in arrays])
        order = len(self.slots)
        value = c * np.sin(w @ u + b + order * np.pi / 2)
        for s in self.slots:
            part = w[:, ends[s] - arrays[s].size : ends[s]]
            value = value[..., None, :] * part.T
        result = value.sum(axis=-1) + (0 if order else 2)
        return result.reshape((*self.shape, *(n for s in self.slots for n in arrays[s].shape)))


__all__ = ["Agreement", "Generated", "agreement", "function_name", "generated"]
