"""What a proof may use: definitions and traits, read once and held to good form.

`definitions` are looked through, `chain` definitions are held constant inside one another.  A head
*stands in* an expression where it is written there, or in what a head of `definitions` stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import sympy

from symderiv.check.terms import Form, RefusedError, derivatives, free, immediates, require, tensors
from symderiv.index.nodes import Argument, Context, Definition, Entry, Immediate, Index, Plus, Tensor

SYMMETRIC = frozenset({"symmetric", "positive_definite", "diagonal"})
MATRIX_KINDS = frozenset({"inv", "det", "logdet", "matrix_power"})
AXES_KINDS = frozenset({"softmax", "prodexcept", "logsumexp", "prod"})
NEARBY = frozenset({"positive", "open_unit", "invertible"})  # what holds at x and at all points around it
SAME_SHAPE = frozenset({"inv", "softmax", "matrix_power"})


class Facts:
    """The context of a proof, checked: each text uses its own indices only, no definition runs in a circle."""

    def __init__(self, context: Context) -> None:
        self.form = Form()
        self.traits: Mapping[str, frozenset[str]] = context.traits
        self.chain: dict[str, Definition] = dict(context.chain)
        self.lemmas = dict(context.lemmas)
        self.assumed = dict(context.assumed)
        self.fixed = context.fixed
        self.neglected = dict(context.neglected)
        self.definitions: dict[str, Definition] = {
            name: d for name, d in context.definitions.items() if not _is_itself(d)
        }
        for name in self.chain:
            require(name not in self.definitions, f"{name} is defined twice")
        for table in (self.definitions, self.chain):
            for name, definition in table.items():
                try:
                    self._check(name, definition)
                except RefusedError as reason:
                    raise RefusedError(f"the definition of {name}: {reason}") from None
        self._reached: dict[str, frozenset[str]] = {}
        self._below: dict[str, frozenset[str]] = {}
        self._has: dict[tuple[Tensor, frozenset[str]], bool] = {}
        self._opened: dict[str, Facts] = {}
        self.shifted: frozenset[str] = frozenset()  # definitions that are their text and something more
        for name in (*self.definitions, *self.chain):
            self._no_circle(name)
        for label, equation in (*self.assumed.items(), *self.neglected.items()):
            try:
                self._check_assumed(equation)
            except RefusedError as reason:
                raise RefusedError(f"the hypothesis {label}: {reason}") from None

    # -- the same facts seen otherwise

    def opened(self, x: Tensor) -> Facts:
        """Return the facts with every definition looked through, down to x: nothing is held constant any more."""
        known = self._opened.get(x.name)
        if known is None:
            require(x.name not in self.definitions, f"{x.name} stands for a text")
            known = self._varied()
            known.definitions = {**self.definitions, **{n: d for n, d in self.chain.items() if n != x.name}}
            known.chain = {}
            known.traits = {n: t for n, t in self.traits.items() if n != x.name or n not in self.chain}
            self._opened[x.name] = known
        return known

    def nearby(self, x: Tensor) -> Facts:
        """Return what holds at all points around x: an entry of x may be any number, whatever is said of x itself.

        x is not symmetric there, what is assumed need not hold, and where x is defined it is its text and more.
        """
        as_it_is = x.name not in self.chain or x.name in self.shifted
        if as_it_is and not self.assumed and self.traits.get(x.name, frozenset()) <= NEARBY:
            return self
        known = self._varied()
        known.traits = {n: t & NEARBY if n == x.name else t for n, t in self.traits.items()}
        known.assumed = {}
        known.shifted = self.shifted | ({x.name} & self.chain.keys())
        return known

    def _varied(self) -> Facts:
        new = copy(self)
        new._opened, new._reached, new._below, new._has = {}, {}, {}, {}
        return new

    # -- good form

    def _check_assumed(self, equation: Argument) -> None:
        require(not equation.steps, "it is assumed, not proved")
        for side in (equation.left, equation.right):
            self.form.check(side)
            require(not immediates(side), "it holds a derivative that is not carried out")
        self.form.check(Plus(equation.left, equation.right))

    def _check(self, name: str, definition: Definition) -> None:
        tensor = definition.tensor
        self.form.head(tensor)
        require(tensor.name == name, f"its head is {tensor.name}")
        for argument in definition.arguments:
            self.form.head(argument)
        if definition.kind == "":
            self._check_body(definition)
        elif definition.kind in MATRIX_KINDS | AXES_KINDS:
            self._check_kind(definition)
        else:
            require(definition.kind in ("unknown", "derivative"), f"{definition.kind} is no known kind")
            self._check_sizes(definition)

    def _check_body(self, definition: Definition) -> None:
        indices = definition.indices
        require(definition.body is not None, "it has no text")
        require([i.size for i in indices] == list(definition.tensor.sizes), "its indices have other ranges")
        require(all(isinstance(i, Index) for i in indices), "its indices are no indices")
        require(len({i.name for i in indices}) == len(indices), "it names an index twice")
        self.form.check(definition.body)
        require(free(definition.body) <= frozenset(indices), "its text uses an index that is not its own")
        require(not immediates(definition.body), "its text holds a derivative that is not carried out")
        bound = self.form.bound(definition.body)
        require(not bound & {i.name for i in indices}, "its text binds one of its indices")

    def _check_kind(self, definition: Definition) -> None:
        require(len(definition.arguments) == 1, "it needs one argument")
        sizes, own = list(definition.arguments[0].sizes), list(definition.tensor.sizes)
        axes = definition.axes
        if definition.kind in MATRIX_KINDS:
            half = len(sizes) // 2
            require(sizes and sizes[:half] == sizes[half:], "its argument is not square")
            require(not axes, "it has no axes")
            exponent = definition.exponent
            fine = _is_whole(exponent) if definition.kind == "matrix_power" else exponent is None
            require(fine, "its exponent is no integer made of sizes")
        else:
            fit = axes and list(axes) == sorted(set(axes)) and axes[-1] < len(sizes) and axes[0] >= 0
            require(fit, "its axes do not fit its argument")
        if definition.kind in SAME_SHAPE:
            require(own == sizes, "its sizes are not those of its argument")
        elif definition.kind == "prodexcept":
            copies = [sizes[k] for k in axes] * (left_out(definition) - 1)
            require(own == sizes + copies, "its sizes are not those of its argument and of what it leaves out")
        elif definition.kind in MATRIX_KINDS:
            require(not own, "it is a number")
        else:
            rest = [s for k, s in enumerate(sizes) if k not in axes]
            require(own == rest, "its sizes are not the remaining ones of its argument")

    def _check_sizes(self, definition: Definition) -> None:
        """The axes of an unknown function are its own, then those of what it is differentiated in."""
        own, arguments, slots = list(definition.tensor.sizes), definition.arguments, definition.axes
        if definition.kind == "derivative":
            require(len(arguments) >= 2 and not slots, "it needs a function and a variable")
            require(own == [s for a in arguments for s in a.sizes], "its sizes are not those of ∂f/∂x")
            return
        require(arguments and definition.function, "it needs a name and arguments")
        require(all(0 <= k < len(arguments) for k in slots), "it has no such argument")
        require(list(slots) == sorted(slots), "its derivatives are not in order")
        tail = [s for k in slots for s in arguments[k].sizes]
        require(own[len(own) - len(tail) :] == tail, "its sizes are not those of its derivatives")

    def _no_circle(self, name: str) -> None:
        done: set[str] = set()
        stack: list[tuple[str, list[str]]] = [(name, self._named_in(name))]
        path = [name]
        while stack:
            _, waiting = stack[-1]
            if not waiting:
                done.add(stack.pop()[0])
                path.pop()
                continue
            new = waiting.pop()
            require(new not in path, f"the definition of {name} runs in a circle")
            if new not in done:
                stack.append((new, self._named_in(new)))
                path.append(new)

    def _named_in(self, name: str) -> list[str]:
        definition = self.definitions.get(name) or self.chain.get(name)
        if definition is None:
            return []
        named = {t.name for t in definition.arguments}
        if definition.body is not None:
            named |= {t.name for t in tensors(definition.body)}
        return sorted(named)

    # -- what stands where

    def reached(self, name: str) -> frozenset[str]:
        """Return the heads that stand in the head of this name, itself among them."""
        known = self._reached.get(name)
        if known is None:
            inner = self._named_in(name) if name in self.definitions else []
            known = frozenset([name]).union(*(self.reached(n) for n in inner))
            self._reached[name] = known
        return known

    def standing(self, expr: Any) -> frozenset[str]:
        """Return the names of all heads that stand in an expression."""
        return frozenset().union(*(self.reached(t.name) for t in tensors(expr)))

    def depends(self, expr: Any, head: Tensor) -> bool:
        """Tell whether a head stands in an expression."""
        return head.name in self.standing(expr)

    def mentions(self, name: str) -> frozenset[str]:
        """Return the names of all heads that stand in the text of a chain definition."""
        definition = self.chain[name]
        found = self.standing(definition.body) if definition.body is not None else frozenset()
        return found.union(*(self.reached(t.name) for t in definition.arguments))

    def below(self, name: str) -> frozenset[str]:
        """Return the chain definitions that a chain definition depends on, itself among them."""
        known = self._below.get(name)
        if known is None:
            inner = [n for n in self.mentions(name) if n in self.chain]
            known = frozenset([name]).union(*(self.below(n) for n in inner))
            self._below[name] = known
        return known

    def standing_above(self, name: str, ends: frozenset[str]) -> frozenset[str]:
        """Return the heads that a head of the chain depends on, itself among them, not looking below the ends."""
        found: set[str] = set()
        stack = [name]
        while stack:
            top = stack.pop()
            if top not in found and top not in ends:
                found.add(top)
                stack += self.mentions(top) if top in self.chain else self._named_in(top)
        return frozenset(found)

    def holds_derivative(self, name: str) -> bool:
        """Tell whether a head is a derivative by name, or its text holds one."""
        definition = self.definitions.get(name) or self.chain.get(name)
        if definition is None:
            return False
        return definition.kind == "derivative" or (definition.body is not None and bool(derivatives(definition.body)))

    def is_own_text(self, part: Immediate) -> bool:
        """Tell whether a part is `∂P[i]/∂x` with a definition P of the chain whose own text names x."""
        head = part.of.tensor.name if isinstance(part.of, Entry) else ""
        return head in self.chain and part.entry.tensor.name in self.mentions(head)

    def named(self, kind: str, head: Tensor) -> Definition | None:
        """Return the definition of a head where it is of this kind."""
        definition = self.definitions.get(head.name)
        return definition if definition is not None and definition.kind == kind else None

    def has(self, head: Tensor, traits: frozenset[str]) -> bool:
        """Tell whether a head was declared with one of some traits; what is defined declares none."""
        known = self._has.get((head, traits))
        if known is None:
            name = head.name
            declared = name not in self.definitions and name not in self.chain
            known = declared and bool(traits & self.traits.get(name, frozenset()))
            self._has[head, traits] = known
        return known

    def is_text(self, head: Tensor) -> Definition | None:
        """Return the definition of a head where it stands for a text that is looked through."""
        return self.named("", head)


def left_out(definition: Definition) -> int:
    """Return how many entries a product of other entries leaves out: all but one have axes of their own, at the end.

    >>> u, n = Tensor("u", 3, 4), Tensor("n", 3, 4, 4, 4)
    >>> left_out(Definition(n, kind="prodexcept", arguments=(u,), axes=(1,)))
    3
    """
    more = len(definition.tensor.sizes) - len(definition.arguments[0].sizes)
    return 1 + max(more, 0) // len(definition.axes)


def _is_whole(exponent: Any) -> bool:
    """Tell whether an exponent is an integer made of sizes: a polynomial in them with integers as coefficients."""
    return isinstance(exponent, sympy.Expr) and exponent.is_integer is True and exponent.is_polynomial()


def _is_itself(definition: Definition) -> bool:
    """Tell whether a definition says no more than `A[i, j] = A[i, j]`."""
    return definition.kind == "" and definition.body == Entry(definition.tensor, *definition.indices)
