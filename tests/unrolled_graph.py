"""The graph of a block at given lengths, by plain loops over its syntax tree: nothing of the engine is used."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

Node = tuple[str, int | None]
Values = Mapping[str, int]


def graph(text: str, values: Values) -> dict[Node, set[Node]]:
    """Return what the text of each member or plain definition names, at given lengths."""
    body = ast.parse(text).body
    found: dict[Node, set[Node]] = {}
    for statement, env in turns(body, dict(values)):
        if isinstance(statement, ast.Assign):
            found[node_of(statement.targets[0], env)] = set(named(statement.value, env))
    return found


def turns(body: list[ast.stmt], env: dict[str, int]) -> Iterator[tuple[ast.stmt, dict[str, int]]]:
    """Yield each statement in each turn of the loops around it."""
    for statement in body:
        if isinstance(statement, ast.For) and isinstance(statement.target, ast.Name):
            for k in run(statement.iter, env):
                yield from turns(statement.body, {**env, statement.target.id: k})
        else:
            yield statement, env


def run(node: ast.expr, env: Values) -> range:
    """Return the values of `range(…)`."""
    assert isinstance(node, ast.Call)
    return range(*(number(a, env) for a in node.args))


def number(node: ast.expr, env: Values) -> int:
    """Return the value of an integer expression."""
    match node:
        case ast.Constant(value=int() as value):
            return value
        case ast.Name(id=name):
            return env[name]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -number(inner, env)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = number(left, env), number(right, env)
            return a + b if isinstance(op, ast.Add) else a - b if isinstance(op, ast.Sub) else a * b
    raise AssertionError(ast.unparse(node))


def node_of(node: ast.expr, env: Values) -> Node:
    """Return a member or a plain name."""
    if isinstance(node, ast.Subscript):
        assert isinstance(node.value, ast.Name)
        return node.value.id, number(node.slice, env)
    assert isinstance(node, ast.Name)
    return node.id, None


def named(node: ast.AST, env: dict[str, int]) -> Iterator[Node]:
    """Yield the members and plain names in an expression; sums are written out."""
    if isinstance(node, ast.GeneratorExp):
        yield from generated(node.elt, node.generators, env)
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        yield node_of(node, env)
    elif isinstance(node, ast.Name):
        if node.id not in env:
            yield node.id, None
    else:
        children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
        for child in children:
            yield from named(child, env)


def generated(body: ast.expr, ranges: list[ast.comprehension], env: dict[str, int]) -> Iterator[Node]:
    """Yield what the terms of a sum name."""
    if not ranges:
        yield from named(body, env)
        return
    first, *more = ranges
    assert isinstance(first.target, ast.Name)
    for k in run(first.iter, env):
        yield from generated(body, more, {**env, first.target.id: k})


def acted_on(edges: Mapping[Node, set[Node]], start: Node) -> set[Node]:
    """Return all that depends on a node."""
    found: set[Node] = set()
    stack = [start]
    while stack:
        node = stack.pop()
        for parent, names in edges.items():
            if node in names and parent not in found:
                found.add(parent)
                stack.append(parent)
    return found
