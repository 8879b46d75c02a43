"""Laws of derivatives and of the normal form, on random expressions of the whole language."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from symderiv.derivation import derive
from symderiv.errors import UnsupportedError
from symderiv.index.expand import same
from symderiv.inputs import read
from symderiv.lift import lift
from symderiv.lower import lower
from symderiv.tensor.expr import Expr, defined, replaced, walk
from symderiv.tensor.operations import apply
from symderiv.tensor.parse import number, parse, variable
from symderiv.testing.domains import EVERY_PRODUCTION
from symderiv.testing.examine import agree
from symderiv.testing.grammar import Grammar
from symderiv.testing.samples import Sample
from symderiv.testing.strategies import DrawnChoices, derivatives, expressions

laws = settings(max_examples=20, suppress_health_check=list(HealthCheck))

# Where the normal form decides by itself: sizes that all differ, nothing constant, no inverse of a product.
CONSTANT = frozenset(["ones", "zeros", "eye", "inv", "solve", "number", "size"])
plain = expressions(sizes=["n", "m", "p"], traits=False, composed=False).filter(
    lambda s: not any(e.op in CONSTANT for e in walk(s.expr))
)


@st.composite
def together(draw, count, depth=2, scalar=False):
    """Return expressions over common variables, all of one shape, and the name of a variable in one of them."""
    g = Grammar(DrawnChoices(draw), EVERY_PRODUCTION, budget=8)
    axes = () if scalar else g.axes(g.pick([0, 1, 2]))
    found = []
    for _ in range(count):
        g.budget = 8
        found.append(g.expression(axes, depth))
    names = sorted({e.name for f in found for e in walk(f) if e.op == "var"})
    assume(names)
    return (*found, draw(st.sampled_from(names)))


def of(expr, *wrt):
    """Return a derivative as an expression; what is refused is no matter of these laws."""
    sample = Sample(expr)
    try:
        return derive(sample.text, wrt, **sample.declarations).result.expr
    except UnsupportedError:
        assume(False)


def lowered(expr):
    """Return the normal form; a division by 0 that was drawn is no matter of these laws."""
    try:
        return lower(expr).node
    except UnsupportedError:
        assume(False)


def equal(a, b):
    """Tell whether two expressions have one normal form, or equal values."""
    return a.shape == b.shape and (same(lowered(a), lowered(b)) or agree(a, b))


def anchored(f, *names_of):
    """Return an expression in which all variables of some others occur, with its value unchanged."""
    missing = {e for g in names_of for e in walk(g) if e.op == "var"} - set(walk(f))
    for x in sorted(missing, key=lambda e: e.name):
        nothing = apply("mul", number(0), apply("sum", x) if x.rank else x)
        f = apply("add", f, nothing)
    return f


def moved(expr, order):
    return apply("transpose", expr, data=(tuple(order),))


# ---------------------------------------------------------------- derivatives


@laws
@given(together(2), st.fractions(-3, 3, max_denominator=4))
def test_derivatives_are_linear(drawn, a):
    f, g, x = drawn
    f, g = anchored(f, g), anchored(g, f)
    left = of(apply("add", apply("mul", number(a), f), g), x)
    right = apply("add", apply("mul", number(a), of(f, x)), of(g, x))
    assert equal(left, right)


@laws
@given(together(2, scalar=True))
def test_the_product_rule(drawn):
    f, g, x = drawn
    f, g = anchored(f, g), anchored(g, f)
    left = of(apply("mul", f, g), x)
    right = apply("add", apply("mul", f, of(g, x)), apply("mul", g, of(f, x)))
    assert equal(left, right)


@laws
@given(together(1, scalar=True))
def test_the_hessian_of_a_scalar_is_symmetric(drawn):
    f, x = drawn
    hessian = of(f, x, x)
    half = hessian.rank // 2
    assert equal(hessian, moved(hessian, [*range(half, 2 * half), *range(half)]))


@laws
@given(together(1), st.data())
def test_mixed_derivatives_commute(drawn, data):
    f, x = drawn
    y = data.draw(st.sampled_from(sorted({e.name for e in walk(f) if e.op == "var"})))
    assume(x != y)
    one, other = of(f, x, y), of(f, y, x)
    sample = Sample(f)
    r, n, m = f.rank, len(sample.shapes[y]), len(sample.shapes[x])
    assert equal(one, moved(other, [*range(r), *range(r + n, r + n + m), *range(r, r + n)]))


@laws
@given(together(1, depth=3), st.data())
def test_through_definitions_or_written_out(drawn, data):
    f, x = drawn
    inner = [e for e in walk(f) if e.args and any(v.op == "var" for v in walk(e)) and e is not f]
    assume(inner)
    part = data.draw(st.sampled_from(inner))
    by_definitions = replaced(f, {part: defined("part", part)})
    assert by_definitions is not f
    sample = Sample(f)
    assume(not sample.functions and all(not name.startswith("of_") for name in sample.variables))
    try:
        left = derive(by_definitions, x).result.expr
    except UnsupportedError:
        assume(False)
    assert equal(left, of(f, x))


@laws
@given(together(1), st.data())
def test_a_transposed_argument(drawn, data):
    f, _ = drawn
    matrices = sorted({e for e in walk(f) if e.op == "var" and e.rank == 2 and not e.data[1]}, key=lambda e: e.name)
    assume(matrices)
    a = data.draw(st.sampled_from(matrices))
    b = variable("turned", a.shape[::-1])
    turned = {a: apply("transpose", b)}
    left = of(replaced(f, turned), "turned")
    right = replaced(of(f, a.name), turned)
    r = f.rank
    assert equal(left, moved(right, [*range(r), r + 1, r]))


# ---------------------------------------------------------------- normal form and text


@laws
@given(plain)
def test_lifting_what_was_lowered_is_the_identity(sample):
    node = lower(sample.expr).node
    assert same(lower(lift(node, sample.expr.axes)).node, node)


@laws
@given(expressions())
def test_lowering_and_lifting_keep_shape_and_value(sample):
    back = lift(lowered(sample.expr), sample.expr.axes)
    assert back.shape == sample.expr.shape
    assert equal(back, sample.expr)


@laws
@given(plain)
def test_the_normal_form_is_idempotent(sample):
    once = lift(lower(sample.expr).node, sample.expr.axes)
    twice = lift(lower(once).node, once.axes)
    assert same(lower(twice).node, lower(once).node)


@laws
@given(expressions())
def test_the_text_of_an_expression_is_read_as_that(sample):
    _, back = read(sample.text, sample.shapes, sample.assume, sample.functions)
    assert back.axes == sample.expr.axes
    assert equal(back, sample.expr)


@laws
@given(derivatives(order=1))
def test_the_text_of_a_result_is_read_as_that(problem):
    sample = problem.sample
    try:
        d = derive(sample.text, problem.wrt, **sample.declarations)
    except UnsupportedError:
        assume(False)
    scope, _ = read(sample.text, sample.shapes, sample.assume, sample.functions)
    assert equal(parse(str(d.result), scope), d.result.expr)


def turned_round(expr: Expr, choices: DrawnChoices) -> Expr:
    """Return the expression with operands of what commutes exchanged, and some products transposed twice."""
    new: dict[Expr, Expr] = {}
    for node in walk(expr):
        args = tuple(new[a] for a in node.args)
        if node.op in ("add", "mul", "inner") and choices.number(1):
            args = args[::-1]
        if node.op == "sub" and choices.number(1):
            new[node] = apply("add", apply("neg", args[1]), args[0])
        elif node.op == "matmul" and node.rank == 2 and choices.number(1):
            new[node] = apply("transpose", apply("matmul", *(apply("transpose", a) for a in args[::-1])))
        else:
            new[node] = Expr(node.op, args, node.data, node.axes)
    return new[expr]


@laws
@given(plain, st.data())
def test_the_order_of_factors_and_terms_is_no_matter(sample, data):
    other = turned_round(sample.expr, DrawnChoices(data.draw))
    assert same(lower(other).node, lower(sample.expr).node)


@laws
@given(plain, st.data())
def test_names_are_no_matter(sample, data):
    variables = sorted({e for e in walk(sample.expr) if e.op == "var"}, key=lambda e: e.name)
    names = data.draw(st.permutations([f"v{k}" for k in range(len(variables))]))
    there = {x: variable(name, x.shape) for x, name in zip(variables, names, strict=True)}
    renamed = lift(lower(replaced(sample.expr, there)).node, sample.expr.axes)
    back = replaced(renamed, {y: x for x, y in there.items()})
    assert same(lower(back).node, lower(sample.expr).node)


@laws
@given(together(3))
def test_sums_associate_and_products_distribute(drawn):
    f, g, h, _ = drawn
    assert equal(apply("add", apply("add", f, g), h), apply("add", f, apply("add", g, h)))
    half = number(Fraction(1, 2))
    left = apply("mul", half, apply("add", f, g))
    assert equal(left, apply("add", apply("mul", half, f), apply("mul", half, g)))


def test_the_laws_can_fail():
    x = variable("x", ("n",))
    assert not equal(apply("mul", x, x), x)
    assert not equal(apply("transpose", variable("A", ("n", "n"))), variable("A", ("n", "n")))
    assert not equal(apply("map", x, data=("abs", 0)), x)
