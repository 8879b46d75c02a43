"""A smaller problem that shows the same defect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic

from symderiv.errors import SymderivError
from symderiv.tensor.expr import Expr, replaced, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import number, without_symmetry
from symderiv.testing.samples import Problem, Sample


def smallest(problem: Problem, shows: Callable[[Problem], bool], seconds: float = 8.0) -> Problem:
    """Return a problem that still shows the defect and of which no simpler one does, within some time.

    >>> from symderiv.tensor.parse import parse, scope_of
    >>> f = parse("sum(exp(x) * sin(A @ x))", scope_of({"x": ("n",), "A": ("n", "n")}))
    >>> smallest(Problem(Sample(f), ("x",)), lambda p: "exp" in p.sample.text)
    symderiv.derive('exp(x)', ['x'], shapes={'x': ('n',)})
    """
    end = monotonic() + seconds
    found = True
    while found and monotonic() < end:
        found = False
        for smaller in simpler(problem):
            if monotonic() > end:
                break
            if shows(smaller):
                problem, found = smaller, True
                break
    return problem


def simpler(problem: Problem) -> Iterator[Problem]:
    """Yield simpler problems, the simplest first: fewer derivatives, a part alone, a part replaced, no traits."""
    expr = problem.sample.expr
    for k in range(len(problem.wrt)):
        if len(problem.wrt) > 1:
            yield Problem(problem.sample, problem.wrt[:k] + problem.wrt[k + 1 :], problem.seed)
    for other in _changed(expr):
        sample = Sample(other)
        if all(name in sample.variables for name in problem.wrt):
            yield Problem(sample, problem.wrt, problem.seed)


def _changed(expr: Expr) -> Iterator[Expr]:
    nodes = list(walk(expr))
    yield from (node for node in nodes if node is not expr and node.args)
    for node in sorted(nodes, key=lambda e: -e.weight):
        if node.op in ("var", "number"):
            continue
        for new in _replacements(node):
            if new is not node and new.weight < node.weight:
                yield replaced(expr, {node: new})
    for node in nodes:
        if node.op == "var" and node.data[1]:
            yield replaced(expr, {node: without_symmetry(node)})
            yield replaced(expr, {node: Expr("var", (), (node.name, frozenset()), node.axes)})


def _replacements(node: Expr) -> Iterator[Expr]:
    """Yield what may stand in the place of a node: parts of it with its axes, or a constant."""
    parts = sorted((e for e in walk(node) if e.axes == node.axes and e is not node), key=lambda e: e.weight)
    yield from parts
    if not node.rank:
        yield number(1)
    elif all(len(axis) == 1 for axis in node.axes) and node.op != "ones":
        try:
            yield apply("ones", data=(node.shape,))
        except SymderivError:
            return
