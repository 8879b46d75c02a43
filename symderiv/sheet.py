"""A sheet of statements: declarations, definitions and claims, each claim decided.

A claim is *proved* where the normal forms of its sides agree and the kernel accepts every step of its
proof, or where exact evaluation confirms it (`basis` tells which); *refuted* with a counterexample;
*undecided*; or *rejected* where its shapes do not even fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from symderiv.check.decide import decide_equal
from symderiv.check.kernel import check as kernel_check
from symderiv.errors import ProofError, ShapeError, SymderivError, UnsupportedError
from symderiv.index.graph import Node
from symderiv.index.nodes import Argument, Definition, Index, Names, Tensor
from symderiv.index.text import index_text
from symderiv.index.written import Written
from symderiv.lift import lift
from symderiv.lower import Array, lower, write
from symderiv.replay import Known, Replayed
from symderiv.statements import block
from symderiv.statements.block import Statement
from symderiv.statements.claims import Sides, provable, prove, sides
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.syntax import check_bounds
from symderiv.tensor.text import to_text


@dataclass(frozen=True)
class Claim:
    """A claim and what became of it."""

    id: str
    label: str
    text: str
    status: str
    expected: str
    basis: str = ""
    scope: str = ""
    unproved: str = ""  # why the kernel has no proof, where one was tried
    counterexample: Any = None
    correct: str = ""
    correction: Any = None  # the same as an expression, of the matrix language or in indices
    statement: Statement | None = None
    proof: Replayed | None = None
    sides: Sides | None = None

    @property
    def as_expected(self) -> bool:
        """Tell whether the status is the one the author expects."""
        return self.status == self.expected


@dataclass
class Sheet:
    r"""Statements that share their names, read one block after the other.

    >>> sheet = Sheet(
    ...     "D: (m, n)\nW: (n, p)\nA = D @ W\nassert diff(A[i,j], W[k,l]) == D[i,k] * delta[j,l]"
    ... )
    >>> [c.status for c in sheet.claims]
    ['proved']
    """

    text: str = ""
    source: str = ""
    statements: list[Statement] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = block.Names()
        self.lemmas: dict[str, Argument] = {}
        self.proofs: dict[str, tuple[Argument, ...]] = {}
        self.written: dict[str, Mapping[str, Definition]] = {}
        self.lowered: dict[Expr, Array] = {}
        self.given: dict[tuple[str, str], Tensor] = {}
        check_bounds(self.text)
        if self.text.strip():
            self.read(self.text)

    def read(self, text: str, first_line: int = 1) -> list[Claim]:
        """Read one more block; return its claims, decided."""
        return list(self.reading(text, first_line))

    def reading(self, text: str, first_line: int = 1) -> Iterator[Claim]:
        """Read one more block; yield each claim as it is decided."""
        found = block.read_block(text, self.names, self.source, first_line)
        self.statements += found
        for statement in found:
            try:
                if statement.kind == "define":
                    lower(
                        statement.exprs[0], meaning(), done=self.lowered
                    )  # refused here, where it stands, if it has no meaning
                    self.note_name(statement)
                claim = self.decide(statement) if statement.kind == "claim" else None
            except SymderivError as err:
                raise err.at(statement.place) from None
            if claim is not None:
                self.claims.append(claim)
                yield claim

    def note_name(self, statement: Statement) -> None:
        """Remember `B = diff(E, A)`: a name that proofs may write for the derivative."""
        (expr,) = statement.exprs
        body = expr.args[0]
        if body.op == "diff" and len(body.args) == 2 and all(a.op in ("defined", "var") for a in body.args):
            self.given[(body.args[0].name, body.args[1].name)] = Tensor(statement.name, *expr.shape)

    @property
    def taken(self) -> list[str]:
        """Return every name in use."""
        n = self.names
        return [*n.scope.names, *n.scope.sizes, *n.unknown, *n.functions, *n.scope.functions]

    # -- deciding

    def decide(self, statement: Statement) -> Claim:
        """Return a claim with its status."""
        label = statement.label
        name = label.split()[0] if label.split() else f"claim {len(self.claims) + 1}"
        expected = "refuted" if statement.negated else "proved"
        base = Claim(name, label, statement.text, "undecided", expected, statement=statement)
        if statement.error is not None:
            return _with(base, status="rejected", expected="rejected", scope=_why(statement.error))
        left, right = statement.exprs
        try:
            both = sides(left, right)
        except ShapeError as err:
            if not statement.negated:
                raise err.at(statement.place) from None
            return _with(base, status="rejected", expected="rejected", scope=_why(err))
        base = _with(base, sides=both)
        if both.equal and provable(left):
            try:
                proof = prove(left, right, self.taken, Known(dict(self.lemmas), dict(self.given), dict(self.written)))
                kernel_check(proof.arguments, proof.context, self.proofs)
                self.lemmas[name] = proof.arguments[-1]
                self.proofs[name] = proof.arguments
                self.written[name] = proof.context.definitions
                return _with(base, status="proved", basis="kernel", scope="all sizes; every step checked", proof=proof)
            except (ProofError, UnsupportedError) as err:
                base = _with(base, unproved=err.message)
        outcome = decide_equal(_plain(left), _plain(right))
        basis = "exact" if outcome.status == "proved" else ""
        correction = self.corrected(left, both) if outcome.status == "refuted" else None
        return _with(
            base,
            status=outcome.status,
            basis=basis,
            scope=outcome.scope,
            counterexample=outcome.counterexample,
            correct=_text(correction),
            correction=correction,
        )

    def corrected(self, left: Expr, both: Sides) -> Any:
        """Return what the left side is, in the notation of the claim; None where that has no name in it."""
        try:
            expr = lift(both.left, names=self.matrix_names())
        except UnsupportedError:
            return None
        if any(e.op == "unknown" and len(e.data) > 1 and e.data[1] for e in walk(expr)):
            return None
        if not both.free:
            return expr
        letters = Names([*self.taken, *both.free])
        sizes = dict(zip(both.free, both.left.dims[left.rank :], strict=True))
        tokens: list[tuple[Index, ...]] = [(letters.fresh(axis[0]),) for axis in left.axes]
        tokens += [(Index(name, sizes[name]),) for name in both.free]
        return write(expr, tokens, Written(letters, {}))

    def matrix_names(self) -> dict[Node, Expr]:
        """Return the names that results may be written in: definitions, and names of derivatives."""
        found: dict[Node, Expr] = {}
        inner = meaning()
        for expr in self.names.scope.names.values():
            if expr.op == "defined":
                node = lower(expr, inner).node
                found[node] = expr
                if expr.args[0].op == "diff":
                    found[lower(expr.args[0], inner).node] = expr
                if expr.args[0].op == "unknown":
                    found.update(self.immediate(expr))
        return found

    def immediate(self, expr: Expr) -> dict[Node, Expr]:
        """Return the immediate derivatives of a definition that is an unknown function of named arrays."""
        found: dict[Node, Expr] = {}
        args = expr.args[0].args
        for x in args:
            if x.op in ("var", "defined") and args.count(x) == 1:
                partial = Expr("diff", (expr, x), ("immediate",), expr.axes + x.axes)
                found[lower(partial, meaning()).node] = partial
        return found


def _text(correction: Any) -> str:
    if correction is None:
        return ""
    return to_text(correction) if isinstance(correction, Expr) else index_text(correction)


def _why(err: SymderivError) -> str:
    """Return what is wrong with a line that is claimed to be wrong, without the place: the line stands beside it."""
    return "; ".join([err.message, *(f"{name}: shape {shape}" for name, shape in err.shapes.items())])


def _with(claim: Claim, **changes: Any) -> Claim:
    return Claim(**{**claim.__dict__, **changes})


def _whole_derivative(args: tuple[Expr, ...], mode: str) -> Expr:
    """Return a derivative in entries as the entry of the derivative in the whole arrays."""
    f, *variables = args
    arrays = [x.args[0] if x.op == "entry" else x for x in variables]
    axes = f.axes
    names: list[str | None] = [None] * f.rank
    for x, array in zip(variables, arrays, strict=True):
        axes += array.axes
        names += x.data if x.op == "entry" else [None] * array.rank
    whole = Expr("diff", (f, *arrays), (mode,), axes)
    if not any(names):
        return whole
    kept = tuple(axis for axis, name in zip(axes, names, strict=True) if name is None)
    return Expr("entry", (whole,), tuple(names), kept)


def _plain(expr: Expr) -> Expr:
    """Return an expression in what the checks read: functions written out."""
    new: dict[Expr, Expr] = {}
    for node in walk(expr):
        args = tuple(new[a] for a in node.args)
        if node.op == "called":
            new[node] = args[0]
        elif node.op == "diff":
            new[node] = _whole_derivative(args, "partial" if node.data == ("immediate",) else "total")
        else:
            new[node] = Expr(node.op, args, node.data, node.axes) if args != node.args else node
    return new[expr]
