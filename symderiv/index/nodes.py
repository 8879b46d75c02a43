"""The index language on SymPy: expressions as a reader sees them, and the steps between them.

Immutable, interned `sympy.Expr` nodes that never evaluate themselves: factors and terms keep the order
in which they were written, a sum names its bound indices and an index carries its range.  A bound index
is fresh by construction (:class:`Names`), so nothing is ever captured.

`X.to_sympy()` gives plain SymPy (`Indexed`, `Sum`, `KroneckerDelta`); :func:`from_sympy` reads it back.
"""

from __future__ import annotations

import weakref
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import sympy

from symderiv.errors import UnsupportedError
from symderiv.index.choices import plain_choice, plain_sum

_NODES: weakref.WeakValueDictionary[tuple[Any, ...], IndexExpr] = weakref.WeakValueDictionary()


class IndexExpr(sympy.Expr):
    """Base of the index language; `args` are SymPy objects, as SymPy expects."""

    is_commutative = True
    __slots__ = ()

    def __new__(cls, *args: Any) -> Any:
        known = _NODES.get((cls, args))
        if known is not None:
            return known
        self = super().__new__(cls, *args)
        return _NODES.setdefault((cls, args), self)

    def to_sympy(self) -> sympy.Expr:
        """Return the expression in plain SymPy."""
        return to_sympy(self)

    def __repr__(self) -> str:
        from_args = ", ".join(map(str, self.args))
        return f"{type(self).__name__}({from_args})"

    def __str__(self) -> str:
        return repr(self)

    def _sympystr(self, printer: Any) -> str:
        return repr(self)


class Index(IndexExpr):
    """An index with its range: `Index("i", n)` runs over 1 … n."""

    def __new__(cls, name: str | sympy.Basic, size: sympy.Expr) -> Any:
        label = name if isinstance(name, sympy.Basic) else sympy.Symbol(name, integer=True)
        return super().__new__(cls, label, size)

    @property
    def name(self) -> str:
        """Return the letter."""
        return self.args[0].name  # type: ignore[no-any-return]

    @property
    def size(self) -> sympy.Expr:
        """Return the number of values."""
        return self.args[1]

    def __repr__(self) -> str:
        return self.name


class Tensor(IndexExpr):
    """The head of an entry: a name, with the sizes of its axes.

    Heads of definitions are looked up by name in a table of definitions; nothing is stored here.
    """

    def __new__(cls, name: str | sympy.Basic, *sizes: sympy.Expr) -> Any:
        label = name if isinstance(name, sympy.Basic) else sympy.Symbol(name)
        return super().__new__(cls, label, *sizes)

    @property
    def name(self) -> str:
        """Return the name."""
        return self.args[0].name  # type: ignore[no-any-return]

    @property
    def sizes(self) -> tuple[sympy.Expr, ...]:
        """Return the size of each axis."""
        return tuple(self.args[1:])

    def __repr__(self) -> str:
        return self.name


class Entry(IndexExpr):
    """`A[i, j]`."""

    @property
    def tensor(self) -> Tensor:
        """Return the head."""
        head: Tensor = self.args[0]
        return head

    @property
    def indices(self) -> tuple[Index, ...]:
        """Return the indices."""
        return tuple(self.args[1:])

    def __repr__(self) -> str:
        return f"{self.tensor}[{', '.join(map(str, self.indices))}]" if self.indices else repr(self.tensor)


class Delta(IndexExpr):
    """`δ[i, j]`: 1 where i = j, else 0."""

    def __repr__(self) -> str:
        return f"δ[{self.args[0]}, {self.args[1]}]"


class Times(IndexExpr):
    """A product, its factors in the order written."""

    def __repr__(self) -> str:
        return " ".join(f"({a})" if isinstance(a, (Plus, Sum)) else str(a) for a in self.args)


class Plus(IndexExpr):
    """A sum of terms, in the order written."""

    def __repr__(self) -> str:
        return " + ".join(map(str, self.args))


class Power(IndexExpr):
    """`base ** exponent`."""

    @property
    def base(self) -> sympy.Expr:
        """Return the base."""
        return self.args[0]

    @property
    def exponent(self) -> sympy.Expr:
        """Return the exponent."""
        return self.args[1]

    def __repr__(self) -> str:
        return f"({self.args[0]})**({self.args[1]})"


