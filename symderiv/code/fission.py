"""One loop taken apart: what comes before it, what stays of it, and what comes after it.

Of a loop stays what is a recurrence.  What only its own turn and the arrays of other loops need comes before it, for
all turns in one operation (:mod:`symderiv.code.turns`), also where it is a part of a longer expression; what the
recurrence does not need comes after it, sums over the turns as products of matrices.

Vectors and numbers are kept for all turns this way, and no matrices: memory stays linear in the number of turns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace

from symderiv.code.accesses import Order, names_in, touched
from symderiv.code.costs import representative
from symderiv.code.oriented import without_cost
from symderiv.code.planned import planned
from symderiv.code.program import Assign, Item, Loop, Place, Program, Slice
from symderiv.code.shared import Values, temporary
from symderiv.code.turns import AllTurns, OneByOne
from symderiv.code.walked import sliced
from symderiv.families import Label
from symderiv.operands import number
from symderiv.tensor.expr import Expr, plain_axes, walk
from symderiv.tensor.operations import apply

RAW = frozenset({"zero", "zeros", "empty", "copy", "eye", "number"})  # what there is nothing to plan about
SUM, PRODUCT = ("add", "sub"), ("mul", "div")
SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


class Split:
    """One loop, in three parts: before it, the loop with what is left of it, and after it."""

    def __init__(
        self, program: Program, loop: Loop, lengths: dict[str, Label], taken: set[str], values: Values
    ) -> None:
        self.loop, self.lengths, self.taken, self.values = loop, lengths, taken, values
        self.order = Order(program, loop)
        self.body, self.places = self.order.body, self.order.places
        self.lengths |= dict.fromkeys(self.order.locals, loop.count)
        self.new_places: dict[str, Place] = {}
        self.all = AllTurns(self.rows, loop.count, loop.variable)
        self.whole = [self.for_all(item) for item in self.body]
        count = range(len(self.body))
        self.ahead = self.chosen(count, self.order.before)
        after = {k: {j for j in count if k in self.order.before[j]} for k in count}
        self.behind = [k for k in reversed(self.chosen(reversed(count), after)) if k not in self.ahead]
        self.middle = [k for k in count if k not in (*self.ahead, *self.behind)]
        self.parts: dict[Hashable, Expr] = {}  # what was taken out of the loop: the variables that hold it
        self.part_places: dict[str, Place] = {}
        self.new: list[Assign] = []

    def chosen(self, order: Iterable[int], before: dict[int, set[int]]) -> list[int]:
        """Return the statements for all turns that only such have to come before, in an order of computation."""
        found: list[int] = []
        left = [k for k in order if self.whole[k] is not None]
        while True:
            new = next((k for k in left if before[k] <= set(found)), None)
            if new is None:
                return found
            found.append(new)
            left.remove(new)

    # -- one statement for all turns

    def rows(self, name: str) -> str | None:
        """Return the name of the rows of an array that a loop goes through; None of what does not change."""
        place = self.places.get(name, Place(name))
        row = self.loop.variable if place.row is None and place.name in self.order.locals else place.row
        if row is None or isinstance(row, Slice) or self.loop.variable not in row.free_symbols:
            return None
        start = self.order.shift(row)
        if start is None:
            raise OneByOne
        found = f"rows {place.name} {start} {self.loop.count}"
        self.new_places[found] = self.place_of(place.name, start)
        return found

    def place_of(self, name: str, start: Label) -> Place:
        """Return the rows of an array from one on, as many as there are turns."""
        return Place(name, sliced(start, self.loop.count, self.lengths[name]))

    def for_all(self, item: Assign) -> Assign | None:
        """Return a statement for all turns at once, if there is one."""
        target, name = item.target, item.target.name
        assert not isinstance(target.row, Slice)
        try:
            if target.row is None and item.sign:
                return self.fitting(replace(item, value=self.all.total(item.value)))
            if item.value.rank > 1 or (target.row is None and name not in self.order.locals):
                return None
            value = self.all.expr(item.value)
            if target.row is None and value is not item.value and without_cost(value):  # no view of what changes
                value = Expr("copy", (value,), (), value.axes)
            if target.row is None:
                return self.fitting(replace(item, value=value)) if value is not item.value else None
            start = self.order.shift(target.row)
            if start is None:
                return None
            return self.fitting(replace(item, value=value, target=self.place_of(name, start)))
        except OneByOne:
            return None

    def fitting(self, item: Assign) -> Assign | None:
        """Return a statement unless it makes a matrix for each turn."""
        (value,) = planned([item.value], (), representative([item.value]))
        large = any(e.rank > 2 and e.axes[0] == (self.loop.count,) and e.op != "var" for e in walk(value))
        return None if large else item

    # -- the parts

    def items(self) -> list[Item]:
        """Return the statements before, the loop with what is left of it, and the statements after."""
        ahead, behind = ([w for k in part if (w := self.whole[k]) is not None] for part in (self.ahead, self.behind))
        body = [self.body[k] for k in self.middle]
        if not body:
            return [*ahead, *behind]
        made = {item.target.name for item in body}
        read = touched([self.body[k] for k in (*self.ahead, *self.behind)], self.places)
        kept = {name for name in self.order.locals if name in read}  # one row a turn
        lightened = [replace(item, value=self.lightened(item.value, made)) for item in body]
        uses = Counter(e for i in lightened for e in _occurring(i.value))
        begun: dict[str, list[Assign]] = {}
        for item in lightened:
            name = item.target.name
            if name in self.order.locals and (steps := self.begun(item, uses)):
                begun[name] = steps
        kept |= set(begun)
        places = {n: Place(p.name, self.loop.variable) if p.name in kept else p for n, p in self.places.items()}
        places |= {n: Place(n, self.loop.variable) for n in kept if n not in places}
        left: list[Item] = []
        for item in lightened:
            for step in begun.get(item.target.name, [item]):
                left.append(replace(step, target=places[item.target.name]) if item.target.name in kept else step)
        room = [self.room(item) for item in body if item.target.name in kept - set(begun)]
        loop = Loop(self.loop.variable, self.loop.count, self.loop.backward, left, places | self.part_places)
        return [*ahead, *self.new, *room, loop, *behind]

    def room(self, item: Assign) -> Item:
        """Return the statement that makes room for a variable of all turns."""
        shape = (self.loop.count, *item.value.shape)
        return Assign(Place(item.target.name), Expr("empty", (), (shape,), plain_axes(shape)))

    def begun(self, item: Assign, uses: Counter[Expr]) -> list[Assign]:
        """Return the steps by which a value grows from what was found of it before the loop, in the memory of that."""
        parts = {v for v in self.parts.values() if self.part_places.get(v.name, Place("")).row is not None}
        found = _steps(item.value, lambda e: e in parts and uses[e] == 1)
        if found is None or not found[1]:
            return []
        start, steps = found
        array = self.part_places.pop(start.name).name
        self.new = [replace(i, target=item.target) if i.target.name == array else i for i in self.new]
        return [replace(item, value=value, sign=sign) for sign, value in steps]

    # -- parts of the expressions that stay

    def lightened(self, e: Expr, made: set[str]) -> Expr:
        """Return an expression in which what needs nothing of the loop is found before it."""
        if self.is_free(e, made) and (held := self.taken_out(e)) is not e:
            return held
        if e.op in (*SUM, "neg"):
            return self.gathered(e, made, SUM)
        if e.op in PRODUCT:
            return self.gathered(e, made, PRODUCT)
        args = tuple(self.lightened(a, made) for a in e.args)
        return e.with_args(args)

    def is_free(self, e: Expr, made: set[str]) -> bool:
        """Tell whether an expression needs nothing that is computed in the loop."""
        return not any(self.places.get(n, Place(n)).name in made for n in names_in(e))

    def taken_out(self, e: Expr) -> Expr:
        """Return the variable that holds what is found before the loop; the expression where that is not worth it."""
        key = self.values.of(e)
        if key not in self.parts:
            if without_cost(e) or e.op in (*RAW, "entry", "one_hot"):
                return e
            try:
                whole = self.all.expr(e)
            except OneByOne:
                return e
            turns = whole is not e
            if turns and (e.rank > 1 or self.fitting(Assign(Place(""), whole)) is None):
                return e
            self.parts[key] = self.part(e, whole, self.loop.variable if turns else None)
        return self.parts[key]

    def part(self, e: Expr, whole: Expr, row: Label | None) -> Expr:
        """Return a variable for a part of an expression, assigned before the loop."""
        name = temporary(self.taken)
        self.new.append(Assign(Place(name), whole))
        if row is not None:
            self.lengths[name] = self.loop.count
        self.part_places[f"part {name}"] = Place(name, row)
        return Expr("var", (), (f"part {name}", frozenset()), e.axes)

    def gathered(self, e: Expr, made: set[str], ops: tuple[str, str]) -> Expr:
        """Return a sum or a product in which the terms that need nothing of the loop are one."""
        terms = list(_terms(e, 1, ops))
        free = [(sign, x) for sign, x in terms if self.is_free(x, made)]
        rest = [(sign, self.lightened(x, made)) for sign, x in terms if not self.is_free(x, made)]
        if len(free) == 1:
            free = [(sign, self.taken_out(x)) for sign, x in free]
        elif free:
            free = [(1, self.taken_out(_joined(free, ops)))]
        new = _joined([*free, *rest], ops)
        return new if new.axes == e.axes else e


def _occurring(e: Expr) -> Iterator[Expr]:
    """Yield the variables of an expression as often as they occur."""
    if e.op == "var":
        yield e
    for a in e.args:
        yield from _occurring(a)


def _steps(e: Expr, is_start: Callable[[Expr], bool]) -> tuple[Expr, list[tuple[str, Expr]]] | None:
    """Return an entrywise expression as a start and what is done to it, in as many steps as may be."""
    if is_start(e):
        return e, []
    best = None
    for k, a in enumerate(e.args if e.op in SIGNS else ()):
        found = _steps(a, is_start) if a.axes == e.axes and (k == 0 or e.op in ("add", "mul")) else None
        if found is not None and (best is None or len(found[1]) >= len(best[1])):
            best = found[0], [*found[1], (SIGNS[e.op], e.args[1 - k])]
    return best


def _terms(e: Expr, sign: int, ops: tuple[str, str]) -> Iterator[tuple[int, Expr]]:
    """Yield the terms of a sum with their signs, or the factors of an entrywise product with 1 or −1 as exponents."""
    if e.op in ops:
        yield from _terms(e.args[0], sign, ops)
        yield from _terms(e.args[1], -sign if e.op == ops[1] else sign, ops)
    elif e.op == "neg" and ops == SUM:
        yield from _terms(e.args[0], -sign, ops)
    else:
        yield sign, e


def _joined(terms: Sequence[tuple[int, Expr]], ops: tuple[str, str]) -> Expr:
    """Return the sum of terms with signs, or the product of factors with exponents."""
    ordered = [*(t for t in terms if t[0] > 0), *(t for t in terms if t[0] < 0)]
    sign, value = ordered[0]
    if sign < 0:
        value = apply("neg", value) if ops == SUM else apply("div", number(1), value)
    for sign, term in ordered[1:]:
        value = apply(ops[sign < 0], value, term)
    return value


__all__ = ["RAW", "SIGNS", "SUM", "Split"]
