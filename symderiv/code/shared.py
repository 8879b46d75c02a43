"""Names for what the statements of loops have in common, so that it is computed once.

In one loop it is a variable of the turn; what a later loop needs of an earlier one, a tanh that the way back meets
again, is kept in rows.  Two expressions are the same where their normal forms are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symderiv.code.accesses import names_in
from symderiv.code.oriented import without_cost
from symderiv.code.program import TEMPORARY, Assign, Item, Loop, Place
from symderiv.errors import SymderivError
from symderiv.lower import Array, lower
from symderiv.tensor.expr import Expr, plain_axes, replaced, walk
from symderiv.tensor.operations import apply

NOT_SHARED = frozenset({"zero", "zeros", "empty", "copy", "entry", "one_hot", "sigmoids"})
WORTH_ROWS = frozenset({"map", "matmul", "softmax", "logsumexp", "unknown", "solve", "norm"})


def temporary(taken: set[str]) -> str:
    """Return a name for an intermediate result, and take it."""
    name = next((n for n in TEMPORARY if n not in taken), "")
    count = 1
    while not name or name in taken:
        name, count = f"t{count}", count + 1
    taken.add(name)
    return name


@dataclass
class Values:
    """What expressions mean: the same for `a * b` and `b * a`."""

    known: dict[Expr, Hashable] = field(default_factory=dict)
    lowered: dict[Expr, Array] = field(default_factory=dict)

    def of(self, e: Expr) -> Hashable:
        """Return what tells an expression from those of other values."""
        if e not in self.known:
            try:
                self.known[e] = (lower(e, done=self.lowered).node, e.axes)
            except (SymderivError, KeyError):  # an operation of the code
                self.known[e] = e
        return self.known[e]


@dataclass
class Common:
    """A part of several statements: how it is written in each, and which statements may share it."""

    forms: list[Expr]
    start: int
    end: int


def with_shared_named(loop: Loop, places: Mapping[str, Place], taken: set[str], values: Values) -> Loop:
    """Return a loop in which a part that is computed more than once in a turn is a statement of its own.

    A part is shared only where nothing that it reads is written in between.
    """
    body = _with_entries_of_products([item for item in loop.body if isinstance(item, Assign)], values)
    own = dict(loop.places)
    while (found := _largest(body, {**places, **own}, values)) is not None:
        first = body[found.start]
        part = found.forms[0]
        is_named = first.value is part and not first.sign and first.target.row is None
        name = first.target.name if is_named else temporary(taken)
        variable = Expr("var", (), (f"shared {name}", frozenset()), part.axes)
        own[variable.name] = Place(name)
        change = dict.fromkeys(found.forms, variable)
        for k in range(found.start + is_named, found.end):
            body[k] = replace(body[k], value=replaced(body[k].value, change))
        if not is_named:
            body.insert(found.start, Assign(Place(name), part))
    new: list[Item] = list(_with_vectors_named(body, {**places, **own}, own, taken))
    return replace(loop, body=new, places=own)


def _with_vectors_named(
    body: Sequence[Assign], places: Mapping[str, Place], own: dict[str, Place], taken: set[str]
) -> Iterator[Assign]:
    """Yield statements in which the vectors of outer products that are added up have names.

    Vectors may be kept for all turns, and Σ_t a_t b_tᵀ be one product of matrices.
    """
    states = _states(body, places)
    for item in body:
        if item.sign and item.value.rank == 2 and item.target.row is None:
            change: dict[Expr, Expr] = {}
            vectors = [a for e in walk(item.value) if e.op in ("outer", "einsum") for a in e.args if a.rank == 1]
            for a in dict.fromkeys(vectors):
                is_state = a.op == "var" and places.get(a.name, Place(a.name)).name in states
                if is_state or not without_cost(a):
                    name = temporary(taken)
                    change[a] = Expr("var", (), (f"shared {name}", frozenset()), a.axes)
                    own[change[a].name] = Place(name)
                    yield Assign(Place(name), Expr("copy", (a,), (), a.axes) if is_state else a)
            item = replace(item, value=replaced(item.value, change))
        yield item


def _states(body: Sequence[Assign], places: Mapping[str, Place]) -> set[str]:
    """Return the variables that a turn reads before it writes them."""
    found: set[str] = set()
    read: set[str] = set()
    for item in body:
        read |= {places.get(n, Place(n)).name for n in names_in(item.value)}
        if item.target.row is None and not item.sign and item.target.name in read:
            found.add(item.target.name)
    return found


def _with_entries_of_products(body: Sequence[Assign], values: Values) -> list[Assign]:
    """Return statements with `(V @ x)[k]` for `V[k] @ x` where the whole product is computed anyway."""
    there = {values.of(e) for item in body for e in walk(item.value) if e.op == "matmul"}

    def entry(e: Expr) -> Expr:
        for row, vector in (e.args[:2], e.args[1::-1]) if e.op in ("matmul", "vdot") and e.rank == 0 else ():
            if row.op == "entry" and row.args[0].rank == 2 and row.data[0] is not None:
                whole = apply("matmul", row.args[0], vector)
                if values.of(whole) in there:
                    return Expr("entry", (whole,), (row.data[0],), ())
        return e

    change = {e: new for item in body for e in walk(item.value) if (new := entry(e)) is not e}
    return [replace(i, value=replaced(i.value, change)) for i in body]


def _candidates(item: Assign) -> Iterator[Expr]:
    """Yield the parts of a statement that may be shared, each as often as it is an argument, and its whole."""
    for e in walk(item.value):
        yield from (a for a in e.args if _may_be_shared(a))
    if _may_be_shared(item.value):
        yield item.value


def _may_be_shared(e: Expr) -> bool:
    return e.rank <= 1 and e.op not in NOT_SHARED and not without_cost(e)


def _largest(body: Sequence[Assign], places: Mapping[str, Place], values: Values) -> Common | None:
    """Return the largest part that occurs more than once."""
    occurrences: dict[Hashable, list[tuple[int, Expr]]] = {}
    for k, item in enumerate(body):
        for e in _candidates(item):
            occurrences.setdefault(values.of(e), []).append((k, e))
    best: Common | None = None
    for found in occurrences.values():
        start, part = found[0]
        if len(found) < 2 or (best is not None and part.weight <= best.forms[0].weight):
            continue
        reads = {places.get(n, Place(n)).name for _, e in found for n in names_in(e)}
        end = next((k + 1 for k in range(start, len(body)) if body[k].target.name in reads), len(body))
        forms = [e for k, e in found if k < end]
        named = body[start].value is part and not body[start].sign and body[start].target.row is None
        if len(forms) > 1 and not (named and body[start].target.name in reads):
            best = Common(list(dict.fromkeys(forms)), start, end)
    return best


# ---------------------------------------------------------------- from loop to loop


def with_parts_kept(items: Sequence[Item], taken: set[str], values: Values) -> list[Item]:
    """Return items in which a loop finds in rows what costs something and an earlier one has computed."""
    found = list(items)
    loops = [k for k, item in enumerate(found) if isinstance(item, Loop)]
    for later in loops:
        for earlier in (k for k in loops if k < later):
            room = _kept(found, earlier, later, taken, values)
            found[earlier:earlier] = room
            if room:
                return with_parts_kept(found, taken, values)
    return found


def _kept(items: list[Item], earlier: int, later: int, taken: set[str], values: Values) -> list[Item]:
    """Keep one part that two loops have in common; return the statement that makes room for it, if there is one."""
    one, two = items[earlier], items[later]
    assert isinstance(one, Loop) and isinstance(two, Loop)
    if one.variable != two.variable or one.count != two.count:
        return []
    parts = {values.of(e): e for i in one.body if isinstance(i, Assign) for e in walk(i.value)
             if e is not i.value and _is_worth_rows(e)}  # fmt: skip
    written = {i.target.name for i in two.body if isinstance(i, Assign)}
    for item in two.body:
        assert isinstance(item, Assign)
        for e in reversed(list(walk(item.value))):
            part = parts.get(values.of(e)) if _is_worth_rows(e) else None
            if part is None or not _is_alike(e, one, two, written):
                continue
            name = temporary(taken)
            variable = Expr("var", (), (f"kept {name}", frozenset()), e.axes)
            place = Place(name, one.variable)
            first = next(k for k, i in enumerate(one.body) if isinstance(i, Assign) and part in walk(i.value))
            body = _with(one.body, part, variable)
            body.insert(first, Assign(place, part))
            items[earlier] = replace(one, body=body, places={**one.places, variable.name: place})
            items[later] = replace(two, body=_with(two.body, e, variable), places={**two.places, variable.name: place})
            shape = (one.count, *e.shape)
            return [Assign(Place(name), Expr("empty", (), (shape,), plain_axes(shape)))]
    return []


def _is_worth_rows(e: Expr) -> bool:
    return _may_be_shared(e) and e.op in WORTH_ROWS


def _is_alike(e: Expr, one: Loop, two: Loop, written: set[str]) -> bool:
    """Tell whether an expression reads the same in two loops: rows of the first one, or what none writes."""
    targets = {i.target.name for i in one.body if isinstance(i, Assign)}
    for n in names_in(e):
        place = two.places.get(n, Place(n))
        if place != one.places.get(n, Place(n)) or place.name in written or (place.row is None and n in targets):
            return False
    return True


def _with(items: Sequence[Item], part: Expr, variable: Expr) -> list[Item]:
    return [replace(i, value=replaced(i.value, {part: variable})) if isinstance(i, Assign) else i for i in items]


__all__ = ["Values", "temporary", "with_parts_kept", "with_shared_named"]
