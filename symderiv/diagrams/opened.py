r"""The graph of a sheet: its arrays, its definitions, and of families the members that the texts speak of.

A family has a node for each label that stands in a text: of `h[t] = f(h[t-1], x[t])` those are h_t, h_{t-1} and x_t,
with an arrow from h_{t-1} to h_t that stands for every t.  Dotted lines join what is told of one family: h_0 with
h_{t-1}, which it is for t = 1, and h_t with h_T.  Loops over one family may call their variable by different
letters; the nodes have the first of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from symderiv import dims
from symderiv.chain import Chain, differentiate_all
from symderiv.diagrams.closed import Ways, walked_by
from symderiv.diagrams.graph import Edge, Graph, Node, derivative, labelled, quotient, space
from symderiv.diagrams.reading import Reading, Told, Use
from symderiv.errors import UnknownNameError
from symderiv.families import Label
from symderiv.lower import lower
from symderiv.render.latex import Latex
from symderiv.statements.block import Names, Statement
from symderiv.statements.meaning import meaning
from symderiv.windows.dependence import Key


def of_sheet(
    names: Names, statements: Sequence[Statement], latex: Latex, wrt: Sequence[str] | None, of: str | None
) -> Graph:
    """Return the graph of a sheet; the function and the variables are those that it differentiates, if not given."""
    return _Drawing(names, statements, latex).graph(wrt, of)


class _Drawing(Reading):
    def __init__(self, names: Names, statements: Sequence[Statement], latex: Latex) -> None:
        super().__init__(names, statements)
        self.latex = latex

    def graph(self, wrt: Sequence[str] | None, of: str | None) -> Graph:
        function = self.function(of)
        keys = self.keys(function if of is not None else None)
        wanted = self.wanted(wrt, function, keys)
        lines = list(self.lines(keys))
        walked = self.walked(function, wanted, keys, lines) if function is not None and wanted else set()
        nodes = [self.node(key, function, wanted) for key in keys]
        edges = [self.edge(told, use, function, walked) for told in self.within(keys) for use in told.uses]
        edges += [Edge(str(a), str(b)) for a, b in lines]
        unique = {(e.tail, e.head): e for e in reversed(edges)}
        name = self.latex.name(str(function)) if function is not None else ""
        return Graph(name, tuple(nodes), tuple(reversed(unique.values())), self.members(keys))

    def members(self, keys: Sequence[Key]) -> str:
        """Return the letters of the families that are drawn, as LaTeX."""
        drawn = {key.name for key in keys if key.label is not None}
        return ", ".join(dict.fromkeys(self.latex.name(str(c)) for name, c in self.letters.items() if name in drawn))

    def within(self, keys: Sequence[Key]) -> list[Told]:
        return [self.told[key] for key in keys if key in self.told]

    def function(self, of: str | None) -> Key | None:
        """Return the function: the one that is named, or the last that is differentiated and made no use of."""
        by_name = {str(key): key for key in self.told} | {key.name: key for key in self.told}
        if of is not None:
            if of not in by_name:
                hint = f"defined are {', '.join(map(str, self.told))}" if self.told else "the sheet defines nothing"
                raise UnknownNameError(f"the sheet has no definition {of!r} to draw", hint=hint)
            return by_name[of]
        used = {use.key.name for told in self.told.values() for use in told.uses if use.key.name != told.key.name}
        last = [key for key in self.told if key.name not in used]
        derived = {f for f, _ in self.pairs}
        numbers = [key for key in last if not self.told[key].body.rank]
        for choice in (
            [key for key in numbers if key.name in derived],
            [key for key in last if key.name in derived],
            [key for key in self.told if key.name in derived],
            numbers,
            last,
        ):
            if choice:
                return choice[-1]
        return None

    def keys(self, of: Key | None) -> list[Key]:
        """Return what has a node: arrays before definitions; all, or what a definition is made of."""
        named = [use.key for told in self.told.values() for use in told.uses]
        if of is not None:
            named, waiting = [], [of]
            while waiting:
                named.append(waiting.pop())
                if (told := self.told.get(named[-1])) is not None:
                    waiting += [use.key for use in told.uses if use.key not in named]
        wanted = set(named) if of is not None else {*named, *self.told}
        families = {key.name for key in wanted if key.label is not None}
        declared = [key for key in self.declared if key in wanted or key.name in families or not self.told]
        rest = [
            key for key in dict.fromkeys(named) if key in wanted and key not in self.declared and key not in self.told
        ]
        return [*declared, *rest, *(key for key in self.told if key in wanted)]

    def wanted(self, wrt: Sequence[str] | None, function: Key | None, keys: Sequence[Key]) -> set[Key]:
        """Return the keys that are differentiated in: named one by one, or by their family."""
        if wrt is None:
            named = [self.key(x) for f, x in self.pairs if function is not None and f == function.name]
            return {key for key in keys if key != function and any(self.covers(name, key) for name in named)}
        found = set[Key]()
        for name in wrt:
            spelt = str(self.key(name))
            fitting = {key for key in keys if spelt in (str(key), key.name)}
            if not fitting:
                shown = ", ".join(dict.fromkeys(key.name for key in keys))
                raise UnknownNameError(f"no {name!r} in the diagram to differentiate in", hint=f"there are {shown}")
            found |= fitting
        return found

    def covers(self, name: Key, key: Key) -> bool:
        """Tell whether a name that is differentiated in covers a node; one member of a loop stands for all of them."""
        is_first = key.label is not None and key in self.declared and self.letters.get(key.name) not in _letters(key)
        return name == key or (name.name == key.name and not is_first and bool(_letters(name) or name.label is None))

    def lines(self, keys: Sequence[Key]) -> Iterator[tuple[Key, Key]]:
        """Yield the pairs of members of one family that follow each other in it, with others between them."""
        for name, letter in self.letters.items():
            here = [(key, key.label) for key in keys if key.name == name and key.label is not None]
            steps = {key: label - letter for key, label in here if (label - letter).is_Integer}
            moving = sorted(steps, key=lambda k: int(steps[k]), reverse=self.runs_down(name))
            for key in [k for k, label in here if moving and letter not in label.free_symbols]:
                yield (key, moving[0]) if key in self.told or key in self.declared else (moving[-1], key)
            for a, b in pairwise(moving):
                near = [use.key.name for told in self.within([a, b]) for use in told.uses]
                if name not in near:
                    yield a, b

    def runs_down(self, name: str) -> bool:
        """Tell a recurrence that goes from later members to earlier ones."""
        for told in self.told.values():
            for use in told.uses:
                if told.loops and told.key.name == use.key.name == name:
                    return use.key.label is not None and bool((use.key.label - told.key.label).is_positive)
        return False

    # -- derivatives

    def walked(
        self, function: Key, wanted: set[Key], keys: Sequence[Key], lines: Sequence[tuple[Key, Key]]
    ) -> set[tuple[Key, Key]]:
        """Return the pairs (parent, child) that the chain rule goes through."""
        if not self.names.families.table:
            found = walked_by(self.chain(function, wanted), str(function))
            return {(Key(parent), Key(child)) for parent, child in found}
        arrows = [(use.key, told.key) for told in self.within(keys) for use in told.uses if use.slopes]
        both = [*arrows, *lines, *self.alike(keys)]
        moving, reaching = set(wanted), {function}
        _grow(moving, both)
        _grow(reaching, [(b, a) for a, b in both])
        return {(parent, child) for child, parent in arrows if child in moving and parent in reaching}

    def alike(self, keys: Sequence[Key]) -> Iterator[tuple[Key, Key]]:
        """Yield the pairs of members that stand for each other's neighbours: what moves one moves all of them."""
        for told in self.within(keys):
            for key in keys if told.loops else ():
                if key.name == told.key.name and key not in self.declared and key != told.key:
                    yield told.key, key
                    yield key, told.key

    def chain(self, function: Key, wanted: set[Key]) -> Chain:
        scope = self.names.scope.names
        arrays = [scope[key.name] for key in sorted(wanted, key=str) if key.name in scope]
        node, *leaves = (lower(e, meaning()).node for e in (scope[function.name], *arrays))
        return differentiate_all(node, leaves)

    def edge(self, told: Told, use: Use, function: Key | None, walked: set[tuple[Key, Key]]) -> Edge:
        """Return an arrow, with what flows back along it."""
        shape = self.space(use.key)
        back: tuple[str, ...] = ()
        if function is not None and (told.key, use.key) in walked:
            back = self.back(told, use, function, walked)
        return Edge(str(use.key), str(told.key), shape, back)

    def back(self, told: Told, use: Use, function: Key, walked: set[tuple[Key, Key]]) -> tuple[str, ...]:
        """Return what flows back; members of a family count as one, for each text speaks of all of them."""
        ways = Ways({(parent.name, child.name) for parent, child in walked})
        parents = {parent for parent, child in walked if child.name == use.key.name}
        repeated = bool(told.loops and use.key.label is None) or len(parents) > 1
        own = told.key.name == use.key.name
        plus = self.latex.told_apart(str(told.key)) or (not own and self.again(ways, told, use))
        f, parent, child = (self.latex.name(str(key)) for key in (function, told.key, use.key))
        of, axes = self.told[function].body.axes, self.axes[use.key] or ()
        lines = derivative(f, parent, child, space(self.latex, of, axes), not repeated, plus)
        name = self.derivatives.get((str(function), str(use.key)))
        if name is not None and not repeated:
            return (rf"{self.latex.name(name)} = {quotient(f, child)}", *lines[1:])
        return lines

    @staticmethod
    def again(ways: Ways, told: Told, use: Use) -> bool:
        """Tell whether a definition depends on an array through others that it names, too."""
        others = {u.key.name for u in told.uses if u.key.name != use.key.name}
        return not others.isdisjoint(ways.above(use.key.name))

    # -- how it is written

    def space(self, key: Key) -> str:
        axes = self.axes.get(key)
        if axes is not None:
            return space(self.latex, axes)
        labels = self.names.families
        case = labels.table[key.name].cases[0] if key.name in labels.table else None
        size = case.label_of if case is not None else labels.labels.get(key.name)
        return rf"\{{1, \dots, {self.latex.size(size)}\}}" if size is not None else r"\mathbb{Z}"

    def node(self, key: Key, function: Key | None, wanted: set[Key]) -> Node:
        """Return the node of a key, with its definition where it has one of its own."""
        name, told = self.latex.name(str(key)), self.told.get(key)
        if told is None:
            kind = "variable" if key in self.declared else "definition"
            text = self.declared_text(key) if key in self.declared else str(key)
            return Node(str(key), kind, name, text, key in wanted)
        kind = "function" if key == function else "definition"
        return Node(str(key), kind, labelled(name, self.written(told)), told.statement.text, key in wanted)

    def written(self, told: Told) -> str:
        """Return the text of a definition as LaTeX, in the letters of the nodes."""
        if not told.letters:
            return self.latex.matrix(told.body)
        ((old, new),) = told.letters.items()
        with self.latex.at(old, new):
            return self.latex.matrix(told.body)

    def declared_text(self, key: Key) -> str:
        axes = self.axes.get(key)
        return f"{key}: {dims.written(tuple(dims.product(a) for a in axes))}" if axes is not None else str(key)


def _grow(found: set[Key], arrows: Sequence[tuple[Key, Key]]) -> None:
    """Put everything to a set that arrows lead to from it."""
    after: dict[Key, list[Key]] = {}
    for tail, head in arrows:
        after.setdefault(tail, []).append(head)
    waiting = list(found)
    while waiting:
        new = [key for key in after.get(waiting.pop(), ()) if key not in found]
        found.update(new)
        waiting += new


def _letters(key: Key) -> frozenset[Label]:
    """Return the letters in a label."""
    return frozenset() if key.label is None else frozenset(key.label.free_symbols)


__all__ = ["of_sheet"]
