"""What a user holds in the hand: Derivation, Proof, Verdict; the functions of the public face."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy

from symderiv import dims
from symderiv.check.kernel import check as kernel_check
from symderiv.code.numpy import Argument as CodeArgument
from symderiv.code.numpy import Source, compiled, function_source
from symderiv.errors import ParseError, ProofError, ShapeError, SymderivError, UnknownNameError, UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.index import normal
from symderiv.index.expand import same
from symderiv.index.graph import Defined, Leaf, Node, walk
from symderiv.index.nodes import Argument, Context, Definition, Index, Names, Step
from symderiv.index.written import Written
from symderiv.lift import lift
from symderiv.lower import index_ranges, lower, write
from symderiv.render.latex import Latex
from symderiv.render.proof import proof_views
from symderiv.render.tex import aligned
from symderiv.replay import Replayed, Stage, replay
from symderiv.tensor.expr import Axes, Expr, replaced, written_out
from symderiv.tensor.expr import walk as walk_expr
from symderiv.tensor.naming import named
from symderiv.tensor.parse import Scope, parse, scope_of, without_symmetry
from symderiv.tensor.sympy_in import from_sympy_matrix
from symderiv.tensor.text import FunctionName, to_text

CONVENTION = "a derivative has the shape of the function followed by the shape of each variable"

Shapes = Mapping[str, Sequence[Any]]


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
    variables = [_variable(name, scope) for name in wanted]
    if not variables:
        raise ParseError("name at least one variable to differentiate with respect to")
    labels = {key: label for label, key in scope.functions.items()}
    return _derive(function, variables, labels, (*scope.names, *scope.sizes), tuple(scope.names.values()))


def read(
    expr: Any, shapes: Shapes | None, assume: Mapping[str, str] | None, functions: Mapping[str, list[str]] | None
) -> tuple[Scope, Expr]:
    """Return the scope and the expression that some input stands for."""
    if isinstance(expr, str):
        scope = scope_of(_tuples(shapes), assume, functions)
        return scope, parse(expr, scope)
    if isinstance(expr, sympy.Basic):
        found = from_sympy_matrix(expr)
        given = {**{k: v.shape for k, v in found.names.items()}, **_tuples(shapes)}
        scope = scope_of(given, assume, functions)
        return scope, _with_axes(found.rebuilt(scope), found.free)
    if isinstance(expr, Expr):
        scope = scope_of(_tuples(shapes), None, functions)
        for e in walk_expr(expr):
            if e.op == "var":
                scope.names[e.name] = e
                scope.sizes.update({str(s): s for size in e.shape for s in size.free_symbols})
        return scope, expr
    kind = "a Python function" if inspect.isroutine(expr) else type(expr).__name__
    raise UnsupportedError(f"{kind} cannot be read", hint="give a text, a SymPy expression, or a symderiv expression")


def _with_axes(expr: Expr, free: tuple[str, ...] | None) -> Expr:
    """Return a function of free indices as an array with these axes."""
    if free is None:
        return expr
    array = lower(expr, sizes=index_ranges(expr))
    order = [array.free.index(name) for name in free]
    return lift(normal.transposed(array.node, order))


def _tuples(shapes: Shapes | None) -> dict[str, tuple[Any, ...]]:
    result = {}
    if not isinstance(shapes, Mapping | None):
        raise ShapeError("shapes is a table of names and shapes", hint='write shapes={"X": ("n", "m")}')
    for name, shape in (shapes or {}).items():
        if isinstance(shape, str) or not isinstance(shape, Sequence):
            raise ShapeError(
                f"the shape of {name} is {shape!r}", hint='write a tuple of sizes, such as ("n", "m") or ()'
            )
        result[name] = tuple(shape)
    return result


def _variable(name: str, scope: Scope) -> Expr:
    if name in scope.names:
        return scope.names[name]
    raise UnknownNameError(f"unknown variable {name!r}", hint="declared are " + ", ".join(scope.names))


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
    result = Result(lift(node, axes), labels)
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


@dataclass(frozen=True)
class Verdict:
    """Whether a claimed derivative is right: `proved`, `refuted` (with a counterexample) or `undecided`."""

    status: str
    basis: str
    scope: str
    derivation: Derivation
    counterexample: Any = None

    @property
    def correct(self) -> Result:
        """Return the derivative as it should be."""
        return self.derivation.result

    def __str__(self) -> str:
        lines = [f"{self.status}" + (f" ({self.basis})" if self.basis else "")]
        if self.counterexample is not None:
            lines.append(str(self.counterexample))
        if self.status != "proved":
            lines.append(f"the derivative is {self.correct}")
        if self.scope:
            lines.append(self.scope)
        return "\n".join(lines)


def verify(
    expr: Any,
    wrt: str | Sequence[str],
    claim: Any,
    *,
    shapes: Shapes | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
    structured: bool = False,
) -> Verdict:
    """Decide whether `claim` is the derivative of `expr`.

    >>> v = verify("x @ A @ x", "x", "2 * A @ x", shapes={"x": ("n",), "A": ("n", "n")})
    >>> v.status, str(v.correct)
    ('refuted', 'A @ x + A.T @ x')
    """
    from symderiv.check.decide import decide_derivative

    d = derive(expr, wrt, shapes=shapes, assume=assume, functions=functions, structured=structured)
    scope, _ = read(expr, shapes, assume, functions)
    wanted = parse(claim, scope) if isinstance(claim, str) else read(claim, shapes, assume, functions)[1]
    if wanted.shape != d.shape:
        raise ShapeError(
            "the claim has another shape than the derivative",
            shapes={"derivative": dims.written(d.shape), "claim": dims.written(wanted.shape)},
            hint=CONVENTION,
        )
    unproved = ""
    if _equal(d, wanted):
        try:
            d.proof.check()
            kernel_check(*_closing(d, wanted))
            return Verdict("proved", "kernel", "all sizes; every step checked", d)
        except (ProofError, UnsupportedError) as err:
            unproved = f"; the kernel did not accept a proof: {err.message}"
    names = [w.name for w in d.wrt]
    outcome = decide_derivative(d.function, names, wanted, structured=structured)
    basis = "exact" if outcome.status == "proved" else ""
    return Verdict(outcome.status, basis, outcome.scope + unproved, d, outcome.counterexample)


def _closing(d: Derivation, wanted: Expr) -> tuple[list[Argument], Context]:
    """Return the last line of a verification: the derivative, definitions written out, is the claim.

    Here the definitions of the derivation are looked through, and what was assumed of the variables
    themselves may be used: the last derivative has been taken.
    """
    part = d.proof.parts[-1]
    last = part.arguments[-1].right
    names = Names([*d.taken, *(i.name for i in part.free), *part.context.chain, *part.context.definitions])
    chain = {k: v for k, v in part.context.chain.items() if k != d.stages[-1].name}
    definitions = {**part.context.definitions, **chain}
    left = iter(part.free)
    tokens = [tuple(next(left) for _ in axis) for axis in wanted.axes]
    written = write(wanted, tokens, Written(names, definitions))
    variables = walk_expr(d.function, wanted, *d.wrt)
    traits = {e.name: e.data[1] for e in variables if e.op == "var" and e.data[1]}
    steps = () if written == last else (Step("rearrange", (), {}, last, written),)
    return [Argument("claim", last, steps, written)], Context(definitions, {}, traits)


def _equal(d: Derivation, wanted: Expr) -> bool:
    try:
        return same(d.node, lower(wanted).node)
    except SymderivError:
        return False


__all__ = ["Context", "Defined", "Derivation", "Leaf", "Proof", "Result", "Verdict", "derive", "verify", "walk"]
