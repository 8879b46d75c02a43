"""Proofs as the data that :mod:`symderiv.check.stored` describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from symderiv.check.kinds import ASSUMPTIONS, PLAIN, SIGNATURES
from symderiv.check.part import Part
from symderiv.errors import UnsupportedError
from symderiv.index.nodes import Argument, Definition, IndexExpr, Step


class Table:
    """The rows of the expressions written so far, each once."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self.numbers: dict[Any, int] = {}

    def number(self, expr: Any) -> int:
        """Return the number of an expression's row."""
        stack = [expr]
        while stack:
            top = stack[-1]
            missing = [] if top in self.numbers or _is_atom(top) else [a for a in top.args if a not in self.numbers]
            stack += missing
            if not missing:
                stack.pop()
                self._write(top)
        return self.numbers[expr]

    def _write(self, expr: Any) -> None:
        if expr not in self.numbers:
            self.numbers[expr] = len(self.rows)
            self.rows.append(_row(expr) if _is_atom(expr) else [_kind(expr), *(self.numbers[a] for a in expr.args)])


def _is_atom(expr: Any) -> bool:
    return isinstance(expr, (sympy.Symbol, sympy.Rational))


def _row(atom: Any) -> list[Any]:
    if isinstance(atom, sympy.Symbol):
        return ["Symbol", atom.name, *(a for a in ASSUMPTIONS if getattr(atom, f"is_{a}"))]
    if isinstance(atom, sympy.Integer):
        return ["Integer", str(atom)]
    return ["Rational", str(atom.p), str(atom.q)]


def _kind(expr: Any) -> str:
    name = type(expr).__name__
    if name in SIGNATURES if isinstance(expr, IndexExpr) else name in PLAIN:
        return name
    raise UnsupportedError(f"{name} is not part of a stored proof")


def part_data(part: Part, table: Table) -> dict[str, Any]:
    """Return one proof; its expressions go into the table."""
    context = part.context
    return {
        "context": {
            "definitions": [definition_data(d, table) for d in context.definitions.values()],
            "chain": [definition_data(d, table) for d in context.chain.values()],
            "traits": {name: sorted(traits) for name, traits in context.traits.items() if traits},
            "lemmas": _labelled(_lemmas(part), table),
            "assumed": _labelled(context.assumed, table),
            "fixed": sorted(context.fixed),
            "neglected": _labelled(context.neglected, table),
        },
        "cited": {label: [_argument(a, table) for a in part.cited[label]] for label in _needed(part)},
        "arguments": [_argument(a, table) for a in part.arguments],
    }


def _needed(part: Part) -> list[str]:
    """Return the labels of the proofs that a proof cites, or that these cite."""
    found: dict[str, None] = {}
    waiting = [part.arguments]
    while waiting:
        for label in _labels(waiting.pop()):
            if label in part.cited and label not in found:
                found[label] = None
                waiting.append(tuple(part.cited[label]))
    return sorted(found)


def _labels(arguments: Sequence[Argument]) -> list[str]:
    values = [v for a in arguments for s in a.steps for v in s.instance.values()]
    return [v for v in values if isinstance(v, str)]


def _lemmas(part: Part) -> dict[str, Argument]:
    """Return the lemmas of the context that are cited: in a step, in a proof that it cites, or in another of them.

    A step by the rule "lemma" names an argument of its own proof, and so needs none.
    """
    seen: set[str] = set()
    waiting = list(part.arguments)
    while waiting:
        for step in waiting.pop().steps:
            label = step.instance.get("label")
            if step.rule == "lemma" or not isinstance(label, str) or label in seen:
                continue
            seen.add(label)
            lemma = part.context.lemmas.get(label)
            waiting += part.cited.get(label, () if lemma is None else (lemma,))
    return {k: a for k, a in part.context.lemmas.items() if k in seen and k not in part.cited}


def _labelled(arguments: Mapping[str, Argument], table: Table) -> dict[str, Any]:
    return {label: _argument(a, table) for label, a in arguments.items()}


def definition_data(d: Definition, table: Table) -> dict[str, Any]:
    """Return one definition."""
    found: dict[str, Any] = {"tensor": table.number(d.tensor), "indices": [table.number(i) for i in d.indices]}
    if d.body is not None:
        found["body"] = table.number(d.body)
    if d.kind:
        found |= {"kind": d.kind, "arguments": [table.number(a) for a in d.arguments], "axes": list(d.axes)}
    if d.function:
        found["function"] = d.function
    if d.exponent is not None:
        found["exponent"] = table.number(d.exponent)
    return found


def _argument(argument: Argument, table: Table) -> dict[str, Any]:
    return {
        "label": argument.label,
        "left": table.number(argument.left),
        "steps": [_step(s, table) for s in argument.steps],
        "right": table.number(argument.right),
    }


def _step(step: Step, table: Table) -> dict[str, Any]:
    return {
        "rule": step.rule,
        "place": list(step.place),
        "instance": {key: _value(v, table) for key, v in step.instance.items() if _is_told(v)},
        "before": table.number(step.before),
        "after": table.number(step.after),
        "reason": step.reason,
    }


def _is_told(value: Any) -> bool:
    """Tell what the kernel reads in an instance, texts and expressions, from what is there to be printed only."""
    if isinstance(value, (tuple, list)):
        return all(map(_is_told, value))
    return isinstance(value, (str, sympy.Basic))


def _value(value: Any, table: Table) -> Any:
    """Return what an instance names: a text as it is, several as a list, an expression as `{"expression": row}`."""
    if isinstance(value, (tuple, list)):
        return [_value(v, table) for v in value]
    return value if isinstance(value, str) else {"expression": table.number(value)}
