"""Shapes guessed from an expression, so that nobody has to declare what can be seen.

A name gets the number of axes that suits how it is written (`X` is a matrix, `x` a vector, `alpha` a number) and
for which every operation of the expression makes sense; sizes that have to agree get one name.  A guess is only
offered: it is shown, and can be changed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

from symderiv.functions import FUNCTIONS
from symderiv.tensor.parse import KNOWN
from symderiv.tensor.syntax import expression_tree
from symderiv.web.asked import SIZE, Shape

MOST_TRIED = 3000  # choices of numbers of axes
NUMBERS = frozenset({
    "alpha", "gamma", "lam", "lambda_", "tau", "eps", "epsilon", "sigma", "rho", "eta", "nu", "delta", "scale",
    "c", "e", "k", "n", "m", "t",
})  # fmt: skip
COUNTS = ("n", "N", "m")  # a number so called, if no array, is how many there are
MATRIX, VECTOR, NUMBER = (4.0, 3.0, 0.0), (1.5, 0.0, 2.0), (0.0, 1.5, 3.0)  # what 0, 1 and 2 axes cost a name
NOT_A_NUMBER = 2.5  # what each axis of the whole costs: functions are mostly numbers
SIZE_NAMES = tuple("npmkqrdlsuvw")
NEW_AXIS: tuple[str, str] = ("axis", "1")

Term = tuple[str, str]  # ("name", "n") is a size that is known; ("new", "X.0") one that is not


class MisfitError(Exception):
    """The expression makes no sense with these numbers of axes."""


@dataclass(frozen=True)
class Guess:
    """The shape of each name, and which of them were not given; unknown functions of one entry."""

    shapes: dict[str, Shape]
    guessed: tuple[str, ...]
    functions: tuple[str, ...]


def guess(text: str, given: Mapping[str, Shape], ranks: Mapping[str, int] | None = None) -> Guess:
    """Return the shapes of all names of an expression; those that are given stay as they are.

    `ranks` tells how many axes names have, where that is known.

    >>> guess("norm(X @ w - y)**2 + lam * w @ w", {}).shapes
    {'X': ('n', 'p'), 'w': ('p',), 'y': ('n',), 'lam': ()}
    >>> guess("trace(A @ S) + h(x) @ x", {"x": (3,)}).shapes
    {'A': ('n', 'p'), 'S': ('p', 'n'), 'x': (3,)}
    """
    tree = expression_tree(text)
    names = Names.of(tree)
    taken = {size for shape in given.values() if shape != SIZE for size in shape if isinstance(size, str)}
    sizes = names.sizes | taken | {name for name, shape in given.items() if shape == SIZE}
    free = [name for name in names.arrays if name not in given and name not in sizes]
    many = {name: rank for name, rank in _subscripted(tree) if rank > 2 and name in free}
    many |= {name: rank for name, rank in (ranks or {}).items() if name in free}
    known = {name: shape for name, shape in given.items() if shape != SIZE}
    found = next(_fitting(tree, known, free, many), None) or Reading(known, {**dict.fromkeys(free, 0), **many})
    counts = _counts(found, [name for name in free if _only_scales(name, tree)], names)
    shapes: dict[str, Shape] = dict.fromkeys(counts, SIZE)
    shapes |= found.named([name for name in names.arrays if name in known or name in free], counts, sizes)
    order = [name for name in names.arrays if name in shapes]
    kept = {name: given.get(name, shapes[name]) for name in order}
    kept |= {name: shape for name, shape in given.items() if shape == SIZE}
    return Guess(kept, tuple(name for name in order if name not in given), names.functions)


def consistent(text: str, given: Mapping[str, Shape], ranks: Mapping[str, int]) -> bool:
    """Tell whether an expression makes sense with these shapes and numbers of axes.

    >>> consistent("X @ w", {}, {"X": 2, "w": 1}), consistent("X @ w", {}, {"X": 2, "w": 0})
    (True, False)
    """
    known = {name: shape for name, shape in given.items() if shape != SIZE}
    return next(_fitting(expression_tree(text), known, [], ranks), None) is not None


def _fitting(tree: ast.expr, known: Mapping[str, Shape], free: list[str], many: Mapping[str, int]) -> Iterator[Reading]:
    """Yield the numbers of axes that make sense, the likeliest first, that of the whole counted too."""
    free = [name for name in free if name not in many]
    best: list[tuple[float, int, Reading]] = []
    for number, (cost, ranks) in enumerate(choices(free)):
        if number >= MOST_TRIED:
            break
        while best and best[0][0] <= cost:
            yield heappop(best)[2]
        reading = Reading(known, {**dict(zip(free, ranks, strict=True)), **many})
        try:
            axes = reading.axes(tree)
        except MisfitError:
            continue
        heappush(best, (cost + NOT_A_NUMBER * len(axes), number, reading))
    while best:
        yield heappop(best)[2]


def choices(names: list[str]) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Yield all choices of 0, 1 or 2 axes for some names, the cheapest first."""
    costs = [_costs(name) for name in names]
    orders = [sorted(range(3), key=cost.__getitem__) for cost in costs]
    start = (0,) * len(names)
    waiting = [(sum(c[o[0]] for c, o in zip(costs, orders, strict=True)), start)]
    seen = {start}
    while waiting:
        total, places = heappop(waiting)
        yield total, tuple(o[p] for o, p in zip(orders, places, strict=True))
        for k, place in enumerate(places):
            more = (*places[:k], place + 1, *places[k + 1 :])
            if place < 2 and more not in seen:
                seen.add(more)
                step = costs[k][orders[k][place + 1]] - costs[k][orders[k][place]]
                heappush(waiting, (total + step, more))


