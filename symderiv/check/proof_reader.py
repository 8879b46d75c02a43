"""The data that :mod:`symderiv.check.stored` describes as proofs: nodes are built, nothing else happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy

from symderiv.check.kinds import ASSUMPTIONS, LARGEST_EXPONENT, PLAIN, SIGNATURES
from symderiv.check.part import Part
from symderiv.errors import ProofError
from symderiv.index import nodes
from symderiv.index.nodes import Argument, Context, Definition, Index, IndexExpr, Step, Tensor


@dataclass(frozen=True)
class Object:
    """A JSON object and where it stands; every field is asked for by the kind of its value."""

    data: Any
    where: str

    def only(self, *names: str) -> Object:
        """Return the object, if it has no other fields."""
        if not isinstance(self.data, dict):
            raise ProofError(f"{self.where} is no JSON object")
        for name in self.data:
            if name not in names:
                raise ProofError(f"{self.where} has a field {name!r}, which this format does not know")
        return self

    def get(self, name: str, kind: type, default: Any = None) -> Any:
        """Return a field of a kind."""
        value = self.data.get(name, default)
        if type(value) is not kind:
            raise ProofError(f"{self.where}: {name!r} should be a JSON {NAMES[kind]}")
        return value

    def objects(self, name: str) -> list[Object]:
        """Return the objects in a list."""
        return [Object(v, f"{self.where}, {name} {n}") for n, v in enumerate(self.get(name, list, []), start=1)]

    def table(self, name: str) -> dict[str, Object]:
        """Return the values of a field that is a table, by name."""
        return {k: Object(v, f"{self.where}, {name} {k!r}") for k, v in self.get(name, dict, {}).items()}

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        return _all(self.get(name, list, []), str, f"{self.where}: {name!r}")


NAMES = {str: "text", int: "whole number", list: "list", dict: "object", bool: "truth value"}


def _all(values: list[Any], kind: type, where: str) -> list[Any]:
    if not all(type(v) is kind for v in values):
        raise ProofError(f"{where} should hold values of the kind {NAMES[kind]} only")
    return values


class Reader:
    """What a file says, as nodes."""

    def __init__(self, file: Object) -> None:
        self.file = file.only("format", "version", "expressions", "parts", "family")
        self.rows: list[Any] = []
        for number, row in enumerate(file.get("expressions", list)):
            self.rows.append(self.row(row, f"expression {number}"))

    def parts(self) -> tuple[Part, ...]:
        """Return the proofs; each ends with something."""
        found = tuple(self.part(p.only("context", "cited", "arguments")) for p in self.file.objects("parts"))
        if not found or not all(part.arguments for part in found):
            raise ProofError("the file holds nothing that is proved")
        return found

    def part(self, data: Object) -> Part:
        """Return one proof."""
        names = ("definitions", "chain", "traits", "lemmas", "assumed", "fixed", "neglected")
        context = Object(data.get("context", dict), data.where).only(*names)
        cited = {
            label: tuple(self.argument(Object(a, where.where)) for a in _listed(where))
            for label, where in data.table("cited").items()
        }
        return Part(tuple(map(self.argument, data.objects("arguments"))), self.context(context), cited)

    def context(self, data: Object) -> Context:
        """Return what a proof may use."""
        traits = {k: frozenset(_all(_listed(v), str, v.where)) for k, v in data.table("traits").items()}
        definitions, chain = (
            {d.tensor.name: d for d in map(self.definition, data.objects(n))} for n in ("definitions", "chain")
        )
        lemmas, assumed, neglected = (
            {k: self.argument(v) for k, v in data.table(n).items()} for n in ("lemmas", "assumed", "neglected")
        )
        fixed = frozenset(data.texts("fixed"))
        return Context(definitions, chain, traits, lemmas, assumed=assumed, fixed=fixed, neglected=neglected)

    def definition(self, data: Object) -> Definition:
        """Return one definition."""
        data.only("tensor", "indices", "body", "kind", "arguments", "axes", "function", "exponent")
        body, exponent = (self.expr(data, n) if n in data.data else None for n in ("body", "exponent"))
        tensor, indices = self.expr(data, "tensor"), tuple(self.exprs(data, "indices"))
        arguments = tuple(self.exprs(data, "arguments"))
        for one, kind in ((tensor, Tensor), *((a, Tensor) for a in arguments), *((i, Index) for i in indices)):
            if not isinstance(one, kind):
                raise ProofError(f"{data.where}: {one} is no {kind.__name__}")
        axes = tuple(_all(data.get("axes", list, []), int, f"{data.where}: 'axes'"))
        kind, function = data.get("kind", str, ""), data.get("function", str, "")
        return Definition(tensor, indices, body, kind, arguments, axes, function, exponent)

    def argument(self, data: Object) -> Argument:
        """Return one chain of equalities."""
        data.only("label", "left", "steps", "right")
        steps = tuple(map(self.step, data.objects("steps")))
        return Argument(data.get("label", str), self.expr(data, "left"), steps, self.expr(data, "right"))

    def step(self, data: Object) -> Step:
        """Return one step."""
        data.only("rule", "place", "instance", "before", "after", "reason")
        place = tuple(_all(data.get("place", list), int, f"{data.where}: 'place'"))
        instance = {k: self.value(v.data, v.where) for k, v in data.table("instance").items()}
        before, after = self.expr(data, "before"), self.expr(data, "after")
        return Step(data.get("rule", str), place, instance, before, after, data.get("reason", str, ""))

    def value(self, value: Any, where: str) -> Any:
        """Return what an instance names."""
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return tuple(self.value(v, where) for v in value)
        return self.expr(Object(value, where).only("expression"), "expression")

    # -- expressions

    def expr(self, data: Object, name: str) -> Any:
        """Return the expression that a field names by its row."""
        return self.at(data.get(name, int), f"{data.where}: {name!r}")

    def exprs(self, data: Object, name: str) -> list[Any]:
        """Return the expressions that a field lists."""
        where = f"{data.where}: {name!r}"
        return [self.at(v, where) for v in _all(data.get(name, list, []), int, where)]

    def at(self, number: Any, where: str) -> Any:
        """Return the expression of a row that was read already."""
        if type(number) is not int or not 0 <= number < len(self.rows):
            raise ProofError(f"{where} names row {number!r}, which is no row before it")
        return self.rows[number]

    def row(self, row: Any, where: str) -> Any:
        """Return the expression that a row stands for."""
        if not isinstance(row, list) or not row or not isinstance(row[0], str):
            raise ProofError(f"{where} is no row: a name and its parts")
        kind, *parts = row
        if kind in ATOMS:
            return ATOMS[kind](_all(parts, str, where), where)
        args = [self.at(p, where) for p in parts]
        if kind in PLAIN:
            return _size(kind, args, where)
        signature = SIGNATURES.get(kind)
        if signature is None:
            raise ProofError(f"{where}: {kind!r} is no kind of expression")
        if not signature(args):
            raise ProofError(f"{where}: these are no parts of {kind}")
        return getattr(nodes, kind)(*args)


def _listed(data: Object) -> list[Any]:
    if not isinstance(data.data, list):
        raise ProofError(f"{data.where} should be a JSON list")
    return data.data


def _symbol(parts: list[str], where: str) -> Any:
    if not parts or any(p not in ASSUMPTIONS for p in parts[1:]):
        raise ProofError(f"{where}: a Symbol is a name and assumptions ({', '.join(ASSUMPTIONS)})")
    return sympy.Symbol(parts[0], **dict.fromkeys(parts[1:], True))


def _integer(parts: list[str], where: str) -> Any:
    return sympy.Integer(_whole(parts, 1, where)[0])


def _rational(parts: list[str], where: str) -> Any:
    top, low = _whole(parts, 2, where)
    if low < 2:
        raise ProofError(f"{where}: a Rational has a denominator above 1")
    return sympy.Rational(top, low)


def _whole(parts: list[str], count: int, where: str) -> list[int]:
    try:
        values = [int(p) for p in parts]
    except ValueError:
        values = []
    if len(values) != count:
        raise ProofError(f"{where}: {count} whole numbers are needed, as texts")
    return values


ATOMS: dict[str, Callable[[list[str], str], Any]] = {"Symbol": _symbol, "Integer": _integer, "Rational": _rational}


def _size(kind: str, args: list[Any], where: str) -> Any:
    """Return arithmetic of sizes, which SymPy works out: no large powers."""
    if any(isinstance(a, IndexExpr) for a in args):
        raise ProofError(
            f"{where}: {kind} is for sizes; products, sums and powers of entries are Times, Plus and Power"
        )
    if kind == "Pow":
        small = len(args) == 2 and isinstance(args[1], sympy.Rational) and abs(args[1]) <= LARGEST_EXPONENT
        if not small or isinstance(args[0], sympy.Rational):
            raise ProofError(f"{where}: a power of a size has a small exponent")
    return PLAIN[kind](*args)
