"""The end of a proof: from the result over definitions to an expression that stands alone, a result or a claim.

The definitions of the derivation are looked through here, and what was assumed of the variables themselves
may be used: the last derivative has been taken.  The kernel is shown one line; where it does not follow
(`max(u, 0) (1 + sign(u)) = 2 max(u, 0)` is seen only while u has its name), one line for each definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from symderiv.check.part import Part
from symderiv.errors import ProofError, UnsupportedError
from symderiv.index.nodes import Argument, Context, Definition, Index, Names, Step, Tensor
from symderiv.index.written import Written
from symderiv.lift import lift
from symderiv.lower import lower, write
from symderiv.replay import Replayed
from symderiv.tensor.expr import Expr, replaced, walk


@dataclass(frozen=True)
class Ending:
    """The last chain of a proof, its result as an expression over definitions, and what stands alone."""

    part: Replayed
    chain: Argument
    over: Expr
    wanted: Expr
    variables: tuple[Expr, ...]
    taken: tuple[str, ...]

    def check(self) -> None:
        """Have the kernel examine the end; raise :class:`symderiv.ProofError` where it does not follow."""
        try:
            self.line().check()
        except ProofError:
            for part in self.lines():
                part.check()

    @cached_property
    def shown(self) -> tuple[Part, ...]:
        """Return the end as the kernel follows it: in one line, or definition by definition."""
        line = self.line()
        try:
            line.check()
        except ProofError:
            return tuple(self.lines())
        return (line,)

    @property
    def free(self) -> tuple[Index, ...]:
        """Return the indices of the derivative."""
        return (*self.chain.left.of.indices, *self.chain.left.entry.indices)

    @cached_property
    def heads(self) -> dict[str, Definition]:
        """Return what the proof has written down besides its definitions: functions of whole arrays, texts."""
        return dict(self.part.context.definitions)

    @cached_property
    def inner(self) -> dict[str, Definition]:
        """Return the definitions of the derivation, without the function itself; earlier stages count too."""
        found = {k: v for k, v in self.part.context.chain.items() if k != self.chain.left.of.tensor.name}
        for e in walk(self.over):
            if e.op == "defined" and e.name not in found and e.name not in self.heads:
                names = Names([*self.taken, *found, *self.heads])
                tokens = [tuple(names.fresh(size) for size in axis) for axis in e.axes]
                flat = tuple(i for token in tokens for i in token)
                body = write(e.args[0], tokens, Written(names, self.heads))
                found[e.name] = Definition(Tensor(e.name, *(i.size for i in flat)), flat, body)
        return found

    def line(self) -> Part:
        """Return the end as one line, every definition looked through."""
        definitions = {**self.inner, **self.heads}
        after = self.written(self.wanted, definitions)
        return Part((self.argument(self.chain.right, after),), Context(definitions, {}, self.traits()))

    def lines(self) -> Iterator[Part]:
        """Yield the end definition by definition, outermost first: each is put in, the others keep their names."""
        before, expr = self.chain.right, self.over
        hidden = {name: d for name, d in self.inner.items() if d.body is not None}
        seen: dict[str, Definition] = {}
        while found := next((e for e in reversed(list(walk(expr))) if e.op == "defined"), None):
            if found.name in hidden:
                seen[found.name] = hidden.pop(found.name)
            put_in = replaced(expr, {found: found.args[0]})
            names = {lower(e).node: e for e in walk(put_in) if e.op == "defined"}
            try:
                expr = lift(lower(put_in).node, self.wanted.axes, names)
            except UnsupportedError as err:
                raise ProofError(err.message) from None
            definitions = {**seen, **self.heads}
            after = self.written(expr, definitions)
            yield Part((self.argument(before, after),), Context(definitions, dict(hidden), self.traits()))
            before = after
        definitions = {**self.inner, **self.heads}
        last = self.argument(before, self.written(self.wanted, definitions))
        yield Part((last,), Context(definitions, {}, self.traits()))

    def written(self, expr: Expr, definitions: dict[str, Definition]) -> Any:
        """Return an expression at the indices of the derivative, as written."""
        names = Names([*self.taken, *(i.name for i in self.free), *self.inner, *definitions])
        left = iter(self.free)
        tokens = [tuple(next(left) for _ in axis) for axis in expr.axes]
        return write(expr, tokens, Written(names, definitions))

    def argument(self, before: Any, after: Any) -> Argument:
        """Return one line of the end."""
        steps = () if after == before else (Step("rearrange", (), {}, before, after),)
        return Argument("written out", before, steps, after)

    def traits(self) -> Mapping[str, frozenset[str]]:
        """Return what is assumed of the variables."""
        found = walk(self.wanted, *self.variables)
        return {e.name: e.data[1] for e in found if e.op == "var" and e.data[1]}


def ending(
    part: Replayed, chain: Argument, over: Expr, wanted: Expr, variables: Sequence[Expr], taken: Sequence[str]
) -> Ending:
    """Return the end of a proof whose last chain is `chain`."""
    return Ending(part, chain, over, wanted, tuple(variables), tuple(taken))
