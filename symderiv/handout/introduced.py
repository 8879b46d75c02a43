r"""What a block introduces, and what its claims presuppose: declarations, families, ranges, hypotheses.

Each is printed as a person writes it: `D \in \mathbb{R}^{m\times n}`, "for t = 1, …, T: h_t = f(h_{t-1}, x_t)",
"for 0 ≤ τ ≤ t ≤ T, if 1 + vᵀM⁻¹u ≠ 0".
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from symderiv import dims
from symderiv.errors import SymderivError
from symderiv.families import Label, Range, member_name
from symderiv.render.labels import member, parameters
from symderiv.render.latex import Latex
from symderiv.render.model import Definitions, ForEach
from symderiv.render.phrases import phrase
from symderiv.render.symbols import RELATIONS
from symderiv.statements.block import Function, Given, Names, Neglected, Statement
from symderiv.statements.members import Case, Family, MemberReader, World
from symderiv.statements.worlds import reader_in
from symderiv.tensor.expr import Axes, Expr, walk
from symderiv.tensor.parse import size, variable
from symderiv.tensor.syntax import expression_tree

SETS = {
    "positive": r"\mathbb{R}_{>0}", "open_unit": "(0, 1)", "probability": "[0, 1]", "signs": r"\{-1, 1\}",
    "binary": r"\{0, 1\}",
}  # fmt: skip
NAMED = ("symmetric", "positive_definite", "diagonal", "invertible", "orthogonal")


@dataclass(frozen=True)
class Introduced:
    """Prints what statements introduce."""

    names: Names
    latex: Latex
    language: str

    def definitions(self, statements: Iterable[Statement]) -> Definitions | None:
        """Return declarations and definitions in their order, those of one loop together."""
        found: list[str | ForEach] = []
        for ranges, group in groupby(statements, key=self.loops):
            entries = tuple(text for s in group if (text := self.entry(s)))
            if ranges and entries:
                found.append(ForEach(self.latex.runs(ranges), entries))
            else:
                found += entries
        return Definitions(tuple(found)) if found else None

    @staticmethod
    def loops(statement: Statement) -> tuple[Range, ...]:
        """Return the ranges over which a declaration or definition holds."""
        if statement.kind not in ("declare", "define"):
            return ()
        found = member(statement.name)
        named = {str(s) for s in found[1].free_symbols} if found else set()
        return needed(statement.ranges, named | parameters(*statement.exprs))

    def entry(self, statement: Statement) -> str:
        """Return what one statement introduces; nothing for functions without a formula, and for claims."""
        match statement.kind:
            case "declare":
                return self.declared(statement)
            case "define":
                (expr,) = statement.exprs
                return f"{self.latex.name(expr.name)} = {self.latex.matrix(expr.args[0])}"
            case "function":
                return self.function(self.names.functions[statement.name])
            case "least":
                least = self.names.families.least[statement.name]
                return rf"{self.latex.name(statement.name)} \ge {least}"
        return ""

    # -- declarations

    def declared(self, statement: Statement) -> str:
        """Return a declared array, subscript or integer with the set that it lies in."""
        name, families = statement.name, self.names.families
        if statement.exprs:
            (x,) = statement.exprs
            return self.in_space(name, x.axes, x.data[1])
        run = next((r for r in families.parameters if r.variable == name), None)
        if run is not None:
            return rf"{self.latex.name(name)} \in \{{{self.latex.run(run.low, run.high)}\}}"
        if name in families.labels:
            return self.in_range(name, families.labels[name])
        case = self.case(statement)
        if case is None:
            return ""
        if case.label_of is not None:
            return self.in_range(name, case.label_of)
        return self.in_space(name, case.axes, case.traits)

    def case(self, statement: Statement) -> Case | None:
        """Return the case of a family that a statement declares."""
        found = member(statement.name)
        if found is None or found[0] not in self.names.families.table:
            return None
        family, label = found
        lows = {label.xreplace({r.symbol: r.low}) for r in statement.ranges} | {label}
        return next((c for c in self.names.families.table[family].cases if c.low in lows), None)

    def in_space(self, name: str, axes: Axes, traits: frozenset[str]) -> str:
        r"""Return `V \in \mathbb{R}^{n\times n}`, with what is assumed of the array."""
        space = next((SETS[t] for t in SETS if t in traits), r"\mathbb{R}")
        shape = [dim for axis in axes for dim in axis]
        power = f"^{{{self.latex.shape(shape)}}}" if shape else ""
        words = ", ".join(phrase(self.language, f"trait_{t}") for t in NAMED if t in traits)
        return rf"{self.latex.name(name)} \in {space}{power}" + (rf"\ \text{{({words})}}" if words else "")

    def in_range(self, name: str, length: Label) -> str:
        r"""Return a subscript with its range: `y_{t} \in \{1, \dots, m\}`."""
        return rf"{self.latex.name(name)} \in \{{1, \dots, {self.latex.size(length)}\}}"

    # -- functions

    def function(self, function: Function) -> str:
        """Return a function of the sheet with its formula, at its own parameters; none where indices are parameters.

        Such a function is written out where it is called, so that its name is seen nowhere.
        """
        labels, indices = self.subscripts_of(function)
        if indices:
            return ""
        args = {p: size(dims.symbol(p)) if p in labels else variable(p, ()) for p in function.parameters}
        given = {p: dims.symbol(p) if p in labels else arg for p, arg in args.items()}
        try:
            body = reader_in(_Anywhere(), self.names, {}).body(function, given)
        except SymderivError:  # a parameter that is no number: the calls show what it is
            return f"{self.latex.name(function.name)}({', '.join(map(self.latex.name, function.parameters))})"
        if body.op == "directional":
            moved = zip(body.args[1::2], body.args[2::2], strict=True)
            return r",\; ".join(f"{self.called(function, w)} = {self.latex.matrix(v)}" for w, v in moved)
        call = Expr("called", (body, *args.values()), (function.name,), body.axes)
        return f"{self.latex.matrix(call)} = {self.latex.matrix(body)}"

    def called(self, function: Function, arg: Expr) -> str:
        """Return a derivative in a direction, of one argument."""
        moved = Expr("directional", (arg, arg, arg), (), arg.axes)
        return self.latex.matrix(Expr("called", (moved, arg), (function.name,), arg.axes))

    def subscripts_of(self, function: Function) -> tuple[set[str], set[str]]:
        """Return the parameters of a function that stand in the labels of members, and those that are indices."""
        labels: set[str] = set()
        indices: set[str] = set()
        for node in ast.walk(function.body):
            if isinstance(node, ast.Subscript):
                parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                if isinstance(node.value, ast.Name) and node.value.id in self.names.families.table:
                    labels |= {n.id for n in ast.walk(parts[0]) if isinstance(n, ast.Name)}
                    parts = parts[1:]
                indices |= {part.id for part in parts if isinstance(part, ast.Name)}
        return labels & set(function.parameters), indices & set(function.parameters)

    def read(self, text: str, ranges: Sequence[Range]) -> Expr | None:
        """Return the expression that a text stands for, its members at any label; None where it is none."""
        reader = reader_in(_Anywhere(), self.names, {r.variable: r.symbol for r in ranges})
        try:
            return reader.read(expression_tree(text))
        except SymderivError:
            return None

    # -- claims

    def setting(self, statement: Statement) -> str:
        """Return for which members a claim is made, and under which hypotheses, as text before it."""
        parts = [e for g in statement.given for e in (g.left, g.right)] + [n.term for n in statement.neglected]
        ranges = needed(statement.ranges, parameters(*statement.exprs, *parts))
        bounds = self.latex.bounds(ranges)
        conditions = joined(self.language, [f"${self.hypothesis(g)}$" for g in statement.given])
        if bounds and conditions:
            return phrase(self.language, "setting_both", ranges=bounds, conditions=conditions)
        if bounds:
            return phrase(self.language, "setting_ranges", ranges=bounds)
        return phrase(self.language, "setting_given", conditions=conditions) if conditions else ""

    def neglected(self, statement: Statement) -> str:
        """Return what a claim neglects, where, and why, as text."""
        comma = phrase(self.language, "list_comma")
        return comma.join(part for n in statement.neglected for part in self.left_out(n))

    def left_out(self, neglected: Neglected) -> list[str]:
        """Return one term that counts as 0, and the reason."""
        term = f"${self.latex.matrix(neglected.term)}$"
        if neglected.apart is None:
            what = phrase(self.language, "neglecting", term=term)
        else:
            i, j = map(self.latex.name, neglected.apart)
            what = phrase(self.language, "neglecting_for", term=term, condition=rf"${i} \ne {j}$")
        because = phrase(self.language, "because", reason=neglected.because) if neglected.because else ""
        return [part for part in (what, because) if part]

    def hypothesis(self, given: Given) -> str:
        """Return an equation or an inequality that is supposed."""
        return f"{self.latex.matrix(given.left)} {RELATIONS[given.relation]} {self.latex.matrix(given.right)}"


class _Anywhere(World):
    """Members at any label: for showing how they print."""

    def member(self, reader: MemberReader, family: Family, label: Label) -> Expr:
        """Return a member as an array of its own."""
        case = family.cases[-1]
        return Expr("var", (), (member_name(family.name, label), case.traits), reader.axes_at(case, label))


def joined(language: str, items: Sequence[str]) -> str:
    """Return items as a list in words."""
    front = phrase(language, "list_comma").join(items[:-1])
    return "".join([front, phrase(language, "list_and") if front else "", *items[-1:]])


def needed(ranges: Sequence[Range], named: Iterable[str]) -> tuple[Range, ...]:
    """Return the ranges whose variables are named, by an expression or by the ends of one that is needed."""
    wanted, found = set(named), list[Range]()
    for r in reversed(ranges):
        if r.variable in wanted:
            found.append(r)
            wanted |= {str(s) for s in r.low.free_symbols | r.high.free_symbols}
    return tuple(reversed(found))


def told_apart(statements: Iterable[Statement]) -> set[str]:
    """Return the definitions, or their families, of which a sheet names immediate derivatives."""
    found: set[str] = set()
    for expr in walk(*(e for s in statements for e in s.exprs)):
        if expr.op == "diff" and expr.data[0] == "immediate":
            f = expr.args[0].args[0] if expr.args[0].op == "entry" else expr.args[0]
            if f.op in ("var", "defined"):
                known = member(f.name)
                found.add(known[0] if known else f.name)
    return found
