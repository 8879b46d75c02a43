"""Proofs made wrong: what differs from a proof that the kernel accepts by one slip.

A damage is made to what one step arrives at, to what it says of itself, or to what the proof may use. As a *single*
one it stands in one step only, whose links to its neighbours it breaks. *Carried through* it is said again by all
steps that follow, as far as they do not touch it, and by the right side of the argument: only the law of the damaged
step can notice. Each proof is taken as it is and with *equal sizes* everywhere, where no shape gives a damage away.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sympy
from evaluated import Link

from symderiv import Sheet, derive
from symderiv.check.kernel import rules
from symderiv.check.part import Part
from symderiv.check.stored import from_json
from symderiv.handout.build import built_in
from symderiv.handout.source import read_source
from symderiv.index.nodes import (
    Apply,
    Argument,
    Choice,
    Context,
    Definition,
    Delta,
    Derivative,
    Entry,
    Extreme,
    Immediate,
    Index,
    Plus,
    Power,
    Step,
    Sum,
    Tensor,
    Times,
    all_indices,
    at,
    free_indices,
    heads,
    places,
    put,
)
from symderiv.replay import Replayed
from symderiv.statements.blocks import Blockwise
from symderiv.windows.induction import Induction

MINUS, ONE = sympy.Integer(-1), sympy.Integer(1)
RULES = rules()


@dataclass(frozen=True)
class Proof:
    """A proof that the kernel accepts, and where it comes from."""

    source: str
    part: Part


@dataclass(frozen=True)
class Mutant:
    """A damaged proof; `links` are the equalities it says that the whole proof does not."""

    kind: str
    carried: bool
    source: str
    where: str
    part: Part
    links: tuple[Link, ...]


# ---------------------------------------------------------------- the proofs


def of_handouts(stems: Sequence[str]) -> Iterator[Proof]:
    """Yield the proofs of the built-in handouts, in order."""
    for path in built_in():
        if path.stem in stems:
            yield from of_handout(path)


def of_handout(path: Path) -> Iterator[Proof]:
    sheet = Sheet()
    for passage in read_source(path.read_text(encoding="utf-8"), path).passages:
        if passage.kind != "block":
            continue
        if passage.fresh:
            sheet = Sheet()
        for claim in sheet.read(passage.text, passage.line):
            for proof in replayed(claim.proof):
                yield Proof(f"{path.stem} {claim.id}", Part(proof.arguments, proof.context, dict(sheet.proofs)))


def replayed(proof: Any) -> Sequence[Replayed]:
    match proof:
        case Replayed():
            return [proof]
        case Blockwise(proofs=proofs):
            return proofs
        case Induction(base=base, step=step):
            return [base, step]
    return []


DERIVED: tuple[tuple[str, list[str], dict[str, tuple[str, ...]], dict[str, str]], ...] = (
    ("norm(X @ w - y)**2", ["w"], {"X": ("n", "p"), "w": ("p",), "y": ("n",)}, {}),
    ("norm(X @ w - y)**2", ["w", "w"], {"X": ("n", "p"), "w": ("p",), "y": ("n",)}, {}),
    ("sum(sigmoid(X @ w) * y)", ["w", "w", "w"], {"X": ("n", "p"), "w": ("p",), "y": ("n",)}, {}),
    ("norm(T - U @ V.T)**2", ["U", "V"], {"T": ("m", "n"), "U": ("m", "k"), "V": ("n", "k")}, {}),
    ("x @ S @ x", ["x", "x"], {"S": ("n", "n"), "x": ("n",)}, {"S": "symmetric"}),
    ("logdet(K) + y @ inv(K) @ y", ["K", "K"], {"K": ("n", "n"), "y": ("n",)}, {"K": "positive_definite"}),
    ("det(X)", ["X"], {"X": ("n", "n")}, {"X": "invertible"}),
    ("trace(matrix_power(A, n))", ["A"], {"A": ("n", "n")}, {"A": "invertible"}),
    ("y @ softmax(W @ x, 0)", ["x", "W"], {"W": ("m", "n"), "x": ("n",), "y": ("m",)}, {}),
    ("sum(tanh(W @ tanh(V @ x)))", ["V"], {"W": ("m", "k"), "V": ("k", "n"), "x": ("n",)}, {}),
    ("sum(where(x > y, x**2, maximum(x, y)))", ["x"], {"x": ("n",), "y": ("n",)}, {}),
    ("prod(x) * logsumexp(x)", ["x", "x"], {"x": ("n",)}, {}),
    ("sum(x**p) / n", ["x"], {"x": ("n",), "p": ()}, {"x": "positive"}),
)


def of_derivatives() -> Iterator[Proof]:
    """Yield the proofs of derivatives of several orders."""
    for expr, wrt, shapes, assume in DERIVED:
        for part in from_json(derive(expr, wrt, shapes=shapes, assume=assume).proof.to_json()):
            yield Proof(f"∂({expr})/∂{','.join(wrt)}", part)


UNIT = "z: (I,)\nw: (J, I)\no: index(I)\nloss: function()\na = w @ z\nE = loss(a)\nwith given(z[o] == 1):\n    assert "
MATRICES = "A: (n, n)\nM: invertible(n, n)\nu: (n,)\nv: (n,)\ns: ()\nwith given("
SUPPOSED = (
    f"{UNIT}diff(E, w[j,o], w[j,o]) == diff(E, a[j], a[j])",
    f"{UNIT}diff(E, w[j,o], w[j_,i]) == z[i] * diff(E, a[j], a[j_])",
    f"{UNIT}diff(E, w[j,o]) == diff(E, a[j])",
    f"{UNIT}z[o] * a[j] == a[j]",
    f"{MATRICES}A @ M == M @ A):\n    assert A @ M @ u == M @ A @ u",
    f"{MATRICES}u @ v == 0):\n    assert s * (u @ v) + u @ u == u @ u",
)


def of_hypotheses() -> Iterator[Proof]:
    """Yield the proofs of claims that hold where an equation does."""
    for text in SUPPOSED:
        sheet = Sheet(text)
        for proof in replayed(sheet.claims[-1].proof):
            yield Proof(sheet.claims[-1].text, Part(proof.arguments, proof.context, dict(sheet.proofs)))


def with_equal_sizes(part: Part) -> Part:
    """Return a proof in which every size is the same one."""
    names = {s for e in expressions(part) for s in e.atoms(sympy.Symbol) if s.is_integer and s.is_positive}
    one = sympy.Symbol("n", integer=True, positive=True)
    change = dict.fromkeys(names, one)
    return mapped(part, lambda e: e.xreplace(change) if isinstance(e, sympy.Basic) else e)


def expressions(part: Part) -> Iterator[Any]:
    tables = part.context.definitions, part.context.chain
    for definition in (d for table in tables for d in table.values()):
        yield from (definition.tensor, *definition.arguments, *definition.indices)
    for argument in (*part.arguments, *(a for proof in part.cited.values() for a in proof)):
        yield argument.left
        yield from (step.after for step in argument.steps)


def mapped(part: Part, change: Callable[[Any], Any]) -> Part:
    """Return a proof with a change made to each of its expressions."""

    def value(v: Any) -> Any:
        return tuple(map(value, v)) if isinstance(v, (tuple, list)) else change(v)

    def step(s: Step) -> Step:
        told = {k: value(v) for k, v in s.instance.items()}
        return replace(s, before=change(s.before), after=change(s.after), instance=told)

    def argument(a: Argument) -> Argument:
        return Argument(a.label, change(a.left), tuple(map(step, a.steps)), change(a.right))

    def definition(d: Definition) -> Definition:
        body, exponent = (None if e is None else change(e) for e in (d.body, d.exponent))
        indices, arguments = tuple(map(change, d.indices)), tuple(map(change, d.arguments))
        return replace(d, tensor=change(d.tensor), indices=indices, arguments=arguments, body=body, exponent=exponent)

    def table(known: Mapping[str, Any], make: Callable[[Any], Any]) -> dict[str, Any]:
        return {name: make(v) for name, v in known.items()}

    c = part.context
    context = Context(
        table(c.definitions, definition), table(c.chain, definition), c.traits, table(c.lemmas, argument),
        c.taken, table(c.assumed, argument), c.fixed, table(c.neglected, argument),
    )  # fmt: skip
    cited = {label: tuple(map(argument, proof)) for label, proof in part.cited.items()}
    return Part(tuple(map(argument, part.arguments)), context, cited)


# ---------------------------------------------------------------- damages to what a step arrives at


@dataclass(frozen=True)
class Around:
    """What stands in the whole expression: letters for indices, heads, sizes."""

    indices: tuple[Index, ...]
    heads: tuple[Tensor, ...]
    sizes: tuple[Any, ...]
    letters: frozenset[Index]  # those that are free, or bound around the place


Damage = Callable[[Any, Around, random.Random], Any]
ON_PARTS: dict[str, Damage] = {}


def damage(kind: str) -> Callable[[Damage], Damage]:
    """Register a damage to a part of an expression; it returns None where it cannot be made."""

    def register(function: Damage) -> Damage:
        ON_PARTS[kind] = function
        return function

    return register


def without(expr: Any, k: int) -> Any:
    left = [*expr.args[:k], *expr.args[k + 1 :]]
    return left[0] if len(left) == 1 else type(expr)(*left)


@damage("a term dropped")
def term_dropped(expr: Any, around: Around, rng: random.Random) -> Any:
    return without(expr, rng.randrange(len(expr.args))) if isinstance(expr, Plus) and len(expr.args) > 1 else None


@damage("a term added twice")
def term_doubled(expr: Any, around: Around, rng: random.Random) -> Any:
    return Plus(*expr.args, rng.choice(expr.args)) if isinstance(expr, Plus) else None


@damage("an index swapped")
def index_swapped(expr: Any, around: Around, rng: random.Random) -> Any:
    """Two indices of an entry exchanged, or one replaced by another that may stand there."""
    if not isinstance(expr, (Entry, Delta)):
        return None
    own = expr.args if isinstance(expr, Delta) else expr.indices
    if not own:
        return None
    k = rng.randrange(len(own))
    others = sorted((i for i in {*around.letters, *own} if i.size == own[k].size and i != own[k]), key=str)
    if not others:
        return None
    new = rng.choice(others)
    changed = [new if i == own[k] else own[k] if i == new else i for i in own] if new in own else list(own)
    changed[k] = new
    return Delta(*changed) if isinstance(expr, Delta) else Entry(expr.tensor, *changed)


@damage("a δ lost")
def delta_lost(expr: Any, around: Around, rng: random.Random) -> Any:
    if isinstance(expr, Delta):
        return ONE
    if isinstance(expr, Times) and len(expr.args) > 1:
        at_ = [k for k, f in enumerate(expr.args) if isinstance(f, Delta)]
        return without(expr, rng.choice(at_)) if at_ else None
    return None


@damage("a sign changed")
def sign_changed(expr: Any, around: Around, rng: random.Random) -> Any:
    if isinstance(expr, Times) and MINUS in expr.args and len(expr.args) > 1:
        return without(expr, expr.args.index(MINUS))
    if is_value(expr):
        return Times(MINUS, *(expr.args if isinstance(expr, Times) else (expr,)))
    return None


def is_value(expr: Any) -> bool:
    return isinstance(expr, (Entry, Delta, Times, Plus, Power, Sum, Apply, Choice, Extreme))


@damage("a range changed")
def range_changed(expr: Any, around: Around, rng: random.Random) -> Any:
    """A sum that runs further or over another size, or over one index less; a size that is another one."""
    if isinstance(expr, Sum):
        k = rng.randrange(len(expr.bound))
        old = expr.bound[k]
        if rng.random() < 0.4:
            rest = [b for b in expr.bound if b != old]
            return Sum(expr.body, *rest) if rest else expr.body
        size = rng.choice([old.size + 1, *(s for s in around.sizes if s != old.size)])
        change = {old: Index(old.name, size)}
        body = expr.body.xreplace(change) if rng.random() < 0.5 else expr.body
        return Sum(body, *(change.get(b, b) for b in expr.bound))
    if isinstance(expr, sympy.Symbol) and expr.is_positive:
        return rng.choice([expr + 1, *(s for s in around.sizes if s != expr)])
    return None


@damage("a factor changed")
def factor_changed(expr: Any, around: Around, rng: random.Random) -> Any:
    """Another number, exponent, function or array; a factor left out."""
    if isinstance(expr, sympy.Rational):
        return rng.choice([expr + 1, expr * 2 if expr else ONE, -expr if expr else MINUS])
    if isinstance(expr, Power):
        return Power(expr.base, Plus(expr.exponent, ONE))
    if isinstance(expr, Apply):
        if rng.random() < 0.3:
            return Apply(expr.name, expr.order + 1, expr.arg)
        return Apply(rng.choice([f for f in ("exp", "sin", "tanh", "abs") if f != expr.name]), 0, expr.arg)
    if isinstance(expr, Choice):
        left, right, yes, no = expr.parts
        return Choice(expr.relation, left, right, no, yes)
    if isinstance(expr, Extreme):
        return Extreme("minimum" if expr.kind == "maximum" else "maximum", *expr.parts)
    if isinstance(expr, Entry):
        same = [h for h in around.heads if h.sizes == expr.tensor.sizes and h != expr.tensor]
        return Entry(rng.choice(same), *expr.indices) if same else None
    if isinstance(expr, Times) and len(expr.args) > 1:
        others = [k for k, f in enumerate(expr.args) if not isinstance(f, Delta)]
        return without(expr, rng.choice(others)) if others else None
    return None


@damage("a bound index captured")
def index_captured(expr: Any, around: Around, rng: random.Random) -> Any:
    """A bound letter becomes one that stands around the sum, or that of a sum inside."""
    if not isinstance(expr, Sum):
        return None
    old = rng.choice(expr.bound)
    inside = {b for _, part in places(expr.body) if isinstance(part, Sum) for b in part.bound}
    letters = around.letters | free_indices(expr) | inside | set(expr.bound)
    others = sorted((i for i in letters if i.size == old.size and i != old), key=str)
    if not others:
        return None
    new = rng.choice(others)
    bound = dict.fromkeys(new if b == old else b for b in expr.bound)
    return Sum(expr.body.xreplace({old: new}), *bound)


@damage("a derivative misread")
def derivative_misread(expr: Any, around: Around, rng: random.Random) -> Any:
    """The total derivative for that of the own text, another variable, another function."""
    if not isinstance(expr, Derivative):
        return None
    kind = Derivative if isinstance(expr, Immediate) else Immediate
    if rng.random() < 0.4:
        return kind(expr.of, expr.entry)
    same = [h for h in around.heads if h.sizes == expr.entry.tensor.sizes and h != expr.entry.tensor]
    if same and rng.random() < 0.5:
        return type(expr)(expr.of, Entry(rng.choice(same), *expr.entry.indices))
    if isinstance(expr.of, Entry):
        same = [h for h in around.heads if h.sizes == expr.of.tensor.sizes and h != expr.of.tensor]
        return type(expr)(Entry(rng.choice(same), *expr.of.indices), expr.entry) if same else None
    return None


def around(whole: Any, place: tuple[int, ...], context: Context) -> Around:
    """Return what stands in an expression and its context, in a fixed order."""
    indices = tuple(sorted(all_indices(whole), key=lambda i: (i.name, str(i.size))))
    known = {*heads(whole), *(d.tensor for d in context.chain.values())}
    sizes = {i.size for i in indices} | {s for h in known for s in h.sizes}
    letters, part = set(free_indices(whole)), whole
    for k in place:
        if isinstance(part, Sum):
            letters |= set(part.bound)
        part = part.args[k]
    return Around(indices, tuple(sorted(known, key=str)), tuple(sorted(sizes, key=str)), frozenset(letters))


# ---------------------------------------------------------------- mutants of a proof


NO_EQUALITY = frozenset(
    {"neglect", "hypothesis"}
)  # what these lead from is equal to what they lead to under conditions
OWN_TEXTS_STAY = frozenset({"chain rule", "lemma", "name", "cite", "definition"})


def own_texts(argument: Argument) -> list[bool]:
    """Tell for each step whether `∂P/∂x` means the derivative of P's own text after it."""
    found, now = [], False
    for step in argument.steps:
        if step.rule == "chain rule":
            now = True
        elif step.rule not in OWN_TEXTS_STAY and (
            isinstance(at(step.before, step.place), Immediate) or step.rule == "matrix power"
        ):
            now = False
        found.append(now)
    return found


