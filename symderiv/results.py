"""What every answer of symderiv is made of: a closed form, a proof, and code."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy

from symderiv.check.coq.certificate import to_coq
from symderiv.check.part import Part
from symderiv.check.stored import to_json
from symderiv.code.compiled import Compiled
from symderiv.code.numpy import function_source
from symderiv.code.source import Argument as CodeArgument
from symderiv.code.source import Source, checked_name
from symderiv.conventions import Statement, checked_layout
from symderiv.ending import Ending
from symderiv.errors import ProofError, UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.index.graph import Map, Node
from symderiv.index.graph import walk as walk_nodes
from symderiv.index.nodes import Argument, Step
from symderiv.inputs import Shapes
from symderiv.interop import matrix_form
from symderiv.render.latex import Latex
from symderiv.render.model import ProofView
from symderiv.render.proof import proof_views
from symderiv.render.terminal import WIDTH, proof_text
from symderiv.render.tex import aligned
from symderiv.render.whole import display, whole
from symderiv.replay import Replayed
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.origin import Origin
from symderiv.tensor.text import FunctionName, to_text


@dataclass(frozen=True)
class Result:
    """A closed form; as text it is input of the language again."""

    expr: Expr
    functions: Mapping[FunctionName, str] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)

    def to_sympy(self) -> Any:
        """Return the closed form as a `MatrixExpr` or a number of SymPy; see :attr:`Derivation.matrix_form`."""
        return matrix_form(self.expr, self.origin, self.functions)

    def __repr__(self) -> str:
        return f"Result({self})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def __str__(self) -> str:
        return to_text(self.expr, self.functions)

    def _repr_latex_(self) -> str:
        return f"$${Latex({}, functions=self.functions).matrix(self.expr)}$$"


@dataclass(frozen=True)
class Proof:
    """The derivation step by step: chains of equalities over the definitions.

    `check()` has every step examined by the kernel, which shares no code with the engine.
    """

    parts: tuple[Replayed, ...]
    expressions: Mapping[str, Expr] = field(default_factory=dict)
    functions: Mapping[FunctionName, str] = field(default_factory=dict)
    statements: tuple[Statement, ...] = ()
    endings: tuple[Ending, ...] = ()  # from each result over definitions to the result standing alone

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
            Part(part.arguments, part.context).check()
        for ending in self.endings:
            ending.check()

    def to_json(self) -> str:
        """Return the proof as JSON, for :func:`symderiv.check_proof`: to be kept with a paper and checked later.

        The format, with its version, is described in :mod:`symderiv.check.stored`.
        """
        return to_json(self.checked_parts())

    def to_coq(self, name: str = "claim") -> str:
        """Return the proof as a text for Coq 8.16 with MathComp: one lemma for each step, then the theorem `name`.

        The theorem says what it presupposes; what that means, and what is not covered, is in the guide, under *What
        is checked*.  A proof of several parts (one for each order, and the end) has one theorem for each.

        Raises UnsupportedError naming the first rule that has no tactic.

        >>> from symderiv import derive
        >>> text = derive("a @ x", "x", shapes={"a": ("n",), "x": ("n",)}).proof.to_coq("gradient")
        >>> "Theorem gradient_1" in text
        True
        """
        return to_coq(self.checked_parts(), name)

    def checked_parts(self) -> list[Part]:
        """Return the parts that the kernel examines, the ends of results that stand alone among them."""
        ends = [part for ending in self.endings for part in ending.shown]
        return [*(Part(part.arguments, part.context) for part in self.parts), *ends]

    @cached_property
    def accepted(self) -> bool:
        """Tell whether the kernel accepts every step."""
        try:
            self.check()
        except ProofError:
            return False
        return True

    def to_latex(self, detail: str = "normal", language: str = "en", layout: str | None = None) -> str:
        r"""Return the proof as LaTeX `align*` displays; `detail` is brief, normal or full.

        The box □ closes the last one only where the kernel accepts every step.  A `layout` adds what was
        proved, entry by entry, as one matrix in numerator or denominator layout.
        """
        views = [v for part in self.parts for v in proof_views(part, self.latex(), detail, language)]
        shown = [aligned(v.lines, checked=v is views[-1] and self.accepted) for v in views]
        if layout is not None:
            shown += [f"\\[\n{s.latex(checked_layout(layout))}\n\\]" for s in self.statements]
        return "\n".join(shown)

    def latex(self) -> Latex:
        """Return the printer that knows the names of this proof."""
        return Latex(self.expressions, functions=self.functions)

    def views(self, detail: str = "normal", language: str = "en") -> list[ProofView]:
        """Return the definitions that the proof runs over, and each chain of equalities, ready to be printed."""
        return whole(self.parts, self.latex(), detail, language, self.accepted)

    def to_text(self, detail: str = "normal", language: str = "en", width: int = WIDTH) -> str:
        """Return the proof as text with Unicode letters, aligned at the equals signs, `width` columns wide.

        It begins with what the names stand for; the box □ closes it only where the kernel accepts every step.
        """
        chains = proof_text(self.views(detail, language), width)
        return "\n\n".join("\n".join(map(str, lines)) for lines in chains)

    def _repr_latex_(self) -> str:
        return display(self.views(), [s.latex() for s in self.statements])

    def __repr__(self) -> str:
        return f"Proof({len(self.steps)} steps in {len(self.arguments)} chains of equalities)"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def __str__(self) -> str:
        return self.to_text()


def proof_of(
    parts: Sequence[Replayed],
    functions: Mapping[FunctionName, str],
    statements: tuple[Statement, ...],
    endings: Sequence[Ending] = (),
) -> Proof:
    """Return the proof that some replayed derivations make together."""
    expressions = {k: v for part in parts for k, v in part.expressions.items()}
    return Proof(tuple(parts), expressions, functions, statements, tuple(endings))


def named_orders(nodes: Sequence[Node], labels: Mapping[FunctionName, str]) -> None:
    """Refuse a derivative of an unknown function that the caller gave no name."""
    for node in walk_nodes(*nodes):
        if isinstance(node, Map) and node.function not in FUNCTIONS and (node.function, node.order) not in labels:
            name, order = node.function, node.order
            wanted = ", ".join(repr(f"d{k if k > 1 else ''}{name}") for k in range(1, order + 1))
            raise UnsupportedError(
                f"the derivative of order {order} of {name} has no name",
                hint=f"write functions={{{name!r}: [{wanted}]}}",
            )


# ---------------------------------------------------------------- code


@dataclass(frozen=True)
class Declared:
    """What was declared around an expression: names in use, arrays, names of unknown functions."""

    taken: tuple[str, ...]
    arrays: tuple[Expr, ...]
    functions: Mapping[FunctionName, str]
    origin: Origin = field(default_factory=Origin)


OF_SIZES = frozenset({"size", "eye", "ones", "zeros", "reshape", "matrix_power"})  # operations that may write a size


def code_source(
    name: str,
    results: Sequence[Expr],
    roots: Sequence[Expr],
    summary: str,
    notes: Sequence[str],
    declared: Declared,
    names: Mapping[Expr, str] | None = None,
    keys: Sequence[Hashable] = (),
) -> Source:
    """Return what a function is generated from; `roots` are the expressions whose variables are its arguments."""
    checked_name(name)
    variables = {e.name: e for e in walk(*roots, *results) if e.op == "var"}
    sizes = {s for e in walk(*results) if e.op in OF_SIZES for s in _sizes(e)}
    for e in declared.arrays:  # an array that only brings a size along
        new = sizes & {s for d in e.shape for s in d.free_symbols}
        if new - {s for v in variables.values() for d in v.shape for s in d.free_symbols}:
            variables.setdefault(e.name, e)
    order = [n for n in declared.taken if n in variables]
    labels = {lbl: key for key, lbl in declared.functions.items()}
    used = {e.data for r in results for e in walk(r) if e.op == "map"}
    arguments = [CodeArgument(n, variables[n].shape) for n in order]
    arguments += [CodeArgument(lbl) for lbl, key in labels.items() if key in used]
    carried = {s for v in variables.values() for d in v.shape for s in d.free_symbols}
    arguments += [CodeArgument(str(s), is_size=True) for s in sorted(sizes - carried, key=str)]
    return Source(name, arguments, results, summary, notes, names or {}, declared.functions, keys)


def compiled(source: Source) -> Callable[..., Any]:
    """Return the generated function, called with keyword arrays that are checked first."""
    return Compiled(function_source(source), source.name, tuple(source.arguments))


def shown(expr: Expr, functions: Mapping[FunctionName, str]) -> str:
    """Return an expression as it stands in a summary."""
    if expr.weight > 200:
        return "the expression"
    text = to_text(expr, functions)
    return text if len(text) <= 60 else "the expression"


def _sizes(expr: Expr) -> set[sympy.Symbol]:
    """Return the symbols of the sizes that an expression writes as numbers."""
    (value,) = expr.data
    found = value if isinstance(value, tuple) else (value,)
    return {s for size in found if isinstance(size, sympy.Basic) for s in size.free_symbols}


__all__ = [
    "Declared", "Proof", "Result", "Shapes", "code_source", "compiled", "named_orders", "proof_of", "shown",
]  # fmt: skip
