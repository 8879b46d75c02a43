"""The R-operator in a claim: `R{f} = Σ_w Σ_k ∂f/∂w[k] v[k]` as a derivative in one number.

Let every w be read as w + s v, with a number s of its own for each set of directions.  Then, by the chain rule,

    R{f} = ∂f/∂s = Σ_w Σ_k ∂f/∂w[k] v[k]        at s = 0,

and what is proved for all s and all w holds there.  So a claim about R{·} is a claim about total derivatives in
s, in which every w is a definition: R{·} obeys the laws of differentiation, and R{w} = v.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symderiv.claims.higher import Higher
from symderiv.claims.named import Path
from symderiv.errors import UnsupportedError
from symderiv.replay import Known, Replayed
from symderiv.tensor.expr import Expr, defined, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.text import to_text

Directions = tuple[tuple[Expr, Expr], ...]
Way = Callable[[Expr, Expr, Sequence[str], Known], Replayed]


def names_directions(left: Expr, right: Expr) -> bool:
    """Tell whether a claim is about R{·}."""
    return any(e.op == "directional" for e in walk(left, right))


def directions_of(expr: Expr) -> Directions:
    """Return the pairs (w, v) of `directional(f, {w: v, …})`, in an order of their own."""
    return tuple(sorted(zip(expr.args[1::2], expr.args[2::2], strict=True), key=lambda pair: pair[0].name))


def number_of(directions: Directions) -> Expr:
    """Return the number s of a set of directions; its name says which they are."""
    pairs = ", ".join(f"{w.name}: {to_text(v)}" for w, v in directions)
    return Expr("var", (), (f"R{{{pairs}}}", frozenset()), ())


def along_numbers(*exprs: Expr) -> tuple[Expr, ...]:
    """Return expressions with derivatives in numbers for `directional`, and w + s v for every w that moves.

    >>> from symderiv.tensor.parse import variable
    >>> w, v = variable("w", ("n",)), variable("v", ("n",))
    >>> (found,) = along_numbers(Expr("directional", (apply("sum", w), w, v), (), ()))
    >>> to_text(found), to_text(found.args[0].args[0].args[0])
    ('diff(sum(w), R{w: v})', 'w at rest + R{w: v} * v')
    """
    moves: dict[Expr, dict[Expr, Expr]] = {}
    for e in walk(*exprs):
        for w, v in directions_of(e) if e.op == "directional" else ():
            moves.setdefault(w, {})[number_of(directions_of(e))] = v
    for by_number in moves.values():
        for v in by_number.values():
            if any(e in moves for e in walk(v)):
                raise UnsupportedError("a direction depends on what moves")
    new: dict[Expr, Expr] = {}
    for node in walk(*exprs):
        args = tuple(new[a] for a in node.args)
        if node in moves:
            new[node] = _moved(node, args, moves[node])
        elif node.op == "directional":
            new[node] = _derivative(args[0], number_of(directions_of(node)))
        else:
            new[node] = node.with_args(args)
    return tuple(new[e] for e in exprs)


def _moved(w: Expr, args: tuple[Expr, ...], by_number: dict[Expr, Expr]) -> Expr:
    """Return w + Σ s v as the definition of w."""
    body = args[0] if w.op == "defined" else Expr("var", (), (f"{w.name} at rest", frozenset()), w.axes)
    for number, v in by_number.items():
        body = apply("add", body, apply("mul", number, v))
    return defined(w.name, body)


def _derivative(f: Expr, number: Expr) -> Expr:
    """Return ∂f/∂s, that of a derivative as one of higher order."""
    args = f.args if f.op == "diff" and f.data == ("total",) else (f,)
    return Expr("diff", (*args, number), ("total",), f.axes)


class Along(Higher):
    """The proof of a claim about R{·}: those R{P} that the right side names are left as they are."""

    def __init__(self, left: Expr, right: Expr, taken: Sequence[str], known: Known, stay: bool = True) -> None:
        self.numbers = {e.name for e in walk(left, right) if e.op == "var" and e.name.startswith("R{")}
        self.staying: set[Path] = set()
        self.start: Path = ()
        super().__init__(left, right, taken, known)
        self.start = (*self.base(self.function[0].name), *(x.name for x, _ in self.variables))
        if stay:
            paths = {self.path_of(e) for e in walk(self.right)}
            self.staying = {p for p in paths if p and p[-1] in self.numbers} - {self.start}

    def opaque(self, part: Any) -> bool:
        return self.path(part) in self.staying or super().opaque(part)

    def lemma_for_the_right_side(self, path: Path) -> None:
        if path not in self.staying:
            super().lemma_for_the_right_side(path)

    def has_lemma(self, name: str) -> bool:
        """What moves has a lemma of its own: R{w} = v."""
        return any(e.name == name for e in self.exprs if e.op == "defined" and _moves(e)) or super().has_lemma(name)


def _moves(e: Expr) -> bool:
    """Tell whether a definition is w + s v."""
    return e.args[0].op == "add" and any(a.op == "var" and a.name.startswith("R{") for a in walk(e.args[0].args[1]))


def prove_along(left: Expr, right: Expr, taken: Sequence[str], known: Known) -> Replayed:
    """Return the chains that lead from R{f} to the right side of a claim, R{·} of what it names left as it is."""
    return Along(left, right, taken, known).run()


def prove_along_afresh(left: Expr, right: Expr, taken: Sequence[str], known: Known) -> Replayed:
    """Return the same without citing earlier claims."""
    return Along(left, right, taken, Known()).run()


def prove_along_through(left: Expr, right: Expr, taken: Sequence[str], known: Known) -> Replayed:
    """Return the same with every R{·} carried out."""
    return Along(left, right, taken, Known(), stay=False).run()


def ways_along(left: Expr) -> list[Way]:
    """Return the ways to prove a claim in derivatives in s, best first."""
    return [prove_along, prove_along_afresh, prove_along_through] if left.op == "diff" else []


__all__ = ["along_numbers", "names_directions", "ways_along"]