OnStep = Callable[[Proof, bool, int, int, random.Random], Mutant | None]
Spot = tuple[int, int, int]  # a proof, an argument of it, a step of that, each by its number


class Workshop:
    """Where mutants are made: proofs as they are and with equal sizes, their steps by the rules that they use."""

    def __init__(self, proofs: Sequence[Proof]) -> None:
        self.proofs = list(proofs)
        self.equal: dict[int, Proof] = {}
        self.spots: dict[str, list[Spot]] = {}
        for p, proof in enumerate(self.proofs):
            for n, argument in enumerate(proof.part.arguments):
                for k, step in enumerate(argument.steps):
                    self.spots.setdefault(step.rule, []).append((p, n, k))
        self.rules = sorted(self.spots)
        self.by_need = {  # the proofs that have what some damages take away
            "a hypothesis removed": sorted({p for rule in NO_EQUALITY for p, _, _ in self.spots.get(rule, [])}),
            "a citation removed": sorted({p for p, _, _ in self.spots.get("cite", [])}),
        }
        self.kinds = [kind for kind in KINDS if self.by_need.get(kind, True)]

    def proof(self, number: int, equal: bool) -> Proof:
        """Return a proof, with equal sizes where that is wanted."""
        if not equal:
            return self.proofs[number]
        if number not in self.equal:
            proof = self.proofs[number]
            self.equal[number] = Proof(f"{proof.source}, equal sizes", with_equal_sizes(proof.part))
        return self.equal[number]

    def mutant(self, kind: str, carried: bool, equal: bool, rng: random.Random) -> Mutant:
        """Return a mutant of a kind: rules are chosen first, so that rare ones are damaged as often as others."""
        while True:
            if kind in ON_CONTEXT:
                number = rng.choice(self.by_need.get(kind, range(len(self.proofs))))
                found = of_context(self.proof(number, equal), kind, rng)
            else:
                number, n, k = rng.choice(self.spots[rng.choice(self.rules)])
                make = ON_STEPS[kind] if kind in ON_STEPS else on_part(kind)
                found = make(self.proof(number, equal), carried, n, k, rng)
            if found is not None:
                return found


