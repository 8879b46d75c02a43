"""Claims made wrong: what differs from a claim by one slip of the pen.

`mutants(text)` yields the text of one block after the other in which one place of its last claim was changed:
a label or the end of a range moved by one, a factor or a term dropped, two factors exchanged, a transpose
removed, a product reversed, a prime moved, `diff` for `partial`, one array for another.  Most of them are false,
many do not even fit; those that are true are what a prover may prove.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator

Change = Callable[[ast.AST], list[ast.AST]]


def mutants(text: str) -> Iterator[str]:
    """Yield the texts of a block with one place of its last statement changed, each once."""
    *before, last = ast.parse(text).body
    start = "\n".join(map(ast.unparse, before))
    seen = {ast.unparse(last)}
    names = families(ast.parse(text))
    for path, change in places(last, names):
        for new in change:
            tree = copy.deepcopy(last)
            put(tree, path, new)
            found = ast.unparse(ast.fix_missing_locations(tree))
            if found not in seen:
                seen.add(found)
                yield f"{start}\n{found}"


def claims(text: str) -> Iterator[str]:
    """Yield each claim of a block with the definitions before it, and no other claim."""
    body = ast.parse(text).body
    kept: list[ast.stmt] = []
    for statement in body:
        found = list(single(statement))
        for one in found:
            yield "\n".join(map(ast.unparse, [*kept, one]))
        if not found and not (isinstance(statement, ast.Expr) and "code(" in ast.unparse(statement)):
            kept.append(statement)


def single(statement: ast.stmt) -> Iterator[ast.stmt]:
    """Yield a statement with one of its claims; a loop that defines has none."""
    match statement:
        case ast.Assert(test=ast.Compare(ops=[ast.Eq()])):
            yield statement
        case ast.For(body=body) | ast.With(body=body):
            for inner in body:
                for one in single(inner):
                    new = copy.copy(statement)
                    new.body = [one]
                    yield new


def families(tree: ast.AST) -> list[str]:
    """Return the names with a label."""
    found = {
        n.value.id: None
        for s in ast.walk(tree)
        if isinstance(s, ast.Assign | ast.AnnAssign)
        for n in ast.walk(s.targets[0] if isinstance(s, ast.Assign) else s.target)
        if isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name)
    }
    return list(found)


Path = tuple[tuple[str, int | None], ...]


def places(tree: ast.AST, names: list[str], path: Path = ()) -> Iterator[tuple[Path, list[ast.AST]]]:
    """Yield every place of a tree with what may stand there instead."""
    found = [new for change in CHANGES for new in change(tree)]
    found += other_names(tree, names)
    if found:
        yield path, found
    for field, value in ast.iter_fields(tree):
        if field in ("msg", "ctx", "target"):
            continue
        if isinstance(value, ast.AST):
            yield from places(value, names, (*path, (field, None)))
        elif isinstance(value, list):
            for k, part in enumerate(value):
                if isinstance(part, ast.AST):
                    yield from places(part, names, (*path, (field, k)))


def put(tree: ast.AST, path: Path, new: ast.AST) -> None:
    """Put something in at a place."""
    *way, (field, k) = path
    for name, at in way:
        tree = getattr(tree, name) if at is None else getattr(tree, name)[at]
    if k is None:
        setattr(tree, field, new)
    else:
        getattr(tree, field)[k] = new


def plus(node: ast.expr, by: int) -> ast.expr:
    """Return a label moved."""
    return ast.BinOp(node, ast.Add() if by > 0 else ast.Sub(), ast.Constant(abs(by)))


def labels(node: ast.AST) -> list[ast.AST]:
    """A label moved by one."""
    if not isinstance(node, ast.Subscript):
        return []
    if isinstance(node.slice, ast.Tuple):
        parts = node.slice.elts
        return [
            ast.Subscript(node.value, ast.Tuple([*parts[:k], parts[k + 1], parts[k], *parts[k + 2 :]]))
            for k in range(len(parts) - 1)
            if not isinstance(parts[k], ast.Slice) and not isinstance(parts[k + 1], ast.Slice)
        ]
    if isinstance(node.slice, ast.Slice):
        return []
    return [ast.Subscript(node.value, plus(node.slice, by)) for by in (1, -1)]


def factors(node: ast.AST) -> list[ast.AST]:
    """A factor or term dropped, two exchanged, a sign changed."""
    if not isinstance(node, ast.BinOp):
        return []
    match node.op:
        case ast.MatMult() | ast.Mult():
            return [node.left, node.right, ast.BinOp(node.right, node.op, node.left)]
        case ast.Add():
            return [node.left, node.right, ast.BinOp(node.left, ast.Sub(), node.right)]
        case ast.Sub():
            return [node.left, ast.BinOp(node.left, ast.Add(), node.right)]
        case ast.Pow():
            return [node.left, ast.BinOp(node.left, node.op, plus(node.right, 1))]
        case ast.Div():
            return [node.left]
    return []


def transposes(node: ast.AST) -> list[ast.AST]:
    """A transpose removed."""
    return [node.value] if isinstance(node, ast.Attribute) else []


def ranges(node: ast.AST) -> list[ast.AST]:
    """An end of a range moved, a product reversed."""
    match node:
        case ast.Call(func=ast.Name(id="range"), args=[low, high, *step]):
            moved: list[ast.AST] = [
                ast.Call(node.func, [plus(low, a) if a else low, plus(high, b) if b else high, *step], [])
                for a, b in ((1, 0), (-1, 0), (0, 1), (0, -1))
            ]
            if step:
                moved.append(ast.Call(node.func, [plus(high, 1), plus(low, 1)], []))
            return moved
    return []


def derivatives(node: ast.AST) -> list[ast.AST]:
    """A prime moved, `diff` for `partial`, nothing held."""
    match node:
        case ast.Call(func=ast.Name(id="diff"), args=[f], keywords=[]):
            return [ast.Call(node.func, [f, ast.Constant(2)], [])]
        case ast.Call(func=ast.Name(id="diff"), args=[f, x, *more], keywords=keywords):
            if keywords:
                return [ast.Call(node.func, node.args, [])]
            return [ast.Call(node.func, [f, x], [])] if more else [ast.Call(ast.Name("partial"), [f, x], [])]
        case ast.Call(func=ast.Name(id="partial"), args=args):
            return [ast.Call(ast.Name("diff"), args, [])]
    return []


def other_names(node: ast.AST, names: list[str]) -> list[ast.AST]:
    """One family for another."""
    match node:
        case ast.Subscript(value=ast.Name(id=name)) if name in names:
            return [ast.Subscript(ast.Name(other), node.slice) for other in names if other != name]
    return []


def doubled(node: ast.AST) -> list[ast.AST]:
    """One side twice."""
    match node:
        case ast.Compare(left=left, comparators=[right]):
            return [ast.Compare(left, node.ops, [ast.BinOp(ast.Constant(2), ast.Mult(), right)])]
    return []


CHANGES: tuple[Change, ...] = (labels, factors, transposes, ranges, derivatives, doubled)
