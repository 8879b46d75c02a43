"""Random texts, each read: `python -m symderiv.testing.fuzz_text --cases 100000 --seed 1`.

Whatever a text holds, it is read, or refused by a :class:`symderiv.SymderivError` whose message can be shown; in
bounded time and memory.  What is read is written again, as text, as LaTeX and, now and then, as a document and as
code.  Case k of a seed is the same in every run and on every machine: `--start k --cases 1` repeats it.  The exit
status is 1 where something else happened.
"""

from __future__ import annotations

import ast
import gc
import resource
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import monotonic, process_time

import click

from symderiv.derivation import derive
from symderiv.errors import SymderivError
from symderiv.generating import generate
from symderiv.handout.build import read_and_decide, rendered
from symderiv.handout.source import read_source
from symderiv.lower import lower
from symderiv.render.latex import Latex
from symderiv.render.mathtext import is_harmless
from symderiv.statements.block import Names, read_block
from symderiv.tensor.expr import Expr
from symderiv.tensor.parse import Scope, parse, scope_of
from symderiv.tensor.text import to_text
from symderiv.testing.fuzz import TimeUpError, at_most, quiet
from symderiv.testing.texts import BLOCKS, EXPRESSIONS, HANDOUT, NAMES, Texts

LONGEST_MESSAGE = 4000
MOST_MEMORY = 64 << 20  # bytes by which one case may let the process grow, once it has warmed up
WARM = 2000
LOWERED = 60  # nodes of an expression that is also put into index notation
SHRINKING = 5.0  # seconds

FUNCTIONS_WITHOUT_FORMULA = {"h": ["dh", "d2h"]}


class Broken(Exception):
    """What was read came out in a form that it must not have."""


def _scope(indices: bool) -> Scope:
    scope = scope_of(NAMES, None, FUNCTIONS_WITHOUT_FORMULA)
    scope.indices = indices
    return scope


SCOPES = (_scope(False), _scope(True))
LABELS = {key: label for label, key in SCOPES[0].functions.items()}

# ---------------------------------------------------------------- what is done with a text


def read_expression(text: str) -> None:
    """Read an expression; write it as text, which must be read as the same shape again, and as LaTeX."""
    scope = SCOPES["[" in text]
    expr = parse(text, scope)
    written = to_text(expr, LABELS)
    again = parse(written, scope)
    if again.shape != expr.shape:
        raise Broken(f"read again with shape {again.shape} instead of {expr.shape}")
    _harmless(expr)
    if expr.weight <= LOWERED and not scope.indices:
        lower(expr)


def _harmless(expr: Expr) -> None:
    latex = Latex({}, functions=LABELS).matrix(expr)
    if not is_harmless(latex):
        raise Broken(f"LaTeX that is not inert: {latex[:200]}")


def read_statements(text: str) -> None:
    """Read a block of statements."""
    read_block(text, Names())


def read_handout(text: str) -> None:
    """Read the source of a handout: front matter, prose, blocks."""
    read_source(text, Path("handout.md"))


def write_document(text: str) -> None:
    """Read a handout, decide its claims, write it as TeX and Markdown, and its code, which must be Python."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "handout.md"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        built = read_and_decide(path)
    rendered(built, "tex")
    rendered(built, "md")
    ast.parse(rendered(built, "py"))


def take_names(text: str) -> None:
    """Use a text as every name there is: of an array, of a size, of a function, of the code."""
    for name, given in {
        "array": {"expr": f"sum({text}**2) + {text} @ y", "wrt": text, "shapes": {text: ("n",), "y": ("n",)}},
        "size": {"expr": "sum(x**2) / len(x)", "wrt": "x", "shapes": {"x": (text,)}},
        "function": {"expr": f"sum({text}(x))", "wrt": "x", "shapes": {"x": ("n",)}, "functions": {text: ["d1"]}},
        "derivative": {"expr": "sum(h(x))", "wrt": "x", "shapes": {"x": ("n",)}, "functions": {"h": [text]}},
    }.items():
        try:
            d = derive(given.pop("expr"), given.pop("wrt"), **given)  # type: ignore[arg-type]
        except SymderivError as err:
            shown(err)
            continue
        ast.parse(d.to_numpy())
        d.compile(value=True)
        if not is_harmless(latex := Latex({}, functions=d.functions).matrix(d.result.expr)):
            raise Broken(f"LaTeX of {name} that is not inert: {latex[:200]}")
    module = generate("sum(x**2)", "x", shapes={"x": ("n",)}, name=text)
    ast.parse(module.module)


def shown(err: SymderivError) -> None:
    """Refuse an error that is no help: one that cannot be shown, is empty or has no end."""
    message = str(err)
    if not message.strip() or len(message) > LONGEST_MESSAGE:
        raise Broken(f"a message of {len(message)} characters") from err
    if not all(c.isprintable() or c == "\n" for c in message):
        raise Broken(f"a message that does not print: {message!r}") from err


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
    return f"{head}{prose}\n```symderiv\n{block}{texts.label() if texts.chance(0.3) else ''}\n```\n\n{said()}\n"


KINDS = (
    Kind("bytes, expression", 390, _bytes_of(EXPRESSIONS), read_expression),
    Kind("grammar, expression", 330, lambda t: t.expression(), read_expression),
    Kind("bytes, statements", 140, _bytes_of(BLOCKS), read_statements),
    Kind("grammar, statements", 80, _declared_block, read_statements),
    Kind("bytes, handout", 44, _bytes_of((HANDOUT,)), read_handout),
    Kind("names", 10, lambda t: t.hostile() if t.chance(0.5) else t.one((t.new_name(), t.name())), take_names),
    Kind("documents", 6, _document, write_document),
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

    def table(self, seconds: float) -> str:
        """Return the summary."""
        lines = [f"{sum(self.cases.values())} texts in {seconds:.0f} s"]
        for name, count in self.cases.items():
            took, number = self.slowest.get(name, (0.0, 0))
            lines.append(f"  {count:8d}  {name}: {self.read[name]} read; the slowest took {took:.2f} s (case {number})")
        lines.append(f"memory: {self.before >> 20} MB after {WARM} texts, {self.after >> 20} MB at most")
        lines.append(f"findings: {sum(self.findings.values())}")
        lines += [f"  {count:8d}  {name}: {what}" for (name, what), count in self.findings.most_common()]
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
    tally, begin, number = Tally(), monotonic(), start
    while (not seconds or monotonic() - begin < seconds) and (not cases or number - start < cases):
        kind, text = case(seed, number)
        before, since = _memory(), process_time()
        was_read, what = found(kind, text, limit)
        took = process_time() - since
        tally.cases[kind.name] += 1
        tally.read[kind.name] += was_read
        if took > tally.slowest.get(kind.name, (0.0, 0))[0]:
            tally.slowest[kind.name] = (took, number)
        if number - start > WARM and _memory() - before > MOST_MEMORY and not what:
            what = f"{(_memory() - before) >> 20} MB more"
        if what:
            for line in _report(tally, kind, text, what, f"{seed}:{number}", limit):
                click.echo(line)
            sys.stdout.flush()
        number += 1
        if number - start == WARM:
            tally.before = _memory()
    tally.after = _memory()
    return tally


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
    sys.exit(1 if tally.findings else 0)


if __name__ == "__main__":
    main()