def with_steps(proof: Proof, n: int, steps: Sequence[Step], cut: bool) -> Part:
    """Return the proof with other steps in one argument; where cut, it ends with them."""
    part, old = proof.part, proof.part.arguments[n]
    right = steps[-1].after if steps and cut else old.right
    new = replace(old, steps=tuple(steps), right=right)
    rest = () if cut else part.arguments[n + 1 :]
    return replace(part, arguments=(*part.arguments[:n], new, *rest))


def mutant(
    proof: Proof, kind: str, carried: bool, n: int, k: int, steps: Sequence[Step], links: Sequence[Link]
) -> Mutant:
    argument = proof.part.arguments[n]
    where = f"argument {argument.label!r}, step {k + 1} ({argument.steps[k].rule})"
    return Mutant(kind, carried, proof.source, where, with_steps(proof, n, steps, carried), tuple(links))


def on_part(kind: str) -> OnStep:
    """Damage what a step arrives at, at its place."""

    def make(proof: Proof, carried: bool, n: int, k: int, rng: random.Random) -> Mutant | None:
        argument = proof.part.arguments[n]
        step = argument.steps[k]
        spots = list(places(at(step.after, step.place), step.place))
        rng.shuffle(spots)
        for place, old in spots[:20]:
            new = ON_PARTS[kind](old, around(step.after, place, proof.part.context), rng)
            if new is None or new == old:
                continue
            changed = replace(step, after=put(step.after, place, new))
            if changed.after == step.before:
                continue
            start = step.after if step.rule in NO_EQUALITY else step.before
            link = (start, changed.after, own_texts(argument)[k])
            rest: Sequence[Step] = argument.steps[k + 1 :]
            rest = list(carry(rest, place, old, new)) if carried else rest
            return mutant(proof, kind, carried, n, k, [*argument.steps[:k], changed, *rest], [link])
        return None

    return make


