r"""The one math printer: index notation and matrix notation as LaTeX, from one table of precedences.

Index notation is here, matrix notation in `matrices`, what runs over ranges in `ranges`, names in `symbols`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby
from typing import Any

import sympy

from symderiv import dims
from symderiv.families import Label
from symderiv.functions import FUNCTIONS
from symderiv.index.nodes import (
    Apply,
    Choice,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Immediate,
    Index,
    Plus,
    Power,
    Structured,
    Sum,
    Tensor,
    Times,
    all_indices,
    heads,
)
from symderiv.index.written import times
from symderiv.render import others
from symderiv.render.labels import POSITION, is_stacked, member
from symderiv.render.matrices import MatrixLatex
from symderiv.render.symbols import (
    ATOM,
    ENTRYWISE,
    POWER,
    PRODUCT,
    RELATIONS,
    SIGN,
    SUM,
    WORDS,
    Written,
    brackets,
    joined,
)
from symderiv.tensor.expr import Expr


class Latex(MatrixLatex):
    """Prints expressions of both notations."""

    def index(self, expr: Any) -> str:
        """Return an index expression; the names in it are not taken for anything else."""
        outermost = not self.standing
        if outermost:
            named = all_indices(expr)
            self.standing = {i.name for i in named} | {str(s) for i in named for s in i.size.free_symbols}
            self.standing |= {h.name for h in heads(expr)}
        try:
            return self.indexed(expr)[0]
        finally:
            if outermost:
                self.standing = set()

    def indexed(self, expr: Any) -> Written:
        """Return an index expression with its precedence."""
        under = self.braced.get(expr)
        if under is not None:
            text = self.unbraced(expr)[0]
            return rf"\underbrace{{{text}}}_{{={under}}}", ATOM
        return self.unbraced(expr)

    def unbraced(self, expr: Any) -> Written:
        """Return an index expression with its precedence, nothing written under the whole of it."""
        match expr:
            case Index():
                return self.name(expr.name), ATOM
            case Entry() if not expr.indices and expr.tensor.name in self.wholes:
                return self.wholes[expr.tensor.name]
            case Entry() if self.leaves_out(expr):
                return self.other_entries(expr), ENTRYWISE
            case Entry():
                return self.entry(expr), ATOM
            case Delta():
                return rf"\delta_{{{self.subscript(expr.args)}}}", ATOM
            case Times():
                return self.times(expr)
            case Plus():
                return self.plus(expr.args), SUM
            case Sum():
                return self.sum(expr)
            case Power():
                return self.power(expr)
            case Apply():
                return self.apply(expr), ATOM
            case Choice():
                return self.choice(expr), ATOM
            case Extreme():
                word = WORDS[expr.kind]
                return rf"{word}\left({', '.join(map(self.index, expr.parts))}\right)", ATOM
            case Immediate() | Derivative():
                return self.derivative(expr)
            case sympy.Rational():
                value = Fraction(int(expr.p), int(expr.q))
                return self.fraction(value), ATOM if value >= 0 else SIGN
        return self.size(expr), ATOM

    def head(self, tensor: Tensor) -> Written:
        """Return the head of an entry: a name, or what it stands for in matrix notation."""
        if tensor.name in self.wholes:
            return self.wholes[tensor.name]
        definition = self.definition_of_call(tensor.name)
        if definition:
            known = self.expressions[tensor.name]
            return self.slope(self.name(definition), [known.args[s] for s in known.data[1]], self.sign_of(definition))
        if tensor.name in self.expressions:
            return self.matrixed(self.expressions[tensor.name])
        match = re.fullmatch(r"(inv|det|logdet|softmax|logsumexp|prod)\((.*?)(, .*)?\)", tensor.name)
        if match:
            return self.whole(match.group(1), Tensor(match.group(2)))
        match = re.fullmatch(r"matrix_power\((.*), ([^,]*)\)", tensor.name)
        if match:
            return self.whole_power(Tensor(match.group(1)), match.group(2))
        return self.name(tensor.name), ATOM

    def definition_of_call(self, name: str) -> str:
        """Return the definition whose derivative a head is: a call of an unknown function, in arguments of it."""
        known = self.expressions.get(name)
        if known is None or known.op != "unknown" or len(known.data) < 2 or not known.data[1]:
            return ""
        for call, definition in self.calls.items():
            whole = self.expressions.get(call)
            if whole is not None and (whole.args, whole.name) == (known.args, known.name):
                return definition
        return ""

    def is_at_named_points(self, name: str) -> bool:
        """Tell the derivative of a number in points that the proof has names for: it is written at entries of them."""
        known = self.expressions.get(name)
        if known is None or known.op != "unknown" or len(known.data) < 2 or not known.data[1]:
            return False
        variables = [known.args[s] for s in known.data[1]]
        return all(x in self.shorthand for x in variables) and known.rank == sum(x.rank for x in variables)

    def slope_at(self, expr: Entry, definition: str) -> str:
        r"""Return an entry of such a derivative: `\frac{\partial^{+} h_{t,i}}{\partial h_{t-1,j}}`."""
        known = self.expressions[expr.tensor.name]
        variables = [known.args[s] for s in known.data[1]]
        own = known.rank - sum(x.rank for x in variables)
        sizes, indices = expr.tensor.sizes[:own], expr.indices
        if definition:
            of = self.entry(Entry(Tensor(definition, *sizes), *indices[:own]))
        else:
            of = self.matrix(Expr("unknown", known.args, known.data[:1], ()))
        entries = []
        for x in variables:
            names = tuple(i.name for i in indices[own : own + x.rank])
            entries.append(Expr("entry", (x,), names, ()) if names else x)
            own += x.rank
        return self.slope(of, entries, self.sign_of(definition) if definition else "")[0]

    def sign_of(self, definition: str) -> str:
        """Return the sign of an immediate derivative; none where it is the total one.

        That is so for a call with one argument, and for one of the proof's own, which stands for all that lies between.
        """
        calls = [self.expressions[call] for call, name in self.calls.items() if name == definition]
        single = all(len(call.args) == 1 for call in calls) and not self.told_apart(definition)
        return "" if single or definition in self.aliases.values() else "+"

    def whole(self, kind: str, argument: Tensor) -> Written:
        """Return a function of a whole array, by the name of its head."""
        written = self.head(argument)
        if kind == "inv":
            return self.raisable(written) + "^{-1}", ATOM
        return f"{WORDS[kind]}{brackets(written[0])}", ATOM

    def whole_power(self, argument: Tensor, exponent: str) -> Written:
        """Return a power of a matrix, by the name of its head."""
        return f"{self.raisable(self.head(argument))}^{{{self.exponent(exponent)}}}", ATOM

    def exponent(self, text: str) -> str:
        """Return an exponent made of sizes, by its text: `2*k - 1`."""
        text = re.sub(r"\*\*(\d+)", r"^{\1}", text.replace(" ", ""))
        return re.sub(r"[^\W\d]\w*", lambda m: self.name(m[0]), text).replace("*", r"\,")

    def entry(self, expr: Entry) -> str:
        if expr.tensor.name in self.aliases:
            return self.entry(Entry(Tensor(self.aliases[expr.tensor.name], *expr.tensor.sizes), *expr.indices))
        known = expr.tensor.name in self.expressions or expr.tensor.name in self.display
        found = None if known else member(expr.tensor.name)
        if found is not None:
            return self.member(*found, [i.name for i in expr.indices])
        row = self.row_of(expr)
        if row is not None:
            with self.at(POSITION, row):
                return self.entry(Entry(Tensor(expr.tensor.name, *expr.tensor.sizes[1:]), *expr.indices[1:]))
        definition = self.definition_of_call(expr.tensor.name)
        if expr.indices and (definition or self.is_at_named_points(expr.tensor.name)):
            return self.slope_at(expr, definition)
        named = expr.tensor.name not in self.expressions and "(" not in expr.tensor.name
        return self.subscripted(self.head(expr.tensor), self.unspelt(expr), named)

    def unspelt(self, expr: Entry) -> tuple[Index, ...]:
        """Return the indices of an entry that do not stand in the text of its array already, as in `J V[:, i]`."""
        rank, words = self.spelt.get(expr.tensor.name, (len(expr.indices), frozenset()))
        indices: tuple[Index, ...] = expr.indices
        return indices[:rank] if {i.name for i in indices[rank:]} <= words else indices

    def subscripted(self, written: Written, indices: Sequence[Index], named: bool = False) -> str:
        """Return an entry of what is written already."""
        text, precedence = written
        if not indices:
            return text
        if precedence < ATOM or "_{" in text or ("^" in text and not named):
            text = text if precedence == ATOM and text.startswith((r"\left(", r"\operatorname")) else brackets(text)
        return f"{text}_{{{self.subscript(indices)}}}"

    def row_of(self, expr: Entry) -> Label | None:
        """Return the label at which a function of rows, `softmax(o[_], 1)`, is taken; None for any other entry."""
        match = re.fullmatch(r"(?:softmax|logsumexp|prod)\((.*?)((?:, \d+)+)\)", expr.tensor.name)
        if match is None or POSITION in self.values or not is_stacked(match[1]) or "0" in match[2].split(", "):
            return None
        return dims.symbol(expr.indices[0].name)

    def told_apart(self, name: str) -> bool:
        """Tell whether the immediate derivatives of a definition have a sign of their own."""
        found = member(name)
        return name in self.direct or (found is not None and found[0] in self.direct)

    def leaves_out(self, expr: Any) -> bool:
        """Tell an entry of a product that leaves entries out, by the name of its head or by what it stands for."""
        if not isinstance(expr, Entry):
            return False
        known = self.expressions.get(expr.tensor.name)
        return known.op == "others" if known is not None else others.named(expr.tensor.name) is not None

    def other_entries(self, expr: Entry) -> str:
        """Return an entry of such a product."""
        labels = [i.name for i in expr.indices]
        known = self.expressions.get(expr.tensor.name)
        if known is not None:
            return self.product_at(known, labels, self.standing)
        found = others.named(expr.tensor.name)
        assert found is not None
        argument, over, order = found
        rank = len(labels) - (order - 1) * len(over)

        def entry(at: Sequence[str]) -> str:
            indices = [Index(name, size) for name, size in zip(at, expr.tensor.sizes, strict=False)]
            return self.entry(Entry(Tensor(argument, *expr.tensor.sizes[:rank]), *indices))

        taken = self.standing.union(re.findall(r"\w+", argument))
        return others.product(labels, rank, over, entry, self.subscript, taken)

    def times(self, expr: Times) -> Written:
        args = sorted(expr.args, key=lambda a: not isinstance(a, sympy.Rational))  # numbers stand in front
        sign = ""
        if isinstance(args[0], sympy.Rational) and args[0] < 0:
            sign = "-"
            args[0] = -args[0]
            if args[0] == 1 and len(args) > 1:
                args = args[1:]
        if any(isinstance(a, Times) for a in args):
            parts = [self.bracketed(self.indexed(a), PRODUCT) for a in args]
            return sign + r" \cdot ".join(parts), SIGN if sign else PRODUCT
        top = [a for a in args if not _is_divisor(a)]
        low = [Power(a.base, -a.exponent) if a.exponent != -1 else a.base for a in args if _is_divisor(a)]
        if low:
            number = top[0] if top and isinstance(top[0], sympy.Rational) and len(top) > 1 else None
            inner = [a for a in top if a is not number]
            sums = [a for a in inner if isinstance(a, (Sum, Derivative))]
            inner = [a for a in inner if a not in sums]
            text = rf"\frac{{{self.factors(inner) or '1'}}}{{{self.factors(low)}}}"
            front = self.fraction(Fraction(int(number.p), int(number.q))) + r"\," if number is not None else ""
            tail = r"\," + self.factors(sums) if sums else ""
            return sign + front + text + tail, SIGN if sign else PRODUCT
        return sign + self.factors(args), SIGN if sign else PRODUCT

    def factors(self, args: Sequence[Any]) -> str:
        """Return factors side by side; a sum is bracketed unless it stands last."""
        parts = []
        for k, a in enumerate(args):
            text, precedence = self.indexed(a)
            last = k == len(args) - 1
            reaches_on = isinstance(a, Sum) or self.leaves_out(a)
            if (reaches_on and last and len(args) > 1) or (isinstance(a, Power) and len(args) == 1):
                parts.append(text)
            elif (precedence < PRODUCT and len(args) > 1) or (isinstance(a, Sum) and not last):
                parts.append(brackets(text))
            else:
                parts.append(text)
        return joined(parts)

    def plus(self, args: Sequence[Any]) -> str:
        text = ""
        for a in args:
            part = self.indexed(a)[0]
            text += part if not text else part.replace("-", " - ", 1) if part.startswith("-") else f" + {part}"
        return text

    def sum(self, expr: Sum) -> Written:
        bound = expr.bound
        off = off_diagonal(expr.body)
        if off is not None and len(bound) == 2 and {*off[0]} == {*bound}:
            i, j = (self.name(index.name) for index in bound)
            return rf"\sum_{{{i} \neq {j}}} {self.bracketed(self.indexed(off[1]), PRODUCT)}", PRODUCT
        body = self.bracketed(self.indexed(expr.body), PRODUCT)
        if len(bound) == 1 or self.every_range:
            under = "".join(rf"\sum_{{{self.name(i.name)}=1}}^{{{self.size(i.size)}}}" for i in bound)
        else:
            under = rf"\sum_{{{','.join(self.name(i.name) for i in bound)}}}"
        return rf"{under} {body}", PRODUCT

    def power(self, expr: Power) -> Written:
        base, exponent = expr.base, expr.exponent
        if exponent == sympy.Rational(1, 2):
            return rf"\sqrt{{{self.index(base)}}}", ATOM
        if isinstance(exponent, sympy.Rational) and exponent < 0:
            low = self.indexed(Power(base, -exponent) if exponent != -1 else base)
            return rf"\frac{{1}}{{{low[0]}}}", PRODUCT
        inner = self.indexed(base)
        if isinstance(base, Apply) and base.name not in FUNCTIONS:
            text = inner[0]
        else:
            text = brackets(inner[0]) if isinstance(base, (Apply, Choice)) else self.raisable(inner)
        if isinstance(base, Apply) and base.name in FUNCTIONS and base.name != "exp" and base.order == 0:
            word = FUNCTIONS[base.name].latex
            return rf"{word}^{{{self.index(exponent)}}}{brackets(self.index(base.arg))}", ATOM
        return f"{text}^{{{self.index(exponent)}}}", POWER

    def apply(self, expr: Apply) -> str:
        if expr.name == "exp" and expr.order == 0 and _is_short(expr.arg):
            return f"e^{{{self.index(expr.arg)}}}"
        if expr.name == "abs" and expr.order == 0:
            return rf"\left|{self.index(expr.arg)}\right|"
        return self.function(expr.name, expr.order) + brackets(self.index(expr.arg))

    def choice(self, expr: Choice) -> str:
        left, right, yes, no = map(self.index, expr.parts)
        test = f"{left} {RELATIONS[expr.relation]} {right}"
        return rf"\begin{{cases}} {yes} & \text{{if }} {test} \\ {no} & \text{{else}} \end{{cases}}"

    def derivative(self, expr: Derivative) -> Written:
        if expr.entry.tensor.name.startswith("R{"):
            return rf"\mathcal{{R}}\{{{self.index(expr.of)}\}}", ATOM
        below = rf"\partial {self.index(expr.entry)}"
        if isinstance(expr.of, Entry) and self.primes.get(expr.of.tensor.name) == expr.entry.tensor.name:
            return rf"{self.name(expr.of.tensor.name)}'({self.index(expr.entry)})", ATOM
        if isinstance(expr.of, Entry) and not self.leaves_out(expr.of):
            if isinstance(expr, Structured):
                return rf"\frac{{\mathrm{{d}} {self.index(expr.of)}}}{{\mathrm{{d}} {self.index(expr.entry)}}}", PRODUCT
            name = expr.of.tensor.name
            apart = expr.of.tensor != expr.entry.tensor and self.told_apart(name) and name not in self.aliases.values()
            plus = "^{+}" if isinstance(expr, Immediate) and apart else ""
            return rf"\frac{{\partial{plus} {self.index(expr.of)}}}{{{below}}}", PRODUCT
        if type(expr) is Derivative and type(expr.of) is Derivative:
            return self.repeated(expr)
        inner = self.indexed(expr.of)
        if type(expr) is Derivative and isinstance(expr.of, Apply):
            return rf"\frac{{\partial {inner[0]}}}{{{below}}}", PRODUCT
        text = inner[0] if inner[1] == ATOM else brackets(inner[0])
        return rf"\frac{{\partial}}{{{below}}}{text}", PRODUCT

    def repeated(self, expr: Derivative) -> Written:
        r"""Return `\frac{\partial^2 f}{\partial x\,\partial y}`; an entry that stands twice is raised to a power."""
        entries: list[Any] = []
        f: Any = expr
        while type(f) is Derivative:
            entries.insert(0, f.entry)
            f = f.of
        runs = [(self.index(x), len(list(same))) for x, same in groupby(entries)]
        below = r"\,".join(rf"\partial {x}" if n == 1 else rf"\partial {_raised(x, n)}" for x, n in runs)
        text, precedence = self.indexed(f)
        if precedence == ATOM:
            return rf"\frac{{\partial^{{{len(entries)}}} {text}}}{{{below}}}", PRODUCT
        return rf"\frac{{\partial^{{{len(entries)}}}}}{{{below}}}{brackets(text)}", PRODUCT


def _raised(text: str, order: int) -> str:
    """Return a power of an entry, in brackets where it has an exponent already."""
    return f"{brackets(text) if '^' in text else text}^{{{order}}}"


def _is_divisor(expr: Any) -> bool:
    return isinstance(expr, Power) and isinstance(expr.exponent, sympy.Rational) and expr.exponent < 0


def _is_short(expr: Any) -> bool:
    return isinstance(expr, (Entry, sympy.Rational)) or (
        isinstance(expr, Times) and all(isinstance(a, (Entry, sympy.Rational)) for a in expr.args)
    )


def off_diagonal(body: Any) -> tuple[tuple[Any, ...], Any] | None:
    """Return i and j, and the other factors, of a product with a factor 1 − δ[i,j]."""
    factors = body.args if isinstance(body, Times) else ()
    for k, f in enumerate(factors):
        if isinstance(f, Plus) and len(f.args) == 2 and f.args[0] == 1 and isinstance(f.args[1], Times):
            sign, *rest = f.args[1].args
            if sign == -1 and len(rest) == 1 and isinstance(rest[0], Delta):
                return rest[0].args, times(*factors[:k], *factors[k + 1 :])
    return None
