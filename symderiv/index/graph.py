"""The nodes of the normal form: hash-consed index definitions, shared as a graph.

A node is a function of its axes: `node[i, j, …]` is a number.  Its index definition is given with each
class.  Nodes are immutable and interned, so two nodes are equal exactly where they are the same
object; `key` is a digest of the structure, the same in every process, by which things are ordered.

They are built by the constructors of :mod:`symderiv.index.normal`, never directly.

Measured (tests/benchmarks/test_representation.py; medians on a shared two-core machine, CPython 3.11,
a product of 8 factors), in microseconds:

    built from        new names   known nodes   rename   contract one δ
    plain slots             5.1           4.6        –                –
    own Basic nodes         108            24       88              104
    these nodes             195            10        –                –
    … in normal form        819           305       87              674
    plain SymPy             587           460       12             6009 (one sum of the eight)

So these nodes are no faster to make than own `sympy.Basic` nodes; what they buy is the normal form:
bound names and the order of factors are gone, equality is identity, and every later operation on a
product starts from contracted, merged factors.  It is the constructors, not the nodes, that take the
time.  SymPy stands where a reader looks: :mod:`symderiv.index.nodes`.

Before the node types were fixed, second derivatives through unknown functions (both weights of a
two-layer network in one layer, and one in each), an unrolled recurrence with its ordered product of
Jacobians, and the gradient of a shared parameter by immediate derivatives were carried through them.
That changed three things: an unknown function keeps the *tuple of argument positions* it was
differentiated in (so that mixed second derivatives merge by symmetry), a leaf carries a *label* (the
member of a family, `h[t-1]`) beside its name, and a named definition is a node of its own (`Defined`)
through which nothing is inlined, so that a derivative can be taken through it, up to it, or in it.  An
ordered product of symbolic length will need a node of its own.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, ClassVar

from sympy import Basic

from symderiv.dims import Shape, Size, text_of
from symderiv.pickled import reduced

_NODES: weakref.WeakValueDictionary[tuple[Any, ...], Node] = weakref.WeakValueDictionary()


class Node:
    """Base of all nodes; `dims` are the sizes of the axes, `fields` what tells it from its kind."""

    __slots__ = ("__weakref__", "dims", "fields", "key", "rank")
    names: ClassVar[tuple[str, ...]] = ()
    rank: int  # the number of axes
    dims: Shape
    fields: tuple[Any, ...]
    key: str

    def __new__(cls, dims: Shape, *fields: Any) -> Node:
        identity = (cls, dims, fields)
        known = _NODES.get(identity)
        if known is not None:
            return known
        self = object.__new__(cls)
        self.dims = dims
        self.rank = len(dims)
        self.fields = fields
        for name, value in zip(cls.names, fields, strict=True):
            setattr(self, name, value)
        text = f"{cls.__name__}|{','.join(map(text_of, dims))}|{_digestible(fields)}"
        self.key = hashlib.blake2b(text.encode(), digest_size=10).hexdigest()
        return _NODES.setdefault(identity, self)

    def children(self) -> Iterator[Node]:
        """Yield the nodes this one is made of."""
        return iter(())

    def __repr__(self) -> str:
        inner = ", ".join(f"{n}={v!r}" for n, v in zip(self.names, self.fields, strict=False))
        return f"{type(self).__name__}({inner})"

    def made_of(self) -> tuple[type, tuple[Any, ...]]:
        """Return what makes the node again, and of what."""
        return type(self), (self.dims, *self.fields)

    def __reduce__(self) -> tuple[Any, ...]:
        return reduced(self, Node)

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: Any) -> Node:
        return self


def _digestible(value: Any) -> str:
    if isinstance(value, tuple):
        return "(" + ",".join([v.key if isinstance(v, Node) else _digestible(v) for v in value]) + ")"
    if type(value) is int:
        return str(value)
    if isinstance(value, Node):
        return value.key
    if isinstance(value, frozenset):
        return "(" + ",".join(sorted(map(_digestible, value))) + ")"
    return text_of(value) if isinstance(value, Basic) else str(value)


class Leaf(Node):
    """`x[i, j]`: an array that was declared; `traits` are what is assumed of it."""

    __slots__ = ("label", "name", "traits")
    names = ("name", "traits", "label")

    name: str  # the declared name
    traits: frozenset[str]  # the assumptions
    label: tuple[Any, ...]  # the member of a family, `()` for an array that is none


class Defined(Node):
    """`name[i, j] = body[i, j]`: a named definition; nothing is inlined through it."""

    __slots__ = ("body", "name")
    names = ("name", "body")

    name: str  # the name
    body: Node  # what it stands for

    def children(self) -> Iterator[Node]:
        """Yield the body."""
        return iter((self.body,))


class Independent(Defined):
    """A definition whose entries count as independent: the symmetry of its body is not used.

    So it is while a derivative in it is taken, as it is for a variable that is declared symmetric.
    """

    __slots__ = ()


class Delta(Node):
    """`δ[i, j]`: 1 where i = j, else 0."""

    __slots__ = ()

    @property
    def size(self) -> Size:
        """Return the range of both indices."""
        return self.dims[0]


class SizeOf(Node):
    """The number `n` itself, as a scalar."""

    __slots__ = ("size",)
    names = ("size",)

    size: Size  # the size


Factor = tuple[Node, tuple[int, ...]]


class Contraction(Node):
    """`coef · Σ_bound Π factor[indices]`: indices 0 … rank-1 are the axes, the others are bound."""

    __slots__ = ("coef", "factors", "sizes")
    names = ("coef", "factors", "sizes")

    coef: Fraction  # the rational coefficient
    factors: tuple[Factor, ...]  # the factors with their indices
    sizes: Shape  # the range of each index, axes first

    @property
    def bound(self) -> range:
        """Return the indices that are summed over."""
        return range(self.rank, len(self.sizes))

    def children(self) -> Iterator[Node]:
        """Yield the nodes of the factors."""
        return (node for node, _ in self.factors)


class Add(Node):
    """`Σ_t coef_t · term_t[i, …]`: a sum of nodes of the same axes."""

    __slots__ = ("terms",)
    names = ("terms",)

    terms: tuple[tuple[Fraction, Node], ...]  # coefficients and terms

    def children(self) -> Iterator[Node]:
        """Yield the terms."""
        return (node for _, node in self.terms)


class Map(Node):
    """`f(arg[i, …])`: a scalar function entrywise; `order` counts derivatives of an unknown one."""

    __slots__ = ("arg", "function", "order")
    names = ("function", "order", "arg")

    function: str  # the function's name
    order: int  # how often an unknown function was differentiated
    arg: Node  # the argument

    def children(self) -> Iterator[Node]:
        """Yield the argument."""
        return iter((self.arg,))


class Pow(Node):
    """`base[i, …] ** exponent` with a rational exponent."""

    __slots__ = ("base", "exponent")
    names = ("base", "exponent")

    base: Node  # the base
    exponent: Fraction  # the exponent

    def children(self) -> Iterator[Node]:
        """Yield the base."""
        return iter((self.base,))


class Power(Node):
    """`base[i, …] ** exponent[i, …]`, entrywise, with an exponent that is an array."""

    __slots__ = ("base", "exponent")
    names = ("base", "exponent")

    base: Node  # the base
    exponent: Node  # the exponent

    def children(self) -> Iterator[Node]:
        """Yield base and exponent."""
        return iter((self.base, self.exponent))


class Where(Node):
    """`yes[i, …]` where `left[i, …] ⋈ right[i, …]`, else `no[i, …]`."""

    __slots__ = ("left", "no", "relation", "right", "yes")
    names = ("relation", "left", "right", "yes", "no")

    relation: str  # one of `< <= > >=`
    left: Node  # the left side of the condition
    right: Node  # the right side of the condition
    yes: Node  # the branch where the condition holds
    no: Node  # the other branch

    def children(self) -> Iterator[Node]:
        """Yield both sides and both branches."""
        return iter(self.fields[1:])


class Extremum(Node):
    """`max(left[i, …], right[i, …])` or `min(…)`, entrywise."""

    __slots__ = ("kind", "left", "right")
    names = ("kind", "left", "right")

    kind: str  # `maximum` or `minimum`
    left: Node  # the first argument
    right: Node  # the second argument

    def children(self) -> Iterator[Node]:
        """Yield both arguments."""
        return iter(self.fields[1:])


class MatrixFunction(Node):
    """A function of a whole square matrix: inverse, det, logdet.

    The first half of the argument's axes are its rows, the second half its columns (a Kronecker
    product has two axes each).
    """

    __slots__ = ("arg",)
    names: ClassVar[tuple[str, ...]] = ("arg",)

    arg: Node  # the matrix

    def children(self) -> Iterator[Node]:
        """Yield the matrix."""
        return iter((self.arg,))


class Inverse(MatrixFunction):
    """`arg⁻¹[i, j]`, the matrix with `Σ_q arg[i, q] arg⁻¹[q, j] = δ[i, j]`."""

    __slots__ = ()


class MatrixPower(MatrixFunction):
    """`arg^exponent[i, j]` for an exponent that is a size: an integer, with `arg` invertible where it is negative.

    Powers with a literal exponent are written out.
    """

    __slots__ = ("exponent",)
    names = ("arg", "exponent")

    exponent: Size  # the exponent, expanded, with a symbol in it


class Det(MatrixFunction):
    """`det(arg)`."""

    __slots__ = ()


class LogDet(MatrixFunction):
    """`log |det(arg)|`."""

    __slots__ = ()


class Along(Node):
    """A function along some axes of its argument."""

    __slots__ = ("arg", "axes")
    names: ClassVar[tuple[str, ...]] = ("arg", "axes")

    arg: Node  # the argument
    axes: tuple[int, ...]  # the axes of the argument that it runs over

    def children(self) -> Iterator[Node]:
        """Yield the argument."""
        return iter((self.arg,))


class Softmax(Along):
    """`exp(arg[i, j]) / Σ_j exp(arg[i, j])`, the sum over `axes`."""

    __slots__ = ()


class LogSumExp(Along):
    """`log Σ_j exp(arg[i, j])`, the sum over `axes`."""

    __slots__ = ()


class Prod(Along):
    """`Π_j arg[i, j]`, over `axes`."""

    __slots__ = ()


class ProdExcept(Along):
    """`Π_{k ∉ {j₁ … jₘ}} arg[i, k]` for all different j₁ … jₘ, 0 where two of them are equal.

    A product of entries is linear in each of them, so this is its m-th partial derivative in the entries at
    j₁ … jₘ; it is right where entries are 0.  Axes: those of the argument, j₁ standing at its product axes,
    then j₂ … jₘ, each with the product axes once more.
    """

    __slots__ = ("order",)
    names = ("arg", "axes", "order")

    order: int  # m, how many entries are left out

    @property
    def places(self) -> tuple[tuple[int, ...], ...]:
        """Return the axes of each of j₁ … jₘ."""
        rank, width = self.arg.rank, len(self.axes)
        later = (range(rank + k * width, rank + (k + 1) * width) for k in range(self.order - 1))
        return (self.axes, *map(tuple, later))


class Unknown(Node):
    """An unknown smooth function of its arguments, differentiated once in each argument of `slots`.

    Axes: the function's own, then those of the arguments named in `slots`, in order.
    """

    __slots__ = ("args", "name", "slots")
    names = ("name", "args", "slots")

    name: str  # the function's name
    args: tuple[Node, ...]  # the arguments
    slots: tuple[int, ...]  # the positions of the arguments it was differentiated in, sorted

    def children(self) -> Iterator[Node]:
        """Yield the arguments."""
        return iter(self.args)


def walk(*roots: Node) -> list[Node]:
    """Return every node below the roots, children before parents, each once."""
    done: dict[Node, None] = {}
    stack: list[tuple[Node, bool]] = [(r, False) for r in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        if ready:
            done[node] = None
            continue
        stack.append((node, True))
        stack.extend((c, False) for c in node.children() if c not in done)
    return list(done)