def carry(steps: Sequence[Step], place: tuple[int, ...], old: Any, new: Any) -> Iterator[Step]:
    """Yield the steps after a damage with the damage in them, until one touches it."""
    for step in steps:
        apart = not (step.place[: len(place)] == place or place[: len(step.place)] == step.place)
        if not apart or at(step.before, place) != old or at(step.after, place) != old:
            return
        yield replace(step, before=put(step.before, place, new), after=put(step.after, place, new))


# ---------------------------------------------------------------- damages to what a step says


def retold(kind: str, change: Callable[[Step, random.Random, Part], Step | None]) -> OnStep:
    """A step says something else of itself; what it arrives at is true, and still is another rule's work."""

    def make(proof: Proof, carried: bool, n: int, k: int, rng: random.Random) -> Mutant | None:
        argument = proof.part.arguments[n]
        new = change(argument.steps[k], rng, proof.part)
        if new is None or new == argument.steps[k]:
            return None
        rest = () if carried else argument.steps[k + 1 :]
        link = (new.before, new.after, own_texts(argument)[k])
        same = new.rule == argument.steps[k].rule and new.rule in NO_EQUALITY
        return mutant(proof, kind, carried, n, k, [*argument.steps[:k], new, *rest], [] if same else [link])

    return make


def rule_misnamed(step: Step, rng: random.Random, part: Part) -> Step:
    return replace(step, rule=rng.choice([r for r in RULES if r != step.rule]))


