"""The derived cookbook: what became of its claims, and every one of them held against differences in NumPy.

The differences come from a reading of the statements of its own, below: it shares nothing with the engine.
"""

from __future__ import annotations

import ast
import itertools
import re
from dataclasses import dataclass, field
from functools import cached_property, reduce
from pathlib import Path
from zlib import crc32

import numpy as np
import plain_numpy
import pytest

from symderiv.handout.build import built_in, rendered

(COOKBOOK,) = (path for path in built_in() if path.stem == "the-derived-cookbook")
SIZES = (3, 2, 4, 5, 6, 1)
STEP = 3e-3
DERIVED = 400

# --- a reading of the statements ------------------------------------------------------------------


@dataclass
class Section:
    """The statements under one heading."""

    declared: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    unknown: dict[str, tuple[str, ...]] = field(default_factory=dict)
    entrywise: set[str] = field(default_factory=set)
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    defined: dict[str, ast.expr] = field(default_factory=dict)

    def add(self, node: ast.stmt) -> None:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Tuple(elts=sizes)):
                self.declared[name] = ("", tuple(s.id for s in sizes))
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Call(func=ast.Name(id=kind), args=sizes)):
                shape = tuple(s.id for s in sizes)
                if kind == "function":
                    self.unknown[name] = shape
                elif kind == "elementwise":
                    self.entrywise.add(name)
                else:
                    self.declared[name] = (kind, shape)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.defined[name] = value
            case ast.FunctionDef(name=name):
                self.functions[name] = node
            case _:
                raise AssertionError(ast.unparse(node))

    @cached_property
    def sizes(self) -> dict[str, int]:
        shapes = [*(shape for _, shape in self.declared.values()), *self.unknown.values()]
        return dict(zip(dict.fromkeys(itertools.chain(*shapes)), SIZES, strict=False))

    def point(self, seed: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        return {n: sample(trait, [self.sizes[s] for s in shape], rng) for n, (trait, shape) in self.declared.items()}


def sample(trait: str, shape: list[int], rng: np.random.Generator) -> np.ndarray:
    """Random arrays that keep away from poles: matrices are small, numbers are not."""
    a = 0.6 * rng.standard_normal(shape) if shape else np.asarray(1.3 + 0.4 * rng.random())
    match trait:
        case "positive":
            return np.abs(a) + 0.7
        case "probability":
            return np.full(shape, 0.3)
        case "symmetric":
            return a + a.T
        case "positive_definite":
            return a @ a.T / shape[0] + np.eye(shape[0])
        case "invertible":
            return a / 3 + np.eye(shape[0])
        case "binary":
            return (a > 0) * 1.0
        case "signs":
            return np.sign(a)
        case "one_hot_rows":
            return np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
    assert trait == ""
    return a


@dataclass(frozen=True)
class Claim:
    label: str
    left: ast.expr
    right: ast.expr
    negated: bool
    section: Section

    @property
    def id(self) -> str:
        return self.label.split()[0]


def read_claims(text: str) -> list[Claim]:
    claims, section = [], Section()
    for heading, block in re.findall(r"^(#+ )|^```symderiv\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if heading:
            section = Section()
        for node in ast.parse(block).body:
            if not isinstance(node, ast.Assert):
                section.add(node)
                continue
            negated = isinstance(node.test, ast.UnaryOp)
            test = node.test.operand if negated else node.test
            claims.append(Claim(node.msg.value, test.left, test.comparators[0], negated, section))
    return claims


CLAIMS = read_claims(COOKBOOK.read_text(encoding="utf-8"))

# --- its values -----------------------------------------------------------------------------------

NAMES = plain_numpy.NAMES | {"log": lambda a: np.log(np.abs(a))}  # the same derivative, on both sides of 0
OPERATORS = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
             ast.MatMult: np.matmul, ast.Pow: np.power}  # fmt: skip
ENTRYWISE = (lambda u: np.sin(u) + u**2 / 3, lambda u: np.cos(u) + 2 * u / 3, lambda u: 2 / 3 - np.sin(u))


def some_function(name: str, shape: tuple[int, ...], args: list[np.ndarray]) -> np.ndarray:
    """A smooth function in the place of an unknown one."""
    flat = np.concatenate([np.ravel(a) for a in args])
    rng = np.random.default_rng(crc32(name.encode()))
    count = int(np.prod(shape))
    a, b = rng.standard_normal((2, count, flat.size))
    value = a @ np.sin(flat) + (b @ flat) ** 2 / 5
    if len(shape) == 2 and shape[0] == shape[1]:
        value = value + 3 * np.eye(shape[0]).ravel()
    return value.reshape(shape)


class Values:
    """Values of expressions at a point; `shift` is added to definitions, indices have numbers."""

    def __init__(self, section: Section, point: dict[str, np.ndarray], shift: dict[str, np.ndarray], step: float):
        self.section, self.point, self.shift, self.step = section, point, shift, step
        self.known: dict[str, np.ndarray] = {}
        self.derivatives: dict[str, np.ndarray] = {}

    def at(self, point: dict[str, np.ndarray], shift: dict[str, np.ndarray]) -> Values:
        return Values(self.section, point, shift, self.step)

    def name(self, name: str) -> np.ndarray:
        if name in self.point:
            return self.point[name]
        if name not in self.known:
            self.known[name] = self.of(self.section.defined[name], {}) + self.shift.get(name, 0)
        return self.known[name]

    def of(self, node: ast.expr, at: dict[str, int]) -> np.ndarray:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                if name in at:
                    return at[name]
                return self.section.sizes[name] if name in self.section.sizes else self.name(name)
            case ast.UnaryOp(operand=inner):
                return -self.of(inner, at)
            case ast.BinOp(left=left, op=op, right=right):
                return OPERATORS[type(op)](self.of(left, at), self.of(right, at))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return {ast.Lt: np.less, ast.Gt: np.greater}[type(op)](self.of(left, at), self.of(right, at))
            case ast.Attribute(value=inner, attr="T"):
                return self.of(inner, at).T
            case ast.Subscript(value=ast.Name(id="delta"), slice=ast.Tuple(elts=[i, j])):
                return float(self.of(i, at) == self.of(j, at))
            case ast.Subscript(value=inner):
                return self.of(inner, at)[self.subscripts(node, at)]
            case ast.Call():
                return self.call(node, at)
        raise AssertionError(ast.unparse(node))

    def subscripts(self, node: ast.Subscript, at: dict[str, int]) -> tuple:
        return tuple(slice(None) if isinstance(p, ast.Slice) else self.of(p, at) for p in parts(node))

    def call(self, node: ast.Call, at: dict[str, int]) -> np.ndarray:
        section, args = self.section, node.args
        match node.func:
            case ast.Name(id="diff"):
                return self.derivative(args[0], args[1:], at, self.total)
            case ast.Name(id="partial"):
                return self.derivative(args[0], args[1:], at, self.immediate)
            case ast.Name(id=name) if name in section.unknown:
                shape = tuple(section.sizes[s] for s in section.unknown[name])
                return some_function(name, shape, [self.of(a, at) for a in args])
            case ast.Name(id=name) if name in section.entrywise:
                return ENTRYWISE[0](self.of(args[0], at))
            case ast.Name(id=name) if name in section.functions:
                return self.put_in(name, self.of(args[0], at))
            case ast.Name(id=name):
                return NAMES[name](*(self.of(a, at) for a in args))
            case ast.Call(args=[ast.Name(id=name), *order]):
                if name in section.entrywise:
                    return ENTRYWISE[order[0].value if order else 1](self.of(args[0], at))
                x = self.of(args[0], at)
                return slope(lambda step: self.put_in(name, x + step), (), self.step)
            case ast.Subscript(value=ast.Name(id="sum")):
                (index,) = parts(node.func)
                spread = range(self.range(index.id, args[0]))
                return sum(self.of(args[0], {**at, index.id: k}) for k in spread)
        raise AssertionError(ast.unparse(node))

    def put_in(self, name: str, value: np.ndarray) -> np.ndarray:
        function = self.section.functions[name]
        (parameter,), (body,) = function.args.args, function.body
        return self.at({**self.point, parameter.arg: value}, self.shift).of(body.value, {})

    def range(self, index: str, node: ast.expr) -> int:
        """The range of an index, from where it stands."""
        for sub in ast.walk(node):
            if isinstance(sub, ast.Subscript) and not (isinstance(sub.value, ast.Name) and sub.value.id == "delta"):
                for place, part in enumerate(parts(sub)):
                    if isinstance(part, ast.Name) and part.id == index:
                        return self.of(sub.value, {}).shape[place]
        raise AssertionError(f"no range for {index}")

    # -- derivatives

    def derivative(self, f: ast.expr, variables: list[ast.expr], at: dict[str, int], way) -> np.ndarray:
        """Differences of the whole array in whole arrays, then the entry that is asked for."""
        whole, *arrays = (x.value if isinstance(x, ast.Subscript) else x for x in (f, *variables))
        key = way.__name__ + ", ".join(ast.dump(x) for x in (whole, *arrays))
        if key not in self.derivatives:
            self.derivatives[key] = way(whole, [x.id for x in arrays])
        place: tuple = ()
        for x, array in zip((f, *variables), (whole, *arrays), strict=True):
            plain = (slice(None),) * np.ndim(self.of(array, {}))
            place += self.subscripts(x, at) if isinstance(x, ast.Subscript) else plain
        return self.derivatives[key][place]

    def total(self, f: ast.expr, names: list[str]) -> np.ndarray:
        if not names:
            return np.asarray(self.of(f, {}))
        *outer, name = names
        return slope(lambda step: self.moved(name, step).total(f, outer), np.shape(self.name(name)), self.step)

    def moved(self, name: str, step: np.ndarray) -> Values:
        if name in self.point:
            return self.at({**self.point, name: self.point[name] + step}, self.shift)
        return self.at(self.point, {**self.shift, name: self.shift.get(name, 0) + step})

    def immediate(self, f: ast.Name, names: list[str]) -> np.ndarray:
        """Definitions in f's own text are held, but for the one that is varied."""
        (name,), body = names, self.section.defined[f.id]
        held = {n.id: self.name(n.id) for n in ast.walk(body) if isinstance(n, ast.Name) and self.is_array(n.id)}

        def value(step: np.ndarray) -> np.ndarray:
            return self.at({**held, name: held[name] + step}, {}).of(body, {})

        return slope(value, held[name].shape, self.step)

    def is_array(self, name: str) -> bool:
        return name in self.point or name in self.section.defined


def parts(node: ast.Subscript) -> list[ast.expr]:
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def slope(f, shape: tuple[int, ...], size: float) -> np.ndarray:
    """∂f/∂step at 0 by central differences of fourth order, shape f.shape + shape."""
    columns = []
    for place in np.ndindex(shape):
        step = np.zeros(shape)
        step[place] = size
        columns.append((8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * size))
    return np.stack(columns, axis=-1).reshape((*np.shape(columns[0]), *shape))


def both_sides(claim: Claim, seed: int, step: float = STEP) -> tuple[np.ndarray, np.ndarray]:
    """Both sides at a point, over every value of the free indices."""
    values = Values(claim.section, claim.section.point(seed), {}, step)
    bound = {p.id for n in ast.walk(claim.left) if is_sum(n) for p in parts(n)}
    bound |= {p.id for n in ast.walk(claim.right) if is_sum(n) for p in parts(n)}
    pair = ast.Tuple([claim.left, claim.right])
    subscripts = [p.id for n in ast.walk(pair) if isinstance(n, ast.Subscript) for p in parts(n) if is_name(p)]
    free = [i for i in dict.fromkeys(subscripts) if i not in bound and not values.is_array(i)]
    spread = [range(values.range(i, pair)) for i in free]
    places = [dict(zip(free, place, strict=True)) for place in itertools.product(*spread)]
    left, right = ([values.of(side, at) for at in places] for side in (claim.left, claim.right))
    return np.asarray(left, dtype=float), np.asarray(right, dtype=float)


def is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name)


