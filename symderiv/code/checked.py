"""Generated Python, looked at before it is compiled: nothing is in it but what generated code is made of.

The text comes from symderiv, but the names in it come from the user.  So the syntax tree is held against a list of
what is known: no import but NumPy's and SciPy's, no name with two underscores around it, nothing of Python's own but
a few functions, and those are Python's: no argument, function or local variable is called like them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from symderiv import trees
from symderiv.dims import is_name
from symderiv.errors import ParseError, UnsupportedError

BUILTINS = frozenset({
    "len", "range", "zip", "reversed", "float", "int", "sorted", "max", "sum", "dict", "ImportError",
})  # fmt: skip
MODULES = ("numpy", "scipy")
NODES = (
    ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Expr,
    ast.Assign, ast.AugAssign, ast.For, ast.If, ast.With, ast.withitem, ast.Try, ast.ExceptHandler, ast.IfExp,
    ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.keyword, ast.Attribute, ast.Subscript, ast.Slice,
    ast.Name, ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Starred, ast.Lambda, ast.GeneratorExp, ast.Yield,
    ast.ListComp, ast.DictComp, ast.comprehension, ast.boolop, ast.operator, ast.unaryop, ast.cmpop, ast.expr_context,
    ast.Pass,
)  # fmt: skip


def checked_tree(text: str) -> ast.Module:
    r"""Return the syntax tree of generated code; refuse what generated code never holds.

    >>> checked_tree("import numpy as np\n\n\ndef f(x):\n    return 2 * x").body[1].name
    'f'
    >>> checked_tree("def f(len, x):\n    return len(x)")
    Traceback (most recent call last):
        ...
    symderiv.errors.ParseError: the generated code needs Python's own len, and an argument has its name
      hint: give the argument another name
    """
    try:
        tree = trees.module(text)
    except (SyntaxError, ValueError) as err:
        raise UnsupportedError(f"the generated code is no Python: {err}", hint="report this, please") from None
    for node in ast.walk(tree):
        _check(node)
    bound = {name for node in ast.walk(tree) for name in _bound(node)}
    for name in sorted(_hidden(tree)):
        what = f"the generated code needs Python's own {name}, and an argument has its name"
        raise ParseError(what, hint="give the argument another name")
    free = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - bound - BUILTINS
    if free:
        raise _foreign(f"the name {min(free)}, which it does not define")
    return tree


def _check(node: ast.AST) -> None:
    if not isinstance(node, NODES):
        raise _foreign(type(node).__name__)
    modules: list[str] = []
    match node:
        case ast.Import():
            modules = [alias.name for alias in node.names]
        case ast.ImportFrom():
            modules = [node.module or ""]
        case ast.Attribute(attr=name) if name.startswith("_"):
            raise _foreign(f"the attribute {name}")
        case ast.FunctionDef() if node.decorator_list:
            raise _foreign("a decorator")
    for module in modules:
        if module.partition(".")[0] not in MODULES:
            raise _foreign(f"an import of {module}")
    for name in _bound(node):
        if not is_name(name):
            raise _foreign(f"the name {name}")


def _foreign(what: str) -> UnsupportedError:
    return UnsupportedError(f"the generated code holds {what} and is not run", hint="report this, please")


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node binds."""
    match node:
        case ast.Name(ctx=ast.Store() | ast.Del()):
            yield node.id
        case ast.FunctionDef():
            yield node.name
        case ast.arg():
            yield node.arg
        case ast.alias():
            yield node.asname or node.name.partition(".")[0]
        case ast.ExceptHandler(name=str(name)):
            yield name


def _hidden(tree: ast.Module) -> set[str]:
    """Return what of Python's own the code uses where another thing has its name: in the module, or in a function."""
    outside = {name for node in tree.body for name in _bound(node)}
    found = _used(tree) & outside
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            found |= _used(function) & {name for node in ast.walk(function) for name in _bound(node)}
    return found


def _used(tree: ast.AST) -> set[str]:
    """Return what of Python's own the code uses: called, as the type of an array, or as what is caught."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) | ast.keyword(arg="dtype", value=ast.Name(id=name)):
                found.add(name)
            case ast.ExceptHandler(type=ast.Name(id=name)):
                found.add(name)
    return found & BUILTINS