class Sum(IndexExpr):
    """`Σ_{i, j} body`: the body first, then the bound indices."""

    @property
    def body(self) -> sympy.Expr:
        """Return what is summed."""
        return self.args[0]

    @property
    def bound(self) -> tuple[Index, ...]:
        """Return the bound indices."""
        return tuple(self.args[1:])

    def __repr__(self) -> str:
        return f"Σ_{{{','.join(map(str, self.bound))}}} {self.body}"


class Apply(IndexExpr):
    """`f(u)` or, for an unknown f, its derivative of some order: name, order, argument."""

    def __new__(cls, name: str | sympy.Basic, order: int | sympy.Integer, arg: sympy.Expr) -> Any:
        label = name if isinstance(name, sympy.Basic) else sympy.Symbol(name)
        return super().__new__(cls, label, sympy.Integer(order), arg)

    @property
    def name(self) -> str:
        """Return the function's name."""
        return self.args[0].name  # type: ignore[no-any-return]

    @property
    def order(self) -> int:
        """Return how often it was differentiated."""
        return int(self.args[1])

    @property
    def arg(self) -> sympy.Expr:
        """Return the argument."""
        return self.args[2]

    def __repr__(self) -> str:
        return self.name + "'" * self.order + f"({self.arg})"


class Choice(IndexExpr):
    """`yes` where `left ⋈ right`, else `no`: relation, left, right, yes, no."""

    def __new__(cls, relation: str | sympy.Basic, *parts: sympy.Expr) -> Any:
        label = relation if isinstance(relation, sympy.Basic) else sympy.Symbol(relation)
        return super().__new__(cls, label, *parts)

    @property
    def relation(self) -> str:
        """Return one of `< <= > >=`."""
        return self.args[0].name  # type: ignore[no-any-return]

    @property
    def parts(self) -> tuple[sympy.Expr, ...]:
        """Return left, right, yes, no."""
        return tuple(self.args[1:])


class Extreme(IndexExpr):
    """The larger or the smaller of two: kind (`maximum`, `minimum`), left, right."""

    def __new__(cls, kind: str | sympy.Basic, *parts: sympy.Expr) -> Any:
        label = kind if isinstance(kind, sympy.Basic) else sympy.Symbol(kind)
        return super().__new__(cls, label, *parts)

    @property
    def kind(self) -> str:
        """Return `maximum` or `minimum`."""
        return self.args[0].name  # type: ignore[no-any-return]

    @property
    def parts(self) -> tuple[sympy.Expr, sympy.Expr]:
        """Return both arguments."""
        return self.args[1], self.args[2]


class Derivative(IndexExpr):
    """`∂ of / ∂ entry`, the total derivative, through the definitions; not yet carried out."""

    @property
    def of(self) -> sympy.Expr:
        """Return what is differentiated."""
        return self.args[0]

    @property
    def entry(self) -> Entry:
        """Return the entry it is differentiated in."""
        entry: Entry = self.args[1]
        return entry

    def __repr__(self) -> str:
        return f"∂({self.of})/∂{self.entry}"


class Immediate(Derivative):
    """`∂ of / ∂ entry` with every other named definition held constant."""


class Structured(Derivative):
    """The total derivative over the free entries of a symmetric or diagonal array, not yet carried out."""

    def __repr__(self) -> str:
        return f"{super().__repr__()}|free"


# ---------------------------------------------------------------- names, substitution


class Names:
    """Gives out index letters that are not in use: fresh by construction.

    >>> names = Names({"i", "n"})
    >>> [names.fresh(sympy.Symbol("n")).name for _ in range(3)]
    ['j', 'k', 'l']
    """

    FREE = "ijklrsuvabcdegh"
    BOUND = "tqrsuvabcdegh"

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = set(taken)

    def fresh(self, size: sympy.Expr, letters: str = FREE, avoid: Container[str] = ()) -> Index:
        """Return a new index, whose name is not among those to avoid either."""
        for suffix in ("", *map(str, range(1, 1000))):
            for letter in letters:
                if letter + suffix not in self.taken and letter + suffix not in avoid:
                    self.taken.add(letter + suffix)
                    index: Index = Index(letter + suffix, size)
                    return index
        raise UnsupportedError("more indices than there are names for")


