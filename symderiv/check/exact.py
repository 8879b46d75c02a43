"""Evaluation over prime fields: one number is a family of residues, one for each prime that is asked for.

exp at a prime reads its argument at the next prime of the tower, log at the one before, sin and cos at the
prime of the circle.  All three are homomorphisms, so identities between them hold without any rule.  What has
no model (arcsin, an unknown h, a tower exhausted) is opaque: equal arguments have equal values, and slopes
are those of the table of functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Protocol

import numpy as np

from symderiv.check.common import Operations
from symderiv.check.field import Array, Tower, field
from symderiv.check.indices import Indices
from symderiv.check.interpret import Ranges, Slot, Slots
from symderiv.check.jets import Jet, Jets, either
from symderiv.check.models import MODELS, exponential, formula, meaning
from symderiv.check.reading import Reading, constant
from symderiv.functions import FUNCTIONS
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply

RIDGE_DEGREE = 8  # more than any order of derivative that is checked


class Shadow(Protocol):
    """What decides branches: the sign of left − right at a float point."""

    def side(self, left: Expr, right: Expr | None, ranges: Ranges) -> Array:
        """Return −1, 0 or 1 for every entry."""


class Residues(Protocol):
    """The residues of the variables at every prime."""

    count: int

    def at(self, name: str, p: int) -> Array:
        """Return the values of a variable modulo p, points first."""

    def direction(self, index: int, p: int) -> Array:
        """Return a direction for each point, as the caller has set them."""


class Exact(Operations[Jet]):
    """Evaluation modulo one prime of a tower, or modulo the prime of its circle."""

    def __init__(
        self,
        reading: Reading,
        indices: Indices,
        sizes: Mapping[str, int],
        tower: Tower,
        p: int,
        points: Residues,
        shadow: Shadow,
        family: dict[int, Exact] | None = None,
    ) -> None:
        super().__init__(reading, indices, sizes)
        self.tower, self.points, self.shadow = tower, points, shadow
        self.family: dict[int, Exact] = {} if family is None else family
        self.family[p] = self
        self.field = field(p)
        self.jets = Jets(self.field)
        self.violations = np.zeros(points.count, dtype=np.int64)

    def at(self, p: int) -> Exact:
        """Return the evaluation of the same points at another prime."""
        known = self.family.get(p)
        if known is None:
            known = Exact(self.reading, self.indices, self.sizes, self.tower, p, self.points, self.shadow, self.family)
        return known

    def _neighbour(self, step: int) -> int | None:
        primes = self.tower.primes
        if self.field.p not in primes:
            return None
        k = primes.index(self.field.p) + step
        return primes[k] if 0 <= k < len(primes) else None

    # -- numbers

    def number(self, value: Fraction) -> Jet:
        shape = (1,) * self.lead
        try:
            return Jet({0: np.full(shape, self.field.number(value.numerator, value.denominator))})
        except ZeroDivisionError:
            return Jet({0: np.zeros(shape, dtype=np.int64)}, np.ones(shape, dtype=bool))

    def variable(self, name: str) -> Jet:
        value = self.points.at(name, self.field.p)
        return Jet({0: value.reshape(value.shape[:1] + (1,) * (self.lead - 1) + value.shape[1:])})

    def lifted(self, array: Array) -> Jet:
        return Jet({0: array})

    def perturbed(self, value: Jet, slot: Slot) -> Jet:
        place, rank = 1 + slot.index, len(slot.shape)
        if slot.directed:
            direction = self.points.direction(slot.index, self.field.p)
            direction = direction.reshape(direction.shape[:1] + (1,) * (self.lead - 1) + slot.shape)
        else:
            entries = int(np.prod(slot.shape, dtype=np.int64))
            lead = [1] * self.lead
            lead[place] = entries
            direction = np.eye(entries, dtype=np.int64).reshape(*lead, *slot.shape)
        assert direction.ndim == self.lead + rank
        key = 1 << slot.index
        return self.jets.add(value, Jet({0: np.zeros_like(value.primal), key: direction}))

    def extracted(self, value: Jet, slot: Slot) -> Jet:
        key, place = 1 << slot.index, 1 + slot.index
        shape = () if slot.directed else slot.shape

        def moved(c: Array) -> Array:
            c = np.moveaxis(c, place, -1)
            return np.expand_dims(c, place).reshape(*c.shape[:place], 1, *c.shape[place:-1], *shape)

        parts = {k ^ key: moved(c) for k, c in value.parts.items() if k & key}
        like = value.primal.shape
        zero = np.zeros(like + shape, dtype=np.int64)
        bad = value.bad
        if bad is not None:
            bad = np.broadcast_to(bad.reshape(bad.shape + (1,) * len(shape)), bad.shape + shape)
        return Jet({0: zero, **parts}, bad)

    def each(self, value: Jet, change: Callable[[Array], Array]) -> Jet:
        return self.jets.each(value, change)

    def add(self, a: Jet, b: Jet) -> Jet:
        return self.jets.add(a, b)

    def negated(self, a: Jet) -> Jet:
        return self.jets.negated(a)

    def multiplied(self, a: Jet, b: Jet) -> Jet:
        return self.jets.multiplied(a, b)

    def contracted(self, spec: str, a: Jet, b: Jet, terms: int) -> Jet:
        return self.jets.contracted(spec, a, b, terms)

    # -- what is said by simpler operations

    def op_sqrt(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        return self.value(meaning(node), slots, ranges)

    op_norm = op_softmax = op_logsumexp = op_sqrt

    # -- everything else

    def op_div(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        a, b = self.arguments(node, slots, ranges)
        quotient = self.spread(self.jets.reciprocal(b), node.args[1], node.axes)
        return self.jets.multiplied(self.spread(a, node.args[0], node.axes), quotient)

    def op_power(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        return self._to(self.value(node.args[0], slots, ranges), node.data[0])

    def _to(self, base: Jet, exponent: Fraction) -> Jet:
        if exponent.denominator == 1:
            return self.jets.integer_power(base, int(exponent))
        result = self.jets.rational_power(base, exponent.numerator, exponent.denominator, f"power {exponent}")
        self._violated(result.bad)
        return result

    def _violated(self, where: Array | None) -> None:
        """Count undefined roots at each point, for the search of points where there are none."""
        if where is not None:
            flat = where.reshape(len(where), -1).sum(axis=1)
            self.violations += np.broadcast_to(flat, self.violations.shape)

    def op_general_power(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        """a^b = exp(b log a) for a a square, and a product where b is a whole number."""
        whole = constant(node.args[1], self.sizes)
        a, b = (self.spread(self.value(x, slots, ranges), x, node.axes) for x in node.args)
        if whole is not None:
            return self._to(a, whole)
        below = self._neighbour(1)
        fine = self.field.is_square(a.primal) if self.field.has_order else a.primal != 0
        bad = None if fine.all() else ~fine
        self._violated(bad)
        if below is None:
            mixed = (a.primal + self.field.opaque("exponent", b.primal)) % self.field.p
            value = self.field.opaque("powers", mixed)
        else:
            exponent = self.at(below).prepared(node.args[1], (), ranges)
            exponent = self.at(below).spread(exponent, node.args[1], node.axes)
            value, bad = self.field.powers(a.primal, exponent.primal), either(bad, exponent.bad)
        if not slots:
            return Jet({0: value}, either(bad, either(a.bad, b.bad)))
        logs = np.zeros_like(a.primal)
        if b.order:
            log = self._log_primal(apply("map", node.args[0], data=("log", 0)), ranges)
            log = self.spread(log, node.args[0], node.axes)
            logs, bad = log.primal, either(bad, log.bad)
        nil = self.jets.nilpotent(self.jets.multiplied(b, self.jets.logarithm(a, logs)))
        return self.jets.exponential(Jet(nil.parts, either(bad, either(a.bad, b.bad))), value)

    def op_prod(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        arg = node.args[0]
        value = self.value(arg, slots, ranges)
        if not node.data:
            value = self.reshaped(value, (-1,))
        place = self.lead + (node.data[0] % arg.rank if node.data else 0)
        result = self.each(value, lambda c: np.take(c, 0, axis=place))
        for k in range(1, value.primal.shape[place]):
            factor = self.each(value, lambda c, k=k: np.take(c, k, axis=place))  # type: ignore[misc]
            result = self.jets.multiplied(result, factor)
        return result

    # -- matrices

    def op_inv(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        return self.jets.inverse(self.value(node.args[0], slots, ranges))

    def op_det(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        a = self.value(node.args[0], slots, ranges)
        value = self.field.eliminate(a.primal)[1]
        if not a.order:
            return Jet({0: value}, None if a.bad is None else np.asarray(a.bad.any(axis=(-2, -1))))
        return self.jets.exponential(self.jets.logdet_nilpotent(a), value)

    def op_logdet(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        a = self.value(node.args[0], slots, ranges)
        log = self._log_primal(apply("map", apply("det", node.args[0]), data=("log", 0)), ranges)
        return self.jets.add(log, self.jets.logdet_nilpotent(a))

    # -- branches

    def op_where(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        left, right, *branches = node.args
        yes, no = (self.spread(self.value(x, slots, ranges), x, node.axes) for x in branches)
        side = self._side(left, right, node, ranges)
        chosen = {"<": side < 0, "<=": side <= 0, ">": side > 0, ">=": side >= 0}[node.data[0]]
        return self._chosen(chosen, yes, no)

    def _chosen(self, condition: Array, yes: Jet, no: Jet) -> Jet:
        zero = np.zeros((), dtype=np.int64)
        parts = {
            key: np.where(condition, yes.parts.get(key, zero), no.parts.get(key, zero))
            for key in {**yes.parts, **no.parts}
        }
        if yes.bad is None and no.bad is None:
            return Jet(parts)
        fine = np.zeros((), dtype=bool)
        return Jet(parts, np.where(condition, *(fine if x.bad is None else x.bad for x in (yes, no))))

    def _side(self, left: Expr, right: Expr | None, node: Expr, ranges: Ranges) -> Array:
        side = self.wide(self.shadow.side(left, right, ranges), node)
        return np.broadcast_to(side, side.shape[: self.lead] + self.shape(node.axes))

    def op_maximum(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        """The larger one; at a tie half of each."""
        a, b = (self.spread(self.value(x, slots, ranges), x, node.axes) for x in node.args)
        side = self._side(node.args[0], node.args[1], node, ranges)
        if node.op == "minimum":
            side = -side
        half = self.field.number(1, 2)
        tie = self.jets.scaled(self.jets.add(a, b), half)
        return self._chosen(side == 0, tie, self._chosen(side > 0, a, b))

    op_minimum = op_maximum

    # -- functions of one number

    def op_map(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        name, order = node.data
        arg = node.args[0]
        if name not in FUNCTIONS:
            u = self.value(arg, slots, ranges)
            tags = [f"{name} {order + i}" for i in range(u.order + 1)]
            return self.jets.taylor(u, [self.field.opaque(tag, u.primal) for tag in tags])
        if name in ("abs", "sign", "relu"):
            return self._kinked(node, slots, ranges)
        if name in MODELS:
            return self.value(formula(MODELS[name], arg), slots, ranges)
        undone = exponential(arg) if name == "exp" else None
        if undone is not None:
            return self.value(undone, slots, ranges)
        if name == "exp":
            value = self._exp_primal(node, ranges)
            u = self.value(arg, slots, ranges)
            return self.jets.exponential(Jet(u.parts, either(u.bad, value.bad)), value.primal)
        if name == "log":
            log, u = self._log_primal(node, ranges), self.value(arg, slots, ranges)
            return self.jets.logarithm(Jet(u.parts, either(u.bad, log.bad)), log.primal)
        if name in ("sin", "cos"):
            return self._circular(node, slots, ranges)
        return self._tabled(node, slots, ranges)

    def _kinked(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        name, u = node.data[0], self.value(node.args[0], slots, ranges)
        side = self._side(node.args[0], None, node, ranges)
        if self.reading.has_roots and not slots and name != "relu" and self.field.has_order:
            # where roots occur too, squares should be what the branch calls positive
            self._violated((self.field.is_square(u.primal) != (side > 0)) & (u.primal != 0))
        if name == "sign":
            return Jet({0: side.astype(np.int64) % self.field.p}, u.bad)
        factor = side.astype(np.int64) % self.field.p if name == "abs" else (side > 0).astype(np.int64)
        return self.jets.scaled(u, factor)

    def _exp_primal(self, node: Expr, ranges: Ranges) -> Jet:
        below = self._neighbour(1)
        if below is not None:
            exponent = self.at(below).prepared(node.args[0], (), ranges)
            return Jet({0: self.field.exp(exponent.primal)}, exponent.bad)
        u = self.value(node.args[0], (), ranges)
        value = self.field.even("exp", u.primal)
        value = value * value % self.field.p
        value = np.where(u.primal > self.field.half, self.field.inverse(value)[0], value)  # exp(−a) exp(a) = 1
        return Jet({0: np.where(u.primal == 0, 1, value)}, u.bad)

    def _log_primal(self, node: Expr, ranges: Ranges) -> Jet:
        above = self._neighbour(-1)
        if above is not None:
            u = self.at(above).prepared(node.args[0], (), ranges)
            zero = u.primal == 0
            value = self.at(above).field.log(np.where(zero, 1, u.primal))
            return Jet({0: value}, either(u.bad, zero if zero.any() else None))
        u = self.value(node.args[0], (), ranges)
        return Jet({0: self.field.even("log", u.primal)}, u.bad)

    def _circular(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        u, p = self.value(node.args[0], slots, ranges), self.field.p
        if self.tower.circle is not None and p != self.tower.circle:
            angle = self.at(self.tower.circle).prepared(node.args[0], (), ranges)
            cos, sin = (table[angle.primal] for table in self.field.circle(self.tower.circle))
            bad = angle.bad
        else:  # an opaque odd t = tan(u/2) keeps cos² + sin² = 1
            t = self.field.odd("half angle", u.primal)
            scale, bad = self.field.inverse((1 + t * t) % p)
            cos, sin = (1 - t * t) % p * scale % p, 2 * t * scale % p
            bad = bad if bad.any() else None
        turn = [sin, cos, -sin % p, -cos % p] if node.data[0] == "sin" else [cos, -sin % p, -cos % p, sin]
        return self.jets.taylor(u, [turn[i % 4] for i in range(u.order + 1)], bad)

    def _tabled(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        """An opaque function whose slope is the formula of the table: f(v + ε w) = f(v) + ε f′(v) w."""
        if not slots:
            u, name = self.value(node.args[0], (), ranges), node.data[0]
            if name in ("arcsin", "arccos") and self.field.has_order:  # the slope has a root of 1 − u²
                self._violated(~self.field.is_square((1 - u.primal * u.primal) % self.field.p))
            if name in ("arcsin", "arctan"):
                return Jet({0: self.field.odd(name, u.primal)}, u.bad)
            if name == "arccos":  # π/2 − arcsin
                quarter = self.field.opaque("quarter turn", np.zeros((), dtype=np.int64))
                return Jet({0: (quarter - self.field.odd("arcsin", u.primal)) % self.field.p}, u.bad)
            return Jet({0: self.field.opaque(name, u.primal)}, u.bad)
        *rest, last = slots
        key = 1 << last.index
        base = self.value(node, tuple(rest), ranges)
        u = self.value(node.args[0], slots, ranges)
        slope = self.value(formula(FUNCTIONS[node.data[0]].derivative, node.args[0], node), tuple(rest), ranges)
        moved = {k ^ key: c for k, c in u.parts.items() if k & key}
        if not moved:
            return base
        change = self.jets.multiplied(slope, Jet({0: np.zeros_like(u.primal), **moved}))
        lifted = {k | key: c for k, c in change.parts.items()}
        return Jet({**base.parts, **lifted}, either(base.bad, change.bad))

    # -- unknown functions of arrays

    def op_unknown(self, node: Expr, slots: Slots, ranges: Ranges) -> Jet:
        """F(u) = Σ_r c_r (w_r·u + b_r)⁸ with random c, w, b: its derivatives are symmetric of themselves."""
        u = self.unknown_entries(node, slots, ranges)
        count, shape, p = u.primal.shape[-1], self.shape(node.axes), self.field.p
        terms, outputs = count + 3, int(np.prod(shape, dtype=np.int64))
        tag = f"{node.name} {count} {outputs}"
        size = terms * (count + 1 + outputs)
        random = self.field.opaque(tag, np.arange(size, dtype=np.int64))
        lead = (1,) * self.lead
        w = random[: terms * count].reshape(*lead, terms, count)
        b = random[terms * count : terms * (count + 1)].reshape(*lead, terms)
        c = random[terms * (count + 1) :].reshape(*lead, outputs, terms)
        form = self.jets.contracted("...ri,...i->...r", Jet({0: w}), u, count)
        ridge = self.jets.integer_power(self.jets.add(form, Jet({0: b % p})), RIDGE_DEGREE)
        value = self.jets.contracted("...or,...r->...o", Jet({0: c}), ridge, terms)
        return self.reshaped(value, shape)
