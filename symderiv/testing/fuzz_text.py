"""Random texts, each read: `python -m symderiv.testing.fuzz_text --cases 100000 --seed 1`.

Whatever a text holds, it is read, or refused by a :class:`symderiv.SymderivError` whose message can be shown; in
bounded time and memory.  What is read is written again, now and then in every format that there is, and is inert in
each.  Case k of a seed is the same in every run and on every machine: `--start k --cases 1` repeats it.  The exit
status is 1 where something else happened.
"""

from __future__ import annotations

import gc
import resource
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from time import monotonic, process_time

import click

from symderiv.errors import SymderivError
from symderiv.testing.fuzz import TimeUpError, at_most, quiet
from symderiv.testing.progress import progress
from symderiv.testing.texts import ALL_NAMES, BLOCKS, CHAINS, EXPRESSIONS, HANDOUT, NAMES, Texts
from symderiv.testing.uses import (
    Broken,
    mark_chain,
    proofs,
    read_expression,
    read_handout,
    read_proof,
    read_statements,
    shown,
    take_names,
    write_document,
    write_page,
)

MOST_MEMORY = 64 << 20  # bytes by which one case may let the process grow, once it has warmed up
WARM = 2000
SHRINKING = 5.0  # seconds
INTERRUPTED = 130  # the exit code of what Ctrl-C ended

# ---------------------------------------------------------------- cases


@dataclass(frozen=True)
class Kind:
    """A way to draw texts, and what is done with them."""

    name: str
    share: int  # of 1000
    draw: Callable[[Texts], str]
    use: Callable[[str], None]


def _bytes_of(sources: tuple[str, ...]) -> Callable[[Texts], str]:
    def draw(texts: Texts) -> str:
        roll = texts.random.random()
        if roll < 0.2:
            return texts.bytes()
        return texts.tokens() if roll < 0.4 else texts.mutated(texts.one(sources), 1 if roll < 0.6 else 0)

    return draw


def _declared_block(texts: Texts) -> str:
    names = "\n".join(f"{name}: {shape}".replace("'", "") for name, shape in NAMES.items())
    return f"{names}\n{texts.block()}"


def _document(texts: Texts) -> str:
    """A handout with a block or two, and what means harm in all places where text may stand."""
    said = texts.hostile if texts.chance(0.7) else texts.token
    head = f"---\ntitle: {said()!r}\nauthor: {said()!r}\ndisplay: {{x: {said()!r}}}\n---\n"
    block = texts.one(BLOCKS) if texts.chance(0.6) else _declared_block(texts)
    if texts.chance(0.3):
        block = texts.mutated(block, 1)
    prose = f"# {said()}\n\nA text with {said()} and ${said()}$.\n"
    picture = f"```symderiv-diagram\n{said() if texts.chance(0.2) else ''}\n```\n" if texts.chance(0.3) else ""
    label = texts.label() if texts.chance(0.3) else ""
    return f"{head}{prose}\n```symderiv\n{block}{label}\n```\n{picture}\n{said()}\n"


def _name(texts: Texts) -> str:
    roll = texts.random.random()
    return texts.hostile() if roll < 0.4 else texts.one(ALL_NAMES) if roll < 0.8 else texts.new_name()


def _proof(texts: Texts) -> str:
    text = texts.one(proofs())
    return texts.data(text) if texts.chance(0.7) else texts.mutated(text)


KINDS = (
    Kind("bytes, expression", 300, _bytes_of(EXPRESSIONS), read_expression),
    Kind("words, expression", 130, lambda t: t.exchanged(t.one(EXPRESSIONS)), read_expression),
    Kind("grammar, expression", 296, lambda t: t.expression(), read_expression),
    Kind("bytes, statements", 100, _bytes_of(BLOCKS), read_statements),
    Kind("words, statements", 60, lambda t: t.exchanged(t.one(BLOCKS)), read_statements),
    Kind("grammar, statements", 60, _declared_block, read_statements),
    Kind("bytes, handout", 30, _bytes_of((HANDOUT,)), read_handout),
    Kind("names", 6, _name, take_names),
    Kind("documents", 6, _document, write_document),
    Kind("pages", 1, _document, write_page),
    Kind("derivations in LaTeX", 6, lambda t: t.latex(t.one(CHAINS)), mark_chain),
    Kind("stored proofs", 5, _proof, read_proof),
)  # fmt: skip
SHARES = tuple(kind.share for kind in KINDS)


def case(seed: int, number: int) -> tuple[Kind, str]:
    """Return one case of a seed: its kind and its text.

    >>> case(1, 7) == case(1, 7)
    True
    """
    random = Random(f"{seed}:{number}")
    (kind,) = random.choices(KINDS, SHARES)
    return kind, kind.draw(Texts(random))


# ---------------------------------------------------------------- a run