Leaf = TypeVar("Leaf", bound=IndexExpr)


class _Gathered(Generic[Leaf]):
    """The leaves of one kind that stand in an expression, found once for each of its parts."""

    def __init__(self, kind: type[Leaf], bind: bool = False) -> None:
        self.kind, self.bind = kind, bind
        self.known: weakref.WeakKeyDictionary[IndexExpr, frozenset[Leaf]] = weakref.WeakKeyDictionary()

    def __call__(self, expr: Any) -> frozenset[Leaf]:
        stack = [expr]
        while (found := self.get(expr)) is None:
            top = stack[-1]
            parts = [self.get(a) for a in top.args]
            if None in parts:
                stack += [a for a, part in zip(top.args, parts, strict=True) if part is None]
                continue
            whole = frozenset[Leaf]().union(*(part for part in parts if part is not None))
            self.known[top] = whole - frozenset(top.bound) if self.bind and isinstance(top, Sum) else whole
            stack.pop()
        return found

    def get(self, expr: Any) -> frozenset[Leaf] | None:
        """Return what is known of an expression; leaves and plain SymPy need no memory."""
        if isinstance(expr, self.kind):
            return frozenset([expr])
        return self.known.get(expr) if isinstance(expr, IndexExpr) else frozenset()


_FREE, _INDICES, _HEADS = _Gathered(Index, bind=True), _Gathered(Index), _Gathered(Tensor)


def free_indices(expr: sympy.Basic) -> frozenset[Index]:
    """Return the indices that are not bound."""
    return _FREE(expr)


def all_indices(expr: sympy.Basic) -> frozenset[Index]:
    """Return all indices, bound ones included."""
    return _INDICES(expr)


def replace_indices(expr: Any, change: Mapping[Index, Index]) -> Any:
    """Return the expression with free indices replaced; bound ones that would capture are refused."""
    change = {a: b for a, b in change.items() if a is not b}
    if not change or not isinstance(expr, IndexExpr):
        return expr
    if isinstance(expr, Index):
        return change.get(expr, expr)
    if isinstance(expr, Sum):
        inner = {a: b for a, b in change.items() if a not in expr.bound}
        if any(b in expr.bound for b in inner.values()) and set(inner) & free_indices(expr.body):
            raise UnsupportedError("an index would be captured")
        return Sum(replace_indices(expr.body, inner), *expr.bound)
    return type(expr)(*(replace_indices(a, change) for a in expr.args))


def heads(expr: sympy.Basic) -> frozenset[Tensor]:
    """Return the tensors that stand in an expression."""
    return _HEADS(expr)


Place = tuple[int, ...]


def at(expr: Any, place: Place) -> Any:
    """Return the part of an expression at a place (a path of argument positions)."""
    for k in place:
        expr = expr.args[k]
    return expr


def put(expr: Any, place: Place, new: Any) -> Any:
    """Return the expression with the part at a place replaced."""
    if not place:
        return new
    args = list(expr.args)
    args[place[0]] = put(args[place[0]], place[1:], new)
    return type(expr)(*args)


