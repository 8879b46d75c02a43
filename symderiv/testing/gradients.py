"""Gradients that somebody wrote by hand, against their function: `check_grads`.

Two ways, one beside the other.  *Numerically*, at the arrays given: along random directions, then entry by entry.
*Symbolically*, where both functions can be traced (they are written in NumPy, without branches on values): then the
gradient is proved, or refuted with a counterexample even where the arrays given do not show it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symderiv.errors import ParseError, ShapeError, SymderivError, UnsupportedError
from symderiv.inputs import read_claim
from symderiv.testing.arguments import Arguments
from symderiv.testing.assertions import refuted, shown
from symderiv.testing.defaults import settings
from symderiv.testing.differences import Array, Slope, along, twice
from symderiv.testing.failures import DifferenceError, Failure, UndecidedError
from symderiv.testing.steps import scope_in
from symderiv.verdict import Verdict, verify

RTOL, ATOL = 1e-6, 1e-9
MOST_ENTRIES = 600  # of a derivative, times entries of the variable, that are looked at one by one
UNKNOWN = 1e-2  # relative: a slope known no better than this is none
SAFETY = 10.0


@dataclass(frozen=True)
class GradientCheck:
    """What became of a check: `proved` (by `basis`, in `scope`) or `agrees`, which is numbers alone.

    `method` says how the slopes were had, `error` is the largest relative difference met.  Where nothing was proved,
    `untraced` says why.
    """

    status: str
    basis: str
    scope: str
    method: str
    error: float
    seed: int
    samples: int
    verdicts: Mapping[str, Verdict]
    untraced: str = ""

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        if self.status == "proved":
            return f"proved ({self.basis}): {self.scope}"
        numbers = f"{self.samples} directions and entries, {self.method}, relative difference {self.error:.0e}"
        return f"agrees: {numbers}, seed {self.seed}" + (f"; not proved: {self.untraced}" if self.untraced else "")


def check_grads(
    f: Callable[..., Any],
    grad: Callable[..., Any] | Sequence[Callable[..., Any]],
    args: Sequence[Any] | Mapping[str, Any],
    *,
    order: int = 1,
    rtol: float = RTOL,
    atol: float = ATOL,
    eps: float | None = None,
    wrt: str | int | Sequence[str | int] | None = None,
    shapes: Mapping[str, Sequence[Any]] | None = None,
    assume: Mapping[str, str] | None = None,
    samples: int | None = None,
    seed: int | None = None,
    symbolic: bool = True,
) -> GradientCheck:
    """Hold a gradient against its function; return what was found, or raise :class:`DifferenceError`.

    Args:
        f: a function of arrays, which returns a number or an array; it is called with copies of `args`.
        grad: its derivative at the same arguments: of shape `f.shape + x.shape`, an array for one variable, a tuple
            or a dictionary for several.  With `order=2` the second derivative, of shape
            `f.shape + x.shape + x.shape`, for one variable; or the pair of the first and the second, which are
            both checked.
        args: positional arguments, or keyword arguments by name.  Floats are variables, all else is handed on.
        rtol: how far two values may lie apart, relative to the larger; the error of the differences comes on top.
        atol: the same absolutely, times the largest entry of the derivative.
        eps: the step of the differences; chosen by the size of the variable where nothing is given.
        wrt: names or positions of the arguments that `grad` is the derivative in.  Needed where it returns one array
            and there are several variables; all of them where it returns a tuple.
        shapes: the shapes by name, with names for sizes, for a proof at all sizes: `{"X": ("n", "p"), …}`.  Without
            them the proof is at the sizes of `args`.
        assume: what is assumed of arguments, such as `{"S": "symmetric"}`; for the proof.
        samples: how many random directions, for each variable.
        seed: of the directions, and of the points of the proof.
        symbolic: False leaves the proof aside.

    >>> X, w, y = np.eye(3)[:, :2], np.ones(2), np.arange(3.0)
    >>> def loss(X, w, y):
    ...     return np.sum((X @ w - y) ** 2)
    >>> def gradient(X, w, y):
    ...     return 2 * X.T @ (X @ w - y)
    >>> shapes = {"X": ("n", "p"), "w": ("p",), "y": ("n",)}
    >>> found = check_grads(loss, gradient, (X, w, y), wrt="w", shapes=shapes)
    >>> found.status, found.basis, found.scope
    ('proved', 'kernel', 'all sizes; every step checked')
    """
    __tracebackhide__ = True
    if order not in (1, 2):
        raise UnsupportedError(f"derivatives of order {order} are not checked", hint="order is 1 or 2")
    at, count = (settings.seed if seed is None else seed), (settings.samples if samples is None else samples)
    given = Arguments(f, args)
    grads = [grad] if callable(grad) else list(grad)
    if len(grads) not in (1, order):
        raise ParseError(
            f"{len(grads)} functions given for order {order}", hint="give the gradient, or both in a tuple"
        )
    orders = [order] if len(grads) == 1 else [1, 2]
    reports = []
    for one, k in zip(grads, orders, strict=True):
        reports.append(_Check(f, one, given, k, (rtol, atol, eps), wrt, (at, count)).run(shapes, assume, symbolic))
    return min(reports, key=lambda r: r.status == "proved")


# ---------------------------------------------------------------- one gradient


class _Check:
    def __init__(
        self, f: Callable[..., Any], grad: Callable[..., Any], given: Arguments, order: int,
        tolerance: tuple[float, float, float | None], wrt: Any, drawn: tuple[int, int],
    ) -> None:  # fmt: skip
        self.f, self.grad, self.given, self.order = f, grad, given, order
        self.rtol, self.atol, self.eps = tolerance
        self.seed, self.samples = drawn
        self.result = given.call(grad)
        self.names = given.chosen(wrt, self.result)
        self.value = np.asarray(given.call(f))
        if self.value.dtype.kind not in "fiub" or not np.isfinite(self.value).all():
            raise UndecidedError(f"{shown(f)} is {self.value} at these arguments: it has no slope there")
        if order == 2 and len(self.names) > 1:
            raise UnsupportedError("second derivatives are checked in one variable at a time", hint='write wrt="w"')
        self.error, self.methods = 0.0, dict[str, None]()

    def run(self, shapes: Any, assume: Any, symbolic: bool) -> GradientCheck:
        __tracebackhide__ = True
        verdicts: dict[str, Verdict] = {}
        untraced = "" if symbolic else "not asked for"
        if symbolic:
            try:
                verdicts = {name: self.verdict(name, shapes, assume) for name in self.names}
            except SymderivError as err:
                untraced = err.message
        for name in self.names:
            self.numerically(name, verdicts.get(name))
        for name, verdict in verdicts.items():
            if verdict.status == "refuted":
                note = "at the arguments given no difference shows"
                self.fail(verdict, name, note)
        status, basis, scope = "agrees", "", ""
        if verdicts and all(v.status == "proved" for v in verdicts.values()):
            status = "proved"
            basis = "kernel" if all(v.basis == "kernel" for v in verdicts.values()) else "exact"
            scope = next(v.scope for v in verdicts.values() if v.basis == basis)
            scope = scope if shapes else scope.replace("all sizes", "the sizes of the arguments")
        elif verdicts:
            untraced = "; ".join(v.scope for v in verdicts.values() if v.status != "proved")
        method = ", ".join(self.methods)
        return GradientCheck(
            status, basis, scope, method, self.error, self.seed, self.samples, verdicts, untraced
        )  # fmt: skip

    # -- symbolically

    def verdict(self, name: str, shapes: Any, assume: Any) -> Verdict:
        """Return whether the derivative in one variable is proved."""
        known = {n: np.shape(self.given.values[n]) for n in self.given.floats}
        if name not in known:
            raise UnsupportedError(f"{name} holds integers")
        known.update(shapes or {})
        f, wrt = self.bound(self.f), [name] * self.order
        return verify(f, wrt, self.bound(self.part(name)), shapes=known, assume=assume, seed=self.seed)

    def bound(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of the variables alone: other arguments are what was given."""
        others = {n: v for n, v in self.given.values.items() if n not in self.given.floats}
        return functools.partial(function, **others) if others else function

    def part(self, name: str) -> Callable[..., Any]:
        """Return the gradient in one variable, where it returns several."""
        if not isinstance(self.result, (tuple, list, Mapping)):
            return self.grad
        key, whole = self.key(name), self.grad

        @functools.wraps(whole)
        def part(*args: Any, **keywords: Any) -> Any:
            return whole(*args, **keywords)[key]

        return part

    def key(self, name: str) -> Any:
        """Return where the derivative in a variable stands in what the gradient returns."""
        if isinstance(self.result, Mapping):
            return name
        return self.names.index(name)

    def fail(self, verdict: Verdict, name: str, note: str) -> None:
        __tracebackhide__ = True
        claim = read_claim(self.bound(self.part(name)), scope_in(verdict.derivation))
        found = refuted(verdict, self.what(name), claim)
        raise DifferenceError(Failure(**{**found.__dict__, "words": self.words, "note": note}))

    # -- numerically

    @property
    def words(self) -> tuple[str, str]:
        return "the derivative is", f"{shown(self.grad)} gives"

    def what(self, name: str) -> str:
        which = "derivative" if self.order == 1 else "second derivative"
        return f"{shown(self.grad)} is not the {which} of {shown(self.f)} with respect to {name}"

    def numerically(self, name: str, verdict: Verdict | None) -> None:
        """Compare along random directions and entry by entry."""
        __tracebackhide__ = True
        x = self.given.array(name)
        whole = self.result
        got = np.asarray(whole[self.key(name)] if isinstance(whole, (tuple, list, Mapping)) else whole, dtype=float)
        wanted = self.value.shape + x.shape * self.order
        if got.shape != wanted:
            what = f"the derivative in {name} has another shape than the function followed by the variable"
            hint = "a derivative has the shape of the function followed by that of each variable"
            raise ShapeError(what, shapes={"needed": str(wanted), shown(self.grad): str(got.shape)}, hint=hint)
        rng = np.random.default_rng(self.seed)
        for _ in range(self.samples):
            vs = [rng.standard_normal(x.shape) for _ in range(self.order)]
            if self.wrong_along(name, x, got, vs):
                self.entries(name, x, got, verdict, self.narrowed(name, x, got, vs))
                self.direction_alone(name, self.slope(name, x, vs), self.contracted(x, got, vs), verdict)
        places = list(np.ndindex(*x.shape * self.order))
        if len(places) > MOST_ENTRIES:
            places = [places[k] for k in sorted(rng.choice(len(places), MOST_ENTRIES, replace=False))]
        self.entries(name, x, got, verdict, places)

    def contracted(self, x: Array, got: Array, vs: Sequence[Array]) -> Array:
        """Return the user's derivative along directions."""
        found = got.reshape(*self.value.shape, *[x.size] * self.order)
        for v in reversed(vs):
            found = found @ v.reshape(-1)
        return np.asarray(found)

    def wrong_along(self, name: str, x: Array, got: Array, vs: Sequence[Array]) -> bool:
        """Tell whether the derivatives differ along some directions."""
        met = np.sqrt(np.prod([np.count_nonzero(v) for v in vs]))  # what rounding leaves of a sum of so many entries
        return bool(self.differ(self.slope(name, x, vs), self.contracted(x, got, vs), _size(got) * float(met)).any())

    def narrowed(self, name: str, x: Array, got: Array, vs: Sequence[Array]) -> list[tuple[int, ...]]:
        """Return few entries among which one is wrong: halves along which the derivatives differ, over and over."""
        chosen = np.arange(x.size)
        while len(chosen) ** self.order > MOST_ENTRIES // 4:
            halves = np.array_split(chosen, 2)
            masks = [np.isin(np.arange(x.size), half).reshape(x.shape) for half in halves]
            wrong = [k for k in (0, 1) if self.wrong_along(name, x, got, [vs[0] * masks[k], *vs[1:]])]
            if not wrong:
                break
            chosen = halves[wrong[0]]
        firsts = [tuple(map(int, np.unravel_index(k, x.shape))) for k in chosen] if x.ndim else [()]
        rest = list(np.ndindex(*x.shape * (self.order - 1)))
        return [(*first, *more) for first in firsts for more in rest][: 4 * MOST_ENTRIES]

    def slope(self, name: str, x: Array, vs: Sequence[Array]) -> Slope:
        """Return the derivative of the function along one direction, or along two."""

        def f(y: Array) -> Any:
            return self.given.call(self.f, {name: y})

        found = along(f, x, vs[0], self.eps) if len(vs) == 1 else twice(f, x, vs[0], vs[1], self.eps)
        self.methods[found.method] = None
        return found

    def differ(self, slope: Slope, got: Array, size: float) -> Array:
        """Return by how much two values lie further apart than they may."""
        scale = np.maximum(np.abs(slope.value), np.abs(got))
        known = SAFETY * slope.error
        if (known > UNKNOWN * np.maximum(scale, size) + 1e-6).any():
            hint = "take arguments away from kinks and poles, or give another step: eps=…"
            raise UndecidedError(f"the slope of {shown(self.f)} cannot be told from differences here", hint=hint)
        gap = np.abs(slope.value - got)
        with np.errstate(invalid="ignore"):
            self.error = max(self.error, float(np.max(gap / np.maximum(np.maximum(scale, size), 1e-300), initial=0.0)))
        excess = gap - (self.atol * max(size, 1.0) + self.rtol * scale + known)
        return np.asarray(np.where(np.isfinite(got), np.maximum(excess, 0.0), np.inf))

    def entries(
        self, name: str, x: Array, got: Array, verdict: Verdict | None, places: Sequence[tuple[int, ...]]
    ) -> None:
        """Compare entry by entry; raise at the worst."""
        __tracebackhide__ = True
        size = _size(got)
        worst: tuple[float, tuple[int, ...], float, float] | None = None
        for place in places:
            parts = [place[k * x.ndim : (k + 1) * x.ndim] for k in range(self.order)]
            slope = self.slope(name, x, [_unit(x.shape, p) for p in parts])
            mine = np.asarray(got[(Ellipsis, *place)])  # type: ignore[arg-type, unused-ignore]
            excess = self.differ(slope, mine, size)
            k = np.unravel_index(int(np.argmax(excess)), excess.shape) if excess.size else ()
            if excess.size and excess[k] > 0 and (worst is None or excess[k] > worst[0]):
                worst = float(excess[k]), (*map(int, k), *place), float(slope.value[k]), float(mine[k])
        if worst is not None:
            raise DifferenceError(self.failure(name, worst[1], worst[2], worst[3], verdict))

    def direction_alone(self, name: str, slope: Slope, got: Array, verdict: Verdict | None) -> None:
        """Fail along a direction, where no single entry shows the difference."""
        __tracebackhide__ = True
        k = np.unravel_index(int(np.argmax(np.abs(slope.value - got))), got.shape) if got.ndim else ()
        found = self.failure(name, tuple(map(int, k)), float(slope.value[k]), float(got[k]), verdict)
        raise DifferenceError(Failure(**{**found.__dict__, "note": "along a random direction"}))

    def failure(self, name: str, entry: tuple[int, ...], left: float, right: float, verdict: Verdict | None) -> Failure:
        correct = step = ""
        if verdict is not None:
            correct = str(verdict.correct)
            if verdict.status == "refuted":
                claim = read_claim(self.bound(self.part(name)), scope_in(verdict.derivation))
                step = refuted(verdict, "", claim).step
        arguments = {n: v for n, v in self.given.values.items() if n in self.given.numbers}
        shapes = ", ".join(f"{n} {np.shape(v)}" for n, v in arguments.items() if np.shape(v))
        return Failure(
            self.what(name), left, right, entry, seed=self.seed, words=self.words, correct=correct, step=step,
            note=f"shapes: {shapes}; by {', '.join(self.methods)}", point=arguments,
        )  # fmt: skip


def _size(array: Array) -> float:
    """Return the largest finite entry."""
    return float(np.max(np.abs(array), initial=0.0, where=np.isfinite(array)))


def _unit(shape: tuple[int, ...], place: tuple[int, ...]) -> Array:
    found = np.zeros(shape)
    found[place] = 1.0
    return found
