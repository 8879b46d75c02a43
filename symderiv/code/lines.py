"""Which values of a function get a line of their own, and which are written over what is not needed any more.

What is used more than once gets a name.  A large array that an entrywise operation meets for the last time takes
its result, where NumPy would make a new array for it: fresh memory costs more than the operation.  Only arrays that
the function has made itself are written over, and only those that hold floats whatever the arguments hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from symderiv.code.costs import Costs, Sizes
from symderiv.functions import FUNCTIONS
from symderiv.tensor.expr import Expr, inductive, walk

LARGE = 16_000  # entries, at representative sizes
NEW_MEMORY = 2.0  # nanoseconds that an entry of a large new array costs beside the operation
NOTABLE = 0.02  # of the whole: what writing over an array has to save
WIDTH, SHORT = 80, 12  # characters: of an expression at most, of one that gets no line at any rate
VIEWS = frozenset({"transpose", "newaxis"})
ALIASES = VIEWS | {"reshape", "vec", "diag", "factored"}  # what may hold on to another array's memory
ATOMIC = frozenset({"factored", "number", "size"})
IN_PLACE = frozenset({"filled", "raised"})  # an array, then what is written to some of its entries
PARTS = ("first", "second")
SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
UFUNCS = {"sub": "subtract", "div": "divide"}
# Operations whose result is an array of its own.
FRESH = frozenset({
    "add", "sub", "mul", "div", "neg", "map", "power", "sqrt", "matmul", "outer", "masked", "where", "maximum",
    "minimum", "softmax", "filled", "raised", "factored_inverse", "upper_inverse", "inv", "solve", "solved", "first",
    "second",
})  # fmt: skip
OVER_FACTORS = frozenset({"factored_inverse", "upper_inverse"})
ALWAYS_FLOATS = frozenset({
    "div", "mean", "softmax", "logsumexp", "sqrt", "norm", "inv", "solve", "solved", "factored_inverse", "sigmoids",
    "logdet", "log_det", "factored_logdet", "upper_inverse", "logaddexp", "det",
})  # fmt: skip
KEEPING_INTEGERS = frozenset({"abs", "sign", "relu"})


def holds_floats(e: Expr) -> bool:
    """Tell whether an array holds floats, even if the arguments were integers.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> scope = scope_of({"X": ("n", "p"), "w": ("p",)})
    >>> [holds_floats(parse(text, scope)) for text in ("X @ w", "tanh(X @ w)", "0.5 * X")]
    [False, True, True]
    """
    return _holds_floats(e)


@inductive
def _holds_floats(e: Expr, known: Callable[[Expr], bool]) -> bool:
    match e.op:
        case "number":
            return bool(e.data[0].denominator != 1)
        case "map" if e.data[0] in FUNCTIONS and e.data[0] not in KEEPING_INTEGERS:
            return True
        case "power":
            return bool(e.data[0] < 0 or e.data[0].denominator != 1) or known(e.args[0])
        case "var" | "map" | "unknown" | "block" | "mask":
            return False
    return e.op in ALWAYS_FLOATS or any(map(known, e.args))


def _is_alias(e: Expr) -> bool:
    """Tell what may hold on to the memory of its first argument: no sum does."""
    if e.op == "einsum":
        inputs, output = e.data[0].split("->")
        return len(e.args) == 1 and set(inputs) == set(output)
    return e.op in ALIASES and bool(e.args)


class Printing(Protocol):
    """What writes an expression, names for what is assigned put in."""

    np: str
    assigned: dict[Expr, str]
    last: set[Expr]

    def text(self, expr: Expr) -> str: ...
    def free(self, wanted: str) -> str: ...
    def trivial(self, node: Expr) -> bool: ...
    def numpy(self, name: str, *args: str) -> str: ...
    def in_place(self, name: str, node: Expr) -> list[str]: ...


class Lines:
    """Writes the lines of a function, arguments first."""

    def __init__(self, writer: Printing, results: Sequence[Expr], names: Mapping[Expr, str], sizes: Sizes) -> None:
        self.writer = writer
        self.results = results
        self.names = names
        self.assigned = writer.assigned
        self.nodes = list(walk(*self.results))
        self.uses = Counter(map(self.base, self.results))
        self.readers: dict[Expr, list[Expr]] = {}
        for e in self.nodes:
            self.uses.update(self.below(e))
            for b in self.below(e):
                self.readers.setdefault(b, []).append(e)
        self.remaining = Counter(self.uses)
        self.pairs = {e.args[0] for e in self.nodes if e.op in PARTS}
        self.costs = Costs(sizes)
        total = sum(map(self.costs.own, self.nodes))
        self.least = max(LARGE, NOTABLE * total / NEW_MEMORY)  # entries of an array that is worth writing over
        self.owned: set[Expr] = set()  # values in memory of their own, under a name that is no definition's
        self.met: set[Expr] = set()  # values that can be computed now
        self.done: set[Expr] = set()
        self.lines: list[str] = []
        self.count = 0

    def is_named(self, e: Expr) -> bool:
        return e in self.names and e not in self.results

    def base(self, e: Expr) -> Expr:
        """Return what an expression is a view of."""
        while e.op in VIEWS and not self.is_named(e):
            e = e.args[0]
        return e

    def below(self, e: Expr) -> list[Expr]:
        """Return the values that an operation reads."""
        return [] if self.base(e) is not e else [self.base(a) for a in e.args]

    def written(self) -> list[str]:
        """Return the lines before the return."""
        for e in self.nodes:
            if self.base(e) is not e or self.writer.trivial(e):
                continue
            self.met.add(e)
            if self.written_over(e):
                continue
            if e.op in OVER_FACTORS and self.costs.entries(e) >= self.least:
                self.settle(e.args[0], e)
            self.shorten(e)
            if self.is_pair(e):
                self.pair(e)
            elif self.uses[e] > 1 or self.is_named(e) or e.op in IN_PLACE:
                self.line(e, self.name(e))
        self.mark(*self.results)
        return self.lines

    def mark(self, *exprs: Expr) -> None:
        """Mark what is last to read its argument: the factors of a matrix, or an array made for a softmax alone."""
        stack = list(exprs)
        while stack:
            e = stack.pop()
            if e.op in OVER_FACTORS and self.is_within(e) and self.remaining[e.args[0]] == 1:
                self.writer.last.add(e)
            if e.op == "softmax" and self.is_within(e) and self.is_made_for(e):
                self.writer.last.add(e)
            stack += [b for b in map(self.base, e.args) if self.is_within(b)]

    def is_made_for(self, e: Expr) -> bool:
        """Tell whether the argument of an operation is a large array of no other use."""
        made = self.base(e.args[0])
        alone = self.is_within(made) and self.uses[made] == 1
        return alone and made.op in FRESH and self.costs.entries(made) >= self.least

    def shorten(self, e: Expr) -> None:
        """Give arguments of a long operation lines of their own."""
        while len(self.writer.text(e)) > WIDTH:
            parts = [b for b in self.below(e) if self.is_within(b) and b.args and b.op not in ATOMIC]
            if not parts:
                return
            longest = max(parts, key=lambda b: len(self.writer.text(b)))
            if len(self.writer.text(longest)) < SHORT:
                return
            self.line(longest, self.name(longest))

    def name(self, e: Expr) -> str:
        if e in self.names:
            return self.writer.free(self.names[e])
        self.count += 1
        return self.writer.free(f"t{self.count}")

    def line(self, e: Expr, name: str) -> None:
        """Write the assignment of a value to a name."""
        if e.op == "filled" and self.is_within(e.args[0]):
            self.line(e.args[0], self.name(e.args[0]))
        self.mark(e)
        self.lines += self.writer.in_place(name, e) if e.op in IN_PLACE else [f"{name} = {self.writer.text(e)}"]
        self.computed(e)
        self.assigned[e] = name
        if e.op in FRESH and not self.is_named(e):
            self.owned.add(e)
        while _is_alias(e):  # a name for memory that has one already: neither is written over
            (e, *_) = e.args
            self.owned.discard(e)

    def is_pair(self, e: Expr) -> bool:
        """Tell two values that are computed together."""
        return e in self.pairs

    def pair(self, e: Expr) -> None:
        """Write the assignment of two values that are computed together."""
        self.mark(e)
        parts = [Expr(which, (e,), (), e.axes if e.op == "sigmoids" else e.axes[1:]) for which in PARTS]
        names = [self.name(part) for part in parts]
        self.lines.append(f"{', '.join(names)} = {self.writer.text(e)}")
        self.computed(e)
        for part, name in zip(parts, names, strict=True):
            self.assigned[part] = name
            if not self.is_named(part):
                self.owned.add(part)

    def computed(self, e: Expr) -> None:
        """Take note that a value was computed, with all that stands within it."""
        self.done.add(e)
        for b in self.below(e):
            self.remaining[b] -= 1
            if self.is_within(b):
                self.computed(b)

    def is_within(self, b: Expr) -> bool:
        """Tell whether a value has no name and is computed where it stands."""
        return b not in self.assigned and not self.writer.trivial(b)

    # -- written over

    def written_over(self, e: Expr) -> bool:
        """Write an entrywise operation into the memory of one of its arguments, if it may be."""
        if e.op not in SIGNS and e.op != "map":
            return False
        if e.rank < 2 or self.costs.entries(e) < self.least or (e.op == "map" and self.ufunc(e) is None):
            return False
        for place, a in enumerate(e.args):
            if a.axes == e.axes and a.op in FRESH and holds_floats(a) and self.takes(e, place, a):
                return True
        return False

    def takes(self, e: Expr, place: int, a: Expr) -> bool:
        """Write an operation into the memory of one argument, unless that is of use elsewhere."""
        if a in self.assigned:
            if a not in self.owned or self.is_named(e) or not self.settle(a, e):
                return False
        elif self.uses[a] > 1 or not self.is_new(e, place):
            return False
        else:
            self.line(a, self.name(e if self.is_named(e) else a))
        self.lines.append(self.over(e, place, self.assigned[a]))
        self.computed(e)
        self.assigned[e] = self.assigned.pop(a)
        if not self.is_named(e):
            self.owned.add(e)
        return True

    def settle(self, a: Expr, e: Expr) -> bool:
        """Compute the numbers that are read off a value, before an operation that is to take its memory.

        Tell whether nothing else reads it then.
        """
        inside, stack = {e}, [e]
        while stack:
            new = [b for b in self.below(stack.pop()) if self.is_within(b) and b not in inside]
            inside.update(new)
            stack += new
        pending = [p for p in dict.fromkeys(self.readers.get(a, ())) if p not in self.done and p not in inside]
        numbers = [self.number_above(p, inside) for p in pending]
        if None in numbers or a in map(self.base, self.results):
            return False
        for top in dict.fromkeys(numbers):
            if top is not None and top not in self.done:
                self.line(top, self.name(top))
        return self.remaining[a] <= self.within(e, a)

    def number_above(self, e: Expr, inside: Collection[Expr]) -> Expr | None:
        """Return the number that a value goes into, if it can be had now; the last of several within one another."""
        found = None
        while e in self.met and e not in inside:
            found = e if not e.rank else found
            above = [p for p in self.readers.get(e, ()) if p not in self.done]
            if len(above) != 1 or self.uses[e] > 1 or (found is not None and above[0].rank):
                return found
            (e,) = above
        return found

    def is_new(self, e: Expr, place: int) -> bool:
        """Tell where NumPy makes a new array though an argument is of no other use."""
        return e.op == "map" or (e.op in UFUNCS and place == 1)

    def within(self, e: Expr, a: Expr) -> int:
        """Return how often an operation reads a value, itself or within its arguments."""
        return sum((b is a) + (self.within(b, a) if self.is_within(b) else 0) for b in self.below(e))

    def over(self, e: Expr, place: int, name: str) -> str:
        """Return the statement that writes an operation over one of its arguments."""
        if e.op == "map":
            return f"{self.ufunc(e)}({name}, out={name})"
        other = self.writer.text(e.args[1 - place])
        if place == 1 and e.op in UFUNCS:
            return self.writer.numpy(UFUNCS[e.op], other, name, f"out={name}")
        return f"{name} {SIGNS[e.op]}= {other}"

    def ufunc(self, e: Expr) -> str | None:
        """Return the function of NumPy that an entrywise function is, None where it is more than one."""
        text = FUNCTIONS[e.data[0]].numpy if e.data[0] in FUNCTIONS else ""
        front, _, rest = text.partition("(")
        return front.replace("np.", f"{self.writer.np}.") if rest == "{0})" and front.startswith("np.") else None


__all__ = ["IN_PLACE", "Lines", "holds_floats"]
