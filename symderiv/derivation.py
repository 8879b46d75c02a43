"""What a user holds in the hand: a Derivation with its Proof, and `derive`, which makes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy

from symderiv import dims
from symderiv.check.kernel import check as kernel_check
from symderiv.code.compiled import Compiled
from symderiv.code.numpy import Argument as CodeArgument
from symderiv.code.numpy import Source, function_source
from symderiv.errors import ParseError, ProofError, UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.index import normal
from symderiv.index.graph import Node
from symderiv.index.nodes import Argument, Definition, Index, Names, Step
from symderiv.index.written import Written
from symderiv.inputs import Shapes, read, variable
from symderiv.lift import lift
from symderiv.lower import lower, write
from symderiv.render.latex import Latex
from symderiv.render.proof import proof_views
from symderiv.render.tex import aligned
from symderiv.replay import Replayed, Stage, replay
from symderiv.shorten import shortened
from symderiv.tensor.expr import Axes, Expr, replaced, written_out
from symderiv.tensor.expr import walk as walk_expr
from symderiv.tensor.naming import named
from symderiv.tensor.parse import without_symmetry
from symderiv.tensor.text import FunctionName, to_text

CONVENTION = "a derivative has the shape of the function followed by the shape of each variable"


@dataclass(frozen=True)
class Proof:
    """The derivation step by step: chains of equalities over the definitions.

    `check()` has every step examined by the kernel, which shares no code with the engine.
    """

    parts: tuple[Replayed, ...]
    expressions: Mapping[str, Expr] = field(default_factory=dict)
    functions: Mapping[FunctionName, str] = field(default_factory=dict)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        """Return the chains of equalities, lemmas first."""
        return tuple(a for part in self.parts for a in part.arguments)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return every step, in order."""
        return tuple(step for a in self.arguments for step in a.steps)

    def check(self) -> None:
        """Have every step examined by the kernel; raise :class:`symderiv.ProofError` at the first bad one."""
        for part in self.parts:
            kernel_check(part.arguments, part.context)

    @cached_property
    def accepted(self) -> bool:
        """Tell whether the kernel accepts every step."""
        try:
            self.check()
        except ProofError:
            return False
        return True

    def to_latex(self, detail: str = "normal", language: str = "en") -> str:
        r"""Return the proof as LaTeX `align*` displays; `detail` is brief, normal or full.

        The box □ closes the last one only where the kernel accepts every step.
        """
        views = [v for part in self.parts for v in proof_views(part, self.latex(), detail, language)]
        return "\n".join(aligned(v.lines, checked=v is views[-1] and self.accepted) for v in views)

    def latex(self) -> Latex:
        """Return the printer that knows the names of this proof."""
        return Latex(self.expressions, functions=self.functions)

    def __str__(self) -> str:
        lines = []
        for a in self.arguments:
            lines.append(f"{a.left}")
            lines += [f"  = {s.after}    [{s.rule}]" for s in a.steps]
        return "\n".join(lines)