def places(expr: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield every part of an expression with its place, outermost first."""
    stack = [(place, expr)]
    while stack:
        at, part = stack.pop()
        yield at, part
        if isinstance(part, IndexExpr) and not isinstance(part, (Index, Tensor, Entry)):
            stack += [((*at, k), part.args[k]) for k in reversed(range(len(part.args)))]


# ---------------------------------------------------------------- definitions and steps


@dataclass(frozen=True)
class Definition:
    """`tensor[indices] = body`; `kind` is "" for an index definition, else what the head stands for.

    Kinds with a rule of their own name their argument tensor: inv, det, logdet, matrix_power with its `exponent`,
    softmax, logsumexp, prod, and prodexcept (the product of all entries but some; how many is told by its sizes).
    `unknown` is the unknown `function` of the tensors `arguments`, differentiated in those at the positions `axes`;
    `derivative` is a name for ∂f/∂x, `arguments` being (f, x), or for ∂²f/∂x∂y with (f, x, y), and so on.
    """

    tensor: Tensor
    indices: tuple[Index, ...] = ()
    body: sympy.Expr | None = None
    kind: str = ""
    arguments: tuple[Tensor, ...] = ()
    axes: tuple[int, ...] = ()
    function: str = ""
    exponent: sympy.Expr | None = None


@dataclass(frozen=True)
class Step:
    """One step of a proof: `before` becomes `after` by `rule`, applied at `place`."""

    rule: str
    place: Place
    instance: Mapping[str, Any]
    before: sympy.Expr
    after: sympy.Expr
    reason: str = ""


@dataclass(frozen=True)
class Argument:
    """A chain of steps from `left` to `right`: one lemma or claim of a proof."""

    label: str
    left: sympy.Expr
    steps: tuple[Step, ...]
    right: sympy.Expr


@dataclass(frozen=True)
class Context:
    """What a proof may use, by the name of the head or the label of the lemma.

    `chain` are the definitions that the chain rule runs over, held constant inside one another;
    `definitions` are looked through: functions of whole arrays, their arguments, results as read off.
    `taken` are index names in use around the part that a rule sees.  `assumed` are equations without a proof, by
    label: they hold by hypothesis, at all of their free indices but those called `fixed`.  `neglected` are equations
    too: what counts as 0 in the last step of a proof that is one of an approximation.
    """

    definitions: Mapping[str, Definition] = field(default_factory=dict)
    chain: Mapping[str, Definition] = field(default_factory=dict)
    traits: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lemmas: Mapping[str, Argument] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    assumed: Mapping[str, Argument] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    neglected: Mapping[str, Argument] = field(default_factory=dict)


# ---------------------------------------------------------------- plain SymPy


def to_sympy(expr: Any) -> sympy.Expr:
    """Return an expression in plain SymPy: `Indexed`, `Sum`, `KroneckerDelta`; indices run from 0."""
    args: tuple[Any, ...] = expr.args if isinstance(expr, IndexExpr) else ()
    match expr:
        case Index():
            return sympy.Symbol(expr.name, integer=True)
        case Tensor():
            return sympy.IndexedBase(expr.name, shape=expr.sizes) if expr.sizes else sympy.Symbol(expr.name)
        case Entry():
            if not expr.indices:
                return sympy.Symbol(expr.tensor.name)
            base = sympy.IndexedBase(expr.tensor.name, shape=expr.tensor.sizes)
            return base[tuple(to_sympy(i) for i in expr.indices)]
        case Delta():
            return sympy.KroneckerDelta(to_sympy(args[0]), to_sympy(args[1]))
        case Times():
            return sympy.Mul(*(to_sympy(a) for a in args))
        case Plus():
            return sympy.Add(*(to_sympy(a) for a in args))
        case Power():
            return sympy.Pow(to_sympy(args[0]), to_sympy(args[1]))
        case Sum():
            return plain_sum(to_sympy(expr.body), [(to_sympy(i), 0, i.size - 1) for i in expr.bound])
        case Apply():
            return _function(expr.name, expr.order)(to_sympy(expr.arg))
        case Choice():
            left, right, yes, no = (to_sympy(p) for p in expr.parts)
            return plain_choice(expr.relation, left, right, yes, no)
        case Extreme():
            kind = sympy.Max if expr.kind == "maximum" else sympy.Min
            return kind(*(to_sympy(p) for p in expr.parts))
        case Derivative():
            return sympy.Derivative(to_sympy(expr.of), to_sympy(expr.entry), evaluate=False)
        case sympy.Basic():
            return expr
    raise UnsupportedError(f"no plain SymPy for {type(expr).__name__}")


PLAIN_FUNCTIONS = {
    "exp": sympy.exp, "log": sympy.log, "sin": sympy.sin, "cos": sympy.cos, "tan": sympy.tan, "arcsin": sympy.asin,
    "arccos": sympy.acos, "arctan": sympy.atan, "sinh": sympy.sinh, "cosh": sympy.cosh, "tanh": sympy.tanh,
    "abs": sympy.Abs, "sign": sympy.sign,
}  # fmt: skip


def _function(name: str, order: int) -> Any:
    if order == 0 and name in PLAIN_FUNCTIONS:
        return PLAIN_FUNCTIONS[name]
    return sympy.Function(name + "_prime" * order)


def from_sympy(expr: sympy.Expr, sizes: Mapping[str, sympy.Expr] | None = None) -> Any:
    """Return plain SymPy in the index language; bound indices get their ranges from the sums.

    `sizes` gives the ranges of free indices; those of an `IndexedBase` with a shape are read off it.
    """
    known = {sympy.Symbol(k, integer=True): v for k, v in (sizes or {}).items()}
    return _Reader({str(k): v for k, v in known.items()}).read(expr)


class _Reader:
    def __init__(self, sizes: dict[str, sympy.Expr]) -> None:
        self.sizes = sizes

    def read(self, expr: sympy.Expr) -> Any:
        match expr:
            case sympy.Sum():
                return self.sum(expr)
            case sympy.Indexed():
                return self.indexed(expr)
            case sympy.KroneckerDelta():
                return self.delta(*expr.args)
            case sympy.Add():
                return Plus(*(self.read(a) for a in expr.args))
            case sympy.Mul():
                return Times(*(self.read(a) for a in expr.args))
            case sympy.Pow():
                return Power(self.read(expr.base), self.read(expr.exp))
            case sympy.exp():
                return Apply("exp", 0, self.read(expr.args[0]))
            case sympy.Rational() | sympy.Symbol():
                return expr
            case sympy.Float():
                return sympy.Rational(str(expr))
        for name, kind in PLAIN_FUNCTIONS.items():
            if isinstance(expr, kind):
                return Apply(name, 0, self.read(expr.args[0]))
        if isinstance(expr, sympy.core.function.AppliedUndef) and len(expr.args) == 1:
            return Apply(type(expr).__name__, 0, self.read(expr.args[0]))
        raise UnsupportedError(
            f"{type(expr).__name__} is not part of the index language",
            hint="use Indexed, Sum, KroneckerDelta, + * ** and scalar functions",
        )

    def sum(self, expr: sympy.Sum) -> Any:
        outer = dict(self.sizes)
        bound = []
        for symbol, low, high in expr.limits:
            if low not in (0, 1):
                raise UnsupportedError(f"the sum over {symbol} starts at {low}", hint="let it start at 0 or 1")
            size = high + 1 - low
            self.sizes[str(symbol)] = size
            bound.append(Index(str(symbol), size))
        body = self.read(expr.function)
        self.sizes = outer
        return Sum(body, *bound)

    def indexed(self, expr: sympy.Indexed) -> Any:
        shape = expr.base.shape
        indices = []
        for k, symbol in enumerate(expr.indices):
            if shape is not None and self.sizes.setdefault(str(symbol), shape[k]) != shape[k]:
                raise UnsupportedError(f"index {symbol} runs over {self.sizes[str(symbol)]} and over {shape[k]}")
            indices.append(self.index(symbol))
        return Entry(Tensor(str(expr.base.label), *(i.size for i in indices)), *indices)

    def delta(self, i: Any, j: Any) -> Any:
        """Read a δ; an index without a range has that of the other."""
        for one, other in ((i, j), (j, i)):
            if str(one) not in self.sizes and str(other) in self.sizes:
                self.sizes[str(one)] = self.sizes[str(other)]
        return Delta(self.index(i), self.index(j))

    def index(self, symbol: Any) -> Index:
        index: Index
        if isinstance(symbol, sympy.Idx) and symbol.upper is not None:
            index = Index(str(symbol.label), symbol.upper + 1 - symbol.lower)
            return index
        if not isinstance(symbol, (sympy.Symbol, sympy.Idx)):
            raise UnsupportedError(f"the subscript {symbol} is no index", hint="subscripts are single indices")
        name = str(getattr(symbol, "label", symbol))
        if name not in self.sizes:
            raise UnsupportedError(
                f"the range of index {name} is not known", hint="give the IndexedBase a shape, or the index a range"
            )
        index = Index(name, self.sizes[name])
        return index


def letters(indices: Sequence[Index]) -> str:
    """Return index names as they stand under a symbol."""
    return "".join(i.name for i in indices)