@dataclass
class Tally:
    """What has been counted so far."""

    cases: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, tuple[float, int]] = field(default_factory=dict)
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    before: int = 0
    after: int = 0
    interrupted: bool = False

    def table(self, seconds: float) -> str:
        """Return the summary."""
        lines = [f"{sum(self.cases.values())} texts in {seconds:.0f} s{', interrupted' if self.interrupted else ''}"]
        for name, often in self.cases.items():
            took, number = self.slowest.get(name, (0.0, 0))
            lines.append(f"  {often:8d}  {name}: {self.read[name]} read; the slowest took {took:.2f} s (case {number})")
        lines.append(f"memory: {self.before >> 20} MB after {WARM} texts, {self.after >> 20} MB at most")
        lines.append(f"findings: {sum(self.findings.values())}")
        lines += [f"  {often:8d}  {name}: {what}" for (name, what), often in self.findings.most_common()]
        return "\n".join(lines)


def found(kind: Kind, text: str, limit: float) -> tuple[bool, str]:
    """Return whether a text was read, and what was wrong with the way it was treated, "" where nothing was."""
    try:
        with warnings.catch_warnings(record=True) as heard, at_most(limit):
            warnings.simplefilter("always")
            try:
                kind.use(text)
                was_read = True
            except SymderivError as err:
                shown(err)
                was_read = False
        if heard:
            return was_read, f"a warning: {heard[0].category.__name__}: {str(heard[0].message)[:80]}"
        return was_read, ""
    except TimeUpError:
        return False, f"more than {limit:g} s"
    except Broken as err:
        return False, f"broken: {str(err)[:160]}"
    except Exception as err:
        return False, f"{type(err).__name__} at {_place(err)}"


def _place(err: Exception) -> str:
    """Return the file and the line of our own code where an error came up."""
    frames = [f for f in traceback.extract_tb(err.__traceback__) if "symderiv" in f.filename]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"


def shortest(kind: Kind, text: str, what: str, limit: float) -> str:
    """Return a text that still shows a finding and of which no stretch can be left out, within some time."""
    end, width = monotonic() + SHRINKING, max(1, len(text) // 2)
    while width and monotonic() < end:
        at = 0
        while at < len(text) and monotonic() < end:
            without = text[:at] + text[at + width :]
            if found(kind, without, limit)[1][:40] == what[:40]:
                text = without
            else:
                at += width
        width //= 2
    return text


def run(seconds: float, cases: int, seed: int, start: int, limit: float) -> Tally:
    """Read texts until the time is up or so many are done; print findings and return the counts."""
    tally, begin = Tally(), monotonic()
    with progress(cases, "texts") as told:
        try:
            for number in range(start, start + cases) if cases else count(start):
                if seconds and monotonic() - begin >= seconds:
                    break
                for line in _taken(tally, seed, number, limit, number - start > WARM):
                    click.echo(line)
                    sys.stdout.flush()
                if number + 1 - start == WARM:
                    tally.before = _memory()
                told(number + 1 - start, sum(tally.findings.values()))
        except KeyboardInterrupt:
            tally.interrupted = True
    tally.after = _memory()
    return tally


def _taken(tally: Tally, seed: int, number: int, limit: float, warm: bool) -> Iterator[str]:
    """Take one case, and return what there is to say of it."""
    kind, text = case(seed, number)
    before, since = _memory(), process_time()
    was_read, what = found(kind, text, limit)
    took = process_time() - since
    tally.cases[kind.name] += 1
    tally.read[kind.name] += was_read
    if took > tally.slowest.get(kind.name, (0.0, 0))[0]:
        tally.slowest[kind.name] = (took, number)
    if warm and _memory() - before > MOST_MEMORY and not what:
        what = f"{(_memory() - before) >> 20} MB more"
    if what:
        yield from _report(tally, kind, text, what, f"{seed}:{number}", limit)


def _report(tally: Tally, kind: Kind, text: str, what: str, name: str, limit: float) -> Iterator[str]:
    tally.findings[(kind.name, what[:80])] += 1
    if tally.findings[(kind.name, what[:80])] <= 2:
        yield f"{kind.name}, case {name}: {what}"
        yield f"  {shortest(kind, text, what, limit)!r}"


def _memory() -> int:
    """Return the most memory that the process has had, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10


@click.command(help=(__doc__ or "").split("\n\n")[0])
@click.option("--seconds", default=0.0, help="How long to go on; 0 for as long as there are cases.")
@click.option("--cases", default=0, help="How many cases; 0 for as long as there is time.")
@click.option("--seed", default=1, show_default=True, help="Which cases.")
@click.option("--start", default=0, show_default=True, help="The number of the first case.")
@click.option("--limit", default=20.0, show_default=True, help="Seconds for one case; 0 for no limit.")
def main(seconds: float, cases: int, seed: int, start: int, limit: float) -> None:
    """Run, print the table, and exit with 1 where there was a finding."""
    sys.unraisablehook = quiet
    gc.freeze()
    begin = monotonic()
    tally = run(seconds or (0.0 if cases else 60.0), cases, seed, start, limit)
    click.echo(tally.table(monotonic() - begin))
    sys.exit(1 if tally.findings else INTERRUPTED if tally.interrupted else 0)


if __name__ == "__main__":
    main()