def place_moved(step: Step, rng: random.Random, part: Part) -> Step | None:
    spots = [place for place, _ in places(step.before) if place != step.place]
    return replace(step, place=rng.choice(spots)) if spots else None


def instance_changed(step: Step, rng: random.Random, part: Part) -> Step | None:
    """Another index contracted, another lemma or definition named, one definition less, or nothing said."""
    keys = sorted(k for k, v in step.instance.items() if isinstance(v, (str, tuple, Index)) and k in TOLD)
    if not keys:
        return None
    key = rng.choice(keys)
    old = step.instance[key]
    if rng.random() < 0.15:
        return replace(step, instance={k: v for k, v in step.instance.items() if k != key})
    others: list[Any] = []
    if isinstance(old, Index):
        others = [i for i in sorted(all_indices(step.before), key=str) if i != old]
    elif isinstance(old, str):
        names = (*part.context.chain, *part.context.definitions, *(a.label for a in part.arguments), *part.cited)
        others = [name for name in dict.fromkeys(names) if name != old]
    elif old and key == "through":
        others = [old[:-1], (*old, *old)]
    return replace(step, instance={**step.instance, key: rng.choice(others)}) if others else None


TOLD = ("index", "by", "label", "name", "through", "rows", "columns", "of")


def step_removed(proof: Proof, carried: bool, n: int, k: int, rng: random.Random) -> Mutant | None:
    """A step left out; carried through, the next one starts where it did, and has the work of both to do."""
    argument = proof.part.arguments[n]
    if len(argument.steps) < 2:
        return None
    rest, own = list(argument.steps[k + 1 :]), own_texts(argument)
    links: list[Link] = []
    if carried:
        if not rest:
            return None
        rest[0] = replace(rest[0], before=argument.steps[k].before)
        end = rest[0].before if rest[0].rule in NO_EQUALITY else rest[0].after
        links = [(rest[0].before, end, own[k + 1])]
        rest = rest[:1]
    return mutant(proof, "a step removed", carried, n, k, [*argument.steps[:k], *rest], links)


