"""Tests of a generated module, as the text of a pytest file: random arguments, central differences.

The file needs NumPy and pytest and nothing else.  A variable moves only where its assumption holds: a symmetric
matrix stays symmetric, an orthogonal one goes along `Q (1 − tA/2)⁻¹ (1 + tA/2)` with A + Aᵀ = 0, a point of the
simplex keeps its sum; what a derivative says of other directions has no meaning there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement, count
from textwrap import dedent, indent

import sympy

from symderiv import dims
from symderiv.code.source import Argument
from symderiv.errors import UnsupportedError
from symderiv.tensor.expr import Expr

# Assumptions that leave no room to move.
ISOLATED = frozenset({"signs", "binary", "counts", "one_hot_rows"})

# How arrays are drawn of which nothing is assumed: the first way is taken in which everything is finite.
MOODS = {
    "normal": "rng.standard_normal({shape})",
    "positive": "rng.uniform(0.5, 1.5, {shape})",
    "dominant": "rng.uniform(0.1, 0.5, {shape})",
    "small": "rng.uniform(0.1, 0.3, {shape})",
}
DOMINANT = " + {rows} * np.eye({rows})"

DRAWN = {  # by assumption; the first that is met decides
    "orthogonal": "np.linalg.qr(rng.standard_normal({shape}))[0]",
    "one_hot_rows": "np.eye({columns})[rng.integers({columns}, size={rows})]",
    "simplex_rows": "rng.dirichlet(np.full({columns}, 5.0), size={rows})",
    "simplex": "rng.dirichlet(np.full({rows}, 5.0))",
    "diagonal": "np.diag(rng.uniform(0.5, 1.5, {rows}))",
    "positive_definite": "positive_definite(rng, {rows})",
    "symmetric": "symmetric(rng, {rows})",
    "invertible": "rng.uniform(-0.5, 0.5, {shape}) + {rows} * np.eye({rows})",
    "signs": "np.where(rng.random({shape}) < 0.5, -1.0, 1.0)",
    "binary": "np.where(rng.random({shape}) < 0.5, 0.0, 1.0)",
    "counts": "rng.integers(1, 6, {shape}).astype(float)",
    "probability": "rng.uniform(0.1, 0.9, {shape})",
    "open_unit": "rng.uniform(0.1, 0.9, {shape})",
    "positive": "rng.uniform(0.5, 1.5, {shape})",
}

HELPERS = {
    "positive_definite": """
        def positive_definite(rng, n):
            a = rng.standard_normal((n, n))
            return a @ a.T / n + np.eye(n)
    """,
    "symmetric": """
        def symmetric(rng, n):
            a = rng.standard_normal((n, n))
            return (a + a.T) / 2 + n * np.diag(np.where(np.arange(n) % 2, -1.0, 1.0))
    """,
}

STEPS = {
    "entries": """
        def entries(x):
            \"\"\"Yield one direction for each entry.\"\"\"
            for place in np.ndindex(x.shape):
                step = np.zeros(x.shape)
                step[place] = 1
                yield step
    """,
    "symmetric_entries": """
        def symmetric_entries(x):
            \"\"\"Yield one direction for each entry on or above the diagonal, which moves its mirror image too.\"\"\"
            for i, j in zip(*np.triu_indices(len(x)), strict=True):
                step = np.zeros(x.shape)
                step[i, j] = step[j, i] = 1
                yield step
    """,
    "diagonal_entries": """
        def diagonal_entries(x):
            \"\"\"Yield one direction for each entry on the diagonal.\"\"\"
            for i in range(len(x)):
                step = np.zeros(x.shape)
                step[i, i] = 1
                yield step
    """,
    "rotations": """
        def rotations(x):
            \"\"\"Yield the directions of the rotations in each plane.\"\"\"
            for i, j in zip(*np.triu_indices(len(x), 1), strict=True):
                skew = np.zeros(x.shape)
                skew[i, j], skew[j, i] = 1, -1
                yield x @ skew
    """,
    "exchanges": """
        def exchanges(x):
            \"\"\"Yield directions that take from the last entry (of a row) what they give to another one.\"\"\"
            for place in np.ndindex(*x.shape[:-1], x.shape[-1] - 1):
                step = np.zeros(x.shape)
                step[place], step[(*place[:-1], -1)] = 1, -1
                yield step
    """,
}

MOVED = """
    def moved(x, step, t):
        \"\"\"Return x, moved along a direction.\"\"\"
        return x + t * step
