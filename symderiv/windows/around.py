"""Which window a claim about a derivative is read in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from symderiv.errors import UnsupportedError
from symderiv.families import Bounds, Label, Range
from symderiv.statements.block import Names
from symderiv.statements.members import RANGED
from symderiv.tensor.expr import Expr, walk
from symderiv.windows.dependence import Dependence, Key, Parent, UndecidedError, key_named, key_of
from symderiv.windows.reach import reach_of
from symderiv.windows.stacked import POSITION, Stacked, is_row_key, row_of
from symderiv.windows.window import MOST_MEMBERS, Window, cores


def between(
    dependence: Dependence, variable: Key, function: Key, stops: Sequence[Key], bounds: Bounds
) -> tuple[dict[Key, None], list[Key]]:
    """Return the keys from a variable up to the cut, and the cut: the stops that are met, or the function itself."""
    found: dict[Key, None] = {variable: None}
    cut: dict[Key, None] = {}
    stack = [variable]
    while stack:
        key = stack.pop(0)
        if key != variable and (key in stops or key == function):
            cut[key] = None
            continue
        for parent in dependence.parents(key, bounds):
            if parent.range is not None:
                raise UndecidedError(f"all members of {parent.key.name} name {key}")
            if parent.key not in found:
                found[parent.key] = None
                stack.append(parent.key)
        if len(found) > MOST_MEMBERS:
            raise UndecidedError(f"{variable} acts on too many members")
    return found, list(cut)


def base(expr: Expr) -> Expr:
    """Return the array whose entry an expression is, or the expression itself."""
    return expr.args[0] if expr.op == "entry" else expr


@dataclass(frozen=True)
class Sought:
    """A claim about ∂F/∂X, and what it names besides: ∂F/∂P above X, ∂Q/∂X below F."""

    function: Key
    variable: Key
    above: tuple[Key, ...]
    below: tuple[Key, ...]
    rows: tuple[Key, ...]  # the Q that it names under a sum, as rows of a stack
    range: Range | None  # of that sum
    order: int
    claim: tuple[Expr, ...]


def sought(left: Expr, right: Expr, names: Names) -> Sought | None:
    """Return what a claim is about; None where its left side is no derivative of an array in an array."""
    if left.op != "diff" or any(base(a).op not in ("var", "defined") for a in left.args):
        return None
    function, variable = key_of(base(left.args[0]), names), key_of(base(left.args[1]), names)
    above: dict[Key, None] = {}
    below: dict[Key, None] = {}
    under: dict[Key, Range] = {}
    for e in walk(left, right):
        if e.op == "diff" and e.data[0] == "holding":
            below.update(dict.fromkeys(key_named(name, names) for name in e.data[1:]))
    for e, ranges in with_ranges(right):
        if e.op != "diff" or e.data == ("immediate",) or any(base(a).op not in ("var", "defined") for a in e.args):
            continue  # an immediate derivative is one of a text: that has to stand in the window itself
        f, *xs = (key_of(base(a), names) for a in e.args)
        if f == function:
            above.update(dict.fromkeys(row(x, ranges) for x in xs))
        elif variable in xs and not ranges:
            below[f] = None
        elif variable in xs:
            under[row(f, ranges)] = ranges[-1]
    ranges_met = list(under.values())
    one = ranges_met[0] if ranges_met else None
    return Sought(function, variable, tuple(above), tuple(below), tuple(under), one, len(left.args) - 1, (left, right))


def with_ranges(expr: Expr) -> list[tuple[Expr, tuple[Range, ...]]]:
    """Return all parts of an expression with the ranges of the sums and products around them."""
    found = []
    stack: list[tuple[Expr, tuple[Range, ...]]] = [(expr, ())]
    while stack:
        node, ranges = stack.pop()
        found.append((node, ranges))
        if node.op in RANGED:
            variable, low, high, _ = node.data
            ranges = (*ranges, Range(variable, low, high))
        stack += [(a, ranges) for a in node.args]
    return found


def row(key: Key, ranges: Sequence[Range]) -> Key:
    """Return a key under a sum as the row of a stack."""
    return key.shifted({r.symbol: row_of(r) for r in ranges})


def windows(names: Names, bounds: Bounds, what: Sought) -> list[Window]:
    """Return the windows that a claim may be read in, best first; an error where there is none."""
    dependence = Dependence(names)
    found: list[Window] = []
    reasons: list[UnsupportedError] = []
    for attempt in (window_around, below, stacked_around, stacked_between):
        try:
            found.append(attempt(names, bounds, dependence, what))
        except UnsupportedError as err:
            reasons.append(err)
    if not found:
        raise UndecidedError("; ".join(err.message for err in reasons))
    return found


def window_around(names: Names, bounds: Bounds, dependence: Dependence, what: Sought) -> Window:
    """Return the window from X up to the members P that the claim names ∂F/∂P for, F = Φ(P, …)."""
    window = Window(names, bounds, dependence, cores(what.claim, bounds), what.variable)
    if what.function == what.variable:
        return window
    inside, cut = between(dependence, what.variable, what.function, what.above, bounds)
    if what.function in cut and len(cut) > 1:
        past = ", ".join(str(k) for k in cut if k != what.function)
        raise UndecidedError(f"{what.variable} acts on {what.function} past {past}")
    window.between, window.closed, window.cut = inside, True, tuple(cut)
    if cut and what.function not in cut:
        cut_off(window, what.function, cut)
    return window


def cut_off(window: Window, function: Key, cut: Sequence[Key]) -> None:
    """Make F a function of the cut of which nothing is known."""
    reader = window.reader()
    arguments = tuple(base(window.stands_for(reader, key)) for key in cut)
    axes = window.leaf(reader, function).axes
    window.function = function
    window.between[function] = None
    window.replaced[function] = Expr("unknown", arguments, (function.name,), axes)


def below(names: Names, bounds: Bounds, dependence: Dependence, what: Sought) -> Window:
    """Return the window from F down to the members Q that the claim names ∂Q/∂X for, each Q = φ(X).

    Each has a φ of its own, called by the label of Q: two members of a family are no one function of X.
    """
    window = Window(names, bounds, dependence, cores(what.claim, bounds), what.variable)
    reader = window.reader()
    x = window.stands_for(reader, what.variable)
    for key in what.below:
        if key != what.variable and not window.is_same(key):
            window.replaced[key] = Expr("unknown", (x,), (str(key),), window.leaf(reader, key).axes)
    stack = [what.function]
    while stack:
        key = stack.pop()
        if key in window.between or key in window.replaced or key == what.variable:
            continue
        window.between[key] = None
        for reference in dependence.children(key, bounds):
            if reference.ranges:
                raise UndecidedError(f"{key} names members over a range")
            known = reference.key in window.replaced or reference.key == what.variable
            if not known and dependence.text_of(reference.key, bounds) is not None:
                stack.append(reference.key)
        if len(window.between) > MOST_MEMBERS:
            raise UndecidedError(f"{what.function} depends on too many members")
    return window


def stacked_around(names: Names, bounds: Bounds, dependence: Dependence, what: Sought) -> Window:
    """Return the window of a parameter that all members of a range name."""
    starts = dependence.parents(what.variable, bounds)
    ranges = [p.range for p in starts if p.range is not None]
    if not ranges or any(p.range is None for p in starts):
        raise UndecidedError(f"{what.variable} stands in single members")
    length = ranges[0].length
    window = Stacked(names, bounds, dependence, cores(what.claim, bounds), what.variable, length=length)
    inside: dict[Key, None] = {what.variable: None}
    cut: dict[Key, None] = {}
    stack = [rows(p, length) for p in starts]
    while stack:
        key = stack.pop(0)
        if key in inside:
            continue
        inside[key] = None
        if key in what.above or key == what.function:
            cut[key] = None
            continue
        stack += [rows(p, length) for p in dependence.parents(key, window.inner)]
        if len(inside) > MOST_MEMBERS:
            raise UndecidedError(f"{what.variable} acts on too many members")
    if what.function in cut and len(cut) > 1:
        raise UndecidedError(f"{what.variable} acts on {what.function} in two ways")
    if what.order > 1 and what.function not in cut:
        raise UndecidedError("the chain rule through all members of a range is one for first derivatives")
    window.between, window.closed, window.cut = inside, True, tuple(cut)
    if what.function not in cut:
        window.index = "_"
        cut_off(window, what.function, list(cut))
        window.index = ""
    return window


def stacked_between(names: Names, bounds: Bounds, dependence: Dependence, what: Sought) -> Window:
    """Return the window of a member that acts on F through all later ones.

    The claim names ∂Q/∂X for the members Q of a range, X among them, and ∂F/∂P for the rows P of a cut: each
    Q = φ(X), each P is made of its own Q, and all that a Q acts on is another Q, or a P, or nothing below F.
    What P acts on is no Q: else ∂Q/∂X would have paths in it that ∂F/∂P has, too.
    """
    if what.range is None or not what.rows or what.order > 1:
        raise UndecidedError(f"no members are named that {what.variable} acts on over a range")
    length = what.range.length
    window = Stacked(names, bounds, dependence, cores(what.claim, bounds), what.variable, length=length)
    for q in what.rows:
        stays_among(window, q, what)
    own = next((q for q in what.rows if q.name == what.variable.name), None)
    if own is None or what.variable.label is None or not window.holds(own, what.variable.label):
        raise UndecidedError(f"{what.variable} is not among the members it is said to act on")
    cut = [p for p in what.above if is_row_key(p)]
    for p in cut:
        back = reach_of(dependence, p, window.inner).found.keys() & {q.name for q in what.rows}
        if back:
            raise UndecidedError(f"{p.name} acts on {', '.join(sorted(back))} in turn")
    reader = window.reader()
    x = window.stands_for(reader, what.variable)
    for q in what.rows:
        window.replaced[q] = Expr("unknown", (x,), (str(q),), window.leaf(reader, q).axes)
    window.between, window.cut = dict.fromkeys([*cut, what.variable]), tuple(cut)
    window.index = "_"
    cut_off(window, what.function, cut)
    window.index = ""
    return window


def stays_among(window: Stacked, row: Key, what: Sought) -> None:
    """Refuse a row that acts on F past the rows of the cut, or on members that are no rows."""
    rows = {q.name: q.label for q in what.rows if q.label is not None}
    cut = {(p.name, p.label) for p in what.above}
    stack, seen = [row], {row}
    while stack:
        key = stack.pop()
        for parent in window.dependence.named_by(key):
            if parent in seen or (parent.name, parent.label) in cut:
                continue
            seen.add(parent)
            if parent.name == what.function.name or parent.label is None:
                raise UndecidedError(f"{row} acts on {what.function} past the members that the claim names")
            if parent.name not in rows:
                stack.append(parent)
                continue
            later = sympy.expand(parent.label - rows[parent.name])
            if not (later == 0 or (later.is_Integer and later > 0 and window.ends(parent.name, rows[parent.name]))):
                raise UndecidedError(f"{row} acts on members of {parent.name} that the claim does not name")
        if len(seen) > MOST_MEMBERS:
            raise UndecidedError(f"{row} acts on too many members")


def rows(parent: Parent, length: Label) -> Key:
    """Return a parent as the row of a stack; single members and other ranges have none."""
    if parent.range is None:
        if parent.key.label is not None and POSITION not in parent.key.label.free_symbols:
            raise UndecidedError(f"{parent.key} is a single member")
        return parent.key
    if sympy.expand(parent.range.length - length) != 0:
        raise UndecidedError("the ranges in which a parameter stands differ")
    return parent.key.shifted({parent.range.symbol: row_of(parent.range)})
