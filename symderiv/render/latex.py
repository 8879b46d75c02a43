r"""The one math printer: index notation and matrix notation as LaTeX, from one table of precedences.

Names print as they are read: `theta` as θ, `w1` as w with a subscript, `k_` as k′; a table may say
otherwise (`w1` as `w^{(1)}`).  A vector stands as a column, so `x @ A` prints `A^\top x` only where a
reader needs it; products keep the order of the expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import sympy

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
from symderiv.render import others
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import FunctionName

GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
    "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta",
    "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
})  # fmt: skip
SHORT = {"lam": "lambda", "Lam": "Lambda", "eps": "varepsilon"}
SUM, SIGN, ENTRYWISE, PRODUCT, POWER, ATOM = range(6)
WORDS = {"trace": r"\operatorname{tr}", "det": r"\det", "logdet": r"\log\det", "vec": r"\operatorname{vec}",
         "diag": r"\operatorname{diag}", "prod": r"\operatorname{prod}", "mean": r"\operatorname{mean}",
         "maximum": r"\max", "minimum": r"\min", "softmax": r"\operatorname{softmax}",
         "logsumexp": r"\operatorname{logsumexp}", "solve": r"\operatorname{solve}"}  # fmt: skip
RELATIONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge"}

AXES = frozenset(["softmax", "logsumexp", "mean", "prod"])

Written = tuple[str, int]


class Latex:
    """Prints expressions; `expressions` tells what the heads of a proof stand for in matrix notation."""

    def __init__(
        self,
        expressions: Mapping[str, Expr] | None = None,
        display: Mapping[str, str] | None = None,
        functions: Mapping[FunctionName, str] | None = None,
    ) -> None:
        self.expressions = dict(expressions or {})
        self.display = dict(display or {})
        self.functions = dict(functions or {})
        self.primes: dict[str, str] = {}  # scalar functions of one variable: f -> t, for f'(t)
        self.braced: dict[Any, str] = {}  # what is written under a part of the expression
        self.direct: set[str] = set()  # definitions whose immediate derivative is told from the total one
        self.standing: set[str] = set()  # the names in the index expression that is being written
        self.every_range = False  # write the range of each of several bound indices

    # -- names and numbers

    def name(self, name: str) -> str:
        """Return a name as it is read."""
        if name in self.display:
            return self.display[name]
        if name.endswith("'"):
            return self.name(name.rstrip("'")) + "'" * (len(name) - len(name.rstrip("'")))
        stem, primes = name.rstrip("_"), len(name) - len(name.rstrip("_"))
        if not stem:
            return r"\_" * primes
        if stem.endswith("_bar") and len(stem) > 4:
            return rf"\bar{{{self.name(stem[:-4])}}}" + "'" * primes
        match = re.fullmatch(r"([A-Za-z]+)_?(\d+)", stem)
        if match:
            base, sub = match.groups()
        else:
            base, _, sub = stem.partition("_")
        text = self.symbol(base)
        if sub:
            text += f"_{{{self.symbol(sub)}}}"
        return text + "'" * primes

    def symbol(self, word: str) -> str:
        """Return one word as a symbol: a letter, a Greek name, else upright."""
        word = SHORT.get(word, word)
        if word in GREEK or word == "varepsilon":
            return "\\" + word
        if len(word) <= 1 or word.isdigit():
            return word
        return r"\mathrm{" + word.replace("_", r"\_") + "}"

    def size(self, size: Any) -> str:
        """Return a size or a bound of a sum."""
        if isinstance(size, sympy.Mul) and size.args[0] == -1:
            return "-" + self.size(-size)
        if isinstance(size, sympy.Mul):
            return r"\,".join(self.size(a) for a in size.args)
        if isinstance(size, sympy.Pow):
            return f"{self.size(size.base)}^{{{self.size(size.exp)}}}"
        if isinstance(size, sympy.Add):
            return "+".join(self.size(a) for a in size.as_ordered_terms()).replace("+-", "-")
        return str(size) if getattr(size, "is_Integer", False) else self.name(str(size))

    @staticmethod
    def fraction(value: Fraction) -> str:
        """Return a rational number."""
        sign = "-" if value < 0 else ""
        value = abs(value)
        if value.denominator == 1:
            return f"{sign}{value.numerator}"
        return rf"{sign}\tfrac{{{value.numerator}}}{{{value.denominator}}}"

    @staticmethod
    def bracketed(written: Written, least: int) -> str:
        """Return the text, in brackets where it binds weaker than `least`."""
        text, precedence = written
        return text if precedence >= least else brackets(text)

    # -- index notation

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

    def subscript(self, indices: Sequence[Any]) -> str:
        """Return indices under a symbol, parted by commas where letters would run together."""
        names = [self.name(str(i)) for i in indices]
        plain = all(len(n.rstrip("'")) == 1 for n in names)
        return ("" if plain else ",").join(names)

    def head(self, tensor: Tensor) -> Written:
        """Return the head of an entry: a name, or what it stands for in matrix notation."""
        if tensor.name in self.expressions:
            return self.matrixed(self.expressions[tensor.name])
        match = re.fullmatch(r"(inv|det|logdet|softmax|logsumexp|prod)\((.*?)(, .*)?\)", tensor.name)
        if match:
            return self.whole(match.group(1), Tensor(match.group(2)))
        match = re.fullmatch(r"matrix_power\((.*), ([^,]*)\)", tensor.name)
        if match:
            return self.whole_power(Tensor(match.group(1)), match.group(2))
        return self.name(tensor.name), ATOM

    def whole(self, kind: str, argument: Tensor) -> Written:
        """Return a function of a whole array, by the name of its head."""
        written = self.head(argument)
        if kind == "inv":
            return (written[0] if written[1] == ATOM else brackets(written[0])) + "^{-1}", ATOM
        return f"{WORDS[kind]}{brackets(written[0])}", ATOM

    def whole_power(self, argument: Tensor, exponent: str) -> Written:
        """Return a power of a matrix, by the name of its head."""
        text, precedence = self.head(argument)
        return f"{text if precedence == ATOM else brackets(text)}^{{{self.exponent(exponent)}}}", ATOM

    def exponent(self, text: str) -> str:
        """Return an exponent made of sizes, by its text: `2*k - 1`."""
        text = re.sub(r"\*\*(\d+)", r"^{\1}", text.replace(" ", ""))
        return re.sub(r"[^\W\d]\w*", lambda m: self.name(m[0]), text).replace("*", r"\,")

    def entry(self, expr: Entry) -> str:
        text, precedence = self.head(expr.tensor)
        if not expr.indices:
            return text
        named = expr.tensor.name not in self.expressions and "(" not in expr.tensor.name
        if precedence < ATOM or "_{" in text or ("^" in text and not named):
            text = text if precedence == ATOM and text.startswith((r"\left(", r"\operatorname")) else brackets(text)
        return f"{text}_{{{self.subscript(expr.indices)}}}"

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
        args = list(expr.args)
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
        text = inner[0] if inner[1] == ATOM and not isinstance(base, (Apply, Choice)) else brackets(inner[0])
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

    def function(self, name: str, order: int) -> str:
        """Return a scalar function or a derivative of an unknown one."""
        word = FUNCTIONS[name].latex if name in FUNCTIONS else self.name(name)
        return word + ("'" * order if order < 4 else f"^{{({order})}}")

    def choice(self, expr: Choice) -> str:
        left, right, yes, no = map(self.index, expr.parts)
        test = f"{left} {RELATIONS[expr.relation]} {right}"
        return rf"\begin{{cases}} {yes} & \text{{if }} {test} \\ {no} & \text{{else}} \end{{cases}}"

    def derivative(self, expr: Derivative) -> Written:
        below = rf"\partial {self.index(expr.entry)}"
        if isinstance(expr.of, Entry) and self.primes.get(expr.of.tensor.name) == expr.entry.tensor.name:
            return rf"{self.name(expr.of.tensor.name)}'({self.index(expr.entry)})", ATOM
        if isinstance(expr.of, Entry) and not self.leaves_out(expr.of):
            if isinstance(expr, Structured):
                return rf"\frac{{\mathrm{{d}} {self.index(expr.of)}}}{{\mathrm{{d}} {self.index(expr.entry)}}}", PRODUCT
            plus = "^{+}" if isinstance(expr, Immediate) and expr.of.tensor.name in self.direct else ""
            return rf"\frac{{\partial{plus} {self.index(expr.of)}}}{{{below}}}", PRODUCT
        inner = self.indexed(expr.of)
        text = inner[0] if inner[1] == ATOM else brackets(inner[0])
        return rf"\frac{{\partial}}{{{below}}}{text}", PRODUCT

    # -- matrix notation

    def matrix(self, expr: Expr) -> str:
        """Return an expression in matrix notation."""
        return self.matrixed(expr)[0]

    def matrixed(self, expr: Expr) -> Written:
        """Return an expression in matrix notation with its precedence."""
        special: Callable[[Expr], Written] | None = getattr(self, f"write_{expr.op}", None)
        if special is not None:
            return special(expr)
        args = ", ".join(self.matrix(a) for a in expr.args)
        axis = f"_{{{expr.data[0]}}}" if expr.op in AXES and expr.data else ""
        return f"{WORDS.get(expr.op, self.symbol(expr.op))}{axis}{brackets(args)}", ATOM

    def write_var(self, expr: Expr) -> Written:
        return self.name(expr.name), ATOM

    write_defined = write_var

    def write_called(self, expr: Expr) -> Written:
        return f"{self.name(expr.name)}({', '.join(self.matrix(a) for a in expr.args[1:])})", ATOM

    def write_unknown(self, expr: Expr) -> Written:
        return f"{self.name(expr.name)}({', '.join(self.matrix(a) for a in expr.args)})", ATOM

    def write_number(self, expr: Expr) -> Written:
        return self.fraction(expr.data[0]), ATOM if expr.data[0] >= 0 else SIGN

    def write_size(self, expr: Expr) -> Written:
        return self.size(expr.data[0]), ATOM

    def write_add(self, expr: Expr) -> Written:
        a, b = expr.args
        right = self.spread(b, expr)[0]
        return (
            f"{self.spread(a, expr)[0]} {right.replace('-', '- ', 1) if right.startswith('-') else '+ ' + right}",
            SUM,
        )

    def write_sub(self, expr: Expr) -> Written:
        a, b = expr.args
        return f"{self.spread(a, expr)[0]} - {self.bracketed(self.spread(b, expr), ENTRYWISE)}", SUM

    def spread(self, part: Expr, whole: Expr) -> Written:
        """Return a term of a sum; a vector that is added to every row is 1 vᵀ, to every column v 1ᵀ."""
        if whole.rank == 1 and part.rank == 0 and part.op in ("matmul", "inner", "trace", "sum", "mean", "norm"):
            return joined([self.bracketed(self.matrixed(part), PRODUCT), r"\mathbf{1}"]), PRODUCT
        if whole.rank == 2 and part.rank == 1:
            return joined([r"\mathbf{1}", self.transposed(part)]), PRODUCT
        if part.op == "newaxis" and part.data[0] == (False, True):
            return joined([self.factor(part.args[0]), r"\mathbf{1}^{\top}"]), PRODUCT
        if part.op == "newaxis" and part.data[0] == (True, False):
            return joined([r"\mathbf{1}", self.transposed(part.args[0])]), PRODUCT
        return self.matrixed(part)

    def write_neg(self, expr: Expr) -> Written:
        return f"-{self.bracketed(self.matrixed(expr.args[0]), PRODUCT)}", SIGN

    def write_mul(self, expr: Expr) -> Written:
        """Scalars first; matrices by ⊙; a vector that scales rows or columns is a diagonal matrix."""
        scalars, matrices, rows, columns = [], [], [], []
        for e in factors_of(expr):
            if e.rank == 0:
                scalars.append(e)
            elif e.rank < expr.rank:
                columns.append(e)
            elif e.op == "newaxis" and e.data[0] == (False, True):
                rows.append(e.args[0])
            else:
                matrices.append(e)
        if expr.rank != 2 or not matrices:
            matrices, rows, columns = [e for e in factors_of(expr) if e.rank], [], []
        parts = [self.bracketed(self.matrixed(e), POWER) for e in matrices]
        arrays, precedence = r" \odot ".join(parts), ENTRYWISE
        if len(matrices) == 1:
            arrays, precedence = self.matrixed(matrices[0])
        if rows or columns:
            middle = self.bracketed((arrays, precedence), PRODUCT)
            arrays = joined([*map(self.diagonal, rows), middle, *map(self.diagonal, columns)])
            precedence = PRODUCT
        if not scalars:
            return arrays, precedence
        sign, front = self.scalars(scalars, last=not matrices)
        tail = [self.bracketed((arrays, precedence), PRODUCT)] if matrices else []
        return sign + joined([*front, *tail]), SIGN if sign else PRODUCT

    def diagonal(self, vector: Expr) -> str:
        """Return the matrix with a vector on its diagonal."""
        return rf"\operatorname{{diag}}{brackets(self.matrix(vector))}"

    def scalars(self, parts: Sequence[Expr], last: bool) -> tuple[str, list[str]]:
        """Return the sign of a product of numbers, and its factors; a sum that stands last needs no brackets."""
        sign = ""
        written: list[str] = []
        for place, e in enumerate(parts, 1):
            text, precedence = self.matrixed(e)
            if last and place == len(parts) and e.op == "sum_over":
                precedence = PRODUCT
            if precedence == SIGN and text.startswith("-") and not written:
                sign, text = "-", text[1:]
                precedence = PRODUCT
            inner = e.op in ("matmul", "inner") and not (last and place == len(parts))  # uᵀc, before an array
            written.append(text if precedence >= PRODUCT and not inner else brackets(text))
        return sign, [t for t in written if t != "1"] or ["1"]

    def write_div(self, expr: Expr) -> Written:
        a, b = expr.args
        if a.rank == 2 and b.op == "newaxis" and b.data[0] == (False, True):
            return joined([self.diagonal(b.args[0]) + "^{-1}", self.factor(a)]), PRODUCT
        if a.rank == 2 and b.rank == 1:
            return joined([self.factor(a), self.diagonal(b) + "^{-1}"]), PRODUCT
        if a.rank and b.rank:
            left, right = (self.bracketed(self.matrixed(x), POWER) for x in (a, b))
            return rf"{left} \oslash {right}", ENTRYWISE
        if a.rank > 0 and b.op in ("number", "size"):
            return self.number_in_front(a, b)
        return rf"\frac{{{self.matrix(a)}}}{{{self.matrix(b)}}}", PRODUCT

    def number_in_front(self, array: Expr, below: Expr) -> Written:
        """Return an array over a number: its own number stands above, `2 X v / n` as 2/n X v."""
        first, *others = factors_of(array)
        if first.op == "number" and first.data[0].denominator == 1 and others:
            rest = others[0]
            for e in others[1:]:
                rest = Expr("mul", (rest, e), (), array.axes)
            sign = "-" if first.data[0] < 0 else ""
            text = rf"\tfrac{{{abs(first.data[0])}}}{{{self.matrix(below)}}}"
            return sign + joined([text, self.bracketed(self.matrixed(rest), PRODUCT)]), SIGN if sign else PRODUCT
        return rf"\tfrac{{1}}{{{self.matrix(below)}}}\,{self.factor(array)}", PRODUCT

    def write_matmul(self, expr: Expr) -> Written:
        a, b = expr.args
        if a.rank == 2 and a.op in ("neg", "matmul"):
            text, precedence = self.matrixed(a)
            if precedence == SIGN:  # Python reads -A @ B as (-A) @ B; on paper the sign needs no brackets
                return joined([text, self.factor(b)]), SIGN
        if a.rank == 1 and b.rank == 1:
            return joined([self.row(a), self.column(b)]), PRODUCT
        if a.rank == 1:  # the vector v A stands as the column Aᵀ v
            return joined([self.transposed(b), self.column(a)]), PRODUCT
        return joined([self.factor(a), self.column(b) if b.rank == 1 else self.factor(b)]), PRODUCT

    def column(self, vector: Expr) -> str:
        """Return a vector as a column, as the last factor of a product."""
        return self.factor(vector)

    def row(self, vector: Expr) -> str:
        """Return a vector as a row, as the first factor of a product: `x A` as xᵀ A."""
        if vector.op == "matmul" and vector.args[0].rank == 1:
            return joined([self.row(vector.args[0]), self.factor(vector.args[1])])
        return self.transposed(vector)

    def factor(self, expr: Expr) -> str:
        """Return a factor of a matrix product; entrywise products are bracketed inside of it."""
        return self.bracketed(self.matrixed(expr), PRODUCT)

    def transposed(self, expr: Expr) -> str:
        if expr.op == "inv" and expr.args[0].op != "transpose":
            return self.inverse(expr.args[0], r"-\top")
        text, precedence = self.matrixed(expr)
        return (text if precedence == ATOM and "^" not in text else brackets(text)) + r"^{\top}"

    def write_transpose(self, expr: Expr) -> Written:
        if expr.data:
            order = "".join(map(str, expr.data[0]))
            return self.transposed(expr.args[0]).removesuffix("}") + f"({order})}}", POWER
        return self.transposed(expr.args[0]), POWER

    def write_power(self, expr: Expr) -> Written:
        (base,) = expr.args
        exponent = expr.data[0]
        circ = r"\odot " if base.rank else ""
        if base.op == "norm":
            return f"{self.matrix(base)}^{{{self.fraction(exponent)}}}", POWER
        if exponent < 0 and not base.rank:
            low = self.matrix(base) if exponent == -1 else f"{self.powered(base)}^{{{self.fraction(-exponent)}}}"
            return rf"\frac{{1}}{{{low}}}", PRODUCT
        return f"{self.powered(base)}^{{{circ}{self.fraction(exponent)}}}", POWER

    def powered(self, expr: Expr) -> str:
        text, precedence = self.matrixed(expr)
        return text if precedence == ATOM and expr.op in ("var", "defined", "norm") else brackets(text)

    def write_general_power(self, expr: Expr) -> Written:
        return f"{self.powered(expr.args[0])}^{{{self.matrix(expr.args[1])}}}", POWER

    def write_map(self, expr: Expr) -> Written:
        name, order = expr.data
        arg = self.matrix(expr.args[0])
        if name == "abs":
            return rf"\left|{arg}\right|", ATOM
        return self.function(name, order) + brackets(arg), ATOM

    def write_sqrt(self, expr: Expr) -> Written:
        return rf"\sqrt{{{self.matrix(expr.args[0])}}}", ATOM

    def write_norm(self, expr: Expr) -> Written:
        mark = "" if expr.args[0].rank == 1 else "_F"
        return rf"\left\lVert {self.matrix(expr.args[0])}\right\rVert{mark}", ATOM

    def write_inv(self, expr: Expr) -> Written:
        (matrix,) = expr.args
        if matrix.op == "transpose" and not matrix.data and matrix.args[0].op != "inv":
            return self.inverse(matrix.args[0], r"-\top"), POWER
        return self.inverse(matrix, "-1"), POWER

    def inverse(self, matrix: Expr, exponent: str) -> str:
        """Return the inverse of a matrix, or the transpose of its inverse."""
        text, precedence = self.matrixed(matrix)
        return (text if precedence == ATOM and "^" not in text else brackets(text)) + f"^{{{exponent}}}"

    def write_solve(self, expr: Expr) -> Written:
        return joined(
            [self.write_inv(Expr("inv", expr.args[:1], (), expr.args[0].axes))[0], self.factor(expr.args[1])]
        ), PRODUCT

    def write_matrix_power(self, expr: Expr) -> Written:
        (exponent,) = expr.data
        shown = str(exponent) if isinstance(exponent, int) else self.size(exponent)
        return f"{self.powered(expr.args[0])}^{{{shown}}}", POWER

    def write_outer(self, expr: Expr) -> Written:
        return joined([self.factor(expr.args[0]), self.transposed(expr.args[1])]), PRODUCT

    def write_inner(self, expr: Expr) -> Written:
        return joined([self.transposed(expr.args[0]), self.factor(expr.args[1])]), PRODUCT

    def write_kron(self, expr: Expr) -> Written:
        a, b = (self.bracketed(self.matrixed(x), POWER) for x in expr.args)
        return rf"{a} \otimes {b}", ENTRYWISE

    def write_sum(self, expr: Expr) -> Written:
        (arg,) = expr.args
        if not expr.data:
            return rf"\mathbf{{1}}^{{\top}} {self.factor(arg)}" + (r"\,\mathbf{1}" if arg.rank == 2 else ""), PRODUCT
        if arg.rank == 2:
            if expr.data[0] % 2 == 0:
                return rf"{self.transposed(arg)}\,\mathbf{{1}}", PRODUCT
            return rf"{self.factor(arg)}\,\mathbf{{1}}", PRODUCT
        return rf"\operatorname{{sum}}_{{{expr.data[0]}}}{brackets(self.matrix(arg))}", ATOM

    def write_newaxis(self, expr: Expr) -> Written:
        return self.matrixed(expr.args[0])

    def write_eye(self, expr: Expr) -> Written:
        return f"I_{{{self.size(expr.data[0])}}}", ATOM

    def write_ones(self, expr: Expr) -> Written:
        return rf"\mathbf{{1}}_{{{self.shape(expr.data[0])}}}", ATOM

    def write_zeros(self, expr: Expr) -> Written:
        return rf"\mathbf{{0}}_{{{self.shape(expr.data[0])}}}", ATOM

    def shape(self, shape: Sequence[Any]) -> str:
        """Return a shape: n × m."""
        return r"\times ".join(self.size(s) for s in shape)

    def write_where(self, expr: Expr) -> Written:
        left, right, yes, no = map(self.matrix, expr.args)
        test = f"{left} {RELATIONS[expr.data[0]]} {right}"
        return rf"\begin{{cases}} {yes} & \text{{if }} {test} \\ {no} & \text{{else}} \end{{cases}}", ATOM

    def write_einsum(self, expr: Expr) -> Written:
        """Print an einsum in index notation: `Σ_q A_iq B_qj` with its free indices in brackets before."""
        inputs, output = expr.data[0].split("->")
        factors = []
        for letters, a in zip(inputs.split(","), expr.args, strict=True):
            if a.op == "eye":
                factors.append(rf"\delta_{{{letters}}}")
            elif a.op == "others":
                factors.append(brackets(self.product_at(a, letters, set(inputs))))
            else:
                factors.append(self.entry_at(a, letters))
        bound = [c for c in dict.fromkeys(inputs.replace(",", "")) if c not in output]
        body = joined(factors)
        if bound:
            body = rf"\sum_{{{','.join(bound)}}} {body}"
        return (rf"\Bigl[{body}\Bigr]_{{{output}}}" if output else body), ATOM if output else PRODUCT

    def entry_at(self, expr: Expr, labels: Sequence[str]) -> str:
        """Return the entry of an array at labels."""
        text, precedence = self.matrixed(expr)
        head = text if precedence == ATOM and "_" not in text else brackets(text)
        return f"{head}_{{{self.subscript(labels)}}}"

    def product_at(self, expr: Expr, labels: Sequence[str], taken: Iterable[str] = ()) -> str:
        """Return the entry of a product that leaves entries out."""
        (x,), (over, _) = expr.args, expr.data
        used = {*taken, *names_in(x)}
        return others.product(labels, x.rank, over, lambda at: self.entry_at(x, at), self.subscript, used)

    def write_others(self, expr: Expr) -> Written:
        """Print the array in index notation, its indices behind brackets."""
        used = names_in(expr)
        labels = "".join([c for c in others.FREE if c not in used][: expr.rank])
        return rf"\Bigl[{self.product_at(expr, labels)}\Bigr]_{{{labels}}}", ATOM

    def write_reshape(self, expr: Expr) -> Written:
        return rf"\operatorname{{reshape}}_{{{self.shape(expr.data[0])}}}{brackets(self.matrix(expr.args[0]))}", ATOM

    def write_entry(self, expr: Expr) -> Written:
        text, precedence = self.matrixed(expr.args[0])
        names = [":" if n is None else self.name(n) for n in expr.data]
        plain = all(len(n.rstrip("'")) == 1 for n in names)
        head = text if precedence == ATOM and "_" not in text else brackets(text)
        return f"{head}_{{{('' if plain else ',').join(names)}}}", ATOM

    def write_delta(self, expr: Expr) -> Written:
        return rf"\delta_{{{self.subscript(expr.data)}}}", ATOM

    def write_sum_over(self, expr: Expr) -> Written:
        names = ",".join(self.name(n) for n in expr.data)
        return rf"\sum_{{{names}}} {self.bracketed(self.matrixed(expr.args[0]), PRODUCT)}", SIGN

    def write_diff(self, expr: Expr) -> Written:
        f, *variables = expr.args
        order = f"^{{{len(variables)}}}" if len(variables) > 1 else ""
        below = r"\,".join(rf"\partial {self.matrix(x)}" for x in variables)
        text, precedence = self.matrixed(f)
        if precedence < ATOM:
            return rf"\frac{{\partial{order}}}{{{below}}}{brackets(text)}", PRODUCT
        return rf"\frac{{\partial{order} {text}}}{{{below}}}", PRODUCT


def names_in(expr: Expr) -> set[str]:
    """Return the names of the arrays in an expression, and of the sizes of its axes."""
    arrays = {e.name for e in walk(expr) if e.op in ("var", "defined")}
    return arrays | {str(s) for size in expr.shape for s in size.free_symbols}


def factors_of(expr: Expr) -> list[Expr]:
    """Return the factors of a product written with `*`."""
    if expr.op != "mul":
        return [expr]
    return [f for a in expr.args for f in factors_of(a)]


def joined(parts: Sequence[str]) -> str:
    """Join factors with a thin space; two numerals are kept apart by a dot."""
    text = ""
    for part in parts:
        if text and part:
            text += r" \cdot " if text[-1].isdigit() and part[0].isdigit() else r"\,"
        text += part
    return text


def brackets(text: str) -> str:
    """Return the text in brackets that grow with it."""
    tall = any(word in text for word in (r"\frac", r"\sum", r"\prod", r"\cases", r"\left", r"\Bigl"))
    return rf"\left({text}\right)" if tall else f"({text})"


def _is_divisor(expr: Any) -> bool:
    return isinstance(expr, Power) and isinstance(expr.exponent, sympy.Rational) and expr.exponent < 0


def _is_short(expr: Any) -> bool:
    return isinstance(expr, (Entry, sympy.Rational)) or (
        isinstance(expr, Times) and all(isinstance(a, (Entry, sympy.Rational)) for a in expr.args)
    )