@dataclass(frozen=True)
class Derivation:
    """A derivative with its proof and its code."""

    function: Expr
    wrt: tuple[Expr, ...]
    result: Result
    stages: tuple[Stage, ...]
    named_result: Expr
    node: Node
    functions: Mapping[FunctionName, str]
    taken: tuple[str, ...]
    declared: tuple[Expr, ...]

    @property
    def shape(self) -> dims.Shape:
        """Return the shape of the derivative."""
        return self.result.expr.shape

    @property
    def definitions(self) -> dict[str, Expr]:
        """Return the intermediate arrays that got a name, in order."""
        return {e.name: e.args[0] for e in walk_expr(self.named_result) if e.op == "defined"}

    def statements(self) -> str:
        """Return definitions and result as statements, definitions first."""
        lines = [f"{name} = {to_text(body, self.functions)}" for name, body in self.definitions.items()]
        return "\n".join([*lines, to_text(self.named_result, self.functions)])

    @cached_property
    def proof(self) -> Proof:
        """Return the proof; it is replayed when it is first asked for."""
        taken = [*self.taken, *(e.name for s in self.stages for e in walk_expr(s.function) if e.op == "defined")]
        parts = tuple(replay(stage, taken) for stage in self.stages)
        _linked(self)
        expressions = {k: v for part in parts for k, v in part.expressions.items()}
        return Proof(parts, expressions, self.functions)

    @cached_property
    def _indexed(self) -> tuple[sympy.Expr, tuple[Index, ...], dict[str, Definition]]:
        names = Names(self.taken)
        tokens = [tuple(names.fresh(s) for s in axis) for axis in self.result.expr.axes]
        definitions: dict[str, Definition] = {}
        body = write(self.result.expr, tokens, Written(names, definitions))
        return body, tuple(i for token in tokens for i in token), definitions

    @property
    def index_form(self) -> sympy.Expr:
        """Return the derivative in plain SymPy: `Indexed`, `Sum`, `KroneckerDelta`; indices from 0."""
        body = self._indexed[0]
        return body.to_sympy() if hasattr(body, "to_sympy") else body

    @property
    def free_indices(self) -> tuple[sympy.Symbol, ...]:
        """Return the free indices of `index_form`, in the order of the axes."""
        return tuple(i.to_sympy() for i in self._indexed[1])

    @property
    def index_definitions(self) -> dict[str, str]:
        """Return what the heads in `index_form` stand for that are no variables (an inverse, say)."""
        return {k: (v.kind or str(v.body)) for k, v in self._indexed[2].items()}

    @property
    def notes(self) -> tuple[str, ...]:
        """Return the convention, the assumptions used and what holds at kinks."""
        traits = {e.name: e.data[1] for e in walk_expr(self.function, *self.wrt) if e.op == "var" and e.data[1]}
        said = [f"Convention: {CONVENTION}."]
        if traits:
            listed = ", ".join(f"{k} {' '.join(sorted(v))}" for k, v in sorted(traits.items()))
            said.append(f"Assumed: {listed}.")
        return tuple(said + list(_kinks(self.function)))

    def to_latex(self) -> str:
        r"""Return the statement, such as `\frac{\partial f}{\partial w} = 2 X^\top (X w - y)`."""
        latex = Latex({}, functions=self.functions)
        times = Counter(latex.name(w.name) for w in self.wrt)
        below = r"\,".join(rf"\partial {n}" + (f"^{{{k}}}" if k > 1 else "") for n, k in times.items())
        order = f"^{{{len(self.wrt)}}}" if len(self.wrt) > 1 else ""
        left = rf"\frac{{\partial{order} f}}{{{below}}}"
        return f"{left} = {latex.matrix(self.result.expr)}"

    def _repr_latex_(self) -> str:
        return f"$${self.to_latex()}$$"

    def __str__(self) -> str:
        return str(self.result)

    def to_numpy(self, name: str = "derivative", value: bool = False) -> str:
        """Return the source of a self-contained NumPy function; `value` returns the function's value too."""
        return function_source(self._source(name, value))

    def compile(self, value: bool = False) -> Callable[..., Any]:
        """Return that function, called with keyword arrays; sizes are read off the arrays and checked."""
        source = self._source("derivative", value)
        return Compiled(function_source(source), source.name, tuple(source.arguments))

    def _source(self, name: str, value: bool) -> Source:
        if not name.isidentifier():
            raise ParseError(f"{name!r} is not a name for a function")
        results = [self.function, self.result.expr] if value else [self.result.expr]
        variables = {e.name: e for e in walk_expr(self.function, *self.wrt, *results) if e.op == "var"}
        sizes = {
            s for e in walk_expr(*results) if e.op in ("size", "eye", "ones", "zeros", "reshape") for s in _sizes(e)
        }
        for e in self.declared:  # an array that only brings a size along
            new = sizes & {s for d in e.shape for s in d.free_symbols}
            if new - {s for v in variables.values() for d in v.shape for s in d.free_symbols}:
                variables.setdefault(e.name, e)
        order = [n for n in self.taken if n in variables]
        labels = {lbl: key for key, lbl in self.functions.items()}
        used = {e.data for r in results for e in walk_expr(r) if e.op == "map"}
        arguments = [CodeArgument(n, variables[n].shape) for n in order]
        arguments += [CodeArgument(lbl) for lbl, key in labels.items() if key in used]
        text = to_text(self.function, self.functions)
        shown = text if len(text) <= 60 else "the expression"
        by = ", ".join(w.name for w in self.wrt)
        kind = "Value and derivative" if value else "Derivative"
        summary = f"{kind} of {shown} with respect to {by}."
        return Source(name, arguments, results, summary, self.notes, {}, self.functions)


def _linked(d: Derivation) -> None:
    """Refuse a proof that starts from another function, or whose next derivative is of another result."""
    wanted = replaced(d.function, {v: without_symmetry(v) for v in d.wrt})
    for stage in d.stages:
        if written_out(stage.function) is not written_out(wanted):
            raise ProofError("the proof does not start from the function that was given")
        wanted = stage.result


