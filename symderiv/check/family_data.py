"""Claims about families as data, in the part `family` of a stored proof.

* `claim`: `label`, `left`, `right`, its `indices`, the `definitions` that it names, the `ranges` of its variables,
  outermost first, and the `least` values of lengths.
* `cases`: for each `name` its `head`, and if it has a text `indices`, `body` and `definitions`; `traits` where it is
  declared; for members of a family the `variable` and the range from `low` to `high`; its rank.
* `heads`: what names stand for: a member (`family`, `label`), a derivative `of` one in another, `x`, with some `held`,
  or a sum or product (`kind`, `variable`, `low`, `high`,
  `backward`, `indices`, `body`, `definitions`, the labels `without`). `widths` and `data`: sizes `n[l]`, subscripts
  `y[t]`.
* `windows`: for each the number of its `part`, from 1, and what it has to do with the claim
  (:class:`symderiv.check.families.Window`). Two are base and step of an induction, which may run `downward`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from symderiv.check.alphabet import Alphabet, Head, Kept, Ranged
from symderiv.check.claims import Claim, Rank, Supposed, Window
from symderiv.check.families import FamilyProof
from symderiv.check.kinds import is_size
from symderiv.check.labels import Interval, Member, Range, is_linear
from symderiv.check.part import Part
from symderiv.check.paths import Case, Closed
from symderiv.check.proof_reader import Object, Reader
from symderiv.check.proof_writer import Table, definition_data
from symderiv.errors import ProofError
from symderiv.index.nodes import Definition, Index, Tensor

# ---------------------------------------------------------------- writing


def family_data(proof: FamilyProof, table: Table) -> dict[str, Any]:
    """Return a claim about families; its expressions go into the table."""
    return _Data(table).family(proof)


class _Data:
    def __init__(self, table: Table) -> None:
        self.table = table

    def row(self, expr: Any) -> int:
        return self.table.number(expr)

    def rows(self, exprs: Sequence[Any]) -> list[int]:
        return [self.row(e) for e in exprs]

    def definitions(self, found: Mapping[str, Definition]) -> list[Any]:
        return [definition_data(d, self.table) for d in found.values()]

    def member(self, member: Member) -> dict[str, Any]:
        return {"family": member.name, "label": self.row(member.label)}

    def range(self, range_: Range) -> dict[str, Any]:
        return {"variable": range_.variable, "low": self.row(range_.low), "high": self.row(range_.high)}

    def family(self, proof: FamilyProof) -> dict[str, Any]:
        alphabet = proof.alphabet
        return {
            "claim": self.claim(proof.claim),
            "cases": [self.case(c, r) for c, r in zip(proof.cases, proof.ranks, strict=True)],
            "heads": {name: self.head(h) for name, h in alphabet.heads.items()},
            "widths": {name: self.member(m) for name, m in alphabet.widths.items()},
            "data": {name: self.member(m) for name, m in alphabet.labels.items()},
            "windows": [{"part": k, **self.window(w)} for k, w in enumerate(proof.windows, start=1)],
            "downward": proof.downward,
        }

    def claim(self, claim: Claim) -> dict[str, Any]:
        return {
            "label": claim.label,
            "left": self.row(claim.left),
            "right": self.row(claim.right),
            "indices": self.rows(claim.indices),
            "definitions": self.definitions(claim.definitions),
            "ranges": [self.range(r) for r in claim.ranges],
            "least": dict(claim.least),
        }

    def case(self, case: Case, rank: Rank) -> dict[str, Any]:
        found: dict[str, Any] = {"name": case.name, "head": self.row(case.head)}
        if case.body is not None:
            found |= {"indices": self.rows(case.indices), "body": self.row(case.body)}
            found["definitions"] = self.definitions(case.definitions)
        if case.traits:
            found["traits"] = sorted(case.traits)
        if case.low is not None:
            found |= {"variable": case.variable, "low": self.row(case.low), "high": self.row(case.high)}
        return found | {"stage": rank.stage, "direction": rank.direction, "place": rank.place}

    def head(self, head: Head) -> dict[str, Any]:
        if isinstance(head, Member):
            return self.member(head)
        if isinstance(head, Kept):
            return {"of": self.row(head.of), "x": self.row(head.x), "held": self.rows(head.held)}
        return {
            "kind": head.kind,
            **self.range(head.range),
            "backward": head.backward,
            "indices": self.rows(head.indices),
            "body": self.row(head.body),
            "definitions": self.definitions(head.definitions),
            "without": self.rows(head.without),
        }

    def window(self, window: Window) -> dict[str, Any]:
        return {
            "letters": self.rows(window.letters),
            "cores": list(window.cores),
            "powers": self.rows(window.powers),
            "rows": None if window.rows is None else self.row(window.rows),
            "affine": list(window.affine),
            "supposed": [self.supposed(s) for s in window.supposed],
            "assumed": {label: self.rows(letters) for label, letters in window.assumed.items()},
            "closed": [{"x": x, "member": m, "within": self.closed(c)} for (x, m), c in window.closed.items()],
        }

    def supposed(self, supposed: Supposed) -> dict[str, Any]:
        return {
            "name": supposed.name,
            "indices": self.rows(supposed.indices),
            "meaning": self.row(supposed.meaning),
            "definitions": self.definitions(supposed.definitions),
            "letters": self.rows(supposed.letters),
        }

    def closed(self, closed: Closed) -> dict[str, Any]:
        def end(label: Any) -> int | None:
            return None if label is None else self.row(label)

        return {name: [[end(i.low), end(i.high)] for i in found] for name, found in closed.items()}


# ---------------------------------------------------------------- reading


def read_family(reader: Reader, data: Object, parts: Sequence[Part]) -> FamilyProof:
    """Return a claim about families, not yet checked; every part of the file belongs to one of its windows."""
    return _Read(reader).family(data, parts)


class _Read:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def family(self, data: Object, parts: Sequence[Part]) -> FamilyProof:
        data.only("claim", "cases", "heads", "widths", "data", "windows", "downward")
        claim = self.claim(Object(data.get("claim", dict), f"{data.where}, claim"))
        cases, ranks = [], []
        for one in data.objects("cases"):
            cases.append(self.case(one))
            ranks.append(Rank(*(one.get(n, int) for n in ("stage", "direction", "place"))))
        heads = {name: self.head(one) for name, one in data.table("heads").items()}
        widths, labels = ({n: self.member(one) for n, one in data.table(k).items()} for k in ("widths", "data"))
        alphabet = Alphabet(heads, widths, labels).of(cases)
        found = data.objects("windows")
        if [w.only(*WINDOW).get("part", int) for w in found] != list(range(1, len(parts) + 1)):
            raise ProofError(f"{data.where}: its windows are not the parts of the file")
        windows = tuple(self.window(w, part) for w, part in zip(found, parts, strict=True))
        return FamilyProof(claim, tuple(cases), tuple(ranks), alphabet, windows, data.get("downward", bool, False))

    # -- pieces

    def label(self, data: Object, name: str) -> Any:
        value = self.reader.expr(data, name)
        if not is_size(value) or not is_linear(value):
            raise ProofError(f"{data.where}: {name!r} is no label")
        return sympy.expand(value)

    def labels(self, data: Object, name: str) -> tuple[Any, ...]:
        found = self.reader.exprs(data, name)
        if not all(is_size(v) and is_linear(v) for v in found):
            raise ProofError(f"{data.where}: {name!r} holds what is no label")
        return tuple(map(sympy.expand, found))

    def indices(self, data: Object, name: str) -> tuple[Index, ...]:
        found = tuple(self.reader.exprs(data, name))
        if not all(isinstance(i, Index) for i in found):
            raise ProofError(f"{data.where}: {name!r} holds what is no index")
        return found

    def definitions(self, data: Object) -> dict[str, Definition]:
        return {d.tensor.name: d for d in map(self.reader.definition, data.objects("definitions"))}

    def member(self, data: Object) -> Member:
        data.only("family", "label")
        return Member(data.get("family", str), self.label(data, "label"))

    def range(self, data: Object) -> Range:
        return Range(data.get("variable", str), self.label(data, "low"), self.label(data, "high"))

    def claim(self, data: Object) -> Claim:
        data.only("label", "left", "right", "indices", "definitions", "ranges", "least")
        left, right = (self.reader.expr(data, n) for n in ("left", "right"))
        ranges = tuple(self.range(r.only("variable", "low", "high")) for r in data.objects("ranges"))
        least = data.get("least", dict, {})
        if not all(type(v) is int for v in least.values()):
            raise ProofError(f"{data.where}: 'least' holds whole numbers")
        indices = self.indices(data, "indices")
        return Claim(data.get("label", str), left, right, indices, self.definitions(data), ranges, least)

    def case(self, data: Object) -> Case:
        data.only("name", "head", "indices", "body", "definitions", "traits", "variable", "low", "high", *RANK)
        head = self.reader.expr(data, "head")
        if not isinstance(head, Tensor):
            raise ProofError(f"{data.where}: {head} is no head")
        body = self.reader.expr(data, "body") if "body" in data.data else None
        low, high = (self.label(data, n) if n in data.data else None for n in ("low", "high"))
        variable, traits = data.get("variable", str, ""), frozenset(data.texts("traits"))
        definitions = self.definitions(data)
        return Case(
            data.get("name", str), head, self.indices(data, "indices"), body, definitions, traits, variable, low, high
        )

    def head(self, data: Object) -> Head:
        if isinstance(data.data, dict) and "family" in data.data:
            return self.member(data)
        if isinstance(data.data, dict) and "of" in data.data:
            data.only("of", "x", "held")
            of, x, *held = (*(self.reader.expr(data, n) for n in ("of", "x")), *self.reader.exprs(data, "held"))
            if not all(isinstance(h, Tensor) for h in (of, x, *held)):
                raise ProofError(f"{data.where} names what is no head")
            return Kept(of, x, tuple(held))
        data.only("kind", "variable", "low", "high", "backward", "indices", "body", "definitions", "without")
        kind = data.get("kind", str)
        if kind not in ("sum", "prod"):
            raise ProofError(f"{data.where}: {kind!r} is neither a sum nor a product")
        body, definitions = self.reader.expr(data, "body"), self.definitions(data)
        indices, without = self.indices(data, "indices"), self.labels(data, "without")
        return Ranged(kind, self.range(data), data.get("backward", bool), indices, body, without, definitions)

    def window(self, data: Object, part: Part) -> Window:
        supposed = tuple(map(self.supposed, data.objects("supposed")))
        assumed = {
            label: self.indices(Object({"letters": one.data}, one.where), "letters")
            for label, one in data.table("assumed").items()
        }
        closed: dict[tuple[str, str], Closed] = {}
        for one in data.objects("closed"):
            one.only("x", "member", "within")
            key = one.get("x", str), one.get("member", str)
            closed[key] = {name: self.intervals(found) for name, found in one.table("within").items()}
        letters, powers = self.indices(data, "letters"), self.labels(data, "powers")
        rows = None if data.data.get("rows") is None else self.label(data, "rows")
        cores, affine = (tuple(data.texts(n)) for n in ("cores", "affine"))
        return Window(part, letters, cores, powers, rows, affine, supposed, assumed, closed)

    def supposed(self, data: Object) -> Supposed:
        data.only("name", "indices", "meaning", "definitions", "letters")
        meaning, definitions = self.reader.expr(data, "meaning"), self.definitions(data)
        indices, letters = self.indices(data, "indices"), self.indices(data, "letters")
        return Supposed(data.get("name", str), indices, meaning, definitions, letters)

    def intervals(self, data: Object) -> tuple[Interval, ...]:
        if not isinstance(data.data, list) or not all(isinstance(i, list) and len(i) == 2 for i in data.data):
            raise ProofError(f"{data.where} should hold pairs of ends")
        found = []
        for pair in data.data:
            ends = [None if e is None else self.label(Object({"end": e}, data.where), "end") for e in pair]
            found.append(Interval(*ends))
        return tuple(found)


RANK = ("stage", "direction", "place")
WINDOW = ("part", "letters", "cores", "powers", "rows", "affine", "supposed", "assumed", "closed")