def _costs(name: str) -> tuple[float, float, float]:
    if name in NUMBERS:
        return NUMBER
    return MATRIX if name[0].isupper() else VECTOR


def _counts(found: Reading, free: list[str], names: Names) -> dict[str, Term]:
    """Return the names that stand for how many there are, with the size that they count."""
    counts: dict[str, Term] = {}
    for name in COUNTS:
        sizes = [size for other in names.arrays for size in found.sizes_of(other) if found.find(size)[0] == "new"]
        if name in free and found.ranks.get(name) == 0 and sizes and not counts:
            counts[name] = found.find(sizes[0])
    return counts


def _subscripted(tree: ast.expr) -> Iterator[tuple[str, int]]:
    """Yield the names that stand in an einsum by themselves, with how many letters they have there."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(args=[ast.Constant(value=str(spec)), *rest]) if callee(node) == "einsum":
                inputs = spec.replace(" ", "").partition("->")[0].split(",")
                for subscripts, arg in zip(inputs, rest, strict=False):
                    if isinstance(arg, ast.Name):
                        yield arg.id, len(subscripts)


def _only_scales(name: str, tree: ast.expr) -> bool:
    """Tell whether a name stands only where something is multiplied with it or divided by it."""
    scaling = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div))
        for part in (node.left, node.right)
    }
    return all(id(n) in scaling for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == name)


# ---------------------------------------------------------------- names


@dataclass
class Names:
    """The names of an expression in order: arrays, sizes (the n of `eye(n)`), functions that nobody knows."""

    arrays: tuple[str, ...]
    sizes: set[str]
    functions: tuple[str, ...]

    @staticmethod
    def of(tree: ast.expr) -> Names:
        """Return the names of an expression."""
        called, sizes, functions = set[int](), set[str](), dict[str, None]()
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called |= {id(part) for part in ast.walk(node.func)}
            name = callee(node)
            if isinstance(node.func, ast.Name) and name not in KNOWN:
                functions[name] = None
            of_sizes = {"eye": node.args, "ones": node.args, "zeros": node.args}.get(name, node.args[1:])
            if name in ("eye", "ones", "zeros", "reshape", "matrix_power"):
                sizes |= {part.id for arg in of_sizes for part in ast.walk(arg) if isinstance(part, ast.Name)}
        found = [
            (n.lineno, n.col_offset, n.id) for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called
        ]
        arrays = dict.fromkeys(name for _, _, name in sorted(found) if name not in sizes)
        return Names(tuple(arrays), sizes, tuple(functions))


def callee(node: ast.Call) -> str:
    """Return the last name of what is called: `norm` of `np.linalg.norm(x)`."""
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


# ---------------------------------------------------------------- axes


@dataclass
class Reading:
    """The axes of an expression for given numbers of axes of its names; sizes that must agree become one."""

    known: Mapping[str, Shape]
    ranks: Mapping[str, int]
    same: dict[Term, Term] = field(default_factory=dict)
    made: int = 0

    def sizes_of(self, name: str) -> list[Term]:
        """Return the sizes of a name, as they came."""
        if name in self.known:
            return [("name", str(size)) for size in self.known[name]]
        return [("new", f"{name}.{k}") for k in range(self.ranks.get(name, 0))]

    def find(self, size: Term) -> Term:
        """Return the one that stands for all sizes that agree with this."""
        while size in self.same:
            size = self.same[size]
        return size

    def agree(self, one: Term, other: Term) -> Term:
        """Make two sizes one."""
        one, other = self.find(one), self.find(other)
        if one == other:
            return one
        if other[0] == "new":
            self.same[other] = one
            return one
        if one[0] == "new":
            self.same[one] = other
            return other
        raise MisfitError

    def named(self, names: list[str], counts: Mapping[str, Term], taken: set[str]) -> dict[str, Shape]:
        """Return the shape of each name; a size that is not known gets a letter that is free."""
        letters = {size: name for name, size in counts.items()}
        used = {*names, *taken, *counts}
        fresh = (n for n in [*SIZE_NAMES, *(f"n{k}" for k in range(1, 400))] if n not in used)
        shapes: dict[str, Shape] = {}
        for name in names:
            if name in counts:
                continue
            shape: list[str | int] = []
            for size in self.sizes_of(name):
                kind, text = self.find(size)
                if kind == "new" and (kind, text) not in letters:
                    letters[kind, text] = next(fresh)
                word = letters.get((kind, text), text)
                shape.append(int(word) if word.isdigit() else word)
            shapes[name] = tuple(shape)
        return shapes

    def new(self) -> Term:
        """Return a size of which nothing is known."""
        self.made += 1
        return ("new", f".{self.made}")

    def axes(self, node: ast.expr) -> list[Term]:
        """Return the sizes of an expression."""
        match node:
            case ast.Name(id=name):
                return self.sizes_of(name)
            case ast.BinOp(op=ast.MatMult()):
                return self.product(self.axes(node.left), self.axes(node.right))
            case ast.BinOp():
                return self.entrywise(self.axes(node.left), self.axes(node.right))
            case ast.UnaryOp():
                return self.axes(node.operand)
            case ast.Attribute(attr="T"):
                return self.axes(node.value)[::-1]
            case ast.Subscript():
                return self.with_new_axes(node)
            case ast.Compare():
                return self.entrywise(self.axes(node.left), *map(self.axes, node.comparators))
            case ast.Call():
                return self.called(node)
        return []

    def entrywise(self, *several: list[Term]) -> list[Term]:
        """Return the axes of an entrywise operation, broadcast from the last axis on."""
        rank = max(map(len, several))
        found: list[Term] = [NEW_AXIS] * rank
        for axes in several:
            for k, size in enumerate(reversed(axes), 1):
                if self.find(size) != NEW_AXIS:
                    found[-k] = size if self.find(found[-k]) == NEW_AXIS else self.agree(found[-k], size)
        return found

    def product(self, left: list[Term], right: list[Term]) -> list[Term]:
        """Return the axes of `left @ right`."""
        if not (0 < len(left) < 3 and 0 < len(right) < 3):
            raise MisfitError
        self.agree(left[-1], right[0])
        return left[:-1] + right[1:]

    def with_new_axes(self, node: ast.Subscript) -> list[Term]:
        """Return the axes of `x[:, None]`; other subscripts are left to the engine."""
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        axes, found = self.axes(node.value), list[Term]()
        for part in parts:
            if isinstance(part, ast.Constant) and part.value is None:
                found.append(NEW_AXIS)
            elif axes:
                found.append(axes.pop(0))
            else:
                raise MisfitError
        return found + axes

    def square(self, axes: list[Term]) -> list[Term]:
        """Return the axes of a square matrix."""
        if len(axes) != 2:
            raise MisfitError
        self.agree(*axes)
        return axes

    def called(self, node: ast.Call) -> list[Term]:
        """Return the axes of a call; `x.sum()` counts as `sum(x)`."""
        name, args = callee(node), list(node.args)
        if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value):
            args = [node.func.value, *args]
        args += [k.value for k in node.keywords if k.arg == "axis"]
        reader = getattr(self, f"of_{name}", None)
        if reader is not None:
            found: list[Term] = reader(args)
            return found
        if name in FUNCTIONS or name not in KNOWN:
            return self.axes(args[0]) if args else []
        return self.entrywise([], *map(self.axes, args))

    # -- functions of the language

    def of_sum(self, args: list[ast.expr]) -> list[Term]:
        axes = self.axes(args[0]) if args else []
        if not axes:
            raise MisfitError
        if len(args) < 2:
            return []
        axis = _integer(args[1])
        if axis is None or not -len(axes) <= axis < len(axes):
            raise MisfitError
        return [size for k, size in enumerate(axes) if k != axis % len(axes)]

    of_mean = of_prod = of_logsumexp = of_sum

    def of_softmax(self, args: list[ast.expr]) -> list[Term]:
        axes = self.axes(args[0]) if args else []
        if len(axes) < 1 or (len(args) > 1 and (_integer(args[1]) or 0) >= len(axes)):
            raise MisfitError
        return axes

    def of_trace(self, args: list[ast.expr]) -> list[Term]:
        for arg in args[:1]:
            self.square(self.axes(arg))
        return []

    of_det = of_logdet = of_trace

    def of_inv(self, args: list[ast.expr]) -> list[Term]:
        return self.square(self.axes(args[0])) if args else []

    of_matrix_power = of_inv

    def of_norm(self, args: list[ast.expr]) -> list[Term]:
        if args and not self.axes(args[0]):
            raise MisfitError
        return []

    def of_diag(self, args: list[ast.expr]) -> list[Term]:
        axes = self.axes(args[0]) if args else []
        if len(axes) == 1:
            return axes * 2
        return self.square(axes)[:1]

    def of_vec(self, args: list[ast.expr]) -> list[Term]:
        if args and len(self.axes(args[0])) != 2:
            raise MisfitError
        return [self.new()]

    def of_outer(self, args: list[ast.expr]) -> list[Term]:
        parts = [self.axes(arg) for arg in args]
        if len(parts) != 2 or any(len(axes) != 1 for axes in parts):
            raise MisfitError
        return parts[0] + parts[1]

    def of_kron(self, args: list[ast.expr]) -> list[Term]:
        parts = [self.axes(arg) for arg in args]
        if len(parts) != 2 or len(parts[0]) != len(parts[1]):
            raise MisfitError
        return [self.new() for _ in parts[0]]

    def of_dot(self, args: list[ast.expr]) -> list[Term]:
        parts = [self.axes(arg) for arg in args]
        return self.product(*parts) if len(parts) == 2 and all(parts) else self.entrywise([], *parts)

    def of_inner(self, args: list[ast.expr]) -> list[Term]:
        parts = [self.axes(arg) for arg in args]
        if len(parts) != 2 or not all(parts):
            raise MisfitError
        self.agree(parts[0][-1], parts[1][-1])
        return parts[0][:-1] + parts[1][:-1]

    def of_solve(self, args: list[ast.expr]) -> list[Term]:
        if len(args) != 2:
            raise MisfitError
        return self.product(self.square(self.axes(args[0])), self.axes(args[1]))

    def of_eye(self, args: list[ast.expr]) -> list[Term]:
        return [_size(arg) or self.new() for arg in args[:1]] * 2

    def of_ones(self, args: list[ast.expr]) -> list[Term]:
        parts = args[0].elts if len(args) == 1 and isinstance(args[0], ast.Tuple) else args
        return [_size(part) or self.new() for part in parts]

    of_zeros = of_ones

    def of_reshape(self, args: list[ast.expr]) -> list[Term]:
        self.axes(args[0])
        parts = args[1].elts if len(args) == 2 and isinstance(args[1], (ast.Tuple, ast.List)) else args[1:]
        return [_size(part) or self.new() for part in parts]

    def of_transpose(self, args: list[ast.expr]) -> list[Term]:
        axes = self.axes(args[0]) if args else []
        if len(args) < 2 or not isinstance(args[1], (ast.Tuple, ast.List)):
            return axes[::-1]
        order = [_integer(part) for part in args[1].elts]
        if len(order) != len(axes) or {None if k is None else k % len(axes) for k in order} != set(range(len(axes))):
            raise MisfitError
        return [axes[k] for k in order if k is not None]

    def of_einsum(self, args: list[ast.expr]) -> list[Term]:
        match args:
            case [ast.Constant(value=str(spec)), *rest]:
                inputs, arrow, output = spec.replace(" ", "").partition("->")
                letters: dict[str, Term] = {}
                if len(inputs.split(",")) != len(rest):
                    raise MisfitError
                for subscripts, arg in zip(inputs.split(","), rest, strict=True):
                    axes = self.axes(arg)
                    if len(axes) != len(subscripts):
                        raise MisfitError
                    for letter, size in zip(subscripts, axes, strict=True):
                        letters[letter] = self.agree(letters.get(letter, size), size)
                once = sorted(c for c in letters if inputs.count(c) == 1)
                return [letters[c] for c in (output if arrow else once) if c in letters]
        return []


def _is_module(node: ast.expr) -> bool:
    """Tell `np` and `np.linalg`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in ("np", "numpy")


def _integer(node: ast.expr) -> int | None:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
            return -value
    return None


def _size(node: ast.expr) -> Term | None:
    match node:
        case ast.Name(id=name):
            return ("name", name)
        case ast.Constant(value=int(value)):
            return ("name", str(value))
    return None
