"""What a derivation costs as depth, number of slots and order grow, beside SymPy's own derivative in the same run.

    python tests/benchmarks/derivation_speed.py [names…] [--cap 30]

Every measurement is a process of its own, so that nothing is found in a cache; imports and a first small derivative
are not counted.  What takes more CPU time than the cap is ended, and the table says so.
"""

from __future__ import annotations

if __name__ == "__main__":
    import one_thread  # noqa: F401

import argparse
import multiprocessing
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

import sympy
from printing import Cells, Printed, show
from sympy import Determinant, IndexedBase, MatrixSymbol, Sum, Trace

from symderiv import derive

CAP = 30  # seconds of CPU time
REPEATED = 3  # processes for each of ours; for SymPy's that take less than a second too
N, P = sympy.symbols("n p", integer=True, positive=True)
SQUARE = ("n", "n")


@dataclass(frozen=True)
class Case:
    """A derivative: the engine's, which returns its statements, and SymPy's where it has one."""

    group: str
    name: str
    own: Callable[[], str]
    sympy: Callable[[], Any] | None = None
    why_not: str = ""  # why SymPy has none


# ---------------------------------------------------------------- depth


def net(depth: int) -> str:
    z = reduce(lambda z, k: f"tanh(W{k} @ {z})", range(1, depth + 1), "x")
    shapes = {"x": ("n",), "y": ("n",), **{f"W{k}": SQUARE for k in range(1, depth + 1)}}
    return derive(f"norm({z} - y)**2", "W1", shapes=shapes).statements()


def sympy_net(depth: int) -> Any:
    """Sums over indices, deltas evaluated: matrices with entrywise functions SymPy refuses here."""
    i = sympy.symbols(f"i0:{depth + 1}", integer=True)
    z = IndexedBase("x")[i[0]]
    for k in range(1, depth + 1):
        z = sympy.tanh(Sum(IndexedBase(f"W{k}")[i[k], i[k - 1]] * z, (i[k - 1], 0, N - 1)))
    total = Sum((z - IndexedBase("y")[i[depth]]) ** 2, (i[depth], 0, N - 1))
    p, q = sympy.symbols("p q", integer=True)
    return total.diff(IndexedBase("W1")[p, q]).doit()


# ---------------------------------------------------------------- slots and order


def slots(count: int, order: int = 1) -> str:
    text = " @ ".join(f"A{k} @ X" for k in range(count))
    shapes = {"X": SQUARE, **{f"A{k}": SQUARE for k in range(count)}}
    return derive(f"trace({text})", ["X"] * order, shapes=shapes).statements()


def sympy_slots(count: int, order: int = 1) -> Any:
    X = MatrixSymbol("X", N, N)
    return Trace(reduce(lambda product, k: product * MatrixSymbol(f"A{k}", N, N) * X, range(count), 1)).diff(
        *[X] * order
    )


def powers(count: int, order: int) -> str:
    return derive("trace(" + " @ ".join(["X"] * count) + ")", ["X"] * order, shapes={"X": SQUARE}).statements()


def sympy_powers(count: int, order: int) -> Any:
    X = MatrixSymbol("X", N, N)
    return Trace(sympy.MatMul(*[X] * count)).diff(*[X] * order)


# By the names of NumPy and those of SymPy.
FACTORS = {
    "exp": "exp", "sin": "sin", "cos": "cos", "tanh": "tanh",
    "log": "log", "sqrt": "sqrt", "arctan": "atan", "sinh": "sinh",
}  # fmt: skip


def entrywise(order: int) -> str:
    text = " * ".join(f"{name}(x)" for name in FACTORS)
    return derive(text, ["x"] * order, shapes={"x": ()}, assume={"x": "positive"}).statements()


def sympy_entrywise(order: int) -> Any:
    x = sympy.Symbol("x", positive=True)
    return sympy.prod(getattr(sympy, name)(x) for name in FACTORS.values()).diff(x, order)