def steps_exchanged(proof: Proof, carried: bool, n: int, k: int, rng: random.Random) -> Mutant | None:
    """Two steps in the other order; carried through, the first one's name stands over the second one's work."""
    argument = proof.part.arguments[n]
    if k + 1 >= len(argument.steps):
        return None
    one, other = argument.steps[k : k + 2]
    if (one.rule, one.place) == (other.rule, other.place):
        return None
    own, rest = own_texts(argument), argument.steps[k + 2 :]
    if carried:
        one = replace(other, before=one.before, after=one.after)
        steps, link = [*argument.steps[:k], one], (one.before, one.after, own[k])
        return mutant(proof, "two steps exchanged", carried, n, k, steps, [link])
    return mutant(proof, "two steps exchanged", carried, n, k, [*argument.steps[:k], other, one, *rest], [])


ON_STEPS: dict[str, OnStep] = {
    "a rule misnamed": retold("a rule misnamed", rule_misnamed),
    "a place moved": retold("a place moved", place_moved),
    "an instance changed": retold("an instance changed", instance_changed),
    "a step removed": step_removed,
    "two steps exchanged": steps_exchanged,
}

# ---------------------------------------------------------------- damages to what a proof may use


def claims(part: Part) -> tuple[Link, ...]:
    """Return what a proof shows: each of its arguments; where one holds under conditions, its other steps."""
    return tuple(link for argument in part.arguments for link in shown(argument))


def shown(argument: Argument) -> Iterator[Link]:
    if any(step.rule in NO_EQUALITY for step in argument.steps):
        for step, own in zip(argument.steps, own_texts(argument), strict=True):
            if step.rule not in NO_EQUALITY:
                yield step.before, step.after, own
    else:
        yield argument.left, argument.right, False


