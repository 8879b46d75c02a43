"""Evaluation in floats, and derivatives of floats.

The first derivative is taken by the complex step, Im f(x + i h e) / h, which has no cancellation; further
ones by central differences with six points.  Branches (abs, maximum, where, …) are decided at the unperturbed
point, so that no difference reaches over a kink.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import prod
from zlib import crc32

import numpy as np

from symderiv.check.common import Operations
from symderiv.check.field import Array
from symderiv.check.indices import Indices
from symderiv.check.interpret import Ranges, Slot, Slots
from symderiv.check.reading import Reading, constant
from symderiv.errors import UnsupportedError
from symderiv.functions import FUNCTIONS
from symderiv.tensor.expr import Expr

COMPLEX_STEP = 1e-40
STEP = 2e-3
OFFSETS = (-3, -2, -1, 1, 2, 3)
WEIGHTS = (-1 / 60, 9 / 60, -45 / 60, 45 / 60, -9 / 60, 1 / 60)
TIE = 1e-13
TINY = 1e-150
WORST = 1e12  # condition numbers from which on a matrix counts as singular


class Numeric(Operations[Array]):
    """Evaluation at arrays of floats, one point after the other along the first axis."""

    def __init__(
        self,
        reading: Reading,
        indices: Indices,
        sizes: Mapping[str, int],
        values: Mapping[str, Array],
        directions: Mapping[int, Array] | None = None,
        step: float = STEP,
    ) -> None:
        super().__init__(reading, indices, sizes)
        self.step = step
        self.values, self.directions = values, directions or {}
        self._sides: dict[tuple[Expr, Expr | None, Ranges], Array] = {}
        self.differences: dict[tuple[Expr, Expr | None], Array] = {}
        self._rounded: list[Array] = []
        self._lost: list[Array] = []  # where a power of what is not 0 came out as 0

    def number(self, value: Fraction) -> Array:
        return np.full((1,) * self.lead, float(value))

    def variable(self, name: str) -> Array:
        value = np.asarray(self.values[name], dtype=float)
        return value.reshape(value.shape[:1] + (1,) * (self.lead - 1) + value.shape[1:])

    def lifted(self, array: Array) -> Array:
        return array

    def perturbed(self, value: Array, slot: Slot) -> Array:
        entries, place = prod(slot.shape), 1 + slot.index
        if slot.directed:
            direction = self.directions[slot.index]
            direction = direction.reshape(direction.shape[:1] + (1,) * (self.lead - 1) + slot.shape)
        else:
            lead = [1] * self.lead
            lead[place] = entries
            direction = np.eye(entries).reshape(*lead, *slot.shape)
        if slot.index == 0:
            return np.asarray(value + 1j * COMPLEX_STEP * direction)
        moves = [self.step * k * direction for k in OFFSETS]
        return np.asarray(value + np.concatenate(moves, axis=place))

    def extracted(self, value: Array, slot: Slot) -> Array:
        place, shape = 1 + slot.index, slot.shape
        entries = 1 if slot.directed else prod(shape)
        value = np.moveaxis(value, place, -1)
        if slot.index == 0:
            part = value.imag / COMPLEX_STEP if np.iscomplexobj(value) else np.zeros(value.shape)
        elif value.shape[-1] == 1:
            part = np.zeros(value.shape)
        else:
            steps = value.reshape(*value.shape[:-1], len(OFFSETS), entries)
            part = np.einsum("...ke,k->...e", steps, np.array(WEIGHTS) / self.step)
        part = np.broadcast_to(part, (*part.shape[:-1], entries))
        tail = () if slot.directed else shape
        return part.reshape(*part.shape[:place], 1, *part.shape[place:-1], *tail)

    def each(self, value: Array, change: Callable[[Array], Array]) -> Array:
        return change(value)

    def add(self, a: Array, b: Array) -> Array:
        return np.asarray(a + b)

    def negated(self, a: Array) -> Array:
        return np.asarray(-a)

    def multiplied(self, a: Array, b: Array) -> Array:
        return np.asarray(a * b)

    def contracted(self, spec: str, a: Array, b: Array, terms: int) -> Array:
        return np.asarray(np.einsum(spec, a, b))

    # -- branches

    def side(self, left: Expr, right: Expr | None, ranges: Ranges) -> Array:
        """Return the sign of left − right (or of left) where unperturbed; rounding is a tie."""
        key = (left, right, ranges)
        known = self._sides.get(key)
        if known is None:
            a = self.prepared(left, (), ranges)
            b = np.zeros((1,) * self.lead) if right is None else self.prepared(right, (), ranges)
            rank = max(left.rank, 0 if right is None else right.rank)
            a, b = (
                c.reshape(c.shape[: self.lead] + (1,) * (rank + self.lead - c.ndim) + c.shape[self.lead :])
                for c in (a, b)
            )
            scale = np.abs(a) + np.abs(b) if not _is_zero(right) else np.ones(())
            difference = self.differences[left, right] = a - b
            near = np.abs(difference) <= TIE * scale
            self._rounded.append(near & (difference != 0))
            known = np.where(near, 0.0, np.sign(difference))
            known = self._sides[key] = np.nan_to_num(known).astype(np.int8)
        return known

    # -- everything else

    def value(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        with np.errstate(all="ignore"):
            return super().value(node, slots, ranges)

    def overflowed(self, count: int) -> Array:
        """Return at which points some value met so far is infinite."""
        result = np.zeros(count, dtype=bool)
        for value in self._known.values():
            result |= np.isinf(value).reshape(len(value), -1).any(axis=1)
        return result

    def underflowed(self, count: int) -> Array:
        """Return at which points some value met so far is so small that its square is 0, or it is by rounding."""
        result = np.zeros(count, dtype=bool)
        for (node, *_), value in self._known.items():
            size = np.abs(value.real)
            positive = node.op == "softmax" or (node.op == "map" and node.data[0] in ("exp", "sigmoid", "softplus"))
            result |= ((size < TINY) & (positive | (size > 0))).reshape(len(value), -1).any(axis=1)
        for lost in self._lost:
            result |= lost.reshape(len(lost), -1).any(axis=1)
        return result

    def rounded(self, count: int) -> Array:
        """Return at which points some comparison met so far is a tie but for rounding: code may take either side."""
        result = np.zeros(count, dtype=bool)
        for near in self._rounded:
            result |= near.reshape(len(near), -1).any(axis=1)
        return result

    def _one(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        return self.value(node.args[0], slots, ranges)

    def _pair(self, node: Expr, slots: Slots, ranges: Ranges) -> list[Array]:
        return [self.spread(self.value(x, slots, ranges), x, node.axes) for x in node.args]

    def op_div(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        a, b = self._pair(node, slots, ranges)
        return np.asarray(a / np.where(b.real == 0, np.nan, b))

    def op_power(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        return _to(self._one(node, slots, ranges), node.data[0])

    def op_sqrt(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        return _to(self._one(node, slots, ranges), Fraction(1, 2))

    def op_general_power(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        a, b = self._pair(node, slots, ranges)
        whole = constant(node.args[1], self.sizes)
        if whole is not None:
            return _to(a, whole)
        count = np.rint(b.real)
        odd = np.where(count % 2 == 1, -1.0, 1.0)
        negative = (a.real < 0) & (b == count)  # and b itself is not moved
        value = np.exp(b * _log(np.where(negative, -a, a)))
        self._lost.append((value.real == 0) & (a.real != 0))
        return np.asarray(np.where(negative, odd * value, value))

    def op_norm(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        a = self._one(node, slots, ranges)
        axes = tuple(range(self.lead, a.ndim))
        value = np.sqrt((a * a).sum(axis=axes))
        if np.iscomplexobj(a):  # it has no slope at 0
            value = np.where((a.real == 0).all(axis=axes), complex(np.nan, np.nan), value)
        return np.asarray(value)

    def op_prod(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        a = self._one(node, slots, ranges)
        return np.asarray(a.prod(axis=self._over(node)))

    def _over(self, node: Expr) -> tuple[int, ...]:
        rank = node.args[0].rank
        return tuple(self.lead + k for k in ([node.data[0] % rank] if node.data else range(rank)))

    def op_softmax(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        a = self._one(node, slots, ranges)
        exps = np.exp(a - a.real.max(axis=self._over(node), keepdims=True))
        return np.asarray(exps / exps.sum(axis=self._over(node), keepdims=True))

    def op_logsumexp(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        a, axes = self._one(node, slots, ranges), self._over(node)
        top = a.real.max(axis=axes, keepdims=True)
        return np.asarray(np.log(np.exp(a - top).sum(axis=axes)) + top.squeeze(axes))

    # -- matrices

    def op_inv(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        a = self._one(node, slots, ranges)
        return _per_matrix(np.linalg.inv, a, 2)

    def op_det(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        return np.asarray(np.linalg.det(self._one(node, slots, ranges)))

    def op_logdet(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        det = _per_matrix(np.linalg.det, self._one(node, slots, ranges), 0)
        return _log(np.where(det.real < 0, -det, det))

    # -- branches

    def op_where(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        side = self.wide(self.side(node.args[0], node.args[1], ranges), node)
        chosen = {"<": side < 0, "<=": side <= 0, ">": side > 0, ">=": side >= 0}[node.data[0]]
        yes, no = (self.spread(self.value(x, slots, ranges), x, node.axes) for x in node.args[2:])
        return np.where(chosen, yes, no)

    def op_maximum(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        a, b = self._pair(node, slots, ranges)
        side = self.side(node.args[0], node.args[1], ranges) * (1 if node.op == "maximum" else -1)
        return np.where(side == 0, (a + b) / 2, np.where(side > 0, a, b))

    op_minimum = op_maximum

    # -- functions of one number

    def op_map(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        name, order = node.data
        u = self._one(node, slots, ranges)
        if name not in FUNCTIONS:
            return stand_in(name, order, u)
        if name in ("abs", "sign", "relu"):
            side = self.side(node.args[0], None, ranges)
            if name == "sign":
                return side + 0.0 * u.real
            return np.asarray(u * (side if name == "abs" else side > 0))
        own = PLAIN.get(name) or _called(FUNCTIONS[name].call) or getattr(np, name, None)
        if own is None:
            raise UnsupportedError(f"{name} cannot be checked in floats")
        return np.asarray(own(u))

    # -- unknown functions of arrays

    def op_unknown(self, node: Expr, slots: Slots, ranges: Ranges) -> Array:
        """F(u) = 2 + Σ_r c_r sin(w_r·u + b_r) with random c, w, b."""
        u = self.unknown_entries(node, slots, ranges)
        shape = self.shape(node.axes)
        w, b, c = stand_in_terms(node.name, u.shape[-1], prod(shape))
        value = 2 + np.einsum("or,...r->...o", c, np.sin(np.einsum("ri,...i->...r", w, u) + b))
        return self.reshaped(value, shape)


def stand_in_terms(name: str, count: int, outputs: int) -> tuple[Array, Array, Array]:
    """Return the w, b, c of the function F(u) = 2 + Σ_r c_r sin(w_r·u + b_r) in the place of an unknown one."""
    terms = count + 3
    rng = np.random.default_rng([crc32(name.encode()), count, outputs])
    w = rng.standard_normal((terms, count)) / np.sqrt(count)
    b, c = rng.uniform(-1.5, 1.5, terms), rng.standard_normal((outputs, terms)) / np.sqrt(terms)
    return w, b, c


def _is_zero(side: Expr | None) -> bool:
    """Tell whether what is compared with is 0: it has no size that rounding could be measured by."""
    return side is None or (side.op == "number" and not side.data[0])


def singular(matrices: Array) -> Array:
    """Tell which matrices are singular, or cannot be told from singular ones."""
    finite = np.asarray(np.isfinite(matrices).all(axis=(-2, -1)))
    safe = np.where(finite[..., None, None], matrices.real, np.eye(matrices.shape[-1]))
    bad: Array = ~finite | ~np.asarray(np.linalg.cond(safe) < WORST)
    return bad


def _per_matrix(function: Callable[[Array], Array], a: Array, rank: int) -> Array:
    """Apply a function to matrices, with nan for singular ones; `rank` is that of a result."""
    fine = np.asarray(~singular(a))
    result = function(np.where(fine[..., None, None], a, np.eye(a.shape[-1])))
    return np.where(fine.reshape(fine.shape + (1,) * rank), result, np.nan)


def _log(u: Array) -> Array:
    """Return log u, nan for u < 0 also of complex numbers."""
    return np.log(np.where(u.real > 0, u, np.nan))


def _to(base: Array, exponent: Fraction) -> Array:
    """Return base**exponent as real numbers have it."""
    if exponent.denominator != 1:
        base = np.where(base.real >= 0, base, np.nan)
        if exponent == Fraction(1, 2):
            return np.sqrt(base)
        return np.asarray(base ** float(exponent))
    if exponent < 0:
        base, exponent = 1 / np.where(base.real == 0, np.nan, base), -exponent
    return np.asarray(base ** int(exponent))


def _along(u: Array, value: Array, slope: Callable[[], Array]) -> Array:
    """Return `f(u) + i f′(u) Im u`, which is f at an infinitely small step: NumPy's own lose digits there."""
    return value + 1j * (u.imag * slope()) if np.iscomplexobj(u) else value


