"""The statement language, read with `ast` against a whitelist: a block of text to statements.

Each statement keeps where it stands, so that every error can point there.
"""

from __future__ import annotations

import ast
import re

from symderiv import dims
from symderiv.errors import ShapeError, SymderivError, UnsupportedError
from symderiv.latex.chains import Equality, read_chains
from symderiv.latex.source import Within
from symderiv.statements.declarations import DeclarationReader
from symderiv.statements.members import World
from symderiv.statements.statement import RESERVED, Function, Given, Names, Neglected, Statement
from symderiv.tensor.expr import Expr
from symderiv.tensor.syntax import LAMBDA, check_bounds, statement_tree


def read_block(text: str, names: Names, source: str = "", first_line: int = 1) -> list[Statement]:
    r"""Return the statements of a block; `names` is extended by what they name.

    >>> names = Names()
    >>> [s.kind for s in read_block("D: (m, n)\nW: (n, p)\nA = D @ W", names)]
    ['declare', 'declare', 'define']
    """
    check_bounds(text, source)
    padded = "\n" * (first_line - 1) + text
    tree = statement_tree(padded, source)
    reader = BlockReader(padded, names, source)
    return [s for node in tree.body for s in reader.statement(node)]


class BlockReader(DeclarationReader):
    """Reads statements; expressions are read by the parser it extends."""

    def __init__(self, text: str, names: Names, source: str, world: World | None = None) -> None:
        super().__init__(text, names, source, world)
        self.claimed = False  # whether a claim was read in this block

    def statement(self, node: ast.stmt) -> list[Statement]:
        """Return what one statement says; a loop or a `with` says what stands in it."""
        try:
            match node:
                case ast.AnnAssign(target=ast.Name(id=name), value=None, simple=1):
                    return [self.declare(node, name, node.annotation)]
                case ast.AnnAssign(target=ast.Subscript(value=ast.Name(id=name)) as target, value=None):
                    return [self.declare_member(node, name, target.slice, node.annotation)]
                case ast.Assign(targets=[ast.Name(id=name)]):
                    return [self.define(node, name, node.value)]
                case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name)) as target]):
                    return [self.define_member(node, name, target.slice, node.value)]
                case ast.FunctionDef():
                    return [self.function(node)]
                case ast.Assert(test=ast.Compare(ops=[ast.GtE() | ast.Gt()])):
                    return [self.least(node)]
                case ast.Assert(test=ast.Call(func=ast.Name(id="latex")) as call):
                    return self.in_latex(node, call, negated=False)
                case ast.Assert(test=ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Name(id="latex")) as call)):
                    return self.in_latex(node, call, negated=True)
                case ast.Assert():
                    return [self.claim(node)]
                case ast.For(target=ast.Name(id=name), orelse=[]):
                    range_, _ = self.range(name, node.iter)
                    self.not_empty(node.iter, range_)
                    with self.inside(range_), self.announced(node.body):
                        return [s for inner in node.body for s in self.statement(inner)]
                case ast.With(items=[ast.withitem(context_expr=ast.Call() as call, optional_vars=None)]):
                    return self.under(call, node.body)
                case ast.Expr(value=ast.Call(func=ast.Name(id="code")) as call):
                    return [self.code(node, call)]
                case ast.Expr(value=ast.Call(func=ast.Name(id="table"))):
                    return [self.tabled(node)]
                case ast.Expr(value=ast.Compare(ops=[ast.Eq()])):
                    self.refuse(
                        node, "an equation alone says nothing", "a claim begins with assert; a definition has one ="
                    )
                case ast.Expr(value=ast.Lambda()):
                    self.refuse(node, "lambda cannot be a name", LAMBDA)
                case ast.Expr():
                    expr = self.read(node.value)
                    return [self.said("show", node, exprs=(expr,), text=ast.unparse(node.value))]
        except SymderivError as err:
            raise err.at(self.place(node)) from None
        said = _SAID.get(type(node), f"this use of {type(node).__name__}")
        self.refuse(node, f"{said} is not part of the statement language")

    def under(self, call: ast.Call, body: list[ast.stmt]) -> list[Statement]:
        """Return what is said under a hypothesis or an approximation."""
        match call:
            case ast.Call(func=ast.Name(id="given"), args=conditions, keywords=[]) if conditions:
                new = [self.hypothesis(c) for c in conditions]
                self.given += new
                try:
                    return [s for inner in body for s in self.statement(inner)]
                finally:
                    del self.given[len(self.given) - len(new) :]
            case ast.Call(func=ast.Name(id="neglecting"), args=[_] | [_, _]):
                self.neglected.append(self.neglect(call))
                try:
                    return [s for inner in body for s in self.statement(inner)]
                finally:
                    self.neglected.pop()
        self.refuse(call, "a with block is one of given(…) or neglecting(…)")

    def hypothesis(self, node: ast.expr) -> Given:
        """Return `left == right` or an inequality as a hypothesis."""
        if not (isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in HYPOTHESES):
            self.refuse(node, "a hypothesis is an equation or an inequality", "write given(A @ B == B @ A)")
        left, right = self.read(node.left), self.read(node.comparators[0])
        if left.shape != right.shape and right.rank:
            shapes = {"left": dims.written(left.shape), "right": dims.written(right.shape)}
            raise ShapeError("the two sides of a hypothesis need equal shapes", place=self.place(node), shapes=shapes)
        return Given(HYPOTHESES[type(node.ops[0])], left, right, ast.unparse(node))

    def neglect(self, call: ast.Call) -> Neglected:
        """Return the term that counts as 0, with its condition and its reason."""
        because = ""
        for k in call.keywords:
            if k.arg != "because" or not (isinstance(k.value, ast.Constant) and isinstance(k.value.value, str)):
                self.refuse(call, "neglecting takes a term, a condition and because=", 'because="residuals are small"')
            because = k.value.value
        apart: tuple[str, str] | None = None
        if len(call.args) == 2:
            match call.args[1]:
                case ast.Compare(left=ast.Name() as i, ops=[ast.NotEq()], comparators=[ast.Name() as j]):
                    apart = (self.index_name(i), self.index_name(j))
                case _:
                    self.refuse(call.args[1], "the condition is that two indices differ", "write k != k_")
        return Neglected(self.read(call.args[0]), apart, because, ast.unparse(call.args[0]))

    def least(self, node: ast.Assert) -> Statement:
        """Return a hypothesis about an integer parameter: `assert T >= 2`."""
        match node.test:
            case ast.Compare(left=ast.Name(id=name), ops=[ast.GtE() | ast.Gt() as op], comparators=[bound]):
                low = self.integer(bound, "the least value of a parameter") + isinstance(op, ast.Gt)
                if self.claimed:
                    self.refuse(node, "a hypothesis stands before the claims that it is one of", "put it first")
                if name not in self.scope.sizes:
                    if self.names.taken(name):
                        self.refuse(
                            node.test, f"{name} is no integer parameter", "write assert T >= 2, T the end of a range"
                        )
                    self.scope.sizes[name] = dims.symbol(name)
                self.families.least[name] = max(low, self.families.least.get(name, low))
                return self.said("least", node, name=name, text=ast.unparse(node.test))
        self.refuse(node.test, "a claim is one equation, left == right")

    def code(self, node: ast.stmt, call: ast.Call) -> Statement:
        """Return a request for checked code: `code(expr, …, cost=…)`."""
        label, cost = "", None
        for k in call.keywords:
            if k.arg == "label" and isinstance(k.value, ast.Constant) and isinstance(k.value.value, str):
                label = k.value.value
            elif k.arg == "cost":
                self.whole_number(k.value)  # made of sizes
                cost = self.read(k.value)
            else:
                self.refuse(call, "code takes expressions, and cost= and label=", 'write code(diff(E, W), label="L2")')
        if not call.args:
            self.refuse(call, "code takes the expressions to be computed", "write code(diff(E, W))")
        exprs = tuple(self.read(a) for a in call.args)
        return self.said("code", node, exprs=exprs, label=label, cost=cost, text=ast.unparse(call))

    def tabled(self, node: ast.stmt) -> Statement:
        """Return a request for a table of numbers: `table(expr, …, minimum=(E, w), sizes={N: 8}, label="…")`."""
        assert isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        call, label = node.value, ""
        minimum: tuple[Expr, ...] = ()
        sizes: list[tuple[str, int]] = []
        for k in call.keywords:
            match k:
                case ast.keyword(arg="label", value=ast.Constant(value=str(text))):
                    label = text
                case ast.keyword(arg="minimum", value=ast.Tuple(elts=[_, _, *_] as parts)):
                    minimum = tuple(self.read(part) for part in parts)
                case ast.keyword(arg="sizes", value=ast.Dict(keys=keys, values=values)):
                    sizes += [(self.size_name(n), self.integer(v, "a size")) for n, v in zip(keys, values, strict=True)]
                case _:
                    hint = 'write table(diff(E, w, w), minimum=(E, w), sizes={N: 8}, label="H25")'
                    self.refuse(call, "table takes expressions, and minimum=, sizes= and label=", hint)
        if not call.args:
            self.refuse(call, "table takes the expressions to be computed", "write table(diff(E, W), sizes={n: 3})")
        if minimum and (minimum[0].rank or any(w.op != "var" for w in minimum[1:])):
            self.refuse(call, "a number is minimised, in declared arrays", "write minimum=(E, w1, w2)")
        exprs = tuple(self.read(a) for a in call.args)
        if len({e.shape for e in exprs}) > 1:
            shapes = {f"column {n}": dims.written(e.shape) for n, e in enumerate(exprs, start=1)}
            raise ShapeError("the columns of a table need equal shapes", place=self.place(call), shapes=shapes)
        text = ast.unparse(call)
        return self.said("table", node, exprs=exprs, label=label, minimum=minimum, sizes=tuple(sizes), text=text)

    def size_name(self, node: ast.expr | None) -> str:
        """Return the name of a size that gets a value."""
        if isinstance(node, ast.Name) and node.id in self.scope.sizes:
            return node.id
        self.refuse(node or ast.Constant(None), "sizes= gives values to sizes by name", "write sizes={N: 8}")

    # -- claims

    def claim(self, node: ast.Assert) -> Statement:
        test, negative = node.test, False
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test, negative = test.operand, True
        if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)):
            self.refuse(node.test, "a claim is one equation, left == right")
        label = ""
        if node.msg is not None:
            if not (isinstance(node.msg, ast.Constant) and isinstance(node.msg.value, str)):
                self.refuse(node.msg, "the label of a claim is a text")
            label = node.msg.value
        error, self.claimed = None, True
        sides: tuple[Expr, ...] = ()
        try:
            sides = self.sides(test)
        except ShapeError as err:
            if not negative:
                raise
            error = err
        text = ast.unparse(test)
        return self.said("claim", node, exprs=sides, label=label, negated=negative, text=text, error=error)

    def in_latex(self, node: ast.Assert, call: ast.Call, negated: bool) -> list[Statement]:
        r"""Return the claims of `assert latex(r"a = b = c"), "L2"`: L2.1 and L2.2, one for each equality."""
        match call:
            case ast.Call(args=[ast.Constant(value=str(text)) as constant], keywords=[]):
                within = self.raw_text(constant, text)
            case _:
                self.refuse(call, "latex takes one text", 'write assert latex(r"\\frac{\\partial E}{\\partial b} = c")')
        found = read_chains(text, self, self.names.display, self.file, within)
        if negated and len(found) > 1:
            self.refuse(call, "which of these equalities is wrong?", "one equality stands under not")
        return [self.equality(node, e, k if len(found) > 1 else 0, negated) for k, e in enumerate(found, 1)]

    def equality(self, node: ast.Assert, e: Equality, number: int, negated: bool) -> Statement:
        """Return one equality of a chain as a claim."""
        msg = node.msg
        if number and isinstance(msg, ast.Constant) and isinstance(msg.value, str) and msg.value.strip():
            first, *rest = msg.value.split(" ", 1)
            msg = ast.copy_location(ast.Constant(value=" ".join([f"{first}.{number}", *rest])), msg)
        error = e.error or e.misfit
        if e.test is None or error is not None:
            if not negated or not isinstance(error, ShapeError):
                raise error or UnsupportedError("this equality is not read", place=e.place)
            label = msg.value if isinstance(msg, ast.Constant) and isinstance(msg.value, str) else ""
            self.claimed = True
            return self.said("claim", node, label=label, negated=True, text=str(e), error=error)
        test: ast.expr = ast.UnaryOp(op=ast.Not(), operand=e.test) if negated else e.test
        return self.claim(ast.copy_location(ast.Assert(test=ast.copy_location(test, e.test), msg=msg), e.test))

    def raw_text(self, constant: ast.Constant, text: str) -> Within:
        r"""Return where the inside of a text stands; it is a raw one, or `\f` would have another meaning."""
        place = self.place(constant)
        lines = self.text.split("\n")
        last = constant.end_lineno or place.line
        typed = "\n".join(lines[place.line - 1 : last])[place.column :]
        opening = re.match("[rR](\"{3}|'{3}|\"|')", typed)
        if opening is None or typed[opening.end() : opening.end() + len(text)] != text:
            self.refuse(constant, "LaTeX stands in one raw text", 'write r"…", or r""" before lines of their own """')
        return Within(self.text, place.line, place.column + opening.end())

    def sides(self, test: ast.Compare) -> tuple[Expr, Expr]:
        left, right = self.read(test.left), self.read(test.comparators[0])
        if left.shape != right.shape:
            raise ShapeError(
                "the two sides of a claim need equal shapes",
                place=self.place(test),
                shapes={"left": dims.written(left.shape), "right": dims.written(right.shape)},
                hint=OF_DERIVATIVES if _differentiates(test) else "",
            )
        return left, right


HYPOTHESES: dict[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
OF_DERIVATIVES = "a derivative has the shape of the function followed by the shape of each variable"
_SAID: dict[type[ast.stmt], str] = {
    ast.For: "a loop over anything but one name", ast.With: "this with block", ast.If: "a branch", ast.While: "a loop",
    ast.Import: "an import", ast.ImportFrom: "an import", ast.Delete: "del", ast.ClassDef: "a class",
    ast.AugAssign: "an augmented assignment", ast.AnnAssign: "a declaration with a value",
    ast.Assign: "an assignment to several names, or to a part of one", ast.Pass: "pass", ast.Return: "return",
    ast.Raise: "raise", ast.Try: "try", ast.Global: "global", ast.AsyncFunctionDef: "an asynchronous function",
}  # fmt: skip


def _differentiates(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Name) and part.id in ("diff", "partial") for part in ast.walk(node))


__all__ = [
    "RESERVED", "BlockReader", "Function", "Given", "Names", "Neglected", "Statement", "read_block",
]  # fmt: skip
