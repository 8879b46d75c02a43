r"""Approximations: claims that hold where a term counts as 0.

`with neglecting(T): assert L == R` says that the derived left side is R and a multiple of T, and nothing else;
`with neglecting(T[i,j], i != j): …` that it becomes R when the symbol T[i,j] is 0 wherever i and j differ.  Either
way there is a *neglected rest* with

    L = R + rest        exactly,

which is proved (or refuted) like any other claim; the last step of the proof leaves the rest out.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial, reduce

import sympy

from symderiv import trees
from symderiv.chain import differentiate, directional
from symderiv.claims.endings import Continued, Ending
from symderiv.claims.first import over_all, sides
from symderiv.dims import Size
from symderiv.errors import ProofError, UnsupportedError
from symderiv.index.contraction import contract, leaf, transposed
from symderiv.index.expand import expand
from symderiv.index.graph import Add, Contraction, Defined, Leaf, Node, Unknown, walk
from symderiv.index.nodes import Argument, Delta, Step, Times, replace_indices
from symderiv.index.normal import substitute
from symderiv.index.rationals import ONE
from symderiv.lift import lift, regrouped
from symderiv.lower import index_ranges, lower
from symderiv.replay import Replayed
from symderiv.statements.block import Neglected, Statement
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Axes, Expr, defined, replaced
from symderiv.tensor.expr import walk as walk_expr
from symderiv.tensor.operations import apply

LABEL = "neglected"
OFF = "off the diagonal"  # no name of the language


# ---------------------------------------------------------------- the rest


def rest_of(neglected: Neglected, left: Expr, right: Expr, known: Mapping[Node, Expr]) -> Expr:
    """Return what an approximation leaves out of its left side; `known` names nodes."""
    if neglected.apart is None:
        factor = coefficient(neglected.term, left, right)
        return multiple(factor, neglected.term)
    return off_diagonal(neglected, left, right, known)


def multiple(factor: Fraction, term: Expr) -> Expr:
    """Return a multiple of a term."""
    return term if factor == 1 else apply("mul", Expr("number", (), (factor,), ()), term)


def coefficient(term: Expr, left: Expr, right: Expr) -> Fraction:
    """Return how often a term stands in the normal form of the left side; 1 where it does not stand there as such."""
    if term.shape != left.shape:
        raise UnsupportedError("what is neglected has another shape than the claim", hint="write the whole term")
    ranges = index_ranges(left, right, term)
    inner = meaning(ranges)
    a, t = (lower(e, inner, ranges) for e in (left, term))
    free = tuple(dict.fromkeys((*a.free, *t.free)))
    whole, part = (terms_of(over_all(e, free, ranges)) for e in (a, t))
    found = {whole[node] / factor for node, factor in part.items() if node in whole}
    return found.pop() if len(found) == 1 and part.keys() <= whole.keys() else ONE


def terms_of(node: Node) -> dict[Node, Fraction]:
    """Return the terms of a normal form with their coefficients."""
    if isinstance(node, Add):
        return {n: c for c, n in node.terms}
    if isinstance(node, Contraction) and node.coef != 1:
        inner = contract(ONE, node.factors, range(node.rank), dict(enumerate(node.sizes)))
        return {n: c * node.coef for n, c in terms_of(inner).items()}
    return {node: ONE}


def off_diagonal(neglected: Neglected, left: Expr, right: Expr, known: Mapping[Node, Expr]) -> Expr:
    """Return the part of the left side that holds T[i,j], with (1 − δ[i,j]) T[i,j] for it."""
    term, apart = neglected.term, neglected.apart
    assert apart is not None
    whole, places = symbol_of(term, apart)
    symbol = lower(whole, meaning()).node
    symbol = symbol.body if isinstance(symbol, Defined) else symbol
    if not isinstance(symbol, (Unknown, Leaf)):
        return with_function_unknown(neglected, left, right)
    both = sides(left, right)
    stand_in = leaf(OFF, symbol.dims, frozenset(["symmetric"]) if is_symmetric(symbol) else frozenset())
    changed = substitute(both.left, {symbol: stand_in})
    if any(n is stand_in for n in walk(differentiate(changed, stand_in).result)):
        raise UnsupportedError(f"the left side is not linear in {neglected.text}")
    part = directional(changed, {stand_in: stand_in})[changed]
    names = {**known, **derivatives_in(left, right, term)}
    if not left.rank:
        flat = in_entries(part, both.free, stand_in, neglected, places, names)
        if flat is not None:
            return flat
    lifted = lift(part, names=names)
    shown = {e: masked(whole, places) for e in walk_expr(lifted) if e.op == "var" and e.name == OFF}
    lifted = replaced(lifted, shown)
    return at_free(lifted, both.free, left.axes)


def with_function_unknown(neglected: Neglected, left: Expr, right: Expr) -> Expr:
    """Return the rest where ∂²f/∂b∂b has a formula: found for any f(b), of which the f at hand is one.

    Raises UnsupportedError where f depends on what the left side is differentiated in past b.
    """
    f, *variables = (a.args[0] if a.op == "entry" else a for a in neglected.term.args)
    is_slope = neglected.term.op == "diff" and neglected.term.data == ("total",)
    if not is_slope or f.op != "defined" or any(x.op not in ("var", "defined") for x in variables):
        raise UnsupportedError(
            f"{neglected.text} is no symbol in the left side: it has a formula",
            hint="neglect a second derivative, or an array that is declared",
        )
    held = {x: Expr("var", (), (x.name, frozenset()), x.axes) for x in variables}
    past = set(walk_expr(replaced(f.args[0], held)))
    moved = [x.args[0] if x.op == "entry" else x for e in walk_expr(left) if e.op == "diff" for x in e.args[1:]]
    if any(x in past for x in moved):
        raise UnsupportedError(f"{f.name} depends on {moved[0].name} past {variables[0].name}")
    unknown = defined(f.name, Expr("unknown", tuple(dict.fromkeys(variables)), (f.name,), f.axes))
    term, one, other = (replaced(e, {f: unknown}) for e in (neglected.term, left, right))
    return replaced(off_diagonal(replace(neglected, term=term), one, other, {}), {unknown: f})


def at_free(whole: Expr, free: Sequence[str], axes: Axes) -> Expr:
    """Return an array, the last axes of which are free indices, as an expression at them."""
    if not free:
        return regrouped(whole, axes)
    own = whole.rank - len(free)
    entry = Expr("entry", (whole,), (*([None] * own), *free), whole.axes[:own])
    return regrouped(entry, axes)


def in_entries(
    part: Node, free: Sequence[str], stand_in: Node, neglected: Neglected, places: tuple[int, int],
    names: Mapping[Node, Expr],
) -> Expr | None:  # fmt: skip
    """Return the rest as a sum over entries, `f[j] Σ_kk' (1 − δ[k,k']) A[k,j] A[k',j] T[k,k']`.

    None where it is no product, or one with more sums than that.
    """
    assert neglected.apart is not None
    apart = [n for _, n in sorted(zip(places, neglected.apart, strict=True))]
    terms = terms_of(expand(part))
    if len(terms) != 1:
        return None
    ((node, coef),) = terms.items()
    inner, factors, sizes = flattened(node)
    at = [labels for f, labels in factors if f is stand_in]
    bound = sizes.keys() - range(node.rank)
    if len(at) != 1 or bound != set(at[0]) or len(bound) != 2 or {*apart} & {*free}:
        return None
    written = {**dict(enumerate(free)), **dict(zip(at[0], apart, strict=True))}
    number = Expr("number", (), (coef * inner,), ())
    here: list[Expr] = [number] if coef * inner != 1 else []
    inside: list[Expr] = []
    for f, labels in sorted(factors, key=lambda factor: (factor[0] is stand_in, factor[1] != sorted(factor[1]))):
        if f is not stand_in:
            whole = lift(f, names=names)
            entry = entry_at(whole, tuple(written[k] for k in labels))
            (inside if bound & {*labels} else here).append(entry)
    off = apply("sub", Expr("number", (), (ONE,), ()), Expr("delta", (), tuple(neglected.apart), ()))
    body = reduce(partial(apply, "mul"), [off, *inside, neglected.term])
    return reduce(partial(apply, "mul"), [*here, Expr("sum_over", (body,), tuple(neglected.apart), ())])


def entry_at(whole: Expr, names: tuple[str, ...]) -> Expr:
    """Return an entry; that of an entrywise function is the function of an entry."""
    if whole.op in ("power", "map") and names:
        return Expr(whole.op, (entry_at(whole.args[0], names),), whole.data, ())
    return Expr("entry", (whole,), names, ()) if names else whole


def flattened(node: Node) -> tuple[Fraction, list[tuple[Node, list[int]]], dict[int, Size]]:
    """Return a product as a number and factors at labels, those of its axes first, with the sizes of all labels."""
    coef, sizes = ONE, dict(enumerate(node.dims))
    factors: list[tuple[Node, list[int]]] = []
    todo: list[tuple[Node, list[int]]] = [(node, list(range(node.rank)))]
    while todo:
        top, labels = todo.pop(0)
        if not isinstance(top, Contraction):
            factors.append((top, labels))
            continue
        coef *= top.coef
        names = dict(enumerate(labels))
        for b in top.bound:
            names[b] = len(sizes)
            sizes[names[b]] = top.sizes[b]
        todo += [(f, [names[k] for k in at]) for f, at in top.factors]
    return coef, factors, sizes


def symbol_of(term: Expr, apart: tuple[str, str]) -> tuple[Expr, tuple[int, int]]:
    """Return the array that T[i,j] is an entry of, and the axes of i and j; T has no other index twice."""
    if term.op == "diff":
        arrays = [a.args[0] if a.op == "entry" else a for a in term.args]
        names = [n for a in term.args for n in (a.data if a.op == "entry" else (None,) * a.rank)]
        whole = Expr("diff", tuple(arrays), term.data, tuple(axis for a in arrays for axis in a.axes))
    elif term.op == "entry":
        (whole,), names = term.args, list(term.data)
    else:
        raise UnsupportedError("what is neglected where indices differ is an entry or a derivative")
    if any(names.count(n) != 1 for n in apart) or None in names or len(set(names)) < len(names):
        i, j = apart
        raise UnsupportedError(f"what is neglected for {i} != {j} names each of its indices once")
    first, second = (names.index(n) for n in apart)
    if whole.axes[first] != whole.axes[second]:
        raise UnsupportedError("the indices of what is neglected run over different ranges")
    return whole, (first, second)


def masked(whole: Expr, places: tuple[int, int]) -> Expr:
    """Return (1 − δ[i,j]) T[i,j] as an array."""
    if whole.rank != 2:
        raise UnsupportedError("only matrices are neglected off the diagonal")
    one = Expr("number", (), (Fraction(1),), ())
    return apply("mul", apply("sub", one, apply("eye", data=(whole.shape[places[0]],))), whole)


def is_symmetric(node: Node) -> bool:
    """Tell whether a matrix is its own transpose."""
    return node.rank == 2 and node.dims[0] == node.dims[1] and transposed(node, (1, 0)) is node


def derivatives_in(*exprs: Expr) -> dict[Node, Expr]:
    """Return the derivatives that some expressions name and that have no formula."""
    found: dict[Node, Expr] = {}
    for e in walk_expr(*exprs):
        if e.op != "diff" or e.data != ("total",):
            continue
        arrays = tuple(a.args[0] if a.op == "entry" else a for a in e.args)
        if all(a.op in ("var", "defined") for a in arrays):
            whole = Expr("diff", arrays, e.data, tuple(axis for a in arrays for axis in a.axes))
            node = lower(whole, meaning()).node
            if isinstance(node, Unknown):
                found[node] = whole
    return found


# ---------------------------------------------------------------- the exact claim


def exactly(statement: Statement, known: Mapping[Node, Expr], factor: Fraction | None = None) -> tuple[Statement, Expr]:
    """Return the claim `left == right + rest`, and the rest.

    For families `factor` says how often the term stands in the left side; they are read again from the syntax tree.
    """
    if len(statement.neglected) != 1:
        raise UnsupportedError("two terms are neglected at once", hint="neglect their sum")
    (neglected,) = statement.neglected
    left, right = statement.exprs
    if factor is None:
        rest = rest_of(neglected, left, right, known)
        return replace(statement, exprs=(left, apply("add", right, rest)), neglected=()), rest
    if neglected.apart is not None:
        raise UnsupportedError("what is neglected off the diagonal is no member of a family")
    rest = multiple(factor, neglected.term)
    node = statement.node
    assert isinstance(node, ast.Assert)
    test = node.test.operand if isinstance(node.test, ast.UnaryOp) else node.test
    assert isinstance(test, ast.Compare)
    text = neglected.text if factor == 1 else f"({factor}) * ({neglected.text})"
    both = ast.BinOp(test.comparators[0], ast.Add(), trees.expression(text))
    claim = ast.Assert(ast.Compare(test.left, [ast.Eq()], [both]), None)
    ast.fix_missing_locations(ast.copy_location(claim, node))
    return replace(statement, node=claim, exprs=(left, apply("add", right, rest)), neglected=()), rest


# ---------------------------------------------------------------- the last step


def leaving_out(neglected: Neglected) -> Ending:
    """Return what puts the last step to the proof of `left == right + rest`: the rest is left out."""

    def ending(proof: Replayed, left: Expr, full: Expr) -> Replayed:
        return _last_step(neglected, proof, left, full)

    return ending


def _last_step(neglected: Neglected, proof: Replayed, left: Expr, full: Expr) -> Replayed:
    if full.op != "add":
        raise ProofError("the exact right side is no sum")
    right, rest = full.args
    term = rest if neglected.apart is None else neglected.term
    work = Continued(proof, left, full, term)
    if neglected.apart is None:
        equation = Argument(LABEL, work.written(term), (), sympy.Integer(0))
    else:
        i, j = (work.notation.free[n] for n in neglected.apart)
        symbol = work.written(term)
        equation = Argument(LABEL, symbol, (), Times(Delta(i, j), replace_indices(symbol, {j: i})))
    goal = work.matrix(right) if work.ends_in_a_matrix() else work.written(right)
    instance = {"label": LABEL, "term": equation.left, "apart": neglected.apart}
    step = Step("neglect", (), instance, work.last.right, goal)
    return work.replayed((*work.last.steps, step), goal, neglected={LABEL: equation})
