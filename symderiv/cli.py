"""The command line: `derive` a derivative, `verify` a claimed one, `generate` code, make a `handout`.

The engine is imported inside the commands, so that help and version answer at once.
"""

from __future__ import annotations

import ast
import dataclasses
import errno
import json
import math
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TextIO

import click

from symderiv import __version__
from symderiv.errors import ParseError, Place, SymderivError
from symderiv.render.plain import SUPERSCRIPTS, Plain, small_form

if TYPE_CHECKING:
    from symderiv.derivation import Derivation
    from symderiv.render.model import Line
    from symderiv.verdict import Verdict

PROVED, REFUTED, USAGE, UNDECIDED, UNEXPECTED, INTERRUPTED = 0, 1, 2, 3, 70, 130
EXIT = {"proved": PROVED, "refuted": REFUTED, "undecided": UNDECIDED}
DETAILS = ("brief", "normal", "full")
LAYOUTS = ("numerator", "denominator")
FORMATS = ("tex", "pdf", "html", "md", "py")
ISSUES = "the project's issue tracker"
MARKS = {
    "proved": "✓",
    "agrees": "✓",
    "approximation": "≈",
    "refuted": "✗",
    "rejected": "✗",
    "undecided": "?",
}
COLOURS = {"✓": "green", "≈": "cyan", "✗": "red", "?": "yellow"}
BASES = {"kernel": "every step checked, for all sizes", "exact": "by exact evaluation"}
EXAMPLES = """\b
Examples:
  symderiv derive "norm(X @ w - y)**2" --wrt w \\
      --shape "X: (n, p)" --shape "w: (p,)" --shape "y: (n,)"
  symderiv verify "x @ A @ x" --wrt x --claim "2 * A @ x" \\
      --shape "x: (n,)" --shape "A: (n, n)"
"""
LONGEST_LINE = 88
FEW_DEFINITIONS = 3  # as many are put into the result once more
REASONS_AT_MOST = 64  # the column that the reasons of a proof are moved to


# ---------------------------------------------------------------- errors, exit codes, streams


class Commands(click.Group):
    """The group of commands: suggests names, and turns errors into one message and an exit code."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            known = self.list_commands(ctx)
            near = get_close_matches(args[0], known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            ctx.fail(f"no command is called {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        _survive_narrow_encodings()
        try:
            return super().invoke(ctx)
        except SymderivError as error:
            _fail(str(error), USAGE)
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            _fail(str(error), USAGE)
        except Exception as error:
            _unexpected(error, debug=bool(ctx.params.get("debug")))


class Reader(click.Command):
    """A command whose argument is an expression, which may begin with a minus sign."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        short = {"-h", *(word for option in self.params for word in option.opts)}
        return super().parse_args(ctx, [f" {a}" if re.match(r"-[^-]", a) and a not in short else a for a in args])


def _fail(text: str, code: int) -> NoReturn:
    click.echo(_styled("error: ", "red", stream=sys.stderr) + text, err=True)
    raise click.exceptions.Exit(code)