# ---------------------------------------------------------------- everyday

EVERYDAY = {
    "quadratic form": ("x @ A @ x", "x", {"x": ("n",), "A": SQUARE}),
    "least squares": ("norm(X @ w - y)**2", "w", {"X": ("n", "p"), "w": ("p",), "y": ("n",)}),
    "Frobenius": ("norm(X @ A - A)**2", "X", {"X": SQUARE, "A": SQUARE}),
    "log determinant": ("logdet(X.T @ X + A)", "X", {"X": SQUARE, "A": SQUARE}),
    "inverse": ("trace(inv(X) @ A)", "X", {"X": SQUARE, "A": SQUARE}),
    "softmax": ("sum(softmax(X @ A, 1) * A)", "X", {"X": SQUARE, "A": SQUARE}),
    "logistic": ("sum(log(1 + exp(-y * (X @ w))))", "w", {"X": ("n", "p"), "w": ("p",), "y": ("n",)}),
    "two layers": (
        "norm(W2 @ tanh(W1 @ x) - t)**2 / 2",
        "W1",
        {"x": ("d",), "t": ("k",), "W1": ("m", "d"), "W2": ("k", "m")},
    ),
}


def everyday(name: str) -> str:
    text, wrt, shapes = EVERYDAY[name]
    return derive(text, wrt, shapes=shapes).statements()


def sympy_everyday(name: str) -> Any:
    A, X, M = MatrixSymbol("A", N, N), MatrixSymbol("X", N, N), MatrixSymbol("M", N, P)
    x, y, w = MatrixSymbol("x", N, 1), MatrixSymbol("y", N, 1), MatrixSymbol("w", P, 1)
    residual, frobenius = M * w - y, X * A - A
    return {
        "quadratic form": lambda: (x.T * A * x).diff(x),
        "least squares": lambda: (residual.T * residual).diff(w),
        "Frobenius": lambda: Trace(frobenius.T * frobenius).diff(X),
        "log determinant": lambda: sympy.log(Determinant(X.T * X + A)).diff(X),
        "inverse": lambda: Trace(X.inv() * A).diff(X),
    }[name]()


NO_ENTRYWISE = "none of entrywise functions"
CASES = {
    f"{c.group}: {c.name}": c
    for c in [
        *(Case("tanh net, layers", str(k), partial(net, k), partial(sympy_net, k)) for k in (4, 16, 64)),
        *(
            Case("trace(A0 @ X @ A1 @ X …), slots", str(k), partial(slots, k), partial(sympy_slots, k))
            for k in (4, 8, 16)
        ),
        *(
            Case("4 slots in 8 factors, order", str(k), partial(slots, 4, k), partial(sympy_slots, 4, k))
            for k in (1, 2, 3, 4)
        ),
        *(
            Case("trace(X @ X @ …), 8 factors, order", str(k), partial(powers, 8, k), partial(sympy_powers, 8, k))
            for k in (1, 2, 3)
        ),
        *(
            Case("eight functions of x multiplied, order", str(k), partial(entrywise, k), partial(sympy_entrywise, k))
            for k in (1, 2, 3)
        ),
        *(
            Case(
                "everyday",
                name,
                partial(everyday, name),
                None if name in ("softmax", "logistic", "two layers") else partial(sympy_everyday, name),
                NO_ENTRYWISE,
            )
            for name in EVERYDAY
        ),
    ]
}

# ---------------------------------------------------------------- measuring


@dataclass(frozen=True)
class Outcome:
    """CPU seconds and, of ours, the length of the statements; or what happened instead."""

    seconds: float | None
    length: int = 0
    instead: str = ""


