"""What a theorem presupposes: equations of definitions, derivations, what is constant, slopes of functions.

Every hypothesis is stated when a step first needs it, and all of them stand in the theorem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import sympy

from symderiv.check.calculus import formula
from symderiv.check.coq.names import Identifiers
from symderiv.check.coq.text import Terms
from symderiv.check.terms import free, fresh, product_of, sum_of, summed, tensors, with_indices
from symderiv.errors import UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.index.nodes import (
    Apply,
    Context,
    Definition,
    Delta,
    Derivative,
    Entry,
    Immediate,
    Index,
    IndexExpr,
    Power,
    Sum,
    Tensor,
    Times,
    all_indices,
)


def unsupported(rule: str, why: str) -> UnsupportedError:
    """Return the error that says that a rule is not covered, and why."""
    return UnsupportedError(
        f"a certificate for Coq does not cover {rule!r} here: {why}",
        hint="`proof.check()` examines the proof with the kernel; `proof.to_json()` stores it",
    )


def written_out(known: Definition) -> Definition:
    """Return the definition of a softmax or of the logarithm of a sum of exponentials, with its text."""
    (u,) = known.arguments
    indices = known.indices or tuple(fresh(size) for size in known.tensor.sizes)
    own = iter(indices)
    at = [None if known.kind == "logsumexp" and k in known.axes else next(own) for k in range(len(u.sizes))]
    bound = {k: fresh(u.sizes[k]) for k in known.axes}
    total = Sum(Apply("exp", 0, Entry(u, *(bound.get(k, i) for k, i in enumerate(at)))), *bound.values())
    if known.kind == "logsumexp":
        return replace(known, indices=indices, body=Apply("log", 0, total))
    body = Times(Apply("exp", 0, Entry(u, *at)), Power(total, sympy.Integer(-1)))
    return replace(known, indices=indices, body=body)


class Setting:
    """The names of a proof and its hypotheses: name → statement, in the order in which they were needed."""

    def __init__(self, context: Context, taken: Iterable[str] = ()) -> None:
        self.context = context
        self.names = Identifiers(taken)
        self.terms = Terms(self.names, self.in_definition)
        self.opened: frozenset[Tensor] = frozenset()  # defined, and moved on their own by a derivative
        self.variables: frozenset[Tensor] = frozenset()  # in which a derivative is taken
        self.owned: dict[Tensor, Tensor] = {}  # variables, with what stands for the moving of own texts alone
        self.made: dict[Tensor, Definition] = {}  # softmax and the like, written out
        self.hypotheses: dict[str, str] = {}
        self.stated: dict[Any, str] = {}

    # -- definitions

    def definition(self, tensor: Tensor) -> Definition | None:
        """Return what a head is defined as, if it is."""
        for table in (self.context.definitions, self.context.chain):
            found = table.get(tensor.name)
            if found is not None and found.tensor == tensor:
                if found.kind in ("softmax", "logsumexp"):
                    return self.made.setdefault(tensor, written_out(found))
                return found
        return None

    def head(self, name: str) -> Tensor:
        """Return the head that a chain definition of the proof has."""
        return self.context.chain[name].tensor

    def reached(self, expr: Any, held: frozenset[str] = frozenset()) -> set[Tensor]:
        """Return the heads of an expression and all that stand in their definitions, but for some held constant."""
        found: set[Tensor] = set()
        waiting = list(tensors(expr))
        while waiting:
            tensor = waiting.pop()
            if tensor not in found:
                found.add(tensor)
                waiting += [] if tensor.name in held else self.below(tensor)
        return found

    def below(self, tensor: Tensor) -> list[Tensor]:
        """Return the heads that the definition of a head names."""
        known = self.definition(tensor)
        if known is None:
            return []
        return [*known.arguments, *(tensors(known.body) if known.body is not None else ())]

    def depends(self, expr: Any, variable: Tensor) -> bool:
        """Tell whether a variable stands in an expression, or below a head that stands there."""
        for real, own in self.owned.items():
            if variable == own:
                return real in self.reached(expr, held=frozenset(self.context.chain))
        return variable in self.reached(expr)

    def own(self, variable: Tensor) -> Tensor:
        """Note a variable along which own texts are moved alone; return what stands for it."""
        if variable not in self.owned:
            self.owned[variable] = Tensor(f"own {variable.name}", *variable.sizes)
        return self.owned[variable]

    def of_own_texts(self, expr: Any) -> Any:
        """Return an expression in which derivatives of own texts are taken along what stands for it."""
        if not self.owned or not isinstance(expr, IndexExpr) or isinstance(expr, (Index, Tensor, Entry, Delta)):
            return expr
        if isinstance(expr, Immediate) and expr.entry.tensor in self.owned:
            of = expr.of
            if isinstance(of, Entry) and of.tensor.name in self.context.chain and of.tensor != expr.entry.tensor:
                known = self.definition(of.tensor)
                if known is None or known.body is None:
                    raise unsupported("chain rule", f"{of.tensor.name} has no text")
                of = with_indices(known.body, dict(zip(known.indices, of.indices, strict=True)))
            return Immediate(of, Entry(self.owned[expr.entry.tensor], *expr.entry.indices))
        return type(expr)(*(self.of_own_texts(a) for a in expr.args))

    # -- hypotheses

    def hypothesis(self, key: Any, name: str, statement: Callable[[], str]) -> str:
        """Return the name of a hypothesis, stated now if it was not."""
        if key not in self.stated:
            text = statement()
            self.stated[key] = self.names.new(name)
            self.hypotheses[self.stated[key]] = text
        return self.stated[key]

    def for_all(self, indices: Sequence[Index], text: str) -> str:
        """Return a statement for all values of some indices."""
        return f"forall{self.terms.binders(indices)}, {text}" if indices else text

    def equation(self, left: Any, right: Any, indices: Sequence[Index]) -> str:
        """Return an equation for all values of some indices."""
        return self.for_all(indices, self.terms.equation(left, right))

    def text(self, tensor: Tensor) -> str:
        """Return the equation between a head and its text."""
        known = self.definition(tensor)
        if known is None or known.body is None:
            raise UnsupportedError(f"a certificate for Coq knows no text of {tensor.name}")
        if tensor in self.opened:
            raise unsupported("unfold", f"{tensor.name} moves on its own, so that it is its text and something more")
        entry, indices = Entry(tensor, *known.indices), known.indices
        return self.hypothesis(
            ("text", tensor),
            f"{self.terms.head(tensor)}_text",
            lambda: self.equation(entry, known.body, indices),
        )

    def text_at(self, entry: Entry) -> Any:
        """Return the text of a definition at the indices of an entry, where the entry is that and nothing more."""
        known = self.definition(entry.tensor)
        if known is None or known.body is None or entry.tensor in self.opened:
            return None
        return with_indices(known.body, dict(zip(known.indices, entry.indices, strict=True)))

    def letters(self, tensor: Tensor, avoid: Sequence[Index] = ()) -> list[Index]:
        """Return one index for each axis, with letters that nothing else has in a statement."""
        used = {i.name for i in avoid}
        free_letters = (c + n for n in ("", "1", "2") for c in "ijklqrstuvab" if c + n not in used)
        return [Index(letter, size) for letter, size in zip(free_letters, tensor.sizes, strict=False)]

    def derivation(self, variable: Tensor) -> str:
        """Return the hypothesis that `d_x` is a family of derivations."""
        along = self.letters(variable)
        slope = self.terms.slope(Entry(variable, *along))
        held = f"derivation ({slope})" if along else f"derivation {slope}"
        name = f"{self.terms.derivation(variable)}_derivation"
        return self.hypothesis(("derivation", variable), name, lambda: self.for_all(along, held))

    def entry(self, variable: Tensor) -> str:
        """Return the hypothesis about the entries of the variable itself."""
        along = self.letters(variable)
        at = self.letters(variable, along)
        real = next((x for x, own in self.owned.items() if own == variable), variable)
        left = Derivative(Entry(real, *at), Entry(variable, *along))
        right = product_of([Delta(a, k) for a, k in zip(at, along, strict=True)])
        name = f"{self.terms.derivation(variable)}_{self.terms.head(real)}"
        return self.hypothesis(("entry", variable), name, lambda: self.equation(left, right, [*along, *at]))

    def constant(self, tensor: Tensor, variable: Tensor) -> str:
        """Return the hypothesis that the entries of another array are constant."""
        real = next((x for x, own in self.owned.items() if own == variable), None)
        known = self.definition(tensor)
        if real is not None and known is not None and tensor not in self.opened:
            if known.body is None or self.depends(known.body, variable):
                raise unsupported("constant", f"{tensor.name} is held constant, whose text names {real.name}")
        along = self.letters(variable)
        at = self.letters(tensor, along)
        left = Derivative(Entry(tensor, *at), Entry(variable, *along))
        name = f"{self.terms.derivation(variable)}_{self.terms.head(tensor)}"
        return self.hypothesis(
            ("entry", variable, tensor), name, lambda: self.equation(left, sympy.Integer(0), [*along, *at])
        )

    def moves(self, tensor: Tensor, variable: Tensor) -> str:
        """Return the hypothesis that a head moves along a variable as its text does."""
        known = self.definition(tensor)
        if known is None or known.body is None:
            raise UnsupportedError(f"a certificate for Coq knows no text of {tensor.name}")
        along = self.letters(variable, [*known.indices, *all_indices(known.body)])
        entry, at = Entry(variable, *along), known.indices
        left, right = Derivative(Entry(tensor, *at), entry), Derivative(known.body, entry)
        name = f"{self.terms.derivation(variable)}_{self.terms.head(tensor)}"
        return self.hypothesis(("moves", tensor, variable), name, lambda: self.equation(left, right, [*along, *at]))

    # -- unknown functions of arrays

    def root(self, entry: Entry) -> Definition | None:
        """Return the unknown function that an entry is a value of, by its text or by itself."""
        known = self.definition(entry.tensor)
        if known is not None and isinstance(known.body, Entry) and known.body.indices == known.indices:
            known = self.definition(known.body.tensor)
        return known if known is not None and known.kind == "unknown" else None

    def is_slope(self, part: Derivative) -> bool:
        """Tell whether `∂f/∂P` is a partial derivative of an unknown function, f being its value."""
        known = self.root(part.of) if isinstance(part.of, Entry) else None
        return known is not None and part.entry.tensor in known.arguments

    def in_definition(self, part: Derivative) -> Entry | None:
        """Return the head of `∂f/∂P`, P itself defined and f an unknown function of it; nothing for a variable P."""
        variable = part.entry.tensor
        if self.definition(variable) is None or variable in self.opened:
            return None
        known = self.root(part.of) if isinstance(part.of, Entry) else None
        for argument, slope in self.slopes(known) if known is not None else ():
            if argument == variable:
                entry: Entry = Entry(slope.tensor, *part.of.indices, *part.entry.indices)
                return entry
        raise unsupported("chain rule", f"a derivative is taken in {variable.name}, which is itself defined")

    def name(self, tensor: Tensor) -> str:
        """Return the equation between a name and the derivative that it stands for."""
        known = self.definition(tensor)
        if known is None or known.kind != "derivative" or len(known.arguments) != 2:
            raise unsupported("name", f"{tensor.name} is no name for a first derivative")
        at, f = self.letters(tensor), known.arguments[0]
        here = len(f.sizes)
        value: Any = Derivative(Entry(f, *at[:here]), Entry(known.arguments[1], *at[here:]))
        name = f"{self.terms.head(tensor)}_name"
        return self.hypothesis(("name", tensor), name, lambda: self.equation(Entry(tensor, *at), value, at))

    def slopes(self, known: Definition) -> list[tuple[Tensor, Definition]]:
        """Return each argument of an unknown function of arrays, with the head of the derivative in it."""
        found = []
        for slot, argument in enumerate(known.arguments):
            order = tuple(sorted((*known.axes, slot)))
            for d in self.context.definitions.values():
                same = (d.kind, d.function, d.arguments, d.axes) == ("unknown", known.function, known.arguments, order)
                if same:
                    found.append((argument, d))
        return found

    def unknown(self, known: Definition, variable: Tensor) -> str:
        """Return the hypothesis about the derivative of an unknown function of arrays."""
        if known.axes:
            raise unsupported("unknown function", "it is a second derivative")
        along = self.letters(variable)
        at = self.letters(known.tensor, along)
        entry = Entry(variable, *along)
        left = Derivative(Entry(known.tensor, *at), entry)
        right = sum_of(self.total(known, at, entry, [*along, *at]))
        name = f"{self.terms.derivation(variable)}_{self.terms.head(known.tensor)}"
        return self.hypothesis(
            ("unknown", known.tensor, variable), name, lambda: self.equation(left, right, [*along, *at])
        )

    def total(self, known: Definition, at: Sequence[Index], entry: Entry, avoid: Sequence[Index]) -> list[Any]:
        """Return the terms `Σ_a ∂f/∂A[a] ∂A[a]/∂x` for each argument A of an unknown function that depends on x."""
        parts, slopes = [], self.slopes(known)
        for argument in known.arguments:
            if not self.depends(argument, entry.tensor):
                continue
            slope = next((d for a, d in slopes if a == argument), None)
            if slope is None:
                raise unsupported("unknown function", f"no head stands for its derivative in {argument.name}")
            bound = self.letters(argument, avoid)
            inner = Derivative(Entry(argument, *bound), entry)
            parts.append(summed(Times(Entry(slope.tensor, *at, *bound), inner), bound))
        return parts

    # -- scalar functions

    def slope(self, value: Apply, variable: Tensor) -> str:
        """Return the hypothesis about the derivative of a scalar function: for every argument where it has one.

        A function that is not defined everywhere is differentiated at the argument that stands in the proof only.
        """
        row = FUNCTIONS.get(value.name)
        if row is not None and row.kink:
            raise unsupported("chain", f"{value.name} has a kink")
        if row is not None and row.domain != "all real u":
            return self._slope_at(value, variable)
        along = self.letters(variable)
        u = Entry(Tensor("'u"))  # no array of the language is called so
        name = f"{self.terms.derivation(variable)}_{self.terms.function(value.name, value.order)}"

        def statement() -> str:
            left, right = self._slope(Apply(value.name, value.order, u), Entry(variable, *along))
            text = self.equation(left, right, ())
            letter = self.terms.heads.pop(u.tensor)
            return f"forall{self.terms.binders(along)} ({letter} : F), {text}"

        return self.hypothesis(("slope", value.name, value.order, variable), name, statement)

    def slope_of(self, value: Apply, entry: Entry) -> Any:
        """Return h′(u), the slope of a scalar function at its argument."""
        return self._slope(value, entry)[1].args[0]

    def _slope_at(self, value: Apply, variable: Tensor) -> str:
        inside = sorted(free(value), key=lambda i: i.name)
        along = self.letters(variable, inside)
        name = f"{self.terms.derivation(variable)}_{self.terms.function(value.name)}"
        left, right = self._slope(value, Entry(variable, *along))
        return self.hypothesis(("slope", value, variable), name, lambda: self.equation(left, right, [*along, *inside]))

    def _slope(self, value: Apply, entry: Entry) -> tuple[Any, Any]:
        inner = Derivative(value.arg, entry)
        if value.name in FUNCTIONS:
            return Derivative(value, entry), Times(formula(value.name, value.arg, value), inner)
        return Derivative(value, entry), Times(Apply(value.name, value.order + 1, value.arg), inner)
