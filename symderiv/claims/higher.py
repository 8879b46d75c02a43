"""Claims about derivatives of derivatives: ∂²f/∂x∂y as ∂(∂f/∂x)/∂y, with ∂f/∂x from a lemma.

Every chain here runs over total derivatives, from f down:

    ∂f/∂x[c]        = Σ_q ∂f/∂Q[q] ∂Q[q]/∂x[c]     through the definitions Q whose ∂f/∂Q the claim names
    ∂Q[q]/∂x[c]     = …                            a lemma of its own; other definitions are put in
    ∂²f/∂x[c]∂y[e]  = ∂R[c]/∂y[e]                  R from the lemma on ∂f/∂x: product rule, chain rule, lemmas

Where a claim names no ∂f/∂Q, f is put in like any other definition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import sympy

from symderiv.claims.named import LEAVES, Named, Path, head_of
from symderiv.claims.total import along, bound_apart, derivatives, distributed, has_bound_delta, nested, totally
from symderiv.errors import ProofError
from symderiv.index.nodes import (
    Argument,
    Context,
    Definition,
    Derivative,
    Entry,
    Immediate,
    Index,
    IndexExpr,
    Place,
    Plus,
    Sum,
    Tensor,
    Times,
    all_indices,
    free_indices,
    heads,
    places,
    replace_indices,
)
from symderiv.index.rewriter import Rewriter
from symderiv.index.rules import DERIVATIVE_RULES, RULES, contraction, depends
from symderiv.index.written import times, total
from symderiv.lower import write
from symderiv.replay import Known, Replayed
from symderiv.tensor.expr import Expr, walk
from symderiv.tensor.text import to_text

PRODUCTS = ("constant", "sum", "linearity", "product")
INNER = ("zero", "associate", "delta", "common delta")  # tidying that leaves every sum where it stands


class Higher(Named):
    """The proof of one claim; with `through`, over the derivatives ∂f/∂Q that the right side names."""

    def __init__(self, left: Expr, right: Expr, taken: Sequence[str], known: Known, through: bool = True) -> None:
        super().__init__(left, right, taken, through)
        self.known = known
        self.arguments: list[Argument] = []
        self.proved: dict[Path, Argument] = {}
        self.cited: set[str] = set()

    # -- the proof

    def run(self) -> Replayed:
        """Return the chains, the last one that of the claim."""
        try:
            return self.chains()
        except RecursionError:
            raise ProofError("an expression too deep for a proof") from None

    def chains(self) -> Replayed:
        (f, at_f), variables = self.function, self.variables
        start = nested(Entry(head_of(f), *at_f), [Entry(head_of(x), *at) for x, at in variables])
        for e in walk(self.right):
            self.lemma_for_the_right_side(self.path_of(e))
        work = self.derived(start)
        self.finish(work)
        self.arguments.append(Argument("claim", work.start, tuple(work.steps), work.expr))
        free = (*at_f, *(i for _, at in variables for i in at))
        return Replayed(tuple(self.arguments), self.context(), tuple(dict.fromkeys(free)), self.expressions)

    @property
    def labels(self) -> set[str]:
        """Return the labels of the chains so far."""
        return {a.label for a in self.arguments}

    def context(self) -> Context:
        """Return what the steps may use."""
        lemmas = {**self.known.lemmas, **{a.label: a for a in self.arguments}}
        return Context(dict(self.inline), dict(self.cuts), self.declared(), lemmas)

    def declared(self) -> Mapping[str, frozenset[str]]:
        """Return what is declared of the variables."""
        found = {e.name: e.data[1] for e in self.exprs if e.op == "var" and e.data[1]}
        return {**found, **{name: traits for name, traits in self.traits.items() if traits}}

    def opened(self, x: Tensor) -> Context:
        """Return a context that looks through every definition, down to x."""
        texts = {n: d for n, d in self.cuts.items() if n != x.name}
        return Context({**self.inline, **texts}, {}, self.declared())

    def lemma_for_the_right_side(self, path: Path) -> None:
        """Derive what the right side names and the chain to it does not."""
        if not path or (path[0] == self.f and self.cut.issuperset(path[1:])):
            return
        if path[0] not in self.cuts or "" in path:
            raise ProofError("the right side names a derivative of what has no name")
        self.lemma(path)

    def lemma(self, path: Path) -> Argument:
        """Return the chain that derives ∂ᵐf/∂x₁…∂x_m: that of an earlier claim, or one of its own."""
        known = self.proved.get(path) or self.earlier(path)
        if known is None:
            f, *xs = (self.tensor(name) for name in path)
            at: list[tuple[Index, ...]] = []
            for x in xs:
                at.append(self.indices(x, at))
            i = self.letters_beside({i.name for indices in at for i in indices})
            entries = [Entry(x, *indices) for x, indices in zip(xs, at, strict=True)]
            work = self.derived(nested(Entry(f, *map(i.fresh, f.sizes)), entries))
            self.factor_out(work)
            label = self.label(path, work)
            known = Argument(label, work.start, tuple(work.steps), work.expr)
            self.arguments.append(known)
        self.proved[path] = known
        return known

    def label(self, path: Path, work: Rewriter) -> str:
        """Return a label: (a), (b), …; what says no more than that ∂f/∂x is the slope of an unknown f has none."""
        definition = self.inline.get(work.expr.tensor.name) if isinstance(work.expr, Entry) else None
        if definition is not None and definition.kind == "unknown":
            return "∂" + "/∂".join(path)
        return next(x for x in map(_label, count()) if x not in self.known.lemmas and x not in self.labels)

    def earlier(self, path: Path) -> Argument | None:
        """Return a claim proved before that says what ∂ᵐf/∂x₁…∂x_m is, its own heads taken over."""
        tensors = tuple(self.tensor(name) for name in path)
        for label, lemma in self.known.lemmas.items() if self.nameless not in path else ():
            entries = along(lemma.left)
            if len(entries) != len(path) or not all(isinstance(e, Entry) for e in entries):
                continue
            indices = [i for e in entries for i in e.indices]
            if tuple(e.tensor for e in entries) == tensors and len(set(indices)) == len(indices):
                for name, definition in self.known.definitions.get(label, {}).items():
                    self.inline.setdefault(name, definition)
                self.cited.add(label)
                return Argument(label, lemma.left, (), lemma.right)
        return None

    def derived(self, start: Any) -> Rewriter:
        """Return the chain from a derivative to an expression without any but those that stay."""
        x = start.entry
        work = Rewriter(start, self.opened(x.tensor))
        inner = self.without_name(start.of)
        if inner is not start.of:
            work.replace("name", (), Derivative(inner, x), {"thought": "product"})
        if type(inner) is Derivative and not self.opaque(start) and not self.opaque(inner):
            self.insert_inside(work, ())
            self.step_all(work, x, self.by_products, "product")
            while self.spread(work, x):
                self.tidy(work, "product")
        if not self.opaque(start):
            self.step_all(work, x, self.by_chains, "chain")
            self.insert_lemmas(work, x)
        self.name(work)
        self.contract(work)
        return work

    # -- steps

    def open_parts(self, expr: Any, x: Entry, place: Place = ()) -> Iterator[tuple[Place, Any]]:
        """Yield each derivative in x that is not carried out yet."""
        if type(expr) is Derivative:
            if expr.entry is x and not self.opaque(expr):
                yield place, expr
        elif isinstance(expr, IndexExpr) and not isinstance(expr, (Index, Tensor, Entry)):
            for k, a in enumerate(expr.args):
                yield from self.open_parts(a, x, (*place, k))

    def step_all(self, work: Rewriter, x: Entry, step: Any, thought: str) -> None:
        """Take steps of a kind as long as there are any."""
        work.context = self.opened(x.tensor)
        while any(step(work, place, part, {"thought": thought}) for place, part in self.open_parts(work.expr, x)):
            pass
        self.tidy(work, thought)
        while self.contract_inside(work, thought):
            self.tidy(work, thought)

    def spread(self, work: Rewriter, x: Entry) -> bool:
        """Multiply out a sum of terms that holds a derivative to be carried out: each term stands by itself."""
        for place, part in places(work.expr):
            terms = distributed(part)
            if terms is not None and any(self.open_parts(part, x)):
                work.replace("distribute", place, terms, {"thought": "product"})
                return True
        return False

    def contract_inside(self, work: Rewriter, thought: str) -> bool:
        """Contract a δ in a sum that stands inside of the expression: what is left of `∂a[j]/∂x` there."""
        for place, part in places(work.expr):
            found = contraction(part) if place else None
            if found is not None:
                gone, kept, _ = found
                instance = {"index": gone, "by": kept, "thought": thought}
                work.replace("contract", place, RULES["contract"](part, work.around), instance)
                return True
        return False

    def tidy(self, work: Rewriter, thought: str) -> None:
        """Drop zeros and brackets where they stand."""
        while True:
            done = len(work.steps)
            if not work.apply_first(("zero",)) and not work.apply_first(INNER):
                return
            noted(work, done, thought)

    def by_products(self, work: Rewriter, place: Place, part: Any, instance: Mapping[str, Any]) -> bool:
        """Take sums and products apart."""
        return any(self.by_rule(work, place, part, name, instance) for name in PRODUCTS)

    def by_chains(self, work: Rewriter, place: Place, part: Any, instance: Mapping[str, Any]) -> bool:
        """Take any step but the last: definitions with a lemma of their own are left."""
        x = part.entry
        if not depends(part.of, x.tensor, work.context):
            return self.by_rule(work, place, part, "constant", instance)
        inner = self.without_name(part.of)
        if inner is not part.of:
            work.replace("name", place, Derivative(inner, x), instance)
            return True
        if self.leads_through(part):
            work.replace("through", place, self.through(work, part), {**instance, "through": tuple(sorted(self.cut))})
            return True
        if type(inner) is Derivative:
            self.insert_inside(work, place)
            return True
        if (
            isinstance(inner, Entry)
            and inner.tensor is not x.tensor
            and part is not work.start
            and self.has_lemma(inner.tensor.name)
        ):
            return False
        return any(self.by_rule(work, place, part, name, instance) for name in DERIVATIVE_RULES)

    def leads_through(self, part: Any) -> bool:
        """Tell whether a part is f or a derivative of f that stays, in what f leads to through the cut only."""
        path = self.path(part.of)
        return bool(self.cut) and path[:1] == (self.f,) and self.cut.issuperset(path[1:])

    def through(self, work: Rewriter, part: Any) -> Any:
        """Return `Σ_Q Σ_i ∂G/∂Q[i] ∂Q[i]/∂x`."""
        letters = self.letters_beside({i.name for i in all_indices(work.expr)})
        terms = []
        for name in sorted(self.cut):
            tensor = self.cuts[name].tensor
            i = tuple(letters.fresh(size) for size in tensor.sizes)
            q = Entry(tensor, *i)
            terms.append(total(Times(Derivative(part.of, q), Derivative(q, part.entry)), i))
        return terms[0] if len(terms) == 1 else Plus(*terms)

    def has_lemma(self, name: str) -> bool:
        """Tell definitions that are not put in: those of the cut, arguments of unknown functions, and common ones."""
        if name not in self.cuts or name == self.f:
            return False
        if name in self.cut or any(
            d.kind == "unknown" and name in {a.name for a in d.arguments} for d in self.inline.values()
        ):
            return True
        users = [d for d in self.cuts.values() if d.body is not None and name in {t.name for t in heads(d.body)}]
        return len(users) > 1

    def by_rule(self, work: Rewriter, place: Place, part: Any, name: str, instance: Mapping[str, Any]) -> bool:
        """Apply a law of differentiation; tell whether it applied."""
        new = RULES[name](Immediate(part.of, part.entry), work.around)
        if new is None:
            return False
        work.replace(name, place, totally(new), instance)
        return True

    def insert_inside(self, work: Rewriter, place: Place) -> None:
        """Write `∂(∂f/∂P)/∂x` as the derivative of what a lemma says of ∂f/∂P."""
        part = work.part(place)
        lemma = self.lemma(self.path(part.of))
        new = Derivative(self.instance(work, lemma, part.of), part.entry)
        work.replace("derivative of lemma", place, new, {"label": lemma.label, "thought": "product"})
        work.context = self.opened(part.entry.tensor)

    def insert_lemmas(self, work: Rewriter, x: Entry) -> None:
        """Put in what lemmas say of the derivatives that are left."""
        for place, part in list(self.open_parts(work.expr, x)):
            lemma = self.lemma(self.path(part))
            rule = "cite" if lemma.label in self.cited else "lemma"
            work.replace(rule, place, self.instance(work, lemma, part), {"label": lemma.label})
        if any(self.open_parts(work.expr, x)):
            raise ProofError(f"a derivative in {x.tensor.name} was not carried out")

    def instance(self, work: Rewriter, lemma: Argument, part: Any) -> Any:
        """Return what a lemma says, at the indices of a part; its bound indices give way."""
        change = {a: b for old, new in zip(along(lemma.left), along(part), strict=True)
                  for a, b in zip(old.indices, new.indices, strict=True)}  # fmt: skip
        used = {i.name for e in (work.start, work.expr) for i in all_indices(e)}
        right = bound_apart(lemma.right, used, self.letters_beside(used | {i.name for i in all_indices(lemma.right)}))
        return replace_indices(right, change)

    def name(self, work: Rewriter) -> None:
        """Call derivatives by the names that the right side has for them."""
        names = {self.path_of(e): e for e in walk(self.right) if e.op == "defined" and self.path_of(e)}
        for place, part in list(derivatives(work.expr)):
            e = names.get(self.path(part))
            if e is not None:
                new = Entry(head_of(e), *(i for entry in along(part) for i in entry.indices))
                work.replace("name", place, new, {"name": e.name})

    def contract(self, work: Rewriter) -> None:
        """Contract every δ with its sum, where it stands if that can be."""
        while True:
            self.tidy(work, "tidy")
            if work.contract_one():
                continue
            if not has_bound_delta(work.expr) or not work.apply_first(("exchange", "distribute")):
                break
        work.apply_first(("merge",))

    def factor_out(self, work: Rewriter) -> None:
        """`Σ_q f g[q] = f Σ_q g[q]`, factors in the order in which they are read best."""
        if isinstance(work.expr, Times):
            work.replace("commute", (), Times(*sorted(work.expr.args, key=self.weight)), {"thought": "tidy"})
        if not isinstance(work.expr, Sum):
            return
        parts = work.expr.body.args if isinstance(work.expr.body, Times) else (work.expr.body,)
        parts = sorted(parts, key=self.weight)
        front = [f for f in parts if not free_indices(f) & set(work.expr.bound)]
        rest = [f for f in parts if f not in front]
        if front and rest:
            work.replace("rearrange", (), times(*front, Sum(times(*rest), *work.expr.bound)), {"thought": "tidy"})

    def weight(self, part: Any) -> int:
        """Return the place of a factor among others: numbers, entries of variables, functions, derivatives."""
        if isinstance(part, Entry):
            return 1 if part.tensor.name not in self.inline else 3
        return 0 if isinstance(part, sympy.Rational) else 3 if isinstance(part, Derivative) else 2

    # -- the last line

    def finish(self, work: Rewriter) -> None:
        """Lead the last index expression to the right side as it was claimed."""
        right = self.right
        at_indices = any(e.op in ("entry", "delta", "sum_over") for e in walk(right))
        of_arrays = right.rank or any(a.rank for e in walk(right) if e.op not in (*LEAVES, "diff") for a in e.args)
        if of_arrays and right.op not in LEAVES and not at_indices:
            goal = Entry(self.matrix(right), *self.order)
            work.replace("read off", (), goal, {"name": goal.tensor.name, "operation": right.op})
            return
        goal = write(right, self.tokens(right), self.notation)
        if work.expr is not goal:
            work.replace("rearrange", (), goal)

    def matrix(self, expr: Expr) -> Tensor:
        """Return the head of the right side in matrix notation, its index definition written down."""
        name = to_text(expr)
        while name in self.inline or name in self.cuts or name in self.reserved:
            name = f"({name})"
        tensor: Tensor = Tensor(name, *(i.size for i in self.order))
        self.inline[name] = Definition(tensor, self.order, write(expr, self.tokens(expr), self.notation))
        self.expressions[name] = expr
        return tensor


def _label(number: int) -> str:
    """Return (a), (b), …, (z), (aa), (ab), … ."""
    letters = ""
    while number >= 0:
        letters, number = chr(97 + number % 26) + letters, number // 26 - 1
    return f"({letters})"


def noted(work: Rewriter, start: int, thought: str) -> None:
    """Let the steps from `start` on belong to a thought."""
    work.steps[start:] = [replace(s, instance={**s.instance, "thought": thought}) for s in work.steps[start:]]
