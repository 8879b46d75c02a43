r"""Windows: a claim about members of symbolic label, read as a claim about finitely many arrays.

The derivative of F in X passes through the members between them.  A *cut* is a set C of members that every
path from X to F meets.  Where every path meets C,

    F = Φ(C),      so that      ∂F/∂X[k] = Σ_{P ∈ C} Σ_i ∂F/∂P[i] ∂P[i]/∂X[k],

with Φ some function of which nothing is known: the members above the cut may be as many as they like.  In the
same manner, a member Q below F of which only its derivative in X matters is Q = φ(X).  So a claim that names
∂F/∂P for the members of a cut is read in a *window*: X is a variable, the members between X and the cut are
definitions, F = Φ(C), and members that do not depend on X are variables.  What holds in the window for all
Φ, φ and all values of the variables holds for the family.

All else that a claim names is a variable, although in the family it may depend on X.  For values that is no
loss: what holds for all values of variables holds for those.  For derivatives it is: each that stands in the
window has to be that of the family, which `faithful` decides.  Members that may or may not be the same are
refused (`apart`).

Sums and products over ranges that end at a parameter are split against a common core: Σ_{s=1}^{t} b[s] is
Σ_{s=1}^{t-1} b[s] + b[t] where the claim names both.  The core is an array of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sympy

from symderiv.families import Bounds, Label, Range
from symderiv.lower import lower
from symderiv.statements.block import BlockReader, Names
from symderiv.statements.members import (
    RANGED,
    Family,
    MemberReader,
    World,
    check_product,
    closed,
    opened,
    unrolled,
)
from symderiv.statements.worlds import reader_in
from symderiv.tensor.expr import Expr, defined, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.text import to_text
from symderiv.windows.dependence import Dependence, Key, UndecidedError, agree, key_of

MOST_MEMBERS = 24
MOST_SPLIT = 4


@dataclass(frozen=True)
class Core:
    """The part of a range that all sums (or products) of one term in a claim have in common."""

    low: Label
    high: Label


Term = tuple[str, str, bool]  # what is summed or multiplied: kind, text with the variable blanked, direction


def is_long(expr: Expr) -> bool:
    """Tell a sum, a product or a power of symbolic length."""
    return expr.op in RANGED or (expr.op == "matrix_power" and not isinstance(expr.data[0], int))


def term_of(expr: Expr) -> Term:
    """Return what a sum or product over a range runs over, whatever its ends are; a power is a product of one term."""
    if expr.op == "matrix_power":
        return expr.op, to_text(expr.args[0]), False
    variable, _, _, backward = expr.data
    return expr.op, f"{variable}: {to_text(expr.args[0])}", backward


def cores(exprs: Sequence[Expr], bounds: Bounds) -> dict[Term, Core]:
    """Return the common core of the ranges of each term."""
    found: dict[Term, Core] = {}
    for e in walk(*exprs):
        if not is_long(e):
            continue
        low, high = e.data[1:3] if e.op in RANGED else (sympy.Integer(1), e.data[0])
        term = term_of(e)
        if term not in found:
            found[term] = Core(low, high)
            continue
        old = found[term]
        up, down = sympy.expand(low - old.low), sympy.expand(old.high - high)
        if up.is_Integer and down.is_Integer:
            found[term] = Core(low if up > 0 else old.low, high if down > 0 else old.high)
    return found


def is_symmetric(expr: Expr) -> bool:
    """Tell whether a matrix is its own transpose, whatever its variables are; a sum of such is so, too."""
    if expr.rank != 2 or expr.axes[0] != expr.axes[1] or any(e.op == "diff" for e in walk(expr)):
        return False
    return lower(expr).node is lower(apply("transpose", expr)).node


@dataclass
class Window(World):
    """What members stand for around one derivative."""

    names: Names
    bounds: Bounds
    dependence: Dependence
    cores: Mapping[Term, Core] = field(default_factory=dict)
    variable: Key | None = None
    between: dict[Key, None] = field(default_factory=dict)  # from X to the cut, both included
    replaced: dict[Key, Expr] = field(default_factory=dict)  # members known otherwise: cut off, or by hypothesis
    atoms: dict[str, Expr] = field(default_factory=dict)  # cores of sums and products known by hypothesis
    unfolding: bool = False  # members that the claim names itself are definitions as well
    values: Mapping[str, Label] = field(default_factory=dict)  # of variables that no range binds any more
    function: Key | None = None  # F = Φ(C), where it is cut off
    cut: tuple[Key, ...] = ()
    closed: bool = False  # what a member between X and the cut acts on is another one, or lies past the cut
    supposed: set[str] = field(default_factory=set)  # names of what is known by a hypothesis

    def __post_init__(self) -> None:
        self.made: dict[Key, Expr] = {}
        self.open: list[Key] = []
        self.met: list[Expr] = []  # sums and products that were read
        self.opaque: dict[str, Expr] = {}  # arrays of their own that stand for sums and products
        self.left_out: dict[str, tuple[Label, ...]] = {}  # the terms that were taken out of such a sum
        self.known: list[Expr] = []  # both sides of a hypothesis, in the open world
        self.sides: dict[str, Expr] = {}  # names of what is known by a hypothesis, and the side that each stands for

    @property
    def inner(self) -> Bounds:
        """Return what is known of the parameters inside of a text."""
        return self.bounds

    def reader(self) -> BlockReader:
        """Return a reader in this window."""
        integers = {**{r.variable: r.symbol for r in self.bounds.ranges}, **self.values}
        reader = reader_in(self, self.names, integers)
        reader.ranges = [r for r in self.bounds.ranges if r not in self.names.families.parameters]
        return reader

    @property
    def keys(self) -> dict[str, Key]:
        """Return the members that were read, by name."""
        return {str(key): key for key in self.made}

    # -- members

    def member(self, reader: MemberReader, family: Family, label: Label) -> Expr:
        """Return what a member stands for."""
        return self.stands_for(reader, Key(family.name, label))

    def plain(self, reader: MemberReader, name: str) -> Expr:
        """Return what a definition stands for whose text names members."""
        return self.stands_for(reader, Key(name))

    def stands_for(self, reader: MemberReader, key: Key) -> Expr:
        """Return the expression of a key, made once."""
        if key not in self.made:
            self.apart(key)
            self.made[key] = self.make(reader, key)
        return self.made[key]

    def apart(self, key: Key) -> None:
        """Refuse a member that may or may not be one that the window knows.

        One that is some function of X may be X itself: functions that return X are among all functions.
        """
        itself = () if self.variable is None or key in self.replaced else (self.variable,)
        for other in (*itself, *self.between, *self.replaced):
            if other.name == key.name and other != key and key.label is not None and other.label is not None:
                if agree(key.label, other.label, self.bounds) is None:
                    raise UndecidedError(f"whether {key} is {other} cannot be told")

    def make(self, reader: MemberReader, key: Key) -> Expr:
        """Return the expression of a key for the first time."""
        if self.is_same(key):
            return self.names.scope.names[key.name]
        if key in self.replaced:
            return defined(str(key), self.replaced[key])
        if key == self.variable:
            return self.leaf(reader, key)
        if key in self.between or self.unfolds(key):
            text = self.dependence.text_of(key, self.inner)
            if text is not None:
                return self.define(key)
        return self.leaf(reader, key)

    def is_same(self, key: Key) -> bool:
        """Tell whether a key is a plain array or definition that names no members: it is the same in all worlds."""
        return key.label is None and key.name not in self.names.families.dependent

    def unfolds(self, key: Key) -> bool:
        """Tell whether a member that a claim names itself is a definition; where it cannot be told, it is a variable.

        In the text of a member of its own family, only a member with a text of its own (`h[0]`) is one.
        """
        if not self.unfolding:
            return False
        try:
            text = self.dependence.text_of(key, self.inner)
        except UndecidedError:
            return False
        nested = any(k.name == key.name for k in self.open)
        return text is not None and not (nested and text.case is not None and text.case.variable)

    def leaf(self, reader: MemberReader, key: Key) -> Expr:
        """Return a key as a variable."""
        if key.label is not None:
            return opened(reader, self.names.families.table[key.name], key.label)
        expr = self.names.scope.names[key.name]
        return Expr("var", (), (key.name, frozenset()), expr.axes) if expr.op == "defined" else expr

    def define(self, key: Key) -> Expr:
        """Return a definition, its text read in this window."""
        if len(self.open) > MOST_MEMBERS:
            raise UndecidedError(f"{key} depends on too many members")
        self.open.append(key)
        reader = self.reader()
        try:
            if key.label is None:
                body: ast.expr = self.names.families.dependent[key.name]
                return closed(str(key), reader.read(body))
            text = self.dependence.text_of(key, self.inner)
            assert text is not None and text.case is not None and text.case.body is not None
            reader.integers |= {str(k): v for k, v in text.case.binding(key.label).items()}
            return closed(str(key), reader.read(text.case.body))
        finally:
            self.open.pop()

    # -- sums and products

    def ranged(self, reader: MemberReader, kind: str, range_: Range, backward: bool, body: ast.expr) -> Expr:
        """Return a sum or product: written out, split against its core, or taken apart at what the window knows."""
        low, high = range_.low, range_.high
        length = range_.length
        if length.is_Integer and length <= MOST_MEMBERS:
            labels = [sympy.expand(low + k) for k in range(int(length))]
            terms = [self.term(reader, range_.variable, k, body) for k in (reversed(labels) if backward else labels)]
            return unrolled(kind, terms, terms[0] if terms else self.open_term(reader, range_, body))
        inner = self.open_term(reader, range_, body)
        check_product(kind, inner)
        whole = Expr(kind, (inner,), (range_.variable, low, high, backward), inner.axes)
        self.met.append(whole)
        core = self.cores.get(term_of(whole))
        if core is None:
            core = Core(low, high)
        before, after = sympy.expand(core.low - low), sympy.expand(high - core.high)
        if not (before.is_Integer and after.is_Integer and 0 <= before <= MOST_SPLIT and 0 <= after <= MOST_SPLIT):
            core, before, after = Core(low, high), sympy.Integer(0), sympy.Integer(0)
        if (before or after) and not self.bounds.certain(core.high - core.low + 1):
            raise UndecidedError("whether a range is empty cannot be told")
        first = [self.term(reader, range_.variable, sympy.expand(low + k), body) for k in range(int(before))]
        last = [self.term(reader, range_.variable, sympy.expand(core.high + 1 + k), body) for k in range(int(after))]
        middle = self.core(reader, kind, Range(range_.variable, core.low, core.high), backward, body, inner)
        terms = [*first, *middle, *last]
        if backward:
            terms.reverse()
        return unrolled(kind, terms, inner)

    def core(
        self, reader: MemberReader, kind: str, range_: Range, backward: bool, body: ast.expr, inner: Expr
    ) -> list[Expr]:
        """Return the core: as known by hypothesis, by the terms that depend on the variable, or as it is."""
        if range_.length == 0:
            return []
        whole = Expr(kind, (inner,), (range_.variable, range_.low, range_.high, backward), inner.axes)
        name = to_text(whole)
        if name in self.atoms:
            return [defined(name, self.atoms[name])]
        moving = self.moving(inner, range_)
        if moving and kind == "range_prod":
            raise UndecidedError("the factors of a product depend on the variable")
        terms = [self.term(reader, range_.variable, k, body) for k in moving]
        rest = f"{name} without {', '.join(map(str, moving))}" if moving else name
        self.opaque[rest], self.left_out[rest] = whole, tuple(moving)
        symmetric = kind == "range_sum" and is_symmetric(inner)
        return [*terms, Expr("var", (), (rest, frozenset(["symmetric"] if symmetric else [])), inner.axes)]

    def power(self, reader: MemberReader, whole: Expr) -> Expr:
        """Return a power of symbolic exponent: some factors, and the core."""
        (base,), (exponent,) = whole.args, whole.data
        core = self.cores.get(term_of(whole), Core(sympy.Integer(1), exponent))
        more = sympy.expand(exponent - core.high)
        if not more.is_Integer or not 0 <= more <= MOST_SPLIT or not self.bounds.certain(core.high):
            raise UndecidedError("the exponents of a power differ by more than a few")
        name = to_text(Expr("matrix_power", (base,), (core.high,), whole.axes))
        if name in self.atoms:
            middle = [defined(name, self.atoms[name])]
        elif core.high == 0:
            middle = []
        else:
            middle = [Expr("matrix_power", (base,), (core.high,), whole.axes)]
        return unrolled("range_prod", [*([base] * int(more)), *middle], base)

    def moving(self, inner: Expr, range_: Range) -> list[Label]:
        """Return the labels at which the terms of a sum depend on the variable."""
        found: dict[Label, None] = {}
        for e in walk(inner):
            if e.op not in ("var", "defined"):
                continue
            key = key_of(e, self.names)
            for other in self.between:
                if other.name != key.name:
                    continue
                if key.label is None or other.label is None or range_.symbol not in key.label.free_symbols:
                    raise UndecidedError(f"every term of a sum depends on {self.variable}")
                value = sympy.expand(other.label - (key.label - range_.symbol))
                if any(r.data[0] == str(s) for r in walk(inner) if r.op in RANGED for s in value.free_symbols):
                    raise UndecidedError(f"whether {other} is among the terms of a sum cannot be told")
                there = self.bounds.contains(range_, value)
                if there is None:
                    raise UndecidedError(f"whether {other} is among the terms of a sum cannot be told")
                if there:
                    found[value] = None
        return list(found)

    def term(self, reader: MemberReader, variable: str, label: Label, body: ast.expr) -> Expr:
        """Return the term at a label."""
        integers = reader.integers
        reader.integers = {**integers, variable: label}
        try:
            return reader.read(body)
        finally:
            reader.integers = integers

    def open_term(self, reader: MemberReader, range_: Range, body: ast.expr) -> Expr:
        """Return the term in the open world, for its shape and its text."""
        world, reader.world = reader.world, World()
        try:
            with reader.inside(range_):
                return reader.read(body)
        finally:
            reader.world = world
