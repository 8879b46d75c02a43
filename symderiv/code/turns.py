"""An expression of one turn of a loop, for all turns at once: every array that changes gets a leading axis.

    (Σ_q A[i,q] x_t[q])  becomes  (Σ_q A[i,q] X[t,q])     with axes t, i,

which is a matrix product, `X @ A.T`, and what is added up over the turns is one too: Σ_t a_t[i] b_t[j] is `A.T @ B`.
What does not change from turn to turn stays as it is.  An operation that has no such form (an unknown function,
the inverse of a matrix that changes) is refused with :class:`OneByOne`, and its loop stays.
"""

from __future__ import annotations

from collections.abc import Callable

from symderiv.columns import transposed
from symderiv.dims import Size
from symderiv.families import Label
from symderiv.tensor.entries import ENTRYWISE
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.operations import apply

LETTERS = "tuvwxyzabcdefghijklmnopqrs"
ALONG = frozenset({"softmax", "logsumexp", "sum", "mean", "prod"})
ALIKE = ENTRYWISE | {"logaddexp", "masked", "sigmoids", "first", "second"}


class OneByOne(Exception):
    """An expression has to be computed turn by turn."""


class AllTurns:
    """Expressions of a loop of `count` turns; `rows` gives the array of a name that changes, None of any other.

    >>> from symderiv import dims
    >>> from symderiv.tensor.parse import parse, scope_of
    >>> from symderiv.tensor.text import to_text
    >>> all_turns = AllTurns({"x": "X"}.get, dims.symbol("T"), dims.symbol("t"))
    >>> to_text(
    ...     all_turns.expr(
    ...         parse("tanh(A @ x + b)", scope_of({"A": ("m", "n"), "b": ("m",), "x": ("n",)}))
    ...     )
    ... )
    'tanh(X @ A.T + b)'
    """

    def __init__(self, rows: Callable[[str], str | None], count: Size, variable: Label) -> None:
        self.rows, self.count, self.variable = rows, count, variable
        self.done: dict[Expr, Expr] = {}

    def expr(self, root: Expr) -> Expr:
        """Return an expression with a leading axis for the turns; without one where it is the same in all."""
        for e in walk(root):
            if e not in self.done:
                self.done[e] = self.one(e)
        return self.done[root]

    def total(self, root: Expr) -> Expr:
        """Return the sum of an expression over all turns."""
        whole = self.expr(root)
        if whole is root:
            return apply("mul", Expr("size", (), (self.count,), ()), root)
        if whole.op == "einsum":
            inputs, output = whole.data[0].split("->")
            return apply("einsum", *whole.args, data=(f"{inputs}->{output[1:]}",))
        return apply("sum", whole, data=(0,) if whole.rank > 1 else ())

    def changes(self, e: Expr) -> bool:
        """Tell whether an expression differs from turn to turn."""
        return self.done[e] is not e

    def one(self, e: Expr) -> Expr:
        if e.op == "var":
            name = self.rows(e.name)
            return e if name is None else self.leaf(name, e)
        if e.op in ("entry", "one_hot"):
            return getattr(self, "of_" + e.op)(e)  # type: ignore[no-any-return]
        if e.op in ("size", "matrix_power") and any(self.variable in getattr(d, "free_symbols", ()) for d in e.data):
            raise OneByOne
        if not any(map(self.changes, e.args)):
            return e
        args = tuple(self.done[a] for a in e.args)
        if e.op in ALIKE:
            args = tuple(self.spread(a, e.rank) for a in e.args)
            return Expr(e.op, args, e.data, ((self.count,), *e.axes))
        if e.op in ALONG:
            return self.along(e)
        rule = getattr(self, "of_" + e.op, None)
        if rule is None:
            raise OneByOne
        return rule(e, *args)  # type: ignore[no-any-return]

    def leaf(self, name: str, e: Expr) -> Expr:
        return Expr("var", (), (name, frozenset()), ((self.count,), *e.axes))

    def spread(self, e: Expr, rank: int) -> Expr:
        """Return what broadcasts to the turns and an array of a rank: axes of size 1 between where they lack."""
        new = self.done[e]
        if new is e or e.rank == rank:
            return new
        return apply("newaxis", new, data=((False, *(True,) * (rank - e.rank)),))

    # -- one operation each

    def along(self, e: Expr) -> Expr:
        """Return a function along axes, which stand one further on."""
        (inner,) = e.args
        if not inner.rank:
            return self.done[inner]
        if e.data:
            axis = e.data[0] % inner.rank
        elif inner.rank == 1:
            axis = 0
        else:
            raise OneByOne
        return apply(e.op, self.done[inner], data=(axis + 1,))

    def of_largest(self, e: Expr, inner: Expr) -> Expr:
        axes = tuple(k % e.args[0].rank + 1 for k in e.data[0])
        return Expr("largest", (inner,), (axes,), ((self.count,), *e.axes))

    def of_newaxis(self, e: Expr, inner: Expr) -> Expr:
        return apply("newaxis", inner, data=((False, *e.data[0]),))

    def of_transpose(self, e: Expr, inner: Expr) -> Expr:
        order = e.data[0] if e.data else tuple(reversed(range(e.rank)))
        return inner if e.rank < 2 else apply("transpose", inner, data=((0, *(k + 1 for k in order)),))

    def of_norm(self, e: Expr, inner: Expr) -> Expr:
        if e.args[0].rank != 1:
            raise OneByOne
        return apply("sqrt", apply("sum", apply("power", inner, data=(2,)), data=(1,)))

    def of_matmul(self, e: Expr, left: Expr, right: Expr) -> Expr:
        a, b = e.args
        if any(self.changes(x) and x.rank != 1 for x in (a, b)):
            raise OneByOne
        if self.changes(a) and self.changes(b):
            return self.einsum(e, "i,i->")
        if self.changes(a):
            return apply("matmul", left, right)
        return apply("matmul", right, transposed(left) if left.rank == 2 else left)

    def of_inner(self, e: Expr, left: Expr, right: Expr) -> Expr:
        if any(a.rank != 1 for a in e.args):
            raise OneByOne
        return self.einsum(e, "i,i->")

    of_vdot = of_inner

    def of_outer(self, e: Expr, left: Expr, right: Expr) -> Expr:
        return self.einsum(e, "i,j->ij")

    def of_einsum(self, e: Expr, *args: Expr) -> Expr:
        return self.einsum(e, e.data[0])

    def einsum(self, e: Expr, spec: str) -> Expr:
        """Return an einsum with a letter more wherever there is a turn."""
        inputs, output = spec.split("->")
        turn = next(x for x in LETTERS if x not in spec)
        words = [turn + w if self.changes(a) else w for w, a in zip(inputs.split(","), e.args, strict=True)]
        args = [self.done[a] for a in e.args]
        return apply("einsum", *args, data=(f"{','.join(words)}->{turn}{output}",))

    # -- labels

    def labels(self, names: tuple[str | None, ...]) -> tuple[str | None, ...]:
        """Return labels, those that change as the arrays of them; they have to be the first."""
        found = tuple(n if n is None else self.rows(n) or n for n in names)
        given = [n for n in names if n is not None]
        if not all(found[k] != names[k] for k in range(len(given))):
            raise OneByOne
        return found

    def of_entry(self, e: Expr) -> Expr:
        """Return `A[y]` with y one label a turn; an array that changes is read at the turn besides."""
        (inner,) = e.args
        if not self.changes(inner) and all(n is None or self.rows(n) is None for n in e.data):
            return e
        axes = ((self.count,), *e.axes)
        if self.changes(inner):
            if all(n is None or self.rows(n) is None for n in e.data):
                return Expr("entry", (self.done[inner],), (None, *e.data), axes)
            return Expr("taken", (self.done[inner],), (self.count, *self.labels(e.data)), axes)
        if e.data[0] is None and inner.rank == 2:
            return Expr("entry", (transposed(inner),), self.labels(tuple(reversed(e.data))), axes)
        return Expr("entry", (inner,), self.labels(e.data), axes)

    def of_one_hot(self, e: Expr) -> Expr:
        label, size = e.data
        name = self.rows(label)
        return e if name is None else Expr("one_hot", (), (name, size), ((self.count,), *e.axes))


__all__ = ["AllTurns", "OneByOne"]