def _logistic(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x < 0, e, 1) / (1 + e))


def _sigmoid(u: Array) -> Array:
    value = _logistic(u.real)
    return _along(u, value, lambda: value * _logistic(-u.real))


def _softplus(u: Array) -> Array:
    return _along(u, np.logaddexp(u.real, 0), lambda: _logistic(u.real))


def _log1p(u: Array) -> Array:
    real = np.where(u.real > -1, u.real, np.nan)
    return _along(u, np.log1p(real), lambda: 1 / (1 + real))


def _called(call: Callable[[Array], Array] | None) -> Callable[[Array], Array] | None:
    """Return a function of real arrays as one of arrays with a small imaginary part, by differences."""
    if call is None:
        return None

    def slope(real: Array) -> Array:
        steps = [STEP * k for k in OFFSETS]
        return np.asarray(sum(w * call(real + s) for w, s in zip(WEIGHTS, steps, strict=True)) / STEP)

    return lambda u: _along(u, np.asarray(call(u.real)), lambda: slope(u.real))


def _inside(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda u: function(np.where(np.abs(u.real) <= 1, u, np.nan))


PLAIN: dict[str, Callable[[Array], Array]] = {
    "log": _log,
    "log1p": _log1p,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "arcsin": _inside(np.arcsin),
    "arccos": _inside(np.arccos),
}


def stand_in(name: str, order: int, u: Array) -> Array:
    """Return a derivative of a smooth function in the place of an unknown one, which depends on its name.

    h(u) = a sin(v u + b) + c exp(−u/3) + u³/6, of which the derivative of any order is known.
    """
    rng = np.random.default_rng([crc32(name.encode()), 7])
    a, v, b, c = rng.uniform(0.6, 1.4, 4)
    cubic = [u**3 / 6, u**2 / 2, u, 1.0]
    wave = a * v**order * np.sin(v * u + b + order * np.pi / 2)
    return np.asarray(wave + c * (-1 / 3) ** order * np.exp(-u / 3) + (cubic[order] if order < 4 else 0.0))


def relative_error(found: Array, wanted: Array) -> float:
    """Return the largest difference between two arrays, relative to the largest entry.

    It is inf where the shapes differ or an entry found is no number.

    >>> relative_error(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    0.5
    """
    found, wanted = np.asarray(found, dtype=float), np.asarray(wanted, dtype=float)
    if found.shape != wanted.shape or not np.isfinite(found).all():
        return float("inf")
    if not wanted.size:
        return 0.0
    return float(np.max(np.abs(found - wanted)) / max(float(np.max(np.abs(wanted))), 1e-6))
