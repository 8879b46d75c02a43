"""The operations that are linear, products of entries, or statements about derivatives and indices.

They mean the same over every number system; an array is rearranged, summed or contracted.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod

import numpy as np

from symderiv.check.field import Array
from symderiv.check.interpret import Interpreter, Ranges, Slot, Slots, V
from symderiv.check.reading import Key, constant, key_of, whole_exponent
from symderiv.tensor.expr import Expr
from symderiv.tensor.operations import apply


class Operations(Interpreter[V]):
    """What every number system has in common; `op_name` evaluates the operation `name`."""

    def op_number(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        value = constant(node, self.sizes)
        assert value is not None
        return self.number(value)

    op_size = op_number

    def op_eye(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        return self.filled(np.eye(self.length(node.axes[0]), dtype=np.int64))

    def op_ones(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        return self.filled(np.full(self.shape(node.axes), int(node.op == "ones"), dtype=np.int64))

    op_zeros = op_ones

    def op_add(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        a, b = (self.spread(self.value(x, slots, ranges), x, node.axes) for x in node.args)
        if node.op == "mul":
            return self.multiplied(a, b)
        return self.add(a, self.negated(b) if node.op == "sub" else b)

    op_sub = op_add
    op_mul = op_add

    def op_neg(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        return self.negated(self.value(node.args[0], slots, ranges))

    def op_matmul(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        a, b = node.args
        if node.op == "outer":
            spec = "...i,...j->...ij"
        else:
            left, right = "i" * (a.rank - 1), "j" * (b.rank - 1)
            spec = f"...{left}q,...q{right}->...{left}{right}"
        terms = 1 if node.op == "outer" else self.length(b.axes[0])
        left_value, right_value = self.arguments(node, slots, ranges)
        return self.contracted(spec, left_value, right_value, terms)

    op_inner = op_matmul
    op_outer = op_matmul

    def op_kron(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        spec = "...i,...k->...ik" if node.rank == 1 else "...ij,...kl->...ikjl"
        a, b = self.arguments(node, slots, ranges)
        value = self.contracted(spec, a, b, 1)
        return self.reshaped(value, self.shape(node.axes))

    def op_einsum(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        """Contract pairwise from the left, keeping the letters that are still needed."""
        left, output = node.data[0].split("->")
        inputs = left.split(",")
        sizes = {
            c: self.length(x) for s, a in zip(inputs, node.args, strict=True) for c, x in zip(s, a.axes, strict=True)
        }
        value, letters = self.filled(np.ones((), dtype=np.int64)), ""
        for k, arg in enumerate(node.args):
            needed = set(output).union(*inputs[k + 1 :])
            kept = "".join(c for c in dict.fromkeys(letters + inputs[k]) if c in needed)
            if k == len(inputs) - 1:
                kept = output
            terms = prod(sizes[c] for c in set(letters + inputs[k]) - set(kept))
            spec = f"...{letters},...{inputs[k]}->...{kept}"
            value, letters = self.contracted(spec, value, self.value(arg, slots, ranges), terms), kept
        return value

    def op_sum(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        arg = node.args[0]
        over = [node.data[0] % arg.rank] if node.data else list(range(arg.rank))
        value = self.total(self.value(arg, slots, ranges), tuple(self.lead + k for k in over))
        if node.op == "sum":
            return value
        count = prod(self.length(arg.axes[k]) for k in over)
        return self.multiplied(value, self.filled(np.ones(self.shape(node.axes), dtype=np.int64), Fraction(1, count)))

    op_mean = op_sum

    def op_others(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        """`Π_k (x[k] where k is none of j₁ … jₘ, else 1)` for different j₁ … jₘ, else 0, factor by factor."""
        (x,), (over, order) = node.args, node.data
        kept = [k for k in range(x.rank) if k not in over]
        turned = (*range(self.lead), *(self.lead + k for k in (*kept, *over)))
        rows, own = self.shape(tuple(x.axes[k] for k in kept)), self.shape(tuple(x.axes[k] for k in over))
        count, ones = prod(own), (1,) * (order * len(over))
        value = self.each(
            self.value(x, slots, ranges), lambda c: c.transpose(turned).reshape(c.shape[: self.lead] + rows + (count,))
        )
        places = np.indices((count,) * order).reshape(order, *(own * order))
        shape = (1,) * len(rows) + own * order
        result = self.filled(np.ones(shape, dtype=np.int64))
        for k in range(count):
            here = (places == k).any(axis=0).reshape(shape).astype(np.int64)
            entry = self.each(value, lambda c, k=k: c[..., k].reshape(c.shape[: self.lead] + rows + ones))  # type: ignore[misc]
            factor = self.add(self.multiplied(entry, self.filled(1 - here)), self.filled(here))
            result = self.multiplied(result, factor)
        pairs = [places[a] != places[b] for a in range(order) for b in range(a)]
        apart = np.logical_and.reduce(pairs) if pairs else np.ones(own * order, dtype=bool)
        result = self.multiplied(result, self.filled(apart.reshape(shape).astype(np.int64)))
        back = [(*kept, *over).index(k) for k in range(x.rank)] + list(range(x.rank, node.rank))
        return self.each(result, lambda c: c.transpose(*range(self.lead), *(self.lead + k for k in back)))

    def op_block(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        """Each block among zeros, added up."""
        (columns,) = node.data
        height, width = self.shape(node.axes)
        result = self.filled(np.zeros((height, width), dtype=np.int64))
        top = left = 0
        for k, arg in enumerate(node.args):
            rows, across = self.shape(arg.axes)
            pad = [(0, 0)] * self.lead + [(top, height - top - rows), (left, width - left - across)]
            result = self.add(result, self.each(self.value(arg, slots, ranges), lambda c, p=pad: np.pad(c, p)))  # type: ignore[misc]
            left = 0 if (k + 1) % columns == 0 else left + across
            top += rows if left == 0 else 0
        return result

    def op_trace(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        return self.each(self.value(node.args[0], slots, ranges), lambda c: np.trace(c, axis1=-2, axis2=-1))

    def op_transpose(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        order = node.data[0] if node.data else tuple(reversed(range(node.rank)))
        moved = (*range(self.lead), *(self.lead + k for k in order))
        return self.each(self.value(node.args[0], slots, ranges), lambda c: c.transpose(moved))

    def op_diag(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        value = self.value(node.args[0], slots, ranges)
        if node.rank == 1:
            return self.each(value, lambda c: np.diagonal(c, axis1=-2, axis2=-1))
        eye = np.eye(self.length(node.axes[0]), dtype=np.int64)
        return self.each(value, lambda c: c[..., None] * eye.astype(c.dtype))

    def op_vec(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        rank = node.args[0].rank
        moved = (*range(self.lead), *reversed(range(self.lead, self.lead + rank)))
        value = self.each(self.value(node.args[0], slots, ranges), lambda c: c.transpose(moved))
        return self.reshaped(value, self.shape(node.axes))

    def op_reshape(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        return self.reshaped(self.value(node.args[0], slots, ranges), self.shape(node.axes))

    op_newaxis = op_reshape

    def op_solve(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        return self.value(apply("matmul", apply("inv", node.args[0]), node.args[1]), slots, ranges)

    def op_matrix_power(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        """Multiply out; a negative power is one of the inverse."""
        exponent = whole_exponent(node, self.sizes)
        base = self.value(node.args[0] if exponent >= 0 else apply("inv", node.args[0]), slots, ranges)
        n = self.length(node.axes[0])
        result = self.filled(np.eye(n, dtype=np.int64))
        for _ in range(abs(exponent)):
            result = self.contracted("...iq,...qj->...ij", result, base, n)
        return result

    # -- statements: derivatives and indices

    def op_diff(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        f, *targets = node.args
        inner, new = slots, []
        for x in targets:
            index = min(set(range(self.reading.slots)) - {s.index for s in inner})
            held = _held(f, x) if node.data[0] == "partial" else frozenset(("defined", name) for name in node.data[1:])
            new.append(Slot(index, key_of(x), self.shape(x.axes), held))
            inner = (*inner, new[-1])
        value = self.prepared(f, inner, ranges)
        for slot in new:
            value = self.extracted(value, slot)
        return value

    def op_entry(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        """Move each subscripted axis to the place of its index; on a place taken, read the diagonal."""
        value = self.value(node.args[0], slots, ranges)

        def change(c: Array) -> Array:
            for k in reversed(range(len(node.data))):
                if node.data[k] is None:
                    continue
                place, axis = self.place[node.data[k]], self.lead + k
                if c.shape[place] == 1:
                    c = np.squeeze(np.swapaxes(c, place, axis), axis)
                else:
                    c = np.moveaxis(np.diagonal(c, axis1=place, axis2=axis), -1, place)
            return c

        return self.each(value, change)

    def op_delta(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        i, j = node.data
        if i == j:
            return self.number(Fraction(1))
        n, shape = dict(ranges)[i], [1] * self.lead
        shape[self.place[i]] = shape[self.place[j]] = n
        return self.each(self.number(Fraction(1)), lambda c: c * np.eye(n, dtype=c.dtype).reshape(shape))

    def op_sum_over(self, node: Expr, slots: Slots, ranges: Ranges) -> V:
        inner = self.indices.bound(node, dict(ranges), self.length)
        value = self.prepared(node.args[0], slots, tuple(sorted(inner.items())))

        def change(c: Array) -> Array:
            for name in node.data:
                place = self.place[name]
                c = c.sum(axis=place, keepdims=True) * (inner[name] if c.shape[place] == 1 else 1)
            return c

        return self.each(value, change)


def _held(f: Expr, x: Expr) -> frozenset[Key]:
    """Return the definitions below f that an immediate derivative holds constant."""
    found: set[Key] = set()
    done: set[Expr] = set()
    stack = list(f.args) if f.op == "defined" and f is not x else [f]
    while stack:
        node = stack.pop()
        if node.op == "defined":
            found.add(key_of(node))
        elif node not in done:
            done.add(node)
            stack.extend(node.args)
    return frozenset(found - {key_of(x)})