"""
ROTATED = """
    def rotated(x, step, t):
        \"\"\"Return an orthogonal x, moved along a direction and orthogonal still.\"\"\"
        skew, one = x.T @ step / 2, np.eye(len(x))
        return x @ np.linalg.solve(one - t * skew, one + t * skew)
"""
DIFFERENCE = """
    def difference(f, h=1e-3):
        \"\"\"Return the slope of a function of one number at 0.\"\"\"
        return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)
"""
CALL = """
    def call(function, given):
        \"\"\"Return a function at those arguments that it takes.\"\"\"
        return function(**{name: given[name] for name in signature(function).parameters})
"""
AGREE = """
    def agree(found, wanted):
        \"\"\"Fail where two arrays differ by more than the differences are good for.\"\"\"
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6 * (1 + np.abs(wanted).max(initial=0)))
"""

SLOPES = ("np.sin", "np.cos", "lambda x: -np.sin(x)", "lambda x: -np.cos(x)")


@dataclass(frozen=True)
class Variable:
    """What is differentiated in, and how it may move."""

    name: str
    traits: frozenset[str]
    structured: bool = False

    @property
    def steps(self) -> str:
        """Return the name of what yields its directions."""
        if self.traits & ISOLATED:
            word = " ".join(sorted(self.traits & ISOLATED))
            raise UnsupportedError(
                f"differences cannot check a derivative in {self.name}, which is {word}: its values are isolated",
                hint="leave the assumption out, or generate code with to_numpy",
            )
        for trait, found in (
            ("orthogonal", "rotations"),
            ("simplex", "exchanges"),
            ("simplex_rows", "exchanges"),
            ("diagonal", "diagonal_entries"),
            ("symmetric", "symmetric_entries"),
            ("positive_definite", "symmetric_entries"),
        ):
            if trait in self.traits:
                return found
        return "entries"

    @property
    def moved(self) -> str:
        """Return the name of what moves it."""
        return "rotated" if self.steps == "rotations" else "moved"

    @property
    def weighed(self) -> str:
        """Return the text of what a derivative is multiplied with along `step`."""
        return "np.triu(step)" if self.structured and self.steps == "symmetric_entries" else "step"


@dataclass(frozen=True)
class Checked:
    """The functions of a module, by what they are; names that are empty are not there.

    `first` returns the value and the first derivatives, `product` the Hessian-vector product along `directions`,
    `hessian` the second derivatives.  With `keyed` they come in dictionaries.
    """

    module: str
    value: str
    first: str
    variables: Sequence[Variable]
    keyed: bool
    product: str = ""
    directions: Sequence[str] = ()
    hessian: str = ""
    flat: Mapping[str, str] = field(default_factory=dict)  # what the functions of a flat vector are called


@dataclass(frozen=True)
class Drawing:
    """How random arguments are drawn: the function `arguments(seed)` as text."""

    arguments: Sequence[Argument]
    variables: Mapping[str, Expr]
    functions: Mapping[str, int]  # the names of unknown functions and of their derivatives, with their orders
    mood: str = "normal"

    @property
    def sizes(self) -> dict[str, int]:
        """Return a value for each size: all different, and no literal size."""
        shapes = [a.shape for a in self.arguments if a.shape is not None]
        literal = {int(s) for shape in shapes for s in shape if s.is_Integer}
        symbols = dict.fromkeys(
            str(x) for shape in shapes for s in shape for x in sorted(s.free_symbols, key=str)
        ) | dict.fromkeys(a.name for a in self.arguments if a.is_size)
        return dict(zip(symbols, (k for k in _values() if k not in literal), strict=False))

    def text(self) -> str:
        """Return the helpers and the function."""
        lines = [f"        {a.name!r}: {self.drawn(a)}," for a in self.arguments]
        used = [_text(text) for name, text in HELPERS.items() if any(f"{name}(" in line for line in lines)]
        said = ", ".join(f"{name} = {value}" for name, value in self.sizes.items())
        head = [
            "def arguments(seed):",
            '    """Return random arguments for which the assumptions hold; sizes are all different."""',
            *([f"    # {said}"] if said else []),
            "    rng = np.random.default_rng(seed)",
            "    return {",
        ]
        return "\n\n".join([*used, "\n".join([*head, *lines, "    }"]) + "\n"])

    def drawn(self, argument: Argument) -> str:
        """Return the text that draws one argument."""
        if argument.is_size:
            return str(self.sizes[argument.name])
        if argument.shape is None:
            return SLOPES[self.functions[argument.name] % len(SLOPES)]
        traits = self.variables[argument.name].data[1]
        values = {dims.symbol(name): sympy.Integer(value) for name, value in self.sizes.items()}
        shape = tuple(int(s.xreplace(values)) for s in argument.shape)
        words = {"shape": shape, "rows": shape[0] if shape else "", "columns": shape[-1] if shape else ""}
        for trait, text in DRAWN.items():
            if trait in traits:
                return text.format(**words)
        text = MOODS[self.mood]
        if self.mood == "dominant" and len(shape) == 2 and shape[0] == shape[1]:
            text += DOMINANT
        return text.format(**words)


def _values() -> Iterator[int]:
    """Yield values for sizes, small ones that differ."""
    yield from (3, 2, 4)
    yield from count(5)


def _text(template: str) -> str:
    return dedent(template).strip("\n") + "\n"


def checks_source(checked: Checked, drawing: Drawing, seeds: Sequence[int]) -> str:
    """Return the text of the test file."""
    return _Writer(checked, drawing, seeds).text()


def support_source(checked: Checked, drawing: Drawing) -> str:
    """Return the part of the test file that imports nothing but NumPy: how arguments are drawn and moved."""
    return _Writer(checked, drawing, ()).support()


class _Writer:
    def __init__(self, checked: Checked, drawing: Drawing, seeds: Sequence[int]) -> None:
        self.checked, self.drawing, self.seeds = checked, drawing, seeds
        self.several = len(checked.variables) > 1 or checked.keyed

    def text(self) -> str:
        c = self.checked
        names = [c.value, c.first, *filter(None, (c.product, c.hessian)), *c.flat.values()]
        head = [
            f'"""Numerical checks of {c.module}.py: every derivative against differences of what it is one of."""',
            "",
            "from inspect import signature",
            "",
            "import numpy as np",
            "import pytest",
            f"from {c.module} import {', '.join(sorted(names))}",
            "",
            f"seeds = pytest.mark.parametrize('seed', {list(self.seeds)})",
            "",
        ]
        tests = [self.value_test(), *(self.first_test(x) for x in c.variables)]
        if c.hessian:
            tests += [self.hessian_test(x, y) for x, y in self.pairs()]
        if c.product:
            tests.append(self.product_test())
        if c.flat:
            tests += self.flat_tests()
        return "\n\n".join(["\n".join(head), self.support(numpy=False), _text(CALL), _text(AGREE), *tests])

    def support(self, numpy: bool = True) -> str:
        steps = dict.fromkeys(x.steps for x in self.checked.variables)
        moved = dict.fromkeys(x.moved for x in self.checked.variables)
        texts = ["import numpy as np\n"] if numpy else []
        texts += [self.drawing.text(), *(_text(STEPS[name]) for name in steps)]
        texts += [_text({"moved": MOVED, "rotated": ROTATED}[name]) for name in moved]
        return "\n\n".join([*texts, _text(DIFFERENCE)])

    # -- tests

    def test(self, name: str, says: str, lines: Sequence[str]) -> str:
        body = "\n".join([f'"""{says}"""', "given = arguments(seed)", *lines])
        return f"@seeds\ndef test_{name}(seed):\n{indent(body, '    ')}\n"

    def value_test(self) -> str:
        c = self.checked
        says = "The value that comes with the derivatives is the value."
        return self.test("value", says, [f"agree(call({c.first}, given)[0], call({c.value}, given))"])

    def first_test(self, x: Variable) -> str:
        c = self.checked
        key = f"[{x.name!r}]" if c.keyed else ""
        lines = [
            f"found = call({c.first}, given)[1]{key}",
            *self.along(x, f"call({c.value}, {self.given(x)})"),
        ]
        return self.test(
            f"derivative_in_{x.name}", f"The derivative in {x.name}, against differences of the value.", lines
        )

    def hessian_test(self, x: Variable, y: Variable) -> str:
        c = self.checked
        found = f"call({c.hessian}, given)" + (f"[{x.name!r}, {y.name!r}]" if c.keyed else "")
        key = f"[{x.name!r}]" if c.keyed else ""
        lines = [f"found = {found}", *self.along(y, f"call({c.first}, {self.given(y)})[1]{key}")]
        says = f"The second derivative in {x.name} and {y.name}, against differences of the first in {x.name}."
        return self.test(f"second_derivative_in_{x.name}_and_{y.name}", says, lines)

    def pairs(self) -> list[tuple[Variable, Variable]]:
        return list(combinations_with_replacement(self.checked.variables, 2))

    def along(self, x: Variable, value: str) -> list[str]:
        """Return the lines that hold `found` against differences of a value, in each direction."""
        return [
            f"for step in {x.steps}(given[{x.name!r}]):",
            f"    wanted = difference(lambda t: {value})",
            f"    agree(np.tensordot(found, {x.weighed}, step.ndim), wanted)",
        ]

    def given(self, x: Variable, step: str = "step") -> str:
        return f"given | {{{x.name!r}: {x.moved}(given[{x.name!r}], {step}, t)}}"

    def product_test(self) -> str:
        c = self.checked
        lines = ["rng = np.random.default_rng(seed + 1)", "steps = {"]
        lines += [
            f"    {x.name!r}: sum(rng.standard_normal() * step for step in {x.steps}(given[{x.name!r}])),"
            for x in c.variables
        ]
        lines += ["}", "", "def gradient(t):", "    at = given | {"]
        lines += [f"        {x.name!r}: {x.moved}(given[{x.name!r}], steps[{x.name!r}], t)," for x in c.variables]
        lines += ["    }", f"    return call({c.first}, at)[1]", ""]
        directions = ", ".join(f"{v!r}: steps[{x.name!r}]" for x, v in zip(c.variables, c.directions, strict=True))
        lines.append(f"found = call({c.product}, given | {{{directions}}})")
        if c.keyed:
            lines += [
                "for name in steps:",
                "    agree(found[name], difference(lambda t: gradient(t)[name]))",
            ]
        else:
            lines.append("agree(found, difference(gradient))")
        return self.test("hessian_vector_product", "The product, against a difference of the gradient along it.", lines)

    def flat_tests(self) -> list[str]:
        c = self.checked
        w, names = c.flat, ", ".join(f"given[{x.name!r}]" for x in c.variables)
        start = [f"arrays = [{names}]", "shapes = [x.shape for x in arrays]", f"x0 = {w['pack']}(*arrays)"]
        tests = [
            self.test(
                "packing",
                "Packing and unpacking are inverse.",
                [
                    *start,
                    f"for part, x in zip({w['unpack']}(x0, shapes), arrays, strict=True):",
                    "    np.testing.assert_array_equal(part, x)",
                ],
            ),
            self.test(
                "flat_functions",
                "The functions of a flat vector are those of the arrays.",
                [
                    *start,
                    *self.bound("fun"),
                    f"value, gradients = call({c.first}, given)",
                    f"agree({w['fun']}(x0, shapes, *data)[0], value)",
                    f"agree({w['fun']}(x0, shapes, *data)[1], {w['pack']}(**gradients))",
                ],
            ),
        ]
        if "hessp" in w:
            lines = [*start, *self.bound("fun"), "direction = np.random.default_rng(seed + 1).standard_normal(x0.size)"]
            if self.moves_freely():
                lines += [
                    f"found = {w['hessp']}(x0, direction, shapes, *data)",
                    f"agree(found, difference(lambda t: {w['fun']}(x0 + t * direction, shapes, *data)[1]))",
                ]
            if "hess" in w:
                lines.append(
                    f"agree({w['hessp']}(x0, direction, shapes, *data), {w['hess']}(x0, shapes, *data) @ direction)"
                )
            if self.moves_freely() or "hess" in w:
                tests.append(self.test("flat_second_derivatives", "The Hessian over the flat vector.", lines))
        return tests

    def moves_freely(self) -> bool:
        return all(x.steps == "entries" for x in self.checked.variables)

    def bound(self, name: str) -> list[str]:
        function = self.checked.flat[name]
        return [f"data = [given[name] for name in list(signature({function}).parameters)[2:]]"]


__all__ = ["Checked", "Drawing", "ISOLATED", "MOODS", "Variable", "support_source", "checks_source"]
