r"""Expressions about families, spelled in one way: heads by what they stand for, abbreviations put in.

A head of a proof is a name. What it stands for is told by an :class:`Alphabet`: a member `h[t - 1]`, or a sum or
ordered product over a range, `Π_{s = τ+1}^{t} J_s`. Spelled at given labels, a member has its label worked out, a
function of whole arrays is told by its kind and its arguments, and what merely abbreviates stands as its text. So two
heads are one where they stand for the same.

A sum or product is *opened* against a core, the part of its range that all of its kind have in common:

    Σ_{s=a}^{b} f(s) = f(a) + … + Σ_{s=a'}^{b'} f(s) + … + f(b),   a ≤ a', b' ≤ b, a' ≤ b' + 1,

with finitely many terms outside; single terms may be taken out of the core. Products of matrices keep their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sympy

from symderiv.check.alphabet import (
    MOST_TERMS,
    Alphabet,
    Core,
    Kept,
    Ranged,
    chained,
    composed,
    few,
    heads_in,
    in_a_row,
    written,
)
from symderiv.check.labels import ROW, Bounds, Label, Member, Range, Values, difference, put, symbol
from symderiv.check.terms import (
    factors,
    free,
    fresh,
    product_of,
    require,
    sum_of,
    terms,
    with_indices,
)
from symderiv.index.nodes import (
    Apply,
    Choice,
    Definition,
    Derivative,
    Entry,
    Extreme,
    Index,
    IndexExpr,
    Plus,
    Sum,
    Tensor,
    Times,
)


class Speller:
    """Spells expressions; `definitions` are the abbreviations and functions of whole arrays that they may name.

    `keys` tells which spelled heads are members, sums or arrays, `parts` what the other ones are made of.
    """

    def __init__(self, alphabet: Alphabet, bounds: Bounds, definitions: Mapping[str, Definition]) -> None:
        self.alphabet, self.bounds, self.definitions = alphabet, bounds, definitions
        self.cores: dict[str, Core] = {}
        self.powers: list[Label] = []
        self.rows: Label | None = None  # how many members are stacked, where some are
        self.keys: dict[str, Member] = {}
        self.sums: dict[str, tuple[Ranged, dict[Any, Any]]] = {}
        self.parts: dict[str, frozenset[str]] = {}
        self.kept: dict[str, Kept] = {}
        self.slopes: dict[str, tuple[str, Any]] = {}  # of unknown functions: the function, what it is differentiated in
        self.in_rows = False  # whether a stack stands for one of its rows
        self.put_in: dict[str, tuple[tuple[Index, ...], Any]] = {}  # spelled already: what stands for a hypothesis
        self.used: list[tuple[str, tuple[Any, ...]]] = []  # where one of these was put in
        self.depth = self.nested = 0

    def of(self, definitions: Mapping[str, Definition], bounds: Bounds | None = None) -> Speller:
        """Return a speller for expressions with other abbreviations, which notes what it finds here."""
        other = Speller(self.alphabet, bounds or self.bounds, definitions)
        other.kept, other.slopes = self.kept, self.slopes
        other.powers, other.rows = self.powers, self.rows
        other.cores, other.keys, other.sums, other.parts = self.cores, self.keys, self.sums, self.parts
        other.depth, other.nested = self.depth, self.nested
        return other

    # -- sizes and indices

    def size(self, size: Any, values: Values) -> Any:
        """Return a size at labels: n[l] is n[l - 1] for the layer below."""
        change = dict(values)
        for s in size.free_symbols:
            width = self.alphabet.widths.get(str(s))
            if width is not None:
                require(not width.at(values).is_row, "a width stands in a row")
                change[s] = symbol(str(width.at(values)))
        return sympy.expand(size.xreplace(change)) if change else size

    def index(self, index: Any, values: Values) -> Any:
        """Return an index at labels."""
        label = self.alphabet.labels.get(index.name)
        require(label is None or not label.at(values).is_row, "a subscript that is data stands in a row")
        name = index.args[0] if label is None else str(label.at(values))
        return Index(name, self.size(index.size, values))

    # -- expressions

    def expr(self, expr: Any, values: Values) -> Any:
        """Return an expression, spelled at labels."""
        if isinstance(expr, Index):
            return self.index(expr, values)
        if isinstance(expr, Entry):
            return self.entry(expr.tensor, tuple(self.index(i, values) for i in expr.indices), values)
        require(not isinstance(expr, Tensor), "a head stands by itself")
        if not isinstance(expr, IndexExpr):
            return self.size(expr, values)
        first = 2 if isinstance(expr, Apply) else 1 if isinstance(expr, (Choice, Extreme)) else 0
        args = [*expr.args[:first], *(self.expr(a, values) for a in expr.args[first:])]
        if isinstance(expr, Derivative):
            require(isinstance(args[1], Entry), "a derivative is taken in what is no array")
        made = type(expr)(*args)
        if isinstance(made, Times):
            return product_of(factors(made))
        return sum_of(terms(made)) if isinstance(made, Plus) else made

    def entry(self, head: Any, indices: tuple[Any, ...], values: Values) -> Any:
        """Return the entry of a head, spelled."""
        name = head.name
        if name in self.put_in:
            own, text = self.put_in[name]
            self.used.append((name, indices))
            return with_indices(text, dict(zip(own, indices, strict=True)))
        found = self.alphabet.heads.get(name)
        if isinstance(found, Ranged):
            return self.ranged(found, indices, values)
        if isinstance(found, Kept):
            return self.holding(found, indices, values)
        definition = None if self.alphabet.is_array(name) else self.definitions.get(name)
        if definition is None:
            return self.array(head, indices, values)
        if definition.kind == "matrix_power":
            return self.power(head, definition, indices, values)
        if definition.kind not in ("", "derivative"):
            return Entry(self.head(head, values), *indices)
        if definition.kind == "derivative":
            return self.derivative(definition, indices, values)
        self.deeper()
        letters = [self.index(i, values) for i in definition.indices]
        text = self.expr(definition.body, values)
        self.depth -= 1
        return with_indices(text, dict(zip(letters, indices, strict=True)))

    def array(self, head: Any, indices: tuple[Any, ...], values: Values) -> Any:
        """Return the entry of an array of the sheet; a proof may write `L[y[t]]` for what names p[t][y[t]]."""
        found = self.head(head, values)
        rank = self.alphabet.ranks.get(self.keys[found.name].name, len(indices))
        data = {str(m.at(v)) for m in self.alphabet.labels.values() for v in ({}, values)}
        if len(indices) > rank and all(i.name in data for i in indices[rank:]):
            found = Tensor(found.name, *found.sizes[:rank])
            return Entry(found, *indices[:rank])
        return Entry(found, *indices)

    def holding(self, found: Kept, indices: tuple[Any, ...], values: Values) -> Any:
        """Return the entry of a derivative that holds members, under a name of its own."""
        of, x, *held = (self.head(a, values) for a in (found.of, found.x, *found.held))
        name = f"∂{of}/∂{x} holding {', '.join(sorted(str(h) for h in held))}"
        self.kept[name] = Kept(of, x, tuple(held))
        return Entry(Tensor(name, *(i.size for i in indices)), *indices)

    def power(self, head: Any, definition: Definition, indices: tuple[Any, ...], values: Values) -> Any:
        """Return a power of a matrix, opened against another exponent: J^{c + k} = J ⋯ J J^c, k and c not below 0."""
        exponent = sympy.expand(self.size(definition.exponent, values))
        core = next((c for c in (sympy.Integer(0), *self.powers) if few(difference(exponent, c))), exponent)
        whole = self.head(head, values, core)
        if core == exponent and core != 0:
            return Entry(whole, *indices)
        require(self.bounds.certain(core), f"whether the exponent {core} is below 0 cannot be told")
        (base,) = definition.arguments
        parts: list[Any] = [lambda at: self.entry(base, tuple(at), values)] * int(difference(exponent, core))
        parts += [lambda at: Entry(whole, *at)] if core != 0 else []
        return chained(parts, indices)

    def deeper(self) -> None:
        """Refuse abbreviations that run in a circle."""
        self.depth += 1
        require(self.depth < 200, "abbreviations are nested too deep")

    def derivative(self, definition: Definition, indices: tuple[Any, ...], values: Values) -> Any:
        """Return what a name for a derivative stands for."""
        left = list(indices)
        value: Any = None
        for argument in definition.arguments:
            own = [left.pop(0) for _ in argument.sizes]
            entry = self.entry(argument, tuple(own), values)
            require(isinstance(entry, Entry), "a derivative is taken in what is no array")
            value = entry if value is None else Derivative(value, entry)
        return value

    def head(self, head: Any, values: Values, exponent: Label | None = None) -> Any:
        """Return the spelled head of an array, or of a function of whole arrays; a power may have another exponent."""
        sizes = [self.size(s, values) for s in head.sizes]
        definition = None if self.alphabet.is_array(head.name) else self.definitions.get(head.name)
        if definition is None:
            member = self.alphabet.member(head.name).at(values)
            require(member.name.isidentifier(), f"{head.name} is neither an array nor a member")
            self.keys[str(member)] = member
            return Tensor(str(member), *sizes)
        stacks = [k for k, a in enumerate(definition.arguments) if self.alphabet.member(a.name).is_row]
        if stacks and not self.in_rows:
            return self.function_of_rows(head, definition, stacks)
        self.deeper()
        names: list[str] = []
        inside: list[frozenset[str]] = []
        for argument in definition.arguments:
            letters = tuple(fresh(self.size(s, values)) for s in argument.sizes)
            text = self.entry(argument, letters, values)
            names.append(written(text, {i: f"#{k}" for k, i in enumerate(letters)}))
            inside.append(frozenset(t.name for t in heads_in(text)))
        self.depth -= 1
        if exponent is None and definition.exponent is not None:
            exponent = self.size(definition.exponent, values)
        axes = ",".join(map(str, definition.axes))
        name = f"{definition.kind} {definition.function}({'; '.join(names)}) {axes} {exponent}"
        self.parts[name] = frozenset[str]().union(*inside)
        if definition.kind == "unknown" and len(definition.axes) == 1:
            (at,) = definition.axes
            slot = definition.arguments[at]
            if self.alphabet.is_array(slot.name) or slot.name not in self.definitions:
                found = self.head(slot, values)
                if not any(found.name in other for k, other in enumerate(inside) if k != at):
                    whole = f"unknown {definition.function}({'; '.join(names)})  {exponent}"
                    self.slopes[name] = whole, found
        return Tensor(name, *sizes)

    # -- sums and products over ranges

    def ranged(self, found: Ranged, indices: tuple[Any, ...], values: Values) -> Any:
        """Return a sum or product over a range, opened against its core."""
        here = found.range.at(values)
        gap = difference(here.high, here.low)
        if self.rows is not None and found.kind == "sum" and difference(gap + 1, self.rows) == 0:
            return self.over_rows(found, here.low, indices, values)
        if gap.is_Integer and -1 <= gap < MOST_TERMS and not found.without:
            labels = [put(here.low + k, {}) for k in range(int(gap) + 1)]
            return composed(found, [self.term(found, k, indices, values) for k in labels], indices)
        core = self.cores.get(self.signature(found, values))
        if core is None or found.without:
            return self.closed(found, Core(here.low, here.high, self.left_out(found, values)), indices, values)
        before, after = difference(core.low, here.low), difference(here.high, core.high)
        require(few(before) and few(after), "a range differs from its core by more than a few terms")
        require(self.bounds.certain(difference(core.high, core.low) + 1), "whether a range is empty cannot be told")
        require(not core.without or found.kind == "sum", "a factor is taken out of a product")
        for k, label in enumerate(core.without):
            require(self.bounds.between(core.low, label, core.high), f"there is no term {label} to take out")
            require(all(self.bounds.apart(label, o) for o in core.without[:k]), "a term is taken out twice")
        first = [self.term(found, put(here.low + k, {}), indices, values) for k in range(int(before))]
        last = [self.term(found, put(core.high + 1 + k, {}), indices, values) for k in range(int(after))]
        middle = [self.term(found, label, indices, values) for label in core.without]
        if difference(core.high, core.low) != -1:
            middle.append(None)
        parts: list[Any] = [*first, *middle, *last]
        return composed(found, parts, indices, lambda at: self.closed(found, core, at, values))

    # -- rows of a stack

    def over_rows(self, found: Ranged, low: Label, indices: tuple[Any, ...], values: Values) -> Any:
        """Return a sum over all rows of a stack: row `_` has the label `_ + low - 1`."""
        require(not in_a_row(values) and not found.without, "a sum over all rows stands in a row")
        assert self.rows is not None
        row = fresh(self.rows)
        text = self.term(found, put(ROW + low - 1, {}), indices, values)(indices)
        return Sum(self.rowed(text, row), row)

    def function_of_rows(self, head: Any, definition: Definition, stacks: list[int]) -> Any:
        """Return the head of an unknown function of stacks: its rows are the function of the rows.

        The window knows less: there each row may depend on all rows. What holds for all functions holds for this one.
        """
        require(definition.kind == "unknown" and self.rows == head.sizes[0], f"{head} is a function of a stack")
        require(not set(stacks) & set(definition.axes), f"{head} is differentiated in a stack")
        require(all(definition.arguments[k].sizes[0] == self.rows for k in stacks), f"{head} is one of other rows")
        arguments = [Tensor(a.name, *a.sizes[1:]) if k in stacks else a for k, a in enumerate(definition.arguments)]
        one = Tensor(head.name, *head.sizes[1:])
        inside = self.of({head.name: replace(definition, tensor=one, arguments=tuple(arguments))})
        inside.in_rows = True
        return self.rows_of(inside.head(one, {}))

    def rows_of(self, head: Any) -> Any:
        """Return the head of all rows of what is a function of one row."""
        name = f"rows of {head.name}"
        self.parts[name] = self.parts[head.name]
        if head.name in self.slopes:
            whole, slot = self.slopes[head.name]
            self.slopes[name] = f"rows of {whole}", slot
        return Tensor(name, self.rows, *head.sizes)

    def rowed(self, expr: Any, row: Any) -> Any:
        """Return an expression about one row with its members as rows of stacks; its number stands nowhere else."""
        if isinstance(expr, Entry):
            head = expr.tensor
            if any(map(self.is_of_rows, self.parts.get(head.name, ()))):
                require(head.name.startswith("unknown "), "a function of a row")
                return Entry(self.rows_of(head), row, *expr.indices)
            key = self.keys.get(head.name)
            if key is None or not key.is_row:
                return expr
            shift = difference(key.label, ROW)
            require(ROW not in shift.free_symbols, f"the rows of {key} are not in a row")
            return Entry(Tensor(head.name, self.rows, *head.sizes), row, *expr.indices)
        if not isinstance(expr, IndexExpr) or isinstance(expr, Index):
            symbols = expr.size.free_symbols if isinstance(expr, Index) else expr.free_symbols
            require(ROW not in symbols, "the number of a row stands in a text")
            return expr
        return type(expr)(*(a if isinstance(a, sympy.Symbol) else self.rowed(a, row) for a in expr.args))

    def is_of_rows(self, name: str) -> bool:
        """Tell whether a head is a stack, or a function of one."""
        key = self.keys.get(name)
        return (key is not None and key.is_row) or any(map(self.is_of_rows, self.parts.get(name, ())))

    def left_out(self, found: Ranged, values: Values) -> tuple[Label, ...]:
        return tuple(put(label, values) for label in found.without)

    def term(self, found: Ranged, label: Label, indices: tuple[Any, ...], values: Values) -> Any:
        """Return the term of a sum or product at a label, at indices."""
        inner = {**values, found.range.symbol: label}
        own = [self.index(i, values) for i in found.indices]
        text = self.of(found.definitions).expr(found.body, inner)

        def at(tokens: tuple[Any, ...]) -> Any:
            return with_indices(text, dict(zip(own, tokens, strict=True)))

        return at

    def inner(self, found: Ranged, values: Values) -> tuple[str, tuple[Any, ...]]:
        """Return the term of a sum as text, its variable without a name, and the free indices that it hides."""
        variable = symbol(f"§{self.nested}")
        inside = self.of(found.definitions)
        inside.deeper()
        inside.nested, inside.cores = self.nested + 1, {}
        text = inside.expr(found.body, {**values, found.range.symbol: variable})
        own = [self.index(i, values) for i in found.indices]
        hidden = sorted(free(text) - set(own) - self.data(text), key=str)
        return written(text, {i: f"#{k}" for k, i in enumerate((*own, *hidden))}), tuple(hidden)

    def data(self, text: Any) -> set[Any]:
        """Return the indices of an expression that are data."""
        families = {m.name for m in self.alphabet.labels.values()}
        return {i for i in free(text) if i.name.partition("[")[0] in families}

    def signature(self, found: Ranged, values: Values) -> str:
        """Return what a sum or product runs over, whatever its ends are."""
        text, _ = self.inner(found, values)
        way = "" if found.kind == "sum" else " downward" if found.backward else " upward"
        return f"{found.kind}{way} of {text} with {len(found.indices)} axes over §{self.nested}"

    def closed(self, found: Ranged, core: Core, indices: tuple[Any, ...], values: Values) -> Any:
        """Return the entry of a sum or product that stays one array."""
        require(not in_a_row(values), "a sum stands in a row")
        _, hidden = self.inner(found, values)
        without = f" without {', '.join(map(str, core.without))}" if core.without else ""
        name = f"{self.signature(found, values)} from {core.low} to {core.high}{without}"
        here = Range(found.range.variable, core.low, core.high)
        self.sums[name] = replace(found, range=here, without=core.without), dict(values)
        return Entry(Tensor(name, *(i.size for i in (*indices, *hidden))), *indices, *hidden)
