"""Random derivatives, each examined: `python -m symderiv.testing.fuzz --seconds 60 --seed 1`.

Case k of a seed is the same in every run and on every machine: `--start k --cases 1` repeats it.  Defects
are printed as they are found, each with the line of Python that shows it, made as small as possible; at the
end stands a table of what was drawn, checked, refused (by reason) and found.  The exit status is 1 where there
was a defect.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from types import FrameType

import click

from symderiv.functions import FUNCTIONS
from symderiv.tensor.operations import OPERATIONS
from symderiv.testing.examine import DEFECTS, OTHERS, Finding, examine, operations_of
from symderiv.testing.grammar import RandomChoices
from symderiv.testing.productions import INTERNAL
from symderiv.testing.samples import Problem, draw_problem, draw_sample
from symderiv.testing.shrink import smallest

DEPTHS = (2, 2, 2, 3, 3, 4)
PROOF_EVERY = 8
SHOWN_IN_FULL = 2  # of each kind and reason
EXAMPLES = 2
KEEP = 5000
SELDOM = (100_000, 20, 100)  # looking for circles costs time; nodes are freed without it
AGAIN = 0.2  # what is raised inside a callback is lost, so the timer rings again


class TimeUpError(BaseException):
    """A case took longer than it may; not an Exception, so that nothing on the way catches it."""


def quiet(unraisable: sys.UnraisableHookArgs, /) -> None:
    """Say nothing of a timer that rang inside a callback: it rings again."""
    if unraisable.exc_type is not TimeUpError:
        sys.__unraisablehook__(unraisable)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeUpError after some seconds of work, where the system has timers."""
    if not hasattr(signal, "setitimer") or not seconds:
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TimeUpError

    before = signal.signal(signal.SIGPROF, stop)  # what other processes take does not count
    signal.setitimer(signal.ITIMER_PROF, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def case(seed: int, number: int) -> Problem:
    """Return one case of a seed.

    >>> case(1, 7) == case(1, 7)
    True
    """
    random = Random(f"{seed}:{number}")
    choices = RandomChoices(random)
    sample = draw_sample(choices, depth=random.choice(DEPTHS))
    return draw_problem(choices, sample, seed=random.randrange(1 << 20))


@dataclass
class Tally:
    """What has been counted so far."""

    cases: int = 0
    orders: Counter[int] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    marks: Counter[tuple[str, str]] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    examples: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    proofs: int = 0
    clean: int = 0

    def enter(self, finding: Finding, proof: bool) -> None:
        """Count one case."""
        problem = finding.problem
        self.cases += 1
        self.orders[len(problem.wrt)] += 1
        self.checked.update(finding.checked)
        self.operations.update(operations_of(problem.sample.expr))
        self.proofs += proof and bool(finding.result)
        self.clean += not finding.marks
        for mark in finding.marks:
            self.marks[mark] += 1
            if len(self.examples[mark]) < EXAMPLES:
                self.examples[mark].append(problem.line)

    @property
    def defects(self) -> int:
        """The number of defects."""
        return sum(count for (kind, _), count in self.marks.items() if kind in DEFECTS)

    def table(self, seconds: float) -> str:
        """Return the summary."""
        orders = ", ".join(f"{count} of order {order}" for order, count in sorted(self.orders.items()))
        lines = [
            f"{self.cases} cases in {seconds:.0f} s ({orders})",
            f"  {self.clean:8d}  without any remark",
            f"  {self.checked['fields']:8d}  agree with jets in prime fields",
            f"  {self.checked['floats']:8d}  agree with differences of floats",
            f"  {self.checked['code']:8d}  generated code agrees with differences",
            f"  {self.checked['text']:8d}  texts of results read again",
            f"  {self.checked['proof']:8d}  proofs accepted by the kernel, of {self.proofs} asked for",
        ]
        for title, kinds in (("defects", DEFECTS), ("remarks", OTHERS)):
            rows = sorted((m for m in self.marks if m[0] in kinds), key=lambda m: (kinds.index(m[0]), -self.marks[m]))
            total = sum(self.marks[m] for m in rows)
            share = f" ({100 * total / max(self.cases, 1):.2f} %)" if total else ""
            lines.append(f"{title}: {total}{share}")
            for mark in rows:
                lines.append(f"  {self.marks[mark]:8d}  {mark[0]}" + (f": {mark[1]}" if mark[1] else ""))
                lines += [f"            {line}" for line in self.examples[mark]] if title == "remarks" else []
        unseen = sorted({*OPERATIONS, *FUNCTIONS} - INTERNAL - set(self.operations))
        lines.append("not drawn: " + (", ".join(unseen) or "nothing; every operation and function occurred"))
        return "\n".join(lines)


def examined(problem: Problem, proof: bool, limit: float) -> Finding:
    """Return the finding about a problem, within a time."""
    try:
        with at_most(limit):
            return examine(problem, proof)
    except TimeUpError:
        found = Finding(problem)
        found.note("slow", f"more than {limit:g} s")
        return found


def shown(finding: Finding, name: str, seen: Counter[tuple[str, str]], limit: float) -> Iterator[str]:
    """Yield what is printed of the defects of a case, the first of each kind made small."""
    for kind, reason in finding.defects:
        group = (kind, reason if kind in ("crash", "proof") else "")
        seen[group] += 1
        if group[1] and seen[group] > SHOWN_IN_FULL:
            continue

        def shows(p: Problem, kind: str = kind, reason: str = reason) -> bool:
            defects = examined(p, kind == "proof", limit).defects
            return any(k == kind and (k not in ("crash", "proof") or r == reason) for k, r in defects)

        small = smallest(finding.problem, shows)
        again = examined(small, kind == "proof", limit)
        yield f"{kind}: {reason}\n  case {name}: {finding.problem.line}"
        if small != finding.problem:
            yield f"  smaller: {small.line}\n  result: {again.result[:300]}  {dict(again.defects).get(kind, '')}"


def run(seconds: float, cases: int, seed: int, start: int, limit: float) -> Tally:
    """Examine cases until the time is up or so many are done; print defects and return the counts."""
    tally, seen = Tally(), Counter[tuple[str, str]]()
    begin, number = monotonic(), start
    while (not seconds or monotonic() - begin < seconds) and (not cases or number - start < cases):
        proof = number % PROOF_EVERY == 0
        finding = examined(case(seed, number), proof, limit)
        tally.enter(finding, proof)
        for line in shown(finding, f"{seed}:{number}", seen, limit):
            click.echo(line)
        sys.stdout.flush()
        number += 1
        if number % KEEP == 0:
            gc.collect()
    return tally


@click.command(help=(__doc__ or "").split("\n\n")[0])
@click.option("--seconds", default=0.0, help="How long to go on; 0 for as long as there are cases.")
@click.option("--cases", default=0, help="How many cases; 0 for as long as there is time.")
@click.option("--seed", default=1, show_default=True, help="Which cases.")
@click.option("--start", default=0, show_default=True, help="The number of the first case.")
@click.option("--limit", default=5.0, show_default=True, help="Seconds for one case; 0 for no limit.")
def main(seconds: float, cases: int, seed: int, start: int, limit: float) -> None:
    """Run, print the table, and exit with 1 where there was a defect."""
    sys.unraisablehook = quiet
    gc.freeze()
    gc.set_threshold(*SELDOM)
    begin = monotonic()
    tally = run(seconds or (0.0 if cases else 60.0), cases, seed, start, limit)
    click.echo(tally.table(monotonic() - begin))
    sys.exit(1 if tally.defects else 0)


if __name__ == "__main__":
    main()
