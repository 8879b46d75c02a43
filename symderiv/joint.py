"""Hessian-vector products over several variables at once, without the Hessian.

For a number f of x₁ … xₘ and directions v₁ … vₘ of their shapes, `φ = Σ_j Σ_l ∂f/∂xⱼ[l] vⱼ[l]` is the derivative
of f along all of them together, and

    (H v)ᵢ[k] = Σ_j Σ_l ∂²f/∂xᵢ[k]∂xⱼ[l] vⱼ[l] = ∂φ/∂xᵢ[k],

as second derivatives commute.  Two passes down the definitions find it, one for f and one for φ; adjoints that
several derivatives share keep their names in both, so statements and code grow linearly with depth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from typing import Any, ClassVar

from symderiv import dims
from symderiv.adjoints import adjoints, free_name
from symderiv.code.numpy import cheaper, function_source
from symderiv.code.source import Source
from symderiv.derivation import closing_of, function_name, standing_alone, with_assumptions
from symderiv.ending import ending
from symderiv.errors import ProofError
from symderiv.facing import facing
from symderiv.found import OfSeveral
from symderiv.index import normal
from symderiv.index.graph import Node
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.render.latex import Latex
from symderiv.render.phrases import phrase
from symderiv.replay import replay
from symderiv.results import Declared, Proof, code_source, compiled, named_orders, proof_of, shown
from symderiv.shorten import shortened
from symderiv.shown import about, listed
from symderiv.stage import Stage
from symderiv.tangents import program
from symderiv.tensor.expr import Expr, definitions, names_written_out, replaced, written_out
from symderiv.tensor.naming import named
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import without_symmetry
from symderiv.tensor.text import to_text

ALONG = ("phi", "psi")  # what the derivative along the directions is called


@dataclass(frozen=True, repr=False)
class HessianVectorProducts(OfSeveral):
    """The Hessian of a number in several variables, multiplied with a direction for each of them.

    `h["W"]` is the part that has the shape of W; iterating gives the names.
    """

    function: Expr
    wrt: tuple[Expr, ...]
    directions: tuple[Expr, ...]
    stages: tuple[Stage, Stage]
    declared: Declared
    what: ClassVar[str] = "product"

    def _alone(self, x: Expr, clipped: bool = True) -> Expr:
        own = definitions(*(s.function for s in self.stages))
        node = standing_alone(self.stages[1].node_in(self._bare[x]), own, self._bare)
        return facing(shortened(lift(node, x.axes), clipped), self.function)

    @property
    def shapes(self) -> dict[str, dims.Shape]:
        """Return the shape of each part, which is that of its variable."""
        return {x.name: x.shape for x in self.wrt}

    @property
    def _taken(self) -> list[str]:
        inner = definitions(*(s.function for s in self.stages))
        return [*self.declared.taken, *(v.name for v in self.directions), *inner]

    # -- over the definitions

    @cached_property
    def named_results(self) -> dict[str, Expr]:
        """The parts of the product over the definitions and the adjoints that they share."""
        variables = {b: x for x, b in self._bare.items()}
        found = adjoints(self.stages[1], [*self._taken, *(s.name for s in self.stages)])
        return {variables[x].name: with_assumptions(e, self._bare) for x, e in found.items()}

    @property
    def definitions(self) -> dict[str, Expr]:
        """Return the intermediate arrays that got a name, in order."""
        return definitions(*self.named_results.values())

    def statements(self) -> str:
        """Return definitions and the parts of the product as statements (`W_dot` for that of W), definitions first."""
        used = {*self._taken, *self.definitions}
        ends = {free_name(name + "_dot", used): e for name, e in self.named_results.items()}
        lines = self.definitions | ends
        return "\n".join(f"{name} = {to_text(body, self.functions)}" for name, body in lines.items())

    # -- proof, notes, display

    @cached_property
    def proof(self) -> Proof:
        """Return the proof: the gradients of f, then those of their product with the directions."""
        first, second = self.stages
        if _plain(second.function) is not _plain(along_all(first, self.directions)):
            raise ProofError("the proof does not go on from the gradients that were found")
        results = {x.name: with_assumptions(second.result_in(b), self._bare) for x, b in self._bare.items()}
        parts = [
            replay(first, self._taken, closing_of({}, self.wrt)),
            replay(second, self._taken, closing_of(results, self.wrt)),
        ]
        chains = {a.label.split(",")[0]: a for a in parts[1].arguments}
        roots = [self.function, *self.wrt, *self.directions]
        ends = [
            ending(parts[1], chains[x.name], results[x.name], self._alone(x, clipped=False), roots, self._taken)
            for x in self.wrt
        ]
        return proof_of(parts, self.functions, (), ends)

    def _again(self, function: Expr, wrt: Sequence[Expr]) -> HessianVectorProducts:
        return joint(function, wrt, self.directions, self.declared)

    def equations(self) -> list[str]:
        """Return what was found, as LaTeX: the derivative along all directions, and its gradient."""
        latex = Latex({}, functions=self.functions)
        f, phi = latex.name(self.stages[0].name), latex.name(self.stages[1].name)
        terms = [rf"\langle \partial {f} / \partial {latex.name(x.name)}, {latex.name(v.name)} \rangle"
                 for x, v in zip(self.wrt, self.directions, strict=True)]  # fmt: skip
        lines = [rf"{phi} = {' + '.join(terms)}"]
        for x in self.wrt:
            right = latex.matrix(self.results[x.name].expr)
            lines.append(rf"\frac{{\partial {phi}}}{{\partial {latex.name(x.name)}}} = {right}")
        return lines

    def to_latex(self) -> str:
        r"""Return one line `\frac{\partial \varphi}{\partial W} = …` for each variable, φ the derivative along all."""
        lines = [line.replace(" = ", " &= ", 1) for line in self.equations()]
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def done(self, language: str) -> list[str]:
        """Return what was done, in a sentence."""
        directions = listed([v.name for v in self.directions], language)
        return [phrase(language, "explain_hvp", directions=directions, **about(self, self.names, language))]

    def described(self) -> str:
        """Return what this is, in a line."""
        of, along = shown(self.function, self.functions), ", ".join(v.name for v in self.directions)
        return f"HessianVectorProducts({of}, in {', '.join(self.names)} along {along})"

    def __str__(self) -> str:
        return self.statements()

    # -- code

    def to_numpy(self, name: str = "hvp", sizes: Mapping[str, int] | None = None) -> str:
        """Return the source of a NumPy function of the arrays and the directions.

        It returns a dictionary: for each variable the part of the product that has its shape.
        """
        return function_source(self.source(name, sizes))

    def compile(self, sizes: Mapping[str, int] | None = None) -> Callable[..., Any]:
        """Return that function, called with keyword arrays; sizes are read off the arrays and checked."""
        return compiled(self.source("hvp", sizes))

    def source(self, name: str, sizes: Mapping[str, int] | None = None) -> Source:
        """Return what the function is generated from: the products over adjoints, or over tangents, if that is less."""
        moving = dict(zip(self._bare.values(), self.directions, strict=True))
        tangents = program(self.stages[0], moving, self._taken)
        over_tangents = {x.name: with_assumptions(tangents[b], self._bare) for x, b in self._bare.items()}
        sources = (self._source(name, results) for results in (self.named_results, over_tangents))
        return cheaper(*(replace(source, sizes=sizes) for source in sources))

    def _source(self, name: str, products: Mapping[str, Expr]) -> Source:
        results = [written_out(e) for e in products.values()]
        names = names_written_out(*products.values())
        by, along = ", ".join(self.names), ", ".join(v.name for v in self.directions)
        summary = f"Hessian-vector product of {shown(self.function, self.functions)} in {by} along {along}."
        declared = replace(self.declared, taken=(*self.declared.taken, *(v.name for v in self.directions)))
        roots = [self.function, *self.wrt, *self.directions]
        return code_source(name, results, roots, summary, self.notes, declared, names, self.names)


def stage_of(
    expr: Expr, bare: Mapping[Expr, Expr], taken: Sequence[str], declared: Declared, names: Sequence[str] = ()
) -> Stage:
    """Return the pass down an expression with its parts named; it is called by the first of `names` that is free."""
    used = [*taken, *definitions(expr)]
    over = named(expr, [x.name for x in bare], used)
    own = [*used, *definitions(over)]
    name = next((n for n in names if n not in own), function_name(own))
    return Stage(over, tuple(bare.values()), name, declared.functions)


def along(gradient: Expr, direction: Expr) -> Expr:
    """Return `Σ gradient direction`, the derivative along a direction.

    >>> from symderiv.tensor.parse import variable
    >>> g, v = (variable(name, ("n",)) for name in "gv")
    >>> to_text(along(g, v))
    'g @ v'
    """
    if gradient.rank == 1 and gradient.axes == direction.axes:
        return apply("matmul", gradient, direction)
    product = apply("mul", gradient, direction)
    return apply("sum", product) if product.rank else product


def along_all(stage: Stage, directions: Sequence[Expr], taken: Sequence[str] = ()) -> Expr:
    """Return `Σ_j ⟨∂f/∂xⱼ, vⱼ⟩` over the definitions and the adjoints that the gradients share."""
    parts = adjoints(stage, [*taken, stage.name]).values()
    return reduce(lambda a, b: apply("add", a, b), map(along, parts, directions))


def _plain(expr: Expr) -> Node:
    """Return the normal form of an expression with its definitions looked through."""
    return normal.unfold(lower(expr).node)


def joint(function: Expr, wrt: Sequence[Expr], directions: Sequence[Expr], declared: Declared) -> HessianVectorProducts:
    """Return the Hessian of a number in some variables, multiplied with directions of their shapes."""
    bare = {x: without_symmetry(x) for x in wrt}
    taken = [*declared.taken, *(v.name for v in directions)]

    first = stage_of(replaced(function, bare), bare, taken, declared)
    moved = along_all(first, directions, [*taken, *definitions(first.function)])
    second = stage_of(moved, bare, taken, declared, ALONG)
    for s in (first, second):
        named_orders(s.chain.results, declared.functions)
    return HessianVectorProducts(function, tuple(wrt), tuple(directions), (first, second), declared)


__all__ = ["ALONG", "HessianVectorProducts", "along", "joint", "stage_of"]