def trait_removed(part: Part, rng: random.Random) -> tuple[str, Part, tuple[Link, ...]] | None:
    traits = part.context.traits
    names = sorted(n for n, t in traits.items() if t and any(n in used(a) for a in part.arguments))
    if not names:
        return None
    name = rng.choice(names)
    left = {n: t for n, t in traits.items() if n != name}
    new = replace(part, context=replace(part.context, traits=left))
    return f"traits of {name}", new, claims(part)


def used(argument: Argument) -> set[str]:
    return {h.name for s in argument.steps for e in (s.before, s.after) for h in heads(e)}


def lemma_removed(part: Part, rng: random.Random) -> tuple[str, Part, tuple[Link, ...]] | None:
    if len(part.arguments) < 2:
        return None
    gone = rng.randrange(len(part.arguments) - 1)
    arguments = (*part.arguments[:gone], *part.arguments[gone + 1 :])
    new = replace(part, arguments=arguments)
    return f"lemma {part.arguments[gone].label}", new, claims(new)


def citation_removed(part: Part, rng: random.Random) -> tuple[str, Part, tuple[Link, ...]] | None:
    labels = {
        v
        for a in part.arguments
        for s in a.steps
        if s.rule == "cite"
        for v in s.instance.values()
        if isinstance(v, str)
    }
    found = sorted(label for label in labels if label in {*part.cited, *part.context.lemmas})
    if not found:
        return None
    gone = rng.choice(found)
    lemmas = {k: v for k, v in part.context.lemmas.items() if k != gone}
    context = replace(part.context, lemmas=lemmas)
    new = replace(part, cited={k: v for k, v in part.cited.items() if k != gone}, context=context)
    return f"proof of {gone}", new, claims(new)


def hypothesis_removed(part: Part, rng: random.Random) -> tuple[str, Part, tuple[Link, ...]] | None:
    assumed, neglected = part.context.assumed, part.context.neglected
    gone = rng.choice(sorted([*assumed, *neglected]))
    left = ({k: v for k, v in table.items() if k != gone} for table in (assumed, neglected))
    context = replace(part.context, assumed=next(left), neglected=next(left))
    return f"hypothesis {gone}", replace(part, context=context), claims(part)


def definition_removed(part: Part, rng: random.Random) -> tuple[str, Part, tuple[Link, ...]] | None:
    context = part.context
    names = sorted(n for n in (*context.chain, *context.definitions) if any(n in used(a) for a in part.arguments))
    if not names:
        return None
    gone = rng.choice(names)
    definitions, chain = ({k: v for k, v in t.items() if k != gone} for t in (context.definitions, context.chain))
    new = replace(part, context=replace(context, definitions=definitions, chain=chain))
    return f"definition of {gone}", new, claims(part)


def definition_changed(part: Part, rng: random.Random) -> tuple[str, Part, tuple[Link, ...]] | None:
    """The text of a definition damaged: the proof is one about something else."""
    context = part.context
    texts = [(t, n) for t in ("chain", "definitions") for n, d in getattr(context, t).items() if d.body is not None]
    rng.shuffle(texts)
    for table, name in texts[:4]:
        definition = getattr(context, table)[name]
        spots = list(places(definition.body))
        rng.shuffle(spots)
        for place, old in spots[:8]:
            change = ON_PARTS[
                rng.choice(("a term dropped", "an index swapped", "a δ lost", "a sign changed", "a factor changed"))
            ]
            ends = replace(around(definition.body, place, Context()), letters=frozenset(definition.indices))
            new = change(old, ends, rng)
            if new is None or new == old:
                continue
            changed = {**getattr(context, table), name: replace(definition, body=put(definition.body, place, new))}
            other = replace(part, context=replace(context, **{table: changed}))
            return f"text of {name}", other, claims(part)
    return None


OnContext = Callable[[Part, random.Random], tuple[str, Part, tuple[Link, ...]] | None]
ON_CONTEXT: dict[str, OnContext] = {
    "a trait removed": trait_removed,
    "a hypothesis removed": hypothesis_removed,
    "a lemma removed": lemma_removed,
    "a citation removed": citation_removed,
    "a definition removed": definition_removed,
    "a definition changed": definition_changed,
}
KINDS = (*ON_PARTS, *ON_STEPS, *ON_CONTEXT)


def of_context(proof: Proof, kind: str, rng: random.Random) -> Mutant | None:
    found = ON_CONTEXT[kind](proof.part, rng)
    if found is None:
        return None
    where, part, links = found
    return Mutant(kind, True, proof.source, where, part, links)
