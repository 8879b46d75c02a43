"""Hessian-vector products, without the Hessian.

For a number f of x and a direction v of the shape of x, `φ = Σ_l ∂f/∂x[l] v[l]` is the derivative of f along v,
and

    (H v)[k] = Σ_l ∂²f/∂x[k]∂x[l] v[l] = Σ_l v[l] ∂/∂x[k] (∂f/∂x[l]) = ∂φ/∂x[k],

as second derivatives commute.  φ is a number again: one more pass down the definitions finds its gradient, and
no array is met that has more axes than the definitions have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, overload

from symderiv import dims
from symderiv.code.numpy import cheaper, function_source
from symderiv.code.source import Source
from symderiv.derivation import closing_of, declared_in, standing_alone, with_assumptions
from symderiv.ending import ending
from symderiv.errors import ParseError, ProofError, ShapeError, UnsupportedError
from symderiv.found import Found
from symderiv.inputs import Shapes, read, variables
from symderiv.joint import ALONG, HessianVectorProducts, along, joint, stage_of
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.render.latex import Latex
from symderiv.render.phrases import phrase
from symderiv.replay import replay
from symderiv.results import Declared, Proof, Result, code_source, compiled, named_orders, proof_of, shown
from symderiv.shorten import shortened
from symderiv.shown import about
from symderiv.stage import Stage
from symderiv.structured import structure
from symderiv.tangents import program
from symderiv.tensor import parse
from symderiv.tensor.array import Tensor
from symderiv.tensor.expr import Expr, definitions, names_written_out, replaced, written_out
from symderiv.tensor.parse import KNOWN, Scope, without_symmetry
from symderiv.tensor.text import to_text


@dataclass(frozen=True, repr=False)
class HessianVectorProduct(Found):
    """The Hessian of a number, multiplied with a direction: an array of the shape of the variable."""

    function: Expr
    wrt: Expr
    direction: Expr
    result: Result
    gradient: Result
    stages: tuple[Stage, Stage]
    declared: Declared

    @property
    def shape(self) -> dims.Shape:
        """Return the shape of the product, which is that of the variable."""
        return self.result.expr.shape

    @property
    def value(self) -> Result:
        """Return the function itself."""
        return Result(self.function, self.functions, self.declared.origin)

    @property
    def _variables(self) -> tuple[Expr, ...]:
        return (self.wrt,)

    @property
    def _told_apart(self) -> Result:
        return self.result

    def _again(self, function: Expr, wrt: Sequence[Expr]) -> HessianVectorProduct:
        (x,) = wrt
        return _hvp(function, x, self.direction, self.declared)

    @cached_property
    def named_result(self) -> Expr:
        """The product over the definitions."""
        return with_assumptions(self.stages[1].result, self._bare)

    @property
    def definitions(self) -> dict[str, Expr]:
        """Return the intermediate arrays that got a name, in order."""
        return definitions(self.named_result)

    def statements(self) -> str:
        """Return definitions and result as statements, definitions first."""
        lines = [f"{name} = {to_text(body, self.functions)}" for name, body in self.definitions.items()]
        return "\n".join([*lines, to_text(self.named_result, self.functions)])

    @cached_property
    def proof(self) -> Proof:
        """Return the proof: the gradient of f, then that of its product with the direction."""
        first, second = self.stages
        taken = [*self.declared.taken, *definitions(*(s.function for s in self.stages))]
        if written_out(second.function) is not written_out(along(first.result, self.direction)):
            raise ProofError("the proof does not go on from the gradient that was found")
        closing = closing_of({self.wrt.name: self.named_result}, [self.wrt])
        parts = [replay(first, taken, closing_of({}, [self.wrt])), replay(second, taken, closing)]
        variables = [self.function, self.wrt, self.direction]
        end = ending(parts[1], parts[1].arguments[-1], self.named_result, self.result.expr, variables, taken)
        return proof_of(parts, self.functions, (), [end])

    def to_latex(self) -> str:
        r"""Return the statement `\frac{\partial^2 f}{\partial x^2}[v] = …`."""
        latex = Latex({}, functions=self.functions)
        f, x, v = (latex.name(n) for n in (self.stages[0].name, self.wrt.name, self.direction.name))
        return rf"\frac{{\partial^{{2}} {f}}}{{\partial {x}^{{2}}}}[{v}] = {latex.matrix(self.result.expr)}"

    def equations(self) -> list[str]:
        """Return what was found, as LaTeX."""
        return [self.to_latex()]

    def done(self, language: str) -> list[str]:
        """Return what was done, in a sentence."""
        values = about(self, [self.wrt.name], language)
        return [phrase(language, "explain_hvp", directions=self.direction.name, **values)]

    def described(self) -> str:
        """Return what this is, in a line."""
        of = shown(self.function, self.functions)
        return f"HessianVectorProduct({of}, in {self.wrt.name} along {self.direction.name})"

    def __str__(self) -> str:
        return str(self.result)

    def to_numpy(
        self,
        name: str = "hvp",
        value: bool = False,
        gradient: bool = False,
        sizes: Mapping[str, int] | None = None,
    ) -> str:
        """Return the source of a NumPy function of the arrays and the direction.

        It returns the product; with `value` or `gradient` a tuple of what was asked for, in the order
        value, gradient, product.
        """
        return function_source(self._source(name, value, gradient, sizes))

    def compile(
        self, value: bool = False, gradient: bool = False, sizes: Mapping[str, int] | None = None
    ) -> Callable[..., Any]:
        """Return that function, called with keyword arrays; sizes are read off the arrays and checked."""
        return compiled(self._source("hvp", value, gradient, sizes))

    def _source(self, name: str, value: bool, gradient: bool, sizes: Mapping[str, int] | None) -> Source:
        front = [self.function] * value + [self.gradient.expr] * gradient
        results = [*front, self.result.expr]
        what = ["value"] * value + ["gradient"] * gradient + ["Hessian-vector product"]
        said = ", ".join(what[:-1]) + (" and " if front else "") + what[-1]
        of = shown(self.function, self.functions)
        summary = f"{said[0].upper()}{said[1:]} of {of} in {self.wrt.name} along {self.direction.name}."
        declared = replace(self.declared, taken=(*self.declared.taken, self.direction.name))
        roots = [self.function, self.wrt, self.direction]
        short = code_source(name, results, roots, summary, self.notes, declared)
        named_results, names = self._program
        long = code_source(name, [*front, named_results], roots, summary, self.notes, declared, names)
        return cheaper(replace(short, sizes=sizes), replace(long, sizes=sizes))

    @cached_property
    def _program(self) -> tuple[Expr, dict[Expr, str]]:
        """The product over definitions, their tangents and adjoints, and the names of these."""
        first = self.stages[0]
        found = program(first, {self._bare[self.wrt]: self.direction}, [*self.declared.taken, self.direction.name])
        result = with_assumptions(found[self._bare[self.wrt]], self._bare)
        return written_out(result), names_written_out(result)


@overload
def hvp(
    expr: Any,
    wrt: str | Tensor,
    direction: str = "V",
    *,
    shapes: Shapes | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
    structured: bool = False,
) -> HessianVectorProduct: ...


@overload
def hvp(
    expr: Any,
    wrt: Sequence[str | Tensor],
    direction: str | Mapping[str, str] = "V",
    *,
    shapes: Shapes | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
    structured: bool = False,
) -> HessianVectorProducts: ...


def hvp(
    expr: Any,
    wrt: Any,
    direction: Any = "V",
    *,
    shapes: Shapes | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
    structured: bool = False,
) -> HessianVectorProduct | HessianVectorProducts:
    """Return the product of the Hessian of a number with a direction, a new array of the shape of `wrt`.

    >>> given = {"X": ("n", "p"), "w": ("p",), "b": (), "y": ("n",)}
    >>> print(hvp("norm(X @ w - y)**2", "w", "v", shapes=given))
    2 * X.T @ (X @ v)

    For a list of variables it is that of the Hessian in all of them; the directions are `V_w` and so on, or as
    `direction` names them:

    >>> h = hvp("norm(X @ w + b - y)**2", ["w", "b"], {"w": "v", "b": "c"}, shapes=given)
    >>> print(h["w"])
    2 * X.T @ (X @ v + c)
    """
    scope, function = read(expr, shapes, assume, functions)
    several = isinstance(wrt, (list, tuple))
    if not several and not isinstance(wrt, (str, Tensor)):
        raise ParseError(f"the variable is a name or a list of names, not {wrt!r}", hint='write hvp(f, "w", …)')
    found = variables(wrt, scope)
    if function.rank:
        raise ShapeError(
            "a Hessian-vector product is of a number",
            shapes={"function": dims.written(function.shape)},
            hint="sum its entries, or take derive(f, [x, x])",
        )
    for x in found:
        if structured and structure(x):
            raise UnsupportedError(
                f"a direction in the free entries of {x.name} has no one accepted meaning",
                hint="leave structured=False: entries count as independent, and a symmetric direction is one of them",
            )
    if several:
        return joint(function, found, _directions(direction, found, scope, function), declared_in(scope))
    if not isinstance(direction, str):
        raise ParseError(f"the direction is one name, not {direction!r}", hint='write direction="V"')
    return _hvp(function, found[0], _direction(direction, found[0], scope, function), declared_in(scope))


def _directions(names: Any, wrt: Sequence[Expr], scope: Scope, function: Expr) -> list[Expr]:
    """Return a direction for each variable: `V_w` and so on, or as a table names them."""
    if len({x.name for x in wrt}) < len(wrt):
        raise ParseError("a variable is named twice", hint="name each once: the product is with the whole Hessian")
    table = {x.name: f"{names}_{x.name}" for x in wrt} if isinstance(names, str) else names
    if not isinstance(table, Mapping) or set(table) != {x.name for x in wrt}:
        wanted = ", ".join(f'"{x.name}": "V_{x.name}"' for x in wrt)
        raise ParseError("each variable needs a direction", hint=f"write direction={{{wanted}}}")
    if len(set(table.values())) < len(wrt):
        raise ParseError("two directions have one name", hint="give each a name of its own")
    return [_direction(table[x.name], x, scope, function) for x in wrt]


def _direction(name: str, x: Expr, scope: Scope, function: Expr) -> Expr:
    """Return the direction, a new array of the shape of x; refuse a name that is in use."""
    found = parse.variable(name, x.shape)
    if name in {*scope.names, *scope.sizes, *scope.functions, *KNOWN, *definitions(function)}:
        raise ParseError(f"{name} is in use and cannot be the direction", hint='give it a new name: direction="…"')
    return found


def _hvp(function: Expr, x: Expr, direction: Expr, declared: Declared) -> HessianVectorProduct:
    bare = {x: without_symmetry(x)}
    taken = [*declared.taken, direction.name]
    first = stage_of(replaced(function, bare), bare, taken, declared)
    second = stage_of(along(first.result, direction), bare, taken, declared, ALONG)
    own = definitions(first.function, second.function)
    results = []
    for s in (first, second):
        node = standing_alone(lower(s.result).node, own, bare)
        results.append(Result(shortened(lift(node, x.axes)), declared.functions, declared.origin))
        named_orders([node], declared.functions)
    return HessianVectorProduct(function, x, direction, results[1], results[0], (first, second), declared)


__all__ = ["HessianVectorProduct", "along", "hvp"]
