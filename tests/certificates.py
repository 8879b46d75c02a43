"""Certificates for Coq: `make certificates` compiles the proofs, and damaged ones, which may not compile.

What is compiled, with which program, and how long it took. Nothing is installed here: without Coq or MathComp the
script says what is missing.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from damages import Mutant, Proof, Workshop, of_handouts
from evaluated import holds

from symderiv import derive
from symderiv.check.coq.certificate import to_coq
from symderiv.check.coq.core import CORE
from symderiv.check.part import Part
from symderiv.errors import SymderivError
from symderiv.handout.build import built_in

PACKAGES = "coq libcoq-mathcomp-ssreflect libcoq-mathcomp-algebra libcoq-mathcomp-algebra-tactics"
SECONDS = 300  # for one text
HANDOUT = "backpropagation-through-a-layer"
DERIVATIVES: dict[str, tuple[str, list[str], dict[str, tuple[str, ...]]]] = {
    "quadratic form": ("x @ A @ x", ["x"], {"x": ("n",), "A": ("n", "n")}),
    "its Hessian": ("x @ A @ x", ["x", "x"], {"x": ("n",), "A": ("n", "n")}),
    "linear form": ("a @ x", ["x"], {"x": ("n",), "a": ("n",)}),
    "squares": ("x @ x", ["x"], {"x": ("n",)}),
    "cubes": ("sum(x**3)", ["x"], {"x": ("n",)}),
    "bilinear form": ("a @ X @ b", ["X"], {"a": ("m",), "X": ("m", "n"), "b": ("n",)}),
    "trace": ("trace(A @ X @ B)", ["X"], {"A": ("k", "n"), "X": ("n", "m"), "B": ("m", "k")}),
    "Frobenius": ("trace(X.T @ X)", ["X"], {"X": ("m", "n")}),
    "least squares": ("norm(X @ w - y)**2", ["w"], {"X": ("m", "n"), "w": ("n",), "y": ("m",)}),
    "its Hessian, too": ("norm(X @ w - y)**2", ["w", "w"], {"X": ("m", "n"), "w": ("n",), "y": ("m",)}),
    "factorisation": ("norm(T - U @ V.T)**2", ["U"], {"T": ("m", "n"), "U": ("m", "k"), "V": ("n", "k")}),
    "Poisson": ("sum(exp(X @ w) - y * (X @ w))", ["w"], {"X": ("m", "n"), "w": ("n",), "y": ("m",)}),
    "two layers": ("sum(tanh(V @ tanh(W @ z)))", ["W"], {"V": ("k", "m"), "W": ("m", "n"), "z": ("n",)}),
    "outer": ("sum(outer(a, x))", ["x"], {"a": ("m",), "x": ("n",)}),
    "half a square": ("x @ x / 2 - sum(x) / 3", ["x"], {"x": ("n",)}),
    "ridge": ("norm(X @ w - y)**2 + c * (w @ w)", ["w"], {"X": ("m", "n"), "w": ("n",), "y": ("m",), "c": ()}),
    "quotient": ("a @ x / (1 + x @ x)", ["x"], {"x": ("n",), "a": ("n",)}),
    "norm": ("norm(x)", ["x"], {"x": ("n",)}),
    "inverse squares": ("sum(x**-2)", ["x"], {"x": ("n",)}),
    "softmax": ("t @ softmax(a, 0)", ["a"], {"a": ("n",), "t": ("n",)}),
    "log of a sum": ("logsumexp(a)", ["a"], {"a": ("n",)}),
    "inverse": ("trace(inv(X) @ A)", ["X"], {"X": ("n", "n"), "A": ("n", "n")}),
    "determinant": ("det(X)", ["X"], {"X": ("n", "n")}),
    "its logarithm": ("logdet(X)", ["X"], {"X": ("n", "n")}),
    "symmetric form": ("x @ K @ x / 2", ["x"], {"K": ("n", "n"), "x": ("n",)}),
    "symmetric variable": ("trace(K @ K)", ["K"], {"K": ("n", "n")}),
}
ASSUMED = {"X": "invertible", "K": "symmetric"}
SQUARE = ("inverse", "determinant", "its logarithm", "symmetric form", "symmetric variable")  # which assume it
NEW_KINDS = ("L9", "half a square", "ridge", "quotient", "norm", "softmax", "inverse", "its logarithm")
SLIPS = (
    "a term dropped", "a term added twice", "an index swapped", "a δ lost", "a sign changed", "a range changed",
    "a factor changed", "a bound index captured", "a derivative misread",
)  # fmt: skip


@dataclass(frozen=True)
class Compiled:
    """What became of one text, in how many seconds of a processor."""

    accepted: bool
    said: str
    seconds: float


def missing() -> str:
    """Return what is to be installed, or nothing."""
    if shutil.which("coqc") is None:
        return f"coqc is not installed: on Debian, apt-get install {PACKAGES} (1.5 GB)"
    if not compiled("From mathcomp Require Import all_ssreflect all_algebra ring.\n").accepted:
        return f"MathComp is not installed, or not the algebra tactics: on Debian, apt-get install {PACKAGES}"
    return ""


def compiled(text: str) -> Compiled:
    """Have Coq check a text, in a folder of its own and within a time."""
    start = spent()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.v"
        path.write_text(text, encoding="utf-8")
        command = ["coqc", "-q", "-w", "-all", path.name]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return Compiled(False, f"not done after {SECONDS} s", spent() - start)
    closed = done.stdout.count("Closed under the global context") == text.count("\nPrint Assumptions ")
    return Compiled(done.returncode == 0 and closed, done.stdout + done.stderr, spent() - start)


def spent() -> float:
    """Return the seconds that finished programs took of a processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def at(text: str, said: str) -> str:
    """Return the lemma in which Coq stopped."""
    line = re.search(r"line (\d+)", said)
    lines = text.splitlines()[: int(line[1])] if line else []
    return next(
        (found[1] for one in reversed(lines) if (found := re.match(r"(?:Lemma|Theorem) (\w+)", one))), "no lemma"
    )


