"""Slips in a module's source, as somebody might make them: `slips(source)` yields each, with the function it is in."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
Function = ast.FunctionDef


@dataclass(frozen=True)
class Slip:
    """A slip: its function by qualified name, the module's tree, what stands there and what is to stand there."""

    function: str
    line: int  # of the statement that it is in
    tree: ast.Module
    old: ast.AST
    new: ast.AST

    @property
    def code(self) -> CodeType:
        """Return the code of the function with the slip."""
        return code_of(compiled(self.tree, self.old, self.new), self.function)

    def __str__(self) -> str:
        return f"  - {ast.unparse(self.old)}\n  + {ast.unparse(self.new)}"


def slips(source: str) -> Iterator[Slip]:
    """Yield every slip in the functions of a module, in the order of the source."""
    tree = ast.parse(source)
    for name, function in functions(tree):
        for line, node in parts(function):
            for new in changes(node):
                yield Slip(name, line, tree, node, new)


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Yield the functions and methods of a module by qualified name; inner ones belong to their outer one."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")


def noting(source: str, hook: str) -> CodeType:
    """Return the code of a module that calls a hook with the line of each statement of a function before it is run."""
    tree = ast.parse(source)
    for _, function in functions(tree):
        for holder in list(ast.walk(function)):
            for field in ("body", "orelse", "finalbody"):
                statements = getattr(holder, field, None)
                if isinstance(statements, list):
                    noted = [(note(hook, s), s) for s in statements if isinstance(s, ast.stmt)]
                    setattr(holder, field, [s for pair in noted for s in pair] or statements)
    return compile(ast.fix_missing_locations(tree), "<noting>", "exec", dont_inherit=True)


def note(hook: str, statement: ast.stmt) -> ast.stmt:
    call = ast.Call(ast.Name(hook, ast.Load()), [ast.Constant(statement.lineno)], [])
    return ast.copy_location(ast.Expr(call), statement)


def parts(function: Function) -> Iterator[tuple[int, ast.AST]]:
    """Yield what is run of a function, with the line of its statement: no annotations, docstrings, messages."""
    for statement in function.body:
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            yield from run(statement, statement.lineno)


def run(node: ast.AST, line: int) -> Iterator[tuple[int, ast.AST]]:
    if isinstance(node, (ast.Raise, ast.Assert)):
        return
    if isinstance(node, ast.stmt):
        line = node.lineno
    if hasattr(node, "lineno"):
        yield line, node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "type_comment"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from run(child, line)


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a part of the source."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            yield ast.Compare(node.left, [COMPARISONS[type(op)]()], node.comparators)
        case ast.BinOp(op=op) if type(op) in OPERATORS:
            yield ast.BinOp(node.left, OPERATORS[type(op)](), node.right)
        case ast.BoolOp(op=op, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for k in range(len(values)):
                rest = [*values[:k], *values[k + 1 :]]
                yield ast.BoolOp(op, rest) if len(rest) > 1 else rest[0]
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
            if value > 0:
                yield ast.Constant(value - 1)
        case ast.IfExp(body=body, orelse=other):
            yield from (body, other)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Slice(lower=lower, upper=upper) if lower or upper:
            yield ast.Slice(None, None)
        case ast.Continue():
            yield ast.Break()
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            yield ast.Pass()
        case ast.Call(func=function, args=[first, second, *rest]) if ast.unparse(function) != "isinstance":
            starred = any(isinstance(a, ast.Starred) for a in (first, second))
            if not starred and ast.dump(first) != ast.dump(second):
                yield ast.Call(function, [second, first, *rest], node.keywords)


def compiled(tree: ast.Module, old: ast.AST, new: ast.AST) -> CodeType:
    """Return the code of a module in which one part stands for another."""

    class Put(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if node is old:
                return ast.copy_location(copy.deepcopy(new), node)
            fields = {}
            for field, value in ast.iter_fields(node):
                if isinstance(value, list):
                    fields[field] = [self.visit(v) if isinstance(v, ast.AST) else v for v in value]
                else:
                    fields[field] = self.visit(value) if isinstance(value, ast.AST) else value
            return ast.copy_location(type(node)(**fields), node)

    return compile(ast.fix_missing_locations(Put().visit(tree)), "<slip>", "exec", dont_inherit=True)


def code_of(module: CodeType, name: str) -> CodeType:
    """Return the code of a function, by qualified name."""
    for const in module.co_consts:
        if isinstance(const, CodeType):
            if const.co_qualname == name:
                return const
            if name.startswith(const.co_qualname + "."):
                return code_of(const, name)
    raise KeyError(name)
