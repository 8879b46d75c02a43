"""Programs with their loops taken apart: what no turn needs of another is computed for all turns at once.

So the T products with a weight matrix that a recurrent network has are one product, as are the sums Σ_t a_t h_tᵀ of
its gradient; a loop keeps the recurrence alone (:mod:`symderiv.code.fission`).  What two turns or two loops have in
common is computed once (:mod:`symderiv.code.shared`), expressions are planned, arrays begin with what they hold first
and are added to in place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from symderiv.code.accesses import names_in, touched
from symderiv.code.costs import Costs, representative
from symderiv.code.fission import RAW, SIGNS, SUM, Split
from symderiv.code.passes import with_reciprocals
from symderiv.code.planned import planned
from symderiv.code.program import Assign, Item, Loop, Place, Program
from symderiv.code.shared import Values, with_parts_kept, with_shared_named
from symderiv.code.walked import walked
from symderiv.families import Label
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.operations import apply

VIEWS = frozenset({"var", "transpose", "newaxis", "reshape", "entry"})  # what may share memory with its argument


def distributed(program: Program, taken: set[str]) -> Program:
    """Return a program of the same results with its loops taken apart; new names are put into `taken`."""
    places = dict(program.places)
    values = Values()
    prepared = [replace(i, body=_planned_body(i)) if isinstance(i, Loop) else i for i in program.items]
    prepared = with_parts_kept(prepared, taken, values)
    prepared = [with_shared_named(i, places, taken, values) if isinstance(i, Loop) else i for i in prepared]
    program = replace(program, items=prepared)
    items: list[Item] = []
    lengths = _lengths(program)
    for item in prepared:
        if isinstance(item, Loop):
            split = Split(replace(program, places=places), item, lengths, taken, values)
            items += split.items()
            places |= split.new_places
        else:
            items.append(item)
    new = _planned(replace(program, items=_begun(items, places), places=places))
    new.items = _in_place(new.items, new.places)
    rows: set[str] = set()
    new.items = [walked(i, lengths, taken, rows) if isinstance(i, Loop) else i for i in new.items]
    return new


def _lengths(program: Program) -> dict[str, Label]:
    """Return the number of rows of each array that is handed in or made outside of a loop."""
    found = {a.name: a.shape[0] for a in program.arguments if a.shape}
    for item in program.items:
        if isinstance(item, Assign) and item.value.rank and item.target.row is None:
            found[item.target.name] = item.value.shape[0]
    return found


def _planned(program: Program) -> Program:
    """Return a program whose expressions outside of loops are planned together."""
    items = [i for i in program.items if isinstance(i, Assign) and i.value.op not in RAW]
    values = [*(i.value for i in items), *program.results]
    new = with_labels_added(softmaxes(planned(values, (), representative(values))))
    change: dict[int, Item] = {id(item): replace(item, value=value) for item, value in zip(items, new, strict=False)}
    for loop in program.items:
        if isinstance(loop, Loop):
            body = [i for i in loop.body if isinstance(i, Assign)]
            exprs = with_reciprocals([i.value for i in body], Costs(representative([i.value for i in body])))
            bodies = with_labels_added(softmaxes(exprs))
            change[id(loop)] = replace(
                loop, body=[replace(i, value=value) for i, value in zip(body, bodies, strict=True)]
            )
    return replace(program, items=[change.get(id(i), i) for i in program.items], results=new[len(items) :])


def _planned_body(loop: Loop) -> list[Item]:
    """Return the statements of a loop with their expressions planned together."""
    body = [i for i in loop.body if isinstance(i, Assign)]
    exprs = [i.value for i in body]
    return [replace(i, value=v) for i, v in zip(body, planned(exprs, (), representative(exprs)), strict=True)]


def softmaxes(exprs: Sequence[Expr]) -> list[Expr]:
    """Return expressions in which the softmax and the logsumexp of one array are found together."""
    found: dict[tuple[Expr, int], set[str]] = {}
    for e in walk(*exprs):
        if (key := _along(e)) is not None:
            found.setdefault(key, set()).add(e.op)
    new: dict[Expr, Expr] = {}
    for e in walk(*exprs):
        args = tuple(new[a] for a in e.args)
        new[e] = e.with_args(args)
        key = _along(e)
        if key is not None and len(found[key]) == 2:
            both = Expr("softmax_and_logsumexp", args, (key[1],), args[0].axes)
            new[e] = Expr("first" if e.op == "softmax" else "second", (both,), (), e.axes)
    return [new[e] for e in exprs]


def _along(e: Expr) -> tuple[Expr, int] | None:
    """Return what a softmax or a logsumexp is taken of, and along which axis."""
    if e.op not in ("softmax", "logsumexp") or not (e.data or e.args[0].rank == 1):
        return None
    return e.args[0], e.data[0] % e.args[0].rank if e.data else 0


def with_labels_added(exprs: Sequence[Expr]) -> list[Expr]:
    """Return expressions in which 1 is added to entries that labels tell, or taken from them, in place."""
    new: dict[Expr, Expr] = {}
    for e in walk(*exprs):
        args = tuple(new[a] for a in e.args)
        new[e] = e.with_args(args)
        if e.op in SUM and e.args[1].op == "one_hot" and args[0].axes == e.axes:
            label, _ = e.args[1].data
            count = e.shape[0] if e.rank == 2 else None
            new[e] = Expr("raised_at", args[:1], ("+-"[e.op == "sub"], label, count), e.axes)
    return [new[e] for e in exprs]


# ---------------------------------------------------------------- the first value


def _begun(items: Sequence[Item], places: Mapping[str, Place]) -> list[Item]:
    """Return items in which an array begins with all that is added to it at once, not with zeros or room."""
    found = list(items)
    for start in items:
        at = next((k for k, i in enumerate(found) if i is start), None)
        while at is not None and (after := _joined_with_next(found, at, places)) is not None:
            found[after[0]] = after[1]
            del found[at]
            at = after[0] - 1
    return found


def _joined_with_next(items: Sequence[Item], at: int, places: Mapping[str, Place]) -> tuple[int, Item] | None:
    """Return the next statement on an array joined with the one that it begins with, and its place."""
    start = items[at]
    if not isinstance(start, Assign) or start.sign or start.target.row is not None:
        return None
    reads = {places.get(n, Place(n)).name for n in names_in(start.value)}
    for k in range(at + 1, len(items)):
        item = items[k]
        if start.target.name in touched([item], places):
            return (k, _joined(start, item)) if isinstance(item, Assign) and _fills(item, start, places) else None
        if reads & _written([item]):
            return None
    return None


def _joined(start: Assign, item: Assign) -> Assign:
    """Return one statement for a first value and what is written to it or added to it next."""
    value, first = item.value, start.value
    if first.op == "copy":
        (first,) = first.args
    if item.sign and first.op not in ("zero", "zeros"):
        value = apply("sub" if item.sign == "-" else "add", first, value)
    elif item.sign == "-":
        value = apply("neg", value)
    if value.op in VIEWS:  # what is added to later must not be part of something else
        value = Expr("copy", (value,), (), value.axes)
    return replace(item, value=value, sign="", key=start.key or item.key)


def _written(items: Sequence[Item]) -> set[str]:
    """Return the arrays that some items write."""
    found: set[str] = set()
    for item in items:
        found |= _written(item.body) if isinstance(item, Loop) else {item.target.name}
    return found


def _fills(item: Assign, start: Assign, places: Mapping[str, Place]) -> bool:
    """Tell whether a statement gives an array all of its entries, or adds to all of them."""
    reads = {places.get(n, Place(n)).name for n in names_in(item.value)}
    return (
        item.target == start.target
        and item.value.shape == start.value.shape
        and item.target.name not in reads
        and bool(item.sign) == (start.value.op != "empty")
    )


# ---------------------------------------------------------------- in place


def _in_place(items: Sequence[Item], places: Mapping[str, Place]) -> list[Item]:
    """Return items in which a loop adds to an array, `Q -= …` for `Q = Q - …`, where no other name stands for it."""
    shared = {name for item in items for name in _aliased(item, places)}
    found: list[Item] = []
    for item in items:
        if isinstance(item, Loop):
            known = {**places, **item.places}
            item = replace(item, body=[_added(i, known, shared) for i in item.body])
        found.append(item)
    return found


def _aliased(item: Item, places: Mapping[str, Place]) -> Iterator[str]:
    """Yield the arrays that an assignment gives another name."""
    if isinstance(item, Loop):
        for inner in item.body:
            yield from _aliased(inner, {**places, **item.places})
        return
    value = item.value
    while value.op in VIEWS and value.args:
        (value,) = value.args
    if value.op == "var" and not item.sign and item.target.row is None:
        yield places.get(value.name, Place(value.name)).name


def _added(item: Item, places: Mapping[str, Place], shared: set[str]) -> Item:
    assert isinstance(item, Assign)
    value, target = item.value, item.target
    if value.op not in SUM or not value.rank or item.sign or target.row is not None or target.name in shared:
        return item
    first, second = value.args
    for old, new in ((first, second), (second, first)) if value.op == "add" else ((first, second),):
        if old.op == "var" and places.get(old.name, Place(old.name)) == target and old.axes == value.axes:
            return replace(item, value=new, sign=SIGNS[value.op])
    return item


__all__ = ["distributed"]