def of_handout() -> dict[str, Part]:
    """Return the proofs of the first handout, by label."""
    return {proof.source.rpartition(" ")[2]: proof.part for proof in of_handouts([HANDOUT])}


def of_derivatives() -> dict[str, list[Part]]:
    """Return the proofs of the derivatives, with what stands alone at their ends."""
    return {
        name: derive(text, wrt, shapes=shapes, assume=assumed(name)).proof.checked_parts()
        for name, (text, wrt, shapes) in DERIVATIVES.items()
    }


def assumed(name: str) -> dict[str, str]:
    """Return what is declared of the variables of a derivative."""
    return {v: trait for v, trait in ASSUMED.items() if name in SQUARE and v in DERIVATIVES[name][2]}


def proofs() -> dict[str, list[Part]]:
    """Return all proofs that compile."""
    return {name: [part] for name, part in of_handout().items()} | of_derivatives()


def true(mutant: Mutant, seed: int) -> bool:
    """Tell whether what a damaged proof says is true all the same, in numbers; not where sizes do not fit."""
    try:
        return bool(holds(mutant.links, mutant.part.context, seed))
    except (IndexError, KeyError):
        return False


def damaged(count: int, seed: int = 1, names: Collection[str] = ()) -> Iterator[tuple[Mutant, str]]:
    """Yield damaged proofs of each kind, carried through and false, with the text for Coq or what refused it."""
    parts = {name: found for name, found in proofs().items() if not names or name in names}
    found = [Proof(name, part) for name, own in parts.items() for part in own if part.claim.steps]
    workshop, rng = Workshop(found), random.Random(seed)
    for kind in SLIPS:
        made = 0
        while made < count:
            mutant = workshop.mutant(kind, True, bool(made % 2), rng)
            if true(mutant, seed):
                continue
            made += 1
            try:
                yield mutant, to_coq([mutant.part])
            except SymderivError as err:
                yield mutant, f"refused: {err.message}"


def claims() -> Iterator[tuple[str, str, str]]:
    """Yield every proof of the built-in handouts in English and of the cookbook: handout, claim, text or refusal."""
    stems = [path.stem for path in built_in() if not path.stem.endswith(("-ja", "-durch-eine-schicht"))]
    for proof in of_handouts(stems):
        handout, _, name = proof.source.partition(" ")
        try:
            yield handout, name, to_coq([proof.part])
        except SymderivError as err:
            yield handout, name, f"refused: {err.message}"


def of_claims(sample: int, seed: int) -> int:
    """Print how many claims have a text, and what becomes of some of these; return how many fail."""
    found = list(claims())
    texts = [(f"{handout} {name}", text) for handout, name, text in found if not text.startswith("refused")]
    for handout in dict.fromkeys(handout for handout, _, _ in found):
        own = [text for at, _, text in found if at == handout]
        print(f"{handout}: {sum(not t.startswith('refused') for t in own)} of {len(own)} proofs have a text")
    bad = 0
    for name, text in random.Random(seed).sample(sorted(texts), min(sample, len(texts))):
        done = compiled(text)
        bad += not done.accepted
        failed = "" if done.accepted else f"  FAILED at {at(text, done.said)}"
        print(f"{name:50}{done.seconds:7.1f}{failed}", flush=True)
    return bad


def tables() -> int:
    """Print what becomes of each proof and of each damaged one; return how many times not what should."""
    bad = 0
    print(f"{'proof':18}{'lemmas':>8}{'seconds':>9}")
    for name, parts in proofs().items():
        text = to_coq(parts, name)
        done = compiled(text)
        bad += not done.accepted
        print(
            f"{name:18}{text.removeprefix(CORE).count('Lemma '):8}{done.seconds:9.1f}"
            + ("" if done.accepted else "  FAILED")
        )
        print(done.said if not done.accepted else "", end="")
    print("\ndamaged proofs, each false at one step and carried through")
    for mutant, text in [*damaged(2), *damaged(1, 2, NEW_KINDS)]:
        where = f"{mutant.kind}: {mutant.source}, {mutant.where}"
        if text.startswith("refused"):
            print(f"  no text   {where}: {text}")
            continue
        done = compiled(text)
        bad += done.accepted
        print(f"  {'ACCEPTED' if done.accepted else 'rejected'}  {where}: at {at(text, done.said)}")
    return bad


def main() -> int:
    """Print what becomes of proofs, or with `--sample` of claims; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="count the claims that have a text, and compile as many of these")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    lacking = missing()
    if lacking:
        print(lacking)
        return 1
    bad = tables() if options.sample is None else of_claims(options.sample, options.seed)
    print(f"{bad} of them wrong" if bad else "all as they should be")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
