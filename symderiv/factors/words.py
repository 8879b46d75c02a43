"""A structure in words: what kind of map it is, and its factors as text and as LaTeX, in index notation.

`δ[i,l] ⊗ (2 * V.T @ V)[j,r]` is the map with these entries; ⊗ stands before a block that is the same for all
values of the tied indices, none before one that changes with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symderiv.factors.parts import Axes, Block, Part, Product, depends, is_kronecker_sum, parts_of
from symderiv.lift import lift
from symderiv.operands import LETTERS, is_negative, without_minus
from symderiv.render.latex import Latex
from symderiv.render.symbols import ATOM as LATEX_ATOM
from symderiv.shorten import shortened
from symderiv.tensor.expr import Expr
from symderiv.tensor.text import ATOM, FunctionName, Printer

DENSE = "dense block"
BLOCKS, DIAGONALS, VECTORS = "BCDEFGHKLMNPQR", "dabcefg", "uwpqrvgh"


def kind_of(part: Part) -> str:
    """Return what kind of map it is.

    >>> kind_of(Product(((0, 1),), ()))
    'identity'
    """
    match part:
        case Block():
            return DENSE
        case Product():
            return _kind_of_product(part)
    terms = [kind_of(t) for t in part.terms]
    low = [k for k in terms if k == "rank one"]
    if len(low) == len(terms):
        return "low rank"
    if len(low) == len(terms) - 1 and all(k in ("rank one", *SCALINGS) for k in terms):
        return "diagonal plus low rank"
    return "Kronecker sum" if is_kronecker_sum(part) else "sum"


SCALINGS = ("identity", "multiple of the identity", "diagonal")


def _kind_of_product(part: Product) -> str:
    inner = [p for p in part.parts if not (isinstance(p, Block) and p.is_diagonal)]
    if part.pairs and inner:
        return "block diagonal" if any(depends(p) for p in part.parts) else "equal blocks"
    if part.pairs:
        if [c for _, c in sorted(part.pairs)] != sorted(c for _, c in part.pairs):
            return "permutation" if not part.parts else "scaled permutation"
        return "diagonal" if any(depends(p) for p in part.parts) else SCALINGS[bool(part.parts)]
    rows, columns = ([p for p in inner if not isinstance(p, Block) or getattr(p, s)] for s in ("rows", "columns"))
    both = [p for p in inner if p in rows and p in columns]
    if not both:
        return "rank one" if rows and columns else "product of vectors"
    return "Kronecker product" if len(inner) > 1 else DENSE


def letters(count: int, taken: Sequence[str]) -> str:
    """Return a letter for each axis that is no name in use, as far as there are such.

    >>> letters(4, ("T", "U", "V", "m", "n", "k"))
    'ijlp'
    """
    free = [c for c in LETTERS if c not in taken]
    return "".join([*free, *(c for c in LETTERS if c not in free)][:count])


def closed_form(block: Block) -> Expr:
    """Return the array of a block in matrix notation, its axes in order: tied ones, rows, columns."""
    return shortened(lift(block.node))


def names_of_blocks(found: Sequence[Block], taken: Sequence[str]) -> dict[Block, str]:
    """Return a name for each different block: B for blocks, d for diagonals, u for what has only rows or columns."""
    names: dict[Block, str] = {}
    used = set(taken)
    for block in found:
        if block not in names:
            pool = DIAGONALS if block.is_diagonal else BLOCKS if block.rows and block.columns else VECTORS
            tries = (*pool, *(f"{pool[0]}_{k}" for k in range(len(used) + len(found) + 1)))
            names[block] = next(n for n in tries if n not in used)
            used.add(names[block])
    return names


class Words:
    """Writes a map in index notation; subclasses say how a δ, an entry, a bracket are written."""

    tensor, plus, minus, space = " ⊗ ", " + ", " - ", " "

    def __init__(self, axes: str, names: Mapping[Block, str], functions: Mapping[FunctionName, str]) -> None:
        self.axes, self.names, self.functions = axes, names, functions
        self.told: dict[str, Expr] = {}

    def whole(self, part: Part) -> str:
        """Return a map, and what the names in it stand for."""
        text = self.part(part)
        return ", ".join([text, *(self.equation(name, expr) for name, expr in self.told.items())])

    def part(self, part: Part, sign: bool = False) -> str:
        """Return a map without its definitions; with `sign`, without the minus in front."""
        match part:
            case Block():
                return self.block(part, sign)
            case Product():
                return self.product(part, sign)
        first, *others = part.terms
        text = self.minus.lstrip() * leads_with_minus(first) + self.part(first, leads_with_minus(first))
        for t in others:
            negative = leads_with_minus(t)
            text += (self.minus if negative else self.plus) + self.part(t, negative)
        return text

    def product(self, part: Product, sign: bool) -> str:
        negative = minus_of(part) if sign else None
        scaling = [p for p in part.parts if isinstance(p, Block) and p.is_diagonal]
        numbers = [p for p in scaling if not p.over]
        front = [t for p in numbers if (t := self.block(p, p is negative))]
        front += [self.delta(o, c) for o, c in part.pairs]
        front += [self.block(p, p is negative) for p in scaling if p.over]
        text = self.space.join(front)
        for p in part.parts:
            if p in scaling:
                continue
            inner = self.block(p, p is negative) if isinstance(p, Block) else self.bracket(self.part(p))
            text += (self.space if depends(p) else self.tensor) * bool(text) + inner
        return text

    def block(self, block: Block, sign: bool) -> str:
        expr = closed_form(block)
        expr = without_minus(expr) if sign else expr
        if len(block.axes) > 2:
            self.told[self.names[block]] = closed_form(block) if not sign else expr
            return self.named(self.names[block], block.axes)
        if expr.op == "number" and expr.data[0] == 1 and not block.axes:
            return ""
        return self.entry(expr, block.axes)

    # -- the notation

    def indices(self, axes: Axes) -> str:
        return f"[{','.join(self.axes[a] for a in axes)}]" if axes else ""

    def delta(self, row: int, column: int) -> str:
        return f"δ[{self.axes[row]},{self.axes[column]}]"

    def named(self, name: str, axes: Axes) -> str:
        return name + self.indices(axes)

    def entry(self, expr: Expr, axes: Axes) -> str:
        return Printer(self.functions).bracketed(expr, ATOM) + self.indices(axes)

    def equation(self, name: str, expr: Expr) -> str:
        return f"{name} = {Printer(self.functions).text(expr)}"

    def bracket(self, text: str) -> str:
        return f"({text})"


class LatexWords(Words):
    r"""The same in LaTeX: `\delta_{ij} \otimes \left(2 V^{\top} V\right)_{kl}`."""

    tensor, plus, minus, space = r" \otimes ", " + ", " - ", r"\,"

    def indices(self, axes: Axes) -> str:
        return f"_{{{''.join(self.axes[a] for a in axes)}}}" if axes else ""

    def delta(self, row: int, column: int) -> str:
        return rf"\delta_{{{self.axes[row]}{self.axes[column]}}}"

    def entry(self, expr: Expr, axes: Axes) -> str:
        text, precedence = Latex({}, functions=self.functions).matrixed(expr)
        simple = precedence >= LATEX_ATOM and expr.op in ("var", "number")
        return (text if simple else rf"\left({text}\right)") + self.indices(axes)

    def equation(self, name: str, expr: Expr) -> str:
        return rf"\quad {name} = {Latex({}, functions=self.functions).matrix(expr)}"

    def bracket(self, text: str) -> str:
        return rf"\left({text}\right)"


def minus_of(part: Part) -> Block | None:
    """Return the block of a term whose closed form has a minus in front."""
    own = [p for p in parts_of(part) if isinstance(p, Block)]
    return next((b for b in own if is_negative(closed_form(b))), None)


def leads_with_minus(part: Part) -> bool:
    """Tell whether a term of a sum is taken off rather than added."""
    return minus_of(part) is not None