def _unexpected(error: Exception, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exception(error)
    said = " ".join(f"{type(error).__name__}: {error}".split())
    how = "" if debug else " (symderiv --debug … shows where it happened)"
    _fail(f"unexpected {said}; please report it at {ISSUES}{how}", UNEXPECTED)


def _survive_narrow_encodings() -> None:
    """Print a question mark for what the terminal's encoding lacks, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _colourful(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _styled(text: str, colour: str | None = None, *, stream: TextIO | None = None, **style: bool) -> str:
    return click.style(text, fg=colour, **style) if _colourful(stream or sys.stdout) else text


def _dim(text: str) -> str:
    return _styled(text, dim=True)


# ---------------------------------------------------------------- reading options


def read_shapes(texts: Iterable[str]) -> dict[str, tuple[str | int, ...] | str]:
    """Return the shapes that `NAME: (sizes)` declares, sizes that `NAME: size` does.

    The text is read with `ast`, never evaluated.

    >>> read_shapes(["X: (n, 3)", "a: ()"])
    {'X': ('n', 3), 'a': ()}
    """
    shapes: dict[str, tuple[str | int, ...] | str] = {}
    for text in texts:
        name, shape = _read_shape(text.strip())
        if name in shapes:
            raise ParseError(f"the shape of {name} is given twice", place=Place(text.strip(), source="--shape"))
        shapes[name] = shape
    return shapes


def _read_shape(text: str) -> tuple[str, tuple[str | int, ...] | str]:
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _not_a_shape(text, getattr(error, "offset", None)) from None
    match body:
        case [ast.AnnAssign(target=ast.Name(id=name), value=None, annotation=ast.Tuple(elts=sizes))]:
            return name, tuple(_read_size(size, text) for size in sizes)
        case [ast.AnnAssign(target=ast.Name(id=name), value=None, annotation=ast.Name(id="size"))]:
            return name, "size"
    raise _not_a_shape(text, None)


def _read_size(node: ast.expr, text: str) -> str | int:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Constant(value=int(value)) if not isinstance(value, bool) and value > 0:
            return value
    start, end = (len(text.encode()[:byte].decode()) for byte in (node.col_offset, node.end_col_offset or 0))
    place = Place(text, start, end, source="--shape")
    raise ParseError("this is not a size", place=place, hint="write a name such as n, or a positive integer")


def _not_a_shape(text: str, offset: int | None) -> ParseError:
    name, colon, rest = text.partition(":")
    name, rest = name.strip(), rest.strip()
    column = max(0, (offset or 1) - 1)
    if not colon:
        apart = re.match(r"(\w+)\s*=?\s*(\(.*\))$", text)
        name, rest = apart.groups() if apart else (text if text.isidentifier() else "X", "(n, p)")
        return ParseError(
            "a shape needs a colon after the name",
            place=Place(text, apart.end(1) if apart else len(text), source="--shape"),
            hint=f'write --shape "{name}: {rest}"',
        )
    if not name.isidentifier():
        return ParseError(
            f"{name!r} is not a name", place=Place(text, source="--shape"), hint='write --shape "X: (n, p)"'
        )
    with_property = re.fullmatch(r"(\w+)(\(.*\))", rest)
    if with_property:
        trait, shape = with_property.groups()
        hint = f'write --shape "{name}: {shape}" --assume "{name}: {trait}"'
    else:
        hint = f'write --shape "{name}: {_completed(rest)}"; a vector is (n,) and a scalar ()'
    return ParseError("this is not a shape", place=Place(text, column, source="--shape"), hint=hint)


def _completed(sizes: str) -> str:
    """Return sizes as the tuple they were probably meant to be."""
    names = re.findall(r"\w+", sizes)
    return f"({names[0]},)" if len(names) == 1 else f"({', '.join(names) or 'n, p'})"


def read_assumptions(texts: Iterable[str]) -> dict[str, list[str]]:
    """Return the assumptions on each name.

    >>> read_assumptions(["S: symmetric, invertible", "x: positive"])
    {'S': ['symmetric', 'invertible'], 'x': ['positive']}
    """
    assumptions: dict[str, list[str]] = {}
    for text in texts:
        name, words = _read_words(text, "--assume", '"S: symmetric"')
        if not words:
            raise ParseError(f"nothing is assumed about {name}", hint=f'write --assume "{name}: symmetric"')
        assumptions.setdefault(name, []).extend(words)
    return assumptions


def read_functions(texts: Iterable[str], order: int, taken: Iterable[str]) -> dict[str, list[str]]:
    """Return unknown functions with names for derivatives up to an order: `dh`, `d2h`, … unless given.

    >>> read_functions(["h", "g: slope"], 2, ["x"])
    {'h': ['dh', 'd2h'], 'g': ['slope', 'd2g']}
    """
    given = dict(_read_words(text, "--function", 'h or "h: dh, d2h"') for text in texts)
    used = {*taken, *given, *(label for labels in given.values() for label in labels)}
    for name, labels in given.items():
        for k in range(len(labels) + 1, order + 1):
            label = f"d{k if k > 1 else ''}{name}"
            while label in used:
                label += "_"
            used.add(label)
            labels.append(label)
    return given


def _read_words(text: str, option: str, example: str) -> tuple[str, list[str]]:
    """Read `NAME: word, word`, of which the name alone may stand."""
    name, colon, rest = text.partition(":")
    words = [word.strip() for word in rest.split(",")] if colon else []
    wrong = next((word for word in (name.strip(), *words) if not word.isidentifier()), None)
    if wrong is not None:
        start = text.find(wrong)
        place = Place(text, start, start + len(wrong), source=option)
        raise ParseError(f"{wrong!r} is not a name", place=place, hint=f"write {option} {example}")
    return name.strip(), words


def read_formats(_ctx: click.Context, _option: click.Parameter, text: str) -> list[str]:
    """Return the formats of a list such as `tex,pdf`, each once."""
    wanted = list(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    for name in wanted:
        if name not in FORMATS:
            near = get_close_matches(name, FORMATS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {','.join(FORMATS)}"
            raise click.BadParameter(f"no format is called {name!r}; {hint}")
    if not wanted:
        raise click.BadParameter(f"choose from {','.join(FORMATS)}")
    return wanted


def _declarations(
    wrt: Sequence[str], shape: Sequence[str], assume: Sequence[str], function: Sequence[str]
) -> dict[str, Any]:
    """Return the keyword arguments of the engine for the options of the command line."""
    shapes = read_shapes(shape)
    functions = read_functions(function, len(wrt), shapes)
    return {"shapes": shapes, "assume": read_assumptions(assume), "functions": functions}


# ---------------------------------------------------------------- the commands


def _expression_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what the names of an expression mean."""
    options = [
        click.option("--wrt", multiple=True, required=True, metavar="NAME",
                     help="The variable to differentiate in; once for each derivative."),
        click.option("--shape", multiple=True, metavar="'NAME: (SIZES)'",
                     help="The shape of a variable: 'X: (n, p)', 'x: (n,)', 'a: ()'; or 'k: size'."),
        click.option("--assume", multiple=True, metavar="'NAME: PROPERTY'",
                     help="What is known of a variable: 'S: symmetric'."),
        click.option("--function", multiple=True, metavar="NAME",
                     help="An unknown entrywise function; 'h: dh, d2h' names its derivatives."),
        click.option("--structured", is_flag=True,
                     help="Differentiate over the free entries of symmetric and diagonal variables."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLES)
@click.version_option(__version__, prog_name="symderiv")
@click.option("--debug", is_flag=True, help="Show where an unexpected error happened.")
def main(debug: bool) -> None:
    """Matrix calculus that shows its work: derivatives, proofs and NumPy code."""


@main.command(cls=Reader)
@click.argument("expression")
@_expression_options
@click.option("--proof", is_flag=True, help="Print the proof, checked step by step.")
@click.option("--detail", type=click.Choice(DETAILS), help="How much of the proof (implies --proof).")
@click.option("--latex", is_flag=True, help="Print LaTeX.")
@click.option("--layout", type=click.Choice(LAYOUTS),
              help="The layout of matrices in LaTeX (implies --latex); without it, arrays.")  # fmt: skip
@click.option("--numpy", is_flag=True, help="Print a NumPy function.")
def derive(
    expression: str,
    wrt: tuple[str, ...],
    shape: tuple[str, ...],
    assume: tuple[str, ...],
    function: tuple[str, ...],
    structured: bool,
    as_json: bool,
    proof: bool,
    detail: str | None,
    latex: bool,
    layout: str | None,
    numpy: bool,
) -> None:
    """Differentiate an EXPRESSION, written as in NumPy."""
    from symderiv import derivation

    declared = _declarations(wrt, shape, assume, function)
    d = derivation.derive(expression, list(wrt), structured=structured, **declared)
    wanted = (detail or "normal") if proof or detail else None
    if wanted:
        d.proof.check()
    if as_json:
        _print_json(_derivation_record(d, wanted, layout))
    else:
        parts = [_latex(d, wanted, layout)] if latex or layout else _readable(d, wanted) if wanted or not numpy else []
        parts += [d.to_numpy().rstrip()] if numpy else []
        click.echo("\n\n".join(parts))


@main.command(cls=Reader)
@click.argument("expression")
@_expression_options
@click.option("--claim", required=True, metavar="TEXT", help="The derivative as claimed.")
@click.pass_context
def verify(
    ctx: click.Context,
    expression: str,
    wrt: tuple[str, ...],
    shape: tuple[str, ...],
    assume: tuple[str, ...],
    function: tuple[str, ...],
    structured: bool,
    as_json: bool,
    claim: str,
) -> None:
    """Decide whether a claimed derivative of an EXPRESSION is right.

    The exit code is 0 if it is proved, 1 if refuted, 3 if undecided, 2 if the input is at fault.
    """
    from symderiv import verdict as verdicts

    declared = _declarations(wrt, shape, assume, function)
    verdict = verdicts.verify(expression, list(wrt), claim, structured=structured, **declared)
    if as_json:
        _print_json(_verdict_record(verdict))
    else:
        click.echo("\n".join(_verdict_lines(verdict)))
    ctx.exit(EXIT[verdict.status])


@main.command(cls=Reader)
@click.argument("expression")
@_expression_options
@click.option("--name", default="loss", show_default=True, help="What the module and its function are called.")
@click.option("--hvp", is_flag=True, help="The product of the Hessian with a direction too.")
@click.option("--hessian", is_flag=True, help="The Hessian too.")
@click.option("--flat", is_flag=True, help="Functions of one flat vector too, as scipy.optimize takes them.")
@click.option("-o", "--output", default=".", show_default=True, help="The folder to write to.",
              type=click.Path(file_okay=False, path_type=Path))  # fmt: skip
def generate(
    expression: str,
    wrt: tuple[str, ...],
    shape: tuple[str, ...],
    assume: tuple[str, ...],
    function: tuple[str, ...],
    structured: bool,
    as_json: bool,
    name: str,
    hvp: bool,
    hessian: bool,
    flat: bool,
    output: Path,
) -> None:
    """Write a NumPy module with an EXPRESSION and its gradients, and a pytest file that checks it.

    Each --wrt is a variable: one gives its gradient, several a dictionary of gradients.  Neither file needs
    symderiv.
    """
    from symderiv import generating

    second = ["hvp"] * hvp + ["hessian"] * hessian
    declared = _declarations(wrt[:1] * (2 if second else 1), shape, assume, function)
    found = generating.generate(
        expression, wrt[0] if len(wrt) == 1 else list(wrt), name=name, second=second, flat=flat,
        structured=structured, **declared,
    )  # fmt: skip
    paths = [str(path) for path in found.write(output)]
    if as_json:
        _print_json({"files": paths})
    else:
        click.echo("\n".join(paths))


@main.command()
@click.argument("source", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", default="output", show_default=True, help="The folder to write to.",
              type=click.Path(file_okay=False, path_type=Path))  # fmt: skip
@click.option("--format", "formats", default=",".join(FORMATS), show_default=True, callback=read_formats,
              help="The formats to write, parted by commas.")  # fmt: skip
@click.option("--detail", type=click.Choice(DETAILS),
              help="How much of each proof; normal where the source does not say.")  # fmt: skip
@click.option("--pdf-engine", "engine", type=click.Choice(["typst", "latex"]), default="typst", show_default=True,
              help="What makes the PDF; latex needs a TeX installation.")  # fmt: skip
@click.option("--language", metavar="CODE", help="The language of the fixed words: en, de, ja.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per claim and line.")
@click.pass_context
def handout(
    ctx: click.Context,
    source: tuple[Path, ...],
    output: Path,
    formats: list[str],
    detail: str | None,
    engine: str,
    language: str | None,
    as_json: bool,
) -> None:
    """Derive, check and typeset handouts: Markdown with `symderiv` blocks; by default the built-in ones.

    The exit code is 1 where what became of a claim is not what its author expected.
    """
    build = import_module("symderiv.handout.build").build
    before = _files_in(output)
    notices: list[str] = []
    with _reporting(as_json) as report:
        records: list[Record] = build(
            list(source) or None, output, formats, detail=detail, language=language, engine=engine,
            report=report, notice=notices.append,
        )  # fmt: skip
    for line in notices:
        click.echo(line, err=True)
    if not as_json:
        written = [path for path, stamp in _files_in(output).items() if before.get(path) != stamp]
        click.echo("\n".join(_summary(records, sorted(written))))
    ctx.exit(1 if any(_surprising(r) for r in records) else 0)


# ---------------------------------------------------------------- what derive prints


def _readable(d: Derivation, detail: str | None) -> list[str]:
    """Return the definitions and the result, the proof where it is wanted, and the notes."""
    from symderiv.tensor.text import to_text

    rows = [(name, to_text(body, d.functions)) for name, body in d.definitions.items()]
    rows.append((_left_side(d), to_text(d.named_result, d.functions) if rows else str(d.result)))
    width = max(len(name) for name, _ in rows)
    lines = [f"  {_styled(name.rjust(width), bold=True)} = {text}" for name, text in rows]
    if 0 < len(d.definitions) <= FEW_DEFINITIONS:
        closed = f"  {' ' * width} = {d.result}"
        lines += [closed] if len(closed) <= LONGEST_LINE else []
    lines.append(_dim(f"  {' ' * width}   shape {_shape(d)}"))
    proof = [_proof_text(d, detail)] if detail else []
    return ["\n".join(lines), *proof, _dim("\n".join(d.notes))]


def _left_side(d: Derivation) -> str:
    order = len(d.wrt)
    power = small_form(str(order), SUPERSCRIPTS) if order > 1 else ""
    sign = "d" if d.structures else "∂"
    return f"{sign}{power}{d.stages[0].name}/{' '.join(f'{sign}{w.name}' for w in d.wrt)}"


def _shape(d: Derivation) -> str:
    from symderiv import dims

    return dims.written(d.shape)


def _latex(d: Derivation, detail: str | None, layout: str | None) -> str:
    statement = d.to_latex(layout)
    return f"{statement}\n\n{d.proof.to_latex(detail, layout=layout)}" if detail else statement


def _derivation_record(d: Derivation, detail: str | None, layout: str | None) -> dict[str, Any]:
    from symderiv.conventions import LAYOUT_NOTES

    record = {
        "result": str(d.result),
        "statements": d.statements(),
        "latex": d.to_latex(layout),
        "numpy": d.to_numpy(),
        "shape": [int(size) if size.is_Integer else str(size) for size in d.shape],
        "notes": [*d.notes, *([LAYOUT_NOTES[layout]] if layout else [])],
        "steps": len(d.proof.steps),
    }
    return record | ({"proof": d.proof.to_latex(detail, layout=layout)} if detail else {})


def _proof_text(d: Derivation, detail: str) -> str:
    """Return the proof, one block for each chain of equalities."""
    from symderiv.render.proof import proof_views

    latex = d.proof.latex()
    chains = [view.lines for part in d.proof.parts for view in proof_views(part, latex, detail)]
    rows = _proof_rows(chains, small=True) or _proof_rows(chains, small=False) or []
    blocks = ["\n".join(_aligned(rows_of_one)) for rows_of_one in rows]
    return "\n\n".join([*blocks, _dim(f"  {len(d.proof.steps)} steps, every one checked")])


Row = tuple[str, str, str]  # left side, right side, reason


def _proof_rows(chains: Sequence[Sequence[Line]], small: bool) -> list[list[Row]] | None:
    """Return all lines as text; None where small indices are wanted and a letter has no small form."""
    plain = Plain(small)
    rows = [[(plain(line.left), plain(line.right), plain.text(line.reason)) for line in c] for c in chains]
    return None if small and plain.missed else rows


def _aligned(rows: Sequence[Row]) -> Iterator[str]:
    left = max(len(row[0]) for row in rows)
    right = max((len(row[1]) for row in rows if len(row[1]) <= REASONS_AT_MOST), default=0)
    for start, body, reason in rows:
        line = f"  {start.rjust(left)} = {body.ljust(right)}"
        yield f"{line}   {_dim(reason)}" if reason else line.rstrip()


# ---------------------------------------------------------------- what verify prints


def _verdict_lines(verdict: Verdict) -> Iterator[str]:
    how = BASES.get(verdict.basis, verdict.basis)
    yield _marked(verdict.status, verdict.status) + (f": {how}" if how else "")
    if verdict.counterexample is not None:
        yield from _counterexample_lines(verdict.counterexample)
    if verdict.status != "proved":
        yield f"  the derivative is {_styled(str(verdict.correct), bold=True)}"
    if verdict.scope and verdict.basis != "kernel":
        yield _dim(f"  {verdict.scope}")


def _counterexample_lines(found: Any) -> Iterator[str]:
    """Return where the claim fails: sizes, seed, the entry and both values."""
    sizes = [f"{name} = {value}" for name, value in found.sizes.items()]
    yield f"  counterexample at {', '.join([*sizes, f'seed {found.seed}'])}:"
    entry = f"entry {list(found.entry)}, counted from 0" if found.entry else "the value"
    left, right = _told_apart(found.left, found.right)
    yield f"    {entry}: the derivative is {left}, the claim says {right}"


def _told_apart(left: float, right: float) -> tuple[str, str]:
    """Return two numbers with as few digits as tell them apart."""
    for digits in (6, 10):
        texts = f"{left:.{digits}g}", f"{right:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(left), repr(right)


def _verdict_record(verdict: Verdict) -> dict[str, Any]:
    found = verdict.counterexample
    return {
        "status": verdict.status,
        "basis": verdict.basis,
        "scope": verdict.scope,
        "correct": str(verdict.correct),
        "counterexample": None if found is None else dataclasses.asdict(found),
    }


def _marked(status: str, text: str) -> str:
    mark = MARKS.get(status, "?")
    return _styled(f"{mark} {text}", COLOURS[mark], bold=True)


def _print_json(record: Mapping[str, Any]) -> None:
    click.echo(json.dumps(_plain_data(record), default=str))


def _plain_data(value: Any) -> Any:
    """Return what JSON can hold: numbers that are no numbers become texts."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case Mapping():
            return {str(key): _plain_data(part) for key, part in value.items()}
        case list() | tuple():
            return [_plain_data(part) for part in value]
    return value


# ---------------------------------------------------------------- what handout prints


class Record(Protocol):
    """What became of one claim of a handout."""

    handout: str
    id: str
    label: str
    status: str
    expected: str
    basis: str
    claim: str
    condition: str
    counterexample: Any
    correct: str

    def as_json(self) -> dict[str, Any]: ...


Report = Callable[[Record], None]


@contextmanager
def _reporting(as_json: bool) -> Iterator[Report]:
    """Give the function that is called with each record as soon as it is there."""
    if as_json:
        yield lambda record: _print_json(record.as_json())
    elif not (sys.stdout.isatty() and os.environ.get("TERM") != "dumb"):
        yield lambda record: click.echo("\n".join(_claim_lines(record)))
    else:
        with _progress() as report:
            yield report


@contextmanager
def _progress() -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.text import Text

    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed} claims  {task.description}"),
        TimeElapsedColumn(),
    )
    console = Console(no_color=not _colourful(sys.stdout))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def report(record: Record) -> None:
            for line in _claim_lines(record):
                progress.console.print(Text.from_ansi(line), soft_wrap=True)
            progress.update(task, advance=1, description=Text(record.handout).markup)

        yield report


def _surprising(record: Record) -> bool:
    return record.status != record.expected


def _claim_lines(record: Record) -> Iterator[str]:
    """Return a line on one claim, and more where it did not turn out as expected."""
    notes = [record.basis] if record.basis else []
    if _surprising(record):
        notes.append(f"expected: {record.expected}")
    elif record.status in ("refuted", "rejected"):
        notes.append("expected")
    note = f" ({', '.join(notes)})" if notes else ""
    name = record.label or record.id
    yield f"{_dim(record.handout)}  {_claim_mark(record)} {name}  {record.status}{note}"
    if _surprising(record):
        more = {"claim": record.claim, "counterexample": record.counterexample, "correct": record.correct}
        yield from (f"    {key}: {value}" for key, value in more.items() if value)


def _claim_mark(record: Record) -> str:
    """Return the mark of a status, green where it is as expected."""
    mark = MARKS.get(record.status, "?")
    return _styled(mark, "red" if _surprising(record) else "green", bold=True)


def _summary(records: Sequence[Record], written: Sequence[Path]) -> Iterator[str]:
    """Return one line for each handout, with its files, and one for files that belong to none."""
    names = list(dict.fromkeys(record.handout for record in records))
    files: dict[str, list[Path]] = {name: [] for name in names}
    others: list[Path] = []
    for path in written:
        files.get(_owner(path, names), others).append(path)
    if not names:
        yield "no claims"
    for name in names:
        own = [record for record in records if record.handout == name]
        listed = f" → {', '.join(map(str, files[name]))}" if files[name] else ""
        yield f"{_styled(name, bold=True)}: {_count(own)}{listed}"
    if others:
        yield f"written: {', '.join(map(str, others))}"


def _owner(path: Path, names: Sequence[str]) -> str:
    """Return the handout that a file is named after, or nothing."""
    fitting = [n for n in names if re.match(rf"{re.escape(n)}(?![^\W_])", path.stem) or n in path.parent.parts]
    return max(fitting, key=len, default="")


def _count(records: Sequence[Record]) -> str:
    found = [record.status for record in records]
    statuses = ", ".join(f"{found.count(status)} {status}" for status in dict.fromkeys(found))
    wrong = [record.label or record.id for record in records if _surprising(record)]
    verdict = f"not as expected: {', '.join(wrong)}" if wrong else "all as expected"
    claims = "1 claim" if len(records) == 1 else f"{len(records)} claims"
    return f"{claims} ({statuses}), " + _styled(verdict, "red" if wrong else "green")


def _files_in(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return the files in a folder with a stamp that changes when they are written."""
    paths = [*folder.glob("*"), *folder.glob("*/*")]
    found = {path: path.stat() for path in paths if path.is_file()}
    return {path: (stat.st_mtime_ns, stat.st_size) for path, stat in found.items()}