def _measure(connection: Connection, key: str, sympys: bool, cap: int) -> None:
    """Send the outcome of one derivative."""
    derive("sum(log(B @ u) * c)", "u", shapes={"B": ("r", "q"), "u": ("q",), "c": ("r",)}).statements()
    spent = int(time.process_time()) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (spent + cap, spent + cap + 1))
    warnings.simplefilter("ignore")
    if sympys:
        sys.setrecursionlimit(100_000)  # depth is no reason to give up
    call = CASES[key].sympy if sympys else CASES[key].own
    assert call is not None
    start = time.process_time()
    try:
        found = call()
    except Exception as err:
        return connection.send(Outcome(None, 0, f"refuses: {type(err).__name__}"))
    seconds = time.process_time() - start
    left = found.has(sympy.Derivative) if isinstance(found, sympy.Basic) else False
    connection.send(Outcome(seconds, 0 if sympys else len(found), "left as Derivative" if left else ""))


def outcome(key: str, sympys: bool, cap: int) -> Outcome:
    """Return the outcome of one derivative in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measure, args=(theirs, key, sympys, cap))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        process.join()
        ended = process.exitcode in (-signal.SIGXCPU, -signal.SIGKILL)
        return Outcome(None, 0, f"> {cap} s" if ended else f"fails: exit code {process.exitcode}")
    finally:
        process.join()


def repeated(key: str, sympys: bool, cap: int) -> Outcome:
    """Return the median outcome; what takes long is measured once."""
    found = [outcome(key, sympys, cap)]
    while found[0].seconds is not None and found[0].seconds < 1 and len(found) < REPEATED:
        found.append(outcome(key, sympys, cap))
    seconds = [f.seconds for f in found if f.seconds is not None]
    if len(seconds) < len(found):
        return next(f for f in found if f.seconds is None)
    return Outcome(median(seconds), found[0].length, found[0].instead)


# ---------------------------------------------------------------- the table

COLUMNS = ("derivative", "", "symderiv s", "statements", "to the row above", "SymPy s", "SymPy / symderiv")


def _seconds(found: Outcome) -> str:
    return found.instead if found.seconds is None else f"{found.seconds:.3f} {found.instead}".strip()


def cells(case: Case, own: Outcome, above: Outcome | None, peer: Outcome | None, cap: int) -> Cells:
    growth, speed = "—", "—"
    if above is not None and above.seconds and own.seconds:
        growth = f"{own.seconds / above.seconds:.1f}"
    if peer is not None and own.seconds:
        if peer.seconds and not peer.instead:
            speed = f"{peer.seconds / own.seconds:.{1 if peer.seconds > own.seconds else 2}f}"
        elif peer.instead.startswith(">"):
            speed = f"> {cap / own.seconds:.0f}"
    theirs = case.why_not if peer is None else _seconds(peer)
    return case.group, case.name, _seconds(own), str(own.length or "—"), growth, theirs, speed


def measured(names: Sequence[str], cap: int, report: Callable[[Cells], None]) -> Printed:
    """Return the table of the cases that have one of the words in their names, reporting each."""
    rows: list[Cells] = []
    above: tuple[str, Outcome] | None = None
    for key, case in CASES.items():
        if names and not any(n in key for n in names):
            continue
        own = repeated(key, False, cap)
        peer = repeated(key, True, cap) if case.sympy else None
        before = above[1] if above and above[0] == case.group and case.group != "everyday" else None
        rows.append(cells(case, own, before, peer, cap))
        above = case.group, own
        report(rows[-1])
    notes = [
        f"CPU seconds from text to statements, a fresh process each, {cap} s at most; below 1 s medians of {REPEATED}.",
        "`statements` is the length of the result with its definitions, in characters.",
        "SymPy: matrix expressions and `diff`; for the nets sums over indices, `diff`, and `doit` for the deltas.",
    ]
    return Printed("Derivations", COLUMNS, rows, notes, left=2)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time derivations.")
    parser.add_argument("names", nargs="*", help="cases; a part of a name chooses all that have it")
    parser.add_argument("--cap", type=int, default=CAP, help="CPU seconds for one derivative")
    options = parser.parse_args()
    show(measured(options.names, options.cap, lambda row: print("  ".join(row), flush=True)))


if __name__ == "__main__":
    main()
