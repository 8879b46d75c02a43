r"""Matrix notation as LaTeX.

A vector stands as a column, so `x @ A` prints `A^\top x` only where a reader needs it; products keep the
order of the expression.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import groupby
from typing import Any

from symderiv.errors import UnsupportedError
from symderiv.families import Label
from symderiv.functions import FUNCTIONS
from symderiv.render import others
from symderiv.render.broadcasts import as_row, entry_of, is_column, is_narrower, needs_entries
from symderiv.render.labels import member
from symderiv.render.ranges import REACHING, RangesLatex
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
    braces,
    brackets,
    joined,
)
from symderiv.tensor.expr import Expr, walk

RAISED = frozenset(["var", "defined", "norm", "entry", "called"])  # an exponent stands on them as they are
AXES = frozenset(["softmax", "logsumexp", "mean", "prod"])


class MatrixLatex(RangesLatex):
    """Prints expressions of the matrix language."""

    def matrix(self, expr: Expr) -> str:
        """Return an expression in matrix notation."""
        try:
            return self.matrixed(expr)[0]
        except RecursionError:
            what = "the expression is nested too deeply for one formula"
            raise UnsupportedError(what, hint="statements() writes definitions first") from None

    def matrixed(self, expr: Expr) -> Written:
        """Return an expression in matrix notation with its precedence."""
        if expr in self.shorthand and not self.values:
            return self.shorthand[expr], ATOM
        if needs_entries(expr):
            return self.by_entries(expr)
        special: Callable[[Expr], Written] | None = getattr(self, f"write_{expr.op}", None)
        if special is not None:
            return special(expr)
        args = ", ".join(self.matrix(a) for a in expr.args)
        axis = f"_{{{expr.data[0]}}}" if expr.op in AXES and expr.data and expr.args[0].rank > 1 else ""
        return f"{WORDS.get(expr.op, self.symbol(expr.op))}{axis}{brackets(args)}", ATOM

    def by_entries(self, expr: Expr) -> Written:
        """Return an array with its entry in brackets, and its indices behind them."""
        used = names_in(expr)
        letters = [c for c in others.FREE if c not in used]
        labels, free = letters[: expr.rank], letters[expr.rank :]
        return rf"\Bigl[{self.matrix(entry_of(expr, labels, free))}\Bigr]_{{{''.join(labels)}}}", ATOM

    def write_var(self, expr: Expr) -> Written:
        return self.wholes.get(expr.name) or (self.name(expr.name), ATOM)

    write_defined = write_var

    def write_called(self, expr: Expr) -> Written:
        """Print a call; a function that is called with labels, to name members, stands like a family."""
        body, *args = expr.args
        if is_of_labels(expr):
            labels = ",".join(self.matrix(a) for a in args)
            return self.below(self.name(expr.name), labels), ATOM
        inside = ", ".join(self.matrix(a) for a in args)
        if body.op == "directional":
            return rf"\mathcal{{{expr.name}}}{braces(inside)}", ATOM
        return self.name(expr.name) + brackets(inside), ATOM

    def write_unknown(self, expr: Expr) -> Written:
        """Print a call of an unknown function, or its derivative in some of its arguments."""
        call = self.name(expr.name) + brackets(", ".join(self.matrix(a) for a in expr.args))
        slots = expr.data[1] if len(expr.data) > 1 else ()
        return self.slope(call, [expr.args[s] for s in slots]) if slots else (call, ATOM)

    def slope(self, of: str, variables: Sequence[Expr], mark: str = "") -> Written:
        """Return a derivative of what is written already."""
        above = (str(len(variables)) if len(variables) > 1 else "") + mark
        order = f"^{{{above}}}" if above else ""
        return rf"\frac{{\partial{order} {of}}}{{{self.differentials(variables)}}}", PRODUCT

    def write_number(self, expr: Expr) -> Written:
        return self.fraction(expr.data[0]), ATOM if expr.data[0] >= 0 else SIGN

    def write_size(self, expr: Expr) -> Written:
        text = self.size(expr.data[0])
        return text, SUM if "+" in text or "-" in text else ATOM

    def write_add(self, expr: Expr) -> Written:
        a, b = expr.args
        right = self.spread(b, expr)[0]
        return (
            f"{self.spread(a, expr)[0]} {right.replace('-', '- ', 1) if right.startswith('-') else '+ ' + right}",
            SUM,
        )

    def write_sub(self, expr: Expr) -> Written:
        a, b = expr.args
        text, precedence = self.spread(b, expr)
        right = text if b.op in REACHING else self.bracketed((text, precedence), ENTRYWISE)
        return f"{self.spread(a, expr)[0]} - {right}", SUM

    def spread(self, part: Expr, whole: Expr) -> Written:
        """Return a term of a sum; a vector that is added to every row is 1 vᵀ, to every column v 1ᵀ."""
        if whole.rank == 1 and part.rank == 0 and part.op in ("matmul", "inner", "trace", "sum", "mean", "norm"):
            return joined([self.bracketed(self.matrixed(part), PRODUCT), r"\mathbf{1}"]), PRODUCT
        if whole.rank == 2 and is_narrower(part, whole):
            vector = as_row(part)
            if vector is not None:
                return joined([r"\mathbf{1}", self.transposed(vector)]), PRODUCT
            return joined([self.factor(part.args[0]), r"\mathbf{1}^{\top}"]), PRODUCT
        return self.matrixed(part)

    def write_neg(self, expr: Expr) -> Written:
        (inner,) = expr.args
        text, precedence = self.matrixed(inner)
        return f"-{text if inner.op in REACHING else self.bracketed((text, precedence), PRODUCT)}", SIGN

    def write_mul(self, expr: Expr) -> Written:
        """Scalars first; matrices by ⊙; a vector that scales rows or columns is a diagonal matrix."""
        scalars, matrices, rows, columns = [], [], [], []
        for e in factors_of(expr):
            if e.rank == 0:
                scalars.append(e)
            elif is_narrower(e, expr) and is_column(e):
                rows.append(e.args[0])
            elif is_narrower(e, expr):
                columns.append(as_row(e) or e)
            else:
                matrices.append(e)
        if rows and columns and not matrices:
            matrices, rows, columns = [Expr("outer", (product(rows), product(columns)), (), expr.axes)], [], []
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
            if last and place == len(parts) and e.op in REACHING:
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
        if a.op in REACHING and b.op == "number":
            return rf"\tfrac{{1}}{{{self.matrix(b)}}}\,{self.matrix(a)}", SIGN
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
        if a.rank == 1 and b.rank == 1:
            return joined([self.row(a), self.column(b)]), PRODUCT
        if a.rank == 1:  # the vector v A stands as the column Aᵀ v
            return joined([self.transposed(b), self.column(a)]), PRODUCT
        right = self.column(b) if b.rank == 1 else self.factor(b)
        if a.op not in ("neg", "matmul"):
            return joined([self.factor(a), right]), PRODUCT
        left = self.matrixed(a)
        if left[1] == SIGN:  # Python reads -A @ B as (-A) @ B; on paper the sign needs no brackets
            return joined([left[0], right]), SIGN
        return joined([self.bracketed(left, PRODUCT), right]), PRODUCT

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
        if expr.op == "newaxis" and expr.data[0] == (True, False):
            return self.transposed(expr.args[0])
        return self.bracketed(self.matrixed(expr), PRODUCT)

    def transposed(self, expr: Expr) -> str:
        if expr.op == "inv" and expr.args[0].op != "transpose":
            return self.inverse(expr.args[0], r"-\top")
        return self.raisable(self.matrixed(expr)) + r"^{\top}"

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
        written = self.matrixed(expr)
        if expr.op == "map" and (expr.name == "abs" or expr.name not in FUNCTIONS) and written[1] == ATOM:
            return written[0]
        bare = expr.op in RAISED or (expr.op == "size" and expr.data[0].is_Symbol)
        return self.raisable(written) if bare else brackets(written[0])

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
        return f"{self.raisable(self.matrixed(matrix))}^{{{exponent}}}"

    def write_solve(self, expr: Expr) -> Written:
        return joined(
            [self.write_inv(Expr("inv", expr.args[:1], (), expr.args[0].axes))[0], self.factor(expr.args[1])]
        ), PRODUCT

    def write_matrix_power(self, expr: Expr) -> Written:
        (exponent,) = expr.data
        shown = str(exponent) if isinstance(exponent, int) else self.size(exponent)
        return f"{self.powered(expr.args[0])}^{{{shown}}}", POWER

    def write_outer(self, expr: Expr) -> Written:
        return joined([self.factor(expr.args[0]), self.row(expr.args[1])]), PRODUCT

    def write_inner(self, expr: Expr) -> Written:
        return joined([self.transposed(expr.args[0]), self.factor(expr.args[1])]), PRODUCT

    def write_kron(self, expr: Expr) -> Written:
        a, b = (self.bracketed(self.matrixed(x), POWER) for x in expr.args)
        return rf"{a} \otimes {b}", ENTRYWISE

    def write_sum(self, expr: Expr) -> Written:
        (arg,) = expr.args
        if not expr.data and arg.rank < 3:
            return rf"\mathbf{{1}}^{{\top}} {self.factor(arg)}" + (r"\,\mathbf{1}" if arg.rank == 2 else ""), PRODUCT
        if arg.rank == 2:
            if expr.data[0] % 2 == 0:
                return rf"{self.transposed(arg)}\,\mathbf{{1}}", PRODUCT
            return rf"{self.factor(arg)}\,\mathbf{{1}}", PRODUCT
        axis = f"_{{{expr.data[0]}}}" if expr.data else ""
        return rf"\operatorname{{sum}}{axis}{brackets(self.matrix(arg))}", ATOM

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
                factors.append(self.entry_at(a, letters, set(inputs)))
        bound = [c for c in dict.fromkeys(inputs.replace(",", "")) if c not in output]
        body = joined(factors)
        if bound:
            body = rf"\sum_{{{','.join(bound)}}} {body}"
        return (rf"\Bigl[{body}\Bigr]_{{{output}}}" if output else body), ATOM if output else PRODUCT

    def entry_at(self, expr: Expr, labels: Sequence[str], taken: Iterable[str] = ()) -> str:
        """Return the entry of an array at labels; letters that are taken name no index of its own."""
        if needs_entries(expr) and expr not in self.shorthand:
            used = {*names_in(expr), *labels, *taken}
            text, precedence = self.matrixed(entry_of(expr, labels, [c for c in others.FREE if c not in used]))
            return text if precedence >= PRODUCT else brackets(text)
        found = self.member_of(expr)
        if found is not None:
            return self.member(*found, labels)
        text, precedence = self.matrixed(expr)
        if expr in self.shorthand and text.endswith("}"):  # p_{1} with an index of its own
            return f"{text[:-1]},{self.subscript(labels)}}}"
        head = text if precedence == ATOM and "_" not in text else brackets(text)
        return f"{head}_{{{self.subscript(labels)}}}"

    def member_of(self, expr: Expr) -> tuple[str, Label] | None:
        """Return the family and the label of an array that is a member and prints as such."""
        return member(expr.name) if expr.op in ("var", "defined") and expr.name not in self.display else None

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
        return self.entry_at(expr.args[0], [":" if n is None else n for n in expr.data]), ATOM

    def write_delta(self, expr: Expr) -> Written:
        return rf"\delta_{{{self.subscript(expr.data)}}}", ATOM

    def write_sum_over(self, expr: Expr) -> Written:
        names = ",".join(self.name(n) for n in expr.data)
        return rf"\sum_{{{names}}} {self.running_body(expr.args[0])}", SIGN

    def write_diff(self, expr: Expr) -> Written:
        f, *variables = expr.args
        if f.op == "called" and len(f.args) == 2 and not f.rank and {*variables} == {f.args[1]} and len(variables) < 4:
            return f"{self.name(f.name)}{chr(39) * len(variables)}{brackets(self.matrix(f.args[1]))}", ATOM
        above = (str(len(variables)) if len(variables) > 1 else "") + ("+" if expr.data[0] == "immediate" else "")
        order = f"^{{{above}}}" if above else ""
        below = self.differentials(variables)
        text, precedence = self.matrixed(f)
        whole = rf"\frac{{\partial{order}}}{{{below}}}{brackets(text)}" if precedence < ATOM else (
            rf"\frac{{\partial{order} {text}}}{{{below}}}"
        )  # fmt: skip
        if expr.data[0] != "holding":
            return whole, PRODUCT
        return rf"\left.{whole}\right|_{{{', '.join(map(self.name, expr.data[1:]))}}}", PRODUCT

    def differentials(self, variables: Sequence[Expr]) -> str:
        """Return what stands below a derivative; a number that comes twice is written as a square."""
        parts = []
        for x, repeated in groupby(variables):
            times = len(list(repeated))
            written = self.matrixed(x)
            if times > 1 and not x.rank:
                parts.append(rf"\partial {self.raisable(written)}^{{{times}}}")
            else:
                parts += [rf"\partial {self.bracketed(written, ATOM)}"] * times
        return r"\,".join(parts)

    def write_directional(self, expr: Expr) -> Written:
        return rf"\mathcal{{R}}{braces(self.matrix(expr.args[0]))}", ATOM

    def write_block(self, expr: Expr) -> Written:
        (columns,) = expr.data
        texts = [self.matrix(a) for a in expr.args]
        rows = r" \\ ".join(" & ".join(texts[k : k + columns]) for k in range(0, len(texts), columns))
        return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}", ATOM

    def write_remainder(self, expr: Expr) -> Written:
        order = expr.data[0]
        return rf"O({self.matrix(expr.args[0])}{f'^{{{order}}}' if order > 1 else ''})", ATOM


def is_of_labels(expr: Expr) -> bool:
    """Tell whether a call has labels as its arguments and names members: `J(s)` for `partial(h[s], h[s - 1])`."""
    body, *args = expr.args
    if not args or any(a.op != "size" and not (a.op == "number" and a.data[0].denominator == 1) for a in args):
        return False
    return any(e.op in ("var", "defined") and member(e.name) is not None for e in walk(body))


def names_in(expr: Expr) -> set[str]:
    """Return the names of the arrays in an expression, and of the sizes of its axes."""
    arrays = {e.name for e in walk(expr) if e.op in ("var", "defined")}
    return arrays | {str(s) for size in expr.shape for s in size.free_symbols}


def product(vectors: Sequence[Expr]) -> Expr:
    """Return the entrywise product of vectors of one size."""
    return reduce(lambda a, b: Expr("mul", (a, b), (), a.axes), vectors)


def factors_of(expr: Expr) -> list[Expr]:
    """Return the factors of a product written with `*`."""
    if expr.op != "mul":
        return [expr]
    return [f for a in expr.args for f in factors_of(a)]