@dataclass(frozen=True)
class Result:
    """A closed form; as text it is input of the language again."""

    expr: Expr
    functions: Mapping[FunctionName, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return to_text(self.expr, self.functions)

    def _repr_latex_(self) -> str:
        return f"$${Latex({}, functions=self.functions).matrix(self.expr)}$$"


def _sizes(expr: Expr) -> set[sympy.Symbol]:
    """Return the symbols of the sizes that an expression writes as numbers."""
    (value,) = expr.data
    return {s for size in (value if isinstance(value, tuple) else (value,)) for s in size.free_symbols}


def _kinks(function: Expr) -> list[str]:
    said = {FUNCTIONS[e.data[0]].kink for e in walk_expr(function) if e.op == "map" and e.data[0] in FUNCTIONS}
    ops = {e.op for e in walk_expr(function)}
    if ops & {"maximum", "minimum"}:
        said.add("maximum and minimum count half of each slope at a tie")
    if "where" in ops:
        said.add("where has the slope of the branch its condition takes")
    return [f"At a kink: {text}." for text in sorted(said - {""})]


# ---------------------------------------------------------------- the functions


def derive(
    expr: Any,
    wrt: str | Sequence[str],
    *,
    shapes: Shapes | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
    structured: bool = False,
) -> Derivation:
    """Return the derivative of an expression, with axes `expr.shape + wrt[0].shape + …`.

    >>> d = derive("norm(X @ w - y)**2", "w", shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    >>> print(d.result)
    2 * X.T @ (X @ w - y)
    >>> print(derive("x @ A @ x", ["x", "x"], shapes={"x": ("n",), "A": ("n", "n")}).result)
    A + A.T
    """
    scope, function = read(expr, shapes, assume, functions)
    if structured:
        raise UnsupportedError(
            "structured derivatives are not there yet", hint="leave structured=False: entries count as independent"
        )
    wanted: Any = [wrt] if isinstance(wrt, str) else wrt
    if not isinstance(wanted, Sequence) or not all(isinstance(name, str) for name in wanted):
        raise ParseError(f"wrt is a name or a list of names, not {wrt!r}", hint='write "x" or ["x", "x"]')
    variables = [variable(name, scope) for name in wanted]
    if not variables:
        raise ParseError("name at least one variable to differentiate with respect to")
    labels = {key: label for label, key in scope.functions.items()}
    return _derive(function, variables, labels, (*scope.names, *scope.sizes), tuple(scope.names.values()))


def _derive(
    function: Expr,
    variables: Sequence[Expr],
    labels: Mapping[FunctionName, str],
    taken: tuple[str, ...],
    declared: tuple[Expr, ...],
) -> Derivation:
    bare = {v: without_symmetry(v) for v in variables}
    current = replaced(function, bare)
    stages = []
    for order, v in enumerate(variables):
        used = [*taken, *(e.name for e in walk_expr(current) if e.op == "defined")]
        current = named(current, [w.name for w in variables[order:]], used)
        stage = Stage(current, bare[v], _function_name(taken) + "'" * order, labels)
        stages.append(stage)
        current = stage.result
    own = {e.name for s in stages for e in walk_expr(s.function) if e.op == "defined"}
    node = normal.unfold(lower(current).node, lambda d: d.name in own)
    node = normal.substitute(node, {lower(b).node: lower(v).node for v, b in bare.items()})
    axes: Axes = function.axes
    for v in variables:
        axes += v.axes
    result = Result(shortened(lift(node, axes)), labels)
    _named_orders(result.expr, labels)
    return Derivation(function, tuple(variables), result, tuple(stages), current, node, labels, taken, declared)


def _named_orders(expr: Expr, labels: Mapping[FunctionName, str]) -> None:
    """Refuse a derivative of an unknown function that the caller gave no name."""
    for e in walk_expr(expr):
        if e.op == "map" and e.data[0] not in FUNCTIONS and e.data not in labels:
            name, order = e.data
            wanted = ", ".join(repr(f"d{k if k > 1 else ''}{name}") for k in range(1, order + 1))
            raise UnsupportedError(
                f"the derivative of order {order} of {name} has no name",
                hint=f"write functions={{{name!r}: [{wanted}]}}",
            )


def _function_name(taken: Sequence[str]) -> str:
    return next(n for n in ("f", "F", "phi", "f_0", "f_00") if n not in taken)
