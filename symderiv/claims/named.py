"""What a claim about derivatives names: definitions, names of derivatives, the ∂f/∂Q that stay as they are."""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import combinations_with_replacement
from typing import Any

from symderiv.claims.placed import Placed, function_names
from symderiv.claims.total import Letters, along, nested
from symderiv.errors import ProofError, UnsupportedError
from symderiv.index.nodes import Definition, Entry, Index, Names, Tensor, heads
from symderiv.index.written import Written
from symderiv.lower import head_name, write
from symderiv.tensor.expr import Expr, defined, walk

LEAVES = ("var", "defined")
Path = tuple[str, ...]  # f, x₁, …, x_m for ∂ᵐf/∂x₁…∂x_m


class Named(Placed):
    """The definitions and names of a claim, written down; `cut` are the Q whose ∂f/∂Q stay as they are.

    With `through` these are those that the right side names, else there are none.
    """

    def __init__(self, left: Expr, right: Expr, taken: Sequence[str], through: bool = True) -> None:
        super().__init__(left, right, taken)
        self.inline: dict[str, Definition] = {}
        self.cuts: dict[str, Definition] = {}
        self.expressions: dict[str, Expr] = {}
        self.exprs = list(walk(self.function[0], *(x for x, _ in self.variables), left, right))
        self.reserved = {*taken, *self.ranges, self.nameless, *(head_name(e) for e in self.exprs if e.op in LEAVES)}
        self.notation = Written(Names(self.reserved), self.inline, self.all_free(*self.exprs), self.expressions)
        self.collect()
        self.f, *_ = self.base(self.function[0].name)
        self.cut = self.named_on_the_right() if through else frozenset[str]()

    # -- writing down

    def collect(self) -> None:
        """Write down every definition, and every name of a derivative."""
        for e in self.exprs:
            if e.op == "diff" and e.data != ("total",):
                raise UnsupportedError("an immediate derivative beside one of higher order")
            if e.op == "defined" and e.name not in self.cuts and e.name not in self.inline:
                self.define(e)
        orders = [len(self.variables), *(len(self.path_of(e)) for e in self.exprs)]
        for e in self.exprs:
            if e.op == "unknown" and len(e.data) == 1:
                for order in range(1, 1 + max(orders)):
                    self.name_slopes(e, order)

    def name_slopes(self, e: Expr, order: int) -> None:
        """Write down the heads of the derivatives of an unknown function, of an order and the next."""
        for slots in combinations_with_replacement(range(len(e.args)), order):
            axes = e.axes + tuple(axis for k in slots for axis in e.args[k].axes)
            form = Expr("unknown", e.args, (e.name, slots), axes)
            write(form, self.fresh_tokens(form), self.notation)

    def define(self, e: Expr) -> None:
        """Write the text of a definition at indices; a name for a derivative is no more than that."""
        (body,) = e.args
        sizes = [size for axis in body.axes for size in axis]
        tensor = Tensor(e.name, *sizes)
        if body.op == "diff" and all(a.op in LEAVES for a in body.args[1:]):
            f, *xs = body.args
            if f.op not in LEAVES:
                f = defined(next(n for n in function_names() if n not in self.reserved), f)
                self.reserved.add(f.name)
                self.notation.names.taken.add(f.name)
                self.define(f)
            before = self.inline[f.name].arguments if f.name in self.inline else (head_of(f),)
            self.inline[e.name] = Definition(tensor, kind="derivative", arguments=(*before, *map(head_of, xs)))
            return
        tokens = self.fresh_tokens(body)
        indices = tuple(i for token in tokens for i in token)
        self.cuts[e.name] = Definition(tensor, indices, write(body, tokens, self.notation))

    def fresh_tokens(self, expr: Expr) -> list[tuple[Index, ...]]:
        """Return new indices for the axes of an expression."""
        return [tuple(self.notation.names.fresh(size) for size in axis) for axis in expr.axes]

    def path_of(self, e: Expr) -> Path:
        """Return what a part of the claim is a derivative of, in what; empty where it is none."""
        if e.op == "diff":
            f, *xs = (head_name(a.args[0] if a.op == "entry" else a) if is_leaf(a) else "" for a in e.args)
            return (*self.base(f), *xs)
        name = self.inline.get(e.name) if e.op == "defined" else None
        return tuple(t.name for t in name.arguments) if name is not None and name.kind == "derivative" else ()

    def base(self, name: str) -> Path:
        """Return the path of a head: its own name, or what it is a name for."""
        known = self.inline.get(name)
        if known is not None and known.kind == "derivative":
            return tuple(t.name for t in known.arguments)
        return (name,)

    def named_on_the_right(self) -> frozenset[str]:
        """Return the definitions Q whose ∂f/∂Q the right side names, where f leads to the variables through them only.

        Of two that depend on each other the upper one counts.
        """
        f, *inner = self.base(self.function[0].name)
        paths = [self.path_of(e) for e in walk(self.right)]
        found = {q for p in paths if p and p[0] == f for q in p[1:] if q in self.cuts and q != f}
        upper = {q for q in found if not any(q in self.below(other) for other in found - {q})}
        ends = {*inner, *(x.name for x, _ in self.variables)} - upper
        return frozenset() if ends & self.below(f, upper) else frozenset(upper)

    def below(self, name: str, ends: Container[str] = ()) -> set[str]:
        """Return all that a head depends on, itself among it, not looking below the ends."""
        found: set[str] = set()
        stack = [name]
        while stack:
            top = stack.pop()
            if top in found or top in ends:
                continue
            found.add(top)
            definition = self.cuts.get(top) or self.inline.get(top)
            if definition is not None:
                stack += [t.name for t in definition.arguments]
                stack += [t.name for t in heads(definition.body)] if definition.body is not None else []
        return found

    def opaque(self, part: Any) -> bool:
        """Tell a derivative of f that stays as it is, under its name if it has one."""
        path = self.path(part)
        return len(path) > 1 and path[0] == self.f and self.cut.issuperset(path[1:])

    def path(self, part: Any) -> Path:
        """Return the path of a derivative in an expression; empty where what is differentiated has no name."""
        f, *xs = along(part)
        return (*self.base(f.tensor.name), *(x.tensor.name for x in xs)) if isinstance(f, Entry) else ()

    def tensor(self, name: str) -> Tensor:
        """Return the head of this name."""
        if name in self.cuts:
            return self.cuts[name].tensor
        for e in self.exprs:
            if e.op in LEAVES and head_name(e) == name:
                return head_of(e)
        raise ProofError(f"{name} has no name in this claim")

    def indices(self, tensor: Tensor, others: Sequence[tuple[Index, ...]]) -> tuple[Index, ...]:
        """Return indices of a variable in a lemma: those that it has in the claim, if they are all different."""
        used = {i.name for at in others for i in at}
        for x, at in self.variables:
            names = {i.name for i in at}
            if head_of(x) is tensor and len(names) == len(at) and not names & used:
                return at
        letters = self.letters_beside(used)
        return tuple(letters.fresh(size) for size in tensor.sizes)

    def letters_beside(self, used: set[str]) -> Letters:
        """Return letters that are not in use: those that the claim has for a range come first."""
        named = {n: axis[0] for n, axis in self.ranges.items() if len(axis) == 1}
        return Letters(named, self.reserved - named.keys() | used)

    def without_name(self, part: Any) -> Any:
        """Return `∂f/∂P` for an entry of a name of it, `∂²f/∂P∂x` for its derivative; the part itself else."""
        name, *more = along(part)
        definition = self.inline.get(name.tensor.name) if isinstance(name, Entry) else None
        if definition is None or definition.kind != "derivative":
            return part
        left = iter(name.indices)
        f, *xs = (Entry(t, *(next(left) for _ in t.sizes)) for t in definition.arguments)
        return nested(f, [*xs, *more])


def is_leaf(expr: Expr) -> bool:
    """Tell a variable, a definition, or an entry of one."""
    return (expr.args[0] if expr.op == "entry" else expr).op in LEAVES


def head_of(expr: Expr) -> Tensor:
    """Return the head under which the entries of a variable or a definition stand."""
    tensor: Tensor = Tensor(head_name(expr), *(size for axis in expr.axes for size in axis))
    return tensor
