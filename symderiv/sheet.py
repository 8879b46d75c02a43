"""A sheet of statements: declarations, definitions and claims, each claim decided.

A claim is *proved* where the normal forms of its sides agree and the kernel accepts every step of its
proof, or where exact evaluation confirms it (`basis` tells which); *refuted* with a counterexample;
*undecided*; or *rejected* where its shapes do not even fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import sympy

from symderiv.certifying.certificate import certified
from symderiv.check.coq.certificate import to_coq
from symderiv.check.families import FamilyProof
from symderiv.check.kernel import check as kernel_check
from symderiv.check.outcome import Outcome
from symderiv.check.part import Part
from symderiv.check.stored import to_json
from symderiv.claims.conditions import Condition, conditions
from symderiv.claims.endings import Ending
from symderiv.claims.expansions import Expansion, expansion, names_remainder, zeros
from symderiv.claims.first import Sides, sides
from symderiv.claims.holding import names_held
from symderiv.claims.neglecting import exactly, leaving_out
from symderiv.claims.proving import Attempt, attempts, equations
from symderiv.claims.supposed import attempts_by_hypotheses, given_conditions, solved
from symderiv.claims.taylor import prove_expansion
from symderiv.diagrams.diagram import Diagram
from symderiv.diagrams.opened import of_sheet
from symderiv.errors import ProofError, ShapeError, SymderivError, UnknownNameError, UnsupportedError
from symderiv.families import Range
from symderiv.index.graph import Node
from symderiv.index.nodes import Argument, Definition, Index, Names, Tensor
from symderiv.index.text import index_text
from symderiv.index.written import Written
from symderiv.lift import lift
from symderiv.lower import Array, lower, write
from symderiv.render.latex import Latex
from symderiv.replay import Known, Replayed
from symderiv.statements import block
from symderiv.statements.block import Given, Statement
from symderiv.statements.blocks import Blockwise, in_entries, names_blocks, pairs, rows_of
from symderiv.statements.derivatives import by_derivatives
from symderiv.statements.meaning import meaning
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.syntax import check_bounds
from symderiv.tensor.text import to_text
from symderiv.unrolling import coefficient_at_an_instance, decide_instances, open_conditions
from symderiv.windows.induction import Induction
from symderiv.windows.opened import prove_open
from symderiv.windows.window import Window

if TYPE_CHECKING:  # these need NumPy
    from symderiv.running import Generated
    from symderiv.tables import Table


DERIVATIVES = frozenset(["diff", "directional"])


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
    proof: Replayed | Induction | Blockwise | None = None
    certificate: FamilyProof | None = None  # of a claim about families: that its windows show it
    sides: Sides | None = None
    conditions: tuple[Condition, ...] = ()  # what its inverses, quotients, roots and logarithms presuppose
    neglected: Expr | None = None  # left side less right side of an approximation
    exact: bool = False  # an approximation whose neglected rest is 0
    code: Generated | None = None  # what a `code(…)` statement asks for
    table: Table | None = None

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
        self.opened: dict[str, Replayed] = {}  # proofs of claims about members of symbolic label
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
                if statement.kind == "define" and not statement.open and rows_of(statement.exprs[0]) is None:
                    lower(
                        statement.exprs[0], meaning(), done=self.lowered
                    )  # refused here, where it stands, if it has no meaning
                    self.note_name(statement)
                if statement.kind == "show" and any(e.op in DERIVATIVES for e in walk(*statement.exprs)):
                    statement = self.derived(statement)
                claim = self.decide(statement) if statement.kind == "claim" else None
                claim = self.run(statement) if statement.kind == "code" else claim
                claim = self.tabulated(statement) if statement.kind == "table" else claim
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
        return [*n.scope.names, *n.scope.sizes, *n.unknown, *n.functions, *n.scope.functions, *n.families.table]

    def to_json(self, claim: str) -> str:
        '''Return the proof of a claim, by id or label, as JSON for :func:`symderiv.check_proof`.

        A claim about families is stored with a certificate, that its windows show it for all lengths. Where none can
        be written (a claim under hypotheses, an approximation), the file of a claim that was proved in one window
        holds what was proved of the arrays of this window, and no more.

        Raises UnsupportedError where there is no proof: a claim that is refuted, undecided or confirmed by exact
        evaluation; or an induction without a certificate. :func:`symderiv.check_proof` examines certificate and steps.

        >>> sheet = Sheet("""
        ... f: function(n)
        ... h[0]: (n,)
        ... for t in range(1, T + 1):
        ...     h[t] = f(h[t-1])
        ... for t in range(1, T + 1):
        ...     assert diff(h[t], h[0]) == prod(diff(h[s], h[s-1]) for s in range(t, 0, -1)), "R1"
        ... """)
        >>> from symderiv import check_proof
        >>> check_proof(sheet.to_json("R1"))[0].scope
        'for all t = 1 … T, all T ≥ 1'
        '''
        found = self.claim_called(claim)
        return to_json((), found.certificate) if found.certificate else to_json(self.checked_parts(claim))

    def to_coq(self, claim: str) -> str:
        r"""Return the proof of a claim, by id or label, as a text for Coq with MathComp; see `Proof.to_coq`.

        >>> sheet = Sheet(
        ...     "D: (m, n)\nW: (n, p)\nA = D @ W\nassert diff(A[i,j], W[k,l]) == D[i,k] * delta[j,l], 'L1'"
        ... )
        >>> "Theorem L1" in sheet.to_coq("L1")
        True
        """
        return to_coq(self.checked_parts(claim), claim)

    def claim_called(self, claim: str) -> Claim:
        """Return a claim by id or label."""
        found = next((c for c in self.claims if claim in (c.id, c.label)), None)
        if found is None:
            hint = f"claims: {', '.join(c.id for c in self.claims)}"
            raise UnknownNameError(f"there is no claim {claim!r}", hint=hint)
        return found

    def checked_parts(self, claim: str) -> list[Part]:
        """Return the proof of a claim as the kernel examines it."""
        found = self.claim_called(claim)
        match found.proof:
            case Replayed() as proof:
                return [Part(proof.arguments, proof.context, self.proofs)]
            case Blockwise(proofs=proofs):
                return [Part(proof.arguments, proof.context, self.proofs) for proof in proofs]
            case Induction():
                raise UnsupportedError(f"{claim} is proved by induction, and has no certificate yet")
        raise UnsupportedError(f"there is no proof of {claim} that the kernel accepts: it is {found.status}")

    # -- drawing

    def diagram(self, wrt: str | Sequence[str] | None = None, of: str | None = None) -> Diagram:
        r"""Return the graph of the definitions: values forward, and derivatives back from a function.

        `wrt` names arrays or families; without it they are those that the statements differentiate in.  `of` names
        the function, and draws only what it is made of; without it, it is the last one that they differentiate.
        Families have a node for each member that the texts speak of: h_t, h_{t-1}.

        >>> sheet = Sheet(
        ...     "D: (m, n)\nW: (n, p)\nloss: function()\nA = D @ W\nE = loss(A)\nB = diff(E, A)"
        ... )
        >>> [(edge.tail, edge.head, len(edge.back)) for edge in sheet.diagram("W").graph.edges]
        [('D', 'A', 0), ('W', 'A', 2), ('A', 'E', 2)]
        """
        names = [wrt] if isinstance(wrt, str) else wrt
        return Diagram(of_sheet(self.names, self.statements, Latex(), names, of))

    # -- deciding

    def decide(self, statement: Statement) -> Claim:
        """Return a claim with its status."""
        label = statement.label
        name = label.split()[0] if label.split() else f"claim {len(self.claims) + 1}"
        expected = "refuted" if statement.negated else "proved"
        base = Claim(name, label, statement.text, "undecided", expected, statement=statement)
        if statement.error is not None:
            return _with(base, status="rejected", expected="rejected", scope=_why(statement.error))
        if statement.neglected:
            return self.decide_approximation(statement, base)
        if statement.open or _names_any(statement.exprs, statement.ranges):
            return self.decide_open(statement, base)
        statement = replace(statement, ranges=())
        if names_blocks(*statement.exprs):
            return self.decide_blocks(statement, base)
        return self.decide_closed(statement, base)

    def derived(self, statement: Statement) -> Statement:
        """Return a bare expression that holds a derivative as the claim that it is what the engine finds for it."""
        (expr,) = statement.exprs
        hint = f"write it as a claim, assert {statement.text} == …"
        if statement.open or statement.ranges:
            raise UnsupportedError("what this is for every member of a family is not found by itself", hint=hint)
        found = _text(self.corrected(expr, sides(expr, expr)))
        if not found:
            raise UnsupportedError("what this is has no name in the notation of the block", hint=hint)
        place = statement.place
        claim = f"assert {statement.text} == {found}"
        (read,) = block.read_block(claim, self.names, self.source)
        return replace(read, place=place, given=statement.given)

    def run(self, statement: Statement) -> Claim:
        """Return a request for code as a claim: that the code does what the definitions say."""
        from symderiv.running import agreement, generated

        label = statement.label
        name = label.split()[0] if label.split() else f"code {len(self.claims) + 1}"
        base = Claim(name, label, statement.text, "undecided", "agrees", statement=statement)
        try:
            code = generated(statement, self.names)
        except UnsupportedError as err:
            return _with(base, scope=f"{err.message}; {err.hint}" if err.hint else err.message)
        found = agreement(code, statement, self.names, plain)
        basis = "numeric" if found.status == "agrees" else ""
        return _with(base, status=found.status, basis=basis, scope=found.scope, code=code)

    def decide_blocks(self, statement: Statement, base: Claim) -> Claim:
        """Return a claim about matrices of blocks: one about each pair of blocks."""
        left, right = statement.exprs
        base = _with(base, conditions=conditions(left, right))
        proofs: list[Replayed] = []
        try:
            different = pairs(left, right)
            for k, (one, other) in enumerate(different, 1):
                one, other = in_entries(one, other) or (one, other)
                proof, why = self.proved(f"{base.id}.{k}", one, other, sides(one, other).equal)
                if proof is None:
                    raise ProofError(why)
                proofs.append(proof)
            proof_of_all = Blockwise(tuple(different), tuple(proofs))
            return _with(
                base, status="proved", basis="kernel", scope="all sizes; every step checked", proof=proof_of_all
            )
        except (ProofError, UnsupportedError) as err:
            base = _with(base, unproved=err.message)
        outcome = self.decided(left, right, statement.given)
        basis = "exact" if outcome.status == "proved" else ""
        return _with(
            base, status=outcome.status, basis=basis, scope=outcome.scope, counterexample=outcome.counterexample
        )

    def decide_closed(self, statement: Statement, base: Claim, ending: Ending | None = None) -> Claim:
        """Return a claim about single arrays; `ending` puts the last step of an approximation to its proof."""
        left, right = statement.exprs
        if names_remainder(left, right):
            return self.decide_expansion(expansion(left, right), base)
        try:
            both = sides(left, right)
        except ShapeError as err:
            if not statement.negated:
                raise err.at(statement.place) from None
            return _with(base, status="rejected", expected="rejected", scope=_why(err))
        presupposed = (*given_conditions(statement.given), *conditions(left, right))
        base = _with(base, sides=both, conditions=tuple(dict.fromkeys(presupposed)))
        proof, why = self.proved(base.id, left, right, both.equal, ending)
        if proof is None and ending is None and equations(statement.given):
            proof, why = self.proved_by_hypotheses(statement, both)
        if proof is not None:
            return _with(base, status="proved", basis="kernel", scope="all sizes; every step checked", proof=proof)
        outcome = self.decided(left, right, statement.given)
        if outcome.status == "proved" and not both.equal and ending is None:
            proof, why = self.proved(base.id, left, right, True)  # the kernel knows more laws than the normal form
            if proof is not None:
                return _with(base, status="proved", basis="kernel", scope="all sizes; every step checked", proof=proof)
        base = _with(base, unproved=why)
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

    def decided(self, left: Expr, right: Expr, given: Sequence[Given]) -> Outcome:
        """Return the exact decision, at points that satisfy the hypotheses."""
        from symderiv.check.decide import decide_equal

        found = solved(left, right, given, self.names.families.labels)
        left, right, names = found if found is not None else (left, right, set[str]())
        outcome = decide_equal(plain(left), plain(right))
        if outcome.status != "refuted":
            return outcome
        if found is None or any(g.relation not in ("==", "!=") for g in given):
            return Outcome("undecided", f"where it fails, the hypotheses need not hold: {outcome.scope}")
        example = outcome.counterexample
        if example is not None:
            point = {name: value for name, value in example.point.items() if name not in names}
            example = replace(example, point=point)
        return replace(outcome, counterexample=example)

    def decide_open(self, statement: Statement, base: Claim, ending: Ending | None = None) -> Claim:
        """Return a claim about families: proved for all lengths, or refuted at some."""
        presupposed = (*given_conditions(statement.given), *open_conditions(statement, self.names))
        base = _with(base, conditions=tuple(dict.fromkeys(presupposed)))
        found = decide_instances(statement, self.names, self.decided)
        if found.outcome.status == "refuted":
            where = ", ".join(f"{name} = {value}" for name, value in found.values.items())
            example = found.outcome.counterexample
            if example is not None:
                example = replace(example, sizes={**found.values, **example.sizes})
            scope = f"{where}: {found.outcome.scope}" if where else found.outcome.scope
            return _with(base, status="refuted", scope=scope, counterexample=example)
        try:
            kept: list[Window] = []
            proof = prove_open(statement, self.names, self.taken, self.accept, ending, self.opened, kept)
            certificate = self.certificate(statement, proof, kept) if ending is None else None
        except (ProofError, UnsupportedError) as err:
            confirmed = f"no proof for all lengths; it holds in {found.count} instances (exact)" if found.count else ""
            return _with(base, scope=confirmed or found.outcome.scope, unproved=err.message)
        scope = "all sizes and lengths; every step checked"
        if isinstance(proof, Replayed) and ending is None and not statement.given:
            label = base.label.partition(" (")[0] or base.id
            self.opened[label], self.proofs[label] = proof, proof.arguments
        return _with(base, status="proved", basis="kernel", scope=scope, proof=proof, certificate=certificate)

    def certificate(
        self, statement: Statement, proof: Replayed | Induction, windows: Sequence[Window]
    ) -> FamilyProof | None:
        """Return what certifies that windows show a claim, accepted; None where none can be written yet."""
        try:
            return certified(statement, self.names, proof, windows, dict(self.proofs))
        except UnsupportedError:
            return None

    def decide_approximation(self, statement: Statement, base: Claim) -> Claim:
        """Return a claim that holds but for what it neglects: `left == right + rest` is decided, the rest left out."""
        base = _with(base, expected="refuted" if statement.negated else "approximation")
        is_open = statement.open or bool(statement.ranges)
        decided = self.decide_open if is_open else self.decide_closed
        as_it_stands = decided(statement, base)
        if as_it_stands.status == "proved":
            return _with(as_it_stands, status="approximation", exact=True)
        try:
            factor = coefficient_at_an_instance(statement, self.names) if is_open else None
            exact, rest = exactly(statement, {} if is_open else self.matrix_names(), factor)
            found = decided(exact, base, leaving_out(statement.neglected[0]))
        except UnsupportedError as err:
            return _with(base, scope=err.message)
        return _with(found, status="approximation", neglected=rest) if found.status == "proved" else found

    def tabulated(self, statement: Statement) -> Claim:
        """Return a table of numbers: it agrees where the generated code has the values of the definitions."""
        from symderiv.tables import tabulated

        name = statement.label.split()[0] if statement.label.split() else f"table {len(self.claims) + 1}"
        base = Claim(name, statement.label, statement.text, "undecided", "agrees", statement=statement)
        try:
            table = tabulated(statement, self.names, plain)
        except SymderivError as err:
            raise err.at(statement.place) from None
        scope = f"relative error {table.error:.0e} against independent numeric derivatives"
        status = "agrees" if table.agrees else "undecided"
        return _with(base, status=status, basis="numeric" if table.agrees else "", scope=scope, table=table)

    def decide_expansion(self, claim: Expansion, base: Claim) -> Claim:
        """Return a claim about Taylor coefficients: each of them below the order is 0, or one of them is not."""
        try:
            proof = prove_expansion(claim, self.taken)
            kernel_check(proof.arguments, proof.context)
            return _with(base, status="proved", basis="kernel", scope="all sizes; every step checked", proof=proof)
        except (ProofError, UnsupportedError) as err:
            base = _with(base, unproved=err.message)
        from symderiv.check.decide import decide_equal

        orders = range(claim.count)
        found = [decide_equal(plain(claim.at_zero(n)), zeros(claim.numerator.axes)) for n in orders]
        wrong = next((n for n in orders if found[n].status == "refuted"), None)
        if wrong is not None:
            power = wrong - claim.divided
            scope = f"the sides differ in the coefficient of {claim.eps.name}**{power}: {found[wrong].scope}"
            return _with(base, status="refuted", scope=scope, counterexample=found[wrong].counterexample)
        open_ = next((f for f in found if f.status != "proved"), None)
        if open_ is not None:
            return _with(base, scope=open_.scope)
        return _with(base, status="proved", basis="exact", scope=found[-1].scope)

    def accept(self, proof: Replayed) -> None:
        """Have the kernel check a proof."""
        kernel_check(proof.arguments, proof.context, self.proofs)

    def proved(
        self, name: str, left: Expr, right: Expr, equal: bool, ending: Ending | None = None
    ) -> tuple[Replayed | None, str]:
        """Return a proof that the kernel accepts, kept under the name of its claim; or none, and why there is none.

        `equal` tells that the sides were found equal, and so that a proof is worth looking for.
        """
        try:
            found = attempts(left, right, equal, self.taken, self.known(), ending=ending)
            proof, why = self.first_accepted(found)
        except UnsupportedError as err:
            return None, err.message
        held = names_held(left, right)  # where it is held, a definition is a variable: no lemma for other claims
        if proof is not None and ending is None and not held:
            self.lemmas[name] = proof.arguments[-1]
            self.proofs[name] = proof.arguments
            self.written[name] = proof.context.definitions
        return proof, why

    def known(self) -> Known:
        """Return what proofs may cite: earlier claims, and the names of derivatives."""
        return Known(dict(self.lemmas), dict(self.given), dict(self.written))

    def first_accepted(self, found: Iterator[Attempt]) -> tuple[Replayed | None, str]:
        """Return the first proof that the kernel accepts; or none, and why the first attempt failed."""
        why = ""
        for attempt in found:
            try:
                proof = attempt()
                self.accept(proof)
                return proof, ""
            except (ProofError, UnsupportedError) as err:
                why = why or err.message
        return None, why

    def proved_by_hypotheses(self, statement: Statement, both: Sides) -> tuple[Replayed | None, str]:
        """Return a proof that puts in equations that are given, or why there is none; no lemma for other claims."""
        fixed = frozenset(self.names.families.labels)
        found = attempts_by_hypotheses(statement, both, fixed, self.taken, self.known(), self.matrix_names())
        return self.first_accepted(found)

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
            if expr.op == "defined" and not names_blocks(expr):
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


def _names_any(exprs: Sequence[Expr], ranges: Sequence[Range]) -> bool:
    """Tell whether a variable of a range stands in expressions, as a number or in a size."""
    variables = {r.symbol for r in ranges}
    parts = (part for e in walk(*exprs) for part in (*(s for axis in e.axes for s in axis), *e.data))
    return any(isinstance(p, sympy.Basic) and p.free_symbols & variables for p in parts)


def _text(correction: Any) -> str:
    if correction is None:
        return ""
    return to_text(correction) if isinstance(correction, Expr) else index_text(correction)


def _why(err: SymderivError) -> str:
    """Return what is wrong with a line that is claimed to be wrong, without the place: the line stands beside it."""
    return "; ".join([err.message, *(f"{name}: shape {shape}" for name, shape in err.shapes.items())])


def _with(claim: Claim, **changes: Any) -> Claim:
    return Claim(**{**claim.__dict__, **changes})


def _whole_derivative(args: tuple[Expr, ...], mode: tuple[str, ...]) -> Expr:
    """Return a derivative in entries as the entry of the derivative in the whole arrays."""
    f, *variables = args
    arrays = [x.args[0] if x.op == "entry" else x for x in variables]
    axes = f.axes
    names: list[str | None] = [None] * f.rank
    for x, array in zip(variables, arrays, strict=True):
        axes += array.axes
        names += x.data if x.op == "entry" else [None] * array.rank
    whole = Expr("diff", (f, *arrays), mode, axes)
    if not any(names):
        return whole
    kept = tuple(axis for axis, name in zip(axes, names, strict=True) if name is None)
    return Expr("entry", (whole,), tuple(names), kept)


def plain(expr: Expr) -> Expr:
    """Return an expression in what the checks read: functions written out."""
    new: dict[Expr, Expr] = {}
    for node in walk(expr):
        args = tuple(new[a] for a in node.args)
        if node.op == "called":
            new[node] = args[0]
        elif node.op == "diff":
            new[node] = _whole_derivative(args, ("partial",) if node.data == ("immediate",) else node.data)
        elif node.op == "directional":
            new[node] = by_derivatives(*args)
        else:
            new[node] = node.with_args(args)
    return new[expr]
