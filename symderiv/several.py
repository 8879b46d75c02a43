"""All gradients at once: the value and the derivatives in several variables from one pass down the definitions.

The adjoint `P̄ = ∂f/∂P` of a definition that more than one derivative uses gets a name of its own, `P_bar`;
so statements and code grow linearly with the graph of definitions, however deep it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from symderiv import dims
from symderiv.adjoints import BAR, adjoints, free_name
from symderiv.batched import Wanted, batched_source, wants_batch
from symderiv.code.numpy import function_source
from symderiv.code.packing import PackedModule
from symderiv.code.source import Source
from symderiv.conventions import Statement
from symderiv.derivation import closing_of, declared_in, function_name, standing_alone, with_assumptions
from symderiv.diagrams.closed import of_stage
from symderiv.diagrams.diagram import Diagram
from symderiv.ending import ending
from symderiv.errors import ParseError, ShapeError, UnsupportedError
from symderiv.facing import facing
from symderiv.found import OfSeveral
from symderiv.inputs import Shapes, read
from symderiv.inputs import variables as read_variables
from symderiv.lift import lift
from symderiv.packing import Flattened, Packed
from symderiv.render.phrases import phrase
from symderiv.replay import replay
from symderiv.results import Declared, Proof, code_source, compiled, named_orders, proof_of, shown
from symderiv.shorten import shortened
from symderiv.shown import about, nodes_named
from symderiv.stage import Stage
from symderiv.structured import structures
from symderiv.tensor.expr import Expr, definitions, names_written_out, replaced, written_out
from symderiv.tensor.naming import named
from symderiv.tensor.parse import without_symmetry
from symderiv.tensor.text import to_text


@dataclass(frozen=True, repr=False)
class Gradients(OfSeveral):
    """The value of a function and its derivatives in several variables.

    `g["W"]` is the closed form of ∂f/∂W, of the shape `f.shape + W.shape`; iterating gives the names.
    """

    function: Expr
    wrt: tuple[Expr, ...]
    stage: Stage
    declared: Declared
    structures: Mapping[str, str]
    what: ClassVar[str] = "gradient"

    # -- closed forms

    def _alone(self, x: Expr, clipped: bool = True) -> Expr:
        own = definitions(self.stage.function)
        node = standing_alone(self.stage.node_in(self._bare[x]), own, self._bare)
        return facing(shortened(lift(node, self.function.axes + x.axes), clipped), self.function)

    # -- over the definitions

    @cached_property
    def _named_function(self) -> Expr:
        """The function over its definitions, with what is assumed of the variables."""
        return replaced(self.stage.function, {b: x for x, b in self._bare.items()})

    @cached_property
    def bars(self) -> dict[str, str]:
        """Return the name that each derivative has in the statements: `W_bar` for that in W, where it is free."""
        used = {*self.declared.taken, self.stage.name, *definitions(self.stage.function)}
        return {x.name: free_name(x.name + BAR, used) for x in self.wrt}

    @cached_property
    def _named_results(self) -> dict[str, Expr]:
        """The derivatives over the definitions and the adjoints that they share."""
        bare = {b: x for x, b in self._bare.items()}
        found = adjoints(self.stage, [*self.declared.taken, self.stage.name, *self.bars.values()])
        return {bare[x].name: with_assumptions(e, self._bare) for x, e in found.items()}

    @property
    def definitions(self) -> dict[str, Expr]:
        """Return the intermediate arrays that got a name, in order: those of the function, then shared adjoints."""
        return definitions(self._named_function, *self._named_results.values())

    def statements(self) -> str:
        """Return definitions, the function, shared adjoints and the derivatives (`W_bar` for ∂f/∂W) as statements.

        Declarations apart they are a block of the statement language, linear in the size of the graph.
        """
        own = definitions(self._named_function)
        ends = {self.bars[name]: result for name, result in self._named_results.items()}
        lines = {name: body for name, body in self.definitions.items() if name in own}
        lines[self.stage.name] = self._named_function
        lines |= {name: body for name, body in self.definitions.items() if name not in own} | ends
        return "\n".join(f"{name} = {to_text(body, self.functions)}" for name, body in lines.items())

    # -- proof, notes, display

    @cached_property
    def proof(self) -> Proof:
        """Return the proof: the chain of each definition once, then one for each variable."""
        taken = [*self.declared.taken, *definitions(self.stage.function)]
        results = {x.name: with_assumptions(self.stage.result_in(b), self._bare) for x, b in self._bare.items()}
        part = replay(self.stage, taken, closing_of(results, self.wrt))
        chains = {a.label.split(",")[0]: a for a in part.arguments}  # the last of a variable, over its free entries
        ends = [
            ending(part, chains[x.name], results[x.name], self._alone(x, clipped=False), [self.function, x], taken)
            for x in self.wrt
        ]
        return proof_of([part], self.functions, tuple(self._statement(x) for x in self.wrt), ends)

    def _statement(self, x: Expr) -> Statement:
        structured, result = x.name in self.structures, self.results[x.name].expr
        return Statement(self.stage.name, self.function.shape, (x,), result, self.functions, structured)

    @property
    def _structures(self) -> Mapping[str, str]:
        return self.structures

    def _again(self, function: Expr, wrt: Sequence[Expr]) -> Gradients:
        return _gradients(function, wrt, self.declared, self.structures)

    def to_latex(self, layout: str | None = None) -> str:
        """Return one statement `∂f/∂W = …` for each variable, below one another."""
        lines = [self._statement(x).latex(layout).replace(" = ", " &= ", 1) for x in self.wrt]
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def equations(self) -> list[str]:
        """Return what was found, as LaTeX, one equation for each variable."""
        return [self._statement(x).latex() for x in self.wrt]

    def done(self, language: str) -> list[str]:
        """Return what was done, in a sentence."""
        own = definitions(self._named_function)
        values, nodes = about(self, self.names, language), nodes_named(own, self.functions, language)
        if nodes:
            return [phrase(language, "explain_gradients_through", nodes=nodes, **values)]
        return [phrase(language, "explain_gradients", **values)]

    def described(self) -> str:
        """Return what this is, in a line."""
        return f"Gradients({shown(self.function, self.functions)}, in {', '.join(self.names)})"

    def __str__(self) -> str:
        return self.statements()

    def diagram(self) -> Diagram:
        """Return the graph of definitions, values forward and derivatives back; see :meth:`Derivation.diagram`."""
        return Diagram(of_stage(self.stage, self.functions, self.declared.taken))

    # -- code

    def to_numpy(
        self,
        name: str = "gradients",
        value: bool = True,
        flat: bool = False,
        second: Sequence[str] = ("hessp",),
        batch: Sequence[str] = (),
        summed: bool = False,
        sizes: Mapping[str, int] | None = None,
    ) -> str:
        """Return the source of a NumPy function that returns `(value, {name: gradient})`.

        The order of products is the fastest one at `sizes`; those that are not given count as is usual.

        With `value=False` it returns the dictionary alone.  With `flat=True` there are functions of one flat vector
        beside it, as `scipy.optimize.minimize` takes them: `pack`, `unpack`, `fun` (the value and the flat gradient)
        and the second derivatives named, `hessp` (times a direction) and `hess`.

        The arrays named in `batch` have a leading axis, and so have the results: those of each sample; with
        `summed=True` they are those of the sum over the samples.

        >>> g = gradients(
        ...     "norm(W @ x - y)**2", ["W"], shapes={"W": ("m", "n"), "x": ("n",), "y": ("m",)}
        ... )
        >>> print(g.to_numpy(batch=["x", "y"], summed=True).splitlines()[-2].strip())
        'W': 2 * (u.T @ x),
        """
        if flat:
            if batch:
                raise UnsupportedError("a flat vector with a batch axis is not known", hint="sum over the samples in f")
            if name in self.declared.taken:
                raise ParseError(f"{name} is an array and cannot be the function", hint='give another name: name="…"')
            return PackedModule(self._flattened(name).packing(*second)).text()
        return function_source(replace(self._batched(name, value, batch, summed), sizes=sizes))

    def packed(self, **arrays: Any) -> Packed:
        """Return the value and its derivatives as functions of one flat vector that holds all variables.

        Arrays are given by name: starting values for the variables, data for everything else.

        >>> g = gradients(
        ...     "norm(X @ w + b - y)**2",
        ...     ["w", "b"],
        ...     shapes={"X": (3, 2), "w": (2,), "b": (), "y": (3,)},
        ... )
        >>> p = g.packed(w=[0, 0], b=0, X=[[1, 0], [0, 1], [1, 1]], y=[1, 2, 3])
        >>> value, slope = p.fun(p.x0)
        >>> value, slope.tolist()
        (14.0, [-8.0, -10.0, -12.0])

        `scipy.optimize.minimize(p.fun, p.x0, jac=True, hessp=p.hessp, method="Newton-CG")` minimises it, and
        `p.unpack(…)` gives the arrays at a flat vector by name.
        """
        found = Packed(self._flattened(free_name("gradients", set(self.declared.taken))), arrays)
        found.check()
        return found

    def _flattened(self, name: str) -> Flattened:
        if self.function.rank:
            shapes = {"function": dims.written(self.function.shape)}
            raise ShapeError("a function of a flat vector is a number here", shapes=shapes, hint="sum its entries")
        if self.structures:
            kept = ", ".join(self.structures)
            raise UnsupportedError(
                f"a flat vector holds every entry of {kept}, a structured gradient counts the free ones",
                hint="leave structured=False: the gradient of a symmetric variable is symmetric",
            )
        return Flattened(self.function, self.wrt, self.source(name, value=True), self.declared)

    def compile(
        self,
        value: bool = True,
        batch: Sequence[str] = (),
        summed: bool = False,
        sizes: Mapping[str, int] | None = None,
    ) -> Callable[..., Any]:
        """Return that function, called with keyword arrays; sizes are read off the arrays and checked."""
        return compiled(replace(self._batched("gradients", value, batch, summed), sizes=sizes))

    def _batched(self, name: str, value: bool, batch: Sequence[str], summed: bool) -> Source:
        """Return what the function is generated from, with a leading axis where one is wanted."""
        if not wants_batch(batch, summed):
            return self.source(name, value)
        plain = self.source(name, value)
        front = [(self._named_function, ())] if value else []
        results = [*front, *((self._named_results[x.name], (x,)) for x in self.wrt)]
        wanted = Wanted(name, results, self.function, self.wrt, plain.summary, plain.notes, self.declared, self.names)
        return batched_source(wanted, batch, summed)

    def source(self, name: str, value: bool = True) -> Source:
        """Return what the function is generated from."""
        front = [written_out(self._named_function)] if value else []
        results = [*front, *(written_out(e) for e in self._named_results.values())]
        names = names_written_out(self._named_function, *self._named_results.values())
        by = ", ".join(self.names)
        kind = "Value and gradients" if value else "Gradients"
        summary = f"{kind} of {shown(self.function, self.functions)} with respect to {by}."
        roots = [self.function, *self.wrt]
        return code_source(name, results, roots, summary, self.notes, self.declared, names, self.names)


# ---------------------------------------------------------------- the function


def gradients(
    expr: Any,
    wrt: Any,
    *,
    shapes: Shapes | None = None,
    assume: Mapping[str, str] | None = None,
    functions: Mapping[str, list[str]] | None = None,
    structured: bool = False,
) -> Gradients:
    """Return the value of an expression and its derivatives in several variables, from one backward pass.

    >>> given = {"X": ("n", "p"), "w": ("p",), "b": (), "y": ("n",)}
    >>> g = gradients("norm(X @ w + b - y)**2", ["w", "b"], shapes=given)
    >>> print(g["w"])
    2 * X.T @ (X @ w + b - y)
    >>> print(g.statements())
    u = X @ w + b - y
    f = norm(u)**2
    w_bar = 2 * X.T @ u
    b_bar = 2 * sum(u)
    """
    scope, function = read(expr, shapes, assume, functions)
    variables = read_variables(wrt, scope)
    twice = [x.name for x, count in Counter(variables).items() if count > 1]
    if twice:
        raise ParseError(f"{twice[0]} is named twice", hint='for a second derivative write derive(…, ["x", "x"])')
    return _gradients(function, variables, declared_in(scope), structures(variables) if structured else {})


def _gradients(function: Expr, variables: Sequence[Expr], declared: Declared, kinds: Mapping[str, str]) -> Gradients:
    bare = {x: without_symmetry(x) for x in variables}
    taken = [*declared.taken, *definitions(function)]
    over = named(replaced(function, bare), [x.name for x in variables], taken)
    name = function_name([*taken, *definitions(over)])
    stage = Stage(over, tuple(bare.values()), name, declared.functions, structures=kinds)
    found = Gradients(function, tuple(variables), stage, declared, dict(kinds))
    named_orders(stage.chain.results, declared.functions)
    return found


__all__ = ["Gradients", "gradients"]