def is_sum(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "sum"


def close(one: np.ndarray, other: np.ndarray, tolerance: float) -> bool:
    return np.allclose(one, other, rtol=tolerance, atol=tolerance * max(1.0, np.abs(other).max()))


def at_a_telling_point(claim: Claim) -> tuple[np.ndarray, np.ndarray]:
    """Both sides where the differences do not depend on their step and do not vanish: away from poles and kinks."""
    for seed in range(20):
        left, right = both_sides(claim, seed)
        finite = np.isfinite(left).all() and (np.abs(left).max() > 1e-2 or claim.id == "MC33")
        if finite and close(left, both_sides(claim, seed, STEP / 2)[0], 1e-7):
            return left, right
    raise AssertionError("no point tells anything")


@pytest.mark.parametrize("claim", [c for c in CLAIMS if not c.negated], ids=lambda c: c.id)
def test_an_identity_agrees_with_differences(claim):
    left, right = at_a_telling_point(claim)
    assert left.shape == right.shape
    assert close(left, right, 1e-6), (left, right)


@pytest.mark.parametrize("claim", [c for c in CLAIMS if c.negated and c.id != "ER42"], ids=lambda c: c.id)
def test_an_error_of_the_literature_is_one(claim):
    left, right = at_a_telling_point(claim)
    assert np.abs(left - right).max() > 1e-3 * np.abs(left).max()


# --- what the engine says of them -----------------------------------------------------------------


@pytest.fixture(scope="module")
def built(decided):
    return decided(COOKBOOK)


def test_every_claim_has_the_status_its_author_expects(built):
    assert [(r.id, r.status, r.condition) for r in built.records if not r.as_expected] == []
    assert [r.id for r in built.records] == [c.id for c in CLAIMS]


def test_there_are_as_many_as_there_should_be(built):
    derived = [r for r in built.records if r.status == "proved" and "diff" in r.claim]
    assert len(derived) >= DERIVED
    assert [r.id for r in derived if r.basis != "kernel"] == []


def test_every_error_of_the_literature_is_shown_with_numbers(built):
    refuted = [r for r in built.records if r.id.startswith("ER") and r.expected != "proved"]
    assert len(refuted) >= 15
    for record in refuted:
        assert record.status == "rejected" or (record.counterexample and record.correct), record.id


def test_every_claim_has_a_name_of_its_own_and_a_source():
    assert len({c.id for c in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        assert re.fullmatch(r"[A-Z]{2}\d+ \(.{5,}\)", claim.label), claim.label


def test_claims_of_the_matrix_cookbook_carry_its_numbers():
    numbered = [c for c in CLAIMS if c.id.startswith("MC")]
    for claim in numbered:
        listed = re.search(r"Matrix Cookbook, eq\. ([\d, and]+)", claim.label)
        assert claim.id.removeprefix("MC") in re.findall(r"\d+", listed.group(1)), claim.label
    covered = {int(n) for c in numbered for n in re.findall(r"\d+", c.label.split("eq.")[1].split(";")[0])}
    # Left out: axes of Kronecker products, adjugates, complex numbers, eigenvectors, J^ij, definitions.
    left_out = {39, 41, 45, 56, 68, 73, 80, 96, 128, 133, 134, 135, 136, 137}
    assert set(range(32, 143)) - covered == left_out


@pytest.mark.parametrize("fmt", ["md", "tex"])
def test_the_pages_name_no_place_on_the_machine(fmt, built):
    page = rendered(built, fmt).decode()
    assert str(Path(COOKBOOK).parent) not in page
    assert reduce(lambda n, c: n + (c.id in page), CLAIMS, 0) == len(CLAIMS)
