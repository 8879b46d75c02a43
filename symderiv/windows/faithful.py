"""Whether a derivative that stands in a window is the one of the family.

In a window most members are variables: constant, where a derivative is taken.  So `diff(f, x)` read there is
the derivative of the family only if all that f was made of, but for what x acts on through definitions that
the window has, is constant in x (see `reach`).  The members from X up to the cut are *closed*: what one of
them acts on is another one, or lies past the cut.  So nothing that lies past no member of the cut depends on
them otherwise.

There is one derivative more.  Let W be the members from X up to the cut, and F = Φ(C).  A path from B ∈ W to F
runs in W up to a last member P, and leaves it for good or for a while; P is a member of the cut, since all
that the others act on lies in W.  Let σ_P be the sum over the paths from P to F whose first step leaves W: then

    ∂F/∂B = Σ_P σ_P · (∂P/∂B within W)      for all B ∈ W at once,

which is the chain rule in the window, σ_P being ∂Φ/∂P.  So first derivatives of F in members of W are faithful,
even where texts in W name members that lie past the cut (the W·h[t-1] of a recurrence).  Second derivatives
are so only where they name none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symderiv.families import Bounds, Label
from symderiv.tensor.expr import Expr, walk
from symderiv.windows.dependence import Key, UndecidedError, agree, key_named, references
from symderiv.windows.reach import Interval, Reach, acted_on, reach_of, single
from symderiv.windows.stacked import POSITION, Stacked, is_row_key, rows_are_numbers
from symderiv.windows.window import Window

ARRAYS = ("var", "defined")


def check_derivatives(window: Window, exprs: Iterable[Expr]) -> None:
    """Refuse expressions read in a window with a derivative that may be another one in the family."""
    exprs = tuple(exprs)
    if isinstance(window, Stacked) and rows_are_numbers(window, exprs):
        raise UndecidedError("the number of a row stands in a text, as a number, a size or a subscript")
    faithful = _Faithful(window)
    for e in walk(*exprs):
        if e.op == "diff":
            faithful.derivative(e)
        elif e.op == "directional":
            for x in e.args[1::2]:
                faithful.total(base(e.args[0]), base(x), order=order_of(e.args[0]) + 1)


def check_supposed(exprs: Iterable[Expr], names: Iterable[str]) -> None:
    """Refuse derivatives of what is known by a hypothesis: it holds at one point, not around it."""
    known = set(names)
    for e in walk(*exprs):
        if e.op in ("diff", "directional") and any(d.op == "defined" and d.name in known for d in walk(*e.args)):
            raise UndecidedError("a derivative of what is known by a hypothesis")


def base(expr: Expr) -> Expr:
    """Return the array whose entry an expression is, or the expression itself."""
    return expr.args[0] if expr.op == "entry" else expr


def order_of(expr: Expr) -> int:
    """Return 1 where derivatives stand in an expression already, else 0."""
    return int(any(e.op in ("diff", "directional") for e in walk(expr)))


class _Faithful:
    def __init__(self, window: Window) -> None:
        self.window, self.bounds = window, window.inner
        self.dependence = window.dependence
        self.reaches: dict[Key, Reach] = {}
        self.past: Reach | None = None

    def key(self, array: Expr) -> Key:
        """Return what a variable or definition of the window is in the family."""
        if array.op not in ARRAYS or array.name in self.window.opaque or array.name in self.window.supposed:
            raise UndecidedError("a derivative in what is no member")
        return key_named(array.name, self.window.names)

    # -- derivatives

    def derivative(self, e: Expr) -> None:
        """Refuse a derivative that may be another one in the family."""
        f, *variables = map(base, e.args)
        for x in variables:
            if e.data[0] == "immediate":
                self.immediate(f, x)
            else:
                self.total(f, x, e.data[1:], len(variables) + order_of(f))

    def immediate(self, f: Expr, x: Expr) -> None:
        """The derivative in the text of f itself: f has its own text here, and names x by no other label."""
        key = self.key(x)
        if f.op in ARRAYS:
            own = self.key(f)
            if own in self.window.replaced or (f.op == "var" and self.reach(key).meets(own, self.bounds)):
                raise UndecidedError(f"the text of {own} does not stand in this window")
        stack = list(f.args) if f.op == "defined" else [f]
        while stack:
            node = stack.pop()
            if node is x:
                continue
            if node.op not in ARRAYS:
                stack += node.args
            elif node.name in self.window.opaque:
                self.unnamed(node, key)
            elif node.name not in self.window.supposed:
                self.apart(self.key(node), key)

    def unnamed(self, opaque: Expr, key: Key) -> None:
        """Refuse a sum that may name a member itself."""
        for reference in references(self.window.opaque[opaque.name], self.window.names):
            self.apart(reference.key, key, self.bounds.within(*reference.ranges))

    def total(self, f: Expr, x: Expr, held: Iterable[str] = (), order: int = 1) -> None:
        """The derivative through all definitions, but for those that are held."""
        key = self.key(x)
        held = tuple(held)
        if f.op == "defined" and order == 1 and not held and self.is_cut_off(f) and key in self.slots():
            return
        mixed = self.mixes_rows(key)
        stack, seen = [f], set(held)
        while stack:
            node = stack.pop()
            if node is x:
                continue
            if node.op not in ARRAYS:
                stack += node.args
            elif node.name not in seen:
                seen.add(node.name)
                self.not_held(node, held)
                if self.goes_on(node, key, order):
                    if mixed and not is_row_key(self.key(node)) and any(map(self.is_of_rows, walk(node))):
                        raise UndecidedError(f"{key} acts on other rows")
                    stack += node.args

    def not_held(self, node: Expr, held: Sequence[str]) -> None:
        """Refuse a part of f in which a member that is held may be hidden."""
        if not held or node.name in self.window.opaque or node.name in self.window.supposed:
            return
        own = self.key(node)
        if own in self.window.replaced:
            raise UndecidedError(f"what is held may act on {own}, whose text does not stand in this window")
        for name in held:
            self.apart(own, key_named(name, self.window.names))

    def slots(self) -> tuple[Key, ...]:
        """Return the members in which the first derivative of F is that of the family, whatever lies past the cut."""
        return tuple(self.window.between) if self.window.closed else self.window.cut

    def goes_on(self, node: Expr, key: Key, order: int) -> bool:
        """Tell whether a part of f has to be looked into; refuse one that is a constant here and may be none."""
        window = self.window
        if node.name in window.opaque:
            self.constant_sum(node, key)
            return False
        if node.name in window.supposed:
            raise UndecidedError("a derivative of what is known by a hypothesis")
        own = self.key(node)
        if own in window.replaced:
            if own == window.function:
                if key in window.between if window.closed else key == window.variable and order == 1:
                    return True
            elif key == window.variable:
                return False
        self.apart(own, key)
        if node.op == "defined" and own not in window.replaced:
            return True
        if not self.constant(own, key):
            raise UndecidedError(f"{key} may act on {own}, which is constant in this window")
        return False

    def apart(self, one: Key, key: Key, bounds: Bounds | None = None) -> None:
        """Refuse a member that may be the one differentiated in, under another label."""
        if one.name == key.name and one != key and one.label is not None and key.label is not None:
            if agree(one.label, key.label, bounds or self.bounds) is not False:
                raise UndecidedError(f"whether {one} is {key} cannot be told")

    def is_cut_off(self, f: Expr) -> bool:
        """Tell whether f is the function F = Φ(C) of the window."""
        function = self.window.function
        return function is not None and function in self.window.replaced and f.name == str(function)

    # -- what is constant

    def constant(self, own: Key, key: Key, bounds: Bounds | None = None) -> bool:
        """Tell whether a member certainly does not depend on another."""
        bounds = bounds or self.bounds
        if not self.reach(key).meets(own, bounds):
            return True
        return self.window.closed and key in self.window.between and not self.past_the_cut().meets(own, bounds)

    def constant_sum(self, opaque: Expr, key: Key) -> None:
        """Refuse a sum or product that may depend on a member; terms that do were taken out of it in the window."""
        for reference in references(self.window.opaque[opaque.name], self.window.names):
            if not self.constant(reference.key, key, self.bounds.within(*reference.ranges)):
                raise UndecidedError(f"{key} may act on {reference.key}, which is constant in this window")

    def reach(self, key: Key) -> Reach:
        """Return what a member acts on."""
        if key not in self.reaches:
            self.reaches[key] = reach_of(self.dependence, key, self.bounds)
        return self.reaches[key]

    def past_the_cut(self) -> Reach:
        """Return what the members of the cut act on, and other rows of what is stacked."""
        if self.past is None:
            starts = [(key.name, self.all_rows(key.label)) for key in self.window.cut]
            found = acted_on(self.dependence, starts, self.bounds)
            for key in self.window.between:
                if is_row_key(key):
                    old = found.get(key.name)
                    rows = self.all_rows(key.label)
                    found[key.name] = rows if old is None else old.joined(rows, self.bounds)
            self.past = Reach(found, self.bounds)
        return self.past

    def all_rows(self, label: Label | None) -> Interval:
        """Return the labels of all rows of a stack; a label that is none of a row stands for itself."""
        if not isinstance(self.window, Stacked) or label is None or POSITION not in label.free_symbols:
            return single(label)
        return Interval(self.window.label_at(label, 1), self.window.label_at(label, self.window.length))

    # -- rows

    def mixes_rows(self, key: Key) -> bool:
        """Tell whether a row acts on other rows of its own stack."""
        return is_row_key(key) and key.name in self.reach(key).found

    def is_of_rows(self, node: Expr) -> bool:
        """Tell whether an array is stacked."""
        return node.op in ARRAYS and node.name not in self.window.opaque and is_row_key(self.key(node))
