"""What a user holds in the hand: a Derivation with its proof and its code, and `derive`, which makes it."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import sympy

from symderiv import dims
from symderiv.adjoints import adjoints
from symderiv.batched import Wanted, batched_source, wants_batch
from symderiv.code.numpy import function_source
from symderiv.code.source import Source
from symderiv.conventions import Statement
from symderiv.diagrams.closed import of_stage
from symderiv.diagrams.diagram import Diagram
from symderiv.ending import Ending, ending
from symderiv.errors import ProofError, UnsupportedError
from symderiv.facing import facing
from symderiv.factors.structure import Structure
from symderiv.found import Found
from symderiv.functions import FUNCTIONS
from symderiv.index import normal
from symderiv.index.folding import folded
from symderiv.index.graph import Node
from symderiv.inputs import Shapes, read
from symderiv.inputs import variables as read_variables
from symderiv.interop import IndexForm
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.render.phrases import phrase
from symderiv.replay import Closing, Replayed, replay
from symderiv.results import (
    Declared,
    Proof,
    Result,
    code_source,
    compiled,
    named_orders,
    proof_of,
    shown,
)
from symderiv.shorten import shortened
from symderiv.shown import about, clipped, nodes_named
from symderiv.stage import Stage
from symderiv.structured import structures
from symderiv.tensor.expr import Axes, Expr, definitions, names_written_out, replaced, written_out
from symderiv.tensor.expr import walk as walk_expr
from symderiv.tensor.naming import named
from symderiv.tensor.parse import MERGING, Scope, without_symmetry
from symderiv.tensor.text import to_text

DEEPEST = 60  # definitions; over more of them a result is kept in terms of named adjoints
LONGEST_STATED = 2000  # nodes; a longer result is not written as one formula under its proof
LONGEST_UNNAMED = 300  # nodes of a result; a longer one is stated over named adjoints


@dataclass(frozen=True, repr=False)
class Derivation(Found):
    """A derivative with its proof and its code."""

    function: Expr
    wrt: tuple[Expr, ...]
    stages: tuple[Stage, ...]
    over: Expr  # the result over definitions, the entries of the variables independent
    named_result: Expr  # the same with what is assumed of the variables in use
    declared: Declared
    structures: Mapping[str, str]

    @property
    def axes(self) -> Axes:
        """Return the axes of the derivative: those of the function, then those of each variable."""
        return self.function.axes + tuple(axis for v in self.wrt for axis in v.axes)

    @property
    def shape(self) -> dims.Shape:
        """Return the shape of the derivative."""
        return tuple(dims.product(axis) for axis in self.axes)

    @cached_property
    def node(self) -> Node:
        """Return the normal form of the result, standing alone, with what is assumed of the variables in use."""
        roots = [*(stage.function for stage in self.stages), self.over]
        own = definitions(*roots)
        return standing_alone(lower(self.over).node, own, {v: without_symmetry(v) for v in self.wrt})

    @cached_property
    def result(self) -> Result:
        """Return the closed form, standing alone; one nested too deeply is refused, :meth:`statements` has it."""
        shown = facing(shortened(lift(self.node, self.axes)), self.function)
        return Result(shown, self.functions, self.declared.origin)

    @cached_property
    def structure(self) -> Structure:
        """Return the derivative as a linear map that keeps its structure: δ, blocks, products instead of all entries.

        >>> given = {"T": ("m", "n"), "U": ("m", "k"), "V": ("n", "k")}
        >>> print(derive("norm(T - U @ V.T)**2", ["U", "U"], shapes=given).structure)
        δ[i,l] ⊗ (2 * V.T @ V)[j,p]

        `structure.compile()` gives an operator with `matvec`, `solve` and `dense` (:mod:`symderiv.factors`).
        """
        if self.structures:
            raise UnsupportedError(
                "a linear map over the free entries of a variable has no one accepted meaning",
                hint="leave structured=False: entries count as independent",
            )
        *before, last = self.wrt
        rows = self.function.axes + tuple(axis for v in before for axis in v.axes)
        return Structure(self.function, self.wrt, self.node, rows, last.axes, self.declared)

    @property
    def taken(self) -> tuple[str, ...]:
        """Return the names that were declared."""
        return self.declared.taken

    @cached_property
    def _stated(self) -> Expr:
        """The result as statements give it: a long one over adjoints that are named where ways part."""
        if self.named_result.weight <= LONGEST_UNNAMED:
            return self.named_result
        last = self.stages[-1]
        (result,) = adjoints(last, [*self.taken, *(s.name for s in self.stages)]).values()
        return with_assumptions(result, {v: without_symmetry(v) for v in self.wrt})

    @property
    def definitions(self) -> dict[str, Expr]:
        """Return the intermediate arrays that got a name, in order."""
        return definitions(self._stated)

    def statements(self) -> str:
        """Return definitions and result as statements, definitions first; linear in the size of the graph."""
        lines = [f"{name} = {to_text(body, self.functions)}" for name, body in self.definitions.items()]
        return "\n".join([*lines, to_text(self._stated, self.functions)])

    @cached_property
    def proof(self) -> Proof:
        """Return the proof; it is replayed when it is first asked for."""
        taken = [*self.taken, *definitions(*(s.function for s in self.stages))]
        *before, last = self.stages
        parts = [replay(stage, taken, closing_of({}, self.wrt)) for stage in before]
        parts.append(replay(last, taken, closing_of({self.wrt[-1].name: self.named_result}, self.wrt)))
        _linked(self)
        if self.named_result.weight > LONGEST_STATED:
            return proof_of(parts, self.functions, ())
        end = self._ending(parts[-1], shortened(lift(self.node, self.axes), clipped=False))
        return proof_of(parts, self.functions, (self.statement,), [end])

    def ending(self, wanted: Expr) -> Ending:
        """Return the end of a proof that the derivative is `wanted`."""
        return self._ending(self.proof.parts[-1], wanted)

    def _ending(self, part: Replayed, wanted: Expr) -> Ending:
        over = self.named_result
        return ending(part, part.arguments[-1], over, wanted, [self.function, *self.wrt], self.taken)

    @property
    def statement(self) -> Statement:
        """Return `∂f/∂x = result`, to be shown in a layout."""
        name, structured = self.stages[0].name, bool(self.structures)
        return Statement(name, self.function.shape, self.wrt, self.result.expr, self.functions, structured)

    @cached_property
    def _indexed(self) -> IndexForm:
        return IndexForm.of(self.result.expr, self.declared.origin, self.taken, self.functions)

    @property
    def matrix_form(self) -> Any:
        """Return the derivative as a `MatrixExpr` of SymPy, or as a number; refused where it is no matrix.

        Vectors are columns; axes of size 1 drop out of a result with more than two.  Symbols are the user's own
        where the function came from SymPy.

        >>> print(derive("x @ A @ x", "x", shapes={"x": ("n",), "A": ("n", "n")}).matrix_form)
        (A + A.T)*x
        """
        return self.result.to_sympy()

    @property
    def index_form(self) -> sympy.Expr:
        """Return the derivative in plain SymPy: `Indexed`, `Sum`, `KroneckerDelta`.

        Indices run from 0, or from 1 where those of the user's own index expression did.
        """
        return self._indexed.form

    @property
    def free_indices(self) -> tuple[sympy.Symbol, ...]:
        """Return the free indices of `index_form`, in the order of the axes."""
        return self._indexed.free

    @property
    def index_definitions(self) -> dict[str, str]:
        """Return what the heads in `index_form` stand for that are no variables (an inverse, say), as text."""
        return self._indexed.definitions

    @property
    def _variables(self) -> tuple[Expr, ...]:
        return self.wrt

    @property
    def _structures(self) -> Mapping[str, str]:
        return self.structures

    @property
    def _told_apart(self) -> Result:
        return self.result

    def _again(self, function: Expr, wrt: Sequence[Expr]) -> Derivation:
        return _derive(function, wrt, self.declared, self.structures)

    def to_latex(self, layout: str | None = None) -> str:
        r"""Return the statement, such as `\frac{\partial f}{\partial w} = 2 X^\top (X w - y)`.

        `layout` is "numerator" or "denominator" (:mod:`symderiv.conventions` has the table); without it the
        right side is the array.  Text and code always are the array.
        """
        return self.statement.latex(layout)

    def equations(self) -> list[str]:
        """Return what was found, as LaTeX."""
        return [self.to_latex()]

    def done(self, language: str) -> list[str]:
        """Return what was done, in a sentence."""
        values = about(self, [x.name for x in self.wrt], language) | {"result": clipped(self._stated, self.functions)}
        nodes = nodes_named(self.definitions, self.functions, language)
        if nodes:
            return [phrase(language, "explain_through", nodes=nodes, **values)]
        return [phrase(language, "explain_done", **values)]

    def described(self) -> str:
        """Return what this is, in a line."""
        by = ", ".join(w.name for w in self.wrt)
        of = shown(self.function, self.functions)
        return f"Derivation({of}, in {by}: shape {dims.written(self.shape)})"

    def __str__(self) -> str:
        return str(self.result)

    def diagram(self, order: int = 1) -> Diagram:
        r"""Return the graph of definitions, values forward and derivatives back; notebooks show it as a picture.

        `order` tells which derivative's: 1 is the function on its way to its first derivative, 2 that derivative on
        its way to the second.  The picture is `diagram().svg()`, `.tikz()` or `.typst()`; pygraphviz places it.

        >>> d = derive("norm(X @ w - y)**2", "w", shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
        >>> [(edge.tail, edge.head, *edge.back[:1]) for edge in d.diagram().graph.edges if edge.back]
        [('w', 'u', '\\partial f/\\partial w'), ('u', 'f', '\\partial f/\\partial u')]
        """
        if order not in range(1, len(self.stages) + 1):
            raise UnsupportedError(
                f"there is no diagram of order {order}", hint=f"orders are from 1 to {len(self.stages)}"
            )
        return Diagram(of_stage(self.stages[order - 1], self.functions, self.taken))

    def to_numpy(
        self,
        name: str = "derivative",
        value: bool = False,
        batch: Sequence[str] = (),
        summed: bool = False,
        sizes: Mapping[str, int] | None = None,
    ) -> str:
        """Return the source of a self-contained NumPy function; `value` returns the function's value too.

        The order of products is the fastest one at `sizes`, such as `{"n": 1000, "k": 10}`; those that are not
        given count as is usual.  The values are right at all sizes.

        The arrays named in `batch` have a leading axis, and so have the results: those of each sample; with
        `summed=True` they are those of the sum over the samples.

        >>> d = derive("norm(W @ x - y)**2", "W", shapes={"W": ("m", "n"), "x": ("n",), "y": ("m",)})
        >>> print(d.to_numpy(batch=["x", "y"], summed=True).splitlines()[-1].strip())
        return 2 * (u.T @ x)
        """
        return function_source(replace(self._batched(name, value, batch, summed), sizes=sizes))

    def compile(
        self,
        value: bool = False,
        batch: Sequence[str] = (),
        summed: bool = False,
        sizes: Mapping[str, int] | None = None,
    ) -> Callable[..., Any]:
        """Return that function, called with keyword arrays; sizes are read off the arrays and checked."""
        return compiled(replace(self._batched("derivative", value, batch, summed), sizes=sizes))

    def _batched(self, name: str, value: bool, batch: Sequence[str], summed: bool) -> Source:
        """Return what the function is generated from, with a leading axis where one is wanted."""
        plain = self._source(name, value)
        if not wants_batch(batch, summed):
            return plain
        function = replaced(self.stages[0].function, {without_symmetry(v): v for v in self.wrt})
        results = [(function, ())] * value + [(self._stated, self.wrt)]
        wanted = Wanted(name, results, self.function, self.wrt, plain.summary, plain.notes, self.declared)
        return batched_source(wanted, batch, summed)

    def _source(self, name: str, value: bool) -> Source:
        function = written_out(self.function)
        deep = any(len(stage.inner) > DEEPEST for stage in self.stages)
        result = written_out(self._stated) if deep else self.result.expr
        results = [function, result] if value else [result]
        names = names_written_out(self.function, *([self._stated] if deep else []))
        by = ", ".join(w.name for w in self.wrt)
        kind = "Value and derivative" if value else "Derivative"
        summary = f"{kind} of {shown(function, self.functions)} with respect to {by}."
        return code_source(name, results, [function, *self.wrt], summary, self.notes, self.declared, names)


def _linked(d: Derivation) -> None:
    """Refuse a proof that starts from another function, or whose next derivative is of another result."""
    first = replaced(d.function, {v: without_symmetry(v) for v in d.wrt})
    for wanted, stage in zip([first, *(s.result for s in d.stages[:-1])], d.stages, strict=True):
        if written_out(stage.function) is not written_out(wanted):
            raise ProofError("the proof does not start from the function that was given")


def closing_of(results: Mapping[str, Expr], variables: Sequence[Expr]) -> Closing:
    """Return what is assumed of the variables themselves, and the results by name with that in use."""
    traits = {x.name: x.data[1] for x in variables if x.data[1] & MERGING}
    assumed = []
    for name, found in traits.items():
        words = {"symmetric" if t == "positive_definite" else t for t in found & MERGING}
        assumed += [(name, word) for word in sorted(words)]
    return Closing(traits, results if traits else {}, tuple(assumed))


# ---------------------------------------------------------------- the functions


def derive(
    expr: Any,
    wrt: Any,
    *,
    shapes: Shapes | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
    structured: bool = False,
) -> Derivation:
    """Return the derivative of an expression, with axes `expr.shape + wrt[0].shape + …`.

    The expression is a text, SymPy's, a tensor of :func:`symderiv.declare`, or a Python function written in NumPy,
    which is run on tensors named after its parameters; `wrt` are names or tensors, one or several.

    >>> d = derive("norm(X @ w - y)**2", "w", shapes={"X": ("n", "p"), "w": ("p",), "y": ("n",)})
    >>> print(d.result)
    2 * X.T @ (X @ w - y)
    >>> print(derive("x @ A @ x", ["x", "x"], shapes={"x": ("n",), "A": ("n", "n")}).result)
    A + A.T

    With `structured=True` it is taken over the free entries of symmetric and diagonal variables:

    >>> given = {"shapes": {"S": ("n", "n")}, "assume": {"S": "symmetric"}}
    >>> print(derive("logdet(S)", "S", structured=True, **given).result)
    2 * inv(S) - diag(diag(inv(S)))
    """
    scope, function = read(expr, shapes, assume, functions)
    variables = read_variables(wrt, scope)
    return _derive(function, variables, declared_in(scope), structures(variables) if structured else {})


def of_variables(function: Expr, variables: Sequence[Expr], declared: Declared) -> Derivation:
    """Return the derivative of an expression in variables of its own."""
    return _derive(function, variables, declared, {})


def declared_in(scope: Scope) -> Declared:
    """Return what a scope declares."""
    labels = {key: label for label, key in scope.functions.items()}
    return Declared((*scope.names, *scope.sizes), tuple(scope.names.values()), labels, scope.origin)


def _derive(function: Expr, variables: Sequence[Expr], declared: Declared, kinds: Mapping[str, str]) -> Derivation:
    labels, taken = declared.functions, declared.taken
    bare = {v: without_symmetry(v) for v in variables}
    current = replaced(function, bare)
    stages = []
    for order, v in enumerate(variables):
        used = [*taken, *definitions(current)]
        current = named(current, [w.name for w in variables[order:]], used)
        kind = {v.name: kinds[v.name]} if v.name in kinds else {}
        stage = Stage(current, (bare[v],), function_name(taken) + "'" * order, labels, structures=kind)
        stages.append(stage)
        current = stage.result if len(stage.inner) <= DEEPEST else next(iter(adjoints(stage, used).values()))
    found = (tuple(variables), tuple(stages), current, with_assumptions(current, bare), declared, dict(kinds))
    derivation = Derivation(function, *found)
    if any(e.op == "map" and e.data[0] not in FUNCTIONS for e in walk_expr(current)):
        named_orders([derivation.node], labels)
    return derivation


def standing_alone(node: Node, own: Container[str], bare: Mapping[Expr, Expr]) -> Node:
    """Return a result with its own definitions put in and what is assumed of the variables in use."""
    node = normal.unfold(node, lambda d: d.name in own)
    return folded(normal.substitute(node, {lower(b).node: lower(v).node for v, b in bare.items()}))


def with_assumptions(result: Expr, bare: Mapping[Expr, Expr]) -> Expr:
    """Return a result over definitions with what is assumed of the variables in use."""
    change = {b: v for v, b in bare.items() if b is not v}
    if not change:
        return result
    leaves = {lower(b).node: lower(v).node for b, v in change.items()}
    old, renamed = lower(result).node, replaced(result, change)
    node = normal.substitute(old, leaves)
    if normal.substitute(node, {v: b for b, v in leaves.items()}) is old:  # of no use
        return renamed
    names = {lower(e).node: e for e in walk_expr(renamed) if e.op == "defined"}
    return lift(folded(node), result.axes, names)


def function_name(taken: Sequence[str]) -> str:
    """Return a name for the function itself that is not in use."""
    return next(n for n in ("f", "F", "phi", "f_0", "f_00") if n not in taken)


__all__ = ["Derivation", "Proof", "Result", "derive"]
